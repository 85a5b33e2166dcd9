package intake

// #cgo LDFLAGS: -ljpeg
// #include "libjpeg.h"
import "C"

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"sync/atomic"
)

// maxJPEGScans bounds the passes of a progressive JPEG. Encoders use about 10,
// optimizers up to 30; the fuzzers of libjpeg-turbo stop at 500.
const maxJPEGScans = 100

// jpegHeader walks the segments up to the first scan. It never looks further.
func jpegHeader(_ context.Context, data []byte, _ Limits) (header, error) {
	var h header
	for at := 2; ; {
		// Between segments libjpeg and browsers pass over anything but a marker.
		start := bytes.IndexByte(data[at:], 0xFF)
		if start < 0 {
			return h, unreadable("truncated", errors.New("no scan"))
		}
		at += start
		for at < len(data) && data[at] == 0xFF {
			at++
		}
		if at+3 > len(data) {
			return h, unreadable("truncated", errors.New("no scan"))
		}
		marker := data[at]
		at++
		if marker == 0x00 || marker == 0x01 || marker >= 0xD0 && marker <= 0xD8 {
			continue // no segment follows
		}
		if marker == 0xD9 {
			return h, unreadable("corrupt", errors.New("ends before its first scan"))
		}
		size := int(binary.BigEndian.Uint16(data[at:]))
		if size < 2 {
			return h, unreadable("corrupt", errors.New("segment of no length"))
		}
		if at+size > len(data) {
			return h, unreadable("truncated", errors.New("segment past the end"))
		}
		segment := data[at+2 : at+size]
		at += size
		switch {
		case marker == 0xDA: // start of scan
			if h.width == 0 {
				return h, unreadable("corrupt", errors.New("scan without a frame"))
			}
			return h, nil
		case marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC: // start of frame
			if len(segment) < 6 {
				return h, unreadable("corrupt", errors.New("short frame header"))
			}
			precision, components := segment[0], segment[5]
			known := marker <= 0xC2 || marker == 0xC9 || marker == 0xCA // sequential or progressive, Huffman or arithmetic
			if !known || precision != 8 || components != 1 && components != 3 && components != 4 {
				return h, variant(fmt.Errorf("frame type %#x, %d bits, %d components", marker, precision, components))
			}
			h.height = int(binary.BigEndian.Uint16(segment[1:]))
			h.width = int(binary.BigEndian.Uint16(segment[3:]))
			if h.width == 0 || h.height == 0 {
				return h, unreadable("dimensions", fmt.Errorf("%d x %d pixels", h.width, h.height))
			}
		case marker == 0xE1: // APP1
			if exif, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok {
				h.readEXIF(exif)
			}
		case marker == 0xED: // APP13
			if list, ok := bytes.CutPrefix(segment, []byte("Photoshop 3.0\x00")); ok {
				h.readPhotoshop(list)
			}
		}
	}
}

func decodeJPEG(ctx context.Context, data []byte, h *header) (*image.NRGBA, error) {
	img := image.NewNRGBA(image.Rect(0, 0, h.width, h.height))
	var cancel int32
	stop := context.AfterFunc(ctx, func() { atomic.StoreInt32(&cancel, 1) })
	defer stop()
	result := C.decode_jpeg((*C.uint8_t)(&data[0]), C.ulong(len(data)), (*C.uint8_t)(&img.Pix[0]),
		C.unsigned(h.width), C.unsigned(h.height), maxJPEGScans, (*C.int32_t)(&cancel))
	switch result.status {
	case C.JPEG_WHOLE:
		return img, nil
	case C.JPEG_TRUNCATED:
		return nil, unreadable("truncated", errors.New("the scan data ends before the picture does"))
	case C.JPEG_SCANS:
		return nil, &Error{Code: CodeUnreadable, Rule: "scans", Limit: maxJPEGScans, Value: maxJPEGScans + 1}
	case C.JPEG_CANCELLED:
		return nil, ctx.Err()
	default:
		return nil, unreadable("corrupt", errors.New(C.GoString(&result.message[0])))
	}
}
