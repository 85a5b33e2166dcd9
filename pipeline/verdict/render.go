package verdict

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/report"
)

// fieldTitles are what people call the fields.
var fieldTitles = map[report.FieldName]report.Text{
	"":                                {ZH: "页面文字", EN: "text of the page"},
	report.FieldUSCC:                  {ZH: "统一社会信用代码", EN: "unified social credit code"},
	report.FieldRegistrationNumber:    {ZH: "注册号", EN: "registration number"},
	report.FieldCompanyName:           {ZH: "名称", EN: "name"},
	report.FieldType:                  {ZH: "类型", EN: "type"},
	report.FieldLegalRepresentative:   {ZH: "法定代表人（负责人、经营者）", EN: "legal representative (person in charge, operator)"},
	report.FieldRegisteredCapital:     {ZH: "注册资本", EN: "registered capital"},
	report.FieldPaidInCapital:         {ZH: "实收资本", EN: "paid-in capital"},
	report.FieldFormation:             {ZH: "组成形式", EN: "form of composition"},
	report.FieldEstablished:           {ZH: "成立日期", EN: "date of establishment"},
	report.FieldTerm:                  {ZH: "营业期限", EN: "term of operation"},
	report.FieldAddress:               {ZH: "住所（经营场所）", EN: "address"},
	report.FieldScope:                 {ZH: "经营范围", EN: "scope of business"},
	report.FieldRegistrationAuthority: {ZH: "登记机关", EN: "registration authority"},
	report.FieldIssued:                {ZH: "发照日期", EN: "date of issue"},
	report.FieldSerialNumber:          {ZH: "证照编号", EN: "serial number"},
	report.FieldIDNumber:              {ZH: "法定代表人证件号码", EN: "identity number of the legal representative"},
	report.FieldOrganizationCode:      {ZH: "组织机构代码", EN: "organization code"},
	report.FieldEmail:                 {ZH: "邮箱", EN: "email address"},
	report.FieldPhone:                 {ZH: "电话号码", EN: "phone number"},
	report.FieldEntityType:            {ZH: "组织类型", EN: "kind of organization"},
}

// FieldTitle is the name of a field for people.
func FieldTitle(field report.FieldName) report.Text { return fieldTitles[field] }

