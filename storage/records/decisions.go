package records

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/heyan/heyan/pipeline/report"
)

// DecisionKind is what a person decided.
type DecisionKind string

// The kinds of decisions.
const (
	Approve  DecisionKind = "approve"
	Reject   DecisionKind = "reject"
	NewPhoto DecisionKind = "new_photo" // the applicant is asked for another picture
	Escalate DecisionKind = "escalate"  // a lead is asked to decide
)

// outcomes of the kinds; an escalation has none.
var outcomes = map[DecisionKind]report.Outcome{
	Approve: report.OutcomePass, Reject: report.OutcomeFail, NewPhoto: report.OutcomeFail, Escalate: "",
}

// Decision is what a person decided about a case, undone or not.
type Decision struct {
	ID             string // UUIDv7, see NewID: made with the form that is sent
	Case, Tenant   string
	By             string // id of the user
	Round          int    // set by Decide: 1; 2: a second look; 3: a lead, after an escalation
	Kind           DecisionKind
	Outcome        report.Outcome              // set by Decide: pass, fail, or empty of an escalation
	Reasons        []string                    // codes of the catalogue; at least one of reject and new_photo
	Message        report.Text                 // for the applicant, up to 4000 bytes each
	Corrections    map[report.FieldName]string // what a person read
	MachineReasons []string                    // set by Decide: those of the case
	DeadlineAt     time.Time                   // set by Decide: that of the case
	ClaimedAt      time.Time                   // set by Decide: when the user took the case; zero: he had not
	At             time.Time
	GraceUntil     time.Time // set by Decide: the end of the time to undo
	// EffectiveAt is when it becomes final unless it is undone, set by Decide and
	// what comes after; zero while the case waits for a second look or a lead.
	EffectiveAt time.Time
	UndoneAt    time.Time
	FinalAt     time.Time // set by Conclude of the one that is the verification's
}

// DecideTerms are how decisions are made.
type DecideTerms struct {
	Grace      time.Duration // to undo a decision
	SecondLook bool          // this case is in the sample that is looked at twice
}

// maxText is the longest text that a person writes, in bytes.
const maxText = 4000

func (d Decision) check(by Reader) error {
	_, known := outcomes[d.Kind]
	written := d.Message.ZH + d.Message.EN
	for name, value := range d.Corrections {
		if written += value; !isCode(string(name)) {
			return errors.New("a correction is of a field")
		}
	}
	switch bad := slices.IndexFunc(d.Reasons, func(code string) bool { return !isCode(code) }); {
	case uuid.Validate(d.ID) != nil:
		return errors.New("a decision's id is a UUID")
	case d.By == "" || d.By != by.User:
		return errors.New("a decision is the reader's own")
	case !known:
		return errors.New("the kind is none of a decision")
	case bad >= 0:
		return fmt.Errorf("reason %d is no lower_snake code", bad)
	case (d.Kind == Reject || d.Kind == NewPhoto) && len(d.Reasons) == 0:
		return errors.New("a rejection has a reason")
	case len(d.Message.ZH) > maxText || len(d.Message.EN) > maxText || !storable(written):
		return errors.New("a message is up to 4000 bytes of UTF-8 without NUL")
	}
	return nil
}

// Decide writes a decision and its entry, "case.decided", which tells its kind,
// reasons, round and which fields were corrected, and moves the case on: an
// escalation to a lead; the first one of a case in the sample to a second look;
// a second one that agrees with the first makes that pending, and one that does
// not goes to a lead; every other one is pending until its time to undo is over.
//
// A repeat with the same ID returns the first, as it stands; ErrConflict when
// the ID is of another case or user. ErrClaimed and ErrNotYours are as Claim's;
// ErrAlreadyDecided: the case is pending, or gone.
func (s *Store) Decide(ctx context.Context, d Decision, by Reader, t DecideTerms) (stored Decision, err error) {
	if err := d.check(by); err != nil {
		return Decision{}, fail("decide", d.Case, err)
	}
	err = s.transact(ctx, func(tx queryer) error {
		c, missing := s.lockCase(ctx, tx, d.Tenant, d.Case)
		if missing != nil && !errors.Is(missing, sql.ErrNoRows) {
			return missing
		}
		stored, err = scanDecision(tx.QueryRowContext(ctx, `SELECT `+decisionColumns+` FROM decisions WHERE id = $1`, d.ID))
		switch {
		case err == nil && (stored.Tenant != d.Tenant || stored.Case != d.Case || stored.By != d.By):
			return ErrConflict
		case err == nil || !errors.Is(err, sql.ErrNoRows):
			return err
		case missing != nil:
			return whyNoCase(ctx, tx, d.Tenant, d.Case)
		case c.Stage == StagePending:
			return ErrAlreadyDecided
		}
		if err := c.mayTake(by, d.At); err != nil {
			return err
		}
		stored, err = decide(ctx, tx, c, d, t)
		return err
	})
	if err != nil {
		return Decision{}, fail("decide", d.Case, err)
	}
	return stored, nil
}

