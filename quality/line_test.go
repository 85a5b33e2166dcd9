package quality

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/disintegration/imaging"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/heyan/heyan/ocr"
)

// fineEm is the em in pixels at which lines are drawn before the camera's
// model blurs and samples them.
const fineEm = 96

// shot is a line of text through a simple camera. Lengths are in em.
type shot struct {
	script       Script
	em           float64 // px
	sigma        float64 // Gaussian blur
	motion       float64 // length of a movement along the line
	motionAcross float64
	noise        float64 // levels
	ink, paper   float64 // levels; 40 and 230 when both are zero
}

// take renders the shot and gives the box a detector would draw.
func (s shot) take(t testing.TB) (*image.NRGBA, ocr.Quad) {
	t.Helper()
	fine := drawHan()
	if s.script == Digits {
		fine = drawDigits(t)
	}
	fine = fine.gaussian(s.sigma * fineEm)
	fine = fine.box(int(s.motion*fineEm), 1).transpose().box(int(s.motionAcross*fineEm), 1).transpose()
	if s.ink == 0 && s.paper == 0 {
		s.ink, s.paper = 40, 230
	}
	k := fineEm / s.em
	w, h := int(float64(fine.w)/k), int(float64(fine.h)/k)
	picture := image.NewNRGBA(image.Rect(0, 0, w, h))
	random := rand.New(rand.NewPCG(1, 2))
	for y := range h {
		for x := range w {
			cover := fine.mean(int(float64(x)*k), int(float64(y)*k), int(float64(x+1)*k), int(float64(y+1)*k))
			v := s.paper + (s.ink-s.paper)*cover + s.noise*random.NormFloat64()
			l := uint8(min(max(v, 0), 255) + 0.5)
			picture.SetNRGBA(x, y, color.NRGBA{l, l, l, 255})
		}
	}
	margin := 0.35 * s.em // the drawings keep half an em of paper all round
	return picture, ocr.Quad{
		{X: margin, Y: margin}, {X: float64(w) - margin, Y: margin},
		{X: float64(w) - margin, Y: float64(h) - margin}, {X: margin, Y: float64(h) - margin},
	}
}

// ink is how much of each fine pixel is covered, 0..1.
type ink struct {
	v    []float64
	w, h int
}

// drawHan draws 12 characters of horizontal, vertical and slanted strokes
// that fill 0.9 of the em, as dense as Chinese characters are.
func drawHan() ink {
	const n = 12
	p := ink{make([]float64, (n+1)*fineEm*2*fineEm), (n + 1) * fineEm, 2 * fineEm}
	random := rand.New(rand.NewPCG(7, 7))
	dot := func(x, y, r float64) {
		for j := int(y - r); j <= int(y+r); j++ {
			for i := int(x - r); i <= int(x+r); i++ {
				p.v[j*p.w+i] = 1
			}
		}
	}
	stroke := func(x0, y0, x1, y1, r float64) {
		steps := int(max(math.Abs(x1-x0), math.Abs(y1-y0))/2) + 1
		for i := range steps + 1 {
			f := float64(i) / float64(steps)
			dot(x0+(x1-x0)*f, y0+(y1-y0)*f, r)
		}
	}
	for c := range n {
		x0, y0 := (float64(c)+0.5)*fineEm+0.05*fineEm, 0.5*fineEm+0.05*fineEm
		side := 0.9 * fineEm
		r := 0.035 * fineEm
		low, high := r, side-r
		for _, f := range []float64{0, 0.33, 0.66, 1} {
			y := y0 + low + (high-low)*min(max(f+0.2*(random.Float64()-0.5), 0), 1)
			a := low + (high-low)*0.3*random.Float64()
			stroke(x0+a, y, x0+high-(high-low)*0.2*random.Float64(), y, r*0.8)
		}
		for _, f := range []float64{0.1, 0.5, 0.9} {
			x := x0 + low + (high-low)*f
			stroke(x, y0+low+(high-low)*0.3*random.Float64(), x, y0+high-(high-low)*0.3*random.Float64(), r)
		}
		stroke(x0+low, y0+high, x0+(low+high)/2, y0+(low+high)/2, r)
	}
	return p
}

func drawDigits(t testing.TB) ink {
	t.Helper()
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: fineEm, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	const text = "91330106MA0HEYAN7X"
	width := font.MeasureString(face, text).Ceil() + fineEm
	canvas := image.NewGray(image.Rect(0, 0, width, 2*fineEm))
	d := font.Drawer{Dst: canvas, Src: image.White, Face: face, Dot: fixed.P(fineEm/2, 3*fineEm/2-fineEm/8)}
	d.DrawString(text)
	p := ink{make([]float64, width*2*fineEm), width, 2 * fineEm}
	for i, v := range canvas.Pix {
		p.v[i] = float64(v) / 255
	}
	return p
}

