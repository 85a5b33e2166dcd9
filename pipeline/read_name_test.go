package pipeline

import (
	"image"
	"testing"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
)

// TestConfirmName: a doubtful name is agreed upon where three of four further
// readings say the same; sure and partial ones are not read again.
func TestConfirmName(t *testing.T) {
	const whole = "云岫县测试有限公司"
	same, other := line("b", whole, 0.9, nil), line("b", "云岫县测拭有限公司", 0.9, nil)
	spaced := line("b", "云岫县 测试有限公司", 0.9, nil)
	for name, tt := range map[string]struct {
		first  ocr.Line
		others []ocr.Line
		want   int
		asked  int
	}{
		"all agree":    {line("a", whole, 0.99, map[int]ocr.Character{3: doubt(0.7)}), []ocr.Line{same}, 5, 4},
		"one differs":  {line("a", whole, 0.99, map[int]ocr.Character{3: doubt(0.7)}), []ocr.Line{same, other, spaced, same}, 4, 4},
		"two differ":   {line("a", whole, 0.99, map[int]ocr.Character{3: doubt(0.7)}), []ocr.Line{same, other}, 0, 4},
		"sure":         {line("a", whole, 0.999, nil), []ocr.Line{same}, 0, 0},
		"without form": {line("a", "云岫县测试", 0.99, map[int]ocr.Character{3: doubt(0.7)}), []ocr.Line{line("b", "云岫县测试", 0.9, nil)}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			reader := &script{lines: tt.others}
			r := runWith(reader)
			r.Fast = reader
			f := face{lines: []ocr.Line{tt.first}, Reading: license.Reading{Kind: report.KindBusinessLicense, Fields: map[report.FieldName]license.Value{
				report.FieldCompanyName: {Text: tt.first.Text, Quads: []ocr.Quad{tt.first.Quad}, Characters: tt.first.Characters}}}}
			if err := r.confirmName(t.Context(), page.Page{Image: image.NewNRGBA(image.Rect(0, 0, 100, 100))}, &f); err != nil {
				t.Fatal(err)
			}
			if f.nameReadings != tt.want || reader.asked != tt.asked {
				t.Errorf("got %d readings of %d asked, want %d of %d", f.nameReadings, reader.asked, tt.want, tt.asked)
			}
		})
	}
}
