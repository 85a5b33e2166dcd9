package codes

import (
	"regexp"
	"strings"
	"time"
)

// minBirthYear is where published validators begin; the standard's own example
// was born in 1880.
const minBirthYear = 1800

// mainland lists the first two digits of the provinces that issue documents.
const mainland = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65"

// taiwanProvince exists in GB/T 2260 and may begin a resident's number, while
// the permit of a resident of Taiwan begins with 83.
const taiwanProvince = "71"

func isMainland(province string) bool { return strings.Contains(mainland, province) }

// permitDivisions are the first six digits of residence permits.
var permitDivisions = map[IDKind]string{
	KindHKResidentPermit: "810000",
	KindMOResidentPermit: "820000",
	KindTWResidentPermit: "830000",
}

// idPatterns are the printed numbers that have no public check character. The
// longer forms of the permits are those of the old booklets.
var idPatterns = map[IDKind]*regexp.Regexp{
	KindHKTravelPermit:  regexp.MustCompile(`^H\d{8}(\d{2})?$`),
	KindMOTravelPermit:  regexp.MustCompile(`^M\d{8}(\d{2})?$`),
	KindTWTravelPermit:  regexp.MustCompile(`^\d{8}([0-9A-Z]{2})?$`),
	KindPassportCN:      regexp.MustCompile(`^(E\d{8}|E[A-HJ-NP-Z]\d{7}|G\d{8}|1[45]\d{7}|[DSP]\d{7,8}|[DSP]E\d{7})$`),
	KindPassportForeign: regexp.MustCompile(`^[0-9A-Z]{5,17}$`),
}

// CheckID judges the number of an identity document. An empty kind is told from
// the number; a foreign passport never is, for its number may be anything.
//
// Resident numbers (GB 11643), residence permits and the 18-digit number of
// foreign permanent residents have a check character. The province is a rule,
// the county a warning: live cards carry codes that are in no list. Other kinds
// get [VerdictFormatValid] at best.
//
// today is the last possible date of birth. Number and Normalized of the result
// are masked.
func CheckID(s string, kind IDKind, today time.Time) Result {
	r, ok := newResult(s, kind)
	if ok {
		n := r.Normalized
		r.Number, r.Normalized = Mask(s), Mask(s)
		r.examineID(n, today)
	}
	r.explain()
	return r
}

func (r *Result) examineID(n string, today time.Time) {
	if n == "" {
		r.fail(VerdictInvalid, RuleLength)
		return
	}
	if r.Kind == "" {
		r.Kind = kindOf(n)
	}
	switch r.Kind {
	case KindResident18, KindForeignResident18, KindHKResidentPermit, KindMOResidentPermit, KindTWResidentPermit:
		r.examineID18(n, today)
	case KindResident15:
		r.examineResident15(n, today)
	case KindForeignResident15:
		r.examineForeign15(n, today)
	default:
		pattern, known := idPatterns[r.Kind]
		r.Verdict = VerdictFormatValid
		switch {
		case !known:
			r.fail(VerdictInvalid, RuleKind)
		case !pattern.MatchString(n):
			r.fail(VerdictInvalid, RuleFormat)
		}
	}
}

// kindOf tells the kind that a normalized number is of, or was meant to be; ""
// when that cannot be told.
func kindOf(n string) IDKind {
	switch len(n) {
	case 18:
		switch {
		case n[0] == '9':
			return KindForeignResident18
		case n[:2] == "81":
			return KindHKResidentPermit
		case n[:2] == "82":
			return KindMOResidentPermit
		case n[:2] == "83":
			return KindTWResidentPermit
		}
		return KindResident18
	case 15:
		if firstNonLetter(n[:3]) < 0 {
			return KindForeignResident15
		}
		return KindResident15
	}
	digits := firstNonDigit(n[1:]) < 0
	switch {
	case n[0] == 'H' && digits:
		return KindHKTravelPermit
	case n[0] == 'M' && digits:
		return KindMOTravelPermit
	case n[0] == 'E', n[0] == 'G', idPatterns[KindPassportCN].MatchString(n):
		return KindPassportCN
	case idPatterns[KindTWTravelPermit].MatchString(n):
		return KindTWTravelPermit
	case firstNonDigit(strings.TrimSuffix(n, "X")) < 0:
		return KindResident18
	}
	return ""
}

