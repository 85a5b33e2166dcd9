// Package verdict turns what was measured and read on a picture into findings,
// and findings under a policy into an outcome with reasons.
//
// It knows the rules of verification, the policies that weigh them and the
// bilingual catalogue of reasons. It must not know how anything was read,
// measured, stored or sent: everything here is a pure function over values, so
// that stored evidence can be decided again under another policy. The one
// reader of files is [LoadPolicy], over an fs.FS that the caller gives.
package verdict

import (
	"cmp"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
)

// Evidence is everything that a decision rests on.
type Evidence struct {
	Declared report.Declared
	Picture  report.Picture
	Document report.Document
	Fields   map[report.FieldName]report.Field
	Quality  report.Quality
	// Measures are figures about the picture as a whole, by the names of the
	// Measure constants. One that is absent was not taken, and its check is
	// listed as not run.
	Measures map[string]report.Measure
	QR       []report.QR
	report.Basis
}

// EvidenceOf is the evidence of a report, which with what was declared decides it
// again; false of a report that does not hold its basis: a pre-check's, or one
// from before there was any.
func EvidenceOf(r report.Report, declared report.Declared) (Evidence, bool) {
	if r.Basis == nil || r.Precheck {
		return Evidence{}, false
	}
	return Evidence{Declared: declared, Picture: r.Picture, Document: r.Document, Fields: r.Fields,
		Quality: r.Quality, Measures: r.Quality.Measures, QR: r.QR, Basis: *r.Basis}, true
}

// The measures of the picture as a whole, worst place of each.
const (
	MeasurePaperLevel      = "paper_level"      // P90 of luma inside the sheet, 0..255
	MeasureInkLevel        = "ink_level"        // P2 of luma inside the sheet, 0..255
	MeasureGlareShare      = "glare_share"      // of the box of a required field, 0..1
	MeasureTextMargin      = "text_margin_em"   // from required text to the edge of the picture, em
	MeasureCoveredShare    = "covered_share"    // of the area of the fields, by one thing, 0..1
	MeasureShadeRatio      = "shade_ratio"      // light on the darkest paper to that on the lightest, 0..1
	MeasureRedShare        = "red_share"        // fresh red ink of a seal, of the sheet, 0..1
	MeasurePrintChroma     = "print_chroma"     // P99.5 of CIELAB chroma without a seal
	MeasureScreenScore     = "screen_score"     // height of a peak of the spectrum that recurs, nepers of power
	MeasureScreenshotScore = "screenshot_score" // probability, 0..1
	MeasureNoise           = "noise_level"      // sigma of the sensor's noise, 0..255
	MeasureDocuments       = "document_count"   // sheets in the picture
)

// Finding is the result of one check; a check with several objects may give
// several. Code is the reason's code and set when the check failed.
type Finding struct {
	Check    string
	Status   report.CheckStatus
	Code     string
	Case     string // lower_snake refinement of Code with a text, and perhaps a severity, of its own
	Field    report.FieldName
	Evidence report.Evidence
	Score    *float64
	Limit    *float64
	Note     string
	// Legible marks a defect that did no harm: everything needed was read all
	// the same. It is reported as info under every policy.
	Legible bool
	// Message, when set, is used in place of the catalogue's.
	Message report.Text
}

// checkVersion is raised when the meaning of a check changes.
const checkVersion = "1"

// Decide weighs findings under a policy. Every known check is listed once, also
// one that findings do not mention; findings of one check under several headings
// are joined, the gravest status first. A fail has a blocking reason, a review
// one for review, an error one of category system. Reasons come gravest first,
// then in the order of the checks: the cause before its consequence.
//
// A re-verification, which a finding of [CheckChange] tells, refuses nobody: what
// was certified so before stops nothing that a policy could let pass, and where
// something has changed a person looks.
func Decide(findings []Finding, p Policy) (report.Outcome, []report.Reason, []report.Check) {
	outcome, reasons, checks := settle(findings, p)
	if outcome == report.OutcomePass || outcome == report.OutcomeReview {
		if missing := neverRun(checks, outcome); missing != "" {
			failure := fail(codeEngineFailed, report.Evidence{Detail: "check_not_run"})
			failure.Check, failure.Note = checkProcessing, "did not run: "+missing
			return settle(append(slices.Clone(findings), failure), p)
		}
	}
	return outcome, reasons, checks
}

// Precheck weighs what the picture alone tells: the checks of the file, of how it
// was taken and of what it shows. The checks of what is printed and of what was
// declared are listed as not run. A fail says that the picture is not worth
// submitting, and why; a pass promises nothing.
func Precheck(findings []Finding, p Policy) (report.Outcome, []report.Reason, []report.Check) {
	var early []Finding
	for _, f := range findings {
		if prechecked(f.Check) {
			early = append(early, f)
		} else {
			early = append(early, Finding{Check: f.Check, Status: report.CheckNotRun, Note: "left to the verification"})
		}
	}
	return weigh(early, p)
}

// prechecked says whether a check stands before those of what is printed.
func prechecked(name string) bool {
	for _, c := range checks {
		switch c.name {
		case checkUSCCReadable:
			return false
		case name:
			return true
		}
	}
	return false
}

