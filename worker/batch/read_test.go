package batch

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/heyan/heyan/pipeline/report"
)

// read is all lines of a file in short: number, id, name and picture of those
// that are good; number, column and rule of the errors of others; the error that
// ended it, if it was not the end of the file.
func read(t testing.TB, r io.Reader, f Format) (*Reader, []string) {
	t.Helper()
	reader, err := Open(r, f)
	var got []string
	for err == nil {
		var line Line
		var found []LineError
		if line, found, err = reader.Next(); err != nil {
			break
		}
		for _, e := range found {
			got = append(got, fmt.Sprintf("%d ! %s %s", e.Line, e.Column, e.Rule))
			if e.Message.ZH == "" || e.Message.EN == "" || strings.Contains(e.Message.ZH+e.Message.EN, "%!") {
				t.Errorf("message of %s: %+v", e.Rule, e.Message)
			}
		}
		if found == nil {
			got = append(got, fmt.Sprintf("%d %s %s %s", line.Number, line.CustomID, line.Declared.Name, line.Picture))
		}
	}
	var file *FileError
	switch {
	case errors.As(err, &file):
		got = append(got, "file ! "+string(file.Rule))
		if strings.Contains(file.Error(), "%!") || file.Message.ZH == "" {
			t.Errorf("message of %s: %+v", file.Rule, file.Message)
		}
	case err != io.EOF:
		t.Fatal(err)
	}
	return reader, got
}

const (
	name1 = "霁川测试科技有限公司"
	name2 = "云杉试验（杭州）贸易有限公司"
)

