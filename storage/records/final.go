package records

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// Finalize makes up to limit decisions final whose time to undo is over, the
// longest over first, and those first ones that still wait for a second look at
// the deadline. Each in one transaction: outcome, reasons (none of an approval),
// the code if it was corrected, and the time of the decision become the
// verification's, the case goes, and the event that it is given (its Tenant,
// Subject, Callback and At are set here) and the entry "case.final" are added. It
// returns the verifications, without Sealed and Report: each once, whoever
// calls. What was made final before an error is returned with it.
func (s *Store) Finalize(ctx context.Context, now time.Time, limit int, event func(Verification, Decision) Event) ([]Verification, error) {
	rows, err := s.db.QueryContext(ctx, dueCases, micros(now), limit)
	ids, err := collect(rows, err, func(r row) (id string, err error) { return id, r.Scan(&id) })
	var final []Verification
	for _, id := range ids {
		v, done, err := s.finalize(ctx, id, now, event)
		if err != nil {
			return final, fail("finalize", id, err)
		}
		if done {
			final = append(final, v)
		}
	}
	return final, fail("finalize", "", err)
}

const dueCases = `SELECT id FROM cases WHERE effective_at > 0 AND effective_at <= $1 ORDER BY effective_at LIMIT $2`

// finalize does one case, or nothing when another caller is at it or was.
func (s *Store) finalize(ctx context.Context, id string, now time.Time, event func(Verification, Decision) Event) (v Verification, done bool, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		c, err := scanCase(tx.QueryRowContext(ctx, `SELECT `+caseColumns+` FROM cases
			WHERE id = $1 AND effective_at > 0 AND effective_at <= $2 `+s.skipLocked, id, micros(now)))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		d, err := scanDecision(tx.QueryRowContext(ctx, `SELECT `+decisionColumns+` FROM decisions WHERE id = $1`, c.Decision))
		if err != nil {
			return err
		}
		d.EffectiveAt, d.FinalAt = c.EffectiveAt, now.Truncate(time.Microsecond).UTC()
		if v, err = settle(ctx, tx, c, d); err != nil {
			return err
		}
		if err := removeCase(ctx, tx, c); err != nil {
			return err
		}
		e := event(v, d)
		e.Tenant, e.Subject, e.Callback, e.At = v.Tenant, v.ID, v.Callback, now
		if _, err := addEvent(ctx, tx, e); err != nil {
			return err
		}
		done = true
		_, err = appendEntry(ctx, tx, Entry{Tenant: v.Tenant, At: now, Actor: "system", Action: "case.final", Subject: v.ID,
			Detail: detail(map[string]any{"decision": d.ID, "outcome": d.Outcome})})
		return err
	})
	return v, done && err == nil, err
}

// settle writes a decision into its verification.
func settle(ctx context.Context, tx queryer, c Case, d Decision) (Verification, error) {
	codes := d.Reasons
	if d.Kind == Approve {
		codes = nil
	}
	v, err := scan(tx.QueryRowContext(ctx, `UPDATE verifications SET outcome = $2, reasons = $3, decided_at = $4,
		uscc = CASE WHEN $5 = '' THEN uscc ELSE $5 END, version = version + 1 WHERE id = $1 RETURNING `+listColumns,
		d.Case, string(d.Outcome), strings.Join(codes, " "), micros(d.At), d.Corrections[report.FieldUSCC]))
	if err != nil {
		return Verification{}, err
	}
	for _, code := range c.Reasons {
		if slices.Contains(codes, code) {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM verification_reasons WHERE tenant = $1 AND code = $2 AND created_at = $3 AND id = $4`,
			v.Tenant, code, micros(v.CreatedAt), v.ID); err != nil {
			return Verification{}, err
		}
	}
	if err := addReasons(ctx, tx, v.Tenant, v.ID, v.CreatedAt, codes); err != nil {
		return Verification{}, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE decisions SET effective_at = $2, final_at = $3 WHERE id = $1`,
		d.ID, micros(d.EffectiveAt), micros(d.FinalAt)); err != nil {
		return Verification{}, err
	}
	if v.ReportGoneAt.IsZero() {
		return v, nil
	}
	return v, dropWritten(ctx, tx, []string{v.ID}) // its time was over before the decision
}

// Decisions returns all decisions of a case, oldest first, those undone too.
func (s *Store) Decisions(ctx context.Context, tenant, caseID string) ([]Decision, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+decisionColumns+` FROM decisions
		WHERE tenant = $1 AND case_id = $2 ORDER BY at, id`, tenant, caseID)
	decisions, err := collect(rows, err, scanDecision)
	return decisions, fail("decisions", caseID, err)
}

