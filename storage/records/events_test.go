package records_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heyan/heyan/storage/records"
)

func newEndpoint(tenant string, types ...string) records.Endpoint {
	return records.Endpoint{ID: records.NewID(), Tenant: tenant, URL: "https://example.org/hook",
		SealedSecrets: []byte("sealed"), Types: types, CreatedAt: now}
}

func addEndpoint(t *testing.T, s *records.Store, types ...string) records.Endpoint {
	t.Helper()
	e := newEndpoint(records.DefaultTenant, types...)
	if err := s.AddEndpoint(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return e
}

func disabled(at time.Time) records.Event {
	return records.Event{Type: "webhook.endpoint_disabled", Dedupe: at.String(), At: at, Payload: []byte(`{}`)}
}

func event(subject string) records.Event {
	return records.Event{Tenant: records.DefaultTenant, Type: "verification.completed", Subject: subject, At: now, Payload: []byte(`{"id":"1"}`)}
}

func addEvent(t *testing.T, s *records.Store, e records.Event) records.Event {
	t.Helper()
	e.ID = records.NewID()
	if added, err := s.AddEvent(t.Context(), e); err != nil || !added {
		t.Fatal(added, err)
	}
	return e
}

func leaseDeliveries(t *testing.T, s *records.Store, at time.Time, limit int) []records.Outgoing {
	t.Helper()
	out, err := s.LeaseDeliveries(t.Context(), at, lease, limit)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// statuses of an event's deliveries by endpoint.
func statuses(t *testing.T, s *records.Store, eventID string) map[string]records.DeliveryStatus {
	t.Helper()
	all, err := s.Deliveries(t.Context(), records.DefaultTenant, eventID)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]records.DeliveryStatus{}
	for _, d := range all {
		got[d.EndpointID] = d.Status
	}
	return got
}

func testEvents(t *testing.T, s *records.Store) {
	var ids []string
	for i := range 5 {
		e := addEvent(t, s, event(fmt.Sprint(i)))
		ids = append(ids, e.ID)
		e.ID = records.NewID()
		if added, err := s.AddEvent(t.Context(), e); added || err != nil {
			t.Errorf("a second time: %t, %v", added, err)
		}
		e.Dedupe = "2031-05-01"
		ids = append(ids, addEvent(t, s, e).ID)
	}
	var got []string
	for after := int64(0); ; {
		page, err := s.Events(t.Context(), records.DefaultTenant, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if e.Seq <= after || string(e.Payload) != `{"id":"1"}` || !e.At.Equal(now) {
				t.Errorf("got %+v after %d", e, after)
			}
			after, got = e.Seq, append(got, e.ID)
		}
	}
	if !slices.Equal(got, ids) {
		t.Errorf("got %q, want %q", got, ids)
	}
	for name, e := range map[string]records.Event{
		"tenant":  {Type: "a.b", Payload: []byte(`{}`)},
		"type":    {Tenant: "acme", Type: "a b", Payload: []byte(`{}`)},
		"payload": {Tenant: "acme", Type: "a.b", Payload: []byte(`{`)},
	} {
		if _, err := s.AddEvent(t.Context(), e); err == nil || retryable(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, limit := range []int{0, records.MaxPage + 1} {
		if _, err := s.Events(t.Context(), records.DefaultTenant, 0, limit); err == nil {
			t.Errorf("limit %d was accepted", limit)
		}
	}
}

// A reader that goes on after the last number it saw misses no event, however
// many writers there are.
func testEventOrder(t *testing.T, s *records.Store) {
	const each = 15
	var writers sync.WaitGroup
	for w := range racers {
		writers.Go(func() {
			for i := range each {
				if _, err := s.AddEvent(t.Context(), event(fmt.Sprint(w, " ", i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() { writers.Wait(); close(ended) }()
	seen := 0
	for after, last := int64(0), false; ; {
		select {
		case <-ended:
			last = true
		default:
		}
		page, err := s.Events(t.Context(), records.DefaultTenant, after, records.MaxPage)
		if err != nil {
			t.Fatal(err)
		}
		if seen += len(page); len(page) > 0 {
			after = page[len(page)-1].Seq
		} else if last {
			break
		}
	}
	if seen != racers*each {
		t.Errorf("saw %d of %d events", seen, racers*each)
	}
}

func testDeliveries(t *testing.T, s *records.Store) {
	everything, some := addEndpoint(t, s), addEndpoint(t, s, "verification.completed", "certification.expired")
	addEndpoint(t, s, "certification.expired")
	if err := s.AddEndpoint(t.Context(), newEndpoint("acme")); err != nil {
		t.Fatal(err)
	}
	e := addEvent(t, s, event("1"))
	wantStatus := func(want map[string]records.DeliveryStatus) {
		t.Helper()
		if got := statuses(t, s, e.ID); !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	wantStatus(map[string]records.DeliveryStatus{everything.ID: records.DeliveryPending, some.ID: records.DeliveryPending})

	if out := leaseDeliveries(t, s, now.Add(-time.Microsecond), 10); len(out) != 0 {
		t.Errorf("leased before they are due: %+v", out)
	}
	out := leaseDeliveries(t, s, now, 1)
	if len(out) != 1 {
		t.Fatalf("leased %d", len(out))
	}
	out = append(out, leaseDeliveries(t, s, now, 10)...)
	if len(out) != 2 || len(leaseDeliveries(t, s, now, 10)) != 0 {
		t.Fatalf("leased %+v", out)
	}
	for _, o := range out {
		endpoint := map[string]records.Endpoint{everything.ID: everything, some.ID: some}[o.EndpointID]
		if len(o.Endpoint.Types) == 0 {
			o.Endpoint.Types = nil
		}
		if !reflect.DeepEqual(o.Endpoint, endpoint) || o.Event.ID != e.ID || string(o.Event.Payload) != string(e.Payload) ||
			!o.NextAt.Equal(now.Add(lease)) {
			t.Errorf("got %+v", o)
		}
	}
	first, second := out[0].ID, out[1].ID
	if err := s.DeliverySucceeded(t.Context(), first, 204, now); err != nil {
		t.Fatal(err)
	}
	since, err := s.DeliveryFailed(t.Context(), second, "timeout", 0, now, now.Add(time.Hour))
	if err != nil || !since.Equal(now) {
		t.Errorf("got %v, %v", since, err)
	}
	since, err = s.DeliveryFailed(t.Context(), second, "refused", 503, now.Add(time.Hour), time.Time{})
	if err != nil || !since.Equal(now) {
		t.Errorf("failing since %v, %v, want %v", since, err, now)
	}
	// What comes late changes nothing.
	if since, err := s.DeliveryFailed(t.Context(), first, "timeout", 0, now, now); err != nil || !since.IsZero() {
		t.Errorf("got %v, %v", since, err)
	}
	if err := s.DeliverySucceeded(t.Context(), second, 200, now); err != nil {
		t.Error(err)
	}
	all, err := s.Deliveries(t.Context(), records.DefaultTenant, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		want := records.Delivery{ID: first, Status: records.DeliverySucceeded, Attempts: 1, NextAt: now, LastAt: now, LastStatus: 204}
		if d.ID == second {
			want = records.Delivery{ID: second, Status: records.DeliveryFailed, Attempts: 2, LastAt: now.Add(time.Hour), LastCode: "refused", LastStatus: 503}
		}
		want.Tenant, want.EventID, want.EndpointID = d.Tenant, e.ID, strings.TrimPrefix(d.ID, e.ID+".")
		if d != want {
			t.Errorf("\ngot  %+v\nwant %+v", d, want)
		}
	}
	if out := leaseDeliveries(t, s, now.Add(24*time.Hour), 10); len(out) != 0 {
		t.Errorf("leased again: %+v", out)
	}
	_, err = s.DeliveryFailed(t.Context(), "1.2", "timeout", 0, now, now)
	want(t, err, records.ErrNotFound)
	want(t, s.DeliverySucceeded(t.Context(), "1.2", 200, now), records.ErrNotFound)
	if _, err := s.DeliveryFailed(t.Context(), first, "Free text", 0, now, now); err == nil {
		t.Error("free text was accepted")
	}

	later := addEndpoint(t, s)
	if n, err := s.Replay(t.Context(), records.DefaultTenant, e.ID, now.Add(time.Minute)); n != 3 || err != nil {
		t.Errorf("replayed %d times, %v", n, err)
	}
	wantStatus(map[string]records.DeliveryStatus{everything.ID: records.DeliveryPending, some.ID: records.DeliveryPending, later.ID: records.DeliveryPending})
	if out := leaseDeliveries(t, s, now.Add(time.Minute), 10); len(out) != 3 || out[0].Attempts != 0 {
		t.Errorf("got %+v", out)
	}
}

func testPurgeEvents(t *testing.T, s *records.Store) {
	e := addEndpoint(t, s)
	for i := range 5 {
		addEvent(t, s, event(fmt.Sprint(i)))
	}
	young := event("young")
	young.At = now.Add(time.Second)
	young = addEvent(t, s, young)
	for _, want := range []int{2, 2, 1, 0} {
		if n, err := s.PurgeEvents(t.Context(), young.At, 2); n != want || err != nil {
			t.Errorf("purged %d, %v, want %d", n, err, want)
		}
	}
	events, err := s.Events(t.Context(), records.DefaultTenant, 0, 10)
	if err != nil || len(events) != 1 || events[0].ID != young.ID {
		t.Errorf("got %+v, %v", events, err)
	}
	if out := leaseDeliveries(t, s, now.Add(day), 10); len(out) != 1 || out[0].EndpointID != e.ID {
		t.Errorf("got %+v", out)
	}
}

func testCallback(t *testing.T, s *records.Store) {
	alone := addEndpoint(t, s)
	addEndpoint(t, s)
	v := newVerification()
	v.Callback = alone.ID
	create(t, s, v)
	if err := s.Complete(t.Context(), v.ID, failed("image_blurry"), done(now)); err != nil {
		t.Fatal(err)
	}
	events, err := s.Events(t.Context(), records.DefaultTenant, 0, 10)
	if err != nil || len(events) != 1 || events[0].Subject != v.ID || events[0].Callback != alone.ID {
		t.Fatalf("got %+v, %v", events, err)
	}
	wanted := map[string]records.DeliveryStatus{alone.ID: records.DeliveryPending}
	if got := statuses(t, s, events[0].ID); !reflect.DeepEqual(got, wanted) {
		t.Errorf("got %v, want %v", got, wanted)
	}
	if n, err := s.Replay(t.Context(), records.DefaultTenant, events[0].ID, now); n != 1 || err != nil {
		t.Errorf("replayed %d times, %v", n, err)
	}
}

func testDisable(t *testing.T, s *records.Store) {
	e, watcher := addEndpoint(t, s, "verification.completed"), addEndpoint(t, s, "webhook.endpoint_disabled")
	held := addEvent(t, s, event("1"))
	out := leaseDeliveries(t, s, now, 10)
	if _, err := s.DeliveryFailed(t.Context(), out[0].ID, "timeout", 0, now, now); err != nil {
		t.Fatal(err)
	}
	for _, changes := range []bool{true, false} {
		changed, err := s.DisableEndpoint(t.Context(), records.DefaultTenant, e.ID, "failing", disabled(now))
		if err != nil || changed != changes {
			t.Errorf("changed %t, %v, want %t", changed, err, changes)
		}
	}
	all, err := s.Endpoints(t.Context(), records.DefaultTenant)
	if err != nil || all[0].DisabledReason != "failing" || !all[0].DisabledAt.Equal(now) || !all[0].FailingSince.Equal(now) {
		t.Errorf("got %+v, %v", all, err)
	}
	if got := statuses(t, s, held.ID); got[e.ID] != records.DeliveryHeld {
		t.Errorf("got %v", got)
	}
	out = leaseDeliveries(t, s, now, 10)
	if len(out) != 1 || out[0].EndpointID != watcher.ID || out[0].Event.Subject != e.ID {
		t.Errorf("got %+v, want the event that says so", out)
	}
	if missed := statuses(t, s, addEvent(t, s, event("2")).ID); len(missed) != 0 {
		t.Errorf("a disabled endpoint got %v", missed)
	}
	if err := s.EnableEndpoint(t.Context(), records.DefaultTenant, e.ID, now); err != nil {
		t.Fatal(err)
	}
	out = leaseDeliveries(t, s, now, 10)
	if len(out) != 1 || out[0].Event.ID != held.ID || !out[0].Endpoint.FailingSince.IsZero() {
		t.Errorf("got %+v, want the held one", out)
	}
	if _, err := s.DisableEndpoint(t.Context(), records.DefaultTenant, e.ID, "Free text", disabled(now)); err == nil {
		t.Error("free text was accepted")
	}
	if err := s.AddEndpoint(t.Context(), newEndpoint(records.DefaultTenant, "a b")); err == nil {
		t.Error("a type of two words was accepted")
	}
}

func testDeleteEndpoint(t *testing.T, s *records.Store) {
	e, kept := addEndpoint(t, s), addEndpoint(t, s)
	sent := addEvent(t, s, event("1"))
	if err := s.DeleteEndpoint(t.Context(), records.DefaultTenant, e.ID); err != nil {
		t.Fatal(err)
	}
	want(t, s.DeleteEndpoint(t.Context(), records.DefaultTenant, e.ID), records.ErrNotFound)
	if got := statuses(t, s, sent.ID); len(got) != 1 || got[kept.ID] != records.DeliveryPending {
		t.Errorf("got %v", got)
	}
	_, err := s.DeliveryFailed(t.Context(), sent.ID+"."+e.ID, "timeout", 0, now, now)
	want(t, err, records.ErrNotFound)
	if got := statuses(t, s, addEvent(t, s, event("2")).ID); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

// Of several senders none gets the delivery of another, while one endpoint is
// switched off and on.
func testDeliveryRace(t *testing.T, s *records.Store) {
	e := addEndpoint(t, s)
	flicker := addEndpoint(t, s)
	const events = 40
	for i := range events {
		addEvent(t, s, event(fmt.Sprint(i)))
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	times := map[string]int{}
	mine := 0
	group.Go(func() {
		for i := range 10 {
			if _, err := s.DisableEndpoint(t.Context(), records.DefaultTenant, flicker.ID, "asked", disabled(now.Add(time.Duration(i)*time.Second))); err != nil {
				t.Error(err)
			}
			if err := s.EnableEndpoint(t.Context(), records.DefaultTenant, flicker.ID, now.Add(time.Hour)); err != nil {
				t.Error(err)
			}
		}
	})
	for range racers {
		group.Go(func() {
			for {
				out, err := s.LeaseDeliveries(t.Context(), now, lease, 3)
				if err != nil {
					t.Error(err)
					return
				}
				for _, o := range out {
					if err := s.DeliverySucceeded(t.Context(), o.ID, 200, now); err != nil {
						t.Error(err)
					}
				}
				mu.Lock()
				for _, o := range out {
					if times[o.ID]++; o.EndpointID == e.ID && !strings.HasPrefix(o.Event.Type, "webhook") {
						mine++
					}
				}
				done := mine == events
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
