package page

import (
	"context"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/heyan/heyan/ocr"
)

// desk is a textured background with a white sheet on it that has a dark frame
// and bars for lines of text. Inner maps the sheet, 1000 x 707, to the photo.
func desk(w, h int, quad ocr.Quad, seed uint64) (*image.NRGBA, []ocr.Quad) {
	rng := rand.New(rand.NewPCG(seed, 1))
	photo := image.NewNRGBA(image.Rect(0, 0, w, h))
	back, _ := solve(quad, ocr.Quad{{}, {X: 1000}, {X: 1000, Y: 707}, {Y: 707}})
	forth, _ := solve(ocr.Quad{{}, {X: 1000}, {X: 1000, Y: 707}, {Y: 707}}, quad)
	var bars []ocr.Quad
	for row := range 8 {
		y := 150 + 60*float64(row)
		bars = append(bars, ocr.Quad{{X: 100, Y: y}, {X: 800, Y: y}, {X: 800, Y: y + 26}, {X: 100, Y: y + 26}})
	}
	for y := range h {
		for x := range w {
			p := back.apply(ocr.Point{X: float64(x) + 0.5, Y: float64(y) + 0.5})
			v := uint8(80 + 12*math.Sin(float64(x)/9) + float64(rng.IntN(14))) // desk
			if p.X >= 0 && p.X < 1000 && p.Y >= 0 && p.Y < 707 {
				v = uint8(225 + rng.IntN(8))
				edge := math.Min(math.Min(p.X, 1000-p.X), math.Min(p.Y, 707-p.Y))
				if edge > 40 && edge < 50 {
					v = 120
				}
				for _, b := range bars {
					if p.X > b[0].X && p.X < b[1].X && p.Y > b[0].Y && p.Y < b[2].Y && int(p.X/9)%2 == 0 {
						v = 40
					}
				}
			}
			photo.SetNRGBA(x, y, color.NRGBA{v, v, v, 255})
		}
	}
	lines := make([]ocr.Quad, len(bars))
	for i, b := range bars {
		for j, p := range b {
			lines[i][j] = forth.apply(p)
		}
	}
	return photo, lines
}

// overlap is the intersection over union of two quads, sampled.
func overlap(a, b ocr.Quad, w, h int) float64 {
	both, either := 0, 0
	for y := 0; y < h; y += 2 {
		for x := 0; x < w; x += 2 {
			p := ocr.Point{X: float64(x), Y: float64(y)}
			in, on := a.Contains(p), b.Contains(p)
			if in && on {
				both++
			}
			if in || on {
				either++
			}
		}
	}
	return float64(both) / float64(max(either, 1))
}

// frameOf is the quad of the sheet's printed frame.
func frameOf(quad ocr.Quad) ocr.Quad {
	forth, _ := solve(ocr.Quad{{}, {X: 1000}, {X: 1000, Y: 707}, {Y: 707}}, quad)
	var q ocr.Quad
	for i, p := range (ocr.Quad{{X: 45, Y: 45}, {X: 955, Y: 45}, {X: 955, Y: 662}, {X: 45, Y: 662}}) {
		q[i] = forth.apply(p)
	}
	return q
}

