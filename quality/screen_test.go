package quality

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/disintegration/imaging"

	"github.com/heyan/heyan/ocr"
)

// noisy is a page with sensor noise of so many levels, times a pattern.
func noisy(levels float64, pattern func(x, y float64) float64) *image.NRGBA {
	p := imaging.Resize(page(inkBlack, vermilion, vermilion, [3]float64{0.9, 0.9, 0.9}), 1200, 900, imaging.CatmullRom)
	random := rand.New(rand.NewPCG(3, 4))
	for i := range p.Pix {
		if i%4 == 3 {
			continue
		}
		v := float64(p.Pix[i])*pattern(float64(i/4%1200), float64(i/4/1200)) + levels*random.NormFloat64()
		p.Pix[i] = uint8(min(max(v, 0), 255) + 0.5)
	}
	return p
}

func TestScreen(t *testing.T) {
	const limit = 2.6
	for name, tt := range map[string]struct {
		pattern func(x, y float64) float64
		want    bool
	}{
		"paper":           {func(x, y float64) float64 { return 1 }, false},
		"ruled paper":     {func(x, y float64) float64 { return 1 - 0.2*math.Exp(-math.Pow(math.Mod(y, 60)-30, 2)) }, false},
		"aligned display": {func(x, y float64) float64 { return 1 + 0.04*math.Cos(2*math.Pi*0.31*x) }, true},
		"turned display":  {func(x, y float64) float64 { return 1 + 0.04*math.Cos(2*math.Pi*(0.22*x+0.13*y)) }, true},
		"an ornament only": {func(x, y float64) float64 {
			if y > 128 {
				return 1
			}
			return 1 + 0.2*math.Cos(2*math.Pi*0.3*x)
		}, false},
	} {
		if got := Screen(noisy(2, tt.pattern), ocr.Quad{}); got.Value > limit != tt.want {
			t.Errorf("%s: got %.2f", name, got.Value)
		}
	}
	// What lies round the sheet tells nothing about it.
	cloth := noisy(2, func(x, y float64) float64 {
		if x > 450 {
			return 1
		}
		return 1 + 0.1*math.Cos(2*math.Pi*0.3*x)
	})
	if got := Screen(cloth, rectangle(500, 0, 1200, 900)); got.Value > limit {
		t.Errorf("a sheet on cloth: got %.2f", got.Value)
	}
	if got := Screen(imaging.New(200, 200, color.White), ocr.Quad{}); got != (Spot{}) {
		t.Errorf("too small: got %v", got)
	}
}

func TestScreenshot(t *testing.T) {
	shot := imaging.New(1080, 2340, color.Black)
	draw.Draw(shot, image.Rect(0, 700, 1080, 1510), noisy(2, func(x, y float64) float64 { return 1 }), image.Point{}, draw.Src)
	scan := imaging.New(1240, 1754, color.White)
	draw.Draw(scan, image.Rect(40, 400, 1200, 1300), noisy(2, func(x, y float64) float64 { return 1 }), image.Point{}, draw.Src)
	for name, tt := range map[string]struct {
		picture *image.NRGBA
		want    float64
	}{
		"phone":          {shot, 1},
		"phone, lying":   {imaging.Rotate90(shot), 1},
		"scan":           {scan, 0},
		"photo":          {noisy(2, func(x, y float64) float64 { return 1 }), 0},
		"without pixels": {&image.NRGBA{}, 0},
	} {
		if got := Screenshot(tt.picture); got != tt.want {
			t.Errorf("%s: got %.2f, want %.2f", name, got, tt.want)
		}
	}
}

func TestNoiseLevel(t *testing.T) {
	for _, want := range []float64{1, 3, 10} {
		if got := Noise(noisy(want, func(x, y float64) float64 { return 1 })); math.Abs(got-want) > 0.25*want {
			t.Errorf("got %.2f, want %.0f", got, want)
		}
	}
	if got := Noise(&image.NRGBA{}); got != 0 {
		t.Errorf("no picture: got %.2f", got)
	}
}
