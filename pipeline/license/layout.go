package license

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/heyan/heyan/ocr"
)

// The limits of what is looked at. A license has about 50 lines and 800
// characters of scope; a dense page of text has three times as many.
const (
	maxLines     = 1000
	maxLineRunes = 400
	// maxEdge is the largest coordinate that is believed, in pixels.
	maxEdge = 1e6
)

const (
	// stackedAspect is the height of a box relative to its width from which
	// several characters in it stand under one another: 名 over 类 over 住.
	stackedAspect = 1.25
	// maxStacked is the longest column of first characters of labels.
	maxStacked = 8
	// watermarkSlope is the inclination against the printed lines from which a
	// line is a watermark: 7 degrees, three times what a curled sheet shows.
	watermarkSlope = 0.12
	// unreadable is the confidence below which a line is noise: pieces of seals,
	// borders and emblems.
	unreadable = 0.45
	// readTwice is how near two readings of one character are, in line heights.
	readTwice = 0.8
	// edgeCenter is the center of a character that stands over the edge of its
	// box, fraction of the box's width.
	edgeCenter = 0.01
	// slopeAspect is the width of a line relative to its height from which its
	// slope is worth something.
	slopeAspect = 4
)

// fragment is a run of characters on one line of the page. x0, x1 and y are in
// flattened pixels, where a printed line has one y; h is the line's height.
type fragment struct {
	line       int
	text       []rune // folded: half-width, one for one with raw
	raw        []rune
	at         []float64 // center of each character, fraction of the fragment's width
	characters []ocr.Character
	quad       ocr.Quad
	confidence float64
	x0, x1, y  float64
	h          float64
	fixed      bool // printed on every sheet, or across it: never a value
	stacked    bool // one of several characters under one another: y is not sure
}

// foldRune brings one character to half width. Spaces become ' '.
func foldRune(r rune) rune {
	switch {
	case r >= 0xFF01 && r <= 0xFF5E:
		r -= 0xFEE0
	case unicode.IsSpace(r):
		return ' '
	}
	switch r {
	case '【', '〔', '[', '{', '〈', '『', '「':
		return '('
	case '】', '〕', ']', '}', '〉', '』', '」':
		return ')'
	case '—', '–', '―', '－', '‐', '−':
		return '-'
	case '～', '∼':
		return '~'
	case '﹡', '∗', '✱', '※':
		return '*'
	case '：', '︰', '∶':
		return ':'
	}
	return r
}

// newFragment copies a line; ok is false when it has no usable text or place.
func newFragment(index int, line ocr.Line) (f fragment, ok bool) {
	text := line.Text
	if len(text) > maxLineRunes*4 {
		text = text[:maxLineRunes*4]
	}
	f = fragment{line: index, raw: []rune(strings.ToValidUTF8(text, "")), quad: line.Quad, confidence: line.Confidence}
	if len(f.raw) > maxLineRunes {
		f.raw = f.raw[:maxLineRunes]
	}
	if len(f.raw) == 0 {
		return f, false
	}
	for _, p := range line.Quad {
		if !(math.Abs(p.X) < maxEdge && math.Abs(p.Y) < maxEdge) {
			return f, false
		}
	}
	f.text = make([]rune, len(f.raw))
	width := 0.0
	for i, r := range f.raw {
		f.text[i] = foldRune(r)
		width += advance(r)
	}
	f.at = make([]float64, len(f.raw))
	if len(line.Characters) == len(f.raw) {
		f.characters = simplified(line.Characters)
		for i, c := range f.characters {
			f.at[i] = c.Center
			if r := []rune(c.Text); len(r) == 1 {
				f.raw[i], f.text[i] = r[0], foldRune(r[0])
			}
		}
	} else {
		x := 0.0
		for i, r := range f.raw {
			f.at[i] = (x + advance(r)/2) / width
			x += advance(r)
		}
	}
	return f, line.Quad.Height() > 0 && line.Quad.Width() > 0
}

// minSimplified is the probability of a simplified form from which the reader
// wavers between it and the variant.
const minSimplified = 0.05

// simplified takes the simplified form of a character where the reader wavers
// between it and a variant: licenses are printed in simplified characters.
func simplified(characters []ocr.Character) []ocr.Character {
	out := characters
	for i, c := range characters {
		variant, _ := utf8.DecodeRuneInString(c.Text)
		plain, ok := variants()[variant]
		if !ok {
			continue
		}
		form := string(plain)
		for k, a := range c.Alternatives {
			if a.Text != form || a.Confidence < minSimplified {
				continue
			}
			if &out[0] == &characters[0] {
				out = slices.Clone(characters)
			}
			others := slices.Delete(slices.Clone(c.Alternatives), k, k+1)
			out[i].Text, out[i].Confidence, out[i].Alternatives = form, math.Min(1, c.Confidence+a.Confidence), others
		}
	}
	return out
}

