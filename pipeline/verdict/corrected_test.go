package verdict

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
)

// TestCorrected: what a person reads is believed, and all checks that rest on it
// follow.
func TestCorrected(t *testing.T) {
	uscc := madeUSCC(t, "91999900MA7DEMQ0")
	type values = map[report.FieldName]string
	tests := []struct {
		name    string
		spoil   func(*Evidence)
		values  values
		outcome report.Outcome
		reasons []string
	}{
		{"nothing corrected", func(e *Evidence) { set(e, report.FieldCompanyName, confidence(0.3)) }, nil, report.OutcomeReview, []string{"name_unreadable review name"}},
		{"doubtful name", func(e *Evidence) { set(e, report.FieldCompanyName, confidence(0.3)) }, values{report.FieldCompanyName: companyName}, report.OutcomePass, nil},
		{"name not read", func(e *Evidence) {
			delete(e.Fields, report.FieldCompanyName)
			e.Unreadable = map[report.FieldName]report.Polygon{report.FieldCompanyName: {{1, 2}}}
		}, values{report.FieldCompanyName: " " + companyName + " "}, report.OutcomePass, nil},
		{"name painted over", func(e *Evidence) { e.NameMasked = report.Polygon{{1, 2}} }, values{report.FieldCompanyName: companyName}, report.OutcomePass, nil},
		{"another name than declared", func(e *Evidence) { e.Declared.Name = companyName }, values{report.FieldCompanyName: "别的样本有限公司"}, report.OutcomeFail, []string{"name_mismatch block name"}},
		{"ambiguous code", func(e *Evidence) {
			delete(e.Fields, report.FieldUSCC)
			e.Code = report.CodeReading{State: report.CodeAmbiguous, Candidates: []string{uscc}}
		}, values{report.FieldUSCC: uscc}, report.OutcomePass, nil},
		{"code in small letters", func(e *Evidence) { e.Code.State = report.CodeUnreadable }, values{report.FieldUSCC: "91999900ma7demq0" + uscc[16:]}, report.OutcomePass, nil},
		{"printed code is wrong", func(e *Evidence) {}, values{report.FieldUSCC: otherDigit(uscc)}, report.OutcomeFail, []string{"uscc_checksum_invalid block uscc"}},
		{"another code than declared", func(e *Evidence) { e.Declared.USCC = uscc }, values{report.FieldUSCC: madeUSCC(t, "91999900MA7DEMQ1")}, report.OutcomeFail, []string{"uscc_mismatch block uscc"}},
		{"another person than declared", func(e *Evidence) { e.Declared.LegalRepresentative = "样本人" }, values{report.FieldLegalRepresentative: "另一人"}, report.OutcomeFail, []string{"legal_rep_mismatch block legal_representative"}},
		{"term in the form of reports", func(e *Evidence) {}, values{report.FieldTerm: "2020-01-15/long_term"}, report.OutcomePass, nil},
		{"term that is over", func(e *Evidence) {}, values{report.FieldTerm: "2010年01月15日至2011年01月14日"}, report.OutcomePass, []string{"document_expired info term"}},
	}
	p := shippedPolicy(t, DefaultPolicy)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := clean(t)
			tt.spoil(&e)
			before, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			corrected, err := e.Corrected(tt.values)
			if err != nil {
				t.Fatal(err)
			}
			if after, _ := json.Marshal(e); string(after) != string(before) {
				t.Error("the machine's evidence was changed")
			}
			outcome, reasons, checks := Decide(Check(corrected, p, today), p)
			var got []string
			for _, r := range reasons {
				got = append(got, r.Code+" "+string(r.Severity)+" "+string(r.Field))
			}
			if outcome != tt.outcome || !slices.Equal(got, tt.reasons) {
				t.Errorf("got %s %q, want %s %q", outcome, got, tt.outcome, tt.reasons)
			}
			invariants(t, corrected, p, outcome, reasons, checks)
			for name := range tt.values {
				if f := corrected.Fields[name]; f.Source != report.SourcePerson {
					t.Errorf("%s: source %q", name, f.Source)
				}
			}
		})
	}
}

