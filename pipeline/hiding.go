package pipeline

import (
	"slices"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/quality"
)

const (
	// tallPrint is the height of a title's line relative to the fields', from which its
	// strokes are as wide as what hides a character of a field.
	tallPrint = 1.6
	// behindEm is how far behind the end of a name what was painted over it goes on.
	behindEm = 1.0
)

// measureHiding looks where a code or a name that was not read should stand for what
// hides it, however small, and at the name's row for what is painted over its end.
func (r *run) measureHiding(sheet page.Page, f face, overview quality.Overview) {
	em := fieldEm(f)
	if em == 0 {
		return
	}
	var titles []ocr.Quad
	for _, line := range f.lines {
		if line.Quad.Height() > tallPrint*boxPerEm*em {
			titles = append(titles, line.Quad)
		}
	}
	name, named := f.Fields[report.FieldCompanyName]
	coded := f.decided.State == report.CodeRead || f.decided.State == report.CodeInvalid || numbered(f.Reading)
	if !coded {
		if painted := r.hidden(sheet, overview, em, titles, f.CodeRegions); painted.Value > 0 && f.decided.State != report.CodeAmbiguous {
			r.evidence.Code.State, r.evidence.Code.Polygon = report.CodeMasked, sheet.OnPhoto(painted.Place)
		}
		if len(f.CodeRegions) == 0 { // its label is hidden too
			r.worse(sheet, verdict.MeasureGlareShare, overview.Hiding(sheet.Image, aboveFields(sheet, f), em, nil).Glare, em)
		}
	}
	var painted quality.Spot
	if place, open := f.Open[report.FieldCompanyName]; open && !named {
		painted = r.hidden(sheet, overview, em, titles, []ocr.Quad{place})
	} else if named && len(name.Quads) > 0 {
		last := name.Quads[len(name.Quads)-1]
		painted = overview.Hiding(sheet.Image, last.Slice(0, 1+behindEm*em/max(last.Width(), 1)), em, titles).Blacked
	}
	if painted.Value > 0 {
		r.evidence.NameMasked = sheet.OnPhoto(painted.Place)
	}
}

// hidden keeps what hides places where it is worse than what was measured elsewhere,
// and gives what is painted over them: that explains itself.
func (r *run) hidden(sheet page.Page, overview quality.Overview, em float64, titles, places []ocr.Quad) quality.Spot {
	var worst quality.Hiding
	for _, place := range places {
		found := overview.Hiding(sheet.Image, place, em, titles)
		for _, pair := range [][2]*quality.Spot{{&worst.Glare, &found.Glare}, {&worst.Covered, &found.Covered}, {&worst.Painted, &found.Painted}} {
			if pair[1].Value > pair[0].Value {
				*pair[0] = *pair[1]
			}
		}
	}
	if worst.Painted.Value == 0 {
		r.worse(sheet, verdict.MeasureGlareShare, worst.Glare, em)
		r.worse(sheet, verdict.MeasureCoveredShare, worst.Covered, em)
	}
	return worst.Painted
}

// worse keeps what hides so many px of a code's line, where it is more than measured.
func (r *run) worse(sheet page.Page, measure string, spot quality.Spot, em float64) {
	if spot.Value = min(spot.Value/(codeEm*em), 1); spot.Value > r.evidence.Measures[measure].Value {
		r.note(sheet, measure, spot)
	}
}

// aboveFields is the part of a page, above its fields, where its code stands.
func aboveFields(sheet page.Page, f face) ocr.Quad {
	size := sheet.Image.Rect.Max
	bottom := bodyTop * float64(size.Y)
	for name, v := range f.Fields {
		if name != report.FieldUSCC && name != report.FieldRegistrationNumber && name != report.FieldSerialNumber {
			for _, q := range v.Quads {
				bottom = min(bottom, q[0].Y, q[1].Y)
			}
		}
	}
	x := float64(size.X)
	return ocr.Quad{{X: 0, Y: 0}, {X: x, Y: 0}, {X: x, Y: bottom}, {X: 0, Y: bottom}}
}

// fieldEm is the em of the fields, px of the page; 0 where none was found.
func fieldEm(f face) float64 {
	var heights []float64
	for field, v := range f.Fields {
		if field != report.FieldScope && field != report.FieldRegistrationAuthority {
			for _, q := range v.Quads {
				heights = append(heights, q.Height())
			}
		}
	}
	if len(heights) == 0 {
		return 0
	}
	slices.Sort(heights)
	return heights[len(heights)/2] / boxPerEm
}
