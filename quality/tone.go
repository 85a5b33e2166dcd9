package quality

import (
	"image"
	"math"
	"slices"
)

// The limits of a page's color.
const (
	// ChromaGray is the most color of print, CIELAB units, of a copy under colored
	// light: 13 of the 14 copies among 181 real licenses are below 12.2, originals
	// above 21.
	ChromaGray = 14.0
	// ChromaSealed is the same where there is a red seal: of two originals of
	// before 2014, printed in black but for the seal, the lower one has 9.4.
	ChromaSealed = 8.0
	// RedShareGray is the share of the page below which there is no red seal.
	RedShareGray = 0.0002
	// FadedInk is the level of ink, relative to paper's, above which color has faded
	// as ink has: the copies among 181 real licenses are below 0.55.
	FadedInk = 0.65
)

// Tone is the color and exposure of a page. Chroma is measured after white balance
// on the paper, in CIELAB units.
type Tone struct {
	Chroma   float64 // P99.5 of the page
	Print    float64 // P99.5 without what may be a seal: red in the lower part
	RedShare float64 // share of pixels as red as a seal, 0..1
	Paper    float64 // P90 of the largest of red, green and blue, 0..255
	Ink      float64 // level of the darkest hundredth of the page, 0..255: strokes, where there is print
}

// Grayscale says that the page was printed without color: a photocopy, whether or
// not it bears a fresh seal, or a grayscale picture. A veil of light takes the color
// of an original, too: what has faded is not called so.
func (t Tone) Grayscale() bool {
	if t.Ink > FadedInk*t.Paper {
		return false
	}
	return t.Print < ChromaSealed || t.Print < ChromaGray && !t.Sealed()
}

// Sealed says that there is ink as red as a seal.
func (t Tone) Sealed() bool { return t.RedShare >= RedShareGray }

// overviewSide bounds the reduced picture: a seal keeps some 50 px across, noise in
// color averages out.
const overviewSide = 400 // px

// sealTop is how far down a page a seal may begin; above it red belongs to the
// emblem.
const sealTop = 0.35

// sheetInset is the part of a page at its edges, as a share of its shorter side,
// that may show what lies round the sheet.
const sheetInset = 0.08

// balance turns the paper grey and keeps the hue of every pixel.
func (o *Overview) balance() {
	levels := make([]float64, len(o.pixels))
	for i := range o.pixels {
		levels[i] = o.level(i)
	}
	slices.Sort(levels)
	o.tone.Paper = percentile(levels, 0.90)
	o.gain = whiteBalance(o.pixels, percentile(levels, 0.50), percentile(levels, 0.95))
	o.hues = make([][2]float64, len(o.pixels))
	for i := range o.pixels {
		p := &o.pixels[i]
		for c := range p {
			p[c] = min(p[c]*o.gain[c], 255)
		}
		o.hues[i] = hue(p[0], p[1], p[2])
	}
}

// tones measures color.
func (o Overview) tones() Tone {
	t := Tone{Paper: o.tone.Paper}
	all, printed := make([]float64, len(o.pixels)), make([]float64, 0, len(o.pixels))
	red := 0
	sheet := image.Rect(0, 0, o.width, o.height).Inset(int(sheetInset * float64(min(o.width, o.height))))
	beyond := o.reachingIn()
	for i, p := range o.pixels {
		h := o.hues[i]
		all[i] = math.Hypot(h[0], h[1])
		at := image.Pt(i%o.width, i/o.width)
		if !at.In(sheet) || beyond[min(at.Y/cellPx, o.rows-1)*o.columns+min(at.X/cellPx, o.columns-1)] {
			continue
		}
		if sealRed(p[0], p[1], p[2]) {
			red++
		}
		if !sealHue(h) || at.Y < int(sealTop*float64(o.height)) {
			cast := o.cast(at.X, at.Y)
			printed = append(printed, math.Hypot(h[0]-cast[0], h[1]-cast[1]))
		}
	}
	slices.Sort(all)
	slices.Sort(printed)
	t.Chroma = percentile(all, 0.995)
	if len(printed) > 0 {
		t.Print = percentile(printed, 0.995)
	}
	t.RedShare = float64(red) / float64(len(o.pixels))
	return t
}

// reachingIn marks the cells of what reaches into the page over its edge and is neither
// paper nor print: thumbs that hold it, the table where the sheet was not cut out
// exactly. Cells beside them show it in part.
func (o Overview) reachingIn() []bool {
	reached := make([]bool, len(o.cells))
	page := image.Rect(0, 0, o.columns, o.rows)
	foreign := func(i int) bool { return o.foreign(o.cells[i]) }
	for x := range o.columns {
		flood(reached, o.columns, page, image.Pt(x, 0), foreign)
		flood(reached, o.columns, page, image.Pt(x, o.rows-1), foreign)
	}
	for y := range o.rows {
		flood(reached, o.columns, page, image.Pt(0, y), foreign)
		flood(reached, o.columns, page, image.Pt(o.columns-1, y), foreign)
	}
	wider := slices.Clone(reached)
	for i, is := range reached {
		if is {
			beside := image.Rect(i%o.columns-1, i/o.columns-1, i%o.columns+2, i/o.columns+2).Intersect(page)
			for y := beside.Min.Y; y < beside.Max.Y; y++ {
				for x := beside.Min.X; x < beside.Max.X; x++ {
					wider[y*o.columns+x] = true
				}
			}
		}
	}
	return wider
}

