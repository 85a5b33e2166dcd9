package codes

// zeroBody is the body of an organization code that no organization has, though
// its check character fits.
const zeroBody = "00000000"

// weights11 are those of GB 11714-1997.
var weights11 = [8]int{3, 7, 9, 10, 5, 8, 4, 2}

// checkOrganizationCode returns the check character for the 8 characters at the
// start of s, all of alphabet36.
func checkOrganizationCode(s string) byte {
	sum := 0
	for i, w := range weights11 {
		sum += int(base36[s[i]]) * w
	}
	return "0X987654321"[sum%11]
}

// isPrivateUse reports whether a 9-character organization code is one that
// GB 11714 leaves for internal use.
func isPrivateUse(code string) bool {
	return code[:3] == "PDY" && firstNonDigit(code[3:8]) < 0 && code[3:8] != "00000"
}

// CheckOrganizationCode judges an organization code (GB 11714-1997): eight
// digits or letters, all 26 allowed, and a check character; the human form
// 11111111-1 too.
func CheckOrganizationCode(s string) Result {
	r, ok := newResult(s, KindOrganizationCode)
	if ok {
		r.examineOrganizationCode()
	}
	r.explain()
	return r
}

func (r *Result) examineOrganizationCode() {
	n := r.Normalized
	if len(n) != 9 {
		r.fail(VerdictInvalid, RuleLength)
		return
	}
	for i := range len(n) {
		if v := base36[n[i]]; v < 0 || i == 8 && v > 9 && n[i] != 'X' {
			r.fail(VerdictInvalid, RuleAlphabet)
			r.Position = i + 1
			return
		}
	}
	check := checkOrganizationCode(n)
	r.ExpectedCheck = string(check)
	if n[8] != check {
		r.fail(VerdictInvalid, RuleCheckDigit)
	}
	if n[:8] == zeroBody {
		r.fail(VerdictInvalid, RuleOrganizationCode)
	}
	if isPrivateUse(n) {
		r.warn(WarningPrivateUseOrganization)
	}
}

// registrationCategories names the first sequence digit of a 15-digit
// registration number (GS 15-2006).
var registrationCategories = [10]string{
	"国有、集体、股份合作、联营企业", "国有或法人投资的公司", "自然人投资的公司", "其他内资非法人企业",
	"外商投资企业", "外国企业常驻代表机构及外商投资企业", "个体工商户", "个体工商户", "个体工商户", "个体工商户",
}

// CheckRegistrationNumber judges a registration number (工商注册号). 15 digits
// are checked by GS 15-2006; 13 digits, used before 2007, have no published
// check digit and get [VerdictLegacy13].
func CheckRegistrationNumber(s string) Result {
	r, ok := newResult(s, KindRegistration15)
	if ok {
		r.examineRegistrationNumber()
	}
	r.explain()
	return r
}

func (r *Result) examineRegistrationNumber() {
	n := r.Normalized
	switch len(n) {
	case 13:
		r.Kind = KindRegistration13
	case 15:
	default:
		r.fail(VerdictInvalid, RuleLength)
		return
	}
	if i := firstNonDigit(n); i >= 0 {
		r.fail(VerdictInvalid, RuleAlphabet)
		r.Position = i + 1
		return
	}
	if r.Kind == KindRegistration13 {
		r.Verdict = VerdictLegacy13
		return
	}
	r.Category, r.CategoryName = n[6:7], registrationCategories[n[6]-'0']
	r.describeDivision(n[:6], 0)
	check := checkRegistration(n)
	r.ExpectedCheck = string(check)
	if n[:6] == zeroDivision {
		r.fail(VerdictInvalid, RuleDivision)
	}
	if n[14] != check {
		r.fail(VerdictInvalid, RuleCheckDigit)
	}
}

// checkRegistration returns the check digit for the 14 digits at the start of
// s: ISO 7064 MOD 11,10, which is GB/T 17710.
func checkRegistration(s string) byte {
	p := 10
	for i := range 14 {
		t := (p + int(s[i]-'0')) % 10
		if t == 0 {
			t = 10
		}
		p = t * 2 % 11
	}
	return '0' + byte((11-p)%10)
}

// firstNonDigit returns the index of the first byte of s that is not a decimal
// digit, -1 when there is none.
func firstNonDigit(s string) int {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return i
		}
	}
	return -1
}
