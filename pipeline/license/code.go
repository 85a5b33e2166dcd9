package license

import (
	"math"
	"slices"
	"strings"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/report"
)

const (
	usccRunes = 18
	// minCodeRunes and maxCodeRunes bound what is taken for a code beside its
	// label when no window of it is valid: some characters were lost or added.
	minCodeRunes = 15
	maxCodeRunes = 20
	// maskedRunes is the number of * or X from which characters were covered on
	// purpose, in a row of at least minMaskedCode.
	maskedRunes, minMaskedCode = 4, 10
	// sureCharacter is the confidence below which no character of a code that
	// is too short or too long may be: else it was not read.
	sureCharacter = 0.9
	// splitGap is the widest space inside a code read as two boxes, in line
	// heights.
	splitGap = 2
	// numberReach is how far a number stands from its label on overprinted
	// stock, in label heights.
	numberReach = 3
)

// run is a row of letters and digits, as printed on one line.
type run struct {
	text      []rune
	fragments []fragment // one a character
	masked    int        // of the characters are * or X
	labeled   bool
	cost      float64 // distance from the label, label heights
}

// runs splits the fragment into rows of letters and digits. Spaces and the mark
// 副本, which old stock prints into the code line, do not interrupt a row.
func (f fragment) runs() []run {
	var out []run
	var current run
	flush := func() {
		if len(current.text) > 0 {
			out = append(out, current)
		}
		current = run{}
	}
	for i, r := range f.text {
		switch {
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
			fallthrough
		case r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '*':
			if r == '*' || r == 'X' {
				current.masked++
			}
			current.text = append(current.text, r)
			current.fragments = append(current.fragments, f.slice(i, i+1))
		case r == ' ' || r == '副' || r == '本' || r == '.' || r == ',' || r == '·':
		case r == '(' && i+1 < len(f.text) && f.text[i+1] == '副', r == ')' && i > 0 && f.text[i-1] == '本':
		default:
			flush()
		}
	}
	flush()
	return out
}

func (r run) slice(from, to int) run {
	s := r
	s.text, s.fragments = r.text[from:to], r.fragments[from:to]
	return s
}

// spans joins the characters of one line, so that the value has one quad for
// each.
func (r run) spans() []fragment {
	var out []fragment
	for _, c := range r.fragments {
		if n := len(out); n > 0 && out[n-1].line == c.line {
			last := &out[n-1]
			last.text = append(last.text[:len(last.text):len(last.text)], c.text...)
			last.raw = append(last.raw[:len(last.raw):len(last.raw)], c.raw...)
			last.quad[1], last.quad[2] = c.quad[1], c.quad[2]
			last.confidence += (c.confidence - last.confidence) / float64(len(last.text))
			if last.characters != nil {
				last.characters = append(last.characters[:len(last.characters):len(last.characters)], c.characters...)
			}
			last.x1 = c.x1
			continue
		}
		out = append(out, c)
	}
	return out
}

// codeLabels and numberLabels are pieces of the two labels that nothing else
// contains; they are looked for anywhere in a line.
var (
	codeLabels   = []string{"社会信用代码", "信用代码", "社会信用代", "统一社会信用", "一社会信用", "会信用代"}
	numberLabels = []string{"注册号码", "注册号"}
	// otherNumbers precede numbers that look like a registration number.
	otherNumbers = []string{"编号", "证照", "标识", "登记证", "证号", "代码证", "NO", "No", "N°", "电话", "税"}
)

// place finds the first of the words in the fragment, spaces apart, and gives
// the part of the fragment that it covers.
func (f fragment) place(words []string) (label fragment, end int, ok bool) {
	bare := make([]rune, 0, len(f.text))
	index := make([]int, 0, len(f.text))
	for i, r := range f.text {
		if r != ' ' {
			bare, index = append(bare, r), append(index, i)
		}
	}
	text := string(bare)
	for _, word := range words {
		if at := strings.Index(text, word); at >= 0 {
			from := len([]rune(text[:at]))
			to := from + len([]rune(word))
			return f.slice(index[from], index[to-1]+1), index[to-1] + 1, true
		}
	}
	return fragment{}, 0, false
}

// codeLine is what readCode leaves for the description of the document.
type codeLine struct {
	labeled bool // 统一社会信用代码 or 注册号 stands on the face
	masked  bool
}

