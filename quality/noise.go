package quality

import (
	"image"
	"math"
	"slices"
)

const (
	noiseTile  = 32  // px
	noiseTiles = 400 // about, spread over the photo
	// quietShare is the percentile of the tiles, by their noise, that has no print:
	// structure adds to noise, so that the quiet ones tell it.
	quietShare = 0.2
)

// Noise is the standard deviation of the sensor's noise, 0..255, of the tiles of
// a photo with the least structure (Immerkær 1996).
func Noise(photo *image.NRGBA) float64 {
	w, h := photo.Rect.Dx(), photo.Rect.Dy()
	step := max(noiseTile, int(math.Sqrt(float64(w*h)/noiseTiles)))
	var all []float64
	for y := 0; y+noiseTile <= h; y += step {
		for x := 0; x+noiseTile <= w; x += step {
			all = append(all, immerkaer(photo, x, y))
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return percentile(all, quietShare)
}

// immerkaer convolves a tile's green with the difference of two Laplacians, which
// no plane and no straight edge along an axis passes.
func immerkaer(photo *image.NRGBA, x0, y0 int) float64 {
	sum := 0
	at := func(x, y int) int { return int(photo.Pix[photo.PixOffset(x, y)+1]) }
	for y := y0 + 1; y < y0+noiseTile-1; y++ {
		for x := x0 + 1; x < x0+noiseTile-1; x++ {
			v := at(x-1, y-1) + at(x+1, y-1) + at(x-1, y+1) + at(x+1, y+1) -
				2*(at(x, y-1)+at(x-1, y)+at(x+1, y)+at(x, y+1)) + 4*at(x, y)
			sum += max(v, -v)
		}
	}
	const inner = noiseTile - 2
	return math.Sqrt(math.Pi/2) * float64(sum) / (6 * inner * inner)
}
