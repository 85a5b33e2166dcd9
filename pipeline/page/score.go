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
	if opposite < minSidesRatio {
		return 0
	}
	open := s.openSides(q)
	aspect := 1 / ratio(q.Width(), q.Height())
	if open > maxOpenSides || open == 0 && (aspect < minAspect || aspect > maxAspect) {
		return 0
	}
	text := s.textShares(q)
	inside := text.own + text.askew + text.foreign
	if text.own < minTextBesidePapers || text.askew > maxTextAskew*text.own || text.cut > maxTextCut*inside || inside < minTextInside && text.beyond > maxTextBeyond*(1-inside) {
		return 0
	}
	support, worst := s.support(q)
	if support < minSupport || worst < minSideSupport || open > 0 && (support < minOpenSupport || share > maxOpenShare) {
		return 0
	}
	score := support + 0.5*worst + text.own/(text.own+text.cut+text.astride+text.beyond) - (text.askew+text.foreign)/inside + 0.5*opposite + 0.1*share + s.paperInside(q)
	if open > 0 {
		score -= besideOpen
	} else {
		score -= 0.5 * math.Abs(math.Log(aspect/idealAspect))
	}
	return math.Max(score, 0)
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

// textShares are shares of the text, by area, as a quad and its margin part it: what
// begins and ends inside and runs along its sides; what is inside and runs in a
// direction between theirs, but not that of its place; what else is inside, on other
// papers; what only begins or ends well inside, or only near a side; and what runs
// along its sides outside, on paper of the hue of its own.
type textShares struct{ own, askew, foreign, cut, astride, beyond float64 }

func (s *search) textShares(q ocr.Quad) textShares {
	if len(s.text) == 0 {
		return textShares{own: 1}
	}
	center := q.Center()
	outer, inner := q, q
	for i, p := range q {
		d := ocr.Point{X: (p.X - center.X) * 2 * margin, Y: (p.Y - center.Y) * 2 * margin}
		outer[i], inner[i] = ocr.Point{X: p.X + d.X, Y: p.Y + d.Y}, ocr.Point{X: p.X - d.X, Y: p.Y - d.Y}
	}
	var shares textShares
	all := 0.0
	var paper [3]float64 // of what is its own, summed
	var outside []int
	for i, line := range s.text {
		size := line.Width() * line.Height()
		all += size
		from, to := middle(line[0], line[3]), middle(line[1], line[2])
		begins, ends := outer.Contains(from), outer.Contains(to)
		switch {
		case begins && ends && runsAlong(line, q):
			shares.own += size
			for k, v := range s.paper[i].color {
				paper[k] += v * size
			}
		case begins && ends && mayRunAlong(line, q):
			shares.askew += size
		case begins && ends:
			shares.foreign += size
		case inner.Contains(from) || inner.Contains(to):
			shares.cut += size
		case !mayRunAlong(line, q):
		case begins || ends:
			shares.astride += size
		default:
			outside = append(outside, i)
		}
	}
	for k := range paper {
		paper[k] /= math.Max(shares.own, 1)
	}
	for _, i := range outside {
		if hueApart(s.paper[i].color, paper) < paperHue {
			shares.beyond += s.text[i].Width() * s.text[i].Height()
		}
	}
	return textShares{shares.own / all, shares.askew / all, shares.foreign / all, shares.cut / all, shares.astride / all, shares.beyond / all}
}

// runsAlong says that a line runs along the sides of a quad, as they lie at its place.
func runsAlong(line, q ocr.Quad) bool {
	center, angle := line.Center(), course(line)
	for _, turned := range []ocr.Quad{q, {q[1], q[2], q[3], q[0]}} {
		a, b := offside(center, turned[0], turned[1]), offside(center, turned[2], turned[3])
		t := a / math.Max(a+b, 1)
		from := ocr.Point{X: turned[0].X + t*(turned[3].X-turned[0].X), Y: turned[0].Y + t*(turned[3].Y-turned[0].Y)}
		to := ocr.Point{X: turned[1].X + t*(turned[2].X-turned[1].X), Y: turned[1].Y + t*(turned[2].Y-turned[1].Y)}
		if apart(angle, direction(from, to)) < alignedDegrees {
			return true
		}
	}
	return false
}

// mayRunAlong says that a line outside of a quad may be on the same sheet: it runs in
// a direction between those of two opposite sides, one of which may be no side of it.
func mayRunAlong(line, q ocr.Quad) bool {
	angle := course(line)
	for _, sides := range [][2]float64{{direction(q[0], q[1]), direction(q[3], q[2])}, {direction(q[1], q[2]), direction(q[0], q[3])}} {
		if apart(angle, sides[0])+apart(angle, sides[1]) < apart(sides[0], sides[1])+2*alignedDegrees {
			return true
		}
	}
	return false
}

// course is the direction in which a line of text runs, in degrees.
func course(line ocr.Quad) float64 {
	if line.Height() > line.Width() {
		return direction(line[0], line[3])
	}
	return direction(line[0], line[1])
}

// apart is the angle between two lines, 0..90 degrees.
func apart(a, b float64) float64 { return math.Abs(math.Remainder(a-b, 180)) }

// offside is how far p lies right of the way from a to b.
func offside(p, a, b ocr.Point) float64 {
	return ((b.X-a.X)*(p.Y-a.Y) - (b.Y-a.Y)*(p.X-a.X)) / math.Max(dist(a, b), 1)
}

// direction is the angle from a to b in degrees.
func direction(a, b ocr.Point) float64 { return math.Atan2(b.Y-a.Y, b.X-a.X) * 180 / math.Pi }

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
