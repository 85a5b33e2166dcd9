package quality

import (
	"image"
	"math"
	"slices"
)

const (
	spectrumSize = 128  // samples a transform
	spectrumRows = 24   // rows of a line that are looked at, about
	cutoffPower  = 1e-3 // of the spectrum's peak
	cutoffSmooth = 5    // bins

	// softBelow is the cut-off, in cycles a pixel, under which a picture holds
	// less detail than its pixels could; sharp native text reaches 0.4 to 0.5.
	softBelow = 0.35
	// emPerCutoff turns cut-off times em into the em before enlarging: 0.65 x 2
	// for bicubic enlarging, within 2 %; 14 % under 10 px.
	emPerCutoff = 1.3
)

// effectiveEm is the em, in pixels, that is enough to carry the detail the
// line has: of an enlarged picture the em before it was enlarged. Softness of
// the lens lowers it as well, so that it tells how a picture was made and not
// by itself whether it can be read.
func effectiveEm(g *image.Gray, em float64) float64 {
	f := cutoff(g)
	if f == 0 || f >= softBelow {
		return em
	}
	return min(em, emPerCutoff*f*em)
}

// cutoff is the highest frequency along the line that carries text, in cycles
// a pixel, from the mean power spectrum of its rows; 0 for a line without any.
func cutoff(g *image.Gray) float64 {
	w, h := g.Bounds().Dx(), g.Bounds().Dy()
	power := make([]float64, spectrumSize/2)
	buffer := make([]complex128, spectrumSize)
	for y := 0; y < h; y += max(h/spectrumRows, 1) {
		row := g.Pix[y*g.Stride : y*g.Stride+w]
		for from := 0; from == 0 || from+spectrumSize <= w; from += spectrumSize / 2 {
			part := row[from:min(from+spectrumSize, w)]
			mean := 0.0
			for _, v := range part {
				mean += float64(v)
			}
			mean /= float64(len(part))
			clear(buffer)
			for i, v := range part {
				hann := window[i]
				if len(part) < spectrumSize {
					hann = 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(part)))
				}
				buffer[i] = complex((float64(v)-mean)*hann, 0)
			}
			transform(buffer)
			for i := range power {
				re, im := real(buffer[i]), imag(buffer[i])
				power[i] += re*re + im*im
			}
		}
	}
	smooth := make([]float64, len(power))
	for i := range power {
		from, to := max(i-cutoffSmooth/2, 0), min(i+cutoffSmooth/2+1, len(power))
		for _, p := range power[from:to] {
			smooth[i] += p / float64(to-from)
		}
	}
	limit := cutoffPower * slices.Max(smooth)
	for i := len(smooth) - 1; i > 0; i-- {
		if smooth[i] > limit {
			return float64(i) / spectrumSize
		}
	}
	return 0
}

// roots are the roots of unity that a transform turns by.
var roots = func() (w [spectrumSize / 2]complex128) {
	for i := range w {
		sin, cos := math.Sincos(-2 * math.Pi * float64(i) / spectrumSize)
		w[i] = complex(cos, sin)
	}
	return w
}()

// transform is the discrete Fourier transform in place; the length is a power of
// two, at most spectrumSize.
func transform(a []complex128) {
	n := len(a)
	for i, j := 1, 0; i < n; i++ {
		bit := n >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		j ^= bit
		if i < j {
			a[i], a[j] = a[j], a[i]
		}
	}
	for size := 2; size <= n; size <<= 1 {
		half, step := size/2, spectrumSize/size
		for start := 0; start < n; start += size {
			low, high := a[start:start+half], a[start+half:start+size]
			for k, even := range low {
				odd := high[k] * roots[k*step]
				low[k], high[k] = even+odd, even-odd
			}
		}
	}
}
