package codes

import (
	"fmt"
	"slices"
)

// nouns name the kinds in messages.
var nouns = map[Kind]Text{
	KindUSCC:              {"统一社会信用代码", "unified social credit code"},
	KindRegistration15:    {"注册号", "registration number"},
	KindRegistration13:    {"注册号", "registration number"},
	KindOrganizationCode:  {"组织机构代码", "organization code"},
	KindResident18:        {"居民身份证号码", "resident identity number"},
	KindResident15:        {"15位居民身份证号码", "15-digit resident identity number"},
	KindHKResidentPermit:  {"港澳居民居住证号码（香港）", "Hong Kong residence permit number"},
	KindMOResidentPermit:  {"港澳居民居住证号码（澳门）", "Macau residence permit number"},
	KindTWResidentPermit:  {"台湾居民居住证号码", "Taiwan residence permit number"},
	KindForeignResident18: {"外国人永久居留身份证号码", "foreign permanent resident number"},
	KindForeignResident15: {"旧版外国人永久居留证号码", "former foreign permanent resident number"},
	KindHKTravelPermit:    {"港澳居民来往内地通行证号码（香港）", "Hong Kong travel permit number"},
	KindMOTravelPermit:    {"港澳居民来往内地通行证号码（澳门）", "Macau travel permit number"},
	KindTWTravelPermit:    {"台湾居民来往大陆通行证号码", "Taiwan travel permit number"},
	KindPassportCN:        {"中国护照号码", "Chinese passport number"},
	KindPassportForeign:   {"外国护照号码", "foreign passport number"},
	"":                    {"证件号码", "identity number"},
}

// lengths are what messages ask for.
var lengths = map[Kind]Text{
	KindUSCC:              {"18位", "18 characters"},
	KindRegistration15:    {"15位（2007年以前为13位）", "15 digits (13 before 2007)"},
	KindOrganizationCode:  {"9位", "9 characters"},
	KindResident15:        {"15位", "15 digits"},
	KindForeignResident15: {"15位", "15 characters"},
	KindResident18:        {"18位", "18 characters"},
	KindForeignResident18: {"18位", "18 digits"},
	KindHKResidentPermit:  {"18位", "18 characters"},
	KindMOResidentPermit:  {"18位", "18 characters"},
	KindTWResidentPermit:  {"18位", "18 characters"},
}

// verdictMessages and ruleMessages take the noun.
var verdictMessages = map[Verdict]Text{
	VerdictValid:          {"%s正确。", "The %s is valid."},
	VerdictFormatValid:    {"%s格式正确，该号码没有公开的校验位。", "The %s is well formed; it has no public check digit."},
	VerdictLegacy13:       {"13位%s格式正确，2007年以前的号码没有校验位。", "The 13-digit %s is well formed; numbers of before 2007 have no check digit."},
	VerdictPilotException: {"%s的校验位不符，但可能是福建试点期间发放的代码，请到国家企业信用信息公示系统核实。", "The check character of the %s does not fit, but it may be a code of the Fujian pilot; confirm it at gsxt.gov.cn."},
	VerdictBadPair:        {"%s的前两位不是规定的登记管理部门和机构类别。", "The first two characters of the %s are no authority and category of the standard."},
	VerdictOrgMismatch:    {"%s中的组织机构代码（第9至17位）校验位不符。", "The organization code inside the %s (positions 9-17) does not fit its check character."},
}

var ruleMessages = map[Rule]Text{
	RuleKind:             {"无法识别%s的证件类型。", "The kind of the %s is not known."},
	RuleFormat:           {"%s格式不正确。", "The %s is not well formed."},
	RuleDivision:         {"%s中的行政区划代码不正确。", "The division code in the %s is not valid."},
	RuleBirthDate:        {"%s中的出生日期不正确。", "The date of birth in the %s is not valid."},
	RuleCheckDigit:       {"%s的校验位不符，请检查是否有误。", "The check character of the %s does not fit; one or more characters are wrong."},
	RuleOrganizationCode: {"%s不能全为零。", "The %s must not be all zeros."},
}

// explain writes the message for the verdict.
func (r *Result) explain() {
	noun, ok := nouns[r.Kind]
	if !ok { // what a caller calls a kind is not repeated: it may be anything
		r.Kind, noun = "", nouns[""]
	}
	switch length, known := lengths[r.Kind]; {
	case slices.Contains(r.Warnings, WarningPersonalNumber):
		r.Message = Text{"这像是个人证件号码，不是" + noun.ZH + "。", "This looks like a person's number, not a " + noun.EN + "."}
		return
	case r.Rule == RuleLength && known:
		r.Message = Text{
			fmt.Sprintf("%s应为%s。", noun.ZH, length.ZH),
			fmt.Sprintf("The %s must have %s.", noun.EN, length.EN),
		}
		return
	case r.Rule == RuleLength:
		r.Message = Text{noun.ZH + "为空或过长。", "The " + noun.EN + " is empty or too long."}
		return
	case r.Rule == RuleAlphabet:
		r.Message = Text{
			fmt.Sprintf("%s第%d位的字符不允许出现。", noun.ZH, r.Position),
			fmt.Sprintf("Position %d of the %s holds a character that cannot stand there.", r.Position, noun.EN),
		}
		return
	}
	message, ok := verdictMessages[r.Verdict]
	if !ok {
		message = ruleMessages[r.Rule]
	}
	r.Message = Text{fmt.Sprintf(message.ZH, noun.ZH), fmt.Sprintf(message.EN, noun.EN)}
}
