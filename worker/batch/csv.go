package batch

import (
	"bytes"
	"io"
	"slices"
)

// csvRows are rows of RFC 4180. Two things are taken that it does not allow:
// quotes inside a cell that does not begin with one, and spaces around a quoted
// cell. encoding/csv is not used: it holds a whole line however long it is, and
// does not know lines that end with CR.
type csvRows struct {
	text  *text
	cells []cell
	cell  []byte
}

func (c *csvRows) next() (row, error) {
	for {
		r, err := c.row()
		if err != nil || r.fault.rule != "" || slices.ContainsFunc(r.cells, func(c cell) bool { return !c.empty() }) {
			return r, err
		}
	}
}

// row reads on over lines as long as quotes are open. What is wrong ends it with
// the line that is wrong.
func (c *csvRows) row() (row, error) {
	line, long, err := c.text.next()
	if err != nil {
		return row{}, err
	}
	c.cells, c.cell = c.cells[:0], c.cell[:0]
	start, state := c.text.line, plain
	for bytes := 0; ; {
		if bytes += len(line); long || bytes > MaxLineBytes {
			return row{line: start, fault: fault{wholeLine, RuleLineTooLong, []any{start, c.text.line, MaxLineBytes}}}, nil
		}
		state = c.scan(line, state)
		if state == plain || state == closed {
			c.end()
			return row{line: start, cells: c.cells}, nil
		}
		if state == quoted {
			c.cell = append(c.cell, '\n')
			line, long, err = c.text.next()
		}
		if state == broken || err == io.EOF {
			return row{line: start, fault: fault{wholeLine, RuleQuotes, []any{start, c.text.line}}}, nil
		}
		if err != nil {
			return row{}, err
		}
	}
}

// The states of a cell.
type csvState int

const (
	plain  csvState = iota
	quoted          // between quotes
	closed          // after the closing quote
	broken          // something follows the closing quote
)

func (c *csvRows) scan(line []byte, state csvState) csvState {
	for i := 0; i < len(line); i++ {
		switch b := line[i]; {
		case state == quoted && b != '"':
			c.cell = append(c.cell, b)
		case state == quoted && i+1 < len(line) && line[i+1] == '"':
			c.cell = append(c.cell, b)
			i++
		case state == quoted:
			state = closed
		case b == ',':
			c.end()
			state = plain
		case state == closed && b != ' ':
			return broken
		case state == closed:
		case b == '"' && len(bytes.TrimSpace(c.cell)) == 0:
			c.cell = c.cell[:0]
			state = quoted
		default:
			c.cell = append(c.cell, b)
		}
	}
	return state
}

// end adds the cell to the row.
func (c *csvRows) end() {
	if len(c.cells) <= MaxColumns {
		c.cells = append(c.cells, cell{text: string(c.cell)})
	}
	c.cell = c.cell[:0]
}
