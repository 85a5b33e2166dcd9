package pipeline

import (
	"image"
	"testing"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
)

// TestOpenRowIsRead: a row beside a label without a value is read as one line,
// and stays only where it brings the field to light.
func TestOpenRowIsRead(t *testing.T) {
	lines := readingOf("营业执照", "统一社会信用代码91350100M000100Y43", "名称云岫县测试有限公司", "类型有限责任公司", "法定代表人测试",
		"成立日期", "住所云岫县测试路1号")
	before := license.Extract(lines, 1000, 1000)
	if _, open := before.Open[report.FieldEstablished]; !open {
		t.Fatalf("the date's row is not open: %v", before.Open)
	}
	for name, tt := range map[string]struct {
		row  ocr.Line
		want string
	}{
		"a date":        {line("accurate", "2019年03月01日", 0.95, nil), "2019-03-01"},
		"a doubtful":    {line("accurate", "2019年03月01日", 0.5, nil), ""},
		"nothing of it": {line("accurate", "测试网站专用", 0.95, nil), ""},
	} {
		sheet := page.Page{Image: image.NewNRGBA(image.Rect(0, 0, 1000, 1000))}
		tt.row.Quad = before.Open[report.FieldEstablished]
		_, reading, err := runWith(&script{lines: []ocr.Line{tt.row}}).readOpen(t.Context(), sheet, lines, before)
		if err != nil {
			t.Fatal(err)
		}
		if got := reading.Fields[report.FieldEstablished].Text; got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
		if !keeps(reading, before, report.FieldEstablished) {
			t.Errorf("%s: other fields changed", name)
		}
	}
}
