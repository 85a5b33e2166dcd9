package records

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/heyan/heyan/pipeline/report"
)

// Verification is one picture's way from submission to verdict. Times have the
// precision of microseconds and are in UTC; a zero time is "not yet".
type Verification struct {
	ID              string // UUIDv7, see NewID: ids sort by creation
	Tenant          string
	Status          report.Status
	OrganizationID  string // the caller's own id, opaque
	EntityType      string // of the organization, as declared, when that is a lower_snake code
	ClientReference string // the caller's own key, opaque
	Purpose         report.Purpose
	Previous        string // id of the failed attempt that this one follows
	Callback        string // id of the endpoint that alone gets its events; empty: all
	Batch, CustomID string // of the line of a batch that it was made for; empty: none
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
	AtRiskAt        time.Time // when the deadline was found in danger
	CompletedAt     time.Time // the machine's verdict
	DecidedAt       time.Time // the final decision: CompletedAt unless a person decided
	Outcome         report.Outcome
	Reasons         []string       // reason codes of the report or of the final decision, in their order
	MachineOutcome  report.Outcome // the machine's own, whatever people decide
	MachineReasons  []string       // the same
	USCC            string         // as the report has it, or as a person corrected it; it stays when the report goes
	PictureSHA256   string         // of the file, hex; stays as well
	PixelsSHA256    string         // of the decoded picture, hex; stays as well
	Report          *report.Report // nil until completed, after its time, and in lists
	// Until when picture, sealed submission and report are kept (zero: for
	// ever), and when each was gone.
	PictureUntil, SealedUntil, ReportUntil    time.Time
	PictureGoneAt, SealedGoneAt, ReportGoneAt time.Time
	ErasedAt                                  time.Time // all three, on demand
	Version                                   int64     // 1 at creation, grows with every change
}

// IdempotencyRetention is how long a key is remembered at least.
const IdempotencyRetention = 7 * 24 * time.Hour

// Create stores a new queued verification. ID, Tenant, CreatedAt and DeadlineAt
// must be set; Status and Version are set here. LeaseUntil is when the sweeper
// takes the row over: set it a little ahead when the caller enqueues it itself.
// A Previous that the tenant does not have is ErrNotFound.
//
// With an idempotencyKey the call happens once: a repeat with the same
// requestHash returns the verification of the first call and created=false; a
// repeat with another hash is ErrConflict, and so is an ID that exists.
//
// The organization of an OrganizationID waits for the decision from then on. The
// line of a Batch is submitted with it, once: when it was before, that
// verification is returned and created=false; *BatchError: it will not be.
func (s *Store) Create(ctx context.Context, v Verification, idempotencyKey string, requestHash []byte) (stored Verification, created bool, err error) {
	if _, err := uuid.Parse(v.ID); err != nil {
		return Verification{}, false, fail("create", "", errors.New("verification id is not a UUID"))
	}
	if !isSlug(v.Tenant) {
		return Verification{}, false, fail("create", v.ID, errSlug)
	}
	if idempotencyKey != "" && len(requestHash) == 0 {
		return Verification{}, false, fail("create", v.ID, errors.New("an idempotency key needs the hash of its request"))
	}
	if !isCode(v.EntityType) { // free text is for the sealed submission alone
		v.EntityType = ""
	}
	if idempotencyKey != "" && v.Batch != "" {
		return Verification{}, false, fail("create", v.ID, errors.New("a line of a batch is its own idempotency key"))
	}
	v.Status, v.Version, created = report.StatusQueued, 1, true
	if idempotencyKey == "" && v.Previous == "" && v.OrganizationID == "" && v.Batch == "" {
		return v, created, fail("create", v.ID, insert(ctx, s.db, v, v.ID))
	}
	err = s.transact(ctx, func(tx queryer) error {
		if idempotencyKey != "" {
			first, known, err := claim(ctx, tx, v, idempotencyKey, requestHash)
			if known || err != nil {
				v, created = first, false
				return err
			}
		}
		chain := v.ID
		if v.Previous != "" {
			if err := tx.QueryRowContext(ctx, `SELECT chain FROM verifications WHERE tenant = $1 AND id = $2`,
				v.Tenant, v.Previous).Scan(&chain); err != nil {
				return err
			}
		}
		if v.Batch != "" {
			first, known, err := s.submitLine(ctx, tx, v)
			if known || err != nil {
				v, created = first, false
				return err
			}
		}
		if err := insert(ctx, tx, v, chain); err != nil || v.OrganizationID == "" {
			return err
		}
		return submitted(ctx, tx, v)
	})
	if err != nil {
		return Verification{}, false, fail("create", v.ID, err)
	}
	return v, created, nil
}

