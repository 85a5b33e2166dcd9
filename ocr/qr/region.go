package qr

import (
	"cmp"
	"image"
	"math"
	"slices"
)

const (
	surveySide = 800 // px: long side of the picture in which regions are looked for
	maxRegions = 4

	// A code of a license covers 1/14 of the sheet's width, and a sheet can fill
	// half of the picture; the other way a picture can show little else.
	smallestShare = 1.0 / 24 // of the picture's long side
	largestShare  = 0.6      // of its short side
	growth        = 1.2      // from one size of window to the next
	smallestSide  = 16       // px of the survey: less cannot hold 21 modules

	cells     = 4   // a side of a window
	ringShare = 0.7 // how much texture in the quiet zone speaks against a code
	minScore  = 6   // levels a pixel: mean change less that of the quiet zone; codes that could be decoded had 8 to 48
	rivals    = 0.5 // of the best score: a region below is no second code
	overlap   = 0.3 // of the smaller of two windows: they are the same region
)

type region struct {
	box   image.Rectangle // px of the survey
	score float64
}

// regions are the squares of the picture that look most like a QR code, best
// first: dense changes both across and down in every part of the square, where
// text has gaps between its lines, and few in the quiet zone around it.
func regions(picture *image.NRGBA) []image.Rectangle {
	bounds := picture.Bounds()
	factor := max(1, (max(bounds.Dx(), bounds.Dy())+surveySide-1)/surveySide)
	g := luma(picture, factor)
	across, down := changes(g)
	var seen []region
	long, short := max(g.w, g.h), min(g.w, g.h)
	for side := max(smallestShare*float64(long), smallestSide); side < largestShare*float64(short); side *= growth {
		cell := int(side) / cells
		step := max(int(side)/8, 1)
		for y := 0; y+cells*cell <= g.h; y += step {
			for x := 0; x+cells*cell <= g.w; x += step {
				box := image.Rect(x, y, x+cells*cell, y+cells*cell)
				if s := score(across, down, box, cell); s > minScore {
					seen = append(seen, region{box, s})
				}
			}
		}
	}
	slices.SortFunc(seen, func(a, b region) int { return cmp.Compare(b.score, a.score) })
	var kept []image.Rectangle
	for _, r := range seen {
		if r.score < rivals*seen[0].score {
			break
		}
		if slices.ContainsFunc(kept, func(k image.Rectangle) bool {
			both := k.Intersect(r.box)
			smaller := min(area(k), area(r.box))
			return float64(area(both)) > overlap*float64(smaller)
		}) {
			continue
		}
		if kept = append(kept, r.box); len(kept) == maxRegions {
			break
		}
	}
	for i, k := range kept {
		kept[i] = image.Rect(k.Min.X*factor, k.Min.Y*factor, k.Max.X*factor, k.Max.Y*factor)
	}
	return kept
}

func area(r image.Rectangle) int { return r.Dx() * r.Dy() }

// score is the texture of the poorer cells of the box, in levels a pixel, less
// that of the ring around it.
func score(across, down integral, box image.Rectangle, cell int) float64 {
	// The poorest cell is passed over: a logo or a seal may lie there.
	poorest, second, third := math.Inf(1), math.Inf(1), math.Inf(1)
	for i := range cells * cells {
		c := image.Rect(0, 0, cell, cell).Add(box.Min).Add(image.Pt(i%cells*cell, i/cells*cell))
		switch t := min(across.sum(c), down.sum(c)); {
		case t < poorest:
			poorest, second, third = t, poorest, second
		case t < second:
			second, third = t, second
		case t < third:
			third = t
		}
	}
	inside := (second + third) / 2 / float64(cell*cell)
	around := box.Inset(-max(box.Dx()/8, 2)).Intersect(image.Rect(0, 0, across.w, across.h))
	ring := 0.0
	if n := area(around) - area(box); n > 0 {
		ring = (across.sum(around) + down.sum(around) - across.sum(box) - down.sum(box)) / 2 / float64(n)
	}
	return inside - ringShare*ring
}

// plane is a grey picture.
type plane struct {
	pix  []uint8
	w, h int
}

// luma is the picture in grey, averaged over factor by factor pixels.
func luma(picture *image.NRGBA, factor int) plane {
	g := plane{w: picture.Bounds().Dx() / factor, h: picture.Bounds().Dy() / factor}
	g.pix = make([]uint8, g.w*g.h)
	sums := make([]uint32, g.w)
	for y := range g.h {
		clear(sums)
		for j := range factor {
			row := picture.Pix[(y*factor+j)*picture.Stride:]
			for x := range sums {
				p := row[4*x*factor : 4*(x+1)*factor]
				for i := 0; i < len(p); i += 4 {
					sums[x] += 77*uint32(p[i]) + 150*uint32(p[i+1]) + 29*uint32(p[i+2])
				}
			}
		}
		for x, s := range sums {
			g.pix[y*g.w+x] = uint8(s / uint32(256*factor*factor))
		}
	}
	return g
}

// integral holds the sums over all rectangles from the corner.
type integral struct {
	sums []uint32
	w, h int
}

func (t integral) sum(r image.Rectangle) float64 {
	n := t.w + 1
	return float64(t.sums[r.Max.Y*n+r.Max.X] - t.sums[r.Min.Y*n+r.Max.X] - t.sums[r.Max.Y*n+r.Min.X] + t.sums[r.Min.Y*n+r.Min.X])
}

// changes are the absolute differences of each pixel to the next one across and down.
func changes(g plane) (across, down integral) {
	n := g.w + 1
	across = integral{make([]uint32, n*(g.h+1)), g.w, g.h}
	down = integral{make([]uint32, n*(g.h+1)), g.w, g.h}
	for y := range g.h {
		var a, d uint32
		for x := range g.w {
			if x+1 < g.w && y+1 < g.h {
				v := float64(g.pix[y*g.w+x])
				a += uint32(math.Abs(v - float64(g.pix[y*g.w+x+1])))
				d += uint32(math.Abs(v - float64(g.pix[(y+1)*g.w+x])))
			}
			across.sums[(y+1)*n+x+1] = across.sums[y*n+x+1] + a
			down.sums[(y+1)*n+x+1] = down.sums[y*n+x+1] + d
		}
	}
	return across, down
}
