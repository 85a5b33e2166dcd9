package quality

import (
	"math"

	"github.com/heyan/heyan/pipeline/report"
)

// Signs are what a picture shows of a field's legibility.
type Signs struct {
	Line    report.LineQuality // the field's line; where that is not known the page
	Glare   float64            // share of the line that a reflection burns out, 0..1
	Covered float64            // share of the field, or of all fields where its place is not known, that is hidden, 0..1
	Shade   float64            // light on the darkest paper relative to the lightest, 0..1; 1: even
	Margin  float64            // of print from the edge of the picture, em
	Paper   float64            // level of the paper, 0..255
	Noise   float64            // sigma of the sensor's noise, 0..255
}

// SignsOf gathers the signs of a field from what was measured and read: its line,
// else the page, and the measures whose worst place touches the field. Where its
// place is not known, each may have hit it.
func SignsOf(field report.FieldName, q report.Quality, measures map[string]report.Measure, read map[report.FieldName]report.Field) Signs {
	s := Signs{Shade: 1, Margin: safeMargin, Paper: white, Noise: measures["noise_level"].Value}
	if line, ok := q.Fields[field]; ok {
		s.Line = line
	} else if q.Page != nil {
		s.Line = *q.Page
	}
	place := read[field].Polygon
	if m, ok := measures["paper_level"]; ok {
		s.Paper = m.Value
	}
	if m := measures["glare_share"]; overlap(place, m.Polygon) > 0 {
		s.Glare = m.Value
	}
	if m := measures["covered_share"]; place == nil {
		s.Covered = m.Value
	} else {
		s.Covered = overlap(place, m.Polygon)
	}
	if m, ok := measures["shade_ratio"]; ok && overlap(place, m.Polygon) > 0 {
		s.Shade = m.Value
	}
	if m, ok := measures["text_margin_em"]; ok && overlap(place, m.Polygon) > 0 {
		s.Margin = m.Value
	}
	return s
}

// overlap is the share of the upright bounds of a place that those of another
// polygon cover, 0..1; all of a place that is not known.
func overlap(place, other report.Polygon) float64 {
	switch {
	case len(other) == 0:
		return 0
	case len(place) == 0:
		return 1
	}
	low, high := bounds(place)
	l, h := bounds(other)
	share := 1.0
	for k := range low {
		share *= max(min(high[k], h[k])-max(low[k], l[k]), 0) / max(high[k]-low[k], 1)
	}
	return min(share, 1)
}

func bounds(p report.Polygon) (low, high report.Point) {
	low, high = p[0], p[0]
	for _, at := range p[1:] {
		for k := range at {
			low[k], high[k] = min(low[k], at[k]), max(high[k], at[k])
		}
	}
	return low, high
}

// term is one input of the models: how bad a sign is, rising with the harm, and the
// measure that a reason cites for it.
type term struct {
	name, measure string
	of            func(Signs) float64
}

// The bounds of the signs beyond which nothing changes.
const (
	white       = 255.0
	mostBlurred = 0.3  // em: strokes have merged long before
	smallest    = 3.0  // px: an em of less is no print
	faintest    = 0.02 // contrast: less cannot be told from none
	mostNoise   = 1.0  // of the distance of paper and ink
	darkest     = 0.05 // shade ratio: less is night
	safeMargin  = 0.5  // em: print that ends there is whole (CAPTURE 8, bounds)
	farOutside  = 2.0  // em: what more is cut of a line matters no more
)

// terms are the inputs of the models of the image alone.
var terms = []term{
	{"blur", "blur_q", func(s Signs) float64 { return 10 * min(s.Line.BlurQ, mostBlurred) }},
	{"small", "em_px", func(s Signs) float64 { return 10 / max(s.Line.EmPx, smallest) }},
	{"coarse", "em_px", func(s Signs) float64 { return 10 / max(s.Line.EffectiveEmPx, smallest) }},
	{"faint", "contrast", func(s Signs) float64 { return -math.Log(min(max(s.Line.Contrast, faintest), 1)) }},
	{"noisy", "noise_level", func(s Signs) float64 {
		depth := s.Paper * 2 * s.Line.Contrast / (1 + s.Line.Contrast) // paper less ink
		return 10 * min(s.Noise/max(depth, 1), mostNoise)
	}},
	{"burnt", "glare_share", func(s Signs) float64 { return s.Glare }},
	{"hidden", "covered_share", func(s Signs) float64 { return s.Covered }},
	{"shaded", "shade_ratio", func(s Signs) float64 { return -math.Log(min(max(s.Shade, darkest), 1)) }},
	{"dark", "paper_level", func(s Signs) float64 { return 1 - min(s.Paper/white, 1) }},
	{"cut", "text_margin_em", func(s Signs) float64 { return min(max(safeMargin-s.Margin, 0), farOutside) }},
}

// Inputs are the signs as the models weigh them.
func (s Signs) Inputs() []Input {
	inputs := make([]Input, len(terms))
	for i, t := range terms {
		inputs[i] = Input{t.name, t.of(s)}
	}
	return inputs
}
