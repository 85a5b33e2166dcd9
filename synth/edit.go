package synth

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/disintegration/imaging"

	"github.com/heyan/heyan/pipeline/report"
)

// paste puts another character over one of a field, as an editing program
// does: a patch of the paper's color, then the character. At strength 0 it has
// the field's typeface, ink, blur and noise; at 1 another typeface and size, a
// shifted line, sharp edges and a flat patch. It gives the text as it now
// reads, what changed and where.
func (f *Fonts) paste(img *image.NRGBA, l License, shot Shot, d Defect, text string, rng *rand.Rand) (edited string, shown string, area report.Polygon) {
	cells := shot.characters[d.Field]
	runes := []rune(text)
	i := rng.IntN(len(cells))
	alphabet := trade
	if d.Field != report.FieldCompanyName {
		i = 6 + rng.IntN(len(cells)-7) // behind the division, before the check
		alphabet = []rune("0123456789")
	}
	was := runes[i]
	for runes[i] == was {
		runes[i] = pick(rng, alphabet)
	}
	// The patch reaches into the gaps round the character.
	q := cells[i]
	const gap = 0.08
	grown := make(report.Polygon, 4)
	middle := point{(q[0][0] + q[2][0]) / 2, (q[0][1] + q[2][1]) / 2}
	for k, p := range q {
		grown[k] = report.Point{tenths(middle.x + (p[0]-middle.x)*(1+gap)), tenths(middle.y + (p[1]-middle.y)*(1+2*gap))}
	}
	face := f.values(l)
	paper, ink := tones(img, grown, darkness(f.stamp(face, was, 0, rng)))
	if d.Strength >= 0.5 {
		face = f.sansBold
		if l.Sans {
			face = f.serif
		}
	}
	stamp := f.stamp(face, runes[i], d.Strength, rng)
	em := math.Hypot(q[3][0]-q[0][0], q[3][1]-q[0][1])
	sharp := float64(stamp.Rect.Dy()) / em
	// A careful editor softens the character as the photo is: half a pixel.
	stamp = imaging.Blur(stamp, sharp*(0.2+0.3*(1-d.Strength)))

	back := fit(quadOf(grown), [4]point{{0, 0}, {1, 0}, {1, 1}, {0, 1}})
	noise := 1.6 * (1 - d.Strength)
	at := bounds(grown)
	mask := &canvas{img: stamp, scale: 1}
	for y := int(at[1]); y <= int(at[3]); y++ {
		for x := int(at[0]); x <= int(at[2]); x++ {
			p := back.apply(point{float64(x) + 0.5, float64(y) + 0.5})
			if !(image.Point{x, y}.In(img.Rect)) || p.x < 0 || p.y < 0 || p.x > 1 || p.y > 1 {
				continue
			}
			// A careful editor feathers the patch.
			edge := min(p.x, 1-p.x, p.y, 1-p.y)
			opacity := 1.0
			if d.Strength < 0.5 {
				opacity = step(0, 0.1, edge)
			}
			coverage := float64(mask.level(p.x*float64(stamp.Rect.Dx()), p.y*float64(stamp.Rect.Dy()))) / 255
			shake := noise * rng.NormFloat64()
			o := img.PixOffset(x, y)
			for k := range 3 {
				v := paper[k]*coverage + ink[k]*(1-coverage) + shake
				img.Pix[o+k] = uint8(min(max(float64(img.Pix[o+k])*(1-opacity)+v*opacity+0.5, 0), 255))
			}
		}
	}
	return string(runes), string(was) + "→" + string(runes[i]), grown
}

// stamp draws a character black on white into a cell of its own shape.
func (f *Fonts) stamp(face *typeface, r rune, strength float64, rng *rand.Rand) *image.NRGBA {
	const em = 96.0 // px, finer than any photo
	g := face.glyph(r)
	gapX, gapY := 0.04*g.advance*em, 0.08*em
	c := &canvas{img: imaging.New(int(g.advance*em+2*gapX), int(em+2*gapY), color.White), scale: 1}
	size := em * (1 + strength*0.12*(2*rng.Float64()-1))
	drop := em * strength * 0.09 * (2*rng.Float64() - 1)
	s := newShape()
	c.character(s, g, size, point{gapX, gapY + 0.88*em + drop}, 0, 1)
	c.paint(s, color.NRGBA{0, 0, 0, 255})
	return c.img
}

// level is the red channel at a place in px between pixels.
func (c *canvas) level(x, y float64) uint8 {
	i := min(max(int(x), 0), c.img.Rect.Dx()-1)
	j := min(max(int(y), 0), c.img.Rect.Dy()-1)
	return c.img.Pix[j*c.img.Stride+4*i]
}

// darkness is the share of a picture that ink covers.
func darkness(stamp *image.NRGBA) float64 {
	sum := 0.0
	for i := 0; i < len(stamp.Pix); i += 4 {
		sum += 255 - float64(stamp.Pix[i])
	}
	return sum / (255 * float64(len(stamp.Pix)/4))
}

