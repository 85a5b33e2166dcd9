package synth

import (
	"image/color"
	"math"
)

// Object is what lies over a sheet.
type Object string

// The objects: a finger from below, the corner of a paper, a pen across. No
// object is a finger.
const (
	Finger Object = "finger"
	Paper  Object = "paper"
	Pen    Object = "pen"
)

// cover lays an object of a radius in mm with its tip on a place, and gives its
// outline.
func (c *canvas) cover(o Object, tip point, radius float64) []point {
	switch o {
	case Paper:
		return c.slip(tip, 2*radius)
	case Pen:
		return c.pen(tip, radius*0.3)
	}
	return c.finger(tip, radius, 0.3)
}

// turned gives points round an origin, turned clockwise.
func turned(origin point, angle float64) func(x, y float64) point {
	sin, cos := math.Sincos(angle)
	return func(x, y float64) point { return point{origin.x + x*cos - y*sin, origin.y + x*sin + y*cos} }
}

// quad paints the rectangle x0, y0, x1, y1 of a turned system.
func (c *canvas) quad(at func(x, y float64) point, b box, col color.NRGBA) []point {
	corners := b.corners()
	out := make([]point, 4)
	for i, p := range corners {
		out[i] = at(p.x, p.y)
	}
	s := newShape()
	c.polygon(s, out...)
	c.paint(s, col)
	return out
}

// slip is a note of a size in mm whose middle is on a place.
func (c *canvas) slip(middle point, size float64) []point {
	at := turned(middle, -0.2)
	b := box{-1.4 * size, -0.7 * size, 1.4 * size, 0.7 * size}
	for i := range 4 { // a soft shadow
		d := 0.5 * float64(i)
		c.quad(at, box{b[0] + d, b[1] + d, b[2] + 2*d, b[3] + 2*d}, color.NRGBA{0, 0, 0, 34})
	}
	outline := c.quad(at, b, color.NRGBA{250, 231, 128, 255})
	c.quad(at, box{b[0], b[1], b[2], b[1] + 0.25*size}, color.NRGBA{238, 214, 104, 255})
	return outline
}

// pen lies across with its grip on a place; radius is half its width.
func (c *canvas) pen(grip point, radius float64) []point {
	const length, toGrip = 140.0, 30.0
	nib := 3 * radius
	at := turned(turned(grip, 0.9)(-toGrip, 0), 0.9)
	c.quad(at, box{nib * 0.4, 0.5 * radius, length + 1, 1.8 * radius}, color.NRGBA{0, 0, 0, 80})
	body, metal := newShape(), newShape()
	outline := []point{at(0, 0), at(nib, -radius), at(length, -radius), at(length, radius), at(nib, radius)}
	c.polygon(body, outline...)
	c.paint(body, color.NRGBA{28, 30, 36, 255})
	c.polygon(metal, at(0, 0), at(nib, -radius), at(nib, radius))
	c.paint(metal, color.NRGBA{176, 178, 184, 255})
	c.quad(at, box{nib, -0.55 * radius, length, -0.25 * radius}, color.NRGBA{92, 96, 108, 255})
	c.quad(at, box{0.62 * length, -radius, 0.65 * length, radius}, color.NRGBA{190, 160, 90, 255})
	return outline
}

// finger covers a round-ended strip from a tip downwards.
func (c *canvas) finger(tip point, radius, lean float64) []point {
	at := turned(tip, lean)
	strip := func(r, dx float64) []point {
		ps := curve(40, func(t float64) point {
			s, k := math.Sincos(math.Pi * (1 + t))
			return at(r*k+dx, r*1.15*s)
		})
		return append(ps, at(2*r+dx, 40*radius), at(-2*r+dx, 40*radius))
	}
	shade := newShape()
	c.polygon(shade, strip(radius*1.06, 1.5)...)
	c.paint(shade, color.NRGBA{20, 10, 5, 80})
	for i := range 8 {
		layer := newShape()
		c.polygon(layer, strip(radius*(1-0.09*float64(i)), -0.25*float64(i))...)
		c.paint(layer, color.NRGBA{uint8(196 + 5*i), uint8(146 + 5*i), uint8(122 + 5*i), 255})
	}
	nail := newShape()
	c.polygon(nail, polar(at(0, -radius*0.25), 60, func(a float64) float64 { return radius * (0.5 + 0.1*math.Abs(math.Cos(a))) })...)
	c.paint(nail, color.NRGBA{240, 200, 186, 200})
	return strip(radius, 0)
}
