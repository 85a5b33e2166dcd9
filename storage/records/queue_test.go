package records

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// waiting adds n cases with 1.6 reasons each of a dozen, in three policies: of a
// hundred two wait for a second look, one for a lead, and one of five hundred
// for its time to undo; one of five hundred is claimed. Each has a decision.
func waiting(t testing.TB, s *Store, n int) {
	rows := made(n)
	reasons := func(column, first, second string) string {
		return `INSERT INTO case_reasons (tenant, code, deadline_at, id) ` + rows + `SELECT 'default', '` + first + `_' || CAST(n % 12 AS TEXT), at, id FROM made` +
			` WHERE ` + column + second
	}
	run(t, s,
		`INSERT INTO cases (id, tenant, organization_id, policy, priority, reasons, created_at, flagged_at, deadline_at, stage, first_by,
			claimed_by, claimed_at, claimed_until, decision, effective_at) `+rows+
			`SELECT id, 'default', 'org-' || CAST(n % 1000 AS TEXT), 'policy_' || CAST(n % 3 AS TEXT), 'standard',
			'first_' || CAST(n % 12 AS TEXT) || CASE WHEN n % 5 < 3 THEN ' second_' || CAST(n % 12 AS TEXT) ELSE '' END, at - 1800000000, at - 1790000000, at,
			CASE WHEN n % 50 = 1 THEN 'second' WHEN n % 100 = 2 THEN 'escalated' WHEN n % 500 = 3 THEN 'pending' ELSE 'open' END,
			CASE WHEN n % 50 = 1 THEN 'user-1' ELSE '' END, CASE WHEN n % 500 = 4 THEN 'user-2' ELSE '' END, 0,
			CASE WHEN n % 500 = 4 THEN 9000000000000000 ELSE 0 END, id, CASE WHEN n % 500 = 3 THEN at ELSE 0 END FROM made`,
		reasons("n % 5", "first", " >= 0"), reasons("n % 5", "second", " < 3"),
		`INSERT INTO decisions (`+decisionColumns+`) `+rows+
			`SELECT id, id, 'default', 'user-' || CAST(n % 10 AS TEXT), 1, 'approve', 'pass', '', '', '', 'null', 'first_' || CAST(n % 12 AS TEXT),
			at, at - 10000000, at, at, at, 0, at FROM made`,
		`VACUUM`, `ANALYZE`)
}

// caseQueries are the filters of the queue, each alone and all together.
func caseQueries(n int) map[string]CaseQuery {
	middle := start.Add(time.Duration(n/2) * time.Second)
	return map[string]CaseQuery{
		"all":          {},
		"reason":       {Reason: "first_7"},
		"policy":       {Policy: "policy_1"},
		"organization": {OrganizationID: "org-7"},
		"second":       {Stage: StageSecond},
		"pending":      {Stage: StagePending},
		"old":          {FlaggedBefore: middle},
		"mine":         {Mine: true},
		"available":    {Available: true},
		"together":     {Reason: "second_1", Policy: "policy_1", Stage: StageOpen, FlaggedBefore: middle, Available: true},
		"next page":    {After: strconv.FormatInt(micros(middle), 36) + ".01900000-0000-7000-8000-" + strconv.Itoa(100000000000+n/2)},
	}
}

var queueReader = Reader{User: "user-2"}

func testQueueUsesIndexes(t *testing.T, s *Store, rows int) {
	for name, q := range caseQueries(rows) {
		statement, args, err := q.statement(DefaultTenant, queueReader, start, 51)
		if err != nil {
			t.Fatal(err)
		}
		indexed(t, s, name, statement, args...)
	}
	indexed(t, s, "due", dueCases, micros(start), 100)
	indexed(t, s, "decisions", decisionsBetween, DefaultTenant, micros(start), "", micros(start.Add(time.Minute)), 100)
	// A tenant that has nearly all rows is counted by reading all: another one.
	for _, c := range []struct {
		index, statement string
		args             []any
	}{
		{"cases_policy", policyCounts, []any{"acme", micros(start)}},
		{"case_reasons", reasonCounts, []any{"acme"}},
		{"verifications_flagged", flaggedBetween, []any{"acme", micros(start), micros(start.Add(time.Minute))}},
	} {
		got := plan(t, s, c.statement, c.args)
		if !strings.Contains(got, c.index) || strings.Contains(got, "Seq Scan") {
			t.Errorf("%s is not used in\n%s", c.index, got)
		}
	}
}

func BenchmarkCases(b *testing.B) {
	const rows = 50_000
	end := start.Add(rows * time.Second)
	for database, s := range databases(b, rows) {
		waiting(b, s, rows)
		run := func(name string, do func(i int) error) {
			b.Run(database+"/"+name, func(b *testing.B) {
				for i := range b.N {
					if err := do(i); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		ctx := b.Context()
		for name, q := range caseQueries(rows) {
			q.Limit = 50
			run("page "+name, func(int) error {
				_, err := s.Cases(ctx, DefaultTenant, q, queueReader, start)
				return err
			})
		}
		run("page oldest", func(int) error { // looks at every case
			_, err := s.Cases(ctx, DefaultTenant, CaseQuery{FlaggedBefore: start.Add(-time.Hour), Limit: 50}, queueReader, start)
			return err
		})
		run("counts", func(int) error {
			_, err := s.CaseCounts(ctx, DefaultTenant, start)
			return err
		})
		run("page and counts", func(int) error {
			_, err := s.Cases(ctx, DefaultTenant, CaseQuery{Limit: 50}, queueReader, start)
			if err == nil {
				_, err = s.CaseCounts(ctx, DefaultTenant, start)
			}
			return err
		})
		run("claim and release", func(i int) error {
			c, err := s.ClaimNext(ctx, DefaultTenant, CaseQuery{}, Reader{User: fmt.Sprint("claimer-", i)}, start.Add(time.Minute), start)
			if err == nil {
				err = s.Release(ctx, DefaultTenant, c.ID, c.ClaimedBy, start)
			}
			return err
		})
		run("figures", func(int) error {
			_, err := s.ReviewFigures(ctx, DefaultTenant, start, end)
			return err
		})
		run("alike", func(int) error {
			_, err := s.Alike(ctx, DefaultTenant, "01900000-0000-7000-8000-100000000007", 10)
			return err
		})
		run("nothing to finalize", func(int) error {
			_, err := s.Conclude(ctx, start, 100, nil)
			return err
		})
	}
}
