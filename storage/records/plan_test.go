package records

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/storagetest"
)

// start is when the first of many rows was created; one follows each second.
var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// many opens a database of n verifications: nine of ten decided, one of a
// hundred of a rare policy, a thousand organizations, and as many deliveries.
func many(t testing.TB, dsn string, n int) *Store {
	s := empty(t, dsn)
	rows := made(n)
	run(t, s,
		`INSERT INTO verifications (id, tenant, status, organization_id, client_reference, purpose, previous, chain, callback,
			policy, priority, object_key, sealed, attempts, max_attempts, lease_until, last_error, created_at, deadline_at, version,
			completed_at, decided_at, outcome, machine_outcome, reasons, report, uscc, picture_sha256, pixels_sha256,
			picture_until, sealed_until, report_until) `+rows+
			`SELECT id, 'default', CASE WHEN n % 10 = 0 THEN 'queued' ELSE 'completed' END, 'org-' || CAST(n % 1000 AS TEXT), 'ref-' || CAST(n AS TEXT),
			'initial', '', id, '', CASE WHEN n % 100 = 1 THEN 'rare' ELSE 'dingtalk' END,
			CASE WHEN n % 20 = 0 THEN 'batch' ELSE 'standard' END, 'pictures/' || id, NULL, 0, 3, 0, '', at, at + 1800000000, 1,
			CASE WHEN n % 10 = 0 THEN 0 ELSE at + 1000000 END, CASE WHEN n % 10 = 0 OR n % 50 = 1 THEN 0 ELSE at + 1000000 END,
			CASE WHEN n % 10 = 0 THEN '' WHEN n % 50 = 1 THEN 'review' WHEN n % 3 = 0 THEN 'fail' ELSE 'pass' END,
			CASE WHEN n % 50 < 3 THEN 'review' ELSE 'pass' END, 'image_blurry', '{}', 'code-' || CAST(n % 5000 AS TEXT), 'file-' || id, 'pixels-' || id,
			at + 86400000000, at + 86400000000, at + 86400000000 FROM made`,
		`INSERT INTO verification_reasons (tenant, code, created_at, id) `+rows+
			`SELECT 'default', CASE WHEN n % 1000 = 1 THEN 'image_glare' ELSE 'image_blurry' END, at, id FROM made WHERE n % 10 <> 0`,
		`INSERT INTO events (id, tenant, seq, type, subject, dedupe, at, payload, callback) `+rows+
			`SELECT id, 'default', n, 'verification.completed', id, '', at, '', '' FROM made`,
		`INSERT INTO endpoints (id, tenant, url, sealed_secrets, types, created_at) VALUES ('e', 'default', '', '', '', 0)`,
		`INSERT INTO deliveries (id, tenant, event_id, endpoint_id, status, next_at) `+rows+
			`SELECT id || '.e', 'default', id, 'e', CASE WHEN n % 10 = 0 THEN 'pending' ELSE 'succeeded' END, at FROM made`,
		`INSERT INTO idempotency_keys (tenant, key, request_hash, verification_id, created_at) `+rows+
			`SELECT 'default', id, '', id, at FROM made`,
		fmt.Sprintf(`UPDATE tenants SET events = %d`, n),
		`VACUUM`, `ANALYZE`)
	return s
}

func empty(t testing.TB, dsn string) *Store {
	s, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// made are n rows of a number, an id and a time, one a second.
func made(n int) string {
	return fmt.Sprintf(`WITH RECURSIVE numbers(n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < %d),
		made(n, id, at) AS (SELECT n, '01900000-0000-7000-8000-' || CAST(100000000000 + n AS TEXT), %d + n * 1000000 FROM numbers) `, n, start.UnixMicro())
}

func run(t testing.TB, s *Store, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := s.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v\n%s", err, statement)
		}
	}
}

// databases are both, with n rows.
func databases(t testing.TB, n int) map[string]*Store {
	return map[string]*Store{
		"sqlite":   many(t, "sqlite://"+filepath.Join(t.TempDir(), "records.db"), n),
		"postgres": many(t, storagetest.StartPostgres(t).NewDatabase(t), n),
	}
}

// queries are the filters of a list, each alone and all together.
func queries(n int) map[string]Query {
	middle := start.Add(time.Duration(n/2) * time.Second)
	all := map[string]Query{
		"all":          {},
		"queued":       {Status: report.StatusQueued},
		"outcome":      {Outcome: report.OutcomeReview},
		"organization": {OrganizationID: "org-7"},
		"reference":    {ClientReference: "ref-11"},
		"policy":       {Policy: "rare"},
		"reason":       {ReasonCode: "image_glare"},
		"range":        {From: middle, To: middle.Add(time.Minute)},
		"together":     {Status: report.StatusCompleted, Outcome: report.OutcomeFail, Policy: "dingtalk", ReasonCode: "image_blurry", From: start, To: middle},
		"next page":    {After: strconv.FormatInt(micros(middle), 36) + ".01900000-0000-7000-8000-" + strconv.Itoa(100000000000+n/2)},
	}
	for name, q := range all {
		q.Limit = 50
		all[name] = q
	}
	return all
}

