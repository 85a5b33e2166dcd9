package synth

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"

	"github.com/disintegration/imaging"

	"github.com/heyan/heyan/pipeline/report"
)

// shoot takes a license on a dark mat with defects, without JPEG.
func shoot(t *testing.T, defects ...Defect) (*image.NRGBA, Picture) {
	t.Helper()
	l := Random(newRand(11, 1), landscape, Company)
	p := Picture{Subject: SubjectLicense, License: &l, Second: &l,
		Camera: Camera{Width: 900, Height: 675, Fill: 0.9, Scene: Scene{Surface: SurfaceMat}, Quality: 100, Defects: defects}}
	data, err := testFonts(t).take(&p, newRand(2, 2))
	if err != nil {
		t.Fatal(err)
	}
	return decodeJPEG(t, data), p
}

// What a local defect changes lies in its polygon, and the polygon is on the
// field that it was aimed at.
func TestLocalDefectsAreWhereTheTruthSays(t *testing.T) {
	clean, _ := shoot(t)
	for _, d := range []Defect{
		{Kind: Glare, Strength: 0.06, Field: report.FieldUSCC},
		{Kind: Glare, Strength: 0.06, Field: report.FieldCompanyName},
		{Kind: Covered, Strength: 0.05, Field: report.FieldUSCC},
		{Kind: Covered, Strength: 0.05, Field: report.FieldUSCC, Object: Paper},
		{Kind: Covered, Strength: 0.06, Field: report.FieldCompanyName, Object: Pen},
		{Kind: Shadow, Strength: 0.8, Angle: 180, At: [2]float64{0.4, 0.5}, Field: report.FieldUSCC},
		{Kind: Masked, Strength: 0.4, Field: report.FieldUSCC},
		{Kind: EditedCode, Strength: 1},
		{Kind: EditedName, Strength: 1},
	} {
		t.Run(fmt.Sprint(d.Kind, d.Object, d.Field), func(t *testing.T) {
			img, p := shoot(t, d)
			got := p.Camera.Defects[0]
			if got.Hits[got.Field] <= 0 {
				t.Errorf("hits %v, want some of %s", got.Hits, got.Field)
			}
			inside, quad := within(got.Polygon), within(p.Shot.Quad)
			var in, out, inN, outN float64
			for y := range img.Rect.Dy() {
				for x := range img.Rect.Dx() {
					at := point{float64(x) + 0.5, float64(y) + 0.5}
					if !quad(at) {
						continue
					}
					o := img.PixOffset(x, y)
					change := math.Abs(float64(img.Pix[o+1]) - float64(clean.Pix[o+1]))
					if inside(at) {
						in, inN = in+change, inN+1
					} else {
						out, outN = out+change, outN+1
					}
				}
			}
			if inN == 0 || in/inN < 4*out/outN || in/inN < 5 {
				t.Errorf("mean change %.1f levels inside over %.0f px, %.1f outside", in/inN, inN, out/outN)
			}
		})
	}
}

func TestEditIsInTheTruth(t *testing.T) {
	_, clean := shoot(t)
	for _, kind := range []DefectKind{EditedCode, EditedName} {
		_, p := shoot(t, Defect{Kind: kind, Strength: 0.3})
		was, is := clean.License.USCC, p.License.USCC
		if kind == EditedName {
			was, is = clean.License.Name, p.License.Name
		}
		a, b, changed := []rune(was), []rune(is), ""
		for i := range a {
			if a[i] != b[i] {
				changed += string(a[i]) + "→" + string(b[i])
			}
		}
		if changed != p.Camera.Defects[0].Shown || changed == "" {
			t.Errorf("%s: %s became %s, truth says %q", kind, was, is, p.Camera.Defects[0].Shown)
		}
		if p.WrongCheck != (kind == EditedCode) {
			t.Errorf("%s: wrong check %v", kind, p.WrongCheck)
		}
	}
}

