package quality

import (
	"image"
	"math"

	"github.com/heyan/heyan/ocr"
)

// Margin is the least distance of a line of text from the edge of the picture, in
// em of that line; text that runs over the edge has a negative one.
func Margin(lines []ocr.Quad, picture image.Rectangle) Spot {
	least := Spot{Value: math.Inf(1)}
	for _, q := range lines {
		low, high := q.Bounds()
		px := min(low.X, low.Y, float64(picture.Dx())-high.X, float64(picture.Dy())-high.Y)
		if em := px / max(q.Height()/boxHeight, 1); em < least.Value {
			least = Spot{em, q}
		}
	}
	return least
}
