package pipeline

import (
	"math"
	"testing"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/license"
)

// readingOf are the lines of a small license, 40 px high and one under the other.
func readingOf(texts ...string) []ocr.Line {
	lines := make([]ocr.Line, len(texts))
	for i, text := range texts {
		width := 40 * float64(len([]rune(text)))
		top := 100 + 80*float64(i)
		lines[i] = line("quick", text, 0.999, nil)
		lines[i].Quad = ocr.Quad{{X: 100, Y: top}, {X: 100 + width, Y: top}, {X: 100 + width, Y: top + 40}, {X: 100, Y: top + 40}}
	}
	return lines
}

func TestDeciding(t *testing.T) {
	sheet := readingOf("营业执照", "统一社会信用代码91350100M000100Y43", "名称云岫县测试有限公司", "类型有限责任公司", "法定代表人测试",
		"成立日期2019年03月01日", "住所云岫县测试路1号", "经营范围测试服务", "SOSOSOSOSOSO")
	blur := func(line ocr.Line, from int) ocr.Line {
		characters := append([]ocr.Character(nil), line.Characters...)
		for i := from; i < len(characters); i++ {
			characters[i].Confidence = 0.9
		}
		line.Characters = characters
		return line
	}
	for name, tt := range map[string]struct {
		doubtful, from int     // line, and its first doubtful character
		again          float64 // where its part begins, fraction of its width; 1: it is not read again
	}{
		"a sure value stands":                 {3, 99, 1},
		"a doubtful value without its label":  {3, 2, 2.0 / 8},
		"a doubtful label is not read again":  {3, 99, 1},
		"the name always":                     {2, 99, 2.0 / 11},
		"the code always, and with its label": {1, 99, 0},
		"the scope never":                     {7, 4, 1},
		"ornaments never":                     {8, 0, 1},
	} {
		lines := append([]ocr.Line(nil), sheet...)
		lines[tt.doubtful] = blur(lines[tt.doubtful], tt.from)
		got := 1.0
		for _, p := range (&run{Pipeline: &Pipeline{}}).deciding(lines, license.Extract(lines, 1000, 1000)) {
			if p.line == tt.doubtful {
				got = p.from
			}
		}
		if math.Abs(got-tt.again) > 0.01 {
			t.Errorf("%s: read from %.2f, want %.2f", name, got, tt.again)
		}
	}
}

func TestPartIsReplaced(t *testing.T) {
	whole := line("quick", "名称 测武公司", 0.99, nil)
	p := part{Line: whole, from: behindLabel(whole, 0.4)}
	if want := 2.5 / 7; math.Abs(p.from-want) > 0.01 { // in the middle between 称 and 测
		t.Fatalf("the value begins at %.3f, want %.3f", p.from, want)
	}
	if got := p.quick().Text; got != "测武公司" {
		t.Errorf("the quick reading of the part is %q", got)
	}
	again := line("accurate", "尔测试公司", 0.9, nil) // the edge of 称 seen with the value
	again.Characters[0].Center = 0
	again = p.trimmed(again)
	if again.Text != "测试公司" {
		t.Errorf("trimmed to %q", again.Text)
	}
	got := p.replaced(again)
	if got.Text != "名称 测试公司" && got.Text != "名称测试公司" || got.Quad != whole.Quad {
		t.Errorf("the line became %q at %v", got.Text, got.Quad)
	}
	last := 0.0
	for _, c := range got.Characters {
		if c.Center <= last || c.Center > 1 {
			t.Errorf("%s stands at %.2f after %.2f", c.Text, c.Center, last)
		}
		last = c.Center
	}
}
