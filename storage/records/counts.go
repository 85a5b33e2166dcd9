package records

import (
	"context"
	"maps"
	"slices"
	"time"
)

// CaseCounts are how many cases there are now. All but Pending leave the pending
// ones out.
type CaseCounts struct {
	Open, Second, Escalated, Pending int // by stage
	Claimed                          int // of any stage, by anybody
	Overdue                          int // past their deadline
	Reasons, Policies                map[string]int
}

// CaseCounts counts the cases of a tenant.
func (s *Store) CaseCounts(ctx context.Context, tenant string, now time.Time) (CaseCounts, error) {
	counts := CaseCounts{Policies: map[string]int{}}
	rows, err := s.db.QueryContext(ctx, policyCounts, tenant, micros(now))
	_, err = collect(rows, err, func(r row) (struct{}, error) {
		var policy string
		var open, second, escalated, pending, claimed, overdue int
		err := r.Scan(&policy, &open, &second, &escalated, &pending, &claimed, &overdue)
		counts.Open, counts.Second, counts.Escalated, counts.Pending = counts.Open+open, counts.Second+second, counts.Escalated+escalated, counts.Pending+pending
		counts.Claimed, counts.Overdue = counts.Claimed+claimed, counts.Overdue+overdue
		if n := open + second + escalated; n > 0 {
			counts.Policies[policy] = n
		}
		return struct{}{}, err
	})
	if err == nil {
		counts.Reasons, err = s.countReasons(ctx, tenant)
	}
	return counts, fail("case counts", "", err)
}

// countReasons counts those of all cases, and takes the few pending ones off.
func (s *Store) countReasons(ctx context.Context, tenant string) (map[string]int, error) {
	counts := map[string]int{}
	rows, err := s.db.QueryContext(ctx, reasonCounts, tenant)
	_, err = collect(rows, err, func(r row) (struct{}, error) {
		var code string
		var n int
		err := r.Scan(&code, &n)
		counts[code] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, err
	}
	rows, err = s.db.QueryContext(ctx, `SELECT reasons FROM cases WHERE tenant = $1 AND stage = 'pending'`, tenant)
	_, err = collect(rows, err, func(r row) (struct{}, error) {
		var reasons []string
		err := r.Scan(words{&reasons})
		for _, code := range slices.Compact(slices.Sorted(slices.Values(reasons))) {
			counts[code]--
		}
		return struct{}{}, err
	})
	maps.DeleteFunc(counts, func(_ string, n int) bool { return n <= 0 })
	return counts, err
}

// What CaseCounts asks; the indexes alone answer.
const (
	policyCounts = `SELECT policy, COUNT(CASE WHEN stage = 'open' THEN 1 END), COUNT(CASE WHEN stage = 'second' THEN 1 END),
		COUNT(CASE WHEN stage = 'escalated' THEN 1 END), COUNT(CASE WHEN stage = 'pending' THEN 1 END),
		COUNT(CASE WHEN stage <> 'pending' AND claimed_until > $2 THEN 1 END),
		COUNT(CASE WHEN stage <> 'pending' AND deadline_at < $2 THEN 1 END)
		FROM cases WHERE tenant = $1 GROUP BY policy`
	reasonCounts = `SELECT code, COUNT(*) FROM case_reasons WHERE tenant = $1 GROUP BY code`
)
