package quality

import (
	"image"
	"math"
	"slices"

	"github.com/heyan/heyan/ocr"
)

// The limits of what hides a line of print, in shares of an em where not said.
const (
	// finePerEm is how many samples an em has: strokes are one to two of them wide.
	finePerEm = 8
	// aroundEm is looked at round a place: what a line was lost to begins beside it.
	aroundEm = 1.0
	// solidSide is the side of a square without print or paper in it: strokes of a
	// line are at most half as wide.
	solidSide = 3 // samples
	// solidLevels is the range of levels in such a square that JPEG leaves, solidDepth
	// how much darker than paper it is.
	solidLevels, solidDepth = 14.0, 40.0
	// hidingWidth and hidingHeight are of the least thing that hides a character.
	hidingWidth, hidingHeight = 0.5, 0.45
	// thingWidth is of the least thing that lies on a sheet.
	thingWidth = 1.0
	// paintedHeight is the most of what is painted over one line.
	paintedHeight = 2.0
	// paintedFill is the least of its bounds that what is painted fills: of coarse tiles
	// some are as light as paper. Of a black bar blackFill is black.
	paintedFill, blackFill = 0.5, 0.75
	// blackShare is the level, relative to paper, up to which it is black: watermarks
	// are grey.
	blackShare = 0.35
	// burntShare is the most of its bounds that a reflection's leaves free.
	burntShare = 0.4
)

// Hiding is what hides print in a place: how wide it is, in px of the page, and where.
// Painted is what somebody painted over with an editing program: solid, and no
// higher than the line; Blacked is that of it which is black.
type Hiding struct {
	Glare, Covered, Painted, Blacked Spot
}

// Hiding looks at the place of a line, of so many px an em, for what hides its print;
// titles are left out. It sees less than a character, where the measures of the whole
// page see what is larger than two.
func (o Overview) Hiding(page *image.NRGBA, place ocr.Quad, em float64, titles []ocr.Quad) Hiding {
	f := o.fine(page, place, em)
	if len(f.samples) == 0 {
		return Hiding{}
	}
	limit, burns := o.burningLevel()
	free := func(x, y int) bool {
		at := f.at(x, y)
		return !slices.ContainsFunc(titles, func(q ocr.Quad) bool {
			low, high := q.Bounds()
			return at.X >= low.X && at.X <= high.X && at.Y >= low.Y && at.Y <= high.Y
		})
	}
	colored, dark, black := f.solid(o, free)
	covered := make([]bool, len(f.samples))
	for i := range covered {
		covered[i] = colored[i] || dark[i]
	}
	var h Hiding
	if burns {
		h.Glare = f.widest(func(i int) bool {
			s := f.samples[i]
			return s.level >= limit && s.level-s.least <= glareSaturation*s.level
		}, func(box image.Rectangle, n int) bool { return float64(n) > burntShare*float64(box.Dx()*box.Dy()) })
	}
	h.Covered = f.widest(func(i int) bool { return covered[i] }, func(box image.Rectangle, _ int) bool {
		return float64(box.Dx()) > thingWidth*finePerEm && (f.reaches(box) || f.has(colored, box))
	})
	painted := func(least float64) func(box image.Rectangle, n int) bool {
		return func(box image.Rectangle, n int) bool {
			return !f.reaches(box) && !f.has(colored, box) && float64(box.Dy()) < paintedHeight*finePerEm && float64(n) > least*float64(box.Dx()*box.Dy())
		}
	}
	h.Painted = f.widest(func(i int) bool { return dark[i] }, painted(paintedFill))
	h.Blacked = f.widest(func(i int) bool { return black[i] }, painted(blackFill))
	return h
}

// fine is a part of a page in samples of an eighth of an em.
type fine struct {
	samples       []sampleOf
	columns, rows int
	origin        image.Point // px of the page
	side          float64     // px a sample
}

type sampleOf struct {
	rgb          [3]float64 // mean, 0..255
	level, least float64    // the largest and the least of red, green and blue
}

