package quality

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"

	"github.com/heyan/heyan/ocr"
)

func TestGlare(t *testing.T) {
	box := func(x, y, w, h float64) ocr.Quad {
		return ocr.Quad{{X: x, Y: y}, {X: x + w, Y: y}, {X: x + w, Y: y + h}, {X: x, Y: y + h}}
	}
	for name, tt := range map[string]struct {
		paper color.NRGBA
		spot  color.NRGBA
		want  float64 // of a quad whose right half lies under the spot
	}{
		"reflection on a sheet":        {color.NRGBA{190, 185, 175, 255}, color.NRGBA{253, 252, 250, 255}, 0.5},
		"clean white scan":             {color.NRGBA{250, 250, 250, 255}, color.NRGBA{255, 255, 255, 255}, 0},
		"a red seal is none":           {color.NRGBA{190, 185, 175, 255}, color.NRGBA{250, 60, 60, 255}, 0},
		"a brighter place is none yet": {color.NRGBA{190, 185, 175, 255}, color.NRGBA{225, 224, 222, 255}, 0},
	} {
		page := image.NewNRGBA(image.Rect(0, 0, 400, 300))
		draw.Draw(page, page.Rect, image.NewUniform(tt.paper), image.Point{}, draw.Src)
		draw.Draw(page, image.Rect(150, 80, 230, 140), image.NewUniform(tt.spot), image.Point{}, draw.Src)
		hit := box(100, 100, 100, 20)
		got := Glare(page, []ocr.Quad{box(300, 200, 50, 20), hit, box(900, 900, 10, 10)})
		if math.Abs(got.Value-tt.want) > 0.11 || (got.Place == hit) != (tt.want > 0) {
			t.Errorf("%s: got %v, want %.2f at %v", name, got, tt.want, hit)
		}
	}
}
