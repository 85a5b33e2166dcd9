// Package likeness tells from two pictures' prints whether they are one shot sent
// twice, or one an edit of the other. It knows pixels, structure and strips of print;
// it must not know codes, names, organizations or stores, and never decides what may
// be shared.
//
// The whole of a photo cannot tell two licenses apart that were scanned on one
// machine or drawn from one template, and a line of print cannot tell one shot
// from another: Compare takes both. Its prints are compared pair by pair. They
// have no keys to search by: what survives a crop of 3 % is shared by too many
// (of 215 real pictures 2.5 % of all pairs, of synthetic ones 18 %), so candidates
// come from what was read: codes, names, dates.
package likeness

import (
	"image"

	"github.com/heyan/heyan/pipeline/report"
)

const (
	// shotSide is the side of a shot's grid: a line of text is about a cell high on
	// a sheet that fills the frame.
	shotSide = 56
	// shotScale is the size of the structure a shot's grid keeps, cells: light and
	// shade, which are larger, are taken out.
	shotScale = 5
	// shotSamples is about how many pixels a side of a photo is sampled at.
	shotSamples = 1000
	// stripWidth x stripHeight keep 4 cells for each of the 18 characters of a code.
	stripWidth, stripHeight = 80, 10
	stripScale              = 4
)

// Of takes the print of a photo. Turns is by how many quarters clockwise the sheet
// on it becomes upright. Strips are gray crops of lines of print, at the size they
// have on the flattened sheet; empty ones are left out.
func Of(photo *image.NRGBA, turns int, strips map[report.FieldName]*image.Gray) report.Print {
	step := max(1, min(photo.Rect.Dx(), photo.Rect.Dy())/shotSamples)
	whole := reduce(photo.Rect.Dx(), photo.Rect.Dy(), step, shotSide, shotSide, func(line []float64, y int) {
		for x := 0; x < len(line); x += step {
			line[x] = float64(Luma(photo.Pix[y*photo.Stride+4*x:]))
		}
	})
	for range (turns%4 + 4) % 4 {
		whole = whole.turned()
	}
	print := report.Print{Shot: whole.structure(shotScale).packed(), Strips: map[report.FieldName][]byte{}}
	for field, strip := range strips {
		w, h := strip.Rect.Dx(), strip.Rect.Dy()
		if w == 0 || h == 0 {
			continue
		}
		small := reduce(w, h, 1, stripWidth, stripHeight, func(line []float64, y int) {
			for x := range line {
				line[x] = float64(strip.Pix[y*strip.Stride+x])
			}
		})
		print.Strips[field] = small.structure(stripScale).packed()
	}
	return print
}

// Luma is the brightness of a pixel given as R, G, B, by BT.601.
func Luma(pixel []byte) uint8 {
	_ = pixel[2]
	return uint8((77*int(pixel[0]) + 150*int(pixel[1]) + 29*int(pixel[2])) >> 8)
}
