// Package codes judges the numbers of Chinese organizations and persons: the
// unified social credit code (USCC, GB 32100-2015), the registration number
// (GS 15-2006), the organization code (GB 11714-1997), and the numbers of
// identity documents (GB 11643-1999 and what travelers and residents carry).
//
// It knows alphabets, check characters, the tables of registering authorities
// and the history of division codes (GB/T 2260). It must not know pictures,
// readers, policies or storage, and does no I/O: pure functions over strings,
// standard library only. The clock is an argument.
//
// An answer is a verdict with the rule that failed, not a boolean. Numbers of
// persons leave this package masked.
package codes

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// Verdict is the answer on a number.
type Verdict string

// The verdicts. VerdictOrgMismatch, VerdictBadPair and VerdictPilotException
// occur for a USCC only.
const (
	VerdictValid          Verdict = "valid"
	VerdictInvalid        Verdict = "invalid"
	VerdictOrgMismatch    Verdict = "org_mismatch"    // the code's own check passes, its organization code's does not
	VerdictBadPair        Verdict = "bad_pair"        // the check passes, the standard has no such authority and category
	VerdictPilotException Verdict = "pilot_exception" // Fujian pilot: issued before the check rule was final; a person must confirm
	VerdictFormatValid    Verdict = "format-valid"    // well formed; the number has no public check character
	VerdictLegacy13       Verdict = "legacy-13"       // 13-digit registration number of before 2007; no check digit is known
)

// Rule is the first rule that a number broke.
type Rule string

// The rules, in the order in which they are applied.
const (
	RuleKind              Rule = "kind"               // the kind is unknown, or cannot be told from the number
	RuleLength            Rule = "length"             // wrong number of characters
	RuleAlphabet          Rule = "alphabet"           // a character that never occurs there
	RuleFormat            Rule = "format"             // not the pattern of a permit or passport
	RuleDivision          Rule = "division"           // not digits, 000000, no such province
	RuleBirthDate         Rule = "birth_date"         // not on the calendar, before 1800, or in the future
	RuleCheckDigit        Rule = "check_digit"        // the number's own check character
	RuleAuthorityCategory Rule = "authority_category" // positions 1-2 of a USCC
	RuleOrganizationCode  Rule = "organization_code"  // positions 9-17 of a USCC, or an all-zero organization code
)

// Warning is a remark that does not change the verdict.
type Warning string

// The warnings.
const (
	WarningDivisionUnknown        Warning = "division_unknown"         // in no list; development zones and some live cards are not
	WarningDivisionHistorical     Warning = "division_historical"      // since abolished; codes keep it
	WarningDivisionOutOfTime      Warning = "division_out_of_time"     // not in force in the year of birth
	WarningPrivateUseOrganization Warning = "private_use_organization" // PDY00001-PDY99999: never a real organization
	WarningPersonalNumber         Warning = "personal_number"          // not a USCC but a resident's number, therefore masked
	WarningFormerNumber           Warning = "former_number"            // 15-digit resident number, replaced by 18 digits since 1999
)

// Kind says what a number is.
type Kind string

// IDKind is a Kind of identity number, one of [IDKinds].
type IDKind = Kind

// The kinds.
const (
	KindUSCC             Kind = "uscc"
	KindRegistration15   Kind = "regno15"
	KindRegistration13   Kind = "regno13"
	KindOrganizationCode Kind = "orgcode9"

	KindResident18        IDKind = "rid18"
	KindResident15        IDKind = "rid15"
	KindHKResidentPermit  IDKind = "hk-resident-permit"
	KindMOResidentPermit  IDKind = "mo-resident-permit"
	KindTWResidentPermit  IDKind = "tw-resident-permit"
	KindForeignResident18 IDKind = "foreign-pr-18"
	KindForeignResident15 IDKind = "foreign-pr-15"
	KindHKTravelPermit    IDKind = "hk-travel-permit"
	KindMOTravelPermit    IDKind = "mo-travel-permit"
	KindTWTravelPermit    IDKind = "tw-travel-permit"
	KindPassportCN        IDKind = "passport-cn"
	KindPassportForeign   IDKind = "passport-foreign"
)

var idKinds = []IDKind{
	KindResident18, KindResident15, KindHKResidentPermit, KindMOResidentPermit, KindTWResidentPermit,
	KindForeignResident18, KindForeignResident15, KindHKTravelPermit, KindMOTravelPermit, KindTWTravelPermit,
	KindPassportCN, KindPassportForeign,
}

// IDKinds returns the kinds that [CheckID] takes.
func IDKinds() []IDKind { return slices.Clone(idKinds) }

// Sex is told by the sequence digits of a resident's number.
type Sex string

// The sexes.
const (
	SexFemale Sex = "female"
	SexMale   Sex = "male"
)

