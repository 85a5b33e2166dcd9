// Package quality measures how well a picture of a license can be read: blur
// relative to the size of the characters, effective resolution and contrast a
// text line, colour and exposure a page. It knows pixels and text boxes only.
// It must not know fields, policies or reasons beyond the name of a defect, nor
// do any input or output; whether a measure matters is decided elsewhere.
package quality

import (
	"cmp"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
)

// The limits of legibility for a line that must be read. Up to the pass limit
// a line is sound, beyond the fail limit it cannot be read; a person should
// look at what lies between. They come from recognising 1,656 synthetic code
// and name lines with PP-OCRv4 and are starting points for calibration.
const (
	BlurQPass = 0.07 // em: below, whole lines read right in 95 of 100 cases or more
	BlurQFail = 0.13 // em: above, no more than one line in four is read right

	EmPass = 14 // px: recognition keeps a margin for noise and detection
	EmFail = 10 // px: below, detectors lose the line

	ContrastPass = 0.25 // (paper-ink)/(paper+ink)
	ContrastFail = 0.12

	// Anisotropy BlurX/BlurY of text blurred equally in all directions stays in
	// 0.75..1.05; motion over 0.3 em or more leaves these bounds.
	anisotropyAcross = 0.6
	anisotropyAlong  = 1.6
)

// Limits are the worst values of a line that still pass.
type Limits struct {
	BlurQ    float64 // em, at most
	EmPx     float64 // px, at least
	Contrast float64 // (paper-ink)/(paper+ink), at least
}

// Illegible are the limits beyond which a line cannot be read.
func Illegible() Limits {
	return Limits{BlurQ: BlurQFail, EmPx: EmFail, Contrast: ContrastFail}
}

// Finding is a defect of a line with the measure that decided.
type Finding struct {
	Code    string  // image_blurry, image_resolution_too_low, image_low_contrast; empty: none
	Measure string  // blur_q, em_px, contrast
	Value   float64 // in the unit of Limits
	Limit   float64
}

// Defect names what keeps a line from being read under the limits, the
// cause before its consequences: too few pixels look blurred when seen at a
// common size, and blur takes contrast away. A picture enlarged from too few
// pixels is blurred; EffectiveEmPx shows why.
func Defect(m report.LineQuality, l Limits) Finding {
	switch {
	case m.EmPx < l.EmPx:
		return Finding{"image_resolution_too_low", "em_px", m.EmPx, l.EmPx}
	case m.BlurQ > l.BlurQ:
		return Finding{"image_blurry", "blur_q", m.BlurQ, l.BlurQ}
	case m.Contrast < l.Contrast:
		return Finding{"image_low_contrast", "contrast", m.Contrast, l.Contrast}
	}
	return Finding{}
}

// pageShare is the share of a page's lines that may be worse than the page's
// summary: a line of fine print or a misplaced box does not speak for a page.
const pageShare = 0.1

// Page sums the lines of a page up: each measure at its worst but for one
// line in ten. The blur's direction is that of the line whose BlurQ is
// given. It is false for a page without lines.
func Page(lines []report.LineQuality) (report.LineQuality, bool) {
	if len(lines) == 0 {
		return report.LineQuality{}, false
	}
	worst := func(badness func(report.LineQuality) float64) report.LineQuality {
		sorted := slices.SortedFunc(slices.Values(lines), func(a, b report.LineQuality) int {
			return cmp.Compare(badness(b), badness(a))
		})
		return sorted[int(pageShare*float64(len(sorted)))]
	}
	page := worst(func(m report.LineQuality) float64 { return m.BlurQ })
	page.EmPx = worst(func(m report.LineQuality) float64 { return -m.EmPx }).EmPx
	page.EffectiveEmPx = worst(func(m report.LineQuality) float64 { return -m.EffectiveEmPx }).EffectiveEmPx
	page.Contrast = worst(func(m report.LineQuality) float64 { return -m.Contrast }).Contrast
	return page, true
}
