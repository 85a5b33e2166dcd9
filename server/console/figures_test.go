package console

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

// Seeded personal data: invented, of valid form. None of it may be found on a page.
var seeds = []string{"11010519491231002X", "13800138000", "seed.person@example.com", "示例科技有限公司"}

// office is a console on records of its own, with a lead, two reviewers and what
// they decided in the week up to noon.
type office struct {
	*Console
	mux  *http.ServeMux
	lead records.User
	noon time.Time // in Beijing, of 2030-05-07
}

func newOffice(t *testing.T) *office {
	t.Helper()
	store, err := records.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "records.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	o := &office{mux: http.NewServeMux(), noon: time.Date(2030, 5, 7, 12, 0, 0, 0, report.Beijing)}
	o.Console = New(Options{Records: store, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return o.noon }})
	for _, u := range []records.User{
		{ID: "u-lead", Login: "lead", Name: "林主管", Role: records.RoleLead},
		{ID: "u-1", Login: "one", Name: "=HYPERLINK(\"http://example.com\")", Role: records.RoleReviewer},
		{ID: "u-2", Login: "two", Name: "<b>乙</b>", Role: records.RoleReviewer},
	} {
		u.Tenant, u.CreatedAt = records.DefaultTenant, o.noon.AddDate(0, -1, 0)
		if err := store.AddUser(t.Context(), u, records.Entry{At: u.CreatedAt}); err != nil {
			t.Fatal(err)
		}
		if u.Role == records.RoleLead {
			o.lead = u
		}
	}
	for pattern, h := range map[string]handler{
		"/console/figures": o.figures, "/console/figures.csv": o.figuresCSV, "/console/decisions.csv": o.decisionsCSV,
		"/console/cases/{id}/audit": o.auditOf,
	} {
		o.mux.Handle("GET "+pattern, o.handle(func(v *visit) error {
			v.session = records.Session{User: o.lead}
			return h(v)
		}))
	}
	return o
}

// flag lets a case wait since a time, half an hour long.
func (o *office) flag(t *testing.T, at time.Time, reasons ...string) (id string) {
	t.Helper()
	v := records.Verification{ID: records.NewID(), Tenant: records.DefaultTenant, OrganizationID: "@org-1", Policy: "dingtalk", Priority: "standard",
		Sealed: []byte(strings.Join(seeds, " ")), MaxAttempts: 3, CreatedAt: at, DeadlineAt: at.Add(30 * time.Minute)}
	if _, _, err := o.Records.Create(t.Context(), v, "", nil); err != nil {
		t.Fatal(err)
	}
	r := report.Report{Outcome: report.OutcomeReview, Fields: map[report.FieldName]report.Field{report.FieldCompanyName: {Value: seeds[3]}}}
	for _, code := range reasons {
		r.Reasons = append(r.Reasons, report.Reason{Code: code})
	}
	if err := o.Records.Complete(t.Context(), v.ID, r, records.Completion{At: at,
		Event: records.Event{ID: records.NewID(), Type: "verification.review_required", Payload: []byte("{}")}}); err != nil {
		t.Fatal(err)
	}
	return v.ID
}

