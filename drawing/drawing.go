// Package drawing puts a report onto its picture: the sheet, the fields and the
// places of the reasons. It knows polygons, colours and letters; it must not
// know why anything was found.
package drawing

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"maps"
	"math"
	"slices"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"github.com/heyan/heyan/pipeline/report"
)

// The colours of outlines and labels.
var (
	colorSheet  = color.NRGBA{40, 110, 220, 255}
	colorField  = color.NRGBA{20, 140, 70, 255}
	colorReview = color.NRGBA{220, 130, 0, 255}
	colorBlock  = color.NRGBA{210, 30, 30, 255}
	colorPlain  = color.NRGBA{255, 255, 255, 230}
)

// sizeShare is the height of a label's letters as a share of the picture's long
// side: legible where the whole picture is looked at.
const sizeShare = 0.011

// Report draws onto a copy of the picture, which is the uploaded one after EXIF
// turning. Values that were read are not written out, only where they stand.
func Report(picture *image.NRGBA, r report.Report) (*image.NRGBA, error) {
	out := image.NewNRGBA(picture.Rect)
	draw.Draw(out, out.Rect, picture, picture.Rect.Min, draw.Src)
	size := math.Max(sizeShare*float64(max(out.Rect.Dx(), out.Rect.Dy())), 8)
	letters, err := newLetters(size)
	if err != nil {
		return nil, err
	}
	defer letters.Close()
	stroke := size / 6

	outline(out, r.Document.Quad, colorSheet, stroke)
	blamed := map[report.FieldName]bool{}
	for _, reason := range r.Reasons {
		if reason.Severity != report.SeverityInfo {
			blamed[reason.Field] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Fields)) {
		f := r.Fields[name]
		outline(out, f.Polygon, colorField, stroke)
		if !blamed[name] {
			label(out, letters, f.Polygon, fmt.Sprintf("%s %.2f", name, f.Confidence), colorField, size)
		}
	}
	for _, reason := range r.Reasons {
		tint := colorBlock
		if reason.Severity == report.SeverityReview {
			tint = colorReview
		} else if reason.Severity == report.SeverityInfo {
			continue
		}
		place := reason.Evidence.Polygon
		if len(place) == 0 {
			place = r.Fields[reason.Field].Polygon
		}
		outline(out, place, tint, 2*stroke)
		label(out, letters, place, reason.Code, tint, size)
	}
	return out, verdictBand(out, r, 2*size)
}

// verdictBand writes the outcome into the top left corner.
func verdictBand(out *image.NRGBA, r report.Report, size float64) error {
	letters, err := newLetters(size)
	if err != nil {
		return err
	}
	defer letters.Close()
	tint := map[report.Outcome]color.NRGBA{report.OutcomePass: colorField, report.OutcomeReview: colorReview}
	text := fmt.Sprintf("%s  %s", r.Outcome, r.Policy)
	write(out, letters, text, size/2, 1.5*size, cmp.Or(tint[r.Outcome], colorBlock), size)
	return nil
}

func newLetters(size float64) (font.Face, error) {
	parsed, err := opentype.Parse(gobold.TTF)
	if err != nil {
		return nil, fmt.Errorf("drawing: %w", err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72})
	if err != nil {
		return nil, fmt.Errorf("drawing: %w", err)
	}
	return face, nil
}

// label writes above the polygon, or in it where there is no room above.
func label(out *image.NRGBA, letters font.Face, place report.Polygon, text string, tint color.NRGBA, size float64) {
	if len(place) == 0 {
		return
	}
	x, y := place[0][0], place[0][1]
	for _, p := range place {
		x, y = math.Min(x, p[0]), math.Min(y, p[1])
	}
	write(out, letters, text, math.Max(x, 0), math.Max(y-size/3, 1.2*size), tint, size)
}

// write puts text on a light ground with its baseline at y.
func write(out *image.NRGBA, letters font.Face, text string, x, y float64, tint color.NRGBA, size float64) {
	width := float64(font.MeasureString(letters, text).Ceil())
	x = math.Min(x, float64(out.Rect.Dx())-width)
	ground := image.Rect(int(x-size/4), int(y-size), int(x+width+size/4), int(y+size/3))
	draw.Draw(out, ground, image.NewUniform(colorPlain), image.Point{}, draw.Over)
	d := font.Drawer{Dst: out, Src: image.NewUniform(tint), Face: letters, Dot: fixed.P(int(x), int(y))}
	d.DrawString(text)
}

// outline strokes a closed polygon.
func outline(out *image.NRGBA, place report.Polygon, tint color.NRGBA, stroke float64) {
	if len(place) < 3 {
		return
	}
	r := vector.NewRasterizer(out.Rect.Dx(), out.Rect.Dy())
	for i, a := range place {
		b := place[(i+1)%len(place)]
		length := math.Hypot(b[0]-a[0], b[1]-a[1])
		if length == 0 {
			continue
		}
		// A rectangle round the side, longer by half a stroke so that corners close.
		ux, uy := (b[0]-a[0])/length*stroke/2, (b[1]-a[1])/length*stroke/2
		r.MoveTo(float32(a[0]-ux-uy), float32(a[1]-uy+ux))
		r.LineTo(float32(b[0]+ux-uy), float32(b[1]+uy+ux))
		r.LineTo(float32(b[0]+ux+uy), float32(b[1]+uy-ux))
		r.LineTo(float32(a[0]-ux+uy), float32(a[1]-uy-ux))
		r.ClosePath()
	}
	r.Draw(out, out.Rect, image.NewUniform(tint), image.Point{})
}
