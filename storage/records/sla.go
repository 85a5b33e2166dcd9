package records

import (
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
func (s *Store) AtRisk(ctx context.Context, now time.Time, share float64, limit int, event func(Verification) Event) ([]Verification, error) {
	if !(share >= 0 && share <= 1) {
		return nil, fail("at risk", "", fmt.Errorf("share %v is not in 0..1", share))
	}
	var marked []Verification
	err := s.transact(ctx, func(tx queryer) error {
		rows, err := tx.QueryContext(ctx, `WITH due AS MATERIALIZED (
				SELECT id AS due_id FROM verifications WHERE decided_at = 0 AND erased_at = 0 AND at_risk_at = 0
				AND created_at + (deadline_at - created_at) * $2 / 1000 <= $1
				ORDER BY deadline_at, id LIMIT $3 `+s.skipLocked+`)
			UPDATE verifications SET at_risk_at = $1, version = version + 1
			FROM due WHERE id = due_id AND decided_at = 0 AND erased_at = 0 AND at_risk_at = 0
			RETURNING `+listColumns, micros(now), int64(math.Round(share*1000)), limit)
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

// Backlog counts what waits now.
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

// Breaches reports on a tenant's verifications created from a time until
// another, by policy and priority. Those erased are counted too: their times
// stay.
func (s *Store) Breaches(ctx context.Context, tenant string, from, to, now time.Time) ([]SLA, error) {
	late := `CASE WHEN %[1]s > 0 THEN %[1]s ELSE $4 END > deadline_at`
	machine := fmt.Sprintf(late, "completed_at")
	rows, err := s.db.QueryContext(ctx, `SELECT policy, priority, COUNT(*),
			COUNT(CASE WHEN `+machine+` THEN 1 END),
			COUNT(CASE WHEN NOT `+machine+` AND erased_at = 0 AND `+fmt.Sprintf(late, "decided_at")+` THEN 1 END)
		FROM verifications WHERE tenant = $1 AND created_at >= $2 AND created_at < $3
		GROUP BY policy, priority ORDER BY policy, priority`, tenant, micros(from), micros(to), micros(now))
	all, err := collect(rows, err, func(r row) (l SLA, err error) {
		return l, r.Scan(&l.Policy, &l.Priority, &l.Count, &l.LateMachine, &l.LatePerson)
	})
	if err != nil {
		return nil, fail("breaches", "", err)
	}
	for i := range all {
		if all[i].Verdict, err = s.percentiles(ctx, "completed_at", tenant, all[i], from, to); err == nil {
			all[i].Decision, err = s.percentiles(ctx, "decided_at", tenant, all[i], from, to)
		}
		if err != nil {
			return nil, fail("breaches", "", err)
		}
	}
	return all, nil
}

// percentiles are of the time from creation to what a column holds.
func (s *Store) percentiles(ctx context.Context, column, tenant string, of SLA, from, to time.Time) (p Percentiles, err error) {
	var p50, p95, p99 int64
	err = s.db.QueryRowContext(ctx, `SELECT COUNT(*),
			COALESCE(MAX(CASE WHEN rank = (n * 50 + 99) / 100 THEN took END), 0),
			COALESCE(MAX(CASE WHEN rank = (n * 95 + 99) / 100 THEN took END), 0),
			COALESCE(MAX(CASE WHEN rank = (n * 99 + 99) / 100 THEN took END), 0)
		FROM (SELECT `+column+` - created_at AS took, ROW_NUMBER() OVER (ORDER BY `+column+` - created_at) AS rank, COUNT(*) OVER () AS n
			FROM verifications WHERE tenant = $1 AND created_at >= $2 AND created_at < $3 AND policy = $4 AND priority = $5
			AND `+column+` > 0) AS ranked`,
		tenant, micros(from), micros(to), of.Policy, of.Priority).Scan(&p.Count, &p50, &p95, &p99)
	p.P50, p.P95, p.P99 = time.Duration(p50)*time.Microsecond, time.Duration(p95)*time.Microsecond, time.Duration(p99)*time.Microsecond
	return p, err
}
