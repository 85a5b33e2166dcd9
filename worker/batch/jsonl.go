package batch

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"unicode/utf8"
)

// jsonl is a file of JSON objects, one a line.
type jsonl struct{ text *text }

func (j *jsonl) next() (record, error) {
	for {
		line, long, err := j.text.next()
		if err != nil {
			return record{}, err
		}
		rec := record{line: j.text.line}
		switch {
		case long:
			rec.faults = []fault{{wholeLine, RuleLineTooLong, []any{rec.line, rec.line, MaxLineBytes}}}
		case len(bytes.TrimSpace(line)) == 0:
			continue
		case !utf8.Valid(line): // the decoder would replace it silently
			rec.faults = []fault{{wholeLine, RuleNotUTF8, nil}}
		case j.text.encoding == encodingGB18030 && bytes.ContainsRune(line, utf8.RuneError):
			rec.faults = []fault{{wholeLine, RuleNotGB18030, nil}}
		default:
			if rule := rec.decode(line); rule != "" {
				rec.faults = []fault{{wholeLine, rule, nil}}
			}
		}
		return rec, nil
	}
}

// decode reads a flat object, token by token: Unmarshal would take the last of a
// key that is given twice. It returns what is wrong with the line as a whole.
func (rec *record) decode(line []byte) Rule {
	d := json.NewDecoder(bytes.NewReader(line))
	if start, err := d.Token(); err != nil {
		return RuleNotJSON
	} else if start != json.Delim('{') {
		return RuleNotAnObject
	}
	var given []int
	for d.More() {
		token, err := d.Token()
		name, _ := token.(string)
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return RuleNotJSON
		}
		i, known := place(name)
		if !known {
			if len(rec.ignored) < maxIgnored {
				rec.ignored = append(rec.ignored, name)
			}
			continue
		}
		switch {
		case slices.Contains(given, i):
			rec.faults = append(rec.faults, fault{i, RuleDuplicateKey, nil})
		case string(value) == "null": // as if it were not there
		case value[0] != '"' || json.Unmarshal(value, &rec.values[i]) != nil:
			rec.faults = append(rec.faults, fault{i, RuleNotAString, nil})
		}
		given = append(given, i)
	}
	if _, err := d.Token(); err != nil {
		return RuleNotJSON
	}
	if _, err := d.Token(); err != io.EOF {
		return RuleNotJSON
	}
	return ""
}
