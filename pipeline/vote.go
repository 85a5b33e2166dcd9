package pipeline

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/width"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
)

// A line whose characters are together less certain than this is read with
// other crops as well, and the readings vote. It is the limit of a believed name.
const certainLine = 0.9

// crops are how much of its height a line grows above and below in its other
// readings: small print hangs on where its strokes meet the pixels.
var crops = []float64{-0.1, 0.2}

// vote reads doubtful lines with other crops until two readings agree, the quick
// one among them but for the code and the name, and keeps of each line the text
// that is certain most often.
func (r *run) vote(ctx context.Context, sheet page.Page, parts []part, lines []ocr.Line, quick license.Reading) error {
	defer r.time("vote")()
	readings := map[int][]ocr.Line{}
	for i, line := range lines {
		if len(line.Characters) > 1 && votes(line, quick) && certaintyOf(line) < certainLine {
			readings[i] = []ocr.Line{line}
			if quick := parts[i].quick(); len(quick.Characters) > 0 && !parts[i].twice && !mayHoldCode(line) {
				readings[i] = append(readings[i], quick)
			}
		}
	}
	for _, grow := range crops {
		var open []int
		for _, i := range slices.Sorted(maps.Keys(readings)) {
			if !agreed(readings[i]) {
				open = append(open, i)
			}
		}
		quads := make([]ocr.Quad, len(open))
		for n, i := range open {
			quads[n] = grown(lines[i].Quad, 0, grow)
		}
		others, err := r.Accurate.Recognise(ctx, sheet.Image, quads)
		if err != nil {
			return err
		}
		for n, i := range open {
			readings[i] = append(readings[i], parts[i].trimmed(others[n]))
		}
	}
	for i, all := range readings {
		weight := map[string]float64{}
		for _, reading := range all {
			weight[letters(reading)] += ocr.Certainty(reading.Characters)
		}
		best := slices.MaxFunc(all, func(a, b ocr.Line) int {
			return cmp.Or(cmp.Compare(weight[letters(a)], weight[letters(b)]),
				cmp.Compare(ocr.Certainty(a.Characters), ocr.Certainty(b.Characters)))
		})
		lines[i].Text, lines[i].Characters, lines[i].Confidence, lines[i].Engine = best.Text, best.Characters, best.Confidence, best.Engine
	}
	return nil
}

// certaintyOf is the certainty of what matters on a line: of the code alone,
// where it bears one that breaks no rule.
func certaintyOf(line ocr.Line) float64 {
	certainty := ocr.Certainty(line.Characters)
	for _, s := range sightings(line) {
		if codes.IsUSCC(s.code) {
			certainty = max(certainty, s.certainty)
		}
	}
	return certainty
}

// minCodeSigns is how many letters and digits make a line that may hold the code,
// some of them lost to what is printed over it.
const minCodeSigns = 12

// votes tells whether a line is worth several readings: those of the fields, of
// the code's place, and any that may hold the code. The authority and the date
// of issue stand under the seal and are never certain; no check turns on them.
// Where the quick reading found no name, it found its way nowhere, and all lines
// vote.
func votes(line ocr.Line, quick license.Reading) bool {
	_, found := quick.Fields[report.FieldCompanyName]
	if !found || mayHoldCode(line) || holder(quick.CodeRegions, line) {
		return true
	}
	for name, v := range quick.Fields {
		if name != report.FieldRegistrationAuthority && name != report.FieldIssued && holder(v.Quads, line) {
			return true
		}
	}
	return false
}

// mayHoldCode tells whether a line has letters and digits enough for a code,
// half of them digits: ornaments are read as letters.
func mayHoldCode(line ocr.Line) bool {
	letters, digits := 0, 0
	for _, c := range line.Characters {
		switch {
		case len(c.Text) != 1:
		case c.Text >= "0" && c.Text <= "9":
			digits++
		case c.Text >= "A" && c.Text <= "Z":
			letters++
		}
	}
	return letters+digits >= minCodeSigns && digits >= letters
}

// agreed tells whether two of the readings are the same.
func agreed(readings []ocr.Line) bool {
	for i, a := range readings {
		for _, b := range readings[i+1:] {
			if letters(a) == letters(b) {
				return true
			}
		}
	}
	return false
}

// letters is a line's text without its spaces, which come and go with the crop,
// and at one width.
func letters(line ocr.Line) string { return strings.ReplaceAll(width.Fold.String(line.Text), " ", "") }
