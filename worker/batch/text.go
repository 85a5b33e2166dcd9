package batch

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// The encodings of text files.
const (
	encodingUTF8    = "utf-8"
	encodingUTF8BOM = "utf-8 with BOM"
	encodingGB18030 = "gb18030"
)

const utf8BOM = "\uFEFF"

// sniffBytes is how much of a file its encoding is told from. A file without any
// Chinese in it is taken for UTF-8.
const sniffBytes = 1 << 20

// text is a file of text, split into lines that end with LF, CR LF or CR.
type text struct {
	r        *bufio.Reader
	encoding string
	line     int // of the line that was read last, 1 is the first
	buf      []byte
}

func openText(r io.Reader) (*text, error) {
	in := bufio.NewReaderSize(r, sniffBytes)
	head, err := in.Peek(sniffBytes)
	switch {
	case err != nil && err != io.EOF:
		return nil, err
	case len(bytes.TrimSpace(bytes.TrimPrefix(head, []byte(utf8BOM)))) == 0:
		return nil, fileError(RuleEmpty)
	case isUTF16(head):
		return nil, fileError(RuleUTF16)
	}
	t := &text{r: in, encoding: encodingUTF8}
	if !mostlyUTF8(head, err == io.EOF) {
		t.r = bufio.NewReader(transform.NewReader(in, simplifiedchinese.GB18030.NewDecoder()))
		t.encoding = encodingGB18030
	}
	if mark, _ := t.r.Peek(len(utf8BOM)); string(mark) == utf8BOM {
		if t.encoding == encodingUTF8 {
			t.encoding = encodingUTF8BOM
		}
		_, err = t.r.Discard(len(utf8BOM))
		return t, err
	}
	return t, nil
}

// isUTF16 tells UTF-16 by its byte order mark.
func isUTF16(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\xFF\xFE")) || bytes.HasPrefix(head, []byte("\xFE\xFF"))
}

// mostlyUTF8 counts the lines beyond ASCII that are UTF-8 against those that are
// not: a damaged line does not turn the file into another encoding, and Chinese
// text in GB18030 is hardly ever UTF-8 by chance.
func mostlyUTF8(head []byte, whole bool) bool {
	if last := bytes.LastIndexAny(head, "\r\n"); !whole && last >= 0 {
		head = head[:last]
	}
	valid, invalid := 0, 0
	for line := range bytes.FieldsFuncSeq(head, func(r rune) bool { return r == '\n' || r == '\r' }) {
		switch {
		case !utf8.Valid(line):
			invalid++
		case bytes.ContainsFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }):
			valid++
		}
	}
	return valid >= invalid
}

// next is the next line without its end, valid until the call after. Of one that
// is longer than MaxLineBytes it is the beginning.
func (t *text) next() (line []byte, long bool, err error) {
	t.buf = t.buf[:0]
	for read := 0; ; read++ {
		c, err := t.r.ReadByte()
		if err == io.EOF && read > 0 {
			break
		}
		if err != nil {
			return nil, false, err
		}
		if c == '\r' {
			if after, err := t.r.Peek(1); err == nil && after[0] == '\n' {
				continue
			}
			break
		}
		if c == '\n' {
			break
		}
		if long = long || len(t.buf) == MaxLineBytes; !long {
			t.buf = append(t.buf, c)
		}
	}
	t.line++
	return t.buf, long, nil
}
