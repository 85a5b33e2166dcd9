package license

import (
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

func TestParseDate(t *testing.T) {
	tests := []struct{ text, want string }{
		{"2019年09月16日", "2019-09-16"},
		{"2019年9月6日", "2019-09-06"},
		{" 2019 年 09 月 16 日 ", "2019-09-16"},
		{"２０１９年０９月１６日", "2019-09-16"},
		{"2019-09-16", "2019-09-16"},
		{"2019.9.16", "2019-09-16"},
		{"2019/9/16", "2019-09-16"},
		{"2019年09月16", "2019-09-16"},
		{"二〇〇九年三月一日", "2009-03-01"},
		{"二○○九年三月一日", "2009-03-01"},
		{"二OO九年三月一日", "2009-03-01"},
		{"二零零九年三月一日", "2009-03-01"},
		{"二00九年三月一日", "2009-03-01"},
		{"二〇一四年十月十日", "2014-10-10"},
		{"二〇一四年十二月二十九日", "2014-12-29"},
		{"二〇一四年十二月三十一日", "2014-12-31"},
		{"二〇一二年二月廿三日", "2012-02-23"},
		{"二〇一二年三月卅一日", "2012-03-31"},
		{"二〇一二年三月卅日", "2012-03-30"},
		{"2020年2月29日", "2020-02-29"},
		{"2019年2月29日", ""},
		{"2019年13月1日", ""},
		{"2019年0月1日", ""},
		{"22013年3月5日", ""},
		{"212年03月19日", ""},
		{"2019年09月16日止", "2019-09-16"},
		{"2019年09月16日至长期", ""},
		{"2019年09月", ""},
		{"二〇〇九年三月十年日", ""},
		{"二〇〇九年三月十十日", ""},
		{"1234年5月6日", ""},
		{"", ""},
		{"年月日", ""},
	}
	for _, test := range tests {
		if got, ok := ParseDate(test.text); got != test.want && ok || ok != (test.want != "") {
			t.Errorf("ParseDate(%q) = %q, %v, want %q", test.text, got, ok, test.want)
		}
	}
}

func TestParseTerm(t *testing.T) {
	tests := []struct{ text, want string }{
		{"长期", LongTerm},
		{"永久", LongTerm},
		{"至长期", LongTerm},
		{"/长期", LongTerm},
		{"无固定期限", LongTerm},
		{"2019年09月16日至2039年09月15日", "2019-09-16/2039-09-15"},
		{"2019年09月16日 至 2039年09月15日止", "2019-09-16/2039-09-15"},
		{"自2019年09月16日至2039年09月15日", "2019-09-16/2039-09-15"},
		{"自二〇〇九年三月廿一日至二〇一九年三月二十日", "2009-03-21/2019-03-20"},
		{"2019-09-16至2039-09-15", "2019-09-16/2039-09-15"},
		{"2019年09月16日至长期", "2019-09-16/" + LongTerm},
		{"2019年09月16日至永久", "2019-09-16/" + LongTerm},
		{"2019年09月16日至****** ", "2019-09-16/" + LongTerm},
		{"2019年09月16日至 年 月 日", "2019-09-16/" + LongTerm},
		{"2019年09月16日至……", "2019-09-16/" + LongTerm},
		{"2019年09月16日", ""},
		{"2019年09月16日至", ""},
		{"2019年09月16日至2039年09月", ""},
		{"2039年09月16日至2019年09月15日", ""},
		{"2019年09月16日2039年09月15日", ""},
		{"至2039年09月15日", ""},
		{"", ""},
	}
	for _, test := range tests {
		if got, ok := ParseTerm(test.text); got != test.want && ok || ok != (test.want != "") {
			t.Errorf("ParseTerm(%q) = %q, %v, want %q", test.text, got, ok, test.want)
		}
	}
}

func TestParseAmount(t *testing.T) {
	tests := []struct {
		text string
		want report.Amount
	}{
		{"壹佰万元整", report.Amount{Value: "1000000", Currency: "CNY"}},
		{"陆佰万圆整", report.Amount{Value: "6000000", Currency: "CNY"}},
		{"人民币伍拾万元", report.Amount{Value: "500000", Currency: "CNY"}},
		{"壹佰万元人民币", report.Amount{Value: "1000000", Currency: "CNY"}},
		{"(人民币)伍仟万元", report.Amount{Value: "50000000", Currency: "CNY"}},
		{"贰佰万元（人民币）", report.Amount{Value: "2000000", Currency: "CNY"}},
		{"人民币500.0000万元整", report.Amount{Value: "5000000", Currency: "CNY"}},
		{"100.123456万人民币", report.Amount{Value: "1001234.56", Currency: "CNY"}},
		{"600000万元", report.Amount{Value: "6000000000", Currency: "CNY"}},
		{"1,000万元", report.Amount{Value: "10000000", Currency: "CNY"}},
		{"叁仟零壹拾万元", report.Amount{Value: "30100000", Currency: "CNY"}},
		{"壹仟零捌万圆整", report.Amount{Value: "10080000", Currency: "CNY"}},
		{"壹亿零壹佰万圆整", report.Amount{Value: "101000000", Currency: "CNY"}},
		{"柒亿贰仟零玖拾万圆整", report.Amount{Value: "720900000", Currency: "CNY"}},
		{"壹亿贰仟叁佰肆拾伍万陆仟柒佰捌拾玖元整", report.Amount{Value: "123456789", Currency: "CNY"}},
		{"贰千万", report.Amount{Value: "20000000", Currency: "CNY"}},
		{"拾万元", report.Amount{Value: "100000", Currency: "CNY"}},
		{"10億元", report.Amount{Value: "1000000000", Currency: "CNY"}},
		{"100万美元", report.Amount{Value: "1000000", Currency: "USD"}},
		{"壹佰伍拾万港元", report.Amount{Value: "1500000", Currency: "HKD"}},
		{"500万欧元", report.Amount{Value: "5000000", Currency: "EUR"}},
		{"50000元", report.Amount{Value: "50000", Currency: "CNY"}},
		{"1101081234567", report.Amount{}},
		{"壹佰", report.Amount{}},
		{"0元", report.Amount{}},
		{"万元", report.Amount{}},
		{"深圳市实行认缴登记制度1元", report.Amount{}},
		{"壹壹万元", report.Amount{}},
		{"拾佰元", report.Amount{}},
		{"", report.Amount{}},
	}
	for _, test := range tests {
		if got, ok := ParseAmount(test.text); got != test.want || ok != (test.want.Value != "") {
			t.Errorf("ParseAmount(%q) = %v, %v, want %v", test.text, got, ok, test.want)
		}
	}
}

func TestCompareNames(t *testing.T) {
	tests := []struct {
		declared, read string
		want           NameClass
		spans          []Span
	}{
		{"示例市春日贸易有限公司", "示例市春日贸易有限公司", NameIdentical, nil},
		{"示例(中国)有限公司", "示例（中国）有限公司", NameBracketWidth, []Span{{[2]int{2, 3}, [2]int{2, 3}}, {[2]int{5, 6}, [2]int{5, 6}}}},
		{"示例〔中国〕有限公司", "示例（中国）有限公司", NameBracketWidth, []Span{{[2]int{2, 3}, [2]int{2, 3}}, {[2]int{5, 6}, [2]int{5, 6}}}},
		{"ＡＢＣ示例有限公司", "ABC示例有限公司", NameBracketWidth, []Span{{[2]int{0, 3}, [2]int{0, 3}}}},
		{"示例市 春日有限公司", "示例市春日有限公司", NameSpacing, []Span{{[2]int{3, 4}, [2]int{3, 3}}}},
		{"示例•春日店", "示例·春日店", NameSpacing, []Span{{[2]int{2, 3}, [2]int{2, 3}}}},
		{"示例東方有限公司", "示例东方有限公司", NameVariantCharacter, []Span{{[2]int{2, 3}, [2]int{2, 3}}}},
		{"abc示例有限公司", "ABC示例有限公司", NameVariantCharacter, []Span{{[2]int{0, 3}, [2]int{0, 3}}}},
		{"示例市春日有限公司", "示例市春日有限责任公司", NameOrganizationForm, []Span{{[2]int{7, 7}, [2]int{7, 9}}}},
		{"示例市晴朗有限公司", "示例市睛朗有限公司", NameOCRConfusable, []Span{{[2]int{3, 4}, [2]int{3, 4}}}},
		{"示例（中国）有限公司", "示例中国）有限公司", NameOCRConfusable, []Span{{[2]int{2, 3}, [2]int{2, 2}}}},
		{"示例市春日有限公司", "示例市秋日有限公司", NameDifferent, []Span{{[2]int{3, 4}, [2]int{3, 4}}}},
		{"示例市春日有限公司", "示例市春日明月有限公司", NameDifferent, []Span{{[2]int{5, 5}, [2]int{5, 7}}}},
		{"", "示例市春日有限公司", NameDifferent, []Span{{[2]int{0, 0}, [2]int{0, 9}}}},
		{"", "", NameIdentical, nil},
	}
	for _, test := range tests {
		got := CompareNames(test.declared, test.read)
		if got.Class != test.want || !slices.Equal(got.Spans, test.spans) {
			t.Errorf("CompareNames(%q, %q) = %v, want %v %v", test.declared, test.read, got, test.want, test.spans)
		}
	}
}

func TestConfusables(t *testing.T) {
	for r, groups := range confusableGroups() {
		for _, group := range groups {
			for _, other := range group {
				if r != other && (!Confusable(r, other) || !Confusable(other, r)) {
					t.Errorf("%c and %c of %s", r, other, group)
				}
			}
		}
		if Confusable(r, r) {
			t.Errorf("%c is confusable with itself", r)
		}
	}
}

func TestEntityConsistency(t *testing.T) {
	tests := []struct {
		uscc, name, typ, label string
		want                   []string
	}{
		{"91440300MA5TE0T01G", "示例市春日贸易有限公司", "有限责任公司(自然人独资)", "法定代表人", nil},
		{"91440300MA5TE0T01G", "示例市春日贸易有限公司夏川分公司", "有限责任公司分公司", "负责人", nil},
		{"91440300MA5TE0T01G", "示例市春日贸易有限公司夏川分公司", "有限责任公司分公司", "法定代表人", []string{"branch_without_person_in_charge"}},
		{"91440300MA5TE0T01G", "示例市春日贸易有限公司", "", "负责人", []string{"company_with_person_in_charge"}},
		{"92440300MA5TE0T02E", "示例区冬雪面馆", "个体工商户", "经营者", nil},
		{"92440300MA5TE0T02E", "示例区冬雪有限公司", "个体工商户", "经营者", []string{"individual_with_company_name"}},
		{"92440300MA5TE0T02E", "", "有限责任公司", "", []string{"individual_code_with_other_type"}},
		{"91440300MA5TE0T01G", "示例区冬雪面馆", "个体工商户", "经营者", []string{"individual_type_with_other_code"}},
		{"92440300MA5TE0T02E", "示例区冬雪面馆", "", "法定代表人", []string{"individual_without_operator"}},
		{"93440300MA5TE0T03C", "示例县秋山种植专业合作社", "农民专业合作社", "法定代表人", nil},
		{"93440300MA5TE0T03C", "示例县秋山种植有限公司", "", "", []string{"cooperative_code_with_other_name"}},
		{"91440300MA5TE0T01G", "示例市事务所（普通合伙）", "普通合伙企业", "执行事务合伙人", nil},
		{"91440300MA5TE0T01G", "示例市春日贸易有限公司", "普通合伙企业", "", []string{"company_name_with_partnership_type"}},
		{"91440300MA5TE0T01G", "示例市春日股份有限公司", "股份有限公司(上市)", "", nil},
		{"91440300MA5TE0T01G", "示例市春日贸易有限公司", "股份有限公司(上市)", "", []string{"joint_stock_company_with_other_name"}},
		{"", "", "", "", nil},
	}
	for _, test := range tests {
		if got := EntityConsistency(test.uscc, test.name, test.typ, test.label); !slices.Equal(got, test.want) {
			t.Errorf("EntityConsistency(%q, %q, %q, %q) = %v, want %v", test.uscc, test.name, test.typ, test.label, got, test.want)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2019年09月16日", "二〇〇九年三月廿一日", "2019.9.16", "十十年", "2019年2月29日"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		iso, ok := ParseDate(s)
		if !ok {
			return
		}
		if _, err := time.Parse(time.DateOnly, iso); err != nil {
			t.Errorf("ParseDate(%q) = %q", s, iso)
		}
		if again, ok := ParseDate(iso); !ok || again != iso {
			t.Errorf("ParseDate(%q) = %q, and of that %q", s, iso, again)
		}
	})
}

func FuzzParseTerm(f *testing.F) {
	for _, s := range []string{"长期", "2019年09月16日至2039年09月15日", "自二〇〇九年三月廿一日至长期", "2019年09月16日至****"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if term, ok := ParseTerm(s); ok && term != LongTerm && len(term) != len("2019-09-16/2039-09-15") && len(term) != len("2019-09-16/"+LongTerm) {
			t.Errorf("ParseTerm(%q) = %q", s, term)
		}
	})
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"壹佰万元整", "人民币500.0000万元整", "100万美元", "1.2.3万元", "壹亿亿元", "9999999999999999999999亿万元"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		amount, ok := ParseAmount(s)
		if !ok {
			return
		}
		if value, valid := new(big.Rat).SetString(amount.Value); !valid || value.Sign() < 0 || len(amount.Currency) != 3 {
			t.Errorf("ParseAmount(%q) = %v", s, amount)
		}
	})
}

