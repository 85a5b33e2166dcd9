// Package page finds the sheet on a photo, flattens it by a homography, turns it
// upright and keeps the way back to the photo. It knows edges, lines of text as
// shapes, and geometry; it must not know what is written, and it never rejects
// a picture.
package page

import (
	"context"
	"fmt"
	"image"
	"math"

	"gocv.io/x/gocv"

	"github.com/heyan/heyan/internal/mat"
	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/report"
)

// Page is the flattened, upright sheet, or the whole photo where no sheet was
// found.
type Page struct {
	// Image is opaque, with bounds at (0,0).
	Image *image.NRGBA
	// Quad is the sheet or its printed frame on the photo, in reading order
	// from the page's top-left corner; the zero Quad when none was found.
	Quad ocr.Quad
	// Rotation is by how many degrees the photo was turned clockwise: 0, 90,
	// 180 or 270.
	Rotation int
	// Scale is how many pixels of the page one pixel of the photo became, in
	// the middle of the page.
	Scale float64

	toPhoto homography
}

// Found tells whether a sheet was found, or the whole photo stands for it.
func (p Page) Found() bool { return p.Quad != ocr.Quad{} }

// OnPhoto maps a quad of the page to the photo.
func (p Page) OnPhoto(q ocr.Quad) report.Polygon {
	polygon := make(report.Polygon, len(q))
	for i, corner := range q {
		at := p.toPhoto.apply(corner)
		polygon[i] = report.Point{math.Round(at.X*10) / 10, math.Round(at.Y*10) / 10}
	}
	return polygon
}

const (
	// margin is kept round the quad, as a share of its sides: the footer
	// stands outside of the printed frame, and a quad may be a little short.
	margin = 0.04
	// maxSidePx bounds the flattened page; at A3 it is still 10 px a
	// millimeter.
	maxSidePx = 4200
	// levelDegrees is the tilt of text from which a photo without a sheet is
	// turned level; below it lines do not run into each other.
	levelDegrees = 1.5
)

// Flatten finds the sheet and flattens it. Text is the text lines found on the
// photo; they are returned as they lie on the page.
func Flatten(ctx context.Context, photo *image.NRGBA, text []ocr.Quad) (Page, []ocr.Quad, error) {
	if err := ctx.Err(); err != nil {
		return Page{}, nil, err
	}
	if quad, ok, err := find(photo, text); err != nil {
		return Page{}, nil, err
	} else if ok {
		return warp(photo, quad, text)
	}
	if angle := tilt(text); math.Abs(angle) > levelDegrees*math.Pi/180 {
		page, lines, err := warp(photo, level(photo.Rect, angle), text)
		page.Quad = ocr.Quad{}
		return page, lines, err
	}
	return Page{Image: photo, Scale: 1, toPhoto: identity}, text, nil
}

// warp flattens the quad and its margin.
func warp(photo *image.NRGBA, quad ocr.Quad, text []ocr.Quad) (Page, []ocr.Quad, error) {
	flat, err := flatten(photo, quad, maxSidePx)
	if err != nil {
		return Page{}, nil, err
	}
	lines := make([]ocr.Quad, len(text))
	for i, q := range text {
		for j, p := range q {
			lines[i][j] = flat.toPage.apply(p)
		}
	}
	return Page{Image: flat.picture, Quad: quad, Scale: flat.scale, toPhoto: flat.toPhoto}, lines, nil
}

// Sheet flattens a sheet that was found before: its quad on the photo, in
// reading order from its top-left corner, and the margin round it, to a long
// side of at most maxSide pixels. ToPage is the homography from the photo's
// pixels to those of the picture, row by row.
func Sheet(photo *image.NRGBA, quad ocr.Quad, maxSide float64) (picture *image.NRGBA, toPage [9]float64, err error) {
	flat, err := flatten(photo, quad, maxSide)
	return flat.picture, flat.toPage, err
}

// flat is a flattened quad and the ways to it and back.
type flat struct {
	picture         *image.NRGBA
	scale           float64 // as Page.Scale
	toPage, toPhoto homography
}

