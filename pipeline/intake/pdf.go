package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"strconv"
	"strings"
)

// The long side of a rendered page, in pixels. A4 at 300 dpi is 3,508; apps
// that wrap a photo into a PDF make pages of any size, with a pixel a point or
// with a postcard's, so that the resolution alone says little.
const (
	pdfDPI      = 300
	minPageSide = 2000
	maxPageSide = 5000
)

// isPDF looks for the magic within the first KiB, as readers do.
func isPDF(data []byte) bool {
	return bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-"))
}

// pdfHeader asks pdfinfo for the first page and chooses the size to render it.
func pdfHeader(ctx context.Context, data []byte, limits Limits) (header, error) {
	var h header
	out, err := run(ctx, data, 1<<20, "pdfinfo", "-f", "1", "-l", "1", "-isodates", "-enc", "UTF-8", "-")
	if err != nil {
		return h, pdfError(err)
	}
	var width, height float64 // points
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.Join(strings.Fields(key), " ") {
		case "Creator":
			h.note(MetadataCreatorTool, value)
		case "Producer":
			h.note(MetadataSoftware, value)
		case "CreationDate":
			h.noteDate(MetadataCreated, "2006-01-02T15:04:05Z07", value)
		case "ModDate":
			h.noteDate(MetadataModified, "2006-01-02T15:04:05Z07", value)
		case "Page 1 size":
			fmt.Sscanf(value, "%f x %f pts", &width, &height)
		case "Page 1 rot":
			if value == "90" || value == "270" {
				width, height = height, width
			}
		}
	}
	if !(width > 0 && height > 0 && width*height < math.MaxFloat64) {
		return h, unreadable("dimensions", errors.New("page without a size"))
	}
	long := max(width, height)
	side := min(max(long*pdfDPI/72, minPageSide), maxPageSide)
	scale := min(side/long, math.Sqrt(float64(limits.MaxPixels)/width/height))
	h.width, h.height = max(1, int(width*scale)), max(1, int(height*scale))
	return h, nil
}

func decodePDF(ctx context.Context, data []byte, h *header) (*image.NRGBA, error) {
	// pdftoppm rounds the short side up.
	maxPPM := 3*(h.width+1)*(h.height+1) + 64
	ppm, err := run(ctx, data, maxPPM, "pdftoppm", "-q", "-f", "1", "-l", "1", "-singlefile", "-cropbox",
		"-scale-to", strconv.Itoa(max(h.width, h.height)), "-")
	if err != nil {
		return nil, pdfError(err)
	}
	var width, height int
	if _, err := fmt.Sscanf(string(ppm[:min(len(ppm), 64)]), "P6\n%d %d\n255\n", &width, &height); err != nil || width <= 0 || height <= 0 || 3*width*height >= len(ppm) {
		return nil, unreadable("corrupt", errors.New("page was not rendered"))
	}
	rgb := ppm[len(ppm)-3*width*height:]
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		copy(img.Pix[4*i:4*i+3], rgb[3*i:3*i+3])
		img.Pix[4*i+3] = 0xFF
	}
	return img, nil
}

// pdfError types what poppler complained about.
func pdfError(err error) error {
	var c complaint
	switch {
	case !errors.As(err, &c):
		return err
	case strings.Contains(c.stderr, "ncorrect password"), strings.Contains(c.stderr, "ncrypt"):
		return unreadable("encrypted", err)
	case strings.Contains(c.stderr, "Wrong page range"):
		return unreadable("no_pages", err)
	}
	return unreadable("corrupt", err)
}
