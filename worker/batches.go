package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/spool"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker/batch"
)

const (
	// loadChunk is how many lines are added in one transaction.
	loadChunk = 500
	// loadLease is without how long an added line another worker goes on loading.
	// Two that load the same do no harm.
	loadLease = 5 * time.Second
	// lineGroup is how many lines are taken at a time, and lineLease how long they
	// are another worker's after that: a group takes some seconds, most of them to
	// copy pictures. A line whose worker was killed comes back after it.
	lineGroup = 50
	lineLease = 15 * time.Second
	// linesAhead is how many windows of the feed may wait as verifications: the
	// rest waits as lines, so that pausing a batch means something.
	linesAhead = 2
	// staleAfter is how long a batch may stand still, paused or loading, before it
	// is cancelled: what was declared in it does not stay for ever.
	staleAfter = 30 * 24 * time.Hour
	staleLimit = 100
	// pictureColumn is that of the file of lines.
	pictureColumn = "picture"
)

// loadBatches turns the files of new batches into lines.
func (w *Worker) loadBatches(ctx context.Context) (err error) {
	for {
		b, found, failed := w.Records.TakeLoadingBatch(ctx, w.Now(), loadLease)
		if failed != nil || !found {
			return errors.Join(err, failed)
		}
		if failed := w.loadBatch(ctx, b); failed != nil {
			err = errors.Join(err, fmt.Errorf("batch %s: %w", b.ID, failed))
		}
	}
}

// loadBatch begins anew with every call: lines that are there already stay as they
// are.
func (w *Worker) loadBatch(ctx context.Context, b records.Batch) error {
	files, err := w.batchFiles(ctx, b)
	if gone(err) {
		return w.cancelBatch(ctx, b, "its files are gone")
	}
	if err != nil {
		return err
	}
	sealer, err := w.Vault.For(ctx, b.Tenant)
	if err != nil {
		return err
	}
	begin := w.Now()
	lines, err := w.addLines(ctx, b, sealer, files)
	var changed *records.BatchError
	if errors.As(err, &changed) { // cancelled, or another has loaded it
		return nil
	}
	if err != nil {
		return err
	}
	if _, err = w.Records.SetBatchState(ctx, b.Tenant, b.ID, records.BatchRunning, w.entry("batch.loaded")); err != nil {
		return err
	}
	w.Logger.Info("batch loaded", "batch", b.ID, "lines", lines, "took", w.Now().Sub(begin))
	return spool.Remove(ctx, w.Objects, files.Lines)
}

// addLines adds all that the file says, and what is wrong with it. A file that
// cannot be read to its end has a bad line there.
func (w *Worker) addLines(ctx context.Context, b records.Batch, sealer *vault.Sealer, files BatchFiles) (n int, err error) {
	var file *batch.FileError
	chunk, last := []records.BatchLine{}, 0
	add := func(l records.BatchLine) error {
		if chunk, n = append(chunk, l), n+1; len(chunk) < loadChunk {
			return nil
		}
		_, err := w.Records.AddBatchLines(ctx, b.ID, chunk, w.Now())
		chunk = chunk[:0]
		return err
	}
	reader, err := batch.Open(spool.Open(ctx, w.Objects, sealer, files.Lines), files.Format)
	for err == nil {
		var line batch.Line
		var faults []batch.LineError
		if line, faults, err = reader.Next(); err != nil {
			break
		}
		last = line.Number
		var l records.BatchLine
		if l, err = newLine(sealer, b.ID, line, faults); err == nil {
			err = add(l)
		}
	}
	if errors.As(err, &file) {
		err = add(badLine(batch.LineError{Line: last + 1, Rule: file.Rule, Message: file.Message}))
	}
	if err == nil || err == io.EOF {
		_, err = w.Records.AddBatchLines(ctx, b.ID, chunk, w.Now())
	}
	return n, err
}

// newLine is a line as the records keep it.
func newLine(sealer *vault.Sealer, b string, line batch.Line, faults []batch.LineError) (records.BatchLine, error) {
	if line.Picture == "" && line.Declared.OrganizationID == "" && len(faults) == 0 {
		faults = []batch.LineError{{Line: line.Number, CustomID: line.CustomID, Column: pictureColumn,
			Rule: batch.RuleMissing, Message: batch.RuleMissing.Message()}}
	}
	if len(faults) > 0 {
		return badLine(faults...), nil
	}
	sealed, err := sealLine(sealer, b, line)
	return records.BatchLine{CustomID: line.CustomID, Number: line.Number, Organization: line.Declared.OrganizationID,
		State: records.LineReady, Sealed: sealed, Picture: line.Picture}, err
}

func badLine(faults ...batch.LineError) records.BatchLine {
	return records.BatchLine{Number: faults[0].Line, CustomID: faults[0].CustomID, State: records.LineBad, Errors: lineErrors(faults...)}
}

