package page

import (
	"math"

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
	paleInk     = 34
	frameLeast  = 0.035
	frameUneven = 3.0
)

// grown is the outline of the sheet round a quad that may be its printed frame, or
// else the frame round one of its lines; the quad itself where there is none.
func (s *search) grown(q ocr.Quad) ocr.Quad {
	var moves [4]bool
	moving := 0
	for i := range q {
		switch {
		case s.sampled(q, i, s.paleOutside) >= growSupport:
			moves[i] = true
			moving++
		case s.sampled(q, i, s.sheetEdge) < growSupport:
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

// framed says that a printed frame is in a quad, at some distance from each side: it
// is the sheet then.
func (s *search) framed(q ocr.Quad, candidates []ocr.Quad) bool {
	w, h := q.Width(), q.Height()
	for _, c := range candidates {
		least, most := 1.0, 0.0
		for i, p := range c {
			for k := range 2 { // the two sides that end at the corner
				j := (i + 4 - k) % 4
				extent := h
				if j%2 == 1 {
					extent = w
				}
				in := offside(p, q[j], q[(j+1)%4]) / extent
				least, most = math.Min(least, in), math.Max(most, in)
			}
		}
		if least > frameLeast && most < growSheet && most < frameUneven*least {
			if support, worst := s.support(c); support > 0.9 && worst > 0.8 {
				return true
			}
		}
	}
	return false
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

// sampled is the share of a side of which something is true.
func (s *search) sampled(q ocr.Quad, i int, is func(p, n ocr.Point, across float64) bool) float64 {
	a, b := q[i], q[(i+1)%4]
	across := math.Min(dist(a, q[(i+3)%4]), dist(b, q[(i+2)%4]))
	length := math.Max(dist(a, b), 1)
	n := ocr.Point{X: (b.Y - a.Y) / length, Y: -(b.X - a.X) / length} // outwards of a clockwise quad
	hits := 0
	for k := range growSamples {
		f := (float64(k) + 0.5) / growSamples
		if is(ocr.Point{X: a.X + (b.X-a.X)*f, Y: a.Y + (b.Y-a.Y)*f}, n, across) {
			hits++
		}
	}
	return float64(hits) / growSamples
}

// outline moves each side outwards, by up to reach, to the line with the most ends
// of something under it; false unless there is one for each side and they make a
// sheet.
func (s *search) outline(q ocr.Quad, moves [4]bool, reach, far float64, ends func(p, n ocr.Point, across float64) bool) (ocr.Quad, bool) {
	var sides [4]line
	for i := range q {
		sides[i] = line{q[i], q[(i+1)%4]}
		if !moves[i] {
			continue
		}
		side, ok := s.outer(q, i, reach, far, ends)
		if !ok {
			return q, false
		}
		sides[i] = side
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

func (s *search) outer(q ocr.Quad, i int, reach, far float64, ends func(p, n ocr.Point, across float64) bool) (line, bool) {
	a, b := q[i], q[(i+1)%4]
	length := dist(a, b)
	across := math.Min(dist(a, q[(i+3)%4]), dist(b, q[(i+2)%4]))
	offsets := int(reach * across)
	if length < growSamples || offsets <= growLeast {
		return line{}, false
	}
	n := ocr.Point{X: (b.Y - a.Y) / length, Y: -(b.X - a.X) / length} // outwards of a clockwise quad
	hits := make([][growSamples]bool, offsets+1)
	for d := range hits {
		for k := range growSamples {
			f := (float64(k) + 0.5) / growSamples
			hits[d][k] = ends(beside(ocr.Point{X: a.X + (b.X-a.X)*f, Y: a.Y + (b.Y-a.Y)*f}, n, float64(d)), n, across)
		}
	}
	tilt := int(growTilt * length)
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
	return line{beside(a, n, float64(from)), beside(b, n, float64(to))}, best > 0
}
