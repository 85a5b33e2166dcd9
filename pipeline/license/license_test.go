package license

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

var sheets = []struct {
	name string
	make func() *sheet
}{
	{"landscape_2019", func() *sheet { return landscape2019(newSheet(1400, 980)) }},
	{"portrait_2014", func() *sheet { return portrait2014(newSheet(920, 1280)) }},
	{"landscape_old", func() *sheet { return landscapeOld(newSheet(1600, 1000)) }},
	{"individual", func() *sheet { return individual(newSheet(1400, 980)) }},
	{"permit", func() *sheet { return permit(newSheet(1200, 700)) }},
}

// summary is a Reading without places.
func summary(r Reading) []byte {
	fields := make(map[string]string)
	for name, v := range r.Fields {
		text := v.Text
		if v.Amount != nil {
			text += " = " + v.Amount.Value + " " + v.Amount.Currency
		}
		fields[string(name)] = fmt.Sprintf("%s [%s]", text, v.Label)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(map[string]any{
		"kind": r.Kind, "title": r.Title, "edition": r.Edition, "copy": r.Copy, "specimen": r.Specimen, "masked": r.Masked, "fields": fields,
	}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestExtractGolden(t *testing.T) {
	for _, test := range sheets {
		t.Run(test.name, func(t *testing.T) {
			got := summary(test.make().read())
			path := filepath.Join("testdata", test.name+".golden")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// A sheet says the same however it lies and however the reader breaks it up.
func TestExtractDistorted(t *testing.T) {
	distortions := []struct {
		name  string
		apply func(*sheet)
	}{
		{"turned right", func(s *sheet) { s.turn(4) }},
		{"turned left", func(s *sheet) { s.turn(-5) }},
		{"seen from the left", func(s *sheet) { s.fan(0.05) }},
		{"without places of characters", func(s *sheet) {
			for i := range s.lines {
				s.lines[i].Characters = nil
			}
		}},
		{"in another order", func(s *sheet) { slices.Reverse(s.lines) }},
		{"three times as large", func(s *sheet) {
			s.move(func(p ocr.Point) ocr.Point { return ocr.Point{X: 3 * p.X, Y: 3 * p.Y} })
			s.width, s.height = 3*s.width, 3*s.height
		}},
		{"under watermarks", func(s *sheet) {
			for i := range 6 {
				x, y := 100+float64(i)*180, 200+float64(i%3)*180
				q := ocr.Quad{{X: x, Y: y}, {X: x + 160, Y: y - 80}, {X: x + 175, Y: y - 50}, {X: x + 15, Y: y + 30}}
				s.lines = append(s.lines, ocr.Line{Quad: q, Text: "仅限示例平台使用", Confidence: 0.9})
			}
		}},
	}
	for _, test := range sheets {
		want := test.make().read()
		for _, d := range distortions {
			t.Run(test.name+"/"+d.name, func(t *testing.T) {
				s := test.make()
				d.apply(s)
				if got := s.read(); !bytes.Equal(summary(got), summary(want)) {
					t.Errorf("got\n%s\nwant\n%s", summary(got), summary(want))
				}
			})
		}
	}
}

func TestExtractLayouts(t *testing.T) {
	const em, w = 24.0, 130.0
	base := func() *sheet {
		s := newSheet(900, 1280)
		return s.print(250, 200, 100, "营业执照")
	}
	tests := []struct {
		name  string
		sheet *sheet
		want  map[report.FieldName]string
	}{
		{"value glued to its label", base().print(100, 400, em, "名称示例市春日贸易有限公司").print(100, 440, em, "法定代表人张三丰"),
			map[report.FieldName]string{report.FieldCompanyName: "示例市春日贸易有限公司", report.FieldLegalRepresentative: "张三丰"}},
		{"misread label", base().field(100, 400, em, w, 28, "名称", "示例市春日贸易有限公司").field(100, 440, em, w, 28, "法定代衰人", "张三丰").field(100, 480, em, w, 28, "经营范围", "日用品"),
			map[report.FieldName]string{report.FieldLegalRepresentative: "张三丰"}},
		{"lost end of a label", base().field(100, 400, em, w, 28, "法定代表人", "张三丰").print(100, 440, em, "类").print(239, 440, 22, "有限责任公司").field(100, 480, em, w, 28, "成立日期", "2019年9月16日"),
			map[report.FieldName]string{report.FieldType: "有限责任公司"}},
		{"type does not swallow the next value", base().print(100, 400, em, "类").print(206, 400, em, "型").print(239, 400, 22, "有限责任公司").print(239, 436, 22, "示例市示例区春日路8号").field(100, 472, em, w, 28, "法定代表人", "张三丰"),
			map[report.FieldName]string{report.FieldType: "有限责任公司"}},
		{"address centered on its label", base().field(100, 400, em, w, 28, "类型", "其他有限责任公司").spaced(100, 445, em, w, "住所").print(239, 433, 22, "示例省示例市示例区春日大道一百八十八号").print(239, 457, 22, "春日大厦3栋1201室").field(100, 495, em, w, 28, "法定代表人", "张三丰"),
			map[report.FieldName]string{report.FieldType: "其他有限责任公司", report.FieldAddress: "示例省示例市示例区春日大道一百八十八号春日大厦3栋1201室"}},
		{"character read twice", base().spaced(100, 400, em, w, "名称").field(100, 440, em, w, 28, "法定代表人").print(206, 440, em, "人张三丰").print(239, 400, 22, "示例市春日贸易有限公司"),
			map[report.FieldName]string{report.FieldLegalRepresentative: "张三丰", report.FieldCompanyName: "示例市春日贸易有限公司"}},
		{"code in two boxes", base().print(300, 300, 20, "统一社会信用代码").print(480, 300, 20, "91440300").print(562, 300, 20, "MA5TE0T01G"),
			map[report.FieldName]string{report.FieldUSCC: testCode}},
		{"copy mark inside the code line", base().print(240, 300, 20, "（副统一社会信用代码 "+testCode).print(720, 300, 20, "(1-1)"),
			map[report.FieldName]string{report.FieldUSCC: testCode}},
		{"serial number is no registration number", base().print(200, 280, 20, "编号：440301100000008").print(300, 310, 20, "注册号").print(400, 310, 20, "440301100000016 (1-1)"),
			map[report.FieldName]string{report.FieldRegistrationNumber: "440301100000016"}},
		{"notice below is no field", base().field(100, 400, em, w, 28, "名称", "示例市春日贸易有限公司").field(100, 440, em, w, 28, "法定代表人", "张三丰").print(100, 800, 20, "重要提示").print(200, 800, 20, "1、经营范围：由章程确定。").print(200, 826, 20, "注册资本：实行认缴登记制度。"),
			map[report.FieldName]string{report.FieldRegisteredCapital: "", report.FieldLegalRepresentative: "张三丰"}},
		{"label of the name not found", base().print(100+w+0.3*em, 400, 0.9*em, "示例市春日水稻种植农民专业合作社城南分社").field(100, 440, em, w, 28, "类型", "农民专业合作社分支机构").field(100, 480, em, w, 28, "负责人", "张三丰"),
			map[report.FieldName]string{report.FieldCompanyName: "示例市春日水稻种植农民专业合作社城南分社", report.FieldType: "农民专业合作社分支机构"}},
		{"sheet without labels", base().print(300, 300, 20, testCode).print(200, 400, em, "示例市春日贸易有限公司").print(200, 440, em, "有限责任公司").print(200, 480, em, "2019年9月16日"),
			map[report.FieldName]string{report.FieldCompanyName: "示例市春日贸易有限公司", report.FieldType: "有限责任公司", report.FieldEstablished: "2019-09-16"}},
		{"value not printed", base().field(100, 400, em, w, 28, "名称", "***").field(100, 440, em, w, 28, "经营者", "赵六").field(100, 480, em, w, 28, "营业期限").field(100, 520, em, w, 28, "成立日期", "2019年9月16日"),
			map[report.FieldName]string{report.FieldCompanyName: "", report.FieldTerm: "", report.FieldLegalRepresentative: "赵六"}},
		{"long type", base().field(100, 400, em, w, 26, "类型", "有限责任公司（非自然人投资或", "控股的法人独资）").field(100, 470, em, w, 28, "法定代表人", "张三丰"),
			map[report.FieldName]string{report.FieldType: "有限责任公司(非自然人投资或控股的法人独资)"}},
		{"foreign name", base().field(100, 400, em, w, 28, "名称", "示例（中国）有限公司").field(100, 440, em, w, 28, "法定代表人", "JOHN FREDERICK DOE"),
			map[report.FieldName]string{report.FieldLegalRepresentative: "JOHN FREDERICK DOE"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := test.sheet.read()
			for _, field := range slices.Sorted(maps.Keys(test.want)) {
				if v := got.Fields[field].Text; v != test.want[field] {
					t.Errorf("%s: got %q, want %q", field, v, test.want[field])
				}
			}
		})
	}
}

func TestExtractKind(t *testing.T) {
	title := func(text string, em float64) *sheet { return newSheet(1000, 700).print(300, 80, em, text) }
	body := func(s *sheet) *sheet {
		for i := range 8 {
			s.print(100, 300+float64(i)*40, 20, "这是一行没有意义的文字")
		}
		return s
	}
	tests := []struct {
		name  string
		sheet *sheet
		want  report.DocumentKind
	}{
		{"empty", newSheet(100, 100), report.KindNone},
		{"text", body(newSheet(1000, 700)), report.KindNone},
		{"permit", body(title("药品经营许可证", 50)), report.KindOther},
		{"institution", body(title("事业单位法人证书", 50)), report.KindOther},
		{"bank account", body(title("开户许可证", 50)), report.KindOther},
		{"driving", body(title("中华人民共和国机动车驾驶证", 50)), report.KindOther},
		{"scope names a permit", body(landscape2019(newSheet(1400, 980))), report.KindBusinessLicense},
		{"title misread", landscape2019(newSheet(1400, 980)).replace("营业执照", "营业执熙"), report.KindBusinessLicense},
		{"title not read", landscape2019(newSheet(1400, 980)).replace("营业执照", "▒"), report.KindBusinessLicense},
		{"half a title", portrait2014(newSheet(920, 1280)).replace("营业执照", "业执照"), report.KindBusinessLicense},
		{"permit without its title", permit(newSheet(1200, 700)).replace("食品经营许可证", "▒"), report.KindOther},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.sheet.read(); got.Kind != test.want {
				t.Errorf("got %s (%q), want %s", got.Kind, got.Title, test.want)
			}
		})
	}
}

func (s *sheet) replace(from, to string) *sheet {
	for i := range s.lines {
		if s.lines[i].Text == from {
			s.lines[i].Text, s.lines[i].Characters = to, nil
		}
	}
	return s
}

func TestExtractSpecimenAndMasked(t *testing.T) {
	specimen := landscape2019(newSheet(1400, 980)).print(600, 600, 40, "样本")
	if r := specimen.read(); !r.Specimen || r.Masked {
		t.Errorf("got specimen %v, masked %v", r.Specimen, r.Masked)
	}
	masked := landscape2019(newSheet(1400, 980)).replace(testCode, "9144**********01G")
	if r := masked.read(); !r.Masked || r.Fields[report.FieldUSCC].Text != "" {
		t.Errorf("got masked %v, code %q", r.Masked, r.Fields[report.FieldUSCC].Text)
	}
}

func TestCodeRegions(t *testing.T) {
	s := portrait2014(newSheet(920, 1280)).replace("统一社会信用代码 "+testCode, "统一社会信用代码")
	regions := s.read().CodeRegions
	if len(regions) != 2 {
		t.Fatalf("got %d regions", len(regions))
	}
	min, max := regions[0].Bounds()
	if min.X < 700 || min.Y > 400 || max.Y < 420 {
		t.Errorf("the region right of the label is %v to %v", min, max)
	}
	if got := landscape2019(newSheet(1400, 980)).read().CodeRegions[0]; got[0].X != 160 || got[0].Y != 193 {
		t.Errorf("the code itself is not the first region: %v", got)
	}
}

func TestValueCharacters(t *testing.T) {
	v := landscape2019(newSheet(1400, 980)).read().Fields[report.FieldAddress]
	if got := ocr.Join(v.Characters); got != v.Raw || len(v.Quads) != 2 {
		t.Errorf("characters %q, raw %q, %d quads", got, v.Raw, len(v.Quads))
	}
}

func FuzzExtract(f *testing.F) {
	for _, s := range sheets {
		b, err := json.Marshal(s.make().lines)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, 1400, 980)
	}
	f.Add([]byte(`[{"text":"名称","quad":[{"X":0,"Y":0},{"X":1e308,"Y":0},{"X":1,"Y":1},{"X":0,"Y":1}]}]`), 0, -1)
	f.Fuzz(func(t *testing.T, data []byte, width, height int) {
		var lines []ocr.Line
		if json.Unmarshal(data, &lines) != nil {
			return
		}
		r := Extract(lines, width, height)
		for name, v := range r.Fields {
			if v.Text == "" || len(v.Quads) == 0 || v.Confidence != v.Confidence {
				t.Errorf("%s is %+v", name, v)
			}
		}
	})
}

func BenchmarkExtract(b *testing.B) {
	s := landscape2019(newSheet(1400, 980))
	for b.Loop() {
		s.read()
	}
}

// A page full of text must not take more than a moment.
func TestExtractManyLines(t *testing.T) {
	s := newSheet(4000, 40000)
	s.characters = false
	for i := range 3 * maxLines {
		s.print(100, float64(i)*12, 10, strings.Repeat("名称类型住所", 100))
	}
	s.read()
}
