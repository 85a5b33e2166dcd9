package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/spool"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/batch"
)

// The largest files of a batch, bytes. Lines of the largest number with every
// column filled as applicants do are 300 MB; the pictures are as many as one
// upload should carry. More of either are several batches.
const (
	MaxBatchLines    = 512 << 20
	MaxBatchPictures = 16 << 30
)

// ErrBatchTooLarge: a file of a batch is larger than it may be.
var ErrBatchTooLarge = spool.ErrTooLarge

// BatchDraft is a batch whose files are being received. What comes of no Submit is
// to be dropped.
type BatchDraft struct {
	client *Client
	sealer *vault.Sealer
	id     string
	files  worker.BatchFiles
	file   BatchFile
}

// DraftBatch begins a batch.
func (c *Client) DraftBatch(ctx context.Context) (*BatchDraft, error) {
	sealer, err := c.Vault.For(ctx, c.tenant())
	return &BatchDraft{client: c, sealer: sealer, id: records.NewID()}, err
}

func (d *BatchDraft) write(ctx context.Context, name string, r io.Reader, limit int64) (spool.File, *io.SectionReader, error) {
	c := d.client
	f, err := spool.Write(ctx, c.Objects, d.sealer, worker.BatchFileKey(c.tenant(), d.id, name), r, limit)
	return f, spool.Open(ctx, c.Objects, d.sealer, f), err
}

// Lines stores the file of lines; of its name the ending counts. *batch.FileError:
// it cannot be read at all; what is wrong with its lines shows when they are
// loaded. ErrBatchTooLarge; an error of r comes back as it is.
func (d *BatchDraft) Lines(ctx context.Context, name string, r io.Reader) error {
	stored, text, err := d.write(ctx, "lines", r, MaxBatchLines)
	if err != nil {
		return err
	}
	head := make([]byte, batch.DetectBytes)
	n, err := text.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	format, err := batch.Detect(name, head[:n])
	if err != nil {
		return err
	}
	reader, err := batch.Open(text, format)
	if err != nil {
		return err
	}
	d.files.Lines, d.files.Format = stored, format
	d.file = BatchFile{Format: format, Encoding: reader.Encoding(), Ignored: reader.Ignored()}
	return nil
}

// Pictures stores the ZIP of pictures; errors are those of Lines.
func (d *BatchDraft) Pictures(ctx context.Context, r io.Reader) error {
	stored, archive, err := d.write(ctx, "pictures", r, MaxBatchPictures)
	if err != nil {
		return err
	}
	if _, err := batch.ZIP(archive, stored.Size, MaxPicture); err != nil {
		return err
	}
	d.files.Pictures = &stored
	return nil
}

// BatchTerms are how the lines of a batch are verified. What is empty is the
// client's policy, and priority batch.
type BatchTerms struct{ Name, Policy, Priority string }

// Submit hands the batch over; e is its entry of the audit log, and says who made it.
func (d *BatchDraft) Submit(ctx context.Context, terms BatchTerms, e records.Entry) (Batch, error) {
	c := d.client
	if terms.Policy == "" {
		terms.Policy = c.policy()
	}
	if terms.Priority == "" {
		terms.Priority = worker.Batch
	}
	if err := worker.KeepBatchFiles(ctx, c.Objects, c.tenant(), d.id, d.files); err != nil {
		return Batch{}, err
	}
	b := records.Batch{ID: d.id, Tenant: c.tenant(), Name: terms.Name, Policy: terms.Policy, Priority: terms.Priority,
		State: records.BatchLoading, By: e.Actor, CreatedAt: c.now(), ChangedAt: c.now()}
	if err := c.Records.CreateBatch(ctx, b, e); err != nil {
		return Batch{}, err
	}
	seen := ViewBatch(b, c.now())
	seen.File = &d.file
	return seen, nil
}

