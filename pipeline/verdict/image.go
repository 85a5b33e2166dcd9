package verdict

import (
	"slices"
	"strconv"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
)

func (x *examination) blur() []Finding { return x.lineCheck("image_blurry") }

func (x *examination) contrast() []Finding {
	if x.burnt() {
		return pass("the paper is burnt out")
	}
	return x.lineCheck("image_low_contrast")
}

func (x *examination) resolution() []Finding {
	side, least := float64(min(x.Quality.WidthPx, x.Quality.HeightPx)), float64(x.policy.File.MinSidePx)
	if side > 0 && side < least {
		f := fail("image_resolution_too_low", report.Evidence{Measure: "short_side_px", Value: &side, Limit: &least}).in("picture")
		f.Legible = x.legible()
		return []Finding{f}
	}
	return x.lineCheck("image_resolution_too_low")
}

// bound compares a measure of the picture with its limit; rising says that
// larger values are worse.
func (x *examination) bound(code, measure string, limit float64, rising bool) []Finding {
	m, ok := x.Measures[measure]
	if !ok {
		return notRun(notMeasured)
	}
	f := Finding{Status: report.CheckPassed, Score: &m.Value, Limit: &limit}
	if rising && m.Value > limit || !rising && m.Value < limit {
		f = fail(code, report.Evidence{Measure: measure, Value: &m.Value, Limit: &limit, Polygon: m.Polygon})
	}
	return []Finding{f}
}

// capture is a bound on how the picture was taken, which matters only where
// something needed was not read.
func (x *examination) capture(code, measure string, limit float64, rising bool) []Finding {
	if x.Document.Kind == report.KindOther {
		return notApplicable(noLicense)
	}
	findings := x.bound(code, measure, limit, rising)
	findings[0].Legible = x.legible()
	return findings
}

func (x *examination) darkness() []Finding {
	if shade := x.capture("image_too_dark", MeasureShadeRatio, x.policy.Limits.ShadeRatio, false); shade[0].Status == report.CheckFailed {
		return []Finding{shade[0].in("shadow")}
	}
	return x.capture("image_too_dark", MeasurePaperLevel, x.policy.Limits.PaperLevel, false)
}

// burntPaper is the level from which paper has lost its texture, 0..255.
const burntPaper = 250

// burnt says that the paper is burnt out. Blur bleaches ink as well; too much light
// does it to the paper, too.
func (x *examination) burnt() bool { return x.Measures[MeasurePaperLevel].Value >= burntPaper }

func (x *examination) exposure() []Finding {
	if !x.burnt() {
		return pass("")
	}
	findings := x.capture("image_overexposed", MeasureInkLevel, x.policy.Limits.InkLevel, true)
	if f, found := x.defects["image_overexposed"]; found && findings[0].Status == report.CheckPassed {
		return []Finding{f}
	}
	return findings
}

func (x *examination) glare() []Finding {
	return x.capture("image_glare", MeasureGlareShare, x.policy.Limits.GlareShare, true)
}

func (x *examination) bounds() []Finding {
	return x.capture("image_cut_off", MeasureTextMargin, x.policy.Limits.TextMarginEm, false)
}

func (x *examination) cover() []Finding {
	return x.capture("image_covered", MeasureCoveredShare, x.policy.Limits.CoveredShare, true)
}

func (x *examination) screen() []Finding {
	return x.bound("image_screen_recapture", MeasureScreenScore, x.policy.Limits.ScreenScore, true)
}

func (x *examination) screenshot() []Finding {
	return x.bound("image_screenshot", MeasureScreenshotScore, x.policy.Limits.ScreenshotScore, true)
}

// maxDocuments is how many sheets a picture may show.
const maxDocuments = 1

func (x *examination) single() []Finding {
	return x.bound("document_multiple", MeasureDocuments, maxDocuments, true)
}

func (x *examination) editing() []Finding {
	if x.Picture.Format == "" {
		return notRun("the file's metadata are not known")
	}
	software := strings.ToLower(x.Picture.Metadata["software"])
	for _, word := range x.policy.EditingSoftware {
		if strings.Contains(software, word) {
			return []Finding{fail("image_edited", report.Evidence{Detail: "software", Found: quoted(x.Picture.Metadata["software"])})}
		}
	}
	return pass("")
}

// color judges a picture without color: a copy passes where it bears a fresh
// red seal and the policy says so.
func (x *examination) color() []Finding {
	red, measured := x.Measures[MeasureRedShare]
	limit := x.policy.Limits.RedShare
	switch {
	case x.Document.Color == "":
		return notRun(notMeasured)
	case x.Document.Color != report.ColorGrayscale:
		return pass("")
	case !x.policy.SealedCopyPasses:
		return []Finding{fail("image_grayscale_copy", report.Evidence{})}
	case !measured:
		return []Finding{fail("image_grayscale_copy", report.Evidence{}).in("seal_not_measured")}
	case red.Value < limit:
		return []Finding{fail("document_copy_without_seal", report.Evidence{Measure: MeasureRedShare, Value: &red.Value, Limit: &limit})}
	}
	return []Finding{{Status: report.CheckPassed, Score: &red.Value, Limit: &limit, Note: "a copy with a fresh red seal"}}
}

// file judges what is known of the file; the formats and sizes of this policy
// may be narrower than those under which it was opened.
func (x *examination) file() []Finding {
	accepted := report.Evidence{Detail: "format", Expected: strings.ToUpper(strings.Join(x.policy.File.Formats, ", ")), Found: strings.ToUpper(x.Picture.Format)}
	if p := x.File; p != nil {
		e := report.Evidence{Measure: p.Rule, Detail: p.Rule}
		if p.Value != 0 || p.Limit != 0 {
			e.Value, e.Limit = &p.Value, &p.Limit
		}
		if p.Code == "file_type_not_supported" {
			e.Expected, e.Found = accepted.Expected, accepted.Found
		}
		f := fail(p.Code, e)
		if c := entries[p.Code].Category; c != report.CategoryFile && c != report.CategorySystem {
			f.Code = "file_unreadable"
		}
		if p.Message.ZH != "" && p.Message.EN != "" {
			f.Message = p.Message
		}
		return []Finding{f}
	}
	if x.Picture.Format == "" {
		return notRun("the file is not known")
	}
	if !slices.Contains(x.policy.File.Formats, strings.ToLower(x.Picture.Format)) {
		return []Finding{fail("file_type_not_supported", accepted)}
	}
	for _, size := range []struct {
		measure      string
		value, limit int64
	}{
		{"bytes", x.Picture.Bytes, x.policy.File.MaxBytes},
		{"pixels", int64(x.Quality.WidthPx) * int64(x.Quality.HeightPx), x.policy.File.MaxPixels},
	} {
		if size.value > size.limit {
			value, limit := float64(size.value), float64(size.limit)
			return []Finding{fail("file_too_large", report.Evidence{Measure: size.measure, Detail: size.measure, Value: &value, Limit: &limit})}
		}
	}
	return pass(strconv.FormatInt(x.Picture.Bytes, 10) + " bytes")
}
