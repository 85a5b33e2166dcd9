package verdict

import (
	"cmp"
	"math"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/quality"
)

// nativeBlurPx is the blur, in pixels before any enlargement, up to which small
// text is small rather than blurred: of synthetic pictures that lost a field, small
// and shrunk ones have 0.75 to 1.31, defocused ones 2.4 and more.
const nativeBlurPx = 1.5

// defect is a measure of a line against its band.
type defect struct {
	code, measure string
	value         float64
	band          Band
	excess        float64 // 0 at pass, 1 at fail
	blame         float64 // what it adds, beyond pass, to the log-odds that the line cannot be read
}

func newDefect(code, measure string, value float64, band Band) defect {
	return defect{code: code, measure: measure, value: value, band: band, excess: (value - band.Pass) / (band.Fail - band.Pass)}
}

// limit is the bound that the value exceeds.
func (d defect) limit() float64 {
	if d.excess >= 1 {
		return d.band.Fail
	}
	return d.band.Pass
}

// Of an enlarged picture the lines have less than enlargedShare of the detail that their
// size could carry, and were sharp before: blurred over at most enlargedBlurPx of the
// pixels they had. Defocused lines of such detail have 0.75, enlarged ones 0.6.
const enlargedShare, enlargedBlurPx, enlargedLines = 0.4, 0.66, 2

// enlarged says that the picture was small and was enlarged.
func (x *examination) enlarged() bool {
	var blurs []float64 // px before it
	for _, q := range x.Quality.Fields {
		if q.EffectiveEmPx < enlargedShare*q.EmPx {
			blurs = append(blurs, q.BlurQ*q.EffectiveEmPx)
		}
	}
	slices.Sort(blurs)
	return len(blurs) >= enlargedLines && blurs[len(blurs)/2] <= enlargedBlurPx
}

// unmeasurable is the contrast below which no blur can be measured.
const unmeasurable = 0.02

// lineDefects grade a line, the likely cause of any trouble first: what is farthest
// beyond its band, or of a line that was not read, what the model blames most. Lost
// says that this is what it was lost to: the picture is to blame, and nothing that
// has a check of its own is more so. The measured line speaks where no signs of print
// were found.
func (x *examination) lineDefects(r reading, measured report.LineQuality, signs quality.Signs) (grades []defect, lost bool) {
	q, l := cmp.Or(signs.Line, measured), x.policy.Limits
	blurred := newDefect("image_blurry", "blur_q", q.BlurQ, l.blurBand(r.field))
	small := newDefect("image_resolution_too_low", "em_px", q.EmPx, l.EmPx)
	if enlarged := newDefect(small.code, "effective_em_px", q.EffectiveEmPx, l.EmPx); r.field != "" && r.certainty == missing && (blurred.excess <= 0 || x.enlarged()) && enlarged.excess > small.excess {
		small, blurred.excess = enlarged, 0
	}
	faint := newDefect("image_low_contrast", "contrast", q.Contrast, l.Contrast)
	if x.burnt() {
		faint.code = "image_overexposed"
	}
	model := quality.Shipped()
	blames := model.Blames(r.field, signs, l.sound(r.field, signs))
	if q.Contrast <= unmeasurable {
		blurred.excess = 0
	}
	blurred.blame, small.blame, faint.blame = blames[blurred.measure], blames["em_px"], blames[faint.measure]
	// Both enlarging and blur take detail: without blur it was enlarged.
	if coarse := blames["effective_em_px"]; blurred.excess > 0 {
		blurred.blame += coarse
	} else {
		small.blame += coarse
	}
	if small.excess > 0 && (q.BlurQ*q.EmPx <= nativeBlurPx || small.measure == "effective_em_px") { // it only looks blurred at the size of reading
		small.blame += max(blurred.blame, 0)
		blurred.excess, blurred.blame = 0, 0
	}
	if faint.excess > 0 && blurred.excess >= halfway && q.Contrast > unmeasurable { // smearing is what bleached it
		faint.excess, faint.blame = 0, 0
	}
	grades = []defect{blurred, small, faint}
	if r.certainty != missing || signs.Line != q {
		slices.SortStableFunc(grades, func(a, b defect) int { return cmp.Compare(b.excess, a.excess) })
		return grades, r.certainty == missing && grades[0].excess >= 1
	}
	slices.SortStableFunc(grades, func(a, b defect) int { return cmp.Compare(b.blame, a.blame) })
	elsewhere := 0.0
	for _, measure := range []string{MeasureGlareShare, MeasureCoveredShare, MeasureShadeRatio, MeasurePaperLevel, MeasureTextMargin} {
		elsewhere = max(elsewhere, blames[measure])
	}
	hopeless := grades[0].excess >= 1 && x.Quality.Fields[r.field] == q // one bad line of a page says little
	if r.field == x.code.field && q != x.Quality.Fields[r.field] && x.hidden() && x.printSound() {
		return grades, false
	}
	if grades[0].blame > elsewhere && (hopeless || model.Unreadable(r.field, signs) >= l.UnreadableProbability) {
		return grades, true
	}
	if r.field != x.code.field || x.hidden() {
		return grades, false
	}
	return x.likeliest(grades)
}

