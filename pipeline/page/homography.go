package page

import (
	"math"

	"github.com/heyan/heyan/ocr"
)

// homography is a projective map of the plane, row by row.
type homography [9]float64

var identity = homography{1, 0, 0, 0, 1, 0, 0, 0, 1}

func (m homography) apply(p ocr.Point) ocr.Point {
	w := m[6]*p.X + m[7]*p.Y + m[8]
	return ocr.Point{X: (m[0]*p.X + m[1]*p.Y + m[2]) / w, Y: (m[3]*p.X + m[4]*p.Y + m[5]) / w}
}

// after is the map that applies first, then m.
func (m homography) after(first homography) homography {
	var out homography
	for r := range 3 {
		for c := range 3 {
			for k := range 3 {
				out[3*r+c] += m[3*r+k] * first[3*k+c]
			}
		}
	}
	return out
}

// solve finds the map of four points onto four others by Gaussian elimination;
// false when three of them lie on a line.
func solve(from, to ocr.Quad) (homography, bool) {
	var a [8][9]float64
	for i := range 4 {
		x, y, u, v := from[i].X, from[i].Y, to[i].X, to[i].Y
		a[2*i] = [9]float64{x, y, 1, 0, 0, 0, -x * u, -y * u, u}
		a[2*i+1] = [9]float64{0, 0, 0, x, y, 1, -x * v, -y * v, v}
	}
	for col := range 8 {
		pivot := col
		for row := col + 1; row < 8; row++ {
			if math.Abs(a[row][col]) > math.Abs(a[pivot][col]) {
				pivot = row
			}
		}
		if math.Abs(a[pivot][col]) < 1e-9 {
			return homography{}, false
		}
		a[col], a[pivot] = a[pivot], a[col]
		for row := range 8 {
			if row == col {
				continue
			}
			f := a[row][col] / a[col][col]
			for k := col; k < 9; k++ {
				a[row][k] -= f * a[col][k]
			}
		}
	}
	m := homography{8: 1}
	for i := range 8 {
		m[i] = a[i][8] / a[i][i]
	}
	return m, true
}

func dist(a, b ocr.Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }
