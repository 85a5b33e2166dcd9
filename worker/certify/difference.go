package certify

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/report"
)

// Facts are what a verification found of an organization, as it is kept with a
// certification. What was not read is empty.
type Facts struct {
	Name, USCC, LegalRepresentative string
	Capital                         string // decimal number and ISO 4217 currency where both were told: 1000000 CNY
	Term                            string // 2019-09-16/2039-09-15, 2019-09-16/long_term or long_term
	Policy                          string // name@version
	Checks                          map[string]report.CheckStatus
}

// FactsOf takes them from a report.
func FactsOf(r report.Report) Facts {
	f := Facts{
		Name:                r.Fields[report.FieldCompanyName].Value,
		USCC:                codes.Normalize(r.Fields[report.FieldUSCC].Value),
		LegalRepresentative: r.Fields[report.FieldLegalRepresentative].Value,
		Capital:             r.Fields[report.FieldRegisteredCapital].Value,
		Term:                r.Fields[report.FieldTerm].Value,
		Policy:              r.Policy,
		Checks:              make(map[string]report.CheckStatus, len(r.Checks)),
	}
	if a := r.Fields[report.FieldRegisteredCapital].Amount; a != nil {
		f.Capital = a.Value + " " + a.Currency // 壹佰万元整 and 100万元 are one
	}
	for _, c := range r.Checks {
		f.Checks[c.Name] = c.Status
	}
	return f
}

// Difference is one thing that is not as it was certified. Field is that of a
// report (name, uscc, legal_representative, registered_capital, term), checks.
// with the name of a check, or policy. The values of name and legal
// representative are for people to see, not for events.
type Difference struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"` // empty: not read any more
}

// Differences tells what is not as it was certified, fields first, then checks by
// name, then the policy; none when all is. Width and spaces make no difference. A
// value or a check that was not there before has not changed: readers and checks
// get better, licenses since September 2022 print no term. Only a new check that
// fails is told. A check that is no longer made has not changed either; its
// policy or version has.
//
// after is of a reading that was completed: in one of outcome error everything
// that was certified is missing.
func Differences(before, after Facts) []Difference {
	var found []Difference
	for _, f := range []struct {
		field         report.FieldName
		before, after string
	}{
		{report.FieldCompanyName, before.Name, after.Name},
		{report.FieldUSCC, before.USCC, after.USCC},
		{report.FieldLegalRepresentative, before.LegalRepresentative, after.LegalRepresentative},
		{report.FieldRegisteredCapital, before.Capital, after.Capital},
		{report.FieldTerm, before.Term, after.Term},
	} {
		if f.before != "" && plain(f.before) != plain(f.after) {
			found = append(found, Difference{string(f.field), f.before, f.after})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after.Checks)) {
		was, is := before.Checks[name], after.Checks[name]
		if was != is && (was != "" || is == report.CheckFailed) {
			found = append(found, Difference{"checks." + name, string(was), string(is)})
		}
	}
	if before.Policy != after.Policy {
		found = append(found, Difference{"policy", before.Policy, after.Policy})
	}
	return found
}

// plain is a value without what printers and readers may change in it.
func plain(s string) string { return strings.Join(strings.Fields(norm.NFKC.String(s)), "") }
