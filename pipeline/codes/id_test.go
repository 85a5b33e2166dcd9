package codes

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIDVectors(t *testing.T) {
	for _, row := range readRows(t, "id.tsv") {
		t.Run(row["number"], func(t *testing.T) {
			for _, kind := range []IDKind{"", Kind(row["kind"])} {
				got := CheckID(row["number"], kind, today)
				compare(t, "kind", string(got.Kind), row["kind"])
				compare(t, "verdict", string(got.Verdict), row["verdict"])
				compare(t, "expected check", got.ExpectedCheck, row["expected_check"])
				compare(t, "division status", string(got.DivisionStatus), row["division_status"])
				if status := row["division_at_birth"]; status != "" {
					compare(t, "division out of time",
						flag01(slices.Contains(got.Warnings, WarningDivisionOutOfTime)), flag01(status == "out-of-time"))
				}
				compare(t, "masked", got.Number, Mask(row["number"]))
			}
		})
	}
}

// withCheck appends the check character to 17 digits.
func withCheck(head string) string { return head + string(checkResident(head)) }

func TestIDRules(t *testing.T) {
	tests := []struct {
		name, number string
		kind         IDKind
		wantKind     IDKind
		verdict      Verdict
		rule         Rule
		warnings     []Warning
	}{
		{"standard's example", "11010519491231002X", "", KindResident18, VerdictValid, "", nil},
		{"small x", "11010519491231002x", "", KindResident18, VerdictValid, "", nil},
		{"full-width, spaces", "１１０１０５ 19491231 002Ｘ", "", KindResident18, VerdictValid, "", nil},
		{"county in no list", "32021919900101003X", "", KindResident18, VerdictValid, "", []Warning{WarningDivisionUnknown}},
		{"province 10", withCheck("10000019900101001"), "", KindResident18, VerdictInvalid, RuleDivision, nil},
		{"province 16", withCheck("16000019900101001"), "", KindResident18, VerdictInvalid, RuleDivision, nil},
		{"X within", "1101051949123100X2", "", KindResident18, VerdictInvalid, RuleAlphabet, nil},
		{"17 digits", "11010519491231002", "", KindResident18, VerdictInvalid, RuleLength, nil},
		{"month 13", withCheck("11010119901301001"), "", KindResident18, VerdictInvalid, RuleBirthDate, nil},
		{"born today", withCheck("11010120260301001"), "", KindResident18, VerdictValid, "", nil},
		{"born tomorrow", withCheck("11010120260302001"), "", KindResident18, VerdictInvalid, RuleBirthDate, nil},
		{"permit declared as resident", "810000199408230021", KindResident18, KindResident18, VerdictInvalid, RuleDivision, nil},
		{"permit with a county", withCheck("81000119940823002"), "", KindHKResidentPermit, VerdictInvalid, RuleDivision, nil},
		{"foreign resident, refused by others", "932682198501010017", "", KindForeignResident18, VerdictValid, "", nil},
		{"foreign resident without country", withCheck("93200019850101001"), "", KindForeignResident18, VerdictInvalid, RuleDivision, nil},
		{"resident declared as foreign", "11010519491231002X", KindForeignResident18, KindForeignResident18, VerdictInvalid, RuleFormat, nil},

		{"15 digits", "110101900101001", "", KindResident15, VerdictFormatValid, "", []Warning{WarningFormerNumber}},
		{"15, letters in the sequence, accepted by others", "610104620927abc", "", KindResident15, VerdictInvalid, RuleAlphabet, nil},
		{"15, bad date", "110101900230001", "", KindResident15, VerdictInvalid, RuleBirthDate, []Warning{WarningFormerNumber}},
		{"15, bad province", "990101900101001", "", KindResident15, VerdictInvalid, RuleDivision, []Warning{WarningFormerNumber}},

		{"former foreign", "KAZ110090123105", "", KindForeignResident15, VerdictFormatValid, "", nil},
		{"former foreign, leap day of 2000", "KAZ110000022905", "", KindForeignResident15, VerdictFormatValid, "", nil},
		{"former foreign, bad date", "KAZ110090023105", "", KindForeignResident15, VerdictInvalid, RuleBirthDate, nil},
		{"former foreign, bad place", "KAZ990090123105", "", KindForeignResident15, VerdictInvalid, RuleDivision, nil},
		{"former foreign, letter late", "KAZ11009012310A", "", KindForeignResident15, VerdictInvalid, RuleAlphabet, nil},
		{"former foreign, digit early", "110110090123105", KindForeignResident15, KindForeignResident15, VerdictInvalid, RuleAlphabet, nil},

		{"Taiwan booklet", "1234567801", "", KindTWTravelPermit, VerdictFormatValid, "", nil},
		{"Taiwan booklet, letter", "12345678A1", "", KindTWTravelPermit, VerdictFormatValid, "", nil},
		{"passport without I", "EI1234567", "", KindPassportCN, VerdictInvalid, RuleFormat, nil},
		{"old passport", "141234567", "", KindPassportCN, VerdictFormatValid, "", nil},
		{"service passport", "SE1234567", "", KindPassportCN, VerdictFormatValid, "", nil},
		{"foreign passport is never told", "AB123456", "", "", VerdictInvalid, RuleKind, nil},
		{"foreign passport", "AB123456", KindPassportForeign, KindPassportForeign, VerdictFormatValid, "", nil},
		{"foreign passport too long", strings.Repeat("A", 18), KindPassportForeign, KindPassportForeign, VerdictInvalid, RuleFormat, nil},
		{"unknown kind is not echoed", "AB123456", "driving-license", "", VerdictInvalid, RuleKind, nil},
		{"kind of an organization", "AB123456", KindUSCC, KindUSCC, VerdictInvalid, RuleKind, nil},
		{"empty", " ", "", "", VerdictInvalid, RuleLength, nil},
		{"words", "身份证", "", "", VerdictInvalid, RuleKind, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := CheckID(test.number, test.kind, today)
			if got.Kind != test.wantKind || got.Verdict != test.verdict || got.Rule != test.rule || !slices.Equal(got.Warnings, test.warnings) {
				t.Errorf("got %s %s %q %q, want %s %s %q %q", got.Kind, got.Verdict, got.Rule, got.Warnings,
					test.wantKind, test.verdict, test.rule, test.warnings)
			}
		})
	}
}

