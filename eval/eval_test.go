package eval

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
)

func TestReadTruth(t *testing.T) {
	table := "file\tgroup\toutcome_expected\tcode_kind\tcode\tname\tlegal_rep\ttype\tcode_legible\trotate_cw_to_upright\tfield_truth\n" +
		"a/1.jpg\tlicences\treadable\tUSCC18\t91350100M000100Y43\t测试有限公司\t张三 (负责人)\t个体工商户; 个人经营\tA\t90\tall fields read from the picture\n" +
		"4.jpg\tlicences\treadable_legacy\tREG13\t1101080000000\t示例店\t王五(? 王/玉)\t家庭经营\t\t\tall fields read from the picture\n" +
		"2.jpg\tlicences\treadable_legacy\tREG15\t110108000000016\t示例厂\t李四\t\t\t\tonly code and name read from the picture\n" +
		"3.jpg\tlicences\tunreadable\tpartly\t9135?\t???\t(hidden)\t\t\t\tall fields read from the picture\n"
	got, err := ReadTruth(strings.NewReader(table), "set")
	if err != nil {
		t.Fatal(err)
	}
	want := []map[report.FieldName]string{
		{report.FieldUSCC: "91350100M000100Y43", report.FieldCompanyName: "测试有限公司", report.FieldLegalRepresentative: "张三",
			report.FieldType: "个体工商户", report.FieldFormation: "个人经营"},
		{report.FieldRegistrationNumber: "1101080000000", report.FieldCompanyName: "示例店", report.FieldLegalRepresentative: "王五",
			report.FieldFormation: "家庭经营"},
		{report.FieldRegistrationNumber: "110108000000016", report.FieldCompanyName: "示例厂"},
		{},
	}
	for i, p := range got {
		if len(p.Fields) != len(want[i]) {
			t.Errorf("row %d: got %v, want %v", i, p.Fields, want[i])
		}
		for field, value := range want[i] {
			if p.Fields[field] != value {
				t.Errorf("row %d %s: got %q, want %q", i, field, p.Fields[field], value)
			}
		}
	}
	if got[0].Path != "set/a/1.jpg" || got[0].Legible != "A" || got[0].Rotation != "90" {
		t.Errorf("got %+v", got[0])
	}
	for name, table := range map[string]string{
		"empty":          "",
		"missing column": "file\tgroup\n",
		"no file":        "file\tgroup\toutcome_expected\tcode_kind\tcode\tname\n\tg\to\tk\tc\tn\n",
	} {
		if _, err := ReadTruth(strings.NewReader(table), ""); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSame(t *testing.T) {
	for _, tt := range []struct {
		field       report.FieldName
		truth, read string
		want        bool
	}{
		{report.FieldCompanyName, "测试（北京）有限公司", "测试(北京)有限公司", true},
		{report.FieldCompanyName, "测试有限公司", "测式有限公司", false},
		{report.FieldCompanyName, "测?有限公司", "测试有限公司", true},
		{report.FieldCompanyName, "测?有限公司", "测有限公司", false},
		{report.FieldCompanyName, "测试 | 有限公司", "测试有限公司", true},
		{report.FieldCompanyName, "测试有限公司", "", false},
		{report.FieldRegisteredCapital, "叁佰万圆整", "叁佰万元整", true},
		{report.FieldEstablished, "2019年9月6日", "2019-09-06", true},
		{report.FieldEstablished, "二〇一九年九月六日", "2019-09-06", true},
		{report.FieldEstablished, "2019年9月6日", "2019-09-08", false},
		{report.FieldAddress, "测试路1号，2室", "测试路1号,2室", true},
	} {
		if got := Same(tt.field, tt.truth, tt.read); got != tt.want {
			t.Errorf("%s %q and %q: got %v", tt.field, tt.truth, tt.read, got)
		}
	}
}

type values = map[report.FieldName]string

// result is a picture with what was read of it.
func result(file, expected string, truth map[report.FieldName]string, outcome report.Outcome, kind report.DocumentKind, read map[report.FieldName]string) Result {
	r := Result{Picture: Picture{File: file, Expected: expected, Fields: truth, Code: truth[report.FieldUSCC], Legible: "A"}}
	r.Report = report.Report{File: file, Outcome: outcome, Document: report.Document{Kind: kind}, Fields: map[report.FieldName]report.Field{}}
	for field, value := range read {
		r.Report.Fields[field] = report.Field{Value: value}
	}
	return r
}

func TestSummarizeAndFloors(t *testing.T) {
	results := []Result{
		result("1", ExpectReadable, values{report.FieldUSCC: "A1", report.FieldCompanyName: "甲"}, report.OutcomePass, report.KindBusinessLicense,
			values{report.FieldUSCC: "A1", report.FieldCompanyName: "甲"}),
		result("2", ExpectReadable, values{report.FieldUSCC: "A2", report.FieldCompanyName: "乙"}, report.OutcomePass, report.KindBusinessLicense,
			values{report.FieldUSCC: "B2", report.FieldCompanyName: "乙"}),
		result("3", ExpectReadableLegacy, values{report.FieldRegistrationNumber: "3", report.FieldCompanyName: "丙"}, report.OutcomeFail, report.KindOther, nil),
		result("4", ExpectNotALicense, nil, report.OutcomeFail, report.KindNone, nil),
		result("5", ExpectNotALicense, nil, report.OutcomePass, report.KindBusinessLicense, nil),
		result("6", ExpectCodeInvalid, values{report.FieldUSCC: "A6"}, report.OutcomeFail, report.KindBusinessLicense, nil),
	}
	s := Summarize(results)
	for name, want := range map[string]Rate{
		"uscc": {1, 2}, "uscc_legible_a": {1, 2}, "name": {2, 3}, "registration_number": {0, 1},
	} {
		if got := s.Exact[name]; got == nil || *got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if s.NegativesCaught != (Rate{1, 2}) || s.CalledOther != (Rate{1, 3}) || s.InvalidCaught != (Rate{1, 1}) {
		t.Errorf("got negatives %v, other %v, invalid %v", s.NegativesCaught, s.CalledOther, s.InvalidCaught)
	}
	if len(s.WrongCodes) != 1 || len(s.WrongCodesPassed) != 1 || s.WrongCodesPassed[0].File != "2" || len(s.WrongNamesPassed) != 0 {
		t.Errorf("got wrong codes %v, passed %v", s.WrongCodes, s.WrongCodesPassed)
	}

	floors, err := ReadFloors(strings.NewReader(`{"exact": {"uscc": 0.5, "name": 0.9, "term": 0.1},
		"negatives_caught": 0.9, "invalid_caught": 1, "called_other": 0.5, "wrong_codes_passed": 0}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"name: 0.667, floor 0.900", "term: not measured", "negatives caught: 0.500, floor 0.900",
		"wrong codes with outcome pass: 1, at most 0"}
	if got := floors.Broken(s); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := ReadFloors(strings.NewReader(`{"exakt": {}}`)); err == nil {
		t.Error("an unknown floor is accepted")
	}
}

func TestInterval(t *testing.T) {
	for _, tt := range []struct {
		rate      Rate
		low, high float64
	}{
		{Rate{95, 100}, 0.8882, 0.9785}, // Wilson, by hand
		{Rate{0, 10}, 0, 0.2775},
		{Rate{10, 10}, 0.7225, 1},
		{Rate{}, 0, 1},
	} {
		low, high := tt.rate.Interval()
		if math.Abs(low-tt.low) > 1e-3 || math.Abs(high-tt.high) > 1e-3 {
			t.Errorf("%v: got %.4f-%.4f, want %.4f-%.4f", tt.rate, low, high, tt.low, tt.high)
		}
	}
}

func TestDeclared(t *testing.T) {
	truth := values{report.FieldUSCC: "A1", report.FieldCompanyName: "甲"}
	declared := func(truth values, outcome report.Outcome, reasons ...report.Reason) Result {
		r := result("", ExpectReadable, truth, outcome, "", nil)
		r.Declared, r.Report.Reasons = Declare(r.Picture), reasons
		return r
	}
	s := Summarize([]Result{
		declared(truth, report.OutcomePass, report.Reason{Code: "name_mismatch", Severity: report.SeverityInfo}),
		declared(truth, report.OutcomeFail, report.Reason{Code: "name_mismatch", Severity: report.SeverityBlock},
			report.Reason{Code: "uscc_mismatch", Severity: report.SeverityBlock}),
		declared(truth, report.OutcomeFail, report.Reason{Code: "too_blurry", Severity: report.SeverityBlock}),
		declared(values{report.FieldUSCC: "A1", report.FieldCompanyName: "甲?"}, report.OutcomeReview),
		result("", ExpectReadable, truth, report.OutcomePass, "", nil),
	})
	if s.DeclaredPassed != (Rate{1, 3}) || s.DeclaredMismatched != 1 {
		t.Errorf("got %v passed, %d mismatched", s.DeclaredPassed, s.DeclaredMismatched)
	}
	if got := Declare(Picture{Fields: values{report.FieldRegistrationNumber: "1", report.FieldCompanyName: "甲"}}); got !=
		(report.Declared{RegistrationNumber: "1", Name: "甲"}) {
		t.Errorf("got %+v", got)
	}
}

func TestFlips(t *testing.T) {
	truth := values{report.FieldCompanyName: "甲"}
	before := []Result{
		result("1", ExpectReadable, truth, report.OutcomePass, report.KindBusinessLicense, values{report.FieldCompanyName: "甲"}),
		result("2", ExpectReadable, truth, report.OutcomeFail, report.KindBusinessLicense, nil),
		result("3", ExpectReadable, truth, report.OutcomePass, report.KindBusinessLicense, values{report.FieldCompanyName: "甲"}),
	}
	after := []Result{
		result("1", ExpectReadable, truth, report.OutcomePass, report.KindBusinessLicense, values{report.FieldCompanyName: "由"}),
		result("2", ExpectReadable, truth, report.OutcomePass, report.KindBusinessLicense, values{report.FieldCompanyName: "甲"}),
		before[2],
	}
	want := []string{
		"1: name became wrong: 由, truth 甲",
		"2: name became right: 甲, truth 甲",
		"2: outcome fail became pass ()",
	}
	if got := Flips(before, after); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
