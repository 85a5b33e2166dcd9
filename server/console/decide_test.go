package console_test

import (
	"bytes"
	"context"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/server/console"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/engine"
)

// What the flagged license says; what was declared differs in the name's form.
const (
	printedCode  = "91310115PDY899512H"
	printedName  = "霁川测试宸曦医疗器械有限公司"
	declaredName = "霁川测试宸曦医疗器械有限责任公司"
	person       = "11010519491231002X"
)

// desk is a site with cases to decide.
type desk struct {
	*site
	objects *objects.Store
	vault   *vault.Vault
}

// viewer makes views of whatever it gets.
type viewer struct{}

func (viewer) Views(context.Context, engine.ViewRequest) (engine.Views, error) {
	return engine.Views{Geometry: engine.Geometry{Width: 400, Height: 300, PhotoWidth: 400, PhotoHeight: 300, PreviewWidth: 400, PreviewHeight: 300},
		Photo: []byte("the photo"), Preview: []byte("the preview")}, nil
}

func newDesk(t *testing.T, secondLook float64) *desk {
	t.Helper()
	embedded, err := objects.Embed(filepath.Join(t.TempDir(), "objects"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { embedded.Close(context.Background()) })
	d := &desk{}
	if d.objects, err = objects.Open(t.Context(), embedded.Config()); err != nil {
		t.Fatal(err)
	}
	d.site = newSite(t, func(o *console.Options) {
		d.vault = o.Vault
		o.Views = &worker.Views{Objects: d.objects, Engine: viewer{}}
		o.Policy = func(name string) (verdict.Policy, error) { return verdict.LoadPolicy(name, nil) }
		o.SecondLook = secondLook
	})
	return d
}

// flag is a license that was read, under a name of another form.
func (d *desk) flag(t *testing.T) (id string) {
	t.Helper()
	id = records.NewID()
	declared := report.Declared{Name: declaredName, LegalRepresentative: "江试远", IDNumber: person}
	sealer, err := d.vault.For(t.Context(), records.DefaultTenant)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := worker.SealSubmission(sealer, id, report.Submission{ID: id, Declared: declared, Policy: "dingtalk"})
	if err != nil {
		t.Fatal(err)
	}
	key := "pictures/" + id
	if err := d.objects.Put(t.Context(), key, bytes.NewReader([]byte("photo")), 5, "application/octet-stream"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.store.Create(t.Context(), records.Verification{ID: id, Tenant: records.DefaultTenant, Policy: "dingtalk", Priority: "standard",
		ObjectKey: key, Sealed: sealed, MaxAttempts: 3, CreatedAt: d.clock(), DeadlineAt: d.clock().Add(30 * time.Minute)}, "", nil); err != nil {
		t.Fatal(err)
	}
	policy, err := verdict.LoadPolicy("dingtalk", nil)
	if err != nil {
		t.Fatal(err)
	}
	read := func(value string) report.Field {
		return report.Field{Value: value, Confidence: 0.99, Source: report.SourceOCR, Polygon: report.Polygon{{10, 10}, {90, 10}, {90, 30}, {10, 30}}}
	}
	evidence := verdict.Evidence{Declared: declared, Document: report.Document{Kind: report.KindBusinessLicense},
		Fields: map[report.FieldName]report.Field{report.FieldUSCC: read(printedCode), report.FieldCompanyName: read(printedName), report.FieldLegalRepresentative: read("江试远")},
		Basis:  report.Basis{DocumentRead: true, Code: report.CodeReading{State: report.CodeRead, Readings: 2}}}
	_, reasons, checks := verdict.Decide(verdict.Check(evidence, policy, d.clock()), policy)
	r := report.Report{ID: id, Status: report.StatusCompleted, Outcome: report.OutcomeReview, Policy: policy.ID(), Reasons: reasons, Checks: checks,
		Fields: evidence.Fields, Document: evidence.Document, Basis: &evidence.Basis}
	if err := d.store.Complete(t.Context(), id, r, records.Completion{At: d.clock(), Event: records.Event{Type: "verification.review_required", Payload: []byte("{}")}}); err != nil {
		t.Fatal(err)
	}
	return id
}

// decide posts a decision with what else was filled in.
func (b *browser) decide(t *testing.T, id, kind string, more ...string) answer {
	t.Helper()
	form := url.Values{"decision": {records.NewID()}, "kind": {kind}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return b.ask(t, "/console/cases/"+id+"/decision", form)
}

func (d *desk) decisions(t *testing.T, id string) []records.Decision {
	t.Helper()
	all, err := d.store.Decisions(t.Context(), records.DefaultTenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDecisionsThatAreNotTaken: what is missing is named, and what was filled in
// stays.
func TestDecisionsThatAreNotTaken(t *testing.T) {
	d := newDesk(t, 0)
	d.add(t, "anna", records.RoleReviewer)
	b, id := d.signedIn(t, "anna"), d.flag(t)
	for name, tt := range map[string]struct {
		form []string
		says string
	}{
		"no kind":                {[]string{"kind", ""}, "Choose a decision."},
		"no reason":              {[]string{"kind", "reject"}, "Choose one reason at least."},
		"no such reason":         {[]string{"kind", "reject", "reason", "stamp_missing"}, "Choose one reason at least."},
		"a reason of ours":       {[]string{"kind", "reject", "reason", "system_timeout"}, "Choose one reason at least."},
		"an ID number":           {[]string{"kind", "reject", "reason", "image_blurry", "message.zh", "号码" + person}, "must not hold an identity number"},
		"a long text":            {[]string{"kind", "reject", "reason", "image_blurry", "message.en", strings.Repeat("long ", 300)}, "At most 1000 characters"},
		"a broken code":          {[]string{"kind", "approve", "correct.uscc", "91310115PDY899512A"}, "breaks the coding rules"},
		"another code":           {[]string{"kind", "approve", "correct.uscc", "91"}, "has 18 characters"},
		"a name nobody declared": {[]string{"kind", "approve", "correct.name", "别的样本有限公司"}, "is not the one on the license"},
	} {
		got := b.decide(t, id, "approve", append([]string{"message.en", "kept words"}, tt.form...)...)
		got.says(t, 422, tt.says)
		if name != "a long text" && !strings.Contains(got.body, "kept words") {
			t.Errorf("%s: what was filled in is gone", name)
		}
	}
	if all := d.decisions(t, id); len(all) != 0 {
		t.Errorf("decisions %+v", all)
	}
	b.ask(t, "/console/cases/"+id+"/decision", url.Values{"decision": {"1"}, "kind": {"escalate"}}).says(t, 422)
}

func TestDecisionIsTakenOnce(t *testing.T) {
	d := newDesk(t, 0)
	anna := d.add(t, "anna", records.RoleReviewer)
	d.add(t, "boris", records.RoleReviewer)
	b, id := d.signedIn(t, "anna"), d.flag(t)
	form := url.Values{"decision": {records.NewID()}, "kind": {"reject"}, "reason": {"image_blurry", "name_variant"}}
	for range 2 { // a button that was pressed twice
		b.ask(t, "/console/cases/"+id+"/decision", form).goesTo(t, "/console/?decided="+form.Get("decision"))
	}
	all := d.decisions(t, id)
	if len(all) != 1 || all[0].By != anna.ID || all[0].Outcome != report.OutcomeFail || !slices.Equal(all[0].Reasons, form["reason"]) ||
		!strings.Contains(all[0].Message.ZH, "照片模糊") || !strings.Contains(all[0].Message.EN, "Blurry") {
		t.Fatalf("got %+v", all)
	}
	d.signedIn(t, "boris").decide(t, id, "escalate").says(t, 409)
	b.ask(t, "/console/?decided="+form.Get("decision"), nil).says(t, 200, "Rejected:", "Undo")
	undo := "/console/decisions/" + form.Get("decision") + "/undo"
	d.signedIn(t, "boris").ask(t, undo, url.Values{}).says(t, 409)
	b.ask(t, undo, url.Values{}).goesTo(t, "/console/cases/"+id)
	b.decide(t, id, "approve")
	d.pass(console.DefaultGrace + time.Second)
	all = d.decisions(t, id)
	b.ask(t, "/console/decisions/"+all[1].ID+"/undo", url.Values{}).says(t, 409, "final")
}

// TestSecondLook: the second reviewer does not see what the first one did, and a
// lead settles what they disagree in.
func TestSecondLook(t *testing.T) {
	d := newDesk(t, 1)
	d.add(t, "anna", records.RoleReviewer)
	d.add(t, "boris", records.RoleReviewer)
	d.add(t, "lena", records.RoleLead)
	anna, boris, lena := d.signedIn(t, "anna"), d.signedIn(t, "boris"), d.signedIn(t, "lena")
	id := d.flag(t)
	page := "/console/cases/" + id
	anna.ask(t, page+"/notes", url.Values{"note": {"looks odd to me"}}).goesTo(t, page+"#notes")
	anna.decide(t, id, "reject", "reason", "image_edited").says(t, 303)
	anna.decide(t, id, "approve").says(t, 409, "not yours")
	second := boris.ask(t, page, nil)
	second.says(t, 200, "second look")
	if strings.Contains(second.body, "looks odd to me") || strings.Contains(second.body, "Name of anna") {
		t.Error("the second look is not blind")
	}
	boris.decide(t, id, "approve").says(t, 303)
	boris.decide(t, id, "approve").says(t, 409)
	lena.ask(t, page, nil).says(t, 200, "Name of anna", "Name of boris", "looks odd to me", "for a lead")
	lena.decide(t, id, "approve").says(t, 303)
	if all := d.decisions(t, id); len(all) != 3 || all[2].Round != 3 || all[2].Outcome != report.OutcomePass {
		t.Errorf("got %+v", all)
	}

	agreed := d.flag(t)
	anna.decide(t, agreed, "approve")
	boris.decide(t, agreed, "approve")
	if c, err := d.store.Case(t.Context(), records.DefaultTenant, agreed); err != nil || c.Stage != records.StagePending {
		t.Errorf("got %+v, %v", c, err)
	}
}

// TestPicturesAreAudited: nobody looks at a picture unseen, nor at a person's data.
func TestPicturesAreAudited(t *testing.T) {
	d := newDesk(t, 0)
	d.add(t, "anna", records.RoleReviewer)
	b, id := d.signedIn(t, "anna"), d.flag(t)
	page := b.ask(t, "/console/cases/"+id, nil)
	page.says(t, 200, "110105********002X", "/picture/preview")
	if strings.Contains(page.body, person) {
		t.Error("the number is not masked")
	}
	for view, want := range map[string]string{"photo": "the photo", "preview": "the preview"} {
		got := b.ask(t, "/console/cases/"+id+"/picture/"+view, nil)
		if got.status != 200 || got.body != want || got.header.Get("Content-Type") != "image/jpeg" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %d %q %v", view, got.status, got.body, got.header)
		}
	}
	for _, view := range []string{"page", "geometry", "..", "original"} { // there is no sheet, and no such view
		if got := b.ask(t, "/console/cases/"+id+"/picture/"+view, nil); got.status == 200 {
			t.Errorf("%s: got %q", view, got.body)
		}
	}
	for _, why := range []string{"", "hm", "for " + person} {
		b.ask(t, "/console/cases/"+id+"/unmask", url.Values{"why": {why}}).says(t, 422, "3 to 200 characters")
	}
	b.ask(t, "/console/cases/"+id+"/unmask", url.Values{"why": {"the applicant called"}}).says(t, 200, person)
	b.ask(t, "/console/cases/"+id+"/notes", url.Values{"note": {" "}}).says(t, 422)
	got, want := d.actions(t, id), []string{"picture.viewed", "picture.viewed", "submission.unmasked"}
	if !slices.Equal(got, want) {
		t.Errorf("the log has %q, want %q", got, want)
	}
	if strings.Contains(d.log.String(), person) {
		t.Error("the number was logged")
	}
	if err := d.store.PictureGone(t.Context(), id, d.clock()); err != nil {
		t.Fatal(err)
	}
	b.ask(t, "/console/cases/"+id+"/picture/photo", nil).says(t, 410)
	b.ask(t, "/console/cases/"+id, nil).says(t, 200, "The photo was deleted")
}