// readCode reads the USCC and the registration number and says where they are.
func (r *reader) readCode(reading *Reading) (line codeLine) {
	code, codeLabel, masked := r.readUSCC(reading)
	number, numberLabel := r.readRegistrationNumber(reading)
	line.labeled = codeLabel != nil || numberLabel != nil
	line.masked = masked
	for _, found := range []run{code, number} {
		for _, f := range found.spans() {
			reading.CodeRegions = append(reading.CodeRegions, f.quad)
		}
	}
	for _, label := range []*fragment{codeLabel, numberLabel} {
		if label != nil {
			h, w := label.quad.Height(), math.Max(label.quad.Width(), 1)
			reading.CodeRegions = append(reading.CodeRegions,
				stretch(label.quad, 1, 1+14*h/w, -0.4, 1.4),
				stretch(label.quad, -0.1, 1.7, 0.9, 2.9))
		}
	}
	return line
}

// stretch is the part of the plane of q between the fractions left and right of
// its width and top and bottom of its height.
func stretch(q ocr.Quad, left, right, top, bottom float64) ocr.Quad {
	at := func(x, y float64) ocr.Point {
		return ocr.Point{
			X: q[0].X + x*(q[1].X-q[0].X) + y*(q[3].X-q[0].X),
			Y: q[0].Y + x*(q[1].Y-q[0].Y) + y*(q[3].Y-q[0].Y),
		}
	}
	return ocr.Quad{at(left, top), at(right, top), at(right, bottom), at(left, bottom)}
}

// labelOf finds the label of a number: as a hit, letter-spaced or misread, or
// inside any line.
func (r *reader) labelOf(field report.FieldName, words []string) (label *fragment, index, end int) {
	for i, f := range r.fragments {
		if place, end, ok := f.place(words); ok {
			return &place, i, end
		}
	}
	for _, h := range r.hits {
		if h.label.field == field {
			last := h.parts[len(h.parts)-1]
			return &h.box, last.fragment, last.to
		}
	}
	return nil, -1, 0
}

// rowsOfCharacters gives the runs of every fragment, those that go on in the
// next box joined as well, each with its distance from the label.
func (r *reader) rowsOfCharacters(label *fragment, index, end int) []run {
	var out []run
	all := make([][]run, len(r.fragments))
	for i, f := range r.fragments {
		from := 0
		if i == index {
			from = end
		}
		all[i] = f.slice(from, len(f.text)).runs()
	}
	for i, f := range r.fragments {
		own := all[i]
		for k, u := range own {
			u.near(label, i == index)
			out = append(out, u)
			if k < len(own)-1 || len(u.text) > maxCodeRunes {
				continue
			}
			for j, g := range r.fragments {
				if j == i || j == index || len(all[j]) == 0 || len(all[j][0].text) > maxCodeRunes || !sameRow(f, g) || g.x0 < f.x1-labelOverlap*f.h || g.x0-f.x1 > splitGap*f.h {
					continue
				}
				if next := all[j][0]; isCodeStart(g, next) {
					joined := run{masked: u.masked + next.masked}
					joined.text = slices.Concat(u.text, next.text)
					joined.fragments = slices.Concat(u.fragments, next.fragments)
					joined.near(label, i == index)
					out = append(out, joined)
				}
			}
		}
	}
	return out
}

// isCodeStart says that the run begins the fragment.
func isCodeStart(f fragment, r run) bool {
	return len(f.text) > 0 && len(r.text) > 0 && foldUpper(f.text[0]) == r.text[0]
}

func foldUpper(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - ('a' - 'A')
	}
	return r
}

// near measures the run against the label: right of it, or under it.
func (r *run) near(label *fragment, same bool) {
	if label == nil || len(r.fragments) == 0 {
		return
	}
	if same {
		r.labeled = true
		return
	}
	first, last := r.fragments[0], r.fragments[len(r.fragments)-1]
	h := label.h
	dy := (first.y - label.y) / h
	right := first.x0 > label.x1-labelOverlap*h
	under := dy > 0.5 && first.x0 < label.x1 && last.x1 > label.x0
	gap := math.Max(0, (first.x0-label.x1)/h)
	if right && math.Abs(dy) < numberReach && gap < 3*numberReach || under && dy < numberReach {
		r.labeled = true
		r.cost = math.Abs(dy) + 0.1*gap
	}
}

