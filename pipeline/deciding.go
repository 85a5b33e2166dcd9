package pipeline

import (
	"slices"
	"strings"
	"unicode"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/report"
)

// essential are the fields whose labels every edition prints. Where the quick
// reading has them all, it has found its way about the sheet.
var essential = []report.FieldName{
	report.FieldCompanyName, report.FieldType, report.FieldLegalRepresentative, report.FieldEstablished, report.FieldAddress}

// minUnknown is the least number of characters of a label with a value.
const minUnknown = 6

// smallPrint is the height of captions and footers relative to the fields'.
const smallPrint = 0.75

// part is what is read again of a line: all of it, or its end, where the value
// stands behind a label.
type part struct {
	ocr.Line
	line  int     // index
	from  float64 // fraction of the line's width
	twice bool    // no outcome may turn on its quick reading
}

func (p part) quad() ocr.Quad { return p.Quad.Slice(p.from, 1) }

// characters are the first reading's.
func (p part) characters() (before, within []ocr.Character) {
	n := slices.IndexFunc(p.Characters, func(c ocr.Character) bool {
		return c.Center >= p.from && strings.TrimSpace(c.Text) != ""
	})
	if n < 0 {
		n = len(p.Characters)
	}
	return p.Characters[:n], p.Characters[n:]
}

// trimmed is a reading of the part without what the reader saw of the label's
// last character at its edge: what lies nearer to the edge than to where the
// value begins.
func (p part) trimmed(again ocr.Line) ocr.Line {
	_, value := p.characters()
	if p.from == 0 || len(value) == 0 {
		return again
	}
	begins := (value[0].Center - p.from) / (1 - p.from)
	for len(again.Characters) > 0 && again.Characters[0].Center < begins/2 {
		again.Characters = again.Characters[1:]
	}
	again.Text, again.Confidence = ocr.Join(again.Characters), ocr.Mean(again.Characters)
	return again
}

// quick is the first reading of the part.
func (p part) quick() ocr.Line {
	line := p.Line
	_, within := p.characters()
	line.Characters = slices.Clone(within)
	for i := range line.Characters {
		c := &line.Characters[i]
		c.Center = (c.Center - p.from) / (1 - p.from)
	}
	line.Text, line.Confidence = ocr.Join(line.Characters), ocr.Mean(line.Characters)
	return line
}

// replaced is the line with the new reading of the part.
func (p part) replaced(again ocr.Line) ocr.Line {
	before, _ := p.characters()
	again.Quad = p.Quad
	all := slices.Clone(before)
	for _, c := range again.Characters {
		c.Center = p.from + c.Center*(1-p.from)
		all = append(all, c)
	}
	again.Characters, again.Text, again.Confidence = all, ocr.Join(all), ocr.Mean(all)
	return again
}

// sureQuick is the certainty from which a quick reading stands where no outcome
// turns on it. Held against the truth over the fields of 215 real pictures, the
// accurate reading of such lines was no better than the quick one.
const sureQuick = 0.98

// deciding are the parts of lines that hold what checks need, and doubtful
// lines of the fields' size in which the quick reading recognised nothing. The
// body of the scope is left out unless all fields are wanted; where the quick
// reading misses something essential, all else is read again. Certain readings
// stand, but for the code and the name: those are always read twice.
func (r *run) deciding(lines []ocr.Line, quick license.Reading) []part {
	_, code := quick.Fields[report.FieldUSCC]
	found := code || numbered(quick)
	for _, name := range essential {
		_, ok := quick.Fields[name]
		found = found && ok
	}
	held := make([]bool, len(lines)) // by a field
	twice := make([]bool, len(lines))
	from := make([]float64, len(lines))
	var heights []float64
	for i, line := range lines {
		twice[i] = holder(quick.CodeRegions, line)
		from[i] = 1
		for name, v := range quick.Fields {
			if name == report.FieldScope && !r.AllFields {
				continue
			}
			for _, q := range v.Quads {
				if !holder([]ocr.Quad{q}, line) {
					continue
				}
				held[i] = true
				twice[i] = twice[i] || name == report.FieldCompanyName
				from[i] = min(from[i], along(line.Quad, q))
				if name == report.FieldUSCC || name == report.FieldRegistrationNumber {
					from[i] = 0 // the label of a code may be all that finds it
				}
			}
		}
		if !held[i] {
			from[i] = 0
		}
		if held[i] || twice[i] {
			heights = append(heights, line.Quad.Height())
		}
	}
	slices.Sort(heights)
	var chosen []part
	for i, line := range lines {
		inScope := holder(quick.Fields[report.FieldScope].Quads, line)
		unknown := !inScope && found && len(line.Characters) >= minUnknown && strings.ContainsFunc(line.Text, isHan) &&
			line.Quad.Height() > smallPrint*heights[len(heights)/2] && ocr.Certainty(line.Characters) < certainLine
		if !held[i] && !twice[i] && !unknown && (found || inScope) {
			continue
		}
		if r.brief && !twice[i] {
			continue
		}
		p := part{line, i, behindLabel(line, from[i]), twice[i]}
		if _, within := p.characters(); twice[i] || ocr.Certainty(within) < sureQuick {
			chosen = append(chosen, p)
		}
	}
	return chosen
}

// isHan tells a character from what the reader makes of ornaments.
func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

// behindLabel is the middle between the value that begins at a place on the line
// and what stands before it.
func behindLabel(line ocr.Line, from float64) float64 {
	before := -1.0
	for _, c := range line.Characters {
		switch {
		case strings.TrimSpace(c.Text) == "":
		case c.Center < from:
			before = c.Center
		case before < 0:
			return 0
		default:
			return (before + c.Center) / 2
		}
	}
	return 0
}

// along is where on a line's width the left end of a value on it lies, 0..1.
func along(line, value ocr.Quad) float64 {
	dx, dy := line[1].X-line[0].X, line[1].Y-line[0].Y
	at := ((value[0].X-line[0].X)*dx + (value[0].Y-line[0].Y)*dy) / max(dx*dx+dy*dy, 1)
	return min(max(at, 0), 1)
}

// holder tells whether a line is the place of one of the quads.
func holder(quads []ocr.Quad, line ocr.Line) bool {
	return slices.ContainsFunc(quads, func(q ocr.Quad) bool { return holds(line.Quad, q.Center()) || holds(q, line.Quad.Center()) })
}
