// Package batch reads what operators hand in to have many organizations verified
// and writes what they get back: files of lines as CSV, JSONL or XLSX, the
// folder or ZIP of pictures next to them, the results and their summary.
//
// It knows formats, columns and the rules a line must keep to be taken at all.
// Whether a number is valid or a name fits is the verdict of a verification and
// no error of a line. It must not know queues, records, HTTP or how anything is
// verified. Files are read as streams and never trusted: what a line or a file
// may cost is bounded here. No error holds the value of a field.
package batch

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
)

const (
	// MaxLines is the most lines of a file: a spreadsheet has no more than
	// 1,048,576 rows, and the set of ids seen stays below 50 MB.
	MaxLines = 1_000_000
	// MaxLineBytes is the longest line of a text file, and the longest row of a
	// spreadsheet as XML: over a hundred times what all columns may hold together.
	MaxLineBytes = 1 << 20
	// MaxColumns is the most columns of a file; those that are not known are
	// passed over.
	MaxColumns = 256
)

// Line is one organization to verify, as its line in the file says.
type Line struct {
	Number   int    // of the line in the file, 1 is the first, the header included; of XLSX the row
	CustomID string // the operator's own key of the line; unique in the file
	Declared report.Declared
	Purpose  report.Purpose
	Picture  string // as written: a path in the folder or ZIP, or the key of an object; may be empty
}

// LineError says what is wrong with one line. It never holds the value of a
// field but CustomID, and that only when it is a valid one.
type LineError struct {
	Line     int         `json:"line"`
	CustomID string      `json:"custom_id,omitempty"`
	Column   string      `json:"column,omitempty"` // English name; empty: the whole line
	Rule     Rule        `json:"rule"`
	Message  report.Text `json:"message"`
}

// FileError says why a file cannot be read, or not any further.
type FileError struct {
	Rule    Rule        `json:"rule"`
	Message report.Text `json:"message"`
}

func (e *FileError) Error() string { return fmt.Sprintf("file of lines: %s: %s", e.Rule, e.Message.EN) }

// Format is that of a file of lines or of results.
type Format string

// The formats.
const (
	CSV   Format = "csv"   // RFC 4180 with a header
	JSONL Format = "jsonl" // a JSON object a line, its keys are the columns
	XLSX  Format = "xlsx"  // the first visible sheet, with a header
)

// extensions are those of the formats.
var extensions = map[string]Format{".csv": CSV, ".jsonl": JSONL, ".ndjson": JSONL, ".xlsx": XLSX, ".xlsm": XLSX}

// DetectBytes is how much of a file's beginning Detect looks at.
const DetectBytes = 512

// Detect tells the format of a file by its name, and where that says nothing, by
// its first DetectBytes. A content that cannot be of that format is a *FileError.
func Detect(name string, head []byte) (Format, error) {
	head = head[:min(len(head), DetectBytes)]
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte(utf8BOM)))
	zipped := bytes.HasPrefix(head, []byte("PK\x03\x04"))
	f, named := extensions[strings.ToLower(path.Ext(name))]
	switch {
	case len(text) == 0:
		return "", fileError(RuleEmpty)
	case bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0")): // Compound File Binary
		return "", fileError(RuleOldSpreadsheet)
	case zipped != (f == XLSX) && named:
		return "", fileError(RuleOtherFormat, f)
	case zipped:
		return XLSX, nil
	case isUTF16(head):
		return "", fileError(RuleUTF16)
	case bytes.IndexByte(head, 0) >= 0:
		return "", fileError(RuleNotText)
	case named:
		return f, nil
	case text[0] == '{':
		return JSONL, nil
	}
	return CSV, nil
}

// column is one that is known. Lengths are those of the service, which takes the
// same values.
type column struct {
	name, zh string
	limit    int // bytes
	field    func(*Line) *string
}

var columns = [...]column{
	customID: {"custom_id", "自定义编号", report.MaxKey, func(l *Line) *string { return &l.CustomID }},
	{"organization_id", "组织编号", report.MaxKey, func(l *Line) *string { return &l.Declared.OrganizationID }},
	{"name", "企业名称", report.MaxValue, func(l *Line) *string { return &l.Declared.Name }},
	{"uscc", "统一社会信用代码", report.MaxValue, func(l *Line) *string { return &l.Declared.USCC }},
	{"registration_number", "注册号", report.MaxValue, func(l *Line) *string { return &l.Declared.RegistrationNumber }},
	{"organization_code", "组织机构代码", report.MaxValue, func(l *Line) *string { return &l.Declared.OrganizationCode }},
	{"legal_representative", "法定代表人", report.MaxValue, func(l *Line) *string { return &l.Declared.LegalRepresentative }},
	{"id_kind", "证件类型", report.MaxValue, func(l *Line) *string { return &l.Declared.IDKind }},
	{"id_number", "证件号码", report.MaxValue, func(l *Line) *string { return &l.Declared.IDNumber }},
	{"email", "邮箱", report.MaxValue, func(l *Line) *string { return &l.Declared.Email }},
	{"phone", "手机号码", report.MaxValue, func(l *Line) *string { return &l.Declared.Phone }},
	{"entity_type", "企业类型", report.MaxValue, func(l *Line) *string { return &l.Declared.EntityType }},
	purpose: {"purpose", "用途", report.MaxValue, func(l *Line) *string { return (*string)(&l.Purpose) }},
	{"picture", "照片", report.MaxValue, func(l *Line) *string { return &l.Picture }},
}

// The places of columns that have rules of their own.
const (
	customID = 0
	purpose  = 12
)

// places finds a column by its names.
var places = func() map[string]int {
	m := map[string]int{}
	for i, c := range columns {
		m[c.name], m[c.zh] = i, i
	}
	return m
}()

// place is the column of a header, false when it is not known. "Custom ID" is
// custom_id, too.
func place(header string) (int, bool) {
	name := strings.ToLower(strings.TrimSpace(header))
	i, known := places[separators.Replace(name)]
	return i, known
}

var separators = strings.NewReplacer(" ", "_", "-", "_")
