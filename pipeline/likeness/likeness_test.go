package likeness

import (
	"bytes"
	"encoding/json"
	"image"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"testing"

	"github.com/disintegration/imaging"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/synth"
)

// shot is a drawn photo and where its lines are.
type shot struct {
	photo *image.NRGBA
	lines map[report.FieldName]report.Polygon
}

// studio draws licenses. A seed names the camera and its noise: one shot is drawn
// twice by the same seed.
type studio struct {
	fonts *synth.Fonts
	width int // px of a photo
}

func newStudio(t testing.TB, width int) studio {
	t.Helper()
	fonts, err := synth.LoadFonts()
	if err != nil {
		t.Fatal(err)
	}
	return studio{fonts, width}
}

func license(seed uint64, edition report.Edition) synth.License {
	return synth.Random(rand.New(rand.NewPCG(1, seed)), edition, synth.Company)
}

// photo is taken by hand, somewhere.
func (s studio) photo(t testing.TB, l synth.License, seed uint64) shot {
	t.Helper()
	c := synth.RandomCamera(rand.New(rand.NewPCG(2, seed)), s.width, s.width*3/4, false)
	c.TurnCW = 0
	return s.take(t, l, c, seed)
}

// scan is flat and fills the frame.
func (s studio) scan(t testing.TB, l synth.License, seed uint64) shot {
	t.Helper()
	sheet := l.Sheet()
	height := int(float64(s.width) * sheet.HeightMM / sheet.WidthMM)
	return s.take(t, l, synth.Camera{Width: s.width, Height: height, Fill: 1, Scene: synth.Scene{Surface: synth.SurfaceScan}}, seed)
}

func (s studio) take(t testing.TB, l synth.License, c synth.Camera, seed uint64) shot {
	t.Helper()
	face, layout, err := s.fonts.Face(l, c.FaceWidth(l.Sheet()))
	if err != nil {
		t.Fatal(err)
	}
	photo, at := synth.Shoot(synth.Sheet{Face: face, Layout: layout}, c, rand.New(rand.NewPCG(3, seed)))
	return shot{photo, at.Fields}
}

// sent is what arrives of a shot: cropped by up to 3 % a side, resized, brighter or
// darker, flatter or harder, and compressed.
func (s shot) sent(t testing.TB, rng *rand.Rand, least, most float64) shot {
	t.Helper()
	w, h := s.photo.Rect.Dx(), s.photo.Rect.Dy()
	edge := func(side int) int { return int(0.03 * rng.Float64() * float64(side)) }
	kept := image.Rect(edge(w), edge(h), w-edge(w), h-edge(h))
	factor := least + (most-least)*rng.Float64()
	filter := []imaging.ResampleFilter{imaging.Box, imaging.Linear, imaging.CatmullRom, imaging.Lanczos}[rng.IntN(4)]
	picture := imaging.Resize(imaging.Crop(s.photo, kept), int(factor*float64(kept.Dx())), int(factor*float64(kept.Dy())), filter)
	picture = imaging.AdjustContrast(imaging.AdjustBrightness(picture, 40*rng.Float64()-20), 40*rng.Float64()-20)
	var file bytes.Buffer
	if err := jpeg.Encode(&file, picture, &jpeg.Options{Quality: 30 + rng.IntN(66)}); err != nil {
		t.Fatal(err)
	}
	decoded, err := jpeg.Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	out := shot{image.NewNRGBA(decoded.Bounds()), map[report.FieldName]report.Polygon{}}
	draw.Draw(out.photo, out.photo.Rect, decoded, image.Point{}, draw.Src)
	for field, line := range s.lines {
		for _, p := range line {
			out.lines[field] = append(out.lines[field], report.Point{(p[0] - float64(kept.Min.X)) * factor, (p[1] - float64(kept.Min.Y)) * factor})
		}
	}
	return out
}

// print finds the lines as a detector does, never twice in quite the same place.
func (s shot) print(rng *rand.Rand) report.Print {
	strips := map[report.FieldName]*image.Gray{}
	for _, field := range []report.FieldName{report.FieldUSCC, report.FieldCompanyName, report.FieldEstablished} {
		if line := s.lines[field]; len(line) == 4 {
			strips[field] = cut(s.photo, line, rng)
		}
	}
	return Of(s.photo, 0, strips)
}

// lineGrowth is how much higher a detector's box is than the text.
const lineGrowth = 0.1