// Drop deletes what was received. A batch that was submitted keeps it.
func (d *BatchDraft) Drop(ctx context.Context) error {
	_, err := d.client.Records.Batch(ctx, d.client.tenant(), d.id)
	if !errors.Is(err, records.ErrNotFound) {
		return err
	}
	if err := worker.DropBatchFiles(ctx, d.client.Objects, d.client.tenant(), d.id); err != nil {
		return fmt.Errorf("files of a batch not dropped: %w", err)
	}
	return nil
}

// Batch is where a batch stands.
type Batch struct {
	ID          string             `json:"id"`
	Name        string             `json:"name,omitempty"`
	State       records.BatchState `json:"state" enum:"loading,running,paused,cancelled,done" doc:"Loading: its file is being read"`
	Policy      string             `json:"policy"`
	Priority    string             `json:"priority" enum:"interactive,standard,batch"`
	Lines       int                `json:"lines" doc:"Read so far: bad, waiting, submitted and cancelled"`
	Bad         int                `json:"bad" doc:"Lines that cannot be submitted; see errors"`
	Waiting     int                `json:"waiting" doc:"Lines whose turn has not come"`
	Submitted   int                `json:"submitted" doc:"Lines with a verification"`
	Done        int                `json:"done" doc:"Of those, with their final decision"`
	Cancelled   int                `json:"cancelled"`
	PerSecond   float64            `json:"per_second,omitempty" doc:"Decisions a second, on average over the time of the batch"`
	SecondsLeft float64            `json:"seconds_left,omitempty" doc:"Until all are decided at that rate; while it is running"`
	CreatedAt   time.Time          `json:"created_at"`
	ChangedAt   time.Time          `json:"changed_at" doc:"By somebody, or by lines that were read"`
	DoneAt      *time.Time         `json:"done_at,omitempty"`
	File        *BatchFile         `json:"file,omitempty" doc:"In the answer to its submission alone"`
}

// BatchFile is how the file of lines was understood.
type BatchFile struct {
	Format   batch.Format `json:"format" enum:"csv,jsonl,xlsx"`
	Encoding string       `json:"encoding" enum:"utf-8,utf-8 with BOM,gb18030"`
	Ignored  []string     `json:"ignored_columns,omitempty" doc:"Columns that are not known"`
}

// BatchSummary is how a batch came out so far.
type BatchSummary struct {
	Batch    Batch                  `json:"batch"`
	Outcomes map[report.Outcome]int `json:"outcomes" doc:"Verifications by outcome; review waits for a person"`
	Unread   int                    `json:"unread" doc:"Verifications without a verdict"`
	Reasons  map[string]int         `json:"reasons" doc:"Verifications by each of their reasons"`
}

// ViewBatch is what callers see of a batch.
func ViewBatch(b records.Batch, now time.Time) Batch {
	seen := Batch{ID: b.ID, Name: b.Name, State: b.State, Policy: b.Policy, Priority: b.Priority, Lines: b.Lines, Bad: b.Bad,
		Waiting: b.Lines - b.Bad - b.Submitted - b.Cancelled, Submitted: b.Submitted, Done: b.Done, Cancelled: b.Cancelled,
		CreatedAt: b.CreatedAt, ChangedAt: b.ChangedAt, DoneAt: when(b.DoneAt)}
	end := now
	if !b.DoneAt.IsZero() {
		end = b.DoneAt
	}
	if took := end.Sub(b.CreatedAt).Seconds(); took > 0 && b.Done > 0 {
		seen.PerSecond = float64(b.Done) / took
		if b.State == records.BatchRunning {
			seen.SecondsLeft = float64(seen.Waiting+b.Submitted-b.Done) / seen.PerSecond
		}
	}
	return seen
}

// ViewBatchSummary is what callers see of a summary.
func ViewBatchSummary(s records.BatchSummary, now time.Time) BatchSummary {
	seen := BatchSummary{Batch: ViewBatch(s.Batch, now), Outcomes: s.Outcomes, Unread: s.Outcomes[""], Reasons: s.Reasons}
	delete(seen.Outcomes, "")
	return seen
}
