package codes

import (
	"encoding/json"
	"flag"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// today is the clock of all tests.
var today = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// readRows reads a file of vectors: a head line, then tab-separated columns.
func readRows(t testing.TB, name string) []map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	head := strings.Split(lines[0], "\t")
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, value := range strings.Split(line, "\t") {
			row[head[i]] = value
		}
		rows = append(rows, row)
	}
	return rows
}

func TestNormalize(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"91330106MA2B1WX89N", "91330106MA2B1WX89N"},
		{"91330106ma2b1wx89n", "91330106MA2B1WX89N"},
		{"９１３３０１０６ＭＡ２Ｂ１ＷＸ８９ｎ", "91330106MA2B1WX89N"},
		{" 91330106\tMA2B1WX89N\n", "91330106MA2B1WX89N"},
		{"91330106　MA2B1WX89N", "91330106MA2B1WX89N"},
		{"D2143569-X", "D2143569X"},
		{"D2143569－x", "D2143569X"},
		{"D2143569—X", "D2143569X"},
		{"9133·0106•MA2B・1WX89N", "91330106MA2B1WX89N"},
		{"\ufeff9133\u200b0106", "91330106"},
		{"①Ⅰſı", "①Ⅰſı"}, // resembles digits and letters, is none
		{"营业执照", "营业执照"},
		{"\xff1", "\ufffd1"},
	}
	for _, test := range tests {
		if got := Normalize(test.in); got != test.want {
			t.Errorf("Normalize(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

func TestMask(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"110101200002290018", "110101********0018"},
		{"11010519491231002x", "110105********002X"},
		{"110101 20000229 0018", "110101********0018"},
		{"110101900101001", "110101******001"},
		{"H12345678", "H1*****78"},
		{"12345678", "12****78"},
		{"1234567", "*******"},
		{"1101012000022900", "11************00"},
		{strings.Repeat("7", 1000), "77" + strings.Repeat("*", maxInput-4) + "77"},
	}
	for _, test := range tests {
		if got := Mask(test.in); got != test.want {
			t.Errorf("Mask(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

func TestInputTooLong(t *testing.T) {
	long := strings.Repeat("1", maxInput+1)
	for name, r := range map[string]Result{
		"uscc": CheckUSCC(long), "registration": CheckRegistrationNumber(long),
		"organization": CheckOrganizationCode(long), "id": CheckID(long, "", today),
	} {
		if r.Verdict != VerdictInvalid || r.Rule != RuleLength || r.Number != "" || r.Message.ZH == "" {
			t.Errorf("%s: got %+v, rule %q", name, r.Verdict, r.Rule)
		}
	}
	if RepairUSCC(long) != nil {
		t.Error("candidates for an overlong code")
	}
}

// TestResultJSON holds the shape of the JSON form and the messages.
func TestResultJSON(t *testing.T) {
	results := []Result{
		CheckUSCC("91110108ma01abcd5t"),
		CheckUSCC("91110108MA01ABCD0B"),
		CheckUSCC("94110108MA01ABCD5H"),
		CheckUSCC("91350200M000000510"),
		CheckUSCC("91330106MA2BIWX89N"),
		CheckUSCC("91330106MA2B1WX89"),
		CheckUSCC("91330106MA2B1WX89M"),
		CheckUSCC("110101200002290018"),
		CheckRegistrationNumber("110108400000015"),
		CheckRegistrationNumber("1101081234567"),
		CheckOrganizationCode("D2143569-X"),
		CheckOrganizationCode("00000000-0"),
		CheckID("110101200002290018", "", today),
		CheckID("110101900101001", KindResident15, today),
		CheckID("110101190002290011", KindResident18, today),
		CheckID("990101200002290018", KindResident18, today),
		CheckID("H1234567", "", today),
		CheckID("H12345678", "", today),
		CheckID("110101200002290018", "110101200002290018", today),
	}
	got, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	golden := filepath.Join("testdata", "results.golden.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("results differ from %s; after a look run with -update. Got:\n%s", golden, got)
	}
	if strings.Contains(string(got), "20000229") {
		t.Error("a date of birth is in the JSON form")
	}
}

func TestMessagesCoverAllKindsAndRules(t *testing.T) {
	kinds := append(IDKinds(), KindUSCC, KindRegistration15, KindRegistration13, KindOrganizationCode, "")
	rules := []Rule{RuleKind, RuleLength, RuleAlphabet, RuleFormat, RuleDivision, RuleBirthDate, RuleCheckDigit,
		RuleAuthorityCategory, RuleOrganizationCode}
	verdictOf := map[Rule]Verdict{RuleAuthorityCategory: VerdictBadPair}
	for _, kind := range kinds {
		if _, ok := nouns[kind]; !ok {
			t.Errorf("kind %q has no noun", kind)
		}
		for _, rule := range rules {
			r := Result{Kind: kind, Verdict: VerdictInvalid, Rule: rule}
			if v, ok := verdictOf[rule]; ok {
				r.Verdict = v
			}
			r.explain()
			if r.Message.ZH == "" || r.Message.EN == "" || strings.Contains(r.Message.EN, "%!") {
				t.Errorf("%s %s: message %+v", kind, rule, r.Message)
			}
		}
	}
}

// TestImportsStandardLibraryOnly holds that the package can go anywhere.
func TestImportsStandardLibraryOnly(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(path, "/")
			forbidden := []string{"C", "net", "os", "database"}
			if strings.Contains(first, ".") || !strings.HasSuffix(file, "_test.go") && slices.Contains(forbidden, first) {
				t.Errorf("%s imports %s", file, path)
			}
		}
	}
}
