package quality

import (
	"image"
	"slices"
)

// The limits of telling a screenshot, from 8 of phones among 215 real pictures.
const (
	// phoneAspect is the long side over the short one from which a picture may be
	// a phone's screen; paper has 1.41, the sensors of cameras 1.33 to 1.78.
	cameraAspect, phoneAspect = 1.45, 1.6
	// flatShare is the share of rows of one color, among all, of a screenshot with
	// no more than a bar on it. Photos have none; white margins of scans are as
	// flat, but on all sides.
	flatShare = 0.07
	// flatLevels is the difference of levels within a row of one color that JPEG
	// leaves, flatPixels the share of its pixels that are looked at so.
	flatLevels, flatPixels = 4, 0.02
	flatSamples            = 128 // pixels of a row
	flatRowSamples         = 500 // rows
)

// Screenshot is how sure a picture is one of a phone's screen, 0..1: the form of a
// screen, and rows of one color from edge to edge round what it shows.
func Screenshot(picture *image.NRGBA) float64 {
	w, h := picture.Rect.Dx(), picture.Rect.Dy()
	if w == 0 || h == 0 {
		return 0
	}
	along, across := flatRows(picture, h, w, 0, 1), flatRows(picture, w, h, 1, 0)
	if w > h {
		along, across = across, along
	}
	aspect := float64(max(w, h)) / float64(min(w, h))
	form := (aspect - cameraAspect) / (phoneAspect - cameraAspect)
	return min(max(form, 0), 1) * min(max((along-2*across)/flatShare, 0), 1)
}

// flatRows is the share of rows of one color, 0..1, among rows of so many pixels
// that run by (dx, dy).
func flatRows(picture *image.NRGBA, rows, length, dy, dx int) float64 {
	flat, n := 0, 0
	step := max(length/flatSamples, 1)
	var levels [3][]uint8
	for i := 0; i < rows; i += max(rows/flatRowSamples, 1) {
		n++
		for c := range levels {
			levels[c] = levels[c][:0]
		}
		for j := 0; j < length; j += step {
			p := picture.Pix[picture.PixOffset(i*dy+j*dx, i*dx+j*dy):]
			for c := range levels {
				levels[c] = append(levels[c], p[c])
			}
		}
		one := true
		for c := 0; c < len(levels) && one; c++ {
			slices.Sort(levels[c])
			cut := int(flatPixels * float64(len(levels[c])))
			one = levels[c][len(levels[c])-1-cut]-levels[c][cut] <= flatLevels
		}
		if one {
			flat++
		}
	}
	return float64(flat) / float64(n)
}
