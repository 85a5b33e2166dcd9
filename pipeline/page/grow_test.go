package page

import (
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/heyan/heyan/ocr"
)

// sheetQuad is where the tests lay their sheet.
var sheetQuad = ocr.Quad{{X: 220, Y: 160}, {X: 1010, Y: 190}, {X: 980, Y: 740}, {X: 190, Y: 700}}

// TestSheetNotItsCover: of a sheet in a dark frame on a bright wall the sheet is
// found, to its sides.
func TestSheetNotItsCover(t *testing.T) {
	photo, lines := desk(1200, 900, sheetQuad, 11)
	back, _ := solve(sheetQuad, ocr.Quad{{}, {X: 1000}, {X: 1000, Y: 707}, {Y: 707}})
	for y := range 900 {
		for x := range 1200 {
			p := back.apply(ocr.Point{X: float64(x) + 0.5, Y: float64(y) + 0.5})
			if p.X >= 0 && p.X < 1000 && p.Y >= 0 && p.Y < 707 {
				continue
			}
			v := uint8(228)
			if p.X > -60 && p.X < 1060 && p.Y > -60 && p.Y < 767 {
				v = 70
			}
			photo.SetNRGBA(x, y, color.NRGBA{v, v, v, 255})
		}
	}
	quad, ok, err := find(photo, lines)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	for i, p := range quad {
		if dist(p, sheetQuad[i]) > 1.5 {
			t.Errorf("corner %d at %v, want %v", i, p, sheetQuad[i])
		}
	}
}

// TestTextOfOtherPapers: what is printed on papers round the sheet does not hide it.
func TestTextOfOtherPapers(t *testing.T) {
	photo, lines := desk(1200, 900, sheetQuad, 12)
	for i := range 40 {
		x, y := float64(20+28*i), 770.0
		lines = append(lines, ocr.Quad{{X: x, Y: y}, {X: x + 85, Y: y + 85}, {X: x + 71, Y: y + 99}, {X: x - 14, Y: y + 14}})
	}
	quad, ok, err := find(photo, lines)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if iou := max(overlap(quad, sheetQuad, 1200, 900), overlap(quad, frameOf(sheetQuad), 1200, 900)); iou < 0.95 {
		t.Errorf("got %v, IoU %.3f", quad, iou)
	}
}

