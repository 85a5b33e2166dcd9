package quality

import (
	"image"
	"math"
	"slices"

	"github.com/heyan/heyan/ocr"
)

// The limits of what is paper: print, frames and covers are not.
const (
	// foreignHue is the distance of a cell's paper from the page's, in CIELAB
	// units of a* and b*, from which it is another thing.
	foreignHue = 14.0
	// foreignDark is the level, relative to the page's paper, below which no
	// shadow reaches: shadows in a lit room keep a third.
	foreignDark = 0.22
	// shaded is the level relative to the lightest paper below which a cell is in
	// the shade, for showing it.
	shaded = 0.6
)

// foreign says that a cell has no paper, nor a seal on it.
func (o Overview) foreign(c cell) bool {
	colored := math.Hypot(c.hue[0], c.hue[1]) > foreignHue && !sealHue(c.hue)
	return colored || c.level < foreignDark*o.tone.Paper
}

// Covered is the share of an area of text, 0..1, that the largest thing hides
// which is neither paper, print nor seal: a finger, a clip, a sheet of another
// color.
func (o Overview) Covered(area []ocr.Quad) Spot {
	cells := o.bounds(area)
	if cells.Empty() {
		return Spot{}
	}
	n, bounds := o.largest(cells, o.foreign)
	if n == 0 {
		return Spot{}
	}
	return Spot{float64(n) / float64(cells.Dx()*cells.Dy()), o.place(bounds)}
}

// Shade is the light on the darkest paper of an area relative to the lightest,
// P5 to P95 of its cells, 0..1.
func (o Overview) Shade(area []ocr.Quad) Spot {
	cells := o.bounds(area)
	var levels []float64
	for y := cells.Min.Y; y < cells.Max.Y; y++ {
		for _, c := range o.cells[y*o.columns+cells.Min.X : y*o.columns+cells.Max.X] {
			if !o.foreign(c) {
				levels = append(levels, c.level)
			}
		}
	}
	if len(levels) == 0 {
		return Spot{Value: 1}
	}
	slices.Sort(levels)
	light := percentile(levels, 0.95)
	s := Spot{Value: percentile(levels, 0.05) / max(light, 1)}
	if n, bounds := o.largest(cells, func(c cell) bool { return !o.foreign(c) && c.level < shaded*light }); n > 0 {
		s.Place = o.place(bounds)
	}
	return s
}

// bounds are the cells of the upright box round quads.
func (o Overview) bounds(area []ocr.Quad) image.Rectangle {
	if len(area) == 0 || len(o.cells) == 0 {
		return image.Rectangle{}
	}
	box := ocr.Around(area)
	return o.within(box[0], box[2])
}