// sealHue says that a hue is nearer to that of red ink than skin's, whose b* is
// above its a*.
func sealHue(h [2]float64) bool { return h[0] > 0 && math.Abs(h[1]) < 0.8*h[0] }

// inkStep is the distance of the pixels that the ink is looked for in: strokes
// are thin, and averaging would bleach them.
const inkStep = 3 // px

// inkLevel is P1 of the largest of red, green and blue: a line of print covers about
// a fifth of its box, a page some 3 % of its area.
func inkLevel(picture *image.NRGBA) float64 {
	var counts [256]int
	n := 0
	for y := 0; y < picture.Rect.Dy(); y += inkStep {
		row := picture.Pix[y*picture.Stride:]
		for x := 0; x < picture.Rect.Dx(); x += inkStep {
			counts[max(row[4*x], row[4*x+1], row[4*x+2])]++
			n++
		}
	}
	seen := 0
	for level, count := range counts {
		if seen += count; seen*100 >= n {
			return float64(level)
		}
	}
	return 0
}

func percentile(sorted []float64, share float64) float64 {
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// reduce averages blocks of the picture so that its long side is at most side;
// of large blocks every other pixel in both directions.
func reduce(picture *image.NRGBA, side int) Overview {
	b := picture.Bounds()
	if b.Empty() {
		return Overview{}
	}
	k := (max(b.Dx(), b.Dy()) + side - 1) / side
	step := 1
	if k >= 4 {
		step = 2
	}
	o := Overview{width: max(b.Dx()/k, 1), height: max(b.Dy()/k, 1), scale: float64(k)}
	o.pixels = make([][3]float64, 0, o.width*o.height)
	for y := range o.height {
		for x := range o.width {
			var r, g, bl, n int
			for j := y * k; j < min((y+1)*k, b.Dy()); j += step {
				row := picture.Pix[j*picture.Stride:]
				for i := x * k; i < min((x+1)*k, b.Dx()); i += step {
					p := row[4*i : 4*i+3 : 4*i+3]
					r, g, bl, n = r+int(p[0]), g+int(p[1]), bl+int(p[2]), n+1
				}
			}
			f := 1 / float64(n)
			o.pixels = append(o.pixels, [3]float64{float64(r) * f, float64(g) * f, float64(bl) * f})
		}
	}
	return o
}

// whiteBalance gives the factors that turn the paper grey. Paper is what
// is neither among the darkest nor the lightest: levels from low to high.
func whiteBalance(pixels [][3]float64, low, high float64) [3]float64 {
	var channels [3][]float64
	for _, p := range pixels {
		if v := max(p[0], p[1], p[2]); v >= low && v <= high {
			for c := range channels {
				channels[c] = append(channels[c], p[c])
			}
		}
	}
	var paper, gain [3]float64
	for c, values := range channels {
		slices.Sort(values)
		paper[c] = max(percentile(values, 0.5), 1)
	}
	for c := range gain {
		gain[c] = max(paper[0], paper[1], paper[2]) / paper[c]
	}
	return gain
}

// sealRed uses the common HSV bounds of a red seal: hue within 20 degrees
// above and 48 below red, saturation and value above a sixth.
func sealRed(r, g, b float64) bool {
	v, low := max(r, g, b), min(r, g, b)
	if v <= 46 || (v-low)*255 <= 43*v || r < v {
		return false
	}
	hue := 60 * (g - b) / (v - low)
	return hue <= 20 && hue >= -48
}

// hue is a* and b* of CIELAB (sRGB, D65).
func hue(r, g, b float64) [2]float64 {
	lr, lg, lb := linear[int(r+0.5)], linear[int(g+0.5)], linear[int(b+0.5)]
	x := (0.4124*lr + 0.3576*lg + 0.1805*lb) / 0.9505
	y := 0.2126*lr + 0.7152*lg + 0.0722*lb
	z := (0.0193*lr + 0.1192*lg + 0.9505*lb) / 1.0890
	fx, fy, fz := labCurve(x), labCurve(y), labCurve(z)
	return [2]float64{500 * (fx - fy), 200 * (fy - fz)}
}

func labCurve(t float64) float64 {
	const e = 6.0 / 29
	if t > e*e*e {
		return math.Cbrt(t)
	}
	return t/(3*e*e) + 4.0/29
}

// linear is the light of each sRGB level, 0..1.
var linear = func() (table [256]float64) {
	for i := range table {
		v := float64(i) / 255
		if v <= 0.04045 {
			table[i] = v / 12.92
		} else {
			table[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return table
}()
