package pipeline

import (
	"image"
	"image/color"
	"image/draw"
	"testing"
	"time"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
)

// BenchmarkMeasure takes all measures of a photo of 12 megapixels with 50 lines of
// text, 25 of them fields; 150 ms on one core is the most they may take.
func BenchmarkMeasure(b *testing.B) {
	photo := image.NewNRGBA(image.Rect(0, 0, 4000, 3000))
	draw.Draw(photo, photo.Rect, image.NewUniform(color.NRGBA{220, 215, 205, 255}), image.Point{}, draw.Src)
	for i := range photo.Pix {
		if i%4 != 3 {
			photo.Pix[i] += uint8(i * 2654435761 >> 13 & 7)
		}
	}
	f := face{Reading: license.Reading{Kind: report.KindBusinessLicense, Fields: map[report.FieldName]license.Value{}}}
	for i := range 50 {
		x, y := 300+1800*(i%2), 500+90*(i/2)
		for k := range 24 {
			draw.Draw(photo, image.Rect(x+48*k, y+10, x+48*k+30, y+50), image.NewUniform(color.NRGBA{40, 40, 40, 255}), image.Point{}, draw.Src)
		}
		quad := ocr.Quad{{X: float64(x), Y: float64(y)}, {X: float64(x + 1160), Y: float64(y)}, {X: float64(x + 1160), Y: float64(y + 60)}, {X: float64(x), Y: float64(y + 60)}}
		f.lines = append(f.lines, ocr.Line{Quad: quad, Text: "测试"})
		if i < 10 {
			name := []report.FieldName{report.FieldUSCC, report.FieldCompanyName, report.FieldType, report.FieldLegalRepresentative, report.FieldAddress,
				report.FieldEstablished, report.FieldTerm, report.FieldIssued, report.FieldRegisteredCapital, report.FieldRegistrationAuthority}[i]
			f.Fields[name] = license.Value{Text: "测试", Quads: []ocr.Quad{quad}}
		}
	}
	sheet := page.Page{Image: photo, Scale: 1}
	for b.Loop() {
		r := &run{Pipeline: &Pipeline{Now: time.Now}, timings: map[string]float64{}}
		r.measure(photo, sheet, f)
	}
}

func printed(text string, x, y, width, height float64) ocr.Line {
	return ocr.Line{Text: text, Quad: ocr.Quad{{X: x, Y: y}, {X: x + width, Y: y}, {X: x + width, Y: y + height}, {X: x, Y: y + height}}}
}

// A second license shows by its title, or by its text beside the sheet; the
// footer below the printed frame is the sheet's own.
func TestDocuments(t *testing.T) {
	title, small, value := printed("营业执照", 400, 100, 300, 60), printed("营业执照", 400, 800, 100, 25), printed("测试", 100, 300, 200, 25)
	second := title
	for i := range second.Quad {
		second.Quad[i].X += 900
	}
	frame := ocr.Quad{{X: 50, Y: 50}, {X: 950, Y: 50}, {X: 950, Y: 700}, {X: 50, Y: 700}}
	var beside []ocr.Quad
	for i := range 6 {
		beside = append(beside, printed("", 1200, 100+50*float64(i), 300, 26).Quad)
	}
	var about []ocr.Quad // on papers that lie askew
	for i := range 6 {
		y := 100 + 50*float64(i)
		about = append(about, ocr.Quad{{X: 1200, Y: y}, {X: 1480, Y: y + 100}, {X: 1471, Y: y + 125}, {X: 1191, Y: y + 25}})
	}
	footer := []ocr.Quad{printed("", 50, 710, 900, 20).Quad, printed("", 50, 735, 900, 20).Quad}
	for name, tt := range map[string]struct {
		lines []ocr.Line
		text  []ocr.Quad
		quad  ocr.Quad
		want  float64
	}{
		"one":                        {[]ocr.Line{title, small, value, value}, footer, frame, 1},
		"two titles":                 {[]ocr.Line{title, second, small, value, value, value, value}, nil, ocr.Quad{}, 2},
		"text beside the sheet":      {[]ocr.Line{title, value, value}, beside, frame, 2},
		"papers about":               {[]ocr.Line{title, value, value}, about, frame, 1},
		"no sheet to be beside":      {[]ocr.Line{title, value, value}, beside, ocr.Quad{}, 1},
		"nothing was read on either": {nil, nil, ocr.Quad{}, 1},
	} {
		sheet, _, err := page.Flatten(t.Context(), image.NewNRGBA(image.Rect(0, 0, 1600, 900)), nil)
		if err != nil {
			t.Fatal(err)
		}
		sheet.Quad = tt.quad
		if got := documents(sheet, face{lines: tt.lines}, tt.text); got.Value != tt.want || (got.Place == ocr.Quad{}) != (tt.want == 1) {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

// A reflection or a thing takes the rest of a line whose end it touches; one beside
// another line, or farther along, does not.
func TestEnds(t *testing.T) {
	line := printed("", 100, 100, 300, 26).Quad
	for name, tt := range map[string]struct {
		thing ocr.Quad
		want  bool
	}{
		"over its end":    {printed("", 380, 90, 200, 60).Quad, true},
		"right behind it": {printed("", 425, 90, 200, 60).Quad, true},
		"farther along":   {printed("", 450, 90, 200, 60).Quad, false},
		"before it":       {printed("", 20, 90, 60, 60).Quad, true},
		"on another line": {printed("", 380, 140, 200, 60).Quad, false},
	} {
		if got := ends(line, tt.thing); got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// A field that nothing harms can be read; the page is as bad as its fields.
func TestEstimate(t *testing.T) {
	sharp, blurred := report.LineQuality{EmPx: 25, EffectiveEmPx: 25, BlurQ: 0.04, Contrast: 0.4}, report.LineQuality{EmPx: 25, EffectiveEmPx: 4, BlurQ: 0.25, Contrast: 0.06}
	estimated := func(name report.LineQuality) report.Quality {
		r := &run{}
		page := sharp
		r.evidence.Quality = report.Quality{WidthPx: 2000, HeightPx: 1500, Page: &page, Fields: map[report.FieldName]report.LineQuality{
			report.FieldRegistrationNumber: sharp, report.FieldCompanyName: name}}
		r.estimate()
		return r.evidence.Quality
	}
	if q := estimated(sharp); q.Page.Unreadable > 0.1 || q.Fields[report.FieldCompanyName].Unreadable > 0.1 {
		t.Errorf("sharp: got %+v, page %+v", q.Fields, q.Page)
	}
	q := estimated(blurred)
	if number, name := q.Fields[report.FieldRegistrationNumber].Unreadable, q.Fields[report.FieldCompanyName].Unreadable; number > 0.1 || name < 0.9 || q.Page.Unreadable < 0.9 {
		t.Errorf("name blurred: number %.3f, name %.3f, page %.3f", number, name, q.Page.Unreadable)
	}
}
