package synth

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

// Surface is what the sheet lies on, hangs on or is held before.
type Surface string

// The surfaces. SurfaceScan is the lid of a scanner: white, without light or
// shadow.
const (
	SurfaceWood  Surface = "wood"
	SurfaceStone Surface = "stone"
	SurfaceCloth Surface = "cloth"
	SurfaceMat   Surface = "mat"
	SurfaceWall  Surface = "wall"
	SurfaceRoom  Surface = "room"
	SurfaceScan  Surface = "scan"
)

// Surfaces lists all of them.
var Surfaces = []Surface{SurfaceWood, SurfaceStone, SurfaceCloth, SurfaceMat, SurfaceWall, SurfaceRoom, SurfaceScan}

// Cover is what the sheet is mounted in.
type Cover string

// The covers.
const (
	CoverNone   Cover = ""
	CoverFolder Cover = "folder" // the maroon case of a duplicate
	CoverFrame  Cover = "frame"  // a wooden picture frame
	CoverScreen Cover = "screen" // the bezel of a monitor
)

// covers gives each cover's width round the sheet in mm and its color.
var covers = map[Cover]struct {
	width float64
	color color.NRGBA
}{
	CoverFolder: {9, color.NRGBA{96, 28, 36, 255}},
	CoverFrame:  {17, color.NRGBA{92, 58, 34, 255}},
	CoverScreen: {14, color.NRGBA{22, 22, 24, 255}},
}

// Scene is everything in front of the camera but the light.
type Scene struct {
	Surface Surface `json:"surface"`
	Cover   Cover   `json:"cover,omitempty"`
	Objects bool    `json:"objects,omitempty"` // a pen and other papers beside the sheet
	Held    bool    `json:"held,omitempty"`    // thumbs on the sheet's lower edge
}

// texture is the surface's color at a place in mm, before light.
func (s Surface) texture(n noise, x, y float64) color.NRGBA {
	mix := func(a, b color.NRGBA, t float64) color.NRGBA {
		t = min(max(t, 0), 1)
		m := func(p, q uint8) uint8 { return uint8(float64(p) + (float64(q)-float64(p))*t + 0.5) }
		return color.NRGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), 255}
	}
	switch s {
	case SurfaceWood:
		plank := math.Floor(y / 118)
		yy := y + plank*731
		rings := n.fractal(x/210, yy/17, 3)
		grain := n.fractal(x/26, yy/0.7, 2)
		t := 0.5 + 0.5*math.Sin(rings*22) + 0.7*(grain-0.5)
		c := mix(color.NRGBA{176, 128, 82, 255}, color.NRGBA{133, 88, 52, 255}, t*0.8+0.12*n.lattice(int64(plank), 3))
		if edge := math.Mod(math.Mod(y, 118)+118, 118); edge < 0.9 {
			c = mix(c, color.NRGBA{58, 36, 22, 255}, 0.8)
		}
		return c
	case SurfaceStone:
		vein := 1 - math.Abs(2*n.fractal(x/140, y/140, 5)-1)
		t := 0.4*n.fractal(x/3, y/3, 3) + 0.9*math.Pow(vein, 9)
		return mix(color.NRGBA{206, 204, 200, 255}, color.NRGBA{134, 132, 130, 255}, t)
	case SurfaceCloth:
		weave := 0.5 + 0.25*math.Sin(2*math.Pi*x/1.9) + 0.25*math.Sin(2*math.Pi*y/1.9)
		return mix(color.NRGBA{58, 84, 116, 255}, color.NRGBA{36, 54, 80, 255}, 0.55*weave+0.6*n.fractal(x/60, y/60, 4))
	case SurfaceMat:
		return mix(color.NRGBA{52, 52, 55, 255}, color.NRGBA{34, 34, 36, 255}, n.fractal(x/2.2, y/2.2, 3))
	case SurfaceWall:
		return mix(color.NRGBA{222, 218, 208, 255}, color.NRGBA{202, 198, 188, 255}, 0.5*n.fractal(x/4, y/4, 3)+0.5*n.fractal(x/300, y/300, 2))
	case SurfaceRoom:
		t, u := n.fractal(x/150, y/150, 2), n.fractal(y/130+40, x/130, 2)
		return mix(mix(color.NRGBA{112, 106, 98, 255}, color.NRGBA{206, 200, 190, 255}, step(0.3, 0.7, t)), color.NRGBA{128, 98, 74, 255}, step(0.5, 0.8, u))
	}
	return white
}

