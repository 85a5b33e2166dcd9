package page

import (
	"cmp"
	"context"
	"image"
	"math"
	"slices"

	"github.com/heyan/heyan/ocr"
)

const (
	// probeLines is how many of the longest lines are read to tell up from
	// down, and probeEm how much of each, in its heights.
	probeLines, probeEm = 6, 8
	// sureConfidence is the mean confidence of the probes from which the page
	// is taken as upright without looking at it the other way round.
	sureConfidence = 0.9
	// tallRatio is the height over width of a line from which it is sideways.
	tallRatio = 1.5
)

// Upright turns the page so that its text reads from left to right. Lines are
// the page's; they are returned as they lie on the turned page.
func (p Page) Upright(ctx context.Context, reader ocr.Recogniser, lines []ocr.Quad) (Page, []ocr.Quad, error) {
	quarters := 0
	if sideways(lines) {
		quarters = 1
	}
	page, turned, err := p.Turn(quarters, lines)
	if err != nil {
		return Page{}, nil, err
	}
	here, err := legibility(ctx, reader, page.Image, turned)
	if err != nil || here >= sureConfidence || len(lines) == 0 {
		return page, turned, err
	}
	over, upended, err := page.Turn(2, turned)
	if err != nil {
		return Page{}, nil, err
	}
	there, err := legibility(ctx, reader, over.Image, upended)
	if err != nil {
		return Page{}, nil, err
	}
	if there > here {
		return over, upended, nil
	}
	return page, turned, nil
}

// sideways tells whether most of the text, by length, runs up or down.
func sideways(lines []ocr.Quad) bool {
	tall, all := 0.0, 0.0
	for _, q := range lines {
		w, h := q.Width(), q.Height()
		all += math.Max(w, h)
		if h > tallRatio*w {
			tall += h
		}
	}
	return tall > all/2
}

// legibility is the mean confidence of the longest lines.
func legibility(ctx context.Context, reader ocr.Recogniser, picture *image.NRGBA, lines []ocr.Quad) (float64, error) {
	longest := slices.Clone(lines)
	slices.SortFunc(longest, func(a, b ocr.Quad) int { return cmp.Compare(b.Width(), a.Width()) })
	longest = longest[:min(len(longest), probeLines)]
	for i, q := range longest {
		longest[i] = q.Slice(0, math.Min(1, probeEm*q.Height()/math.Max(q.Width(), 1)))
	}
	read, err := reader.Recognise(ctx, picture, longest)
	if err != nil || len(read) == 0 {
		return 0, err
	}
	sum := 0.0
	for _, line := range read {
		sum += line.Confidence
	}
	return sum / float64(len(read)), nil
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
