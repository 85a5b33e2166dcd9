package calibration

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/heyan/heyan/eval"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/quality"
	"github.com/heyan/heyan/synth"
)

// Lines whose fate follows a known model give it back, and no weight for what does
// not matter or would speak for a picture.
func TestFitLogistic(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var examples []example
	for range 20000 {
		harm, good, noise := 3*rng.Float64(), rng.Float64(), rng.Float64()
		p := quality.Probability(-3 + 2*harm - 2*good)
		examples = append(examples, example{[]quality.Input{{Name: "harm", Value: harm}, {Name: "good", Value: good}, {Name: "noise", Value: noise}}, rng.Float64() < p})
	}
	got := fitLogistic(examples, 0.1)
	if math.Abs(got.Weights["harm"]-2) > 0.15 || got.Weights["good"] != 0 || math.Abs(got.Weights["noise"]) > 0.15 {
		t.Errorf("got %+v", got)
	}
	if got := fitLogistic(nil, 1); got.Weights != nil {
		t.Errorf("of nothing: got %+v", got)
	}
}

// drawn is a synthetic picture: the more it is blurred, the less often its code is
// read.
func drawn(n int, rng *rand.Rand) (eval.Result, *synth.Picture) {
	blur := 0.25 * rng.Float64()
	line := report.LineQuality{EmPx: 20, EffectiveEmPx: 20, BlurQ: blur, Contrast: 0.5}
	r := eval.Result{Picture: eval.Picture{File: fmt.Sprintf("%05d.jpg", n), Expected: "readable",
		Fields: map[report.FieldName]string{report.FieldUSCC: "91310115PDY899512H", report.FieldCompanyName: "霁川测试宸曦医疗器械有限公司"}}}
	r.Report = report.Report{Quality: report.Quality{WidthPx: 1000, HeightPx: 700, Page: &line,
		Fields: map[report.FieldName]report.LineQuality{}}, Fields: map[report.FieldName]report.Field{}}
	for field, value := range r.Fields {
		r.Report.Quality.Fields[field] = line
		if rng.Float64() > quality.Probability(60*(blur-0.12)) {
			r.Report.Fields[field] = report.Field{Value: value, Confidence: 0.98, Readings: 2}
		}
	}
	kind := synth.Defocus
	return r, &synth.Picture{File: r.File, LicenseID: fmt.Sprintf("L%05d", n), BackgroundID: fmt.Sprintf("wood-%d", n%40),
		Camera: synth.Camera{Scene: synth.Scene{Surface: synth.SurfaceWood}, Defects: []synth.Defect{{Kind: kind, Strength: blur}}}}
}

func made(t *testing.T, n int) []Sample {
	t.Helper()
	rng := rand.New(rand.NewPCG(2, 2))
	var samples []Sample
	for i := range n {
		r, p := drawn(i, rng)
		s, ok := NewSample("set", r, p)
		if !ok {
			t.Fatal("a license is no sample")
		}
		samples = append(samples, s)
	}
	return samples
}

// What is known to be blur is found to be blur, on licenses and backgrounds that
// nothing was fitted on, and the page shows it.
func TestFit(t *testing.T) {
	samples := made(t, 600)
	c, err := Fit(samples, 1)
	if err != nil {
		t.Fatal(err)
	}
	splits := map[string]Split{}
	var counts [len(quotas)]int
	for _, s := range samples {
		counts[s.Split]++
		for _, key := range []string{s.License, s.Background} {
			if before, seen := splits[key]; seen && before != s.Split {
				t.Fatalf("%s is in two splits", key)
			}
			splits[key] = s.Split
		}
	}
	for s, quota := range quotas {
		if share := float64(counts[s]) / float64(len(samples)); math.Abs(share-quota) > 0.05 {
			t.Errorf("split %d has %.2f of the pictures, want %.2f", s, share, quota)
		}
	}
	c.Metrics = Metrics(samples, 1)
	for _, m := range c.Metrics {
		switch {
		case m.Name == "page_image_auc" && m.Value < 0.95, m.Name == "line_image_ece" && m.Value > 0.06:
			t.Errorf("%s is %.3f", m.Name, m.Value)
		case strings.HasSuffix(m.Name, "_ece"): // the fewer different lines, the larger: resamples lie above
		case m.Value < m.Low-1e-9 || m.Value > m.High+1e-9:
			t.Errorf("%s is %.3f, its interval %.3f-%.3f", m.Name, m.Value, m.Low, m.High)
		}
	}
	var page bytes.Buffer
	if err := WritePage(&page, c, samples, Misjudged(samples)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", "page_image_auc", "defocus", "blur", "no image reason"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %q", want)
		}
	}
}

// Few licenses in many pictures hang together: nothing is left to test on.
func TestSplitError(t *testing.T) {
	samples := made(t, 100)
	for i := range samples {
		samples[i].Background = "wood-1"
	}
	var one *SplitError
	if _, err := Fit(samples, 1); !errors.As(err, &one) || one.Group != 100 {
		t.Errorf("got %v", err)
	}
}

func TestNewSample(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for name, tt := range map[string]struct {
		change func(*eval.Result, *synth.Picture)
		ok     bool
		lost   bool
	}{
		"read": {func(r *eval.Result, _ *synth.Picture) {
			for field, value := range r.Fields {
				r.Report.Fields[field] = report.Field{Value: value}
			}
		}, true, false},
		"name misread": {func(r *eval.Result, _ *synth.Picture) {
			r.Report.Fields = map[report.FieldName]report.Field{report.FieldUSCC: {Value: r.Fields[report.FieldUSCC]}, report.FieldCompanyName: {Value: "别的公司"}}
		}, true, true},
		"nothing that anyone could read": {func(r *eval.Result, _ *synth.Picture) { r.Expected, r.Fields = "unreadable", nil }, true, true},
		"no license":                     {func(r *eval.Result, _ *synth.Picture) { r.Expected = eval.ExpectNotALicense }, false, false},
		"never opened":                   {func(r *eval.Result, _ *synth.Picture) { r.Report.Quality.WidthPx = 0 }, false, false},
		"masked": {func(_ *eval.Result, p *synth.Picture) {
			p.Camera.Defects = append(p.Camera.Defects, synth.Defect{Kind: synth.Masked})
		}, false, false},
	} {
		r, p := drawn(1, rng)
		tt.change(&r, p)
		s, ok := NewSample("set", r, p)
		if ok != tt.ok || ok && s.Lost() != tt.lost {
			t.Errorf("%s: got %v, lost %v", name, ok, s.Lost())
		}
	}
}
