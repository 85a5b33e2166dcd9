package license

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/heyan/heyan/pipeline/report"
)

// Distances on the flattened page, in line heights of the label. Measured on
// the evaluation set's layouts.
const (
	alignTolerance = 1.5  // between the left ends of labels of one column
	leadTolerance  = 0.8  // in y between a label and the first line of its value
	maxOffset      = 1.2  // of all values against their labels: overprint on pre-printed stock
	labelOverlap   = 0.9  // of a value over the end of its label
	maxLead        = 8    // from the end of a label to its value
	wordGap        = 1.6  // between two boxes of one line of a value
	hiddenGap      = 3.2  // the same in a name or an address, of which a watermark may hide the middle
	dateGap        = 4    // the same in a date, whose 年 月 日 may be printed in advance
	maxHeightRatio = 1.7  // of two boxes of one value
	linePitch      = 1.85 // between two lines of one value
	indent         = 2.5  // between the left ends of the lines of one value
	maxValue       = 64   // boxes of one value; the longest scopes have 40 lines
)

// multiline says which values may run over several printed lines.
func multiline(field report.FieldName) bool {
	switch field {
	case report.FieldCompanyName, report.FieldType, report.FieldAddress, report.FieldScope, report.FieldTerm, report.FieldLegalRepresentative:
		return true
	}
	return false
}

// elsewhere says which values are not read beside their label by rows.
func elsewhere(field report.FieldName) bool {
	switch field {
	case "", report.FieldUSCC, report.FieldRegistrationNumber, report.FieldIssued, report.FieldRegistrationAuthority, report.FieldSerialNumber:
		return true
	}
	return false
}

// reader puts labels and fragments together.
type reader struct {
	*page
	hits   []*hit
	taken  []bool  // fragments that are labels or values
	offset float64 // of values below their labels, in label heights
}

// choose keeps the best hit of each field and marks what it covers. A piece of
// a label counts for a field whose whole label was not found, where it is in
// line with whole ones.
func (r *reader) choose(found []hit) {
	var whole, pieces []*hit
	for i := range found {
		if found[i].label.lost == 0 {
			whole = append(whole, &found[i])
		} else {
			pieces = append(pieces, &found[i])
		}
	}
	for _, h := range whole {
		h.weight = -1.5 * float64(h.errors)
		if h.colon {
			h.weight--
		}
		aligned := 0
		for _, o := range whole {
			if o.label.field != h.label.field && math.Abs(o.box.x0-h.box.x0) < alignTolerance*h.box.h {
				aligned++
			}
			if inNotice(o, h) {
				h.weight--
			}
		}
		h.weight += 0.5 * math.Min(4, float64(aligned))
	}
	r.keepBest(whole)
	for _, h := range pieces {
		h.weight = -float64(h.label.lost)
	}
	for range 2 { // the longer pieces first: they are in line with nothing but themselves on a sheet without a whole label
		known := slices.Clone(r.hits)
		r.keepBest(slices.DeleteFunc(slices.Clone(pieces), func(h *hit) bool { return r.hitOf(h.label.field) != nil || !r.inLine(h, known) }))
	}
	slices.SortFunc(r.hits, func(a, b *hit) int {
		return cmp.Or(cmp.Compare(a.box.y, b.box.y), cmp.Compare(a.box.x0, b.box.x0), cmp.Compare(a.label.field, b.label.field))
	})
}

// inNotice says whether h stands in the text of a notice that begins with the
// heading o.
func inNotice(o, h *hit) bool {
	return o.label.field == "" && o.errors == 0 && h.label.field != report.FieldRegistrationAuthority &&
		h.box.x0 > o.box.x0 && h.box.y > o.box.y-2*h.box.h && h.box.y < o.box.y+8*h.box.h
}

// keepBest adds the best hit of each field; every heading counts.
func (r *reader) keepBest(hits []*hit) {
	best := make(map[report.FieldName]*hit)
	for _, h := range hits {
		key := h.label.field
		if key == "" {
			key = report.FieldName(h.label.full)
		}
		if b := best[key]; b == nil || h.weight > b.weight || h.weight == b.weight && h.box.y < b.box.y {
			best[key] = h
		}
	}
	for _, h := range best {
		r.hits = append(r.hits, h)
		for _, part := range h.parts {
			r.taken[part.fragment] = true
		}
	}
}

