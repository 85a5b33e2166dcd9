package license

import (
	"cmp"
	_ "embed"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/heyan/heyan/pipeline/report"
)

//go:embed data/labels.tsv
var labelsTSV string

// label is one printed form of a field's label, or what a fold, a seal or the
// edge of the picture leaves of one.
type label struct {
	field   report.FieldName
	text    []rune
	full    string // the whole label
	lost    int    // characters that are missing
	shared  bool   // by the labels of several fields: the value's form decides
	end     bool   // of the missing ones, that they are the first: the end is there
	pre2014 bool
}

var labels = sync.OnceValue(func() []label {
	printed := printedLabels()
	type key struct {
		text string
		end  bool
	}
	fields := make(map[key][]report.FieldName) // those of which the text is a piece
	pieces := make(map[key]label)
	for _, l := range printed {
		for n := 1; n < len(l.text); n++ {
			lost := len(l.text) - n
			for _, piece := range []label{
				{field: l.field, text: l.text[:n], full: l.full, lost: lost, pre2014: l.pre2014},
				{field: l.field, text: l.text[lost:], full: l.full, lost: lost, end: true, pre2014: l.pre2014},
			} {
				k := key{string(piece.text), piece.end}
				if !slices.Contains(fields[k], l.field) {
					fields[k] = append(fields[k], l.field)
				}
				if old, ok := pieces[k]; !ok || lost < old.lost {
					pieces[k] = piece
				}
			}
		}
	}
	whole := func(text string) bool {
		return slices.ContainsFunc(printed, func(l label) bool { return l.full == text })
	}
	keys := slices.SortedFunc(maps.Keys(pieces), func(a, b key) int { return cmp.Compare(a.text, b.text) })
	out := printed
	for _, k := range keys {
		switch pieces[k].field {
		case "", report.FieldUSCC, report.FieldRegistrationNumber, report.FieldSerialNumber, report.FieldIssued:
		default:
			piece := pieces[k]
			switch {
			case whole(k.text):
			case len(fields[k]) == 1:
				out = append(out, piece)
			case k.end && slices.Contains(fields[k], report.FieldEstablished) && slices.Contains(fields[k], report.FieldTerm):
				for _, l := range printed {
					if l.full == "成立日期" || l.full == "营业期限" {
						piece.field, piece.full, piece.shared = l.field, l.full, true
						out = append(out, piece)
					}
				}
			}
		}
	}
	return out
})

// printedLabels is the table.
func printedLabels() []label {
	var out []label
	for line := range strings.Lines(labelsTSV) {
		columns := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(columns) < 2 || strings.HasPrefix(line, "#") {
			continue
		}
		out = append(out, label{field: report.FieldName(columns[0]), text: []rune(columns[1]), full: columns[1], pre2014: len(columns) > 2 && columns[2] == "1"})
	}
	return out
}

const (
	// maxLabelGap is the widest space inside a letter-spaced label, in line
	// heights: 名 and 称 stand as far apart as the ends of 法定代表人.
	maxLabelGap = 7
	// rowTolerance is how far two parts of one printed row may be apart in y, in
	// line heights.
	rowTolerance = 0.55
	// stackedTolerance replaces rowTolerance for characters out of a column of
	// first characters, whose places in it are estimated.
	stackedTolerance = 0.85
	// fuzzyRunes is the length of a label from which one character may be
	// misread or missing.
	fuzzyRunes = 4
)

// hit is a label found on the page.
type hit struct {
	label  label
	errors int // characters misread
	parts  []part
	box    fragment // from the first to the last character of the label
	rest   fragment // what follows the label in its last fragment; may be empty
	colon  bool
	weight float64
	value  []fragment // in reading order
}

// part is a range of characters of a fragment of the page.
type part struct{ fragment, from, to int }

func (h hit) String() string { return h.label.full }