// tones are the colors of paper and of solid ink in an area, in levels. Paper is
// the 80th percentile; ink, which no pixel of a thin stroke shows, is what takes
// the mean that far down when it covers its share.
func tones(img *image.NRGBA, area report.Polygon, covered float64) (paper, ink [3]float64) {
	var levels [3][]float64
	b, inside := bounds(area), within(area)
	for y := max(int(b[1]), 0); y <= min(int(b[3]), img.Rect.Max.Y-1); y++ {
		for x := max(int(b[0]), 0); x <= min(int(b[2]), img.Rect.Max.X-1); x++ {
			if inside(point{float64(x) + 0.5, float64(y) + 0.5}) {
				for k := range levels {
					levels[k] = append(levels[k], float64(img.Pix[img.PixOffset(x, y)+k]))
				}
			}
		}
	}
	for k, all := range levels {
		if len(all) == 0 {
			continue
		}
		sum := 0.0
		for _, v := range all {
			sum += v
		}
		slices.Sort(all)
		paper[k] = all[len(all)*8/10]
		ink[k] = max(paper[k]-(paper[k]-sum/float64(len(all)))/covered, 0)
	}
	return paper, ink
}

// mask paints over the last share of a field, as people do who hide part of a
// number: black, or coarse tiles.
func mask(img *image.NRGBA, field report.Polygon, share float64, rng *rand.Rand) report.Polygon {
	toward := func(a, b report.Point, t float64) report.Point {
		return report.Point{tenths(a[0] + t*(b[0]-a[0])), tenths(a[1] + t*(b[1]-a[1]))}
	}
	area := report.Polygon{toward(field[1], field[0], share), field[1], field[2], toward(field[2], field[3], share)}
	b, inside := bounds(area), within(area)
	tile := max(4, int(math.Hypot(field[3][0]-field[0][0], field[3][1]-field[0][1])*0.6))
	tiles := rng.IntN(2) == 0
	source := imaging.Clone(img)
	for y := max(int(b[1]), 0); y <= min(int(b[3]), img.Rect.Max.Y-1); y++ {
		for x := max(int(b[0]), 0); x <= min(int(b[2]), img.Rect.Max.X-1); x++ {
			if !inside(point{float64(x) + 0.5, float64(y) + 0.5}) {
				continue
			}
			o := img.PixOffset(x, y)
			copy(img.Pix[o:o+3], []uint8{12, 12, 12})
			if tiles {
				from := source.PixOffset(min(x/tile*tile+tile/2, img.Rect.Max.X-1), min(y/tile*tile+tile/2, img.Rect.Max.Y-1))
				copy(img.Pix[o:o+3], source.Pix[from:from+3])
			}
		}
	}
	return area
}

// overprint prints what a copy or a specimen gets on its face.
func (f *Fonts) overprint(face *image.NRGBA, lay Layout, l License, c Camera, rng *rand.Rand) *image.NRGBA {
	if d, ok := c.defect(GrayCopy); ok {
		face = photocopy(face, d.Strength)
	}
	on := func() *canvas { return &canvas{img: face, scale: float64(face.Rect.Dx()) / lay.WidthMM} }
	if d, ok := c.defect(StampedCopy); ok {
		face = photocopy(face, d.Strength)
		center := point{lay.WidthMM * (0.3 + 0.3*rng.Float64()), lay.HeightMM * (0.72 + 0.12*rng.Float64())}
		f.seal(on(), center, 20*l.enlargement(), l.Name, rng.Uint64())
	}
	if d, ok := c.defect(Specimen); ok {
		word := []rune(pick(rng, []string{"样本", "样张"}))
		s := newShape()
		em := min(lay.WidthMM, lay.HeightMM) * 0.3
		at := turned(lay.middle(), -0.45)
		for i, r := range word {
			on().character(s, f.sansBold.glyph(r), em, at((float64(i)-1)*em*1.1, 0.38*em), -0.45, 1)
		}
		on().paint(s, color.NRGBA{200, 40, 40, uint8(255 * d.Strength)})
	}
	return face
}

// photocopy takes a share of the color and hardens the tones.
func photocopy(face *image.NRGBA, share float64) *image.NRGBA {
	return imaging.AdjustContrast(imaging.AdjustSaturation(face, -100*share), 12)
}

// bounds is the box round a polygon.
func bounds(p report.Polygon) box {
	b := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, c := range p {
		b = b.union(box{c[0], c[1], c[0], c[1]})
	}
	return b
}

func quadOf(p report.Polygon) [4]point {
	var q [4]point
	for i := range q {
		q[i] = point{p[i][0], p[i][1]}
	}
	return q
}

// retouch makes the edits of the picture's file and writes them into its truth.
func (f *Fonts) retouch(img *image.NRGBA, p *Picture, rng *rand.Rand) {
	if p.License == nil {
		return
	}
	shown := *p.License
	for i := range p.Camera.Defects {
		d := &p.Camera.Defects[i]
		switch d.Kind {
		case EditedCode:
			var number string
			d.Field, number = shown.Code()
			number, d.Shown, p.Shot.areas[d.Kind] = f.paste(img, shown, p.Shot, *d, number, rng)
			if d.Field == report.FieldUSCC {
				shown.USCC = number
			} else {
				shown.RegistrationNumber = number
			}
			p.WrongCheck = true // one digit never keeps the check
		case EditedName:
			d.Field = report.FieldCompanyName
			shown.Name, d.Shown, p.Shot.areas[d.Kind] = f.paste(img, shown, p.Shot, *d, shown.Name, rng)
		case Masked:
			p.Shot.areas[d.Kind] = mask(img, p.Shot.Fields[d.Field], d.Strength, rng)
		}
	}
	p.License = &shown
}
