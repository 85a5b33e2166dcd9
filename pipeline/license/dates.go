package license

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// LongTerm stands for the end of a term that has none: 长期, 永久, or an end
// that was left blank on purpose (至****, 至 年 月 日).
const LongTerm = "long_term"

// maxParsedRunes bounds the text that the parsers of dates, terms and amounts
// look at; printed values are shorter than half of it.
const maxParsedRunes = 128

// ParseDate reads a printed date, 2019年3月1日, 二〇〇九年三月廿一日, 2019-03-01
// or 2019.3.1, as 2019-03-01. ok is false when the text is no date, holds more
// than one, or names a day that does not exist.
func ParseDate(text string) (iso string, ok bool) {
	iso, rest, ok := scanDate(compact(text))
	return iso, ok && len(rest) == 0
}

// ParseTerm reads a printed term of operation as 2019-09-16/2039-09-15,
// 2019-09-16/long_term or long_term. A term whose end could not be read is not
// a term.
func ParseTerm(text string) (term string, ok bool) {
	s := compact(text)
	s = []rune(strings.TrimLeft(string(s), "自从:/至到-"))
	if isLongTerm(string(s)) {
		return LongTerm, true
	}
	start, rest, ok := scanDate(s)
	if !ok || len(rest) == 0 {
		return "", false
	}
	separated := strings.TrimLeft(string(rest), "起")
	end := strings.TrimLeft(separated, "至到-~")
	if end == separated || end == "" {
		return "", false
	}
	if isLongTerm(end) || isBlankEnd(end) {
		return start + "/" + LongTerm, true
	}
	last, rest, ok := scanDate([]rune(end))
	if !ok || len(rest) > 0 || last < start {
		return "", false
	}
	return start + "/" + last, true
}

func isLongTerm(s string) bool {
	switch strings.Trim(s, "/.。") {
	case "长期", "永久", "永续", "长期有效", "无固定期限", "不约定期限", "无营业期限限制", "无期限", "无限期":
		return true
	}
	return false
}

// isBlankEnd is the end of a term that the registry filled with stars or left
// as the pre-printed 年月日.
func isBlankEnd(s string) bool {
	return strings.Trim(s, "*#年月日-_/x×…·.") == ""
}

// compact drops spaces and brings digits, signs and letters to half width.
func compact(text string) []rune {
	out := make([]rune, 0, min(len(text), maxParsedRunes))
	for _, r := range text {
		if r = foldRune(r); unicode.IsSpace(r) {
			continue
		}
		if out = append(out, r); len(out) == maxParsedRunes {
			break
		}
	}
	return out
}

// scanDate reads the date at the beginning of s and gives what follows it.
func scanDate(s []rune) (iso string, rest []rune, ok bool) {
	var parts [3]int
	marks := [3]string{"年-./", "月-./", "日号"}
	for i := range parts {
		n := 0
		for n < len(s) && isNumeral(s[n]) {
			n++
		}
		value, valid := numeral(s[:n], i == 0)
		if !valid {
			return "", s, false
		}
		parts[i], s = value, s[n:]
		switch {
		case len(s) > 0 && strings.ContainsRune(marks[i], s[0]):
			s = s[1:]
		case i < 2:
			return "", s, false
		}
	}
	if len(s) > 0 && s[0] == '止' {
		s = s[1:]
	}
	day := time.Date(parts[0], time.Month(parts[1]), parts[2], 0, 0, 0, 0, time.UTC)
	if parts[0] < 1900 || parts[0] > 2199 || day.Year() != parts[0] || int(day.Month()) != parts[1] || day.Day() != parts[2] {
		return "", s, false
	}
	return fmt.Sprintf("%04d-%02d-%02d", parts[0], parts[1], parts[2]), s, true
}

const chineseDigits = "零一二三四五六七八九"

// digit gives the value of a digit in any script the printers use; the zero of
// a Chinese date comes as 〇, ○, O or 零.
func digit(r rune) (int, bool) {
	if r >= '0' && r <= '9' {
		return int(r - '0'), true
	}
	switch r {
	case '〇', '○', '◯', '●', 'O', 'o', '口':
		return 0, true
	case '元':
		return 1, true
	}
	for i, d := range []rune(chineseDigits) {
		if d == r {
			return i, true
		}
	}
	return 0, false
}

func isNumeral(r rune) bool {
	_, ok := digit(r)
	return ok || strings.ContainsRune("十廿卅", r)
}

// numeral reads digits in a row (二〇〇九, 2009) or, outside of years, a number
// with tens (十, 廿三, 三十一).
func numeral(s []rune, year bool) (int, bool) {
	if year {
		if len(s) != 4 {
			return 0, false
		}
		value := 0
		for _, r := range s {
			d, ok := digit(r)
			if !ok {
				return 0, false
			}
			value = value*10 + d
		}
		return value, true
	}
	if len(s) == 0 || len(s) > 3 {
		return 0, false
	}
	value, digits, tens := 0, 0, false
	for i, r := range s {
		switch r {
		case '十':
			if tens || i > 1 {
				return 0, false
			}
			value, tens, digits = max(value, 1)*10, true, 0
		case '廿', '卅':
			if i > 0 {
				return 0, false
			}
			value, tens = map[rune]int{'廿': 20, '卅': 30}[r], true
		default:
			d, _ := digit(r)
			if digits++; tens {
				if digits > 1 {
					return 0, false
				}
				value += d
			} else {
				value = value*10 + d
			}
		}
	}
	return value, digits <= 2
}
