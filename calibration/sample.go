// Package calibration fits the probability that a field cannot be read to pictures
// with known truth, and shows how far it can be trusted. It knows samples, splits,
// fits, figures and their page; it must not know how a picture is read or drawn, nor
// which outcome a probability leads to.
package calibration

import (
	"slices"

	"github.com/heyan/heyan/eval"
	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/quality"
	"github.com/heyan/heyan/synth"
)

// Line is one required field of a picture.
type Line struct {
	Field report.FieldName
	Signs quality.Signs
	Lost  bool          // it was not read as printed
	Read  *quality.Read // nil: it was not read at all
	// Image and Full are the predicted probabilities that it is lost, from the
	// image alone and with what was read.
	Image, Full float64
}

// Sample is one picture of a license.
type Sample struct {
	eval.Result
	Synth *synth.Picture // nil: a real picture
	Lines []Line
	Split Split
	// License and Background group pictures: what is fitted on one is not tested
	// on it. An empty one groups nothing.
	License, Background string
	Image, Full         float64 // that some line is lost
}

// Lost says that some required field was not read as printed.
func (s Sample) Lost() bool {
	return slices.ContainsFunc(s.Lines, func(l Line) bool { return l.Lost })
}

// beyondImage are the defects that make a field unreadable, or another's readable,
// without harm to the image: they have checks of their own.
var beyondImage = []synth.DefectKind{synth.Masked, synth.Specimen, synth.SecondLicense, synth.EditedCode, synth.EditedName}

// hopeless are the expectations of a truth table under which no value is known,
// for nobody can read it.
var hopeless = []string{"unreadable", "code_unreadable"}

// NewSample labels a picture; set names the folder it is from, for licenses have
// numbers of their own in each. False for a picture that is no license, that was not
// opened, or whose fields are hidden on purpose.
func NewSample(set string, r eval.Result, drawn *synth.Picture) (Sample, bool) {
	s := Sample{Result: r, Synth: drawn, License: r.File}
	switch r.Expected {
	case eval.ExpectNotALicense, "specimen", "code_masked":
		return s, false
	}
	if r.Report.Quality.WidthPx == 0 {
		return s, false
	}
	if drawn != nil {
		s.License = set + "/" + drawn.LicenseID
		if drawn.Camera.Scene.Surface != synth.SurfaceScan { // the lid of a scanner is no background
			s.Background = drawn.BackgroundID
		}
		if slices.ContainsFunc(drawn.Camera.Defects, func(d synth.Defect) bool { return slices.Contains(beyondImage, d.Kind) }) {
			return s, false
		}
	}
	code := report.FieldUSCC
	if _, legacy := r.Fields[report.FieldRegistrationNumber]; legacy {
		code = report.FieldRegistrationNumber
	}
	for _, field := range []report.FieldName{code, report.FieldCompanyName} {
		truth, known := r.Fields[field]
		if !known && !slices.Contains(hopeless, r.Expected) {
			continue
		}
		l := Line{Field: field, Lost: true, Signs: quality.SignsOf(field, r.Report.Quality, r.Report.Quality.Measures, r.Report.Fields)}
		if read, ok := r.Report.Fields[field]; ok {
			l.Lost = !known || !eval.Same(field, truth, read.Value)
			l.Read = &quality.Read{Confidence: read.Confidence, Readings: read.Readings, Checked: checked(field, read.Value)}
		}
		s.Lines = append(s.Lines, l)
	}
	return s, len(s.Lines) > 0
}

// checked says that a value has a check digit, and it is right.
func checked(field report.FieldName, value string) bool {
	switch field {
	case report.FieldUSCC:
		return codes.IsUSCC(value)
	case report.FieldRegistrationNumber:
		return codes.CheckRegistrationNumber(value).Verdict == codes.VerdictValid
	}
	return false
}
