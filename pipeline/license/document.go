package license

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
)

const (
	// titleHeight is the height of a title relative to the median line.
	titleHeight = 1.3
	// titleReach is how far down the text a title may stand, fraction of the
	// height of all text.
	titleReach = 0.55
	maxTitle   = 30 // characters
	// soleTitle is the height of a title, relative to the median line, that makes
	// a license of a sheet on which nothing else could be read.
	soleTitle = 2
	// blankLines is the number of lines filled with X that make a specimen.
	blankLines = 3
)

// titleLine is the heading of the sheet.
type titleLine struct {
	text     string
	license  bool
	fragment int
	height   float64
}

var (
	licenseTitle = regexp.MustCompile(`^(中华人民共和国)?(电子)?(企业法人|个体工商户|合伙企业|个人独资企业|农民专业合作社法人|农民专业合作社分支机构|农民专业合作社|外商投资企业|企业)?营业执照(\(?[副正]本.*)?$`)
	// titlePieces are what is left of the title when gold print or a glare took
	// the rest; only large lines are compared.
	titlePieces = []string{"营业执", "业执照", "营业执照", "营业", "执照", "法人营业", "人营业执照", "户营业执照"}
	// otherTitle is how the titles of other certificates end. They are compared
	// only with large lines near the top, so scope and notices do not count.
	otherTitle = regexp.MustCompile(`(许可证|登记证|登记证书|法人证书|代码证|资格证|资格证书|资质证书|执业证|执业许可证|注册证|注册证书|合格证|合格证书|认证证书|商标注册证|备案证|备案凭证|备案登记表|备案表|身份证|驾驶证|行驶证|居住证|护照|户口簿|不动产权证书|房产证|产权证|完税证明|证明|证明书|通知书|授权书|委托书|证书|凭证|章程|回执|报告|报告单|[\p{Han}]{2,}证)(书)?(\(?[副正]本.*)?$`)
	// identityTitle are titles that may be small.
	identityTitle = regexp.MustCompile(`(居民身份证|驾驶证|行驶证|开户许可证|组织机构代码证|税务登记证|事业单位法人证书|社会团体法人登记证书|民办非企业单位登记证书|食品经营许可证|食品流通许可证|食品生产许可证|卫生许可证|餐饮服务许可证|药品经营许可证|烟草专卖零售许可证|道路运输经营许可证|安全生产许可证)(\(?[副正]本.*)?$`)
	// otherNumberLabel begins the number line of most permits.
	otherNumberLabel = regexp.MustCompile(`^(许可证编号|许可证号|证书编号|许可证书编号|发证机关|发证日期|核准号|公民身份号码|准驾车型|宗旨和业务范围|举办单位|开办资金|业务主管单位)`)
	copyNumber       = regexp.MustCompile(`^\(?\d{1,2}[-/]\d{1,2}\)?$`)
	copyMark         = regexp.MustCompile(`^.{0,12}\(?副本\)?|^\(副|^副\)|^\(.?本\)|第[一二三四五六七八九十\d]+副本`)
	specimenMark     = regexp.MustCompile(`(?i)^\(?(营业执照|仅供)?(样本|样张|样照|样式|示例|范本|specimen|sample)\)?$`)
	inspection       = regexp.MustCompile(`年检|年度检验`)
	fixedText        = regexp.MustCompile(`公示系统|市场主体应当|扫描二维码|了解更多|监制$|总局制$|每年\d+月|1月1日(至|-)6月30日|备案、许可|监管信息|管信息。|gsxt|https?:|www\.|报送公示|公示年度|国家企业信用|信息公示|电子营业执照|数字签名|^[SCJDGL]{4,6}$|(?i)made-?in-|(?i)\.com\b|中国\p{Han}{1,4}网$|^\p{Han}{2,4}网$`)
)

// findTitle looks for the heading: the largest line that is one. A license's
// title goes before another's.
func (p *page) findTitle() *titleLine {
	var best *titleLine
	top, bottom := math.Inf(1), math.Inf(-1)
	for _, f := range p.fragments {
		top, bottom = math.Min(top, f.y), math.Max(bottom, f.y)
	}
	for i, f := range p.fragments {
		text := f.bare()
		n := len([]rune(text))
		if n < 2 || n > maxTitle || (f.y-top) > titleReach*(bottom-top) {
			continue
		}
		large := f.h >= titleHeight*p.h
		t := titleLine{text: text, fragment: i, height: f.h}
		switch {
		case licenseTitle.MatchString(text) && (large || f.h >= p.h), large && nearTitle(text):
			t.license = true
		case large && f.h >= 1.8*p.h && slices.Contains(titlePieces, text):
			t.license = true
			t.text = "营业执照"
		case large && otherTitle.MatchString(text) && !strings.ContainsAny(text, "，。；:"), identityTitle.MatchString(text) && !strings.ContainsAny(text, "，。；:、《"):
		default:
			continue
		}
		if best == nil || t.license && !best.license || t.license == best.license && t.height > best.height {
			best = &t
		}
	}
	return best
}

// nearTitle says whether text is a license's title with one misread character.
func nearTitle(text string) bool {
	for _, title := range []string{"营业执照", "企业法人营业执照", "个体工商户营业执照"} {
		if a, b := []rune(text), []rune(title); len(a) == len(b) && len(align(a, b)) == 1 {
			return true
		}
	}
	return false
}