// inLine says whether a piece of a label begins or ends where known labels do
// and nothing but a value follows it. The box of a beginning is drawn out to
// where the whole label would end.
func (r *reader) inLine(h *hit, known []*hit) bool {
	if len(h.rest.text) > 0 {
		if !h.label.end && len(h.label.text) == 1 || !plausible(h.label.field, h.rest.bare()) {
			return false
		}
		if formed(h.label.field) {
			if _, _, ok := normalize(h.label.field, string(h.rest.raw)); !ok {
				return false
			}
		}
	}
	if h.box.h > 2*r.h || h.box.h < 0.5*r.h {
		return false
	}
	for _, part := range h.parts {
		if r.taken[part.fragment] {
			return false
		}
	}
	var ends []float64
	aligned := h.label.lost == 1 && len(h.label.text) >= 3
	for _, o := range known {
		if elsewhere(o.label.field) {
			continue
		}
		if math.Abs(o.box.x0-h.box.x0) < alignTolerance*h.box.h {
			ends = append(ends, o.box.x1)
			aligned = aligned || !h.label.end
		}
		aligned = aligned || h.label.end && math.Abs(o.box.x1-h.box.x1) < h.box.h
	}
	if aligned && !h.label.end && len(ends) > 0 && len(h.rest.text) == 0 {
		h.box.x1 = math.Max(h.box.x1, median(ends))
	}
	return aligned
}

func (r *reader) hitOf(field report.FieldName) *hit {
	for _, h := range r.hits {
		if h.label.field == field {
			return h
		}
	}
	return nil
}

// right is the end of the band of values of h: the next column of labels, as
// far as it reaches.
func (r *reader) right(h *hit) float64 {
	limit := math.Inf(1)
	for _, o := range r.hits {
		if elsewhere(o.label.field) && o.label.field != report.FieldRegistrationAuthority {
			continue
		}
		if o.box.x0 > h.box.x1+2*h.box.h && o.box.x0 < limit {
			// A column reaches down from its label as far as values do; a heading
			// above or the registration authority below bounds its own row only.
			near := math.Abs(o.box.y-h.box.y) < 3*h.box.h
			if near || o.box.y < h.box.y && r.inColumn(o) && h.label.field != report.FieldEstablished && h.label.field != report.FieldTerm {
				limit = o.box.x0 - 0.4*h.box.h
			}
		}
	}
	return limit
}

// inColumn says whether another label stands above or under h.
func (r *reader) inColumn(h *hit) bool {
	for _, o := range r.hits {
		if o != h && !elsewhere(o.label.field) && math.Abs(o.box.x0-h.box.x0) < alignTolerance*h.box.h {
			return true
		}
	}
	return false
}

// candidates are the free fragments right of the label, inside its band.
func (r *reader) candidates(h *hit) []int {
	var out []int
	right := r.right(h)
	for i, f := range r.fragments {
		if r.taken[i] || f.fixed || f.x0 < h.box.x1-labelOverlap*h.box.h || f.x0 >= right || f.x0 > h.box.x1+maxLead*h.box.h {
			continue
		}
		out = append(out, i)
	}
	return out
}

// measureOffset finds how far all values were printed below their labels, from
// the values that can be told by their form.
func (r *reader) measureOffset() {
	var offsets []float64
	for _, h := range r.hits {
		if elsewhere(h.label.field) {
			continue
		}
		if len(h.rest.text) > 0 {
			offsets = append(offsets, 0)
			continue
		}
		if !formed(h.label.field) {
			continue
		}
		best := math.Inf(1)
		for _, i := range r.candidates(h) {
			f := r.fragments[i]
			if d := (f.y - h.box.y) / h.box.h; math.Abs(d) < math.Min(maxOffset, math.Abs(best)) {
				if _, _, ok := normalize(h.label.field, string(f.raw)); ok {
					best = d
				}
			}
		}
		if !math.IsInf(best, 1) {
			offsets = append(offsets, best)
		}
	}
	if len(offsets) > 1 {
		r.offset = median(offsets)
	}
}

