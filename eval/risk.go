package eval

import (
	"cmp"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
)

// Curve is risk over coverage: how often a field is wrong when only the values
// of at least some confidence are taken (El-Yaniv and Wiener 2010).
type Curve struct {
	Field report.FieldName
	Of    int // pictures with a printed value
	// Points are the thresholds, the highest first. Values of one confidence are
	// covered together: no threshold tells them apart.
	Points []CurvePoint
}

// CurvePoint is what a threshold comes to.
type CurvePoint struct {
	Confidence float64 // the threshold, 0..1
	Coverage   float64 // share of the printed values that are covered
	Risk       float64 // share of the covered values that are wrong
}

// Area is the area under the curve (AURC), up to the coverage that is reached: a
// value that was not read is never covered.
func (c Curve) Area() float64 {
	area, coverage := 0.0, 0.0
	for _, p := range c.Points {
		area += (p.Coverage - coverage) * p.Risk
		coverage = p.Coverage
	}
	return area
}

// Errorless is the largest coverage without a wrong value.
func (c Curve) Errorless() float64 {
	coverage := 0.0
	for _, p := range c.Points {
		if p.Risk == 0 {
			coverage = p.Coverage
		}
	}
	return coverage
}

// Last is the threshold that covers every value that was read.
func (c Curve) Last() CurvePoint {
	if len(c.Points) == 0 {
		return CurvePoint{}
	}
	return c.Points[len(c.Points)-1]
}

// RiskCoverage is the curve of a field over all licenses where the truth has it;
// of codes, those printed with all 18 characters.
func RiskCoverage(results []Result, field report.FieldName) Curve {
	type value struct {
		confidence float64
		wrong      bool
	}
	curve := Curve{Field: field}
	var values []value
	for _, r := range results {
		truth, known := r.Fields[field]
		if !known || r.Expected == ExpectNotALicense || field == report.FieldUSCC && len(truth) != 18 {
			continue
		}
		curve.Of++
		if read, ok := r.Report.Fields[field]; ok {
			values = append(values, value{read.Confidence, !Same(field, truth, read.Value)})
		}
	}
	slices.SortFunc(values, func(a, b value) int { return cmp.Compare(b.confidence, a.confidence) })
	wrong := 0
	for i, v := range values {
		if v.wrong {
			wrong++
		}
		if i+1 < len(values) && values[i+1].confidence == v.confidence {
			continue
		}
		covered := float64(i + 1)
		curve.Points = append(curve.Points, CurvePoint{v.confidence, covered / float64(curve.Of), float64(wrong) / covered})
	}
	return curve
}
