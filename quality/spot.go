package quality

import (
	"github.com/heyan/heyan/ocr"
)

// Spot is a measure of a picture with its worst place.
type Spot struct {
	Value float64
	Place ocr.Quad // zero when there is no such place
}

// Around is the upright box round quads, of which there is at least one.
func Around(quads []ocr.Quad) ocr.Quad {
	low, high := quads[0].Bounds()
	for _, q := range quads[1:] {
		l, h := q.Bounds()
		low.X, low.Y, high.X, high.Y = min(low.X, l.X), min(low.Y, l.Y), max(high.X, h.X), max(high.Y, h.Y)
	}
	return upright(low.X, low.Y, high.X, high.Y)
}

func upright(x0, y0, x1, y1 float64) ocr.Quad {
	return ocr.Quad{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
}

// Inside tells whether a point lies in a convex quad.
func Inside(q ocr.Quad, p ocr.Point) bool {
	left, right := false, false
	for i, a := range q {
		b := q[(i+1)%4]
		side := (b.X-a.X)*(p.Y-a.Y) - (b.Y-a.Y)*(p.X-a.X)
		left, right = left || side < 0, right || side > 0
	}
	return !left || !right
}
