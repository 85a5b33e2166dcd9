package pipeline

import (
	"image"
	"math"
	"slices"
	"strings"

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
	overview := quality.Survey(sheet.Image)
	r.evidence.Measures = map[string]report.Measure{}
	r.measureLines(sheet, f)
	r.measurePage(sheet, f, overview)
	r.measurePhoto(photo, sheet)
	if f.Kind == report.KindBusinessLicense {
		r.measureText(photo, sheet, f, overview)
	}
	r.estimate()
}

// estimate says of every field, and of the page, how probable it is that it cannot
// be read.
func (r *run) estimate() {
	model, q := quality.Shipped(), &r.evidence.Quality
	unreadable := func(name report.FieldName) float64 {
		return model.Unreadable(name, quality.SignsOf(name, *q, r.evidence.Measures, r.evidence.Fields))
	}
	for name, line := range q.Fields {
		line.Unreadable = rounded(unreadable(name))
		q.Fields[name] = line
	}
	if q.Page == nil {
		return
	}
	code := report.FieldUSCC
	if _, legacy := q.Fields[report.FieldRegistrationNumber]; legacy {
		if _, coded := r.evidence.Fields[code]; !coded {
			code = report.FieldRegistrationNumber
		}
	}
	q.Page.Unreadable = rounded(model.AnyUnreadable(unreadable(code), unreadable(report.FieldCompanyName)))
}

// measureLines measures the lines of the fields, the worst for each, and some of
// all lines for the page.
func (r *run) measureLines(sheet page.Page, f face) {
	q := &r.evidence.Quality
	q.Fields = map[report.FieldName]report.LineQuality{}
	for name, v := range f.Fields {
		if name == report.FieldScope {
			continue
		}
		for _, quad := range v.Quads {
			m := onPhoto(quality.Line(sheet.Image, quad, quality.ScriptOf(name)), sheet)
			if worst, ok := q.Fields[name]; !ok || m.BlurQ > worst.BlurQ {
				q.Fields[name] = m
			}
		}
	}
	// A pre-check has not looked for the code as hard as it could: where it should
	// stand may be empty.
	if _, ok := q.Fields[report.FieldUSCC]; !ok && len(f.CodeRegions) > 0 && !r.brief {
		q.Fields[report.FieldUSCC] = onPhoto(quality.Line(sheet.Image, f.CodeRegions[0], quality.Digits), sheet)
	}
	var all []report.LineQuality
	for i := 0; i < len(f.lines); i += 1 + len(f.lines)/pageSample {
		if line := f.lines[i].Quad; straight(line) && within(sheet, line) {
			all = append(all, onPhoto(quality.Line(sheet.Image, line, quality.Han), sheet))
		}
	}
	if worst, ok := quality.Page(all); ok {
		q.Page = &worst
	}
}

// measurePage measures light, color and what lies on the flattened page.
func (r *run) measurePage(sheet page.Page, f face, overview quality.Overview) {
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
	below := body(sheet, f)
	r.note(sheet, verdict.MeasureShadeRatio, overview.Shade(below))
	if f.Kind == report.KindBusinessLicense {
		r.note(sheet, verdict.MeasureCoveredShare, overview.Covered(below))
	}
}

