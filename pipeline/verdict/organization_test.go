package verdict

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/report"
)

// ofOrganization is clean evidence of one.
func ofOrganization(t testing.TB) Evidence {
	e := clean(t)
	e.Picture.SHA256 = "00"
	e.Declared = declaredAll(e.Fields[report.FieldUSCC].Value)
	e.Declared.OrganizationID = "org-1"
	return e
}

func told(reasons []report.Reason) (all []string) {
	for _, r := range reasons {
		all = append(all, strings.TrimSpace(strings.Join([]string{r.Code, string(r.Severity), string(r.Field), r.Evidence.Detail, r.Evidence.Found}, " ")))
	}
	return all
}

func TestOthers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		others  Others
		change  func(*Evidence)
		policy  string
		outcome report.Outcome
		reasons []string
		checks  string // status of name_lock, license_use, photo_use, contact_use
	}{
		{"nobody", Others{}, nil, "dingtalk", report.OutcomePass, nil, "passed passed passed passed"},
		{"names", Others{Names: []NameLike{{"org-2", license.LikenessPinyin}, {"org-3", license.LikenessSame}}}, nil, "dingtalk", report.OutcomeFail,
			[]string{"name_taken block name same org-3", "name_confusable review name pinyin org-2"}, "failed passed passed passed"},
		{"license", Others{License: []string{"org-2"}}, nil, "dingtalk", report.OutcomeReview, []string{"license_in_use review uscc  org-2"}, "passed failed passed passed"},
		{"license, strictly", Others{License: []string{"org-2"}}, nil, "strict", report.OutcomeFail, []string{"license_in_use block uscc  org-2"}, "passed failed passed passed"},
		{"photo", Others{Photo: []PhotoLike{{"v-2", "same_file"}}}, nil, "dingtalk", report.OutcomeReview, []string{"photo_reused review  same_file v-2"}, "passed passed failed passed"},
		{"contacts", Others{Email: []string{"org-2"}, Phone: []string{"org-2"}}, nil, "dingtalk", report.OutcomeReview,
			[]string{"contact_reused review email  org-2", "contact_reused review phone  org-2"}, "passed passed passed failed"},
		{"no contacts", Others{}, func(e *Evidence) { e.Declared.Email, e.Declared.Phone = "", "" }, "dingtalk", report.OutcomePass, nil, "passed passed passed not_applicable"},
		{"nothing read", Others{}, func(e *Evidence) {
			e.Fields, e.Picture, e.DocumentRead = nil, report.Picture{}, false
			e.File = &report.FileProblem{Code: "file_unreadable"}
		}, "photo", report.OutcomeFail, []string{"file_unreadable block"}, "not_applicable not_applicable not_applicable passed"},
		{"a crowd", Others{License: strings.Fields("a b c d e f g h")}, nil, "dingtalk", report.OutcomeReview,
			[]string{"license_in_use review uscc  a", "license_in_use review uscc  b", "license_in_use review uscc  c", "license_in_use review uscc  d", "license_in_use review uscc  e"}, "passed failed passed passed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, p := ofOrganization(t), shippedPolicy(t, tt.policy)
			if tt.change != nil {
				tt.change(&e)
			}
			outcome, reasons, checks := Decide(append(Check(e, p, today), tt.others.Findings(e)...), p)
			var statuses []string
			for _, c := range checks {
				if slices.Contains([]string{checkNameLock, checkLicenseUse, checkPhotoUse, checkContactUse}, c.Name) {
					statuses = append(statuses, string(c.Status))
				}
			}
			if got := told(reasons); outcome != tt.outcome || !slices.Equal(got, tt.reasons) || strings.Join(statuses, " ") != tt.checks {
				t.Errorf("got %s %q, checks %q", outcome, got, statuses)
			}
			for _, r := range reasons {
				complete(t, r)
				if text := r.Message.ZH + r.Message.EN + r.Suggestion.ZH + r.Suggestion.EN; strings.Contains(text, "org-") {
					t.Errorf("%s tells the applicant %q", r.Code, text)
				}
			}
		})
	}
}