// take is a reviewer's decision after 90 seconds, made final unless a second look
// is due.
func (o *office) take(t *testing.T, id, user string, kind records.DecisionKind, at time.Time, second bool) records.Decision {
	t.Helper()
	by := records.Reader{User: user, Lead: user == o.lead.ID}
	if _, err := o.Records.Claim(t.Context(), records.DefaultTenant, id, by, at.Add(time.Hour), at.Add(-90*time.Second)); err != nil {
		t.Fatal(err)
	}
	d, err := o.Records.Decide(t.Context(), records.Decision{ID: records.NewID(), Case: id, Tenant: records.DefaultTenant, By: user, Kind: kind, At: at,
		Reasons: []string{"image_blurry"}, Message: report.Text{ZH: seeds[1], EN: seeds[2]},
		Corrections: map[report.FieldName]string{report.FieldCompanyName: seeds[3], report.FieldIDNumber: seeds[0]}}, by, records.DecideTerms{Grace: time.Second, SecondLook: second})
	if err == nil && !second {
		_, err = o.Records.Conclude(t.Context(), at.Add(time.Second), 10, func(context.Context, records.Verification, records.Decision) (records.Conclusion, error) {
			return records.Conclusion{Event: records.Event{ID: records.NewID(), Type: "verification.completed", Payload: []byte("{}")}}, nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// week is what the office did: of blurry pictures two of three were approved, one
// of them late; glare was rejected once, after two had looked; one decision was
// undone, one waits for the lead and one for anybody.
func (o *office) week(t *testing.T) (looked string) {
	t.Helper()
	monday, sunday := o.noon.AddDate(0, 0, -1), o.noon.AddDate(0, 0, -2)
	o.take(t, o.flag(t, sunday, "image_blurry"), "u-1", records.Approve, sunday.Add(5*time.Minute), false)
	o.take(t, o.flag(t, sunday, "image_blurry", "name_mismatch"), "u-1", records.Approve, sunday.Add(45*time.Minute), false)
	o.take(t, o.flag(t, monday, "image_blurry"), "u-2", records.NewPhoto, monday.Add(5*time.Minute), false)
	looked = o.flag(t, monday, "image_glare")
	o.take(t, looked, "u-1", records.Reject, monday.Add(6*time.Minute), true)
	o.take(t, looked, "u-2", records.Reject, monday.Add(9*time.Minute), false)
	back := o.take(t, o.flag(t, o.noon, "image_dark"), "u-2", records.Approve, o.noon.Add(-time.Minute), true)
	if _, err := o.Records.Undo(t.Context(), records.DefaultTenant, back.ID, "u-2", o.noon.Add(time.Hour), o.noon.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	o.take(t, o.flag(t, o.noon.Add(-time.Hour), "image_dark"), "u-1", records.Escalate, o.noon.Add(-time.Minute), false)
	if err := o.Records.AddNote(t.Context(), records.Note{ID: records.NewID(), Case: looked, Tenant: records.DefaultTenant, By: "u-1", At: o.noon, Text: seeds[1]}); err != nil {
		t.Fatal(err)
	}
	return looked
}

// get asks as the lead; whatever comes holds no personal data.
func (o *office) get(t *testing.T, address string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	r.Header.Set("Accept-Language", "en")
	o.mux.ServeHTTP(w, r)
	for _, seed := range seeds {
		if strings.Contains(w.Body.String(), seed) {
			t.Errorf("%s holds %s", address, seed)
		}
	}
	return w
}

func TestFigures(t *testing.T) {
	o := newOffice(t)
	o.week(t)
	for _, lang := range tongues {
		w := o.get(t, "/console/figures?language="+string(lang))
		page := w.Body.String()
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", lang, w.Code, page)
		}
		for _, want := range []string{
			`href="/console/?reason=image_blurry"`, `href="/console/figures.csv?table=days&amp;from=2030-05-01&amp;to=2030-05-07"`,
			`<title>2030-05-05 · `, `&lt;b&gt;乙&lt;/b&gt;`, `2030-05-07 11:30:00`, `<th scope="row">2030-05-06</th>`,
		} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: no %s", lang, want)
			}
		}
		if strings.Contains(page, "style=") || strings.Contains(page, "<style") || strings.Contains(page, "ZgotmplZ") {
			t.Errorf("%s: the policy of contents forbids what is on the page", lang)
		}
	}
	if blurry, glare := strings.Index(o.get(t, "/console/figures").Body.String(), "reason=image_blurry"),
		strings.Index(o.get(t, "/console/figures").Body.String(), "reason=image_glare"); blurry > glare {
		t.Error("the reason that nobody disputes comes first")
	}
}

func TestPeriod(t *testing.T) {
	o := newOffice(t)
	for query, want := range map[string]string{
		"":                               "2030-05-01 2030-05-07",
		"from=2030-05-06":                "2030-05-06 2030-05-07",
		"to=2030-03-31":                  "2030-03-25 2030-03-31",
		"from=2030-05-07&to=2031-01-01":  "2030-05-07 2030-05-07",
		"from=2029-05-08&to=2030-05-07":  "2029-05-08 2030-05-07",
		"from=2029-05-06&to=2030-05-07":  "",
		"from=2030-05-02&to=2030-05-01":  "",
		"from=2030-02-30":                "",
		"from=0000-00-00&to=999999-1-1":  "",
		"from=2030-05-01T00:00:00Z&to=x": "",
	} {
		r := httptest.NewRequest(http.MethodGet, "/?"+query, nil)
		p, err := periodOf(r.URL.Query(), o.noon.UTC())
		if got := p.From() + " " + p.To(); err == nil && got != want || (err != nil) != (want == "") {
			t.Errorf("%s: got %s, %v, want %s", query, got, err, want)
		}
		wantCode := http.StatusOK
		if want == "" {
			wantCode = http.StatusBadRequest
		}
		for _, page := range []string{"figures", "figures.csv", "decisions.csv"} {
			if w := o.get(t, "/console/"+page+"?"+query); w.Code != wantCode {
				t.Errorf("%s?%s: %d, want %d", page, query, w.Code, wantCode)
			}
		}
	}
	if w := o.get(t, "/console/figures.csv?table=users"); w.Code != http.StatusBadRequest {
		t.Errorf("no such table: %d", w.Code)
	}
}

func TestDisagreement(t *testing.T) {
	of := func(approved, cases int) reasonLine {
		return reasonLine{ReasonFigures: records.ReasonFigures{Approved: approved, Cases: cases}, Share: share(approved, cases)}
	}
	ordered := []reasonLine{of(400, 500), of(9, 10), of(50, 100), of(1, 1), of(1, 100), of(0, 0)}
	for i := 1; i < len(ordered); i++ {
		if a, b := ordered[i-1], ordered[i]; a.disagreement() <= b.disagreement() {
			t.Errorf("%d of %d does not come before %d of %d", a.Approved, a.Cases, b.Approved, b.Cases)
		}
	}
}
