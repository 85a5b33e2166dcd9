package records_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

const year = 365 * day

// submit stores a queued verification of an organization.
func submit(t *testing.T, s *records.Store, organization string) records.Verification {
	t.Helper()
	v := newVerification()
	v.OrganizationID = organization
	return create(t, s, v)
}

func passed() report.Report {
	return report.Report{Status: report.StatusCompleted, Outcome: report.OutcomePass, Policy: "dingtalk@1"}
}

// grant is what a pass gives to the organization of a name, for a year from a time
// on.
func grant(name, code string, at time.Time) *records.Grant {
	return &records.Grant{
		Certification: records.Certification{Name: name, USCC: code, LegalRepresentative: "李四", Capital: "100万元", Term: "长期", Policy: "dingtalk@1",
			Checks: map[string]string{"uscc_checksum": "passed"}, From: at, Until: at.Add(year)},
		NameKeys: []records.NameKey{{Kind: records.NameSame, Key: name}, {Kind: "core", Key: name[:3]}},
		License:  code,
		Contacts: [][]byte{{0xff, 0}, []byte(name)},
		NextAt:   at.Add(year - 60*day),
		Event:    records.Event{Type: "certification.granted", Payload: []byte(`{}`)},
	}
}

// complete with a pass that grants.
func granted(t *testing.T, s *records.Store, v records.Verification, g *records.Grant, at time.Time) error {
	t.Helper()
	c := done(at)
	c.Grant = g
	return s.Complete(t.Context(), v.ID, passed(), c)
}

// certify takes an organization the whole way and returns the verification.
func certify(t *testing.T, s *records.Store, organization, name, code string) records.Verification {
	t.Helper()
	v := submit(t, s, organization)
	if err := granted(t, s, v, grant(name, code, now), now); err != nil {
		t.Fatal(err)
	}
	return v
}

