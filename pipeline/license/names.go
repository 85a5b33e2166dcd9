package license

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// NameClass says how two company names differ, in order of gravity.
type NameClass string

// The classes of difference. Names of the classes up to NameSpacing are the
// same registered name; a variant, a form and a confusable are for a person to
// decide; NameDifferent is another name.
const (
	NameIdentical        NameClass = "identical"
	NameBracketWidth     NameClass = "bracket_width"     // （） and (), full-width and half-width letters
	NameSpacing          NameClass = "spacing"           // spaces, invisible characters, kinds of middle dot
	NameVariantCharacter NameClass = "variant_character" // traditional or regional form of a character, letter case
	NameOrganizationForm NameClass = "organization_form" // 有限责任公司 and 有限公司: two different registered names
	NameOCRConfusable    NameClass = "ocr_confusable"    // at most two characters, each easily mistaken for the other
	NameDifferent        NameClass = "different"         //
)

// Span is one place where two names differ, in runes: declared[From:To) of each.
// An empty range says that the other name has more there.
type Span struct {
	Declared [2]int `json:"declared"`
	Read     [2]int `json:"read"`
}

// NameDifference is the outcome of a comparison. Spans refer to the names as
// they were given and are empty for identical names.
type NameDifference struct {
	Class NameClass `json:"class"`
	Spans []Span    `json:"spans,omitempty"`
}

// organizationForms end the registered names of organizations: 企业名称登记管理规定
// demands a form there, and shops have one by custom. All of 168 names of the
// evaluation set end in one.
var organizationForms = strings.Fields(`公司 集团 企业 合伙 厂 店 部 中心 社 行 馆 所 院 场 室 队 站 铺 坊 屋 房 园 庄 城 居 苑
	楼 堂 阁 轩 斋 吧 会 户 摊 处 网 台 库 汇 廊 超市 酒家 饭庄 小吃 百货 便利 基地 学校 幼儿园 医院 诊所`)

// Unfinished tells whether a name that was read lacks its organization form, by the
// license's type where that was read: its end was cut off or hidden.
func Unfinished(name, kind string) bool {
	if strings.Contains(kind, "有限") && strings.Contains(kind, "公司") && !strings.Contains(name, "公司") {
		return true
	}
	name = norm.NFKC.String(name)
	if at := strings.LastIndex(name, "("); at > 0 && strings.HasSuffix(name, ")") {
		name = name[:at] // …中心（有限合伙）, …店（个体工商户）
	}
	return !slices.ContainsFunc(organizationForms, func(form string) bool { return strings.HasSuffix(name, form) })
}

const (
	// maxNameRunes bounds the work of a comparison. The longest registered
	// names are below 100 characters.
	maxNameRunes = 256
	// maxConfusedRunes is the edit distance up to which a confusable reading
	// is believed (STANDARDS 5.3).
	maxConfusedRunes = 2
)

// CompareNames tells in which way the name that was read differs from the one
// that was declared. Empty names are different from everything but each other.
func CompareNames(declared, read string) NameDifference {
	if declared == read {
		return NameDifference{Class: NameIdentical}
	}
	a, b := []rune(declared), []rune(read)
	if len(a) > maxNameRunes || len(b) > maxNameRunes || len(a) == 0 || len(b) == 0 {
		return NameDifference{Class: NameDifferent, Spans: []Span{{Declared: [2]int{0, len(a)}, Read: [2]int{0, len(b)}}}}
	}
	spans := differences(a, b)
	key1, key2 := foldWidth(declared), foldWidth(read)
	if key1 == key2 {
		return NameDifference{NameBracketWidth, spans}
	}
	key1, key2 = dropSpacing(key1), dropSpacing(key2)
	if key1 == key2 {
		return NameDifference{NameSpacing, spans}
	}
	key1, key2 = foldVariants(key1), foldVariants(key2)
	if key1 == key2 {
		return NameDifference{NameVariantCharacter, spans}
	}
	if foldForm(key1) == foldForm(key2) {
		return NameDifference{NameOrganizationForm, spans}
	}
	if confusedNames([]rune(key1), []rune(key2)) {
		return NameDifference{NameOCRConfusable, spans}
	}
	return NameDifference{NameDifferent, spans}
}

