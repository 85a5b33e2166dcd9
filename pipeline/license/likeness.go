package license

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Likeness says how the name of one organization can be mistaken for another's.
type Likeness string

// The classes of likeness, in order of gravity.
const (
	LikenessSame      Likeness = "same"      // the same registered name: NameIdentical to NameSpacing
	LikenessWidth     Likeness = "width"     // the same letters with other brackets or marks
	LikenessVariant   Likeness = "variant"   // traditional, regional or variant characters, letter case
	LikenessLookalike Likeness = "lookalike" // 己已巳, 未末, 土士; Cyrillic and Greek letters; O and 0
	LikenessDivision  Likeness = "division"  // an administrative division inserted, dropped, moved, or one within the other
	LikenessForm      Likeness = "form"      // an organization form inserted, dropped or exchanged; a branch and its parent
	LikenessPinyin    Likeness = "pinyin"    // the trade name (字号) sounds the same, tones aside, and the industry is the same
	LikenessNone      Likeness = ""
)

// NameLikeness is the gravest class that applies. Divisions and organization
// forms are looked past in the classes variant, lookalike and pinyin as well: who
// changes a character and the form made a look-alike. Divisions that exclude each
// other are not looked past: each place may have a company of one trade name and
// industry (企业名称登记管理规定, article 17). A name without a letter or digit (***)
// is like none. Symmetric.
func NameLikeness(a, b string) Likeness {
	p, q := splitName(a), splitName(b)
	near := p.place.overlaps(q.place)
	sameCore := near && string(p.core) == string(q.core)
	switch {
	case p.plain == "" || q.plain == "":
		return LikenessNone
	case p.registered == q.registered:
		return LikenessSame
	case p.plain == q.plain:
		return LikenessWidth
	case p.folded == q.folded, sameCore && string(p.rawCore) != string(q.rawCore):
		return LikenessVariant
	case confused(p, q, p.folded, q.folded), near && !sameCore && confused(p, q, string(p.core), string(q.core)):
		return LikenessLookalike
	case sameCore && p.form == q.form:
		return LikenessDivision
	case sameCore:
		return LikenessForm
	case near && slices.ContainsFunc(p.sounds(), func(s string) bool { return slices.Contains(q.sounds(), s) }):
		return LikenessPinyin
	}
	return LikenessNone
}

// confused says whether folded names, or their cores, are the same to the eye but
// for at most half of the trade name and maxConfusedRunes, each character easily
// mistaken for the other.
func confused(p, q nameParts, a, b string) bool {
	x, y := []rune(oneScript(a)), []rune(oneScript(b))
	if len(x) != len(y) {
		return false
	}
	most := min(maxConfusedRunes, p.trade/2, q.trade/2)
	for i := range x {
		if x[i] == y[i] {
			continue
		}
		if most--; most < 0 || !Confusable(x[i], y[i]) {
			return false
		}
	}
	return true
}

// homoglyphs are capital letters, kana and numerals that print as the first of
// their group. The confusable characters of one script are in names.go.
const homoglyphs = `AАΑ BВΒ CСϹ EЕΕ GԌ HНΗ IІΙӀ JЈ KКΚ MМΜ NΝ OОΟ PРΡ QԚ SЅ TТΤ VѴ WԜ XХΧ YУΥҮ ZΖ
	0〇 3З 4Ч 一ーㄧ 二ニ 三ミ 工エ 口ロ 力カ 夕タ 卜トㄏ 八ハ 才オ 千チ 丫ㄚ 丶ヽ 人ㄖ`

var homoglyph = sync.OnceValue(func() map[rune]rune {
	first := make(map[rune]rune)
	for group := range strings.FieldsSeq(homoglyphs) {
		printed, others := []rune(group)[0], []rune(group)[1:]
		for _, r := range others {
			first[r] = printed
		}
	}
	return first
})

// oneScript writes homoglyphs as the character they look like, and no accents.
func oneScript(folded string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		if printed, ok := homoglyph()[r]; ok {
			return printed
		}
		return r
	}, norm.NFD.String(folded))
}
