package tesseract

import (
	"image"
	"math"

	"github.com/heyan/heyan/ocr"
)

// crop turns the quad upright in grey at lineHeight. It looks linePadding beyond
// both ends, because detectors clip them, and puts paper above and below,
// where the next lines are. It is nil for a quad without area, outside the
// picture or without ink: Tesseract reads "_" on blank paper.
func crop(picture *image.NRGBA, q ocr.Quad) *image.Gray {
	b := picture.Bounds()
	low, high := q.Bounds()
	if q.Width() < 1 || q.Height() < 1 || high.X <= 0 || high.Y <= 0 || low.X >= float64(b.Dx()) || low.Y >= float64(b.Dy()) {
		return nil
	}
	w := min(max(int(q.Width()*lineHeight/q.Height()), 1), maxLineWidth)
	// A line taller than lineHeight is averaged over several samples a pixel.
	n := min(max(int(q.Height()/lineHeight+0.5), 1), maxSamples)
	out := image.NewGray(image.Rect(0, 0, w+2*linePadding, lineHeight+2*linePadding))
	var counts [256]int
	for j := range lineHeight {
		for i := range out.Rect.Dx() {
			sum := 0.0
			for k := range n * n {
				u := (float64(i-linePadding) + (float64(k%n)+0.5)/float64(n)) / float64(w)
				v := (float64(j) + (float64(k/n)+0.5)/float64(n)) / lineHeight
				sum += at(picture, between(between(q[0], q[1], u), between(q[3], q[2], u), v))
			}
			level := uint8(sum/float64(n*n) + 0.5)
			counts[level]++
			out.Pix[(j+linePadding)*out.Stride+i] = level
		}
	}
	paper := lightest(counts, out.Rect.Dx()*lineHeight/10)
	if darkest := lightest(counts, out.Rect.Dx()*lineHeight); paper-darkest < minContrast {
		return nil
	}
	for j := range linePadding {
		for i := range out.Rect.Dx() {
			out.Pix[j*out.Stride+i] = paper
			out.Pix[(out.Rect.Dy()-1-j)*out.Stride+i] = paper
		}
	}
	return out
}

// lightest is the level that n pixels reach or exceed.
func lightest(counts [256]int, n int) uint8 {
	level := 255
	for ; level > 0; level-- {
		if n -= counts[level]; n <= 0 {
			break
		}
	}
	return uint8(level)
}

func between(a, b ocr.Point, f float64) ocr.Point {
	return ocr.Point{X: a.X + (b.X-a.X)*f, Y: a.Y + (b.Y-a.Y)*f}
}

// at is the grey level at a place between pixels; the picture goes on with
// its edge beyond its bounds.
func at(picture *image.NRGBA, p ocr.Point) float64 {
	right, low := picture.Rect.Dx()-1, picture.Rect.Dy()-1
	x, y := min(max(p.X-0.5, 0), float64(right)), min(max(p.Y-0.5, 0), float64(low))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, right), min(y0+1, low)
	fx, fy := x-math.Floor(x), y-math.Floor(y)
	return (level(picture, x0, y0)*(1-fx)+level(picture, x1, y0)*fx)*(1-fy) +
		(level(picture, x0, y1)*(1-fx)+level(picture, x1, y1)*fx)*fy
}

// level is the larger of red and luma: a red seal over text fades.
func level(picture *image.NRGBA, x, y int) float64 {
	p := picture.Pix[y*picture.Stride+4*x:]
	r := float64(p[0])
	return max(r, 0.299*r+0.587*float64(p[1])+0.114*float64(p[2]))
}

func gray(picture *image.NRGBA) *image.Gray {
	out := image.NewGray(picture.Rect)
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Pix[y*out.Stride+x] = uint8(level(picture, x, y))
		}
	}
	return out
}
