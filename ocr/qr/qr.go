// Package qr finds QR codes on a picture and tells the known forms of a business
// license's payload apart. It knows pixels and strings. It must not fetch
// anything a payload points to, nor judge what a payload says.
package qr

import (
	"context"
	"image"
	"math"

	"github.com/disintegration/imaging"
	"github.com/makiuchi-d/gozxing"
	multi "github.com/makiuchi-d/gozxing/multi/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode/detector"

	"github.com/heyan/heyan/ocr"
)

// Code is a decoded QR code. Quad is its outline in pixels of the picture,
// the corner without a finder pattern being the third.
type Code struct {
	Payload string
	Quad    ocr.Quad
}

// try is one way to prepare a region for decoding.
type try struct {
	width   int     // px of the region after scaling
	sharpen float64 // sigma of the unsharp mask in px; negative: of a blur
	global  bool    // one threshold for all instead of a local one
}

// tries were ordered by how many codes of real licenses each adds to those
// before; no other region than the most likely one is worth more than
// the first few.
var tries = []try{
	{width: 400},
	{width: 600},
	{width: 400, global: true},
	{width: 325, sharpen: 3},
	{width: 800, sharpen: 3, global: true},
	{width: 500, sharpen: 3},
	{width: 800, sharpen: -1.2},
	{width: 400, sharpen: 3},
}

const (
	unlikelyTries = 2
	quietZone     = 0.3 // of a region's side, seen around it
)

// Find decodes the QR codes of the picture, most conspicuous first. The work is
// bounded by a fixed number of tries; when ctx ends it returns what was found.
func Find(ctx context.Context, picture *image.NRGBA) []Code {
	var found []Code
	for n, r := range regions(picture) {
		pad := int(quietZone * float64(r.Dx()))
		seen := r.Inset(-pad).Intersect(picture.Bounds())
		crop := imaging.Crop(picture, seen)
		plan := tries
		if n > 0 {
			plan = tries[:unlikelyTries]
		}
		scaled := map[int]*image.NRGBA{}
		for _, t := range plan {
			if ctx.Err() != nil {
				return found
			}
			if scaled[t.width] == nil {
				scaled[t.width] = imaging.Resize(crop, t.width, 0, imaging.CatmullRom)
			}
			if codes := t.decode(scaled[t.width]); len(codes) > 0 {
				found = add(found, codes, seen.Min, float64(seen.Dx())/float64(t.width))
				break
			}
		}
	}
	return found
}

// add scales and moves the codes to the picture and leaves out those found before.
func add(found, codes []Code, offset image.Point, scale float64) []Code {
next:
	for _, c := range codes {
		for i := range c.Quad {
			c.Quad[i].X = c.Quad[i].X*scale + float64(offset.X)
			c.Quad[i].Y = c.Quad[i].Y*scale + float64(offset.Y)
		}
		for _, f := range found {
			low, high := f.Quad.Bounds()
			if m := c.Quad.Center(); f.Payload == c.Payload && m.X > low.X && m.X < high.X && m.Y > low.Y && m.Y < high.Y {
				continue next
			}
		}
		found = append(found, c)
	}
	return found
}

// decode gives the codes of a region that was scaled to the try's width.
func (t try) decode(scaled *image.NRGBA) (codes []Code) {
	// gozxing indexes past its slices on some damaged codes; such a code is not read.
	defer func() {
		if recover() != nil {
			codes = nil
		}
	}()
	switch {
	case t.sharpen > 0:
		scaled = imaging.Sharpen(scaled, t.sharpen)
	case t.sharpen < 0:
		scaled = imaging.Blur(scaled, -t.sharpen)
	}
	g := luma(scaled, 1)
	source, err := gozxing.NewPlanarYUVLuminanceSource(g.pix, g.w, g.h, 0, 0, g.w, g.h, false)
	if err != nil {
		return nil
	}
	binarizer := gozxing.NewHybridBinarizer(source)
	if t.global {
		binarizer = gozxing.NewGlobalHistgramBinarizer(source)
	}
	bitmap, err := gozxing.NewBinaryBitmap(binarizer)
	if err != nil {
		return nil
	}
	results, err := multi.NewQRCodeMultiReader().DecodeMultiple(bitmap,
		map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return nil
	}
	for _, r := range results {
		codes = append(codes, Code{Payload: r.GetText(), Quad: outline(r.GetResultPoints(), g.w, g.h)})
	}
	return codes
}

// outline extends the centers of the finder patterns (bottom left, top left, top
// right), which lie 3.5 modules inside, to the corners; the whole picture
// where they are not known.
func outline(points []gozxing.ResultPoint, w, h int) ocr.Quad {
	if len(points) < 3 {
		return ocr.Quad{{}, {X: float64(w)}, {X: float64(w), Y: float64(h)}, {Y: float64(h)}}
	}
	place := func(p gozxing.ResultPoint) ocr.Point { return ocr.Point{X: p.GetX(), Y: p.GetY()} }
	bottomLeft, topLeft, topRight := place(points[0]), place(points[1]), place(points[2])
	const outside = 3.5 // modules
	module := 1e-9
	for _, p := range points[:3] {
		if f, ok := p.(*detector.FinderPattern); ok {
			module += f.GetEstimatedModuleSize() / 3
		}
	}
	along := ocr.Point{X: topRight.X - topLeft.X, Y: topRight.Y - topLeft.Y}
	down := ocr.Point{X: bottomLeft.X - topLeft.X, Y: bottomLeft.Y - topLeft.Y}
	u := outside * module / max(math.Hypot(along.X, along.Y), module)
	v := outside * module / max(math.Hypot(down.X, down.Y), module)
	at := func(u, v float64) ocr.Point {
		return ocr.Point{X: topLeft.X + u*along.X + v*down.X, Y: topLeft.Y + u*along.Y + v*down.Y}
	}
	return ocr.Quad{at(-u, -v), at(1+u, -v), at(1+u, 1+v), at(-u, 1+v)}
}
