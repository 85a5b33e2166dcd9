package quality

import (
	"image"
	"math"
	"slices"
)

// The limits of a page's colour. A page is a grayscale copy when both the chroma
// (P99.5, CIELAB) and the red share are below.
const (
	ChromaGray   = 10.0   // CIELAB units: at most this much in a copy under coloured light
	RedShareGray = 0.0002 // of the page
)

// Tone is the colour and exposure of a page.
type Tone struct {
	Chroma   float64 // P99.5 of CIELAB chroma after white balance on the paper
	RedShare float64 // share of pixels as red as a seal, 0..1
	Paper    float64 // P90 of the largest of red, green and blue, 0..255
	Ink      float64 // level of the darkest hundredth of the page, 0..255: strokes, where there is print
}

// Grayscale says that the page shows no colour: a photocopy or a grayscale picture.
func (t Tone) Grayscale() bool { return t.Chroma < ChromaGray && t.RedShare < RedShareGray }

// toneSide bounds the reduced picture: a seal keeps some 50 px across, noise in
// colour averages out.
const toneSide = 400 // px

// Tones measures the colour and exposure of a page, best of the flattened
// one: a colourful desk counts as colour.
func Tones(picture *image.NRGBA) Tone {
	pixels := reduce(picture, toneSide)
	if len(pixels) == 0 {
		return Tone{}
	}
	values := make([]float64, len(pixels))
	for i, p := range pixels {
		values[i] = max(p[0], p[1], p[2])
	}
	slices.Sort(values)
	t := Tone{Paper: percentile(values, 0.90), Ink: inkLevel(picture)}

	gain := whiteBalance(pixels, percentile(values, 0.50), percentile(values, 0.95))
	chromas := make([]float64, len(pixels))
	red := 0
	for i, p := range pixels {
		r, g, b := min(p[0]*gain[0], 255), min(p[1]*gain[1], 255), min(p[2]*gain[2], 255)
		chromas[i] = chroma(r, g, b)
		if sealRed(r, g, b) {
			red++
		}
	}
	slices.Sort(chromas)
	t.Chroma = percentile(chromas, 0.995)
	t.RedShare = float64(red) / float64(len(pixels))
	return t
}

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
func reduce(picture *image.NRGBA, side int) [][3]float64 {
	b := picture.Bounds()
	if b.Empty() {
		return nil
	}
	k := (max(b.Dx(), b.Dy()) + side - 1) / side
	step := 1
	if k >= 4 {
		step = 2
	}
	w, h := max(b.Dx()/k, 1), max(b.Dy()/k, 1)
	pixels := make([][3]float64, 0, w*h)
	for y := range h {
		for x := range w {
			var r, g, bl, n int
			for j := y * k; j < min((y+1)*k, b.Dy()); j += step {
				row := picture.Pix[j*picture.Stride:]
				for i := x * k; i < min((x+1)*k, b.Dx()); i += step {
					p := row[4*i : 4*i+3 : 4*i+3]
					r, g, bl, n = r+int(p[0]), g+int(p[1]), bl+int(p[2]), n+1
				}
			}
			f := 1 / float64(n)
			pixels = append(pixels, [3]float64{float64(r) * f, float64(g) * f, float64(bl) * f})
		}
	}
	return pixels
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

// chroma is the distance from grey in CIELAB (sRGB, D65).
func chroma(r, g, b float64) float64 {
	lr, lg, lb := linear[int(r+0.5)], linear[int(g+0.5)], linear[int(b+0.5)]
	x := (0.4124*lr + 0.3576*lg + 0.1805*lb) / 0.9505
	y := 0.2126*lr + 0.7152*lg + 0.0722*lb
	z := (0.0193*lr + 0.1192*lg + 0.9505*lb) / 1.0890
	fx, fy, fz := labCurve(x), labCurve(y), labCurve(z)
	return math.Hypot(500*(fx-fy), 200*(fy-fz))
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
