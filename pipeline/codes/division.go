package codes

import (
	_ "embed"
	"slices"
	"sort"
	"strings"
	"sync"
)

// DivisionStatus says what the lists know of a division code.
type DivisionStatus string

// The statuses. The last two are of identity numbers, whose first digits are
// not a division's.
const (
	DivisionCurrent    DivisionStatus = "current"
	DivisionHistorical DivisionStatus = "historical"
	DivisionNational   DivisionStatus = "national" // 100000, the national registry
	DivisionUnknown    DivisionStatus = "unknown"
	DivisionPermit     DivisionStatus = "permit"  // 810000, 820000, 830000 of residence permits
	DivisionForeign    DivisionStatus = "foreign" // 9, province and country of a foreign resident
)

const (
	zeroDivision     = "000000"
	nationalDivision = "100000"
)

// firstDivisionYear is the first year of the lists. What was in force then may
// be of any age.
const firstDivisionYear = 1981

// Division is a division code of GB/T 2260 with a name it had.
type Division struct {
	Code string // six digits
	Name string // from the province down
	From int    // year it came into force; 0 unknown
	To   int    // first year in which it was not; 0 still in force
}

// InForce reports whether the division existed in a year under this name.
func (d Division) InForce(year int) bool {
	return (d.From <= firstDivisionYear || d.From <= year) && (d.To == 0 || year < d.To)
}

//go:embed data/divisions.tsv
var divisionData string

// divisions are sorted by code, then by first year.
var divisions = sync.OnceValue(func() []Division {
	list := make([]Division, 0, strings.Count(divisionData, "\n"))
	for line := range strings.Lines(divisionData) {
		column := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		list = append(list, Division{column[0], column[1], year(column[2]), year(column[3])})
	}
	return list
})

// year reads digits, of the embedded list or checked before; "" is 0.
func year(digits string) (y int) {
	for i := range len(digits) {
		y = y*10 + int(digits[i]-'0')
	}
	return y
}

// DivisionsOf returns all that is known of a code, oldest first; none when it is
// in no list. The slice must not be changed.
func DivisionsOf(code string) []Division {
	list := divisions()
	first := sort.Search(len(list), func(i int) bool { return list[i].Code >= code })
	last := first
	for last < len(list) && list[last].Code == code {
		last++
	}
	return list[first:last:last]
}

// describeDivision fills in the division, under the name it had in a year if one
// is given, and warns when it is in no list, or abolished, or with a year not in
// force then.
func (r *Result) describeDivision(code string, year int) {
	r.Division = code
	if code == nationalDivision {
		r.DivisionName, r.DivisionStatus = "国家", DivisionNational
		return
	}
	known := DivisionsOf(code)
	if len(known) == 0 {
		r.DivisionStatus = DivisionUnknown
		r.warn(WarningDivisionUnknown)
		return
	}
	d := known[len(known)-1]
	r.DivisionStatus = DivisionHistorical
	for _, k := range known {
		if k.To == 0 {
			d, r.DivisionStatus = k, DivisionCurrent
		}
	}
	if year == 0 {
		if r.DivisionStatus == DivisionHistorical {
			r.warn(WarningDivisionHistorical)
		}
	} else if i := slices.IndexFunc(known, func(k Division) bool { return k.InForce(year) }); i >= 0 {
		d = known[i]
	} else {
		r.warn(WarningDivisionOutOfTime)
	}
	r.DivisionName = d.Name
}

// PlaceNames are the names of all divisions of the lists, each without those of
// the divisions above it: 白云区, 双流县, 漯河市. The map must not be changed.
var PlaceNames = sync.OnceValue(func() map[string]bool {
	whole := map[string][]string{} // names by code
	for _, d := range divisions() {
		whole[d.Code] = append(whole[d.Code], d.Name)
	}
	names := map[string]bool{}
	for _, d := range divisions() {
		own := d.Name
		for _, above := range []string{d.Code[:4] + "00", d.Code[:2] + "0000"} {
			if above == d.Code {
				continue
			}
			for _, name := range whole[above] {
				if rest, ok := strings.CutPrefix(d.Name, name); ok && len(rest) < len(own) {
					own = rest
				}
			}
		}
		names[own] = true
	}
	return names
})