// flatten warps the quad and its margin to a long side of at most maxSide.
func flatten(photo *image.NRGBA, quad ocr.Quad, maxSide float64) (flat, error) {
	w := math.Max(dist(quad[0], quad[1]), dist(quad[3], quad[2]))
	h := math.Max(dist(quad[0], quad[3]), dist(quad[1], quad[2]))
	shrink := math.Min(1, maxSide/(math.Max(w, h)*(1+2*margin)))
	w, h = w*shrink, h*shrink
	mx, my := w*margin, h*margin
	width, height := int(w+2*mx), int(h+2*my)

	inner := ocr.Quad{{X: mx, Y: my}, {X: mx + w, Y: my}, {X: mx + w, Y: my + h}, {X: mx, Y: my + h}}
	toPage, ok := solve(quad, inner)
	toPhoto, invertible := solve(inner, quad)
	if !ok || !invertible {
		return flat{}, fmt.Errorf("page: quad %v has no homography", quad)
	}
	source, err := mat.View(photo)
	if err != nil {
		return flat{}, err
	}
	defer source.Close()
	outer := ocr.Quad{}
	for i, p := range (ocr.Quad{{}, {X: float64(width)}, {X: float64(width), Y: float64(height)}, {Y: float64(height)}}) {
		outer[i] = toPhoto.apply(p)
	}
	warped, err := mat.Crop(source, outer, width, height)
	if err != nil {
		return flat{}, err
	}
	defer warped.Close()
	picture, err := mat.Picture(warped)
	return flat{picture, shrink, toPage, toPhoto}, err
}

// Turn turns the page clockwise by quarters, and the lines with it.
func (p Page) Turn(quarters int, lines []ocr.Quad) (Page, []ocr.Quad, error) {
	quarters = ((quarters % 4) + 4) % 4
	if quarters == 0 {
		return p, lines, nil
	}
	source, err := mat.View(p.Image)
	if err != nil {
		return Page{}, nil, err
	}
	defer source.Close()
	turned := gocv.NewMat()
	defer turned.Close()
	flag := [4]gocv.RotateFlag{1: gocv.Rotate90Clockwise, 2: gocv.Rotate180Clockwise, 3: gocv.Rotate90CounterClockwise}[quarters]
	if err := gocv.Rotate(source, &turned, flag); err != nil {
		return Page{}, nil, fmt.Errorf("page: rotate: %w", err)
	}
	picture, err := mat.Picture(turned)
	if err != nil {
		return Page{}, nil, err
	}
	forth, back := turns(float64(p.Image.Rect.Dx()), float64(p.Image.Rect.Dy()), quarters)
	moved := make([]ocr.Quad, len(lines))
	for i, q := range lines {
		var m ocr.Quad
		for j, c := range q {
			m[j] = forth.apply(c)
		}
		// The corner that was j quarters back is the top-left one now.
		for j := range m {
			moved[i][(j+quarters)%4] = m[j]
		}
	}
	out := Page{Image: picture, Rotation: (p.Rotation + 90*quarters) % 360, Scale: p.Scale, toPhoto: p.toPhoto.after(back)}
	if p.Found() {
		for j := range p.Quad {
			out.Quad[(j+quarters)%4] = p.Quad[j]
		}
	}
	return out, moved, nil
}

// turns are the maps of a clockwise turn of a w x h picture and of its undoing.
func turns(w, h float64, quarters int) (forth, back homography) {
	switch quarters {
	case 1:
		return homography{0, -1, h, 1, 0, 0, 0, 0, 1}, homography{0, 1, 0, -1, 0, h, 0, 0, 1}
	case 2:
		return homography{-1, 0, w, 0, -1, h, 0, 0, 1}, homography{-1, 0, w, 0, -1, h, 0, 0, 1}
	default:
		return homography{0, 1, 0, -1, 0, w, 0, 0, 1}, homography{0, -1, w, 1, 0, 0, 0, 0, 1}
	}
}

// Share is the page's long side over the photo's, 1 for a sheet that fills it.
func (p Page) Share(photo *image.NRGBA) float64 {
	longest := 0.0
	for i := range p.Quad {
		longest = math.Max(longest, dist(p.Quad[i], p.Quad[(i+1)%4]))
	}
	return longest / float64(max(photo.Rect.Dx(), photo.Rect.Dy()))
}

// Part is a rectangle of the page, given in shares of its width and height and
// brought to a long side of so many pixels. Back maps its quads to the page.
func (p Page) Part(left, top, right, bottom float64, longSide int) (part *image.NRGBA, back func(ocr.Quad) ocr.Quad, err error) {
	w, h := float64(p.Image.Rect.Dx()), float64(p.Image.Rect.Dy())
	quad := ocr.Quad{{X: left * w, Y: top * h}, {X: right * w, Y: top * h}, {X: right * w, Y: bottom * h}, {X: left * w, Y: bottom * h}}
	factor := float64(longSide) / math.Max(quad.Width(), quad.Height())
	source, err := mat.View(p.Image)
	if err != nil {
		return nil, nil, err
	}
	defer source.Close()
	crop, err := mat.Crop(source, quad, int(quad.Width()*factor), int(quad.Height()*factor))
	if err != nil {
		return nil, nil, err
	}
	defer crop.Close()
	if part, err = mat.Picture(crop); err != nil {
		return nil, nil, err
	}
	return part, func(q ocr.Quad) ocr.Quad {
		for i := range q {
			q[i].X, q[i].Y = q[i].X/factor+quad[0].X, q[i].Y/factor+quad[0].Y
		}
		return q
	}, nil
}