// readUSCC picks the window of 18 characters that is most likely the code:
// valid by both checks before all, then beside its label. A confident reading
// that is not valid stays as it is. masked says that what stands beside the
// label was covered on purpose.
func (r *reader) readUSCC(reading *Reading) (best run, label *fragment, masked bool) {
	label, index, end := r.labelOf(report.FieldUSCC, codeLabels)
	var text string
	score := math.Inf(-1)
	for _, u := range r.rowsOfCharacters(label, index, end) {
		if u.masked >= maskedRunes {
			masked = masked || u.labeled && len(u.text) >= minMaskedCode
			continue
		}
		if len(u.text) < minCodeRunes {
			continue
		}
		consider := func(w run, s float64) {
			code := codes.FoldUSCC(string(w.text))
			if codes.IsUSCC(code) {
				s += 20
			}
			if strings.HasPrefix(code, "91") || strings.HasPrefix(code, "92") || strings.HasPrefix(code, "93") {
				s += 3
			} else if !codes.IsUSCC(code) && !w.labeled {
				return
			}
			if w.labeled {
				s += 5 - w.cost
			}
			s += ocrConfidence(w)
			if s > score {
				score, best, text = s, w, code
			}
		}
		for from := 0; from+usccRunes <= len(u.text); from++ {
			s := -0.5 * float64(from)
			if len(u.text) == usccRunes {
				s += 2
			} else if !u.labeled && !codes.IsUSCC(codes.FoldUSCC(string(u.text[from:from+usccRunes]))) {
				continue
			}
			if len(u.text) <= 2*maxCodeRunes {
				consider(u.slice(from, from+usccRunes), s)
			}
		}
		if len(u.text) < usccRunes && u.labeled && u.sure() && digits(u.text) >= len(u.text)/2 {
			consider(u, -4*float64(usccRunes-len(u.text)))
		}
	}
	if text != "" {
		r.keep(reading, report.FieldUSCC, "统一社会信用代码", text, best)
	}
	return best, label, masked
}

// readRegistrationNumber picks the 15 or 13 digits beside the label 注册号.
// Without a label only a number with a right check digit counts, and only when
// no code was read.
func (r *reader) readRegistrationNumber(reading *Reading) (run, *fragment) {
	label, index, end := r.labelOf(report.FieldRegistrationNumber, numberLabels)
	var best run
	var text string
	score := math.Inf(-1)
	_, coded := reading.Fields[report.FieldUSCC]
	for _, u := range r.rowsOfCharacters(label, index, end) {
		owner := r.ownerOf(u)
		if owner != index && owner >= 0 {
			if _, _, ok := r.fragments[owner].place(otherNumbers); ok {
				continue
			}
		}
		if len(u.text) > 17 || digits(u.text) < len(u.text)-2 {
			continue
		}
		number := []rune(asDigits(u.text))
		for _, length := range []int{15, 13} {
			if length == 13 && len(number) >= 15 {
				continue
			}
			for from := 0; from+length <= len(number); from++ {
				w := u.slice(from, from+length)
				n := string(number[from : from+length])
				s := ocrConfidence(w) - 0.5*float64(from) - 0.3*float64(len(number)-length)
				valid := length == 15 && codes.CheckRegistrationNumber(n).Verdict == codes.VerdictValid
				if valid {
					s += 5
				}
				if u.labeled {
					s += 5 - u.cost
				} else if !valid || coded || len(number) != 15 || w.fragments[0].y > r.height/2 {
					continue
				}
				if length < len(number) && !valid {
					if !u.sure() {
						continue
					}
					w, n = u, string(number) // one digit too many, which one is not known
				}
				if s > score {
					score, best, text = s, w, n
				}
			}
		}
	}
	if text != "" && !(coded && label == nil) {
		r.keep(reading, report.FieldRegistrationNumber, "注册号", text, best)
	}
	return best, label
}

// ownerOf is the index of the fragment that holds the run's first character.
func (r *reader) ownerOf(u run) int {
	for i, f := range r.fragments {
		if f.line == u.fragments[0].line {
			return i
		}
	}
	return -1
}

func (r *reader) keep(reading *Reading, field report.FieldName, label, text string, u run) {
	spans := u.spans()
	raw := join(spans)
	reading.Fields[field] = newValue(text, raw, label, nil, spans)
	for i, f := range r.fragments {
		for _, s := range spans {
			if f.line == s.line {
				r.taken[i] = true
			}
		}
	}
}

func ocrConfidence(u run) float64 {
	sum := 0.0
	for _, f := range u.fragments {
		sum += f.confidence
	}
	return sum / float64(max(1, len(u.fragments)))
}

// sure says whether every character was read with confidence.
func (r run) sure() bool {
	for _, f := range r.fragments {
		if f.confidence < sureCharacter {
			return false
		}
	}
	return true
}

func digits(s []rune) int {
	n := 0
	for _, r := range s {
		if r >= '0' && r <= '9' {
			n++
		}
	}
	return n
}

// asDigits folds letters to the digits they look like.
func asDigits(s []rune) string {
	return strings.NewReplacer("O", "0", "D", "0", "Q", "0", "I", "1", "L", "1", "Z", "2", "S", "5", "G", "6", "B", "8").Replace(string(s))
}
