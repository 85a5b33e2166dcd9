package pipeline

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/ocr/qr"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
)

// face is what was read on the page.
type face struct {
	license.Reading
	lines   []ocr.Line
	code    sighting
	decided report.CodeReading
	source  report.Source
	// nameReadings is how many readings agree on a doubtful name; 0: not enough.
	nameReadings int
}

// read reads every line quickly, then again and accurately those that decide,
// and the code by as many readers as it takes.
func (r *run) read(ctx context.Context, sheet page.Page, quads []ocr.Quad) (face, error) {
	width, height := sheet.Image.Rect.Dx(), sheet.Image.Rect.Dy()
	done := r.time("read_quickly")
	lines, err := r.Fast.Recognise(ctx, sheet.Image, quads)
	if err != nil {
		return face{}, err
	}
	quick := license.Extract(lines, width, height)
	done()
	var seen []sighting
	for _, line := range lines {
		seen = append(seen, sightings(line)...)
	}
	if r.brief {
		return r.readBriefly(ctx, sheet, lines, quick, seen)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the search for QR codes ends with the reading, however that ends
	qrCodes := r.findQR(ctx, sheet, quick.Kind)
	again, err := r.readAccurately(ctx, sheet, lines, quick)
	if err != nil {
		return face{}, err
	}
	seen = append(seen, again...)
	reading := license.Extract(lines, width, height)
	if joined, err := r.joinRows(ctx, sheet, lines, reading, quick); err != nil {
		return face{}, err
	} else if joined != nil {
		lines, reading = joined, license.Extract(joined, width, height)
	}
	if lines, reading, err = r.readOpen(ctx, sheet, lines, reading); err != nil {
		return face{}, err
	}
	f := face{Reading: reading, lines: lines}
	if r.evidence.QR, err = qrCodes(); err != nil {
		return face{}, err
	}
	if err := r.confirmName(ctx, sheet, &f); err != nil {
		return face{}, err
	}
	return f, r.readCode(ctx, sheet, &f, seen)
}

// readBriefly reads the code and the name once more, and what only certainty
// needs not at all: a pre-check judges the picture.
func (r *run) readBriefly(ctx context.Context, sheet page.Page, lines []ocr.Line, quick license.Reading, seen []sighting) (face, error) {
	again, err := r.readAccurately(ctx, sheet, lines, quick)
	if err != nil {
		return face{}, err
	}
	f := face{Reading: license.Extract(lines, sheet.Image.Rect.Dx(), sheet.Image.Rect.Dy()), lines: lines}
	f.decide(append(seen, again...), nil)
	return f, nil
}

// readAccurately reads the lines that decide again, in place, and gives what may be
// the code on them.
func (r *run) readAccurately(ctx context.Context, sheet page.Page, lines []ocr.Line, quick license.Reading) ([]sighting, error) {
	if r.Accurate == r.Fast || quick.Kind == report.KindNone {
		return nil, nil
	}
	defer r.time("read_accurately")()
	parts := r.deciding(lines, quick)
	chosen := make([]ocr.Quad, len(parts))
	for i, part := range parts {
		chosen[i] = part.quad()
	}
	again, err := r.Accurate.Recognise(ctx, sheet.Image, chosen)
	if err != nil {
		return nil, err
	}
	for i, part := range parts {
		again[i] = part.trimmed(again[i])
	}
	if !r.brief {
		if err := r.vote(ctx, sheet, parts, again, quick); err != nil {
			return nil, err
		}
	}
	var seen []sighting
	for i, part := range parts {
		lines[part.line] = part.replaced(again[i])
		seen = append(seen, sightings(again[i])...)
	}
	return seen, nil
}

// findQR looks for QR codes on a page that may be a certificate, beside what
// else is done until the result is called, where there are threads for it.
func (r *run) findQR(ctx context.Context, sheet page.Page, kind report.DocumentKind) (result func() ([]report.QR, error)) {
	found := []report.QR{}
	if kind == report.KindNone {
		return func() ([]report.QR, error) { return found, nil }
	}
	var took time.Duration
	find := func() {
		start := r.Now()
		for _, code := range qr.Find(ctx, sheet.Image) {
			said := qr.Parse(code.Payload)
			said.Polygon = sheet.OnPhoto(code.Quad)
			found = append(found, said)
		}
		took = r.Now().Sub(start)
	}
	var finding sync.WaitGroup
	if r.Threads > 1 {
		finding.Go(find)
	} else {
		find()
	}
	return func() ([]report.QR, error) {
		finding.Wait()
		r.took("read_qr", took)
		return found, ctx.Err()
	}
}

// grown is a quad with more of its surroundings, in shares of its height: along
// the text at both ends, and across it above and below.
func grown(q ocr.Quad, along, across float64) ocr.Quad {
	share := along * q.Height() / math.Max(q.Width(), 1)
	wide := q.Slice(-share, 1+share)
	tall := ocr.Quad{wide[0], wide[3], wide[2], wide[1]}.Slice(-across, 1+across) // its sides as top and bottom
	return ocr.Quad{tall[0], tall[3], tall[2], tall[1]}
}
