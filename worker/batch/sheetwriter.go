package batch

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxCellRunes is the longest text of a cell that spreadsheet programs open.
const maxCellRunes = 32_767

// sheetParts are the parts of an XLSX beside its sheet.
var sheetParts = [][2]string{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`},
	{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">` +
		`<sheets><sheet name="results" sheetId="1" r:id="rId1"/></sheets></workbook>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
}

// The sheet around its rows. The header stays in sight.
const (
	sheetStart = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0">` +
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>`
	sheetEnd = `</sheetData></worksheet>`
)

// sheetWriter writes an XLSX with one sheet, as a stream. Every cell is text, so
// that numbers keep their digits and nothing is a formula.
type sheetWriter struct {
	zip *zip.Writer
	out *bufio.Writer
}

func newSheetWriter(w io.Writer) (*sheetWriter, error) {
	z := zip.NewWriter(w)
	for _, part := range sheetParts {
		out, err := z.Create(part[0])
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(out, xml.Header+part[1]); err != nil {
			return nil, err
		}
	}
	out, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		return nil, err
	}
	s := &sheetWriter{z, bufio.NewWriter(out)}
	_, err = s.out.WriteString(xml.Header + sheetStart)
	return s, err
}

func (s *sheetWriter) write(cells []string) error {
	fmt.Fprint(s.out, "<row>")
	for _, text := range cells {
		if text == "" {
			fmt.Fprint(s.out, "<c/>")
			continue
		}
		fmt.Fprint(s.out, `<c t="inlineStr"><is><t xml:space="preserve">`)
		if err := xml.EscapeText(s.out, []byte(cut(text))); err != nil {
			return err
		}
		fmt.Fprint(s.out, "</t></is></c>")
	}
	_, err := fmt.Fprint(s.out, "</row>") // a bufio.Writer repeats its first error
	return err
}

// cut shortens a text to what a cell holds.
func cut(text string) string {
	if utf8.RuneCountInString(text) <= maxCellRunes {
		return text
	}
	return string([]rune(text)[:maxCellRunes])
}

func (s *sheetWriter) close() error {
	if _, err := s.out.WriteString(sheetEnd); err != nil {
		return err
	}
	if err := s.out.Flush(); err != nil {
		return err
	}
	return s.zip.Close()
}