// formed says which fields have values of a form that nothing else has.
func formed(field report.FieldName) bool {
	switch field {
	case report.FieldEstablished, report.FieldTerm, report.FieldRegisteredCapital, report.FieldPaidInCapital, report.FieldType, report.FieldFormation:
		return true
	}
	return false
}

// lead gives every label the first line of its value: what stands in its own
// box, or the nearest box. Label and box that are nearest in height find each
// other first.
func (r *reader) lead() {
	type pair struct {
		hit      *hit
		fragment int
		cost     float64
	}
	var pairs []pair
	for _, h := range r.hits {
		if elsewhere(h.label.field) {
			continue
		}
		glued := len(h.rest.text) > 0 && plausible(h.label.field, h.rest.bare())
		if glued && (!formed(h.label.field) || r.complete(h)) {
			h.value = []fragment{h.rest}
			continue
		}
		for _, i := range r.candidates(h) {
			f := r.fragments[i]
			d := math.Abs(f.y-h.box.y-r.offset*h.box.h) / h.box.h
			if d > leadTolerance || !plausible(h.label.field, f.bare()) {
				continue
			}
			if glued {
				if _, _, ok := normalize(h.label.field, string(f.raw)); !ok {
					continue
				}
			}
			pairs = append(pairs, pair{h, i, d + 0.1*math.Max(0, (f.x0-h.box.x1)/h.box.h-1)})
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(a.cost, b.cost) })
	for _, p := range pairs {
		if len(p.hit.value) == 0 && !r.taken[p.fragment] {
			r.taken[p.fragment] = true
			p.hit.value = []fragment{r.fragments[p.fragment]}
		}
	}
	for _, h := range r.hits {
		if len(h.value) == 0 && len(h.rest.text) > 0 && !elsewhere(h.label.field) && plausible(h.label.field, h.rest.bare()) {
			h.value = []fragment{h.rest}
		}
		if len(h.value) > 0 {
			h.value = r.alongRow(h, h.value[0])
		}
	}
}

// complete says whether the text in the box of the label, with what follows on
// its row, is a value by itself.
func (r *reader) complete(h *hit) bool {
	taken := slices.Clone(r.taken)
	_, _, ok := normalize(h.label.field, join(r.alongRow(h, h.rest)))
	r.taken = taken
	return ok
}

// alongRow adds the boxes into which the detector broke a line.
func (r *reader) alongRow(h *hit, first fragment) []fragment {
	row, right, gap := []fragment{first}, r.right(h), wordGap
	switch h.label.field {
	case report.FieldTerm, report.FieldEstablished:
		gap = dateGap
	case report.FieldCompanyName, report.FieldAddress:
		gap = hiddenGap
	}
	for {
		end := row[len(row)-1]
		best := -1
		for i, f := range r.fragments {
			if r.taken[i] || f.fixed || f.x0 >= right || !sameRow(end, f) || f.x0 < end.x1-labelOverlap*end.h || f.x0-end.x1 > gap*end.h || f.h > maxHeightRatio*first.h || f.h < first.h/maxHeightRatio {
				continue
			}
			if best < 0 || f.x0 < r.fragments[best].x0 {
				best = i
			}
		}
		if best < 0 || len(row) >= maxValue || !continues(h.label.field, join(row), r.fragments[best].bare()) {
			return row
		}
		r.taken[best] = true
		row = append(row, r.fragments[best])
	}
}

// continues says whether next, on the same row, can belong to a value that has
// come to text. After a complete type, name or person it is a seal or a
// watermark.
func continues(field report.FieldName, text, next string) bool {
	switch field {
	case report.FieldType:
		return !printedType.MatchString(dropSpaces(fold(text)))
	case report.FieldCompanyName:
		return !strings.HasSuffix(dropSpaces(fold(text)), "公司") || branchEnd.MatchString(next)
	case report.FieldLegalRepresentative:
		return count(text, isHan) < 2 || strings.ContainsAny(text+next, "(（")
	}
	return true
}