// advance is the width of a character relative to a Chinese one.
func advance(r rune) float64 {
	if r < 0x2000 {
		return 0.5
	}
	return 1
}

// unstack gives the characters of a fragment that stand under one another.
func (f fragment) unstack() ([]fragment, bool) {
	low, high := f.quad.Bounds()
	w, h := high.X-low.X, high.Y-low.Y
	if len(f.text) < 2 || len(f.text) > maxStacked || h < stackedAspect*w || f.diagonal() {
		return nil, false
	}
	out := make([]fragment, 0, len(f.text))
	step := h / float64(len(f.text))
	for i := range f.text {
		top := low.Y + float64(i)*step
		c := f.slice(i, i+1)
		c.quad = ocr.Quad{{X: low.X, Y: top}, {X: high.X, Y: top}, {X: high.X, Y: top + step}, {X: low.X, Y: top + step}}
		c.at, c.stacked = []float64{0.5}, true
		out = append(out, c)
	}
	return out, true
}

// diagonal says whether the text runs neither along a line nor down a column.
func (f fragment) diagonal() bool {
	dx, dy := math.Abs(f.quad[1].X-f.quad[0].X), math.Abs(f.quad[1].Y-f.quad[0].Y)
	return math.Min(dx, dy) > 0.4*math.Max(dx, dy)
}

// slice is the part of the fragment between two characters.
func (f fragment) slice(from, to int) fragment {
	if from == 0 && to == len(f.text) {
		return f
	}
	edge := func(i int) float64 {
		switch {
		case i == 0:
			return 0
		case i == len(f.at):
			return 1
		}
		return math.Min(1, math.Max(0, (f.at[i-1]+f.at[i])/2))
	}
	a, b := edge(from), edge(to)
	s := f
	s.text, s.raw = f.text[from:to], f.raw[from:to]
	s.quad = f.quad.Slice(a, b)
	s.x0, s.x1 = f.x0+(f.x1-f.x0)*a, f.x0+(f.x1-f.x0)*b
	s.at = make([]float64, to-from)
	for i := range s.at {
		if b > a {
			s.at[i] = (f.at[from+i] - a) / (b - a)
		}
	}
	if f.characters != nil {
		s.characters = f.characters[from:to]
		s.confidence = ocr.Mean(s.characters)
	}
	return s
}

// trim drops spaces and the given signs at both ends.
func (f fragment) trim(signs string) fragment {
	from, to := 0, len(f.text)
	drop := func(r rune) bool { return r == ' ' || strings.ContainsRune(signs, r) }
	for from < to && drop(f.text[from]) {
		from++
	}
	for to > from && drop(f.text[to-1]) {
		to--
	}
	return f.slice(from, to)
}

func (f fragment) String() string { return string(f.text) }

// bare is the text without spaces.
func (f fragment) bare() string { return strings.ReplaceAll(string(f.text), " ", "") }

// page is the text of a sheet in flattened coordinates.
type page struct {
	fragments     []fragment
	width, height float64
	slope         slope
	h             float64 // the median height of a line, pixels
}

// slope is the inclination of printed lines as a linear function of y: a sheet
// seen from one side has lines that fan out.
type slope struct{ a, b float64 }

func (s slope) at(y float64) float64 { return s.a + s.b*y }

// newPage flattens the lines. Lines without text or place are left out.
func newPage(lines []ocr.Line, width, height int) *page {
	p := &page{width: float64(width), height: float64(height)}
	var all []fragment
	for i, line := range lines {
		if i == maxLines {
			break
		}
		if f, ok := newFragment(i, line); ok {
			all = append(all, f)
		}
	}
	p.slope = fitSlope(all)
	var heights []float64
	for _, f := range all {
		parts, ok := f.unstack()
		if !ok {
			parts = []fragment{f}
			heights = append(heights, f.quad.Height())
		}
		for _, part := range parts {
			p.place(&part)
			p.fragments = append(p.fragments, part)
		}
	}
	p.h = median(heights)
	p.dropTwice()
	return p
}

