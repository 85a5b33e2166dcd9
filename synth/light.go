package synth

import (
	"math"
	"math/rand/v2"
)

// warp samples the plane into a frame of linear light.
func (c Camera) warp(plane *canvas, back homography, lay Layout, rng *rand.Rand) *frame {
	f := newFrame(c.Width, c.Height)
	creases, folded := c.defect(Creases)
	folds := []float64{0.33 + 0.02*rng.Float64(), 0.66 + 0.02*rng.Float64()}
	for y := range c.Height {
		for x := range c.Width {
			p := back.apply(point{float64(x) + 0.5, float64(y) + 0.5})
			px := plane.px(p)
			rgb := plane.sample(px.x-0.5, px.y-0.5)
			if folded && p.x > 0 && p.y > 0 && p.x < lay.WidthMM && p.y < lay.HeightMM {
				k := float32(1 - creases.Strength*crease(p.y/lay.HeightMM, folds))
				rgb[0], rgb[1], rgb[2] = rgb[0]*k, rgb[1]*k, rgb[2]*k
			}
			copy(f.pix[3*(y*f.w+x):], rgb[:])
		}
	}
	return f
}

// crease is the shade of folds at v, 0..1 down the sheet: each panel leans a
// little, each fold is a fine line.
func crease(v float64, folds []float64) float64 {
	shade := 0.0
	for _, at := range folds {
		if d := v - at; d > 0 {
			shade += 0.7 * math.Exp(-d*9)
		} else {
			shade -= 0.25 * math.Exp(d*14)
		}
		shade += 0.8 * math.Exp(-math.Pow((v-at)*700, 2))
	}
	return shade
}

// Lights that a defect asks for.
const (
	// veilLight is the level of the haze that takes contrast, of 1: below paper,
	// so that black goes up more than white comes down.
	veilLight = 0.6
	// castRed and castBlue are how far white paper leaves gray at full strength.
	castRed, castBlue = 0.42, 0.55
	// glareWide is a lamp's reflection against its height; glareRim is where it
	// fades to a fifth of paper, in radii.
	glareWide, glareRim = 1.35, 1.3
)

// light puts light, shadow, glare, white balance and exposure on a frame, and
// the outlines of shadow and glare on the sheet among the others.
func (c Camera) light(f *frame, h homography, lay Layout, outlines map[DefectKind][]point) {
	if c.Scene.Surface == SurfaceScan && len(c.Defects) == 0 {
		return
	}
	gain := paperLight
	if c.Scene.Surface == SurfaceScan {
		gain = 1
	}
	if d, ok := c.defect(Exposure); ok {
		gain *= math.Exp2(d.Strength)
	}
	balance := [3]float64{1 + 0.12*c.Warmth, 1, 1 - 0.2*c.Warmth}
	if d, ok := c.defect(WhiteBalance); ok {
		balance[0] *= 1 + castRed*d.Strength
		balance[2] *= 1 - castBlue*d.Strength
	}
	haze, _ := c.defect(LowContrast)
	diagonal := math.Hypot(float64(f.w), float64(f.h))
	shadow, shaded := c.defect(Shadow)
	shadowAt := h.apply(lay.at(shadow.At))
	ssin, scos := math.Sincos(shadow.Angle * math.Pi / 180)
	across := func(p point) float64 { return ((p.x-shadowAt.x)*scos + (p.y-shadowAt.y)*ssin) / diagonal }
	if shaded {
		outlines[Shadow] = clip(lay.corners(h), across)
	}
	glare, glaring := c.defect(Glare)
	glareAt := h.apply(lay.at(glare.At))
	radius := glare.Strength * lay.WidthMM * h.scale(lay.middle())
	if glaring {
		outlines[Glare] = curve(24, func(t float64) point {
			sin, cos := math.Sincos(2 * math.Pi * t)
			return point{glareAt.x + glareRim*glareWide*radius*cos, glareAt.y + glareRim*radius*sin}
		})
	}
	panes := c.Scene.panes(f.w, f.h)
	for y := range f.h {
		for x := range f.w {
			px, py := float64(x), float64(y)
			u, v := (px-float64(f.w)/2)/diagonal, (py-float64(f.h)/2)/diagonal
			k := gain * (1 - c.Light*(0.5*(u+v)+1.2*(u*u+v*v)))
			if shaded {
				k *= 1 - shadow.Strength*step(-0.03, 0.05, across(point{px, py}))
			}
			add := 0.0
			if glaring {
				d := math.Hypot((px-glareAt.x)/glareWide, py-glareAt.y) / radius
				add = 1.6*math.Exp(-d*d*d) + 0.12*math.Exp(-d*0.7)
			}
			if haze.Strength > 0 {
				add += haze.Strength * veilLight * k
				k *= 1 - haze.Strength
			}
			if panes != nil {
				add += panes(px, py)
			}
			o := 3 * (y*f.w + x)
			for i := range 3 {
				f.pix[o+i] = f.pix[o+i]*float32(k*balance[i]) + float32(add)
			}
		}
	}
}

