package records

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// OrganizationState is where an organization stands.
type OrganizationState string

// The states of an organization. It is pending exactly while a verification of it
// waits for its final decision and nothing else is to be said of it.
const (
	Unverified OrganizationState = "unverified"
	Pending    OrganizationState = "pending"
	Certified  OrganizationState = "certified"
	Expiring   OrganizationState = "expiring" // certified still, and reminded
	Expired    OrganizationState = "expired"
	Revoked    OrganizationState = "revoked"
	Cancelled  OrganizationState = "cancelled" // or dissolved
)

// Organization is what the caller's verifications of one OrganizationID have made
// of it.
type Organization struct {
	Tenant        string
	ID            string // the caller's own, opaque
	State         OrganizationState
	EntityType    string    // as declared last
	Name, USCC    string    // of the present or the last certification
	Certification string    // id of the present one; empty: none
	ValidUntil    time.Time // of the present or the last one
	Verification  string    // id of the latest
	Policy        string    // of that
	NextAt        time.Time // when the patrol has to look at it next; zero: never
	Reminded      int       // days ahead of the last reminder in this certification; 0: none
	// BarredAt is when a certification was last revoked or cancelled, or the
	// organization dissolved: what was handed in until then certifies nothing.
	BarredAt  time.Time
	CreatedAt time.Time
	ChangedAt time.Time
	Version   int64 // 1 at first, grows with every change
}

// StateError says that an organization's state forbids what was asked.
type StateError struct {
	Organization string
	State        OrganizationState
}

func (e *StateError) Error() string {
	return "the state of the organization forbids it: " + string(e.State)
}

const organizationColumns = `organizations.tenant, organizations.id, state, entity_type, name, uscc, certification, valid_until,
	verification, policy, next_at, reminded, barred_at, created_at, changed_at, version`

func scanOrganization(r row) (o Organization, err error) {
	var name []byte
	err = r.Scan(&o.Tenant, &o.ID, &o.State, &o.EntityType, &name, &o.USCC, &o.Certification, moment{&o.ValidUntil},
		&o.Verification, &o.Policy, moment{&o.NextAt}, &o.Reminded, moment{&o.BarredAt},
		moment{&o.CreatedAt}, moment{&o.ChangedAt}, &o.Version)
	o.Name = string(name)
	return o, err
}

const organizationByID = `SELECT ` + organizationColumns + ` FROM organizations WHERE tenant = $1 AND id = $2 `

// Organization returns one of a tenant, or ErrNotFound.
func (s *Store) Organization(ctx context.Context, tenant, id string) (Organization, error) {
	o, err := scanOrganization(s.db.QueryRowContext(ctx, organizationByID, tenant, id))
	return o, fail("organization", id, err)
}

// OrganizationQuery selects organizations of a tenant. Empty fields do not
// select.
type OrganizationQuery struct {
	State       OrganizationState
	ValidBefore time.Time // those with a certification, present or last, that ends before
	Name        string    // of the certification, from its first character on
	After       string    // cursor: OrganizationPage.Next of the page before
	Limit       int       // 1..MaxPage; 0 is MaxPage
}

// OrganizationPage is a part of a list: the nearest end first where ValidBefore
// selects, else in the order of names where Name does, else of ids.
type OrganizationPage struct {
	Organizations []Organization
	Next          string // cursor of the following page; empty at the end
}

// Organizations returns those that a query selects. A cursor that no page gave
// is ErrCursor.
func (s *Store) Organizations(ctx context.Context, tenant string, q OrganizationQuery) (OrganizationPage, error) {
	if q.Limit < 0 || q.Limit > MaxPage {
		return OrganizationPage{}, fail("organizations", "", fmt.Errorf("limit %d is not in 1..%d", q.Limit, MaxPage))
	}
	if q.Limit == 0 {
		q.Limit = MaxPage
	}
	statement, args, err := q.statement(tenant)
	if err != nil {
		return OrganizationPage{}, fail("organizations", "", err)
	}
	rows, err := s.db.QueryContext(ctx, statement, args...)
	var page OrganizationPage
	page.Organizations, err = collect(rows, err, scanOrganization)
	if len(page.Organizations) > q.Limit {
		page.Organizations = page.Organizations[:q.Limit]
		page.Next = q.cursor(page.Organizations[q.Limit-1])
	}
	return page, fail("organizations", "", err)
}