var brackets = strings.NewReplacer("【", "(", "】", ")", "〔", "(", "〕", ")", "［", "(", "］", ")", "[", "(", "]", ")",
	"{", "(", "}", ")", "〈", "(", "〉", ")", "《", "(", "》", ")", "「", "(", "」", ")")

// foldWidth brings letters, digits and brackets to one width and shape.
func foldWidth(s string) string { return brackets.Replace(norm.NFKC.String(s)) }

// middleDots are the marks printed between the parts of a foreign name.
const middleDots = "·•・‧∙⋅●˙.．"

func dropSpacing(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r):
			return -1
		case strings.ContainsRune(middleDots, r):
			return '·'
		}
		return r
	}, s)
}

//go:embed data/variants.tsv
var variantsTSV string

var variants = sync.OnceValue(func() map[rune]rune {
	m := make(map[rune]rune)
	for line := range strings.Lines(variantsTSV) {
		if from, to, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok && !strings.HasPrefix(from, "#") {
			m[[]rune(from)[0]] = []rune(to)[0]
		}
	}
	return m
})

// foldVariants gives the simplified form of every character and upper case.
func foldVariants(s string) string {
	table := variants()
	return strings.Map(func(r rune) rune {
		if simplified, ok := table[r]; ok {
			return simplified
		}
		return unicode.ToUpper(r)
	}, s)
}

var forms = strings.NewReplacer("有限责任公司", "有限公司", "股份有限公司", "股份公司")

func foldForm(s string) string { return forms.Replace(s) }

// confusedNames says whether the names are at most maxConfusedRunes apart and
// every difference is one that readers make: a look-alike, or a lost bracket.
func confusedNames(a, b []rune) bool {
	edits := align(a, b)
	if len(edits) > maxConfusedRunes {
		return false
	}
	for _, e := range edits {
		switch {
		case e.a < 0:
			if !strings.ContainsRune("()·", b[e.b]) {
				return false
			}
		case e.b < 0:
			if !strings.ContainsRune("()·", a[e.a]) {
				return false
			}
		case !Confusable(a[e.a], b[e.b]):
			return false
		}
	}
	return true
}

// edit is one substitution (both ≥ 0), deletion (b < 0) or insertion (a < 0);
// atA and atB say where.
type edit struct{ a, b, atA, atB int }

// align gives the fewest edits that turn a into b, in order.
func align(a, b []rune) []edit {
	n, m := len(a), len(b)
	cost := make([][]int, n+1)
	for i := range cost {
		cost[i] = make([]int, m+1)
		cost[i][m] = n - i
	}
	for j := range cost[n] {
		cost[n][j] = m - j
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if a[i] == b[j] {
				cost[i][j] = cost[i+1][j+1]
			} else {
				cost[i][j] = 1 + min(cost[i+1][j+1], cost[i+1][j], cost[i][j+1])
			}
		}
	}
	var edits []edit
	for i, j := 0, 0; i < n || j < m; {
		switch {
		case i < n && j < m && a[i] == b[j]:
			i, j = i+1, j+1
		case i < n && j < m && cost[i][j] == 1+cost[i+1][j+1]:
			edits = append(edits, edit{i, j, i, j})
			i, j = i+1, j+1
		case i < n && cost[i][j] == 1+cost[i+1][j]:
			edits = append(edits, edit{i, -1, i, j})
			i++
		default:
			edits = append(edits, edit{-1, j, i, j})
			j++
		}
	}
	return edits
}

// differences are the edits between a and b, neighbors joined.
func differences(a, b []rune) []Span {
	var spans []Span
	for _, e := range align(a, b) {
		s := Span{[2]int{e.atA, e.atA}, [2]int{e.atB, e.atB}}
		if e.a >= 0 {
			s.Declared[1]++
		}
		if e.b >= 0 {
			s.Read[1]++
		}
		if n := len(spans); n > 0 && spans[n-1].Declared[1] == s.Declared[0] && spans[n-1].Read[1] == s.Read[0] {
			spans[n-1].Declared[1], spans[n-1].Read[1] = s.Declared[1], s.Read[1]
			continue
		}
		spans = append(spans, s)
	}
	return spans
}

