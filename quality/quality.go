// Package quality measures how well a picture of a license can be read, and how it
// was made: blur relative to the size of the characters, effective resolution and
// contrast a text line; color, light and what covers it a page; noise, a display's
// pixels and the bars of a phone's screen a photo. From these a model that was fitted
// tells how probable it is that a field cannot be read. It knows pixels, text boxes,
// measures and that model.
// It must not know policies or reasons, nor do any input or output; whether a measure
// or a probability matters is decided elsewhere.
package quality

import (
	"cmp"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
)

// The bounds of what is called blurred, and how: a line is soft from softQ (em),
// where recognition begins to fail on synthetic lines. Anisotropy BlurX/BlurY of
// text blurred equally in all directions stays in 0.75..1.05; motion over 0.3 em
// or more leaves these bounds.
const (
	softQ            = 0.07
	anisotropyAcross = 0.6
	anisotropyAlong  = 1.6
)

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