// claim takes an idempotency key for a verification, or returns the one that
// has it.
func claim(ctx context.Context, tx queryer, v Verification, key string, hash []byte) (first Verification, known bool, err error) {
	n, err := affected(tx.ExecContext(ctx, `INSERT INTO idempotency_keys
		(tenant, key, request_hash, verification_id, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT DO NOTHING`, v.Tenant, key, hash, v.ID, micros(v.CreatedAt)))
	if n == 1 || err != nil {
		return Verification{}, false, err
	}
	first, err = scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM verifications WHERE id =
		(SELECT verification_id FROM idempotency_keys WHERE tenant = $1 AND key = $2 AND request_hash = $3)`, v.Tenant, key, hash))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrConflict
	}
	return first, true, err
}

func insert(ctx context.Context, tx queryer, v Verification, chain string) error {
	n, err := affected(tx.ExecContext(ctx, `INSERT INTO verifications
		(id, tenant, status, organization_id, client_reference, purpose, previous, chain, callback, policy, priority,
		 object_key, sealed, attempts, max_attempts, lease_until, last_error, created_at, deadline_at, version, entity_type, batch_id, custom_id)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23)
		ON CONFLICT DO NOTHING`,
		v.ID, v.Tenant, string(v.Status), v.OrganizationID, v.ClientReference, string(v.Purpose), v.Previous, chain, v.Callback,
		v.Policy, v.Priority, v.ObjectKey, v.Sealed, v.Attempts, v.MaxAttempts, micros(v.LeaseUntil), v.LastError,
		micros(v.CreatedAt), micros(v.DeadlineAt), v.Version, v.EntityType, v.Batch, v.CustomID))
	if err == nil && n == 0 {
		err = ErrConflict
	}
	return err
}

// Repeated returns the verification that a request made which is repeated now,
// and known=false when this is the first with its key. A key that was used with
// another hash is ErrConflict.
func (s *Store) Repeated(ctx context.Context, tenant, key string, requestHash []byte) (first Verification, known bool, err error) {
	var id string
	var hash []byte
	err = s.db.QueryRowContext(ctx, `SELECT verification_id, request_hash FROM idempotency_keys
		WHERE tenant = $1 AND key = $2`, tenant, key).Scan(&id, &hash)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Verification{}, false, nil
	case err == nil && !bytes.Equal(hash, requestHash):
		err = ErrConflict
	case err == nil:
		first, err = get(ctx, s.db, tenant, id)
	}
	return first, err == nil, fail("repeated", id, err)
}

// PurgeIdempotencyKeys forgets the keys of requests before a time: callers take
// now-IdempotencyRetention.
func (s *Store) PurgeIdempotencyKeys(ctx context.Context, before time.Time) (int, error) {
	n, err := affected(s.db.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE created_at < $1`, micros(before)))
	return n, fail("purge idempotency keys", "", err)
}

// Get returns one verification of a tenant, or ErrNotFound.
func (s *Store) Get(ctx context.Context, tenant, id string) (Verification, error) {
	v, err := get(ctx, s.db, tenant, id)
	return v, fail("get", id, err)
}

