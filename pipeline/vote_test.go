package pipeline

import (
	"context"
	"image"
	"testing"
	"time"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
)

// script is a reader that answers with the same lines in every call, one after
// the other.
type script struct {
	lines []ocr.Line
	asked int
}

func (*script) Name() string { return "script" }

func (s *script) Recognise(_ context.Context, _ *image.NRGBA, quads []ocr.Quad) ([]ocr.Line, error) {
	answers := make([]ocr.Line, len(quads))
	for i := range quads {
		answers[i] = s.lines[s.asked%len(s.lines)]
		s.asked++
	}
	return answers, nil
}

func runWith(reader ocr.Recogniser) *run {
	return &run{Pipeline: &Pipeline{Accurate: reader, Now: time.Now}, timings: map[string]float64{}}
}

func TestVote(t *testing.T) {
	for name, tt := range map[string]struct {
		first  ocr.Line
		quick  string
		others []ocr.Line
		want   string
		asked  int
	}{
		"sure lines do not vote":       {line("a", "测试有限公司", 0.999, nil), "", nil, "测试有限公司", 0},
		"agreed with the first other":  {line("a", "测试公司", 0.9, nil), "", []ocr.Line{line("a", "测试公司", 0.8, nil)}, "测试公司", 1},
		"two others outvote the first": {line("a", "测式公司", 0.9, nil), "", []ocr.Line{line("a", "测试公司", 0.85, nil), line("a", "测试公司", 0.8, nil)}, "测试公司", 2},
		"the surest of three":          {line("a", "测式公司", 0.9, nil), "", []ocr.Line{line("a", "测试公司", 0.7, nil), line("a", "侧试公司", 0.6, nil)}, "测式公司", 2},
		"the quick reading is one":     {line("a", "测试公司", 0.9, nil), "测试公司", nil, "测试公司", 0},
		"two agree against the quick":  {line("a", "测式公司", 0.9, nil), "测试公司", []ocr.Line{line("a", "测式公司", 0.8, nil)}, "测式公司", 1},
		"the quick reads no code":      {line("a", "91350100M000100Y43", 0.9, nil), "91350100M000100Y43", []ocr.Line{line("a", "91350100M000100Y43", 0.8, nil)}, "91350100M000100Y43", 1},
		"spaces are no difference":     {line("a", "测试公司", 0.9, nil), "", []ocr.Line{line("a", "测试 公司", 0.9, nil)}, "测试公司", 1},
	} {
		reader := &script{lines: tt.others}
		lines, parts := []ocr.Line{tt.first}, []part{{Line: line("quick", tt.quick, 0.99, nil)}}
		if err := runWith(reader).vote(t.Context(), page.Page{}, parts, lines, license.Reading{}); err != nil {
			t.Fatal(err)
		}
		if letters(lines[0]) != tt.want || reader.asked != tt.asked {
			t.Errorf("%s: got %q after %d readings, want %q after %d", name, lines[0].Text, reader.asked, tt.want, tt.asked)
		}
	}
}

// TestRowsAreJoined: a row in two pieces is read as a whole, and the whole stays
// only where it has more to say.
func TestRowsAreJoined(t *testing.T) {
	at := func(l ocr.Line, x, w float64) ocr.Line {
		l.Quad = ocr.Quad{{X: x, Y: 100}, {X: x + w, Y: 100}, {X: x + w, Y: 130}, {X: x, Y: 130}}
		return l
	}
	pieces := []ocr.Line{at(line("a", "测试云岫", 0.99, nil), 100, 120), at(line("a", "有限公司", 0.99, nil), 280, 120)}
	reading := license.Reading{Fields: map[report.FieldName]license.Value{
		report.FieldCompanyName: {Quads: []ocr.Quad{pieces[0].Quad, pieces[1].Quad}}}}
	for name, tt := range map[string]struct {
		whole ocr.Line
		want  int // lines afterwards, 0: as they were
	}{
		"more characters":    {line("a", "测试云岫设备有限公司", 0.98, nil), 1},
		"the same":           {line("a", "测试云岫有限公司", 0.98, nil), 0},
		"more, but doubtful": {line("a", "测试云岫口口有限公司", 0.7, nil), 0},
	} {
		got, err := runWith(&script{lines: []ocr.Line{tt.whole}}).joinRows(t.Context(), page.Page{}, pieces, reading, license.Reading{Fields: map[report.FieldName]license.Value{}})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != tt.want {
			t.Errorf("%s: got %d lines, want %d", name, len(got), tt.want)
		}
	}
}

func TestBroken(t *testing.T) {
	whole := line("a", "测试云岫设备有限公司", 0.99, nil)
	gapped := line("a", "测试云岫有限公司", 0.99, nil)
	for i := range gapped.Characters { // two characters are missing in the middle
		place := i
		if i >= 4 {
			place += 2
		}
		gapped.Characters[i].Center = (float64(place) + 0.5) / 10
	}
	for name, tt := range map[string]struct {
		line ocr.Line
		want bool
	}{"whole": {whole, false}, "gap": {gapped, true}} {
		v := license.Value{Quads: []ocr.Quad{tt.line.Quad}, Characters: tt.line.Characters}
		if got := broken([]ocr.Line{tt.line}, v); got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// TestConfirmed: what the QR code says in words is a second reading, and fills in
// doubtful characters only.
func TestConfirmed(t *testing.T) {
	read := line("a", "云岫测式有限公司", 0.99, map[int]ocr.Character{3: doubt(0.5)})
	sure := line("a", "云岫测式有限公司", 0.99, nil)
	for name, tt := range map[string]struct {
		said     string
		read     ocr.Line
		value    string
		readings int
	}{
		"the same":                     {"云岫测式有限公司", sure, "云岫测式有限公司", 2},
		"fills in a doubtful one":      {"云岫测试有限公司", read, "云岫测试有限公司", 2},
		"does not overrule a sure one": {"云岫测试有限公司", sure, "云岫测式有限公司", 0},
		"another name":                 {"望渊示例商店", read, "云岫测式有限公司", 0},
	} {
		r := &run{evidence: verdict.Evidence{QR: []report.QR{{Fields: map[report.FieldName]string{report.FieldCompanyName: tt.said}}}}}
		got := r.confirmed(report.FieldCompanyName, license.Value{Characters: tt.read.Characters}, report.Field{Value: tt.read.Text})
		if got.Value != tt.value || got.Readings != tt.readings {
			t.Errorf("%s: got %q, %d readings, want %q, %d", name, got.Value, got.Readings, tt.value, tt.readings)
		}
	}
}