func organization(t *testing.T, s *records.Store, id string) records.Organization {
	t.Helper()
	o, err := s.Organization(t.Context(), records.DefaultTenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func inState(t *testing.T, s *records.Store, id string, want records.OrganizationState) {
	t.Helper()
	if got := organization(t, s, id); got.State != want {
		t.Errorf("%s is %s, want %s", id, got.State, want)
	}
}

// An organization is pending while a verification of it is undecided, and then
// what it was.
func testPending(t *testing.T, s *records.Store) {
	v := newVerification()
	v.OrganizationID, v.EntityType = "org-1", "company"
	create(t, s, v)
	wanted := records.Organization{Tenant: records.DefaultTenant, ID: "org-1", State: records.Pending, EntityType: "company",
		Verification: v.ID, Policy: "dingtalk@1", CreatedAt: now, ChangedAt: now, Version: 1}
	if got := organization(t, s, "org-1"); !reflect.DeepEqual(got, wanted) {
		t.Errorf("\ngot  %+v\nwant %+v", got, wanted)
	}
	if got := get(t, s, v.ID); got.EntityType != "company" {
		t.Errorf("got %+v", got)
	}
	free := newVerification()
	free.EntityType = "李四 13800138000" // where a code belongs
	if got := create(t, s, free); got.EntityType != "" || get(t, s, free.ID).EntityType != "" {
		t.Errorf("free text is kept: %+v", got)
	}
	_, err := s.Organization(t.Context(), "other", "org-1")
	want(t, err, records.ErrNotFound)

	second := newVerification()
	second.OrganizationID, second.CreatedAt, second.Policy = "org-1", now.Add(time.Minute), "strict@2"
	create(t, s, second)
	wanted.Verification, wanted.Policy, wanted.ChangedAt, wanted.Version = second.ID, "strict@2", second.CreatedAt, 2
	if got := organization(t, s, "org-1"); !reflect.DeepEqual(got, wanted) {
		t.Errorf("\ngot  %+v\nwant %+v", got, wanted)
	}
	complete(t, s, second.ID, report.OutcomeFail, now)
	inState(t, s, "org-1", records.Pending) // the first one is still at work
	complete(t, s, v.ID, report.OutcomeError, now)
	inState(t, s, "org-1", records.Unverified)

	complete(t, s, submit(t, s, "org-1").ID, report.OutcomePass, now) // without a grant
	inState(t, s, "org-1", records.Unverified)

	review := toReview(t, s, func(v *records.Verification) { v.OrganizationID = "org-1" })
	inState(t, s, "org-1", records.Pending)
	decide(t, s, decision(review, ann, records.Reject), ann, records.DecideTerms{})
	inState(t, s, "org-1", records.Pending)
	finalize(t, s, now)
	inState(t, s, "org-1", records.Unverified)

	review = toReview(t, s, func(v *records.Verification) { v.OrganizationID = "org-1" })
	if _, err := s.Erase(t.Context(), records.DefaultTenant, review, entry("", "")); err != nil {
		t.Fatal(err)
	}
	inState(t, s, "org-1", records.Unverified)
}

// Where an organization goes to with each new verification, and back.
func testSubmitted(t *testing.T, s *records.Store) {
	for i, c := range []struct {
		state, waits records.OrganizationState
		end          string
	}{
		{records.Certified, records.Certified, ""},
		{records.Expired, records.Pending, records.EndExpired},
		{records.Cancelled, records.Pending, records.EndCancelled},
		{records.Revoked, records.Revoked, records.EndRevoked},
	} {
		id := fmt.Sprint("org-", i)
		certify(t, s, id, "沪甲"+id, id)
		if c.end != "" {
			end(t, s, id, c.end, c.state, now.Add(year))
		}
		inState(t, s, id, c.state)
		later := newVerification()
		later.OrganizationID, later.CreatedAt = id, now.Add(2*year)
		v := submit(t, s, id)
		inState(t, s, id, c.waits)
		complete(t, s, v.ID, report.OutcomeFail, now)
		inState(t, s, id, c.state)
		if err := granted(t, s, create(t, s, later), grant("沪甲"+id, id, later.CreatedAt), later.CreatedAt); err != nil {
			t.Error(err)
		}
		inState(t, s, id, records.Certified)
	}
}

// Who else verifies an organization of the same id in another tenant, or none, has
// nothing to do with it.
func testOrganizationTenants(t *testing.T, s *records.Store) {
	certify(t, s, "org-1", "沪甲", "code-1")
	v := newVerification()
	v.Tenant, v.OrganizationID = "other", "org-1"
	create(t, s, v)
	if err := granted(t, s, v, grant("沪甲", "code-1", now), now); err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{records.DefaultTenant, "other"} {
		if all, err := s.Certifications(t.Context(), tenant, "org-1"); err != nil || len(all) != 1 {
			t.Errorf("%s: %+v, %v", tenant, all, err)
		}
	}
	if err := s.Dissolve(t.Context(), "third", "org-1", dissolved); err == nil {
		t.Error("another tenant's organization was dissolved")
	}
	if all, err := s.Organizations(t.Context(), "third", records.OrganizationQuery{}); err != nil || len(all.Organizations) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	v = newVerification()
	if err := granted(t, s, create(t, s, v), grant("沪乙", "code-2", now), now); err == nil {
		t.Error("no organization was certified")
	}
}

func testOrganizations(t *testing.T, s *records.Store) {
	for i, name := range []string{"沪乙", "沪甲", "沪甲乙", "浙甲", "沪"} {
		v := submit(t, s, fmt.Sprint("org-", i))
		at := now.Add(time.Duration(5-i) * day)
		if err := granted(t, s, v, grant(name, fmt.Sprint(i), at), at); err != nil {
			t.Fatal(err)
		}
	}
	submit(t, s, "org-5")
	end(t, s, "org-3", records.EndRevoked, records.Revoked, now)
	for _, c := range []struct {
		name  string
		query records.OrganizationQuery
		want  []string
	}{
		{"all", records.OrganizationQuery{}, []string{"org-0", "org-1", "org-2", "org-3", "org-4", "org-5"}},
		{"state", records.OrganizationQuery{State: records.Certified}, []string{"org-0", "org-1", "org-2", "org-4"}},
		{"pending", records.OrganizationQuery{State: records.Pending}, []string{"org-5"}},
		{"prefix", records.OrganizationQuery{Name: "沪"}, []string{"org-4", "org-0", "org-1", "org-2"}},
		{"longer prefix", records.OrganizationQuery{Name: "沪甲"}, []string{"org-1", "org-2"}},
		{"last name", records.OrganizationQuery{Name: "浙"}, []string{"org-3"}},
		{"no name", records.OrganizationQuery{Name: "\xff"}, nil},
		{"valid", records.OrganizationQuery{ValidBefore: now.Add(year + 4*day)}, []string{"org-4", "org-3", "org-2"}},
		{"together", records.OrganizationQuery{State: records.Certified, ValidBefore: now.Add(year + 5*day), Name: "沪甲"}, []string{"org-2", "org-1"}},
	} {
		for _, limit := range []int{0, 1, 2} {
			q := c.query
			q.Limit = limit
			var got []string
			for {
				page, err := s.Organizations(t.Context(), records.DefaultTenant, q)
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				for _, o := range page.Organizations {
					got = append(got, o.ID)
				}
				if q.After = page.Next; q.After == "" {
					break
				}
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s by %d: got %q, want %q", c.name, limit, got, c.want)
			}
		}
	}
	for _, after := range []string{"?", "b3Jn", "AA", "LT8Ab3Jn"} {
		q := records.OrganizationQuery{ValidBefore: now, After: after}
		_, err := s.Organizations(t.Context(), records.DefaultTenant, q)
		want(t, err, records.ErrCursor)
	}
	if _, err := s.Organizations(t.Context(), records.DefaultTenant, records.OrganizationQuery{Limit: 101}); err == nil {
		t.Error("a page of 101")
	}
}
