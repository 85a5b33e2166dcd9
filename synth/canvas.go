package synth

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strings"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

type point struct{ x, y float64 }

// box is x0, y0, x1, y1 in mm.
type box [4]float64

func (b box) union(o box) box {
	return box{min(b[0], o[0]), min(b[1], o[1]), max(b[2], o[2]), max(b[3], o[3])}
}

// corners are the box's corners from its top left, clockwise.
func (b box) corners() [4]point {
	return [4]point{{b[0], b[1]}, {b[2], b[1]}, {b[2], b[3]}, {b[0], b[3]}}
}

func (b box) grow(d float64) box { return box{b[0] - d, b[1] - d, b[2] + d, b[3] + d} }

func fixedUnits(em sfnt.Units) fixed.Int26_6 { return fixed.I(int(em)) }

// canvas draws in mm on a picture. Ink multiplies, as ink on paper does; paint
// covers.
type canvas struct {
	img   *image.NRGBA
	scale float64 // px per mm
	// x0, y0 is the place of the picture's corner in mm.
	x0, y0 float64
	// wear, where set, is the share of ink that took at a place in px.
	wear func(x, y int) float64
}

func newCanvas(widthMM, heightMM, pxPerMM float64, paper color.NRGBA) *canvas {
	img := image.NewNRGBA(image.Rect(0, 0, int(math.Round(widthMM*pxPerMM)), int(math.Round(heightMM*pxPerMM))))
	for n := copy(img.Pix, []uint8{paper.R, paper.G, paper.B, paper.A}); n < len(img.Pix); n *= 2 {
		copy(img.Pix[n:], img.Pix[:n])
	}
	return &canvas{img: img, scale: pxPerMM}
}

// shape collects outlines in px for one pass of the rasterizer. Outlines with
// one winding add up; a reversed one inside cuts a hole.
type shape struct {
	segments []segment
	min, max point
}

func newShape() *shape {
	return &shape{min: point{math.Inf(1), math.Inf(1)}, max: point{math.Inf(-1), math.Inf(-1)}}
}

func (s *shape) add(op sfnt.SegmentOp, ps ...point) {
	seg := segment{op: op}
	copy(seg.p[:], ps)
	for _, p := range ps {
		s.min = point{min(s.min.x, p.x), min(s.min.y, p.y)}
		s.max = point{max(s.max.x, p.x), max(s.max.y, p.y)}
	}
	s.segments = append(s.segments, seg)
}

func (c *canvas) px(p point) point { return point{(p.x - c.x0) * c.scale, (p.y - c.y0) * c.scale} }

// polygon adds a closed outline in mm.
func (c *canvas) polygon(s *shape, ps ...point) {
	for i, p := range ps {
		op := sfnt.SegmentOpLineTo
		if i == 0 {
			op = sfnt.SegmentOpMoveTo
		}
		s.add(op, c.px(p))
	}
}

// line adds a stroke of a width in mm along points in mm.
func (c *canvas) line(s *shape, width float64, ps ...point) {
	n := len(ps)
	outline := make([]point, 2*n)
	for i, p := range ps {
		a, b := ps[max(i-1, 0)], ps[min(i+1, n-1)]
		d := math.Hypot(b.x-a.x, b.y-a.y)
		if d == 0 {
			d = 1
		}
		nx, ny := -(b.y-a.y)/d*width/2, (b.x-a.x)/d*width/2
		outline[i] = point{p.x + nx, p.y + ny}
		outline[2*n-1-i] = point{p.x - nx, p.y - ny}
	}
	c.polygon(s, outline...)
}

// rect adds the outline of a rectangle.
func (c *canvas) rect(s *shape, width float64, b box) {
	h := width / 2
	c.line(s, width, point{b[0] - h, b[1]}, point{b[2] + h, b[1]})
	c.line(s, width, point{b[2], b[1]}, point{b[2], b[3]})
	c.line(s, width, point{b[2] + h, b[3]}, point{b[0] - h, b[3]})
	c.line(s, width, point{b[0], b[3]}, point{b[0], b[1]})
}

// curve samples f at n+1 places of 0..1.
func curve(n int, f func(t float64) point) []point {
	ps := make([]point, n+1)
	for i := range ps {
		ps[i] = f(float64(i) / float64(n))
	}
	return ps
}

// polar gives points round a center; radius is a function of the angle.
func polar(center point, n int, radius func(angle float64) float64) []point {
	return curve(n, func(t float64) point {
		a := 2 * math.Pi * t
		r := radius(a)
		return point{center.x + r*math.Sin(a), center.y - r*math.Cos(a)}
	})
}

func reversed(ps []point) []point {
	out := make([]point, len(ps))
	for i, p := range ps {
		out[len(ps)-1-i] = p
	}
	return out
}

func (c *canvas) ink(s *shape, ink color.NRGBA)     { c.fill(s, ink, true) }
func (c *canvas) paint(s *shape, paint color.NRGBA) { c.fill(s, paint, false) }

