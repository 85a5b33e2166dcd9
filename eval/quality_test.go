package eval

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/synth"
)

func forecasts(probability ...float64) []Forecast { // lost where negative
	out := make([]Forecast, len(probability))
	for i, p := range probability {
		out[i] = Forecast{math.Abs(p), p < 0}
	}
	return out
}

func TestForecasts(t *testing.T) {
	for name, tt := range map[string]struct {
		forecasts       []Forecast
		auc, ece, brier float64
		rejected        Rate
	}{
		"told apart":     {forecasts(0.1, 0.2, -0.8, -0.9), 1, 0.15, 0.025, Rate{0, 2}},
		"the wrong way":  {forecasts(0.9, -0.1), 0, 0.9, 0.81, Rate{1, 1}},
		"all the same":   {forecasts(0.5, 0.5, -0.5, -0.5), 0.5, 0.5, 0.25, Rate{2, 2}},
		"one between":    {forecasts(0.1, 0.6, -0.5, -0.9), 0.75, 0.325, 0.1575, Rate{1, 2}},
		"nothing is bad": {forecasts(0.1, 0.3), 1, 0.2, 0.05, Rate{0, 2}},
	} {
		for figure, v := range map[string][2]float64{"AUC": {AUC(tt.forecasts), tt.auc}, "ECE": {ECE(tt.forecasts), tt.ece}, "Brier": {Brier(tt.forecasts), tt.brier}} {
			if math.Abs(v[0]-v[1]) > 1e-9 {
				t.Errorf("%s: %s %v, want %v", name, figure, v[0], v[1])
			}
		}
		if got := RejectedLegible(tt.forecasts); got != tt.rejected {
			t.Errorf("%s: rejected %v, want %v", name, got, tt.rejected)
		}
	}
}

func TestBootstrap(t *testing.T) {
	groups := Grouped(forecasts(0.1, 0.2, -0.8, -0.9), func(f Forecast) string { return fmt.Sprint(f.P) })
	if len(groups) != 4 || groups[2][0].P != 0.8 {
		t.Errorf("grouped as %v", groups)
	}
	low, high := Bootstrap(groups, ECE, rand.New(rand.NewPCG(1, 2)))
	again, _ := Bootstrap(groups, ECE, rand.New(rand.NewPCG(1, 2)))
	if low != again || low > 0.15 || high < 0.15 {
		t.Errorf("interval %v to %v, again %v", low, high, again)
	}
}

func square(x, y, side float64) report.Polygon {
	return report.Polygon{{x, y}, {x + side, y}, {x + side, y + side}, {x, y + side}}
}

