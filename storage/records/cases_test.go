package records_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

var (
	ann  = records.Reader{User: "ann"}
	bob  = records.Reader{User: "bob"}
	lead = records.Reader{User: "lea", Lead: true}
)

// toReview stores a verification that the machine leaves to a person, a minute after
// its creation, and returns its id.
func toReview(t *testing.T, s *records.Store, change func(*records.Verification), codes ...string) string {
	t.Helper()
	v := newVerification()
	if change != nil {
		change(&v)
	}
	create(t, s, v)
	if codes == nil {
		codes = []string{"uscc_unreadable"}
	}
	if err := s.Complete(t.Context(), v.ID, doubtful(codes...), flagged(v.CreatedAt.Add(time.Minute))); err != nil {
		t.Fatal(err)
	}
	return v.ID
}

// doubtful is a report that leaves the decision to a person.
func doubtful(codes ...string) report.Report {
	r := failed(codes...)
	r.Outcome = report.OutcomeReview
	r.Fields = map[report.FieldName]report.Field{report.FieldUSCC: {Value: "91310115PDY899512H"}}
	return r
}

// flagged is its completion: the event that tells of a final one comes later.
func flagged(at time.Time) records.Completion {
	return records.Completion{At: at, Event: records.Event{Type: "verification.review_required", Payload: []byte(`{}`)}}
}