// measureText measures reflections on the fields, how far from the edge of the photo
// their text stands, and how many licenses there are. Where the code or the name was
// not found, it may have stood on any line; where a reflection lies at its end, more of
// it may be under that.
func (r *run) measureText(photo *image.NRGBA, sheet page.Page, f face, overview quality.Overview) {
	var lines, required []ocr.Quad
	for name, v := range f.Fields {
		if name != report.FieldScope {
			lines = append(lines, v.Quads...)
		}
		switch name {
		case report.FieldUSCC, report.FieldRegistrationNumber, report.FieldCompanyName:
			required = append(required, v.Quads...)
		}
	}
	glare := quality.Glare(sheet.Image, append(slices.Clone(lines), f.CodeRegions[:min(len(f.CodeRegions), 1)]...))
	_, named := f.Fields[report.FieldCompanyName]
	coded := f.decided.State == report.CodeRead || numbered(f.Reading)
	if !coded || !named {
		for _, line := range f.lines {
			if line.Confidence > plainPrint && level(line.Quad) && straight(line.Quad) && within(sheet, line.Quad) {
				lines = append(lines, line.Quad)
			}
		}
	}
	burnt := overview.Burnt()
	if burnt.Value > 0 && len(lines) > 0 && (!coded || !named || slices.ContainsFunc(required, func(q ocr.Quad) bool { return ends(q, burnt.Place) })) {
		share := min(burnt.Value*boxPerEm/(codeEm*lines[0].Height()), 1)
		if share > glare.Value {
			glare = quality.Spot{Value: share, Place: burnt.Place}
		}
	}
	r.note(sheet, verdict.MeasureGlareShare, glare)
	r.measureHiding(sheet, f, overview)
	count := documents(sheet, f, r.text)
	r.notePhoto(verdict.MeasureDocuments, count)
	if len(lines) == 0 || count.Value > 1 { // of two sheets one is cut off, and which counts is not known
		return
	}
	seen := make([]ocr.Quad, len(lines))
	for i, line := range lines {
		seen[i] = quadOnPhoto(sheet, line)
	}
	r.notePhoto(verdict.MeasureTextMargin, quality.Margin(seen, photo.Rect))
}

// measurePhoto measures what the flattened page no longer shows: how the photo came
// about.
func (r *run) measurePhoto(photo *image.NRGBA, sheet page.Page) {
	r.notePhoto(verdict.MeasureScreenScore, quality.Screen(photo, sheet.Quad))
	r.notePhoto(verdict.MeasureScreenshotScore, quality.Spot{Value: quality.Screenshot(photo)})
	r.notePhoto(verdict.MeasureNoise, quality.Spot{Value: quality.Noise(photo)})
}

// plainPrint is the confidence of a reading from which it is one of print, not of the
// ornament of a border or what shows of papers.
const plainPrint = 0.8

// endEm is how near to the end of a line, in em, what hides the rest begins.
const endEm = 1.5

// ends tells whether a line of print ends at or under a thing.
func ends(line, thing ocr.Quad) bool {
	low, high := line.Bounds()
	from, to := thing.Bounds()
	near := endEm * line.Height() / boxPerEm
	return low.X-near < to.X && high.X+near > from.X && low.Y < to.Y && high.Y > from.Y
}

// titles are what heads a license, and nothing else on it in such print.
var titles = []string{"营业执照", "企业法人营业执照", "企业营业执照", "个体工商户营业执照", "合伙企业营业执照", "个人独资企业营业执照", "农民专业合作社法人营业执照"}

const (
	// titleHeight is the height of a title relative to the median line.
	titleHeight = 1.5
	// ownReach is how far a sheet reaches, from its middle, relative to its quad,
	// which may be that of its printed frame.
	ownReach = 1.2
	// secondSheetEm is how much text beside the sheet, in em, is another document:
	// of 215 real pictures, of one sheet each, the most has 45.
	secondSheetEm = 70
)

// alongDegrees is how far text turns from the sides of a sheet that it lies along.
const alongDegrees = 6

// parallel tells text that runs along the sides of a sheet, as on another one laid
// beside it, from that of papers that lie about.
func parallel(sheet, line ocr.Quad) bool {
	return math.Abs(math.Remainder(direction(line)-direction(sheet), 90)) < alongDegrees
}

// straight tells print of the flattened sheet from that of papers that lie about.
func straight(line ocr.Quad) bool { return math.Abs(direction(line)) < alongDegrees }

// direction is that of a line's upper edge, degrees clockwise.
func direction(q ocr.Quad) float64 { return math.Atan2(q[1].Y-q[0].Y, q[1].X-q[0].X) * 180 / math.Pi }

