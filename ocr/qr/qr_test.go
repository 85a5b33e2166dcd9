package qr

import (
	"context"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/disintegration/imaging"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

const payload = "http://www.gsxt.gov.cn/index.html?uniscid=91330106MA0HEYAN7X"

// draw puts the payload's code, side px wide, on a sheet of 1200x850 px with
// lines of strokes like text, its top left corner at the place.
func draw(t testing.TB, text string, side int, places ...image.Point) *image.NRGBA {
	t.Helper()
	bits, err := qrcode.NewQRCodeWriter().Encode(text, gozxing.BarcodeFormat_QR_CODE, 0, 0,
		map[gozxing.EncodeHintType]any{gozxing.EncodeHintType_MARGIN: 0})
	if err != nil {
		t.Fatal(err)
	}
	n := bits.GetWidth()
	code := image.NewNRGBA(image.Rect(0, 0, 8*n, 8*n))
	for y := range 8 * n {
		for x := range 8 * n {
			c := color.NRGBA{235, 230, 220, 255}
			if bits.Get(x/8, y/8) {
				c = color.NRGBA{35, 30, 40, 255}
			}
			code.SetNRGBA(x, y, c)
		}
	}
	sheet := imaging.New(1200, 850, color.NRGBA{235, 230, 220, 255})
	random := rand.New(rand.NewPCG(3, 4))
	for line := range 14 {
		for x := 100; x < 1100; x++ {
			for y := range 18 {
				if random.IntN(100) < 25 && (x/20)%9 != 0 {
					sheet.SetNRGBA(x, 250+line*40+y, color.NRGBA{60, 60, 60, 255})
				}
			}
		}
	}
	small := imaging.Resize(code, side, side, imaging.Box)
	for _, p := range places {
		margin := side / 7
		sheet = imaging.Paste(sheet, imaging.New(side+2*margin, side+2*margin, color.NRGBA{235, 230, 220, 255}), p.Sub(image.Pt(margin, margin)))
		sheet = imaging.Paste(sheet, small, p)
	}
	return sheet
}

func noisy(picture *image.NRGBA, sigma float64) *image.NRGBA {
	random := rand.New(rand.NewPCG(5, 6))
	for i, v := range picture.Pix {
		if i%4 != 3 {
			picture.Pix[i] = uint8(min(max(float64(v)+sigma*random.NormFloat64(), 0), 255))
		}
	}
	return picture
}

func TestFind(t *testing.T) {
	at := image.Pt(880, 60)
	gray := color.NRGBA{120, 110, 100, 255}
	long := payload + "&note=" + "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789"
	tests := []struct {
		name    string
		picture *image.NRGBA
		want    string
	}{
		{"plain", draw(t, payload, 150, at), payload},
		{"small", draw(t, payload, 70, at), payload},
		{"dense", draw(t, long, 160, at), long},
		{"tilted", imaging.Rotate(draw(t, payload, 130, at), 17, gray), payload},
		{"upside down", imaging.Rotate180(draw(t, payload, 130, at)), payload},
		{"mirrored", imaging.FlipH(draw(t, payload, 150, at)), payload},
		{"noisy", noisy(draw(t, payload, 120, at), 25), payload},
		{"blurred", imaging.Blur(draw(t, payload, 150, at), 1.6), payload},
		{"dark", imaging.AdjustBrightness(draw(t, payload, 150, at), -60), payload},
		{"large picture", imaging.Resize(draw(t, payload, 110, at), 4000, 0, imaging.CatmullRom), payload},
	}
	for _, tt := range tests {
		codes := Find(context.Background(), tt.picture)
		if len(codes) != 1 || codes[0].Payload != tt.want {
			t.Errorf("%s: got %+v", tt.name, codes)
		}
	}
}

func TestFindPlace(t *testing.T) {
	codes := Find(context.Background(), draw(t, payload, 150, image.Pt(880, 60)))
	if len(codes) != 1 {
		t.Fatalf("got %d codes", len(codes))
	}
	for i, want := range [][2]float64{{880, 60}, {1030, 60}, {1030, 210}, {880, 210}} {
		if p := codes[0].Quad[i]; math.Hypot(p.X-want[0], p.Y-want[1]) > 6 {
			t.Errorf("corner %d: got %v, want %v", i, p, want)
		}
	}
}

func TestFindSeveral(t *testing.T) {
	picture := draw(t, payload, 140, image.Pt(880, 50))
	second := draw(t, "https://example.com/other", 140, image.Pt(120, 50))
	picture = imaging.Paste(picture, imaging.Crop(second, image.Rect(90, 20, 290, 220)), image.Pt(90, 20))
	got := map[string]int{}
	for _, c := range Find(context.Background(), picture) {
		got[c.Payload]++
	}
	if len(got) != 2 || got[payload] != 1 || got["https://example.com/other"] != 1 {
		t.Errorf("got %v", got)
	}
}

func TestFindNothing(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if got := Find(ended, draw(t, payload, 150, image.Pt(880, 60))); got != nil {
		t.Errorf("after the context ended: got %v", got)
	}
	for name, p := range map[string]*image.NRGBA{
		"text only": draw(t, payload, 150),
		"blank":     imaging.New(900, 600, color.White),
		"noise":     noisy(imaging.New(600, 400, color.Gray{128}), 90),
		"one pixel": imaging.New(1, 1, color.White),
		"thread":    imaging.New(5000, 1, color.White),
		"no size":   {},
	} {
		if got := Find(context.Background(), p); len(got) != 0 {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	picture := draw(b, payload, 150, image.Pt(880, 60))
	for b.Loop() {
		Find(context.Background(), picture)
	}
}

// A page without a code takes every try.
func BenchmarkFindNothing(b *testing.B) {
	picture := draw(b, payload, 150)
	for b.Loop() {
		Find(context.Background(), picture)
	}
}