// The beat of a display's pixels with the sensor's red photosites, which stand
// two apart: its frequency follows from the pitch, its amplitude from the
// strength.
func TestMoireHasItsFrequency(t *testing.T) {
	lay := Layout{WidthMM: 297, HeightMM: 210, EmMM: 4}
	face := image.NewNRGBA(image.Rect(0, 0, 600, 424))
	draw.Draw(face, face.Rect, image.White, image.Point{}, draw.Src)
	amplitude := func(pitch, strength, frequency float64) float64 {
		c := Camera{Width: 640, Height: 480, Fill: 1, Scene: Scene{Cover: CoverScreen, Margin: 40}, Defects: []Defect{{Kind: ScreenGrid, Strength: strength, Pitch: pitch}}}
		f, _ := c.expose(Sheet{Face: face, Layout: lay}, c.project(lay), newRand(1, 1))
		var re, im float64
		const n = 512
		for i := range n {
			v := float64(f.pix[3*(241*f.w+i+64)]) * (0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/n))
			s, k := math.Sincos(2 * math.Pi * frequency * float64(i))
			re, im = re+v*k, im+v*s
		}
		return 4 * math.Hypot(re, im) / n
	}
	for _, pitch := range []float64{1.25, 1.4, 1.6, 1.8, 2.3} {
		beat := math.Abs(1/pitch - 0.5*math.Round(2/pitch))
		full := amplitude(pitch, 1, beat)
		if other := amplitude(pitch, 1, beat+0.03); full < 0.02 || full < 5*other {
			t.Errorf("pitch %.2f: %.3f at %.3f cycles a px, %.3f beside", pitch, full, beat, other)
		}
		if half := amplitude(pitch, 0.5, beat); math.Abs(half/full-0.5) > 0.1 {
			t.Errorf("pitch %.2f: half the strength gives %.2f of the amplitude", pitch, half/full)
		}
	}
}

// A sheet tilted by an angle shows its far side shorter by the ratio of the
// distances.
func TestTiltHasItsAngle(t *testing.T) {
	for _, degrees := range []float64{0, 20, 50} {
		c := Camera{Width: 800, Height: 600, Fill: 0.8, Defects: []Defect{{Kind: Oblique, Strength: degrees, Angle: 90}}}
		lay := Layout{WidthMM: 297, HeightMM: 210}
		q := lay.corners(c.project(lay))
		z := lay.HeightMM / 2 * math.Sin(degrees*math.Pi/180)
		distance := 1.9 * math.Hypot(lay.WidthMM, lay.HeightMM)
		got, want := (q[1].x-q[0].x)/(q[2].x-q[3].x), (distance-z)/(distance+z)
		if math.Abs(got-want) > 0.001 {
			t.Errorf("%.0f degrees: sides %.3f, want %.3f", degrees, got, want)
		}
	}
}

func TestLightHasItsStrength(t *testing.T) {
	lay := Layout{WidthMM: 297, HeightMM: 210}
	// lit gives what black and white become.
	lit := func(d Defect) (black, white [3]float64) {
		c := Camera{Width: 2, Height: 1, Fill: 1, Defects: []Defect{d}}
		f := newFrame(2, 1)
		f.pix[3], f.pix[4], f.pix[5] = 1, 1, 1
		c.light(f, c.project(lay), lay, map[DefectKind][]point{})
		for k := range 3 {
			black[k], white[k] = float64(f.pix[k]), float64(f.pix[3+k])
		}
		return black, white
	}
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	_, white := lit(Defect{Kind: Exposure, Strength: -2})
	near("two stops dark", white[1], paperLight/4)
	black, white := lit(Defect{Kind: LowContrast, Strength: 0.7})
	near("contrast", white[1]-black[1], paperLight*0.3)
	_, white = lit(Defect{Kind: WhiteBalance, Strength: 1})
	near("orange", white[0]/white[2], (1+castRed)/(1-castBlue))
}

func TestLocalBlurGrows(t *testing.T) {
	f := newFrame(301, 21)
	for y := range f.h {
		for _, x := range []int{40, 150, 290} {
			f.pix[3*(y*f.w+x)] = 1
		}
	}
	f.blurBeyond(ramp{point{100, 0}, point{1.0 / 200, 0}}, 4)
	for _, tt := range []struct {
		at   int
		want float64
	}{{40, 0}, {150, 1}, {290, 3.8}} {
		var square, total float64
		for d := -min(20, 300-tt.at); d <= min(20, 300-tt.at); d++ {
			v := float64(f.pix[3*(10*f.w+tt.at+d)])
			square, total = square+v*float64(d*d), total+v
		}
		// Near the border a part of the tail is missing.
		if got := math.Sqrt(square / total); math.Abs(got-tt.want) > 0.45 {
			t.Errorf("at %d: spread %.2f px, want %.2f", tt.at, got, tt.want)
		}
	}
}

