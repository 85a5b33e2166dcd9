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
