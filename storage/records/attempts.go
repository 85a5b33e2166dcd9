package records

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// Due is a queued verification whose lease the caller now holds.
type Due struct {
	ID         string
	Tenant     string
	Priority   string
	DeadlineAt time.Time
}

// Window is how many verifications of a priority to take at most.
type Window struct {
	Priority string
	Limit    int
}

// LeaseDue takes queued verifications whose lease ended by now, of each window
// up to its limit, nearest deadline first, and leases them until now+leaseFor.
// Several sweepers may call it at once: no two get the same row while its lease
// lasts. What was leased before an error is returned with it.
func (s *Store) LeaseDue(ctx context.Context, now time.Time, leaseFor time.Duration, windows ...Window) ([]Due, error) {
	var due []Due
	for _, w := range windows {
		rows, err := s.db.QueryContext(ctx, `WITH due AS MATERIALIZED (
				SELECT id FROM verifications WHERE status = 'queued' AND priority = $4 AND lease_until <= $1
				ORDER BY deadline_at, id LIMIT $2 `+s.skipLocked+`)
			UPDATE verifications SET lease_until = $3, version = version + 1
			FROM due WHERE verifications.id = due.id AND status = 'queued' AND lease_until <= $1
			RETURNING verifications.id, tenant, priority, deadline_at`,
			micros(now), w.Limit, micros(now.Add(leaseFor)), w.Priority)
		leased, err := collect(rows, err, func(r row) (d Due, err error) {
			return d, r.Scan(&d.ID, &d.Tenant, &d.Priority, moment{&d.DeadlineAt})
		})
		due = append(due, leased...)
		if err != nil {
			return due, fail("lease", "", err)
		}
	}
	return due, nil
}

// StartAttempt counts an attempt, leases the row until now+leaseFor and returns
// it. The count grows before the work starts, so an attempt that kills its
// worker is counted too: compare Attempts with MaxAttempts. A row that has its
// verdict is ErrAlreadyCompleted.
func (s *Store) StartAttempt(ctx context.Context, id string, now time.Time, leaseFor time.Duration) (Verification, error) {
	v, err := scan(s.db.QueryRowContext(ctx, `UPDATE verifications
		SET attempts = attempts + 1, lease_until = $2, version = version + 1
		WHERE id = $1 AND status = 'queued' RETURNING `+columns, id, micros(now.Add(leaseFor))))
	if errors.Is(err, sql.ErrNoRows) {
		err = whyNotQueued(ctx, s.db, id)
	}
	return v, fail("start attempt", id, err)
}

// RecordFailure notes why an attempt failed, as a lower_snake code, and makes
// the row due at retryAt.
func (s *Store) RecordFailure(ctx context.Context, id, code string, retryAt time.Time) error {
	if !isCode(code) {
		return fail("record failure", id, errors.New("the failure is not a lower_snake code"))
	}
	return s.change(ctx, "record failure", id, `UPDATE verifications
		SET last_error = $2, lease_until = $3, version = version + 1
		WHERE id = $1 AND status = 'queued'`, id, code, micros(retryAt))
}

// Requeue gives an attempt back that ended through no fault of the picture, as
// when its worker drains, and makes the row due now.
func (s *Store) Requeue(ctx context.Context, id string, now time.Time) error {
	return s.change(ctx, "requeue", id, `UPDATE verifications
		SET attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END, lease_until = $2, version = version + 1
		WHERE id = $1 AND status = 'queued'`, id, micros(now))
}

// Completion is what is written with a verdict.
type Completion struct {
	At    time.Time
	Event Event // Tenant, Subject, Callback and At are set here
	// See Verification.
	PictureUntil, SealedUntil, ReportUntil time.Time
	PrintKeys                              []string // of the picture, see PrintHolders
	Grant                                  *Grant   // of a pass; nil: none
	// Changed is sent beside Event, about the organization; nil: nothing is. Tenant,
	// Subject, Dedupe (the verification) and At are set here.
	Changed *Event
}

