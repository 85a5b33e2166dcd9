package certify

import (
	"reflect"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
)

func licensed() report.Report {
	return report.Report{
		Policy: "dingtalk@2",
		Fields: map[report.FieldName]report.Field{
			report.FieldCompanyName:         {Value: "样本市示例科技（北方）有限公司"},
			report.FieldUSCC:                {Value: "91999900MA7DEMQ00X"},
			report.FieldLegalRepresentative: {Value: "样本人"},
			report.FieldRegisteredCapital:   {Value: "壹佰万元整", Amount: &report.Amount{Value: "1000000", Currency: "CNY"}},
			report.FieldTerm:                {Value: "2019-09-16/long_term"},
		},
		Checks: []report.Check{
			{Name: "uscc_checksum", Status: report.CheckPassed},
			{Name: "name_match", Status: report.CheckPassed},
			{Name: "document_term", Status: report.CheckPassed},
		},
	}
}

func TestFactsOf(t *testing.T) {
	want := Facts{Name: "样本市示例科技（北方）有限公司", USCC: "91999900MA7DEMQ00X", LegalRepresentative: "样本人", Capital: "1000000 CNY",
		Term: "2019-09-16/long_term", Policy: "dingtalk@2", Checks: map[string]report.CheckStatus{
			"uscc_checksum": report.CheckPassed, "name_match": report.CheckPassed, "document_term": report.CheckPassed}}
	if got := FactsOf(licensed()); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := FactsOf(report.Report{Fields: map[report.FieldName]report.Field{report.FieldRegisteredCapital: {Value: "壹佰万"}}}); got.Capital != "壹佰万" {
		t.Errorf("capital without an amount: %q", got.Capital)
	}
}

func TestDifferences(t *testing.T) {
	set := func(field report.FieldName, value string) func(*report.Report) {
		return func(r *report.Report) { r.Fields[field] = report.Field{Value: value} }
	}
	check := func(name string, status report.CheckStatus) func(*report.Report) {
		return func(r *report.Report) {
			for i := range r.Checks {
				if r.Checks[i].Name == name {
					r.Checks[i].Status = status
					return
				}
			}
			r.Checks = append(r.Checks, report.Check{Name: name, Status: status})
		}
	}
	for _, test := range []struct {
		name   string
		before func(*report.Report)
		after  func(*report.Report)
		want   []Difference
	}{
		{"nothing", nil, nil, nil},
		{"width and spaces", nil, set(report.FieldCompanyName, "样本市 示例科技(北方)有限公司"), nil},
		{"name", nil, set(report.FieldCompanyName, "样本市样品科技有限公司"), []Difference{{"name", "样本市示例科技（北方）有限公司", "样本市样品科技有限公司"}}},
		{"code", nil, set(report.FieldUSCC, "91999900MA7DEMQ01Y"), []Difference{{"uscc", "91999900MA7DEMQ00X", "91999900MA7DEMQ01Y"}}},
		{"legal representative", nil, set(report.FieldLegalRepresentative, "示例人"), []Difference{{"legal_representative", "样本人", "示例人"}}},
		{"capital in other words", nil, func(r *report.Report) {
			r.Fields[report.FieldRegisteredCapital] = report.Field{Value: "100万元", Amount: &report.Amount{Value: "1000000", Currency: "CNY"}}
		}, nil},
		{"capital in another currency", nil, func(r *report.Report) {
			r.Fields[report.FieldRegisteredCapital] = report.Field{Value: "100万美元", Amount: &report.Amount{Value: "1000000", Currency: "USD"}}
		}, []Difference{{"registered_capital", "1000000 CNY", "1000000 USD"}}},
		{"term", nil, set(report.FieldTerm, "2019-09-16/2029-09-15"), []Difference{{"term", "2019-09-16/long_term", "2019-09-16/2029-09-15"}}},
		{"not read any more", nil, func(r *report.Report) { delete(r.Fields, report.FieldTerm) }, []Difference{{"term", "2019-09-16/long_term", ""}}},
		{"not read before", func(r *report.Report) { delete(r.Fields, report.FieldTerm) }, nil, nil},
		{"check failed", nil, check("document_term", report.CheckFailed), []Difference{{"checks.document_term", "passed", "failed"}}},
		{"check mended", check("document_term", report.CheckFailed), nil, []Difference{{"checks.document_term", "failed", "passed"}}},
		{"check not run", nil, check("name_match", report.CheckNotRun), []Difference{{"checks.name_match", "passed", "not_run"}}},
		{"new check passed", nil, check("photo_use", report.CheckPassed), nil},
		{"new check failed", nil, check("photo_use", report.CheckFailed), []Difference{{"checks.photo_use", "", "failed"}}},
		{"check no longer made", check("photo_use", report.CheckPassed), nil, nil},
		{"policy", nil, func(r *report.Report) { r.Policy = "dingtalk@3" }, []Difference{{"policy", "dingtalk@2", "dingtalk@3"}}},
		{"several, in order", nil, func(r *report.Report) {
			r.Policy = "dingtalk@3"
			set(report.FieldTerm, "long_term")(r)
			check("uscc_checksum", report.CheckFailed)(r)
			check("name_match", report.CheckFailed)(r)
			set(report.FieldCompanyName, "样本店")(r)
		}, []Difference{{"name", "样本市示例科技（北方）有限公司", "样本店"}, {"term", "2019-09-16/long_term", "long_term"},
			{"checks.name_match", "passed", "failed"}, {"checks.uscc_checksum", "passed", "failed"}, {"policy", "dingtalk@2", "dingtalk@3"}}},
	} {
		before, after := licensed(), licensed()
		if test.before != nil {
			test.before(&before)
		}
		if test.after != nil {
			test.after(&after)
		}
		if got := Differences(FactsOf(before), FactsOf(after)); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}
