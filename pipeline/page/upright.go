package page

import (
	"cmp"
	"context"
	"image"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/heyan/heyan/ocr"
)

const (
	// probeLines is how many of the longest lines are read to tell up from
	// down, moreProbes how many where those leave it open, and probeEm how much
	// of each, in its heights.
	probeLines, moreProbes, probeEm = 6, 16, 8
	// sureConfidence is the mean confidence of the probes from which the page
	// is taken as upright without looking at it the other way round.
	sureConfidence = 0.9
	// guessed is the confidence up to which a probe may be no text at all: what is
	// read upside down, or out of the stripes of a display, stays below.
	guessed = 0.5
	// tallRatio is the height over width of a line from which it is sideways, and
	// width over height from which it is not; what is between tells neither.
	tallRatio = 1.5
)

// Upright turns the page so that its text reads from left to right. Lines are
// the page's; they are returned as they lie on the turned page.
func (p Page) Upright(ctx context.Context, reader ocr.Recogniser, lines []ocr.Quad) (Page, []ocr.Quad, error) {
	choices := quarters(p.on(lines))
	best, bestLines, err := p.Turn(choices[0], lines)
	if err != nil {
		return Page{}, nil, err
	}
	read, err := best.probe(ctx, reader, bestLines, probeLines)
	if err != nil || len(read) == 0 || confidence(read) >= sureConfidence {
		return best, bestLines, err
	}
	most := -1.0
	for _, quarters := range choices {
		page, turned, err := p.Turn(quarters, lines)
		if err != nil {
			return Page{}, nil, err
		}
		read, err := page.probe(ctx, reader, turned, moreProbes)
		if err != nil {
			return Page{}, nil, err
		}
		if got := evidence(read); got > most {
			best, bestLines, most = page, turned, got
		}
	}
	return best, bestLines, nil
}

// on are the lines that lie on the page; others lay beside it on the photo.
func (p Page) on(lines []ocr.Quad) []ocr.Quad {
	return slices.DeleteFunc(slices.Clone(lines), func(q ocr.Quad) bool {
		center := q.Center()
		return !image.Pt(int(math.Floor(center.X)), int(math.Floor(center.Y))).In(p.Image.Rect)
	})
}

// quarters are the turns that may make lines run from left to right, the likelier
// first: a half turn is always one more, and where less than half of the text, by
// length, is long enough to tell, any.
func quarters(lines []ocr.Quad) []int {
	wide, tall, all := 0.0, 0.0, 0.0
	for _, q := range lines {
		w, h := q.Width(), q.Height()
		all += math.Max(w, h)
		switch {
		case h > tallRatio*w:
			tall += h
		case w > tallRatio*h:
			wide += w
		}
	}
	switch {
	case tall > all/2:
		return []int{1, 3}
	case wide > all/2:
		return []int{0, 2}
	default:
		return []int{0, 2, 1, 3}
	}
}

// probe reads the beginnings of the longest lines on the page.
func (p Page) probe(ctx context.Context, reader ocr.Recogniser, lines []ocr.Quad, count int) ([]ocr.Line, error) {
	longest := p.on(lines)
	slices.SortFunc(longest, func(a, b ocr.Quad) int { return cmp.Compare(b.Width(), a.Width()) })
	longest = longest[:min(len(longest), count)]
	for i, q := range longest {
		longest[i] = q.Slice(0, math.Min(1, probeEm*q.Height()/math.Max(q.Width(), 1)))
	}
	return reader.Recognise(ctx, p.Image, longest)
}

// confidence is the mean of the lines'.
func confidence(read []ocr.Line) float64 {
	sum := 0.0
	for _, line := range read {
		sum += line.Confidence
	}
	return sum / float64(len(read))
}

// evidence is how many characters were read, each for as much as it is more than
// guessed. Unlike the mean, it is not spoiled by what is no text.
func evidence(read []ocr.Line) float64 {
	sum := 0.0
	for _, line := range read {
		sum += math.Max(line.Confidence-guessed, 0) * float64(min(utf8.RuneCountInString(line.Text), probeEm))
	}
	return sum
}

// tilt is the median angle of the long lines against the nearer axis, in
// radians, clockwise; 0 with too few lines to tell.
func tilt(lines []ocr.Quad) float64 {
	var angles []float64
	for _, q := range lines {
		dx, dy := q[1].X-q[0].X, q[1].Y-q[0].Y
		if q.Height() > tallRatio*q.Width() {
			dx, dy = q[3].Y-q[0].Y, q[0].X-q[3].X
		} else if q.Width() < 4*q.Height() {
			continue
		}
		angles = append(angles, math.Atan2(dy, dx))
	}
	if len(angles) < 4 {
		return 0
	}
	slices.Sort(angles)
	return angles[len(angles)/2]
}

// level is the rectangle, turned by angle, that holds the whole photo.
func level(bounds image.Rectangle, angle float64) ocr.Quad {
	w, h := float64(bounds.Dx()), float64(bounds.Dy())
	sin, cos := math.Sincos(angle)
	hw := (w*math.Abs(cos) + h*math.Abs(sin)) / 2
	hh := (w*math.Abs(sin) + h*math.Abs(cos)) / 2
	at := func(x, y float64) ocr.Point { return ocr.Point{X: w/2 + x*cos - y*sin, Y: h/2 + x*sin + y*cos} }
	return ocr.Quad{at(-hw, -hh), at(hw, -hh), at(hw, hh), at(-hw, hh)}
}
