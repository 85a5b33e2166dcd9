// Package records keeps verifications and their verdicts: the truth of the
// service, which queue and sweeper only follow. It knows SQL, on SQLite and on
// Postgres with the same statements. It must not know what a sealed submission
// holds, how a picture is read or decided, or that a queue exists. No error or
// column but the sealed one ever carries personal data.
package records

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/heyan/heyan/pipeline/report"
)

// Verification is one picture's way from submission to verdict. Times have the
// precision of microseconds and are in UTC; a zero time is "not yet".
type Verification struct {
	ID              string // UUIDv7, see NewID: ids sort by creation
	Status          report.Status
	OrganizationID  string
	ClientReference string // the caller's own key
	Policy          string
	Priority        string // interactive, standard, batch
	ObjectKey       string // of the picture, see storage/objects
	Sealed          []byte // the submission as the vault sealed it
	Attempts        int    // started so far, crashed ones included
	MaxAttempts     int
	LeaseUntil      time.Time // a queued row is due for the sweeper from then on
	LastError       string    // code of the last failed attempt, lower_snake
	CreatedAt       time.Time
	DeadlineAt      time.Time // SLA
	CompletedAt     time.Time
	Outcome         report.Outcome
	Reasons         []string       // reason codes of the report, in its order
	Report          *report.Report // nil until completed, and in lists
	Version         int64          // 1 at creation, grows with every change
}

// Due is a queued verification whose lease the caller now holds.
type Due struct {
	ID         string
	Priority   string
	DeadlineAt time.Time
}

// Query selects verifications. Empty fields do not select.
type Query struct {
	Status  report.Status
	Outcome report.Outcome
	After   string // cursor: Page.Next of the page before
	Limit   int    // 1..MaxPage; 0 is MaxPage
}

// MaxPage is the largest number of verifications a List returns.
const MaxPage = 100

// Page is a part of a list, newest first.
type Page struct {
	Verifications []Verification // without Sealed and Report
	Next          string         // cursor of the following page; empty at the end
}

// NewID returns a new UUIDv7 in its text form. It panics only when the system
// has no randomness, as crypto/rand does.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// Create stores a new queued verification. ID, CreatedAt and DeadlineAt must be
// set; Status and Version are set here. LeaseUntil is when the sweeper takes
// the row over: set it a little ahead when the caller enqueues it itself.
//
// With an idempotencyKey the call happens once: a repeat with the same
// requestHash returns the verification of the first call and created=false; a
// repeat with another hash is ErrConflict, and so is an ID that exists.
func (s *Store) Create(ctx context.Context, v Verification, idempotencyKey string, requestHash []byte) (stored Verification, created bool, err error) {
	if _, err := uuid.Parse(v.ID); err != nil {
		return Verification{}, false, fail("create", "", errors.New("verification id is not a UUID"))
	}
	if idempotencyKey != "" && len(requestHash) == 0 {
		return Verification{}, false, fail("create", v.ID, errors.New("an idempotency key needs the hash of its request"))
	}
	v.Status, v.Version = report.StatusQueued, 1
	result, err := s.db.ExecContext(ctx, `INSERT INTO verifications
		(id, status, organization_id, client_reference, policy, priority, object_key, sealed,
		 attempts, max_attempts, lease_until, last_error, created_at, deadline_at, version,
		 idempotency_key, request_hash)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)
		ON CONFLICT DO NOTHING`,
		v.ID, v.Status, v.OrganizationID, v.ClientReference, v.Policy, v.Priority, v.ObjectKey, v.Sealed,
		v.Attempts, v.MaxAttempts, micros(v.LeaseUntil), v.LastError, micros(v.CreatedAt), micros(v.DeadlineAt), v.Version,
		sql.NullString{String: idempotencyKey, Valid: idempotencyKey != ""}, requestHash)
	if err != nil {
		return Verification{}, false, fail("create", v.ID, err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return v, err == nil, fail("create", v.ID, err)
	}
	// Something was there before: the first call of this key, or the id.
	row := s.db.QueryRowContext(ctx, `SELECT `+columns+` FROM verifications
		WHERE idempotency_key = $1 AND request_hash = $2`, idempotencyKey, requestHash)
	stored, err = scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrConflict
	}
	return stored, false, fail("create", v.ID, err)
}

// Get returns one verification, or ErrNotFound.
func (s *Store) Get(ctx context.Context, id string) (Verification, error) {
	v, err := scan(s.db.QueryRowContext(ctx, `SELECT `+columns+` FROM verifications WHERE id = $1`, id))
	return v, fail("get", id, err)
}

// List returns the verifications a query selects, newest first.
func (s *Store) List(ctx context.Context, q Query) (Page, error) {
	if q.Limit < 0 || q.Limit > MaxPage {
		return Page{}, fail("list", "", fmt.Errorf("limit %d is not in 1..%d", q.Limit, MaxPage))
	}
	if q.Limit == 0 {
		q.Limit = MaxPage
	}
	// One row more than asked for tells whether another page follows.
	rows, err := s.db.QueryContext(ctx, `SELECT `+listColumns+` FROM verifications
		WHERE ($1 = '' OR status = $1) AND ($2 = '' OR outcome = $2) AND ($3 = '' OR id < $3)
		ORDER BY id DESC LIMIT $4`, string(q.Status), string(q.Outcome), q.After, q.Limit+1)
	if err != nil {
		return Page{}, fail("list", "", err)
	}
	defer rows.Close()
	var page Page
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return Page{}, fail("list", "", err)
		}
		page.Verifications = append(page.Verifications, v)
	}
	if len(page.Verifications) > q.Limit {
		page.Verifications = page.Verifications[:q.Limit]
		page.Next = page.Verifications[q.Limit-1].ID
	}
	return page, fail("list", "", rows.Err())
}