// cut flattens a line, its corners off by some hundredths of its height.
func cut(photo *image.NRGBA, line report.Polygon, rng *rand.Rand) *image.Gray {
	height, width := line[3][1]-line[0][1], line[1][0]-line[0][0]
	var q [4]report.Point
	for i, p := range line {
		grow := lineGrowth * height * []float64{-1, -1, 1, 1}[i]
		q[i] = report.Point{p[0] + 0.08*height*rng.NormFloat64(), p[1] + grow + 0.04*height*rng.NormFloat64()}
	}
	gray := image.NewGray(image.Rect(0, 0, int(width), int(height*(1+2*lineGrowth))))
	w, h := gray.Rect.Dx(), gray.Rect.Dy()
	for y := range h {
		for x := range w {
			u, v := (float64(x)+0.5)/float64(w), (float64(y)+0.5)/float64(h)
			at := func(k int) int { return int((q[0][k]*(1-u)+q[1][k]*u)*(1-v) + (q[3][k]*(1-u)+q[2][k]*u)*v) }
			i, j := min(max(at(0), 0), photo.Rect.Dx()-1), min(max(at(1), 0), photo.Rect.Dy()-1)
			gray.Pix[y*gray.Stride+x] = Luma(photo.Pix[photo.PixOffset(i, j):])
		}
	}
	return gray
}

// TestCompare: each verdict, on drawn captures.
func TestCompare(t *testing.T) {
	s, rng := newStudio(t, 1600), rand.New(rand.NewPCG(4, 4))
	own, other := license(1, report.Edition2019Landscape), license(2, report.Edition2019Landscape)
	name, code := own, own
	name.Name, code.USCC = other.Name, other.USCC
	photo, scan := s.photo(t, own, 1), s.scan(t, own, 2)
	for _, tt := range []struct {
		name string
		a, b shot
		want Verdict
	}{
		{"sent again", photo, photo.sent(t, rng, 0.9, 1.2), SameShot},
		{"scan sent again", scan, scan.sent(t, rng, 0.9, 1.2), SameShot},
		{"another shot", photo, s.photo(t, own, 6), Unlike},
		{"name edited", photo, s.photo(t, name, 1).sent(t, rng, 1, 1.2), EditedCopy},
		{"code edited", scan, s.scan(t, code, 2).sent(t, rng, 1, 1.2), EditedCopy},
		{"two scans", scan, s.scan(t, other, 3), Unlike},
		{"two photos", photo, s.photo(t, other, 5), Unlike},
	} {
		a, b := tt.a.print(rng), tt.b.print(rng)
		if got := Compare(a, b); got != tt.want {
			t.Errorf("%s: got %q, want %q; frame %.2f, strips %v", tt.name, got, tt.want, frame(a, b), sameLines(a, b))
		}
	}
}

// TestPrintIsTheSameTurned: a photo that lies on its side has the print of the
// upright one.
func TestPrintIsTheSameTurned(t *testing.T) {
	photo := newStudio(t, 400).photo(t, license(1, report.Edition2019Landscape), 1).photo
	want := Of(photo, 0, nil)
	for turns, turned := range []*image.NRGBA{photo, imaging.Rotate90(photo), imaging.Rotate180(photo), imaging.Rotate270(photo)} {
		if got := Of(turned, turns, nil); frame(got, want) < 0.99 {
			t.Errorf("%d turns: frame %.3f, want 1", turns, frame(got, want))
		}
	}
}

// TestPrintIsSmall: what is stored beside every report, and comes back from it.
func TestPrintIsSmall(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	print := newStudio(t, 800).photo(t, license(1, report.Edition2019Landscape), 1).print(rng)
	text, err := json.Marshal(print)
	if err != nil {
		t.Fatal(err)
	}
	const limit = 4 << 10
	if len(text) > limit {
		t.Errorf("%d bytes, want at most %d", len(text), limit)
	}
	var stored report.Print
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	if got := Compare(print, stored); got != SameShot {
		t.Errorf("a stored print: got %q, want %q", got, SameShot)
	}
}

// TestNothingToCompare: prints of other forms, blank ones and tiny photos.
func TestNothingToCompare(t *testing.T) {
	blank := Of(image.NewNRGBA(image.Rect(0, 0, 3, 2)), 0, map[report.FieldName]*image.Gray{report.FieldUSCC: image.NewGray(image.Rect(0, 0, 0, 5))})
	for _, print := range []report.Print{{}, {Shot: []byte{1, 2}}, blank} {
		if got := Compare(print, print); got != Unlike {
			t.Errorf("got %q, want none", got)
		}
	}
	if len(blank.Strips) > 0 {
		t.Errorf("got strips %v of an empty crop", blank.Strips)
	}
}
