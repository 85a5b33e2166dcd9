package pipeline

import (
	"context"
	"fmt"
	"image"

	"github.com/heyan/heyan/internal/mat"
	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/intake"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
)

// View is a JPEG without metadata.
type View struct {
	JPEG          []byte
	Width, Height int
}

// Views are what a person looks at in place of the file, which no browser may be
// able to show and whose metadata nobody needs.
type Views struct {
	Width, Height int        // of the upright photo: the pixels of a report's polygons
	Photo         View       // at most photoSide
	Preview       View       // at most previewSide, to be there at once
	Page          View       // the flattened, upright sheet; zero where none was found
	ToPage        [9]float64 // homography from the photo to Page, row by row
}

// Long sides, pixels, and JPEG qualities. A photo of 12 megapixels stays as it is,
// a preview covers half of a wide screen, and a page shows a character of 3 mm on
// A3 with 16 px. At 88 the edges of characters show no ringing at twofold zoom.
const (
	photoSide, photoQuality     = 6000, 88
	previewSide, previewQuality = 1400, 80
	pageSide, pageQuality       = 2400, 88
)

// viewMaxPixels is twice what the policies shipped accept, so that what passed
// a wider one can be looked at, too.
const viewMaxPixels = 2 * 50_000_000

// MakeViews makes the views of a picture of any format. Quad is that of the
// sheet as a report tells it, four corners, or nil. A file that cannot be used is
// an *intake.Error.
func MakeViews(ctx context.Context, picture []byte, quad report.Polygon) (Views, error) {
	taken, err := intake.Decode(ctx, picture, intake.Limits{MaxBytes: int64(len(picture)), MaxPixels: viewMaxPixels})
	if err != nil {
		return Views{}, fmt.Errorf("views: %w", err)
	}
	photo := taken.Image
	views := Views{Width: photo.Rect.Dx(), Height: photo.Rect.Dy()}
	if views.Photo, err = view(photo, photoSide, photoQuality); err != nil {
		return Views{}, err
	}
	if views.Preview, err = view(photo, previewSide, previewQuality); err != nil {
		return Views{}, err
	}
	if err := ctx.Err(); err != nil || quad == nil {
		return views, err
	}
	if len(quad) != len(ocr.Quad{}) {
		return Views{}, fmt.Errorf("views: quad of %d corners", len(quad))
	}
	var corners ocr.Quad
	for i, p := range quad {
		corners[i] = ocr.Point{X: p[0], Y: p[1]}
	}
	sheet, toPage, err := page.Sheet(photo, corners, pageSide)
	if err != nil {
		return Views{}, fmt.Errorf("views: %w", err)
	}
	views.ToPage = toPage
	views.Page, err = view(sheet, pageSide, pageQuality)
	return views, err
}

func view(picture *image.NRGBA, longSide, quality int) (v View, err error) {
	v.JPEG, v.Width, v.Height, err = mat.JPEG(picture, longSide, quality)
	return v, err
}
