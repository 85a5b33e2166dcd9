package records_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/storagetest"
)

var update = flag.Bool("update", false, "write the dump of the newest version, for the tests of the next one")

// The rows of every dump, as that version wrote them.
const (
	oldQueued    = "01900000-0000-7000-8000-000000000001"
	oldFailed    = "01900000-0000-7000-8000-000000000002"
	oldReview    = "01900000-0000-7000-8000-000000000003"
	oldPassed    = "01900000-0000-7000-8000-000000000004"
	oldErased    = "01900000-0000-7000-8000-000000000005" // since version 2: a review that nobody decides
	oldDecided   = "01900000-0000-7000-8000-000000000006" // since version 3: one that a person decided
	oldCertified = "01900000-0000-7000-8000-000000000007" // since version 4: one that certified its organization
	oldBatch     = "01900000-0000-7000-8000-000000000008" // since version 4
)

// fill writes them with the methods of today.
func fill(t *testing.T, s *records.Store) {
	for i, id := range []string{oldQueued, oldFailed, oldReview, oldPassed, oldErased, oldDecided, oldCertified} {
		v := newVerification()
		v.ID, v.ObjectKey, v.Sealed = id, "pictures/"+id, []byte("sealed "+id)
		v.CreatedAt, v.DeadlineAt = now.Add(time.Duration(i)*time.Minute), now.Add(30*time.Minute)
		switch id {
		case oldPassed:
			v.OrganizationID, v.ClientReference = "org-1", "ref '1'"
		case oldQueued:
			v.OrganizationID = "org-2" // since version 3
		case oldCertified:
			v.OrganizationID = "org-3"
		}
		if _, _, err := s.Create(t.Context(), v, fmt.Sprint("key-", i+1), []byte{0, byte(i)}); err != nil {
			t.Fatal(err)
		}
		r := failed("uscc_mismatch", "image_blurry")
		switch id {
		case oldQueued:
			continue
		case oldReview:
			r = failed("uscc_unreadable")
			r.Outcome = report.OutcomeReview
		case oldErased:
			r = doubtful("image_glare")
		case oldDecided:
			r = doubtful("name_unreadable")
		case oldCertified:
			c := done(now.Add(time.Hour))
			c.Grant, c.PrintKeys = grant("沪甲", "code-1", now), []string{"a"}
			if err := s.Complete(t.Context(), id, passed(), c); err != nil {
				t.Fatal(err)
			}
			continue
		case oldPassed:
			r = report.Report{Status: report.StatusCompleted, Outcome: report.OutcomePass, Policy: "dingtalk@1"}
		}
		if err := s.Complete(t.Context(), id, r, done(now.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Erase(t.Context(), records.DefaultTenant, oldErased, entry("", "")); err != nil {
		t.Fatal(err)
	}
	d := decision(oldDecided, ann, records.Reject)
	d.Message, d.Corrections = report.Text{ZH: "执照已过期"}, map[report.FieldName]string{report.FieldUSCC: "91110108MA01ABCD5X"}
	decide(t, s, d, ann, records.DecideTerms{})
	finalize(t, s, now)
	note := records.Note{ID: oldDecided, Case: oldDecided, Tenant: records.DefaultTenant, By: "ann", At: now, Text: "不清晰"}
	if err := s.AddNote(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	addUser(t, s, "ann", records.RoleLead)
	b := newBatch()
	b.ID = oldBatch
	if err := s.CreateBatch(t.Context(), b, batchEntry("created")); err != nil {
		t.Fatal(err)
	}
	bad := records.BatchLine{Number: 3, State: records.LineBad, Errors: []byte(`[]`)}
	if _, err := s.AddBatchLines(t.Context(), b.ID, append(ready("a"), bad), now); err != nil {
		t.Fatal(err)
	}
	setState(t, s, b.ID, records.BatchRunning)
	if _, err := s.AddDataKey(t.Context(), records.DefaultTenant, []byte{1, 0, 2}); err != nil {
		t.Fatal(err)
	}
}

// A database of every earlier version, and of this one, becomes one of this
// version, and what was in it is there.
func TestMigrations(t *testing.T) {
	postgres := storagetest.StartPostgres(t)
	for _, database := range []struct {
		name string
		dsn  func(testing.TB) string
		dump func(t *testing.T, dsn string) string
	}{
		{"sqlite", sqliteDSN, dumpSQLite},
		{"postgres", postgres.NewDatabase, dumpPostgres},
	} {
		migrations, err := filepath.Glob("migrations/*.sql")
		if err != nil {
			t.Fatal(err)
		}
		if newest := fmt.Sprintf("testdata/v%d.%s.sql", len(migrations), database.name); *update {
			dsn := database.dsn(t)
			s := open(t, dsn)
			fill(t, s)
			if err := os.WriteFile(newest, []byte(database.dump(t, dsn)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for version := range len(migrations) {
			name := fmt.Sprintf("v%d.%s.sql", version+1, database.name)
			t.Run(name, func(t *testing.T) {
				dump, err := os.ReadFile(filepath.Join("testdata", name))
				if err != nil {
					t.Fatal(err)
				}
				dsn := database.dsn(t)
				if _, err := raw(t, dsn).Exec(string(dump)); err != nil {
					t.Fatal(err)
				}
				s := open(t, dsn)
				testUpgraded(t, s)
				if version+1 >= 3 {
					testDecidedUpgraded(t, s)
				}
				testOrganizationsUpgraded(t, s, version+1)
			})
		}
	}
}

func testUpgraded(t *testing.T, s *records.Store) {
	for i, id := range []string{oldQueued, oldFailed, oldReview, oldPassed} {
		v := get(t, s, id)
		if string(v.Sealed) != "sealed "+id || v.ObjectKey != "pictures/"+id || v.MaxAttempts != 3 || v.Policy != "dingtalk@1" ||
			!v.CreatedAt.Equal(now.Add(time.Duration(i)*time.Minute)) || !v.LeaseUntil.Equal(now.Add(lease)) {
			t.Errorf("got %+v", v)
		}
		if (v.Status == report.StatusQueued) != (id == oldQueued) || (v.Report == nil) != (id == oldQueued) ||
			v.CompletedAt.IsZero() != (id == oldQueued) || v.DecidedAt.IsZero() != (id == oldQueued || id == oldReview) {
			t.Errorf("got %+v", v)
		}
		repeated := newVerification()
		first, created, err := s.Create(t.Context(), repeated, fmt.Sprint("key-", i+1), []byte{0, byte(i)})
		if err != nil || created || first.ID != id {
			t.Errorf("its idempotency key: %s, %t, %v", first.ID, created, err)
		}
		if chain, err := s.Attempts(t.Context(), records.DefaultTenant, id); err != nil || len(chain) != 1 {
			t.Errorf("attempts: %+v, %v", chain, err)
		}
	}
	for _, c := range []struct {
		query records.Query
		want  string
	}{
		{records.Query{Status: report.StatusQueued}, oldQueued},
		{records.Query{Outcome: report.OutcomePass, OrganizationID: "org-1"}, oldPassed},
		{records.Query{ReasonCode: "uscc_mismatch"}, oldFailed},
		{records.Query{ReasonCode: "image_blurry"}, oldFailed},
		{records.Query{ReasonCode: "uscc_unreadable"}, oldReview},
		{records.Query{ClientReference: "ref '1'"}, oldPassed},
	} {
		page, err := s.List(t.Context(), records.DefaultTenant, c.query)
		if err != nil || len(page.Verifications) != 1 || page.Verifications[0].ID != c.want {
			t.Errorf("%+v: got %+v, %v, want %s", c.query, page, err, c.want)
		}
	}
	if key, err := s.DataKey(t.Context(), records.DefaultTenant); err != nil || string(key) != "\x01\x00\x02" {
		t.Errorf("data key %x, %v", key, err)
	}
	if marked := atRisk(t, s, now.Add(29*time.Minute), 10); len(marked) != 2 {
		t.Errorf("at risk: %+v", marked)
	}
	testReviewUpgraded(t, s)
	if _, err := s.Erase(t.Context(), records.DefaultTenant, oldFailed, entry("", "")); err != nil {
		t.Error(err)
	}
	if due, err := s.LeaseDue(t.Context(), now.Add(time.Hour), lease, all(10)...); err != nil || len(due) != 1 || due[0].ID != oldQueued {
		t.Errorf("due: %+v, %v", due, err)
	}
	complete(t, s, oldQueued, report.OutcomePass, now.Add(time.Hour))
	if events, err := s.Events(t.Context(), records.DefaultTenant, 0, 100); err != nil || len(events) < 3 {
		t.Errorf("events: %+v, %v", events, err)
	}
}

// What waited for a person is a case, and can be decided.
func testReviewUpgraded(t *testing.T, s *records.Store) {
	if v := get(t, s, oldFailed); v.MachineOutcome != report.OutcomeFail || !slices.Equal(v.MachineReasons, []string{"uscc_mismatch", "image_blurry"}) {
		t.Errorf("got %+v", v)
	}
	if v := get(t, s, oldQueued); v.MachineOutcome != "" || len(v.MachineReasons) != 0 {
		t.Errorf("got %+v", v)
	}
	want := records.Case{ID: oldReview, Tenant: records.DefaultTenant, Policy: "dingtalk@1", Priority: "standard", Reasons: []string{"uscc_unreadable"},
		CreatedAt: now.Add(2 * time.Minute), FlaggedAt: now.Add(time.Hour), DeadlineAt: now.Add(30 * time.Minute), Stage: records.StageOpen}
	for _, q := range []records.CaseQuery{{}, {Reason: "uscc_unreadable"}} {
		if page, err := s.Cases(t.Context(), records.DefaultTenant, q, ann, now); err != nil || !reflect.DeepEqual(page.Cases, []records.Case{want}) {
			t.Errorf("\ngot  %+v, %v\nwant %+v", page.Cases, err, want)
		}
	}
	decide(t, s, decision(oldReview, ann, records.Approve), ann, records.DecideTerms{})
	if final := finalize(t, s, now); len(final) != 1 || final[0].ID != oldReview || final[0].Outcome != report.OutcomePass {
		t.Errorf("got %+v", final)
	}
}

// What was verified of an organization has made it one.
func testOrganizationsUpgraded(t *testing.T, s *records.Store, version int) {
	at := now.Add(3 * time.Minute)
	want := records.Organization{Tenant: records.DefaultTenant, ID: "org-1", State: records.Unverified, Verification: oldPassed, Policy: "dingtalk@1",
		CreatedAt: at, ChangedAt: at, Version: 1}
	if version >= 4 {
		want.ChangedAt, want.Version = now.Add(time.Hour), 2 // it was pending until its verdict
	}
	if got := organization(t, s, "org-1"); got != want {
		t.Errorf("\ngot  %+v\nwant %+v", got, want)
	}
	if version >= 3 {
		inState(t, s, "org-2", records.Unverified) // its verdict has come here
	}
	if version >= 4 {
		if got := certifications(t, s, "org-3"); len(got) != 1 || got[0].Name != "沪甲" || len(got[0].Checks) != 1 {
			t.Errorf("got %+v", got)
		}
		if got, err := s.LicenseHolders(t.Context(), records.DefaultTenant, "code-1", ""); err != nil || len(got) != 1 {
			t.Errorf("got %q, %v", got, err)
		}
		if got, err := s.PrintHolders(t.Context(), records.DefaultTenant, []string{"a"}, "", 10); err != nil || len(got) != 1 {
			t.Errorf("got %q, %v", got, err)
		}
		counts(t, s, oldBatch, records.BatchRunning, 2, 1, 0, 0, 0)
	}
	certify(t, s, "org-1", "沪乙", "code-2")
}

func testDecidedUpgraded(t *testing.T, s *records.Store) {
	if d, err := s.FinalDecision(t.Context(), records.DefaultTenant, oldDecided); err != nil || d.By != "ann" || d.Message.ZH != "执照已过期" || len(d.Corrections) != 1 {
		t.Errorf("got %+v, %v", d, err)
	}
	if notes, err := s.Notes(t.Context(), records.DefaultTenant, oldDecided); err != nil || len(notes) != 1 || notes[0].Text != "不清晰" {
		t.Errorf("got %+v, %v", notes, err)
	}
	if u, err := s.UserByLogin(t.Context(), "ann"); err != nil || u.Role != records.RoleLead {
		t.Errorf("got %+v, %v", u, err)
	}
}

func dumpSQLite(t *testing.T, dsn string) string {
	db := raw(t, dsn)
	column := func(statement string) (all []string) {
		t.Helper()
		rows, err := db.Query(statement)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				t.Fatal(err)
			}
			all = append(all, text)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return all
	}
	const tables = ` FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	dump := column(`SELECT sql` + tables)
	for _, table := range column(`SELECT name` + tables) {
		var quoted []string
		for _, name := range column(`SELECT name FROM pragma_table_info('` + table + `')`) {
			quoted = append(quoted, "quote("+name+")")
		}
		dump = append(dump, column(`SELECT 'INSERT INTO `+table+` VALUES (' || `+strings.Join(quoted, ` || ',' || `)+` || ')' FROM `+table)...)
	}
	dump = append(dump, column(`SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`)...)
	return strings.Join(dump, ";\n") + ";\n"
}

func dumpPostgres(t *testing.T, dsn string) string {
	output, err := exec.CommandContext(t.Context(), "pg_dump", "--inserts", "--no-owner", "--no-comments", dsn).Output()
	if err != nil {
		t.Fatal(err)
	}
	var dump []string
	for line := range strings.Lines(string(output)) {
		// psql's own commands, comments, and what only says how it always was.
		if !strings.HasPrefix(line, `\`) && !strings.HasPrefix(line, "--") && !strings.HasPrefix(line, "SET ") && strings.TrimSpace(line) != "" {
			dump = append(dump, line)
		}
	}
	return strings.Join(dump, "")
}
