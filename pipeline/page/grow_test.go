package page

import (
	"image/color"
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
		x, y := float64(20+590*(i%2)), float64(760+10*(i/2)%120)
		lines = append(lines, ocr.Quad{{X: x, Y: y}, {X: x + 500, Y: y}, {X: x + 500, Y: y + 10}, {X: x, Y: y + 10}})
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
	s, err := newSearch(photo, lines)
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
