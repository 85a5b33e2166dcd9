package license

import (
	"math"
	"testing"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/report"
)

// without drops the lines with a text, as a detector does that sees no print.
func (s *sheet) without(texts ...string) *sheet {
	var kept []ocr.Line
	for _, line := range s.lines {
		drop := false
		for _, text := range texts {
			drop = drop || line.Text == text
		}
		if !drop {
			kept = append(kept, line)
		}
	}
	s.lines = kept
	return s
}

func TestOpenRows(t *testing.T) {
	portrait := func() *sheet { return portrait2014(newSheet(920, 1280)) }
	for name, tt := range map[string]struct {
		sheet *sheet
		want  map[report.FieldName][2]float64 // where the row begins, and its middle
	}{
		"all read":          {portrait(), nil},
		"no value":          {portrait().without("2015年3月5日"), map[report.FieldName][2]float64{report.FieldEstablished: {269, 684}}},
		"half a type":       {portrait().replace("有限责任公司(自然人独资)", "有限责任公司(自然"), map[report.FieldName][2]float64{report.FieldType: {310, 524}}},
		"a type unbalanced": {portrait().replace("有限责任公司(自然人独资)", "有限责任公司(自然人独资"), nil},
		"half a name":       {portrait().replace("示例市秋山科技有限公司", "示例市秋山科技有限"), map[report.FieldName][2]float64{report.FieldCompanyName: {310, 484}}},
		"tilted":            {portrait().without("李四").turn(3), map[report.FieldName][2]float64{report.FieldLegalRepresentative: {303, 604}}},
	} {
		got := tt.sheet.read().Open
		if len(got) != len(tt.want) {
			t.Errorf("%s: open rows %v, want %v", name, got, tt.want)
			continue
		}
		for field, want := range tt.want {
			at := ocr.Point{X: (got[field][0].X + got[field][3].X) / 2, Y: (got[field][0].Y + got[field][3].Y) / 2}
			if name == "tilted" { // back to where the sheet was level
				sin, cos := math.Sincos(-3 * math.Pi / 180)
				x, y := at.X-460, at.Y-640
				at = ocr.Point{X: 460 + x*cos - y*sin, Y: 640 + x*sin + y*cos}
			}
			if math.Abs(at.X-want[0]) > 8 || math.Abs(at.Y-want[1]) > 6 || got[field].Width() < 60 {
				t.Errorf("%s: the row of %s begins at %.0f, want %v; its quad is %v", name, field, at, want, got[field])
			}
		}
	}
}

// TestLabelsCutOff: address and person under the type are told by their form,
// where nothing else could be meant.
func TestLabelsCutOff(t *testing.T) {
	cut := func() *sheet {
		s := newSheet(700, 1000).print(250, 160, 90, "营业执照").print(240, 300, 24, "统一社会信用代码 "+testCode)
		s.print(110, 380, 24, "示例市冬雪网吧").print(110, 420, 24, "个人独资企业").print(110, 460, 24, "示例市示例区冬雪路20号一层7号")
		return s.print(110, 500, 24, "赵六七").print(110, 540, 24, "2016年9月8日")
	}
	fields := cut().read().Fields
	for field, want := range map[report.FieldName]string{
		report.FieldAddress: "示例市示例区冬雪路20号一层7号", report.FieldLegalRepresentative: "赵六七", report.FieldEstablished: "2016-09-08",
	} {
		if got := fields[field].Text; got != want {
			t.Errorf("%s: got %q, want %q", field, got, want)
		}
	}
	if got, ok := cut().print(110, 520, 24, "钱八九").read().Fields[report.FieldLegalRepresentative]; ok {
		t.Errorf("of two lines that may be the person, %q was taken", got.Text)
	}
}

// TestSimplified: a reader that wavers between a variant and the simplified form
// means the simplified one; one that is sure does not.
func TestSimplified(t *testing.T) {
	for other, want := range map[float64]string{0.3: "黄", 0.01: "黃"} {
		line := newSheet(900, 600).print(100, 100, 30, "黃").lines[0]
		line.Characters[0].Alternatives = []ocr.Alternative{{Text: "黄", Confidence: other}}
		f, ok := newFragment(0, line)
		if !ok || string(f.raw) != want || f.characters[0].Text != want {
			t.Errorf("with the simplified form at %.2f: got %q", other, string(f.raw))
		}
		if line.Characters[0].Text != "黃" {
			t.Error("the reader's line was changed")
		}
	}
}

func TestSumBesideWatermark(t *testing.T) {
	for raw, want := range map[string]string{"叁佰万圆数": "叁佰万圆", "叁佰万圆整": "叁佰万圆整", "500万元": "500万元", "叁佰万圆仅供测试使用": ""} {
		got, _, ok := normalize(report.FieldRegisteredCapital, raw)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
}

// TestNameIsInterrupted: print behind a name in its row says that the middle is
// hidden; the next column's does not.
func TestNameIsInterrupted(t *testing.T) {
	hidden := portrait2014(newSheet(920, 1280)).replace("示例市秋山科技有限公司", "示例市秋山").print(700, 484, 24, "科技有限公司")
	v := hidden.read().Fields[report.FieldCompanyName]
	if v.Text != "示例市秋山" || !v.Interrupted {
		t.Errorf("got %q, interrupted %v", v.Text, v.Interrupted)
	}
	for _, s := range sheets {
		if v, ok := s.make().read().Fields[report.FieldCompanyName]; ok && v.Interrupted {
			t.Errorf("%s: %q is called interrupted", s.name, v.Text)
		}
	}
}