// TestGrown: from a line of the printed frame the search goes on to the sheet.
func TestGrown(t *testing.T) {
	photo, lines := desk(1200, 900, sheetQuad, 13)
	s, err := newSearch(photo, lines, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.candidates(); err != nil { // marks the edges
		t.Fatal(err)
	}
	inner := frameOf(sheetQuad)
	for i := range inner {
		inner[i].X, inner[i].Y = inner[i].X*640/1200, inner[i].Y*640/1200
	}
	got := s.grown(inner)
	for i, p := range got {
		if want := (ocr.Point{X: sheetQuad[i].X * 640 / 1200, Y: sheetQuad[i].Y * 640 / 1200}); dist(p, want) > 6 {
			t.Errorf("corner %d at %v, want %v", i, p, want)
		}
	}
	if again := s.grown(got); again != got {
		t.Errorf("beyond the sheet %v there is %v", got, again)
	}
}

// TestPartOfASheet: a fold is no side of a sheet whose text goes on beyond it, in
// the same direction; text in other directions is on other papers.
func TestPartOfASheet(t *testing.T) {
	line := func(x, y, w, degrees float64) ocr.Quad {
		sin, cos := math.Sincos(degrees * math.Pi / 180)
		at := func(u, v float64) ocr.Point { return ocr.Point{X: x + u*cos - v*sin, Y: y + u*sin + v*cos} }
		return ocr.Quad{at(0, 0), at(w, 0), at(w, 20), at(0, 20)}
	}
	half := ocr.Quad{{X: 100, Y: 240}, {X: 540, Y: 240}, {X: 540, Y: 440}, {X: 100, Y: 440}}
	for name, tt := range map[string]struct {
		degrees         float64
		aligned, within float64
	}{"the same sheet": {1, 0.5, 0.5}, "turned by a quarter": {91, 0.5, 0.5}, "other papers": {30, 0, 0.5}} {
		s := &search{w: 640, h: 480, text: []ocr.Quad{line(150, 300, 200, 0), line(150, 350, 200, 0), line(250, 10, 200, tt.degrees), line(450, 5, 200, tt.degrees)}, paper: make([]sheetColor, 4)}
		got := s.textShares(half)
		if math.Abs(got.own-tt.within) > 0.01 || got.cut != 0 || math.Abs(got.beyond-tt.aligned) > 0.01 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestSnapped: what is an upright rectangle but for a pixel is cut out as it is.
func TestSnapped(t *testing.T) {
	near := ocr.Quad{{X: 10.4, Y: 20.3}, {X: 99.8, Y: 20.1}, {X: 100.2, Y: 79.7}, {X: 10.1, Y: 80.4}}
	if got, want := snapped(near), (ocr.Quad{{X: 10, Y: 20}, {X: 100, Y: 20}, {X: 100, Y: 80}, {X: 10, Y: 80}}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := snapped(sheetQuad); got != sheetQuad {
		t.Errorf("a tilted sheet became %v", got)
	}
}

// sheetIn draws a sheet with a frame at the given shares of its width and height,
// light on a dark desk, and the text on it.
func sheetIn(w, h int, sheet ocr.Quad, desk uint8) (*image.NRGBA, []ocr.Quad) {
	photo := image.NewNRGBA(image.Rect(0, 0, w, h))
	back, _ := solve(sheet, ocr.Quad{{}, {X: 1000}, {X: 1000, Y: 707}, {Y: 707}})
	forth, _ := solve(ocr.Quad{{}, {X: 1000}, {X: 1000, Y: 707}, {Y: 707}}, sheet)
	var lines []ocr.Quad
	for row := range 6 {
		y := 150 + 70*float64(row)
		line := ocr.Quad{{X: 150, Y: y}, {X: 800, Y: y}, {X: 800, Y: y + 26}, {X: 150, Y: y + 26}}
		for i, p := range line {
			line[i] = forth.apply(p)
		}
		lines = append(lines, line)
	}
	for y := range h {
		for x := range w {
			p := back.apply(ocr.Point{X: float64(x) + 0.5, Y: float64(y) + 0.5})
			v := desk
			if p.X >= 0 && p.X < 1000 && p.Y >= 0 && p.Y < 707 {
				v = 230
				if edge := math.Min(math.Min(p.X, 1000-p.X), math.Min(p.Y, 707-p.Y)); edge > 55 && edge < 65 {
					v = 200
				}
			}
			photo.SetNRGBA(x, y, color.NRGBA{v, v, v, 255})
		}
	}
	return photo, lines
}

// TestSheetBeyondThePhoto: a sheet of which the photo cuts a part off is found.
func TestSheetBeyondThePhoto(t *testing.T) {
	sheet := ocr.Quad{{X: 500, Y: 150}, {X: 1350, Y: 180}, {X: 1330, Y: 780}, {X: 480, Y: 750}}
	photo, lines := sheetIn(1000, 900, sheet, 70)
	for i := range lines { // as far as the photo shows them
		lines[i] = lines[i].Slice(0, 0.5)
	}
	quad, ok, err := find(photo, lines)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	want := ocr.Quad{sheet[0], {X: 1000, Y: 168}, {X: 1000, Y: 768}, sheet[3]}
	if iou := overlap(quad, want, 1000, 900); iou < 0.98 {
		t.Errorf("got %v, IoU %.3f", quad, iou)
	}
}

// TestThumbsOnTheSheet: of a sheet whose lower edge thumbs hide, the printed frame is
// found there; the sheet is looked for beyond.
func TestThumbsOnTheSheet(t *testing.T) {
	photo, lines := sheetIn(1200, 900, sheetQuad, 70)
	for _, x := range []int{250, 850} {
		for y := 640; y < 900; y++ {
			for i := range 70 {
				photo.SetNRGBA(x+i, y, color.NRGBA{208, 150, 126, 255})
			}
		}
	}
	s, err := newSearch(photo, lines, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.candidates(); err != nil { // marks the edges
		t.Fatal(err)
	}
	frame := frameOf(sheetQuad)
	var cut, whole ocr.Quad
	for i, p := range (ocr.Quad{sheetQuad[0], sheetQuad[1], frame[2], frame[3]}) {
		cut[i] = ocr.Point{X: p.X * s.scale, Y: p.Y * s.scale}
		whole[i] = ocr.Point{X: sheetQuad[i].X * s.scale, Y: sheetQuad[i].Y * s.scale}
	}
	cut[2].X, cut[3].X = whole[2].X, whole[3].X
	if got := s.grown(cut); overlap(got, whole, s.w, s.h) < 0.98 {
		t.Errorf("from %v to %v, want %v", cut, got, whole)
	}
}

// TestFramed: of two quads one in the other the outer one is a sheet where its margins
// are as those of a sheet: neither lines of one frame nor a photo round a sheet are.
func TestFramed(t *testing.T) {
	inset := func(left, top, right, bottom float64) ocr.Quad {
		return ocr.Quad{{X: 100 + left, Y: 80 + top}, {X: 500 - right, Y: 80 + top}, {X: 500 - right, Y: 360 - bottom}, {X: 100 + left, Y: 360 - bottom}}
	}
	for name, tt := range map[string]struct {
		inner       ocr.Quad
		least, most float64
	}{
		"sheet and frame":   {inset(24, 28, 24, 21), 0.06, 0.1},
		"lines of a frame":  {inset(8, 8, 8, 8), 0.02, 0.0286},
		"crossing":          {inset(-8, 28, 24, 21), -0.02, 0.1},
		"thumbs: its frame": {inset(24, 28, 24, 7), 0.025, 0.1},
	} {
		if least, most := gaps(inset(0, 0, 0, 0), tt.inner); math.Abs(least-tt.least) > 0.001 || math.Abs(most-tt.most) > 0.001 {
			t.Errorf("%s: gaps %.3f to %.3f, want %.3f to %.3f", name, least, most, tt.least, tt.most)
		}
	}
}

// TestAskewSide: a quad is no sheet whose lower side runs across the text above it.
func TestAskewSide(t *testing.T) {
	s := &search{w: 640, h: 480}
	for row := range 8 {
		y := 110 + 40*float64(row)
		s.text = append(s.text, ocr.Quad{{X: 150, Y: y}, {X: 400, Y: y}, {X: 400, Y: y + 16}, {X: 150, Y: y + 16}})
	}
	s.paper = make([]sheetColor, len(s.text))
	sheet := ocr.Quad{{X: 100, Y: 80}, {X: 500, Y: 80}, {X: 500, Y: 440}, {X: 100, Y: 440}}
	if got := s.textShares(sheet); !got.ofSheet() || got.own != 1 {
		t.Errorf("the sheet: %+v", got)
	}
	sheet[3].Y -= 110
	if got := s.textShares(sheet); got.ofSheet() {
		t.Errorf("a side across the text: %+v", got)
	}
}

// TestDisplay: a sheet in a window of a display is found through its stripes.
func TestDisplay(t *testing.T) {
	photo, lines := sheetIn(1200, 900, sheetQuad, 200)
	for y := range 900 {
		for x := range 1200 {
			p := photo.Pix[photo.PixOffset(x, y):]
			for c := range 3 {
				p[c] = uint8(float64(p[c]) * (0.7 + 0.3*math.Sin((float64(x)+0.3*float64(y))/1.6+2*float64(c))))
			}
		}
	}
	quad, ok, err := find(photo, lines)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if iou := max(overlap(quad, sheetQuad, 1200, 900), overlap(quad, frameOf(sheetQuad), 1200, 900)); iou < 0.95 {
		t.Errorf("got %v, IoU %.3f", quad, iou)
	}
}
