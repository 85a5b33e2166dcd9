package page

import (
	"math"
	"slices"

	"github.com/heyan/heyan/ocr"
)

// What is found first may be the printed frame, or one of its lines: an emblem, a
// finger or a pen breaks the outline of the sheet. From there the outlines further
// out are looked for, side by side. Lengths are pixels of the reduced photo. The
// limits are from the 369 synthetic pages of eval-quality.
const (
	growSamples = 48
	growLeast   = 7   // px: another edge than the side itself
	growSheet   = 0.3 // of the quad's extent across the side: as wide are the margin and the frame together
	growFrame   = 0.15
	growTilt    = 0.08 // of the side, by which its ends may move apart
	// growSupport is the share of a side that must lie on an edge next to paper.
	growSupport = 0.6
	// growFar is how much a line at the far end of the reach counts beyond a near
	// one: less for a sheet, since another may lie beneath, and more for a frame,
	// which has several lines.
	growFar = 0.05
	// frameWidth is how wide a printed frame is, of the extent within it.
	frameWidth = 0.07
	// paleInk is how much darker than paper a printed frame is, of 255 levels; wood
	// and metal are darker.
	paleInk = 34
	// A printed frame is at least frameLeast of the sheet's extent from each of its
	// sides, at the widest frameUneven times as far as at the narrowest; its outline is
	// unbroken to frameSupport, its worst side to frameSideSupport.
	frameLeast, frameUneven        = 0.035, 3.0
	frameSupport, frameSideSupport = 0.9, 0.8
)

// grown is the outline of the sheet round a quad that may be its printed frame, or
// else the frame round one of its lines; the quad itself where there is none. A side
// at which the sheet ends stays: a thumb may hide but one.
func (s *search) grown(q ocr.Quad) ocr.Quad {
	var moves [4]bool
	moving := 0
	for i := range q {
		switch side := sideOf(q, i); {
		case side.sampled(s.paleOutside) >= growSupport:
			moves[i] = true
			moving++
		case side.sampled(s.sheetEdge) < growSupport:
			return q
		}
	}
	if moving == 0 {
		return q
	}
	if sheet, ok := s.outline(q, moves, growSheet, -growFar, s.sheetEdge); ok {
		return sheet
	}
	if moving < 4 {
		return q
	}
	if frame, ok := s.outline(q, moves, growFrame, growFar, s.frameEdge); ok {
		return frame
	}
	return q
}

// framed says that a printed frame is in a quad: it is the sheet then.
func (s *search) framed(q ocr.Quad, candidates []ocr.Quad) bool {
	return slices.ContainsFunc(candidates, func(c ocr.Quad) bool {
		least, most := gaps(q, c)
		if least < frameLeast || most > math.Min(growSheet, frameUneven*least) {
			return false
		}
		support, worst := s.support(c)
		return support > frameSupport && worst > frameSideSupport
	})
}

// gaps are the least and the greatest distance of a corner of inner from the two sides
// of a quad that meet at its own, in shares of the quad's extent across the side.
func gaps(q, inner ocr.Quad) (least, most float64) {
	least = 1
	for i, p := range inner {
		beforeIt := (i + 3) % 4
		for _, side := range []int{i, beforeIt} {
			extent := q.Height()
			if side%2 == 1 {
				extent = q.Width()
			}
			gap := offside(p, q[side], q[(side+1)%4]) / extent
			least, most = math.Min(least, gap), math.Max(most, gap)
		}
	}
	return least, most
}

// beside is a place so many pixels outwards, along the unit vector n.
func beside(p, n ocr.Point, px float64) ocr.Point {
	return ocr.Point{X: p.X + px*n.X, Y: p.Y + px*n.Y}
}

// sheetEdge says that paper ends at a place, going outwards, and does not go on
// beyond what may be a printed frame.
func (s *search) sheetEdge(p, n ocr.Point, across float64) bool {
	return s.edge(p) && s.isPaper(beside(p, n, -bandDepthPx)) && s.isPaper(beside(p, n, -2*bandDepthPx)) &&
		!s.isPaper(beside(p, n, frameWidth*across))
}

