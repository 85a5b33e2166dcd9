package ppocr

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"
	"slices"

	ort "github.com/yalue/onnxruntime_go"
	"gocv.io/x/gocv"

	"github.com/heyan/heyan/internal/mat"
	"github.com/heyan/heyan/ocr"
)

// The normalisation every PP-OCR detector was trained with, in its channel
// order B, G, R.
var (
	detMean = [3]float32{0.485, 0.456, 0.406}
	detStd  = [3]float32{0.229, 0.224, 0.225}
)

const (
	detMultiple   = 32   // height and width of the detector's input
	minBoxSidePx  = 3    // boxes thinner than this in the detector's picture are specks
	maxCandidates = 1000 // contours looked at; a license has about 50 lines
)

// Detect finds text lines with the picture's long side reduced to the
// detector's.
func (e *Engine) Detect(ctx context.Context, picture *image.NRGBA) ([]ocr.Quad, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w, h := picture.Rect.Dx(), picture.Rect.Dy()
	scale := math.Min(1, float64(e.detector.LongSidePx)/float64(max(w, h)))
	dw, dh := roundTo(float64(w)*scale, detMultiple), roundTo(float64(h)*scale, detMultiple)

	source, err := mat.View(picture)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	small := gocv.NewMat()
	defer small.Close()
	interpolation := gocv.InterpolationLinear
	if scale < 1 {
		interpolation = gocv.InterpolationArea
	}
	if err := gocv.Resize(source, &small, image.Pt(dw, dh), 0, 0, interpolation); err != nil {
		return nil, fmt.Errorf("ppocr: resize: %w", err)
	}
	pixels, err := small.DataPtrUint8()
	if err != nil {
		return nil, fmt.Errorf("ppocr: %w", err)
	}
	input := e.inputs.get(3 * dw * dh)
	defer e.inputs.put(input)
	plane := dw * dh
	for channel := range 3 {
		factor, offset := 1/(255*detStd[channel]), detMean[channel]/detStd[channel]
		out := input[channel*plane : (channel+1)*plane]
		for i := range out {
			out[i] = float32(pixels[4*i+2-channel])*factor - offset
		}
	}
	probability := e.outputs.get(dw * dh)
	defer e.outputs.put(probability)
	height, width := int64(dh), int64(dw)
	if err := run(e.det, ort.NewShape(1, 3, height, width), input, ort.NewShape(1, 1, height, width), probability); err != nil {
		return nil, err
	}
	quads, err := e.boxes(probability, dw, dh)
	if err != nil {
		return nil, err
	}
	sx, sy := float64(w)/float64(dw), float64(h)/float64(dh)
	for i := range quads {
		for j, p := range quads[i] {
			quads[i][j] = ocr.Point{X: p.X * sx, Y: p.Y * sy}
		}
	}
	return quads, nil
}

// boxes turns the text probability of each pixel into grown boxes.
func (e *Engine) boxes(probability []float32, w, h int) ([]ocr.Quad, error) {
	text := make([]byte, w*h)
	for i, p := range probability {
		if float64(p) > e.detector.Threshold {
			text[i] = 255
		}
	}
	bitmap, err := gocv.NewMatFromBytes(h, w, gocv.MatTypeCV8UC1, text)
	if err != nil {
		return nil, fmt.Errorf("ppocr: %w", err)
	}
	defer bitmap.Close()
	contours := gocv.FindContours(bitmap, gocv.RetrievalList, gocv.ChainApproxSimple)
	defer contours.Close()

	var quads []ocr.Quad
	for i := range min(contours.Size(), maxCandidates) {
		box := gocv.MinAreaRect2f(contours.At(i))
		side, length := float64(box.Width), float64(box.Height)
		if min(side, length) < minBoxSidePx {
			continue
		}
		quad := corners(box, 0)
		if meanInside(probability, w, h, quad) < e.detector.BoxThreshold {
			continue
		}
		grow := side * length * e.detector.UnclipRatio / (2 * (side + length))
		quads = append(quads, corners(box, grow))
	}
	return quads, nil
}

// corners are a rotated box's, grown by so many pixels on every side, in
// picture order: top-left, top-right, bottom-right, bottom-left.
func corners(box gocv.RotatedRect2f, grow float64) ocr.Quad {
	sin, cos := math.Sincos(box.Angle * math.Pi / 180)
	hw, hh := float64(box.Width)/2+grow, float64(box.Height)/2+grow
	cx, cy := float64(box.Center.X), float64(box.Center.Y)
	at := func(x, y float64) ocr.Point { return ocr.Point{X: cx + x*cos - y*sin, Y: cy + x*sin + y*cos} }
	points := []ocr.Point{at(-hw, -hh), at(hw, -hh), at(hw, hh), at(-hw, hh)}
	slices.SortStableFunc(points, func(a, b ocr.Point) int { return cmp.Compare(a.X, b.X) })
	left, right := points[:2], points[2:]
	if left[0].Y > left[1].Y {
		left[0], left[1] = left[1], left[0]
	}
	if right[0].Y > right[1].Y {
		right[0], right[1] = right[1], right[0]
	}
	return ocr.Quad{left[0], right[0], right[1], left[1]}
}

// meanInside is the mean probability inside the quad, sampled on a grid that
// follows its sides.
func meanInside(probability []float32, w, h int, q ocr.Quad) float64 {
	nx := min(max(int(q.Width()), 2), 64)
	ny := min(max(int(q.Height()), 2), 16)
	sum := 0.0
	for j := range ny {
		fy := (float64(j) + 0.5) / float64(ny)
		for i := range nx {
			fx := (float64(i) + 0.5) / float64(nx)
			x := (q[0].X*(1-fx)+q[1].X*fx)*(1-fy) + (q[3].X*(1-fx)+q[2].X*fx)*fy
			y := (q[0].Y*(1-fx)+q[1].Y*fx)*(1-fy) + (q[3].Y*(1-fx)+q[2].Y*fx)*fy
			sum += float64(probability[min(max(int(y), 0), h-1)*w+min(max(int(x), 0), w-1)])
		}
	}
	return sum / float64(nx*ny)
}

// roundTo rounds to the nearest multiple, at least one of it.
func roundTo(v float64, multiple int) int {
	return max(int(math.Round(v/float64(multiple))), 1) * multiple
}