func TestIDBirthAndSex(t *testing.T) {
	tests := []struct {
		number string
		birth  string
		sex    Sex
	}{
		{"11010519491231002X", "1949-12-31", SexFemale},
		{"440524188001010014", "1880-01-01", SexMale},
		{"110101900101001", "1990-01-01", SexMale},
		{"110101900101996", "1890-01-01", SexFemale},
		{"830000199201300022", "1992-01-30", SexFemale},
		{"932682198501010017", "1985-01-01", ""},
		{"110101190002290011", "0001-01-01", SexMale},
	}
	for _, test := range tests {
		got := CheckID(test.number, "", today)
		if birth := got.Birth.Format(time.DateOnly); birth != test.birth || got.Sex != test.sex {
			t.Errorf("%s: got %s %q, want %s %q", test.number, birth, got.Sex, test.birth, test.sex)
		}
	}
}

// TestIDPrintsNoNumber: a Result that lands in a log tells nothing of a person.
func TestIDPrintsNoNumber(t *testing.T) {
	for _, number := range []string{"11010519491231002X", "11010519491231001X", "1101051949123100"} {
		got := fmt.Sprintf("%v %+v %s", CheckID(number, "", today), CheckID(number, "", today), CheckUSCC(number))
		if strings.Contains(got, "19491231") || strings.Contains(got, "1949-12-31") {
			t.Errorf("printed %s", got)
		}
	}
}

// TestResidentDetectsEverySlip: MOD 11-2 catches every wrong character and every
// adjacent transposition.
func TestResidentDetectsEverySlip(t *testing.T) {
	for _, valid := range []string{"11010519491231002X", "110101200002290018", "440524188001010014"} {
		number := []byte(valid)
		for i := range number {
			was := number[i]
			for _, c := range []byte("0123456789X") {
				if number[i] = c; c != was && CheckID(string(number), KindResident18, today).Verdict == VerdictValid {
					t.Errorf("%s: %s passes", valid, number)
				}
			}
			number[i] = was
			if i > 0 && number[i-1] != was {
				number[i-1], number[i] = number[i], number[i-1]
				if CheckID(string(number), KindResident18, today).Verdict == VerdictValid {
					t.Errorf("%s: %s passes", valid, number)
				}
				number[i-1], number[i] = number[i], number[i-1]
			}
		}
	}
}