// plan is how the database means to run a statement.
func plan(t *testing.T, s *Store, statement string, args []any) string {
	explain, columns := "EXPLAIN QUERY PLAN ", 4
	if s.skipLocked != "" {
		explain, columns = "EXPLAIN ", 1
	}
	rows, err := s.db.QueryContext(context.Background(), explain+statement, args...)
	lines, err := collect(rows, err, func(r row) (string, error) {
		fields := make([]sql.NullString, columns)
		targets := make([]any, columns)
		for i := range fields {
			targets[i] = &fields[i]
		}
		err := r.Scan(targets...)
		return fields[columns-1].String, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// Each filter is found by an index that gives the order, too.
func TestUsesIndexes(t *testing.T) {
	const rows = 20_000
	for database, s := range databases(t, rows) {
		waiting(t, s, rows)
		t.Run(database+"/list", func(t *testing.T) { testListUsesIndexes(t, s, rows) })
		t.Run(database+"/queue", func(t *testing.T) { testQueueUsesIndexes(t, s, rows) })
		registered(t, s, rows/4)
		t.Run(database+"/organizations", func(t *testing.T) { testOrganizationsUseIndexes(t, s, rows/4) })
	}
}

func testListUsesIndexes(t *testing.T, s *Store, rows int) {
	for name, q := range queries(rows) {
		statement, args, err := q.statement(DefaultTenant, newestFirst)
		if err != nil {
			t.Fatal(err)
		}
		indexed(t, s, name, statement, args...)
	}
	for _, column := range []string{"uscc", "picture_sha256", "pixels_sha256", "organization_id"} {
		indexed(t, s, "alike "+column, alike(column), DefaultTenant, "x", "", 10)
	}
}

// indexed holds a statement's plan against what reads or sorts whole tables.
func indexed(t *testing.T, s *Store, name, statement string, args ...any) {
	t.Helper()
	got := plan(t, s, statement, args)
	for _, slow := range []string{"SCAN", "Seq Scan", "TEMP B-TREE", "Sort"} {
		if strings.Contains(got, slow) {
			t.Errorf("%s: %s in\n%s", name, slow, got)
		}
	}
}

func BenchmarkStore(b *testing.B) {
	const rows = 100_000
	end := start.Add(rows * time.Second)
	for database, s := range databases(b, rows) {
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
		for name, q := range queries(rows) {
			run("list "+name, func(int) error {
				_, err := s.List(ctx, DefaultTenant, q)
				return err
			})
		}
		run("create", func(int) error {
			_, _, err := s.Create(ctx, newRow(end), "", nil)
			return err
		})
		run("create with key", func(int) error {
			_, _, err := s.Create(ctx, newRow(end), NewID(), []byte("hash"))
			return err
		})
		run("life", func(int) error {
			v := newRow(end)
			if _, _, err := s.Create(ctx, v, NewID(), []byte("hash")); err != nil {
				return err
			}
			if _, err := s.StartAttempt(ctx, v.ID, end, time.Minute); err != nil {
				return err
			}
			r := report.Report{Outcome: report.OutcomeFail, Reasons: []report.Reason{{Code: "image_blurry"}}}
			return s.Complete(ctx, v.ID, r, Completion{At: end, Event: Event{Type: "verification.completed", Payload: []byte("{}")}})
		})
		run("lease 200", func(int) error {
			_, err := s.LeaseDue(ctx, end, time.Hour, Window{"standard", 200})
			return err
		})
		if _, err := s.LeaseDue(ctx, end, time.Hour, Window{"standard", rows}); err != nil {
			b.Fatal(err)
		}
		run("lease none of 5000", func(int) error {
			_, err := s.LeaseDue(ctx, end, time.Hour, Window{"standard", 200})
			return err
		})
		run("lease 100 deliveries", func(i int) error {
			_, err := s.LeaseDeliveries(ctx, end.Add(time.Duration(i)*time.Hour), time.Minute, 100)
			return err
		})
		run("nothing at risk", func(int) error {
			_, err := s.AtRisk(ctx, start, 0.8, 100, func(Verification) Event { return Event{} })
			return err
		})
		run("backlog", func(int) error {
			_, err := s.Backlog(ctx, end)
			return err
		})
		run("breaches of 100000", func(int) error {
			_, err := s.Breaches(ctx, DefaultTenant, start, end, end)
			return err
		})
		run("drop 100 reports", func(int) error {
			_, err := s.DropReports(ctx, end.Add(48*time.Hour), 100)
			return err
		})
		run("due pictures", func(int) error {
			_, err := s.DuePictures(ctx, end.Add(48*time.Hour), 100)
			return err
		})
		run("append", func(int) error {
			_, err := s.Append(ctx, Entry{Tenant: DefaultTenant, Actor: "system", Action: "picture.read", At: end})
			return err
		})
	}
}

func newRow(at time.Time) Verification {
	id := NewID()
	return Verification{ID: id, Tenant: DefaultTenant, Policy: "dingtalk", Priority: "standard", ObjectKey: "pictures/" + id,
		OrganizationID: "org-1", ClientReference: id, Sealed: make([]byte, 500), MaxAttempts: 3, LeaseUntil: at, CreatedAt: at, DeadlineAt: at.Add(30 * time.Minute)}
}