// confusables are characters that recognisers and people mistake for one
// another. Every character of a group is confusable with every other.
const confusables = `
一- 二三 川三 人入八 干千于 大太犬丈 土士工 工丁王玉主 力刀九 几儿 又叉义 万方 厂广 户尸卢 今令 午牛年 木本术 未末朱宋 天夫无元 己已巳 日曰目 目自白百 田由甲申电
贝见 冶治洽 侯候 晴睛情清请 博搏傅 辨辩瓣 凤风凰 鸟乌马 仓仑 仅汉 习刁 市巿 帅师 圣至 予矛 秦泰奏 奋奇 亨享 侠挟 佰伯 仟什 佳住往 隹佳维准 侍待持特 俊浚峻骏竣 傲激徽徵微薇
沼昭照 汪注住 泊柏伯拍 洁浩 活话 涌勇通 淇琪其基 湛堪 潮湖 淳谆 深琛 源原厚 漫慢曼蔓 滨宾 澳奥粤 澜谰 瀚翰 杨扬汤 桐铜 村材林杉 彬杉 板扳 柯何河阿 栋拣练 桥挢 梅悔海 榕容蓉 植值 横黄 檬蒙
坏环怀 现观 诊珍 珠株 琳淋霖 端瑞 瑶摇遥 璃离 璐路 车东 来采米 束柬 开并井 丰半 羊年 辛幸 吉古 吕昌昊 晶品 易昜 星显昱 昊吴 景影 晨辰 晋普 全金 余佘 舍含合 台合 会公分 众丛从 代伐 传侍 优忧 伟纬 伦沦轮论
体休 作昨 保堡 信倍 修候 倩债情 健建 刚列刘 创仓 到倒 制刺 副福 劲颈 励厉历 劳芳 勤勒 卓阜 华毕 卡卞 发友 叶计 另号 司同 名各 和知 哲誓 唐康庸 商高 嘉喜 围固国 园团圆 圳训 坊纺 城域诚 埔浦 培陪 塑望 增憎 墨黑 壮状 备各
奕变 姜羡美 姚妖 娅哑 娜挪 婷停 学字宇 宁丁 守寸 宏安 宜宣宦 宝室 蒙家 富官 察蔡 封卦 尔东 尚向 岗岚 岛鸟 峰锋蜂 崇祟 嵩高 巧朽 巨臣 布有 帆机 常帝 庆床 序库 店沾 府附 庭廷 廊朗 弘弦 张弛 彩采 彭影 征往 徐除 得碍 志态 忠患 怡恰 恒桓 恩思 惠恵慧 戊戌成 战占 戴载
毛手 才木 批枇 技枝 拓招 振震 捷婕 斯期 旅族 春舂 朋明 服报 机杌 权杈 杭抗 杰木 枫飒 柔桑 柳仰 标杯 格络 桂佳 检捡 棉绵 森林 橡像 武式 民氏 气汽 永水 汇江 沃妖 沈沉枕 沙纱 油抽 泉皇 弘泓 法注 波披坡玻 泥呢 泽译 洋详祥样 洲州 济挤 浙淅折 涛祷 润闰 淮准 添漆 渝榆 港巷 湘相 满瞒
灯打 炜纬 烁砾 烟姻 烨烽 煌惶 熙照 燃然 爱受 牌脾 物勿 玛码 珀拍 理埋 瑾谨 璞噗 甬用 畅肠 盈盆 益盖 盛感 研妍 矿犷 硕顶 碧哲 秀季 科料 程呈 竹行 第弟 管菅 箱霜 篮蓝 糖塘 紫柴 纸低 线钱 组祖 经轻 绿录 网冈 翔翅 老考 耀曜 聚娶 胜性 腾滕 航船 良艮 艺乞 芝之 芯蕊 花化 苏办 若苦 英荚 茂戊 茶荼
荣菜 莱菜 菁青 菱凌棱陵 莎萨 萃翠 蓬莲 蒿藁 衡衍 衰表袁 装袋 裕俗浴 西酉 覃章 言信 誉举 讯迅汛 设没 谊宜 豪毫 贤货贷 质贡贾 贸贺 资责货 赛寨 赫赤 超起 越趋 辉挥 达迖 远运 连迕 进近 迪笛 述速 逸兔 道遒 邦帮 郑邓 配酝 酒洒 釜金 钢纲 钧均 铁轶 铭名 银很 锂理 锐说 锦绵 镇慎 间问闻 阁阎 阳阻 际标 隆窿
雅稚 集焦 露霜 静净 韩朝 顺须 领颂 颖颍 餐祭 饰饬 首苜 香杳 驰弛 鹏朋 鸿鸡 鹤鸽 鹰膺 麒麟 寅黄 鼎贞 龙尤 龚龙 凫凼 廿甘 卅册 囗口 0ODQCU 1ILJT 2Z7 5S 8B3 6G 9G UVY EF PR HNM A4 KX MW PF
`