// FinalDecision returns the decision that became the verification's. ErrNotFound:
// there is none, or not yet.
func (s *Store) FinalDecision(ctx context.Context, tenant, caseID string) (Decision, error) {
	d, err := scanDecision(s.db.QueryRowContext(ctx, `SELECT `+decisionColumns+` FROM decisions
		WHERE tenant = $1 AND case_id = $2 AND final_at > 0`, tenant, caseID))
	return d, fail("final decision", caseID, err)
}

// Note is what a person wrote about a case for colleagues.
type Note struct {
	ID           string // UUIDv7, see NewID: made with the form that is sent
	Case, Tenant string
	By           string // id of the user
	At           time.Time
	Text         string // up to 4000 bytes
}

// AddNote stores a note and its entry, "case.noted", without the text. A repeat
// with the same ID changes nothing. A verification that the tenant does not have
// is ErrNotFound, and ErrGone one whose report is gone: its notes went with it.
func (s *Store) AddNote(ctx context.Context, n Note) error {
	if n.ID == "" || n.By == "" || n.Text == "" || len(n.Text) > maxText || !storable(n.Text) {
		return fail("add note", n.Case, errors.New("a note has an id, a user, and up to 4000 bytes of UTF-8 without NUL"))
	}
	return fail("add note", n.Case, s.transact(ctx, func(tx queryer) error {
		var gone int64
		if err := tx.QueryRowContext(ctx, `SELECT report_gone_at FROM verifications WHERE tenant = $1 AND id = $2 `+s.lock,
			n.Tenant, n.Case).Scan(&gone); err != nil {
			return err
		}
		if gone > 0 {
			return ErrGone
		}
		added, err := affected(tx.ExecContext(ctx, `INSERT INTO notes (id, case_id, tenant, user_id, at, text)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`, n.ID, n.Case, n.Tenant, n.By, micros(n.At), n.Text))
		if err != nil || added == 0 {
			return err
		}
		_, err = appendEntry(ctx, tx, Entry{Tenant: n.Tenant, At: n.At, Actor: userActor(n.By), Action: "case.noted", Subject: n.Case,
			Detail: detail(map[string]any{"note": n.ID})})
		return err
	}))
}

// Notes returns the notes about a verification, oldest first. The text of those
// about a report that is gone is empty.
func (s *Store) Notes(ctx context.Context, tenant, caseID string) ([]Note, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, case_id, tenant, user_id, at, text FROM notes
		WHERE tenant = $1 AND case_id = $2 ORDER BY at, id`, tenant, caseID)
	notes, err := collect(rows, err, func(r row) (n Note, err error) {
		return n, r.Scan(&n.ID, &n.Case, &n.Tenant, &n.By, moment{&n.At}, &n.Text)
	})
	return notes, fail("notes", caseID, err)
}

// Decision returns a decision by its id, or ErrNotFound.
func (s *Store) Decision(ctx context.Context, tenant, id string) (Decision, error) {
	d, err := scanDecision(s.db.QueryRowContext(ctx, `SELECT `+decisionColumns+` FROM decisions WHERE tenant = $1 AND id = $2`, tenant, id))
	return d, fail("decision", id, err)
}
