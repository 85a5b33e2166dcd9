package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// BatchState is where a batch stands.
type BatchState string

// The states of a batch. It begins as loading; done and cancelled are its ends.
const (
	BatchLoading   BatchState = "loading"
	BatchRunning   BatchState = "running"
	BatchPaused    BatchState = "paused"
	BatchCancelled BatchState = "cancelled" // what was not submitted never will be
	BatchDone      BatchState = "done"      // every line is bad or done
)

// batchSteps are the states that a caller may put a batch into.
var batchSteps = map[BatchState][]BatchState{
	BatchLoading: {BatchRunning, BatchPaused, BatchCancelled},
	BatchRunning: {BatchPaused, BatchCancelled},
	BatchPaused:  {BatchRunning, BatchCancelled},
}

// Batch is a file of verifications to make.
type Batch struct {
	ID, Tenant       string // ID: a UUIDv7, see NewID
	Name             string
	Policy, Priority string
	State            BatchState
	Lines            int // all that were added: Bad, Cancelled, Submitted, and those that wait for their turn
	Bad              int
	Cancelled        int
	Submitted        int
	Done             int    // of the Submitted, those with their final decision
	By               string // who handed it in, as an Entry's Actor
	CreatedAt        time.Time
	ChangedAt        time.Time // by people or by added lines; progress does not count
	DoneAt           time.Time
}

// LineState is where a line of a batch stands.
type LineState string

// The states of a line.
const (
	LineReady     LineState = "ready"
	LineBad       LineState = "bad"
	LineSubmitted LineState = "submitted"
	LineDone      LineState = "done" // its verification has its final decision, or was erased before
	LineCancelled LineState = "cancelled"
)

// BatchLine is a line of a batch's file.
type BatchLine struct {
	Batch        string
	CustomID     string // unique among the lines of a batch that are not bad
	Number       int    // in the file
	Organization string
	Verification string // id, once submitted
	State        LineState
	Errors       []byte // JSON, of a bad line; no personal values
	Sealed       []byte // what was declared, as the vault sealed it; gone once submitted or cancelled
	Picture      string // as the line names it
}

// BatchError says that a batch's state forbids what was asked.
type BatchError struct{ State BatchState }

func (e *BatchError) Error() string { return "the batch is " + string(e.State) }

const batchColumns = `id, tenant, name, policy, priority, state, lines, bad, cancelled, submitted, done, created_by, created_at, changed_at, done_at`

func scanBatch(r row) (b Batch, err error) {
	return b, r.Scan(&b.ID, &b.Tenant, &b.Name, &b.Policy, &b.Priority, &b.State, &b.Lines, &b.Bad, &b.Cancelled, &b.Submitted,
		&b.Done, &b.By, moment{&b.CreatedAt}, moment{&b.ChangedAt}, moment{&b.DoneAt})
}

// CreateBatch stores a new batch, to which lines may be added, with the entry.
// Tenant and Subject of it, and the batch's counts, are set here. ErrConflict: the
// ID is taken.
func (s *Store) CreateBatch(ctx context.Context, b Batch, e Entry) error {
	if uuid.Validate(b.ID) != nil || !isSlug(b.Tenant) || !storable(b.Name) {
		return fail("create batch", b.ID, errors.New("a batch has a UUID, a tenant, and a name of UTF-8 without NUL"))
	}
	e.Tenant, e.Subject = b.Tenant, b.ID
	return fail("create batch", b.ID, s.transact(ctx, func(tx queryer) error {
		n, err := affected(tx.ExecContext(ctx, `INSERT INTO batches (id, tenant, name, policy, priority, state, created_by, created_at, changed_at)
			VALUES ($1, $2, $3, $4, $5, 'loading', $6, $7, $7) ON CONFLICT DO NOTHING`,
			b.ID, b.Tenant, b.Name, b.Policy, b.Priority, b.By, micros(b.CreatedAt)))
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrConflict
		}
		_, err = appendEntry(ctx, tx, e)
		return err
	}))
}

// Batch returns one of a tenant, or ErrNotFound.
func (s *Store) Batch(ctx context.Context, tenant, id string) (Batch, error) {
	b, err := scanBatch(s.db.QueryRowContext(ctx, `SELECT `+batchColumns+` FROM batches WHERE tenant = $1 AND id = $2`, tenant, id))
	return b, fail("batch", id, err)
}

