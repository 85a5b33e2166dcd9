package intake

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"io"
	"math"
	"slices"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// format is one kind of file.
type format struct {
	name  string // as in Limits.Formats and report.Picture.Format
	title string // as people write it
	is    func(data []byte) bool
	// header reads what the file says of its picture, without decoding pixels.
	header func(ctx context.Context, data []byte, limits Limits) (header, error)
	// decode gives the opaque picture, first frame or page, before turning. It
	// may add to the header what only the decoder finds.
	decode func(ctx context.Context, data []byte, h *header) (*image.NRGBA, error)
}

// formats in the order they are tried. A PDF may begin with anything, so it is
// last.
var formats = []format{
	{"jpeg", "JPEG", starts("\xFF\xD8\xFF"), jpegHeader, decodeJPEG},
	{"png", "PNG", starts(pngMagic), pngHeader, decodeWith(png.Decode)},
	{"webp", "WebP", func(b []byte) bool { return len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP" }, webpHeader, decodeWebP},
	{"gif", "GIF", func(b []byte) bool { return starts("GIF87a")(b) || starts("GIF89a")(b) }, gifHeader, decodeWith(gif.Decode)},
	{"tiff", "TIFF", func(b []byte) bool { return starts("II*\x00")(b) || starts("MM\x00*")(b) }, tiffHeader, decodeWith(tiff.Decode)},
	{"bmp", "BMP", isBMP, bmpHeader, decodeWith(bmp.Decode)},
	{"heic", "HEIC", isHEIC, heicHeader, decodeHEIC},
	{"pdf", "PDF", isPDF, pdfHeader, decodePDF},
}

// Formats are the names of all formats, in a fixed order.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// formatNames are the names of formats as people write them.
func formatNames(names []string) []string {
	var titles []string
	for _, f := range formats {
		if slices.Contains(names, f.name) {
			titles = append(titles, f.title)
		}
	}
	return titles
}

// sniff tells the format by its magic bytes.
func sniff(data []byte) (format, bool) {
	for _, f := range formats {
		if f.is(data) {
			return f, true
		}
	}
	return format{}, false
}

func starts(magic string) func([]byte) bool {
	return func(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }
}

// isBMP looks at the size of the second header as well: two letters are little
// to tell a picture from a text.
func isBMP(data []byte) bool {
	return len(data) >= 18 && string(data[:2]) == "BM" && binary.LittleEndian.Uint32(data[14:]) <= 124 && data[15]|data[16]|data[17] == 0
}

// decodeWith is a decode function over one of Go's decoders.
func decodeWith(decoder func(io.Reader) (image.Image, error)) func(context.Context, []byte, *header) (*image.NRGBA, error) {
	return func(_ context.Context, data []byte, h *header) (*image.NRGBA, error) {
		img, err := guarded(decoder, data)
		if err != nil {
			return nil, err
		}
		return flatten(img, image.Point{}, h.width, h.height), nil
	}
}

// guarded runs a decoder of Go's on hostile data and types its failure.
func guarded[T any](decoder func(io.Reader) (T, error), data []byte) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = unreadable("corrupt", fmt.Errorf("decoder panicked: %v", p))
		}
	}()
	v, err = decoder(bytes.NewReader(data))
	if err == nil {
		return v, nil
	}
	var unsupportedPNG png.UnsupportedError
	var unsupportedTIFF tiff.UnsupportedError
	text := err.Error()
	switch {
	case errors.As(err, &unsupportedPNG), errors.As(err, &unsupportedTIFF), errors.Is(err, bmp.ErrUnsupported):
		return v, variant(err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), strings.Contains(text, "not enough"), strings.Contains(text, "short"):
		return v, unreadable("truncated", err)
	case strings.Contains(text, "palette index"), strings.Contains(text, "color index"):
		return v, unreadable("palette_index", err)
	}
	return v, unreadable("corrupt", err)
}

