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
		// The authority and the date of issue stand under the seal and are
		// never certain; no check turns on them.
		idle := holder(quick.Fields[report.FieldRegistrationAuthority].Quads, line) || holder(quick.Fields[report.FieldIssued].Quads, line)
		if len(line.Characters) > 1 && !idle && ocr.Certainty(line.Characters) < certainLine {
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
		votes := map[string]float64{}
		for _, reading := range all {
			votes[letters(reading)] += ocr.Certainty(reading.Characters)
		}
		best := slices.MaxFunc(all, func(a, b ocr.Line) int {
			return cmp.Or(cmp.Compare(votes[letters(a)], votes[letters(b)]),
				cmp.Compare(ocr.Certainty(a.Characters), ocr.Certainty(b.Characters)))
		})
		lines[i].Text, lines[i].Characters, lines[i].Confidence = best.Text, best.Characters, best.Confidence
	}
	return nil
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