// statement names only the columns that select, so that each filter finds its
// index, and orders by that.
func (q OrganizationQuery) statement(tenant string) (string, []any, error) {
	where, args := []string{`tenant = $1`}, []any{tenant}
	match := func(condition string, values ...any) {
		for _, value := range values {
			args = append(args, value)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		where = append(where, condition)
	}
	if q.State != "" {
		match(`state = ?`, string(q.State))
	}
	if !q.ValidBefore.IsZero() {
		match(`valid_until > 0 AND valid_until < ?`, micros(q.ValidBefore))
	}
	if q.Name != "" {
		match(`length(name) > 0 AND name >= ?`, []byte(q.Name))
		if end := afterPrefix(q.Name); end != nil {
			match(`name < ?`, end)
		}
	}
	if q.After != "" {
		value, id, err := q.parseCursor()
		if err != nil {
			return "", nil, err
		}
		if lead := q.lead(); lead == `id` {
			match(`id > ?`, id)
		} else {
			match(lead+` >= ? AND (`+lead+` > ? OR id > ?)`, value, value, id)
		}
	}
	order := `id`
	if lead := q.lead(); lead != order {
		order = lead + `, id`
	}
	// One row more than asked for tells whether another page follows.
	args = append(args, q.Limit+1)
	return `SELECT ` + organizationColumns + ` FROM organizations WHERE ` + strings.Join(where, " AND ") +
		` ORDER BY ` + order + ` LIMIT $` + strconv.Itoa(len(args)), args, nil
}

// lead is the column that a list is sorted by.
func (q OrganizationQuery) lead() string {
	switch {
	case !q.ValidBefore.IsZero():
		return `valid_until`
	case q.Name != "":
		return `name`
	}
	return `id`
}

// cursor is the place of a row in the list.
func (q OrganizationQuery) cursor(o Organization) string {
	value := map[string]string{`valid_until`: strconv.FormatInt(micros(o.ValidUntil), 36), `name`: o.Name}[q.lead()]
	return base64.RawURLEncoding.EncodeToString([]byte(value + "\x00" + o.ID))
}

func (q OrganizationQuery) parseCursor() (value any, id string, err error) {
	text, err := base64.RawURLEncoding.DecodeString(q.After)
	first, id, ok := strings.Cut(string(text), "\x00")
	if err != nil || !ok || !storable(id) || id == "" {
		return nil, "", ErrCursor
	}
	if q.lead() != `valid_until` {
		return []byte(first), id, nil
	}
	at, err := strconv.ParseInt(first, 36, 64)
	if err != nil {
		return nil, "", ErrCursor
	}
	return at, id, nil
}

// afterPrefix is what follows all texts that begin so; nil: nothing does.
func afterPrefix(prefix string) []byte {
	end := []byte(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// lockOrganization reads one that nobody else changes until the transaction ends.
func (s *Store) lockOrganization(ctx context.Context, tx queryer, tenant, id string) (Organization, error) {
	return scanOrganization(tx.QueryRowContext(ctx, organizationByID+s.lock, tenant, id))
}

// submitted makes the organization of a new verification where there is none, and
// lets it wait for the decision unless it is certified or revoked.
func submitted(ctx context.Context, tx queryer, v Verification) error {
	const waits = `organizations.state IN ('unverified', 'expired', 'cancelled')`
	_, err := tx.ExecContext(ctx, `INSERT INTO organizations
		(tenant, id, state, state_before, entity_type, name, verification, policy, created_at, changed_at, version)
		VALUES ($1, $2, 'pending', 'unverified', $3, $4, $5, $6, $7, $7, 1)
		ON CONFLICT (tenant, id) DO UPDATE SET
			state_before = CASE WHEN `+waits+` THEN organizations.state ELSE organizations.state_before END,
			state = CASE WHEN `+waits+` THEN 'pending' ELSE organizations.state END,
			entity_type = CASE WHEN excluded.entity_type = '' THEN organizations.entity_type ELSE excluded.entity_type END,
			verification = excluded.verification, policy = excluded.policy, changed_at = excluded.changed_at,
			version = organizations.version + 1`,
		v.Tenant, v.OrganizationID, v.EntityType, []byte{}, v.ID, v.Policy, micros(v.CreatedAt))
	return err
}

// decided lets go what waited for a verification's final decision: its line of a
// batch and, once nothing else of it waits, its organization.
func (s *Store) decided(ctx context.Context, tx queryer, v Verification, at time.Time) error {
	if v.Batch != "" {
		if err := s.lineDone(ctx, tx, v, at); err != nil {
			return err
		}
	}
	if v.OrganizationID == "" {
		return nil
	}
	// Whoever waited for the lock sees in the statement that follows what the one
	// before has decided.
	if _, err := s.lockOrganization(ctx, tx, v.Tenant, v.OrganizationID); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE organizations SET state = state_before, changed_at = $3, version = version + 1
		WHERE tenant = $1 AND id = $2 AND state = 'pending' AND NOT EXISTS (SELECT 1 FROM verifications WHERE tenant = $1
			AND organization_id <> '' AND organization_id = $2 AND decided_at = 0 AND erased_at = 0)`,
		v.Tenant, v.OrganizationID, micros(at))
	return err
}
