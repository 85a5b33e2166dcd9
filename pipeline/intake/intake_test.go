package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"
)

func mustDecode(t *testing.T, data []byte) Picture {
	t.Helper()
	p, err := Decode(t.Context(), data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i := 3; i < len(p.Image.Pix); i += 4 {
		if p.Image.Pix[i] != 255 {
			t.Fatalf("pixel %d is not opaque", i/4)
		}
	}
	if p.Image.Rect.Min != (image.Point{}) {
		t.Fatalf("bounds %v do not start at (0,0)", p.Image.Rect)
	}
	return p
}

// near says whether two colors differ by no more than lossy coding explains.
func near(a, b color.NRGBA, tolerance int) bool {
	d := func(x, y uint8) bool { return int(x)-int(y) <= tolerance && int(y)-int(x) <= tolerance }
	return d(a.R, b.R) && d(a.G, b.G) && d(a.B, b.B)
}

func checkScene(t *testing.T, img *image.NRGBA, want [4]color.NRGBA, tolerance int) {
	t.Helper()
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for i, c := range want {
		at := image.Pt(w/4+w/2*(i%2), h/4+h/2*(i/2))
		if got := img.NRGBAAt(at.X, at.Y); !near(got, c, tolerance) {
			t.Errorf("quadrant %d: got %v, want %v", i, got, c)
		}
	}
}

func TestFormats(t *testing.T) {
	white := color.NRGBA{255, 255, 255, 255}
	withHole := scene()
	draw.Draw(withHole, image.Rect(sceneWidth/2, sceneHeight/2, sceneWidth, sceneHeight), image.Transparent, image.Point{}, draw.Src)
	holed := quadrants
	holed[3] = white
	var gray [4]color.NRGBA
	for i, c := range quadrants {
		y := color.GrayModel.Convert(c).(color.Gray).Y
		gray[i] = color.NRGBA{y, y, y, 255}
	}
	convert := func(dst draw.Image) draw.Image {
		draw.Draw(dst, dst.Bounds(), scene(), image.Point{}, draw.Src)
		return dst
	}
	bounds := image.Rect(0, 0, sceneWidth, sceneHeight)
	paletted := image.NewPaletted(bounds, color.Palette{quadrants[0], quadrants[1], quadrants[2], color.NRGBA{}})
	draw.Draw(paletted, bounds, withHole, image.Point{}, draw.Src)

	for _, tt := range []struct {
		name, format string
		data         []byte
		want         [4]color.NRGBA
		tolerance    int
	}{
		{"baseline", "jpeg", encoded(t, "jpeg", scene()), quadrants, 4},
		{"progressive", "jpeg", sample(t, "progressive.jpg"), quadrants, 6},
		{"CMYK", "jpeg", sample(t, "cmyk.jpg"), quadrants, 6},
		{"gray", "jpeg", sample(t, "gray.jpg"), gray, 4},
		{"RGB", "png", encoded(t, "png", scene()), quadrants, 0},
		{"alpha", "png", encoded(t, "png", withHole), holed, 0},
		{"gray", "png", encoded(t, "png", convert(image.NewGray(bounds))), gray, 0},
		{"16-bit gray", "png", encoded(t, "png", convert(image.NewGray16(bounds))), gray, 1},
		{"16-bit", "png", encoded(t, "png", convert(image.NewNRGBA64(bounds))), quadrants, 0},
		{"palette with a hole", "png", encoded(t, "png", paletted), holed, 0},
		{"lossy", "webp", sample(t, "still.webp"), quadrants, 4},
		{"lossless", "webp", sample(t, "lossless.webp"), quadrants, 0},
		{"alpha", "webp", sample(t, "alpha.webp"), holed, 4},
		{"animated", "webp", sample(t, "animated.webp"), quadrants, 4},
		{"animated with alpha", "webp", sample(t, "animated_alpha.webp"), holed, 4},
		{"palette with a hole", "gif", encoded(t, "gif", paletted), holed, 0},
		{"RGB", "bmp", encoded(t, "bmp", scene()), quadrants, 0},
		{"gray", "bmp", encoded(t, "bmp", convert(image.NewGray(bounds))), gray, 0},
		{"RGB", "tiff", encoded(t, "tiff", convert(image.NewRGBA(bounds))), quadrants, 0},
		{"alpha", "tiff", encoded(t, "tiff", withHole), holed, 0},
		{"16-bit gray", "tiff", encoded(t, "tiff", convert(image.NewGray16(bounds))), gray, 1},
		{"still", "heic", sample(t, "still.heic"), quadrants, 8},
		{"turned", "heic", sample(t, "turned.heic"), quadrants, 8},
		{"a page", "pdf", sample(t, "page.pdf"), quadrants, 8},
		{"owner's password alone", "pdf", sample(t, "owner_password.pdf"), quadrants, 8},
	} {
		t.Run(tt.format+" "+tt.name, func(t *testing.T) {
			p := mustDecode(t, tt.data)
			if p.Info.Format != tt.format || p.Info.Bytes != int64(len(tt.data)) {
				t.Errorf("got %s of %d bytes, want %s of %d", p.Info.Format, p.Info.Bytes, tt.format, len(tt.data))
			}
			if size := p.Image.Rect.Size(); tt.format != "pdf" && size != bounds.Size() {
				t.Errorf("size %v, want %v", size, bounds.Size())
			}
			checkScene(t, p.Image, tt.want, tt.tolerance)
		})
	}
}

// TestFormatsOfPages holds how large a page is rendered.
func TestFormatsOfPages(t *testing.T) {
	p := mustDecode(t, sample(t, "page.pdf")) // 96 x 64 points
	if got := p.Image.Rect.Size(); got.X != minPageSide || got.Y < minPageSide*2/3-1 || got.Y > minPageSide*2/3+1 {
		t.Errorf("rendered at %v", got)
	}
	small, err := Decode(t.Context(), sample(t, "page.pdf"), Limits{MaxPixels: 60_000})
	if err != nil {
		t.Fatal(err)
	}
	if got := small.Image.Rect.Size(); got.X*got.Y > 61_000 || got.X < 295 {
		t.Errorf("rendered at %v, limit 60,000 pixels", got)
	}
}

// stored is the picture a camera writes for an upright one. Orientation names
// the sides that row 0 and column 0 of the file show (TIFF 6.0, tag 274).
func stored(upright *image.NRGBA, orientation int) *image.NRGBA {
	w, h := upright.Rect.Dx(), upright.Rect.Dy()
	size := image.Pt(w, h)
	if orientation >= 5 {
		size = image.Pt(h, w)
	}
	out := image.NewNRGBA(image.Rectangle{Max: size})
	for row := range size.Y {
		for col := range size.X {
			at := map[int]image.Point{
				1: {col, row},                 // top, left
				2: {w - 1 - col, row},         // top, right
				3: {w - 1 - col, h - 1 - row}, // bottom, right
				4: {col, h - 1 - row},         // bottom, left
				5: {row, col},                 // left, top
				6: {w - 1 - row, col},         // right, top
				7: {w - 1 - row, h - 1 - col}, // right, bottom
				8: {row, h - 1 - col},         // left, bottom
			}[orientation]
			out.SetNRGBA(col, row, upright.NRGBAAt(at.X, at.Y))
		}
	}
	return out
}

func TestOrientation(t *testing.T) {
	upright := noise(70, 37)
	want := mustDecode(t, encoded(t, "png", upright)).Info.PixelsSHA256
	for o := 1; o <= 8; o++ {
		exif := tiffBlock(binary.BigEndian, entry{tagOrientation, uint16(o)})
		turned := stored(upright, o)
		p := mustDecode(t, withChunk(encoded(t, "png", turned), "eXIf", exif))
		if p.Info.PixelsSHA256 != want {
			t.Errorf("PNG, orientation %d: the picture is not upright", o)
		}
		file := withSegment(encoded(t, "jpeg", stored(scene(), o)), 0xE1, append([]byte("Exif\x00\x00"), exif...))
		checkScene(t, mustDecode(t, file).Image, quadrants, 4)
	}
	for _, o := range []uint16{0, 9, 0xFFFF} {
		exif := tiffBlock(binary.LittleEndian, entry{tagOrientation, o})
		if p := mustDecode(t, withChunk(encoded(t, "png", upright), "eXIf", exif)); p.Info.PixelsSHA256 != want {
			t.Errorf("orientation %d, which does not exist, turned the picture", o)
		}
	}
}

func TestOrientationOfOtherFormats(t *testing.T) {
	exif := tiffBlock(binary.LittleEndian, entry{tagOrientation, uint16(3)})
	halfTurned := [4]color.NRGBA{quadrants[3], quadrants[2], quadrants[1], quadrants[0]}
	still := sample(t, "lossless.webp")[12:]
	webp := webpFile(webpExtended(1<<3, sceneWidth, sceneHeight), still, webpChunk("EXIF", exif))
	checkScene(t, mustDecode(t, webp).Image, halfTurned, 0)

	gray := func(offset uint32) []byte {
		return tiffBlock(binary.LittleEndian, []entry{{256, uint16(2)}, {257, uint16(1)}, {258, uint16(8)}, {259, uint16(1)}, {262, uint16(1)},
			{tagStripOffsets, offset}, {tagOrientation, uint16(6)}, {277, uint16(1)}, {278, uint16(1)}, {279, uint32(2)}}...)
	}
	img := mustDecode(t, append(gray(uint32(len(gray(0)))), 10, 200)).Image
	if img.Rect.Size() != image.Pt(1, 2) || img.NRGBAAt(0, 0).R != 10 || img.NRGBAAt(0, 1).R != 200 {
		t.Errorf("TIFF, orientation 6: got %v %v", img.Rect, img.Pix)
	}
}

func TestBadInput(t *testing.T) {
	whole := encoded(t, "jpeg", noise(200, 150))
	photo := encoded(t, "png", noise(40, 30))
	bmpFile := encoded(t, "bmp", scene())
	hugeBMP := bytes.Clone(bmpFile)
	binary.LittleEndian.PutUint32(hugeBMP[18:], 7000)
	binary.LittleEndian.PutUint32(hugeBMP[22:], 7000)
	rle := bytes.Clone(bmpFile)
	rle[30] = 1
	blocks := func(n uint32) []byte { // both lists are the same bytes
		head := []entry{{256, uint16(100)}, {257, uint16(100)}, {258, uint16(8)}, {259, uint16(8)}, {262, uint16(1)}, {tagStripOffsets, make([]uint32, n)}, {278, uint16(1)}, {279, uint32(1)}}
		return tiffBlock(binary.LittleEndian, head...)
	}
	tiles := tiffBlock(binary.LittleEndian, []entry{{256, uint16(100)}, {257, uint16(100)}, {258, uint16(8)}, {259, uint16(8)}, {262, uint16(1)},
		{tagTileWidth, uint16(1024)}, {tagTileLength, uint16(1024)}, {tagTileOffsets, make([]uint32, 200)}, {325, make([]uint32, 200)}}...)
	arithmetic16 := bytes.Clone(whole)
	sof := bytes.Index(arithmetic16, []byte{0xFF, 0xC0})
	arithmetic16[sof+4] = 12 // bits per sample
	frame := append(make([]byte, 16), webpChunk("VP8L", []byte{0x2F, 0xFF, 0xFF, 0xFF, 0x0F})...)

	for _, tt := range []struct {
		name       string
		data       []byte
		code, rule string
	}{
		{"empty", nil, CodeUnreadable, "empty"},
		{"text", []byte("This is a text that is named license.jpg.\n"), CodeTypeNotSupported, "magic"},
		{"one byte", []byte{0xFF}, CodeTypeNotSupported, "magic"},
		{"text that begins with BM", []byte("BMW is a brand of cars and motorcycles."), CodeTypeNotSupported, "magic"},
		{"zip", []byte("PK\x03\x04" + strings.Repeat("x", 100)), CodeTypeNotSupported, "magic"},
		{"AVIF", box("ftyp", []byte("avif\x00\x00\x00\x00avifmif1miaf")), CodeTypeNotSupported, "magic"},
		{"BigTIFF", []byte("II+\x00\x08\x00\x00\x00"), CodeTypeNotSupported, "magic"},

		{"JPEG, magic only", whole[:3], CodeUnreadable, "truncated"},
		{"JPEG, cut in a table", whole[:60], CodeUnreadable, "truncated"},
		{"JPEG, cut before the scan", whole[:bytes.Index(whole, []byte{0xFF, 0xDA})], CodeUnreadable, "truncated"},
		{"JPEG, half", whole[:len(whole)/2], CodeUnreadable, "truncated"},
		{"JPEG, nine tenths", whole[:len(whole)*9/10], CodeUnreadable, "truncated"},
		{"JPEG, half with an end marker", append(bytes.Clone(whole[:len(whole)/2]), 0xFF, 0xD9), CodeUnreadable, "truncated"},
		{"JPEG, no scan", []byte{0xFF, 0xD8, 0xFF, 0xD9}, CodeUnreadable, "truncated"},
		{"JPEG, ends at once", append([]byte{0xFF, 0xD8, 0xFF, 0xD9}, whole...), CodeUnreadable, "corrupt"},
		{"JPEG, tables missing", append(bytes.Clone(whole[:2]), whole[sof:]...), CodeUnreadable, "corrupt"},
		{"JPEG, 12 bits", arithmetic16, CodeTypeNotSupported, "variant"},
		{"JPEG, frame claims 65535x65535", withSegment(whole, 0xC0, []byte{8, 0xFF, 0xFF, 0xFF, 0xFF, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0}), CodeUnreadable, "corrupt"},
		{"JPEG, scan bomb", scanBomb(sample(t, "progressive.jpg"), maxJPEGScans+1), CodeUnreadable, "scans"},

		{"PNG claiming 20000x20000", claimingPNG(20000, 20000), CodeTooLarge, "pixels"},
		{"PNG claiming more than 2^63 pixels", claimingPNG(1<<32-1, 1<<32-1), CodeTooLarge, "pixels"},
		{"PNG of no width", claimingPNG(0, 10), CodeUnreadable, "dimensions"},
		{"PNG without data", claimingPNG(20, 20), CodeUnreadable, "truncated"},
		{"PNG, half", photo[:len(photo)/2], CodeUnreadable, "truncated"},
		{"PNG, magic only", photo[:8], CodeUnreadable, "truncated"},
		{"PNG, flipped bit", flipped(photo, len(photo)/2), CodeUnreadable, "corrupt"},

		{"WebP canvas of 2^48 pixels", webpFile(webpExtended(0, 1<<24, 1<<24), webpChunk("VP8L", []byte{0x2F, 0, 0, 0, 0})), CodeUnreadable, "corrupt"},
		{"WebP canvas too large", webpFile(webpExtended(0, 40000, 40000), webpChunk("VP8L", []byte{0x2F, 0, 0, 0, 0})), CodeTooLarge, "pixels"},
		{"WebP picture larger than its canvas", webpFile(webpExtended(0, 1, 1), webpChunk("VP8L", []byte{0x2F, 0xFF, 0xFF, 0xFF, 0x0F})), CodeUnreadable, "corrupt"},
		{"WebP frame larger than its header", webpFile(webpExtended(1<<1, 1, 1), webpChunk("ANMF", frame)), CodeUnreadable, "corrupt"},
		{"WebP short frame", webpFile(webpExtended(1<<1, 1, 1), webpChunk("ANMF", frame[:10])), CodeUnreadable, "truncated"},
		{"WebP, half", sample(t, "still.webp")[:80], CodeUnreadable, "truncated"},

		{"GIF claiming 65535x65535", []byte("GIF89a\xFF\xFF\xFF\xFF\x00\x00\x00"), CodeTooLarge, "pixels"},
		{"GIF, half", encoded(t, "gif", noise(40, 30))[:1100], CodeUnreadable, "truncated"},
		{"BMP claiming 7000x7000", hugeBMP, CodeUnreadable, "truncated"},
		{"BMP, RLE", rle, CodeTypeNotSupported, "variant"},
		{"TIFF, palette index", paletteTIFF(2, 2, []byte{0, 1, 2, 255}), CodeUnreadable, "palette_index"},
		{"TIFF, pixels missing", paletteTIFF(200, 200, []byte{0, 1}), CodeUnreadable, "truncated"},
		{"TIFF, 100,000 strips", blocks(100_000), CodeUnreadable, "too_complex"},
		{"TIFF, tiles without end", tiles, CodeUnreadable, "too_complex"},
		{"TIFF, directory outside", []byte("II*\x00\xFF\xFF\xFF\xFF"), CodeUnreadable, "truncated"},

		{"HEIC claiming 2^64 pixels", heicClaiming(1<<32-1, 1<<32-1), CodeTooLarge, "pixels"},
		{"HEIC without a picture", heicClaiming(100, 100), CodeUnreadable, "corrupt"},
		{"HEIC without a size", box("ftyp", []byte("heic\x00\x00\x00\x00")), CodeUnreadable, "corrupt"},
		{"HEIC, half", sample(t, "still.heic")[:400], CodeUnreadable, "truncated"},

		{"PDF, encrypted", sample(t, "encrypted.pdf"), CodeUnreadable, "encrypted"},
		{"PDF without pages", []byte(emptyPDF), CodeUnreadable, "no_pages"},
		{"PDF, magic only", []byte("%PDF-1.7\n"), CodeUnreadable, "corrupt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(t.Context(), tt.data, Limits{})
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want %s %s", err, tt.code, tt.rule)
			}
			if e.Code != tt.code || e.Rule != tt.rule {
				t.Errorf("got %v, want %s: %s", err, tt.code, tt.rule)
			}
			if e.Retryable() {
				t.Errorf("%v is retryable", err)
			}
			checkPublic(t, e)
		})
	}
}

