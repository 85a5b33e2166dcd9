package verdict

import (
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/report"
)

// processing is Heyan's own part.
func (x *examination) processing() []Finding {
	if x.System == "" {
		return pass("")
	}
	f := fail(x.System, report.Evidence{})
	if entries[x.System].Category != report.CategorySystem {
		f.Code = codeEngineFailed
	}
	return []Finding{f}
}

func (x *examination) documentKind() []Finding {
	switch x.Document.Kind {
	case report.KindBusinessLicense:
		return pass(string(x.Document.Edition))
	case report.KindOther:
		f := fail("document_other_certificate", report.Evidence{Detail: "title", Found: quoted(x.Document.Title), Polygon: x.Document.Quad})
		if x.Document.Title == "" {
			f.Case, f.Evidence.Detail = "untitled", ""
		}
		return []Finding{f}
	case report.KindNone:
		f := fail("document_not_a_license", report.Evidence{})
		for _, d := range x.defects {
			if !d.Legible { // nothing could be read, whatever it was
				f.Case = "illegible"
			}
		}
		return []Finding{f}
	}
	return notRun("the kind of document is not known")
}

func (x *examination) specimen() []Finding {
	if x.Document.Specimen {
		return []Finding{fail("document_specimen", report.Evidence{Polygon: x.Document.Quad})}
	}
	return pass("")
}

func (x *examination) masking() []Finding {
	switch {
	case x.Code.State == report.CodeMasked:
		return []Finding{fail("document_masked", report.Evidence{Polygon: x.Code.Polygon}).about(report.FieldUSCC)}
	case len(x.NameMasked) > 0:
		return []Finding{fail("document_masked", report.Evidence{Polygon: x.NameMasked}).about(report.FieldCompanyName)}
	case x.Code.State == report.CodeNotRun || x.Code.State == "":
		return notRun("the code was not looked for")
	}
	return pass("")
}

// maxCandidates is how many candidates of an ambiguous code evidence quotes.
const maxCandidates = 3

func (x *examination) usccReadable() []Finding {
	switch x.Code.State {
	case report.CodeMasked:
		return notApplicable("the code is masked")
	case report.CodeRead, report.CodeInvalid, report.CodeAmbiguous, report.CodeUnreadable, report.CodeAbsent:
	default:
		return notRun("the code was not looked for")
	}
	f := x.Fields[x.code.field]
	if x.code.certainty == certain {
		return []Finding{{Status: report.CheckPassed, Score: &f.Confidence, Limit: &x.code.limit, Note: warnings(x.uscc)}}
	}
	e := report.Evidence{Detail: x.code.of, Polygon: x.code.polygon}
	switch x.code.of {
	case "low_confidence":
		e.Measure, e.Value, e.Limit = "confidence", &f.Confidence, &x.code.limit
		e.Found = quotedCode(f.Value, x.today)
	case "ambiguous":
		var candidates []string
		for _, c := range x.Code.Candidates[:min(len(x.Code.Candidates), maxCandidates)] {
			candidates = append(candidates, quotedCode(c, x.today))
		}
		e.Found = strings.Join(candidates, " / ")
	case "qr_only", "check_digit":
		e.Found = quotedCode(f.Value, x.today)
	}
	return []Finding{fail("uscc_unreadable", e).in(x.code.of).about(x.code.field)}
}

// warnings lists the remarks on a code, which change nothing.
func warnings(r codes.Result) string {
	var words []string
	for _, w := range r.Warnings {
		words = append(words, strings.ReplaceAll(string(w), "_", " "))
	}
	return strings.Join(words, ", ")
}

// noCode gives a finding when no USCC was read that rules could be applied to.
func (x *examination) noCode() []Finding {
	switch {
	case x.Code.State == report.CodeNotRun || x.Code.State == "":
		return notRun("the code was not looked for")
	case x.legacy:
		return notApplicable("the license has a registration number only")
	case x.uscc.Verdict == "":
		return notApplicable("no code was read")
	}
	return nil
}

func (x *examination) usccChecksum() []Finding {
	value := x.Fields[report.FieldUSCC].Value
	printed := report.Evidence{Detail: string(codes.RuleCheckDigit), Found: quotedCode(value, x.today), Polygon: x.code.polygon}
	if x.Code.State == report.CodeInvalid && x.uscc.Verdict == "" {
		return []Finding{fail("uscc_checksum_invalid", printed).about(report.FieldUSCC)}
	}
	if f := x.noCode(); f != nil {
		return f
	}
	printed.Detail = string(x.uscc.Rule)
	switch {
	case x.uscc.Verdict == codes.VerdictPilotException:
		return []Finding{fail("uscc_pilot_code", printed).about(report.FieldUSCC)}
	case x.uscc.Verdict == codes.VerdictValid && x.Code.State == report.CodeInvalid:
		printed.Detail = string(codes.RuleFormat) // the reader saw a defect that its value does not show
		return []Finding{fail("uscc_checksum_invalid", printed).about(report.FieldUSCC)}
	case x.uscc.Verdict == codes.VerdictValid, x.uscc.Verdict == codes.VerdictBadPair && x.uscc.Authority != licenseAuthority:
		return pass("")
	}
	return []Finding{fail("uscc_checksum_invalid", printed).about(report.FieldUSCC)}
}

// licenseAuthority is position 1 of every USCC on a business license: the
// market regulator (GB 32100-2015, table 1).
const licenseAuthority = "9"

func (x *examination) usccCategory() []Finding {
	if f := x.noCode(); f != nil {
		return f
	}
	switch {
	case x.uscc.Authority == "":
		return notApplicable("the code breaks other rules")
	case x.uscc.Authority != licenseAuthority:
		found := x.uscc.AuthorityName
		if found == "" {
			found = x.uscc.Authority
		}
		return []Finding{fail("uscc_category_not_supported", report.Evidence{Detail: "authority", Found: found, Polygon: x.code.polygon}).about(report.FieldUSCC)}
	}
	return pass(x.uscc.CategoryName)
}