func TestSizesAfterDelivery(t *testing.T) {
	for _, tt := range []struct {
		d        Defect
		longSide int
		em       float64 // 0: any
	}{
		{Defect{Kind: Messenger, Strength: 560}, 560, 0},
		{Defect{Kind: Messenger, Strength: 2000}, 900, 0}, // never enlarged
		{Defect{Kind: LowResolution, Strength: 6}, 0, 6},
		{Defect{Kind: Upscaled, Strength: 6}, 900, 0},
	} {
		img, p := shoot(t, tt.d)
		if got := max(img.Rect.Dx(), img.Rect.Dy()); tt.longSide > 0 && got != tt.longSide || got != p.Shot.Width {
			t.Errorf("%v: long side %d, want %d, truth says %d", tt.d, got, tt.longSide, p.Shot.Width)
		}
		if tt.em > 0 && math.Abs(p.Shot.EmPx-tt.em) > 0.2 {
			t.Errorf("%v: em %.1f px, want %.1f", tt.d, p.Shot.EmPx, tt.em)
		}
	}
}

// The ornament of a copy is gray; a fresh seal on it is red.
func TestCopiesLoseColor(t *testing.T) {
	f := testFonts(t)
	l := Random(newRand(4, 4), landscape, Company)
	for _, tt := range []struct {
		kind DefectKind
		red  bool
	}{{GrayCopy, false}, {StampedCopy, true}} {
		face, lay, err := f.Face(l, 600)
		if err != nil {
			t.Fatal(err)
		}
		face = f.overprint(face, lay, l, Camera{Defects: []Defect{{Kind: tt.kind, Strength: 1}}}, newRand(1, 1))
		upper, lower := 0, 0
		for i := 0; i < len(face.Pix); i += 4 {
			if int(face.Pix[i])-int(face.Pix[i+1]) > 40 {
				if i < len(face.Pix)/2 {
					upper++
				} else {
					lower++
				}
			}
		}
		if upper > 0 || (lower > 200) != tt.red {
			t.Errorf("%s: %d red pixels above, %d below, want red below: %v", tt.kind, upper, lower, tt.red)
		}
	}
}

func TestScreenshotMovesTheTruth(t *testing.T) {
	for _, share := range []float64{0, 0.5, 1} {
		img := imaging.New(400, 300, color.White)
		draw.Draw(img, image.Rect(100, 60, 200, 90), image.NewUniform(color.NRGBA{0, 0, 255, 255}), image.Point{}, draw.Src)
		shot := Shot{Fields: map[report.FieldName]report.Polygon{report.FieldUSCC: {{100, 60}, {200, 60}, {200, 90}, {100, 90}}}}
		out := testFonts(t).screenshot(img, &shot, share, newRand(3, 3))
		p := shot.Fields[report.FieldUSCC]
		for _, at := range []point{{p[0][0] + 5, p[0][1] + 5}, {p[2][0] - 5, p[2][1] - 5}} {
			if got := out.NRGBAAt(int(at.x), int(at.y)); got.B < 200 || got.R > 60 {
				t.Errorf("share %.1f: %v at %v, want blue", share, got, at)
			}
		}
		if shot.Width != out.Rect.Dx() || shot.Height != out.Rect.Dy() {
			t.Errorf("share %.1f: %v, truth says %d x %d", share, out.Rect, shot.Width, shot.Height)
		}
		if tall := shot.Height > shot.Width; tall != (share > 0) {
			t.Errorf("share %.1f: %d x %d", share, shot.Width, shot.Height)
		}
	}
}

func TestSecondLicenseComesIn(t *testing.T) {
	for _, share := range []float64{0.3, 1} {
		l := Random(newRand(5, 5), landscape, Company)
		c := setting(newRand(8, 8), l, []Defect{{Kind: SecondLicense, Strength: share}}, 800, 600)
		c.TurnCW = 0
		p := Picture{Subject: SubjectLicense, License: &l, Second: &l, Camera: c}
		if _, err := testFonts(t).take(&p, newRand(1, 1)); err != nil {
			t.Fatal(err)
		}
		in := touched(map[report.FieldName]report.Polygon{"": p.Shot.Second}, func(p point) bool {
			return p.x > 0 && p.y > 0 && p.x < float64(c.Width) && p.y < float64(c.Height)
		})[""]
		// The margin round the sheets shows a little more.
		if in < share-0.05 || in > share+0.25 {
			t.Errorf("%.2f of the second sheet is in the frame, want %.2f", in, share)
		}
	}
}
