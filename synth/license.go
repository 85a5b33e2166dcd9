// Package synth makes test pictures: invented licenses printed on a face, laid
// on a background, and shot by a camera whose defects are known. It knows what
// a license looks like and what a camera does to it. It must not know how a
// picture is read or judged: what it writes beside a picture is what it drew.
//
// WriteSamples makes the demonstration, Write a set for calibration and load.
// Both write a Picture a line into truth.jsonl, read back by ReadTruth, and the
// columns of every truth table into truth.tsv. Places are in px after EXIF
// turning; strengths have the unit that their DefectKind names.
//
// Nothing it prints is real. Codes carry an organization body from the
// private-use zone PDY00001 to PDY99999 of GB 11714, places and people are
// invented, the ornament is no emblem, and every picture says that it is a
// test picture.
package synth

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// Entity is the kind of organization a license is for.
type Entity string

// The entities, each with its own printed labels.
const (
	Company            Entity = "company"
	Branch             Entity = "branch"
	Partnership        Entity = "partnership"
	SoleProprietorship Entity = "sole_proprietorship"
	Individual         Entity = "individual"
	Cooperative        Entity = "cooperative"
	JointStock         Entity = "joint_stock"
	StateOwned         Entity = "state_owned" // a legal person that is no company
	CooperativeBranch  Entity = "cooperative_branch"
)

// Entities lists all of them.
var Entities = []Entity{Company, Branch, Partnership, SoleProprietorship, Individual, Cooperative, JointStock, StateOwned, CooperativeBranch}

// Editions lists those that can be printed.
var Editions = []report.Edition{report.Edition2019Landscape, report.Edition2014Portrait, report.EditionPre2014, report.EditionElectronic}

// License is what is printed on the face. Dates and the term are as printed
// (2019年03月01日); a field that its edition or entity does not print is empty.
type License struct {
	Edition    report.Edition `json:"edition"`
	Copy       report.Copy    `json:"copy"`
	CopyNumber string         `json:"copy_number,omitempty"` // 1-1, duplicates only
	Entity     Entity         `json:"entity"`
	USCC       string         `json:"uscc,omitempty"`
	// RegistrationNumber of 15 digits is printed where there is no USCC yet.
	RegistrationNumber string    `json:"registration_number,omitempty"`
	Name               string    `json:"name"`
	Type               string    `json:"type"`
	Person             string    `json:"person"` // legal representative, person in charge, operator, …
	Capital            string    `json:"capital,omitempty"`
	PaidIn             string    `json:"paid_in,omitempty"` // before 2014
	Formation          string    `json:"formation,omitempty"`
	Established        string    `json:"established"`
	Term               string    `json:"term,omitempty"`
	Address            string    `json:"address"`
	Scope              string    `json:"scope"`
	Authority          string    `json:"authority"` // on the seal
	Issued             time.Time `json:"issued"`
	QR                 string    `json:"qr"`
	Sans               bool      `json:"sans,omitempty"` // values in a sans typeface in place of Song
	Bold               bool      `json:"bold,omitempty"` // values in bold Song
}

// item is one printed row.
type item struct {
	label string
	field report.FieldName
	value string
}

// wording is what the law calls things on one entity's license.
type wording struct {
	category                                           byte // second character of the code
	types                                              []string
	person, capital, established, term, address, scope string // labels; empty: not printed
	formation                                          bool
}

var wordings = map[Entity]wording{
	Company: {'1', []string{"有限责任公司(自然人投资或控股)", "有限责任公司(自然人独资)", "其他有限责任公司", "有限责任公司(法人独资)"},
		"法定代表人", "注册资本", "成立日期", "营业期限", "住所", "经营范围", false},
	Branch: {'1', []string{"有限责任公司分公司(自然人投资或控股)", "其他有限责任公司分公司"},
		"负责人", "", "成立日期", "营业期限", "营业场所", "经营范围", false},
	Partnership: {'1', []string{"有限合伙企业", "普通合伙企业"},
		"执行事务合伙人", "出资额", "成立日期", "合伙期限", "主要经营场所", "经营范围", false},
	SoleProprietorship: {'1', []string{"个人独资企业"},
		"投资人", "", "成立日期", "", "住所", "经营范围", false},
	Individual: {'2', []string{"个体工商户"},
		"经营者", "", "注册日期", "", "经营场所", "经营范围", true},
	Cooperative: {'3', []string{"农民专业合作社"},
		"法定代表人", "成员出资总额", "成立日期", "", "住所", "业务范围", false},
	JointStock: {'1', []string{"股份有限公司(非上市、自然人投资或控股)", "股份有限公司(非上市、国有控股)"},
		"法定代表人", "注册资本", "成立日期", "营业期限", "住所", "经营范围", false},
	StateOwned: {'1', []string{"全民所有制", "集体所有制"},
		"法定代表人", "注册资金", "成立日期", "经营期限", "住所", "经营范围", false},
	CooperativeBranch: {'3', []string{"农民专业合作社分支机构"},
		"负责人", "", "成立日期", "", "经营场所", "业务范围", false},
}

