package pipeline

import (
	"context"
	"slices"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
)

// readCode reads the code again, by other readers and with other crops, until
// two readings agree or the readers are spent, and decides.
func (r *run) readCode(ctx context.Context, sheet page.Page, f *face, seen []sighting) error {
	defer r.time("read_code")()
	if f.Kind == report.KindBusinessLicense && !numbered(f.Reading) {
		again, err := r.readRegions(ctx, sheet, f.CodeRegions, seen)
		if err != nil {
			return err
		}
		seen = again
		if !settled(seen) {
			if again, err = r.readEnlarged(ctx, sheet, f); err != nil {
				return err
			}
			seen = append(seen, again...)
		}
	}
	f.decide(seen, r.evidence.QR)
	return nil
}

// decide weighs all readings of the code.
func (f *face) decide(seen []sighting, qr []report.QR) {
	expected := f.Kind == report.KindBusinessLicense && !numbered(f.Reading)
	f.code, f.decided, f.source = decideCode(seen, qr, expected)
	if f.Masked && f.decided.State != report.CodeRead {
		f.decided.State = report.CodeMasked
	}
}

// readRegions reads the places of the code by one reader after the other until
// the code is settled.
func (r *run) readRegions(ctx context.Context, sheet page.Page, regions []ocr.Quad, seen []sighting) ([]sighting, error) {
	regions = slices.Clone(regions[:min(len(regions), maxRegions)])
	if len(seen) > 0 {
		regions = append(regions, seen[0].quad)
	}
	for _, attempt := range []struct {
		reader ocr.Recogniser
		grow   float64 // em on every side
	}{{r.Second, 0.15}, {r.Accurate, 0.3}, {r.Accurate, 0}} {
		if settled(seen) || len(regions) == 0 {
			break
		}
		crops := make([]ocr.Quad, len(regions))
		for i, q := range regions {
			crops[i] = grown(q, attempt.grow, attempt.grow)
		}
		lines, err := attempt.reader.Recognise(ctx, sheet.Image, crops)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			seen = append(seen, sightings(line)...)
		}
	}
	return seen, nil
}

// The upper part of a sheet, where every edition prints its number, in two
// tiles that overlap by more than half a code: shares of the page.
const (
	upperTop, upperBottom = 0.03, 0.52
	tileWidth             = 0.6
	// tileLongSidePx is what the detector looks at without reducing it.
	tileLongSidePx = 960
)

// readEnlarged looks for lines in the enlarged upper part of the sheet: stock
// that is overprinted hides the line of the number from a detector that sees
// the whole sheet. What it finds replaces the lines in its place when it brings
// a number to light.
func (r *run) readEnlarged(ctx context.Context, sheet page.Page, f *face) ([]sighting, error) {
	var found []ocr.Line
	for _, left := range []float64{0, 1 - tileWidth} {
		part, back, err := sheet.Part(left, upperTop, left+tileWidth, upperBottom, tileLongSidePx)
		if err != nil {
			return nil, err
		}
		quads, err := r.Detector.Detect(ctx, part)
		if err != nil {
			return nil, err
		}
		whole := slices.DeleteFunc(quads, func(q ocr.Quad) bool { // cut by the tile's edge
			low, high := q.Bounds()
			return low.X < 2 && left > 0 || high.X > float64(part.Rect.Dx()-2) && left+tileWidth < 1
		})
		lines, err := r.Accurate.Recognise(ctx, part, whole)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			line.Quad = back(line.Quad)
			if !slices.ContainsFunc(found, func(other ocr.Line) bool { return holds(other.Quad, line.Quad.Center()) }) {
				found = append(found, line)
			}
		}
	}
	var seen []sighting
	for _, line := range found {
		seen = append(seen, sightings(line)...)
	}
	lines := slices.Clone(found)
	for _, line := range f.lines {
		if !slices.ContainsFunc(found, func(other ocr.Line) bool { return holds(other.Quad, line.Quad.Center()) }) {
			lines = append(lines, line)
		}
	}
	reading := license.Extract(lines, sheet.Image.Rect.Dx(), sheet.Image.Rect.Dy())
	if reading.Kind == report.KindBusinessLicense && (numbered(reading) || settled(seen)) {
		f.Reading, f.lines = reading, lines
	}
	return seen, nil
}

// maxRegions bounds the places where the code is read again.
const maxRegions = 3

// numbered tells whether the license bears a registration number of before the
// unified code that passes its check, and no code.
func numbered(reading license.Reading) bool {
	number, has := reading.Fields[report.FieldRegistrationNumber]
	code := reading.Fields[report.FieldUSCC]
	return has && codes.CheckRegistrationNumber(number.Text).Verdict != codes.VerdictInvalid && !codes.IsUSCC(code.Text)
}
