package batch

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/heyan/heyan/pipeline/report"
)

// Result is what became of a line.
type Result struct {
	Line           int            `json:"line"`
	CustomID       string         `json:"custom_id,omitempty"`
	OrganizationID string         `json:"organization_id,omitempty"`
	VerificationID string         `json:"verification_id,omitempty"`
	Status         string         `json:"status"`            // where the line stands, in the words of whoever runs it
	Outcome        report.Outcome `json:"outcome,omitempty"` // empty: there is no verdict
	Reasons        []Reason       `json:"reasons,omitempty"`
	Changes        []Change       `json:"changes,omitempty"`
	Errors         []LineError    `json:"errors,omitempty"`
}

// Reason is a report's without its evidence.
type Reason struct {
	Code     string           `json:"code"`
	Field    report.FieldName `json:"field,omitempty"`
	Message  report.Text      `json:"message"`
	NextStep report.NextStep  `json:"next_step"`
}

// Change is what differs from the last certification.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Language is that of headers and messages in tables.
type Language string

// The languages.
const (
	Chinese Language = "zh"
	English Language = "en"
)

func (l Language) of(t report.Text) string {
	if l == English {
		return t.EN
	}
	return t.ZH
}

// Writer writes results as they come. As a table a result is one row, with lists
// joined in a cell; as JSONL it is whole, in both languages.
type Writer struct {
	rows     rowWriter
	json     *json.Encoder
	language Language
}

// rowWriter writes a table.
type rowWriter interface {
	write(cells []string) error
	close() error
}

// NewWriter begins a file of results. CSV and XLSX have a header.
func NewWriter(w io.Writer, f Format, l Language) (*Writer, error) {
	out := &Writer{language: l}
	var err error
	switch f {
	case JSONL:
		out.json = json.NewEncoder(w)
		out.json.SetEscapeHTML(false)
		return out, nil
	case CSV:
		out.rows, err = newCSVWriter(w)
	case XLSX:
		out.rows, err = newSheetWriter(w)
	default:
		err = errors.New("no format of results: " + string(f))
	}
	if err != nil {
		return nil, err
	}
	var header []string
	for _, c := range resultColumns {
		header = append(header, l.of(c.header))
	}
	return out, out.rows.write(header)
}

// Write adds a result.
func (w *Writer) Write(r Result) error {
	if w.json != nil {
		return w.json.Encode(r)
	}
	cells := make([]string, len(resultColumns))
	for i, c := range resultColumns {
		cells[i] = c.text(r, w.language)
	}
	return w.rows.write(cells)
}

// Close ends the file, and leaves the writer below open. Without it a CSV lacks
// its last rows, and an XLSX cannot be opened.
func (w *Writer) Close() error {
	if w.json != nil {
		return nil
	}
	return w.rows.close()
}

var resultColumns = []struct {
	header report.Text
	text   func(Result, Language) string
}{
	{report.Text{ZH: "行号", EN: "line"}, func(r Result, _ Language) string { return strconv.Itoa(r.Line) }},
	{report.Text{ZH: "自定义编号", EN: "custom_id"}, func(r Result, _ Language) string { return r.CustomID }},
	{report.Text{ZH: "组织编号", EN: "organization_id"}, func(r Result, _ Language) string { return r.OrganizationID }},
	{report.Text{ZH: "核验编号", EN: "verification_id"}, func(r Result, _ Language) string { return r.VerificationID }},
	{report.Text{ZH: "状态", EN: "status"}, func(r Result, _ Language) string { return r.Status }},
	{report.Text{ZH: "结果", EN: "outcome"}, func(r Result, _ Language) string { return string(r.Outcome) }},
	{report.Text{ZH: "原因代码", EN: "reasons"}, func(r Result, _ Language) string {
		return joined(r.Reasons, " ", func(x Reason) string { return x.Code })
	}},
	{report.Text{ZH: "原因", EN: "messages"}, func(r Result, l Language) string {
		return joined(r.Reasons, "\n", func(x Reason) string { return l.of(x.Message) })
	}},
	{report.Text{ZH: "下一步", EN: "next_steps"}, func(r Result, _ Language) string {
		return joined(r.Reasons, " ", func(x Reason) string { return string(x.NextStep) })
	}},
	{report.Text{ZH: "变更", EN: "changes"}, func(r Result, _ Language) string {
		return joined(r.Changes, "\n", func(x Change) string { return fmt.Sprintf("%s: %s → %s", x.Field, x.Before, x.After) })
	}},
	{report.Text{ZH: "行错误", EN: "errors"}, func(r Result, l Language) string {
		return joined(r.Errors, "\n", func(x LineError) string {
			return strings.TrimSpace(fmt.Sprintf("%s %s: %s", x.Column, x.Rule, l.of(x.Message)))
		})
	}},
}

func joined[T any](list []T, separator string, text func(T) string) string {
	texts := make([]string, len(list))
	for i, x := range list {
		texts[i] = text(x)
	}
	return strings.Join(texts, separator)
}

// csvWriter writes CSV as spreadsheet programs take it: UTF-8 with its mark.
type csvWriter struct{ csv *csv.Writer }

func newCSVWriter(w io.Writer) (*csvWriter, error) {
	_, err := io.WriteString(w, utf8BOM)
	return &csvWriter{csv.NewWriter(w)}, err
}

func (w *csvWriter) write(cells []string) error {
	guarded := make([]string, len(cells))
	for i, c := range cells {
		guarded[i] = Guard(c)
	}
	return w.csv.Write(guarded)
}

func (w *csvWriter) close() error {
	w.csv.Flush()
	return w.csv.Error()
}

// Guard keeps a spreadsheet program from taking a text for a formula (OWASP, CSV
// injection): one that begins like one, in wide letters and behind spaces too, gets
// an apostrophe.
func Guard(text string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(text, unicode.IsSpace))
	if text != "" && strings.IndexByte("\t\r\n", text[0]) >= 0 || strings.ContainsRune("=+-@＝＋－＠", first) {
		return "'" + text
	}
	return text
}
