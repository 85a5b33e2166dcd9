package quality

import (
	"image"
	"math"
	"slices"

	"github.com/heyan/heyan/ocr"
)

// A pixel of glare is white and as bright as the sensor gets, and brighter than
// the paper around it by a margin: white paper alone is neither (levels 0..255;
// saturation 0..1).
const (
	glareLevel      = 235.0
	glareMargin     = 20.0
	glareSaturation = 0.15
	glareLost       = 0.9 // of a piece of a line: no character leaves that much bare
	// clipped is the level that the sensor no longer exceeds, whitePaper that of
	// paper so near to it that a reflection does not stand out.
	clipped, whitePaper = 252.0, 247.0
	minBurnt            = 3 // cells: less is a gap in print
	// roundCells is how far round a reflection its paper is looked at.
	roundCells = 6
	// glareGrid is into how many cells a side the page is cut to find the level
	// of its paper; glarePaper is the percentile of the cells that is paper.
	glareGrid, glarePaper = 8, 0.4
)

// Glare is the largest share of a line that a reflection burns out, 0..1, and that
// line. A line is lost in pieces as long as it is high: bright paper between strokes
// that can be seen is no loss.
func Glare(picture *image.NRGBA, lines []ocr.Quad) Spot {
	limit := max(paperLevel(picture)+glareMargin, glareLevel)
	var worst Spot
	for _, q := range lines {
		pieces := max(int(q.Width()/max(q.Height(), 1)), 1)
		lost := 0
		for i := range pieces {
			if burnt(picture, q.Slice(float64(i)/float64(pieces), float64(i+1)/float64(pieces)), limit) >= glareLost {
				lost++
			}
		}
		if share := float64(lost) / float64(pieces); share > worst.Value {
			worst = Spot{share, q}
		}
	}
	return worst
}

// burnt is the share of a quad's upright bounds, 0..1, as light as limit and
// without color.
func burnt(picture *image.NRGBA, q ocr.Quad, limit float64) float64 {
	low, high := q.Bounds()
	box := image.Rect(int(low.X), int(low.Y), int(high.X), int(high.Y)).Intersect(picture.Rect)
	n := 0
	for y := box.Min.Y; y < box.Max.Y; y++ {
		row := picture.Pix[y*picture.Stride:]
		for x := box.Min.X; x < box.Max.X; x++ {
			r, g, b := float64(row[4*x]), float64(row[4*x+1]), float64(row[4*x+2])
			if v := max(r, g, b); v >= limit && v-min(r, g, b) <= glareSaturation*v {
				n++
			}
		}
	}
	return float64(n) / float64(max(box.Dx()*box.Dy(), 1))
}

// Burnt is the width in pixels of the largest reflection on the page, whatever it
// hides: bare, without color, and clipped by the sensor or lighter than half of the
// page by the margin of glare. White paper has none that can be told, and what is as
// light as what is round it is paper.
func (o Overview) Burnt() Spot {
	limit, burns := o.burningLevel()
	if !burns {
		return Spot{}
	}
	sheet := image.Rect(0, 0, o.columns, o.rows).Inset(int(math.Ceil(sheetInset * float64(min(o.columns, o.rows)))))
	n, bounds := o.largest(sheet, func(c cell) bool { return c.least >= limit && math.Hypot(c.hue[0], c.hue[1]) < foreignHue })
	if n < minBurnt || o.round(bounds) > limit-glareMargin/4 {
		return Spot{}
	}
	return Spot{float64(bounds.Dx()) * cellPx * o.scale, o.place(bounds)}
}

// round is the level of the paper round a part of the page.
func (o Overview) round(part image.Rectangle) float64 {
	var levels []float64
	around := part.Inset(-roundCells).Intersect(image.Rect(0, 0, o.columns, o.rows))
	for y := around.Min.Y; y < around.Max.Y; y++ {
		for x := around.Min.X; x < around.Max.X; x++ {
			if !image.Pt(x, y).In(part) {
				levels = append(levels, o.cells[y*o.columns+x].level)
			}
		}
	}
	if len(levels) == 0 {
		return clipped
	}
	slices.Sort(levels)
	return percentile(levels, 0.75)
}

// burningLevel is the level from which bare paper is burnt out; false where paper is
// so white that a reflection cannot be told.
func (o Overview) burningLevel() (float64, bool) {
	if len(o.cells) == 0 {
		return 0, false
	}
	all := make([]float64, len(o.cells))
	for i, c := range o.cells {
		all[i] = c.level
	}
	slices.Sort(all)
	paper := percentile(all, 0.5)
	return max(min(paper+glareMargin, clipped), glareLevel), paper <= whitePaper
}

// paperLevel is the level of the paper where no reflection lies: that of the
// cells of the page, each at its median of the largest of red, green and blue.
func paperLevel(picture *image.NRGBA) float64 {
	w, h := picture.Rect.Dx(), picture.Rect.Dy()
	var cells []float64
	for cy := range glareGrid {
		for cx := range glareGrid {
			counts := make(levels, 256)
			for y := cy * h / glareGrid; y < (cy+1)*h/glareGrid; y += inkStep {
				row := picture.Pix[y*picture.Stride:]
				for x := cx * w / glareGrid; x < (cx+1)*w/glareGrid; x += inkStep {
					counts[max(row[4*x], row[4*x+1], row[4*x+2])]++
				}
			}
			cells = append(cells, counts.percentile(0.5))
		}
	}
	if len(cells) == 0 {
		return 0
	}
	slices.Sort(cells)
	return percentile(cells, glarePaper)
}