// printSound says that the name was read and its line is within every limit: where the
// line of the code is not known, its print will be as sound.
func (x *examination) printSound() bool {
	q, measured := x.Quality.Fields[report.FieldCompanyName]
	l := x.policy.Limits
	return measured && x.name.certainty == certain && q.BlurQ <= l.BlurQText.Pass && q.EmPx >= l.EmPx.Pass && q.Contrast >= l.Contrast.Pass
}

// hidden says that something else than the print's own quality took text.
func (x *examination) hidden() bool {
	return slices.ContainsFunc([]func() []Finding{x.darkness, x.glare, x.bounds, x.cover}, func(check func() []Finding) bool {
		return check()[0].Status == report.CheckFailed
	})
}

// noisy is the noise from which recognition begins to fail at a comfortable size, of 255
// levels: 25 harms nothing at 24 px, half of that at 12.
const noisy = 20

// halfway between what is sound and what nobody reads a defect begins to explain what
// was not read; less than that nothing.
const halfway = 0.5

// likeliest is what a code that was not read was lost to where nothing is plain: it is
// refused in any case. Noise blurs edges, and blur bleaches ink: each is looked for
// before what it causes. Other lines show a blur that the code's digits do not.
func (x *examination) likeliest(grades []defect) ([]defect, bool) {
	rank := func(d defect) int {
		return slices.Index([]string{"noise_level", "effective_em_px", "blur_q", "em_px", "contrast"}, d.measure)
	}
	likely := slices.Clone(grades)
	for i, d := range likely {
		if d.measure == "blur_q" {
			for _, r := range x.needed() {
				if q, ok := x.Quality.Fields[r.field]; ok && q.BlurQ > d.value && q.BlurQ*q.EmPx > nativeBlurPx {
					likely[i] = newDefect(d.code, d.measure, q.BlurQ, d.band)
				}
			}
		}
	}
	if m := x.Measures[MeasureNoise]; m.Value > noisy {
		likely = append(likely, newDefect("image_blurry", MeasureNoise, m.Value, Band{noisy / 2, noisy}))
	}
	likely = slices.DeleteFunc(likely, func(d defect) bool { return d.excess <= 0 })
	if !slices.ContainsFunc(likely, func(d defect) bool { return d.excess >= halfway }) {
		return grades, false
	}
	slices.SortFunc(likely, func(a, b defect) int { return cmp.Compare(rank(a), rank(b)) })
	return likely[:1], true
}

// sound are the signs of a line that is just within every limit.
func (l Limits) sound(field report.FieldName, signs quality.Signs) quality.Signs {
	signs.Line.BlurQ, signs.Line.Contrast = l.blurBand(field).Pass, l.Contrast.Pass
	signs.Line.EmPx, signs.Line.EffectiveEmPx = l.EmPx.Pass, l.EmPx.Pass
	signs.Glare, signs.Covered, signs.Shade = l.GlareShare, l.CoveredShare, l.ShadeRatio
	signs.Paper, signs.Margin = l.PaperLevel, l.TextMarginEm
	return signs
}