// flatten lays img, moved by at, on a white canvas of the given size.
func flatten(img image.Image, at image.Point, width, height int) *image.NRGBA {
	// Where every pixel is opaque RGBA and NRGBA are the same, and only RGBA has
	// fast paths in draw.
	canvas := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(canvas, canvas.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	bounds := img.Bounds()
	draw.Draw(canvas, bounds.Add(at), img, bounds.Min, draw.Over)
	return &image.NRGBA{Pix: canvas.Pix, Stride: canvas.Stride, Rect: canvas.Rect}
}

const pngMagic = "\x89PNG\r\n\x1a\n"

func pngHeader(_ context.Context, data []byte, _ Limits) (header, error) {
	var h header
	if len(data) < len(pngMagic)+8+13 {
		return h, unreadable("truncated", errors.New("no image header"))
	}
	for at := len(pngMagic); at+8 <= len(data); {
		size := int64(binary.BigEndian.Uint32(data[at:]))
		kind := string(data[at+4 : at+8])
		if kind == "IEND" || int64(at)+12+size > int64(len(data)) {
			break // what is missing is for the decoder to miss
		}
		body := data[at+8 : at+8+int(size)]
		at += 12 + int(size)
		switch kind {
		case "IHDR":
			if len(body) == 13 && h.width == 0 {
				h.width, h.height = int(binary.BigEndian.Uint32(body)), int(binary.BigEndian.Uint32(body[4:]))
			}
		case "eXIf":
			h.readEXIF(body)
		case "tEXt":
			if software, ok := bytes.CutPrefix(body, []byte("Software\x00")); ok {
				h.note(MetadataSoftware, string(software))
			}
		case "tIME":
			if len(body) == 7 {
				h.noteDate(MetadataModified, "2006-1-2 15:4:5", fmt.Sprintf("%d-%d-%d %d:%d:%d",
					binary.BigEndian.Uint16(body), body[2], body[3], body[4], body[5], body[6]))
			}
		}
	}
	return h, nil
}

func gifHeader(_ context.Context, data []byte, _ Limits) (header, error) {
	c, err := guarded(gif.DecodeConfig, data)
	return header{width: c.Width, height: c.Height}, err
}

func bmpHeader(_ context.Context, data []byte, _ Limits) (header, error) {
	c, err := guarded(bmp.DecodeConfig, data)
	h := header{width: c.Width, height: c.Height}
	if err != nil {
		return h, err
	}
	// Rows are stored whole, to four bytes: a picture that is not in the file
	// need not be made room for.
	bitsPerPixel := int64(binary.LittleEndian.Uint16(data[28:]))
	if row := (int64(h.width)*bitsPerPixel + 31) / 32 * 4; row > int64(len(data)) || row*int64(h.height) > int64(len(data)) {
		return h, unreadable("truncated", errors.New("fewer rows than the header claims"))
	}
	return h, nil
}

// maxTIFFBlocks bounds the strips and tiles of a TIFF: each costs a
// decompressor, and two lists in a small file can name millions. One strip a
// row of the tallest scan is below it.
const maxTIFFBlocks = 1 << 16

func tiffHeader(_ context.Context, data []byte, limits Limits) (header, error) {
	c, err := guarded(tiff.DecodeConfig, data)
	h := header{width: c.Width, height: c.Height}
	if err != nil {
		return h, err
	}
	h.readEXIF(data)
	var blocks, tileWidth, tileLength int64
	for _, t := range readDirectory(data, 0) {
		switch t.id {
		case tagStripOffsets, tagTileOffsets:
			blocks = max(blocks, t.count)
		case tagTileWidth:
			tileWidth = t.number()
		case tagTileLength:
			tileLength = t.number()
		}
	}
	if blocks > maxTIFFBlocks {
		return h, &Error{Code: CodeUnreadable, Rule: "too_complex", Limit: maxTIFFBlocks, Value: float64(blocks)}
	}
	// Tiles stick out over the right and the lower edge; much more than the
	// picture is a bomb.
	if tileWidth > 0 && tileLength > 0 && blocks > 2*limits.MaxPixels/tileWidth/tileLength {
		return h, unreadable("too_complex", errors.New("tiles are larger than the picture"))
	}
	return h, nil
}

// webpChunks lists the chunks of a RIFF body: name and data.
func webpChunks(body []byte, visit func(name string, data []byte)) {
	for len(body) >= 8 {
		size := int64(binary.LittleEndian.Uint32(body[4:]))
		if 8+size > int64(len(body)) {
			return
		}
		visit(string(body[:4]), body[8:8+size])
		body = body[min(8+size+size%2, int64(len(body))):]
	}
}

func webpHeader(_ context.Context, data []byte, _ Limits) (header, error) {
	c, err := guarded(webp.DecodeConfig, data)
	h := header{width: c.Width, height: c.Height}
	if err != nil {
		return h, err
	}
	webpChunks(data[12:], func(name string, chunk []byte) {
		if name == "EXIF" {
			h.readEXIF(bytes.TrimPrefix(chunk, []byte("Exif\x00\x00")))
		}
	})
	return h, nil
}

// decodeWebP decodes a still WebP, or the first frame of an animated one.
func decodeWebP(ctx context.Context, data []byte, h *header) (*image.NRGBA, error) {
	var first []byte
	webpChunks(data[12:], func(name string, chunk []byte) {
		if name == "ANMF" && first == nil {
			first = chunk
		}
	})
	if first == nil {
		return decodeWith(webpDecode)(ctx, data, h)
	}
	// A frame is x/2, y/2, width-1 and height-1 in three bytes each, duration
	// and flags in four, then the chunks of a still picture.
	const frameHeader = 16
	if len(first) < frameHeader {
		return nil, unreadable("truncated", errors.New("short frame"))
	}
	uint24 := func(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
	at := image.Pt(2*uint24(first), 2*uint24(first[3:]))
	if at.X+uint24(first[6:]) >= h.width || at.Y+uint24(first[9:]) >= h.height {
		return nil, unreadable("dimensions", errors.New("frame larger than the canvas"))
	}
	var flags byte
	webpChunks(first[frameHeader:], func(name string, _ []byte) {
		if name == "ALPH" {
			flags = 1 << 4
		}
	})
	still := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+18+len(first)-frameHeader))
	still = append(still, "WEBPVP8X\x0A\x00\x00\x00"...)
	still = append(still, flags, 0, 0, 0)
	still = append(still, first[6:12]...)
	still = append(still, first[frameHeader:]...)
	img, err := guarded(webpDecode, still)
	if err != nil {
		return nil, err
	}
	return flatten(img, at, h.width, h.height), nil
}

// webpDecode corrects what x/image/webp leaves to its caller: lossy WebP holds
// luma from 16 to 235 and chroma from 16 to 240 (ITU-R BT.601), and
// image.YCbCr means 0 to 255 (JFIF). Without it black would be gray.
func webpDecode(r io.Reader) (image.Image, error) {
	img, err := webp.Decode(r)
	if err != nil {
		return nil, err
	}
	switch lossy := img.(type) {
	case *image.YCbCr:
		widen(lossy)
	case *image.NYCbCrA:
		widen(&lossy.YCbCr)
	}
	return img, nil
}

func widen(img *image.YCbCr) {
	var luma, chroma [256]uint8
	for i := range 256 {
		luma[i] = clamp(float64(i-16) * 255 / 219)
		chroma[i] = clamp(128 + float64(i-128)*255/224)
	}
	for i, v := range img.Y {
		img.Y[i] = luma[v]
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = chroma[img.Cb[i]], chroma[img.Cr[i]]
	}
}

func clamp(v float64) uint8 { return uint8(math.Round(min(max(v, 0), 255))) }