// fine reduces a place of a page and what is round it, without the page's edges.
func (o Overview) fine(page *image.NRGBA, place ocr.Quad, em float64) fine {
	low, high := place.Bounds()
	inset := int(sheetInset / 2 * float64(min(page.Rect.Dx(), page.Rect.Dy())))
	box := image.Rect(int(low.X-aroundEm*em), int(low.Y-aroundEm*em), int(high.X+aroundEm*em), int(high.Y+aroundEm*em)).Intersect(page.Rect.Inset(inset))
	if em < finePerEm { // a sample were less than a pixel, and what is solid could not be told from noise
		return fine{}
	}
	f := fine{origin: box.Min, side: em / finePerEm}
	f.columns, f.rows = int(float64(box.Dx())/f.side), int(float64(box.Dy())/f.side)
	if f.columns < solidSide || f.rows < solidSide || f.columns*f.rows > mostSamples {
		return fine{}
	}
	step := 1
	if f.side >= 4 { // every other pixel tells as much
		step = 2
	}
	f.samples = make([]sampleOf, f.columns*f.rows)
	for y := range f.rows {
		for x := range f.columns {
			s, n := &f.samples[y*f.columns+x], 0.0
			for j := box.Min.Y + int(float64(y)*f.side); j < box.Min.Y+int(float64(y+1)*f.side); j += step {
				for i := box.Min.X + int(float64(x)*f.side); i < box.Min.X+int(float64(x+1)*f.side); i += step {
					p := page.Pix[page.PixOffset(i, j):]
					for k := range s.rgb {
						s.rgb[k] += float64(p[k])
					}
					n++
				}
			}
			for k := range s.rgb {
				s.rgb[k] /= n
			}
			s.level, s.least = max(s.rgb[0], s.rgb[1], s.rgb[2]), min(s.rgb[0], s.rgb[1], s.rgb[2])
		}
	}
	return f
}

// mostSamples bounds the work for a hostile place.
const mostSamples = 200_000

// at is the middle of a sample on the page.
func (f fine) at(x, y int) ocr.Point {
	return ocr.Point{X: float64(f.origin.X) + (float64(x)+0.5)*f.side, Y: float64(f.origin.Y) + (float64(y)+0.5)*f.side}
}

// reaches tells what goes on above or below the place.
func (f fine) reaches(box image.Rectangle) bool { return box.Min.Y == 0 || box.Max.Y == f.rows }

// has tells whether one of the samples in a box is marked.
func (f fine) has(marked []bool, box image.Rectangle) bool {
	for y := box.Min.Y; y < box.Max.Y; y++ {
		if slices.Contains(marked[y*f.columns+box.Min.X:y*f.columns+box.Max.X], true) {
			return true
		}
	}
	return false
}

// solid marks the samples in squares of one level that are no paper: those of a color
// that neither paper nor a seal has, those that are darker than paper, and of these
// the black ones.
func (f fine) solid(o Overview, free func(x, y int) bool) (colored, dark, black []bool) {
	levels := make([]float64, len(f.samples))
	for i, s := range f.samples {
		levels[i] = s.level
	}
	slices.Sort(levels)
	paper := percentile(levels, barePaper)
	colored, dark, black = make([]bool, len(f.samples)), make([]bool, len(f.samples)), make([]bool, len(f.samples))
	for y := range f.rows - solidSide + 1 {
		for x := range f.columns - solidSide + 1 {
			low, high := 255.0, 0.0
			var mean [3]float64
			for j := y; j < y+solidSide; j++ {
				for i := x; i < x+solidSide; i++ {
					s := f.samples[j*f.columns+i]
					low, high = min(low, s.level), max(high, s.level)
					for k := range mean {
						mean[k] += s.rgb[k] / (solidSide * solidSide)
					}
				}
			}
			if high-low > solidLevels || !free(x+solidSide/2, y+solidSide/2) {
				continue
			}
			at := f.at(x+solidSide/2, y+solidSide/2)
			h := o.hueAt(at, mean)
			is := dark
			switch {
			case math.Hypot(h[0], h[1]) > foreignHue && sealHue(h):
				continue
			case math.Hypot(h[0], h[1]) > foreignHue:
				is = colored
			case high > paper-solidDepth:
				continue
			}
			for j := y; j < y+solidSide; j++ {
				for i := x; i < x+solidSide; i++ {
					is[j*f.columns+i] = true
					black[j*f.columns+i] = black[j*f.columns+i] || high < blackShare*paper
				}
			}
		}
	}
	return colored, dark, black
}

// widest is the widest connected set of samples that can hide a character and is such
// a one by its bounds and count.
func (f fine) widest(is func(i int) bool, such func(box image.Rectangle, n int) bool) Spot {
	seen := make([]bool, len(f.samples))
	whole := image.Rect(0, 0, f.columns, f.rows)
	var worst Spot
	for y := range f.rows {
		for x := range f.columns {
			if seen[y*f.columns+x] || !is(y*f.columns+x) {
				continue
			}
			n, box := flood(seen, f.columns, whole, image.Pt(x, y), is)
			width := float64(box.Dx()) * f.side
			if float64(box.Dx()) < hidingWidth*finePerEm || float64(box.Dy()) < hidingHeight*finePerEm || width <= worst.Value || !such(box, n) {
				continue
			}
			x, y := float64(f.origin.X), float64(f.origin.Y)
			worst = Spot{width, upright(x+float64(box.Min.X)*f.side, y+float64(box.Min.Y)*f.side, x+float64(box.Max.X)*f.side, y+float64(box.Max.Y)*f.side)}
		}
	}
	return worst
}
