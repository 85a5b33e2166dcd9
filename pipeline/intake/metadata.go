package intake

import (
	"bytes"
	"encoding/binary"
	"html"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// The keys of report.Picture.Metadata. Nothing else is ever kept of a file's
// metadata: no place, no owner, no device name, no comment.
const (
	MetadataSoftware    = "software"     // EXIF Software, PNG Software, PDF Producer
	MetadataCreatorTool = "creator_tool" // XMP CreatorTool, PDF Creator
	MetadataCameraMake  = "camera_make"
	MetadataCameraModel = "camera_model"
	MetadataTaken       = "date_taken"    // the file's own clock: 2006-01-02T15:04:05, a zone only where one is given
	MetadataModified    = "date_modified" // EXIF DateTime, PNG tIME, PDF ModDate
	MetadataCreated     = "date_created"  // PDF CreationDate
	MetadataPhotoshop   = "photoshop"     // "resources": blocks that Photoshop and its kin write
	MetadataScreenshot  = "screenshot"    // "declared": the phone says so
)

// maxMetadata is the longest value kept, in characters. Real ones are shorter:
// "Adobe Photoshop Lightroom Classic 13.2 (Macintosh)".
const maxMetadata = 64

// maxRead is how many bytes of a value are looked at: hundreds of entries may
// point at the same megabytes.
const maxRead = 512

// header is what a file says of itself before any pixel is decoded.
type header struct {
	width, height int // of the picture as stored, before turning
	orientation   int // EXIF orientation; 0 where the file has none
	metadata      map[string]string
	hasEXIF       bool
}

// pixels is a float because a header can claim more than an int64 holds.
func (h header) pixels() float64 { return float64(h.width) * float64(h.height) }

// note keeps a trace: printable characters only, capped, the first value of a
// key wins.
func (h *header) note(key, value string) {
	value = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, value)
	if runes := []rune(value); len(runes) > maxMetadata {
		value = string(runes[:maxMetadata])
	}
	value = strings.TrimSpace(value)
	if value == "" || h.metadata[key] != "" {
		return
	}
	if h.metadata == nil {
		h.metadata = map[string]string{}
	}
	h.metadata[key] = value
}

func (h *header) noteDate(key, layout, value string) {
	at, err := time.Parse(layout, value)
	if err != nil {
		return
	}
	if at.Location() == time.UTC {
		h.note(key, at.Format("2006-01-02T15:04:05"))
		return
	}
	h.note(key, at.Format(time.RFC3339))
}

// creatorTool is the value behind the name, of an attribute or an element.
var creatorTool = regexp.MustCompile(`^(?:\s*=\s*["']|>)([^"'<]+)["'<]`)

// traces are the metadata of the report.
func (h *header) traces(data []byte) map[string]string {
	// XMP packets are plain text in every format so that a scan finds them (XMP
	// specification part 3, "Packet scanning").
	_, xmp, _ := bytes.Cut(data, []byte("xmp:CreatorTool"))
	if m := creatorTool.FindSubmatch(xmp[:min(len(xmp), maxRead)]); m != nil {
		h.note(MetadataCreatorTool, html.UnescapeString(string(m[1])))
	}
	return h.metadata
}

// The tags that are read (TIFF 6.0, EXIF 2.32). The GPS directory is not.
const (
	tagMake            = 0x010F
	tagModel           = 0x0110
	tagStripOffsets    = 0x0111
	tagOrientation     = 0x0112
	tagSoftware        = 0x0131
	tagDateTime        = 0x0132
	tagTileWidth       = 0x0142
	tagTileLength      = 0x0143
	tagTileOffsets     = 0x0144
	tagPhotoshop       = 0x8649
	tagExifDirectory   = 0x8769
	tagDateTaken       = 0x9003
	tagUserComment     = 0x9286
	maxDirectoryLength = 512 // entries; cameras write below 100
)

// tag is one entry of a TIFF directory.
type tag struct {
	id    uint16
	count int64
	value []byte // absent where it lies outside the file
	order binary.ByteOrder
}

// text is the value as ASCII up to its first NUL, at most maxRead bytes of it.
func (t tag) text() string {
	s, _, _ := strings.Cut(string(t.value[:min(len(t.value), maxRead)]), "\x00")
	return s
}

