package pipeline

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/heyan/heyan/ocr"
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

// vote reads doubtful lines with other crops until two readings agree, and keeps
// of each line the text that is certain most often.
func (r *run) vote(ctx context.Context, sheet page.Page, lines []ocr.Line, quick license.Reading) error {
	defer r.time("vote")()
	readings := map[int][]ocr.Line{}
	for i, line := range lines {
		if len(line.Characters) > 1 && votes(line, quick) && ocr.Certainty(line.Characters) < certainLine {
			readings[i] = []ocr.Line{line}
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
			readings[i] = append(readings[i], others[n])
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
		lines[i].Text, lines[i].Characters, lines[i].Confidence = best.Text, best.Characters, best.Confidence
	}
	return nil
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
	signs := 0
	for _, c := range line.Characters {
		if len(c.Text) == 1 && (c.Text >= "0" && c.Text <= "9" || c.Text >= "A" && c.Text <= "Z") {
			signs++
		}
	}
	_, found := quick.Fields[report.FieldCompanyName]
	if !found || signs >= minCodeSigns || holder(quick.CodeRegions, line) {
		return true
	}
	for name, v := range quick.Fields {
		if name != report.FieldRegistrationAuthority && name != report.FieldIssued && holder(v.Quads, line) {
			return true
		}
	}
	return false
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

// letters is a line's text without its spaces, which come and go with the crop.
func letters(line ocr.Line) string { return strings.ReplaceAll(line.Text, " ", "") }