func FuzzCompareNames(f *testing.F) {
	f.Add("示例(中国)有限公司", "示例（中国）有限责任公司")
	f.Add("", "\xff")
	f.Fuzz(func(t *testing.T, a, b string) {
		d := CompareNames(a, b)
		if (d.Class == NameIdentical) != (a == b) {
			t.Errorf("CompareNames(%q, %q) = %v", a, b, d)
		}
		for _, s := range d.Spans {
			if s.Declared[0] > s.Declared[1] || s.Read[0] > s.Read[1] || s.Declared[1] > len([]rune(a)) || s.Read[1] > len([]rune(b)) {
				t.Errorf("CompareNames(%q, %q) = %v", a, b, d)
			}
		}
		if back := CompareNames(b, a); back.Class != d.Class {
			t.Errorf("%q and %q: %s one way, %s the other", a, b, d.Class, back.Class)
		}
	})
}

func TestUnfinished(t *testing.T) {
	for _, tt := range []struct {
		name, kind string
		want       bool
	}{
		{"云岫县测试", "有限责任公司(自然人独资)", true},
		{"云岫县测试店", "有限责任公司(自然人独资)", true},
		{"云岫县测试有限公司", "有限责任公司(自然人独资)", false},
		{"云岫县测试有限公司城南分公司", "有限责任公司分公司", false},
		{"云岫县测试面馆", "个体工商户", false},
		{"云岫县测试面馆（个体工商户）", "个体工商户", false},
		{"云岫县测试企业管理中心(有限合伙)", "有限合伙企业", false},
		{"云岫县测试", "", true},
		{"云岫县测试示例机械设备工作", "", true},
		{"", "", true},
	} {
		if got := Unfinished(tt.name, tt.kind); got != tt.want {
			t.Errorf("%s, %s: got %v, want %v", tt.name, tt.kind, got, tt.want)
		}
	}
}
