package pipeline

import (
	"image"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/quality"
)

// pageSample is about how many lines speak for the page.
const pageSample = 16

// boxPerEm is the height of a detector's box over the em of its text.
const boxPerEm = 1.3

// measure takes the figures about legibility: of every field's lines, of the
// page, and of the photo it is on.
func (r *run) measure(photo *image.NRGBA, sheet page.Page, f face) {
	defer r.time("measure")()
	r.measureLines(sheet, f)
	r.evidence.Measures = map[string]report.Measure{}
	r.measurePage(sheet, f)
	r.measureText(photo, sheet, f)
}

// measureLines measures the lines of the fields, the worst for each, and some of
// all lines for the page.
func (r *run) measureLines(sheet page.Page, f face) {
	script := func(name report.FieldName) quality.Script {
		if name == report.FieldUSCC || name == report.FieldRegistrationNumber {
			return quality.Digits
		}
		return quality.Han
	}
	q := &r.evidence.Quality
	q.Fields = map[report.FieldName]report.LineQuality{}
	for name, v := range f.Fields {
		if name == report.FieldScope {
			continue
		}
		for _, quad := range v.Quads {
			m := onPhoto(quality.Line(sheet.Image, quad, script(name)), sheet)
			if worst, ok := q.Fields[name]; !ok || m.BlurQ > worst.BlurQ {
				q.Fields[name] = m
			}
		}
	}
	if _, ok := q.Fields[report.FieldUSCC]; !ok && len(f.CodeRegions) > 0 {
		q.Fields[report.FieldUSCC] = onPhoto(quality.Line(sheet.Image, f.CodeRegions[0], quality.Digits), sheet)
	}
	var all []report.LineQuality
	for i := 0; i < len(f.lines); i += 1 + len(f.lines)/pageSample {
		all = append(all, onPhoto(quality.Line(sheet.Image, f.lines[i].Quad, quality.Han), sheet))
	}
	if worst, ok := quality.Page(all); ok {
		q.Page = &worst
	}
}

// measurePage measures light, color and what lies on the flattened page.
func (r *run) measurePage(sheet page.Page, f face) {
	overview := quality.Survey(sheet.Image)
	tone := overview.Tone()
	r.evidence.Quality.Chroma = rounded(tone.Chroma)
	r.evidence.Document.Color = report.ColorColor
	if tone.Grayscale() {
		r.evidence.Document.Color = report.ColorGrayscale
	}
	r.note(sheet, verdict.MeasurePaperLevel, quality.Spot{Value: tone.Paper})
	r.note(sheet, verdict.MeasureInkLevel, quality.Spot{Value: tone.Ink})
	r.note(sheet, verdict.MeasureRedShare, quality.Spot{Value: tone.RedShare})
	r.note(sheet, verdict.MeasurePrintChroma, quality.Spot{Value: tone.Print})
	below := body(f, float64(sheet.Image.Rect.Dy()))
	r.note(sheet, verdict.MeasureShadeRatio, overview.Shade(below))
	r.note(sheet, verdict.MeasureCoveredShare, overview.Covered(below))
}

// measureText measures reflections on the fields, and how far from the edge of the
// photo their text stands. Where the code or the name was not found, it may have
// stood on any line.
func (r *run) measureText(photo *image.NRGBA, sheet page.Page, f face) {
	var lines []ocr.Quad
	for name, v := range f.Fields {
		if name != report.FieldScope {
			lines = append(lines, v.Quads...)
		}
	}
	lines = append(lines, f.CodeRegions[:min(len(f.CodeRegions), 1)]...)
	_, named := f.Fields[report.FieldCompanyName]
	if coded := f.decided.State == verdict.CodeRead || numbered(f.Reading); !coded || !named {
		for _, line := range f.lines {
			lines = append(lines, line.Quad)
		}
	}
	r.note(sheet, verdict.MeasureGlareShare, quality.Glare(sheet.Image, lines))
	if len(lines) == 0 {
		return
	}
	seen := make([]ocr.Quad, len(lines))
	for i, line := range lines {
		for k, corner := range sheet.OnPhoto(line) {
			seen[i][k] = ocr.Point{X: corner[0], Y: corner[1]}
		}
	}
	margin := quality.Margin(seen, photo.Rect)
	r.evidence.Measures[verdict.MeasureTextMargin] = report.Measure{Value: rounded(margin.Value), Polygon: polygon(margin.Place)}
}

// note keeps a measure of the flattened page with its place on the photo.
func (r *run) note(sheet page.Page, name string, spot quality.Spot) {
	m := report.Measure{Value: rounded(spot.Value)}
	if spot.Place != (ocr.Quad{}) {
		m.Polygon = sheet.OnPhoto(spot.Place)
	}
	r.evidence.Measures[name] = m
}

// bodyTop is how far down a page its fields begin at the latest, as a share of its
// height.
const bodyTop = 0.4

// body are the lines from the first of the fields to the foot of the page: what
// stands above, the emblem and the title, tells nothing about paper.
func body(f face, height float64) []ocr.Quad {
	top := bodyTop * height
	for name, v := range f.Fields {
		switch name {
		case report.FieldUSCC, report.FieldRegistrationNumber, report.FieldSerialNumber:
			continue
		}
		for _, q := range v.Quads {
			top = min(top, q[0].Y, q[1].Y)
		}
	}
	var below []ocr.Quad
	for _, line := range f.lines {
		if line.Quad.Center().Y >= top {
			below = append(below, line.Quad)
		}
	}
	return below
}

// onPhoto brings the lengths of a measure to pixels of the uploaded picture.
func onPhoto(m report.LineQuality, sheet page.Page) report.LineQuality {
	m.EmPx, m.EffectiveEmPx = rounded(m.EmPx/sheet.Scale), rounded(m.EffectiveEmPx/sheet.Scale)
	m.BlurQ, m.BlurX, m.BlurY, m.Contrast = rounded(m.BlurQ), rounded(m.BlurX), rounded(m.BlurY), rounded(m.Contrast)
	return m
}