// branchEnd ends what follows the name of a company in that of its branch, or
// in a partnership's.
var branchEnd = regexp.MustCompile(`(公司|部|店|厂|处|社|站|中心|[)）])$`)

// wrap adds the lines on which a value goes on.
func (r *reader) wrap() {
	for _, h := range r.hits {
		if len(h.value) == 0 || !multiline(h.label.field) {
			continue
		}
		if h.label.field == report.FieldTerm {
			if _, ok := ParseTerm(join(h.value)); ok {
				continue
			}
		}
		first := h.value[0]
		last := first
		bottom := r.below(h)
		for {
			next := r.nextLine(h, first, last, bottom)
			if next < 0 {
				break
			}
			r.taken[next] = true
			last = r.fragments[next]
			h.value = append(h.value, r.alongRow(h, last)...)
		}
		if centered(h.label.field) {
			if previous := r.previousLine(h, first); previous >= 0 {
				r.taken[previous] = true
				h.value = append(r.alongRow(h, r.fragments[previous]), h.value...)
			}
		}
	}
}

// below is the height at which the value of the next label of the column
// begins.
func (r *reader) below(h *hit) float64 {
	limit := math.Inf(1)
	for _, o := range r.hits {
		if o == h || o.box.y < h.box.y+0.5*h.box.h || math.Abs(o.box.x0-h.box.x0) > 2*alignTolerance*h.box.h || o.label.field == report.FieldRegistrationAuthority {
			continue
		}
		y := o.box.y + r.offset*o.box.h
		if len(o.value) > 0 {
			y = math.Min(y, o.value[0].y)
		}
		limit = math.Min(limit, y-0.3*o.box.h)
	}
	return limit
}

// nextLine gives the free fragment that begins the line after last.
func (r *reader) nextLine(h *hit, first, last fragment, bottom float64) int {
	if len(h.value) >= maxValue {
		return -1
	}
	best, right, text := -1, r.right(h), join(h.value)
	for i, f := range r.fragments {
		if r.taken[i] || f.fixed || f.y > bottom || f.x0 >= right || f.x0 < first.x0-indent*first.h || f.x0 > first.x0+indent*first.h {
			continue
		}
		pitch := math.Max(first.h, 0.8*r.h)
		if f.y < last.y+0.4*first.h || f.y > last.y+linePitch*pitch || f.h > maxHeightRatio*first.h || f.h < first.h/maxHeightRatio || r.belongsBelow(h, f, f.y-last.y) {
			continue
		}
		if (best < 0 || f.y < r.fragments[best].y) && goesOn(h.label.field, text, f.bare()) {
			best = i
		}
	}
	return best
}

// goesOn says whether a line can be the next one of a value that has come to
// text.
func goesOn(field report.FieldName, text, line string) bool {
	switch field {
	case report.FieldType:
		folded := string(fold(text))
		return strings.Count(folded, "(") > strings.Count(folded, ")") || strings.HasPrefix(line, "(") && isType(folded+line)
	case report.FieldLegalRepresentative:
		folded := string(fold(text))
		return strings.Count(folded, "(") > strings.Count(folded, ")") || strings.HasPrefix(line, "(")
	case report.FieldCompanyName:
		return !strings.ContainsAny(line, "，。；、:") && (!strings.HasSuffix(text, "公司") || strings.HasSuffix(line, "公司") || strings.HasPrefix(line, "("))
	case report.FieldAddress:
		return count(line, isHan)+count(line, unicode.IsDigit) > 0
	}
	return true
}

// belongsBelow says whether a line is the first of two that were centered on
// the next label: that label stands between it and its value's other line, or
// it is nearer to that line than to the one over it, gap pixels away.
func (r *reader) belongsBelow(h *hit, f fragment, gap float64) bool {
	for _, o := range r.hits {
		if o == h || len(o.value) == 0 || !centered(o.label.field) {
			continue
		}
		lead, label := o.value[0], o.box.y+r.offset*o.box.h
		if math.Abs(lead.x0-f.x0) > f.h || lead.y < f.y+0.4*f.h {
			continue
		}
		between := f.y < label && label < lead.y-0.1*f.h && lead.y-f.y < linePitch*f.h
		if between || lead.y-f.y < 0.85*gap {
			return true
		}
	}
	return false
}