func theCase(t *testing.T, s *records.Store, id string) records.Case {
	t.Helper()
	c, err := s.Case(t.Context(), records.DefaultTenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func claim(t *testing.T, s *records.Store, id string, by records.Reader) records.Case {
	t.Helper()
	c, err := s.Claim(t.Context(), records.DefaultTenant, id, by, now.Add(lease), now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// actions of the audit log about a subject, oldest first.
func actions(t *testing.T, s *records.Store, subject string) (all []string) {
	t.Helper()
	entries, err := s.Audit(t.Context(), records.DefaultTenant, subject, 0, records.MaxPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Actor+" "+e.Action)
	}
	slices.Reverse(all)
	return all
}

func testCase(t *testing.T, s *records.Store) {
	id := toReview(t, s, func(v *records.Verification) { v.OrganizationID = "org-1" }, "image_blurry", "uscc_unreadable", "image_blurry")
	want := records.Case{ID: id, Tenant: records.DefaultTenant, OrganizationID: "org-1", Policy: "dingtalk@1", Priority: "standard",
		Reasons: []string{"image_blurry", "uscc_unreadable", "image_blurry"}, CreatedAt: now, FlaggedAt: now.Add(time.Minute),
		DeadlineAt: now.Add(30 * time.Minute), Stage: records.StageOpen}
	if got := theCase(t, s, id); !reflect.DeepEqual(got, want) {
		t.Errorf("\ngot  %+v\nwant %+v", got, want)
	}
	if v := get(t, s, id); v.MachineOutcome != report.OutcomeReview || !slices.Equal(v.MachineReasons, want.Reasons) {
		t.Errorf("got %+v", v)
	}
	passed := create(t, s, newVerification()).ID
	complete(t, s, passed, report.OutcomePass, now)
	for tenant, id := range map[string]string{records.DefaultTenant: passed, "other": id} {
		if _, err := s.Case(t.Context(), tenant, id); !errors.Is(err, records.ErrNotFound) {
			t.Errorf("%s: got %v", tenant, err)
		}
	}
	if _, err := s.Erase(t.Context(), records.DefaultTenant, id, entry("", "")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Case(t.Context(), records.DefaultTenant, id); !errors.Is(err, records.ErrNotFound) {
		t.Errorf("erased: got %v", err)
	}
	if counts, err := s.CaseCounts(t.Context(), records.DefaultTenant, now); err != nil || len(counts.Reasons)+len(counts.Policies)+counts.Open > 0 {
		t.Errorf("erased: %+v, %v", counts, err)
	}
}

// queue stores cases of all stages; the deadline of each is a minute after that
// of the one before.
func queue(t *testing.T, s *records.Store) (ids map[string]string) {
	ids = map[string]string{}
	for i, name := range []string{"claimed", "lapsed", "second", "escalated", "pending", "open", "rare"} {
		ids[name] = toReview(t, s, func(v *records.Verification) {
			v.CreatedAt, v.DeadlineAt = now.Add(-time.Duration(i)*time.Minute), now.Add(time.Duration(10+i)*time.Minute)
			if name == "rare" {
				v.Policy, v.OrganizationID = "rare@1", "org-1"
			}
		}, map[bool][]string{false: {"image_blurry", "image_glare"}, true: {"uscc_mismatch"}}[name == "rare"]...)
	}
	toReview(t, s, func(v *records.Verification) { v.Tenant = "other" })
	claim(t, s, ids["claimed"], ann)
	if _, err := s.Claim(t.Context(), records.DefaultTenant, ids["lapsed"], ann, now, now.Add(-lease)); err != nil {
		t.Fatal(err)
	}
	decide(t, s, decision(ids["second"], ann, records.Approve), ann, records.DecideTerms{SecondLook: true})
	decide(t, s, decision(ids["escalated"], ann, records.Escalate), ann, records.DecideTerms{})
	decide(t, s, decision(ids["pending"], ann, records.Approve), ann, records.DecideTerms{Grace: time.Hour})
	return ids
}

func testQueue(t *testing.T, s *records.Store) {
	ids := queue(t, s)
	for _, c := range []struct {
		name  string
		query records.CaseQuery
		by    records.Reader
		want  []string
	}{
		{"all", records.CaseQuery{}, ann, []string{"claimed", "lapsed", "second", "escalated", "open", "rare"}},
		{"reason", records.CaseQuery{Reason: "image_glare"}, ann, []string{"claimed", "lapsed", "second", "escalated", "open"}},
		{"policy", records.CaseQuery{Policy: "rare@1"}, ann, []string{"rare"}},
		{"organization", records.CaseQuery{OrganizationID: "org-1"}, ann, []string{"rare"}},
		{"open", records.CaseQuery{Stage: records.StageOpen}, ann, []string{"claimed", "lapsed", "open", "rare"}},
		{"second", records.CaseQuery{Stage: records.StageSecond}, ann, []string{"second"}},
		{"pending", records.CaseQuery{Stage: records.StagePending}, ann, []string{"pending"}},
		{"pending by reason", records.CaseQuery{Stage: records.StagePending, Reason: "image_blurry"}, ann, []string{"pending"}},
		{"age", records.CaseQuery{FlaggedBefore: now.Add(-3 * time.Minute)}, ann, []string{"open", "rare"}},
		{"mine", records.CaseQuery{Mine: true}, ann, []string{"claimed"}},
		{"mine of nothing", records.CaseQuery{Mine: true}, bob, nil},
		{"available to ann", records.CaseQuery{Available: true}, ann, []string{"claimed", "lapsed", "open", "rare"}},
		{"available to bob", records.CaseQuery{Available: true}, bob, []string{"lapsed", "second", "open", "rare"}},
		{"available to a lead", records.CaseQuery{Available: true}, lead, []string{"lapsed", "second", "escalated", "open", "rare"}},
		{"pending is available to nobody", records.CaseQuery{Stage: records.StagePending, Available: true}, lead, nil},
		{"together", records.CaseQuery{Reason: "uscc_mismatch", Policy: "rare@1", OrganizationID: "org-1", Stage: records.StageOpen, Available: true}, bob, []string{"rare"}},
	} {
		for _, limit := range []int{0, 2} {
			var got, want []string
			for _, name := range c.want {
				want = append(want, ids[name])
			}
			q := c.query
			q.Limit = limit
			for {
				page, err := s.Cases(t.Context(), records.DefaultTenant, q, c.by, now)
				if err != nil {
					t.Fatal(err)
				}
				for _, one := range page.Cases {
					if got = append(got, one.ID); (one.ClaimedBy == "ann") != (one.ID == ids["claimed"]) {
						t.Errorf("%s: %+v", c.name, one)
					}
				}
				if q.After = page.Next; page.Next == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, %d a page: got %q, want %q", c.name, limit, got, want)
			}
		}
	}
	for _, q := range []records.CaseQuery{{Limit: -1}, {Limit: records.MaxPage + 1}, {After: "x"}} {
		if _, err := s.Cases(t.Context(), records.DefaultTenant, q, ann, now); err == nil || retryable(err) {
			t.Errorf("%+v: got %v", q, err)
		}
	}
	got, err := s.CaseCounts(t.Context(), records.DefaultTenant, now.Add(11*time.Minute+time.Second-time.Minute))
	wantCounts := records.CaseCounts{Open: 4, Second: 1, Escalated: 1, Pending: 1, Overdue: 1,
		Reasons:  map[string]int{"image_blurry": 5, "image_glare": 5, "uscc_mismatch": 1},
		Policies: map[string]int{"dingtalk@1": 5, "rare@1": 1}}
	if err != nil || !reflect.DeepEqual(got, wantCounts) {
		t.Errorf("\ngot  %+v, %v\nwant %+v", got, err, wantCounts)
	}
	if got, err := s.CaseCounts(t.Context(), records.DefaultTenant, now); err != nil || got.Claimed != 1 || got.Overdue != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func testClaim(t *testing.T, s *records.Store) {
	ids := queue(t, s)
	for _, c := range []struct {
		name string
		by   records.Reader
		want error
	}{
		{"claimed", bob, records.ErrClaimed},
		{"claimed", lead, records.ErrClaimed},
		{"claimed", ann, nil},
		{"lapsed", bob, nil},
		{"second", ann, records.ErrNotYours},
		{"second", bob, nil},
		{"escalated", bob, records.ErrNotYours},
		{"escalated", lead, nil},
		{"pending", lead, records.ErrNotYours},
		{"open", bob, nil},
		{"missing", bob, records.ErrNotFound},
	} {
		if _, err := s.Claim(t.Context(), records.DefaultTenant, ids[c.name], c.by, now.Add(lease), now); !errors.Is(err, c.want) || retryable(err) {
			t.Errorf("%s by %s: got %v, want %v", c.name, c.by.User, err, c.want)
		}
	}
	if _, err := s.Claim(t.Context(), "other", ids["rare"], bob, now.Add(lease), now); !errors.Is(err, records.ErrNotFound) {
		t.Errorf("another tenant: %v", err)
	}
	id := ids["rare"]
	claim(t, s, id, ann)
	later := now.Add(lease / 2)
	renewed, err := s.Claim(t.Context(), records.DefaultTenant, id, ann, later.Add(lease), later)
	if err != nil || !renewed.ClaimedAt.Equal(now) || !renewed.ClaimedUntil.Equal(later.Add(lease)) || renewed.HeldBy(later) != "ann" ||
		renewed.HeldBy(later.Add(lease)) != "" || !reflect.DeepEqual(renewed, theCase(t, s, id)) {
		t.Errorf("got %+v, %v", renewed, err)
	}
	for _, user := range []string{"bob", "ann", "ann"} {
		if err := s.Release(t.Context(), records.DefaultTenant, id, user, later); err != nil {
			t.Fatal(err)
		}
		if held := theCase(t, s, id).HeldBy(later); (held == "ann") != (user == "bob") {
			t.Errorf("released by %s: held by %q", user, held)
		}
	}
	claim(t, s, id, bob)
	over := now.Add(lease)
	if c, err := s.Claim(t.Context(), records.DefaultTenant, id, ann, over.Add(lease), over); err != nil || !c.ClaimedAt.Equal(over) {
		t.Errorf("a claim that is over: %+v, %v", c, err)
	}
	want := []string{"user:ann case.claimed", "user:ann case.released", "user:bob case.claimed", "user:ann case.claimed"}
	if got := actions(t, s, id); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func testClaimNext(t *testing.T, s *records.Store) {
	ids := queue(t, s)
	for _, c := range []struct {
		query records.CaseQuery
		by    records.Reader
		want  string
	}{
		{records.CaseQuery{}, bob, "lapsed"},
		{records.CaseQuery{}, bob, "lapsed"}, // his own first
		{records.CaseQuery{Policy: "rare@1"}, bob, "rare"},
		{records.CaseQuery{}, lead, "second"},
		{records.CaseQuery{}, ann, "claimed"},
		{records.CaseQuery{Stage: records.StageEscalated}, ann, ""},
		{records.CaseQuery{Stage: records.StageOpen, Reason: "image_blurry"}, lead, "open"},
		{records.CaseQuery{Mine: true}, bob, "lapsed"},
		{records.CaseQuery{Policy: "rare@1"}, lead, ""},
	} {
		got, err := s.ClaimNext(t.Context(), records.DefaultTenant, c.query, c.by, now.Add(lease), now)
		if c.want == "" {
			want(t, err, records.ErrNotFound)
		} else if err != nil || got.ID != ids[c.want] || got.ClaimedBy != c.by.User {
			t.Errorf("%+v by %s: got %+v, %v, want %s", c.query, c.by.User, got, err, c.want)
		}
	}
}

// Whoever erases a verification at the moment of its verdict leaves no case.
func testEraseRace(t *testing.T, s *records.Store) {
	for range 30 {
		v := create(t, s, newVerification())
		var group sync.WaitGroup
		group.Go(func() {
			if err := s.Complete(t.Context(), v.ID, doubtful("image_blurry"), flagged(now)); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			err := records.ErrNotCompleted
			for errors.Is(err, records.ErrNotCompleted) {
				_, err = s.Erase(t.Context(), v.Tenant, v.ID, entry("", ""))
			}
			if err != nil {
				t.Error(err)
			}
		})
		group.Wait()
		_, err := s.Case(t.Context(), v.Tenant, v.ID)
		want(t, err, records.ErrNotFound)
	}
}

// Whoever claims at the same time, in whichever process, gets a case of his own.
func testClaimRace(t *testing.T, dsn string) {
	stores := []*records.Store{open(t, dsn), open(t, dsn)}
	const cases = 6
	one := toReview(t, stores[0], func(v *records.Verification) { v.DeadlineAt = now.Add(time.Hour) })
	var group sync.WaitGroup
	var mu sync.Mutex
	wins := 0
	for i := range racers {
		group.Go(func() {
			_, err := stores[i%2].Claim(t.Context(), records.DefaultTenant, one, records.Reader{User: fmt.Sprint("user-", i)}, now.Add(lease), now)
			switch mu.Lock(); {
			case err == nil:
				wins++
			case !errors.Is(err, records.ErrClaimed):
				t.Error(err)
			}
			mu.Unlock()
		})
	}
	group.Wait()
	if wins != 1 {
		t.Errorf("one case was claimed by %d", wins)
	}
	for range cases {
		toReview(t, stores[0], nil)
	}
	got := map[string]string{}
	for i := range racers {
		group.Go(func() {
			by := records.Reader{User: fmt.Sprint("racer-", i)}
			c, err := stores[i%2].ClaimNext(t.Context(), records.DefaultTenant, records.CaseQuery{}, by, now.Add(lease), now)
			if errors.Is(err, records.ErrNotFound) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if got[c.ID] != "" {
				t.Errorf("%s was claimed by %s and %s", c.ID, got[c.ID], by.User)
			}
			got[c.ID] = by.User
		})
	}
	group.Wait()
	if len(got) != min(cases, racers) {
		t.Errorf("%d of %d cases were claimed", len(got), cases)
	}
}
