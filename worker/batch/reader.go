package batch

import (
	"errors"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/heyan/heyan/pipeline/report"
)

// maxIgnored and maxIgnoredBytes bound the list of columns that are not known.
const (
	maxIgnored      = 20
	maxIgnoredBytes = 64
)

// Reader reads a file line by line. Its memory does not grow with the file but
// for 16 bytes an id, and of XLSX the shared strings.
type Reader struct {
	source   source
	encoding string
	ignored  []string
	seed     maphash.Seed
	first    map[uint64]int32 // hash of a custom_id to its line; two of a million ids share one with a chance of 3e-8
	lines    int
	failed   error
}

// source is a file of some format.
type source interface {
	// next is the next line that is not empty; io.EOF, *FileError.
	next() (record, error)
}

// record is a line as it stands in the file.
type record struct {
	line    int
	values  [len(columns)]string
	faults  []fault
	ignored []string // keys that are not known, of JSONL
}

// fault is what is wrong with a record.
type fault struct {
	column int // wholeLine, or a place in columns
	rule   Rule
	args   []any
}

const wholeLine = -1

// Open begins to read a file. XLSX needs an r that is an io.ReaderAt and an
// io.Seeker, too, as an *os.File or a *bytes.Reader is. A file that cannot be
// read, or has no column custom_id, is a *FileError.
func Open(r io.Reader, f Format) (*Reader, error) {
	reader := &Reader{encoding: encodingUTF8, seed: maphash.MakeSeed(), first: map[uint64]int32{}}
	var err error
	switch f {
	case CSV, JSONL:
		var t *text
		if t, err = openText(r); err != nil {
			return nil, err
		}
		reader.encoding = t.encoding
		if f == JSONL {
			reader.source = &jsonl{t}
		} else {
			reader.source, reader.ignored, err = openTable(&csvRows{text: t})
		}
	case XLSX:
		file, random := r.(readerAtSeeker)
		if !random {
			return nil, errors.New("xlsx is read from a file, not from a stream")
		}
		var rows *sheet
		if rows, err = openSheet(file); err != nil {
			return nil, err
		}
		reader.source, reader.ignored, err = openTable(rows)
	default:
		err = errors.New("no format of lines: " + string(f))
	}
	if err != nil {
		return nil, err
	}
	return reader, nil
}

// Encoding is that of the file's text: "utf-8", "utf-8 with BOM", "gb18030".
func (r *Reader) Encoding() string { return r.encoding }

// Ignored are columns that are not known, and therefore passed over; the first
// 20, cut to 64 bytes. Of JSONL, those met so far.
func (r *Reader) Ignored() []string { return slices.Clone(r.ignored) }

// Next is the next line. A line with errors is not to be used, and reading goes
// on. At the end the error is io.EOF; *FileError when the file cannot be read any
// further.
func (r *Reader) Next() (Line, []LineError, error) {
	if r.failed != nil {
		return Line{}, nil, r.failed
	}
	rec, err := r.source.next()
	if r.lines++; err == nil && r.lines > MaxLines {
		err = fileError(RuleTooManyLines, MaxLines)
	}
	if err != nil {
		r.failed = err
		return Line{}, nil, err
	}
	for _, name := range rec.ignored {
		r.ignored = ignore(r.ignored, name)
	}
	line := Line{Number: rec.line}
	if !slices.ContainsFunc(rec.faults, func(f fault) bool { return f.column == wholeLine }) {
		r.check(&rec, &line)
	}
	var found []LineError
	for _, f := range rec.faults {
		e := LineError{Line: rec.line, CustomID: line.CustomID, Rule: f.rule, Message: f.rule.message(f.args...)}
		if f.column != wholeLine {
			e.Column = columns[f.column].name
		}
		found = append(found, e)
	}
	return line, found, nil
}

// check holds the values of a record against the rules, and fills the line with
// those that are good.
func (r *Reader) check(rec *record, line *Line) {
	for i, c := range columns {
		if slices.ContainsFunc(rec.faults, func(f fault) bool { return f.column == i }) {
			continue
		}
		value := strings.TrimSpace(rec.values[i])
		if f := r.checkValue(i, value, rec.line); f.rule != "" {
			rec.faults = append(rec.faults, f)
			continue
		}
		*c.field(line) = value
	}
}

func (r *Reader) checkValue(i int, value string, line int) fault {
	limit := columns[i].limit
	switch {
	case value == "" && i == customID:
		return fault{i, RuleMissing, nil}
	case value == "":
	case len(value) > limit:
		return fault{i, RuleTooLong, []any{limit}}
	case !utf8.ValidString(value):
		return fault{i, RuleNotUTF8, nil}
	case r.encoding == encodingGB18030 && strings.ContainsRune(value, utf8.RuneError):
		return fault{i, RuleNotGB18030, nil}
	case strings.ContainsFunc(value, unicode.IsControl):
		return fault{i, RuleControlCharacter, nil}
	case i == customID:
		hash := maphash.String(r.seed, value)
		if first, taken := r.first[hash]; taken {
			return fault{i, RuleDuplicateID, []any{first}}
		}
		r.first[hash] = int32(line)
	case i == purpose && !slices.Contains(purposes, value):
		return fault{i, RuleNotAllowed, []any{strings.Join(purposes, ", ")}}
	}
	return fault{}
}

var purposes = []string{string(report.PurposeInitial), string(report.PurposeAnnual), string(report.PurposeReverification)}

// ignore adds a name to those that are not known.
func ignore(names []string, name string) []string {
	if len(name) > maxIgnoredBytes {
		name = name[:maxIgnoredBytes]
	}
	name = strings.ToValidUTF8(name, "")
	if len(names) == maxIgnored || name == "" || slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}