func TestCorrectedRefuses(t *testing.T) {
	long := make([]rune, maxCorrection+1)
	for i := range long {
		long[i] = '长'
	}
	for name, values := range map[string]map[report.FieldName]string{
		"no correctable field": {report.FieldSerialNumber: "1"},
		"empty":                {report.FieldCompanyName: " "},
		"not printable":        {report.FieldCompanyName: "a\x00b"},
		"not UTF-8":            {report.FieldCompanyName: "\xff"},
		"too long":             {report.FieldCompanyName: string(long)},
		"short code":           {report.FieldUSCC: "91"},
		"short number":         {report.FieldRegistrationNumber: "12"},
		"no date":              {report.FieldIssued: "yesterday"},
		"no such day":          {report.FieldEstablished: "2020-02-30"},
		"no term":              {report.FieldTerm: "2020-01-15"},
	} {
		e := clean(t)
		_, err := e.Corrected(values)
		var refused *CorrectionError
		if !errors.As(err, &refused) || refused.Rule.ZH == "" || refused.Rule.EN == "" || refused.Retryable() {
			t.Errorf("%s: got %v, want a *CorrectionError", name, err)
		}
	}
}

// TestEvidenceOf: a report holds all that its decision rests on.
func TestEvidenceOf(t *testing.T) {
	e := clean(t)
	e.Unreadable = map[report.FieldName]report.Polygon{report.FieldAddress: {{1, 2}}}
	e.NotRun = map[string]string{"image_screen": "no"}
	r := report.Report{Fields: e.Fields, Document: e.Document, Quality: e.Quality, QR: e.QR, Picture: e.Picture, Basis: &e.Basis}
	r.Quality.Measures = e.Measures
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var stored report.Report
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	got, ok := EvidenceOf(stored, e.Declared)
	e.Quality.Measures = e.Measures
	if !ok || !reflect.DeepEqual(got, e) {
		t.Errorf("got %+v, want %+v", got, e)
	}
	for name, without := range map[string]report.Report{"no basis": {}, "pre-check": {Precheck: true, Basis: &report.Basis{}}} {
		if _, ok := EvidenceOf(without, report.Declared{}); ok {
			t.Errorf("%s: has evidence", name)
		}
	}
}

// TestBarriers: a person overrules the machine, but not who is certified.
func TestBarriers(t *testing.T) {
	uscc := madeUSCC(t, "91999900MA7DEMQ0")
	for _, tt := range []struct {
		name  string
		spoil func(*Evidence)
		want  []string
	}{
		{"clean", func(e *Evidence) {}, nil},
		{"doubtful name", func(e *Evidence) { set(e, report.FieldCompanyName, confidence(0.3)) }, []string{"name_unreadable"}},
		{"no name", func(e *Evidence) { delete(e.Fields, report.FieldCompanyName) }, []string{"name_unreadable"}},
		{"no code", func(e *Evidence) { delete(e.Fields, report.FieldUSCC); e.Code.State = report.CodeUnreadable }, []string{"uscc_unreadable"}},
		{"wrong code", func(e *Evidence) {
			set(e, report.FieldUSCC, value(otherDigit(uscc)))
			e.Code.State = report.CodeInvalid
		}, []string{"uscc_checksum_invalid"}},
		{"other code declared", func(e *Evidence) { e.Declared.USCC = madeUSCC(t, "91999900MA7DEMQ1") }, []string{"uscc_mismatch"}},
		{"other name declared", func(e *Evidence) { e.Declared.Name = "别的样本有限公司" }, []string{"name_mismatch"}},
		{"another certificate", func(e *Evidence) { e.Document.Kind = report.KindOther }, nil},
		{"edited", func(e *Evidence) { e.Picture.Metadata = map[string]string{"software": "Adobe Photoshop"} }, nil},
		{"engine failed, nothing read", func(e *Evidence) { *e = Evidence{Basis: report.Basis{System: "system_engine_failed"}} }, []string{"uscc_unreadable", "name_unreadable"}},
		{"engine failed, a person read", func(e *Evidence) {
			*e = Evidence{Basis: report.Basis{System: "system_engine_failed"}}
			read, err := e.Corrected(map[report.FieldName]string{report.FieldUSCC: uscc, report.FieldCompanyName: companyName})
			if err != nil {
				t.Fatal(err)
			}
			*e = read
		}, nil},
		{"household without a name", householdWithoutName(madeUSCC(t, "92999900MA7DEMQ0")), nil},
	} {
		e := clean(t)
		tt.spoil(&e)
		var got []string
		for _, r := range Barriers(e, shippedPolicy(t, DefaultPolicy), today) {
			got = append(got, r.Code)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestTitles(t *testing.T) {
	for _, e := range Catalog() {
		advice := Advice(e.Code, report.FieldUSCC)
		if title := Title(e.Code); title.ZH == e.Code || title.EN == "" || advice.ZH == "" {
			t.Errorf("%s: title %q, advice %q", e.Code, title, advice)
		}
	}
	for _, name := range CheckNames() {
		if title := Title(name); title.ZH == name || title.EN == "" {
			t.Errorf("check %s has no title", name)
		}
	}
	if got := Title("nonsense"); got.EN != "nonsense" {
		t.Errorf("got %q", got)
	}
}