// whyNoCase says why a verification is no case of a tenant.
func whyNoCase(ctx context.Context, tx queryer, tenant, id string) error {
	var one int
	if err := tx.QueryRowContext(ctx, `SELECT 1 FROM verifications WHERE tenant = $1 AND id = $2 AND machine_outcome = 'review'`,
		tenant, id).Scan(&one); err != nil {
		return err
	}
	return ErrAlreadyDecided
}

// stages are those in which a case can be decided, by the round of decisions.
var stages = []Stage{1: StageOpen, 2: StageSecond, 3: StageEscalated}

func decide(ctx context.Context, tx queryer, c Case, d Decision, t DecideTerms) (Decision, error) {
	d.At = d.At.Truncate(time.Microsecond).UTC()
	d.Round, d.Outcome, d.MachineReasons, d.DeadlineAt = slices.Index(stages, c.Stage), outcomes[d.Kind], c.Reasons, c.DeadlineAt
	d.GraceUntil = d.At.Add(t.Grace).Truncate(time.Microsecond)
	d.ClaimedAt, d.EffectiveAt, d.UndoneAt, d.FinalAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	if c.ClaimedBy == d.By {
		d.ClaimedAt = c.ClaimedAt
	}
	next := Case{ID: c.ID, Stage: StageEscalated}
	switch {
	case d.Kind == Escalate:
	case c.Stage == StageOpen && t.SecondLook:
		next.Stage, next.FirstBy, next.Decision, next.EffectiveAt = StageSecond, d.By, d.ID, c.unseen(d)
	case c.Stage == StageSecond:
		var first report.Outcome
		if err := tx.QueryRowContext(ctx, `SELECT outcome FROM decisions WHERE id = $1`, c.Decision).Scan(&first); err != nil {
			return Decision{}, err
		}
		if d.Outcome == first {
			d.EffectiveAt = d.GraceUntil
			next.Stage, next.Decision, next.EffectiveAt = StagePending, c.Decision, d.EffectiveAt
			if err := setEffective(ctx, tx, c.Decision, d.EffectiveAt); err != nil {
				return Decision{}, err
			}
		}
	default:
		d.EffectiveAt = d.GraceUntil
		next.Stage, next.Decision, next.EffectiveAt = StagePending, d.ID, d.EffectiveAt
	}
	if err := saveCase(ctx, tx, next); err != nil {
		return Decision{}, err
	}
	if err := addDecision(ctx, tx, d); err != nil {
		return Decision{}, err
	}
	_, err := appendEntry(ctx, tx, Entry{Tenant: d.Tenant, At: d.At, Actor: userActor(d.By), Action: "case.decided", Subject: d.Case,
		Detail: detail(map[string]any{"decision": d.ID, "kind": d.Kind, "reasons": append([]string{}, d.Reasons...), "round": d.Round,
			"corrected": append([]report.FieldName{}, slices.Sorted(maps.Keys(d.Corrections))...)})})
	return d, err
}

// unseen is when a first decision becomes final that nobody looks at again: at
// the deadline, but not before its time to undo is over.
func (c Case) unseen(first Decision) time.Time {
	if first.GraceUntil.After(c.DeadlineAt) {
		return first.GraceUntil
	}
	return c.DeadlineAt
}

