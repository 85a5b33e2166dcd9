package quality

import (
	"image"
	"math"
	"slices"

	"github.com/heyan/heyan/ocr"
)

// The limits of looking for a display's pixels in the spectrum of a photo.
const (
	// tileSide is in px of the photo.
	tileSide = spectrumSize
	maxTiles = 40 // spread over the sheet
	minTiles = 6  // fewer tell a pattern that recurs from chance
	// lowestBin is the frequency, in periods a tile, below which lines of print and
	// ornaments have peaks of their own.
	lowestBin = 12
	// gridBins is the reach of the peaks at multiples of an eighth of the sampling
	// frequency: JPEG's blocks.
	gridBins = 1
	// A peak is seen against the bins from besideFrom to besideTo on either side,
	// along both axes: print alone raises whole rows and columns.
	besideFrom, besideTo = 3, 8
	besideShare          = 0.75
)

// Screen is how far the highest peak of the photo's spectrum that recurs all over
// the sheet stands out, in nepers of power: the grid of a display's pixels, or its
// beat with the sensor's. It takes the photo as it was, not the flattened page,
// and the sheet's quad on it; of the zero quad the whole photo. The place is the
// tile where the peak is highest.
//
// The mean of the logarithms over tiles is what makes a peak recur: one tile in
// ten with a strong pattern of its own hardly lifts it.
func Screen(photo *image.NRGBA, sheet ocr.Quad) Spot {
	tiles := tilesIn(photo.Rect, sheet)
	if len(tiles) < minTiles {
		return Spot{}
	}
	spectra := make([][]float64, 0, len(tiles)+1)
	for i := 0; i < len(tiles); i += 2 {
		a, b := spectraOf(photo, tiles[i], tiles[min(i+1, len(tiles)-1)])
		spectra = append(spectra, a, b)
	}
	spectra = spectra[:len(tiles)]
	mean := make([]float64, tileSide*tileSide)
	for _, s := range spectra {
		for i, v := range s {
			mean[i] += v / float64(len(spectra))
		}
	}
	height, bin := highest(mean)
	worst := 0
	for i, s := range spectra {
		if s[bin] > spectra[worst][bin] {
			worst = i
		}
	}
	t := tiles[worst]
	return Spot{height, upright(float64(t.Min.X), float64(t.Min.Y), float64(t.Max.X), float64(t.Max.Y))}
}

// tilesIn are up to maxTiles tiles whose middle lies on the sheet.
func tilesIn(photo image.Rectangle, sheet ocr.Quad) []image.Rectangle {
	var all []image.Rectangle
	for y := 0; y+tileSide <= photo.Dy(); y += tileSide {
		for x := 0; x+tileSide <= photo.Dx(); x += tileSide {
			if sheet == (ocr.Quad{}) || sheet.Contains(ocr.Point{X: float64(x + tileSide/2), Y: float64(y + tileSide/2)}) {
				all = append(all, image.Rect(x, y, x+tileSide, y+tileSide))
			}
		}
	}
	if len(all) <= maxTiles {
		return all
	}
	chosen := make([]image.Rectangle, maxTiles)
	for i := range chosen {
		chosen[i] = all[i*len(all)/maxTiles]
	}
	return chosen
}

// spectraOf gives the logarithms of the power spectra of two tiles. One transform
// does both: one tile is its real, the other its imaginary part.
func spectraOf(photo *image.NRGBA, first, second image.Rectangle) (a, b []float64) {
	const n = tileSide
	z := make([]complex128, n*n)
	mean := complex(0, 0)
	level := func(at, x int) float64 { // luma, about
		p := photo.Pix[at+4*x : at+4*x+3 : at+4*x+3]
		return float64(int(p[0])+2*int(p[1])+int(p[2])) / 4
	}
	for y := range n {
		at, other := photo.PixOffset(first.Min.X, first.Min.Y+y), photo.PixOffset(second.Min.X, second.Min.Y+y)
		for x := range n {
			z[y*n+x] = complex(level(at, x), level(other, x))
			mean += z[y*n+x] / (n * n)
		}
	}
	for y := range n {
		row := z[y*n : (y+1)*n]
		for x := range row {
			row[x] = (row[x] - mean) * complex(window[x]*window[y], 0)
		}
		transform(row)
	}
	column := make([]complex128, n)
	for u := range n {
		for v := range n {
			column[v] = z[v*n+u]
		}
		transform(column)
		for v, c := range column {
			z[v*n+u] = c
		}
	}
	a, b = make([]float64, n*n), make([]float64, n*n)
	for v := range n {
		for u := range n {
			c, m := z[v*n+u], z[(n-v)%n*n+(n-u)%n]
			re, im := real(c)+real(m), imag(c)-imag(m)
			a[v*n+u] = math.Log(re*re + im*im + 1)
			re, im = real(c)-real(m), imag(c)+imag(m)
			b[v*n+u] = math.Log(re*re + im*im + 1)
		}
	}
	return a, b
}

// highest is the most prominent peak of a spectrum, and its bin.
func highest(spectrum []float64) (height float64, bin int) {
	const n = tileSide
	beside := make([]float64, 0, 2*(besideTo-besideFrom+1))
	prominence := func(u, v, du, dv int) float64 {
		beside = beside[:0]
		for k := besideFrom; k <= besideTo; k++ {
			beside = append(beside, spectrum[(v+k*dv+n)%n*n+(u+k*du+n)%n], spectrum[(v-k*dv+n)%n*n+(u-k*du+n)%n])
		}
		slices.Sort(beside)
		return spectrum[v*n+u] - percentile(beside, besideShare)
	}
	for v := range n {
		for u := range n/2 + 1 { // the other half mirrors it
			if math.Hypot(float64(u), float64(min(v, n-v))) < lowestBin || nearGrid(u) && nearGrid(v) {
				continue
			}
			if h := prominence(u, v, 1, 0); h > height {
				if h = min(h, prominence(u, v, 0, 1)); h > height {
					height, bin = h, v*n+u
				}
			}
		}
	}
	return height, bin
}

func nearGrid(bin int) bool {
	const eighth = tileSide / 8
	m := bin % eighth
	return m <= gridBins || m >= eighth-gridBins
}

// window is Hann's.
var window = func() (w [tileSide]float64) {
	for i := range w {
		w[i] = 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/tileSide)
	}
	return w
}()