// Code is the number that names the organization, and the field it is.
func (l License) Code() (report.FieldName, string) {
	if l.RegistrationNumber != "" {
		return report.FieldRegistrationNumber, l.RegistrationNumber
	}
	return report.FieldUSCC, l.USCC
}

// columns gives the printed rows: the left and right column of the landscape
// form, or one column and nothing.
func (l License) columns() (left, right []item) {
	w := wordings[l.Entity]
	name := item{"名称", report.FieldCompanyName, l.Name}
	kind := item{"类型", report.FieldType, l.Type}
	person := item{w.person, report.FieldLegalRepresentative, l.Person}
	capital := item{w.capital, report.FieldRegisteredCapital, l.Capital}
	formation := item{"组成形式", report.FieldFormation, l.Formation}
	established := item{w.established, report.FieldEstablished, l.Established}
	term := item{w.term, report.FieldTerm, l.Term}
	address := item{w.address, report.FieldAddress, l.Address}
	scope := item{w.scope, report.FieldScope, l.Scope}
	if l.Edition == report.EditionPre2014 {
		person.label += "姓名"
		paidIn := item{"实收资本", report.FieldPaidInCapital, l.PaidIn}
		switch l.Entity {
		case Company, JointStock:
			kind.label = "公司类型"
		case StateOwned:
			kind.label = "经济性质"
		case Individual:
			name.label = "字号名称"
		}
		return printed(name, address, person, formation, capital, paidIn, kind, scope, established, term), nil
	}
	if l.Edition == report.Edition2014Portrait {
		return printed(name, kind, address, person, formation, capital, established, term, scope), nil
	}
	return printed(name, kind, person, scope), printed(formation, capital, established, term, address)
}

// printed drops the rows this license does not have.
func printed(items ...item) []item {
	var out []item
	for _, it := range items {
		if it.label != "" && it.value != "" {
			out = append(out, it)
		}
	}
	return out
}

