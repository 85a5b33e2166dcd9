package codes

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestUSCCVectors(t *testing.T) {
	for _, row := range readRows(t, "uscc.tsv") {
		t.Run(row["code"], func(t *testing.T) {
			got := CheckUSCC(row["code"])
			compare(t, "verdict", string(got.Verdict), row["verdict"])
			compare(t, "normalized", got.Normalized, row["normalised"])
			compare(t, "expected check", got.ExpectedCheck, row["expected_check"])
			compare(t, "expected organization check", got.ExpectedOrganizationCheck, row["expected_org_check"])
			if got.ExpectedCheck != "" {
				compare(t, "division", got.Division, row["division"])
				compare(t, "division status", string(got.DivisionStatus), row["division_status"])
				compare(t, "pair", flag01(got.CategoryName != ""), row["pair_ok"])
				compare(t, "check 31", flag01(strings.HasSuffix(got.Normalized, got.ExpectedCheck)), row["check31_ok"])
				compare(t, "organization check",
					flag01(strings.HasSuffix(got.OrganizationCode, got.ExpectedOrganizationCheck)), row["org_check_ok"])
			} else {
				compare(t, "charset", "0", row["charset_ok"])
			}
			compare(t, "rule absent", flag01(got.Rule == ""), flag01(got.Verdict == VerdictValid))
			compare(t, "IsUSCC", flag01(IsUSCC(got.Normalized)), flag01(row["verdict"] == "valid"))
		})
	}
}