func setEffective(ctx context.Context, tx queryer, decision string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE decisions SET effective_at = $2 WHERE id = $1`, decision, micros(at))
	return err
}

// Undo takes a decision of the user back, with the entry "case.undone": the
// case is as it was before, and claimed by him until a time. A second time
// changes nothing. ErrNotYours: it is another's; ErrTooLate: its time to undo is
// over, it is final, or somebody has decided since.
func (s *Store) Undo(ctx context.Context, tenant, decisionID, user string, until, now time.Time) (c Case, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		d, err := scanDecision(tx.QueryRowContext(ctx, `SELECT `+decisionColumns+` FROM decisions
			WHERE tenant = $1 AND id = $2`, tenant, decisionID))
		if err != nil {
			return err
		}
		if d.By != user {
			return ErrNotYours
		}
		if c, err = s.lockCase(ctx, tx, tenant, d.Case); errors.Is(err, sql.ErrNoRows) {
			return ErrTooLate
		} else if err != nil {
			return err
		}
		// Two decisions may change: whoever clears them has locked the verification.
		var one int
		if err := tx.QueryRowContext(ctx, `SELECT 1 FROM verifications WHERE id = $1 `+s.lock, d.Case).Scan(&one); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+decisionColumns+` FROM decisions WHERE case_id = $1 ORDER BY round, at, id`, d.Case)
		all, err := collect(rows, err, scanDecision)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(other Decision) bool { return other.ID == d.ID && !other.UndoneAt.IsZero() }) {
			return nil
		}
		standing := slices.DeleteFunc(all, func(other Decision) bool { return !other.UndoneAt.IsZero() })
		last := len(standing) - 1
		if standing[last].ID != d.ID || !now.Before(d.GraceUntil) {
			return ErrTooLate
		}
		return undo(ctx, tx, &c, standing[:last], d, until, now)
	})
	if err != nil {
		return Case{}, fail("undo", decisionID, err)
	}
	return c, nil
}

// undo puts a case back to where it stood after the decisions before.
func undo(ctx context.Context, tx queryer, c *Case, before []Decision, d Decision, until, now time.Time) error {
	c.Stage, c.FirstBy, c.Decision, c.EffectiveAt = stages[d.Round], "", "", time.Time{}
	if c.Stage == StageSecond {
		first := before[len(before)-1]
		c.FirstBy, c.Decision, c.EffectiveAt = first.By, first.ID, c.unseen(first)
		if err := setEffective(ctx, tx, first.ID, time.Time{}); err != nil {
			return err
		}
	}
	c.claim(d.By, until, now)
	if err := saveCase(ctx, tx, *c); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE decisions SET undone_at = $2 WHERE id = $1`, d.ID, micros(now)); err != nil {
		return err
	}
	_, err := appendEntry(ctx, tx, Entry{Tenant: d.Tenant, At: now, Actor: userActor(d.By), Action: "case.undone", Subject: d.Case,
		Detail: detail(map[string]any{"decision": d.ID})})
	return err
}

const decisionColumns = `id, case_id, tenant, user_id, round, kind, outcome, reasons, message_zh, message_en, corrections, machine_reasons,
	deadline_at, claimed_at, at, grace_until, effective_at, undone_at, final_at`

func scanDecision(r row) (d Decision, err error) {
	var corrections string
	err = r.Scan(&d.ID, &d.Case, &d.Tenant, &d.By, &d.Round, &d.Kind, &d.Outcome, words{&d.Reasons}, &d.Message.ZH, &d.Message.EN,
		&corrections, words{&d.MachineReasons}, moment{&d.DeadlineAt}, moment{&d.ClaimedAt}, moment{&d.At}, moment{&d.GraceUntil},
		moment{&d.EffectiveAt}, moment{&d.UndoneAt}, moment{&d.FinalAt})
	if err == nil {
		err = json.Unmarshal([]byte(corrections), &d.Corrections)
	}
	return d, err
}

func addDecision(ctx context.Context, tx queryer, d Decision) error {
	corrections, err := json.Marshal(d.Corrections)
	if err != nil {
		return err
	}
	n, err := affected(tx.ExecContext(ctx, `INSERT INTO decisions (`+decisionColumns+`)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19) ON CONFLICT DO NOTHING`,
		d.ID, d.Case, d.Tenant, d.By, d.Round, string(d.Kind), string(d.Outcome), strings.Join(d.Reasons, " "), d.Message.ZH, d.Message.EN,
		string(corrections), strings.Join(d.MachineReasons, " "), micros(d.DeadlineAt), micros(d.ClaimedAt), micros(d.At),
		micros(d.GraceUntil), micros(d.EffectiveAt), micros(d.UndoneAt), micros(d.FinalAt)))
	if err == nil && n == 0 {
		err = ErrConflict
	}
	return err
}