func TestFlattenFindsTheSheet(t *testing.T) {
	for name, quad := range map[string]ocr.Quad{
		"straight":    {{X: 100, Y: 90}, {X: 1100, Y: 90}, {X: 1100, Y: 797}, {X: 100, Y: 797}},
		"turned":      {{X: 160, Y: 60}, {X: 1130, Y: 130}, {X: 1080, Y: 820}, {X: 110, Y: 750}},
		"perspective": {{X: 260, Y: 120}, {X: 960, Y: 120}, {X: 1150, Y: 800}, {X: 70, Y: 800}},
		"small":       {{X: 300, Y: 260}, {X: 800, Y: 250}, {X: 810, Y: 610}, {X: 305, Y: 600}},
	} {
		photo, lines := desk(1200, 900, quad, 7)
		page, moved, err := Flatten(t.Context(), photo, lines)
		if err != nil {
			t.Fatal(err)
		}
		if !page.Found() {
			t.Errorf("%s: no sheet found", name)
			continue
		}
		iou := math.Max(overlap(page.Quad, quad, 1200, 900), overlap(page.Quad, frameOf(quad), 1200, 900))
		if iou < 0.95 {
			t.Errorf("%s: got quad %v, IoU %.3f with the sheet or its frame", name, page.Quad, iou)
		}
		for i, line := range moved { // level on the page, and back where they were
			if slope := math.Abs(line[1].Y-line[0].Y) / line.Width(); slope > 0.02 {
				t.Errorf("%s: line %d slopes by %.3f", name, i, slope)
			}
			for j, p := range page.OnPhoto(line) {
				if math.Hypot(p[0]-lines[i][j].X, p[1]-lines[i][j].Y) > 1 {
					t.Fatalf("%s: line %d corner %d came back at %v, was %v", name, i, j, p, lines[i][j])
				}
			}
		}
	}
}

// TestNothingFoundCostsNothing: a scan without an edge is its own page.
func TestNothingFoundCostsNothing(t *testing.T) {
	scan := image.NewNRGBA(image.Rect(0, 0, 800, 600))
	for i := range scan.Pix {
		scan.Pix[i] = 255
	}
	lines := []ocr.Quad{{{X: 100, Y: 100}, {X: 400, Y: 100}, {X: 400, Y: 130}, {X: 100, Y: 130}}}
	page, moved, err := Flatten(t.Context(), scan, lines)
	if err != nil {
		t.Fatal(err)
	}
	if page.Found() || page.Image != scan || page.Scale != 1 || moved[0] != lines[0] {
		t.Errorf("got %v, lines %v", page.Quad, moved)
	}
}

// TestTiltedTextIsLeveled: without a sheet the text itself tells the angle.
func TestTiltedTextIsLeveled(t *testing.T) {
	scan := image.NewNRGBA(image.Rect(0, 0, 800, 600))
	for i := range scan.Pix {
		scan.Pix[i] = 255
	}
	sin, cos := math.Sincos(6 * math.Pi / 180)
	var lines []ocr.Quad
	for row := range 6 {
		x, y := 100.0, 80+70*float64(row)
		at := func(u, v float64) ocr.Point { return ocr.Point{X: x + u*cos - v*sin, Y: y + u*sin + v*cos} }
		lines = append(lines, ocr.Quad{at(0, 0), at(400, 0), at(400, 24), at(0, 24)})
	}
	page, moved, err := Flatten(t.Context(), scan, lines)
	if err != nil {
		t.Fatal(err)
	}
	if page.Found() {
		t.Errorf("found a sheet at %v on a blank scan", page.Quad)
	}
	for i, line := range moved {
		if slope := math.Abs(line[1].Y-line[0].Y) / line.Width(); slope > 0.01 {
			t.Errorf("line %d slopes by %.3f", i, slope)
		}
	}
}