// plane is the scene as a flat picture: surface, objects, cover and sheet, in
// the coordinates of the sheet.
func (s Scene) plane(face *image.NRGBA, lay Layout, view box, pxPerMM float64, rng *rand.Rand) *canvas {
	n := noise{rng.Uint64()}
	c := newCanvas(view[2]-view[0], view[3]-view[1], pxPerMM, white)
	// The sheet must fall on whole pixels.
	c.x0 = math.Floor(view[0]*pxPerMM) / pxPerMM
	c.y0 = math.Floor(view[1]*pxPerMM) / pxPerMM
	cover := covers[s.Cover]
	outer := box{-cover.width, -cover.width, lay.WidthMM + cover.width, lay.HeightMM + cover.width}
	if s.Surface != SurfaceScan {
		width := c.img.Rect.Dx()
		for i := range width * c.img.Rect.Dy() {
			x, y := float64(i%width)/c.scale+c.x0, float64(i/width)/c.scale+c.y0
			k := 1.0
			if face != nil {
				if outside(outer, x, y) == 0 {
					continue // under the sheet
				}
				k -= 0.5 * math.Exp(-outside(outer, x-2, y-2.5)/3.5) // its shadow
			}
			t := s.Surface.texture(n, x, y)
			o := i%width*4 + i/width*c.img.Stride
			c.img.Pix[o], c.img.Pix[o+1], c.img.Pix[o+2] = uint8(k*float64(t.R)), uint8(k*float64(t.G)), uint8(k*float64(t.B))
		}
	}
	if s.Objects {
		c.clutter(outer, rng)
	}
	if face == nil {
		return c
	}
	if cover.width > 0 {
		c.mount(outer, cover.color, cover.width, n)
	}
	ox, oy := int(math.Round(-c.x0*c.scale)), int(math.Round(-c.y0*c.scale))
	for y := range face.Rect.Dy() {
		if row := y + oy; row >= 0 && row < c.img.Rect.Dy() {
			from, to := max(0, -ox), min(face.Rect.Dx(), c.img.Rect.Dx()-ox)
			if from < to {
				copy(c.img.Pix[row*c.img.Stride+(from+ox)*4:], face.Pix[y*face.Stride+from*4:y*face.Stride+to*4])
			}
		}
	}
	if s.Held {
		for _, x := range []float64{lay.WidthMM * 0.04, lay.WidthMM * 0.95} {
			c.finger(point{x, lay.HeightMM * 0.955}, 11, rng.Float64()*0.5-0.25)
		}
	}
	return c
}

// outside is the distance from a box in mm, 0 inside.
func outside(b box, x, y float64) float64 {
	return math.Hypot(max(b[0]-x, 0, x-b[2]), max(b[1]-y, 0, y-b[3]))
}

// mount paints a cover round the sheet with a lit and a shaded edge.
func (c *canvas) mount(b box, col color.NRGBA, width float64, n noise) {
	rectangle := func(b box) *shape {
		s := newShape()
		c.polygon(s, point{b[0], b[1]}, point{b[2], b[1]}, point{b[2], b[3]}, point{b[0], b[3]})
		return s
	}
	c.paint(rectangle(b), col)
	c.wear = func(x, y int) float64 { return n.fractal(float64(x)/c.scale, float64(y)/c.scale, 3) * 0.5 }
	c.paint(rectangle(b), color.NRGBA{0, 0, 0, 120})
	c.wear = nil
	lit, shaded := newShape(), newShape()
	c.line(lit, 0.7, point{b[0] + 0.4, b[3]}, point{b[0] + 0.4, b[1] + 0.4})
	c.line(lit, 0.7, point{b[0], b[1] + 0.4}, point{b[2], b[1] + 0.4})
	c.paint(lit, color.NRGBA{255, 240, 230, 70})
	in := width - 0.5
	c.line(shaded, 1, point{b[0] + in, b[3] - in}, point{b[0] + in, b[1] + in})
	c.line(shaded, 1, point{b[0] + in, b[1] + in}, point{b[2] - in, b[1] + in})
	c.paint(shaded, color.NRGBA{0, 0, 0, 130})
}

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

// finger covers a round-ended strip from a tip downwards.
func (c *canvas) finger(tip point, radius, lean float64) {
	sin, cos := math.Sincos(lean)
	at := func(x, y float64) point { return point{tip.x + x*cos - y*sin, tip.y + x*sin + y*cos} }
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
}
