package pipeline

import (
	"fmt"
	"image"
	"math"

	"github.com/heyan/heyan/internal/mat"
	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/likeness"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
)

// stripHeight is how high a strip is cut at most, px: more than a print keeps of it.
const stripHeight = 32

// likeness takes the photo's print, upright as the sheet on it.
func (r *run) likeness(photo *image.NRGBA, sheet page.Page, f face) error {
	defer r.time("likeness")()
	strips := map[report.FieldName]*image.Gray{}
	for field, quads := range stripQuads(f) {
		strip, err := grayCrop(sheet.Image, ocr.Around(quads))
		if err != nil {
			return err
		}
		strips[field] = strip
	}
	taken := likeness.Of(photo, sheet.Rotation/90, strips)
	r.print = &taken
	return nil
}

// stripQuads are the lines of print that tell a license from another.
func stripQuads(f face) map[report.FieldName][]ocr.Quad {
	lines := map[report.FieldName][]ocr.Quad{}
	for _, field := range []report.FieldName{report.FieldCompanyName, report.FieldEstablished} {
		if v := f.Fields[field]; len(v.Quads) > 0 {
			lines[field] = v.Quads
		}
	}
	switch f.decided.State {
	case report.CodeRead, report.CodeInvalid:
		lines[report.FieldUSCC] = []ocr.Quad{f.code.quad}
	default:
		if v := f.Fields[report.FieldRegistrationNumber]; len(v.Quads) > 0 {
			lines[report.FieldRegistrationNumber] = v.Quads
		}
	}
	return lines
}

// grayCrop is a piece of the page in gray, never larger than it is there.
func grayCrop(sheet *image.NRGBA, q ocr.Quad) (*image.Gray, error) {
	height := min(max(int(q.Height()), 1), stripHeight)
	source, err := mat.View(sheet)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	crop, err := mat.Crop(source, q, int(math.Ceil(float64(height)*q.Width()/max(q.Height(), 1))), height)
	if err != nil {
		return nil, fmt.Errorf("strip: %w", err)
	}
	defer crop.Close()
	picture, err := mat.Picture(crop)
	if err != nil {
		return nil, err
	}
	strip := image.NewGray(picture.Rect)
	for i := range strip.Pix {
		strip.Pix[i] = likeness.Luma(picture.Pix[4*i:])
	}
	return strip, nil
}