func flipped(data []byte, at int) []byte {
	data = bytes.Clone(data)
	data[at] ^= 1
	return data
}

func checkPublic(t *testing.T, e *Error) {
	t.Helper()
	text := e.Public()
	if text.ZH == "" || text.EN == "" || strings.Contains(text.ZH+text.EN, "%!") || strings.Contains(text.EN, e.Rule+":") {
		t.Errorf("public text of %v: %+v", e, text)
	}
}

func TestPublicText(t *testing.T) {
	_, err := Decode(t.Context(), []byte("plain text"), Limits{Formats: []string{"png", "jpeg"}})
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Public().EN, "JPEG, PNG.") || !strings.Contains(e.Public().ZH, "JPEG、PNG。") {
		t.Errorf("got %v, %+v", err, e.Public())
	}
	_, err = Decode(t.Context(), claimingPNG(20000, 20000), Limits{})
	if !errors.As(err, &e) || !strings.Contains(e.Public().EN, "400 megapixels, at most 50") || e.Value != 4e8 || e.Limit != 5e7 {
		t.Errorf("got %v, %+v", err, e.Public())
	}
}

// What browsers show whole is not refused.
func TestSlightDamage(t *testing.T) {
	whole := encoded(t, "jpeg", noise(200, 640))
	scan := bytes.Index(whole, []byte{0xFF, 0xDA})
	for name, data := range map[string][]byte{
		"no end marker":           whole[:len(whole)-2],
		"bytes behind the end":    append(bytes.Clone(whole), "trailing bytes of a phone"...),
		"a second picture behind": append(bytes.Clone(whole), whole...),
		"the last hundredth lost": append(bytes.Clone(whole[:scan+(len(whole)-scan)*99/100]), 0xFF, 0xD9),
		"fill bytes":              append([]byte{0xFF, 0xD8, 0xFF, 0xFF, 0xFF}, whole[3:]...),
		"garbage between markers": append([]byte{0xFF, 0xD8, 0xFF, 0xE1, 0, 4, 'a', 'b', 0, 0, 0}, whole[2:]...),
		"thumbnail in the EXIF":   withSegment(whole, 0xE1, append([]byte("Exif\x00\x00"), encoded(t, "jpeg", scene())...)),
	} {
		if _, err := Decode(t.Context(), data, Limits{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file cannot make room for pixels it does not have.
func TestClaimsCostNothing(t *testing.T) {
	for name, data := range map[string][]byte{
		"PNG":  claimingPNG(20000, 20000),
		"WebP": webpFile(webpExtended(0, 20000, 20000), webpChunk("VP8L", []byte{0x2F, 0, 0, 0, 0})),
		"HEIC": heicClaiming(20000, 20000),
		"GIF":  []byte("GIF89a\xFF\xFF\xFF\xFF\x00\x00\x00"),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(t.Context(), data, Limits{})
		runtime.ReadMemStats(&after)
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeTooLarge {
			t.Errorf("%s: got %v", name, err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
			t.Errorf("%s: %d bytes were allocated", name, got)
		}
	}
	if n := len(claimingPNG(20000, 20000)); n != 47 {
		t.Errorf("the PNG has %d bytes", n)
	}
}

func TestManyTextChunks(t *testing.T) {
	var chunks []byte
	for i := range 10_000 {
		chunks = append(chunks, pngChunk("tEXt", fmt.Appendf(nil, "Software\x00editor %d", i))...)
	}
	file := encoded(t, "png", scene())
	p := mustDecode(t, append(append(bytes.Clone(file[:33]), chunks...), file[33:]...))
	if want := map[string]string{MetadataSoftware: "editor 0"}; !maps.Equal(p.Info.Metadata, want) {
		t.Errorf("got %v, want %v", p.Info.Metadata, want)
	}
}

// counting is an upload that never ends by itself.
type counting struct{ size, read int64 }

func (c *counting) Read(p []byte) (int, error) {
	if c.read >= c.size {
		return 0, io.EOF
	}
	n := min(int64(len(p)), c.size-c.read)
	clear(p[:n])
	if c.read == 0 {
		copy(p, "\xFF\xD8\xFF")
	}
	c.read += n
	return int(n), nil
}

func TestReadStopsAtTheLimit(t *testing.T) {
	upload := counting{size: 200 << 20}
	_, err := Read(t.Context(), &upload, Limits{})
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeTooLarge || e.Rule != "bytes" || e.Limit != 10<<20 {
		t.Errorf("got %v", err)
	}
	if upload.read > 10<<20+1 {
		t.Errorf("%d bytes were read", upload.read)
	}
	checkPublic(t, e)

	file := encoded(t, "png", scene())
	if _, err := Read(t.Context(), iotest.OneByteReader(bytes.NewReader(file)), Limits{MaxBytes: int64(len(file))}); err != nil {
		t.Errorf("a file of just the size: %v", err)
	}
	if _, err := Read(t.Context(), bytes.NewReader(file), Limits{MaxBytes: int64(len(file)) - 1}); !errors.As(err, &e) {
		t.Errorf("a byte too much: %v", err)
	}
	broken := errors.New("connection lost")
	if _, err := Read(t.Context(), iotest.ErrReader(broken), Limits{}); !errors.Is(err, broken) || errors.As(err, &e) {
		t.Errorf("a reader that breaks: %v", err)
	}
}

func TestFormatsAreLimited(t *testing.T) {
	_, err := Decode(t.Context(), encoded(t, "gif", scene()), Limits{Formats: []string{"jpeg", "png"}})
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeTypeNotSupported || e.Rule != "format" {
		t.Errorf("got %v", err)
	}
	checkPublic(t, e)
}

func TestContext(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, data := range map[string][]byte{"jpeg": encoded(t, "jpeg", scene()), "heic": sample(t, "still.heic"), "pdf": sample(t, "page.pdf")} {
		if _, err := Decode(cancelled, data, Limits{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Read(cancelled, &counting{size: 100}, Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: got %v", err)
	}
	// Within libjpeg as well.
	large := encoded(t, "jpeg", image.NewNRGBA(image.Rect(0, 0, 4000, 3000)))
	h, err := jpegHeader(t.Context(), large, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decodeJPEG(cancelled, large, &h); !errors.Is(err, context.Canceled) {
		t.Errorf("libjpeg: got %v", err)
	}
}

func TestHashes(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	copy(img.Pix, []byte{1, 2, 3, 255, 4, 5, 6, 255})
	file := encoded(t, "png", img)
	p := mustDecode(t, file)
	pixels := sha256.Sum256([]byte{0, 0, 0, 2, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6})
	if want := hex.EncodeToString(pixels[:]); p.Info.PixelsSHA256 != want {
		t.Errorf("pixels: got %s, want %s", p.Info.PixelsSHA256, want)
	}
	sum := sha256.Sum256(file)
	if want := hex.EncodeToString(sum[:]); p.Info.SHA256 != want {
		t.Errorf("file: got %s, want %s", p.Info.SHA256, want)
	}
	edited := mustDecode(t, withChunk(file, "tEXt", []byte("Software\x00x")))
	if edited.Info.PixelsSHA256 != p.Info.PixelsSHA256 || edited.Info.SHA256 == p.Info.SHA256 {
		t.Error("metadata changed the hash of the pixels, or not that of the file")
	}
}

// fault puts a program that misbehaves in the place of a real one.
func fault(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestFaultyPrograms(t *testing.T) {
	pdf, heic := sample(t, "page.pdf"), sample(t, "still.heic")
	for _, tt := range []struct {
		name, program, script string
		data                  []byte
		code, rule            string
	}{
		{"endless output", "pdftoppm", "yes", pdf, CodeUnreadable, "too_complex"},
		{"crash", "pdftoppm", "kill -SEGV $$", pdf, CodeUnreadable, "too_complex"},
		{"bad UTF-8", "pdftoppm", `printf 'P6\n\377\376'`, pdf, CodeUnreadable, "corrupt"},
		{"nothing", "pdftoppm", "exit 0", pdf, CodeUnreadable, "corrupt"},
		{"no information", "pdfinfo", "exit 0", pdf, CodeUnreadable, "dimensions"},
		{"complaint", "pdfinfo", "echo 'Error: Couldn'\"'\"'t find trailer dictionary' >&2; exit 1", pdf, CodeUnreadable, "corrupt"},
		{"too much memory", "heif-convert", "exec dd if=/dev/zero of=/dev/null bs=4G count=1", heic, CodeUnreadable, "corrupt"},
		{"a file without end", "heif-convert", "exec dd if=/dev/zero of=\"$4\" bs=1M", heic, CodeUnreadable, "too_complex"},
		{"wrote nothing", "heif-convert", "exit 0", heic, CodeUnreadable, "corrupt"},
		{"larger than claimed", "heif-convert", "cp " + abs(t, "wide.jpg") + " \"$4\"", heic, CodeUnreadable, "dimensions"},
		{"no decoder", "heif-convert", "echo 'Unsupported feature: Unsupported codec' >&2; exit 1", heic, CodeEngineFailed, "hevc_missing"},
	} {
		t.Run(tt.program+" "+tt.name, func(t *testing.T) {
			fault(t, tt.program, tt.script)
			start := time.Now()
			_, err := Decode(t.Context(), tt.data, Limits{})
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			var e *Error
			if !errors.As(err, &e) || e.Code != tt.code || e.Rule != tt.rule {
				t.Errorf("got %v, want %s: %s", err, tt.code, tt.rule)
			}
		})
	}
	t.Run("never ends", func(t *testing.T) {
		fault(t, "pdftoppm", "sleep 60")
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := Decode(ctx, pdf, Limits{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func abs(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, encoded(t, "jpeg", image.NewNRGBA(image.Rect(0, 0, 300, 200))), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A program that is not installed is our failure.
func TestMissingProgram(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for program, data := range map[string][]byte{"pdfinfo": sample(t, "page.pdf"), "heif_convert": sample(t, "still.heic")} {
		_, err := Decode(t.Context(), data, Limits{})
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeEngineFailed || e.Rule != program+"_missing" || !e.Retryable() {
			t.Fatalf("%s: got %v", program, err)
		}
		checkPublic(t, e)
	}
}

func TestMetadata(t *testing.T) {
	exif := func(order binary.AppendByteOrder) []byte {
		return tiffBlock(order,
			entry{tagMake, "Camera Works"}, entry{tagModel, "CW-1"},
			entry{tagSoftware, "Picture Editor 3.1\n\x1b[31m (Linux)"}, entry{tagDateTime, "2024:05:06 07:08:09"},
			entry{0x013B, "A. Person"},
			entry{tagExifDirectory, []entry{{tagDateTaken, "2024:01:02 03:04:05"}, {tagUserComment, []byte("ASCII\x00\x00\x00Screenshot")}}},
			entry{0x8825, []entry{{0x0001, "N"}, {0x001D, "2024:01:02"}}})
	}
	want := map[string]string{
		MetadataCameraMake: "Camera Works", MetadataCameraModel: "CW-1", MetadataSoftware: "Picture Editor 3.1[31m (Linux)",
		MetadataModified: "2024-05-06T07:08:09", MetadataTaken: "2024-01-02T03:04:05", MetadataScreenshot: "declared",
	}
	jpeg, png := encoded(t, "jpeg", scene()), encoded(t, "png", scene())
	app1 := func(block []byte) []byte { return withSegment(jpeg, 0xE1, append([]byte("Exif\x00\x00"), block...)) }
	resource := func(id uint16) []byte {
		return append(binary.BigEndian.AppendUint16([]byte("Photoshop 3.0\x008BIM"), id), "\x03abc\x00\x00\x00\x01x\x00"...)
	}
	xmp := func(s string) []byte { return withSegment(jpeg, 0xE1, []byte("http://ns.adobe.com/xap/1.0/\x00"+s)) }
	for _, tt := range []struct {
		name string
		data []byte
		want map[string]string
	}{
		{"none", jpeg, nil},
		{"EXIF, little endian", app1(exif(binary.LittleEndian)), want},
		{"EXIF, big endian", app1(exif(binary.BigEndian)), want},
		{"EXIF in a PNG", withChunk(png, "eXIf", exif(binary.BigEndian)), want},
		{"EXIF in a HEIC", sample(t, "turned.heic"), map[string]string{MetadataSoftware: "Scene Maker 1.0"}},
		{"PNG text", withChunk(png, "tEXt", []byte("Software\x00Painter")), map[string]string{MetadataSoftware: "Painter"}},
		{"PNG time", withChunk(png, "tIME", []byte{0x07, 0xE8, 1, 2, 3, 4, 5}), map[string]string{MetadataModified: "2024-01-02T03:04:05"}},
		{"XMP attribute", xmp(`<rdf:Description xmp:CreatorTool="Editor &amp; Co 22"/>`), map[string]string{MetadataCreatorTool: "Editor & Co 22"}},
		{"XMP element", xmp(`<xmp:CreatorTool>Editor 22</xmp:CreatorTool>`), map[string]string{MetadataCreatorTool: "Editor 22"}},
		{"editor resources", withSegment(jpeg, 0xED, resource(0x03ED)), map[string]string{MetadataPhotoshop: "resources"}},
		{"captions only", withSegment(jpeg, 0xED, resource(0x0404)), nil},
		{"captions, then editor resources", withSegment(jpeg, 0xED, append(resource(0x0404), resource(0x03ED)[14:]...)), map[string]string{MetadataPhotoshop: "resources"}},
		{"bad date", app1(tiffBlock(binary.LittleEndian, entry{tagDateTime, "0000:00:00 00:00:00"})), nil},
		{"too long", app1(tiffBlock(binary.LittleEndian, entry{tagSoftware, strings.Repeat("软", 5000)})), map[string]string{MetadataSoftware: strings.Repeat("软", maxMetadata)}},
		{"PDF", sample(t, "page.pdf"), map[string]string{MetadataCreated: "2026-11-21T23:34:20", MetadataModified: "2026-11-21T23:34:20"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := mustDecode(t, tt.data).Info.Metadata; !maps.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Hundreds of entries that point at the same megabytes cost nothing.
func TestMetadataBomb(t *testing.T) {
	const size, entries = 8 << 20, 2000
	for _, id := range []uint16{tagSoftware, tagDateTime, tagPhotoshop} {
		block := binary.LittleEndian.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), entries)
		for range entries {
			block = binary.LittleEndian.AppendUint16(block, id)
			block = binary.LittleEndian.AppendUint16(block, 2)
			block = binary.LittleEndian.AppendUint32(block, size)
			block = binary.LittleEndian.AppendUint32(block, 8+2+12*entries)
		}
		block = append(block, bytes.Repeat([]byte("8BIM\x04\x04\x00\x00\x00\x00\x00\x00"), size/12+1)...)
		var h header
		start := time.Now()
		h.readEXIF(block)
		if took := time.Since(start); took > time.Second {
			t.Errorf("tag %#x took %v", id, took)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"still.webp", "lossless.webp", "alpha.webp", "animated.webp", "progressive.jpg", "cmyk.jpg", "gray.jpg"} {
		f.Add(sample(f, name))
	}
	for _, format := range []string{"jpeg", "png", "gif", "bmp", "tiff"} {
		f.Add(encoded(f, format, scene()))
	}
	exif := tiffBlock(binary.LittleEndian, entry{tagOrientation, uint16(6)}, entry{tagSoftware, "Editor"})
	f.Add(withSegment(encoded(f, "jpeg", scene()), 0xE1, append([]byte("Exif\x00\x00"), exif...)))
	f.Add(withChunk(encoded(f, "png", scene()), "eXIf", exif))
	f.Add(paletteTIFF(2, 2, []byte{0, 1, 2, 255}))
	f.Add(claimingPNG(20000, 20000))
	// Only what is decoded in this process: children are bounded by the kernel.
	limits := Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 18, Formats: []string{"jpeg", "png", "webp", "gif", "bmp", "tiff"}}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(t.Context(), data, limits)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("untyped: %v", err)
			}
			checkPublic(t, e)
			return
		}
		size := p.Image.Rect.Size()
		if p.Image.Rect.Min != (image.Point{}) || int64(size.X*size.Y) > limits.MaxPixels || !p.Image.Opaque() {
			t.Fatalf("picture of %v, opaque %v", p.Image.Rect, p.Image.Opaque())
		}
	})
}

func FuzzReadEXIF(f *testing.F) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		f.Add(tiffBlock(order, entry{tagOrientation, uint16(6)}, entry{tagSoftware, "Editor"}, entry{tagDateTime, "2024:01:02 03:04:05"},
			entry{tagPhotoshop, []byte("8BIM\x03\xED\x00\x00\x00\x00\x00\x00")}, entry{tagExifDirectory, []entry{{tagDateTaken, "2024:01:02 03:04:05"}}}))
	}
	f.Fuzz(func(t *testing.T, block []byte) {
		var h header
		h.readEXIF(block)
		for key, value := range h.metadata {
			if utf8.RuneCountInString(value) > maxMetadata || !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' }) {
				t.Errorf("%s: %q", key, value)
			}
		}
	})
}

func FuzzHEICHeader(f *testing.F) {
	f.Add(sample(f, "still.heic"))
	f.Add(sample(f, "turned.heic"))
	f.Add(heicClaiming(1<<32-1, 1<<32-1))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !isHEIC(data) {
			return
		}
		h, err := heicHeader(t.Context(), data, DefaultLimits)
		if err == nil && (h.width <= 0 || h.height <= 0) {
			t.Errorf("%d x %d without an error", h.width, h.height)
		}
	})
}

func BenchmarkDecode12MPJPEG(b *testing.B) {
	img := image.NewNRGBA(image.Rect(0, 0, 4000, 3000))
	grain := noise(251, 241)
	for y := range 3000 {
		for x := range 4000 {
			c := grain.NRGBAAt(x/2%251, y/2%241)
			v := 200 - 180*byte((x/40+y/60)%2) + c.R/16
			img.SetNRGBA(x, y, color.NRGBA{v, v, v - c.G/32, 255})
		}
	}
	data := encoded(b, "jpeg", img)
	file := withSegment(data, 0xE1, append([]byte("Exif\x00\x00"), tiffBlock(binary.BigEndian, entry{tagOrientation, uint16(6)})...))
	for _, bb := range []struct {
		name string
		data []byte
	}{{"upright", data}, {"turned", file}} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(bb.data)))
			for b.Loop() {
				if _, err := Decode(b.Context(), bb.data, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
