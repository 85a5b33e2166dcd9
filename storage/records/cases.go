package records

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Stage is where a case stands.
type Stage string

// The stages of a case.
const (
	StageOpen      Stage = "open"      // anybody's
	StageSecond    Stage = "second"    // decided once; waits for a second, blind look by somebody else
	StageEscalated Stage = "escalated" // a lead's
	StagePending   Stage = "pending"   // decided; final when its time to undo is over
)

// Case is a verification that waits for a person's decision, or for that to
// become final: then the case is gone.
type Case struct {
	ID             string // of the verification
	Tenant         string
	OrganizationID string
	Policy         string
	Priority       string
	Reasons        []string // the machine's codes
	CreatedAt      time.Time
	FlaggedAt      time.Time // the machine's verdict
	DeadlineAt     time.Time
	Stage          Stage
	FirstBy        string // who decided first, where Stage is second
	// ClaimedBy is the user at work on the case until ClaimedUntil; empty: nobody.
	ClaimedBy               string
	ClaimedAt, ClaimedUntil time.Time
	// Decision is the id of the one that becomes final at EffectiveAt unless it is
	// undone, or somebody else decides before that; empty: none yet.
	Decision    string
	EffectiveAt time.Time
}

// HeldBy is whose claim holds at a time; empty: nobody's.
func (c Case) HeldBy(now time.Time) string {
	if !now.Before(c.ClaimedUntil) {
		return ""
	}
	return c.ClaimedBy
}

// at is the case without a claim that is over.
func (c Case) at(now time.Time) Case {
	if c.HeldBy(now) == "" {
		c.ClaimedBy, c.ClaimedAt, c.ClaimedUntil = "", time.Time{}, time.Time{}
	}
	return c
}

// Reader is who looks: what he may take depends on it.
type Reader struct {
	User string // id
	Lead bool
}

// mayTake says why a reader may not take a case now; Available asks the same of
// the database.
func (c Case) mayTake(by Reader, now time.Time) error {
	switch {
	case c.Stage == StagePending, c.Stage == StageSecond && c.FirstBy == by.User, c.Stage == StageEscalated && !by.Lead:
		return ErrNotYours
	case c.HeldBy(now) != "" && c.HeldBy(now) != by.User:
		return ErrClaimed
	}
	return nil
}

// CaseQuery selects cases of a tenant. Empty fields do not select.
type CaseQuery struct {
	Reason         string
	Policy         string
	OrganizationID string
	Stage          Stage
	FlaggedBefore  time.Time
	Mine           bool   // claimed by the reader
	Available      bool   // that the reader could take now
	After          string // cursor: CasePage.Next of the page before
	Limit          int    // 1..MaxPage; 0 is MaxPage
}

// CasePage is a part of the queue, nearest deadline first.
type CasePage struct {
	Cases []Case // without claims that are over
	Next  string // cursor of the following page; empty at the end
}

// Cases returns the cases that a query selects, nearest deadline first. Pending
// ones are among them only when Stage asks for them. A cursor that no page gave
// is ErrCursor.
func (s *Store) Cases(ctx context.Context, tenant string, q CaseQuery, by Reader, now time.Time) (CasePage, error) {
	if q.Limit < 0 || q.Limit > MaxPage {
		return CasePage{}, fail("cases", "", fmt.Errorf("limit %d is not in 1..%d", q.Limit, MaxPage))
	}
	if q.Limit == 0 {
		q.Limit = MaxPage
	}
	// One row more than asked for tells whether another page follows.
	statement, args, err := q.statement(tenant, by, now, q.Limit+1)
	if err != nil {
		return CasePage{}, fail("cases", "", err)
	}
	rows, err := s.db.QueryContext(ctx, statement, args...)
	var page CasePage
	page.Cases, err = collect(rows, err, scanCase)
	if len(page.Cases) > q.Limit {
		page.Cases = page.Cases[:q.Limit]
		last := page.Cases[q.Limit-1]
		page.Next = cursor(last.DeadlineAt, last.ID)
	}
	for i, c := range page.Cases {
		page.Cases[i] = c.at(now)
	}
	return page, fail("cases", "", err)
}

