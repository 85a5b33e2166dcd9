package synth

import "math"

// noise is smooth value noise over the plane, 0..1, a pure function of its seed.
type noise struct{ seed uint64 }

// at is one octave with a lattice of 1.
func (n noise) at(x, y float64) float64 {
	x0, y0 := math.Floor(x), math.Floor(y)
	fx, fy := smooth(x-x0), smooth(y-y0)
	i, j := int64(x0), int64(y0)
	top := n.lattice(i, j)*(1-fx) + n.lattice(i+1, j)*fx
	low := n.lattice(i, j+1)*(1-fx) + n.lattice(i+1, j+1)*fx
	return top*(1-fy) + low*fy
}

// fractal sums octaves, each of half the size and weight of the one before.
func (n noise) fractal(x, y float64, octaves int) float64 {
	sum, weight, total := 0.0, 1.0, 0.0
	for range octaves {
		sum += weight * n.at(x, y)
		total += weight
		x, y, weight = 2*x+17.3, 2*y+5.7, weight/2
	}
	return sum / total
}

// lattice hashes a place to 0..1 (the finalizer of splitmix64).
func (n noise) lattice(i, j int64) float64 {
	h := n.seed ^ uint64(i)*0x9E3779B97F4A7C15 ^ uint64(j)*0xC2B2AE3D27D4EB4F
	h = (h ^ h>>30) * 0xBF58476D1CE4E5B9
	h = (h ^ h>>27) * 0x94D049BB133111EB
	return float64((h^h>>31)>>11) / (1 << 53)
}

func smooth(t float64) float64 { return t * t * (3 - 2*t) }

// step rises smoothly from 0 at a to 1 at b.
func step(a, b, x float64) float64 {
	return smooth(min(max((x-a)/(b-a), 0), 1))
}
