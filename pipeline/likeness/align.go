package likeness

import "math"

// motion maps places of one grid onto another of its size, as a crop and a resize
// do: along each axis a shift, cells, and a stretch round the middle.
type motion struct{ shiftX, stretchX, shiftY, stretchY float64 }

func (m motion) at(x, y, middleX, middleY float64) (float64, float64) {
	return x + m.shiftX + m.stretchX*(x-middleX), y + m.shiftY + m.stretchY*(y-middleY)
}

// sample is bilinear; false beyond the edge.
func (g grid) sample(x, y float64) (float64, bool) {
	if x < 0 || y < 0 || x > float64(g.w-1) || y > float64(g.h-1) {
		return 0, false
	}
	i, j := min(int(x), g.w-2), min(int(y), g.h-2)
	u, v := x-float64(i), y-float64(j)
	p, q := g.cells[j*g.w+i:], g.cells[(j+1)*g.w+i:]
	return (p[0]*(1-u)+p[1]*u)*(1-v) + (q[0]*(1-u)+q[1]*u)*v, true
}

// alignSteps is how many steps are made at each blur: more change nothing.
const alignSteps = 5

// align is the motion of b that makes it most like a, by Gauss-Newton steps on
// grids blurred less and less (Lucas and Kanade, "An iterative image registration
// technique", 1981).
func align(a, b []grid, start motion) motion {
	for level := range a {
		for range alignSteps {
			start = step(a[level], b[level], start)
		}
	}
	return start
}

// pyramid is a grid blurred by each of the sigmas.
func pyramid(g grid, sigmas ...float64) []grid {
	var out []grid
	for _, sigma := range sigmas {
		out = append(out, g.blurred(sigma))
	}
	return out
}

// minOverlap is the share of a grid that another must cover for a step to count.
const minOverlap = 0.5

// step is one Gauss-Newton step of the squared difference, after the contrast of b
// is brought to that of a.
func step(a, b grid, m motion) motion {
	cx, cy := float64(a.w-1)/2, float64(a.h-1)/2
	each := func(do func(x, y, av, bx, by, bv float64)) {
		for y := range a.h {
			for x := range a.w {
				bx, by := m.at(float64(x), float64(y), cx, cy)
				if bv, ok := b.sample(bx, by); ok {
					do(float64(x), float64(y), a.cells[y*a.w+x], bx, by, bv)
				}
			}
		}
	}
	var sum correlation
	each(func(_, _, av, _, _, bv float64) { sum.add(av, bv) })
	va, vb, _ := sum.variances()
	if sum.n < minOverlap*float64(len(a.cells)) || va <= 0 || vb <= 0 {
		return m
	}
	gain, ma, mb := math.Sqrt(va/vb), sum.a/sum.n, sum.b/sum.n
	var normal [4][5]float64
	each(func(x, y, av, bx, by, bv float64) {
		left, _ := b.sample(max(bx-0.5, 0), by)
		right, _ := b.sample(min(bx+0.5, float64(b.w-1)), by)
		above, _ := b.sample(bx, max(by-0.5, 0))
		below, _ := b.sample(bx, min(by+0.5, float64(b.h-1)))
		gx, gy := gain*(right-left), gain*(below-above)
		row := [5]float64{gx, gx * (x - cx), gy, gy * (y - cy), av - ma - gain*(bv-mb)}
		for p := range normal {
			for q := range row {
				normal[p][q] += row[p] * row[q]
			}
		}
	})
	by, ok := solve(normal)
	if !ok {
		return m
	}
	return motion{m.shiftX + by[0], m.stretchX + by[1], m.shiftY + by[2], m.stretchY + by[3]}
}

// damping keeps a step finite along an axis with hardly any structure.
const damping = 1.001

// solve is Gaussian elimination of a damped positive semi-definite system; false
// when an axis has no structure at all.
func solve(m [4][5]float64) (x [4]float64, ok bool) {
	for i := range m {
		m[i][i] *= damping
	}
	for i := range m {
		if m[i][i] < 1e-9 {
			return x, false
		}
		for r := i + 1; r < len(m); r++ {
			f := m[r][i] / m[i][i]
			for c := i; c < len(m[r]); c++ {
				m[r][c] -= f * m[i][c]
			}
		}
	}
	for i := len(m) - 1; i >= 0; i-- {
		x[i] = m[i][4]
		for c := i + 1; c < len(m); c++ {
			x[i] -= m[i][c] * x[c]
		}
		x[i] /= m[i][i]
	}
	return x, true
}

// correlation gathers pairs of values.
type correlation struct{ n, a, b, aa, bb, ab float64 }

func (c *correlation) add(a, b float64) {
	c.n, c.a, c.b, c.aa, c.bb, c.ab = c.n+1, c.a+a, c.b+b, c.aa+a*a, c.bb+b*b, c.ab+a*b
}

func (c correlation) variances() (a, b, both float64) {
	return c.aa/c.n - c.a*c.a/c.n/c.n, c.bb/c.n - c.b*c.b/c.n/c.n, c.ab/c.n - c.a*c.b/c.n/c.n
}

// coefficient is the normalized cross-correlation, -1..1; 0 where nothing varies.
func (c correlation) coefficient() float64 {
	if a, b, both := c.variances(); c.n > 0 && a > 1e-9 && b > 1e-9 {
		return both / math.Sqrt(a*b)
	}
	return 0
}

// correlate compares a with b moved, whole and in columns x rows blocks. A block of
// which less than half is covered is left out.
func correlate(a, b grid, m motion, columns, rows int) (whole float64, blocks []correlation) {
	all, sums := correlation{}, make([]correlation, columns*rows)
	cx, cy := float64(a.w-1)/2, float64(a.h-1)/2
	for y := range a.h {
		for x := range a.w {
			bv, ok := b.sample(m.at(float64(x), float64(y), cx, cy))
			if !ok {
				continue
			}
			av := a.cells[y*a.w+x]
			all.add(av, bv)
			sums[y*rows/a.h*columns+x*columns/a.w].add(av, bv)
		}
	}
	for _, s := range sums {
		if s.n >= minOverlap*float64(len(a.cells))/float64(len(sums)) {
			blocks = append(blocks, s)
		}
	}
	return all.coefficient(), blocks
}