// neverRun names a check without which there is no such outcome: a pass needs
// every check that could have stopped it, a review the essential ones. A file
// that was refused excuses them all.
func neverRun(checks []report.Check, outcome report.Outcome) string {
	name := ""
	for _, c := range checks {
		switch {
		case c.Name == checkFile && c.Status == report.CheckFailed:
			return ""
		case name == "" && c.Status == report.CheckNotRun && (essential[c.Name] || outcome == report.OutcomePass && decisive[c.Name]):
			name = c.Name
		}
	}
	return name
}

// settle weighs findings and eases what a re-verification found.
func settle(findings []Finding, p Policy) (report.Outcome, []report.Reason, []report.Check) {
	outcome, reasons, checks := weigh(findings, p)
	i := slices.IndexFunc(findings, func(f Finding) bool {
		return f.Check == CheckChange && (f.Status == report.CheckPassed || f.Status == report.CheckFailed)
	})
	if i < 0 || outcome == report.OutcomeError {
		return outcome, reasons, checks
	}
	changed := findings[i].Status == report.CheckFailed
	outcome = report.OutcomePass
	for i := range reasons {
		r, eased := &reasons[i], report.SeverityInfo
		if changed || stops(r.Code) {
			eased = report.SeverityReview
		}
		if severityRank[r.Severity] < severityRank[eased] {
			r.Severity = eased
		}
		outcome = graver(outcome, *r)
	}
	return outcome, reasons, checks
}

func weigh(findings []Finding, p Policy) (report.Outcome, []report.Reason, []report.Check) {
	byCheck := map[string][]Finding{}
	order := CheckNames()
	for _, f := range findings {
		if !slices.Contains(order, f.Check) {
			order = append(order, f.Check)
		}
		byCheck[f.Check] = append(byCheck[f.Check], f)
	}
	outcome, reasons, checks := report.OutcomePass, []report.Reason{}, make([]report.Check, 0, len(order))
	for _, name := range order {
		row := report.Check{Name: name, Status: report.CheckNotRun, Version: checkVersion, Note: "not examined"}
		seen := false
		for _, f := range byCheck[name] {
			if f.Status == report.CheckFailed {
				reason := newReason(f, p)
				if reason.Severity == report.SeverityOff {
					f.Status, f.Note = report.CheckNotApplicable, "switched off by policy "+p.ID()
				} else {
					reasons = append(reasons, reason)
					outcome = graver(outcome, reason)
				}
			}
			if !seen || statusRank[f.Status] < statusRank[row.Status] {
				row.Status, row.Score, row.Limit, row.Note = f.Status, f.Score, f.Limit, f.Note
			}
			seen = true
		}
		if row.Status != report.CheckFailed && p.ignores(name) {
			row.Status, row.Note = report.CheckNotApplicable, "switched off by policy "+p.ID()
		}
		checks = append(checks, row)
	}
	slices.SortStableFunc(reasons, func(a, b report.Reason) int {
		return cmp.Compare(rank(a), rank(b))
	})
	return outcome, reasons, checks
}

var (
	statusRank   = map[report.CheckStatus]int{report.CheckFailed: 0, report.CheckPassed: 1, report.CheckNotApplicable: 2, report.CheckNotRun: 3}
	severityRank = map[report.Severity]int{report.SeverityBlock: 0, report.SeverityReview: 1, report.SeverityInfo: 2}
	outcomeRank  = map[report.Outcome]int{report.OutcomeError: 0, report.OutcomeFail: 1, report.OutcomeReview: 2, report.OutcomePass: 3}
)

// rank orders reasons. That a picture shows two documents explains whatever they
// contradict each other in.
func rank(r report.Reason) int {
	if r.Code == "document_multiple" && r.Severity == report.SeverityReview {
		return severityRank[report.SeverityBlock]
	}
	return severityRank[r.Severity]
}

func graver(now report.Outcome, r report.Reason) report.Outcome {
	next := report.OutcomePass
	switch {
	case r.Category == report.CategorySystem:
		next = report.OutcomeError
	case r.Severity == report.SeverityBlock:
		next = report.OutcomeFail
	case r.Severity == report.SeverityReview:
		next = report.OutcomeReview
	}
	if outcomeRank[next] < outcomeRank[now] {
		return next
	}
	return now
}

// newReason gives a failed finding its severity and its words. A code that the
// catalogue does not have is a defect of Heyan, not of the applicant.
func newReason(f Finding, p Policy) report.Reason {
	e, ok := entries[f.Code]
	if !ok {
		f = Finding{Code: codeEngineFailed, Evidence: report.Evidence{Detail: "unknown_reason_code"}}
		e = entries[f.Code]
	}
	r := report.Reason{
		Code: f.Code, Category: e.Category, Field: f.Field, Evidence: f.Evidence,
		Severity: p.SeverityOf(f.Code, f.Case), NextStep: e.NextStep,
	}
	message, suggestion := e.Message, e.Suggestion
	if c, ok := e.Cases[f.Case]; ok {
		r.Category, r.NextStep = cmp.Or(c.Category, r.Category), cmp.Or(c.NextStep, r.NextStep)
		message, suggestion = cmp.Or(c.Message, message), cmp.Or(c.Suggestion, suggestion)
	}
	if f.Legible && r.Severity != report.SeverityOff {
		r.Severity, r.NextStep, suggestion = report.SeverityInfo, report.NextNone, legibleSuggestion
	}
	message = cmp.Or(f.Message, message)
	r.Message, r.Suggestion = render(message, f.Field, f.Evidence), render(suggestion, f.Field, f.Evidence)
	return r
}
