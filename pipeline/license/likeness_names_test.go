package license

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"
)

// nameMaker invents company names: real divisions, trade names put together at
// random, industries and forms in about the shares they have in registers. Trade
// names are drawn with the weight 1/(rank+10), so that names such as 鑫源 are many.
type nameMaker struct {
	rng                         *rand.Rand
	provinces, cities, counties []string          // whole names
	nameOf                      map[string]string // province by its two digits
	tradeRunes                  []rune
	cumulative                  []float64
	industries                  []string
	variantsOf                  map[rune][]rune
	soundingAs                  map[string][]rune
	syllablesOf                 map[rune][]string
}

// The vocabulary. tradeWords are characters of trade names, the frequent ones
// first; otherTrades are industries of which industries.txt has a part or nothing.
const (
	tradeWords = `鑫华盛源达宏博天恒瑞金嘉润海德泰诚信兴隆安丰康佳美亿龙丽新伟辉旺顺永福云祥中凯利和大通文创聚腾泽美欣正亚东明荣万众联卓宇晨立方星光悦力飞世纪建成锦优品尚
		雅乐易邦富豪家园汇鸿发展城国远昌百全同合一三七九长青春林山江河水木火土石玉珠宝铭铂钰铄炜烨焱煜熠昊昕旭晟晖景曦朗皓睿智慧哲思学知语言诗书画艺墨兰竹菊梅荷莲桂桃李杏枫松柏杨柳榕桐梓楠樱
		麦禾稻谷米果茶酒香甜味食坊居庭院堂阁轩斋楼台亭苑舍庄村乡野原田农牧渔川溪湖泊洋波涛浪潮汐沙滩岛屿港湾船帆航翼翔鹏鹰鹤凤凰麒麟虎狮豹马牛羊鹿象熊猫鱼燕雁雪冰霜露雨雷电风虹霞彩红橙黄绿蓝紫白黑银铜铁钢
		行重朝曾单调度藏参差传都佛冠广间降角解觉卡会落率没能宁铺强曲任赛石数宿提王夕系相校兴应与著转仲朱左`
	otherTrades = `烘干设备 称重机械 喷涂设备 雨伞 鞋垫 蜂蜜 牛肉面 拉面 酸菜鱼 麻辣烫 米线 螺蛳粉 麻将机 婴童用品 母婴用品 汽车脚垫 钓具 假发 蜂业 菌业 蚕业 竹炭 电动工具 电热毯 充电桩 无人机 机器人 区块链 直播 剧本 密室逃脱
		自习室 托育 早教 月子护理 轻食 卤菜 水磨石 木塑 钢格板 彩钢板 脚手架 爬架 幕墙 膜结构 塔吊 混凝土外加剂`
)

