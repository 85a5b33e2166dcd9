package certify

import (
	"testing"

	"github.com/heyan/heyan/pipeline/codes"
)

// madeUSCC completes authority and category to a code that keeps its rules.
func madeUSCC(t testing.TB, pair string) string {
	t.Helper()
	s := pair + "999900MA7DEMQ0"
	s += codes.CheckUSCC(s + "00").ExpectedOrganizationCheck
	return s + codes.CheckUSCC(s+"0").ExpectedCheck
}

func TestProcedure(t *testing.T) {
	company := madeUSCC(t, "91")
	typo := company[:17] + map[bool]string{true: "1", false: "0"}[company[17] == '0']
	for _, test := range []struct {
		kind, uscc string
		want       bool
	}{
		{"", company, true},
		{"", " " + company[:6] + " " + company[6:], true},
		{"", madeUSCC(t, "92"), true},
		{"", madeUSCC(t, "93"), true},
		{"", madeUSCC(t, "11"), false}, // government
		{"", madeUSCC(t, "12"), false}, // public institution
		{"", madeUSCC(t, "31"), false}, // law firm
		{"", madeUSCC(t, "51"), false}, // social group
		{"", madeUSCC(t, "52"), false}, // private school
		{"", madeUSCC(t, "54"), false}, // village committee: a pair of local lists
		{"", madeUSCC(t, "81"), false}, // trade union
		{"", madeUSCC(t, "A1"), false},
		{"", madeUSCC(t, "N1"), false},
		{"", madeUSCC(t, "Y1"), false},
		{"company", madeUSCC(t, "51"), false},
		{"school", company, true}, // run as a company
		{"school", typo, false},
		{"company", typo, true},
		{"", "", true},
		{"company", "", true},
		{"有限责任公司（台港澳与境内合资）", "", true},
		{"外商投资企业", "", true},
		{"school", "", false},
		{"Public-Institution", "", false},
		{" social  group ", "", false},
		{"ＯＶＥＲＳＥＡＳ", "", false},
		{"政府", "", false},
		{"事业单位", "", false},
		{"社会团体", "", false},
		{"境外企业", "", false},
	} {
		if got := Procedure(test.kind, test.uscc); got != test.want {
			t.Errorf("%q, %q: got %v, want %v", test.kind, test.uscc, got, test.want)
		}
	}
}
