package quality

import (
	"cmp"
	"image"
	"math"
	"slices"

	"github.com/heyan/heyan/ocr"
)

const (
	// cellPx is the side of a cell of an overview: one to two em of a license
	// that fills its page, so that each cell of print holds bare paper too.
	cellPx = 8
	// barePaper is the percentile of a cell's pixels, by level, that is its paper.
	barePaper = 0.8
)

// Overview is a page reduced to a long side of at most 400 pixels, of which
// whole-page measures are taken.
type Overview struct {
	pixels        [][3]float64 // red, green, blue, 0..255; paper is grey
	hues          [][2]float64 // a* and b*, CIELAB
	width, height int
	scale         float64 // pixels of the page a pixel of the overview
	tone          Tone
	gain          [3]float64 // turns paper grey
	cells         []cell     // row by row
	columns, rows int
	casts         [castGrid * castGrid][2]float64 // hue of the paper, region by region
}

// cell is a square of an overview at its paper: what is left without ink.
type cell struct {
	level float64    // the largest of red, green and blue, 0..255
	hue   [2]float64 // a* and b*, CIELAB, beyond the cast of the light
	least float64    // the level of its darkest pixel, 0..255
}

// Survey reduces a page, best the flattened one: a colorful desk counts as color.
func Survey(page *image.NRGBA) Overview {
	o := reduce(page, overviewSide)
	if len(o.pixels) == 0 {
		return o
	}
	o.balance()
	o.columns, o.rows = max(o.width/cellPx, 1), max(o.height/cellPx, 1)
	for row := range o.rows {
		for column := range o.columns {
			o.cells = append(o.cells, o.cell(column, row))
		}
	}
	o.findCasts()
	for i := range o.cells {
		cast := o.cast((i%o.columns)*cellPx, (i/o.columns)*cellPx)
		o.cells[i].hue = [2]float64{o.cells[i].hue[0] - cast[0], o.cells[i].hue[1] - cast[1]}
	}
	o.tone = o.tones()
	o.tone.Ink = inkLevel(page)
	return o
}

// Tone is the color and exposure of the page.
func (o Overview) Tone() Tone { return o.tone }

func (o Overview) cell(column, row int) cell {
	type lit struct {
		level float64
		pixel int
	}
	inside := make([]lit, 0, cellPx*cellPx)
	for y := row * cellPx; y < min((row+1)*cellPx, o.height); y++ {
		for x := column * cellPx; x < min((column+1)*cellPx, o.width); x++ {
			inside = append(inside, lit{o.level(y*o.width + x), y*o.width + x})
		}
	}
	slices.SortFunc(inside, func(a, b lit) int { return cmp.Compare(a.level, b.level) })
	paper := inside[int(barePaper*float64(len(inside))):]
	c := cell{least: inside[0].level}
	for _, p := range paper {
		c.level += p.level / float64(len(paper))
		for k := range c.hue {
			c.hue[k] += o.hues[p.pixel][k] / float64(len(paper))
		}
	}
	return c
}

func (o Overview) level(pixel int) float64 {
	return max(o.pixels[pixel][0], o.pixels[pixel][1], o.pixels[pixel][2])
}

const (
	// castGrid is how many regions a side a page has, each under one light; an
	// emblem takes less than half of one.
	castGrid = 4
	// maxCast is how far light shifts the hue of paper over one page, CIELAB units;
	// more is another thing.
	maxCast = 10.0
)

// findCasts takes the median hue of the cells of each region for its paper's.
func (o *Overview) findCasts() {
	var hues [castGrid * castGrid][2][]float64
	for i, c := range o.cells {
		at := o.region((i%o.columns)*cellPx, (i/o.columns)*cellPx)
		for k := range c.hue {
			hues[at][k] = append(hues[at][k], c.hue[k])
		}
	}
	for at := range hues {
		for k, values := range hues[at] {
			if len(values) > 0 {
				slices.Sort(values)
				o.casts[at][k] = percentile(values, 0.5)
			}
		}
		if d := math.Hypot(o.casts[at][0], o.casts[at][1]); d > maxCast {
			o.casts[at][0] *= maxCast / d
			o.casts[at][1] *= maxCast / d
		}
	}
}

func (o Overview) region(x, y int) int { return y*castGrid/o.height*castGrid + x*castGrid/o.width }

// hueAt is the hue of a color of the page, 0..255 each, beyond the cast of the light
// at a place of the page.
func (o Overview) hueAt(at ocr.Point, rgb [3]float64) [2]float64 {
	for k := range rgb {
		rgb[k] = min(rgb[k]*o.gain[k], 255)
	}
	h := hue(rgb[0], rgb[1], rgb[2])
	cast := o.cast(min(int(at.X/o.scale), o.width-1), min(int(at.Y/o.scale), o.height-1))
	return [2]float64{h[0] - cast[0], h[1] - cast[1]}
}

// cast is the hue of the paper at a pixel of the overview.
func (o Overview) cast(x, y int) [2]float64 { return o.casts[o.region(x, y)] }

// within gives the columns and rows of the cells whose middle lies in a box of
// the page: from and up to, without the last.
func (o Overview) within(low, high ocr.Point) image.Rectangle {
	side := cellPx * o.scale
	at := func(v float64, most int) int { return min(max(int(v/side+0.5), 0), most) }
	return image.Rect(at(low.X, o.columns), at(low.Y, o.rows), at(high.X, o.columns), at(high.Y, o.rows))
}

// place is the box of cells as a quad of the page.
func (o Overview) place(cells image.Rectangle) ocr.Quad {
	side := cellPx * o.scale
	x0, y0 := float64(cells.Min.X)*side, float64(cells.Min.Y)*side
	return upright(x0, y0, float64(cells.Max.X)*side, float64(cells.Max.Y)*side)
}

// largest is the largest connected set of cells of the area for which is holds:
// how many they are, and their bounds.
func (o Overview) largest(area image.Rectangle, is func(cell) bool) (count int, bounds image.Rectangle) {
	seen := make([]bool, len(o.cells))
	at := func(i int) bool { return is(o.cells[i]) }
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if n, box := flood(seen, o.columns, area, image.Pt(x, y), at); n > count {
				count, bounds = n, box
			}
		}
	}
	return count, bounds
}

// flood marks what is connected to a place of an area, of rows of so many columns,
// and gives its count and bounds.
func flood(seen []bool, columns int, area image.Rectangle, from image.Point, is func(i int) bool) (n int, box image.Rectangle) {
	stack := []image.Point{from}
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !p.In(area) || seen[p.Y*columns+p.X] || !is(p.Y*columns+p.X) {
			continue
		}
		seen[p.Y*columns+p.X] = true
		n++
		box = box.Union(image.Rect(p.X, p.Y, p.X+1, p.Y+1))
		stack = append(stack, p.Add(image.Pt(1, 0)), p.Add(image.Pt(-1, 0)), p.Add(image.Pt(0, 1)), p.Add(image.Pt(0, -1)))
	}
	return n, box
}
