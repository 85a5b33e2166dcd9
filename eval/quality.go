package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/synth"
)

// Row is one figure of how well Heyan judges pictures, with its interval of 95 %.
type Row struct {
	Key, Name        string
	Value, Low, High float64 // NaN: nothing to measure it on
	Of               string  // hits of trials, or how many pictures
	Goal             string
	Misses           []string // what kept the figure from its best, one picture a line
}

// QualityRows measures the judgment of pictures: on synthetic ones, whose defects
// are known, and on real ones with a truth table. Either may be missing.
func QualityRows(samples []Sample, real []Result) []Row {
	var drawn []Sample
	for _, s := range samples {
		if s.Factor == 1 {
			drawn = append(drawn, s)
		}
	}
	var rows []Row
	if len(samples) > 0 {
		rows = append(rows, riskRows(drawn)...)
		rows = append(rows, sizeRow(samples))
		rows = append(rows, reasonRows(drawn)...)
		rows = append(rows, pageRows(drawn)...)
		rows = append(rows, copyRows(drawn)...)
		rows = append(rows, screenRows(drawn)...)
	}
	if len(real) > 0 {
		rows = append(rows, realRows(real)...)
	}
	return rows
}

// tally is a rate with the pictures that count against it.
type tally struct {
	Rate
	misses []string
}

// count counts one picture; good says that it is as it should be.
func (t *tally) count(hit, good bool, r report.Report, remark string) {
	t.Rate.count(hit)
	if !good {
		t.misses = append(t.misses, fmt.Sprintf("%s\t%s\t%s: %s", r.File, remark, r.Outcome, reasons(r)))
	}
}

func (t tally) row(key, name, goal string) Row {
	row := Row{Key: key, Name: name, Value: t.Value(), Of: fmt.Sprintf("%d/%d", t.Hits, t.Of), Goal: goal, Misses: t.misses}
	row.Low, row.High = t.Interval()
	if t.Rate.Of == 0 {
		row.Value = math.NaN()
	}
	return row
}

// defects are a picture's, in words.
func (s Sample) defects() string {
	text := s.Camera.Scene.ID()
	for _, d := range s.Camera.Defects {
		text += fmt.Sprintf(" %s %.3g", d.Kind, d.Strength)
	}
	return text
}

func (s Sample) has(kinds ...synth.DefectKind) bool {
	return slices.ContainsFunc(s.Camera.Defects, func(d synth.Defect) bool { return slices.Contains(kinds, d.Kind) })
}

// lost says that code or name was not read as printed.
func (s Sample) lost() bool {
	field, code := s.License.Code()
	return !Same(field, code, s.Report.Fields[field].Value) || !Same(report.FieldCompanyName, s.License.Name, s.Report.Fields[report.FieldCompanyName].Value)
}

// otherwise are the defects of a document rather than of its picture: nothing in
// the picture's quality tells them.
var otherwise = []synth.DefectKind{synth.Masked, synth.Specimen, synth.SecondLicense}

// riskRows measure the probability, from the image alone, that a required field
// cannot be read.
func riskRows(samples []Sample) []Row {
	var judged []Sample
	for _, s := range samples {
		if s.License != nil && !s.has(otherwise...) && s.Report.Quality.Page != nil {
			judged = append(judged, s)
		}
	}
	forecasts := func(samples []Sample) []Forecast {
		all := make([]Forecast, len(samples))
		for i, s := range samples {
			all[i] = Forecast{s.Report.Quality.Page.Unreadable, s.lost()}
		}
		return all
	}
	byLicense := Grouped(judged, func(s Sample) string { return s.LicenseID })
	row := func(key, name, goal string, figure func([]Forecast) float64) Row {
		row := Row{Key: key, Name: name, Value: figure(forecasts(judged)), Of: fmt.Sprint(len(judged), " pages"), Goal: goal}
		if len(judged) == 0 {
			row.Value = math.NaN()
		}
		row.Low, row.High = Bootstrap(byLicense, func(s []Sample) float64 { return figure(forecasts(s)) }, rand.New(rand.NewPCG(1, 2)))
		return row
	}
	rejection := RejectedLegible(forecasts(judged))
	over := row("legible_rejected", "legible pages rejected at ≤ 5 % unreadable accepted", "≤ 5 %", func(all []Forecast) float64 { return RejectedLegible(all).Value() })
	over.Of = fmt.Sprintf("%d/%d", rejection.Hits, rejection.Of)
	return []Row{
		row("auc", "AUC, a required field cannot be read, image only, page", "≥ 97 %", AUC),
		row("ece", "ECE of the same", "≤ 3 %", ECE),
		over,
	}
}