// Complete writes the verdict, its event and the event's deliveries, and what the
// verdict grants, all or nothing and once: whoever comes second gets
// ErrAlreadyCompleted and the first verdict stands. An outcome of review leaves
// the decision to a person, for whom it becomes a case; every other one is final.
// *LockedError, *StateError: the Grant is refused; decide again without.
func (s *Store) Complete(ctx context.Context, id string, r report.Report, c Completion) error {
	if r.Outcome == "" {
		return fail("complete", id, errors.New("the report has no outcome"))
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fail("complete", id, err)
	}
	reasons := make([]string, len(r.Reasons))
	for i, reason := range r.Reasons {
		if !isCode(reason.Code) {
			return fail("complete", id, fmt.Errorf("reason %d has no lower_snake code", i))
		}
		reasons[i] = reason.Code
	}
	decided := micros(c.At)
	if r.Outcome == report.OutcomeReview {
		decided = 0
	}
	return fail("complete", id, s.transact(ctx, func(tx queryer) error {
		e, waits := c.Event, Case{ID: id, Reasons: reasons, FlaggedAt: c.At}
		v := Verification{ID: id, Outcome: r.Outcome}
		err := tx.QueryRowContext(ctx, `UPDATE verifications
			SET status = 'completed', outcome = $2, machine_outcome = $2, reasons = $3, machine_reasons = $3, report = $4, completed_at = $5, decided_at = $6,
				uscc = $7, picture_sha256 = $8, pixels_sha256 = $9,
				picture_until = $10, sealed_until = $11, report_until = $12, version = version + 1
			WHERE id = $1 AND status = 'queued'
			RETURNING tenant, callback, created_at, deadline_at, organization_id, policy, priority, batch_id, custom_id`,
			id, string(r.Outcome), strings.Join(reasons, " "), string(text), micros(c.At), decided,
			r.Fields[report.FieldUSCC].Value, r.Picture.SHA256, r.Picture.PixelsSHA256,
			micros(c.PictureUntil), micros(c.SealedUntil), micros(c.ReportUntil)).Scan(&e.Tenant, &e.Callback,
			moment{&waits.CreatedAt}, moment{&waits.DeadlineAt}, &waits.OrganizationID, &waits.Policy, &waits.Priority,
			&v.Batch, &v.CustomID)
		if errors.Is(err, sql.ErrNoRows) {
			return whyNotQueued(ctx, tx, id)
		}
		if err != nil {
			return err
		}
		if err := addReasons(ctx, tx, e.Tenant, id, waits.CreatedAt, reasons); err != nil {
			return err
		}
		v.Tenant, v.OrganizationID, v.Policy, v.CreatedAt = e.Tenant, waits.OrganizationID, waits.Policy, waits.CreatedAt
		if err := addPrints(ctx, tx, v, c.PrintKeys); err != nil {
			return err
		}
		if waits.Tenant = e.Tenant; r.Outcome == report.OutcomeReview {
			err = addCase(ctx, tx, waits)
		} else {
			err = s.decided(ctx, tx, v, c.At)
		}
		if err != nil {
			return err
		}
		e.Subject, e.At = id, c.At
		if err := s.concluded(ctx, tx, v, e, c.Grant, c.At); err != nil || c.Changed == nil {
			return err
		}
		e = *c.Changed
		e.Tenant, e.Subject, e.Dedupe, e.At = v.Tenant, v.OrganizationID, id, c.At
		_, err = addEvent(ctx, tx, e)
		return err
	}))
}

// addReasons lets a list of verifications find one by its reasons.
func addReasons(ctx context.Context, tx queryer, tenant, id string, created time.Time, codes []string) error {
	for _, code := range codes {
		if _, err := tx.ExecContext(ctx, `INSERT INTO verification_reasons (tenant, code, created_at, id)
			VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, tenant, code, micros(created), id); err != nil {
			return err
		}
	}
	return nil
}

// change runs an UPDATE that applies to a queued row only.
func (s *Store) change(ctx context.Context, op, id, statement string, args ...any) error {
	n, err := affected(s.db.ExecContext(ctx, statement, args...))
	if err == nil && n == 0 {
		err = whyNotQueued(ctx, s.db, id)
	}
	return fail(op, id, err)
}

// whyNotQueued says why an UPDATE found no queued row of this id.
func whyNotQueued(ctx context.Context, q queryer, id string) error {
	var one int
	err := q.QueryRowContext(ctx, `SELECT 1 FROM verifications WHERE id = $1`, id).Scan(&one)
	if err != nil {
		return err
	}
	return ErrAlreadyCompleted
}
