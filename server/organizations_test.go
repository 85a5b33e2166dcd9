package server

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/storage/records"
)

func TestOrganizations(t *testing.T) {
	r := start(t, nil)
	r.certify(t, "org-1")
	r.certify(t, "another/one") // ids are the caller's own
	reason := map[string]string{"reason": "the seal is forged"}
	var seen struct {
		Organization
		Certifications []Certification
	}
	look := func(state records.OrganizationState, entitled bool, end string) {
		t.Helper()
		r.is(t, "look", r.ask(t, r.Key, "GET", "/v1/organizations/org-1", nil, &seen), 200, "")
		if seen.State != state || seen.Entitled != entitled || len(seen.Certifications) != 1 || seen.Certifications[0].End != end || seen.ValidUntil == nil || seen.Name == "" {
			t.Errorf("got %+v", seen)
		}
	}
	var check struct {
		Dissolvable bool
		Reason      struct{ ZH, EN string }
	}
	dissolvable := func(want bool, why string) {
		t.Helper()
		check.Reason.EN = ""
		r.ask(t, r.Key, "GET", "/v1/organizations/org-1/dissolution-check", nil, &check)
		if check.Dissolvable != want || !strings.Contains(check.Reason.EN, why) || !want && check.Reason.ZH == "" {
			t.Errorf("got %+v", check)
		}
	}
	look(records.Certified, true, "")
	dissolvable(false, "cancel the certification")
	r.is(t, "dissolve one that is certified", r.ask(t, r.Key, "POST", "/v1/organizations/org-1/dissolve", reason, nil), 409, "organization_state")
	r.is(t, "revoke without a reason", r.ask(t, r.Key, "POST", "/v1/organizations/org-1/revoke", map[string]string{}, nil), 422, "")
	r.is(t, "revoke", r.ask(t, r.Key, "POST", "/v1/organizations/org-1/revoke", reason, nil), 200, "")
	look(records.Revoked, false, "revoked")
	r.is(t, "revoke again", r.ask(t, r.Key, "POST", "/v1/organizations/org-1/revoke", reason, nil), 409, "organization_state")
	r.is(t, "cancel it", r.ask(t, r.Key, "POST", "/v1/organizations/org-1/cancel", reason, nil), 409, "organization_state")
	dissolvable(true, "")
	r.is(t, "dissolve", r.ask(t, r.Key, "POST", "/v1/organizations/org-1/dissolve", reason, nil), 204, "")
	look(records.Revoked, false, "revoked")
	r.is(t, "cancel", r.ask(t, r.Key, "POST", "/v1/organizations/another%2Fone/cancel", reason, nil), 200, "")
	r.is(t, "nobody's", r.ask(t, r.Key, "GET", "/v1/organizations/org-9", nil, nil), 404, "not_found")
	r.is(t, "no text", r.ask(t, r.Key, "GET", "/v1/organizations/%ff", nil, nil), 404, "not_found")
	r.is(t, "an id with a slash", r.ask(t, r.Key, "GET", "/v1/organizations/another%2Fone", nil, nil), 200, "")

	var page struct {
		Organizations []Organization
		Next          string
	}
	for query, want := range map[string][]string{
		"": {"another/one", "org-1"}, "state=cancelled": {"another/one"}, "name=示例科技有限公司o": {"org-1"}, "name=科技": nil,
		"valid_before=" + time.Now().AddDate(2, 0, 0).UTC().Format(time.RFC3339): {"another/one", "org-1"},
		"valid_before=" + time.Now().UTC().Format(time.RFC3339):                  nil,
	} {
		var got []string
		for next := ""; ; {
			page.Next = ""
			r.is(t, query, r.ask(t, r.Key, "GET", "/v1/organizations?limit=1&"+query+"&after="+next, nil, &page), 200, "")
			for _, o := range page.Organizations {
				got = append(got, o.ID)
			}
			if next = page.Next; next == "" {
				break
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
	var log struct{ Entries []auditEntry }
	r.ask(t, r.Key, "GET", "/v1/audit?subject=org-1", nil, &log)
	var actions []string
	for _, e := range log.Entries {
		actions = append(actions, e.Action)
	}
	if !slices.Equal(actions, []string{"organization.dissolved", "certification.revoked", "certification.granted"}) {
		t.Errorf("audit %q", actions)
	}
}
