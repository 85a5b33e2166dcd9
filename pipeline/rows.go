package pipeline

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
)

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

// openConfidence is the mean confidence from which a row where the detector saw
// nothing, or half, is believed to hold print.
const openConfidence = 0.8

// readOpen reads the rows beside labels that have no value, or half of one, each
// as one line: a watermark or a faint print hides them from the detector. A row
// stays where it brings its field to light and changes no other.
func (r *run) readOpen(ctx context.Context, sheet page.Page, lines []ocr.Line, reading license.Reading) ([]ocr.Line, license.Reading, error) {
	if reading.Kind != report.KindBusinessLicense || len(reading.Open) == 0 {
		return lines, reading, nil
	}
	defer r.time("read_rows")()
	fields := slices.Sorted(maps.Keys(reading.Open))
	quads := make([]ocr.Quad, len(fields))
	for i, field := range fields {
		quads[i] = reading.Open[field]
	}
	rows, err := r.Accurate.Recognise(ctx, sheet.Image, quads)
	if err != nil {
		return nil, license.Reading{}, err
	}
	for i, field := range fields {
		if rows[i].Confidence < openConfidence {
			continue
		}
		with := []ocr.Line{rows[i]}
		for _, line := range lines {
			if !holds(rows[i].Quad, line.Quad.Center()) {
				with = append(with, line)
			}
		}
		again := license.Extract(with, sheet.Image.Rect.Dx(), sheet.Image.Rect.Dy())
		if len(again.Fields[field].Text) > len(reading.Fields[field].Text) && keeps(again, reading, field) {
			lines, reading = with, again
		}
	}
	return lines, reading, nil
}

// keeps tells whether a reading has all fields of another, but for one.
func keeps(again, before license.Reading, but report.FieldName) bool {
	for name, v := range before.Fields {
		if name != but && again.Fields[name].Text != v.Text {
			return false
		}
	}
	return true
}
