package worker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/synth"
	"github.com/heyan/heyan/worker/certify"
	"github.com/heyan/heyan/worker/engine"
)

// printed is what stands on a picture of these tests, which is its JSON.
type printed struct {
	Name, USCC, Rep string
	Term            string // default long_term
	Take            int    // tells photos of one license apart
	Two             bool   // beside another document: a person must look
}

// reader is an engine that reads such pictures, and decides as the real one does.
type reader struct {
	fakeEngine
	policies map[string]verdict.Policy
	now      func() time.Time
	misread  func(printed) printed // nil: nothing is
}

func (e *reader) Verify(_ context.Context, req engine.Request) (report.Report, error) {
	var p printed
	if err := json.Unmarshal(req.Picture, &p); err != nil {
		return report.Report{}, err
	}
	if e.misread != nil {
		p = e.misread(p)
	}
	field := func(value string) report.Field {
		return report.Field{Value: value, Raw: value, Confidence: 0.99, Source: report.SourceOCR}
	}
	term, sum := p.Term, sha256.Sum256(req.Picture)
	if term == "" {
		term = "2020-01-15/long_term"
	}
	sharp := report.LineQuality{EmPx: 30, EffectiveEmPx: 30, BlurQ: 0.02, Contrast: 0.6}
	measures := map[string]report.Measure{
		verdict.MeasurePaperLevel: {Value: 200}, verdict.MeasureInkLevel: {Value: 40}, verdict.MeasureTextMargin: {Value: 3},
		verdict.MeasureGlareShare: {}, verdict.MeasureCoveredShare: {}, verdict.MeasureShadeRatio: {Value: 0.8}, verdict.MeasureRedShare: {Value: 0.01},
		verdict.MeasureScreenScore: {Value: 2}, verdict.MeasureScreenshotScore: {Value: 0.1}, verdict.MeasureDocuments: {Value: 1},
	}
	if p.Two {
		measures[verdict.MeasureDocuments] = report.Measure{Value: 2}
	}
	r := report.Report{
		ID: req.Submission.ID, Status: report.StatusCompleted, QR: []report.QR{}, TimingsMS: map[string]float64{},
		Document: report.Document{Kind: report.KindBusinessLicense, Edition: report.Edition2019Landscape, Color: report.ColorColor},
		Picture:  report.Picture{Format: "jpeg", Bytes: int64(len(req.Picture)), SHA256: hex.EncodeToString(sum[:])},
		Fields: map[report.FieldName]report.Field{
			report.FieldUSCC: field(p.USCC), report.FieldCompanyName: field(p.Name), report.FieldLegalRepresentative: field(p.Rep),
			report.FieldType: field("有限责任公司"), report.FieldEstablished: field("2020-01-15"), report.FieldIssued: field("2021-06-01"),
			report.FieldTerm: field(term), report.FieldAddress: field("测试市样张路1号"),
		},
		Quality: report.Quality{WidthPx: 3000, HeightPx: 2000, Page: &sharp, Measures: measures, Fields: map[report.FieldName]report.LineQuality{
			report.FieldUSCC: sharp, report.FieldCompanyName: sharp, report.FieldLegalRepresentative: sharp}},
		Basis: &report.Basis{DocumentRead: true, Code: report.CodeReading{State: report.CodeRead, Readings: 1}},
	}
	policy := e.policies[req.Policy]
	evidence, _ := verdict.EvidenceOf(r, req.Submission.Declared)
	r.Policy = policy.ID()
	r.Outcome, r.Reasons, r.Checks = verdict.Decide(verdict.Check(evidence, policy, e.now()), policy)
	return r, nil
}

// town is a rig with organizations.
type town struct {
	*rig
	engine *reader
	random *rand.Rand
	codes  map[string]bool // of the companies so far
}

// newTown has the policy dingtalk after a change, where the applicant declares what
// he likes.
func newTown(t testing.TB, change func(*verdict.Policy)) *town {
	t.Helper()
	policy, err := verdict.LoadPolicy("dingtalk", nil)
	if err != nil {
		t.Fatal(err)
	}
	policy.Declared = nil
	if change != nil {
		change(&policy)
	}
	e := &reader{fakeEngine: fakeEngine{size: 1}, policies: map[string]verdict.Policy{"dingtalk": policy}}
	r := newRig(t, "", e)
	e.now = r.clock
	r.Terms["dingtalk"] = NewTerms(policy)
	r.now = time.Date(2026, 3, 15, 10, 0, 0, 0, time.UTC)
	r.setDefaults()
	return &town{r, e, rand.New(rand.NewPCG(7, 7)), map[string]bool{}}
}

// company is a new one.
func (w *town) company(name string) printed {
	code := synth.RandomUSCC(w.random, '1')
	for w.codes[code] {
		code = synth.RandomUSCC(w.random, '1')
	}
	w.codes[code] = true
	return printed{Name: name, USCC: code, Rep: "样本人"}
}