// statement names only the columns that select, so that each filter finds its
// index. The table that leads gives the order.
func (q CaseQuery) statement(tenant string, by Reader, now time.Time, limit int) (string, []any, error) {
	from, lead := `cases`, `cases`
	if q.Reason != "" {
		// CROSS keeps SQLite from reading the cases first.
		from, lead = `case_reasons CROSS JOIN cases`, `case_reasons`
	}
	where, args := []string{lead + `.tenant = $1`}, []any{tenant}
	match := func(condition string, values ...any) {
		for _, value := range values {
			args = append(args, value)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		where = append(where, condition)
	}
	if q.Reason != "" {
		match(`cases.id = case_reasons.id AND code = ?`, q.Reason)
	}
	if q.Stage != "" {
		match(`stage = ?`, string(q.Stage))
	} else {
		match(`stage <> 'pending'`)
	}
	if q.Policy != "" {
		match(`policy = ?`, q.Policy)
	}
	if q.OrganizationID != "" {
		match(`organization_id <> '' AND organization_id = ?`, q.OrganizationID)
	}
	if !q.FlaggedBefore.IsZero() {
		match(`flagged_at < ?`, micros(q.FlaggedBefore))
	}
	if q.Mine {
		match(`claimed_by <> '' AND claimed_by = ? AND claimed_until > ?`, by.User, micros(now))
	}
	if q.Available {
		match(`(claimed_until <= ? OR claimed_by = ?)`, micros(now), by.User)
		match(`stage <> 'pending' AND (stage <> 'second' OR first_by <> ?)`, by.User)
		if !by.Lead {
			match(`stage <> 'escalated'`)
		}
	}
	if q.After != "" {
		at, id, err := parseCursor(q.After)
		if err != nil {
			return "", nil, err
		}
		match(`(`+lead+`.deadline_at, `+lead+`.id) > (?, ?)`, at, id)
	}
	args = append(args, limit)
	return `SELECT ` + caseColumns + ` FROM ` + from + ` WHERE ` + strings.Join(where, " AND ") +
		` ORDER BY ` + lead + `.deadline_at, ` + lead + `.id LIMIT $` + strconv.Itoa(len(args)), args, nil
}

const caseColumns = `cases.id, cases.tenant, organization_id, policy, priority, reasons, created_at, flagged_at, cases.deadline_at,
	stage, first_by, claimed_by, claimed_at, claimed_until, decision, effective_at`

func scanCase(r row) (c Case, err error) {
	return c, r.Scan(&c.ID, &c.Tenant, &c.OrganizationID, &c.Policy, &c.Priority, words{&c.Reasons}, moment{&c.CreatedAt},
		moment{&c.FlaggedAt}, moment{&c.DeadlineAt}, &c.Stage, &c.FirstBy, &c.ClaimedBy, moment{&c.ClaimedAt},
		moment{&c.ClaimedUntil}, &c.Decision, moment{&c.EffectiveAt})
}

// Case returns a case of a tenant. Its claim may be over, see HeldBy.
// ErrNotFound: nobody has to decide it, or not any more.
func (s *Store) Case(ctx context.Context, tenant, id string) (Case, error) {
	c, err := scanCase(s.db.QueryRowContext(ctx, caseByID, tenant, id))
	return c, fail("case", id, err)
}

const caseByID = `SELECT ` + caseColumns + ` FROM cases WHERE tenant = $1 AND id = $2 `

// addCase lets a verification wait for a person.
func addCase(ctx context.Context, tx queryer, c Case) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO cases
		(id, tenant, organization_id, policy, priority, reasons, created_at, flagged_at, deadline_at, stage)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open')`, c.ID, c.Tenant, c.OrganizationID, c.Policy, c.Priority,
		strings.Join(c.Reasons, " "), micros(c.CreatedAt), micros(c.FlaggedAt), micros(c.DeadlineAt)); err != nil {
		return err
	}
	return addCaseReasons(ctx, tx, c)
}

// addCaseReasons lets the queue find a case by its reasons.
func addCaseReasons(ctx context.Context, tx queryer, c Case) error {
	for _, code := range c.Reasons {
		if _, err := tx.ExecContext(ctx, `INSERT INTO case_reasons (tenant, code, deadline_at, id)
			VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, c.Tenant, code, micros(c.DeadlineAt), c.ID); err != nil {
			return err
		}
	}
	return nil
}

// lockCase reads a case that nobody else changes until the transaction ends.
func (s *Store) lockCase(ctx context.Context, tx queryer, tenant, id string) (Case, error) {
	return scanCase(tx.QueryRowContext(ctx, caseByID+s.lock, tenant, id))
}

// saveCase writes what changes in the life of a case.
func saveCase(ctx context.Context, tx queryer, c Case) error {
	_, err := tx.ExecContext(ctx, `UPDATE cases SET stage = $2, first_by = $3, claimed_by = $4, claimed_at = $5, claimed_until = $6,
		decision = $7, effective_at = $8 WHERE id = $1`, c.ID, string(c.Stage), c.FirstBy, c.ClaimedBy, micros(c.ClaimedAt),
		micros(c.ClaimedUntil), c.Decision, micros(c.EffectiveAt))
	return err
}

// removeCase ends a case that the caller has locked.
func removeCase(ctx context.Context, tx queryer, c Case) error {
	for _, code := range c.Reasons {
		if _, err := tx.ExecContext(ctx, `DELETE FROM case_reasons WHERE tenant = $1 AND code = $2 AND deadline_at = $3 AND id = $4`,
			c.Tenant, code, micros(c.DeadlineAt), c.ID); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM cases WHERE id = $1`, c.ID)
	return err
}