// details put the lower_snake details of evidence into words.
var details = map[string]report.Text{
	"blur":    {ZH: "模糊", EN: "blurred"},
	"defocus": {ZH: "未对准焦点", EN: "out of focus"},
	"motion":  {ZH: "拍摄时抖动", EN: "moved while being taken"},
	"noise":   {ZH: "噪点", EN: "noise"},

	"kind":               {ZH: "无法识别号码的种类", EN: "the kind of number is not known"},
	"length":             {ZH: "位数不对", EN: "the number of characters is wrong"},
	"alphabet":           {ZH: "含有不会出现的字符", EN: "it has a character that never occurs there"},
	"format":             {ZH: "格式不正确", EN: "it is not well formed"},
	"division":           {ZH: "行政区划代码不正确", EN: "the division code is not valid"},
	"check_digit":        {ZH: "校验位不符", EN: "the check character does not fit"},
	"authority_category": {ZH: "前两位不是规定的登记管理部门和机构类别", EN: "the first two characters are no authority and category of the standard"},
	"organization_code":  {ZH: "其中的组织机构代码（第9至17位）校验位不符", EN: "the organization code inside (positions 9-17) does not fit its check character"},

	"bracket_width": {ZH: "括号或字符的全角、半角不同", EN: "brackets or letters of another width"},
	"spacing":       {ZH: "空格或间隔号不同", EN: "other spaces or middle dots"},
	"unnamed":       {ZH: "执照未印名称，以“个体户”加经营者姓名作为名称", EN: "the license prints no name, and 个体户 with the operator's name stands for one"},

	"no_at":        {ZH: "缺少“@”，或有多个", EN: "there must be one @"},
	"local_part":   {ZH: "“@”前的部分不正确", EN: "the part before the @ is not valid"},
	"domain":       {ZH: "“@”后的域名不正确", EN: "the domain after the @ is not valid"},
	"not_digits":   {ZH: "含有数字以外的字符", EN: "it has characters other than digits"},
	"mobile":       {ZH: "手机号码应为11位，以13至19开头", EN: "a mobile number has 11 digits and begins with 13 to 19"},
	"landline":     {ZH: "固定电话应为区号加7或8位号码", EN: "a landline number is an area code and 7 or 8 digits"},
	"country":      {ZH: "只支持中国大陆（+86）的号码", EN: "only numbers of mainland China (+86) are accepted"},
	"phone_length": {ZH: "位数不对", EN: "the number of digits is wrong"},

	"issued_before_established": {ZH: "发照日期早于成立日期", EN: "it was issued before the organization was established"},
	"issued_in_future":          {ZH: "发照日期在今天之后", EN: "its date of issue lies in the future"},
	"established_in_future":     {ZH: "成立日期在今天之后", EN: "the date of establishment lies in the future"},

	"individual_with_company_name":               {ZH: "代码属于个体工商户，名称却以“公司”结尾", EN: "the code is of an individual business, the name ends in 公司"},
	"individual_code_with_other_type":            {ZH: "代码属于个体工商户，类型却不是", EN: "the code is of an individual business, the type is not"},
	"individual_type_with_other_code":            {ZH: "类型是个体工商户，代码却不是", EN: "the type is an individual business, the code is not"},
	"individual_without_operator":                {ZH: "代码属于个体工商户，执照上却没有“经营者”", EN: "the code is of an individual business, but the license names no operator (经营者)"},
	"cooperative_code_with_other_name":           {ZH: "代码属于农民专业合作社，名称却不是", EN: "the code is of a farmers' cooperative, the name is not"},
	"cooperative_type_with_other_code":           {ZH: "类型是农民专业合作社，代码却不是", EN: "the type is a farmers' cooperative, the code is not"},
	"branch_without_person_in_charge":            {ZH: "分支机构的执照上没有“负责人”", EN: "the license of a branch names no person in charge (负责人)"},
	"company_with_person_in_charge":              {ZH: "公司的执照上写的是“负责人”而不是“法定代表人”", EN: "the license of a company names a person in charge (负责人) and no legal representative"},
	"limited_company_with_other_name":            {ZH: "类型是有限责任公司，名称中却没有“公司”", EN: "the type is a limited company, the name has no 公司"},
	"joint_stock_company_with_other_name":        {ZH: "类型是股份有限公司，名称中却没有“股份”", EN: "the type is a joint stock company, the name has no 股份"},
	"company_name_with_partnership_type":         {ZH: "类型是合伙企业，名称却以“有限公司”结尾", EN: "the type is a partnership, the name ends in 有限公司"},
	"company_name_with_sole_proprietorship_type": {ZH: "类型是个人独资企业，名称却以“公司”结尾", EN: "the type is a sole proprietorship, the name ends in 公司"},
}

// render fills a text from the field and the evidence.
func render(t report.Text, field report.FieldName, e report.Evidence) report.Text {
	title, detail := fieldTitles[field], details[e.Detail]
	if detail == (report.Text{}) {
		detail = report.Text{ZH: e.Detail, EN: strings.ReplaceAll(e.Detail, "_", " ")}
	}
	difference := describeDifference(e.Expected, e.Found)
	value, limit := inWords(e.Measure, e.Value), inWords(e.Measure, e.Limit)
	expected, found := report.Text{ZH: e.Expected, EN: e.Expected}, report.Text{ZH: e.Found, EN: e.Found}
	if title == (report.Text{}) {
		title = report.Text{ZH: string(field), EN: strings.ReplaceAll(string(field), "_", " ")}
	}
	fill := func(text string, in func(report.Text) string) string {
		return strings.NewReplacer("{field}", in(title), "{value}", in(value), "{limit}", in(limit), "{detail}", in(detail),
			"{expected}", in(expected), "{found}", in(found), "{difference}", in(difference)).Replace(text)
	}
	return report.Text{
		ZH: fill(t.ZH, func(t report.Text) string { return t.ZH }),
		EN: fill(t.EN, func(t report.Text) string { return t.EN }),
	}
}

// inWords prints a figure with its unit.
func inWords(measure string, v *float64) report.Text {
	if v == nil {
		return report.Text{ZH: "未知", EN: "unknown"}
	}
	same := func(s string) report.Text { return report.Text{ZH: s, EN: s} }
	switch measure {
	case "bytes":
		return same(short(*v/(1<<20)) + " MB")
	case "pixels":
		return report.Text{ZH: short(*v/1e4) + "万像素", EN: short(*v/1e6) + " megapixels"}
	case "em_px", "effective_em_px", "short_side_px":
		return report.Text{ZH: short(*v) + "像素", EN: short(*v) + " pixels"}
	case "remaining_days":
		return report.Text{ZH: short(*v) + "天", EN: short(*v) + " days"}
	case "blur_q", "contrast", "confidence", MeasureGlareShare, MeasureCoveredShare, MeasureShadeRatio, MeasureScreenshotScore:
		return same(short(*v*100) + "%")
	}
	return same(short(*v))
}

