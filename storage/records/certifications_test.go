package records_test

import (
	"context"
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

func end(t *testing.T, s *records.Store, id, why string, state records.OrganizationState, at time.Time) records.Organization {
	t.Helper()
	o, err := tryEnd(t, s, id, why, state, at)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func tryEnd(t *testing.T, s *records.Store, id, why string, state records.OrganizationState, at time.Time) (records.Organization, error) {
	t.Helper()
	e := records.Entry{At: at, Actor: "key:1", Action: "certification." + why}
	return s.EndCertification(t.Context(), records.DefaultTenant, id, why, state, e, records.Event{Type: "certification." + why, Payload: []byte(`{}`)})
}

// dissolved is the entry of one that is.
var dissolved = records.Entry{At: now, Actor: "key:1", Action: "organization.dissolved"}

// refused by a state.
func refused(t *testing.T, err error, state records.OrganizationState) {
	t.Helper()
	if e, ok := errors.AsType[*records.StateError](err); !ok || e.State != state || retryable(err) {
		t.Errorf("got %v, want that %s forbids it", err, state)
	}
}

func certifications(t *testing.T, s *records.Store, id string) []records.Certification {
	t.Helper()
	all, err := s.Certifications(t.Context(), records.DefaultTenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// subjectEvents are the types of the events of a subject.
func subjectEvents(t *testing.T, s *records.Store, subject string) (types []string) {
	t.Helper()
	events, err := s.Events(t.Context(), records.DefaultTenant, 0, records.MaxPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Subject == subject {
			types = append(types, e.Type)
		}
	}
	return types
}

func testGrant(t *testing.T, s *records.Store) {
	v := submit(t, s, "org-1")
	g := grant("沪甲", "code-1", now)
	g.Certification.ID = records.NewID()
	if err := granted(t, s, v, g, now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	first := g.Certification
	first.Tenant, first.Organization, first.Verification = records.DefaultTenant, "org-1", v.ID
	if got := certifications(t, s, "org-1"); !reflect.DeepEqual(got, []records.Certification{first}) {
		t.Errorf("\ngot  %+v\nwant %+v", got, first)
	}
	wanted := records.Organization{Tenant: records.DefaultTenant, ID: "org-1", State: records.Certified, Name: "沪甲", USCC: "code-1",
		Certification: first.ID, ValidUntil: now.Add(year), Verification: v.ID, Policy: "dingtalk@1", NextAt: g.NextAt,
		CreatedAt: now, ChangedAt: now.Add(time.Minute), Version: organization(t, s, "org-1").Version}
	if got := organization(t, s, "org-1"); !reflect.DeepEqual(got, wanted) {
		t.Errorf("\ngot  %+v\nwant %+v", got, wanted)
	}
	if _, err := s.Remind(t.Context(), wanted, 30, now, records.Event{Type: "certification.expiring", Payload: []byte(`{}`), At: now}); err != nil {
		t.Fatal(err)
	}

	renewal, renamed := submit(t, s, "org-1"), submit(t, s, "org-1")
	later := now.Add(300 * day)
	if err := granted(t, s, renewal, grant("沪甲", "code-1", later), later); err != nil {
		t.Fatal(err)
	}
	if got := organization(t, s, "org-1"); got.State != records.Certified || got.Reminded != 0 || !got.ValidUntil.Equal(later.Add(year)) {
		t.Errorf("got %+v", got)
	}
	if err := granted(t, s, renamed, grant("沪乙", "code-1", later.Add(day)), later.Add(day)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range certifications(t, s, "org-1") {
		got = append(got, c.Name+" "+c.End+fmt.Sprint(c.EndedAt.IsZero()))
	}
	if want := []string{"沪乙 true", "沪甲 supersededfalse", "沪甲 renewedfalse"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := subjectEvents(t, s, "org-1"), []string{"certification.granted", "certification.expiring", "certification.granted", "certification.granted"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := actions(t, s, "org-1"), []string{"system certification.granted", "system certification.granted", "system certification.granted"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// The name that it had is free.
	certify(t, s, "org-2", "沪甲", "code-2")
}

// What is refused leaves everything as it was.
func testGrantWhole(t *testing.T, s *records.Store) {
	certify(t, s, "holder", "沪甲", "code-1")
	for name, change := range map[string]func(*records.Grant, *report.Report){
		"event":   func(g *records.Grant, _ *report.Report) { g.NameKeys, g.License, g.Event.Payload = nil, "", nil },
		"fail":    func(_ *records.Grant, r *report.Report) { r.Outcome = report.OutcomeFail },
		"name":    func(g *records.Grant, _ *report.Report) { g.License = "code-2" },
		"license": func(g *records.Grant, _ *report.Report) { g.NameKeys = nil },
	} {
		v := submit(t, s, "org-1")
		before, was := get(t, s, v.ID), organization(t, s, "org-1")
		c, r := done(now), passed()
		c.Grant = grant("沪甲", "code-1", now)
		change(c.Grant, &r)
		err := s.Complete(t.Context(), v.ID, r, c)
		if err == nil || retryable(err) {
			t.Errorf("%s: got %v", name, err)
		}
		locked, ok := errors.AsType[*records.LockedError](err)
		if isLock := name == records.LockedName || name == records.LockedLicense; ok != isLock || ok && (locked.Kind != name || locked.Organization != "holder") {
			t.Errorf("%s: got %v", name, err)
		}
		same(t, get(t, s, v.ID), before)
		if got := organization(t, s, "org-1"); !reflect.DeepEqual(got, was) {
			t.Errorf("%s: got %+v, want %+v", name, got, was)
		}
		if got := certifications(t, s, "org-1"); len(got) != 0 {
			t.Errorf("%s: got %+v", name, got)
		}
		if got := subjectEvents(t, s, v.ID); len(got) != 0 {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// A license may be shared when both say so, and a lock ends with what holds it.
func testShared(t *testing.T, s *records.Store) {
	for i, c := range []struct{ first, second, want bool }{
		{false, false, false}, {true, false, false}, {false, true, false}, {true, true, true},
	} {
		code := fmt.Sprint("code-", i)
		a, b := grant("甲"+code, code, now), grant("乙"+code, code, now)
		a.Shared, b.Shared = c.first, c.second
		v, other := submit(t, s, "a-"+code), submit(t, s, "b-"+code)
		if err := granted(t, s, v, a, now); err != nil {
			t.Fatal(err)
		}
		err := granted(t, s, other, b, now)
		if _, locked := errors.AsType[*records.LockedError](err); locked == c.want || !locked && err != nil {
			t.Errorf("%+v: got %v", c, err)
		}
		holders, err := s.LicenseHolders(t.Context(), records.DefaultTenant, code, "")
		if err != nil || len(holders) != 1+map[bool]int{true: 1}[c.want] {
			t.Errorf("%+v: held by %q, %v", c, holders, err)
		}
		if !c.want {
			end(t, s, "a-"+code, records.EndCancelled, records.Cancelled, now)
			if err := granted(t, s, other, b, now); err != nil {
				t.Errorf("%+v: it is not free: %v", c, err)
			}
		}
	}
}

func testEndCertification(t *testing.T, s *records.Store) {
	certify(t, s, "org-1", "沪甲", "code-1")
	_, err := tryEnd(t, s, "org-1", records.EndExpired, records.Expired, now.Add(year-time.Microsecond))
	refused(t, err, records.Certified)
	refused(t, s.Dissolve(t.Context(), records.DefaultTenant, "org-1", dissolved), records.Certified)
	at := now.Add(year)
	o := end(t, s, "org-1", records.EndExpired, records.Expired, at)
	if o.State != records.Expired || o.Certification != "" || o.Name != "沪甲" || !o.NextAt.IsZero() || !o.ValidUntil.Equal(at) || !o.ChangedAt.Equal(at) {
		t.Errorf("got %+v", o)
	}
	if got := organization(t, s, "org-1"); !reflect.DeepEqual(got, o) {
		t.Errorf("got %+v, want %+v", got, o)
	}
	if got := certifications(t, s, "org-1"); len(got) != 1 || got[0].End != records.EndExpired || !got[0].EndedAt.Equal(at) || got[0].LegalRepresentative == "" {
		t.Errorf("got %+v", got)
	}
	if holders, err := s.NamesAlike(t.Context(), records.DefaultTenant, grant("沪甲", "", now).NameKeys, "", 10); err != nil || len(holders) != 0 {
		t.Errorf("still held by %+v, %v", holders, err)
	}
	for why, state := range map[string]records.OrganizationState{records.EndExpired: records.Expired, records.EndRevoked: records.Revoked} {
		_, err = tryEnd(t, s, "org-1", why, state, at)
		refused(t, err, records.Expired)
	}
	if got, want := subjectEvents(t, s, "org-1"), []string{"certification.granted", "certification.expired"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := actions(t, s, "org-1"), []string{"system certification.granted", "key:1 certification.expired"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err = tryEnd(t, s, "org-2", records.EndRevoked, records.Revoked, now)
	want(t, err, records.ErrNotFound)
}

// What was handed in before a certification was taken away, or the organization
// dissolved, certifies nothing; what comes after may.
func testBarred(t *testing.T, s *records.Store) {
	at := now.Add(day)
	for _, c := range []struct {
		name  string
		state records.OrganizationState
		bar   func(id string)
		bars  bool
	}{
		{"revoked", records.Revoked, func(id string) { end(t, s, id, records.EndRevoked, records.Revoked, at) }, true},
		{"cancelled", records.Cancelled, func(id string) { end(t, s, id, records.EndCancelled, records.Cancelled, at) }, true},
		{"expired", records.Expired, func(id string) { end(t, s, id, records.EndExpired, records.Expired, now.Add(year)) }, false},
		{"dissolved", records.Cancelled, func(id string) {
			end(t, s, id, records.EndExpired, records.Expired, now.Add(year))
			dissolve(t, s, id, at)
		}, true},
		{"revoked and dissolved", records.Revoked, func(id string) {
			end(t, s, id, records.EndRevoked, records.Revoked, now)
			dissolve(t, s, id, at)
		}, true},
	} {
		certify(t, s, c.name, "名"+c.name, c.name)
		v := newVerification()
		v.OrganizationID, v.CreatedAt = c.name, at
		create(t, s, v)
		c.bar(c.name)
		o := organization(t, s, c.name)
		if wanted := map[bool]time.Time{true: at}[c.bars]; o.State != c.state || !o.BarredAt.Equal(wanted) {
			t.Errorf("%s: got %+v", c.name, o)
		}
		err := granted(t, s, v, grant("名"+c.name, c.name, at), at)
		if !c.bars && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.bars {
			refused(t, err, c.state)
		}
		v = newVerification()
		v.OrganizationID, v.CreatedAt = c.name, at.Add(time.Microsecond)
		if err := granted(t, s, create(t, s, v), grant("名"+c.name, c.name, at), at); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func dissolve(t *testing.T, s *records.Store, id string, at time.Time) {
	t.Helper()
	e := dissolved
	e.At = at
	if err := s.Dissolve(t.Context(), records.DefaultTenant, id, e); err != nil {
		t.Fatal(err)
	}
}

func testDissolve(t *testing.T, s *records.Store) {
	submit(t, s, "org-1")
	if err := s.Dissolve(t.Context(), records.DefaultTenant, "org-1", records.Entry{At: now}); err == nil {
		t.Error("dissolved without an actor")
	}
	inState(t, s, "org-1", records.Pending)
	dissolve(t, s, "org-1", now)
	inState(t, s, "org-1", records.Cancelled)
	if got := actions(t, s, "org-1"); !slices.Equal(got, []string{"key:1 organization.dissolved"}) {
		t.Errorf("got %q", got)
	}
	certify(t, s, "org-2", "沪甲", "code-1")
	refused(t, s.Dissolve(t.Context(), records.DefaultTenant, "org-2", dissolved), records.Certified)
	want(t, s.Dissolve(t.Context(), records.DefaultTenant, "org-3", dissolved), records.ErrNotFound)
}

// concluded with this conclusion for each.
func conclude(t *testing.T, s *records.Store, at time.Time, what func(records.Verification, records.Decision) (records.Conclusion, error)) ([]records.Verification, error) {
	t.Helper()
	return s.Conclude(t.Context(), at, 10, func(_ context.Context, v records.Verification, d records.Decision) (records.Conclusion, error) {
		return what(v, d)
	})
}

// A final approval grants what its callback says, which may ask the store.
func testConclude(t *testing.T, s *records.Store) {
	approved := func(organization string) string {
		id := toReview(t, s, func(v *records.Verification) { v.OrganizationID, v.Sealed = organization, []byte("sealed") })
		d := decision(id, ann, records.Approve)
		d.Corrections = map[report.FieldName]string{report.FieldUSCC: "code-1"}
		decide(t, s, d, ann, records.DecideTerms{})
		return id
	}
	away := errors.New("the vault is away")
	first, second := approved("org-1"), approved("org-2")
	calls := 0
	final, err := conclude(t, s, now, func(v records.Verification, d records.Decision) (records.Conclusion, error) {
		calls++
		holders, err := s.LicenseHolders(t.Context(), v.Tenant, v.USCC, v.OrganizationID)
		if err != nil || len(holders) != 0 || v.Report == nil || string(v.Sealed) != "sealed" || v.USCC != "code-1" || v.Outcome != report.OutcomePass ||
			!v.DecidedAt.Equal(d.At) || len(v.Reasons) != 0 || !d.FinalAt.Equal(now) {
			t.Errorf("got %+v, %q, %v", v, holders, err)
		}
		if v.ID == first {
			return records.Conclusion{}, away
		}
		return records.Conclusion{Event: finalEvent(v, d), Grant: grant("沪甲", v.USCC, now)}, nil
	})
	if !errors.Is(err, away) || len(final) != 1 || final[0].ID != second || final[0].Report != nil || calls != 2 {
		t.Errorf("got %+v, %v after %d calls", final, err, calls)
	}
	inState(t, s, "org-1", records.Pending)
	if got := certifications(t, s, "org-2"); len(got) != 1 || got[0].Verification != second {
		t.Errorf("got %+v", got)
	}
	if final := finalize(t, s, now); len(final) != 1 || final[0].ID != first {
		t.Errorf("got %+v", final)
	}
	inState(t, s, "org-1", records.Unverified)
}

// An approval of what another organization holds goes to a lead.
func testClash(t *testing.T, s *records.Store) {
	certify(t, s, "holder", "沪甲", "code-1")
	for _, c := range []struct {
		name, code string
		reasons    []string
	}{
		{"沪甲", "code-2", []string{"uscc_unreadable", "name_taken"}},
		{"沪乙", "code-1", []string{"uscc_unreadable", "license_in_use"}},
		{"沪丙", "code-3", []string{"uscc_unreadable"}}, // of an organization that is dissolved meanwhile
	} {
		id := toReview(t, s, func(v *records.Verification) { v.OrganizationID = "org-" + c.code })
		if c.code == "code-3" {
			dissolve(t, s, "org-code-3", now)
		}
		before := get(t, s, id)
		d := decision(id, ann, records.Approve)
		decide(t, s, d, ann, records.DecideTerms{Grace: grace})
		at := now.Add(grace)
		asks := func(v records.Verification, d records.Decision) (records.Conclusion, error) {
			return records.Conclusion{Event: finalEvent(v, d), Grant: grant(c.name, c.code, now)}, nil
		}
		for range 2 {
			if final, err := conclude(t, s, at, asks); err != nil || len(final) != 0 {
				t.Errorf("%s: got %+v, %v", c.name, final, err)
			}
		}
		same(t, get(t, s, id), before)
		got := theCase(t, s, id)
		if got.Stage != records.StageEscalated || got.ClaimedBy != "" || got.Decision != "" || !got.EffectiveAt.IsZero() || !slices.Equal(got.Reasons, c.reasons) {
			t.Errorf("%s: got %+v", c.name, got)
		}
		if all := actions(t, s, id); all[len(all)-1] != "system case.clash" || len(all) != 2 {
			t.Errorf("%s: got %q", c.name, all)
		}
		q := records.CaseQuery{Reason: c.reasons[len(c.reasons)-1], Stage: records.StageEscalated, OrganizationID: "org-" + c.code}
		if page, err := s.Cases(t.Context(), records.DefaultTenant, q, lead, at); err != nil || len(page.Cases) != 1 {
			t.Errorf("%s: got %+v, %v", c.name, page, err)
		}
		_, err := s.Undo(t.Context(), records.DefaultTenant, d.ID, ann.User, at, at)
		want(t, err, records.ErrTooLate)
		final := decision(id, lead, records.Reject)
		final.At = at
		if d := decide(t, s, final, lead, records.DecideTerms{}); d.Round != 3 {
			t.Errorf("%s: got %+v", c.name, d)
		}
		if done := finalize(t, s, at); len(done) != 1 || done[0].Outcome != report.OutcomeFail {
			t.Errorf("%s: got %+v", c.name, done)
		}
		for _, reason := range c.reasons {
			if page, err := s.Cases(t.Context(), records.DefaultTenant, records.CaseQuery{Reason: reason}, lead, at); err != nil || len(page.Cases) != 0 {
				t.Errorf("%s: %s leads to %+v, %v", c.name, reason, page, err)
			}
		}
	}
}

// Of several that want one name, or one license, at a time, one gets it.
func testGrantRace(t *testing.T, dsn string) {
	stores := []*records.Store{open(t, dsn), open(t, dsn)}
	var group sync.WaitGroup
	var mu sync.Mutex
	wins := map[string]int{}
	for round := range 4 {
		for i := range racers {
			id := fmt.Sprint("org-", round, "-", i)
			v := submit(t, stores[0], id)
			g := grant(fmt.Sprint("沪", round), fmt.Sprint("code-", round, "-", i), now)
			kind := records.LockedName
			if round%2 == 1 {
				g = grant(fmt.Sprint("沪", round, "-", i), fmt.Sprint("code-", round), now)
				kind = records.LockedLicense
				g.Shared = i%2 == 1
			}
			group.Go(func() {
				err := granted(t, stores[i%2], v, g, now)
				locked, ok := errors.AsType[*records.LockedError](err)
				if err != nil && (!ok || locked.Kind != kind) {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					wins[fmt.Sprint(round, g.Shared)]++
				}
			})
		}
	}
	group.Wait()
	for round := range 4 {
		alone, shared := wins[fmt.Sprint(round, false)], wins[fmt.Sprint(round, true)]
		if alone+shared == 0 || alone > 1 || alone == 1 && shared > 0 || round%2 == 0 && shared > 0 {
			t.Errorf("round %d: %d alone and %d that share", round, alone, shared)
		}
	}
}

// People are named no longer than they may be.
func testForget(t *testing.T, s *records.Store) {
	named := func(id string) bool { return certifications(t, s, id)[0].LegalRepresentative != "" }
	contacts := func(name string) int {
		holders, err := s.ContactHolders(t.Context(), records.DefaultTenant, [][]byte{[]byte(name)}, "")
		if err != nil {
			t.Fatal(err)
		}
		return len(holders)
	}
	v := certify(t, s, "erased", "沪甲", "code-1")
	if _, err := s.Erase(t.Context(), records.DefaultTenant, v.ID, entry("", "")); err != nil {
		t.Fatal(err)
	}
	if named("erased") || contacts("沪甲") != 0 {
		t.Error("an erased verification's certification names a person")
	}
	inState(t, s, "erased", records.Certified)

	for _, id := range []string{"ended first", "report gone first", "present"} {
		v := submit(t, s, id)
		c := done(now)
		c.Grant, c.ReportUntil = grant("名"+id, id, now), now.Add(day)
		if err := s.Complete(t.Context(), v.ID, passed(), c); err != nil {
			t.Fatal(err)
		}
	}
	end(t, s, "ended first", records.EndRevoked, records.Revoked, now)
	if !named("ended first") {
		t.Error("it is forgotten before the report")
	}
	if n, err := s.DropReports(t.Context(), now.Add(day), 10); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if named("ended first") || !named("report gone first") {
		t.Error("retention does not look at whether a certification is present")
	}
	end(t, s, "report gone first", records.EndRevoked, records.Revoked, now)
	if named("report gone first") || !named("present") || contacts("名present") != 1 {
		t.Error("an end does not look at whether the report is gone")
	}
}
