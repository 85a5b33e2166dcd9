package eval

import (
	"math"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
)

func TestRiskCoverage(t *testing.T) {
	const right, wrong, none = "甲", "乙", ""
	type reading struct {
		value      string
		confidence float64
	}
	for name, tt := range map[string]struct {
		read      []reading
		points    []CurvePoint
		area      float64
		errorless float64
	}{
		"nothing":      {nil, nil, 0, 0},
		"nothing read": {[]reading{{none, 0}}, nil, 0, 0},
		"all right":    {[]reading{{right, 0.8}, {right, 0.9}}, []CurvePoint{{0.9, 0.5, 0}, {0.8, 1, 0}}, 0, 1},
		"one wrong, one unread": { // 1/4·0 + 1/4·1/2 + 1/4·1/3
			[]reading{{right, 0.7}, {none, 0}, {wrong, 0.8}, {right, 0.9}},
			[]CurvePoint{{0.9, 0.25, 0}, {0.8, 0.5, 0.5}, {0.7, 0.75, 1.0 / 3}}, 5.0 / 24, 0.25},
		"ties are covered together": { // 3/4·1/3 + 1/4·1/4
			[]reading{{right, 0.9}, {wrong, 0.9}, {right, 0.9}, {right, 0.5}},
			[]CurvePoint{{0.9, 0.75, 1.0 / 3}, {0.5, 1, 0.25}}, 5.0 / 16, 0},
	} {
		var results []Result
		for _, reading := range tt.read {
			r := result("", ExpectReadable, map[report.FieldName]string{report.FieldCompanyName: right}, "", "", nil)
			if reading.value != none {
				r.Report.Fields[report.FieldCompanyName] = report.Field{Value: reading.value, Confidence: reading.confidence}
			}
			results = append(results, r)
		}
		got := RiskCoverage(results, report.FieldCompanyName)
		if len(got.Points) != len(tt.points) {
			t.Errorf("%s: got %v, want %v", name, got.Points, tt.points)
			continue
		}
		for i, want := range tt.points {
			p := got.Points[i]
			if p.Confidence != want.Confidence || p.Coverage != want.Coverage || math.Abs(p.Risk-want.Risk) > 1e-9 {
				t.Errorf("%s: got %v, want %v", name, p, want)
			}
		}
		if math.Abs(got.Area()-tt.area) > 1e-9 || got.Errorless() != tt.errorless || got.Of != len(tt.read) {
			t.Errorf("%s: got area %v, errorless %v of %d, want %v, %v", name, got.Area(), got.Errorless(), got.Of, tt.area, tt.errorless)
		}
	}
}

func TestRiskCoverageCounts(t *testing.T) {
	code := values{report.FieldUSCC: "91350100M000100Y43"}
	got := RiskCoverage([]Result{
		result("1", ExpectReadable, code, "", "", nil),
		result("2", ExpectCodeInvalid, code, "", "", nil),
		result("3", ExpectNotALicense, code, "", "", nil),
		result("4", ExpectCodeInvalid, values{report.FieldUSCC: "9135010M000100Y43"}, "", "", nil),
		result("5", ExpectReadableLegacy, values{report.FieldRegistrationNumber: "110108000000016"}, "", "", nil),
	}, report.FieldUSCC)
	if got.Of != 2 {
		t.Errorf("got %d pictures with a printed code, want 2", got.Of)
	}
}
