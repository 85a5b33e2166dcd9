package quality

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/heyan/heyan/ocr"
)

// A line of 24 px an em is hidden by what lies on it, and not by print, a watermark's
// strokes or a seal.
func TestHiding(t *testing.T) {
	place := rectangle(200, 150, 500, 181)
	for name, tt := range map[string]struct {
		thing                            color.NRGBA
		box                              image.Rectangle
		glare, covered, painted, blacked bool
	}{
		"nothing":            {},
		"a reflection":       {color.NRGBA{255, 255, 255, 255}, image.Rect(280, 140, 340, 190), true, false, false, false},
		"a note":             {color.NRGBA{250, 231, 128, 255}, image.Rect(280, 140, 360, 190), false, true, false, false},
		"a pen across":       {color.NRGBA{28, 30, 36, 255}, image.Rect(280, 60, 320, 300), false, true, false, false},
		"a black bar":        {color.NRGBA{12, 12, 12, 255}, image.Rect(420, 152, 500, 180), false, false, true, true},
		"a grey tile":        {color.NRGBA{120, 120, 118, 255}, image.Rect(486, 152, 501, 168), false, false, true, false},
		"a stroke":           {color.NRGBA{40, 40, 40, 255}, image.Rect(300, 152, 304, 180), false, false, false, false},
		"a red seal's ink":   {color.NRGBA{215, 45, 55, 255}, image.Rect(280, 140, 360, 190), false, false, false, false},
		"a bar on its title": {color.NRGBA{12, 12, 12, 255}, image.Rect(200, 60, 280, 100), false, false, false, false},
	} {
		p := page(inkBlack, vermilion, vermilion, [3]float64{1, 1, 1})
		draw.Draw(p, image.Rect(100, 40, 600, 320), image.NewUniform(color.NRGBA{228, 226, 220, 255}), image.Point{}, draw.Src)
		draw.Draw(p, tt.box, image.NewUniform(tt.thing), image.Point{}, draw.Src)
		got := Survey(p).Hiding(p, place, 24, []ocr.Quad{rectangle(190, 50, 300, 110)})
		for what, pair := range map[string]struct {
			spot Spot
			want bool
		}{"glare": {got.Glare, tt.glare}, "covered": {got.Covered, tt.covered}, "painted": {got.Painted, tt.painted}, "blacked": {got.Blacked, tt.blacked}} {
			low, high := pair.spot.Place.Bounds()
			over := image.Rect(int(low.X), int(low.Y), int(high.X), int(high.Y)).Overlaps(tt.box)
			if (pair.spot.Value > 0) != pair.want || over != pair.want {
				t.Errorf("%s: got %s %v, want it %v over %v", name, what, pair.spot, pair.want, tt.box)
			}
		}
	}
	if got := (Overview{}).Hiding(&image.NRGBA{}, place, 24, nil); got != (Hiding{}) {
		t.Errorf("no page: got %v", got)
	}
}