func TestTurnKeepsTheWayBack(t *testing.T) {
	photo := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	for i := range photo.Pix {
		photo.Pix[i] = uint8(i)
	}
	mark := ocr.Quad{{X: 4, Y: 6}, {X: 13, Y: 6}, {X: 13, Y: 9}, {X: 4, Y: 9}}
	start := Page{Image: photo, Scale: 1, toPhoto: identity}
	for quarters := range 4 {
		page, moved, err := start.Turn(quarters, []ocr.Quad{mark})
		if err != nil {
			t.Fatal(err)
		}
		if page.Rotation != 90*quarters {
			t.Errorf("%d quarters: rotation %d", quarters, page.Rotation)
		}
		// The quad's first corner is now the one that lies top left.
		low, _ := moved[0].Bounds()
		if moved[0][0] != low {
			t.Errorf("%d quarters: quad starts at %v, its top left is %v", quarters, moved[0][0], low)
		}
		back := page.OnPhoto(moved[0])
		for j := range 4 {
			want := mark[(j+4-quarters)%4]
			if math.Hypot(back[j][0]-want.X, back[j][1]-want.Y) > 0.1 {
				t.Errorf("%d quarters: corner %d came back at %v, want %v", quarters, j, back[j], want)
			}
		}
		pixel := moved[0].Center()
		from := mark.Center()
		if got, want := page.Image.NRGBAAt(int(pixel.X), int(pixel.Y)), photo.NRGBAAt(int(from.X), int(from.Y)); got != want {
			t.Errorf("%d quarters: pixel %v, want %v", quarters, got, want)
		}
	}
}

// upIs is a reader that is sure of text when the mark is in the top left corner.
type upIs struct{ mark color.NRGBA }

func (upIs) Name() string { return "fake" }

func (r upIs) Recognise(_ context.Context, picture *image.NRGBA, quads []ocr.Quad) ([]ocr.Line, error) {
	lines := make([]ocr.Line, len(quads))
	for i, q := range quads {
		lines[i] = ocr.Line{Quad: q, Text: "甲乙丙丁", Confidence: 0.4}
		if picture.NRGBAAt(0, 0) == r.mark {
			lines[i].Confidence = 0.97
		}
	}
	return lines, nil
}

func TestUpright(t *testing.T) {
	mark := color.NRGBA{200, 10, 10, 255}
	photo := image.NewNRGBA(image.Rect(0, 0, 300, 200))
	photo.SetNRGBA(0, 0, mark)
	lines := []ocr.Quad{
		{{X: 20, Y: 40}, {X: 220, Y: 40}, {X: 220, Y: 60}, {X: 20, Y: 60}},
		{{X: 20, Y: 80}, {X: 200, Y: 80}, {X: 200, Y: 100}, {X: 20, Y: 100}},
	}
	start := Page{Image: photo, Scale: 1, toPhoto: identity}
	for turned := range 4 {
		page, moved, err := start.Turn(turned, lines)
		if err != nil {
			t.Fatal(err)
		}
		page.Rotation = 0
		for i := range moved { // as a detector gives them: from the top left
			low, high := moved[i].Bounds()
			moved[i] = ocr.Quad{low, {X: high.X, Y: low.Y}, high, {X: low.X, Y: high.Y}}
		}
		up, back, err := page.Upright(t.Context(), upIs{mark}, moved)
		if err != nil {
			t.Fatal(err)
		}
		if want := (360 - 90*turned) % 360; up.Rotation != want {
			t.Errorf("turned by %d: got rotation %d, want %d", 90*turned, up.Rotation, want)
		}
		if up.Image.NRGBAAt(0, 0) != mark || back[0].Width() < back[0].Height() {
			t.Errorf("turned by %d: not upright", 90*turned)
		}
	}
}

// TestUprightBesideOtherText: text beside the page does not turn it, and squares tell
// no direction.
func TestUprightBesideOtherText(t *testing.T) {
	mark := color.NRGBA{200, 10, 10, 255}
	photo := image.NewNRGBA(image.Rect(0, 0, 300, 200))
	box := func(x, y, w, h float64) ocr.Quad {
		return ocr.Quad{{X: x, Y: y}, {X: x + w, Y: y}, {X: x + w, Y: y + h}, {X: x, Y: y + h}}
	}
	for name, tt := range map[string]struct {
		lines []ocr.Quad
		top   image.Point // the corner that is to be top left
		want  int
	}{
		"tall text beside it": {[]ocr.Quad{box(20, 40, 200, 20), box(-60, 10, 20, 500)}, image.Pt(0, 0), 0},
		"wide text beside it": {[]ocr.Quad{box(20, 10, 20, 150), box(10, 300, 500, 20)}, image.Pt(0, 199), 90},
		"characters apart":    {[]ocr.Quad{box(20, 40, 30, 30), box(20, 80, 30, 28), box(20, 120, 30, 31)}, image.Pt(299, 0), 270},
	} {
		clear(photo.Pix)
		photo.SetNRGBA(tt.top.X, tt.top.Y, mark)
		page, _, err := Page{Image: photo, Scale: 1, toPhoto: identity}.Upright(t.Context(), upIs{mark}, tt.lines)
		if err != nil || page.Rotation != tt.want {
			t.Errorf("%s: rotation %d, %v, want %d", name, page.Rotation, err, tt.want)
		}
	}
}

