// Package mat shows Go pictures to OpenCV and takes pictures back from it. It
// is the only place that knows how the two lay out pixels; it must not know
// what a picture is for.
package mat

import (
	"bytes"
	"fmt"
	"image"
	"image/color"

	"gocv.io/x/gocv"

	"github.com/heyan/heyan/ocr"
)

// View is the picture as a four-channel matrix (R, G, B, A) that shares its
// pixels: the picture must outlive the matrix, and the matrix must be closed.
func View(picture *image.NRGBA) (gocv.Mat, error) {
	w, h := picture.Rect.Dx(), picture.Rect.Dy()
	if w == 0 || h == 0 || picture.Rect.Min != (image.Point{}) || picture.Stride != 4*w {
		return gocv.Mat{}, fmt.Errorf("mat: picture %v with stride %d is not packed at the origin", picture.Rect, picture.Stride)
	}
	return gocv.NewMatFromBytes(h, w, gocv.MatTypeCV8UC4, picture.Pix)
}

// Picture copies a four-channel matrix (R, G, B, A) into a picture.
func Picture(m gocv.Mat) (*image.NRGBA, error) {
	if m.Type() != gocv.MatTypeCV8UC4 {
		return nil, fmt.Errorf("mat: matrix of type %v is not four-channel", m.Type())
	}
	picture := image.NewNRGBA(image.Rect(0, 0, m.Cols(), m.Rows()))
	data, err := m.DataPtrUint8()
	if err != nil {
		return nil, fmt.Errorf("mat: %w", err)
	}
	copy(picture.Pix, data)
	return picture, nil
}

// JPEG encodes the picture, reduced to a long side of at most so many pixels, at
// a quality of 1 to 100. The file holds pixels and no metadata.
func JPEG(picture *image.NRGBA, longSide, quality int) (file []byte, width, height int, err error) {
	m, err := View(picture)
	if err != nil {
		return nil, 0, 0, err
	}
	defer m.Close()
	bgr := gocv.NewMat()
	defer bgr.Close()
	width, height = m.Cols(), m.Rows()
	if factor := float64(longSide) / float64(max(width, height)); factor < 1 {
		width, height = max(1, int(factor*float64(width))), max(1, int(factor*float64(height)))
		small := gocv.NewMat()
		defer small.Close()
		if err := gocv.Resize(m, &small, image.Pt(width, height), 0, 0, gocv.InterpolationArea); err != nil {
			return nil, 0, 0, fmt.Errorf("mat: resize: %w", err)
		}
		err = gocv.CvtColor(small, &bgr, gocv.ColorRGBAToBGR)
	} else {
		err = gocv.CvtColor(m, &bgr, gocv.ColorRGBAToBGR)
	}
	if err != nil {
		return nil, 0, 0, fmt.Errorf("mat: colors: %w", err)
	}
	encoded, err := gocv.IMEncodeWithParams(gocv.JPEGFileExt, bgr, []int{gocv.IMWriteJpegQuality, quality})
	if err != nil {
		return nil, 0, 0, fmt.Errorf("mat: encode: %w", err)
	}
	defer encoded.Close()
	return bytes.Clone(encoded.GetBytes()), width, height, nil
}

// minify is the reduction above which a crop is averaged down instead of
// sampled: bilinear sampling skips pixels beyond a factor of two.
const minify = 2.0

// Crop flattens a quad of the matrix into an upright w x h matrix, which the
// caller closes. Pixels outside the source repeat its edge.
func Crop(source gocv.Mat, quad ocr.Quad, w, h int) (gocv.Mat, error) {
	if w <= 0 || h <= 0 {
		return gocv.Mat{}, fmt.Errorf("mat: crop to %dx%d", w, h)
	}
	factor := quad.Height() / float64(h)
	tw, th := w, h
	if factor > minify {
		tw, th = int(float64(w)*factor), int(float64(h)*factor)
	}
	homography, err := Homography(quad, tw, th)
	if err != nil {
		return gocv.Mat{}, err
	}
	defer homography.Close()
	crop := gocv.NewMat()
	if err := gocv.WarpPerspectiveWithParams(source, &crop, homography, image.Pt(tw, th),
		gocv.InterpolationLinear, gocv.BorderReplicate, white); err != nil {
		crop.Close()
		return gocv.Mat{}, fmt.Errorf("mat: warp: %w", err)
	}
	if tw == w && th == h {
		return crop, nil
	}
	defer crop.Close()
	small := gocv.NewMat()
	if err := gocv.Resize(crop, &small, image.Pt(w, h), 0, 0, gocv.InterpolationArea); err != nil {
		small.Close()
		return gocv.Mat{}, fmt.Errorf("mat: resize: %w", err)
	}
	return small, nil
}

// Homography maps the quad to the rectangle w x h at the origin: a 3x3 matrix
// of float64 that the caller closes.
func Homography(quad ocr.Quad, w, h int) (gocv.Mat, error) {
	corners := make([]gocv.Point2f, 4)
	for i, p := range quad {
		corners[i] = gocv.Point2f{X: float32(p.X), Y: float32(p.Y)}
	}
	from := gocv.NewPoint2fVectorFromPoints(corners)
	defer from.Close()
	to := gocv.NewPoint2fVectorFromPoints([]gocv.Point2f{
		{}, {X: float32(w)}, {X: float32(w), Y: float32(h)}, {Y: float32(h)}})
	defer to.Close()
	m := gocv.GetPerspectiveTransform2f(from, to)
	if m.Empty() {
		m.Close()
		return gocv.Mat{}, fmt.Errorf("mat: quad %v has no homography", quad)
	}
	return m, nil
}

var white = color.RGBA{R: 255, G: 255, B: 255, A: 255}
