package redecide

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/storagetest"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
)

var now = time.Date(2030, 5, 6, 7, 8, 9, 0, time.UTC)

type rig struct {
	store *records.Store
	keys  *vault.Vault
}

// newRig is on SQLite unless a Postgres is named.
func newRig(t testing.TB, dsn string) rig {
	t.Helper()
	dir := t.TempDir()
	store, err := records.Open(t.Context(), cmp.Or(dsn, "sqlite://"+filepath.Join(dir, "records.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	keys, err := vault.Open(t.Context(), filepath.Join(dir, "vault.key"), store)
	if err != nil {
		t.Fatal(err)
	}
	return rig{store, keys}
}

// good is a report on a good photo of a license, without its decision.
func good() report.Report {
	uscc := "91999900MA7DEMQ0"
	uscc += codes.CheckUSCC(uscc + "00").ExpectedOrganizationCheck
	uscc += codes.CheckUSCC(uscc + "0").ExpectedCheck
	read := func(value string) report.Field {
		return report.Field{Value: value, Raw: value, Confidence: 0.99, Source: report.SourceOCR, EmPx: 30,
			Polygon: report.Polygon{{10, 10}, {200, 10}, {200, 40}, {10, 40}}}
	}
	sharp := report.LineQuality{EmPx: 30, EffectiveEmPx: 30, BlurQ: 0.03, BlurX: 0.03, BlurY: 0.03, Contrast: 0.7}
	representative := read("样本人")
	representative.Label = "法定代表人"
	r := report.Report{
		Status:   report.StatusCompleted,
		Picture:  report.Picture{Format: "jpeg", Bytes: 1 << 20},
		Document: report.Document{Kind: report.KindBusinessLicense, Edition: report.Edition2019Landscape, Color: report.ColorColor},
		Fields: map[report.FieldName]report.Field{
			report.FieldUSCC: read(uscc), report.FieldCompanyName: read("测试市样张网络科技有限公司"), report.FieldLegalRepresentative: representative,
			report.FieldType: read("有限责任公司(自然人独资)"), report.FieldEstablished: read("2020-01-15"), report.FieldIssued: read("2021-06-01"),
			report.FieldTerm: read("2020-01-15/long_term"), report.FieldAddress: read("测试市样张路1号"),
		},
		Quality: report.Quality{WidthPx: 3000, HeightPx: 2000, Page: &sharp, Fields: map[report.FieldName]report.LineQuality{},
			Measures: map[string]report.Measure{
				verdict.MeasurePaperLevel: {Value: 200}, verdict.MeasureInkLevel: {Value: 40}, verdict.MeasureGlareShare: {Value: 0},
				verdict.MeasureTextMargin: {Value: 3}, verdict.MeasureCoveredShare: {Value: 0}, verdict.MeasureShadeRatio: {Value: 0.8},
				verdict.MeasureRedShare: {Value: 0.01}, verdict.MeasureScreenScore: {Value: 2}, verdict.MeasureScreenshotScore: {Value: 0.1},
				verdict.MeasureDocuments: {Value: 1},
			}},
		Basis: &report.Basis{DocumentRead: true, Code: report.CodeReading{State: report.CodeRead, Readings: 1}},
	}
	for name := range r.Fields {
		r.Quality.Fields[name] = sharp
	}
	return r
}

// verified keeps a report with its decision under a policy; number gives id and time.
func (r rig) verified(t testing.TB, number int, rep report.Report, d report.Declared, p verdict.Policy) {
	t.Helper()
	at := now.Add(time.Duration(number) * time.Second)
	v := records.Verification{ID: fmt.Sprintf("01900000-0000-7000-8000-%012d", number), Tenant: records.DefaultTenant, Policy: p.Name,
		Priority: worker.Batch, ObjectKey: "pictures/1", MaxAttempts: 3, CreatedAt: at, DeadlineAt: at.Add(time.Hour)}
	sealer, err := r.keys.For(t.Context(), v.Tenant)
	if err == nil {
		v.Sealed, err = worker.SealSubmission(sealer, v.ID, report.Submission{ID: v.ID, Declared: d, Policy: p.Name})
	}
	if err == nil {
		_, _, err = r.store.Create(t.Context(), v, "", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	rep.ID, rep.Policy = v.ID, p.ID()
	if e, decidable := verdict.EvidenceOf(rep, d); decidable {
		rep.Outcome, rep.Reasons, rep.Checks = verdict.Decide(verdict.Check(e, p, at), p)
	} else {
		rep.Outcome = report.OutcomeReview
	}
	if err := r.store.Complete(t.Context(), v.ID, rep, records.Completion{At: at, SealedUntil: at.Add(time.Second),
		Event: records.Event{Type: "verification.completed", Payload: []byte("{}")}}); err != nil {
		t.Fatal(err)
	}
}

func policy(t testing.TB, name string) verdict.Policy {
	t.Helper()
	p, err := verdict.LoadPolicy(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Under its own policy nothing flips; under another what that weighs otherwise, and
// the codes say why.
func TestRun(t *testing.T) {
	r := newRig(t, "")
	photo, dingtalk := policy(t, "photo"), policy(t, "dingtalk")
	blurred, before := good(), good()
	for name, line := range blurred.Quality.Fields {
		line.BlurQ, line.BlurX = 0.5, 0.5
		blurred.Quality.Fields[name] = line
	}
	blurred.Fields = map[report.FieldName]report.Field{}
	blurred.Basis.Code = report.CodeReading{State: report.CodeUnreadable}
	before.Basis = nil
	r.verified(t, 0, good(), report.Declared{}, photo)
	r.verified(t, 1, blurred, report.Declared{}, photo)
	r.verified(t, 2, before, report.Declared{}, photo)
	r.verified(t, 3, good(), report.Declared{}, dingtalk)
	r.verified(t, 4, good(), report.Declared{}, photo)
	if _, err := r.store.DropSealed(t.Context(), now.Add(5*time.Second), 1); err != nil { // of the first
		t.Fatal(err)
	}
	id := func(number int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012d", number) }
	missing := []string{"id_number_missing"}
	for name, tt := range map[string]struct {
		query records.Query
		by    verdict.Policy
		want  Summary
		flips []Flip
	}{
		"their own": {records.Query{Policy: "photo"}, photo, Summary{Verifications: 4, Same: 2, Undecidable: 1, Undeclared: 1}, nil},
		"a laxer one": {records.Query{}, photo,
			Summary{Verifications: 5, Same: 2, Undecidable: 1, Undeclared: 1, Flips: map[string]int{"fail→pass": 1},
				Lost: map[string]int{missing[0]: 1}},
			[]Flip{{ID: id(3), Policy: dingtalk.ID(), From: "fail", To: "pass", Gained: []string{}, Lost: missing}}},
		"a stricter one, from a day on": {records.Query{From: now.Add(4 * time.Second)}, dingtalk,
			Summary{Verifications: 1, Flips: map[string]int{"pass→fail": 1}, Gained: map[string]int{missing[0]: 1}},
			[]Flip{{ID: id(4), Policy: photo.ID(), From: "pass", To: "fail", Gained: missing, Lost: []string{}}}},
		"pages of one": {records.Query{Limit: 1}, dingtalk,
			Summary{Verifications: 5, Same: 2, Undecidable: 1, Undeclared: 1, Flips: map[string]int{"pass→fail": 1},
				Gained: map[string]int{missing[0]: 1}},
			[]Flip{{ID: id(4), Policy: photo.ID(), From: "pass", To: "fail", Gained: missing, Lost: []string{}}}},
	} {
		t.Run(name, func(t *testing.T) {
			var flips []Flip
			sum, err := Run(t.Context(), r.store, r.keys, records.DefaultTenant, tt.query, tt.by, func(f Flip) error {
				flips = append(flips, f)
				return nil
			})
			for _, counts := range []*map[string]int{&tt.want.Flips, &tt.want.Gained, &tt.want.Lost} {
				if *counts == nil {
					*counts = map[string]int{}
				}
			}
			if err != nil || !reflect.DeepEqual(sum, tt.want) {
				t.Errorf("got  %+v, %v\nwant %+v", sum, err, tt.want)
			}
			if !reflect.DeepEqual(flips, tt.flips) {
				t.Errorf("got  %+v\nwant %+v", flips, tt.flips)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, r.store, r.keys, records.DefaultTenant, records.Query{}, photo, func(Flip) error { return nil }); err == nil {
		t.Error("it goes on after its context has ended")
	}
}

// BenchmarkRun decides stored verifications again. Their reports are of the size of
// real ones.
func BenchmarkRun(b *testing.B) {
	const rows = 3000
	for database, dsn := range map[string]string{"SQLite": "", "Postgres": storagetest.StartPostgres(b).NewDatabase(b)} {
		r, p := newRig(b, dsn), policy(b, "dingtalk")
		for i := range rows {
			r.verified(b, i, good(), report.Declared{Name: "测试市样张网络科技有限公司"}, p)
		}
		b.Run(database, func(b *testing.B) {
			decided := 0
			for b.Loop() {
				sum, err := Run(b.Context(), r.store, r.keys, records.DefaultTenant, records.Query{}, p, func(Flip) error { return nil })
				if err != nil || sum.Same != rows {
					b.Fatalf("%+v, %v", sum, err)
				}
				decided += sum.Verifications
			}
			b.ReportMetric(float64(decided)/b.Elapsed().Seconds(), "verifications/s")
		})
	}
}