// frameEdge says that a printed frame ends at a place: beyond is paper, and what is
// printed is pale.
func (s *search) frameEdge(p, n ocr.Point, _ float64) bool {
	if !s.edge(p) || !s.isPaper(beside(p, n, bandDepthPx)) || !s.isPaper(beside(p, n, 2*bandDepthPx)) {
		return false
	}
	return s.isPale(beside(p, n, -bandDepthPx))
}

// isPale says that a place is little darker than paper.
func (s *search) isPale(p ocr.Point) bool {
	c, ok := s.color(p)
	return ok && len(s.paper) > 0 && s.paperAt(p)[0]-c[0] < paleInk
}

// paleOutside says that there is paper or pale print outside of a place: it is hardly
// the edge of a sheet.
func (s *search) paleOutside(p, n ocr.Point, _ float64) bool {
	return s.isPale(beside(p, n, bandDepthPx))
}

// side is one of a quad's: from a to b, with the unit vector outwards, its length and
// the quad's extent across it.
type side struct {
	a, b, n        ocr.Point
	length, across float64
}

func sideOf(q ocr.Quad, i int) side {
	a, b := q[i], q[(i+1)%4]
	length := math.Max(dist(a, b), 1)
	return side{a, b, ocr.Point{X: (b.Y - a.Y) / length, Y: -(b.X - a.X) / length}, length,
		math.Min(dist(a, q[(i+3)%4]), dist(b, q[(i+2)%4]))}
}

// at is the place of sample k of growSamples.
func (e side) at(k int) ocr.Point {
	f := (float64(k) + 0.5) / growSamples
	return ocr.Point{X: e.a.X + (e.b.X-e.a.X)*f, Y: e.a.Y + (e.b.Y-e.a.Y)*f}
}

// placeTest says something of a place on a side of which n points outwards; across is
// the quad's extent from there.
type placeTest func(p, n ocr.Point, across float64) bool

// sampled is the share of a side of which something is true.
func (e side) sampled(is placeTest) float64 {
	hits := 0
	for k := range growSamples {
		if is(e.at(k), e.n, e.across) {
			hits++
		}
	}
	return float64(hits) / growSamples
}

// outline moves the sides that may move outwards, by up to reach, to the line with the
// most ends of something under it; false unless there is one for each and they make a
// sheet.
func (s *search) outline(q ocr.Quad, moves [4]bool, reach, far float64, ends placeTest) (ocr.Quad, bool) {
	var sides [4]line
	for i := range q {
		sides[i] = line{q[i], q[(i+1)%4]}
		if !moves[i] {
			continue
		}
		moved, ok := sideOf(q, i).outer(reach, far, ends)
		if !ok {
			return q, false
		}
		sides[i] = moved
	}
	out := q
	for i := range q {
		corner, ok := sides[(i+3)%4].meet(sides[i])
		if !ok {
			return q, false
		}
		out[i] = corner
	}
	return out, s.score(out) > 0
}

func (e side) outer(reach, far float64, ends placeTest) (line, bool) {
	offsets := int(reach * e.across)
	if e.length < growSamples || offsets <= growLeast {
		return line{}, false
	}
	hits := make([][growSamples]bool, offsets+1)
	for d := range hits {
		for k := range growSamples {
			hits[d][k] = ends(beside(e.at(k), e.n, float64(d)), e.n, e.across)
		}
	}
	tilt := int(growTilt * e.length)
	best, from, to := 0.0, 0, 0
	for i := growLeast; i <= offsets; i++ {
		for j := max(growLeast, i-tilt); j <= min(offsets, i+tilt); j++ {
			under := 0
			for k := range growSamples {
				if hits[i+((j-i)*(2*k+1))/(2*growSamples)][k] {
					under++
				}
			}
			share := float64(under) / growSamples
			if score := share + far*float64(i+j)/float64(2*offsets); share >= growSupport && score > best {
				best, from, to = score, i, j
			}
		}
	}
	return line{beside(e.a, e.n, float64(from)), beside(e.b, e.n, float64(to))}, best > 0
}