// examineID18 judges the numbers of 18 digits, which share their form:
// division (6), date of birth (8), sequence (3), check character.
func (r *Result) examineID18(n string, today time.Time) {
	if !r.digits(n, 18) {
		return
	}
	check := checkResident(n)
	r.ExpectedCheck = string(check)
	switch r.Kind {
	case KindForeignResident18: // 9, province of application, country's numeric code
		r.DivisionStatus = DivisionForeign
		if n[0] != '9' {
			r.fail(VerdictInvalid, RuleFormat)
		}
		if !isMainland(n[1:3]) || n[3:6] == "000" {
			r.fail(VerdictInvalid, RuleDivision)
		}
	case KindResident18:
		r.examineDivision(n[:6], n[6:10])
	default:
		r.Division, r.DivisionStatus = n[:6], DivisionPermit
		if r.Division != permitDivisions[r.Kind] {
			r.fail(VerdictInvalid, RuleDivision)
		}
	}
	r.examineBirth(n[6:14], today)
	if r.Kind != KindForeignResident18 {
		r.Sex = sexOf(n[16])
	}
	if n[17] != check {
		r.fail(VerdictInvalid, RuleCheckDigit)
	}
}

// examineResident15 judges a number of GB 11643-1989: division (6), yymmdd,
// sequence (3), no check digit.
func (r *Result) examineResident15(n string, today time.Time) {
	if !r.digits(n, 15) {
		return
	}
	r.Verdict = VerdictFormatValid
	r.warn(WarningFormerNumber)
	century := "19"
	if n[12:] >= "996" { // 996-999 were kept for people over a hundred
		century = "18"
	}
	r.examineDivision(n[:6], century+n[6:8])
	r.examineBirth(century+n[6:12], today)
	r.Sex = sexOf(n[14])
}

// examineForeign15 judges a number of before 2023: country (3 letters), place of
// application (4), yymmdd, 2 digits whose rule is not published. The year does
// not tell its century, so Birth stays empty.
func (r *Result) examineForeign15(n string, today time.Time) {
	if len(n) != 15 {
		r.fail(VerdictInvalid, RuleLength)
		return
	}
	if i := firstNonLetter(n[:3]); i >= 0 {
		r.fail(VerdictInvalid, RuleAlphabet)
		r.Position = i + 1
		return
	}
	if i := firstNonDigit(n[3:]); i >= 0 {
		r.fail(VerdictInvalid, RuleAlphabet)
		r.Position = i + 4
		return
	}
	r.Verdict, r.DivisionStatus = VerdictFormatValid, DivisionForeign
	if !isMainland(n[3:5]) {
		r.fail(VerdictInvalid, RuleDivision)
	}
	if parseBirth("19"+n[7:13], today).IsZero() && parseBirth("20"+n[7:13], today).IsZero() {
		r.fail(VerdictInvalid, RuleBirthDate)
	}
}

// digits reports whether n consists of so many digits, the 18th of which may be
// X, and records what is wrong otherwise.
func (r *Result) digits(n string, length int) bool {
	if len(n) != length {
		r.fail(VerdictInvalid, RuleLength)
		return false
	}
	i := firstNonDigit(n)
	if i < 0 || i == 17 && n[i] == 'X' {
		return true
	}
	r.fail(VerdictInvalid, RuleAlphabet)
	r.Position = i + 1
	return false
}

func (r *Result) examineDivision(code, birthYear string) {
	if !isMainland(code[:2]) && code[:2] != taiwanProvince {
		r.Division, r.DivisionStatus = code, DivisionUnknown
		r.fail(VerdictInvalid, RuleDivision)
		return
	}
	r.describeDivision(code, year(birthYear))
}

func (r *Result) examineBirth(yyyymmdd string, today time.Time) {
	r.Birth = parseBirth(yyyymmdd, today)
	if r.Birth.IsZero() {
		r.fail(VerdictInvalid, RuleBirthDate)
	}
}

// parseBirth returns the zero time for what is no date, too early, or after
// today's date where today is.
func parseBirth(yyyymmdd string, today time.Time) time.Time {
	birth, err := time.Parse("20060102", yyyymmdd)
	y, m, d := today.Date()
	if err != nil || birth.Year() < minBirthYear || birth.After(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) {
		return time.Time{}
	}
	return birth
}

func sexOf(sequence byte) Sex {
	if sequence%2 == 1 { // '0' is even
		return SexMale
	}
	return SexFemale
}

// weights11_2 are 2^(17-i) mod 11 (GB 11643-1999).
var weights11_2 = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

// checkResident returns the check character for the 17 digits at the start of
// s: ISO 7064 MOD 11-2.
func checkResident(s string) byte {
	sum := 0
	for i, w := range weights11_2 {
		sum += int(s[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// isPersonalNumber reports whether a normalized number has the form of a
// person's number of 18 digits: a date of birth and the check character.
func isPersonalNumber(n string) bool {
	if len(n) != 18 || firstNonDigit(n[:17]) >= 0 || n[17] != checkResident(n) {
		return false
	}
	birth, err := time.Parse("20060102", n[6:14])
	return err == nil && 1900 <= birth.Year() && birth.Year() < 2100
}

// firstNonLetter returns the index of the first byte of s that is not a capital
// letter, -1 when there is none.
func firstNonLetter(s string) int {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return i
		}
	}
	return -1
}
