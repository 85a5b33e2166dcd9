package records

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// AtRisk marks up to limit undecided verifications that have used up a share
// (0..1) of their time from creation to deadline, nearest deadline first, adds
// the event that each of them is given, and returns them without Sealed and
// Report: each once, whoever calls. The event's Tenant, Subject, Callback and At
// are set here.
//
// It looks at the index entry of every undecided verification that is not
// marked: 1.5 ms for 10,000, on Postgres up to 30 ms before a vacuum
// (BenchmarkStore). A call every ten seconds is often enough.
func (s *Store) AtRisk(ctx context.Context, now time.Time, share float64, limit int, event func(Verification) Event) ([]Verification, error) {
	if !(share >= 0 && share <= 1) {
		return nil, fail("at risk", "", fmt.Errorf("share %v is not in 0..1", share))
	}
	// Mostly there is nothing, and the index alone says so.
	const due = `decided_at = 0 AND erased_at = 0 AND at_risk_at = 0`
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM verifications
		WHERE `+due+` AND created_at + (deadline_at - created_at) * $2 / 1000 <= $1
		ORDER BY deadline_at, id LIMIT $3`, micros(now), int64(math.Round(share*1000)), min(limit, idsPerStatement))
	ids, err := collect(rows, err, func(r row) (id string, err error) { return id, r.Scan(&id) })
	if err != nil || len(ids) == 0 {
		return nil, fail("at risk", "", err)
	}
	var marked []Verification
	err = s.transact(ctx, func(tx queryer) error {
		places, args := placeholders(ids)
		rows, err := tx.QueryContext(ctx, fmt.Sprintf(`WITH due AS MATERIALIZED (
				SELECT id AS due_id FROM verifications WHERE id IN (%s) AND `+due+` ORDER BY id `+s.skipLocked+`)
			UPDATE verifications SET at_risk_at = $%d, version = version + 1
			FROM due WHERE id = due_id AND `+due+` RETURNING `+listColumns, places, len(args)+1), append(args, micros(now))...)
		if marked, err = collect(rows, err, scan); err != nil {
			return err
		}
		// In the order of tenants, so that no two callers lock them crosswise.
		slices.SortFunc(marked, func(a, b Verification) int { return strings.Compare(a.Tenant, b.Tenant) })
		for _, v := range marked {
			e := event(v)
			e.Tenant, e.Subject, e.Callback, e.At = v.Tenant, v.ID, v.Callback, now
			if _, err := addEvent(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fail("at risk", "", err)
	}
	return marked, nil
}

// Backlog is what waits, of all tenants.
type Backlog struct {
	Queues  []QueueBacklog // of each priority that has something queued
	Reviews int            // verdicts that wait for a person
	// NearestReview is the nearest deadline among them.
	NearestReview time.Time
}

// QueueBacklog is what waits for its verdict in one priority.
type QueueBacklog struct {
	Priority        string
	Queued          int
	Overdue         int // of them past their deadline
	OldestCreated   time.Time
	NearestDeadline time.Time
}

// Backlog counts what waits now, at the cost of AtRisk.
func (s *Store) Backlog(ctx context.Context, now time.Time) (Backlog, error) {
	var b Backlog
	rows, err := s.db.QueryContext(ctx, `SELECT priority, COUNT(*), COUNT(CASE WHEN deadline_at < $1 THEN 1 END),
		MIN(created_at), MIN(deadline_at) FROM verifications WHERE status = 'queued' GROUP BY priority ORDER BY priority`, micros(now))
	b.Queues, err = collect(rows, err, func(r row) (q QueueBacklog, err error) {
		return q, r.Scan(&q.Priority, &q.Queued, &q.Overdue, moment{&q.OldestCreated}, moment{&q.NearestDeadline})
	})
	if err == nil {
		err = s.db.QueryRowContext(ctx, `SELECT COUNT(*), MIN(deadline_at) FROM verifications
			WHERE status = 'completed' AND decided_at = 0 AND erased_at = 0`).Scan(&b.Reviews, moment{&b.NearestReview})
	}
	if err != nil {
		return Backlog{}, fail("backlog", "", err)
	}
	return b, nil
}

// SLA is how verifications of one policy and priority kept their deadlines.
type SLA struct {
	Policy, Priority string
	Count            int // created in the time asked for
	// Broken deadlines, by who was late: the machine, whose verdict came or
	// comes after the deadline, or the person who was left too little or took
	// too much. Open ones count once their deadline is over.
	LateMachine, LatePerson int
	Verdict                 Percentiles // from creation to the machine's verdict
	Decision                Percentiles // from creation to the final decision
}

// Percentiles are by nearest rank, of those that have ended.
type Percentiles struct {
	Count         int
	P50, P95, P99 time.Duration
}

// breachesPage is how many verifications Breaches reads at once: the others who
// wait for SQLite's one connection have their turn in between.
const breachesPage = 5000

// Breaches reports on a tenant's verifications created from a time until
// another, by policy and priority. Those erased are counted too: their times
// stay.
func (s *Store) Breaches(ctx context.Context, tenant string, from, to, now time.Time) ([]SLA, error) {
	kept := map[[2]string]*times{}
	last, after := micros(from), ""
	for {
		rows, err := s.db.QueryContext(ctx, `SELECT id, policy, priority, created_at, deadline_at, completed_at, decided_at, erased_at
			FROM verifications WHERE tenant = $1 AND (created_at, id) > ($2, $3) AND created_at < $4
			ORDER BY created_at, id LIMIT $5`, tenant, last, after, micros(to), breachesPage)
		page, err := collect(rows, err, func(r row) (l lived, err error) {
			return l, r.Scan(&l.id, &l.policy, &l.priority, &l.created, &l.deadline, &l.completed, &l.decided, &l.erased)
		})
		if err != nil {
			return nil, fail("breaches", "", err)
		}
		for _, l := range page {
			key := [2]string{l.policy, l.priority}
			if kept[key] == nil {
				kept[key] = &times{SLA: SLA{Policy: l.policy, Priority: l.priority}}
			}
			kept[key].add(l, micros(now))
			last, after = l.created, l.id
		}
		if len(page) < breachesPage {
			break
		}
	}
	all := make([]SLA, 0, len(kept))
	for _, t := range kept {
		t.Verdict, t.Decision = percentiles(t.verdicts), percentiles(t.decisions)
		all = append(all, t.SLA)
	}
	slices.SortFunc(all, func(a, b SLA) int {
		return cmp.Or(strings.Compare(a.Policy, b.Policy), strings.Compare(a.Priority, b.Priority))
	})
	return all, nil
}

// lived is a verification as Breaches sees it; times are as they are stored.
type lived struct {
	id, policy, priority                          string
	created, deadline, completed, decided, erased int64
}

// times are an SLA and what its percentiles are of, in microseconds.
type times struct {
	SLA
	verdicts, decisions []int64
}

func (t *times) add(l lived, now int64) {
	t.Count++
	if l.completed > 0 {
		t.verdicts = append(t.verdicts, l.completed-l.created)
	}
	if l.decided > 0 {
		t.decisions = append(t.decisions, l.decided-l.created)
	}
	switch {
	case l.completed > l.deadline || (l.completed == 0 && now > l.deadline):
		t.LateMachine++
	case l.decided > l.deadline || (l.decided == 0 && l.erased == 0 && now > l.deadline):
		t.LatePerson++
	}
}

func percentiles(took []int64) Percentiles {
	if len(took) == 0 {
		return Percentiles{}
	}
	slices.Sort(took)
	at := func(percent int) time.Duration {
		return time.Duration(took[(len(took)*percent+99)/100-1]) * time.Microsecond
	}
	return Percentiles{Count: len(took), P50: at(50), P95: at(95), P99: at(99)}
}
