package quality

import (
	"math"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
)

func polygonAt(x0, y0, x1, y1 float64) report.Polygon {
	return report.Polygon{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}
}

// What lies elsewhere does a field no harm; where the field is not known it may have.
func TestSignsOf(t *testing.T) {
	line, page := report.LineQuality{EmPx: 20, BlurQ: 0.05, Contrast: 0.5}, report.LineQuality{EmPx: 15, BlurQ: 0.1, Contrast: 0.4}
	q := report.Quality{Fields: map[report.FieldName]report.LineQuality{report.FieldUSCC: line}, Page: &page, WidthPx: 1500, HeightPx: 1000}
	read := map[report.FieldName]report.Field{report.FieldUSCC: {Polygon: polygonAt(100, 100, 300, 120)}}
	at := func(place report.Polygon) map[string]report.Measure {
		return map[string]report.Measure{
			"glare_share": {Value: 0.2, Polygon: place}, "covered_share": {Value: 0.1, Polygon: place},
			"shade_ratio": {Value: 0.3, Polygon: place}, "text_margin_em": {Value: -1, Polygon: place},
			"paper_level": {Value: 180}, "noise_level": {Value: 4}, "screen_score": {Value: 2.5},
		}
	}
	harmless := Signs{Line: line, Shade: 1, Margin: safeMargin, Paper: 180, Noise: 4, Screen: 2.5}
	for name, tt := range map[string]struct {
		field    report.FieldName
		measures map[string]report.Measure
		want     Signs
	}{
		"on the field":         {report.FieldUSCC, at(polygonAt(200, 90, 400, 130)), Signs{line, 0.2, 0.5, 0.3, -1, 180, 4, 2.5}},
		"elsewhere":            {report.FieldUSCC, at(polygonAt(200, 300, 400, 330)), harmless},
		"field not found":      {report.FieldCompanyName, at(polygonAt(200, 300, 400, 330)), Signs{page, 0.2, 0.1, 0.3, -1, 180, 4, 2.5}},
		"nothing was measured": {report.FieldUSCC, nil, Signs{Line: line, Shade: 1, Margin: safeMargin, Paper: white}},
	} {
		if got := SignsOf(tt.field, q, tt.measures, read); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}

// Whatever gets worse makes it no more probable that a field can be read.
func TestUnreadableRises(t *testing.T) {
	good := Signs{Line: report.LineQuality{EmPx: 30, EffectiveEmPx: 30, BlurQ: 0.03, Contrast: 0.6}, Shade: 1, Margin: 1, Paper: 230, Noise: 1}
	c := Shipped()
	for _, field := range []report.FieldName{report.FieldUSCC, report.FieldCompanyName} {
		base := c.Unreadable(field, good)
		if base > 0.1 {
			t.Errorf("%s of a good line: %.3f", field, base)
		}
		if none := c.Unreadable(field, Signs{Shade: 1, Margin: 1, Paper: 230}); none < 0.9 {
			t.Errorf("%s without any text: %.3f", field, none)
		}
		for name, worse := range map[string]func(*Signs){
			"blur":    func(s *Signs) { s.Line.BlurQ = 0.2 },
			"em":      func(s *Signs) { s.Line.EmPx, s.Line.EffectiveEmPx = 6, 6 },
			"faint":   func(s *Signs) { s.Line.Contrast = 0.04 },
			"glare":   func(s *Signs) { s.Glare = 0.5 },
			"cover":   func(s *Signs) { s.Covered = 0.5 },
			"noise":   func(s *Signs) { s.Noise = 40 },
			"shade":   func(s *Signs) { s.Shade = 0.1 },
			"dark":    func(s *Signs) { s.Paper = 30 },
			"cut off": func(s *Signs) { s.Margin = -1 },
		} {
			s := good
			worse(&s)
			if got := c.Unreadable(field, s); got < base {
				t.Errorf("%s, %s: %.4f, better than %.4f", field, name, got, base)
			}
		}
	}
}

func TestBlames(t *testing.T) {
	c := Calibration{Image: Models{Digits: Logistic{Weights: map[string]float64{"blur": 3, "small": 2}}}}
	sound := Signs{Line: report.LineQuality{BlurQ: 0.1, EmPx: 10}}
	got := c.Blames(report.FieldUSCC, Signs{Line: report.LineQuality{BlurQ: 0.2, EmPx: 5}}, sound)
	for measure, want := range map[string]float64{"blur_q": 3, "em_px": 2 * 1, "contrast": 0} {
		if math.Abs(got[measure]-want) > 1e-9 {
			t.Errorf("%s: got %g, want %g", measure, got[measure], want)
		}
	}
}

func TestAnyLogit(t *testing.T) {
	for _, tt := range []struct {
		p    []float64
		want float64
	}{{[]float64{0.3}, 0.3}, {[]float64{0.5, 0.5}, 0.75}, {[]float64{1e-7, 2e-7}, 3e-7}, {[]float64{1, 0.2}, 1}} {
		if got := Probability(AnyLogit(tt.p...)); math.Abs(got-tt.want) > 1e-8 {
			t.Errorf("%v: got %g, want %g", tt.p, got, tt.want)
		}
	}
}