func lineErrors(faults ...batch.LineError) []byte {
	text, err := json.Marshal(faults)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return text
}

// feedLines makes verifications of the lines of running batches, so that some
// windows of the feed stand in the records; none while deadlines would be broken.
func (w *Worker) feedLines(ctx context.Context) error {
	l, err := w.load(ctx)
	if err != nil || l.late() > 0 {
		return err
	}
	room := linesAhead * w.window(l)
	for _, q := range l.Queues {
		room -= q.Queued
	}
	for room > 0 {
		work, failed := w.Records.NextBatchLines(ctx, w.Now(), lineLease, min(room, lineGroup))
		if failed != nil {
			return errors.Join(err, failed)
		}
		if len(work) == 0 {
			w.archive = openedArchive{}
			return err
		}
		for _, of := range work {
			for _, line := range of.Lines {
				if failed := w.submitLine(ctx, of.Batch, line); failed != nil {
					err = errors.Join(err, fmt.Errorf("batch %s: line %d: %w", line.Batch, line.Number, failed))
					var fault interface{ Retryable() bool }
					if ctx.Err() != nil || errors.As(failed, &fault) && fault.Retryable() {
						return err // the others would fail as well
					}
				}
			}
			room -= len(of.Lines)
		}
	}
	return err
}

// submitLine makes the verification of a line, once: what was made for it before,
// by whoever was killed then, stands.
func (w *Worker) submitLine(ctx context.Context, b records.Batch, line records.BatchLine) error {
	sealer, err := w.Vault.For(ctx, b.Tenant)
	if err != nil {
		return err
	}
	d, err := openLine(sealer, line)
	if err != nil { // its key was destroyed: no other try helps
		return w.failLine(ctx, line, batch.LineError{Rule: batch.RuleDamaged, Message: batch.RuleDamaged.Message()})
	}
	s := report.Submission{Declared: d.Declared, ID: records.NewID(), Purpose: d.Purpose, Policy: b.Policy, Priority: b.Priority, ClientReference: line.CustomID}
	s.Object = pictures + s.ID
	err = w.placePicture(ctx, b, line, s.Object)
	var refused *batch.PictureError
	if errors.As(err, &refused) {
		return w.failLine(ctx, line, batch.LineError{Column: pictureColumn, Rule: refused.Rule, Message: refused.Message})
	}
	if err != nil {
		return err
	}
	sealed, err := SealSubmission(sealer, s.ID, s)
	if err != nil {
		return err
	}
	now := w.Now()
	_, created, err := w.Records.Create(ctx, records.Verification{
		ID: s.ID, Tenant: b.Tenant, OrganizationID: s.OrganizationID, EntityType: s.EntityType, ClientReference: s.ClientReference, Purpose: s.Purpose,
		Batch: b.ID, CustomID: line.CustomID, Policy: s.Policy, Priority: s.Priority, ObjectKey: s.Object, Sealed: sealed,
		MaxAttempts: MaxAttempts, LeaseUntil: now, CreatedAt: now, DeadlineAt: now.Add(w.slaOf(s.Policy)),
	}, "", nil)
	cancelled := errors.As(err, new(*records.BatchError))
	if cancelled || err == nil && !created {
		return w.Objects.Delete(ctx, s.Object)
	}
	return err
}

// failLine notes why a line that was good as it stood cannot be submitted.
func (w *Worker) failLine(ctx context.Context, line records.BatchLine, e batch.LineError) error {
	e.Line, e.CustomID = line.Number, line.CustomID
	err := w.Records.FailBatchLine(ctx, line.Batch, line.CustomID, lineErrors(e), w.Now())
	if errors.Is(err, records.ErrConflict) { // submitted or cancelled meanwhile
		return nil
	}
	return err
}

// slaOf is the time that a policy gives.
func (w *Worker) slaOf(policy string) time.Duration {
	if sla := w.Terms[policy].SLA; sla > 0 {
		return sla
	}
	return defaultSLA
}

// endStaleBatches cancels the batches that nobody goes on with.
func (w *Worker) endStaleBatches(ctx context.Context) error {
	stale, err := w.Records.StaleBatches(ctx, w.Now().Add(-staleAfter), staleLimit)
	for _, b := range stale {
		if err := w.cancelBatch(ctx, b, "nobody went on with it"); err != nil {
			return err
		}
	}
	return err
}

func (w *Worker) cancelBatch(ctx context.Context, b records.Batch, reason string) error {
	e := w.entry("batch.cancelled")
	e.Reason = reason
	_, err := w.Records.SetBatchState(ctx, b.Tenant, b.ID, records.BatchCancelled, e)
	w.Logger.Warn("batch cancelled", "batch", b.ID, "reason", reason)
	return err
}

// entry is what the audit log says of what the service does by itself.
func (w *Worker) entry(action string) records.Entry {
	return records.Entry{At: w.Now(), Actor: "system", Action: action}
}
