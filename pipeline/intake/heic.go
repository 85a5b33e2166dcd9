package intake

import (
	"context"
	"encoding/binary"
	"errors"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The brands of pictures coded in HEVC (ISO/IEC 23008-12 annex B). AVIF, which
// shares the container, names none of them.
var hevcBrands = []string{"heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"}

func isHEIC(data []byte) bool {
	if len(data) < 16 || string(data[4:8]) != "ftyp" {
		return false
	}
	end := min(uint64(binary.BigEndian.Uint32(data)), uint64(len(data)), 256)
	for at := uint64(8); at+4 <= end; at += 4 {
		// The word after the major brand is a version.
		if at != 12 && slices.Contains(hevcBrands, string(data[at:at+4])) {
			return true
		}
	}
	return false
}

// boxes visits the boxes of one level (ISO/IEC 14496-12 clause 4.2) and says
// whether all of them are whole.
func boxes(data []byte, visit func(kind string, body []byte)) bool {
	for len(data) > 0 {
		if len(data) < 8 {
			return false
		}
		head, size := uint64(8), uint64(binary.BigEndian.Uint32(data))
		switch {
		case size == 0: // to the end
			size = uint64(len(data))
		case size == 1 && len(data) >= 16:
			head, size = 16, binary.BigEndian.Uint64(data[8:])
		}
		if size < head || size > uint64(len(data)) {
			return false
		}
		visit(string(data[4:8]), data[head:size])
		data = data[size:]
	}
	return true
}

// heicHeader takes the size of the largest picture in the file: the first is
// not always the one that is shown, and all of them are decoded for a grid.
func heicHeader(_ context.Context, data []byte, _ Limits) (header, error) {
	var h header
	within := func(want string, next func([]byte)) func(string, []byte) {
		return func(kind string, body []byte) {
			if kind == want {
				next(body)
			}
		}
	}
	sizes := within("ispe", func(body []byte) {
		if len(body) < 12 {
			return
		}
		size := header{width: int(binary.BigEndian.Uint32(body[4:])), height: int(binary.BigEndian.Uint32(body[8:]))}
		if size.pixels() > h.pixels() {
			h = size
		}
	})
	properties := within("ipco", func(body []byte) { boxes(body, sizes) })
	whole := boxes(data, within("meta", func(body []byte) {
		if len(body) >= 4 { // version and flags
			boxes(body[4:], within("iprp", func(body []byte) { boxes(body, properties) }))
		}
	}))
	switch {
	case !whole:
		return h, unreadable("truncated", errors.New("box past the end"))
	case h.width == 0:
		return h, unreadable("corrupt", errors.New("no picture size"))
	}
	return h, nil
}

// decodeHEIC lets heif-convert write a JPEG: HEVC decoders have a long record of
// memory errors, and as a child it can be killed. At quality 100 the detour
// costs less than one grey level.
func decodeHEIC(ctx context.Context, data []byte, h *header) (*image.NRGBA, error) {
	dir, err := os.MkdirTemp("", "heyan-heic-")
	if err != nil {
		return nil, &Error{Code: CodeEngineFailed, Rule: "temporary_folder", internal: err}
	}
	defer os.RemoveAll(dir)
	in, out := filepath.Join(dir, "in.heic"), filepath.Join(dir, "out.jpg")
	if err := os.WriteFile(in, data, 0o600); err != nil {
		return nil, &Error{Code: CodeEngineFailed, Rule: "temporary_folder", internal: err}
	}
	_, err = run(ctx, nil, 1<<16, "heif-convert", "-q", "100", in, out)
	var c complaint
	if errors.As(err, &c) {
		if strings.Contains(c.stderr, "Unsupported codec") { // libheif without its HEVC plugin
			return nil, &Error{Code: CodeEngineFailed, Rule: "hevc_missing", internal: err}
		}
		return nil, unreadable("corrupt", err)
	}
	if err != nil {
		return nil, err
	}
	jpeg, err := os.ReadFile(out)
	if errors.Is(err, os.ErrNotExist) { // of several pictures each gets a number
		jpeg, err = os.ReadFile(filepath.Join(dir, "out-1.jpg"))
	}
	if err != nil {
		return nil, unreadable("corrupt", errors.New("heif-convert wrote nothing"))
	}
	converted, err := jpegHeader(ctx, jpeg, Limits{})
	if err != nil {
		return nil, err
	}
	if converted.pixels() > h.pixels() {
		return nil, unreadable("dimensions", errors.New("larger than the file says"))
	}
	h.metadata = converted.metadata // libheif has turned the picture already
	return decodeJPEG(ctx, jpeg, &converted)
}
