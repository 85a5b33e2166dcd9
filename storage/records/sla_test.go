package records_test

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

const share = 0.8

func atRiskEvent(v records.Verification) records.Event {
	return records.Event{Type: "verification.sla_at_risk", Payload: []byte(`{"id":"` + v.ID + `"}`)}
}

func atRisk(t *testing.T, s *records.Store, at time.Time, limit int) []records.Verification {
	t.Helper()
	got, err := s.AtRisk(t.Context(), at, share, limit, atRiskEvent)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func complete(t *testing.T, s *records.Store, id string, outcome report.Outcome, at time.Time) {
	t.Helper()
	r := failed("image_blurry")
	r.Outcome = outcome
	if err := s.Complete(t.Context(), id, r, done(at)); err != nil {
		t.Fatal(err)
	}
}

func testAtRisk(t *testing.T, s *records.Store) {
	addEndpoint(t, s)
	queued, review, decided := create(t, s, newVerification()), create(t, s, newVerification()), create(t, s, newVerification())
	erased := create(t, s, newVerification())
	other := newVerification()
	other.Tenant, other.DeadlineAt = "acme", now.Add(10*time.Minute)
	create(t, s, other)
	for _, v := range []records.Verification{review, erased} {
		complete(t, s, v.ID, report.OutcomeReview, now.Add(time.Minute))
	}
	complete(t, s, decided.ID, report.OutcomePass, now.Add(time.Minute))
	if _, err := s.Erase(t.Context(), erased.Tenant, erased.ID, entry("", "")); err != nil {
		t.Fatal(err)
	}

	if got := atRisk(t, s, now.Add(8*time.Minute-time.Microsecond), 10); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
	at := now.Add(24 * time.Minute) // 0.8 of 30
	got := atRisk(t, s, at, 2)
	got = append(got, atRisk(t, s, at, 2)...)
	found := map[string]bool{}
	for _, v := range got {
		if found[v.ID] = true; !v.AtRiskAt.Equal(at) {
			t.Errorf("got %+v", v)
		}
	}
	if want := map[string]bool{queued.ID: true, review.ID: true, other.ID: true}; !reflect.DeepEqual(found, want) || len(got) != 3 {
		t.Errorf("got %v, want %v", found, want)
	}
	if got := atRisk(t, s, at.Add(time.Hour), 10); len(got) != 0 {
		t.Errorf("marked again: %+v", got)
	}
	events, err := s.Events(t.Context(), "acme", 0, 10)
	if err != nil || len(events) != 1 || events[0].Subject != other.ID || events[0].Type != "verification.sla_at_risk" || !events[0].At.Equal(at) {
		t.Errorf("got %+v, %v", events, err)
	}
	deliveries := 0
	for _, o := range leaseDeliveries(t, s, at, 10) {
		if o.Event.Type == "verification.sla_at_risk" {
			deliveries++
		}
	}
	if deliveries != 2 {
		t.Errorf("%d deliveries, want 2", deliveries)
	}
	for _, share := range []float64{-0.1, 1.1} {
		if _, err := s.AtRisk(t.Context(), at, share, 1, atRiskEvent); err == nil {
			t.Errorf("share %v was accepted", share)
		}
	}
	// An event that is refused leaves its verification unmarked.
	v := create(t, s, newVerification())
	if _, err := s.AtRisk(t.Context(), at, share, 10, func(records.Verification) records.Event { return records.Event{} }); err == nil {
		t.Error("an empty event was accepted")
	}
	if got := get(t, s, v.ID); !got.AtRiskAt.IsZero() {
		t.Error("marked without its event")
	}
}

func testAtRiskRace(t *testing.T, s *records.Store) {
	const rows = 40
	for i := range rows {
		v := newVerification()
		v.Tenant = []string{"a", "b", "c"}[i%3]
		create(t, s, v)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	times := map[string]int{}
	for range racers {
		group.Go(func() {
			for {
				got, err := s.AtRisk(t.Context(), now.Add(time.Hour), share, 7, atRiskEvent)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, v := range got {
					times[v.ID]++
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
			t.Errorf("%s was marked %d times", id, n)
		}
	}
}

func testBacklog(t *testing.T, s *records.Store) {
	if got, err := s.Backlog(t.Context(), now); err != nil || !reflect.DeepEqual(got, records.Backlog{}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for i := range 6 {
		v := newVerification()
		v.CreatedAt, v.DeadlineAt = now.Add(-time.Duration(i)*time.Minute), now.Add(time.Duration(3-i)*time.Minute)
		v.Priority = []string{"standard", "batch"}[i%2]
		create(t, s, v)
		if i >= 4 {
			complete(t, s, v.ID, report.OutcomeReview, now)
		}
	}
	got, err := s.Backlog(t.Context(), now.Add(time.Minute))
	want := records.Backlog{
		Queues: []records.QueueBacklog{
			{Priority: "batch", Queued: 2, Overdue: 1, OldestCreated: now.Add(-3 * time.Minute), NearestDeadline: now},
			{Priority: "standard", Queued: 2, OldestCreated: now.Add(-2 * time.Minute), NearestDeadline: now.Add(time.Minute)},
		},
		Reviews: 2, NearestReview: now.Add(-2 * time.Minute),
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("\ngot  %+v, %v\nwant %+v", got, err, want)
	}
}

func testBreaches(t *testing.T, s *records.Store) {
	// Verdicts after 1…100 s; the deadline is 95 s after creation.
	for i := 1; i <= 100; i++ {
		v := newVerification()
		v.DeadlineAt = now.Add(95 * time.Second)
		create(t, s, v)
		complete(t, s, v.ID, report.OutcomePass, now.Add(time.Duration(i)*time.Second))
	}
	for _, outcome := range []report.Outcome{"", report.OutcomeReview} { // both open
		v := newVerification()
		v.Priority, v.DeadlineAt = "batch", now.Add(95*time.Second)
		create(t, s, v)
		if outcome != "" {
			complete(t, s, v.ID, outcome, now.Add(90*time.Second))
		}
	}
	early := newVerification()
	early.CreatedAt = now.Add(-time.Microsecond)
	create(t, s, early)
	got, err := s.Breaches(t.Context(), records.DefaultTenant, now, now.Add(time.Microsecond), now.Add(time.Hour))
	times := records.Percentiles{Count: 100, P50: 50 * time.Second, P95: 95 * time.Second, P99: 99 * time.Second}
	want := []records.SLA{
		{Policy: "dingtalk@1", Priority: "batch", Count: 2, LateMachine: 1, LatePerson: 1,
			Verdict: records.Percentiles{Count: 1, P50: 90 * time.Second, P95: 90 * time.Second, P99: 90 * time.Second}},
		{Policy: "dingtalk@1", Priority: "standard", Count: 100, LateMachine: 5, Verdict: times, Decision: times},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("\ngot  %+v, %v\nwant %+v", got, err, want)
	}
	if got, err := s.Breaches(t.Context(), records.DefaultTenant, now.Add(time.Hour), now.Add(2*time.Hour), now); err != nil || len(got) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	// Before the deadline nothing open is late.
	got, err = s.Breaches(t.Context(), records.DefaultTenant, now, now.Add(time.Microsecond), now)
	if err != nil || got[0].LateMachine != 0 || got[0].LatePerson != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}
