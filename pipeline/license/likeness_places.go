package license

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/heyan/heyan/pipeline/codes"
)

// division is the significant digits of a division's code: 33 of 330000, 3301,
// 330106; several where several divisions or times share the name.
type division []string

// nation is the division above the provinces.
var nation = division{""}

// below are the codes of d that are within above.
func (d division) below(above division) (inner division) {
	for _, code := range d {
		if slices.ContainsFunc(above, func(of string) bool { return code != of && strings.HasPrefix(code, of) }) {
			inner = append(inner, code)
		}
	}
	return inner
}

// overlaps says whether one may be within the other. No division is everywhere.
func (d division) overlaps(other division) bool {
	if len(d) == 0 || len(other) == 0 {
		return true
	}
	return slices.ContainsFunc(d, func(a string) bool {
		return slices.ContainsFunc(other, func(b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) })
	})
}

// divisionNames are the names that divisions have or had, each without those of
// the divisions above it, in folded characters.
type divisionNames struct {
	whole    map[string]division // 杭州市, 西湖区, 双流县
	short    map[string]division // 杭州, 双流: without the word for the kind
	district map[string]division // 西湖, 城区: tell a division behind its city only
}

var divisions = sync.OnceValue(func() divisionNames {
	names := divisionNames{map[string]division{"中国": nation}, map[string]division{}, map[string]division{}}
	names.addWithin("", nil)
	for name, codes := range names.whole {
		short := shortDivision(name)
		for _, code := range slices.Concat(names.short[short], names.district[short]) {
			if slices.ContainsFunc(codes, func(own string) bool { return len(own) == len(code) && own[:2] == code[:2] }) {
				insert(names.whole, name, code) // 萧山区 was 萧山市 under another code
			}
		}
	}
	return names
})

// addWithin adds the divisions below one, of whose names, each from the province
// down, above are those.
func (n divisionNames) addWithin(digits string, above []string) {
	for i := 1; i < 100; i++ {
		code := fmt.Sprintf("%s%02d", digits, i)
		known := codes.DivisionsOf((code + "0000")[:6])
		if len(known) == 0 {
			continue
		}
		within := slices.Clone(above)
		for _, d := range known {
			own := d.Name
			for _, name := range above {
				if rest, ok := strings.CutPrefix(d.Name, name); ok && len(rest) < len(own) {
					own = rest
				}
			}
			n.add(own, code)
			within = append(within, d.Name)
		}
		if len(code) < 6 {
			n.addWithin(code, within)
		}
	}
}

func (n divisionNames) add(name, code string) {
	if strings.Contains(name, "辖") { // 市辖区, 省直辖县级行政单位: group others
		return
	}
	short := shortDivision(name)
	district := strings.HasSuffix(name, "区") && len(code) == 6
	if utf8.RuneCountInString(short) < 2 {
		short = name // 滑县, 城区
	} else {
		insert(n.whole, name, code)
	}
	if district {
		insert(n.district, short, code)
	} else {
		insert(n.short, short, code)
	}
}

func insert(names map[string]division, name, code string) {
	name = foldVariants(name)
	if !slices.Contains(names[name], code) {
		names[name] = append(names[name], code)
	}
}

var (
	divisionKinds = strings.Fields("特别行政区 自治区 自治州 自治县 自治旗 新区 林区 特区 地区 省 市 县 区 旗 盟")
	// peoples are named in what autonomous divisions are called.
	peoples = strings.Fields(`壮族 回族 维吾尔 藏族 苗族 彝族 土家族 蒙古族 蒙古 朝鲜族 满族 侗族 瑶族 白族 哈尼族 哈萨克族 哈萨克 傣族 黎族 傈僳族
		佤族 畲族 拉祜族 水族 东乡族 纳西族 景颇族 柯尔克孜 土族 达斡尔族 仫佬族 羌族 布朗族 撒拉族 毛南族 仡佬族 锡伯 塔吉克 普米族 怒族 保安族
		裕固族 独龙族 鄂伦春 鄂温克族 布依族 各族`)
)

// shortDivision leaves the word for the kind of a division away, and the peoples of
// an autonomous one: 恩施 of 恩施土家族苗族自治州.
func shortDivision(name string) string {
	for _, kind := range divisionKinds {
		short, ok := strings.CutSuffix(name, kind)
		if !ok {
			continue
		}
		for strings.HasPrefix(kind, "自治") {
			at := slices.IndexFunc(peoples, func(people string) bool {
				return len(short) > len(people)+len("内") && strings.HasSuffix(short, people)
			})
			if at < 0 {
				break
			}
			short = strings.TrimSuffix(short, peoples[at])
		}
		return short
	}
	return name
}

// leadingDivision is the longest name of a division that a name begins with behind
// another, and its length.
func leadingDivision(name []rune, above division) (int, division) {
	names := divisions()
	for n := min(maxPlace, len(name)); n >= 2; n-- {
		text := string(name[:n])
		if d, ok := names.whole[text]; ok {
			if inner := d.below(above); inner != nil {
				return n, inner
			}
			return n, d
		}
		inner := names.short[text].below(above)
		if above[0] != "" {
			inner = append(inner, names.district[text].below(above)...)
		}
		if inner != nil {
			return n, inner
		}
	}
	return 0, nil
}

// onlyDivision is the division whose name, or that and those above it, a text is
// and nothing else, as between brackets: 杭州, 浙江杭州.
func onlyDivision(text []rune) division {
	names := divisions()
	if d := slices.Concat(names.whole[string(text)], names.short[string(text)], names.district[string(text)]); d != nil {
		return d
	}
	above := nation
	for len(text) > 0 {
		n, d := leadingDivision(text, above)
		if n == 0 {
			return nil
		}
		text, above = text[n:], d
	}
	return above
}
