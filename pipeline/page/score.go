package page

import (
	"math"

	"github.com/heyan/heyan/ocr"
)

// score tells how much a quad looks like the sheet: 0 when it cannot be.
func (s *search) score(q ocr.Quad) float64 {
	share := area(q) / float64(s.w*s.h)
	if share < minAreaShare || share > maxAreaShare {
		return 0
	}
	ratio := func(a, b float64) float64 { return math.Min(a, b) / math.Max(math.Max(a, b), 1) }
	opposite := math.Min(ratio(dist(q[0], q[1]), dist(q[3], q[2])), ratio(dist(q[0], q[3]), dist(q[1], q[2])))
	aspect := 1 / ratio(q.Width(), q.Height())
	open := s.openSides(q)
	if opposite < minSidesRatio || open > maxOpenSides || open > 0 && share > maxOpenShare || open == 0 && aspect > maxAspect {
		return 0
	}
	text := s.textShares(q)
	if !text.ofSheet() {
		return 0
	}
	support, worst := s.support(q)
	if support < minSupport || worst < minSideSupport || open > 0 && support < minOpenSupport {
		return 0
	}
	lost := besideOpen
	if open == 0 {
		lost = 0.5 * math.Abs(math.Log(aspect/idealAspect))
	}
	return math.Max(support+0.5*worst+text.fit()+0.5*opposite+0.1*share+s.paperInside(q)-lost, 0)
}

// open says that a side is the photo's own: the sheet goes on beyond it.
func open(a, b ocr.Point, w, h, reach float64) bool {
	return max(a.X, b.X) < reach || max(a.Y, b.Y) < reach || min(a.X, b.X) > w-reach || min(a.Y, b.Y) > h-reach
}

// openSides counts the sides that are the photo's own.
func (s *search) openSides(q ocr.Quad) int {
	n := 0
	for i := range q {
		if open(q[i], q[(i+1)%4], float64(s.w), float64(s.h), openReachPx) {
			n++
		}
	}
	return n
}

// support is the share on edges of the outline that is not the photo's own, and that
// of its worst side.
func (s *search) support(q ocr.Quad) (mean, worst float64) {
	worst = 1
	sides := 0.0
	for i := range 4 {
		a, b := q[i], q[(i+1)%4]
		if open(a, b, float64(s.w), float64(s.h), openReachPx) {
			continue
		}
		sides++
		n := max(int(dist(a, b)), 1)
		hits := 0
		for k := range n {
			f := (float64(k) + 0.5) / float64(n)
			if s.edge(ocr.Point{X: a.X + (b.X-a.X)*f, Y: a.Y + (b.Y-a.Y)*f}) {
				hits++
			}
		}
		side := float64(hits) / float64(n)
		mean += side
		worst = math.Min(worst, side)
	}
	return mean / math.Max(sides, 1), worst
}

// paperInside is the share of a band along the quad's sides, just inside, that has
// the color of the paper round the nearest text: a frame or folder has not.
func (s *search) paperInside(q ocr.Quad) float64 {
	center := q.Center()
	hits, all := 0, 0
	for i := range 4 {
		a, b := q[i], q[(i+1)%4]
		for k := range bandSamples {
			f := (float64(k) + 0.5) / bandSamples
			p := ocr.Point{X: a.X + (b.X-a.X)*f, Y: a.Y + (b.Y-a.Y)*f}
			d := bandDepthPx / math.Max(dist(p, center), 1)
			p = ocr.Point{X: p.X + (center.X-p.X)*d, Y: p.Y + (center.Y-p.Y)*d}
			if p.X < 0 || p.Y < 0 || p.X >= float64(s.w) || p.Y >= float64(s.h) {
				continue
			}
			all++
			if s.isPaper(p) {
				hits++
			}
		}
	}
	return float64(hits) / float64(max(all, 1))
}

// isPaper says that a place has the color of the paper round the nearest text.
func (s *search) isPaper(p ocr.Point) bool {
	c, ok := s.color(p)
	if !ok || len(s.paper) == 0 {
		return false
	}
	near := s.paperAt(p)
	return math.Abs(c[0]-near[0]) < paperLight && hueApart(c, near) < paperHue
}

// hueApart is how far two colors are apart but for their lightness, which shadow and
// folds change.
func hueApart(a, b [3]float64) float64 { return math.Hypot(a[1]-b[1], a[2]-b[2]) }

// edge says that there is an edge at a place, in any channel. Those of the photo
// itself are no evidence.
func (s *search) edge(p ocr.Point) bool {
	x, y := int(p.X), int(p.Y)
	return x >= 2 && y >= 2 && x < s.w-2 && y < s.h-2 && s.edges.GetUCharAt(y, x) > 0
}

// sheetColor is the color of paper at a place.
type sheetColor struct {
	at    ocr.Point
	color [3]float64
}

// paperAt is the color of the paper round the text nearest to a place.
func (s *search) paperAt(p ocr.Point) [3]float64 {
	best := s.paper[0]
	for _, c := range s.paper {
		if dist(c.at, p) < dist(best.at, p) {
			best = c
		}
	}
	return best.color
}

// color is lightness and the two color axes, 0..255, of a pixel.
func (s *search) color(p ocr.Point) (c [3]float64, ok bool) {
	x, y := int(p.X), int(p.Y)
	if x < 0 || y < 0 || x >= s.w || y >= s.h {
		return c, false
	}
	for k := range c {
		c[k] = float64(s.lab[k].GetUCharAt(y, x))
	}
	return c, true
}

// findPaper takes the lightest color round each line of text for its paper.
func (s *search) findPaper() {
	for _, line := range s.text {
		center := line.Center()
		best := sheetColor{at: center}
		for _, side := range [][2]ocr.Point{{line[0], line[1]}, {line[3], line[2]}} {
			for k := range 5 {
				f := (float64(k) + 0.5) / 5
				p := ocr.Point{X: side[0].X + (side[1].X-side[0].X)*f, Y: side[0].Y + (side[1].Y-side[0].Y)*f}
				if c, ok := s.color(p); ok && c[0] > best.color[0] {
					best.color = c
				}
			}
		}
		s.paper = append(s.paper, best)
	}
}

func middle(a, b ocr.Point) ocr.Point { return ocr.Point{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2} }

// area is a quad's by the shoelace formula.
func area(q ocr.Quad) float64 {
	sum := 0.0
	for i := range 4 {
		a, b := q[i], q[(i+1)%4]
		sum += a.X*b.Y - b.X*a.Y
	}
	return math.Abs(sum) / 2
}