// TestEvidence: many guesses weigh less than a few characters that are sure.
func TestEvidence(t *testing.T) {
	read := func(texts map[string]float64) []ocr.Line {
		var lines []ocr.Line
		for text, confidence := range texts {
			lines = append(lines, ocr.Line{Text: text, Confidence: confidence})
		}
		return lines
	}
	guesses := read(map[string]float64{"甲乙丙丁戊己庚辛": 0.49, "子丑寅卯辰巳午": 0.48})
	sure := read(map[string]float64{"甲乙丙丁": 0.9, "子丑寅卯辰巳午": 0.05})
	if confidence(guesses) < confidence(sure) || evidence(guesses) >= evidence(sure) {
		t.Errorf("guesses give %.2f, characters %.2f", evidence(guesses), evidence(sure))
	}
}

func TestHomography(t *testing.T) {
	from := ocr.Quad{{X: 3, Y: 4}, {X: 90, Y: 10}, {X: 100, Y: 70}, {X: -5, Y: 60}}
	to := ocr.Quad{{}, {X: 50}, {X: 50, Y: 30}, {Y: 30}}
	m, ok := solve(from, to)
	if !ok {
		t.Fatal("not solved")
	}
	for i := range from {
		if got := m.apply(from[i]); dist(got, to[i]) > 1e-9 {
			t.Errorf("corner %d: got %v, want %v", i, got, to[i])
		}
	}
	if _, ok := solve(ocr.Quad{{}, {X: 1}, {X: 2}, {X: 3}}, to); ok {
		t.Error("four points on a line have no homography")
	}
}

func BenchmarkFlatten(b *testing.B) {
	photo, lines := desk(1600, 1200, ocr.Quad{{X: 260, Y: 120}, {X: 1260, Y: 120}, {X: 1450, Y: 1000}, {X: 70, Y: 1000}}, 3)
	for b.Loop() {
		if _, _, err := Flatten(b.Context(), photo, lines); err != nil {
			b.Fatal(err)
		}
	}
}

// TestSheetHoldsItsText: a quad that cuts lines off is no sheet, even where it
// holds their middles.
func TestSheetHoldsItsText(t *testing.T) {
	line := func(x, y, w float64) ocr.Quad {
		return ocr.Quad{{X: x, Y: y}, {X: x + w, Y: y}, {X: x + w, Y: y + 20}, {X: x, Y: y + 20}}
	}
	s := &search{w: 640, h: 480, text: []ocr.Quad{line(100, 100, 400), line(100, 200, 150), line(100, 300, 400)}, paper: make([]sheetColor, 3)}
	whole := ocr.Quad{{X: 50, Y: 50}, {X: 590, Y: 50}, {X: 590, Y: 430}, {X: 50, Y: 430}}
	cut := ocr.Quad{{X: 50, Y: 50}, {X: 340, Y: 50}, {X: 590, Y: 430}, {X: 50, Y: 430}}
	if got := s.textShares(whole).own; got != 1 {
		t.Errorf("the sheet holds %.2f of its text", got)
	}
	if got := s.textShares(cut).cut; got <= maxTextCut {
		t.Errorf("a quad that cuts the first line cuts %.2f of the text", got)
	}
}
