package page

import (
	"math"

	"github.com/heyan/heyan/ocr"
)

// textShares are shares of the text, by area, as a quad and its margin part it: what
// begins and ends inside and runs along its sides; what is inside and runs in a
// direction between theirs, but not that of its place; what else is inside, on other
// papers; what only begins or ends well inside, or only near a side; and what runs
// along its sides outside, on paper of the hue of its own.
type textShares struct{ own, askew, foreign, cut, astride, beyond float64 }

// inside is the share of all text inside.
func (t textShares) inside() float64 { return t.own + t.askew + t.foreign }

// ofSheet says that a quad which parts the text so may be the sheet.
func (t textShares) ofSheet() bool {
	return t.own >= minTextBesidePapers && t.askew <= maxTextAskew*t.own && t.cut <= maxTextCut*t.inside() &&
		(t.inside() >= minTextInside || t.beyond <= maxTextBeyond*(1-t.inside()))
}

// fit is, -1..1, how much of the text that may be its own a quad holds, less how much
// of what it holds is not.
func (t textShares) fit() float64 {
	return t.own/(t.own+t.cut+t.astride+t.beyond) - (t.askew+t.foreign)/t.inside()
}

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
