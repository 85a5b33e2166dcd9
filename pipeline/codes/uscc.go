package codes

import "strings"

// lengthUSCC is the number of characters of a USCC.
const lengthUSCC = 18

// alphabet31 holds the characters of a USCC, each at its value (GB 32100-2015,
// table 2). I, O, S, V and Z are never used.
const alphabet31 = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// alphabet36 holds the characters of an organization code, each at its value.
// A letter is worth something else here than in alphabet31.
const alphabet36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// base31 and base36 give the value of a character, -1 for one outside.
var base31, base36 = values(alphabet31), values(alphabet36)

func values(alphabet string) (v [256]int8) {
	for i := range v {
		v[i] = int8(strings.IndexByte(alphabet, byte(i)))
	}
	return v
}

// weights31 are 3^i mod 31 (GB 32100-2015, clause 4.2.5).
var weights31 = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}

// checkUSCC returns the check character for the 17 characters at the start of
// s, all of alphabet31.
func checkUSCC(s string) byte {
	sum := 0
	for i, w := range weights31 {
		sum += int(base31[s[i]]) * w
	}
	return alphabet31[(31-sum%31)%31] // a remainder of 0 gives 0, not 31
}

// usccFinding is what the characters of a USCC tell without any table but that
// of the pairs.
type usccFinding struct {
	verdict  Verdict
	rule     Rule
	position int  // of a character that cannot stand there, from 1
	check    byte // expected at position 18; 0 when position is set
	orgCheck byte // expected at position 17; 0 when position is set
}

// examineUSCC applies all rules to a normalized code. It does not allocate.
func examineUSCC(s string) usccFinding {
	f := usccFinding{verdict: VerdictInvalid}
	if len(s) != lengthUSCC {
		f.rule = RuleLength
		return f
	}
	for i := range lengthUSCC {
		v := base31[s[i]]
		switch {
		case v < 0, i == 16 && v > 9 && s[i] != 'X':
			f.rule, f.position = RuleAlphabet, i+1
			return f
		case 2 <= i && i < 8 && v > 9:
			f.rule, f.position = RuleDivision, i+1
			return f
		}
	}
	f.check, f.orgCheck = checkUSCC(s), checkOrganizationCode(s[8:])
	checked := s[17] == f.check
	pair := categoryName(s[0], s[1]) != ""
	organization := s[16] == f.orgCheck && s[8:16] != zeroBody

	switch {
	case !checked && pair && organization && strings.HasPrefix(s[2:], "35") && strings.HasPrefix(s[8:], "M0"):
		// Seven known codes of the Fujian pilot before 2016 fail mod 31 and
		// pass the organization code's check.
		f.verdict, f.rule = VerdictPilotException, RuleCheckDigit
	case !checked:
		f.rule = RuleCheckDigit
	case !pair:
		f.verdict, f.rule = VerdictBadPair, RuleAuthorityCategory
	case s[2:8] == zeroDivision:
		f.rule = RuleDivision
	case !organization:
		f.verdict, f.rule = VerdictOrgMismatch, RuleOrganizationCode
	default:
		f.verdict = VerdictValid
	}
	return f
}

// IsUSCC reports whether s, without normalizing, is a USCC that breaks no rule.
// It is cheap: slide it over windows of 18 characters. The two check characters
// let 1 in 341 random strings through, so a hit wants a label beside it.
func IsUSCC(s string) bool { return examineUSCC(s).verdict == VerdictValid }

// CheckUSCC judges a unified social credit code (GB 32100-2015 with amendment
// 1-2016): alphabet, check character mod 31, authority and category, division,
// and the organization code inside. An unknown or abolished division is a
// warning. That a business license has authority 9 is for the caller to ask of
// Result.Authority.
//
// A person's number given in place of a code is masked and gets
// [WarningPersonalNumber].
func CheckUSCC(s string) Result {
	r, ok := newResult(s, KindUSCC)
	if ok {
		r.examineUSCC()
	}
	r.explain()
	return r
}

func (r *Result) examineUSCC() {
	n := r.Normalized
	f := examineUSCC(n)
	r.Verdict, r.Rule, r.Position = f.verdict, f.rule, f.position
	if r.Verdict != VerdictValid && isPersonalNumber(n) {
		r.Number, r.Normalized = Mask(n), Mask(n)
		r.warn(WarningPersonalNumber)
		return
	}
	if f.check == 0 {
		return
	}
	r.ExpectedCheck = string(f.check)
	r.ExpectedOrganizationCheck = string(f.orgCheck)
	r.Authority, r.AuthorityName = n[:1], authorities[n[0]].name
	r.Category, r.CategoryName = n[1:2], categoryName(n[0], n[1])
	r.OrganizationCode = n[8:17]
	r.describeDivision(n[2:8], 0)
	if isPrivateUse(r.OrganizationCode) {
		r.warn(WarningPrivateUseOrganization)
	}
}

// authority is a registering authority with the categories it registers.
type authority struct {
	name       string
	categories map[byte]string
}

// authorities is table 1 of GB 32100-2015 as amended in 2016.
var authorities = map[byte]authority{
	'1': {"机构编制", map[byte]string{'1': "机关", '2': "事业单位", '3': "中央编办直接管理机构编制的群众团体", '9': "其他"}},
	'2': {"外交", map[byte]string{'1': "外国常驻新闻机构", '9': "其他"}},
	'3': {"司法行政", map[byte]string{'1': "律师执业机构", '2': "公证处", '3': "基层法律服务所", '4': "司法鉴定机构", '5': "仲裁委员会", '9': "其他"}},
	'4': {"文化", map[byte]string{'1': "外国在华文化中心", '9': "其他"}},
	'5': {"民政", map[byte]string{'1': "社会团体", '2': "民办非企业单位", '3': "基金会", '9': "其他"}},
	'6': {"旅游", map[byte]string{'1': "外国旅游部门常驻代表机构", '2': "港澳台地区旅游部门常驻内地（大陆）代表机构", '9': "其他"}},
	'7': {"宗教", map[byte]string{'1': "宗教活动场所", '2': "宗教院校", '9': "其他"}},
	'8': {"工会", map[byte]string{'1': "基层工会", '9': "其他"}},
	'9': {"市场监督管理", map[byte]string{'1': "企业", '2': "个体工商户", '3': "农民专业合作社"}},
	'A': {"中央军委改革和编制办公室", map[byte]string{'1': "军队事业单位", '9': "其他"}},
	'N': {"农业", map[byte]string{'1': "组级集体经济组织", '2': "村级集体经济组织", '3': "乡镇级集体经济组织", '9': "其他"}},
	'Y': {"其他", map[byte]string{'1': "其他"}},
}

// categoryName returns "" for a pair that the standard does not have.
func categoryName(a, c byte) string { return authorities[a].categories[c] }
