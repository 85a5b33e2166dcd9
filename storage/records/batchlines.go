package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// lineColumns is how many values a line has.
	lineColumns = 9
	// linesPerStatement: 500 lines took 159 ms on SQLite by 500, 33 ms by 20 and
	// 41 ms by 1; 24, 21 and 43 ms on Postgres (two busy cores).
	linesPerStatement = 20
)

// key tells the lines of a batch apart. A bad one may have no custom id, or that
// of another.
func (l BatchLine) key() string {
	if l.State == LineBad {
		return "#" + strconv.Itoa(l.Number)
	}
	return goodKey(l.CustomID)
}

func goodKey(customID string) string { return "=" + customID }

// AddBatchLines adds lines, ready or bad, to a batch that is loading, and returns
// how many of them it did not have: a good one is known by its CustomID, a bad one
// by its Number, and what is known stays as it is. *BatchError: it is not loading.
func (s *Store) AddBatchLines(ctx context.Context, batch string, lines []BatchLine, now time.Time) (added int, err error) {
	for _, l := range lines {
		if l.State != LineReady && l.State != LineBad || l.State == LineReady && l.CustomID == "" || !storable(l.CustomID+l.Organization+l.Picture) {
			return 0, fail("add batch lines", batch, fmt.Errorf("line %d is neither ready, with a custom id, nor bad, or is no UTF-8 without NUL", l.Number))
		}
	}
	err = s.transact(ctx, func(tx queryer) error {
		b, err := s.lockBatch(ctx, tx, batch)
		if err != nil {
			return err
		}
		if b.State != BatchLoading {
			return &BatchError{b.State}
		}
		bad := 0
		for _, state := range []LineState{LineReady, LineBad} {
			n, err := addLines(ctx, tx, batch, state, lines)
			if err != nil {
				return err
			}
			if added += n; state == LineBad {
				bad = n
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE batches SET lines = lines + $2, bad = bad + $3, changed_at = $4 WHERE id = $1`,
			batch, added, bad, micros(now))
		return err
	})
	if err != nil {
		return 0, fail("add batch lines", batch, err)
	}
	return added, nil
}

// addLines adds those of a state.
func addLines(ctx context.Context, tx queryer, batch string, state LineState, lines []BatchLine) (added int, err error) {
	lines = slices.DeleteFunc(slices.Clone(lines), func(l BatchLine) bool { return l.State != state })
	for chunk := range slices.Chunk(lines, linesPerStatement) {
		var args []any
		for _, l := range chunk {
			args = append(args, batch, l.key(), l.CustomID, l.Number, l.Organization, string(state), l.Errors, l.Sealed, l.Picture)
		}
		n, err := affected(tx.ExecContext(ctx, `INSERT INTO batch_lines
			(batch_id, line_key, custom_id, number, organization_id, state, errors, sealed, picture)
			VALUES `+tuples(len(chunk), lineColumns)+` ON CONFLICT DO NOTHING`, args...))
		if err != nil {
			return 0, err
		}
		added += n
	}
	return added, nil
}

// BatchWork is what to submit of a batch.
type BatchWork struct {
	Batch Batch
	Lines []BatchLine // in the order of the file
}

// NextBatchLines takes up to limit ready lines of running batches, of all tenants,
// the oldest batch first, and leases them until now+leaseFor. Several feeders may
// call it at once: no two get the same line while its lease lasts. Create with the
// line's Batch and CustomID submits one. What was leased before an error is
// returned with it.
func (s *Store) NextBatchLines(ctx context.Context, now time.Time, leaseFor time.Duration, limit int) ([]BatchWork, error) {
	rows, err := s.db.QueryContext(ctx, runningBatches)
	running, err := collect(rows, err, scanBatch)
	var work []BatchWork
	for _, b := range running {
		if limit <= 0 || err != nil {
			break
		}
		rows, err = s.db.QueryContext(ctx, `WITH due AS MATERIALIZED (`+readyLines+s.skipLocked+`)
			UPDATE batch_lines SET lease_until = $4 FROM due WHERE batch_id = $1 AND line_key = due_key AND state = 'ready' AND lease_until <= $2
			RETURNING `+batchLineColumns, b.ID, micros(now), limit, micros(now.Add(leaseFor)))
		lines, failure := collect(rows, err, scanBatchLine)
		if err = failure; len(lines) == 0 {
			continue
		}
		slices.SortFunc(lines, func(a, b BatchLine) int { return a.Number - b.Number })
		work, limit = append(work, BatchWork{b, lines}), limit-len(lines)
	}
	return work, fail("next batch lines", "", err)
}

const (
	runningBatches = `SELECT ` + batchColumns + ` FROM batches
		WHERE state = 'running' AND state <> 'done' AND state <> 'cancelled' ORDER BY created_at, id`
	readyLines = `SELECT line_key AS due_key FROM batch_lines
		WHERE batch_id = $1 AND state = 'ready' AND lease_until <= $2 ORDER BY number, line_key LIMIT $3 `
	batchLineColumns = `batch_lines.batch_id, batch_lines.custom_id, number, batch_lines.organization_id, verification_id,
		batch_lines.state, errors, batch_lines.sealed, picture`
)

func (l *BatchLine) fields() []any {
	return []any{&l.Batch, &l.CustomID, &l.Number, &l.Organization, &l.Verification, &l.State, &l.Errors, &l.Sealed, &l.Picture}
}

func scanBatchLine(r row) (l BatchLine, err error) { return l, r.Scan(l.fields()...) }

// submitLine marks a line as submitted with a verification that is about to be
// made, or returns the one that was made for it.
func (s *Store) submitLine(ctx context.Context, tx queryer, v Verification) (first Verification, known bool, err error) {
	b, err := s.lockBatch(ctx, tx, v.Batch)
	if err == nil && b.Tenant != v.Tenant {
		err = sql.ErrNoRows
	}
	if err != nil {
		return Verification{}, false, err
	}
	n, err := affected(tx.ExecContext(ctx, `UPDATE batch_lines SET state = 'submitted', verification_id = $3, sealed = NULL
		WHERE batch_id = $1 AND line_key = $2 AND state = 'ready'`, v.Batch, goodKey(v.CustomID), v.ID))
	if err != nil {
		return Verification{}, false, err
	}
	if n == 1 {
		_, err = progress(ctx, tx, v.Batch, 0, 1, 0, v.CreatedAt)
		return Verification{}, false, err
	}
	var id string
	if err := tx.QueryRowContext(ctx, `SELECT verification_id FROM batch_lines WHERE batch_id = $1 AND line_key = $2`,
		v.Batch, goodKey(v.CustomID)).Scan(&id); err != nil {
		return Verification{}, false, err
	}
	if id == "" { // cancelled, or bad
		return Verification{}, false, &BatchError{b.State}
	}
	first, err = get(ctx, tx, v.Tenant, id)
	return first, true, err
}

// lineDone notes that a verification of a batch has its final decision.
func (s *Store) lineDone(ctx context.Context, tx queryer, v Verification, at time.Time) error {
	if _, err := s.lockBatch(ctx, tx, v.Batch); err != nil {
		return err
	}
	n, err := affected(tx.ExecContext(ctx, `UPDATE batch_lines SET state = 'done'
		WHERE batch_id = $1 AND line_key = $2 AND state = 'submitted'`, v.Batch, goodKey(v.CustomID)))
	if err != nil || n == 0 {
		return err
	}
	_, err = progress(ctx, tx, v.Batch, 0, 0, n, at)
	return err
}

// FailBatchLine makes a ready line bad that cannot be submitted, as when its
// picture is not there. Errors is JSON without personal values. A line that is not
// ready (any more) is ErrConflict.
func (s *Store) FailBatchLine(ctx context.Context, batch, customID string, failures []byte, now time.Time) error {
	if strings.TrimSpace(string(failures)) == "" {
		return fail("fail batch line", batch, errors.New("a bad line has errors"))
	}
	return fail("fail batch line", batch, s.transact(ctx, func(tx queryer) error {
		if _, err := s.lockBatch(ctx, tx, batch); err != nil {
			return err
		}
		n, err := affected(tx.ExecContext(ctx, `UPDATE batch_lines SET state = 'bad', errors = $3, sealed = NULL
			WHERE batch_id = $1 AND line_key = $2 AND state = 'ready'`, batch, goodKey(customID), failures))
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrConflict
		}
		_, err = progress(ctx, tx, batch, 1, 0, 0, now)
		return err
	}))
}
