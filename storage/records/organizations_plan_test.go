package records

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/storagetest"
)

// registered adds n organizations, nine of ten certified, of which one a second is
// due, with what they hold: a name of four keys, a license and a contact. A core
// has two of them, a sound sixteen, and fifty share one more, the worst that
// license.NameKeys brings about. Each has a print of eight keys. A batch of n lines
// is half done.
func registered(t testing.TB, s *Store, n int) {
	rows := made(n)
	// Keys come in no order: a Weyl sequence over all 20 bits and more.
	const mixed = `CAST((n * 2654435761) % 4294967296 AS TEXT)`
	holdings := func(kind, key, where string) string {
		return `INSERT INTO holdings (tenant, kind, key, organization_id, shared) ` + rows +
			`SELECT 'default', '` + kind + `', ` + key + `, 'org-' || CAST(n AS TEXT), 0 FROM made WHERE n % 10 <> 0 AND ` + where + ` ORDER BY 3`
	}
	const byOrganization = `CREATE INDEX holdings_organization ON holdings (tenant, organization_id)`
	run(t, s,
		`DELETE FROM organizations`, `DROP INDEX holdings_organization`,
		`INSERT INTO organizations (tenant, id, state, state_before, name, uscc, certification, valid_until, verification, policy,
			next_at, patrol_at, created_at, changed_at, version) `+rows+
			`SELECT 'default', 'org-' || CAST(n AS TEXT), CASE WHEN n % 10 <> 0 THEN 'certified' WHEN n % 20 = 0 THEN 'pending' ELSE 'expired' END, 'unverified',
			CAST('name-' || `+mixed+` AS BYTEA), 'code-' || CAST(n AS TEXT), CASE WHEN n % 10 <> 0 THEN id ELSE '' END, at, id, 'dingtalk',
			CASE WHEN n % 10 <> 0 THEN at ELSE 0 END, CASE WHEN n % 10 <> 0 THEN at ELSE 0 END, at, at, 1 FROM made`,
		`INSERT INTO certifications (`+certificationColumns+`) `+rows+
			`SELECT id, 'default', 'org-' || CAST(n AS TEXT), id, 'name', 'code', 'person', 'capital', 'term', 'policy', '{}', at - 31536000000000, at, 0, ''
			FROM made WHERE n % 10 <> 0`,
		holdings(NameSame, `'name-' || `+mixed, `n > 0`),
		holdings("fold", `'name-' || `+mixed, `n > 0`),
		holdings("core", fmt.Sprintf(`'core-' || CAST((n * 2654435761) %% %d AS TEXT)`, n/2), `n > 0`),
		holdings("sound", fmt.Sprintf(`'sound-' || CAST((n * 2654435761) %% %d AS TEXT)`, n/16), `n > 0`),
		holdings("sound", `'crowd'`, fmt.Sprintf(`n %% %d = 1`, n/50)),
		holdings(holdsLicense, `'code-' || CAST(n AS TEXT)`, `n > 0`),
		holdings(holdsContact, `'contact-' || CAST(n % 100000 AS TEXT)`, `n > 0`),
		byOrganization)
	for band := range 8 {
		run(t, s, `INSERT INTO prints (tenant, key, verification_id, organization_id) `+rows+
			fmt.Sprintf(`SELECT 'default', '%d-' || CAST((n * 2654435761) %% %d AS TEXT), id, 'org-' || CAST(n AS TEXT) FROM made ORDER BY 2`, band, n/2))
	}
	run(t, s,
		`INSERT INTO batches (`+batchColumns+`) VALUES ('batch', 'default', '', 'dingtalk', 'batch', 'running', 1, 0, 0, 0, 0, '', 0, 0, 0)`,
		`INSERT INTO batch_lines (batch_id, line_key, custom_id, number, organization_id, verification_id, state, picture) `+rows+
			`SELECT 'batch', '=' || id, id, n, 'org', CASE WHEN n % 2 = 0 THEN id ELSE '' END, CASE WHEN n % 2 = 0 THEN 'done' ELSE 'ready' END, '' FROM made`,
		`ANALYZE`)
	if s.skipLocked != "" {
		run(t, s, `VACUUM`) // so that an index alone can answer; of SQLite it would copy gigabytes
	}
}