// Text is one sentence in the languages every caller gets.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Result is what is known about a number. A person's number is masked in it, so
// that it may be printed and stored (Normalize gives the number itself), and its
// JSON form carries neither birth date nor sex.
type Result struct {
	// Number is as given; empty when that was longer than any number can be.
	Number     string    `json:"number"`
	Normalized string    `json:"normalized"` // see [Normalize]
	Kind       Kind      `json:"kind,omitempty"`
	Verdict    Verdict   `json:"verdict"`
	Rule       Rule      `json:"rule,omitempty"`     // empty when no rule was broken
	Position   int       `json:"position,omitempty"` // of the first character that cannot stand there, from 1
	Warnings   []Warning `json:"warnings,omitempty"`
	Message    Text      `json:"message"` // holds no part of the number

	// ExpectedCheck is the check character that the other characters ask for.
	ExpectedCheck string `json:"expected_check,omitempty"`
	// ExpectedOrganizationCheck is the same for positions 9-17 of a USCC.
	ExpectedOrganizationCheck string `json:"expected_organization_check,omitempty"`

	Authority        string `json:"authority,omitempty"`         // position 1 of a USCC; a business license has 9
	AuthorityName    string `json:"authority_name,omitempty"`    // Chinese
	Category         string `json:"category,omitempty"`          // position 2 of a USCC, position 7 of a registration number
	CategoryName     string `json:"category_name,omitempty"`     // Chinese
	OrganizationCode string `json:"organization_code,omitempty"` // positions 9-17 of a USCC

	Division       string         `json:"division,omitempty"`      // six digits
	DivisionName   string         `json:"division_name,omitempty"` // Chinese, from the province down
	DivisionStatus DivisionStatus `json:"division_status,omitempty"`

	Birth time.Time `json:"-"` // midnight UTC; zero when the number does not tell
	Sex   Sex       `json:"-"`
}

// String is the English message, so that a Result in a log line shows no
// person's data.
func (r Result) String() string { return r.Message.EN }

func (r *Result) warn(w Warning) { r.Warnings = append(r.Warnings, w) }

// fail records the first broken rule; later ones do not replace it.
func (r *Result) fail(v Verdict, rule Rule) {
	if r.Rule == "" {
		r.Verdict, r.Rule = v, rule
	}
}

// maxInput bounds what is looked at, in bytes: the longest number has 18
// characters of up to 3 bytes each, and as many separators.
const maxInput = 128

// newResult normalizes s. It reports false for an input that is too long to be
// any number.
func newResult(s string, kind Kind) (Result, bool) {
	r := Result{Kind: kind, Verdict: VerdictValid}
	if len(s) > maxInput {
		r.fail(VerdictInvalid, RuleLength)
		return r, false
	}
	r.Number, r.Normalized = s, Normalize(s)
	return r, true
}

// Normalize folds full-width forms to half-width (the part of NFKC that numbers
// need), upper-cases Latin letters, and drops spaces, hyphens, middle dots and
// zero-width characters. It is idempotent and guesses nothing.
func Normalize(s string) string {
	if isNormal(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if '！' <= r && r <= '～' { // U+FF01-U+FF5E mirror U+0021-U+007E
			r -= '！' - '!'
		}
		switch {
		case 'a' <= r && r <= 'z':
			b.WriteByte(byte(r) - 'a' + 'A')
		case !isSeparator(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isNormal reports whether s is ASCII digits and capitals only, the usual case.
func isNormal(s string) bool {
	for i := range len(s) {
		if base36[s[i]] < 0 {
			return false
		}
	}
	return true
}

func isSeparator(r rune) bool {
	switch r {
	case '-', '\u00ad', '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2015', '\u2212', '\ufe63', // hyphens
		'·', '•', '‧', '∙', '⋅', '・', '･', // middle dots
		'\u180e', '\u200b', '\u200c', '\u200d', '\u200e', '\u200f', '\u2060', '\ufeff': // zero width
		return true
	}
	return unicode.IsSpace(r)
}

// Mask hides the middle of a person's number: what tells the person apart, and
// the date of birth. 18 characters keep 6 and 4 (110101********1234), 15 keep 6
// and 3, others of at least 8 keep 2 and 2; shorter ones keep nothing.
// Separators are dropped first. Input that is too long for a number is cut.
func Mask(number string) string {
	n := []rune(Normalize(number[:min(len(number), maxInput)]))
	head, tail := 0, 0
	switch {
	case len(n) == 18:
		head, tail = 6, 4
	case len(n) == 15:
		head, tail = 6, 3
	case len(n) >= 8:
		head, tail = 2, 2
	}
	for i := head; i < len(n)-tail; i++ {
		n[i] = '*'
	}
	return string(n)
}