// hand stores a submission without verifying it.
func (w *town) hand(t testing.TB, organization string, p printed, change func(*report.Submission)) records.Verification {
	t.Helper()
	id := records.NewID()
	s := report.Submission{ID: id, Policy: "dingtalk", Object: pictures + id, Purpose: report.PurposeAnnual}
	s.OrganizationID, s.Name, s.USCC = organization, p.Name, p.USCC
	if change != nil {
		change(&s)
	}
	picture, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	w.put(t, s.Object, string(picture))
	sealer, err := w.Vault.For(t.Context(), records.DefaultTenant)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := SealSubmission(sealer, id, s)
	if err != nil {
		t.Fatal(err)
	}
	now := w.clock()
	v, _, err := w.Records.Create(t.Context(), records.Verification{ID: id, Tenant: records.DefaultTenant, OrganizationID: s.OrganizationID, EntityType: s.EntityType,
		Purpose: s.Purpose, Policy: s.Policy, Priority: Standard, ObjectKey: s.Object, Sealed: sealed, MaxAttempts: MaxAttempts,
		LeaseUntil: now, CreatedAt: now, DeadlineAt: now.Add(30 * time.Minute)}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// verify is what a worker does with a verification.
func (w *town) verify(t testing.TB, id string) records.Verification {
	t.Helper()
	if _, err := w.handle(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	v, err := w.Records.Get(t.Context(), records.DefaultTenant, id)
	if err != nil || v.Status != report.StatusCompleted {
		t.Fatalf("%s: %s, %v", id, v.Status, err)
	}
	return v
}

func (w *town) apply(t testing.TB, organization string, p printed, change func(*report.Submission)) records.Verification {
	t.Helper()
	return w.verify(t, w.hand(t, organization, p, change).ID)
}

func (w *town) organization(t testing.TB, id string) records.Organization {
	t.Helper()
	o, err := w.Records.Organization(t.Context(), records.DefaultTenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// told are the types of an organization's events.
func (w *town) told(t testing.TB, organization string) (types []string) {
	t.Helper()
	for after := int64(0); ; {
		page, err := w.Records.Events(t.Context(), records.DefaultTenant, after, records.MaxPage)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			after = e.Seq
			if e.Subject == organization {
				types = append(types, strings.TrimPrefix(e.Type, "certification."))
			}
		}
		if len(page) < records.MaxPage {
			return types
		}
	}
}

// reasons are the codes that count, and the class of likeness where there is one.
func reasons(r *report.Report) (codes []string) {
	for _, reason := range r.Reasons {
		if reason.Severity != report.SeverityInfo {
			codes = append(codes, strings.TrimSuffix(reason.Code+" "+reason.Evidence.Detail, " "))
		}
	}
	return codes
}

func status(r *report.Report, check string) report.CheckStatus {
	for _, c := range r.Checks {
		if c.Name == check {
			return c.Status
		}
	}
	return ""
}

const firstName = "样本市示例科技（北方）有限公司"

// TestCopycats: one organization is certified, and another comes with something of
// its.
func TestCopycats(t *testing.T) {
	contact := func(email, phone string) func(*report.Submission) {
		return func(s *report.Submission) { s.Email, s.Phone = email, phone }
	}
	for _, tt := range []struct {
		name     string
		other    func(w *town, first printed) printed
		declares func(*report.Submission)
		outcome  report.Outcome
		reasons  []string
	}{
		{"nothing in common", func(w *town, _ printed) printed { return w.company("样本市另一家贸易有限公司") }, contact("other@example.com", "13900139000"), report.OutcomePass, nil},
		{"the same name", func(w *town, p printed) printed { return w.company(p.Name) }, nil, report.OutcomeFail, []string{"name_taken same"}},
		{"the same name in other brackets", func(w *town, p printed) printed { return w.company("样本市示例科技(北方)有限公司") }, nil, report.OutcomeFail, []string{"name_taken same"}},
		{"a look-alike name", func(w *town, _ printed) printed {
			return w.company("样本市示例科技（北方）有限责任公司")
		}, nil, report.OutcomeReview, []string{"name_confusable form"}},
		{"the same license", func(w *town, p printed) printed { p.Name, p.Take = "样本市另一家贸易有限公司", 1; return p }, nil, report.OutcomeReview, []string{"license_in_use"}},
		{"the same photo", func(w *town, p printed) printed { return p }, nil, report.OutcomeFail, []string{"name_taken same", "license_in_use", "photo_reused same_file"}},
		{"the same email", func(w *town, _ printed) printed { return w.company("样本市另一家贸易有限公司") }, contact("Office@Example.com", ""), report.OutcomeReview, []string{"contact_reused"}},
		{"the same phone", func(w *town, _ printed) printed { return w.company("样本市另一家贸易有限公司") }, contact("", "+86 138-0013-8000"), report.OutcomeReview, []string{"contact_reused"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTown(t, nil)
			first := w.company(firstName)
			if v := w.apply(t, "org-1", first, contact("office@example.com", "13800138000")); v.Outcome != report.OutcomePass {
				t.Fatalf("the first: %s %v", v.Outcome, v.Reasons)
			}
			o := w.organization(t, "org-1")
			if want := certify.Until(w.clock(), 12); o.State != records.Certified || o.Name != firstName || o.USCC != first.USCC || !o.ValidUntil.Equal(want) {
				t.Errorf("the first: %+v, want valid until %v", o, want)
			}
			v := w.apply(t, "org-2", tt.other(w, first), tt.declares)
			if got := reasons(v.Report); v.Outcome != tt.outcome || !slices.Equal(got, tt.reasons) {
				t.Errorf("got %s %q, want %s %q", v.Outcome, got, tt.outcome, tt.reasons)
			}
			for _, reason := range v.Report.Reasons {
				if strings.Contains(reason.Message.ZH+reason.Message.EN+reason.Suggestion.ZH, "org-1") || strings.Contains(reason.Message.ZH, "示例") {
					t.Errorf("the applicant is told of the other: %+v", reason.Message)
				}
			}
			for _, check := range []string{"name_lock", "license_use", "photo_use"} {
				if got := status(v.Report, check); got != report.CheckPassed && got != report.CheckFailed {
					t.Errorf("%s is %s", check, got)
				}
			}
			want := map[report.Outcome]records.OrganizationState{report.OutcomePass: records.Certified, report.OutcomeFail: records.Unverified, report.OutcomeReview: records.Pending}[tt.outcome]
			if got := w.organization(t, "org-2").State; got != want {
				t.Errorf("org-2 is %s, want %s", got, want)
			}
			if got := w.told(t, "org-1"); !slices.Equal(got, []string{"granted"}) {
				t.Errorf("told of org-1: %q", got)
			}
		})
	}
}

// TestWithoutOrganization: nothing is compared, nobody is certified.
func TestWithoutOrganization(t *testing.T) {
	w := newTown(t, nil)
	p := w.company(firstName)
	w.apply(t, "org-1", p, nil)
	v := w.apply(t, "", p, nil)
	if v.Outcome != report.OutcomePass || status(v.Report, "name_lock") != report.CheckNotApplicable {
		t.Errorf("got %s, name_lock %s", v.Outcome, status(v.Report, "name_lock"))
	}
}

// TestNotServed: who has no license is told to go another way.
func TestNotServed(t *testing.T) {
	w := newTown(t, nil)
	p := w.company("样本市示例小学")
	p.USCC = ""
	for _, organization := range []string{"org-1", ""} {
		v := w.apply(t, organization, p, func(s *report.Submission) { s.EntityType = "学校" })
		i := slices.IndexFunc(v.Report.Reasons, func(r report.Reason) bool { return r.Code == "uscc_category_not_supported" })
		if v.Outcome != report.OutcomeFail || i < 0 || v.Report.Reasons[i].NextStep != report.NextUseOtherProcedure {
			t.Errorf("organization %q: got %s %v", organization, v.Outcome, v.Reasons)
		}
	}
}

// TestRaceForAName: both were judged before either was certified; one gets it.
func TestRaceForAName(t *testing.T) {
	w := newTown(t, nil)
	var held []records.Verification
	var judged []judgment
	for i := range 2 {
		p := w.company(firstName)
		v := w.hand(t, fmt.Sprint("org-", i), p, nil)
		v, err := w.Records.StartAttempt(t.Context(), v.ID, w.clock(), attemptLease)
		if err != nil {
			t.Fatal(err)
		}
		j, err := w.attempt(t.Context(), v)
		if err != nil || j.report.Outcome != report.OutcomePass || j.grant == nil {
			t.Fatalf("got %s, %v", j.report.Outcome, err)
		}
		held, judged = append(held, v), append(judged, j)
	}
	for i := range held {
		if _, err := w.complete(t.Context(), held[i], &judged[i]); err != nil {
			t.Fatal(err)
		}
	}
	lost := w.get(t, held[1].ID)
	if got := reasons(lost.Report); lost.Outcome != report.OutcomeFail || !slices.Equal(got, []string{"name_taken same"}) {
		t.Errorf("got %s %q", lost.Outcome, got)
	}
	if a, b := w.organization(t, "org-0").State, w.organization(t, "org-1").State; a != records.Certified || b != records.Unverified {
		t.Errorf("states %s, %s", a, b)
	}
}

// decide is what a reviewer does, and the time to undo it.
func (w *town) decide(t testing.TB, d records.Decision) {
	t.Helper()
	user, err := w.Records.UserByLogin(t.Context(), "reviewer")
	if err != nil {
		user = records.User{ID: records.NewID(), Tenant: records.DefaultTenant, Login: "reviewer", Name: "Reviewer", Role: records.RoleReviewer, CreatedAt: w.clock()}
		if err := w.Records.AddUser(t.Context(), user, records.Entry{At: w.clock(), Actor: "system"}); err != nil {
			t.Fatal(err)
		}
	}
	d.ID, d.Tenant, d.By, d.At = records.NewID(), records.DefaultTenant, user.ID, w.clock()
	if _, err := w.Records.Decide(t.Context(), d, records.Reader{User: user.ID}, records.DecideTerms{Grace: time.Second}); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Second)
	if err := w.finalize(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestPersonApproves: whom a person approves is certified as it was read and
// corrected; where another was first meanwhile, the case comes back.
func TestPersonApproves(t *testing.T) {
	w := newTown(t, nil)
	two := w.company(firstName)
	two.Two = true
	v := w.apply(t, "org-1", two, nil)
	if v.Outcome != report.OutcomeReview {
		t.Fatalf("got %s %v", v.Outcome, v.Reasons)
	}
	other := w.company("样本市另一家贸易有限公司")
	other.Two = true
	late := w.apply(t, "org-2", other, nil)
	w.decide(t, records.Decision{Case: v.ID, Kind: records.Approve, Corrections: map[report.FieldName]string{report.FieldLegalRepresentative: "样张人"}})
	if o := w.organization(t, "org-1"); o.State != records.Certified || o.Name != firstName {
		t.Errorf("got %+v", o)
	}
	all, err := w.Records.Certifications(t.Context(), records.DefaultTenant, "org-1")
	if err != nil || len(all) != 1 || all[0].LegalRepresentative != "样张人" || all[0].Checks["name_lock"] != "passed" {
		t.Errorf("got %+v, %v", all, err)
	}
	w.decide(t, records.Decision{Case: late.ID, Kind: records.Approve, Corrections: map[report.FieldName]string{report.FieldCompanyName: firstName}})
	c, err := w.Records.Case(t.Context(), records.DefaultTenant, late.ID)
	if err != nil || c.Stage != records.StageEscalated || !slices.Contains(c.Reasons, "name_taken") {
		t.Errorf("got %+v, %v", c, err)
	}
	if got := w.organization(t, "org-2").State; got != records.Pending {
		t.Errorf("org-2 is %s", got)
	}
}

// TestSharedLicense: where the policy allows it, branches are certified with one
// license; the first keeps the name from everybody else.
func TestSharedLicense(t *testing.T) {
	w := newTown(t, func(p *verdict.Policy) { p.SharedLicense = true })
	p := w.company(firstName)
	for i := range 3 {
		p.Take = i
		if v := w.apply(t, fmt.Sprint("org-", i), p, nil); v.Outcome != report.OutcomePass {
			t.Errorf("branch %d: %s %q", i, v.Outcome, reasons(v.Report))
		}
		if got := w.organization(t, fmt.Sprint("org-", i)).State; got != records.Certified {
			t.Errorf("branch %d is %s", i, got)
		}
	}
	if v := w.apply(t, "org-9", w.company(firstName), nil); v.Outcome != report.OutcomeFail {
		t.Errorf("another license of the name: %s %q", v.Outcome, reasons(v.Report))
	}
}

// TestRevoked: what was handed in before a revocation or cancellation certifies
// nothing, whatever comes of it.
func TestRevoked(t *testing.T) {
	for _, tt := range []struct {
		end   string
		state records.OrganizationState
		after records.OrganizationState // of a pass that was handed in later
	}{{records.EndRevoked, records.Revoked, records.Certified}, {records.EndCancelled, records.Cancelled, records.Certified}} {
		w := newTown(t, nil)
		p := w.company(firstName)
		w.apply(t, "org-1", p, nil)
		early := w.hand(t, "org-1", p, nil)
		w.pass(time.Minute)
		if _, err := w.Records.EndCertification(t.Context(), records.DefaultTenant, "org-1", tt.end, tt.state,
			records.Entry{At: w.clock(), Actor: "system", Action: "certification." + tt.end}, OrganizationEvent{Organization: "org-1"}.Event("certification."+tt.end, w.clock())); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		if v := w.verify(t, early.ID); v.Outcome != report.OutcomePass {
			t.Errorf("%s: %s", tt.end, v.Outcome)
		}
		if got := w.organization(t, "org-1").State; got != tt.state {
			t.Errorf("%s: is %s, want %s", tt.end, got, tt.state)
		}
		w.apply(t, "org-1", p, nil)
		if got := w.organization(t, "org-1").State; got != tt.after {
			t.Errorf("%s, and handed in again: is %s, want %s", tt.end, got, tt.after)
		}
	}
}