// TestReverification: what was certified so before stops nothing; where something has
// changed a person looks, also where an applicant would be refused.
func TestReverification(t *testing.T) {
	p := shippedPolicy(t, "dingtalk")
	broken := func(e *Evidence) {
		e.Code = report.CodeReading{State: report.CodeUnreadable}
		delete(e.Fields, report.FieldUSCC)
	}
	sound := func(*Evidence) {}
	system := func(e *Evidence) { e.System = codeEngineFailed }
	for _, tt := range []struct {
		name    string
		change  func(*Evidence)
		made    []Finding
		outcome report.Outcome
		reasons []string
	}{
		{"sound", sound, NotCompared(), report.OutcomePass, nil},
		{"sound and the same", sound, Unchanged(), report.OutcomePass, nil},
		{"sound and changed", sound, Changed(), report.OutcomeReview, []string{"certification_changed review"}},
		{"refused", broken, NotCompared(), report.OutcomeFail, []string{"uscc_unreadable block uscc unreadable"}},
		{"refused and the same", broken, Unchanged(), report.OutcomeReview, []string{"uscc_unreadable review uscc"}},
		{"doubtful and the same", func(e *Evidence) { e.Measures[MeasureDocuments] = report.Measure{Value: 2} }, Unchanged(), report.OutcomePass, []string{"document_multiple info"}},
		{"doubtful and changed", func(e *Evidence) { e.Measures[MeasureDocuments] = report.Measure{Value: 2} }, Changed(), report.OutcomeReview, []string{"document_multiple review", "certification_changed review"}},
		{"refused and changed", broken, Changed(), report.OutcomeReview, []string{"uscc_unreadable review uscc unreadable", "certification_changed review"}},
		{"our failure", system, Unchanged(), report.OutcomeError, []string{"system_engine_failed review"}},
	} {
		e := ofOrganization(t)
		tt.change(&e)
		outcome, reasons, _ := Decide(append(Check(e, p, today), tt.made...), p)
		got := told(reasons)
		for i := range got {
			got[i] = strings.TrimSpace(got[i])
		}
		if outcome != tt.outcome || !slices.EqualFunc(got, tt.reasons, strings.HasPrefix) {
			t.Errorf("%s: got %s %q, want %s %q", tt.name, outcome, got, tt.outcome, tt.reasons)
		}
	}
}

// TestAgain: a report decides itself again, with what it says of others, also after
// it was stored; another policy weighs that anew.
func TestAgain(t *testing.T) {
	others := Others{License: []string{"org-2"}, Names: []NameLike{{"org-3", license.LikenessForm}}, Email: []string{"org-2"}}
	e, p := ofOrganization(t), shippedPolicy(t, "dingtalk")
	r := report.Report{Picture: e.Picture, Document: e.Document, Fields: e.Fields, Quality: e.Quality, QR: e.QR, Basis: &e.Basis}
	r.Quality.Measures = e.Measures
	for _, made := range [][]Finding{NotCompared(), Unchanged(), Changed()} {
		r.Outcome, r.Reasons, r.Checks = Decide(append(slices.Concat(Check(e, p, today), others.Findings(e)), made...), p)
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var stored report.Report
		if err := json.Unmarshal(text, &stored); err != nil {
			t.Fatal(err)
		}
		outcome, reasons, checks, ok := Again(stored, e.Declared, p, today)
		if !ok || outcome != r.Outcome || !slices.Equal(told(reasons), told(r.Reasons)) {
			t.Errorf("got %s %q, want %s %q", outcome, told(reasons), r.Outcome, told(r.Reasons))
		}
		for i, c := range checks {
			if c.Name != r.Checks[i].Name || c.Status != r.Checks[i].Status || c.Note != r.Checks[i].Note {
				t.Errorf("got %+v, want %+v", c, r.Checks[i])
			}
		}
	}
	r.Outcome, r.Reasons, r.Checks = Decide(append(Check(e, p, today), others.Findings(e)...), p)
	if outcome, reasons, _, _ := Again(r, e.Declared, shippedPolicy(t, "strict"), today); outcome != report.OutcomeFail || !slices.Contains(told(reasons), "license_in_use block uscc  org-2") {
		t.Errorf("strictly: %s %q", outcome, told(reasons))
	}
	if _, _, _, ok := Again(report.Report{}, e.Declared, p, today); ok {
		t.Error("a report without its basis was decided again")
	}
}

func TestContacts(t *testing.T) {
	for _, tt := range []struct{ email, phone, wantEmail, wantPhone string }{
		{"", "", "", ""},
		{" Office@Example.COM ", "+86 138-0013-8000", "office@example.com", "13800138000"},
		{"office", "12345", "", ""},
		{"a@example.com", "（010）6888 1234", "a@example.com", "01068881234"},
		{"a@example.com", "+1 555 0100", "a@example.com", ""},
	} {
		email, phone := Contacts(report.Declared{Email: tt.email, Phone: tt.phone})
		if email != tt.wantEmail || phone != tt.wantPhone {
			t.Errorf("%q, %q: got %q, %q", tt.email, tt.phone, email, phone)
		}
	}
}
