package page

import (
	"image"
	"math"
	"slices"

	"github.com/heyan/heyan/ocr"
)

// The sides of a sheet that was found on the reduced photo are fitted to the photo's
// own pixels. Lengths in steps are pixels of the reduced photo.
const (
	refineSamples = 96   // across each side
	refineReach   = 4.0  // steps to either side of it
	refineStep    = 0.5  // steps
	refineEnds    = 0.03 // of a side are left out at each end: corners are worn, folded or held
	// refineNear is how far from the best line a sample's own edge still counts.
	refineNear = 1.0 // steps
)

// refined moves each side of a quad to the strongest straight edge near it; step is
// the size of a pixel of the reduced photo.
func refined(photo *image.NRGBA, q ocr.Quad, step float64) ocr.Quad {
	var sides [4]line
	for i := range q {
		sides[i] = line{q[i], q[(i+1)%4]}
		if !open(q[i], q[(i+1)%4], float64(photo.Rect.Dx()), float64(photo.Rect.Dy()), openReachPx*step) {
			sides[i] = fitSide(photo, q[i], q[(i+1)%4], step)
		}
	}
	out := q
	for i := range q {
		corner, ok := sides[(i+3)%4].meet(sides[i])
		if ok && dist(corner, q[i]) < 2*math.Sqrt2*refineReach*step {
			out[i] = corner
		}
	}
	return snapped(out)
}

// snapPx is how far a quad may be from an upright rectangle of whole pixels to be
// taken for one.
const snapPx = 1.0

// snapped rounds an upright rectangle to whole pixels: a part of a screenshot or of
// a scan is then cut out as it is, without the blur of resampling.
func snapped(q ocr.Quad) ocr.Quad {
	low, high := q.Bounds()
	low, high = ocr.Point{X: math.Round(low.X), Y: math.Round(low.Y)}, ocr.Point{X: math.Round(high.X), Y: math.Round(high.Y)}
	upright := ocr.Quad{low, {X: high.X, Y: low.Y}, high, {X: low.X, Y: high.Y}}
	for i, p := range q {
		if dist(p, upright[i]) > snapPx*math.Sqrt2 {
			return q
		}
	}
	return upright
}

// line goes through two points.
type line struct{ a, b ocr.Point }

// meet is where two lines cross; false for parallels.
func (l line) meet(m line) (ocr.Point, bool) {
	dx, dy, ex, ey := l.b.X-l.a.X, l.b.Y-l.a.Y, m.b.X-m.a.X, m.b.Y-m.a.Y
	det := dx*ey - dy*ex
	if math.Abs(det) < 1e-6 {
		return ocr.Point{}, false
	}
	t := ((m.a.X-l.a.X)*ey - (m.a.Y-l.a.Y)*ex) / det
	return ocr.Point{X: l.a.X + t*dx, Y: l.a.Y + t*dy}, true
}

// fitSide fits the side from a to b: of all lines whose ends are within reach the one
// with the most edge under it, then through the edges near that one.
func fitSide(photo *image.NRGBA, a, b ocr.Point, step float64) line {
	length := dist(a, b)
	if length < 2*refineReach*step {
		return line{a, b}
	}
	nx, ny := -(b.Y-a.Y)/length, (b.X-a.X)/length
	const offsets = int(2*refineReach/refineStep) + 1
	offset := func(j float64) float64 { return (j*refineStep - refineReach) * step }
	share := func(k int) float64 { return refineEnds + (1-2*refineEnds)*(float64(k)+0.5)/refineSamples }
	var edges [refineSamples][offsets]float64
	var strongest []float64
	for k := range edges {
		t := share(k)
		most := 0.0
		for j := range edges[k] {
			d := offset(float64(j))
			at := ocr.Point{X: a.X + t*(b.X-a.X) + d*nx, Y: a.Y + t*(b.Y-a.Y) + d*ny}
			edges[k][j] = contrast(photo, at, nx*step/2, ny*step/2)
			most = max(most, edges[k][j])
		}
		strongest = append(strongest, most)
	}
	slices.Sort(strongest)
	limit := strongest[len(strongest)/2] // a cable that crosses the side weighs no more than paper
	best, from, to := 0.0, offsets/2, offsets/2
	for i := range offsets {
		for j := range offsets {
			sum := 0.0
			for k := range edges {
				at := int(float64(i) + share(k)*float64(j-i) + 0.5)
				sum += min(edges[k][at], limit)
			}
			if sum > best {
				best, from, to = sum, i, j
			}
		}
	}
	// Least squares through the middles of the edges near the best line.
	const near = int(refineNear / refineStep)
	var n, st, stt, sd, std float64
	for k := range edges {
		t := share(k)
		middle := int(float64(from) + t*float64(to-from) + 0.5)
		weight, moment := 0.0, 0.0
		for j := max(middle-near, 0); j <= min(middle+near, offsets-1); j++ {
			w := edges[k][j] * edges[k][j]
			weight, moment = weight+w, moment+w*float64(j)
		}
		if weight == 0 {
			continue
		}
		w, d := math.Sqrt(min(weight, limit*limit)), offset(moment/weight)
		n, st, stt, sd, std = n+w, st+w*t, stt+w*t*t, sd+w*d, std+w*t*d
	}
	det := n*stt - st*st
	if det < 1e-9 {
		return line{a, b}
	}
	slope, base := (n*std-st*sd)/det, (sd*stt-st*std)/det
	return line{
		ocr.Point{X: a.X + base*nx, Y: a.Y + base*ny},
		ocr.Point{X: b.X + (base+slope)*nx, Y: b.Y + (base+slope)*ny}}
}

// contrast is the difference of color, 0..765, between the two sides of a place,
// each half a step away and averaged along the edge.
func contrast(photo *image.NRGBA, at ocr.Point, dx, dy float64) float64 {
	sum := 0.0
	var sides [2][3]float64
	for s, sign := range []float64{-1, 1} {
		for _, along := range []float64{-1, 0, 1} {
			x, y := int(at.X+sign*dx-along*dy), int(at.Y+sign*dy+along*dx)
			x, y = min(max(x, 0), photo.Rect.Dx()-1), min(max(y, 0), photo.Rect.Dy()-1)
			p := photo.Pix[photo.PixOffset(x, y):]
			for c := range 3 {
				sides[s][c] += float64(p[c]) / 3
			}
		}
	}
	for c := range 3 {
		sum += math.Abs(sides[0][c] - sides[1][c])
	}
	return sum
}