func get(ctx context.Context, q queryer, tenant, id string) (Verification, error) {
	return scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM verifications WHERE tenant = $1 AND id = $2`, tenant, id))
}

// Attempts returns all verifications that a resubmission links to this one, and
// itself, oldest first, without Sealed and Report.
func (s *Store) Attempts(ctx context.Context, tenant, id string) ([]Verification, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+listColumns+` FROM verifications WHERE tenant = $1 AND chain =
		(SELECT chain FROM verifications WHERE tenant = $1 AND id = $2) ORDER BY created_at, id`, tenant, id)
	chain, err := collect(rows, err, scan)
	if err == nil && len(chain) == 0 {
		err = ErrNotFound
	}
	return chain, fail("attempts", id, err)
}

// idsPerStatement keeps far below what the databases take (SQLite: 32766).
const idsPerStatement = 500

// HaveObjects returns those of the ids that no verification has: what is stored
// under them is an orphan once it is too old to be under way.
func (s *Store) HaveObjects(ctx context.Context, ids []string) (missing []string, err error) {
	known := map[string]bool{}
	for chunk := range slices.Chunk(ids, idsPerStatement) {
		places, args := placeholders(chunk)
		rows, err := s.db.QueryContext(ctx, `SELECT id FROM verifications WHERE id IN (`+places+`)`, args...)
		have, err := collect(rows, err, func(r row) (id string, err error) { return id, r.Scan(&id) })
		if err != nil {
			return nil, fail("have objects", "", err)
		}
		for _, id := range have {
			known[id] = true
		}
	}
	for _, id := range ids {
		if !known[id] {
			missing = append(missing, id)
		}
	}
	return missing, nil
}

// Query selects verifications of a tenant. Empty fields do not select.
type Query struct {
	Status          report.Status
	Outcome         report.Outcome
	OrganizationID  string
	ClientReference string
	Policy          string
	ReasonCode      string
	From, To        time.Time // of CreatedAt, To excluded
	After           string    // cursor: Page.Next of the page before
	Limit           int       // 1..MaxPage; 0 is MaxPage
}

// Page is a part of a list, newest first.
type Page struct {
	Verifications []Verification // without Sealed and Report
	Next          string         // cursor of the following page; empty at the end
}

// List returns the verifications that a query selects, newest first. A cursor
// that no page gave is ErrCursor.
func (s *Store) List(ctx context.Context, tenant string, q Query) (Page, error) {
	page, err := s.list(ctx, tenant, q, newestFirst)
	return page, fail("list", "", err)
}

// Reports returns the completed verifications that a query selects and whose
// reports are there still, with Report and Sealed, oldest first: to decide anew
// what was measured. A cursor that no page gave is ErrCursor.
func (s *Store) Reports(ctx context.Context, tenant string, q Query) (Page, error) {
	q.Status = report.StatusCompleted
	page, err := s.list(ctx, tenant, q, withReports)
	return page, fail("reports", "", err)
}

// listing is how rows are listed.
type listing struct{ columns, where, direction, beyond string }

var (
	newestFirst = listing{listColumns, ``, `DESC`, `<`}
	withReports = listing{columns, ` AND report_gone_at = 0`, `ASC`, `>`}
)

func (s *Store) list(ctx context.Context, tenant string, q Query, l listing) (Page, error) {
	if q.Limit < 0 || q.Limit > MaxPage {
		return Page{}, fmt.Errorf("limit %d is not in 1..%d", q.Limit, MaxPage)
	}
	if q.Limit == 0 {
		q.Limit = MaxPage
	}
	statement, args, err := q.statement(tenant, l)
	if err != nil {
		return Page{}, err
	}
	rows, err := s.db.QueryContext(ctx, statement, args...)
	var page Page
	page.Verifications, err = collect(rows, err, scan)
	if len(page.Verifications) > q.Limit {
		page.Verifications = page.Verifications[:q.Limit]
		last := page.Verifications[q.Limit-1]
		page.Next = cursor(last.CreatedAt, last.ID)
	}
	return page, err
}

// statement names only the columns that select, so that each filter finds its
// index. The table that leads gives the order.
func (q Query) statement(tenant string, l listing) (string, []any, error) {
	from, lead := `verifications`, `verifications`
	if q.ReasonCode != "" {
		// CROSS keeps SQLite from reading the verifications first.
		from, lead = `verification_reasons CROSS JOIN verifications`, `verification_reasons`
	}
	where, args := []string{lead + `.tenant = $1`}, []any{tenant}
	match := func(condition string, value any) {
		args = append(args, value)
		where = append(where, strings.ReplaceAll(condition, "?", "$"+strconv.Itoa(len(args))))
	}
	if q.ReasonCode != "" {
		match(`verifications.id = verification_reasons.id AND code = ?`, q.ReasonCode)
	}
	// A verification is queued exactly as long as it has no outcome; the index is
	// one of outcomes.
	switch q.Status {
	case "":
	case report.StatusQueued:
		match(`outcome = ?`, "")
	case report.StatusCompleted:
		match(`outcome <> ?`, "")
	default:
		match(`status = ?`, string(q.Status))
	}
	if q.Outcome != "" {
		match(`outcome = ?`, string(q.Outcome))
	}
	if q.OrganizationID != "" {
		match(`organization_id <> '' AND organization_id = ?`, q.OrganizationID)
	}
	if q.ClientReference != "" {
		match(`client_reference <> '' AND client_reference = ?`, q.ClientReference)
	}
	if q.Policy != "" {
		match(`policy = ?`, q.Policy)
	}
	if !q.From.IsZero() {
		match(lead+`.created_at >= ?`, micros(q.From))
	}
	if !q.To.IsZero() {
		match(lead+`.created_at < ?`, micros(q.To))
	}
	if q.After != "" {
		at, id, err := parseCursor(q.After)
		if err != nil {
			return "", nil, err
		}
		args = append(args, at, id)
		where = append(where, fmt.Sprintf(`(%[1]s.created_at, %[1]s.id) %[2]s ($%[3]d, $%[4]d)`, lead, l.beyond, len(args)-1, len(args)))
	}
	// One row more than asked for tells whether another page follows.
	args = append(args, q.Limit+1)
	return fmt.Sprintf(`SELECT %[1]s FROM %[2]s WHERE %[3]s%[4]s ORDER BY %[5]s.created_at %[6]s, %[5]s.id %[6]s LIMIT $%[7]d`,
		l.columns, from, strings.Join(where, " AND "), l.where, lead, l.direction, len(args)), args, nil
}

// The columns that scan reads; a list does without the two heavy ones.
const (
	light = `verifications.id, verifications.tenant, status, organization_id, client_reference, purpose, previous, callback,
		policy, priority, object_key, attempts, max_attempts, lease_until, last_error, verifications.created_at, deadline_at,
		at_risk_at, completed_at, decided_at, outcome, reasons, uscc, picture_sha256, pixels_sha256,
		picture_until, sealed_until, report_until, picture_gone_at, sealed_gone_at, report_gone_at, erased_at, version,
		machine_outcome, machine_reasons, entity_type, batch_id, custom_id, `
	columns     = light + `sealed, report`
	listColumns = light + `NULL, NULL`
)

func scan(r row) (Verification, error) {
	var v Verification
	var text sql.NullString
	err := r.Scan(&v.ID, &v.Tenant, &v.Status, &v.OrganizationID, &v.ClientReference, &v.Purpose, &v.Previous, &v.Callback,
		&v.Policy, &v.Priority, &v.ObjectKey, &v.Attempts, &v.MaxAttempts, moment{&v.LeaseUntil}, &v.LastError,
		moment{&v.CreatedAt}, moment{&v.DeadlineAt}, moment{&v.AtRiskAt}, moment{&v.CompletedAt}, moment{&v.DecidedAt},
		&v.Outcome, words{&v.Reasons}, &v.USCC, &v.PictureSHA256, &v.PixelsSHA256,
		moment{&v.PictureUntil}, moment{&v.SealedUntil}, moment{&v.ReportUntil},
		moment{&v.PictureGoneAt}, moment{&v.SealedGoneAt}, moment{&v.ReportGoneAt}, moment{&v.ErasedAt}, &v.Version,
		&v.MachineOutcome, words{&v.MachineReasons}, &v.EntityType, &v.Batch, &v.CustomID, &v.Sealed, &text)
	if err != nil {
		return Verification{}, err
	}
	if text.Valid {
		v.Report = new(report.Report)
		if err := json.Unmarshal([]byte(text.String), v.Report); err != nil {
			return Verification{}, fmt.Errorf("stored report: %w", err)
		}
	}
	return v, nil
}

// placeholders are those of an IN, and their values.
func placeholders(values []string) (places string, args []any) {
	for i, value := range values {
		places += ", $" + strconv.Itoa(i+1)
		args = append(args, value)
	}
	return strings.TrimPrefix(places, ", "), args
}
