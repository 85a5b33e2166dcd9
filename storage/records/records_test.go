package records_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/storagetest"
)

// now is the clock of these tests, with the precision that is stored.
var now = time.Date(2030, 5, 1, 8, 0, 0, 123_000, time.UTC)

const lease = time.Minute

func open(t testing.TB, dsn string) *records.Store {
	t.Helper()
	s, err := records.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func sqliteDSN(t testing.TB) string {
	return "sqlite://" + filepath.Join(t.TempDir(), "records.db")
}

func TestConformance(t *testing.T) {
	postgres := storagetest.StartPostgres(t)
	for _, database := range []struct {
		name string
		dsn  func(testing.TB) string
	}{
		{"sqlite", sqliteDSN},
		{"postgres", postgres.NewDatabase},
	} {
		t.Run(database.name, func(t *testing.T) {
			for _, c := range []struct {
				name string
				test func(*testing.T, *records.Store)
			}{
				{"life", testLife},
				{"zero times", testZeroTimes},
				{"idempotency", testIdempotency},
				{"idempotency race", testIdempotencyRace},
				{"conflict", testConflict},
				{"invalid", testInvalid},
				{"missing", testMissing},
				{"completed once", testCompletedOnce},
				{"failure and requeue", testFailureAndRequeue},
				{"list", testList},
				{"lease", testLease},
				{"lease race", testLeaseRace},
				{"complete race", testCompleteRace},
				{"complete whole", testCompleteWhole},
				{"everything at once", testEverythingAtOnce},
				{"data keys", testDataKeys},
				{"replace data key race", testReplaceDataKeyRace},
				{"canceled", testCanceled},
				{"hostile text", testHostileText},
				{"filters", testFilters},
				{"attempts", testAttempts},
				{"repeated", testRepeated},
				{"idempotency purge", testIdempotencyPurge},
				{"retention", testRetention},
				{"retention limit", testRetentionLimit},
				{"erase", testErase},
				{"unmask", testUnmask},
				{"orphans", testOrphans},
				{"at risk", testAtRisk},
				{"at risk race", testAtRiskRace},
				{"backlog", testBacklog},
				{"breaches", testBreaches},
				{"keys", testKeys},
				{"keys refused", testKeysRefused},
				{"first key race", testFirstKeyRace},
				{"tenants", testTenants},
				{"events", testEvents},
				{"event order", testEventOrder},
				{"purge events", testPurgeEvents},
				{"deliveries", testDeliveries},
				{"callback", testCallback},
				{"disable", testDisable},
				{"delete endpoint", testDeleteEndpoint},
				{"delivery race", testDeliveryRace},
				{"case", testCase},
				{"queue", testQueue},
				{"erase race", testEraseRace},
				{"claim", testClaim},
				{"claim next", testClaimNext},
				{"decide", testDecide},
				{"decide refused", testDecideRefused},
				{"stages", testStages},
				{"undo", testUndo},
				{"conclude once", testConcludeOnce},
				{"conclude second look", testConcludeSecondLook},
				{"conclude whole", testConcludeWhole},
				{"notes", testNotes},
				{"written gone", testWrittenGone},
				{"users", testUsers},
				{"change user", testChangeUser},
				{"first user", testFirstUser},
				{"failures", testFailures},
				{"sessions", testSessions},
				{"purge sessions", testPurgeSessions},
				{"invitations", testInvitations},
				{"alike", testAlike},
				{"review figures", testReviewFigures},
				{"decisions between", testDecisionsBetween},
				{"pending", testPending},
				{"submitted", testSubmitted},
				{"organization tenants", testOrganizationTenants},
				{"organizations", testOrganizations},
				{"grant", testGrant},
				{"grant whole", testGrantWhole},
				{"shared", testShared},
				{"end certification", testEndCertification},
				{"barred", testBarred},
				{"dissolve", testDissolve},
				{"conclude", testConclude},
				{"clash", testClash},
				{"forget", testForget},
				{"holders", testHolders},
				{"prints", testPrints},
				{"patrol", testPatrol},
				{"remind", testRemind},
				{"reverifications", testReverifications},
				{"batch", testBatch},
				{"batch lines", testBatchLines},
				{"batch states", testBatchStates},
				{"batch loading", testTakeLoadingBatch},
				{"batch work", testBatchWork},
				{"batch results", testBatchResults},
				{"reports", testReports},
				{"audit", testAudit},
				{"audit format", testAuditFormat},
				{"audit refused", testAuditRefused},
				{"audit race", testAuditRace},
			} {
				t.Run(c.name, func(t *testing.T) { c.test(t, open(t, database.dsn(t))) })
			}
			for _, c := range []struct {
				name string
				test func(t *testing.T, dsn string)
			}{
				{"opened at once", testOpenedAtOnce},
				{"audit broken", testAuditBroken},
				{"claim race", testClaimRace},
				{"decide race", testDecideRace},
				{"conclude race", testConcludeRace},
				{"last admin race", testLastAdminRace},
				{"first user race", testFirstUserRace},
				{"invitation race", testInvitationRace},
				{"grant race", testGrantRace},
				{"patrol race", testPatrolRace},
				{"batch race", testBatchRace},
				{"crash", testCrash},
			} {
				t.Run(c.name, func(t *testing.T) { c.test(t, database.dsn(t)) })
			}
		})
	}
}

func retryable(err error) bool {
	var r interface{ Retryable() bool }
	return errors.As(err, &r) && r.Retryable()
}

func want(t *testing.T, got, kind error) {
	t.Helper()
	if !errors.Is(got, kind) || retryable(got) {
		t.Errorf("got %v, want %v", got, kind)
	}
}

func newVerification() records.Verification {
	id := records.NewID()
	return records.Verification{
		ID: id, Tenant: records.DefaultTenant, Policy: "dingtalk@1", Priority: "standard", ObjectKey: "pictures/" + id,
		MaxAttempts: 3, LeaseUntil: now.Add(lease), CreatedAt: now, DeadlineAt: now.Add(30 * time.Minute),
	}
}

func create(t *testing.T, s *records.Store, v records.Verification) records.Verification {
	t.Helper()
	stored, created, err := s.Create(t.Context(), v, "", nil)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	return stored
}

func get(t *testing.T, s *records.Store, id string) records.Verification {
	t.Helper()
	v, err := s.Get(t.Context(), records.DefaultTenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func same(t *testing.T, got, want records.Verification) {
	t.Helper()
	if len(got.Reasons) == 0 && len(want.Reasons) == 0 {
		got.Reasons, want.Reasons = nil, nil
	}
	if len(got.MachineReasons) == 0 && len(want.MachineReasons) == 0 {
		got.MachineReasons, want.MachineReasons = nil, nil
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\ngot  %+v\nwant %+v", got, want)
	}
}

// all takes this many of each priority.
func all(limit int) []records.Window {
	return []records.Window{{Priority: "interactive", Limit: limit}, {Priority: "standard", Limit: limit}, {Priority: "batch", Limit: limit}}
}

// done is a verdict's completion with its event.
func done(at time.Time) records.Completion {
	return records.Completion{At: at, Event: records.Event{Type: "verification.completed", Payload: []byte(`{}`)}}
}

func failed(codes ...string) report.Report {
	r := report.Report{Status: report.StatusCompleted, Outcome: report.OutcomeFail, Policy: "dingtalk@1"}
	for _, code := range codes {
		r.Reasons = append(r.Reasons, report.Reason{Code: code, Message: report.Text{ZH: "照片模糊", EN: "blurry"}})
	}
	return r
}

func testLife(t *testing.T, s *records.Store) {
	v := newVerification()
	v.OrganizationID, v.ClientReference, v.Sealed = "org-1", "ref-1", []byte{0, 1, 0xff, '\''}
	stored := create(t, s, v)
	v.Status, v.Version = report.StatusQueued, 1
	same(t, stored, v)
	same(t, get(t, s, v.ID), v)

	v.Attempts, v.LeaseUntil, v.Version = 1, now.Add(2*lease), 2
	started, err := s.StartAttempt(t.Context(), v.ID, now.Add(lease), lease)
	if err != nil {
		t.Fatal(err)
	}
	same(t, started, v)

	r := failed("image_blurry", "uscc_unreadable")
	if err := s.Complete(t.Context(), v.ID, r, done(now.Add(90*time.Second))); err != nil {
		t.Fatal(err)
	}
	v.Status, v.Outcome, v.CompletedAt, v.DecidedAt, v.Version = report.StatusCompleted, report.OutcomeFail, now.Add(90*time.Second), now.Add(90*time.Second), 3
	v.Reasons, v.Report = []string{"image_blurry", "uscc_unreadable"}, &r
	v.MachineOutcome, v.MachineReasons = v.Outcome, v.Reasons
	same(t, get(t, s, v.ID), v)
}

func testZeroTimes(t *testing.T, s *records.Store) {
	v := records.Verification{ID: records.NewID(), Tenant: records.DefaultTenant}
	create(t, s, v)
	v.Status, v.Version = report.StatusQueued, 1
	same(t, get(t, s, v.ID), v)
}

func testIdempotency(t *testing.T, s *records.Store) {
	first, second := newVerification(), newVerification()
	first.Sealed = []byte("first")
	if _, created, err := s.Create(t.Context(), first, "key", []byte("hash")); err != nil || !created {
		t.Fatal(created, err)
	}
	got, created, err := s.Create(t.Context(), second, "key", []byte("hash"))
	if err != nil || created {
		t.Fatal(created, err)
	}
	first.Status, first.Version = report.StatusQueued, 1
	same(t, got, first)
	_, _, err = s.Create(t.Context(), second, "key", []byte("other"))
	want(t, err, records.ErrConflict)
	_, err = s.Get(t.Context(), records.DefaultTenant, second.ID)
	want(t, err, records.ErrNotFound)
	if _, created, err := s.Create(t.Context(), second, "other key", []byte("hash")); err != nil || !created {
		t.Error(created, err)
	}
}

func testIdempotencyRace(t *testing.T, s *records.Store) {
	var group sync.WaitGroup
	var mu sync.Mutex
	ids, won := map[string]bool{}, 0
	for range 8 {
		group.Go(func() {
			v, created, err := s.Create(t.Context(), newVerification(), "key", []byte("hash"))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[v.ID] = true
			if created {
				won++
			}
		})
	}
	group.Wait()
	if len(ids) != 1 || won != 1 {
		t.Errorf("%d verifications, created %d times", len(ids), won)
	}
}

func testConflict(t *testing.T, s *records.Store) {
	v := create(t, s, newVerification())
	_, _, err := s.Create(t.Context(), v, "", nil)
	want(t, err, records.ErrConflict)
	_, _, err = s.Create(t.Context(), v, "key", []byte("hash"))
	want(t, err, records.ErrConflict)
}

func testInvalid(t *testing.T, s *records.Store) {
	v := newVerification()
	v.ID = "1"
	if _, _, err := s.Create(t.Context(), v, "", nil); err == nil || retryable(err) {
		t.Errorf("no UUID: got %v", err)
	}
	if _, _, err := s.Create(t.Context(), newVerification(), "key", nil); err == nil || retryable(err) {
		t.Errorf("no hash: got %v", err)
	}
	v = create(t, s, newVerification())
	for _, code := range []string{"", "Free text", "110101199003070000 ", strings.Repeat("a", 65)} {
		err := s.RecordFailure(t.Context(), v.ID, code, now)
		if err == nil || retryable(err) || (code != "" && strings.Contains(err.Error(), code)) {
			t.Errorf("%q: got %v", code, err)
		}
		if err := s.Complete(t.Context(), v.ID, failed(code), done(now)); err == nil || retryable(err) {
			t.Errorf("reason %q: got %v", code, err)
		}
	}
	if err := s.Complete(t.Context(), v.ID, report.Report{}, done(now)); err == nil {
		t.Error("a report without an outcome was accepted")
	}
	for _, limit := range []int{-1, records.MaxPage + 1} {
		if _, err := s.List(t.Context(), records.DefaultTenant, records.Query{Limit: limit}); err == nil {
			t.Errorf("limit %d was accepted", limit)
		}
	}
	if got := get(t, s, v.ID); got.Version != 1 {
		t.Errorf("a refused call changed the row: %+v", got)
	}
}

func testMissing(t *testing.T, s *records.Store) {
	id := records.NewID()
	_, err := s.Get(t.Context(), records.DefaultTenant, id)
	want(t, err, records.ErrNotFound)
	_, err = s.StartAttempt(t.Context(), id, now, lease)
	want(t, err, records.ErrNotFound)
	want(t, s.Complete(t.Context(), id, failed("image_blurry"), done(now)), records.ErrNotFound)
	want(t, s.RecordFailure(t.Context(), id, "engine_crashed", now), records.ErrNotFound)
	want(t, s.Requeue(t.Context(), id, now), records.ErrNotFound)
}

func testCompletedOnce(t *testing.T, s *records.Store) {
	v := create(t, s, newVerification())
	if err := s.Complete(t.Context(), v.ID, failed("image_blurry"), done(now)); err != nil {
		t.Fatal(err)
	}
	before := get(t, s, v.ID)
	want(t, s.Complete(t.Context(), v.ID, failed("uscc_unreadable"), done(now.Add(time.Hour))), records.ErrAlreadyCompleted)
	_, err := s.StartAttempt(t.Context(), v.ID, now, lease)
	want(t, err, records.ErrAlreadyCompleted)
	want(t, s.RecordFailure(t.Context(), v.ID, "engine_crashed", now), records.ErrAlreadyCompleted)
	want(t, s.Requeue(t.Context(), v.ID, now), records.ErrAlreadyCompleted)
	same(t, get(t, s, v.ID), before)
	if due, err := s.LeaseDue(t.Context(), now.Add(24*time.Hour), lease, all(10)...); err != nil || len(due) != 0 {
		t.Errorf("leased %v, %v", due, err)
	}
}

func testFailureAndRequeue(t *testing.T, s *records.Store) {
	v := create(t, s, newVerification())
	for range 2 {
		if _, err := s.StartAttempt(t.Context(), v.ID, now, lease); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.RecordFailure(t.Context(), v.ID, "engine_crashed", now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	got := get(t, s, v.ID)
	if got.Attempts != 2 || got.LastError != "engine_crashed" || !got.LeaseUntil.Equal(now.Add(time.Hour)) {
		t.Errorf("after a failure: %+v", got)
	}
	for _, attempts := range []int{1, 0, 0} {
		if err := s.Requeue(t.Context(), v.ID, now); err != nil {
			t.Fatal(err)
		}
		if got := get(t, s, v.ID); got.Attempts != attempts || !got.LeaseUntil.Equal(now) {
			t.Errorf("after a requeue: %+v", got)
		}
	}
}

func testList(t *testing.T, s *records.Store) {
	var ids []string
	for i := range 7 {
		v := create(t, s, newVerification())
		ids = append(ids, v.ID)
		if i%2 == 0 {
			if err := s.Complete(t.Context(), v.ID, failed("image_blurry"), done(now)); err != nil {
				t.Fatal(err)
			}
		}
	}
	slices.Reverse(ids) // newest first
	for _, c := range []struct {
		name  string
		query records.Query
		want  []string
	}{
		{"all", records.Query{}, ids},
		{"pages", records.Query{Limit: 3}, ids},
		{"one by one", records.Query{Limit: 1}, ids},
		{"exact pages", records.Query{Limit: 7}, ids},
		{"queued", records.Query{Status: report.StatusQueued, Limit: 2}, []string{ids[1], ids[3], ids[5]}},
		{"failed", records.Query{Outcome: report.OutcomeFail}, []string{ids[0], ids[2], ids[4], ids[6]}},
		{"both", records.Query{Status: report.StatusQueued, Outcome: report.OutcomeFail}, nil},
		{"passed", records.Query{Outcome: report.OutcomePass}, nil},
	} {
		var got []string
		for query := c.query; ; {
			page, err := s.List(t.Context(), records.DefaultTenant, query)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range page.Verifications {
				got = append(got, v.ID)
				if v.Sealed != nil || v.Report != nil {
					t.Errorf("%s: a list carries sealed data or a report", c.name)
				}
				if v.Status == report.StatusCompleted && !slices.Equal(v.Reasons, []string{"image_blurry"}) {
					t.Errorf("%s: reasons %q", c.name, v.Reasons)
				}
			}
			if query.After = page.Next; page.Next == "" {
				break
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func testLease(t *testing.T, s *records.Store) {
	soon, late, fresh := newVerification(), newVerification(), newVerification()
	soon.LeaseUntil, soon.DeadlineAt = now, now.Add(time.Minute)
	late.LeaseUntil, late.DeadlineAt = now.Add(-time.Hour), now.Add(time.Hour)
	fresh.LeaseUntil = now.Add(time.Microsecond)
	for _, v := range []records.Verification{fresh, late, soon} {
		create(t, s, v)
	}
	leased := func(at time.Time, windows ...records.Window) []records.Due {
		t.Helper()
		due, err := s.LeaseDue(t.Context(), at, lease, windows...)
		if err != nil {
			t.Fatal(err)
		}
		return due
	}
	standard := records.Window{Priority: "standard", Limit: 1}
	if got := leased(now, records.Window{Priority: "batch", Limit: 10}); len(got) != 0 {
		t.Errorf("got %+v of another priority", got)
	}
	got := leased(now, standard)
	if want := []records.Due{{soon.ID, records.DefaultTenant, "standard", soon.DeadlineAt}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want the nearest deadline %+v", got, want)
	}
	if got := leased(now, all(10)...); len(got) != 1 || got[0].ID != late.ID {
		t.Errorf("got %+v, want %s", got, late.ID)
	}
	if got := leased(now, all(10)...); len(got) != 0 {
		t.Errorf("leased twice: %+v", got)
	}
	if got := get(t, s, late.ID); !got.LeaseUntil.Equal(now.Add(lease)) || got.Version != 2 {
		t.Errorf("got %+v", got)
	}
	if got := leased(now.Add(lease), all(10)...); len(got) != 3 {
		t.Errorf("after the lease: got %+v", got)
	}
}

// racers is how many goroutines race.
const racers = 8

func testLeaseRace(t *testing.T, s *records.Store) {
	const rows = 60
	for range rows {
		v := newVerification()
		v.LeaseUntil = now
		create(t, s, v)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	times := map[string]int{}
	for range racers {
		group.Go(func() {
			for {
				due, err := s.LeaseDue(t.Context(), now, lease, all(5)...)
				if err != nil {
					t.Error(err)
					return
				}
				// Rows another sweeper is taking right now are not seen, so an
				// empty answer only ends the race when all were taken.
				mu.Lock()
				for _, d := range due {
					times[d.ID]++
				}
				done := len(times) == rows
				mu.Unlock()
				if done {
					return
				}
			}
		})
	}
	group.Wait()
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s was leased %d times", id, n)
		}
	}
}

func testCompleteRace(t *testing.T, s *records.Store) {
	const rows = 10
	for range rows {
		v := create(t, s, newVerification())
		var group sync.WaitGroup
		won := make(chan string, racers)
		for i := range racers {
			group.Go(func() {
				if _, err := s.StartAttempt(t.Context(), v.ID, now, lease); err != nil && !errors.Is(err, records.ErrAlreadyCompleted) {
					t.Error(err)
				}
				code := fmt.Sprintf("racer_%d", i)
				switch err := s.Complete(t.Context(), v.ID, failed(code), done(now)); {
				case err == nil:
					won <- code
				case !errors.Is(err, records.ErrAlreadyCompleted):
					t.Error(err)
				}
			})
		}
		group.Wait()
		close(won)
		if len(won) != 1 {
			t.Fatalf("%d verdicts were written", len(won))
		}
		if got := get(t, s, v.ID); !slices.Equal(got.Reasons, []string{<-won}) || got.Version != 2+int64(got.Attempts) {
			t.Errorf("the verdict is not the winner's: %+v", got)
		}
	}
}

func testCanceled(t *testing.T, s *records.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Get(ctx, records.DefaultTenant, records.NewID())
	want(t, err, context.Canceled)
}

func testHostileText(t *testing.T, s *records.Store) {
	v := newVerification()
	v.ClientReference = "'; DROP TABLE verifications; --\n$1 名\U0001F600"
	v.OrganizationID = strings.Repeat("x", 10_000)
	v.Sealed = bytes.Repeat([]byte{0}, 100_000)
	stored := create(t, s, v)
	same(t, get(t, s, v.ID), stored)
	for _, text := range []string{"\x00", "\xff"} {
		v := newVerification()
		v.ClientReference = text
		if _, _, err := s.Create(t.Context(), v, "", nil); retryable(err) {
			t.Errorf("%q: got %v, which no retry mends", text, err)
		}
		if _, err := s.Get(t.Context(), records.DefaultTenant, text); retryable(err) || err == nil {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// Several processes start at once over an empty database.
func testOpenedAtOnce(t *testing.T, dsn string) {
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			s, err := records.Open(t.Context(), dsn)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := s.Ping(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestOpenRefuses(t *testing.T) {
	for _, dsn := range []string{"", "mysql://a", "/tmp/x.db", "sqlite:x.db", "sqlite://x.db", "sqlite://host/x.db", "sqlite:///", "postgres://%zz:secret@h"} {
		_, err := records.Open(t.Context(), dsn)
		if err == nil {
			t.Errorf("%q was accepted", dsn)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error tells the password: %v", dsn, err)
		}
	}
}

func TestSQLiteFiles(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a b?c#d%20")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "records.db")
	dsn := (&url.URL{Scheme: "sqlite", Path: path}).String()
	s := open(t, dsn)
	v := create(t, s, newVerification())
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "records.db*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("got %q, %v: want the database and its journal", files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	same(t, get(t, open(t, dsn), v.ID), v) // a second time over the same schema
}

// A database that goes away is unavailable, and needs no new Store when it is
// back.
func TestPostgresRecovery(t *testing.T) {
	postgres := storagetest.StartPostgres(t)
	dsn := postgres.NewDatabase(t)
	s := open(t, dsn)
	v := create(t, s, newVerification())
	postgres.Kill()
	for range 3 {
		_, getErr := s.Get(t.Context(), records.DefaultTenant, v.ID)
		_, _, createErr := s.Create(t.Context(), newVerification(), "", nil)
		_, leaseErr := s.LeaseDue(t.Context(), now, lease, all(1)...)
		_, openErr := records.Open(t.Context(), dsn)
		for _, err := range []error{getErr, createErr, leaseErr, openErr, s.Ping(t.Context())} {
			if !errors.Is(err, records.ErrUnavailable) || !retryable(err) {
				t.Errorf("got %v, want %v", err, records.ErrUnavailable)
			}
		}
	}
	postgres.Start(t)
	deadline := time.Now().Add(10 * time.Second)
	for {
		got, err := s.Get(t.Context(), records.DefaultTenant, v.ID)
		if err == nil {
			same(t, got, v)
			return
		}
		if !retryable(err) || time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestSQLiteMissingFolder(t *testing.T) {
	if _, err := records.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "missing", "records.db")); err == nil {
		t.Error("a missing folder was accepted")
	}
}