// box is a moving mean of the length along the rows, times over.
func (p ink) box(length, times int) ink {
	for range times {
		if length <= 1 {
			return p
		}
		out := ink{make([]float64, len(p.v)), p.w, p.h}
		for y := range p.h {
			row := p.v[y*p.w : (y+1)*p.w]
			sum := 0.0
			for i := -length; i < p.w; i++ {
				if i+length < p.w {
					sum += row[i+length]
				}
				if i >= 0 {
					sum -= row[i]
				}
				if at := i + length/2; i >= -1 && at < p.w {
					out.v[y*p.w+at] = sum / float64(length)
				}
			}
		}
		p = out
	}
	return p
}

// gaussian is four boxes one after the other: the variance of each is (l^2-1)/12.
func (p ink) gaussian(sigma float64) ink {
	length := int(math.Round(math.Sqrt(12*sigma*sigma/4 + 1)))
	return p.box(length, 4).transpose().box(length, 4).transpose()
}

func (p ink) transpose() ink {
	out := ink{make([]float64, len(p.v)), p.h, p.w}
	for y := range p.h {
		for x := range p.w {
			out.v[x*out.w+y] = p.v[y*p.w+x]
		}
	}
	return out
}

func (p ink) mean(x0, y0, x1, y1 int) float64 {
	sum := 0.0
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			sum += p.v[y*p.w+x]
		}
	}
	return sum / float64((x1-x0)*(y1-y0))
}

// em is measured on lines of known em, sharp and blurred, within 15 % from 12 px up.
func TestEm(t *testing.T) {
	for _, script := range []Script{Han, Digits} {
		for _, em := range []float64{12, 16, 24, 32, 48} {
			for _, sigma := range []float64{0, 0.05, 0.09} {
				picture, quad := shot{script: script, em: em, sigma: sigma}.take(t)
				if got := Line(picture, quad, script).EmPx; math.Abs(got-em) > 0.15*em {
					t.Errorf("script %d, em %v, blur %v: got em %.1f px", script, em, sigma, got)
				}
			}
		}
	}
}

// Blur is the standard deviation of the camera's Gaussian in em, whatever the
// scale: within 0.016 em up to the pass limit and 0.05 em at the fail limit,
// where strokes run together and the estimate runs ahead.
func TestBlurGaussian(t *testing.T) {
	for _, em := range []float64{16, 24, 32, 48} {
		for sigma, tolerance := range map[float64]float64{0.05: 0.016, 0.07: 0.016, 0.09: 0.02, 0.11: 0.03, 0.13: 0.05} {
			picture, quad := shot{script: Digits, em: em, sigma: sigma}.take(t)
			m := Line(picture, quad, Digits)
			if math.Abs(m.BlurQ-sigma) > tolerance {
				t.Errorf("em %v, blur %v: got %.3f (along %.3f, across %.3f)", em, sigma, m.BlurQ, m.BlurX, m.BlurY)
			}
		}
	}
}

// The same photo at half to three times its size keeps its blur and its verdict.
func TestScaleInvariance(t *testing.T) {
	for _, script := range []Script{Han, Digits} {
		for _, sigma := range []float64{0.04, 0.07, 0.1, 0.16} {
			picture, quad := shot{script: script, em: 32, sigma: sigma, noise: 2}.take(t)
			want := Line(picture, quad, script)
			for _, factor := range []float64{0.5, 0.75, 1.5, 2, 3} {
				scaled, box := enlarge(picture, quad, factor)
				got := Line(scaled, box, script)
				if math.Abs(got.BlurQ-want.BlurQ) > max(0.015, 0.12*want.BlurQ) {
					t.Errorf("script %d, blur %v, factor %v: got q %.3f, want %.3f", script, sigma, factor, got.BlurQ, want.BlurQ)
				}
			}
		}
	}
}

func TestMotion(t *testing.T) {
	tests := []struct {
		name string
		shot shot
		want string
	}{
		{"sharp", shot{}, ""},
		{"defocus", shot{sigma: 0.1}, "defocus"},
		{"along the line", shot{motion: 0.35}, "motion"},
		{"far along the line", shot{motion: 0.5}, "motion"},
		{"across the line, sharp along it", shot{motionAcross: 0.3}, ""},
		{"across the line", shot{motionAcross: 0.6, sigma: 0.03}, "motion"},
	}
	for _, script := range []Script{Han, Digits} {
		for _, tt := range tests {
			tt.shot.em, tt.shot.script = 24, script
			picture, quad := tt.shot.take(t)
			if m := Line(picture, quad, script); m.BlurKind != tt.want {
				t.Errorf("script %d, %s: got %q, want %q (q %.3f, along %.3f, across %.3f)", script, tt.name, m.BlurKind, tt.want, m.BlurQ, m.BlurX, m.BlurY)
			}
		}
	}
}

// Sensor noise of 10 levels leaves the blur of a line as it is.
func TestNoise(t *testing.T) {
	for _, sigma := range []float64{0.03, 0.05, 0.07, 0.09} {
		picture, quad := shot{script: Digits, em: 24, sigma: sigma}.take(t)
		want := Line(picture, quad, Digits).BlurQ
		picture, quad = shot{script: Digits, em: 24, sigma: sigma, noise: 10}.take(t)
		if got := Line(picture, quad, Digits).BlurQ; math.Abs(got-want) > 0.01 {
			t.Errorf("blur %v: got %.3f with noise, want %.3f", sigma, got, want)
		}
	}
}

