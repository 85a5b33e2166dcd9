package batch

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// parts are those of a spreadsheet by name.
type parts map[string]string

// spreadsheet has one sheet with these rows, strings and styles, as XML.
func spreadsheet(sheet, shared, styles string) parts {
	const office = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
	return parts{
		"_rels/.rels": `<Relationships><Relationship Id="r1" Type="` + office + `officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml": `<workbook xmlns:r="r"><sheets><sheet name="hidden" state="hidden" r:id="r9"/>` +
			`<sheet name="chart" r:id="r8"/><sheet name="a" sheetId="9" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r1" Type="` + office + `worksheet" Target="sheets/a.xml"/>` +
			`<Relationship Id="r8" Type="` + office + `chartsheet" Target="sheets/c.xml"/><Relationship Id="r9" Type="` + office + `worksheet" Target="sheets/h.xml"/>` +
			`<Relationship Id="r2" Type="` + office + `sharedStrings" Target="/xl/strings.xml"/><Relationship Id="r3" Type="` + office + `styles" Target="styles.xml"/></Relationships>`,
		"xl/sheets/a.xml": `<worksheet><cols><col/></cols><sheetData>` + sheet + `</sheetData><pageMargins/></worksheet>`,
		"xl/strings.xml":  `<sst>` + shared + `</sst>`,
		"xl/styles.xml":   `<styleSheet>` + styles + `</styleSheet>`,
	}
}

