package license

import (
	"math"
	"slices"
	"strings"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/report"
)

// rowReach is how far the value of a field that fits on one row may reach from
// its label, in label heights: the longest that are printed, in characters.
var rowReach = map[report.FieldName]float64{
	report.FieldCompanyName:         26,
	report.FieldType:                22,
	report.FieldLegalRepresentative: 8,
	report.FieldRegisteredCapital:   16,
	report.FieldEstablished:         14,
	report.FieldAddress:             28,
}

// open gives the rows that should be read again as a whole: of labels whose
// value was not found, and of values that stop in the middle.
func (r *reader) open(fields map[report.FieldName]Value) map[report.FieldName]ocr.Quad {
	rows := map[report.FieldName]ocr.Quad{}
	end := 0.0 // of all text
	for _, f := range r.fragments {
		end = math.Max(end, f.x1)
	}
	for _, h := range r.hits {
		field := h.label.field
		reach, single := rowReach[field]
		v, found := fields[field]
		late := len(h.value) > 0 && h.value[0].x0 > r.begin(h)+lateStart*h.value[0].h
		if !single || found && complete(field, v) && !late {
			continue
		}
		first := h.box
		first.y += r.offset * h.box.h
		first.x0 = h.box.x1 + 0.2*h.box.h
		if len(h.value) > 0 {
			first = h.value[0]
			first.x0 = math.Min(first.x0, r.begin(h))
		}
		if len(h.rest.text) > 0 { // in one line with its label
			first.x0 = h.box.x0
		}
		last := math.Min(math.Min(r.right(h), math.Max(end, first.x0+first.h)), h.box.x1+reach*h.box.h)
		if last-first.x0 > 2*first.h {
			rows[field] = r.row(first.x0, last, first.y, first.h)
		}
	}
	return rows
}

// lateStart is how far right of the other values of its column one begins, in
// line heights, from which its first characters may be hidden.
const lateStart = 1.5

// begin is where the values of h's column of labels begin.
func (r *reader) begin(h *hit) float64 {
	var starts []float64
	for _, o := range r.hits {
		if len(o.value) > 0 && !elsewhere(o.label.field) && math.Abs(o.box.x1-h.box.x1) < alignTolerance*h.box.h {
			starts = append(starts, o.value[0].x0)
		}
	}
	if len(starts) < 3 {
		return math.Inf(1)
	}
	return median(starts)
}

// halfNames are how names of companies end when the rest was hidden.
var halfNames = []string{"有限", "有限公", "有限责", "有限责任", "有限责任公", "合作"}

// kinds are what stands in the brackets of a type (市场主体类型).
var kinds = []string{"自然人独资", "自然人投资或控股", "自然人投资或控股的法人独资", "法人独资", "非自然人投资或控股的法人独资", "国有独资", "国有控股",
	"外商投资企业法人独资", "外国法人独资", "外国自然人独资", "台港澳法人独资", "台港澳自然人独资", "港澳台法人独资", "港澳台自然人独资",
	"中外合资", "台港澳与境内合资", "港澳台投资、非独资", "外商投资、非独资", "非上市", "上市", "国内合资"}

// complete says whether a value can end as it does.
func complete(field report.FieldName, v Value) bool {
	switch field {
	case report.FieldType:
		_, kind, _ := strings.Cut(strings.TrimSuffix(v.Text, ")"), "(")
		half := func(known string) bool { return strings.HasPrefix(known, kind) }
		return kind == "" || slices.Contains(kinds, kind) || !slices.ContainsFunc(kinds, half)
	case report.FieldCompanyName:
		return !slices.ContainsFunc(halfNames, func(half string) bool { return strings.HasSuffix(v.Text, half) })
	}
	return true
}

// row is the quad of a printed row, from flattened coordinates back to the page.
func (p *page) row(x0, x1, y, h float64) ocr.Quad {
	s := p.slope.at(y)
	at := func(x float64) ocr.Point {
		// place turns X into x by the distance from the middle row, and Y into y by
		// that from the middle column.
		X := x - s*(y-p.height/2)
		return ocr.Point{X: X, Y: y + s*(X-p.width/2)}
	}
	a, b := at(x0), at(x1)
	return ocr.Quad{{X: a.X, Y: a.Y - h/2}, {X: b.X, Y: b.Y - h/2}, {X: b.X, Y: b.Y + h/2}, {X: a.X, Y: a.Y + h/2}}
}

// goesOnBehind says whether free print stands in the row of h's value, behind it
// and in its column.
func (r *reader) goesOnBehind(h *hit) bool {
	last, right := h.value[len(h.value)-1], r.right(h)
	for i, f := range r.fragments {
		if !r.taken[i] && !f.fixed && f.x0 > last.x1 && f.x0 < right && sameRow(last, f) &&
			f.h < maxHeightRatio*last.h && f.h > last.h/maxHeightRatio && count(f.bare(), isHan) > 0 {
			return true
		}
	}
	return false
}