// organizationQueries are the filters of the list.
func organizationQueries() map[string]OrganizationQuery {
	all := map[string]OrganizationQuery{}
	for name, q := range map[string]OrganizationQuery{
		"all":    {},
		"state":  {State: Expired},
		"valid":  {ValidBefore: start.Add(time.Hour)},
		"name":   {Name: "name-12"},
		"prefix": {Name: "name-1", State: Certified},
	} {
		q.Limit = 50
		all[name] = q
		q.After = q.cursor(Organization{ID: "org-7", Name: "name-123", ValidUntil: start})
		all["next of "+name] = q
	}
	return all
}

func testOrganizationsUseIndexes(t *testing.T, s *Store, rows int) {
	for name, q := range organizationQueries() {
		statement, args, err := q.statement(DefaultTenant)
		if err != nil {
			t.Fatal(err)
		}
		indexed(t, s, name, statement, args...)
	}
	for name, q := range queries(rows) {
		q.Status = report.StatusCompleted
		statement, args, err := q.statement(DefaultTenant, withReports)
		if err != nil {
			t.Fatal(err)
		}
		indexed(t, s, "reports "+name, statement, args...)
	}
	at := micros(start)
	for name, c := range map[string]struct {
		statement string
		args      []any
	}{
		"due":             {dueOrganizations, []any{at, 10}},
		"reverifications": {reverifications, []any{at}},
		"certifications":  {certificationsOf, []any{DefaultTenant, "org-1"}},
		"holders":         {holders, []any{DefaultTenant, "sound", "crowd", "", 10}},
		"names":           {namesAlike, []any{DefaultTenant, "sound", "crowd", "", 10}},
		"prints":          {printHolders, []any{DefaultTenant, "1-7", "", 10}},
		"results":         {batchResults, []any{"batch", 7, "", 10}},
		"ready":           {readyLines, []any{"batch", at, 10}},
	} {
		indexed(t, s, name, c.statement, c.args...)
	}
}

// BenchmarkOrganizations works among as many as the whole service has. It tells the
// 99th percentile beside the mean where that is promised.
func BenchmarkOrganizations(b *testing.B) {
	const rows = 1_000_000
	b.Run("sqlite", func(b *testing.B) {
		benchmarkOrganizations(b, empty(b, "sqlite://"+filepath.Join(b.TempDir(), "records.db")), rows)
	})
	b.Run("postgres", func(b *testing.B) {
		benchmarkOrganizations(b, empty(b, storagetest.StartPostgres(b).NewDatabase(b)), rows)
	})
}

