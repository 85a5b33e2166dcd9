package batch

import (
	"io"
	"strings"
)

// rows are those of a file with a header.
type rows interface {
	// next is the next row that is not empty, valid until the call after. It has
	// at most MaxColumns+1 cells. io.EOF, *FileError.
	next() (row, error)
}

type row struct {
	line  int
	cells []cell
	fault fault // of the whole row; no rule: it was read
}

// cell has a rule in place of its text when it holds none that can be used.
type cell struct {
	text string
	rule Rule
}

func (c cell) empty() bool { return c.rule == "" && strings.TrimSpace(c.text) == "" }

// table is a file whose first row names the columns.
type table struct {
	rows   rows
	header []int // of each cell its place in columns, notKnown
}

const notKnown = -1

// openTable reads the header. It returns the names that are not known, too.
func openTable(r rows) (*table, []string, error) {
	first, err := r.next()
	switch {
	case err == io.EOF:
		return nil, nil, fileError(RuleEmpty)
	case err != nil:
		return nil, nil, err
	case first.fault.rule != "":
		return nil, nil, fileError(first.fault.rule, first.fault.args...)
	case len(first.cells) > MaxColumns:
		return nil, nil, fileError(RuleTooManyColumns, MaxColumns)
	}
	t := &table{rows: r}
	var ignored []string
	given := map[int]bool{}
	for _, c := range first.cells {
		i, known := place(c.text)
		switch {
		case !known:
			i = notKnown
			ignored = ignore(ignored, strings.TrimSpace(c.text))
		case given[i]:
			return nil, nil, fileError(RuleDuplicateColumn, columns[i].name)
		}
		given[i] = true
		t.header = append(t.header, i)
	}
	if !given[customID] {
		return nil, nil, fileError(RuleMissingColumn)
	}
	return t, ignored, nil
}

func (t *table) next() (record, error) {
	r, err := t.rows.next()
	rec := record{line: r.line}
	if err != nil || r.fault.rule != "" {
		rec.faults = []fault{r.fault}
		return rec, err
	}
	for i, c := range r.cells {
		switch {
		case i < len(t.header) && t.header[i] == notKnown:
		case i < len(t.header) && c.rule != "":
			rec.faults = append(rec.faults, fault{t.header[i], c.rule, nil})
		case i < len(t.header):
			rec.values[t.header[i]] = c.text
		case i == MaxColumns || !c.empty():
			rec.faults = []fault{{wholeLine, RuleTooManyCells, nil}}
			return rec, nil
		}
	}
	return rec, nil
}
