package synth

import (
	"image"
	"math"
	"math/rand/v2"
)

// homography maps a plane to a plane.
type homography [9]float64

func (h homography) apply(p point) point {
	w := h[6]*p.x + h[7]*p.y + h[8]
	return point{(h[0]*p.x + h[1]*p.y + h[2]) / w, (h[3]*p.x + h[4]*p.y + h[5]) / w}
}

// scale is the local enlargement at a place: the root of the Jacobian's
// determinant.
func (h homography) scale(p point) float64 {
	const d = 0.01
	o, x, y := h.apply(p), h.apply(point{p.x + d, p.y}), h.apply(point{p.x, p.y + d})
	return math.Sqrt(math.Abs((x.x-o.x)*(y.y-o.y)-(x.y-o.y)*(y.x-o.x))) / d
}

func (h homography) inverse() homography {
	return homography{
		h[4]*h[8] - h[5]*h[7], h[2]*h[7] - h[1]*h[8], h[1]*h[5] - h[2]*h[4],
		h[5]*h[6] - h[3]*h[8], h[0]*h[8] - h[2]*h[6], h[2]*h[3] - h[0]*h[5],
		h[3]*h[7] - h[4]*h[6], h[1]*h[6] - h[0]*h[7], h[0]*h[4] - h[1]*h[3],
	}
}

// fit is the homography that takes four points to four others, no three of
// them on a line.
func fit(from, to [4]point) homography {
	var m [8][9]float64
	for i := range 4 {
		p, q := from[i], to[i]
		m[2*i] = [9]float64{p.x, p.y, 1, 0, 0, 0, -p.x * q.x, -p.y * q.x, q.x}
		m[2*i+1] = [9]float64{0, 0, 0, p.x, p.y, 1, -p.x * q.y, -p.y * q.y, q.y}
	}
	for i := range m {
		best := i
		for j := i + 1; j < len(m); j++ {
			if math.Abs(m[j][i]) > math.Abs(m[best][i]) {
				best = j
			}
		}
		m[i], m[best] = m[best], m[i]
		for j := range m {
			if j == i {
				continue
			}
			k := m[j][i] / m[i][i]
			for l := i; l < 9; l++ {
				m[j][l] -= k * m[i][l]
			}
		}
	}
	h := homography{8: 1}
	for i := range m {
		h[i] = m[i][8] / m[i][i]
	}
	return h
}

// frame is a picture in linear light: R, G, B, 1 is white.
type frame struct {
	w, h int
	pix  []float32
}

func newFrame(w, h int) *frame { return &frame{w, h, make([]float32, 3*w*h)} }

// linear is the sRGB transfer curve by level; levels is its inverse in
// len(levels)-1 steps.
var linear, levels = transferCurves()

func transferCurves() (to [256]float32, from [1 << 14]float32) {
	for i := range to {
		v := float64(i) / 255
		if v <= 0.04045 {
			to[i] = float32(v / 12.92)
		} else {
			to[i] = float32(math.Pow((v+0.055)/1.055, 2.4))
		}
	}
	for i := range from {
		v := float64(i) / float64(len(from)-1)
		if v <= 0.0031308 {
			from[i] = float32(255 * 12.92 * v)
		} else {
			from[i] = float32(255 * (1.055*math.Pow(v, 1/2.4) - 0.055))
		}
	}
	return to, from
}

// sample is the linear light at a place in px between pixels; the border goes
// on for ever.
func (c *canvas) sample(x, y float64) [3]float32 {
	w, h := c.img.Rect.Dx(), c.img.Rect.Dy()
	x, y = min(max(x, 0), float64(w-1)), min(max(y, 0), float64(h-1))
	i, j := min(int(x), w-2), min(int(y), h-2)
	fx, fy := float32(x-float64(i)), float32(y-float64(j))
	o := j*c.img.Stride + 4*i
	p, q := c.img.Pix[o:o+8], c.img.Pix[o+c.img.Stride:o+c.img.Stride+8]
	var out [3]float32
	for k := range out {
		top := linear[p[k]]*(1-fx) + linear[p[k+4]]*fx
		low := linear[q[k]]*(1-fx) + linear[q[k+4]]*fx
		out[k] = top*(1-fy) + low*fy
	}
	return out
}

// blur is a Gaussian of a sigma in px.
func (f *frame) blur(sigma float64) {
	n := int(math.Ceil(3 * sigma))
	kernel := make([]float32, 2*n+1)
	sum := float32(0)
	for i := range kernel {
		kernel[i] = float32(math.Exp(-math.Pow(float64(i-n)/sigma, 2) / 2))
		sum += kernel[i]
	}
	for i := range kernel {
		kernel[i] /= sum
	}
	// Along the rows, then down the columns a row at a time.
	line := make([]float32, 3*f.w)
	for y := range f.h {
		row := f.pix[3*f.w*y : 3*f.w*(y+1)]
		copy(line, row)
		for x := range f.w {
			var r, g, b float32
			for k, weight := range kernel {
				o := 3 * min(max(x+k-n, 0), f.w-1)
				r, g, b = r+weight*line[o], g+weight*line[o+1], b+weight*line[o+2]
			}
			row[3*x], row[3*x+1], row[3*x+2] = r, g, b
		}
	}
	source := append([]float32{}, f.pix...)
	for y := range f.h {
		row := f.pix[3*f.w*y : 3*f.w*(y+1)]
		clear(row)
		for k, weight := range kernel {
			from := source[3*f.w*min(max(y+k-n, 0), f.h-1):][:len(row)]
			for i, v := range from {
				row[i] += weight * v
			}
		}
	}
}

// motion smears evenly over a straight path of a length in px.
func (f *frame) motion(length, angle float64) *frame {
	sin, cos := math.Sincos(angle)
	taps := max(2, int(math.Ceil(length))+1)
	out := newFrame(f.w, f.h)
	for t := range taps {
		d := length * (float64(t)/float64(taps-1) - 0.5)
		dx, dy := int(math.Round(d*cos)), int(math.Round(d*sin))
		for y := range f.h {
			from := 3 * f.w * min(max(y+dy, 0), f.h-1)
			to := out.pix[3*f.w*y : 3*f.w*(y+1)]
			for x := range f.w {
				o := from + 3*min(max(x+dx, 0), f.w-1)
				to[3*x] += f.pix[o]
				to[3*x+1] += f.pix[o+1]
				to[3*x+2] += f.pix[o+2]
			}
		}
	}
	for i := range out.pix {
		out.pix[i] /= float32(taps)
	}
	return out
}

// develop turns light to levels, with noise of a sigma in levels.
func (f *frame) develop(sigma float64, rng *rand.Rand) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, f.w, f.h))
	for i := range f.w * f.h {
		// Most of a sensor's noise is in lightness, less in color.
		shared := sigma * rng.NormFloat64()
		for k := range 3 {
			v := min(max(f.pix[3*i+k], 0), 1)
			level := float64(levels[int(v*float32(len(levels)-1)+0.5)])
			if sigma > 0 {
				level += 0.85*shared + 0.5*sigma*rng.NormFloat64()
			}
			img.Pix[4*i+k] = uint8(min(max(level+0.5, 0), 255))
		}
		img.Pix[4*i+3] = 255
	}
	return img
}