// centered says which values of two lines some registries center on their label.
func centered(field report.FieldName) bool {
	return field == report.FieldAddress || field == report.FieldCompanyName
}

// previousLine gives a free fragment directly over the first line of a value
// that was centered on its label.
func (r *reader) previousLine(h *hit, first fragment) int {
	right := r.right(h)
	for i, f := range r.fragments {
		if r.taken[i] || f.fixed || f.x0 >= right || math.Abs(f.x0-first.x0) > first.h || f.h > maxHeightRatio*first.h || f.h < first.h/maxHeightRatio {
			continue
		}
		if f.y < first.y-0.5*first.h && f.y > first.y-1.5*first.h && f.y > h.box.y-1.2*h.box.h {
			return i
		}
	}
	return -1
}

// join is the text of fragments as printed.
func join(fragments []fragment) string {
	var b strings.Builder
	for _, f := range fragments {
		b.WriteString(string(f.raw))
	}
	return b.String()
}

// value makes a Value of fragments; ok is false when they hold none.
func value(field report.FieldName, label string, fragments []fragment) (Value, bool) {
	raw := join(fragments)
	text, amount, ok := normalize(field, raw)
	if !ok {
		return Value{}, false
	}
	return newValue(text, raw, label, amount, fragments), true
}

func newValue(text, raw, label string, amount *report.Amount, fragments []fragment) Value {
	v := Value{Text: text, Raw: raw, Label: label, Amount: amount}
	var heights []float64
	runes, complete := 0, true
	for _, f := range fragments {
		v.Quads = append(v.Quads, f.quad)
		v.Confidence += f.confidence * float64(len(f.text))
		runes += len(f.text)
		heights = append(heights, f.quad.Height())
		complete = complete && f.characters != nil
	}
	if complete {
		for _, f := range fragments {
			v.Characters = append(v.Characters, f.characters...)
		}
	}
	v.Confidence /= float64(max(1, runes))
	v.EmPx = median(heights)
	return v
}

// plausible says whether text may begin the value of a field.
func plausible(field report.FieldName, text string) bool {
	if text == "" {
		return false
	}
	switch field {
	case report.FieldEstablished:
		return strings.ContainsAny(text, "年0123456789") || strings.ContainsAny(text, "〇○二一")
	case report.FieldTerm:
		return strings.ContainsAny(text, "年至自长永期0123456789〇○二")
	case report.FieldRegisteredCapital, report.FieldPaidInCapital:
		return strings.ContainsAny(text, "元圆万亿整币0123456789壹贰叁肆伍陆柒捌玖拾")
	case report.FieldLegalRepresentative:
		return !strings.ContainsAny(text, "0123456789") && count(text, unicode.IsLetter) >= 1
	case report.FieldCompanyName:
		return count(text, unicode.IsLetter) >= 2
	case report.FieldType:
		return count(text, isHan) >= 2 && !strings.ContainsAny(text, "年0123456789")
	case report.FieldAddress:
		return count(text, isHan) >= 1
	}
	return true
}