// The vocabulary. Cities, roads and trade names do not exist together anywhere:
// every company name carries 示例 or 测试, every place a 测试区 or 示例县.
var (
	cities   = []string{"海岚", "临澜", "云岫", "清渚", "望渊", "松溟", "霁川", "南漪"}
	counties = []string{"测试区", "示例区", "示例县", "测试高新区"}
	roads    = []string{"青栀路", "鹿鸣东路", "望舒大街", "云帆中路", "听松巷", "锦鲤街", "半夏路", "星槎大道"}
	parks    = []string{"", "", "示例科技园", "测试产业园", "示例商务中心", "测试广场"}
	marks    = []string{"示例", "测试"}
	trade    = []rune("禾景澜沐岚川霖屿宸曦桉霁槿渝芃昱珩朔")
	lines    = []string{"信息技术", "机械设备", "环保科技", "食品贸易", "文化传媒", "建筑工程", "供应链管理", "电子商务", "医疗器械", "纺织品"}
	shops    = []string{"小吃店", "便利店", "水果店", "五金商行", "理发店", "花店", "打印社"}
	crops    = []string{"果蔬", "水稻", "茶叶", "玉米", "药材"}
	surnames = []rune("林周陈苏何沈许江顾程陆叶")
	given    = []rune("试例测拟")
	given2   = []rune("远清禾原川宁舟安知行")

	generalScopes  = []string{"技术服务、技术开发、技术咨询、技术交流、技术转让、技术推广", "信息咨询服务（不含许可类信息咨询服务）", "办公用品销售", "日用百货销售", "机械设备租赁", "电子产品销售", "普通货物仓储服务（不含危险化学品等需许可审批的项目）", "广告设计、代理", "会议及展览服务", "国内贸易代理", "五金产品零售", "包装材料及制品销售", "互联网销售（除销售需要许可的商品）", "企业管理咨询", "货物进出口"}
	licensedScopes = []string{"食品销售", "道路货物运输（不含危险货物）", "建设工程施工", "餐饮服务", "第二类增值电信业务"}
	// Divisions of GB/T 2260; which one makes no difference, since the body of the code is nobody's.
	divisions = []string{"110108", "310115", "330106", "370202", "440305", "510107", "420106", "610113"}
)

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// Random invents a license. Its code is valid, its dates are in order, its term
// has not run out.
func Random(rng *rand.Rand, edition report.Edition, entity Entity) License {
	w := wordings[entity]
	city, county := pick(rng, cities), pick(rng, counties)
	l := License{Edition: edition, Copy: report.CopyDuplicate, CopyNumber: "1-1", Entity: entity, Type: pick(rng, w.types)}
	if rng.IntN(4) == 0 {
		l.Copy, l.CopyNumber = report.CopyOriginal, ""
	}
	l.USCC = RandomUSCC(rng, w.category)
	l.Name = randomName(rng, entity, city, county)
	l.Person = string([]rune{pick(rng, surnames), pick(rng, given), pick(rng, given2)})
	if entity == Individual {
		l.Formation = pick(rng, []string{"个人经营", "家庭经营"})
	}
	if w.capital != "" {
		l.Capital = capital(10*(1+rng.IntN(99))*pick(rng, []int{1, 1, 10})) + pick(rng, []string{"元整", "圆整", "元人民币"})
	}
	l.Address = fmt.Sprintf("%s市%s%s%d号%s", city, county, pick(rng, roads), 1+rng.IntN(300), pick(rng, parks))
	if rng.IntN(2) == 0 {
		l.Address += fmt.Sprintf("%d幢%d室", 1+rng.IntN(12), 101+rng.IntN(1800))
	}

	// 一照一码 began 2015-10 (individuals 2016-12) and its portrait stock was
	// used up by 2019-03, when the landscape form began.
	first, last := day(2019, 3, 1), day(2025, 6, 30)
	l.Authority = city + "市" + county + "市场监督管理局"
	l.QR = "http://www.gsxt.gov.cn/index.html?uniscid=" + l.USCC
	if edition == report.Edition2014Portrait {
		first, last = day(2016, 12, 1), day(2018, 10, 31)
		l.Authority = city + "市" + county + "工商行政管理局"
		l.QR = fmt.Sprintf("http://gsxt.example.com/notice/query?uuid=%016x%016x", rng.Uint64(), rng.Uint64())
	}
	start := day(2011, 1, 1)
	if edition == report.EditionPre2014 {
		start, first, last = day(2001, 1, 1), day(2008, 1, 1), day(2014, 2, 28)
		l.Authority = city + "市" + county + "工商行政管理局"
		l.USCC, l.QR, l.RegistrationNumber = "", "", randomRegistration(rng)
		if entity == Company || entity == JointStock {
			l.PaidIn = l.Capital
		}
	}
	l.Issued = between(rng, first, last)
	established := between(rng, start, l.Issued)
	if entity == Partnership && l.Issued.Before(day(2022, 3, 1)) {
		l.Capital = "" // printed since 2022
	}
	l.Established = printDate(established)
	// The term is no longer printed from 2022-09-01.
	if w.term != "" && l.Issued.Before(day(2022, 9, 1)) {
		l.Term = l.Established + "至" + pick(rng, []string{"长期", printDate(established.AddDate(30, 0, -1))})
	}
	l.Scope = scope(rng, l.Issued)
	l.Sans = rng.IntN(6) == 0
	return l
}

func randomName(rng *rand.Rand, entity Entity, city, county string) string {
	word := pick(rng, marks) + string([]rune{pick(rng, trade), pick(rng, trade)})
	switch entity {
	case Individual:
		return city + "市" + county + word + pick(rng, shops)
	case Cooperative:
		return city + "市" + word + pick(rng, crops) + "种植农民专业合作社"
	case Partnership:
		return city + word + "企业管理合伙企业（有限合伙）"
	case SoleProprietorship:
		return city + word + pick(rng, lines) + "工作室"
	case JointStock:
		return city + word + pick(rng, lines) + "股份有限公司"
	case StateOwned:
		return city + "市" + word + pick(rng, lines) + "厂"
	case CooperativeBranch:
		return city + "市" + word + pick(rng, crops) + "种植农民专业合作社" + pick(rng, counties) + "分社"
	case Branch:
		return city + word + pick(rng, lines) + "有限公司" + pick(rng, cities) + "分公司"
	}
	if rng.IntN(3) == 0 {
		return word + "（" + city + "）" + pick(rng, lines) + "有限公司"
	}
	return city + word + pick(rng, lines) + "有限公司"
}