// sizeRow measures whether a photo keeps its outcome in another size.
func sizeRow(samples []Sample) Row {
	outcomes := map[string]report.Outcome{}
	for _, s := range samples {
		outcomes[s.Name] = s.Report.Outcome
	}
	var same tally
	for _, s := range samples {
		if s.Factor != 1 {
			hit := s.Report.Outcome == outcomes[s.Of]
			same.count(hit, hit, s.Report, fmt.Sprintf("was %s; %s", outcomes[s.Of], s.defects()))
		}
	}
	return same.row("same_verdict", fmt.Sprintf("same verdict at 0.5x to 3x, of copies with em ≥ %d px", leastEmPx), "≥ 98 %")
}

// causes are the reasons that name a defect, where one fails a picture. A kind
// without a reason of its own is named by what it does to the print.
var causes = map[synth.DefectKind][]string{
	synth.Defocus: {"image_blurry"}, synth.LocalBlur: {"image_blurry"}, synth.Motion: {"image_blurry"},
	synth.LowContrast: {"image_low_contrast"}, synth.Shadow: {"image_too_dark"}, synth.Glare: {"image_glare"},
	synth.Exposure:      {"image_too_dark", "image_overexposed"},
	synth.LowResolution: {"image_resolution_too_low"}, synth.Upscaled: {"image_resolution_too_low"}, synth.Messenger: {"image_resolution_too_low"},
	synth.Recompression: {"image_resolution_too_low", "image_blurry"}, synth.SensorNoise: {"image_low_contrast", "image_blurry", "image_too_dark"},
	synth.CutOff: {"image_cut_off"}, synth.Covered: {"image_covered"},
	synth.Masked: {"document_masked"}, synth.Specimen: {"document_specimen"}, synth.SecondLicense: {"document_multiple"},
}

var (
	blurs = []synth.DefectKind{synth.Defocus, synth.LocalBlur, synth.Motion}
	small = []synth.DefectKind{synth.LowResolution, synth.Upscaled, synth.Messenger}
)

// reasonRows measure whether a picture that fails for its only defect is told so
// first.
func reasonRows(samples []Sample) []Row {
	var right, confused tally
	for _, s := range samples {
		if len(s.Camera.Defects) != 1 || s.Report.Outcome != report.OutcomeFail {
			continue
		}
		d := s.Camera.Defects[0]
		first := s.Report.Reasons[0].Code
		if named, ok := causes[d.Kind]; ok && s.License != nil {
			hit := slices.Contains(named, first)
			if d.Kind == synth.Exposure {
				hit = first == named[0] && d.Strength < 0 || first == named[1] && d.Strength > 0
			}
			right.count(hit, hit, s.Report, s.defects())
		}
		if blur := slices.Contains(blurs, d.Kind); blur || slices.Contains(small, d.Kind) {
			mixed := blur && first == "image_resolution_too_low" || !blur && first == "image_blurry"
			confused.count(mixed, !mixed, s.Report, s.defects())
		}
	}
	return []Row{
		right.row("reason_right", "reason right (top-1), single defect that fails", "≥ 95 %"),
		confused.row("blur_confused", "blur and low resolution confused", "≤ 3 %"),
	}
}

const codeScreen = "image_screen_recapture"

func gives(r report.Report, code string) bool {
	return slices.ContainsFunc(r.Reasons, func(reason report.Reason) bool { return reason.Code == code })
}

// never are the expectations of pictures that must not pass.
var never = []string{ExpectUnreadable, "code_unreadable", "code_masked", "specimen", ExpectCodeInvalid}

// realRows measure the judgment of real pictures.
func realRows(results []Result) []Row {
	var screen, away, failed, passed, caught, other tally
	for _, r := range results {
		called := gives(r.Report, codeScreen)
		screen.count(called, !called, r.Report, "")
		license := r.Report.Document.Kind == report.KindBusinessLicense
		switch {
		case r.Expected == ExpectReadable:
			sent := r.Report.Outcome != report.OutcomePass && len(r.Report.Reasons) > 0 && r.Report.Reasons[0].Category == report.CategoryImage
			away.count(sent, !sent, r.Report, "")
			failed.Rate.count(sent && r.Report.Outcome == report.OutcomeFail)
		case slices.Contains(never, r.Expected):
			pass := r.Report.Outcome == report.OutcomePass
			passed.count(pass, !pass, r.Report, r.Expected)
		case r.Expected == ExpectNotALicense:
			caught.count(!license, !license, r.Report, "")
		}
		if r.Expected == ExpectReadable || r.Expected == ExpectReadableLegacy {
			other.count(!license, license, r.Report, r.Expected)
		}
	}
	return []Row{
		screen.row("real_screen", "real: called a screen photo", "≤ 2 %"),
		away.row("real_sent_away", "real: readable sent away for picture quality", "≤ 2 %"),
		failed.row("real_failed", "the same, by a fail; the others wait for a person", ""),
		passed.row("real_passed", "real: not to be relied on, with outcome pass", "0"),
		caught.row("real_negatives", "real: negatives caught", "100 %"),
		other.row("real_called_other", "real: readable licenses called other", "0"),
	}
}