// A line enlarged from 8 to 16 px has an effective em within 15 % of the one it
// had; a sharp native line keeps its own.
func TestEffectiveEm(t *testing.T) {
	for _, em := range []float64{24, 32, 48} {
		picture, quad := shot{script: Digits, em: em, noise: 2}.take(t)
		if m := Line(picture, quad, Digits); m.EffectiveEmPx != m.EmPx {
			t.Errorf("native em %v: got %.1f, want %.1f", em, m.EffectiveEmPx, m.EmPx)
		}
	}
	for _, em := range []float64{8, 12, 16} {
		for _, factor := range []float64{3, 4} {
			picture, quad := shot{script: Digits, em: em, noise: 2}.take(t)
			picture, quad = enlarge(picture, quad, factor)
			if m := Line(picture, quad, Digits); math.Abs(m.EffectiveEmPx-em) > 0.16*em {
				t.Errorf("em %v enlarged %v times: got %.1f (em %.1f)", em, factor, m.EffectiveEmPx, m.EmPx)
			}
		}
	}
}

// Contrast follows ink and paper, and a red seal over the line is not ink.
func TestContrast(t *testing.T) {
	strong, quad := shot{em: 32}.take(t)
	faint, _ := shot{em: 32, ink: 170, paper: 200}.take(t)
	gone, _ := shot{em: 32, ink: 199, paper: 200}.take(t)
	if c := Line(strong, quad, Han).Contrast; c < 0.25 {
		t.Errorf("strong ink: got %.2f", c)
	}
	for name, picture := range map[string]*image.NRGBA{"faint": faint, "gone": gone} {
		if c := Line(picture, quad, Han).Contrast; c > 0.12 {
			t.Errorf("%s ink: got %.2f", name, c)
		}
	}
	want := Line(strong, quad, Han)
	b := strong.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			if (x/9+y/9)%2 == 0 {
				p := strong.NRGBAAt(x, y)
				strong.SetNRGBA(x, y, color.NRGBA{p.R, p.G / 4, p.B / 4, 255})
			}
		}
	}
	if got := Line(strong, quad, Han); got != want {
		t.Errorf("under a seal: got %+v, want %+v", got, want)
	}
}

// A turned quad is measured along its own baseline.
func TestTurnedQuad(t *testing.T) {
	picture, quad := shot{script: Digits, em: 32, motion: 0.35}.take(t)
	want := Line(picture, quad, Digits)
	h := float64(picture.Bounds().Dy())
	for i, p := range quad { // a quarter turn clockwise
		quad[i] = ocr.Point{X: h - p.Y, Y: p.X}
	}
	got := Line(imaging.Rotate270(picture), quad, Digits)
	if math.Abs(got.BlurX-want.BlurX) > 0.002 || got.BlurKind != want.BlurKind || math.Abs(got.EmPx-want.EmPx) > 0.1 {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Boxes without ink or outside the picture, empty pictures and huge boxes
// give a measure without blur or contrast, in bounded time.
func TestLineWithoutInk(t *testing.T) {
	white := imaging.New(100, 40, color.White)
	for name, tt := range map[string]struct {
		picture *image.NRGBA
		quad    ocr.Quad
	}{
		"blank":   {white, ocr.Quad{{X: 10, Y: 10}, {X: 90, Y: 10}, {X: 90, Y: 30}, {X: 10, Y: 30}}},
		"outside": {white, ocr.Quad{{X: -500, Y: -90}, {X: -400, Y: -90}, {X: -400, Y: -70}, {X: -500, Y: -70}}},
		"point":   {white, ocr.Quad{}},
		"huge":    {white, ocr.Quad{{X: -1e9, Y: -1e9}, {X: 1e9, Y: -1e9}, {X: 1e9, Y: 1e9}, {X: -1e9, Y: 1e9}}},
		"no size": {&image.NRGBA{}, ocr.Quad{{X: 0, Y: 0}, {X: 9, Y: 0}, {X: 9, Y: 9}, {X: 0, Y: 9}}},
	} {
		m := Line(tt.picture, tt.quad, Han)
		if m.BlurQ != 0 || m.Contrast != 0 || m.BlurKind != "" || math.IsNaN(m.EmPx) {
			t.Errorf("%s: got %+v", name, m)
		}
	}
}

func enlarge(picture *image.NRGBA, quad ocr.Quad, factor float64) (*image.NRGBA, ocr.Quad) {
	filter := imaging.CatmullRom
	if factor < 1 {
		filter = imaging.Box
	}
	b := picture.Bounds()
	w, h := math.Round(float64(b.Dx())*factor), math.Round(float64(b.Dy())*factor)
	for i, p := range quad {
		quad[i] = ocr.Point{X: p.X * w / float64(b.Dx()), Y: p.Y * h / float64(b.Dy())}
	}
	return imaging.Resize(picture, int(w), int(h), filter), quad
}

func BenchmarkLine(b *testing.B) {
	picture, quad := shot{script: Digits, em: 32, sigma: 0.05, noise: 3}.take(b)
	for b.Loop() {
		Line(picture, quad, Digits)
	}
}