// isName says whether the text has two letters and is not filled with X.
func isName(text string) bool {
	return count(text, unicode.IsLetter) >= 2 && strings.Trim(text, "xX") != ""
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

func count(s string, of func(rune) bool) int {
	n := 0
	for _, r := range s {
		if of(r) {
			n++
		}
	}
	return n
}

// fillers are what printers and registries put after a value to close the line.
const fillers = "*#-_~=.。,，;；:、|/ "

// normalize brings a printed value to the form of the report; ok is false when
// the text is no value of the field.
func normalize(field report.FieldName, raw string) (text string, amount *report.Amount, ok bool) {
	switch field {
	case report.FieldEstablished, report.FieldIssued:
		text, rest, ok := scanDate(compact(trimDate(raw)))
		return text, nil, ok && !strings.ContainsAny(string(rest), dateSigns)
	case report.FieldTerm:
		text, ok = ParseTerm(trimDate(raw))
		return text, nil, ok
	case report.FieldRegisteredCapital, report.FieldPaidInCapital:
		text = strings.Trim(dropSpaces(fold(raw)), fillers)
		a, ok := ParseAmount(text)
		if unit := strings.LastIndexAny(text, "元圆"); !ok && unit >= 0 && count(text[unit:], unicode.IsLetter) <= 1+maxAfterUnit {
			text = text[:unit] + string([]rune(text[unit:])[:1])
			a, ok = ParseAmount(text)
		}
		return text, &a, ok
	case report.FieldFormation:
		text = strings.Trim(dropSpaces(fold(raw)), fillers)
		return text, nil, strings.Contains(text, "经营")
	case report.FieldType:
		text = balance(strings.Trim(dropSpaces(fold(raw)), fillers))
		return text, nil, isType(text)
	case report.FieldCompanyName:
		text = balance(strings.Trim(squeeze(fold(raw)), fillers))
		text = strings.NewReplacer("(", "（", ")", "）").Replace(text)
		return text, nil, isName(text)
	case report.FieldLegalRepresentative:
		text = balance(strings.Trim(squeeze(fold(raw)), fillers))
		return text, nil, isName(text) && count(text, unicode.IsDigit) == 0
	case report.FieldAddress:
		text = balance(strings.Trim(squeeze(fold(raw)), fillers))
		return text, nil, count(text, isHan) >= 3
	}
	text = strings.Trim(squeeze(fold(raw)), fillers)
	return text, nil, text != ""
}

// maxAfterUnit is how many characters of a watermark may run on after a sum.
const maxAfterUnit = 2

// dateSigns make what follows a date part of a longer statement; anything else is
// of a watermark that runs across the row.
const dateSigns = "0123456789年月日至到自〇零一二三四五六七八九十"

// trimDate drops what a padded crop adds to a date: the last character of the
// label before it, the letters of a printed background after it.
func trimDate(raw string) string {
	s := strings.TrimLeft(string(fold(raw)), "期限月日 ")
	return strings.TrimRightFunc(s, func(r rune) bool {
		return strings.ContainsRune(fillers, r) && r != '*' && r != '-' || r >= 'A' && r <= 'Z' && r != 'O'
	})
}

// fold brings the text to half width and drops the signs that a printer or a
// reader put before it.
func fold(raw string) []rune {
	runes := []rune(strings.TrimLeftFunc(raw, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("(（【[〔○〇", r)
	}))
	for i, r := range runes {
		runes[i] = foldRune(r)
	}
	return runes
}

func dropSpaces(s []rune) string {
	return string(slices.DeleteFunc(s, func(r rune) bool { return r == ' ' }))
}

// squeeze drops spaces but for those between two Latin words.
func squeeze(s []rune) string {
	latin := func(r rune) bool { return r < 0x250 && unicode.IsLetter(r) }
	out := make([]rune, 0, len(s))
	for i, r := range s {
		if r == ' ' && !(len(out) > 0 && latin(out[len(out)-1]) && i+1 < len(s) && latin(s[i+1])) {
			continue
		}
		out = append(out, r)
	}
	return string(out)
}

// balance drops a closing bracket without an opening one from the end, and adds
// the closing one that a reader lost at the end.
func balance(s string) string {
	open, closed := strings.Count(s, "("), strings.Count(s, ")")
	switch {
	case closed == open+1 && strings.HasSuffix(s, ")"):
		return strings.TrimSuffix(s, ")")
	case open == closed+1 && !strings.HasSuffix(s, "("):
		return s + ")"
	}
	return s
}

// typeWords are what every printed type of entity has one of.
var typeWords = []string{"公司", "个体", "独资", "合伙", "合作", "所有制", "法人", "企业", "分支机构", "经营", "集体", "国有", "内资", "外资", "其他", "联营"}

func isType(s string) bool {
	for _, word := range typeWords {
		if strings.Contains(s, word) {
			return len([]rune(s)) >= 2
		}
	}
	return false
}