// documents counts the sheets that a photo shows: by titles, by codes, and by text
// beside the sheet. The place is that of the text, or of the second title.
func documents(sheet page.Page, f face, text []ocr.Quad) quality.Spot {
	spot := quality.Spot{Value: 1}
	own, center := sheet.Quad, sheet.Quad.Center()
	for i, p := range own {
		own[i] = ocr.Point{X: center.X + ownReach*(p.X-center.X), Y: center.Y + ownReach*(p.Y-center.Y)}
	}
	var beside []ocr.Quad
	em := 0.0
	for _, line := range text {
		if sheet.Found() && !own.Contains(line.Center()) && parallel(sheet.Quad, line) {
			beside = append(beside, line)
			em += boxPerEm * line.Width() / max(line.Height(), 1)
		}
	}
	if em > secondSheetEm {
		spot = quality.Spot{Value: 2, Place: ocr.Around(beside)}
	}
	heights := make([]float64, len(f.lines))
	for i, line := range f.lines {
		heights[i] = line.Quad.Height()
	}
	slices.Sort(heights)
	headed, codes := 0, map[string]bool{}
	for _, line := range f.lines {
		title := slices.Contains(titles, strings.ReplaceAll(line.Text, " ", "")) && line.Quad.Height() > titleHeight*heights[len(heights)/2]
		if title {
			headed++
		}
		for _, s := range sightings(line) {
			if settled([]sighting{s}) && !codes[s.code] {
				codes[s.code] = true
				title = len(codes) > 1
			}
		}
		if n := float64(max(headed, len(codes))); title && n > spot.Value {
			spot = quality.Spot{Value: n, Place: quadOnPhoto(sheet, line.Quad)}
		}
	}
	return spot
}

// quadOnPhoto is a quad of the page as it lies on the photo.
func quadOnPhoto(sheet page.Page, q ocr.Quad) ocr.Quad {
	var out ocr.Quad
	for i, p := range sheet.OnPhoto(q) {
		out[i] = ocr.Point{X: p[0], Y: p[1]}
	}
	return out
}

// notePhoto keeps a measure of the photo itself.
func (r *run) notePhoto(name string, spot quality.Spot) {
	m := report.Measure{Value: rounded(spot.Value)}
	if spot.Place != (ocr.Quad{}) {
		m.Polygon = polygon(spot.Place)
	}
	r.evidence.Measures[name] = m
}

// codeEm is how long the line of a code is, in em. Where the code or the name is
// not found, a reflection hides as much of such a line as it is wide.
const codeEm = 12

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

// body are the lines from the first of the fields to the foot of the sheet: what
// stands above, the emblem and the title, tells nothing about paper. Where no sheet
// was found they reach to the last of the fields: bars and buttons are round it.
func body(sheet page.Page, f face) []ocr.Quad {
	top, bottom := bodyTop*float64(sheet.Image.Rect.Dy()), 0.0
	for name, v := range f.Fields {
		switch name {
		case report.FieldUSCC, report.FieldRegistrationNumber, report.FieldSerialNumber:
			continue
		}
		for _, q := range v.Quads {
			top, bottom = min(top, q[0].Y, q[1].Y), max(bottom, q[2].Y, q[3].Y)
		}
	}
	var below []ocr.Quad
	for _, line := range f.lines {
		y := line.Quad.Center().Y
		if y < top || !level(line.Quad) || !sheet.Found() && y > bottom || !within(sheet, line.Quad) {
			continue
		}
		below = append(below, line.Quad)
	}
	return below
}

// within tells the print of the sheet from that of papers round it.
func within(sheet page.Page, line ocr.Quad) bool {
	return !sheet.Found() || sheet.Quad.Contains(quadOnPhoto(sheet, line).Center())
}

// level tells a line of print from the ornament of a border, and from the bars of a
// screen that shows the sheet turned.
func level(q ocr.Quad) bool {
	low, high := q.Bounds()
	return high.X-low.X > high.Y-low.Y
}

// onPhoto brings the lengths of a measure to pixels of the uploaded picture.
func onPhoto(m report.LineQuality, sheet page.Page) report.LineQuality {
	m.EmPx, m.EffectiveEmPx = rounded(m.EmPx/sheet.Scale), rounded(m.EffectiveEmPx/sheet.Scale)
	m.BlurQ, m.BlurX, m.BlurY, m.Contrast = rounded(m.BlurQ), rounded(m.BlurX), rounded(m.BlurY), rounded(m.Contrast)
	return m
}
