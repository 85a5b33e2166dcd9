package quality

import (
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/disintegration/imaging"

	"github.com/heyan/heyan/pipeline/report"
)

func TestPage(t *testing.T) {
	if _, ok := Page(nil); ok {
		t.Error("a page without lines has a summary")
	}
	var lines []report.LineQuality
	for i := range 20 {
		f := float64(i)
		lines = append(lines, report.LineQuality{EmPx: 10 + f, EffectiveEmPx: 9 + f, BlurQ: 0.01 * f, BlurX: 0.02 * f, Contrast: 0.03 * f})
	}
	want := report.LineQuality{EmPx: 12, EffectiveEmPx: 11, BlurQ: 0.17, BlurX: 0.34, Contrast: 0.06}
	if got, ok := Page(lines); !ok || math.Abs(got.BlurQ-want.BlurQ)+math.Abs(got.BlurX-want.BlurX)+math.Abs(got.Contrast-want.Contrast) > 1e-9 || got.EmPx != want.EmPx || got.EffectiveEmPx != want.EffectiveEmPx {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, _ := Page(lines[:1]); got != lines[0] {
		t.Errorf("one line: got %+v, want %+v", got, lines[0])
	}
}

// page is a sheet with lines of ink, an emblem and the ring of a seal, under light
// of a color.
func page(ink, emblem, seal color.NRGBA, light [3]float64) *image.NRGBA {
	p := imaging.New(800, 600, color.NRGBA{235, 235, 235, 255})
	for y := range 600 {
		for x := range 800 {
			if y%40 < 10 && x%23 < 9 && x > 60 && x < 740 {
				p.SetNRGBA(x, y, ink)
			}
			if r := math.Hypot(float64(x-600), float64(y-450)); r > 70 && r < 80 {
				p.SetNRGBA(x, y, seal)
			}
			if math.Hypot(float64(x-400), float64(y-90)) < 40 {
				p.SetNRGBA(x, y, emblem)
			}
			c := p.NRGBAAt(x, y)
			p.SetNRGBA(x, y, color.NRGBA{uint8(float64(c.R) * light[0]), uint8(float64(c.G) * light[1]), uint8(float64(c.B) * light[2]), 255})
		}
	}
	return p
}

// held is a page with a thumb over each side.
func held(p *image.NRGBA) *image.NRGBA {
	for y := range 600 {
		for x := range 800 {
			if from := min(x, 799-x); math.Hypot(float64(from)*0.5, float64(y-480)) < 45 {
				p.SetNRGBA(x, y, color.NRGBA{215, 165, 140, 255})
			}
		}
	}
	return p
}

// TestFadedIsNoCopy: where a veil of light left little ink, no color says nothing.
func TestFadedIsNoCopy(t *testing.T) {
	pale := color.NRGBA{190, 190, 190, 255}
	if tone := Survey(page(pale, pale, pale, [3]float64{1, 1, 1})).Tone(); tone.Grayscale() {
		t.Errorf("a faded page is called a copy: %+v", tone)
	}
}

func TestTones(t *testing.T) {
	var (
		black = color.NRGBA{30, 30, 30, 255}
		gray  = color.NRGBA{110, 110, 110, 255}
		red   = color.NRGBA{200, 40, 50, 255}
		white = [3]float64{1, 1, 1}
		warm  = [3]float64{1, 0.85, 0.65}
		dim   = [3]float64{0.25, 0.25, 0.25}
	)
	tests := []struct {
		name      string
		picture   *image.NRGBA
		grayscale bool
		dark      bool
	}{
		{"original", page(black, red, red, white), false, false},
		{"photocopy", page(black, gray, gray, white), true, false},
		{"photocopy under a lamp", page(black, gray, gray, warm), true, false},
		{"original under a lamp", page(black, red, red, warm), false, false},
		{"photocopy held by thumbs", held(page(black, gray, gray, white)), true, false},
		{"original held by thumbs", held(page(black, red, red, white)), false, false},
		{"photocopy with a fresh seal", page(gray, gray, red, white), true, false},
		{"photocopy in the dark", page(black, gray, gray, dim), true, true},
		{"original in the dark", page(black, red, red, dim), false, true},
	}
	for _, tt := range tests {
		got := Survey(tt.picture).Tone()
		if sealed := strings.Contains(tt.name, "original") || strings.Contains(tt.name, "fresh seal"); got.Sealed() != sealed || got.Grayscale() != tt.grayscale || (got.Paper < 90) != tt.dark || got.Ink > 150 {
			t.Errorf("%s: got %+v", tt.name, got)
		}
	}
	if got := Survey(&image.NRGBA{}).Tone(); got != (Tone{}) {
		t.Errorf("no picture: got %+v", got)
	}
	if got := Survey(imaging.New(1, 1, color.White)).Tone(); got.Paper != 255 {
		t.Errorf("one pixel: got %+v", got)
	}
}

// Survey must stay within 30 ms for a photo of 12 megapixels.
func BenchmarkSurvey(b *testing.B) {
	p := imaging.New(4000, 3000, color.NRGBA{200, 190, 180, 255})
	for b.Loop() {
		Survey(p)
	}
}
