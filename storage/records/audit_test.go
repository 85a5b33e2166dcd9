package records_test

import (
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/heyan/heyan/storage/records"
)

func entry(tenant, subject string) records.Entry {
	return records.Entry{Tenant: tenant, At: now, Actor: "key:1", Action: "picture.read", Subject: subject,
		Detail: []byte(`{"fields": ["id_number"]}`), Reason: "申诉复核"}
}

func appendEntries(t *testing.T, s *records.Store, tenant string, n int) {
	t.Helper()
	for i := range n {
		if _, err := s.Append(t.Context(), entry(tenant, fmt.Sprint(i%2))); err != nil {
			t.Fatal(err)
		}
	}
}

func testAudit(t *testing.T, s *records.Store) {
	var want []records.Entry
	for i := range 5 {
		e, err := s.Append(t.Context(), entry("acme", fmt.Sprint(i%2)))
		if err != nil {
			t.Fatal(err)
		}
		want = append([]records.Entry{e}, want...)
		appendEntries(t, s, "other", 1)
	}
	first := want[4]
	if first.Seq != 1 || len(first.Prev) != 0 || len(first.Hash) != 32 || !reflect.DeepEqual(want[3].Prev, first.Hash) {
		t.Errorf("got %+v", want)
	}
	var got []records.Entry
	for before := int64(0); ; before = got[len(got)-1].Seq {
		page, err := s.Audit(t.Context(), "acme", "", before, 2)
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, page...); len(page) == 0 {
			break
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\ngot  %+v\nwant %+v", got, want)
	}
	page, err := s.Audit(t.Context(), "acme", "1", 0, 10)
	if err != nil || len(page) != 2 || page[0].Seq != 4 {
		t.Errorf("of one subject: %+v, %v", page, err)
	}
	head, err := s.VerifyAudit(t.Context(), "acme")
	if err != nil || head.Seq != 5 || !reflect.DeepEqual(head.Hash, want[0].Hash) {
		t.Errorf("got %+v, %v", head, err)
	}
	if head, err := s.VerifyAudit(t.Context(), records.DefaultTenant); err != nil || head.Seq != 0 {
		t.Errorf("an empty log: %+v, %v", head, err)
	}
	if _, err := s.VerifyAudit(t.Context(), "nobody"); !errors.Is(err, records.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// What is hashed is kept for ever: logs of today must verify tomorrow.
func testAuditFormat(t *testing.T, s *records.Store) {
	e, err := s.Append(t.Context(), entry("acme", "1"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "2ca001dea9ebb50c580ea4ef9297947b7b738f900e12e5a0613de22bb249f85b"
	if got := hex.EncodeToString(e.Hash); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func testAuditRefused(t *testing.T, s *records.Store) {
	for name, change := range map[string]func(*records.Entry){
		"tenant": func(e *records.Entry) { e.Tenant = "" },
		"actor":  func(e *records.Entry) { e.Actor = "" },
		"action": func(e *records.Entry) { e.Action = "read it" },
		"detail": func(e *records.Entry) { e.Detail = []byte("{") },
		"NUL":    func(e *records.Entry) { e.Reason = "\x00" },
		"UTF-8":  func(e *records.Entry) { e.Subject = "\xff" },
	} {
		e := entry("acme", "1")
		change(&e)
		if _, err := s.Append(t.Context(), e); err == nil || retryable(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if e, err := s.Append(t.Context(), records.Entry{Tenant: "acme", Actor: "system", Action: "key.add"}); err != nil || e.Seq != 1 || string(e.Detail) != "{}" {
		t.Errorf("got %+v, %v", e, err)
	}
}

func testAuditRace(t *testing.T, s *records.Store) {
	const each = 10
	var group sync.WaitGroup
	for range racers {
		group.Go(func() {
			for range each {
				if _, err := s.Append(t.Context(), entry("acme", "1")); err != nil {
					t.Error(err)
				}
			}
		})
		group.Go(func() {
			if _, err := s.VerifyAudit(t.Context(), "acme"); err != nil && !errors.Is(err, records.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if head, err := s.VerifyAudit(t.Context(), "acme"); err != nil || head.Seq != racers*each {
		t.Errorf("got %+v, %v", head, err)
	}
}

// Whatever somebody does to the table behind the store's back is found.
func testAuditBroken(t *testing.T, dsn string) {
	s := open(t, dsn)
	db := raw(t, dsn)
	for i, c := range []struct {
		statement string // for tenant $1, which has 5 entries
		seq       int64  // of the first broken one
	}{
		{`UPDATE audit SET reason = 'another' WHERE tenant = $1 AND seq = 3`, 3},
		{`UPDATE audit SET actor = '', action = actor || action WHERE tenant = $1 AND seq = 3`, 3},
		{`UPDATE audit SET at = at + 1 WHERE tenant = $1 AND seq = 1`, 1},
		{`UPDATE audit SET detail = '{ }' WHERE tenant = $1 AND seq = 5`, 5},
		{`DELETE FROM audit WHERE tenant = $1 AND seq = 2`, 2},
		{`DELETE FROM audit WHERE tenant = $1 AND seq = 5`, 5},
		{`DELETE FROM audit WHERE tenant = $1`, 1},
		{`UPDATE audit SET seq = 6 WHERE tenant = $1 AND seq = 4`, 4},
		{`UPDATE audit SET prev = hash WHERE tenant = $1 AND seq = 4`, 4},
		{`UPDATE tenants SET head = NULL WHERE id = $1`, 5},
	} {
		tenant := fmt.Sprint("t", i)
		appendEntries(t, s, tenant, 5)
		if result, err := db.Exec(c.statement, tenant); err != nil {
			t.Fatal(err)
		} else if n, err := result.RowsAffected(); n == 0 || err != nil {
			t.Fatal(n, err)
		}
		_, err := s.VerifyAudit(t.Context(), tenant)
		var broken *records.ChainError
		if !errors.As(err, &broken) || broken.Seq != c.seq || broken.Tenant != tenant || retryable(err) {
			t.Errorf("%s: got %v, want entry %d", c.statement, err, c.seq)
		}
	}
}

// raw is a connection beside the store.
func raw(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	driver := "pgx"
	if path, ok := strings.CutPrefix(dsn, "sqlite://"); ok {
		driver, dsn = "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