func gb18030(t testing.TB, text string) string {
	t.Helper()
	encoded, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestCSV(t *testing.T) {
	long := strings.Repeat("x", MaxLineBytes)
	for _, c := range []struct {
		name, file string
		want       []string
	}{
		{"columns in any order and language", "照片,备注, Custom ID ,企业名称\na.jpg,x,1," + name1 + "\n", []string{"2 1 " + name1 + " a.jpg"}},
		{"no end of the last line", "custom_id,name\n1,a\n2,b", []string{"2 1 a ", "3 2 b "}},
		{"CR LF", "custom_id,name\r\n1,a\r\n\r\n2,b\r\n", []string{"2 1 a ", "4 2 b "}},
		{"CR alone", "custom_id,name\r1,a\r\r2,b", []string{"2 1 a ", "4 2 b "}},
		{"a quoted newline", "custom_id,note,name\n1,\"two\nlines\",a\n2,,b\n", []string{"2 1 a ", "4 2 b "}},
		{"a quoted newline in a value", "custom_id,name\n1,\"a\r\nb\"\n2,b\n", []string{"2 ! name control_character", "4 2 b "}},
		{"quotes", "custom_id,name\n1,\"a \"\"b\"\", c\" \n2, \"d,e\"\n3,f\"g\"\n", []string{`2 1 a "b", c `, "3 2 d,e ", `4 3 f"g" `}},
		{"text after quotes", "custom_id,name\n1,\"a\"b,c\n2,b\n", []string{"2 !  quotes", "3 2 b "}},
		{"a quote that stays open", "custom_id,name\n1,a\n2,\"b\n3,c\n", []string{"2 1 a ", "3 !  quotes"}},
		{"values are trimmed", "custom_id,name\n\u30001 , a\u00a0\n", []string{"2 1 a "}},
		{"empty lines", "custom_id,name\n,\n \n1,a\n", []string{"4 1 a "}},
		{"cells left out", "custom_id,name,picture\n1\n", []string{"2 1  "}},
		{"more cells than columns", "custom_id,name\n1,a,\n2,b,c\n", []string{"2 1 a ", "3 !  too_many_cells"}},
		{"no id", "custom_id,name\n,a\n \t,b\n", []string{"2 ! custom_id missing", "3 ! custom_id missing"}},
		{"an id twice", "custom_id,name\n1,a\n2,b\n1,c\n", []string{"2 1 a ", "3 2 b ", "4 ! custom_id duplicate_custom_id"}},
		{"values that are too long", "custom_id,name,uscc\n" + long[:129] + "," + long[:513] + "," + long[:512] + "\n",
			[]string{"2 ! custom_id too_long", "2 ! name too_long"}},
		{"a purpose that does not exist", "custom_id,purpose\n1,annual\n2,often\n", []string{"2 1  ", "3 ! purpose not_allowed"}},
		{"NUL", "custom_id,note,name\n1,\x00,a\n2,,b\x00c\n", []string{"2 1 a ", "3 ! name control_character"}},
		{"a line that is too long", "custom_id,name\n1," + long + "\n2,b\n", []string{"2 !  line_too_long", "3 2 b "}},
		{"lines that are too long together", "custom_id,note\n1,\"" + long[:MaxLineBytes-8] + "\n" + long[:9] + "\"\n2,b\n", []string{"2 !  line_too_long", "4 2  "}},
		{"a million columns", "custom_id,name\n1,a" + strings.Repeat(",", 1_000_000) + "\n2,b\n3,c" + strings.Repeat(",x", 1_000_000) + "\n",
			[]string{"2 !  too_many_cells", "3 2 b ", "4 !  line_too_long"}},
		{"a header of a million columns", "custom_id" + strings.Repeat(",", 1_000_000), []string{"file ! too_many_columns"}},
		{"a header that is too long", long + "x\ncustom_id\n", []string{"file ! line_too_long"}},
		{"no id column", "name,picture\n" + name1 + ",a.jpg\n", []string{"file ! missing_column"}},
		{"semicolons", "custom_id;name\n1;a\n", []string{"file ! missing_column"}},
		{"a column twice", "custom_id,name,企业名称\n", []string{"file ! duplicate_column"}},
		{"an open quote in the header", "custom_id,\"name\n1,a\n", []string{"file ! quotes"}},
		{"empty", "", []string{"file ! empty"}},
		{"blank", "\uFEFF \r\n\r\n", []string{"file ! empty"}},
		{"a header alone", "custom_id\n", nil},
		{"UTF-16", "\xFF\xFEc\x00u\x00", []string{"file ! utf16"}},
		{"a byte that is not UTF-8", "custom_id,name\n1," + name1 + "\n2,a\xFFb\n3,c\n", []string{"2 1 " + name1 + " ", "3 ! name not_utf8", "4 3 c "}},
		{"not UTF-8 in a column that is not known", "custom_id,备注\n1,\xFF\n", []string{"2 1  "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, got := read(t, strings.NewReader(c.file), CSV); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestEncoding(t *testing.T) {
	csv := "自定义编号,企业名称\n1," + name1 + "\n2," + name2 + "\n"
	json := `{"custom_id":"1","name":"` + name1 + `\\"}` + "\n" + `{"custom_id":"2","name":"` + name2 + `"}` + "\n"
	want := []string{"2 1 " + name1 + " ", "3 2 " + name2 + " "}
	wantJSON := []string{"1 1 " + name1 + `\ `, "2 2 " + name2 + " "}
	damaged := gb18030(t, csv) + "3,\xFF\xFF\n"
	for _, c := range []struct {
		name, file string
		format     Format
		encoding   string
		want       []string
	}{
		{"UTF-8", csv, CSV, "utf-8", want},
		{"ASCII", "custom_id\n1\n", CSV, "utf-8", []string{"2 1  "}},
		{"with a mark", "\uFEFF" + csv, CSV, "utf-8 with BOM", want},
		{"GB18030", gb18030(t, csv), CSV, "gb18030", want},
		{"GB18030 with a mark", gb18030(t, "\uFEFF"+csv), CSV, "gb18030", want},
		{"GB18030, a rare character", gb18030(t, csv+"3,㐂𠮷测试\n"), CSV, "gb18030", append(slices.Clone(want), "4 3 㐂𠮷测试 ")},
		{"GB18030, damaged", damaged, CSV, "gb18030", append(slices.Clone(want), "4 ! name not_gb18030")},
		{"JSONL", json, JSONL, "utf-8", wantJSON},
		{"JSONL with a mark", "\uFEFF" + json, JSONL, "utf-8 with BOM", wantJSON},
		{"JSONL in GB18030", gb18030(t, json), JSONL, "gb18030", wantJSON},
		{"JSONL in GB18030, damaged", gb18030(t, json) + "{\"name\":\"\xFF\xFF\"}", JSONL, "gb18030", append(slices.Clone(wantJSON), "3 !  not_gb18030")},
		{"far behind", csv + strings.Repeat("\n", 2*sniffBytes) + "3,\xB2\xE2\n", CSV, "utf-8", append(slices.Clone(want), fmt.Sprintf("%d ! name not_utf8", 2*sniffBytes+4))},
	} {
		t.Run(c.name, func(t *testing.T) {
			reader, got := read(t, strings.NewReader(c.file), c.format)
			if !slices.Equal(got, c.want) || reader.Encoding() != c.encoding {
				t.Errorf("got %q in %s, want %q in %s", got, reader.Encoding(), c.want, c.encoding)
			}
		})
	}
}

func TestJSONL(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       []string
	}{
		{"names in any language", `{"自定义编号":"1","企业名称":"a","Picture":"b"}`, []string{"1 1 a b"}},
		{"CR alone and empty lines", "{\"custom_id\":\"1\"}\r\r{\"custom_id\":\"2\"}", []string{"1 1  ", "3 2  "}},
		{"null is absent", `{"custom_id":"1","name":null}`, []string{"1 1  "}},
		{"a key twice", `{"custom_id":"1","name":"a","name":"b"}`, []string{"1 ! name duplicate_key"}},
		{"a key twice in two languages", `{"custom_id":"1","企业名称":"a","name":"b"}`, []string{"1 ! name duplicate_key"}},
		{"a key twice that is not known", `{"custom_id":"1","x":1,"x":{"y":[[]]}}`, []string{"1 1  "}},
		{"other types", `{"custom_id":1,"name":{"custom_id":"1"},"picture":["a"]}`,
			[]string{"1 ! custom_id not_a_string", "1 ! name not_a_string", "1 ! picture not_a_string"}},
		{"nested without end", strings.Repeat(`{"x":`, 200_000) + "\n" + `{"custom_id":"1"}`, []string{"1 !  not_json", "2 1  "}},
		{"nested under a key", `{"custom_id":"1","x":` + strings.Repeat("[", 300_000) + strings.Repeat("]", 300_000) + `}`, []string{"1 !  not_json"}},
		{"no object", "[]\n\"custom_id\"\n1", []string{"1 !  not_an_object", "2 !  not_an_object", "3 !  not_an_object"}},
		{"cut off", `{"custom_id":"1"`, []string{"1 !  not_json"}},
		{"two objects", `{"custom_id":"1"}{"custom_id":"2"}`, []string{"1 !  not_json"}},
		{"no JSON", "custom_id,name\n1,a", []string{"1 !  not_json", "2 !  not_an_object"}},
		{"NUL", "{\"custom_id\":\"1\",\"name\":\"\x00\"}\n{\"custom_id\":\"2\",\"name\":\"\\u0000\"}", []string{"1 !  not_json", "2 ! name control_character"}},
		{"not UTF-8", "{\"custom_id\":\"测\"}\n{\"custom_id\":\"\xFF\"}", []string{"1 测  ", "2 !  not_utf8"}},
		{"a line that is too long", `{"custom_id":"` + strings.Repeat("1", MaxLineBytes) + "\"}\n{\"custom_id\":\"1\"}", []string{"1 !  line_too_long", "2 1  "}},
		{"no id", `{}`, []string{"1 ! custom_id missing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, got := read(t, strings.NewReader(c.file), JSONL); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Every column arrives in its field, by either of its names.
func TestColumns(t *testing.T) {
	want := Line{2, "1", report.Declared{OrganizationID: "org", Name: name1, USCC: "91310115PDY899512H", RegistrationNumber: "110108000000016",
		OrganizationCode: "11111111-1", LegalRepresentative: "张试", IDKind: "resident18", IDNumber: "11010519491231002X",
		EntityType: "company", Email: "office@example.com", Phone: "13800138000"}, report.PurposeAnnual, "a/1.jpg"}
	for _, header := range []string{
		"custom_id,organization_id,name,uscc,registration_number,organization_code,legal_representative,id_kind,id_number,entity_type,email,phone,purpose,picture",
		"自定义编号,组织编号,企业名称,统一社会信用代码,注册号,组织机构代码,法定代表人,证件类型,证件号码,企业类型,邮箱,手机号码,用途,照片",
	} {
		reader, err := Open(strings.NewReader(header+"\n1,org,"+name1+",91310115PDY899512H,110108000000016,11111111-1,张试,resident18,11010519491231002X,company,office@example.com,13800138000,annual,a/1.jpg\n"), CSV)
		if err != nil {
			t.Fatal(err)
		}
		if got, found, err := reader.Next(); got != want || found != nil || err != nil {
			t.Errorf("got %+v, %v, %v, want %+v", got, found, err, want)
		}
	}
}

// Messages name the first line of an id, and never the value of a field.
func TestLineError(t *testing.T) {
	const secret = "11010519491231002X"
	reader, err := Open(strings.NewReader("custom_id,id_number,purpose\nA,\""+secret+"\n"+secret+"\",x\nA,,\n"), CSV)
	if err != nil {
		t.Fatal(err)
	}
	_, first, _ := reader.Next()
	if len(first) != 2 || first[0].CustomID != "A" || first[0].Column != "id_number" || strings.Contains(fmt.Sprint(first), secret[:6]) {
		t.Errorf("got %+v", first)
	}
	_, second, _ := reader.Next()
	if want := (report.Text{ZH: "该自定义编号已在第2行出现。", EN: "This custom_id stands in line 2 already."}); len(second) != 1 || second[0].Message != want {
		t.Errorf("got %+v, want %+v", second, want)
	}
}

func TestIgnored(t *testing.T) {
	header := "custom_id,备注," + strings.Repeat("x", 100) + ",,备注"
	reader, _ := read(t, strings.NewReader(header+"\n"), CSV)
	if got, want := reader.Ignored(), []string{"备注", strings.Repeat("x", maxIgnoredBytes)}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var lines strings.Builder
	for i := range 100 {
		fmt.Fprintf(&lines, "{\"custom_id\":\"%d\",\"x%d\":0}\n", i, i)
	}
	reader, _ = read(t, strings.NewReader(lines.String()), JSONL)
	if got := reader.Ignored(); len(got) != maxIgnored || got[0] != "x0" {
		t.Errorf("got %q", got)
	}
}

// failing reads text and then fails.
type failing struct{ io.Reader }

var errDisk = errors.New("disk failed")

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = errDisk
	}
	return n, err
}

// An error of the disk is no error of the file, and reading does not go on.
func TestReadError(t *testing.T) {
	reader, err := Open(failing{strings.NewReader("custom_id,x\n" + strings.Repeat("1,"+strings.Repeat("x", 998)+"\n", 2*sniffBytes/1000))}, CSV)
	for err == nil {
		_, _, err = reader.Next()
	}
	_, _, again := reader.Next()
	if err != errDisk || again != errDisk {
		t.Errorf("got %v, then %v, want %v", err, again, errDisk)
	}
}

func TestTooManyLines(t *testing.T) {
	reader, err := Open(strings.NewReader("custom_id\n1\n2\n"), CSV)
	if err != nil {
		t.Fatal(err)
	}
	reader.lines = MaxLines - 1
	if _, _, err := reader.Next(); err != nil {
		t.Errorf("the last line: %v", err)
	}
	_, _, err = reader.Next()
	var file *FileError
	if !errors.As(err, &file) || file.Rule != RuleTooManyLines {
		t.Errorf("got %v", err)
	}
}

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		name, head string
		want       Format
		rule       Rule
	}{
		{"a.csv", "custom_id\n", CSV, ""},
		{"a.CSV", "{", CSV, ""},
		{"a.jsonl", "{}", JSONL, ""},
		{"a.ndjson", "{}", JSONL, ""},
		{"a.xlsx", "PK\x03\x04", XLSX, ""},
		{"", "PK\x03\x04", XLSX, ""},
		{"a.txt", "\uFEFF {\"a\"", JSONL, ""},
		{"", "自定义编号", CSV, ""},
		{"", gb18030(t, "自定义编号"), CSV, ""},
		{"a.csv", "PK\x03\x04", "", RuleOtherFormat},
		{"a.xlsx", "custom_id", "", RuleOtherFormat},
		{"a.xls", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "", RuleOldSpreadsheet},
		{"a.xlsx", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "", RuleOldSpreadsheet},
		{"a.csv", "\xFF\xFEa\x00", "", RuleUTF16},
		{"", "\x7FELF\x00", "", RuleNotText},
		{"a.csv", " \n", "", RuleEmpty},
	} {
		got, err := Detect(c.name, []byte(c.head))
		var file *FileError
		errors.As(err, &file)
		if got != c.want || (err == nil) != (c.rule == "") || file != nil && file.Rule != c.rule {
			t.Errorf("%q %q: got %q, %v, want %q, %q", c.name, c.head, got, err, c.want, c.rule)
		}
	}
}

func TestOpenUnknown(t *testing.T) {
	if _, err := Open(strings.NewReader("a"), "pdf"); err == nil {
		t.Error("want an error")
	}
	if _, err := Open(io.LimitReader(strings.NewReader("a"), 1), XLSX); err == nil {
		t.Error("want an error")
	}
}
