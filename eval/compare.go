package eval

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/report"
)

// unknown stands in a truth for one character that no person could read.
const unknown = '?'

// sameGlyphs are forms that print alike or mean the same on a license; the
// printed form is not worth a miss.
var sameGlyphs = strings.NewReplacer(
	" ", "", "　", "", "|", "", "（", "(", "）", ")", "【", "(", "】", ")", "〔", "(", "〕", ")", "[", "(", "]", ")",
	"，", ",", "、", ",", "。", ".", "：", ":", "；", ";", "－", "-", "—", "-", "–", "-", "·", "", "•", "", "．", ".", "＊", "*",
	"“", "\"", "”", "\"", "‘", "'", "’", "'", "〇", "零", "○", "零")

var sameCapital = strings.NewReplacer("圆", "元", "圓", "元", "正", "整", "萬", "万", "億", "亿", "貳", "贰", "參", "叁", "陸", "陆")

// printed strips a truth of its reader's remarks: "value (remark)". What is only a
// remark, or only characters that no person could read, is no value.
func printed(truth string) (string, bool) {
	for _, remark := range []string{" (", "(?"} {
		truth, _, _ = strings.Cut(truth, remark)
	}
	truth = strings.TrimSpace(truth)
	return truth, strings.Trim(truth, "?") != "" && !strings.HasPrefix(truth, "(")
}

// Same tells whether a value that was read is the printed one, but for the width
// and kind of brackets, spaces and punctuation. Dates compare as dates.
func Same(field report.FieldName, truth, read string) bool {
	switch field {
	case report.FieldEstablished, report.FieldIssued:
		want, ok := license.ParseDate(truth)
		got, readable := license.ParseDate(read)
		return ok && readable && want == got
	case report.FieldRegisteredCapital:
		truth, read = sameCapital.Replace(truth), sameCapital.Replace(read)
	}
	return matches([]rune(plain(truth)), []rune(plain(read)))
}

func plain(s string) string {
	return strings.ToUpper(sameGlyphs.Replace(norm.NFKC.String(sameGlyphs.Replace(s))))
}

// matches compares rune by rune; unknown in the truth matches any.
func matches(truth, read []rune) bool {
	if len(truth) != len(read) {
		return false
	}
	for i, r := range truth {
		if r != read[i] && r != unknown {
			return false
		}
	}
	return true
}
