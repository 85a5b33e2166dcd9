package codes

import "testing"

func TestRegistrationVectors(t *testing.T) {
	classes := map[string]string{
		"国有、集体、股份合作、联营企业":   "domestic (SOE, collective, JV, cooperative-share)",
		"自然人投资的公司":          "domestic (natural-person companies)",
		"外商投资企业":            "foreign-invested",
		"外国企业常驻代表机构及外商投资企业": "foreign (rep office/other)",
		"个体工商户":             "individual",
	}
	for _, row := range readRows(t, "regno.tsv") {
		t.Run(row["number"], func(t *testing.T) {
			got := CheckRegistrationNumber(row["number"])
			if row["kind"] == "orgcode9" {
				got = CheckOrganizationCode(row["number"])
			}
			compare(t, "kind", string(got.Kind), row["kind"])
			compare(t, "verdict", string(got.Verdict), row["verdict"])
			compare(t, "expected check", got.ExpectedCheck, row["expected_check"])
			compare(t, "division status", string(got.DivisionStatus), row["division_status"])
			compare(t, "class", classes[got.CategoryName], row["sequence_class"])
		})
	}
}

func TestRegistrationRules(t *testing.T) {
	tests := []struct {
		name, number string
		verdict      Verdict
		rule         Rule
		position     int
	}{
		{"repeated digit, accepted by others", "111111111111111", VerdictInvalid, RuleCheckDigit, 0},
		{"full-width", "１１０１０８０００００００１６", VerdictValid, "", 0},
		{"letter", "11010800000001X", VerdictInvalid, RuleAlphabet, 15},
		{"13 with a letter", "110108123456B", VerdictInvalid, RuleAlphabet, 13},
		{"14 digits", "11010800000001", VerdictInvalid, RuleLength, 0},
		{"division zeros", "00000000000000" + string(checkRegistration("00000000000000")), VerdictInvalid, RuleDivision, 0},
		{"unknown division", "99999900000000" + string(checkRegistration("99999900000000")), VerdictValid, "", 0},
		{"empty", "", VerdictInvalid, RuleLength, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := CheckRegistrationNumber(test.number)
			if got.Verdict != test.verdict || got.Rule != test.rule || got.Position != test.position {
				t.Errorf("got %s %q at %d, want %s %q at %d", got.Verdict, got.Rule, got.Position, test.verdict, test.rule, test.position)
			}
		})
	}
}

func TestOrganizationCodeRules(t *testing.T) {
	tests := []struct {
		name, code string
		verdict    Verdict
		rule       Rule
		warnings   int
	}{
		{"lower case, hyphen", "d2143569-x", VerdictValid, "", 0},
		{"letters that no USCC has", "OISVZ000" + string(checkOrganizationCode("OISVZ000")), VerdictValid, "", 0},
		{"letter as check", "D2143569A", VerdictInvalid, RuleAlphabet, 0},
		{"punctuation", "D214356/X", VerdictInvalid, RuleAlphabet, 0},
		{"check", "D21435690", VerdictInvalid, RuleCheckDigit, 0},
		{"zeros", "000000000", VerdictInvalid, RuleOrganizationCode, 0},
		{"private use", "PDY00001" + string(checkOrganizationCode("PDY00001")), VerdictValid, "", 1},
		{"8 characters", "D2143569", VerdictInvalid, RuleLength, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := CheckOrganizationCode(test.code)
			if got.Verdict != test.verdict || got.Rule != test.rule || len(got.Warnings) != test.warnings {
				t.Errorf("got %s %q %q, want %s %q", got.Verdict, got.Rule, got.Warnings, test.verdict, test.rule)
			}
		})
	}
}

// TestRegistrationDetectsEverySlip: MOD 11,10 catches every wrong digit.
func TestRegistrationDetectsEverySlip(t *testing.T) {
	for _, row := range readRows(t, "regno.tsv") {
		if row["kind"] != "regno15" || row["verdict"] != "valid" {
			continue
		}
		number := []byte(row["number"])
		for i := range number {
			was := number[i]
			for c := byte('0'); c <= '9'; c++ {
				if number[i] = c; c != was && CheckRegistrationNumber(string(number)).Verdict == VerdictValid {
					t.Errorf("%s: %s passes", row["number"], number)
				}
			}
			number[i] = was
		}
	}
}