func TestOverlap(t *testing.T) {
	for name, tt := range map[string]struct {
		a, b report.Polygon
		want float64
	}{
		"same":               {square(10, 10, 40), square(10, 10, 40), 1},
		"beside":             {square(0, 0, 10), square(50, 50, 10), 0},
		"half":               {square(0, 0, 10), square(5, 0, 10), 1.0 / 3},
		"beyond the picture": {square(60, 60, 40), square(60, 60, 80), 1},
		"diamond":            {square(0, 0, 100), report.Polygon{{50, 0}, {100, 50}, {50, 100}, {0, 50}}, 0.5},
	} {
		if got := overlap(tt.a, tt.b, 100, 100); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

// sample is a license with one defect, and its report.
func sample(name string, d synth.Defect, outcome report.Outcome, codes ...string) Sample {
	s := Sample{Name: name, Of: name, Factor: 1, Report: report.Report{File: name, Outcome: outcome, Fields: map[report.FieldName]report.Field{}}}
	s.License, s.LicenseID = &synth.License{USCC: "A1", Name: "甲"}, name
	s.Shot = synth.Shot{Width: 100, Height: 100, Quad: square(10, 10, 80), Frame: square(20, 20, 60)}
	s.Report.Document.Quad = square(20, 20, 60)
	if d.Kind != "" {
		s.Camera.Defects = []synth.Defect{d}
	}
	for _, code := range codes {
		s.Report.Reasons = append(s.Report.Reasons, report.Reason{Code: code})
	}
	return s
}

func TestQualityRows(t *testing.T) {
	clean := sample("clean", synth.Defect{}, report.OutcomePass)
	twice := clean
	twice.Name, twice.Factor, twice.Report.Outcome = "clean@2x", 2, report.OutcomeFail
	gray := sample("gray", synth.Defect{Kind: synth.GrayCopy, Strength: 1}, report.OutcomeReview)
	gray.Report.Document.Color = report.ColorGrayscale
	lost := sample("lost", synth.Defect{Kind: synth.Glare}, report.OutcomeFail, "image_glare")
	lost.Report.Document.Quad, lost.UprightCW = nil, 90
	samples := []Sample{clean, twice, gray, lost,
		sample("soft", synth.Defect{Kind: synth.Motion}, report.OutcomeFail, "image_resolution_too_low"),
		sample("dark", synth.Defect{Kind: synth.Exposure, Strength: -3}, report.OutcomeFail, "image_overexposed"),
		sample("display", synth.Defect{Kind: synth.ScreenGrid, Strength: 1}, report.OutcomeReview, codeScreen),
		sample("cast", synth.Defect{Kind: synth.WhiteBalance, Strength: 1}, report.OutcomeReview, codeScreen)}
	real := []Result{
		result("1", ExpectReadable, nil, report.OutcomePass, report.KindBusinessLicense, nil),
		result("2", ExpectReadable, nil, report.OutcomeFail, report.KindOther, nil),
		result("3", "specimen", nil, report.OutcomePass, report.KindBusinessLicense, nil),
		result("4", ExpectNotALicense, nil, report.OutcomeFail, report.KindNone, nil),
	}
	real[1].Report.Reasons = []report.Reason{{Code: "image_blurry", Category: report.CategoryImage}}
	want := map[string]string{
		"same_verdict": "0/1", "reason_right": "1/3", "blur_confused": "1/1", "upright": "6/7",
		"quad_iou": "7 pages", "gray_precision": "1/1", "gray_recall": "1/1", "screen_precision": "1/2", "screen_recall": "1/1",
		"real_screen": "0/4", "real_sent_away": "1/2", "real_passed": "1/1", "real_negatives": "1/1", "real_called_other": "1/2",
	}
	rows := QualityRows(samples, real)
	for _, r := range rows {
		if want[r.Key] != "" && r.Of != want[r.Key] {
			t.Errorf("%s: got %s, want %s", r.Key, r.Of, want[r.Key])
		}
		if r.Key == "quad_iou" && math.Abs(r.Value-(6+0.64)/7) > 1e-9 {
			t.Errorf("IoU %v", r.Value)
		}
		delete(want, r.Key)
	}
	if len(want) > 0 {
		t.Errorf("no rows %v", want)
	}
	var out bytes.Buffer
	if err := PrintRows(&out, rows, true); err != nil || !strings.Contains(out.String(), "cast") {
		t.Errorf("got %v, %v", out.String(), err)
	}
	floors, err := ReadRowFloors(strings.NewReader(`{"least":{"upright":0.9,"gray_recall":1,"absent":0},"most":{"real_passed":0}}`))
	if err != nil {
		t.Fatal(err)
	}
	if broken := floors.Broken(rows); len(broken) != 3 {
		t.Errorf("got broken floors %q, want 3", broken)
	}
	if _, err := ReadRowFloors(strings.NewReader(`{"lest":{}}`)); err == nil {
		t.Error("an unknown name is no error")
	}
}

// A part is drawn once, with the sizes in which characters stay large enough.
func TestDraw(t *testing.T) {
	dir := t.TempDir()
	part := Part{"one", synth.Options{Seed: 5, Count: 1, Clean: 1, LongSide: 1300}, []float64{0.25, 1.1}}
	draw := func() []Sample {
		if err := part.Draw(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		samples, err := part.Samples(dir)
		if err != nil {
			t.Fatal(err)
		}
		return samples
	}
	if got := draw(); len(got) != 2 || got[1].Name != "one/00000@1.1x.jpg" || got[1].Of != got[0].Name {
		t.Fatalf("got %d samples: %+v", len(got), got)
	}
	trace := filepath.Join(dir, "one", "00000@1.1x.jpg")
	if err := os.WriteFile(trace, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	draw()
	if info, err := os.Stat(trace); err != nil || info.Size() != 0 {
		t.Errorf("a part that was there was drawn again: %v", err)
	}
	part.Options.Seed = 6
	draw()
	if info, err := os.Stat(trace); err == nil && info.Size() == 0 {
		t.Error("another seed was not drawn")
	}
}