// findLabels gives the best reading of a label at every fragment that begins
// with one, letter-spaced or not.
func (p *page) findLabels() []hit {
	var hits []hit
	for i := range p.fragments {
		if p.fragments[i].fixed {
			continue
		}
		var best *hit
		for _, l := range labels() {
			h, ok := p.match(l, i)
			if ok && l.shared {
				_, _, ok = normalize(l.field, string(h.rest.raw))
			}
			if ok && (best == nil || h.better(*best)) {
				best = &h
			}
		}
		if best != nil {
			hits = append(hits, *best)
		}
	}
	// A label that is part of a longer one found from another fragment, as 注册号
	// of 营业执照注册号, is the longer one's.
	return slices.DeleteFunc(hits, func(h hit) bool {
		return slices.ContainsFunc(hits, func(o hit) bool {
			return len(o.parts) > len(h.parts) && o.parts[0] != h.parts[0] &&
				slices.ContainsFunc(o.parts, func(q part) bool { return q.fragment == h.parts[0].fragment })
		})
	})
}

// better prefers fewer errors, then the longer label.
func (h hit) better(o hit) bool {
	if (h.label.lost > 0) != (o.label.lost > 0) {
		return o.label.lost > 0
	}
	if h.errors != o.errors {
		return h.errors < o.errors
	}
	return len(h.label.text) > len(o.label.text)
}

// match reads label l beginning with fragment i and, as long as characters are
// missing, the fragments to the right of it.
func (p *page) match(l label, i int) (hit, bool) {
	h := hit{label: l}
	allowed := 0
	if len(l.text) >= fuzzyRunes && l.lost == 0 {
		allowed = 1
	}
	rest := l.text
	for {
		f := p.fragments[i]
		start, n, to, errors, ok := consume(f.text, rest, allowed-h.errors)
		if !ok {
			return h, false
		}
		h.errors += errors
		h.parts = append(h.parts, part{i, start, to})
		rest = rest[n:]
		if len(rest) == 0 {
			h.box = p.span(h.parts)
			h.rest = f.slice(to, len(f.text)).trim(":")
			h.colon = to < len(f.text) && strings.HasPrefix(f.slice(to, len(f.text)).bare(), ":")
			return h, true
		}
		next := p.rightOf(i, rest[0])
		if next < 0 || len(h.parts) > len(l.text) {
			return h, false
		}
		i = next
	}
}

// consume matches the beginning of text with want. It returns the first
// character used, how many of want were matched, the end of the match in text,
// and the number of misread characters. Either all of want is used or all of
// text.
func consume(text, want []rune, allowed int) (start, n, to, errors int, ok bool) {
	for start < len(text) && text[start] == ' ' {
		start++
	}
	to = start
	for n < len(want) {
		for to < len(text) && text[to] == ' ' {
			to++
		}
		if to == len(text) {
			break
		}
		switch {
		case text[to] == want[n]:
		case errors < allowed && n+1 < len(want) && text[to] == want[n+1] && len(want) > fuzzyRunes:
			errors++ // one character was not read
			n++
		case errors < allowed:
			errors++
		default:
			return start, n, to, errors, false
		}
		to++
		n++
	}
	return start, n, to, errors, n > errors
}

// rightOf gives the next fragment on the row of fragment i that begins with r,
// or -1.
func (p *page) rightOf(i int, r rune) int {
	f := p.fragments[i]
	best, bestD := -1, math.Inf(1)
	for j, g := range p.fragments {
		if j == i || g.fixed || len(g.text) == 0 || g.text[0] != r {
			continue
		}
		near := sameRow(f, g) || (f.stacked || g.stacked) && math.Abs(f.y-g.y) < stackedTolerance*math.Max(f.h, g.h)
		if d := g.x0 - f.x1 + 5*math.Abs(f.y-g.y); near && g.x0 > f.x0+0.3*f.h && g.x0-f.x1 < maxLabelGap*math.Min(f.h, g.h) && d < bestD {
			best, bestD = j, d
		}
	}
	return best
}

func sameRow(a, b fragment) bool {
	return math.Abs(a.y-b.y) < rowTolerance*math.Max(math.Min(a.h, b.h), 0.6*math.Max(a.h, b.h))
}

// span is the box from the first to the last of the parts, on one row.
func (p *page) span(parts []part) fragment {
	first := p.fragments[parts[0].fragment].slice(parts[0].from, parts[0].to)
	last := p.fragments[parts[len(parts)-1].fragment].slice(parts[len(parts)-1].from, parts[len(parts)-1].to)
	s := first
	s.quad[1], s.quad[2] = last.quad[1], last.quad[2]
	s.x1 = math.Max(last.x1, s.x1)
	s.y, s.h = (first.y+last.y)/2, (first.h+last.h)/2
	return s
}
