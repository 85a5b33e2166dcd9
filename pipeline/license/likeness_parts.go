package license

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// nameParts is a company name taken apart: division + trade name + industry +
// organization form (企业名称登记管理规定, article 6).
type nameParts struct {
	registered    string   // what distinguishes registered names: width and spacing brought to one
	plain         string   // its letters and digits
	folded        string   // the same in simplified characters and capitals
	rawCore, core []rune   // trade name and industry, as in plain and as in folded
	trade         int      // length of the trade name in the core
	form          string   // forms that were cut off, the last first
	place         division // the lowest in front of the name, and those in brackets
}

// minTradeName is the length of the shortest trade name: 企业名称登记管理规定, article 8.
const minTradeName = 2

func splitName(name string) nameParts {
	p := nameParts{registered: dropSpacing(foldWidth(name))}
	p.plain = onlyLetters(p.registered)
	p.folded = foldVariants(p.plain)
	p.rawCore = []rune(p.registered)[:min(maxNameRunes, utf8.RuneCountInString(p.registered))]
	p.core = []rune(foldVariants(string(p.rawCore)))
	p.cutBrackets()
	p.cutBranch()
	p.cutForms()
	p.cutDivisions()
	if len(p.core) == 0 {
		p.rawCore, p.core = []rune(p.plain), []rune(p.folded)
	}
	p.trade = industryStart(p.core, minTradeName)
	return p
}

func distinguishes(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

func onlyLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if distinguishes(r) {
			return r
		}
		return -1
	}, s)
}

func (p *nameParts) cut(from, to int) {
	p.rawCore, p.core = slices.Delete(p.rawCore, from, to), slices.Delete(p.core, from, to)
}

// cutBrackets drops brackets that hold a division or a form, and of the others and
// of all that is no letter the marks alone.
func (p *nameParts) cutBrackets() {
	for open := 0; open < len(p.core); open++ {
		if p.core[open] != '(' {
			continue
		}
		length := slices.Index(p.core[open:], ')')
		if length < 0 {
			break
		}
		content := p.core[open+1 : open+length]
		form := slices.Contains(bracketForms, string(content))
		place := onlyDivision(content)
		switch {
		case form:
			p.form += string(content)
		case place != nil:
			p.place = append(p.place, place...)
		default:
			continue
		}
		p.cut(open, open+length+1)
		open--
	}
	for i := len(p.core) - 1; i >= 0; i-- {
		if !distinguishes(p.core[i]) {
			p.cut(i, i+1)
		}
	}
}

// The organization forms of likeness. A form of several words is cut off word by
// word, the first that fits, so that all made of them are covered: 集团股份有限公司.
var (
	bracketForms = strings.Fields("有限合伙 普通合伙 特殊普通合伙 个体工商户 个人独资 集团 股份")
	formWords    = strings.Fields(`总公司 公司 有限 责任 股份 集团 企业 普通合伙 合伙 个人独资 农民 专业 合作社 联合社 联社 中心 工作室
		商行 商店 商号 经营部 门市部 营业部 批发部 零售部 专卖店`)
	parentForms = strings.Fields("公司 合作社")
	branchForms = strings.Fields("分公司 分店 分社 分厂 分行 分所 分院 分部 分中心 办事处 代表处 营业部 经营部 门市部")
)

// shopForms end the names of shops and works. Longer words of the kind tell the
// industry as well: 超市, 医院; other characters end trade names: 堂, 阁, 轩.
const shopForms = "厂店部处社行馆所院站铺坊摊"

// cutBranch drops what follows the parent's name: 龙岗分公司.
func (p *nameParts) cutBranch() {
	name := string(p.core)
	for _, branch := range branchForms {
		if !strings.HasSuffix(name, branch) {
			continue
		}
		before := strings.TrimSuffix(name, branch)
		for _, parent := range parentForms {
			if at := strings.LastIndex(before, parent); at >= 0 {
				p.form += branch
				p.cut(utf8.RuneCountInString(name[:at+len(parent)]), len(p.core))
				return
			}
		}
	}
}

// cutForms drops the forms at the end that leave something like a trade name.
func (p *nameParts) cutForms() {
	p.cutFormWords()
	for _, form := range shopForms {
		if p.cutForm(string(form)) {
			p.cutFormWords() // 企业 of 示例青栀企业厂
			return
		}
	}
}

func (p *nameParts) cutFormWords() {
	for slices.ContainsFunc(formWords, p.cutForm) {
	}
}

func (p *nameParts) cutForm(form string) bool {
	rest := len(p.core) - utf8.RuneCountInString(form)
	if rest < minTradeName || string(p.core[rest:]) != form {
		return false
	}
	p.form += form
	p.cut(rest, len(p.core))
	return true
}

// cutDivisions drops the divisions in front, but none that is the trade name
// itself: 长安 of 长安测试科技有限公司.
func (p *nameParts) cutDivisions() {
	above := nation
	for {
		n, division := leadingDivision(p.core, above)
		if n == 0 || industryStart(p.core[n:], 0) < minTradeName {
			break
		}
		p.cut(0, n)
		above = division
	}
	if above[0] != "" {
		p.place = append(p.place, above...)
	}
}

//go:embed data/industries.txt
var industriesTXT string

// industries are words for a trade, and the length of the longest.
var industries = sync.OnceValues(func() (map[string]bool, int) {
	words, longest := make(map[string]bool), 0
	for line := range strings.Lines(industriesTXT) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for word := range strings.FieldsSeq(line) {
			words[word], longest = true, max(longest, utf8.RuneCountInString(word))
		}
	}
	return words, longest
})

// industryStart is where the words of the industry begin that end a core: 4 of
// 示例青栀生物科技. At least keep characters are left before it.
func industryStart(core []rune, keep int) int {
	words, longest := industries()
	for end := len(core); ; {
		start := max(keep, end-longest)
		for start < end && !words[string(core[start:end])] {
			start++
		}
		if start >= end {
			return end
		}
		end = start
	}
}