// short prints two digits after the point where they tell anything.
func short(v float64) string {
	switch {
	case v >= 100 || v <= -100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10 || v <= -10:
		return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	}
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 2, 64), "0"), ".")
}

const (
	// maxSpans and maxSpanRunes bound how much of a difference is quoted: a
	// person looks at a few characters, or compares the whole.
	maxSpans     = 3
	maxSpanRunes = 8
)

// describeDifference says which characters differ, with a leading separator;
// it is empty when there is nothing to compare or too much differs to list.
func describeDifference(declared, read string) report.Text {
	if declared == "" || read == "" || strings.Contains(declared+read, "*") { // masked
		return report.Text{}
	}
	spans := license.CompareNames(declared, read).Spans
	if len(spans) == 0 || len(spans) > maxSpans {
		return report.Text{}
	}
	a, b := []rune(declared), []rune(read)
	var zh, en []string
	for _, s := range spans {
		typed, printed := string(a[s.Declared[0]:s.Declared[1]]), string(b[s.Read[0]:s.Read[1]])
		if s.Declared[1]-s.Declared[0] > maxSpanRunes || s.Read[1]-s.Read[0] > maxSpanRunes {
			return report.Text{}
		}
		place, from, fromEN := s.Declared[0]+1, "", "character"
		if s.Declared[1]-s.Declared[0] > 1 || s.Read[1]-s.Read[0] > 1 {
			from, fromEN = "起", "from character"
		}
		switch {
		case typed == "":
			zh = append(zh, fmt.Sprintf("第%d个字符前少了“%s”", place, printed))
			en = append(en, fmt.Sprintf("“%s” is missing before character %d", printed, place))
		case printed == "":
			zh = append(zh, fmt.Sprintf("第%d个字符起多了“%s”", place, typed))
			en = append(en, fmt.Sprintf("“%s” at character %d is not on the license", typed, place))
		default:
			zh = append(zh, fmt.Sprintf("第%d个字符%s填写“%s”，执照为“%s”", place, from, typed, printed))
			en = append(en, fmt.Sprintf("%s %d: “%s” was entered, the license has “%s”", fromEN, place, typed, printed))
		}
	}
	return report.Text{ZH: "：" + strings.Join(zh, "；"), EN: ": " + strings.Join(en, "; ")}
}

// maxQuotedRunes bounds what a message quotes from a field.
const maxQuotedRunes = 100

// personalDigits are runs that may be a number of a person: identity numbers,
// phones. Mail addresses are caught by their sign.
var personalDigits = regexp.MustCompile(`[0-9０-９][0-9０-９ \-]{5,}[0-9０-９][Xxｘ]?|\S+[@＠]\S+`)

// quoted makes free text fit for evidence: bounded and without anything that
// may be a person's number or address, in case it stands in the wrong field.
func quoted(s string) string {
	if r := []rune(s); len(r) > maxQuotedRunes {
		s = string(r[:maxQuotedRunes]) + "…"
	}
	return personalDigits.ReplaceAllString(s, "***")
}

// quotedCode makes a code fit for evidence. A code that passes its own check is
// shown; of anything that could be a person's number instead only the ends are.
func quotedCode(s string, today time.Time) string {
	n := codes.Normalize(s[:min(len(s), maxQuotedRunes)])
	proven := codes.IsUSCC(n) || codes.CheckOrganizationCode(n).Verdict == codes.VerdictValid ||
		codes.CheckRegistrationNumber(n).Verdict != codes.VerdictInvalid
	if digits := strings.Trim(n, "0123456789"); proven && !personal(n, today) || len(n) == 18 && digits != "" && digits != "X" {
		return n
	}
	return codes.Mask(n)
}

// personal reports whether a number could be a person's: a resident's number,
// or a mobile phone with its country code.
func personal(n string, today time.Time) bool {
	if len(n) == 13 && strings.HasPrefix(n, "861") {
		return true
	}
	for _, kind := range []codes.IDKind{codes.KindResident18, codes.KindResident15} {
		if codes.CheckID(n, kind, today).Verdict != codes.VerdictInvalid {
			return true
		}
	}
	return false
}
