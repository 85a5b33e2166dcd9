package pipeline

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/ocr/qr"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
)

// face is what was read on the page.
type face struct {
	license.Reading
	lines   []ocr.Line
	code    sighting
	decided verdict.CodeReading
	source  report.Source
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
	qrCodes := r.findQR(ctx, sheet, quick.Kind)
	if r.Accurate != r.Fast && quick.Kind != report.KindNone {
		done := r.time("read_accurately")
		parts := r.deciding(lines, quick)
		chosen := make([]ocr.Quad, len(parts))
		for i, part := range parts {
			chosen[i] = part.quad()
		}
		again, err := r.Accurate.Recognise(ctx, sheet.Image, chosen)
		if err != nil {
			return face{}, err
		}
		for i, part := range parts {
			again[i] = part.trimmed(again[i])
		}
		if err := r.vote(ctx, sheet, parts, again, quick); err != nil {
			return face{}, err
		}
		for i, part := range parts {
			lines[part.line] = part.replaced(again[i])
			seen = append(seen, sightings(again[i])...)
		}
		done()
	}
	reading := license.Extract(lines, width, height)
	if joined, err := r.joinRows(ctx, sheet, lines, reading, quick); err != nil {
		return face{}, err
	} else if joined != nil {
		lines, reading = joined, license.Extract(joined, width, height)
	}
	f := face{Reading: reading, lines: lines}
	if r.evidence.QR, err = qrCodes(); err != nil {
		return face{}, err
	}
	return f, r.readCode(ctx, sheet, &f, seen)
}

// joinRows reads again, as one line each, the rows of fields that the detector
// broke apart: what overprints a line also hides the characters between its
// pieces. Rows of fields that only the quick reading found are among them. Nil
// when no row got longer by it.
func (r *run) joinRows(ctx context.Context, sheet page.Page, lines []ocr.Line, reading, quick license.Reading) ([]ocr.Line, error) {
	defer r.time("read_rows")()
	var rows [][]int // indexes of the pieces of each row, from left to right
	fields := maps.Clone(quick.Fields)
	maps.Copy(fields, reading.Fields)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name == report.FieldScope || name == report.FieldUSCC {
			continue
		}
		for _, row := range rowsOf(lines, fields[name].Quads) {
			if len(row) > 1 {
				rows = append(rows, row)
			}
		}
	}
	if len(rows) == 0 {
		return nil, nil
	}
	quads := make([]ocr.Quad, len(rows))
	for i, row := range rows {
		first, last := lines[row[0]].Quad, lines[row[len(row)-1]].Quad
		quads[i] = ocr.Quad{first[0], last[1], last[2], first[3]}
	}
	whole, err := r.Accurate.Recognise(ctx, sheet.Image, quads)
	if err != nil {
		return nil, err
	}
	replaced := map[int]bool{}
	var joined []ocr.Line
	for i, row := range rows {
		characters := 0
		for _, piece := range row {
			characters += len(lines[piece].Characters)
		}
		if len(whole[i].Characters) <= characters || whole[i].Confidence < joinedConfidence {
			continue
		}
		for _, piece := range row {
			replaced[piece] = true
		}
		joined = append(joined, whole[i])
	}
	if len(joined) == 0 {
		return nil, nil
	}
	for i, line := range lines {
		if !replaced[i] {
			joined = append(joined, line)
		}
	}
	return joined, nil
}

// rowsOf groups the lines that hold one of the quads by printed row.
func rowsOf(lines []ocr.Line, quads []ocr.Quad) [][]int {
	var pieces []int
	for i, line := range lines {
		if slices.ContainsFunc(quads, func(q ocr.Quad) bool { return holds(line.Quad, q.Center()) }) {
			pieces = append(pieces, i)
		}
	}
	slices.SortFunc(pieces, func(a, b int) int { return cmp.Compare(lines[a].Quad.Center().Y, lines[b].Quad.Center().Y) })
	var rows [][]int
	for _, i := range pieces {
		if n := len(rows); n > 0 {
			above := lines[rows[n-1][0]].Quad
			if lines[i].Quad.Center().Y-above.Center().Y < above.Height()/2 {
				rows[n-1] = append(rows[n-1], i)
				continue
			}
		}
		rows = append(rows, []int{i})
	}
	for _, row := range rows {
		slices.SortFunc(row, func(a, b int) int { return cmp.Compare(lines[a].Quad[0].X, lines[b].Quad[0].X) })
	}
	return rows
}

// joinedConfidence is the confidence from which a row read as a whole replaces
// its pieces; a gap that is not print lowers it.
const joinedConfidence = 0.9

// holds tells whether a point lies in the quad's upright bounds.
func holds(q ocr.Quad, p ocr.Point) bool {
	low, high := q.Bounds()
	return p.X >= low.X && p.X <= high.X && p.Y >= low.Y && p.Y <= high.Y
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