var confusableGroups = sync.OnceValue(func() map[rune][]string {
	m := make(map[rune][]string)
	for _, group := range strings.Fields(confusables) {
		for _, r := range group {
			m[r] = append(m[r], group)
		}
	}
	return m
})

// Confusable says whether two different characters are easily mistaken for each
// other in print.
func Confusable(a, b rune) bool {
	for _, group := range confusableGroups()[a] {
		if a != b && strings.ContainsRune(group, b) {
			return true
		}
	}
	return false
}

// EntityConsistency names the rules of registration that the parts of one
// license break. uscc is the normalized code, typ the printed type, label the
// printed label of the legal representative; what was not read is empty and
// breaks nothing.
func EntityConsistency(uscc, name, typ, label string) []string {
	name, typ, label = dropSpacing(foldWidth(name)), dropSpacing(foldWidth(typ)), dropSpacing(foldWidth(label))
	individual := strings.HasPrefix(uscc, "92")
	cooperative := strings.HasPrefix(uscc, "93")
	company := strings.HasPrefix(uscc, "91")
	branch := strings.HasSuffix(name, "分公司") || strings.Contains(typ, "分公司") || strings.Contains(typ, "分支机构")
	rules := []struct {
		name   string
		broken bool
	}{
		{"individual_with_company_name", individual && strings.HasSuffix(name, "公司")},
		{"individual_code_with_other_type", individual && typ != "" && !isIndividual(typ)},
		{"individual_type_with_other_code", (company || cooperative) && strings.Contains(typ, "个体工商户")},
		{"individual_without_operator", individual && label != "" && !strings.HasPrefix(label, "经营者")},
		{"cooperative_code_with_other_name", cooperative && name != "" && !strings.Contains(name, "合作") && !strings.Contains(name, "联社")},
		{"cooperative_type_with_other_code", (company || individual) && strings.Contains(typ, "农民专业合作社")},
		{"branch_without_person_in_charge", branch && label != "" && !strings.HasPrefix(label, "负责人")},
		{"company_with_person_in_charge", !branch && strings.HasSuffix(name, "有限公司") && strings.HasPrefix(label, "负责人")},
		{"limited_company_with_other_name", strings.HasPrefix(typ, "有限责任公司") && name != "" && !strings.Contains(name, "公司")},
		{"joint_stock_company_with_other_name", strings.HasPrefix(typ, "股份有限公司") && name != "" && !strings.Contains(name, "股份") && !branch},
		{"company_name_with_partnership_type", strings.Contains(typ, "合伙企业") && strings.HasSuffix(name, "有限公司")},
		{"company_name_with_sole_proprietorship_type", strings.HasPrefix(typ, "个人独资企业") && strings.HasSuffix(name, "公司")},
	}
	var broken []string
	for _, rule := range rules {
		if rule.broken {
			broken = append(broken, rule.name)
		}
	}
	return broken
}

func isIndividual(typ string) bool {
	for _, word := range []string{"个体", "个人经营", "家庭经营"} {
		if strings.Contains(typ, word) {
			return true
		}
	}
	return false
}
