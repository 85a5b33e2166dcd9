// Package intake turns untrusted bytes into one upright, opaque picture with
// its hashes and metadata traces, or into a typed reason why the file cannot be
// used. It knows file formats, EXIF and the programs that render HEIC and PDF.
// It must not know what the picture shows, nor any policy beyond the limits it
// is handed.
//
// Nothing is decoded before the size of the file, its format and the size of
// the picture are known to be within the limits. The name of a file is never
// looked at. A picture takes 4 bytes per pixel, while it is decoded 8 to 12, and a
// hostile TIFF up to 32.
package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image"
	"io"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
)

// Limits bound what is accepted. Zero values stand for those of DefaultLimits.
type Limits struct {
	MaxBytes  int64    // size of the file
	MaxPixels int64    // width times height of the picture
	Formats   []string // names of accepted formats, see Formats; nil: all
}

// DefaultLimits are what a phone camera's largest JPEG needs with room to spare.
var DefaultLimits = Limits{MaxBytes: 10 << 20, MaxPixels: 50_000_000}

func (l Limits) orDefault() Limits {
	if l.MaxBytes <= 0 {
		l.MaxBytes = DefaultLimits.MaxBytes
	}
	if l.MaxPixels <= 0 {
		l.MaxPixels = DefaultLimits.MaxPixels
	}
	if l.Formats == nil {
		l.Formats = Formats()
	}
	return l
}

// Picture is a file that was taken in.
type Picture struct {
	Image *image.NRGBA   // opaque, bounds at (0,0), after EXIF turning
	Info  report.Picture // what is known of the file, whatever its pixels show
}

// Read takes in the picture that r delivers, reading at most MaxBytes+1 bytes.
// An error of the file is an *Error; any other error is of r or of ctx.
func Read(ctx context.Context, r io.Reader, limits Limits) (Picture, error) {
	limits = limits.orDefault()
	var data bytes.Buffer
	for {
		if err := ctx.Err(); err != nil {
			return Picture{}, err
		}
		const step = 1 << 20 // bytes between two looks at the context
		n, err := io.CopyN(&data, r, min(step, limits.MaxBytes+1-int64(data.Len())))
		if err == io.EOF || err == nil && n == 0 {
			return Decode(ctx, data.Bytes(), limits)
		}
		if err != nil {
			return Picture{}, fmt.Errorf("read the file: %w", err)
		}
	}
}

// Decode takes in the picture that data holds. An error of the file is an
// *Error; any other error is of ctx.
func Decode(ctx context.Context, data []byte, limits Limits) (Picture, error) {
	limits = limits.orDefault()
	switch {
	case len(data) == 0:
		return Picture{}, unreadable("empty", nil)
	case int64(len(data)) > limits.MaxBytes:
		return Picture{}, &Error{Code: CodeTooLarge, Rule: "bytes", Limit: float64(limits.MaxBytes), Value: float64(len(data))}
	}
	f, ok := sniff(data)
	if !ok {
		return Picture{}, &Error{Code: CodeTypeNotSupported, Rule: "magic", accepted: limits.Formats}
	}
	if !slices.Contains(limits.Formats, f.name) {
		return Picture{}, &Error{Code: CodeTypeNotSupported, Rule: "format", accepted: limits.Formats, internal: fmt.Errorf("format %s is not accepted", f.name)}
	}
	h, err := f.header(ctx, data, limits)
	if err != nil {
		return Picture{}, err
	}
	if h.width <= 0 || h.height <= 0 {
		return Picture{}, unreadable("dimensions", fmt.Errorf("%d x %d pixels", h.width, h.height))
	}
	if err := h.within(limits); err != nil {
		return Picture{}, err
	}
	if err := ctx.Err(); err != nil {
		return Picture{}, err
	}
	upright, err := f.decode(ctx, data, &h)
	if err != nil {
		return Picture{}, err
	}
	upright = turn(upright, h.orientation)
	sum := sha256.Sum256(data)
	return Picture{Image: upright, Info: report.Picture{
		Format:       f.name,
		Bytes:        int64(len(data)),
		SHA256:       hex.EncodeToString(sum[:]),
		PixelsSHA256: hashPixels(upright),
		Metadata:     h.traces(data),
	}}, nil
}

// within says whether the picture is small enough to be decoded.
func (h header) within(limits Limits) error {
	if pixels := h.pixels(); pixels > float64(limits.MaxPixels) {
		return &Error{Code: CodeTooLarge, Rule: "pixels", Limit: float64(limits.MaxPixels), Value: pixels}
	}
	return nil
}

// hashPixels is the SHA-256 of what is seen, in hex: width and height as
// big-endian uint32, then the rows from the top, three bytes (red, green, blue)
// a pixel. It is the same for two files that differ in metadata alone.
func hashPixels(img *image.NRGBA) string {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	hash := sha256.New()
	hash.Write(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(w)), uint32(h)))
	row := make([]byte, 3*w)
	for y := range h {
		in := img.Pix[y*img.Stride:]
		for x := range w {
			copy(row[3*x:3*x+3], in[4*x:4*x+3])
		}
		hash.Write(row)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// turn undoes the EXIF orientation (1 to 8, TIFF 6.0 tag 274): the picture
// that is returned stands as the photographer saw it.
func turn(img *image.NRGBA, orientation int) *image.NRGBA {
	if orientation < 2 || orientation > 8 {
		return img
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	// Going one pixel to the right, or one down, in the upright picture moves
	// by right or down bytes in the stored one, from the byte at start.
	const px = 4
	line := img.Stride
	lastX, lastY := (w-1)*px, (h-1)*line
	var start, right, down int
	switch orientation {
	case 2:
		start, right, down = lastX, -px, line
	case 3:
		start, right, down = lastX+lastY, -px, -line
	case 4:
		start, right, down = lastY, px, -line
	case 5:
		start, right, down = 0, line, px
	case 6:
		start, right, down = lastY, -line, px
	case 7:
		start, right, down = lastX+lastY, -line, -px
	case 8:
		start, right, down = lastX, line, -px
	}
	if orientation >= 5 {
		w, h = h, w
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	// In squares, so that a turn by a quarter stays within the cache.
	const side = 32
	for y0 := 0; y0 < h; y0 += side {
		for x0 := 0; x0 < w; x0 += side {
			for y := y0; y < min(y0+side, h); y++ {
				from := start + y*down + x0*right
				to := y*out.Stride + x0*px
				for range min(side, w-x0) {
					copy(out.Pix[to:to+px], img.Pix[from:from+px])
					from += right
					to += px
				}
			}
		}
	}
	return out
}
