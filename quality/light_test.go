package quality

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"

	"github.com/heyan/heyan/ocr"
)

var (
	inkBlack  = color.NRGBA{40, 40, 40, 255}
	vermilion = color.NRGBA{200, 40, 50, 255}
)

func rectangle(x0, y0, x1, y1 float64) ocr.Quad {
	return ocr.Quad{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
}

func TestCovered(t *testing.T) {
	area := []ocr.Quad{rectangle(60, 150, 740, 170), rectangle(60, 530, 740, 550)}
	for name, tt := range map[string]struct {
		thing color.NRGBA
		box   image.Rectangle
		light [3]float64
		want  float64
	}{
		"nothing":                  {light: [3]float64{1, 1, 1}},
		"a finger":                 {color.NRGBA{208, 165, 149, 255}, image.Rect(100, 250, 180, 600), [3]float64{1, 1, 1}, 0.08},
		"a finger under a lamp":    {color.NRGBA{208, 165, 149, 255}, image.Rect(100, 250, 180, 600), [3]float64{1, 0.85, 0.65}, 0.08},
		"a black clip":             {color.NRGBA{20, 20, 22, 255}, image.Rect(400, 400, 500, 500), [3]float64{1, 1, 1}, 0.037},
		"red ink is a seal":        {color.NRGBA{215, 45, 55, 255}, image.Rect(400, 400, 500, 500), [3]float64{1, 1, 1}, 0},
		"a finger beside the text": {color.NRGBA{208, 165, 149, 255}, image.Rect(0, 100, 40, 600), [3]float64{1, 1, 1}, 0},
		"a shadow is none":         {color.NRGBA{90, 90, 90, 255}, image.Rect(100, 250, 300, 600), [3]float64{1, 1, 1}, 0},
	} {
		p := page(inkBlack, vermilion, vermilion, tt.light)
		c := tt.thing
		c.R, c.G, c.B = uint8(float64(c.R)*tt.light[0]), uint8(float64(c.G)*tt.light[1]), uint8(float64(c.B)*tt.light[2])
		draw.Draw(p, tt.box, image.NewUniform(c), image.Point{}, draw.Src)
		got := Survey(p).Covered(area)
		low, high := got.Place.Bounds()
		hit := image.Rect(int(low.X), int(low.Y), int(high.X), int(high.Y)).Overlaps(tt.box)
		if math.Abs(got.Value-tt.want) > 0.02 || hit != (tt.want > 0) {
			t.Errorf("%s: got %.3f at %v, want %.3f at %v", name, got.Value, got.Place, tt.want, tt.box)
		}
	}
	if got := (Overview{}).Covered(area); got != (Spot{}) {
		t.Errorf("no page: got %v", got)
	}
}

func TestShade(t *testing.T) {
	area := []ocr.Quad{rectangle(60, 150, 740, 550)}
	for _, left := range []float64{1, 0.7, 0.4} {
		p := page(inkBlack, vermilion, vermilion, [3]float64{1, 1, 1})
		for y := range 600 {
			for x := range 250 {
				c := p.NRGBAAt(x, y)
				p.SetNRGBA(x, y, color.NRGBA{uint8(float64(c.R) * left), uint8(float64(c.G) * left), uint8(float64(c.B) * left), 255})
			}
		}
		got := Survey(p).Shade(area)
		_, high := got.Place.Bounds()
		if math.Abs(got.Value-left) > 0.05 || left < 0.5 && math.Abs(high.X-250) > 30 {
			t.Errorf("light of %.1f on the left: got %.2f at %v", left, got.Value, got.Place)
		}
	}
	if got := Survey(&image.NRGBA{}).Shade(area); got.Value != 1 {
		t.Errorf("no page: got %v", got)
	}
}

func TestMargin(t *testing.T) {
	inside, near, over := rectangle(100, 100, 300, 126), rectangle(8, 300, 200, 326), rectangle(500, 20, 810, 46)
	for name, tt := range map[string]struct {
		lines []ocr.Quad
		want  Spot
	}{
		"inside":        {[]ocr.Quad{inside}, Spot{5, inside}},
		"near the edge": {[]ocr.Quad{inside, near}, Spot{0.4, near}},
		"over the edge": {[]ocr.Quad{near, over, inside}, Spot{-0.5, over}},
	} {
		if got := Margin(tt.lines, image.Rect(0, 0, 800, 600)); math.Abs(got.Value-tt.want.Value) > 0.01 || got.Place != tt.want.Place {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}
