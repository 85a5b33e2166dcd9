package quality

import (
	"math"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
)

// Signs are what a picture shows of a field's legibility.
type Signs struct {
	Line    report.LineQuality // the field's line; where that is not known the page; zero without print
	Glare   float64            // share of the line that a reflection burns out, 0..1
	Covered float64            // share of the field, or of all fields where its place is not known, that is hidden, 0..1
	Shade   float64            // light on the darkest paper relative to the lightest, 0..1; 1: even
	Margin  float64            // of print from the edge of the picture, em
	Paper   float64            // level of the paper, 0..255
	Noise   float64            // sigma of the sensor's noise, 0..255
	Screen  float64            // height of the peaks of a display's pixels in the spectrum, nepers
}

// SignsOf gathers the signs of a field from what was measured and read: its line,
// else the page, and the measures whose worst place touches the field. Where its
// place is not known, each may have hit it.
func SignsOf(field report.FieldName, q report.Quality, measures map[string]report.Measure, read map[report.FieldName]report.Field) Signs {
	s := Signs{Shade: 1, Margin: safeMargin, Paper: white, Noise: measures["noise_level"].Value, Screen: measures["screen_score"].Value}
	place := read[field].Polygon
	line, ok := q.Fields[field]
	switch {
	case q.Page == nil || ok && (place != nil || line.EmPx < strayEm*q.Page.EmPx):
		s.Line = line
	case q.Page.EmPx < hugeEm*float64(min(q.WidthPx, q.HeightPx)):
		s.Line = *q.Page
	}
	if m, ok := measures["paper_level"]; ok {
		s.Paper = m.Value
	}
	around := lengthened(place, besideEm*read[field].EmPx)
	if m := measures["glare_share"]; overlap(around, m.Polygon) > 0 {
		s.Glare = m.Value
	}
	if m := measures["covered_share"]; place == nil {
		s.Covered = m.Value
	} else {
		s.Covered = overlap(around, m.Polygon)
	}
	if m, ok := measures["shade_ratio"]; ok && overlap(place, m.Polygon) > 0 {
		s.Shade = m.Value
	}
	if m, ok := measures["text_margin_em"]; ok && overlap(place, m.Polygon) > 0 {
		s.Margin = m.Value
	}
	return s
}

// hugeEm is the em relative to the short side of a picture from which there is no
// print on it but a title at most: that of a license takes a fortieth of its sheet.
const hugeEm = 0.03

// fieldShare is the em of a license's fields relative to the shorter side of its
// sheet, from smallest to largest.
var fieldShare = [2]float64{0.015, 0.03}

// leastFieldEm is the em, px, of fields below which a sheet in a photo may be a label.
const leastFieldEm = 8

// FieldPrint is what a line says of the fields' print, where that has so many px an em,
// or of 0 where it lies on a sheet of such a shorter side, px: print of titles and of
// what surrounds a sheet is as blurred, in px.
func FieldPrint(line report.LineQuality, em, side float64) report.LineQuality {
	if em == 0 {
		em = min(max(line.EmPx, fieldShare[0]*side), fieldShare[1]*side)
		if em < leastFieldEm {
			return line
		}
	}
	line.BlurQ *= line.EmPx / max(em, 1)
	line.EffectiveEmPx = min(line.EffectiveEmPx*max(em/max(line.EmPx, 1), 1), em)
	line.EmPx = em
	return line
}

// besideEm is how near to a field, in em, what hides the sheet may have taken more of
// its line: what was found of it ends there.
const besideEm = 1.5

// lengthened is a line, from its upper left, with so much more at each end.
func lengthened(line report.Polygon, by float64) report.Polygon {
	if len(line) != 4 {
		return line
	}
	out := slices.Clone(line)
	dx, dy := line[1][0]-line[0][0], line[1][1]-line[0][1]
	share := by / max(math.Hypot(dx, dy), 1)
	for i, side := range []float64{-share, share, share, -share} {
		out[i][0] += side * dx
		out[i][1] += side * dy
	}
	return out
}

// strayEm is the em relative to the page's from which a place where the code may be
// holds no line of print: codes are up to twice as high as the small print.
const strayEm = 3.0

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

// Print is sound up to these values, and better adds nothing (CAPTURE 1.3, 2 and 8);
// beyond the others nothing changes.
const (
	white                     = 255.0
	sharpQ, mostBlurred       = 0.05, 0.3  // em of blur: none; strokes have merged long before
	comfortable, smallest     = 24.0, 3.0  // px of an em; less is no print
	plain, faintest           = 0.25, 0.02 // contrast; less cannot be told from none
	mostNoise                 = 1.0        // of the distance of paper and ink, at a comfortable em
	mostHidden                = 0.4        // of a field
	even, darkest             = 0.8, 0.05  // shade ratio; less is night
	safeMargin, farOutside    = 0.5, 2.0   // em from the edge; of a line cut off
	screenless, plainlyScreen = 2.0, 5.0   // nepers of a display's pixels
)

// terms are the inputs of the models of the image alone.
var terms = []term{
	{"blur", "blur_q", func(s Signs) float64 { return 10 * beyond(s.Line.BlurQ, sharpQ, mostBlurred) }},
	{"small", "em_px", func(s Signs) float64 { return 10 * beyond(1/max(s.Line.EmPx, smallest), 1/comfortable, 1) }},
	{"coarse", "effective_em_px", func(s Signs) float64 {
		return 10 * beyond(1/max(s.Line.EffectiveEmPx, smallest), 1/comfortable, 1)
	}},
	{"faint", "contrast", func(s Signs) float64 { return math.Log(plain / min(max(s.Line.Contrast, faintest), plain)) }},
	{"noisy", "noise_level", func(s Signs) float64 {
		depth := s.Paper * 2 * s.Line.Contrast / (1 + s.Line.Contrast) // paper less ink
		return 10 * min(s.Noise/max(depth, 1)*comfortable/max(s.Line.EmPx, smallest), mostNoise)
	}},
	{"burnt", "glare_share", func(s Signs) float64 { return s.Glare }},
	{"hidden", "covered_share", func(s Signs) float64 { return 5 * beyond(s.Covered, 0, mostHidden) }},
	{"shaded", "shade_ratio", func(s Signs) float64 { return math.Log(even / min(max(s.Shade, darkest), even)) }},
	{"dark", "paper_level", func(s Signs) float64 { return 1 - min(s.Paper/white, 1) }},
	{"cut", "text_margin_em", func(s Signs) float64 { return beyond(-s.Margin, -safeMargin, farOutside) }},
	{"grid", "screen_score", func(s Signs) float64 { return beyond(s.Screen, screenless, plainlyScreen) }},
}

// beyond is how far a value exceeds what is sound, up to the most that matters.
func beyond(value, sound, most float64) float64 { return max(min(value, most)-sound, 0) }

// Inputs are the signs as the models weigh them.
func (s Signs) Inputs() []Input {
	inputs := make([]Input, len(terms))
	for i, t := range terms {
		inputs[i] = Input{t.name, t.of(s)}
	}
	return inputs
}
