package drawing

import (
	"image"
	"image/color"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
)

func TestReportDrawsWhereThingsAre(t *testing.T) {
	picture := image.NewNRGBA(image.Rect(0, 0, 900, 700))
	for i := range picture.Pix {
		picture.Pix[i] = 128
	}
	box := func(x, y, w, h float64) report.Polygon {
		return report.Polygon{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}
	}
	r := report.Report{
		Outcome: report.OutcomeFail, Policy: "photo@1",
		Document: report.Document{Quad: box(20, 20, 860, 660)},
		Fields: map[report.FieldName]report.Field{
			report.FieldCompanyName: {Confidence: 0.99, Polygon: box(100, 200, 300, 40)},
			report.FieldUSCC:        {Confidence: 0.5, Polygon: box(100, 400, 300, 40)},
		},
		Reasons: []report.Reason{
			{Code: "image_blurry", Severity: report.SeverityBlock, Field: report.FieldUSCC},
			{Code: "name_variant", Severity: report.SeverityInfo, Field: report.FieldCompanyName},
			{Code: "elsewhere", Severity: report.SeverityReview, Evidence: report.Evidence{Polygon: box(-50, 650, 5000, 900)}},
		},
	}
	out, err := Report(picture, r)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		x, y int
		want color.NRGBA
	}{
		"sheet":      {20, 300, colorSheet},
		"field":      {250, 240, colorField},
		"reason":     {250, 440, colorBlock},
		"untouched":  {600, 300, color.NRGBA{128, 128, 128, 128}},
		"in a field": {250, 225, color.NRGBA{128, 128, 128, 128}},
	} {
		if got := out.NRGBAAt(tt.x, tt.y); far(got, tt.want) {
			t.Errorf("%s at %d,%d: got %v, want %v", name, tt.x, tt.y, got, tt.want)
		}
	}
	if picture.NRGBAAt(20, 300) != (color.NRGBA{128, 128, 128, 128}) {
		t.Error("the picture itself was drawn on")
	}
}

// far tells whether two colours differ by more than the edge of a stroke may.
func far(a, b color.NRGBA) bool {
	const edge = 32
	for _, d := range []int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B)} {
		if d > edge || d < -edge {
			return true
		}
	}
	return false
}