func (l Limits) blurBand(field report.FieldName) Band {
	if field == report.FieldUSCC || field == report.FieldRegistrationNumber {
		return l.BlurQCode
	}
	return l.BlurQText
}

// examineLines attributes what was not read with certainty to what is wrong
// with its line, and notes defects of lines that were read all the same. One
// finding a defect is kept, of the gravest line.
func (x *examination) examineLines() {
	x.defects, x.lines = map[string]Finding{}, map[string]defect{}
	if x.System != "" || x.File != nil || len(x.NameMasked) > 0 {
		return
	}
	lines := x.needed()
	if x.Document.Kind != report.KindBusinessLicense { // nothing needed can be told apart: the page speaks
		lines = []reading{{}}
	}
	worst := map[string]float64{}
	for _, r := range lines {
		signs := quality.SignsOf(r.field, x.Quality, x.Measures, x.Fields)
		q, ok := x.Quality.Fields[r.field]
		if x.Quality.Page != nil && signs.Line == *x.Quality.Page {
			signs.Line = x.print()
		}
		if !ok && r.certainty < certain && x.Quality.Page != nil {
			q, ok = x.print(), true
		}
		if !ok || r.of == string(report.CodeMasked) {
			continue
		}
		grades, lost := x.lineDefects(r, q, signs)
		for i, d := range grades {
			if known, ok := x.lines[d.code]; !ok || d.excess > known.excess {
				x.lines[d.code] = d
			}
			// What a field was lost to is judged; a doubtful reading is
			// explained only by what makes reading impossible.
			judged := i == 0 && (lost || r.certainty == doubtful && d.excess >= 1)
			if !judged && d.excess < 1 {
				continue
			}
			weight := d.excess
			if judged {
				weight += 1e6
			}
			if weight <= worst[d.code] {
				continue
			}
			worst[d.code] = weight
			limit := d.limit()
			f := fail(d.code, report.Evidence{Measure: d.measure, Value: &d.value, Limit: &limit, Polygon: r.polygon}).about(r.field)
			f.Legible = !judged && x.legible()
			switch d.measure {
			case "blur_q":
				f.Evidence.Detail = cmp.Or(q.BlurKind, "blur")
			case MeasureNoise:
				f.Case, f.Evidence.Detail = "noise", "noise"
			case "effective_em_px":
				f.Case = "enlarged"
			case "contrast":
				if d.code == "image_overexposed" {
					f.Case = "faint"
				}
			}
			if judged || f.Legible {
				x.defects[d.code] = f
			}
		}
	}
}

// lineCheck reports a defect of lines. A page that shows another certificate
// was read well enough to tell.
func (x *examination) lineCheck(code string) []Finding {
	switch f, found := x.defects[code]; {
	case x.Document.Kind == report.KindOther:
		return notApplicable(noLicense)
	case found:
		return []Finding{f}
	}
	line, measured := x.lines[code]
	if !measured {
		return notRun(notMeasured)
	}
	return []Finding{{Status: report.CheckPassed, Score: &line.value, Limit: &line.band.Fail}}
}

// print is what the page says of the print of a field whose line is not known: it has
// the em of the fields that are, else one that fits the sheet.
func (x *examination) print() report.LineQuality {
	side := 0.0
	if quad := x.Document.Quad; len(quad) == 4 {
		along := func(a, b report.Point) float64 { return math.Hypot(a[0]-b[0], a[1]-b[1]) }
		side = min(along(quad[0], quad[1]), along(quad[1], quad[2]), along(quad[2], quad[3]), along(quad[3], quad[0]))
	}
	var ems []float64
	for field := range x.Fields {
		if q, ok := x.Quality.Fields[field]; ok {
			ems = append(ems, q.EmPx)
		}
	}
	if len(ems) == 0 {
		return quality.FieldPrint(*x.Quality.Page, 0, side)
	}
	slices.Sort(ems)
	return quality.FieldPrint(*x.Quality.Page, ems[len(ems)/2], side)
}
