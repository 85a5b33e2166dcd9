package license

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
)

var (
	// printedType is a whole line that is a type of entity and nothing else.
	printedType = regexp.MustCompile(`^(其他|一人)?(有限责任公司|股份有限公司|个体工商户|个人独资企业|(普通|有限|特殊普通)?合伙企业|农民专业合作社|集体所有制|全民所有制|股份合作制|非公司企业法人)(分公司|分支机构)?(\([^()]{2,30}\)?)?(分公司|分支机构)?$`)
	// placeName is a whole line that is an address, personName one that may be a
	// person's name.
	placeName  = regexp.MustCompile(`^\p{Han}{2,}(省|市|县|区|旗|镇|乡|路|街|村|道).{2,}(号|室|层|楼|栋|幢|座|铺|房|村|组|侧|园|厦)$`)
	personName = regexp.MustCompile(`^\p{Han}{2,4}(·\p{Han}{2,8})?$`)
	// nameShape is a whole line that may be a name, if an organization form ends it.
	nameShape = regexp.MustCompile(`^\p{Han}[\p{Han}()·]{3,60}$`)
)

// readByForm reads type, name and date of a sheet whose labels are cut off or
// covered: a line that is a type and nothing else; the company's name on the
// line over it; the one date under it in the same column.
func (r *reader) readByForm(reading *Reading) {
	typ, ok := reading.Fields[report.FieldType]
	var anchor fragment
	for i, f := range r.fragments {
		text := dropSpaces(slices.Clone(f.text))
		if ok && len(typ.Quads) > 0 && f.quad == typ.Quads[0] {
			anchor = f
			break
		}
		if !ok && !r.taken[i] && !f.fixed && printedType.MatchString(text) {
			if v, found := value(report.FieldType, "", []fragment{f}); found {
				reading.Fields[report.FieldType] = v
				anchor, ok, typ = f, true, v
				r.taken[i] = true
				break
			}
		}
	}
	if anchor.text == nil {
		return
	}
	column := func(f fragment) bool { return math.Abs(f.x0-anchor.x0) < indent*anchor.h }
	if _, ok := reading.Fields[report.FieldCompanyName]; !ok {
		for i, f := range r.fragments {
			if !r.taken[i] && !f.fixed && column(f) && f.y < anchor.y-0.5*anchor.h && f.y > anchor.y-5*anchor.h && nameShape.MatchString(f.bare()) && !Unfinished(f.bare(), typ.Text) {
				if v, ok := value(report.FieldCompanyName, "", []fragment{f}); ok {
					reading.Fields[report.FieldCompanyName] = v
					r.taken[i] = true
				}
			}
		}
	}
	// Address and person stand under the type, in this order, on every edition
	// that has one column.
	r.readBelow(reading, anchor, report.FieldAddress, placeName)
	r.readBelow(reading, anchor, report.FieldLegalRepresentative, personName)
	if _, ok := reading.Fields[report.FieldEstablished]; !ok {
		var dates []int
		for i, f := range r.fragments {
			if _, ok := ParseDate(string(f.raw)); ok && !r.taken[i] && column(f) && f.y > anchor.y {
				dates = append(dates, i)
			}
		}
		if len(dates) == 1 {
			if v, ok := value(report.FieldEstablished, "", []fragment{r.fragments[dates[0]]}); ok {
				reading.Fields[report.FieldEstablished] = v
				r.taken[dates[0]] = true
			}
		}
	}
}

// readBelow reads a field whose label was not found from the one line of its
// form under the anchor.
func (r *reader) readBelow(reading *Reading, anchor fragment, field report.FieldName, form *regexp.Regexp) {
	if _, ok := reading.Fields[field]; ok || r.hitOf(field) != nil {
		return
	}
	only := -1
	for i, f := range r.fragments {
		if r.taken[i] || f.fixed || math.Abs(f.x0-anchor.x0) > indent*anchor.h || f.y < anchor.y+0.5*anchor.h || f.y > anchor.y+maxBelow*anchor.h || !form.MatchString(f.bare()) {
			continue
		}
		if only >= 0 {
			return
		}
		only = i
	}
	if only < 0 {
		return
	}
	if v, ok := value(field, "", []fragment{r.fragments[only]}); ok {
		reading.Fields[field] = v
		r.taken[only] = true
	}
}

// maxBelow is how far under the type address and person stand, in line heights.
const maxBelow = 8

var authority = regexp.MustCompile(`^\p{Han}{2,30}(局|厅|委员会|总局|分局|所)$`)

// footDepth and footWidth are the place of the date of issue under the label of
// the registration authority, in label heights.
const (
	footDepth = 9
	footWidth = 16
)

// readFoot reads the registration authority, where it is printed and not only
// sealed, and the date of issue under it.
func (r *reader) readFoot(reading *Reading) {
	h := r.hitOf(report.FieldRegistrationAuthority)
	if h == nil {
		return
	}
	row := []fragment{h.rest}
	if len(h.rest.text) == 0 {
		row = nil
		for i, f := range r.fragments {
			if !r.taken[i] && !f.fixed && sameRow(h.box, f) && f.x0 > h.box.x1-labelOverlap*h.box.h && f.x0 < h.box.x1+maxLead*h.box.h {
				row = append(row, f)
				break
			}
		}
	}
	if len(row) > 0 && authority.MatchString(row[0].bare()) {
		if v, ok := value(report.FieldRegistrationAuthority, h.String(), row); ok {
			reading.Fields[report.FieldRegistrationAuthority] = v
		}
	}
	r.readIssued(reading, h)
}

// readIssued reads the date of issue: one line, or year, month and day printed
// apart between pre-printed 年 月 日.
func (r *reader) readIssued(reading *Reading, h *hit) {
	var foot []fragment
	for i, f := range r.fragments {
		if !r.taken[i] && !f.fixed && f.y > h.box.y+0.5*h.box.h && f.y < h.box.y+footDepth*h.box.h && f.x1 > h.box.x0 && f.x0 < h.box.x1+footWidth*h.box.h {
			foot = append(foot, f)
		}
	}
	keep := func(text string, fragments []fragment) {
		reading.Fields[report.FieldIssued] = newValue(text, join(fragments), "", nil, fragments)
	}
	for _, f := range foot {
		if iso, ok := ParseDate(strings.Trim(f.bare(), fillers)); ok {
			keep(iso, []fragment{f})
			return
		}
	}
	slices.SortStableFunc(foot, func(a, b fragment) int {
		switch {
		case a.x0 < b.x0:
			return -1
		case a.x0 > b.x0:
			return 1
		}
		return 0
	})
	var numbers []string
	var used []fragment
	for _, f := range foot {
		if text := strings.Trim(f.bare(), "年月日"); text != "" && strings.IndexFunc(text, func(r rune) bool { return !isNumeral(r) && !strings.ContainsRune("年月日", r) }) < 0 {
			numbers = append(numbers, strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("年月日", r) })...)
			used = append(used, f)
		}
	}
	if len(numbers) == 3 {
		if iso, ok := ParseDate(numbers[0] + "年" + numbers[1] + "月" + numbers[2] + "日"); ok {
			keep(iso, used)
		}
	}
}
