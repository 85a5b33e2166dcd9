package synth

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

// clutter puts a pen, a ruled paper and a cup of coffee round the sheet.
func (c *canvas) clutter(b box, rng *rand.Rand) {
	angle := 0.25 + rng.Float64()*0.3
	sin, cos := math.Sincos(angle)
	at := func(o point, x, y float64) point { return point{o.x + x*cos - y*sin, o.y + x*sin + y*cos} }
	paper, shade, ruling := newShape(), newShape(), newShape()
	corner := point{b[2] - 30 - rng.Float64()*40, b[1] - 95}
	c.polygon(shade, at(corner, 2, 2), at(corner, 152, 2), at(corner, 152, 212), at(corner, 2, 212))
	c.paint(shade, color.NRGBA{0, 0, 0, 90})
	c.polygon(paper, at(corner, 0, 0), at(corner, 150, 0), at(corner, 150, 210), at(corner, 0, 210))
	c.paint(paper, color.NRGBA{236, 236, 230, 255})
	for i := range 24 {
		y := 15 + 8*float64(i)
		c.line(ruling, 0.3, at(corner, 8, y), at(corner, 142, y))
	}
	c.paint(ruling, color.NRGBA{150, 170, 200, 255})

	pen, clip := newShape(), newShape()
	o := point{b[0] - 16, b[1] + 40 + rng.Float64()*60}
	c.polygon(pen, at(o, -5, -4), at(o, -5, 120), at(o, -1.5, 130), at(o, -0.5, 130), at(o, 3, 120), at(o, 3, -4))
	c.paint(pen, color.NRGBA{24, 34, 70, 255})
	c.line(clip, 1.4, at(o, -2, 0), at(o, -2, 118))
	c.paint(clip, color.NRGBA{120, 135, 180, 200})

	place := point{b[0] + 20 + rng.Float64()*60, b[3] + 48}
	for _, ring := range []struct {
		radius float64
		color  color.NRGBA
	}{{42, color.NRGBA{0, 0, 0, 70}}, {41, color.NRGBA{226, 222, 214, 255}}, {37, color.NRGBA{180, 176, 168, 255}}, {35.5, color.NRGBA{74, 44, 26, 255}}} {
		s := newShape()
		c.polygon(s, polar(place, 120, func(float64) float64 { return ring.radius })...)
		c.paint(s, ring.color)
	}
}

// litter spreads printed papers over the desk, some under the sheet's edges.
func (c *canvas) litter(lay Layout, rng *rand.Rand) {
	for i := range 9 {
		// One after another round the sheet, each partly under it.
		sin, cos := math.Sincos(2 * math.Pi * (float64(i) + rng.Float64()) / 9)
		middle := point{lay.WidthMM * (0.5 + 0.72*cos), lay.HeightMM * (0.5 + 0.72*sin)}
		at := turned(middle, 2*math.Pi*rng.Float64())
		w, h := 105.0, 148.0
		c.quad(at, box{-w + 2, -h + 2, w + 2, h + 2}, color.NRGBA{0, 0, 0, 70})
		tone := uint8(222 + rng.IntN(26))
		c.quad(at, box{-w, -h, w, h}, color.NRGBA{tone, tone, tone - uint8(rng.IntN(14)), 255})
		c.print(at, box{-w + 18, -h + 20, w - 18, h - 20}, rng)
	}
}

// print fills a box with rows of marks that look like small print from afar.
func (c *canvas) print(at func(x, y float64) point, b box, rng *rand.Rand) {
	const em, pitch = 3.6, 6.4 // mm
	s := newShape()
	for y := b[1]; y < b[3]; y += pitch {
		end := b[2]
		if rng.IntN(5) == 0 {
			end -= (b[2] - b[0]) * rng.Float64()
		}
		for x := b[0]; x+em < end; x += em * 1.08 {
			for range 3 {
				if rng.IntN(2) == 0 {
					v := y + em*rng.Float64()
					c.line(s, 0.35, at(x, v), at(x+em*0.86, v))
				} else {
					u := x + em*0.86*rng.Float64()
					c.line(s, 0.35, at(u, y), at(u, y+em*0.9))
				}
			}
		}
	}
	c.ink(s, color.NRGBA{58, 58, 62, 255})
}

// beneath lays a bare sheet with a ruled border a little askew under what
// covers the box.
func (c *canvas) beneath(b box) {
	at := turned(point{b[0], b[1]}, 0.045)
	w, h := b[2]-b[0], b[3]-b[1]
	c.quad(at, box{-4, -2, w + 9, h + 14}, color.NRGBA{0, 0, 0, 80})
	c.quad(at, box{-7, -6, w + 6, h + 11}, color.NRGBA{238, 237, 230, 255})
	s := newShape()
	for _, d := range []float64{0, 1.6} {
		corners := box{-3, -2, w + 2, h + 7}.grow(-d).corners()
		for i, p := range corners {
			q := corners[(i+1)%4]
			c.line(s, 0.4, at(p.x, p.y), at(q.x, q.y))
		}
	}
	c.ink(s, keyGold)
}

// second is where another license lies: below a landscape sheet, right of a
// portrait one; its corners from its own top left, clockwise.
func (l Layout) second() [4]point {
	const gap = 12 // mm
	origin := point{5, l.HeightMM + gap}
	if l.HeightMM > l.WidthMM {
		origin = point{l.WidthMM + gap, 4}
	}
	at := turned(origin, -0.012)
	out := l.edge().corners()
	for i, p := range out {
		out[i] = at(p.x, p.y)
	}
	return out
}

// lay puts a face with its shadow on four corners.
func (c *canvas) lay(face *image.NRGBA, corners [4]point) {
	s := newShape()
	shade := corners
	for i := range shade {
		shade[i].x, shade[i].y = shade[i].x+2, shade[i].y+2.5
	}
	c.polygon(s, shade[:]...)
	c.paint(s, color.NRGBA{0, 0, 0, 80})
	w, h := float64(face.Rect.Dx()), float64(face.Rect.Dy())
	var seen [4]point
	area := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for i, p := range corners {
		seen[i] = c.px(p)
		area = area.union(box{seen[i].x, seen[i].y, seen[i].x, seen[i].y})
	}
	back := fit(seen, [4]point{{0, 0}, {w, 0}, {w, h}, {0, h}})
	from := &canvas{img: face, scale: 1}
	region := image.Rect(int(area[0]), int(area[1]), int(area[2])+1, int(area[3])+1).Intersect(c.img.Rect)
	for y := region.Min.Y; y < region.Max.Y; y++ {
		for x := region.Min.X; x < region.Max.X; x++ {
			p := back.apply(point{float64(x) + 0.5, float64(y) + 0.5})
			if p.x < 0 || p.y < 0 || p.x > w || p.y > h {
				continue
			}
			o := c.img.PixOffset(x, y)
			for k, v := range from.sample(p.x-0.5, p.y-0.5) {
				c.img.Pix[o+k] = uint8(levels[int(v*float32(len(levels)-1)+0.5)] + 0.5)
			}
		}
	}
}
