package batch

import (
	"archive/zip"
	"encoding/xml"
	"io"
	"path"
	"strconv"
	"strings"
)

// A spreadsheet is read here and not by excelize: that keeps 900 MB for 100,000
// lines of 12 strings, or leaves them in clear in temporary files, which a killed
// process does not remove (measured with v2.11.0).

const (
	// maxPartBytes is the longest part that is read whole: relations, the list of
	// sheets, styles.
	maxPartBytes = 8 << 20
	// maxSheetBytes is the longest sheet, as XML: MaxLines rows of 2 kB.
	maxSheetBytes = 2 << 30
	// maxStringsXML, maxStringsBytes and maxStrings bound the strings that cells
	// share: a million lines with 60 bytes of their own each.
	maxStringsXML   = 512 << 20
	maxStringsBytes = 64 << 20
	maxStrings      = 8_000_000
)

// workbook is an Office Open XML spreadsheet (ECMA-376), unzipped as it is read.
type workbook struct {
	parts   map[string]*zip.File
	strings sharedStrings
	styles  []numberFormat
}

// relation is a link from one part to another.
type relation struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"`
	Target string `xml:"Target,attr"`
}

// openSheet finds the first visible sheet, and reads what its cells refer to.
func openSheet(file readerAtSeeker) (*sheet, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	archive, err := openArchive(file, size)
	if err != nil {
		return nil, err
	}
	w := &workbook{parts: map[string]*zip.File{}}
	for _, f := range archive.File {
		w.parts[f.Name] = f
	}
	s, err := w.open()
	if err != nil {
		return nil, damaged(err)
	}
	return s, nil
}

func (w *workbook) open() (*sheet, error) {
	packages, err := w.relations("")
	if err != nil {
		return nil, err
	}
	book := target(packages, func(r relation) bool { return strings.HasSuffix(r.Type, "/officeDocument") })
	var content struct {
		Sheets []struct {
			State string `xml:"state,attr"`
			ID    string `xml:"id,attr"` // of a relation
		} `xml:"sheets>sheet"`
	}
	if err := w.decode(book, &content); err != nil {
		return nil, err
	}
	related, err := w.relations(book)
	if err != nil {
		return nil, err
	}
	if part := target(related, func(r relation) bool { return strings.HasSuffix(r.Type, "/sharedStrings") }); part != "" {
		if err := w.readStrings(part); err != nil {
			return nil, err
		}
	}
	if part := target(related, func(r relation) bool { return strings.HasSuffix(r.Type, "/styles") }); part != "" {
		if err := w.readStyles(part); err != nil {
			return nil, err
		}
	}
	for _, s := range content.Sheets {
		part := target(related, func(r relation) bool { return r.ID == s.ID && strings.HasSuffix(r.Type, "/worksheet") })
		if part != "" && (s.State == "" || s.State == "visible") {
			return newSheet(w, part)
		}
	}
	return nil, fileError(RuleNoSheet)
}

// relations are those of a part, with targets as names of parts; "" is the whole
// package.
func (w *workbook) relations(part string) ([]relation, error) {
	dir := path.Dir(part)
	var content struct {
		Relations []relation `xml:"Relationship"`
	}
	if err := w.decode(path.Join(dir, "_rels", path.Base("/"+part)+".rels"), &content); err != nil {
		return nil, err
	}
	for i, r := range content.Relations {
		if !strings.HasPrefix(r.Target, "/") {
			r.Target = path.Join("/", dir, r.Target)
		}
		content.Relations[i].Target = strings.TrimPrefix(r.Target, "/")
	}
	return content.Relations, nil
}

func target(relations []relation, is func(relation) bool) string {
	for _, r := range relations {
		if is(r) {
			return r.Target
		}
	}
	return ""
}

// reader opens a part, of which no more than total bytes are given out.
func (w *workbook) reader(part string, total int64) (*meter, error) {
	f, ok := w.parts[part]
	if !ok {
		return nil, fileError(RuleDamaged)
	}
	r, err := f.Open()
	return &meter{r: r, left: total, limit: total, piece: total}, err
}

func (w *workbook) decode(part string, into any) error {
	r, err := w.reader(part, maxPartBytes)
	if err != nil {
		return err
	}
	if err := xml.NewDecoder(r).Decode(into); err != nil {
		return err
	}
	return r.drain()
}

// meter bounds what is read of a part: limit bytes in all, of which left are left,
// and piece bytes until piece is set again.
type meter struct {
	r                  io.Reader
	left, limit, piece int64
}

func (m *meter) Read(p []byte) (int, error) {
	switch {
	case m.left < 0:
		return 0, fileError(RuleTooLarge, m.limit)
	case m.piece < 0:
		return 0, fileError(RuleTooLarge, MaxLineBytes)
	}
	n, err := m.r.Read(p)
	m.left -= int64(n)
	m.piece -= int64(n)
	return n, err
}

// drain reads on to the end, where the checksum is compared.
func (m *meter) drain() error {
	m.piece = m.left
	_, err := io.Copy(io.Discard, m)
	return err
}

// numberFormat is how cells of a style show a number.
type numberFormat struct {
	known  bool // digits alone; others are not read
	digits int  // at least; 0: as many as there are, a fraction too
}

// formatOf is that of a format code: General, @, or zeros.
func formatOf(code string) numberFormat {
	switch {
	case strings.EqualFold(code, "general"), code == "@":
		return numberFormat{known: true}
	case code != "" && strings.Trim(code, "0") == "":
		return numberFormat{true, len(code)}
	}
	return numberFormat{}
}

// builtInFormats are the codes of ECMA-376 part 1, 18.8.30, that formatOf knows.
var builtInFormats = map[int]string{0: "General", 1: "0", 49: "@"}

func (w *workbook) readStyles(part string) error {
	var content struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	if err := w.decode(part, &content); err != nil {
		return err
	}
	codes := map[int]string{}
	for _, f := range content.Formats {
		codes[f.ID] = f.Code
	}
	for _, c := range content.Cells {
		code, own := codes[c.Format]
		if !own {
			code = builtInFormats[c.Format]
		}
		w.styles = append(w.styles, formatOf(code))
	}
	return nil
}

// style is the format of cells of a style; without one it is General.
func (w *workbook) style(attribute string) numberFormat {
	if i, err := strconv.Atoi(attribute); err == nil && i >= 0 && i < len(w.styles) {
		return w.styles[i]
	}
	return numberFormat{known: true}
}