// panes is the faint reflection of a window in the glass of a picture frame, in
// linear light over a frame of w x h px; nil without glass.
func (s Scene) panes(w, h int) func(x, y float64) float64 {
	if s.Cover != CoverGlass {
		return nil
	}
	const light, soft = 0.07, 0.012
	return func(x, y float64) float64 {
		// Two panes, leaning as the glass does.
		u, v := x/float64(w)-0.08*y/float64(h), y/float64(h)+0.05*x/float64(w)
		pane := func(u0, u1 float64) float64 {
			return step(u0-soft, u0+soft, u) * step(u1+soft, u1-soft, u) * step(0.1-soft, 0.1+soft, v) * step(0.58+soft, 0.58-soft, v)
		}
		return light * (pane(0.58, 0.72) + pane(0.745, 0.885))
	}
}

// ramp rises from 0 on a line through a place on the sheet to 1 at the sheet's
// farthest corner, in px of the frame.
type ramp struct {
	from   point
	normal point // per px
}

func newRamp(h homography, lay Layout, d Defect) ramp {
	sin, cos := math.Sincos(d.Angle * math.Pi / 180)
	r := ramp{h.apply(lay.at(d.At)), point{cos, sin}}
	far := 0.0
	for _, p := range lay.corners(h) {
		far = max(far, r.at(p))
	}
	r.normal = point{cos / far, sin / far}
	return r
}

func (r ramp) at(p point) float64 { return (p.x-r.from.x)*r.normal.x + (p.y-r.from.y)*r.normal.y }

// blurBeyond blurs by a sigma in px that grows along a ramp, as a sheet that
// leaves the depth of field does; between the blurs that are made it blends.
func (f *frame) blurBeyond(r ramp, sigma float64) {
	shares := []float64{0, 0.25, 0.5, 1}
	steps := []*frame{{f.w, f.h, append([]float32{}, f.pix...)}}
	for i := 1; i < len(shares); i++ {
		next := &frame{f.w, f.h, append([]float32{}, steps[i-1].pix...)}
		next.blur(sigma * math.Sqrt(shares[i]*shares[i]-shares[i-1]*shares[i-1]))
		steps = append(steps, next)
	}
	for y := range f.h {
		for x := range f.w {
			t := min(max(r.at(point{float64(x), float64(y)}), 0), 1)
			i := 1
			for t > shares[i] {
				i++
			}
			// Variances add.
			k := float32((t*t - shares[i-1]*shares[i-1]) / (shares[i]*shares[i] - shares[i-1]*shares[i-1]))
			o := 3 * (y*f.w + x)
			for c := o; c < o+3; c++ {
				f.pix[c] = steps[i-1].pix[c]*(1-k) + steps[i].pix[c]*k
			}
		}
	}
}
