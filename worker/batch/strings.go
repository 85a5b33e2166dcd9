package batch

import (
	"encoding/xml"
	"io"
)

// sharedStrings are texts that cells refer to by number, one after the other.
type sharedStrings struct {
	text []byte
	ends []uint32
}

func (s *sharedStrings) at(i int) string {
	start := uint32(0)
	if i > 0 {
		start = s.ends[i-1]
	}
	return string(s.text[start:s.ends[i]])
}

func (w *workbook) readStrings(part string) error {
	in, err := w.reader(part, maxStringsXML)
	if err != nil {
		return err
	}
	d := xml.NewDecoder(in)
	for {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if start, is := token.(xml.StartElement); !is || start.Name.Local != "si" {
			continue
		}
		in.piece = MaxLineBytes
		if w.strings.text, err = appendText(w.strings.text, d); err != nil {
			return err
		}
		w.strings.ends = append(w.strings.ends, uint32(len(w.strings.text)))
		if len(w.strings.text) > maxStringsBytes || len(w.strings.ends) > maxStrings {
			return fileError(RuleTooLarge, maxStringsBytes)
		}
	}
}

// appendText adds the text of an element that was begun: its t, and those of its
// runs; not the phonetic guides.
func appendText(text []byte, d *xml.Decoder) ([]byte, error) {
	inText := false
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return text, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if name := token.Name.Local; name != "t" && name != "r" {
				if err := d.Skip(); err != nil {
					return text, err
				}
				continue
			}
			inText = token.Name.Local == "t"
			depth++
		case xml.EndElement:
			inText = false
			if depth--; depth < 0 {
				return text, nil
			}
		case xml.CharData:
			if inText {
				text = append(text, token...)
			}
		}
	}
}
