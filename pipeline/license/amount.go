package license

import (
	"math/big"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
)

// currencies are the names printed for a currency, longest first, and its ISO
// 4217 code. An amount without a name is in yuan.
var currencies = []struct{ name, code string }{
	{"美元", "USD"}, {"美金", "USD"}, {"港元", "HKD"}, {"港币", "HKD"}, {"欧元", "EUR"}, {"日元", "JPY"},
	{"英镑", "GBP"}, {"澳元", "AUD"}, {"加元", "CAD"}, {"新加坡元", "SGD"}, {"韩元", "KRW"}, {"新台币", "TWD"},
	{"台币", "TWD"}, {"澳门元", "MOP"}, {"瑞士法郎", "CHF"},
}

// ParseAmount reads printed money: 壹佰万元整, 人民币500.0000万元, 100万美元.
// ok is false without a unit (元, 万, 亿 or a currency), or when anything but
// the number, its units and its currency stands in the text.
func ParseAmount(text string) (amount report.Amount, ok bool) {
	s := string(compact(text))
	s = strings.NewReplacer("圆", "元", "圓", "元", "萬", "万", "億", "亿", "(", "", ")", "", ",", "", "，", "", ":", "", "￥", "", "¥", "").Replace(s)
	amount.Currency = "CNY"
	for _, c := range currencies {
		if strings.Contains(s, c.name) {
			amount.Currency = c.code
			s = strings.Replace(s, c.name, "元", 1)
			break
		}
	}
	s = strings.Replace(s, "人民币", "", 1)
	number := strings.TrimRight(s, "整正.。*#")
	number = strings.TrimRight(number, "元")
	if number == s && !strings.HasSuffix(s, "万") && !strings.HasSuffix(s, "亿") && !strings.Contains(text, "人民币") {
		return report.Amount{}, false
	}
	value, ok := parseNumber(number)
	if !ok || value.Sign() <= 0 {
		return report.Amount{}, false
	}
	amount.Value = strings.TrimSuffix(strings.TrimRight(value.FloatString(6), "0"), ".")
	return amount, true
}

var numeralUnits = map[rune]int64{'十': 10, '拾': 10, '百': 100, '佰': 100, '千': 1000, '仟': 1000}

var capitalDigits = map[rune]int64{
	'零': 0, '〇': 0, '壹': 1, '一': 1, '弌': 1, '贰': 2, '貳': 2, '二': 2, '两': 2, '叁': 3, '參': 3, '参': 3, '三': 3, '肆': 4, '四': 4,
	'伍': 5, '五': 5, '陆': 6, '陸': 6, '六': 6, '柒': 7, '七': 7, '捌': 8, '八': 8, '玖': 9, '九': 9,
}

// parseNumber reads 500.0000万, 壹亿零壹佰万, 贰千万.
func parseNumber(s string) (*big.Rat, bool) {
	total, section := new(big.Rat), new(big.Rat)
	var decimal strings.Builder
	var digit, last int64 = -1, 0 // the pending Chinese digit; the smallest unit since 万 or 亿
	seen := false
	flush := func() bool {
		if decimal.Len() > 0 {
			value, ok := new(big.Rat).SetString(decimal.String())
			if !ok || digit >= 0 {
				return false
			}
			section.Add(section, value)
			decimal.Reset()
		}
		if digit >= 0 {
			section.Add(section, big.NewRat(digit, 1))
			digit = -1
		}
		return true
	}
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9' || r == '.':
			decimal.WriteRune(r)
		case r == '万' || r == '亿':
			if !flush() || section.Sign() == 0 && total.Sign() == 0 {
				return nil, false
			}
			scale := big.NewRat(10_000, 1)
			if r == '亿' {
				scale = big.NewRat(100_000_000, 1)
				section.Add(section, total)
				total.SetInt64(0)
			}
			total.Add(total, section.Mul(section, scale))
			section, last = new(big.Rat), 0
		case numeralUnits[r] > 0:
			unit := numeralUnits[r]
			if decimal.Len() > 0 || last > 0 && unit >= last {
				return nil, false
			}
			if digit < 0 {
				if unit != 10 || section.Sign() != 0 {
					return nil, false
				}
				digit = 1
			}
			section.Add(section, big.NewRat(digit*unit, 1))
			digit, last = -1, unit
		default:
			d, ok := capitalDigits[r]
			if !ok || digit > 0 {
				return nil, false
			}
			digit = d
		}
		seen = true
	}
	if !seen || !flush() {
		return nil, false
	}
	return total.Add(total, section), true
}