func flag01(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func compare(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// complete builds a USCC from its first 16 characters.
func complete(head string) string {
	head += string(checkOrganizationCode(head[8:]))
	return head + string(checkUSCC(head))
}

func TestUSCCRules(t *testing.T) {
	tests := []struct {
		name, code string
		verdict    Verdict
		rule       Rule
		warnings   []Warning
	}{
		{"annex B example", "91350100M000100Y43", VerdictValid, "", nil},
		{"letter O for 0, taken for 0 by others", "9135010OM000100Y43", VerdictInvalid, RuleAlphabet, nil},
		{"check 0, refused by others", "91330106MA00T01870", VerdictValid, "", nil},
		{"authority N, refused by others", complete("N2330106MF000001"), VerdictValid, "", nil},
		{"authority A", complete("A1110000MB000001"), VerdictValid, "", nil},
		{"authority Y", complete("Y1110000MB000001"), VerdictValid, "", nil},
		{"zeros", "000000000000000000", VerdictBadPair, RuleAuthorityCategory, []Warning{WarningDivisionUnknown}},
		{"division zeros", complete("91000000MA000001"), VerdictInvalid, RuleDivision, []Warning{WarningDivisionUnknown}},
		{"division letter", "9133B106MA2B1WX89N", VerdictInvalid, RuleDivision, nil},
		{"national registry", "91100000100003962T", VerdictValid, "", nil},
		{"development zone", complete("91110302MA000001"), VerdictValid, "", []Warning{WarningDivisionUnknown}},
		{"abolished county", complete("91320621MA000001"), VerdictValid, "", []Warning{WarningDivisionHistorical}},
		{"organization zeros", complete("9111010800000000"), VerdictOrgMismatch, RuleOrganizationCode, nil},
		{"position 17 a letter", "91330106MA2B1WX8AN", VerdictInvalid, RuleAlphabet, nil},
		{"private use", complete("91110108PDY00001"), VerdictValid, "", []Warning{WarningPrivateUseOrganization}},
		{"outside the private zone", complete("91110108PDY00000"), VerdictValid, "", nil},
		{"M0 outside Fujian", "91330211M0000XUF46", VerdictInvalid, RuleCheckDigit, nil},
		{"pilot with a bad pair", "94350211M0000XUF46", VerdictInvalid, RuleCheckDigit, nil},
		{"pilot with a bad organization code", "91350211M0000XUF36", VerdictInvalid, RuleCheckDigit, nil},
		{"a person's number", "110101200002290018", VerdictInvalid, RuleCheckDigit, []Warning{WarningPersonalNumber}},
		{"empty", "", VerdictInvalid, RuleLength, nil},
		{"19 characters", "91330106MA2B1WX89NN", VerdictInvalid, RuleLength, nil},
		{"multibyte", "91330106MA2B1WX营", VerdictInvalid, RuleAlphabet, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := CheckUSCC(test.code)
			if got.Verdict != test.verdict || got.Rule != test.rule || !slices.Equal(got.Warnings, test.warnings) {
				t.Errorf("got %s %q %q, want %s %q %q", got.Verdict, got.Rule, got.Warnings, test.verdict, test.rule, test.warnings)
			}
		})
	}
}

func TestUSCCDescribes(t *testing.T) {
	r := CheckUSCC("92340603MA2UK2P79U")
	compare(t, "authority", r.Authority+r.AuthorityName, "9市场监督管理")
	compare(t, "category", r.Category+r.CategoryName, "2个体工商户")
	compare(t, "division", r.Division+r.DivisionName, "340603安徽省淮北市相山区")
	compare(t, "organization code", r.OrganizationCode, "MA2UK2P79")
}

// TestUSCCPersonalNumberIsMasked: an applicant types the wrong number into the
// field of the code.
func TestUSCCPersonalNumberIsMasked(t *testing.T) {
	r := CheckUSCC("110101 20000229 0018")
	compare(t, "number", r.Number, "110101********0018")
	compare(t, "normalized", r.Normalized, "110101********0018")
}

// TestUSCCDetectsEverySlip: 31 is prime, so no substitution and no adjacent
// transposition keeps a code valid.
func TestUSCCDetectsEverySlip(t *testing.T) {
	for _, row := range readRows(t, "uscc.tsv") {
		if row["verdict"] != "valid" {
			continue
		}
		code := []byte(row["normalised"])
		for i := range code {
			was := code[i]
			for _, c := range []byte(alphabet36) {
				if code[i] = c; c != was && IsUSCC(string(code)) {
					t.Errorf("%s: %s passes", row["normalised"], code)
				}
			}
			code[i] = was
			if i > 0 && code[i-1] != was {
				code[i-1], code[i] = code[i], code[i-1]
				if IsUSCC(string(code)) {
					t.Errorf("%s: %s passes", row["normalised"], code)
				}
				code[i-1], code[i] = code[i], code[i-1]
			}
		}
	}
}

func TestFoldUSCC(t *testing.T) {
	tests := []struct{ in, want string }{
		{"91330106MA2BIWX89N", "91330106MA2B1WX89N"},
		{"9i33O1o6MA2BlWX89N", "91330106MA2BLWX89N"}, // L is legal in the body
		{"913BQ1D6MA2B1WXSGN", "91380106MA2B1WX56N"},
		{"91330106MA2B1WX8XN", "91330106MA2B1WX8XN"},
		{"91330106MAVB1WX89N", "91330106MAVB1WX89N"},
		{"OISZ", "0152"},
		{"BDG", "BDG"},
		{"", ""},
	}
	for _, test := range tests {
		if got := FoldUSCC(test.in); got != test.want {
			t.Errorf("FoldUSCC(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

func TestRepairUSCC(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
	}{
		{"valid", "91330106MA2B1WX89N", nil},
		{"valid, as given in lower case", "91330106ma2b1wx89n", nil},
		{"8 for B", "91330106MA281WX89N", []string{"91330106MA2B1WX89N"}},
		{"I for 1, by folding alone", "91330106MA2BIWX89N", []string{"91330106MA2B1WX89N"}},
		{"V for Y", complete("91330106MAY00001")[:10] + "V" + complete("91330106MAY00001")[11:], []string{complete("91330106MAY00001")}},
		{"too short", "91330106MA2B1WX89", nil},
		{"nothing near", "FOOBARFOOBARFOOBAR", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := RepairUSCC(test.in); !slices.Equal(got, test.want) {
				t.Errorf("RepairUSCC(%q) = %q, want %q", test.in, got, test.want)
			}
		})
	}
}

// TestRepairFindsOneConfusion: whatever one character is misread for, the code
// is among the candidates, and every candidate breaks no rule.
func TestRepairFindsOneConfusion(t *testing.T) {
	for _, row := range readRows(t, "uscc.tsv") {
		if row["verdict"] != "valid" {
			continue
		}
		code := row["normalised"]
		for i := range len(code) {
			for misread := range confusable {
				if !slices.Contains(confusable[misread], rune(code[i])) {
					continue
				}
				read := code[:i] + string(rune(misread)) + code[i+1:]
				got := RepairUSCC(read)
				if !slices.Contains(got, code) {
					t.Errorf("%s read as %s: candidates %q", code, read, got)
				}
				for _, candidate := range got {
					if !IsUSCC(candidate) {
						t.Errorf("%s: candidate %s is not valid", read, candidate)
					}
				}
			}
		}
	}
}

func TestRepairWith(t *testing.T) {
	code := "91330106MA2B1WX89N"
	alternatives := make([][]rune, 18)
	alternatives[11] = []rune("8ＢB") // the same twice, once full-width
	alternatives[13] = []rune("营V")
	if got, want := RepairWith("91330106MAZBlWX89N", alternatives), []string(nil); !slices.Equal(got, want) {
		t.Errorf("two slips: got %q, want %q", got, want)
	}
	if got, want := RepairWith("91330106MA2R1WX89N", alternatives), []string{code}; !slices.Equal(got, want) {
		t.Errorf("one slip: got %q, want %q", got, want)
	}
	if got := RepairWith(code, alternatives); got != nil {
		t.Errorf("valid code: got %q", got)
	}
	if got := RepairWith("91330106MA2R1WX89N", alternatives[:11]); got != nil {
		t.Errorf("no alternative where it is wrong: got %q", got)
	}
	if got := RepairWith("9133", alternatives); got != nil {
		t.Errorf("short: got %q", got)
	}
}

// TestRepairWithRandomCodes: the order is by position, then as offered.
func TestRepairWithRandomCodes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	every := []rune(alphabet31)
	alternatives := slices.Repeat([][]rune{every}, 18)
	for range 200 {
		body := make([]byte, 7)
		for i := range body {
			body[i] = alphabet31[random.IntN(31)]
		}
		code := complete("91330106M" + string(body))
		i := 8 + random.IntN(8)
		read := code[:i] + string(alphabet31[random.IntN(31)]) + code[i+1:]
		got := RepairWith(read, alternatives)
		if read != code && !slices.Contains(got, code) {
			t.Errorf("%s read as %s: %q", code, read, got)
		}
	}
}

func TestIsUSCCDoesNotAllocate(t *testing.T) {
	line := "统一社会信用代码91330106MA2B1WX89N(1-1)"
	if n := testing.AllocsPerRun(100, func() { scan(line) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if !scan(line) {
		t.Error("the code in the line is not found")
	}
}

// scan slides IsUSCC over a line.
func scan(line string) bool {
	for i := 0; i+18 <= len(line); i++ {
		if IsUSCC(line[i : i+18]) {
			return true
		}
	}
	return false
}

func BenchmarkIsUSCC(b *testing.B) {
	for b.Loop() {
		IsUSCC("91330106MA2B1WX89N")
	}
}

func BenchmarkCheckUSCC(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		CheckUSCC("91330106MA2B1WX89N")
	}
}

func BenchmarkRepairUSCC(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		RepairUSCC("91330106MA281WX89N")
	}
}
