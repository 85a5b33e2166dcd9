package records_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

func due(t *testing.T, s *records.Store, at time.Time, limit int) (ids []string) {
	t.Helper()
	all, err := s.DueOrganizations(t.Context(), at, lease, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		ids = append(ids, o.ID)
	}
	return ids
}

func testPatrol(t *testing.T, s *records.Store) {
	next := now.Add(year - 60*day) // as grant has it
	for i, id := range []string{"a", "b", "c"} {
		v := submit(t, s, id)
		at := now.Add(time.Duration(i) * day)
		if err := granted(t, s, v, grant("名"+id, id, at), at); err != nil {
			t.Fatal(err)
		}
	}
	submit(t, s, "d")
	for _, c := range []struct {
		at    time.Time
		limit int
		want  []string
	}{
		{next.Add(-time.Microsecond), 10, nil},
		{next, 10, []string{"a"}},
		{next.Add(lease - time.Microsecond), 10, nil},
		{next.Add(lease), 10, []string{"a"}}, // nobody did anything
		{next.Add(3 * day), 2, []string{"a", "b"}},
		{next.Add(3 * day), 2, []string{"c"}},
	} {
		if got := due(t, s, c.at, c.limit); !slices.Equal(got, c.want) {
			t.Errorf("at %v: got %q, want %q", c.at, got, c.want)
		}
	}
	o := organization(t, s, "a")
	if !o.NextAt.Equal(next) {
		t.Errorf("a lease moved NextAt to %v", o.NextAt)
	}
	if err := s.Schedule(t.Context(), o, next.Add(4*day)); err != nil {
		t.Fatal(err)
	}
	if got := organization(t, s, "a"); !got.NextAt.Equal(next.Add(4*day)) || got.State != records.Certified {
		t.Errorf("got %+v", got)
	}
	if got := due(t, s, next.Add(4*day), 10); !slices.Equal(got, []string{"b", "c", "a"}) {
		t.Errorf("got %q", got)
	}
	// Whoever knows an earlier certification changes nothing.
	certify(t, s, "a", "名a", "a")
	if err := s.Schedule(t.Context(), o, now); err != nil {
		t.Fatal(err)
	}
	if got := organization(t, s, "a"); !got.NextAt.Equal(next) {
		t.Errorf("got %+v", got)
	}
	if reminded, err := s.Remind(t.Context(), o, 1, now, expiringEvent); err != nil || reminded {
		t.Errorf("got %t, %v", reminded, err)
	}
}

var expiringEvent = records.Event{Type: "certification.expiring", Payload: []byte(`{}`), At: now.Add(day)}

func testRemind(t *testing.T, s *records.Store) {
	certify(t, s, "org-1", "沪甲", "code-1")
	o := organization(t, s, "org-1")
	for _, c := range []struct {
		days int
		want bool
	}{{60, true}, {60, false}, {7, true}, {30, false}, {7, false}, {1, true}} {
		next := now.Add(time.Duration(c.days) * day)
		got, err := s.Remind(t.Context(), o, c.days, next, expiringEvent)
		if err != nil || got != c.want {
			t.Errorf("%d days: got %t, %v", c.days, got, err)
		}
		if o := organization(t, s, "org-1"); c.want && (o.State != records.Expiring || o.Reminded != c.days || !o.NextAt.Equal(next) || !o.ChangedAt.Equal(now.Add(day))) {
			t.Errorf("%d days: got %+v", c.days, o)
		}
	}
	if got := subjectEvents(t, s, "org-1"); len(got) != 4 {
		t.Errorf("got %q", got)
	}
	refused(t, s.Dissolve(t.Context(), records.DefaultTenant, "org-1", dissolved), records.Expiring)
	// Without its event nothing happens.
	certify(t, s, "org-2", "沪乙", "code-2")
	o = organization(t, s, "org-2")
	if got, err := s.Remind(t.Context(), o, 60, now, records.Event{At: now}); got || err == nil {
		t.Errorf("got %t, %v", got, err)
	}
	inState(t, s, "org-2", records.Certified)
	// An organization that has none is not reminded.
	complete(t, s, submit(t, s, "org-3").ID, report.OutcomeFail, now)
	if got, err := s.Remind(t.Context(), organization(t, s, "org-3"), 60, now, expiringEvent); got || err != nil {
		t.Errorf("got %t, %v", got, err)
	}
}

func testReverifications(t *testing.T, s *records.Store) {
	for i, purpose := range []report.Purpose{report.PurposeReverification, report.PurposeAnnual, report.PurposeReverification} {
		v := newVerification()
		v.Purpose, v.CreatedAt = purpose, now.Add(time.Duration(i)*time.Hour)
		create(t, s, v)
	}
	for since, want := range map[time.Time]int{now: 2, now.Add(time.Hour): 1, now.Add(3 * time.Hour): 0} {
		if got, err := s.Reverifications(t.Context(), since); got != want || err != nil {
			t.Errorf("got %d, %v, want %d", got, err, want)
		}
	}
}

// Two patrols at once share the work, and each organization is reminded once.
func testPatrolRace(t *testing.T, dsn string) {
	stores := []*records.Store{open(t, dsn), open(t, dsn)}
	const organizations = 40
	for i := range organizations {
		certify(t, stores[0], fmt.Sprint("org-", i), fmt.Sprint("名", i), fmt.Sprint("code-", i))
	}
	at := now.Add(year)
	var group sync.WaitGroup
	var mu sync.Mutex
	leased, reminded := map[string]int{}, map[string]int{}
	for i := range racers {
		group.Go(func() {
			for {
				batch, err := stores[i%2].DueOrganizations(t.Context(), at, lease, 7)
				if err != nil {
					t.Error(err)
				}
				for _, o := range batch {
					again := []bool{false, false}
					for twice := range again {
						if again[twice], err = stores[(i+twice)%2].Remind(t.Context(), o, 30, at.Add(day), expiringEvent); err != nil {
							t.Error(err)
						}
					}
					mu.Lock()
					leased[o.ID]++
					for _, did := range again {
						if did {
							reminded[o.ID]++
						}
					}
					mu.Unlock()
				}
				mu.Lock()
				all := len(leased) == organizations
				mu.Unlock()
				if all || t.Failed() {
					return
				}
			}
		})
	}
	group.Wait()
	for id, n := range leased {
		if n != 1 || reminded[id] != 1 {
			t.Errorf("%s was leased %d times and reminded %d times", id, n, reminded[id])
		}
	}
}
