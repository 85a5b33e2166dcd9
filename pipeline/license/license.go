// Package license knows the face of a Chinese business license (营业执照): its
// titles, labels, editions, the places of its fields and the forms of their
// values. It turns lines of text into a Reading. It must not know pictures,
// engines, declared data, policies or verdicts, does no I/O, and never guesses:
// a field that was not read is absent.
package license

import (
	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/report"
)

// Reading is what the face says.
type Reading struct {
	Kind     report.DocumentKind
	Title    string // as printed; another certificate's too
	Edition  report.Edition
	Copy     report.Copy
	Specimen bool // 样本, 样张, or filled with X
	Masked   bool // code or name partly covered by * or X
	Fields   map[report.FieldName]Value
	// CodeRegions is where the code or registration number is printed or should
	// be, best first.
	CodeRegions []ocr.Quad
	// Open are the rows beside labels where no value was read, or half of one.
	Open map[report.FieldName]ocr.Quad
}

// Value is one field as it was read.
type Value struct {
	Text       string          // normalized: ISO dates, half-width brackets but in names
	Raw        string          // as recognized
	Label      string          // the printed label: 经营者, 住所, …; empty when it was told by its form
	Confidence float64         // 0..1
	Quads      []ocr.Quad      // one a printed line or part of it, in reading order
	Characters []ocr.Character // when the engine gave them, in the order of Raw
	Amount     *report.Amount  // capital only
	EmPx       float64         // height of the line, pixels
	// Interrupted says that print goes on in the row of a name behind what was read
	// of it: something hides the middle.
	Interrupted bool
}

// Extract reads the face of a license from lines of text. The page is upright;
// tilt and perspective of some degrees are allowed. width and height are those
// of the picture, in pixels. Lines after the first thousand are not looked at.
func Extract(lines []ocr.Line, width, height int) Reading {
	p := newPage(lines, width, height)
	r := &reader{page: p, taken: make([]bool, len(p.fragments))}
	reading := Reading{Fields: make(map[report.FieldName]Value)}
	title := p.findTitle()
	p.markFixed(title)
	found := p.findLabels()
	r.choose(found)
	code := r.readCode(&reading)
	r.measureOffset()
	r.lead()
	r.wrap()
	for _, h := range r.hits {
		if len(h.value) == 0 {
			continue
		}
		if named(h.label.field) {
			for i, f := range h.value {
				h.value[i] = f.placed()
			}
		}
		if v, ok := value(h.label.field, h.String(), h.value); ok {
			v.Interrupted = h.label.field == report.FieldCompanyName && r.goesOnBehind(h)
			reading.Fields[h.label.field] = v
		}
	}
	r.readByForm(&reading)
	r.readFoot(&reading)
	reading.Open = r.open(reading.Fields)
	r.describe(&reading, title, code)
	return reading
}
