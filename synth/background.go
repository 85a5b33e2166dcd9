package synth

import (
	"fmt"
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
	// Hard to tell a sheet from: checks, a white desk, a desk under papers.
	SurfaceCheck  Surface = "check"
	SurfaceWhite  Surface = "white"
	SurfacePapers Surface = "papers"
)

// Surfaces lists all of them.
var Surfaces = []Surface{SurfaceWood, SurfaceStone, SurfaceCloth, SurfaceMat, SurfaceWall, SurfaceRoom, SurfaceScan,
	SurfaceCheck, SurfaceWhite, SurfacePapers}

// Cover is what the sheet is mounted in.
type Cover string

// The covers.
const (
	CoverNone   Cover = ""
	CoverFolder Cover = "folder" // the maroon case of a duplicate
	CoverFrame  Cover = "frame"  // a wooden picture frame
	CoverGlass  Cover = "glass"  // a metal picture frame whose glass reflects a window
	CoverScreen Cover = "screen" // a window on a monitor
)

// covers gives each cover's width round the sheet in mm and its color.
var covers = map[Cover]struct {
	width float64
	color color.NRGBA
}{
	CoverFolder: {9, color.NRGBA{96, 28, 36, 255}},
	CoverFrame:  {17, color.NRGBA{92, 58, 34, 255}},
	CoverGlass:  {12, color.NRGBA{168, 170, 174, 255}},
	CoverScreen: {bezelMM, color.NRGBA{}},
}

// Scene is everything in front of the camera but the light.
type Scene struct {
	Surface Surface `json:"surface"`
	Cover   Cover   `json:"cover,omitempty"`
	Objects bool    `json:"objects,omitempty"` // a pen and other papers beside the sheet
	Held    bool    `json:"held,omitempty"`    // thumbs on the sheet's lower edge
	Beneath bool    `json:"beneath,omitempty"` // a second, bare sheet looks out below
	Variant int     `json:"variant,omitempty"` // one of Variants looks of the surface
	Margin  float64 `json:"margin,omitempty"`  // of CoverScreen: what the window shows round the sheet, mm
}

// ID names the background: pictures with one ID look alike behind the sheet.
func (s Scene) ID() string {
	id := fmt.Sprintf("%s-%d", s.Surface, s.Variant)
	if s.Cover != CoverNone {
		id += "-" + string(s.Cover)
	}
	return id
}

// variants are looks of one surface: its color's factors and its grain's size.
var variants = []struct {
	tone  [3]float64
	grain float64
}{{[3]float64{1, 1, 1}, 1}, {[3]float64{1.2, 1.21, 1.22}, 0.7}, {[3]float64{0.62, 0.58, 0.55}, 1.4}, {[3]float64{1.02, 0.9, 0.78}, 1.15}}

// Variants is the number of looks of each surface.
var Variants = len(variants)

// color is the surface's color at a place in mm, before light.
func (s Scene) color(n noise, x, y float64) color.NRGBA {
	v := variants[s.Variant]
	if s.Variant == 0 {
		return s.Surface.texture(n, x, y)
	}
	t := s.Surface.texture(n, x/v.grain, y/v.grain)
	tone := func(c uint8, k float64) uint8 { return uint8(min(float64(c)*k, 250)) }
	return color.NRGBA{tone(t.R, v.tone[0]), tone(t.G, v.tone[1]), tone(t.B, v.tone[2]), 255}
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
	case SurfaceCheck:
		const side = 14 // mm
		i, j := int(math.Floor(x/side))&1, int(math.Floor(y/side))&1
		c := []color.NRGBA{{232, 230, 224, 255}, {182, 84, 84, 255}, {128, 34, 42, 255}}[i+j]
		return mix(c, color.NRGBA{90, 60, 58, 255}, 0.16*n.fractal(x/0.8, y/0.8, 2)+0.14*n.fractal(x/70, y/70, 3))
	case SurfaceWhite:
		return mix(color.NRGBA{236, 236, 232, 255}, color.NRGBA{216, 216, 214, 255}, 0.4*n.fractal(x/2, y/2, 2)+0.6*n.fractal(x/200, y/200, 3))
	case SurfacePapers:
		return mix(color.NRGBA{150, 146, 138, 255}, color.NRGBA{118, 114, 108, 255}, n.fractal(x/9, y/9, 3))
	}
	return white
}

// plane is the scene as a flat picture: surface, objects, cover and sheet, in
// the coordinates of the sheet.
func (s Scene) plane(face, second *image.NRGBA, lay Layout, view box, pxPerMM float64, rng *rand.Rand) *canvas {
	n := noise{rng.Uint64()}
	c := newCanvas(view[2]-view[0], view[3]-view[1], pxPerMM, white)
	// The sheet must fall on whole pixels.
	c.x0 = math.Floor(view[0]*pxPerMM) / pxPerMM
	c.y0 = math.Floor(view[1]*pxPerMM) / pxPerMM
	cover := covers[s.Cover]
	outer := lay.edge().grow(cover.width)
	if s.Cover == CoverScreen {
		outer = s.display(lay).grow(bezelMM)
	}
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
			t := s.color(n, x, y)
			o := i%width*4 + i/width*c.img.Stride
			c.img.Pix[o], c.img.Pix[o+1], c.img.Pix[o+2] = uint8(k*float64(t.R)), uint8(k*float64(t.G)), uint8(k*float64(t.B))
		}
	}
	if s.Surface == SurfacePapers {
		c.litter(lay, rng)
	}
	if s.Objects {
		c.clutter(outer, rng)
	}
	if face == nil {
		return c
	}
	if s.Beneath {
		c.beneath(outer)
	}
	if second != nil {
		c.lay(second, lay.second())
	}
	if s.Cover == CoverScreen {
		c.monitor(s.display(lay), n)
	} else if cover.width > 0 {
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
	hidden := b.grow(-width - 1)
	c.wear = func(x, y int) float64 {
		if outside(hidden, float64(x)/c.scale+c.x0, float64(y)/c.scale+c.y0) == 0 {
			return 0 // under the sheet
		}
		return n.fractal(float64(x)/c.scale, float64(y)/c.scale, 3) * 0.5
	}
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