// markFixed marks what is printed on every sheet.
func (p *page) markFixed(title *titleLine) {
	for i := range p.fragments {
		f := &p.fragments[i]
		text := f.bare()
		f.fixed = f.fixed || fixedText.MatchString(text) && !strings.Contains(text, "统一社会") || copyNumber.MatchString(text) ||
			title != nil && title.fragment == i || text == "(副本)" || text == "副本"
	}
}

// describe tells kind, edition and copy.
func (r *reader) describe(reading *Reading, title *titleLine, code codeLine) {
	labels := make(map[report.FieldName]bool)
	old := 0
	for _, h := range r.hits {
		if h.label.lost == 0 && !h.colon && h.label.field != "" && h.label.field != report.FieldSerialNumber {
			labels[h.label.field] = true
			if h.label.pre2014 && h.errors == 0 {
				old++
			}
		}
	}
	_, uscc := reading.Fields[report.FieldUSCC]
	_, number := reading.Fields[report.FieldRegistrationNumber]
	foreign := 0
	for _, f := range r.fragments {
		if otherNumberLabel.MatchString(f.bare()) {
			foreign++
		}
	}
	switch {
	case title != nil && title.license && (len(labels) > 0 || uscc || number || code.labeled || title.height >= soleTitle*r.h):
		reading.Kind = report.KindBusinessLicense
	case title != nil && !title.license:
		reading.Kind = report.KindOther
	case len(labels) >= 3 && foreign == 0, len(labels) >= 2 && (uscc || number) && foreign == 0:
		reading.Kind = report.KindBusinessLicense
	case foreign > 0:
		reading.Kind = report.KindOther
	default:
		reading.Kind = report.KindNone
	}
	if title != nil {
		reading.Title = title.text
	}
	reading.Edition, reading.Copy = report.EditionUnknown, report.CopyUnknown
	if reading.Kind != report.KindBusinessLicense {
		return
	}
	reading.Edition = r.edition(title, old)
	reading.Copy = r.copyKind(title, len(reading.Fields))
	blank := 0
	for _, f := range r.fragments {
		text := f.bare()
		if len(f.text) <= maxTitle && specimenMark.MatchString(text) {
			reading.Specimen = true
		}
		if strings.Contains(strings.ToUpper(text), "XXXX") {
			blank++
		}
	}
	reading.Specimen = reading.Specimen || blank >= blankLines
	reading.Masked = code.masked || maskedName(reading.Fields[report.FieldCompanyName].Text)
}

// maskedName says whether part of a name is covered. A name of nothing but
// stars is how an individual without a name is printed.
func maskedName(name string) bool {
	return strings.Contains(name, "**") || strings.Contains(strings.ToUpper(name), "XX") || strings.Contains(name, "某某")
}

func (r *reader) edition(title *titleLine, old int) report.Edition {
	var electronic, market, industry, checked, caption bool
	for _, f := range r.fragments {
		text := f.bare()
		electronic = electronic || strings.Contains(text, "电子营业执照")
		market = market || strings.Contains(text, "市场监督管理总局")
		industry = industry || strings.Contains(text, "工商行政管理") && (strings.HasSuffix(text, "制") || strings.Contains(text, "总局"))
		checked = checked || inspection.MatchString(text)
		caption = caption || strings.Contains(text, "扫描二维码") || strings.Contains(text, "了解更多登记") || strings.Contains(text, "市场主体应当于每年")
	}
	oldTitle := title != nil && title.license && strings.HasSuffix(strings.SplitN(title.text, "(", 2)[0], "营业执照") &&
		!strings.HasPrefix(title.text, "营业执照") && !strings.HasPrefix(title.text, "电子")
	columns := r.twoColumns()
	switch {
	case electronic:
		return report.EditionElectronic
	case oldTitle, old >= 2, old == 1 && checked:
		return report.EditionPre2014
	case market, caption, columns && !industry:
		return report.Edition2019Landscape
	case columns:
		return report.EditionPre2014
	case industry, len(r.hits) >= 3:
		return report.Edition2014Portrait
	}
	return report.EditionUnknown
}

// twoColumns says whether labels stand side by side.
func (r *reader) twoColumns() bool {
	for _, a := range r.hits {
		for _, b := range r.hits {
			if !elsewhere(a.label.field) && !elsewhere(b.label.field) && b.box.x0 > a.box.x1+4*a.box.h && math.Abs(a.box.y-b.box.y) < a.box.h {
				return true
			}
		}
	}
	return false
}

// enoughRead is the number of fields from which the absence of a copy mark says
// something.
const enoughRead = 5

func (r *reader) copyKind(title *titleLine, fields int) report.Copy {
	for _, f := range r.fragments {
		text := f.bare()
		if strings.Contains(text, "《") || strings.Contains(text, "正本和") || len(f.text) > 40 {
			continue
		}
		if copyMark.MatchString(text) || strings.Contains(text, "市场主体应当于每年") || strings.Contains(text, "报送公示年度") {
			return report.CopyDuplicate
		}
		if copyNumber.MatchString(text) && title != nil && f.y > r.fragments[title.fragment].y && f.y < r.fragments[title.fragment].y+4*r.fragments[title.fragment].h {
			return report.CopyDuplicate
		}
		if text == "正本" || text == "(正本)" {
			return report.CopyOriginal
		}
	}
	if title != nil && title.license && fields >= enoughRead {
		for _, h := range r.hits {
			if h.label.field == report.FieldRegistrationAuthority {
				return report.CopyOriginal
			}
		}
	}
	return report.CopyUnknown
}