func (c *canvas) fill(s *shape, col color.NRGBA, multiply bool) {
	r := image.Rect(int(math.Floor(s.min.x)), int(math.Floor(s.min.y)), int(math.Ceil(s.max.x))+1, int(math.Ceil(s.max.y))+1)
	clip := r.Intersect(c.img.Rect)
	if len(s.segments) == 0 || clip.Empty() {
		return
	}
	z := vector.NewRasterizer(clip.Dx(), clip.Dy())
	at := func(p point) (float32, float32) {
		return float32(p.x - float64(clip.Min.X)), float32(p.y - float64(clip.Min.Y))
	}
	for i, seg := range s.segments {
		ax, ay := at(seg.p[0])
		bx, by := at(seg.p[1])
		cx, cy := at(seg.p[2])
		switch seg.op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				z.ClosePath()
			}
			z.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			z.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			z.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			z.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	z.ClosePath()
	z.DrawOp = draw.Src
	mask := image.NewAlpha(image.Rect(0, 0, clip.Dx(), clip.Dy()))
	z.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	channels := [3]float64{float64(col.R), float64(col.G), float64(col.B)}
	for y := range clip.Dy() {
		for x := range clip.Dx() {
			m := mask.Pix[y*mask.Stride+x]
			if m == 0 {
				continue
			}
			a := float64(m) / 255 * float64(col.A) / 255
			if c.wear != nil {
				a *= c.wear(clip.Min.X+x, clip.Min.Y+y)
			}
			o := c.img.PixOffset(clip.Min.X+x, clip.Min.Y+y)
			if a == 1 && !multiply {
				copy(c.img.Pix[o:o+4], []uint8{col.R, col.G, col.B, 255})
				continue
			}
			for k, ink := range channels {
				under := float64(c.img.Pix[o+k])
				over := ink
				if multiply {
					over = under * ink / 255
				}
				c.img.Pix[o+k] = uint8(under + a*(over-under) + 0.5)
			}
			c.img.Pix[o+3] = 255
		}
	}
}

// character adds one glyph: em in mm, origin of the baseline in mm, turned
// clockwise by angle, squeezed along the line by stretch.
func (c *canvas) character(s *shape, g glyph, em float64, origin point, angle, stretch float64) {
	sin, cos := math.Sincos(angle)
	for _, seg := range g.segments {
		n := map[sfnt.SegmentOp]int{sfnt.SegmentOpQuadTo: 2, sfnt.SegmentOpCubeTo: 3}[seg.op]
		ps := make([]point, max(n, 1))
		for i := range ps {
			x, y := seg.p[i].x*em*stretch, seg.p[i].y*em
			ps[i] = c.px(point{origin.x + x*cos - y*sin, origin.y + x*sin + y*cos})
		}
		s.add(seg.op, ps...)
	}
}

// lettering is how a text is set: em and spacing (added after each character)
// in mm, weight in em added round the outline.
type lettering struct {
	face    *typeface
	em      float64
	spacing float64
	weight  float64
	color   color.NRGBA
}

// width is the text's length in mm.
func (t lettering) width(text string) float64 {
	w := 0.0
	for _, r := range text {
		w += t.face.glyph(r).advance*t.em + t.spacing
	}
	if w > 0 {
		w -= t.spacing
	}
	return w
}

// text prints from x with the em box's top at y, and gives the box it covers.
func (c *canvas) text(t lettering, x, y float64, text string) box {
	baseline := y + 0.88*t.em // ascent of the em box in CJK fonts
	passes := []point{{}}
	if t.weight > 0 {
		d := t.weight * t.em
		passes = []point{{-d, 0}, {d, 0}, {0, -d}, {0, d}}
	}
	for _, shift := range passes {
		s := newShape()
		at := x
		for _, r := range text {
			g := t.face.glyph(r)
			c.character(s, g, t.em, point{at + shift.x, baseline + shift.y}, 0, 1)
			at += g.advance*t.em + t.spacing
		}
		if t.weight > 0 {
			c.paint(s, t.color)
		} else {
			c.ink(s, t.color)
		}
	}
	return box{x, y, x + t.width(text), y + t.em}
}

// cells are the boxes of the characters of a text set at x and y.
func (t lettering) cells(x, y float64, text string) [][4]float64 {
	var out [][4]float64
	for _, r := range text {
		advance := t.face.glyph(r).advance * t.em
		out = append(out, [4]float64{x, y, x + advance, y + t.em})
		x += advance + t.spacing
	}
	return out
}

// centered and rightAligned print round, or up to, x.
func (c *canvas) centered(t lettering, x, y float64, text string) box {
	return c.text(t, x-t.width(text)/2, y, text)
}

func (c *canvas) rightAligned(t lettering, x, y float64, text string) box {
	return c.text(t, x-t.width(text), y, text)
}

// justified spreads the characters over a width, as the labels of a license are.
func (c *canvas) justified(t lettering, x, y, width float64, text string) box {
	t.spacing = 0
	if n := len([]rune(text)); n > 1 {
		t.spacing = (width - t.width(text)) / float64(n-1)
	}
	if t.spacing < 0 {
		t.em *= width / (width - t.spacing*float64(len([]rune(text))-1))
		t.spacing = 0
	}
	return c.text(t, x, y, text)
}

// wrapped breaks the text to a width, with closing marks kept off line starts.
func (c *canvas) wrapped(t lettering, x, y, width, pitch float64, text string) box {
	covered := box{x, y, x, y}
	for _, line := range wrap(t, width, text) {
		covered = covered.union(c.text(t, x, y, line))
		y += pitch
	}
	return covered
}

func wrap(t lettering, width float64, text string) []string {
	const noStart = "，。；、：）)”’"
	var lines []string
	var line strings.Builder
	at := 0.0
	for _, r := range text {
		w := t.face.glyph(r).advance*t.em + t.spacing
		if at+w > width && !strings.ContainsRune(noStart, r) {
			lines = append(lines, line.String())
			line.Reset()
			at = 0
		}
		line.WriteRune(r)
		at += w
	}
	return append(lines, line.String())
}
