package pipeline

import (
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
// page, and of its colour.
func (r *run) measure(sheet page.Page, f face) {
	defer r.time("measure")()
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
	tone := quality.Tones(sheet.Image)
	q.Chroma = rounded(tone.Chroma)
	r.evidence.Document.Color = report.ColorColor
	if tone.Grayscale() {
		r.evidence.Document.Color = report.ColorGrayscale
	}
	var places []ocr.Quad // of the code and the name, without which nothing passes
	if len(f.CodeRegions) > 0 && f.decided.State != verdict.CodeRead {
		places = append(places, f.CodeRegions[0])
	}
	places = append(places, f.Fields[report.FieldUSCC].Quads...)
	places = append(places, f.Fields[report.FieldCompanyName].Quads...)
	glare := report.Measure{}
	for i, share := range quality.Glare(sheet.Image, places) {
		if share > glare.Value {
			glare = report.Measure{Value: rounded(share), Polygon: sheet.OnPhoto(places[i])}
		}
	}
	r.evidence.Measures = map[string]report.Measure{
		verdict.MeasureGlareShare: glare,
		verdict.MeasurePaperLevel: {Value: rounded(tone.Paper)},
		verdict.MeasureInkLevel:   {Value: rounded(tone.Ink)},
		verdict.MeasureRedShare:   {Value: rounded(tone.RedShare)},
	}
}

// onPhoto brings the lengths of a measure to pixels of the uploaded picture.
func onPhoto(m report.LineQuality, sheet page.Page) report.LineQuality {
	m.EmPx, m.EffectiveEmPx = rounded(m.EmPx/sheet.Scale), rounded(m.EffectiveEmPx/sheet.Scale)
	m.BlurQ, m.BlurX, m.BlurY, m.Contrast = rounded(m.BlurQ), rounded(m.BlurX), rounded(m.BlurY), rounded(m.Contrast)
	return m
}