// usccQR compares the printed code with every QR code that carries one. A
// difference blocks under the shipped policies: the payload cannot be misread
// and a certain reading of the print is proven by two check characters, so
// either the license was altered or the codes belong to two documents.
func (x *examination) usccQR() []Finding {
	if f := x.noCode(); f != nil {
		return f
	}
	compared := false
	for _, qr := range x.QR {
		if qr.USCC == "" {
			continue
		}
		if x.code.certainty != certain {
			return notRun("the printed code " + notCertain)
		}
		compared = true
		printed := x.Fields[report.FieldUSCC].Value
		if codes.Normalize(qr.USCC) != codes.Normalize(printed) {
			return []Finding{fail("uscc_qr_mismatch", report.Evidence{
				Detail: "qr", Expected: quotedCode(qr.USCC, x.today), Found: quotedCode(printed, x.today), Polygon: qr.Polygon,
			}).about(report.FieldUSCC)}
		}
	}
	if !compared {
		return notApplicable("no QR code carries a code")
	}
	return pass("")
}

func (x *examination) edition() []Finding {
	if x.Code.State == report.CodeNotRun || x.Code.State == "" {
		return notRun("the code was not looked for")
	}
	if !x.legacy {
		return pass("")
	}
	f := fail("document_legacy", report.Evidence{Detail: "registration_number", Found: quotedCode(x.Fields[report.FieldRegistrationNumber].Value, x.today), Polygon: x.code.polygon}).about(report.FieldRegistrationNumber)
	if x.Declared.USCC != "" {
		f.Case = "uscc_declared"
	}
	return []Finding{f}
}

func (x *examination) nameReadable() []Finding {
	f := x.Fields[report.FieldCompanyName]
	switch x.name.certainty {
	case certain:
		return []Finding{{Status: report.CheckPassed, Score: &f.Confidence, Limit: &x.name.limit}}
	case unneeded:
		return notApplicable("an individual business need not have a name")
	}
	e := report.Evidence{Detail: x.name.of, Polygon: x.name.polygon}
	if x.name.certainty == doubtful {
		e.Measure, e.Value, e.Limit, e.Found = "confidence", &f.Confidence, &x.name.limit, quoted(f.Value)
	}
	if x.name.of == "doubtful" {
		e.Expected = quoted(x.Declared.Name)
	}
	return []Finding{fail("name_unreadable", e).in(x.name.of).about(report.FieldCompanyName)}
}

func (x *examination) printedFields() []Finding {
	var failures []Finding
	for _, r := range x.others {
		if r.certainty == missing {
			failures = append(failures, fail("document_field_missing", report.Evidence{Detail: r.of, Polygon: r.polygon}).in(r.of).about(r.field))
		}
	}
	return orPass(failures, "")
}

// day is a date that was read, at midnight UTC.
func (x *examination) day(field report.FieldName) (time.Time, bool) {
	t, err := time.Parse(time.DateOnly, x.Fields[field].Value)
	return t, err == nil
}

func (x *examination) term() []Finding {
	f, ok := x.Fields[report.FieldTerm]
	if !ok {
		return notApplicable("no term was read; licenses since September 2022 print none")
	}
	_, last, _ := strings.Cut(f.Value, "/")
	if f.Value == license.LongTerm || last == license.LongTerm {
		return pass("long term")
	}
	end, err := time.Parse(time.DateOnly, last)
	if err != nil {
		return notRun("the end of the term was not read")
	}
	remaining, least := end.Sub(x.today).Hours()/24, float64(x.policy.MinRemainingDays)
	e := report.Evidence{Measure: "remaining_days", Value: &remaining, Limit: &least, Found: last, Polygon: f.Polygon}
	failure := fail("document_expiring", e)
	switch {
	case remaining < 0:
		failure.Code = "document_expired"
		if f.Confidence < x.policy.Limits.FieldConfidence {
			failure.Case = "low_confidence"
		}
	case remaining >= least:
		return []Finding{{Status: report.CheckPassed, Score: &remaining, Limit: &least}}
	}
	return []Finding{failure.about(report.FieldTerm)}
}

// consistency tells what on the license contradicts itself. Fields of low
// confidence are left out: a misread type is no contradiction.
func (x *examination) consistency() []Finding {
	sure := func(field report.FieldName) report.Field {
		if f := x.Fields[field]; f.Confidence >= x.policy.Limits.FieldConfidence {
			return f
		}
		return report.Field{}
	}
	uscc := ""
	if x.code.certainty == certain && x.uscc.Verdict == codes.VerdictValid {
		uscc = x.uscc.Normalized
	}
	broken := license.EntityConsistency(uscc, sure(report.FieldCompanyName).Value, sure(report.FieldType).Value, sure(report.FieldLegalRepresentative).Label)
	established, hasEstablished := x.day(report.FieldEstablished)
	issued, hasIssued := x.day(report.FieldIssued)
	hasEstablished = hasEstablished && sure(report.FieldEstablished).Value != ""
	hasIssued = hasIssued && sure(report.FieldIssued).Value != ""
	if hasEstablished && hasIssued && issued.Before(established) {
		broken = append(broken, "issued_before_established")
	}
	if hasIssued && issued.After(x.today) {
		broken = append(broken, "issued_in_future")
	}
	if hasEstablished && established.After(x.today) {
		broken = append(broken, "established_in_future")
	}
	var failures []Finding
	for _, rule := range broken {
		failures = append(failures, fail("document_inconsistent", report.Evidence{Detail: rule}))
	}
	return orPass(failures, "")
}