func benchmarkOrganizations(b *testing.B, s *Store, rows int64) {
	registered(b, s, int(rows))
	end := start.Add(time.Duration(rows) * time.Second)
	random := rand.New(rand.NewPCG(1, 2))
	ctx := b.Context()
	measure := func(name string, do func(n int64) error) {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for range b.N {
				n := 1 + random.Int64N(rows)
				began := time.Now()
				if err := do(n); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
	mixed := func(n int64) string { return fmt.Sprint("name-", n*2654435761%4294967296) }
	name := func(n int64) []NameKey {
		return []NameKey{{NameSame, mixed(n)}, {"fold", mixed(n)}, {"core", fmt.Sprint("core-", n*2654435761%(rows/2))},
			{"sound", fmt.Sprint("sound-", n*2654435761%(rows/16))}, {"sound", "crowd"}}
	}
	measure("name lock", func(n int64) error {
		_, err := s.NamesAlike(ctx, DefaultTenant, name(n)[:1], "", 10)
		return err
	})
	measure("names alike", func(n int64) error {
		found, err := s.NamesAlike(ctx, DefaultTenant, name(n), "", 100)
		if err == nil && len(found) < 50 {
			err = fmt.Errorf("%d found", len(found))
		}
		return err
	})
	measure("license holders", func(n int64) error {
		_, err := s.LicenseHolders(ctx, DefaultTenant, fmt.Sprint("code-", n), "")
		return err
	})
	measure("print holders", func(n int64) error {
		var keys []string
		for band := range 8 {
			keys = append(keys, fmt.Sprint(band, "-", n*2654435761%(rows/2)))
		}
		_, err := s.PrintHolders(ctx, DefaultTenant, keys, "", 50)
		return err
	})
	for name, q := range organizationQueries() {
		measure("list "+name, func(int64) error {
			_, err := s.Organizations(ctx, DefaultTenant, q)
			return err
		})
	}
	measure("certify", func(n int64) error {
		v := newRow(end)
		v.OrganizationID = "new-" + v.ID
		if _, _, err := s.Create(ctx, v, "", nil); err != nil {
			return err
		}
		g := Grant{Certification: Certification{Name: v.ID, From: end, Until: end.AddDate(1, 0, 0)}, License: v.ID, NextAt: end.AddDate(1, 0, 0),
			NameKeys: name(n), Event: Event{Type: "certification.granted", Payload: []byte("{}")}}
		g.NameKeys[0].Key = v.ID
		return s.Complete(ctx, v.ID, report.Report{Outcome: report.OutcomePass},
			Completion{At: end, Event: Event{Type: "verification.completed", Payload: []byte("{}")}, Grant: &g})
	})
	measure("none due", func(int64) error {
		_, err := s.DueOrganizations(ctx, start, time.Hour, 1000)
		return err
	})
	due := start.Add(time.Duration(rows) / 100 * time.Second) // a hundredth
	b.Run("9000 due", func(b *testing.B) {
		for range b.N {
			for found := 0; found < 9000; {
				page, err := s.DueOrganizations(ctx, due, time.Hour, 1000)
				if err != nil || len(page) == 0 {
					b.Fatal(found, err)
				}
				found += len(page)
			}
			due = due.Add(time.Hour) // their leases are over, and more are due
		}
	})
	measure("remind", func(n int64) error {
		o := Organization{Tenant: DefaultTenant, ID: fmt.Sprint("org-", n), Certification: fmt.Sprint("01900000-0000-7000-8000-", 100000000000+n)}
		_, err := s.Remind(ctx, o, 60, end, Event{Type: "certification.expiring", Payload: []byte("{}"), At: end})
		return err
	})
	measure("1000 batch results", func(n int64) error {
		_, _, err := s.BatchResults(ctx, DefaultTenant, "batch", strconv.FormatInt(n, 36)+".", maxResults)
		return err
	})
	measure("lease 100 batch lines", func(int64) error {
		_, err := s.NextBatchLines(ctx, end, time.Hour, 100)
		return err
	})
	b.Run("add 500 batch lines", func(b *testing.B) {
		batch := Batch{ID: NewID(), Tenant: DefaultTenant, CreatedAt: end}
		if err := s.CreateBatch(ctx, batch, Entry{Actor: "system", Action: "batch.created"}); err != nil {
			b.Fatal(err)
		}
		for range b.N {
			lines := make([]BatchLine, 500)
			for i := range lines {
				lines[i] = BatchLine{CustomID: NewID(), State: LineReady, Sealed: make([]byte, 500)}
			}
			if _, err := s.AddBatchLines(ctx, batch.ID, lines, end); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkReports reads stored reports in pages, as for deciding them anew.
func BenchmarkReports(b *testing.B) {
	const rows = 5_000
	text, err := os.ReadFile("../../pipeline/verdict/testdata/report.golden.json")
	if err != nil {
		b.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(text, &r); err != nil {
		b.Fatal(err)
	}
	text, err = json.Marshal(r)
	if err != nil {
		b.Fatal(err)
	}
	for database, s := range databases(b, rows) {
		if _, err := s.db.ExecContext(b.Context(), `UPDATE verifications SET report = $1`, string(text)); err != nil {
			b.Fatal(err)
		}
		b.Run(database, func(b *testing.B) {
			read := 0
			for range b.N {
				for q := (Query{}); ; {
					page, err := s.Reports(b.Context(), DefaultTenant, q)
					if err != nil {
						b.Fatal(err)
					}
					read += len(page.Verifications)
					if q.After = page.Next; q.After == "" {
						break
					}
				}
			}
			b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "reports/s")
			b.ReportMetric(float64(len(text)), "bytes/report")
		})
	}
}