// Batches returns up to limit batches of a tenant, newest first, and the cursor of
// the page after: empty at the end. After is that of the page before.
func (s *Store) Batches(ctx context.Context, tenant, after string, limit int) (batches []Batch, next string, err error) {
	if limit < 1 || limit > MaxPage {
		return nil, "", fail("batches", "", fmt.Errorf("limit %d is not in 1..%d", limit, MaxPage))
	}
	statement, args := batchesFirst, []any{tenant, limit + 1}
	if after != "" {
		at, id, err := parseCursor(after)
		if err != nil {
			return nil, "", fail("batches", "", err)
		}
		statement, args = batchesAfter, append(args, at, id)
	}
	rows, err := s.db.QueryContext(ctx, statement, args...)
	batches, err = collect(rows, err, scanBatch)
	if len(batches) > limit {
		batches = batches[:limit]
		next = cursor(batches[limit-1].CreatedAt, batches[limit-1].ID)
	}
	return batches, next, fail("batches", "", err)
}

const (
	batchesFirst = `SELECT ` + batchColumns + ` FROM batches WHERE tenant = $1 ORDER BY created_at DESC, id DESC LIMIT $2`
	batchesAfter = `SELECT ` + batchColumns + ` FROM batches WHERE tenant = $1 AND (created_at, id) < ($3, $4)
		ORDER BY created_at DESC, id DESC LIMIT $2`
)

// StaleBatches returns up to limit batches, of all tenants, that nobody has
// changed since a time and that are still loading or paused, oldest first: to be
// cancelled, so that what was declared in them does not stay.
func (s *Store) StaleBatches(ctx context.Context, before time.Time, limit int) ([]Batch, error) {
	rows, err := s.db.QueryContext(ctx, staleBatches, micros(before), limit)
	stale, err := collect(rows, err, scanBatch)
	return stale, fail("stale batches", "", err)
}

const staleBatches = `SELECT ` + batchColumns + ` FROM batches
	WHERE state IN ('loading', 'paused') AND state <> 'done' AND state <> 'cancelled' AND changed_at < $1 ORDER BY created_at, id LIMIT $2`

// lockBatch reads a batch whose state, counts and lines nobody else changes until
// the transaction ends.
func (s *Store) lockBatch(ctx context.Context, tx queryer, id string) (Batch, error) {
	return scanBatch(tx.QueryRowContext(ctx, `SELECT `+batchColumns+` FROM batches WHERE id = $1 `+s.lock, id))
}

// SetBatchState puts a batch into a state, with the entry, whose At is when;
// Tenant and Subject of it are set here. Cancelling cancels the lines that were not
// submitted. A batch that is in that state already stays as it is. *BatchError: its
// state does not lead there.
func (s *Store) SetBatchState(ctx context.Context, tenant, id string, state BatchState, e Entry) (b Batch, err error) {
	e.Tenant, e.Subject = tenant, id
	err = s.transact(ctx, func(tx queryer) error {
		if b, err = s.lockBatch(ctx, tx, id); err != nil {
			return err
		}
		if b.Tenant != tenant {
			return sql.ErrNoRows
		}
		if b.State == state {
			return nil
		}
		if !slices.Contains(batchSteps[b.State], state) {
			return &BatchError{b.State}
		}
		cancelled := 0
		if state == BatchCancelled {
			if cancelled, err = affected(tx.ExecContext(ctx, `UPDATE batch_lines SET state = 'cancelled', sealed = NULL
				WHERE batch_id = $1 AND state = 'ready'`, id)); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE batches SET state = $2, cancelled = cancelled + $3, changed_at = $4 WHERE id = $1`,
			id, string(state), cancelled, micros(e.At)); err != nil {
			return err
		}
		if b, err = progress(ctx, tx, id, 0, 0, 0, e.At); err != nil {
			return err
		}
		_, err = appendEntry(ctx, tx, e)
		return err
	})
	if err != nil {
		return Batch{}, fail("set batch state", id, err)
	}
	return b, nil
}

// progress adds to the counts of a batch that the caller has locked, and ends it
// when nothing of it is left to do.
func progress(ctx context.Context, tx queryer, id string, bad, submitted, done int, at time.Time) (Batch, error) {
	const over = `state IN ('running', 'paused') AND bad + $2 + cancelled + done + $4 = lines`
	return scanBatch(tx.QueryRowContext(ctx, `UPDATE batches SET bad = bad + $2, submitted = submitted + $3, done = done + $4,
		done_at = CASE WHEN `+over+` THEN $5 ELSE done_at END, state = CASE WHEN `+over+` THEN 'done' ELSE state END
		WHERE id = $1 RETURNING `+batchColumns, id, bad, submitted, done, micros(at)))
}
