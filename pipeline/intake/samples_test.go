package intake

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// The scene of all samples: four quadrants. Those in testdata were written
// once with Pillow, heif-enc and qpdf, since Go has no encoder for them.
const sceneWidth, sceneHeight = 96, 64

var quadrants = [4]color.NRGBA{{220, 40, 40, 255}, {40, 200, 40, 255}, {40, 40, 220, 255}, {240, 240, 60, 255}}

func scene() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, sceneWidth, sceneHeight))
	for y := range sceneHeight {
		for x := range sceneWidth {
			img.SetNRGBA(x, y, quadrants[x/(sceneWidth/2)+2*(y/(sceneHeight/2))])
		}
	}
	return img
}

// noise is a seeded picture that compresses badly, so that a part of its file
// is a part of its pixels.
func noise(width, height int) *image.NRGBA {
	rnd := rand.New(rand.NewPCG(1, 2))
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = byte(rnd.Uint32())
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

func sample(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func encoded(tb testing.TB, format string, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&b, img)
	case "jpeg":
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 95})
	case "gif":
		err = gif.Encode(&b, img, nil)
	case "bmp":
		err = bmp.Encode(&b, img)
	case "tiff":
		err = tiff.Encode(&b, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
	default:
		tb.Fatalf("no encoder for %s", format)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// entry is a TIFF tag to be written. A string is ASCII, a uint16 short, a
// uint32 long, a []uint16 or []uint32 a list, []byte undefined, and a
// []entry a directory of its own.
type entry struct {
	id    uint16
	value any
}

// tiffBlock writes an EXIF block or the head of a TIFF file: a directory with
// the entries, which must be sorted.
func tiffBlock(order binary.AppendByteOrder, entries ...entry) []byte {
	block := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		block = []byte("MM\x00*")
	}
	return appendDirectory(order.AppendUint32(block, 8), order, entries)
}

func appendDirectory(block []byte, order binary.AppendByteOrder, entries []entry) []byte {
	after := len(block) + 2 + 12*len(entries) + 4
	var tail []byte
	block = order.AppendUint16(block, uint16(len(entries)))
	for _, e := range entries {
		var kind, count int
		var value []byte
		switch v := e.value.(type) {
		case string:
			kind, count, value = 2, len(v)+1, append([]byte(v), 0)
		case []byte:
			kind, count, value = 7, len(v), v
		case uint16:
			kind, count, value = 3, 1, order.AppendUint16(nil, v)
		case []uint16:
			kind, count = 3, len(v)
			for _, n := range v {
				value = order.AppendUint16(value, n)
			}
		case uint32:
			kind, count, value = 4, 1, order.AppendUint32(nil, v)
		case []uint32:
			kind, count = 4, len(v)
			for _, n := range v {
				value = order.AppendUint32(value, n)
			}
		case []entry:
			kind, count, value = 4, 1, order.AppendUint32(nil, uint32(after+len(tail)))
			tail = appendDirectory(append(make([]byte, after), tail...), order, v)[after:]
		}
		block = order.AppendUint16(block, e.id)
		block = order.AppendUint16(block, uint16(kind))
		block = order.AppendUint32(block, uint32(count))
		if len(value) > 4 {
			block = order.AppendUint32(block, uint32(after+len(tail)))
			tail = append(tail, value...)
		} else {
			block = append(block, append(value, 0, 0, 0, 0)[:4]...)
		}
	}
	return append(append(block, 0, 0, 0, 0), tail...)
}

// paletteTIFF is a file of one strip with a palette of two colors.
func paletteTIFF(width, height uint16, pixels []byte) []byte {
	fields := func(offset uint32) []entry {
		return []entry{{256, width}, {257, height}, {258, uint16(8)}, {259, uint16(1)}, {262, uint16(3)},
			{tagStripOffsets, offset}, {277, uint16(1)}, {278, height}, {279, uint32(len(pixels))}, {320, make([]uint16, 6)}}
	}
	head := len(tiffBlock(binary.LittleEndian, fields(0)...))
	return append(tiffBlock(binary.LittleEndian, fields(uint32(head))...), pixels...)
}

// withSegment inserts a segment into a JPEG behind its first marker.
func withSegment(file []byte, marker byte, body []byte) []byte {
	out := append([]byte{0xFF, 0xD8, 0xFF, marker}, byte((len(body)+2)>>8), byte(len(body)+2))
	return append(append(out, body...), file[2:]...)
}

// withChunk inserts a chunk into a PNG behind its header.
func withChunk(file []byte, kind string, body []byte) []byte {
	const behindHeader = 8 + 25
	out := append([]byte{}, file[:behindHeader]...)
	return append(append(out, pngChunk(kind, body)...), file[behindHeader:]...)
}

func pngChunk(kind string, body []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	chunk = append(append(chunk, kind...), body...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

// claimingPNG is a PNG of 47 bytes that claims to be large.
func claimingPNG(width, height uint32) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	file := append([]byte(pngMagic), pngChunk("IHDR", append(head, 8, 6, 0, 0, 0))...)
	return append(file, pngChunk("IDAT", []byte{0x78, 0x9C})...)
}

func webpChunk(name string, body []byte) []byte {
	chunk := append(binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body))), body...)
	return append(chunk, make([]byte, len(chunk)%2)...)
}

func webpFile(chunks ...[]byte) []byte {
	body := append([]byte("WEBP"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// webpExtended is the VP8X chunk.
func webpExtended(flags byte, width, height int) []byte {
	return webpChunk("VP8X", []byte{flags, 0, 0, 0,
		byte(width - 1), byte((width - 1) >> 8), byte((width - 1) >> 16), byte(height - 1), byte((height - 1) >> 8), byte((height - 1) >> 16)})
}

func box(kind string, bodies ...[]byte) []byte {
	body := bytes.Join(bodies, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), kind...), body...)
}

// heicClaiming has everything that heicHeader reads, and no picture.
func heicClaiming(width, height uint32) []byte {
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(make([]byte, 4), width), height)
	return append(box("ftyp", []byte("mif1\x00\x00\x00\x00mif1heic")),
		box("meta", make([]byte, 4), box("iprp", box("ipco", box("ispe", size))))...)
}

// scanBomb repeats the last scan of a progressive JPEG.
func scanBomb(file []byte, scans int) []byte {
	last := bytes.LastIndex(file, []byte{0xFF, 0xDA})
	scan := file[last : len(file)-2]
	return append(append(append([]byte{}, file[:last]...), bytes.Repeat(scan, scans)...), 0xFF, 0xD9)
}

const emptyPDF = `%PDF-1.4
1 0 obj
<< /Type /Catalog /Pages 2 0 R >>
endobj
2 0 obj
<< /Type /Pages /Kids [] /Count 0 >>
endobj
xref
0 3
0000000000 65535 f 
0000000009 00000 n 
0000000058 00000 n 
trailer
<< /Size 3 /Root 1 0 R >>
startxref
110
%%EOF
`
