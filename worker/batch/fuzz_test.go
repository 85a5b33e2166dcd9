package batch

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// checkFile reads a file twice, and holds what comes against what Reader says.
func checkFile(t *testing.T, file []byte, f Format) {
	t.Helper()
	once, first := read(t, bytes.NewReader(file), f)
	_, second := read(t, bytes.NewReader(file), f)
	if strings.Join(first, "\n") != strings.Join(second, "\n") {
		t.Errorf("read twice: %q, %q", first, second)
	}
	if once == nil {
		return
	}
	reader, err := Open(bytes.NewReader(file), f)
	if err != nil {
		t.Fatal(err)
	}
	ids, last := map[string]bool{}, 0
	for {
		line, found, err := reader.Next()
		var known *FileError
		if err == io.EOF || errors.As(err, &known) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if line.Number <= last {
			t.Errorf("line %d after %d", line.Number, last)
		}
		last = line.Number
		if found != nil {
			continue
		}
		if line.CustomID == "" || ids[line.CustomID] {
			t.Errorf("line %d: id %q", last, line.CustomID)
		}
		ids[line.CustomID] = true
		for _, c := range columns {
			value := *c.field(&line)
			if len(value) > c.limit || !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) || value != strings.TrimSpace(value) {
				t.Errorf("line %d: %s is %q", last, c.name, value)
			}
		}
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("custom_id,name\r\n1,\"a \"\"b\"\"\nc\"\r2,d\n"))
	f.Add([]byte("\uFEFF自定义编号,企业名称,x\n1," + name1 + ",\n1,,,,\n"))
	f.Add([]byte(gb18030(f, "自定义编号,企业名称\n1,"+name1+"\n") + "2,\xFF"))
	f.Fuzz(func(t *testing.T, file []byte) { checkFile(t, file, CSV) })
}

func FuzzJSONL(f *testing.F) {
	f.Add([]byte("{\"custom_id\":\"1\",\"name\":\"\\u6d4b\",\"x\":[{}]}\r{\"custom_id\":1,\"custom_id\":null}\n[]"))
	f.Add([]byte(gb18030(f, `{"自定义编号":"1","企业名称":"`+name1+`\\"}`)))
	f.Fuzz(func(t *testing.T, file []byte) { checkFile(t, file, JSONL) })
}

// FuzzXLSX changes the parts: a changed ZIP is seldom more than a damaged one.
func FuzzXLSX(f *testing.F) {
	f.Add(headerRow+`<row r="3"><c r="A3" t="s"><v>0</v></c><c s="1"><f>x</f><v>1.5E+10</v></c></row>`, `<si><r><t>1</t></r><rPh><t>x</t></rPh></si>`, styleList)
	f.Add(headerRow+`<row><c><v>1</v></c><c t="inlineStr"><is><t>_x000D_a</t></is></c></row>`, "", "")
	f.Fuzz(func(t *testing.T, sheet, shared, styles string) {
		checkFile(t, spreadsheet(sheet, shared, styles).zip(t), XLSX)
	})
}

func FuzzZIP(f *testing.F) {
	f.Add(zipOf(f, named("a.jpg", "picture"), named("甲/../b.jpg", "picture")), "b.jpg")
	f.Add(zipOf(f, named(gb18030(f, "丙.jpg"), "picture")), "丙.jpg")
	f.Fuzz(func(t *testing.T, file []byte, name string) {
		p, err := ZIP(bytes.NewReader(file), int64(len(file)), maxPicture)
		var unfit *FileError
		if errors.As(err, &unfit) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		picture, err := p.Read(name)
		var known *PictureError
		if err != nil && !errors.As(err, &known) || err == nil && (len(picture) == 0 || len(picture) > maxPicture) {
			t.Errorf("got %d bytes, %v", len(picture), err)
		}
	})
}