// dropTwice drops characters that were read twice. Crops of a line are padded,
// so the last character of one box is seen, whole or half, in the next one. Of
// two readings at one place the one farther inside its own box stays. Without
// places of characters nothing is dropped.
func (p *page) dropTwice() {
	for range 2 { // half a character and a whole one at most
		for i := range p.fragments {
			for j := range p.fragments {
				if i != j {
					dropBetween(&p.fragments[i], &p.fragments[j])
				}
			}
		}
	}
	p.fragments = slices.DeleteFunc(p.fragments, func(f fragment) bool { return len(f.text) == 0 })
}

// dropBetween drops the last character of a or the first of b when both are
// readings of the same one.
func dropBetween(a, b *fragment) {
	if a.fixed || b.fixed || a.characters == nil || b.characters == nil || len(a.text) == 0 || len(b.text) == 0 {
		return
	}
	em := math.Min(a.h, b.h)
	if b.x0 <= a.x0 || b.x0 > a.x1+readTwice*em || b.x1 < a.x1-0.2*em || !sameRow(*a, *b) {
		return
	}
	last, first := len(a.text)-1, 0
	for last > 0 && a.text[last] == ' ' {
		last--
	}
	for first < len(b.text)-1 && b.text[first] == ' ' {
		first++
	}
	xa, xb := a.x0+(a.x1-a.x0)*a.at[last], b.x0+(b.x1-b.x0)*b.at[first]
	reach := 0.5
	if a.text[last] == b.text[first] || b.at[first] < edgeCenter || a.at[last] > 1-edgeCenter {
		reach = readTwice
	}
	if math.Abs(xa-xb) > reach*math.Max(a.h, b.h)*math.Min(advance(a.raw[last]), advance(b.raw[first])) {
		return
	}
	whole := last == 0 && a.h > 0.8*b.h // a character by itself was found for its own sake
	if a.x1-xa < xb-b.x0 && !whole || last == 0 && !whole {
		*a = a.slice(0, last)
	} else {
		*b = b.slice(first+1, len(b.text))
	}
}

// place puts a fragment on the flattened page.
func (p *page) place(f *fragment) {
	c := f.quad.Center()
	left := ocr.Point{X: (f.quad[0].X + f.quad[3].X) / 2, Y: (f.quad[0].Y + f.quad[3].Y) / 2}
	right := ocr.Point{X: (f.quad[1].X + f.quad[2].X) / 2, Y: (f.quad[1].Y + f.quad[2].Y) / 2}
	s := p.slope.at(c.Y)
	f.y = c.Y - s*(c.X-p.width/2)
	shift := s * (c.Y - p.height/2)
	f.x0, f.x1 = math.Min(left.X, right.X)+shift, math.Max(left.X, right.X)+shift
	f.h = f.quad.Height()
	f.fixed = f.confidence < unreadable || !f.stacked && len(f.text) > 1 && f.quad.Width() > f.h && math.Abs(math.Atan2(right.Y-left.Y, right.X-left.X)-math.Atan(s)) > watermarkSlope
}

// fitSlope fits the inclination of the long lines, twice, the second time
// without the lines that disagree.
func fitSlope(all []fragment) slope {
	type sample struct{ y, s, w float64 }
	var samples []sample
	for _, f := range all {
		dx := f.quad[1].X + f.quad[2].X - f.quad[0].X - f.quad[3].X
		dy := f.quad[1].Y + f.quad[2].Y - f.quad[0].Y - f.quad[3].Y
		if dx > 0 && math.Abs(dy) < dx/2 && f.quad.Width() > slopeAspect*f.quad.Height() {
			samples = append(samples, sample{f.quad.Center().Y, dy / dx, f.quad.Width()})
		}
	}
	if len(samples) < 3 {
		return slope{}
	}
	slopes := make([]float64, len(samples))
	for i, s := range samples {
		slopes[i] = s.s
	}
	fit := slope{a: median(slopes)}
	for range 2 {
		const agreement = 0.03 // about two degrees
		var n, w, wy, ws, wyy, wys float64
		for _, s := range samples {
			if math.Abs(s.s-fit.at(s.y)) > agreement {
				continue
			}
			n++
			w, wy, ws, wyy, wys = w+s.w, wy+s.w*s.y, ws+s.w*s.s, wyy+s.w*s.y*s.y, wys+s.w*s.y*s.s
		}
		det := w*wyy - wy*wy
		if n < 6 || det < 1e-6*w*wyy {
			return fit
		}
		fit = slope{a: (ws*wyy - wy*wys) / det, b: (w*wys - wy*ws) / det}
	}
	return fit
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
