package pipeline

import (
	"context"
	"strings"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
)

// agreeingNames is how many of the four further readings must say the same for a
// doubtful name to be agreed upon. Of 59 doubtful names of the synthetic set and 9 of
// the real one it confirms no wrong one (`heyan eval-quality`, `heyan eval`).
const agreeingNames = 3

// confirmName reads a doubtful name again, with both readers and other crops: what
// the readers doubt by itself, as rare characters, they doubt alike in every crop, and
// what they guess, they guess otherwise in each. It counts who agrees.
func (r *run) confirmName(ctx context.Context, sheet page.Page, f *face) error {
	name, ok := f.Fields[report.FieldCompanyName]
	if !ok || f.Kind != report.KindBusinessLicense || certainty(name) >= certainLine || partial(*f, name) {
		return nil
	}
	defer r.time("read_name")()
	agree := 0
	for _, again := range []struct {
		reader        ocr.Recogniser
		along, across float64 // growth in heights of the line
	}{{r.Accurate, 0, 0.2}, {r.Accurate, 0.3, 0.1}, {r.Fast, 0, 0}, {r.Fast, 0, 0.15}} {
		quads := make([]ocr.Quad, len(name.Quads))
		for i, q := range name.Quads {
			quads[i] = grown(q, again.along, again.across)
		}
		lines, err := again.reader.Recognise(ctx, sheet.Image, quads)
		if err != nil {
			return err
		}
		var text strings.Builder
		for _, line := range lines {
			text.WriteString(letters(line))
		}
		switch license.CompareNames(name.Text, text.String()).Class {
		case license.NameIdentical, license.NameBracketWidth, license.NameSpacing:
			agree++
		}
	}
	if agree >= agreeingNames {
		f.nameReadings = 1 + agree
	}
	return nil
}

// partial tells whether something may be missing in a name or at its end.
func partial(f face, name license.Value) bool {
	return broken(f.lines, name) || name.Interrupted || license.Unfinished(name.Text, f.Fields[report.FieldType].Text)
}