func (p parts) zip(t testing.TB) []byte {
	t.Helper()
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	for name, content := range p {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

const (
	headerRow = `<row><c t="inlineStr"><is><t>custom_id</t></is></c><c t="inlineStr"><is><t>name</t></is></c><c t="inlineStr"><is><t>x</t></is></c></row>`
	styleList = `<numFmts><numFmt numFmtId="164" formatCode="00000"/><numFmt numFmtId="165" formatCode="0&quot;号&quot;"/></numFmts>` +
		`<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/><xf numFmtId="1"/><xf numFmtId="49"/><xf numFmtId="165"/></cellXfs>`
)

func TestSheet(t *testing.T) {
	for _, c := range []struct {
		name, rows string
		want       []string
	}{
		{"shared and inline strings", `<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c></row>`, []string{"2 1 a b "}},
		{"rows and cells left out", `<row r="5"><c r="B5" t="str"><v>b</v></c></row><row r="9"><c r="A9" t="str"><v>9</v></c></row>`,
			[]string{"5 ! custom_id missing", "9 9  "}},
		{"no references", `<row><c t="str"><v>7</v></c><c t="str"><v>c</v></c></row><row/><row><c t="str"><v>8</v></c></row>`, []string{"2 7 c ", "4 8  "}},
		{"numbers as they are shown", `<row><c><v>7</v></c><c><v>0.10000000000000001</v></c></row><row><c s="1"><v>42</v></c><c s="3"><v>1.1010519491231E+14</v></c></row>` +
			`<row><c s="4"><v>13800138000</v></c><c s="4"><v>-1</v></c></row>`, []string{"2 7 0.1 ", "3 00042 110105194912310 ", "4 13800138000 -1 "}},
		{"a number of 18 digits", `<row><c><v>1</v></c><c><v>1.1010519491231E+17</v></c></row><row><c s="1"><v>110105194912310000</v></c></row>`,
			[]string{"2 ! name number_lost_digits", "3 ! custom_id number_lost_digits"}},
		{"dates and other formats", `<row><c><v>1</v></c><c s="2"><v>46024</v></c></row><row><c><v>2</v></c><c s="5"><v>3</v></c></row>` +
			`<row><c><v>3</v></c><c t="d"><v>2026-01-02</v></c></row><row><c><v>4</v></c><c s="3"><v>1.5</v></c></row><row><c><v>5</v></c><c/><c s="2"><v>46024</v></c></row>`,
			[]string{"2 ! name number_format", "3 ! name number_format", "4 ! name number_format", "5 ! name number_format", "6 5  "}},
		{"formulas", `<row><c><v>1</v></c><c t="str"><f>A1&amp;"x"</f><v>1x</v></c></row><row><c><v>2</v></c><c><f>A1</f></c></row><row><c><v>3</v></c><c t="str"><f>A9</f><v/></c></row>` +
			`<row><c><v>4</v></c><c t="e"><f>A1/0</f><v>#DIV/0!</v></c></row><row><c t="b"><v>1</v></c></row>`,
			[]string{"2 1 1x ", "3 ! name cell_error", "4 3  ", "5 ! name cell_error", "6 TRUE  "}},
		{"damaged cells", `<row><c t="s"><v>9</v></c><c t="s"><v>-1</v></c></row><row><c t="what"><v>1</v></c><c><v>1e999</v></c></row><row><c><v>2</v></c><c><v>NaN</v></c></row>`,
			[]string{"2 ! custom_id cell_error", "2 ! name cell_error", "3 ! custom_id cell_error", "3 ! name cell_error", "4 ! name cell_error"}},
		{"more cells than columns", `<row><c r="A2"><v>1</v></c><c r="D2"><v>1</v></c></row><row r="3"><c r="A3"><v>2</v></c><c r="XFD3"><v>1</v></c></row>` +
			`<row><c r="A4"><v>3</v></c><c r="D4"/><c r="XFD4" s="2"/><c r="AAAAAAAAAAAAAAAAAA4"/></row>`, []string{"2 !  too_many_cells", "3 !  too_many_cells", "4 3  "}},
		{"escaped characters", `<row><c t="str"><v>_x0031_</v></c><c t="inlineStr"><is><t>a_x000D_</t></is></c></row>`, []string{"2 1 a "}},
		{"runs without phonetic guides", `<row><c t="s"><v>2</v></c><c t="inlineStr"><is><r><rPr><b/></rPr><t>云</t></r><r><t>杉</t></r><rPh><t>yun</t></rPh></is></c></row>`, []string{"2 2 云杉 "}},
		{"XML that ends", `<row><c><v>1</v></c></row><row><c>`, []string{"2 1  ", "file ! damaged"}},
		{"an entity", `<row><c t="str"><v>&lol;</v></c></row>`, []string{"file ! damaged"}},
		{"a row that is too long", `<row><c><v>1</v></c></row><row><c t="str"><v>` + strings.Repeat("a", 2*MaxLineBytes) + `</v></c></row>`, []string{"2 1  ", "file ! too_large"}},
		{"nothing for long", `<row><c><v>1</v></c></row>` + strings.Repeat(" ", 2*MaxLineBytes), []string{"2 1  ", "file ! too_large"}},
		{"rows far down", `<row r="99999999999"><c><v>1</v></c></row><row r="2147483647"><c><v>2</v></c></row><row r="3"><c><v>3</v></c></row>`,
			[]string{"2 1  ", "2147483647 2  ", "2147483648 3  "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := spreadsheet(headerRow+c.rows, `<si><t>1</t></si><si><r><t>a</t></r><r><t xml:space="preserve"> b</t></r></si><si><t>2</t><rPh><t>er</t></rPh></si>`, styleList)
			if _, got := read(t, bytes.NewReader(file.zip(t)), XLSX); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestBrokenWorkbooks(t *testing.T) {
	whole := spreadsheet(headerRow, "", styleList)
	without := func(part string) parts {
		p := parts{}
		for name, content := range whole {
			if name != part {
				p[name] = content
			}
		}
		return p
	}
	with := func(part, content string) parts {
		p := without(part)
		p[part] = content
		return p
	}
	file := whole.zip(t)
	flipped := bytes.Clone(file)
	flipped[bytes.Index(flipped, []byte("xl/sheets/a.xml"))+30] ^= 0xFF
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"no ZIP", []byte("custom_id\n"), "damaged"},
		{"a flipped byte", flipped, "damaged"},
		{"cut off", file[:len(file)-30], "damaged"},
		{"an empty ZIP", parts{}.zip(t), "damaged"},
		{"no relations", without("_rels/.rels").zip(t), "damaged"},
		{"no workbook", without("xl/workbook.xml").zip(t), "damaged"},
		{"no sheet", without("xl/sheets/a.xml").zip(t), "damaged"},
		{"no strings", without("xl/strings.xml").zip(t), "damaged"},
		{"a broken list of sheets", with("xl/workbook.xml", "<workbook>").zip(t), "damaged"},
		{"hidden sheets only", with("xl/workbook.xml", `<workbook><sheets><sheet id="r1" state="veryHidden"/></sheets></workbook>`).zip(t), "no_sheet"},
		{"no rows", with("xl/sheets/a.xml", `<worksheet><sheetData/></worksheet>`).zip(t), "empty"},
		{"no id column", with("xl/sheets/a.xml", strings.ReplaceAll(whole["xl/sheets/a.xml"], "custom_id", "id")).zip(t), "missing_column"},
		{"another encoding", with("xl/workbook.xml", `<?xml version="1.0" encoding="ebcdic"?><workbook/>`).zip(t), "damaged"},
		{"styles as a bomb", with("xl/styles.xml", "<styleSheet>"+strings.Repeat(" ", maxPartBytes+MaxLineBytes)).zip(t), "too_large"},
		{"one string as a bomb", with("xl/strings.xml", "<sst><si><t>"+strings.Repeat("a", 2*MaxLineBytes)).zip(t), "too_large"},
		{"nested as a bomb", with("xl/sheets/a.xml", strings.Repeat("<a>", MaxLineBytes)).zip(t), "too_large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, got := read(t, bytes.NewReader(c.file), XLSX); !slices.Equal(got, []string{"file ! " + c.want}) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The strings that cells share are bounded together, too.
func TestTooManyStrings(t *testing.T) {
	file := spreadsheet("", "<si><t>a</t></si>", "").zip(t)
	archive, err := openArchive(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for name, before := range map[string]sharedStrings{
		"":         {},
		"too long": {text: make([]byte, maxStringsBytes)},
		"too many": {ends: make([]uint32, maxStrings)},
	} {
		w := &workbook{parts: map[string]*zip.File{}, strings: before}
		for _, f := range archive.File {
			w.parts[f.Name] = f
		}
		var known *FileError
		if err := w.readStrings("xl/strings.xml"); (err != nil) != (name != "") || err != nil && (!errors.As(err, &known) || known.Rule != RuleTooLarge) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A wrong checksum is found at the end of the sheet, if nothing else tells.
func TestSheetChecksum(t *testing.T) {
	file := spreadsheet(headerRow+`<row><c><v>1</v></c></row>`, "", styleList).zip(t)
	sum := make([]byte, 4)
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.File {
		if f.Name == "xl/sheets/a.xml" {
			binary.LittleEndian.PutUint32(sum, f.CRC32)
		}
	}
	file = bytes.ReplaceAll(file, sum, []byte("sums"))
	if _, got := read(t, bytes.NewReader(file), XLSX); !slices.Equal(got, []string{"2 1  ", "file ! damaged"}) {
		t.Errorf("got %q", got)
	}
}

// The files of two programs: openpyxl 3.1.5 writes inline strings and computes no
// formula, XlsxWriter 3.3.1 writes what Excel does.
func TestForeignFiles(t *testing.T) {
	lines := []string{"2 A-1 " + name1 + " a/1.jpg", "3 ! id_number number_lost_digits", "4 00003 晨曦公司 ", "6 ! name number_format"}
	for file, want := range map[string][]string{
		"testdata/xlsxwriter.xlsx": lines,
		"testdata/openpyxl.xlsx":   {lines[0], lines[1], "4 ! name cell_error", lines[3]},
	} {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		reader, got := read(t, f, XLSX)
		if !slices.Equal(got, want) || !slices.Equal(reader.Ignored(), []string{"备注"}) {
			t.Errorf("%s: got %q, without %q, want %q", file, got, reader.Ignored(), want)
		}
	}
}

// brokenDisk fails beyond a place.
type brokenDisk struct {
	*bytes.Reader
	from int64
}

func (d brokenDisk) ReadAt(p []byte, at int64) (int, error) {
	if at < d.from {
		return 0, errDisk
	}
	return d.Reader.ReadAt(p, at)
}

// An error of the disk does not make the file a damaged one.
func TestSheetReadError(t *testing.T) {
	file := spreadsheet(headerRow, "", styleList).zip(t)
	for _, from := range []int64{int64(len(file)), 1000} { // the directory, a part
		if _, err := Open(brokenDisk{bytes.NewReader(file), from}, XLSX); !errors.Is(err, errDisk) {
			t.Errorf("from %d: got %v", from, err)
		}
	}
}