// LeaseDue takes up to limit queued verifications whose lease ended by now,
// nearest deadline first, and leases them until now+leaseFor. Several sweepers
// may call it at once: no two get the same row while its lease lasts.
func (s *Store) LeaseDue(ctx context.Context, now time.Time, leaseFor time.Duration, limit int) ([]Due, error) {
	rows, err := s.db.QueryContext(ctx, `WITH due AS MATERIALIZED (
			SELECT id FROM verifications WHERE status = 'queued' AND lease_until <= $1
			ORDER BY deadline_at, id LIMIT $2 `+s.skipLocked+`)
		UPDATE verifications SET lease_until = $3, version = version + 1
		FROM due WHERE verifications.id = due.id AND status = 'queued' AND lease_until <= $1
		RETURNING verifications.id, priority, deadline_at`, micros(now), limit, micros(now.Add(leaseFor)))
	if err != nil {
		return nil, fail("lease", "", err)
	}
	defer rows.Close()
	var due []Due
	for rows.Next() {
		var d Due
		var deadline int64
		if err := rows.Scan(&d.ID, &d.Priority, &deadline); err != nil {
			return nil, fail("lease", "", err)
		}
		d.DeadlineAt = fromMicros(deadline)
		due = append(due, d)
	}
	return due, fail("lease", "", rows.Err())
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
		err = s.whyNotQueued(ctx, id)
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

// Complete writes the verdict, once: whoever comes second gets
// ErrAlreadyCompleted and the first verdict stands.
func (s *Store) Complete(ctx context.Context, id string, r report.Report, now time.Time) error {
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
	return s.change(ctx, "complete", id, `UPDATE verifications
		SET status = 'completed', outcome = $2, reasons = $3, report = $4, completed_at = $5, version = version + 1
		WHERE id = $1 AND status = 'queued'`, id, string(r.Outcome), strings.Join(reasons, " "), string(text), micros(now))
}

// DataKey returns the wrapped data key of a tenant, nil when it has none.
func (s *Store) DataKey(ctx context.Context, tenant string) ([]byte, error) {
	var wrapped []byte
	err := s.db.QueryRowContext(ctx, `SELECT wrapped FROM data_keys WHERE tenant = $1`, tenant).Scan(&wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return wrapped, fail("data key", "", err)
}

// AddDataKey stores the wrapped data key of a tenant that has none, and returns
// the one stored: of several callers at once one wins and all get the same key.
func (s *Store) AddDataKey(ctx context.Context, tenant string, wrapped []byte) ([]byte, error) {
	if _, err := s.db.ExecContext(ctx, `INSERT INTO data_keys (tenant, wrapped) VALUES ($1, $2)
		ON CONFLICT DO NOTHING`, tenant, wrapped); err != nil {
		return nil, fail("add data key", "", err)
	}
	return s.DataKey(ctx, tenant)
}

// change runs an UPDATE that applies to a queued row only.
func (s *Store) change(ctx context.Context, op, id, statement string, args ...any) error {
	result, err := s.db.ExecContext(ctx, statement, args...)
	if err != nil {
		return fail(op, id, err)
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		err = s.whyNotQueued(ctx, id)
	}
	return fail(op, id, err)
}

// whyNotQueued says why an UPDATE found no queued row of this id.
func (s *Store) whyNotQueued(ctx context.Context, id string) error {
	var one int
	err := s.db.QueryRowContext(ctx, `SELECT 1 FROM verifications WHERE id = $1`, id).Scan(&one)
	if err != nil {
		return err
	}
	return ErrAlreadyCompleted
}

// The columns scan reads; a list does without the two heavy ones.
const (
	light = `id, status, organization_id, client_reference, policy, priority, object_key,
		attempts, max_attempts, lease_until, last_error, created_at, deadline_at, completed_at,
		outcome, reasons, version, `
	columns     = light + `sealed, report`
	listColumns = light + `NULL, NULL`
)

func scan(row interface{ Scan(...any) error }) (Verification, error) {
	var v Verification
	var lease, created, deadline, completed int64
	var reasons string
	var text sql.NullString
	err := row.Scan(&v.ID, &v.Status, &v.OrganizationID, &v.ClientReference, &v.Policy, &v.Priority, &v.ObjectKey,
		&v.Attempts, &v.MaxAttempts, &lease, &v.LastError, &created, &deadline, &completed,
		&v.Outcome, &reasons, &v.Version, &v.Sealed, &text)
	if err != nil {
		return Verification{}, err
	}
	v.LeaseUntil, v.CreatedAt = fromMicros(lease), fromMicros(created)
	v.DeadlineAt, v.CompletedAt = fromMicros(deadline), fromMicros(completed)
	v.Reasons = strings.Fields(reasons)
	if text.Valid {
		v.Report = new(report.Report)
		if err := json.Unmarshal([]byte(text.String), v.Report); err != nil {
			return Verification{}, fmt.Errorf("stored report: %w", err)
		}
	}
	return v, nil
}

// micros is a time as it is stored: microseconds since 1970, 0 for "not yet".
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// maxCode is the longest code accepted, in bytes: twice the longest reason code.
const maxCode = 64

// isCode keeps free text, and with it personal data, out of code columns.
func isCode(s string) bool {
	return s != "" && len(s) <= maxCode && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
