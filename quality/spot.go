package quality

import (
	"github.com/heyan/heyan/ocr"
)

// Spot is a measure of a picture with its worst place.
type Spot struct {
	Value float64
	Place ocr.Quad // zero when there is no such place
}

func upright(x0, y0, x1, y1 float64) ocr.Quad {
	return ocr.Quad{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
}