// number is the value of an entry that holds one short or long, else 0.
func (t tag) number() int64 {
	switch len(t.value) {
	case 2:
		return int64(t.order.Uint16(t.value))
	case 4:
		return int64(t.order.Uint32(t.value))
	}
	return 0
}

// readDirectory lists the entries of the directory at offset in a TIFF file or
// EXIF block, offset 0 for the first. Whatever the block holds, it reads inside
// of it, at most maxDirectoryLength entries, and follows nothing.
func readDirectory(block []byte, offset int64) []tag {
	if len(block) < 8 {
		return nil
	}
	var order binary.ByteOrder
	switch string(block[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return nil
	}
	if offset == 0 {
		offset = int64(order.Uint32(block[4:]))
	}
	size := int64(len(block))
	if offset+2 > size {
		return nil
	}
	var tags []tag
	entries := int64(order.Uint16(block[offset:]))
	for i := range min(entries, maxDirectoryLength) {
		at := offset + 2 + 12*i
		if at+12 > size {
			break
		}
		entry := block[at : at+12]
		kind := order.Uint16(entry[2:])
		t := tag{id: order.Uint16(entry), count: int64(order.Uint32(entry[4:])), order: order}
		var width int64 // bytes of one element
		switch kind {
		case 1, 2, 6, 7: // byte, ASCII, signed byte, undefined
			width = 1
		case 3, 8: // short
			width = 2
		case 4, 9, 11: // long, float
			width = 4
		case 5, 10, 12: // rational, double
			width = 8
		}
		length := width * t.count
		if length <= 4 {
			t.value = entry[8 : 8+length]
		} else if from := int64(order.Uint32(entry[8:])); from+length <= size {
			t.value = block[from : from+length]
		}
		tags = append(tags, t)
	}
	return tags
}

// readEXIF takes orientation and traces from an EXIF block or a TIFF file. A
// file has one such block; what follows the first is not looked at.
func (h *header) readEXIF(block []byte) {
	if h.hasEXIF {
		return
	}
	h.hasEXIF = true
	var exif int64
	for _, t := range readDirectory(block, 0) {
		switch t.id {
		case tagOrientation:
			if h.orientation == 0 {
				h.orientation = int(t.number())
			}
		case tagSoftware:
			h.note(MetadataSoftware, t.text())
		case tagMake:
			h.note(MetadataCameraMake, t.text())
		case tagModel:
			h.note(MetadataCameraModel, t.text())
		case tagDateTime:
			h.noteDate(MetadataModified, "2006:01:02 15:04:05", t.text())
		case tagPhotoshop:
			h.readPhotoshop(t.value)
		case tagExifDirectory:
			exif = t.number()
		}
	}
	if exif == 0 {
		return
	}
	for _, t := range readDirectory(block, exif) {
		switch t.id {
		case tagDateTaken:
			h.noteDate(MetadataTaken, "2006:01:02 15:04:05", t.text())
		case tagUserComment:
			if comment, ok := bytes.CutPrefix(t.value, []byte("ASCII\x00\x00\x00")); ok && string(comment) == "Screenshot" {
				h.note(MetadataScreenshot, "declared")
			}
		}
	}
}

// readPhotoshop looks through a list of Photoshop image resources for one that
// an editor left. Captions (IPTC) travel in the same list and are no trace:
// phones and news agencies write them as well.
func (h *header) readPhotoshop(list []byte) {
	const iptc, iptcDigest = 0x0404, 0x0425
	const maxResources = 256 // Photoshop writes about 40
	for range maxResources {
		if len(list) < 12 || string(list[:4]) != "8BIM" {
			return
		}
		if id := binary.BigEndian.Uint16(list[4:]); id != iptc && id != iptcDigest {
			h.note(MetadataPhotoshop, "resources")
			return
		}
		name := 1 + int64(list[6]) // a length byte and the name, padded to even, as is the data
		at := 6 + name + name%2
		if at+4 > int64(len(list)) {
			return
		}
		size := int64(binary.BigEndian.Uint32(list[at:]))
		if at += 4 + size + size%2; at > int64(len(list)) {
			return
		}
		list = list[at:]
	}
}