// scope is the business scope in the wording of its time: split into licensed
// and general items since about 2020.
func scope(rng *rand.Rand, issued time.Time) string {
	general := make([]string, 0, 8)
	for _, i := range rng.Perm(len(generalScopes))[:3+rng.IntN(5)] {
		general = append(general, generalScopes[i])
	}
	if issued.Before(day(2020, 7, 1)) {
		return strings.Join(general, "；") + "。（依法须经批准的项目，经相关部门批准后方可开展经营活动）"
	}
	text := "一般项目：" + strings.Join(general, "；") + "（除依法须经批准的项目外，凭营业执照依法自主开展经营活动）"
	if rng.IntN(2) == 0 {
		text = "许可项目：" + pick(rng, licensedScopes) + "（依法须经批准的项目，经相关部门批准后方可开展经营活动，具体经营项目以相关部门批准文件或许可证件为准）。" + text
	}
	return text
}

// capital spells tenThousands of yuan (1 to 9999) in the numerals of cheques:
// 300 is 叁佰万.
func capital(tenThousands int) string {
	digits := []rune("零壹贰叁肆伍陆柒捌玖")
	var b strings.Builder
	zero := false
	for i, unit := 0, 1000; unit > 0; i, unit = i+1, unit/10 {
		d := tenThousands / unit % 10
		if d == 0 {
			zero = b.Len() > 0
			continue
		}
		if zero {
			b.WriteRune('零')
			zero = false
		}
		b.WriteRune(digits[d])
		b.WriteString([]string{"仟", "佰", "拾", ""}[i])
	}
	return b.String() + "万"
}

// The alphabet and weights of GB 32100-2015, and the weights of GB 11714-1997.
const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

var (
	usccWeights = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}
	orgWeights  = [8]int{3, 7, 9, 10, 5, 8, 4, 2}
)

// RandomUSCC makes a valid code of a market registry (first character 9) whose
// organization is in the private-use zone; category is '1' for enterprises,
// '2' for individuals, '3' for cooperatives.
func RandomUSCC(rng *rand.Rand, category byte) string {
	body := fmt.Sprintf("PDY%05d", 1+rng.IntN(99999))
	sum := 0
	for i, c := range body {
		value := int(c - '0')
		if c >= 'A' {
			value = int(c-'A') + 10
		}
		sum += value * orgWeights[i]
	}
	check := "0123456789X0"[11-sum%11]
	code := "9" + string(category) + pick(rng, divisions) + body + string(check)
	sum = 0
	for i := range code {
		sum += strings.IndexByte(usccAlphabet, code[i]) * usccWeights[i]
	}
	return code + string(usccAlphabet[(31-sum%31)%31])
}

// noDivision is in no list of GB/T 2260: no registry gives such numbers.
const noDivision = "999901"

// randomRegistration is a registration number of GS 15-2006 with its check digit
// (ISO 7064 MOD 11,10).
func randomRegistration(rng *rand.Rand) string {
	number := noDivision + fmt.Sprintf("%08d", rng.IntN(1e8))
	p := 10
	for _, c := range number {
		s := (p + int(c-'0')) % 10
		if s == 0 {
			s = 10
		}
		p = 2 * s % 11
	}
	return number + string(rune('0'+(11-p)%10))
}

// WithRegistrationNumber prints a portrait license as it was before 一照一码:
// with a registration number, dated between the new form and the new code.
func (l License) WithRegistrationNumber(rng *rand.Rand) License {
	l.USCC, l.RegistrationNumber = "", randomRegistration(rng)
	l.Issued = between(rng, day(2014, 3, 1), day(2015, 9, 30))
	established := between(rng, day(2008, 1, 1), l.Issued)
	l.Established = printDate(established)
	if l.Term != "" {
		l.Term = l.Established + "至" + printDate(established.AddDate(20, 0, -1))
	}
	return l
}

// WithWrongCheck prints another check character, as a misprinted or forged
// license would, in the QR as well.
func (l License) WithWrongCheck() License {
	right := l.USCC
	last := strings.IndexByte(usccAlphabet, right[17])
	l.USCC = right[:17] + string(usccAlphabet[(last+7)%len(usccAlphabet)])
	l.QR = strings.Replace(l.QR, right, l.USCC, 1)
	return l
}

func day(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

func between(rng *rand.Rand, first, last time.Time) time.Time {
	return first.AddDate(0, 0, rng.IntN(1+int(last.Sub(first).Hours()/24)))
}

func printDate(t time.Time) string { return t.Format("2006年01月02日") }