func newNameMaker(rng *rand.Rand) *nameMaker {
	m := &nameMaker{rng: rng, variantsOf: map[rune][]rune{}, soundingAs: map[string][]rune{}, nameOf: map[string]string{}, syllablesOf: readings()}
	for name, d := range divisions().whole {
		switch {
		case name == "中国":
		case len(d[0]) == 2:
			m.provinces = append(m.provinces, name)
			m.nameOf[d[0]] = name
		case len(d[0]) == 4:
			m.cities = append(m.cities, name)
		default:
			m.counties = append(m.counties, name)
		}
	}
	for _, list := range [][]string{m.provinces, m.cities, m.counties} {
		slices.Sort(list)
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	m.tradeRunes = []rune(strings.Join(strings.Fields(tradeWords), ""))
	sum := 0.0
	for rank := range m.tradeRunes {
		sum += 1 / float64(rank+10)
		m.cumulative = append(m.cumulative, sum)
	}
	words, _ := industries()
	m.industries = slices.Sorted(maps.Keys(words))
	table := variants()
	for _, from := range slices.Sorted(maps.Keys(table)) {
		m.variantsOf[table[from]] = append(m.variantsOf[table[from]], from)
	}
	for _, r := range slices.Sorted(maps.Keys(m.syllablesOf)) {
		if r >= '一' && r <= '龥' {
			for _, s := range m.syllablesOf[r] {
				m.soundingAs[s] = append(m.soundingAs[s], r)
			}
		}
	}
	return m
}

func oneOf[T any](m *nameMaker, from ...T) T { return from[m.rng.IntN(len(from))] }

// skewed is one of a list, the first ones more often.
func skewed(m *nameMaker, from []string) string {
	return from[int(float64(len(from))*m.rng.Float64()*m.rng.Float64())]
}

// madeName is a name in its parts.
type madeName struct{ division, trade, industry, form string }

func (n madeName) String() string { return n.division + n.trade + n.industry + n.form }

func (m *nameMaker) name() madeName {
	n := madeName{division: m.division(), trade: m.trade(), industry: m.industry()}
	n.form = oneOf(m, "有限公司", "有限公司", "有限公司", "有限公司", "有限公司", "有限公司", "有限责任公司", "股份有限公司", "集团有限公司", "合伙企业（有限合伙）")
	if m.rng.IntN(3) == 0 { // individuals
		n.division = skewed(m, m.counties)
		n.industry = oneOf(m, "食品", "百货", "餐饮", "五金", "建材", "服装", "美容", "小吃", "水果", "汽车维修", "家具", "日用品", "烟酒", "早餐", "茶叶", "手机", "牛肉面", "", "化妆品", "超市")
		n.form = oneOf(m, "店", "商行", "经营部", "厂", "馆", "部", "中心", "工作室")
	}
	return n
}

func (m *nameMaker) division() string {
	switch m.rng.IntN(10) {
	case 0:
		return ""
	case 1, 2:
		return shortDivision(skewed(m, m.provinces))
	case 3:
		return skewed(m, m.cities)
	case 4:
		return skewed(m, m.counties)
	}
	return shortDivision(skewed(m, m.cities))
}

func (m *nameMaker) trade() string {
	trade := make([]rune, 2+oneOf(m, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2))
	for i := range trade {
		at, _ := slices.BinarySearchFunc(m.cumulative, m.rng.Float64()*m.cumulative[len(m.cumulative)-1], cmp.Compare[float64])
		trade[i] = m.tradeRunes[at]
	}
	return string(trade)
}

func (m *nameMaker) industry() string {
	switch m.rng.IntN(10) {
	case 0, 1:
		return oneOf(m, "科技", "信息科技", "网络科技", "生物科技", "智能科技")
	case 2:
		return oneOf(m, "商贸", "贸易", "实业", "文化传媒", "电子商务", "建筑工程", "供应链管理", "企业管理咨询")
	case 3, 4, 5:
		return oneOf(m, m.industries...) + oneOf(m, m.industries...)
	case 6:
		return oneOf(m, strings.Fields(otherTrades)...)
	}
	return oneOf(m, m.industries...)
}

// copies of a name, one for each class of likeness; false where the name has
// nothing that could be changed so.
func (m *nameMaker) copyOf(n madeName, class Likeness) (string, bool) {
	original := n.String()
	switch class {
	case LikenessSame:
		return oneOf(m, " "+original, strings.NewReplacer("（", "(", "）", ")").Replace(original), n.division+n.trade+"　"+n.industry+n.form), true
	case LikenessWidth:
		return oneOf(m, n.division+"·"+n.trade+n.industry+n.form, n.division+n.trade+"-"+n.industry+n.form, n.division+"“"+n.trade+"”"+n.industry+n.form), true
	case LikenessVariant:
		return m.replaced(original, 3, func(r rune) []rune { return m.variantsOf[r] })
	case LikenessLookalike:
		return m.replaced(original, 1, func(r rune) (like []rune) {
			for _, group := range confusableGroups()[r] {
				like = append(like, slices.DeleteFunc([]rune(group), func(other rune) bool { return other == r })...)
			}
			return like
		})
	case LikenessDivision:
		rest := n.trade + n.industry + n.form
		if n.division == "" {
			return m.division() + rest, true
		}
		places := divisions()
		place := slices.Concat(places.whole[n.division], places.short[n.division])[0]
		province := m.nameOf[place[:2]]
		short := shortDivision(n.division)
		if utf8.RuneCountInString(short) < 2 {
			short = n.division // 滑县
		}
		copies := []string{rest, "中国" + rest, n.trade + "（" + short + "）" + n.industry + n.form, n.trade + n.industry + "（" + short + "）" + n.form}
		if len(place) > 2 {
			copies = append(copies, province+n.division+rest, shortDivision(province)+rest, n.trade+n.industry+"（"+province+"）"+n.form)
		}
		return oneOf(m, copies...), true
	case LikenessForm:
		form := oneOf(m, "有限公司", "有限责任公司", "股份有限公司", "集团有限公司", "（集团）有限公司", "集团", "企业", "厂", "店", "中心", "")
		return n.division + n.trade + n.industry + form, form != n.form
	default:
		trade, ok := m.replaced(n.trade, 4, func(r rune) (same []rune) {
			for _, s := range m.syllablesOf[r] {
				same = append(same, m.soundingAs[s]...)
			}
			return same
		})
		return n.division + trade + n.industry + n.form, ok
	}
}

// replaced writes others for up to most of the characters that have any.
func (m *nameMaker) replaced(name string, most int, others func(rune) []rune) (string, bool) {
	text := []rune(name)
	for _, i := range m.rng.Perm(len(text)) {
		if other := others(text[i]); len(other) > 0 && most > 0 {
			text[i] = oneOf(m, other...)
			most--
		}
	}
	return string(text), string(text) != name
}
