package batch

import (
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sheet is a worksheet, read row by row.
type sheet struct {
	book  *workbook
	in    *meter
	xml   *xml.Decoder
	line  int
	cells []cell
	text  []byte
}

func newSheet(w *workbook, part string) (*sheet, error) {
	in, err := w.reader(part, maxSheetBytes)
	if err != nil {
		return nil, err
	}
	in.piece = MaxLineBytes
	return &sheet{book: w, in: in, xml: xml.NewDecoder(in)}, nil
}

func (s *sheet) next() (row, error) {
	for {
		token, err := s.xml.Token()
		if err == io.EOF {
			return row{}, err
		}
		if err != nil {
			return row{}, damaged(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local != "row" {
				continue
			}
			s.in.piece = MaxLineBytes
			if err := s.row(token); err != nil {
				return row{}, damaged(err)
			}
			if slices.ContainsFunc(s.cells, func(c cell) bool { return !c.empty() }) {
				return row{line: s.line, cells: s.cells}, nil
			}
		case xml.EndElement:
			if token.Name.Local != "sheetData" {
				continue
			}
			if err := s.in.drain(); err != nil { // links and the like, without a bound of their own
				return row{}, damaged(err)
			}
			return row{}, io.EOF
		}
	}
}

// row reads the cells of a row that was begun.
func (s *sheet) row(start xml.StartElement) error {
	s.line++
	if given, err := strconv.Atoi(attribute(start, "r")); err == nil && given > s.line && given <= math.MaxInt32 {
		s.line = given
	}
	s.cells = s.cells[:0]
	for at := -1; ; {
		token, err := s.xml.Token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			if token.Name.Local != "c" {
				if err := s.xml.Skip(); err != nil {
					return err
				}
				continue
			}
			at++
			if given := columnOf(attribute(token, "r")); given >= 0 {
				at = given
			}
			c, err := s.cell(token)
			if err != nil {
				return err
			}
			if at = min(at, MaxColumns); !c.empty() {
				s.put(at, c)
			}
		}
	}
}

// put sets a cell; those before it that were left out are empty.
func (s *sheet) put(at int, c cell) {
	for len(s.cells) <= at {
		s.cells = append(s.cells, cell{})
	}
	s.cells[at] = c
}

// columnOf is the column of a reference like "AB12", from 0; -1 for none.
func columnOf(reference string) int {
	column := 0
	for _, letter := range reference {
		if letter < 'A' || letter > 'Z' || column > MaxColumns {
			break
		}
		column = column*26 + int(letter-'A') + 1
	}
	return column - 1
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// cell reads a cell that was begun.
func (s *sheet) cell(start xml.StartElement) (cell, error) {
	kind, formula := attribute(start, "t"), false
	s.text = s.text[:0]
	for {
		token, err := s.xml.Token()
		if err != nil {
			return cell{}, err
		}
		switch token := token.(type) {
		case xml.EndElement:
			if formula && kind != "str" && len(s.text) == 0 { // never computed
				return cell{rule: RuleCellError}, nil
			}
			return s.value(kind, attribute(start, "s")), nil
		case xml.StartElement:
			switch token.Name.Local {
			case "is":
				s.text, err = appendText(s.text[:0], s.xml)
			case "v":
				s.text, err = s.characters(s.text[:0])
			case "f":
				formula = true
				err = s.xml.Skip()
			default:
				err = s.xml.Skip()
			}
			if err != nil {
				return cell{}, err
			}
		}
	}
}

// characters adds the text of an element that was begun and has no other in it.
func (s *sheet) characters(text []byte) ([]byte, error) {
	for {
		token, err := s.xml.Token()
		if err != nil {
			return text, err
		}
		switch token := token.(type) {
		case xml.EndElement:
			return text, nil
		case xml.StartElement:
			if err := s.xml.Skip(); err != nil {
				return text, err
			}
		case xml.CharData:
			text = append(text, token...)
		}
	}
}

// value is what a cell of a kind and a style shows.
func (s *sheet) value(kind, style string) cell {
	if len(s.text) == 0 {
		return cell{}
	}
	switch kind {
	case "s":
		i, err := strconv.Atoi(string(s.text))
		if err != nil || i < 0 || i >= len(s.book.strings.ends) {
			return cell{rule: RuleCellError}
		}
		return cell{text: unescape(s.book.strings.at(i))}
	case "inlineStr", "str":
		return cell{text: unescape(string(s.text))}
	case "b":
		return cell{text: map[string]string{"0": "FALSE", "1": "TRUE"}[string(s.text)]}
	case "", "n":
		return number(string(s.text), s.book.style(style))
	case "d":
		return cell{rule: RuleNumberFormat}
	}
	return cell{rule: RuleCellError}
}

// firstLost is where numbers begin of which a spreadsheet keeps 15 digits only.
const firstLost = 1e15

// number is how a number is shown.
func number(value string, f numberFormat) cell {
	n, err := strconv.ParseFloat(value, 64)
	whole := n == math.Trunc(n)
	switch {
	case err != nil || math.IsNaN(n):
		return cell{rule: RuleCellError}
	case math.Abs(n) >= firstLost:
		return cell{rule: RuleLostDigits}
	case !f.known, f.digits > 0 && (!whole || n < 0):
		return cell{rule: RuleNumberFormat}
	}
	text := strconv.FormatFloat(n, 'f', -1, 64)
	return cell{text: strings.Repeat("0", max(0, f.digits-len(text))) + text}
}

// escaped are characters that XML cannot hold (ECMA-376 part 1, 22.9.2.19).
var escaped = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

func unescape(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	return escaped.ReplaceAllStringFunc(text, func(e string) string {
		code, err := strconv.ParseUint(e[2:6], 16, 16)
		if err != nil {
			return e
		}
		return string(rune(code))
	})
}
