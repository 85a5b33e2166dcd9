package likeness

import "math"

// grid is a small gray picture of any scale.
type grid struct {
	w, h  int
	cells []float64
}

func newGrid(w, h int) grid { return grid{w, h, make([]float64, w*h)} }

// share is a pixel's part in two cells next to each other.
type share struct {
	at, cell int
	next     float64
}

func shares(pixels, step, cells int) []share {
	var out []share
	for at := 0; at < pixels; at += step {
		place := min(max((float64(at)+0.5)/float64(pixels)*float64(cells)-0.5, 0), float64(cells-1))
		cell := min(int(place), max(cells-2, 0))
		out = append(out, share{at, cell, place - float64(cell)})
	}
	return out
}

// reduce averages a picture into a grid. Each pixel is shared between the cells
// whose middles it lies between (a tent filter), so that a shift by part of a cell
// changes the grid smoothly. Only every step-th pixel is taken; read fills those of
// a row in.
func reduce(width, height, step, w, h int, read func(line []float64, y int)) grid {
	columns, rows := shares(width, step, w), shares(height, step, h)
	out, line, sums := newGrid(w, h), make([]float64, width), make([]float64, w)
	across, down := make([]float64, w), make([]float64, h)
	for _, c := range columns {
		across[c.cell], across[c.cell+1] = across[c.cell]+1-c.next, across[c.cell+1]+c.next
	}
	for _, r := range rows {
		down[r.cell], down[r.cell+1] = down[r.cell]+1-r.next, down[r.cell+1]+r.next
		read(line, r.at)
		clear(sums)
		for _, c := range columns {
			v := line[c.at]
			sums[c.cell] += v * (1 - c.next)
			sums[c.cell+1] += v * c.next
		}
		for x, sum := range sums {
			out.cells[r.cell*w+x] += sum * (1 - r.next)
			out.cells[(r.cell+1)*w+x] += sum * r.next
		}
	}
	for i := range out.cells {
		if n := across[i%w] * down[i/w]; n > 0 {
			out.cells[i] /= n
		}
	}
	return out
}

// turned is a square grid turned clockwise by a quarter.
func (g grid) turned() grid {
	out := newGrid(g.h, g.w)
	for y := range g.h {
		for x := range g.w {
			out.cells[x*out.w+g.h-1-y] = g.cells[y*g.w+x]
		}
	}
	return out
}

// blurred by a Gaussian, sigma in cells; the edge is repeated.
func (g grid) blurred(sigma float64) grid {
	n := int(math.Ceil(2.5 * sigma))
	kernel, total := make([]float64, 2*n+1), 0.0
	for i := range kernel {
		d := float64(i-n) / sigma
		kernel[i] = math.Exp(-d * d / 2)
		total += kernel[i]
	}
	pass := func(from grid, dx, dy int) grid {
		out := newGrid(from.w, from.h)
		for y := range from.h {
			for x := range from.w {
				sum := 0.0
				for i, k := range kernel {
					u, v := x+dx*(i-n), y+dy*(i-n)
					sum += k * from.cells[min(max(v, 0), from.h-1)*from.w+min(max(u, 0), from.w-1)]
				}
				out.cells[y*from.w+x] = sum / total
			}
		}
		return out
	}
	return pass(pass(g, 1, 0), 0, 1)
}

const (
	// levels is how many values a packed cell has, spread levels over the strength
	// of the structure from -spread to spread.
	levels, spread = 16, 2.0
	// faint is the strength, relative to that of the whole grid, below which
	// structure is as good as none, and faintLevels so in gray levels: what JPEG
	// leaves of a blank.
	faint, faintLevels = 0.2, 0.5
)

// structure is what remains of a grid when light and shade larger than scale cells
// are taken out and the contrast is made alike everywhere: from 0 to levels-1, with
// half of that for nothing.
func (g grid) structure(scale float64) grid {
	low, detail, power, total := g.blurred(scale), newGrid(g.w, g.h), newGrid(g.w, g.h), 0.0
	for i, v := range g.cells {
		detail.cells[i] = v - low.cells[i]
		power.cells[i] = detail.cells[i] * detail.cells[i]
		total += power.cells[i]
	}
	whole := math.Sqrt(total / float64(len(g.cells)))
	power = power.blurred(scale)
	for i, v := range detail.cells {
		strength := v / (math.Sqrt(power.cells[i]) + faint*whole + faintLevels)
		detail.cells[i] = math.Round((min(max(strength/spread, -1), 1) + 1) / 2 * (levels - 1))
	}
	return detail
}

// packed has two cells a byte.
func (g grid) packed() []byte {
	out := make([]byte, (len(g.cells)+1)/2)
	for i, v := range g.cells {
		out[i/2] |= byte(v) << (4 * (1 - i%2))
	}
	return out
}

// unpacked is a grid around 0; false when there are not as many cells.
func unpacked(packed []byte, w, h int) (grid, bool) {
	if len(packed) != (w*h+1)/2 {
		return grid{}, false
	}
	g := newGrid(w, h)
	for i := range g.cells {
		g.cells[i] = float64(packed[i/2]>>(4*(1-i%2))&15) - (levels-1)/2.0
	}
	return g, true
}
