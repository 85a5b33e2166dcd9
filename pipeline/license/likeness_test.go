package license

import (
	"slices"
	"strings"
	"testing"
)

// TestNameLikeness: every class, and what must be none. All names are invented.
func TestNameLikeness(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want Likeness
	}{
		{"杭州示例青栀科技有限公司", "杭州示例青栀科技有限公司", LikenessSame},
		{"示例青栀（杭州）科技有限公司", "示例青栀(杭州) 科技有限公司", LikenessSame},
		{"杭州示例Ａ５科技有限公司", "杭州示例A5科技有限公司", LikenessSame},
		{"示例青栀（杭州）科技有限公司", "示例青栀杭州科技有限公司", LikenessWidth},
		{"杭州示例·青栀科技有限公司", "杭州示例青栀科技有限公司", LikenessWidth},
		{"杭州示例-青栀科技有限公司", "杭州示例青栀科技有限公司", LikenessWidth},
		{"杭州示例華豐科技有限公司", "杭州示例华丰科技有限公司", LikenessVariant},
		{"廣州示例青栀科技有限公司", "广州示例青栀科技有限公司", LikenessVariant},
		{"杭州示例abc科技有限公司", "杭州示例ABC科技有限公司", LikenessVariant},
		{"杭州示例華豐科技有限公司", "示例华丰科技（杭州）有限责任公司", LikenessVariant},
		{"杭州示例未来科技有限公司", "杭州示例末来科技有限公司", LikenessLookalike},
		{"杭州示例己方科技有限公司", "杭州示例巳方科技有限公司", LikenessLookalike},
		{"杭州示例土木科技有限公司", "杭州示例士木科技有限公司", LikenessLookalike},
		{"杭州示例日升科技有限公司", "杭州示例曰升科技有限公司", LikenessLookalike},
		{"杭州示例囗岸科技有限公司", "杭州示例口岸科技有限公司", LikenessLookalike},
		{"杭州示例ロ岸科技有限公司", "杭州示例口岸科技有限公司", LikenessLookalike},   // kana
		{"杭州示例ТOP科技有限公司", "杭州示例TOP科技有限公司", LikenessLookalike}, // Cyrillic
		{"杭州示例ΑΒ科技有限公司", "杭州示例ab科技有限公司", LikenessLookalike},   // Greek
		{"杭州示例CAFÉ科技有限公司", "杭州示例CAFE科技有限公司", LikenessLookalike},
		{"杭州示例O2科技有限公司", "杭州示例02科技有限公司", LikenessLookalike},
		{"抗州示例青栀科技有限公司", "杭州示例青栀科技有限公司", LikenessLookalike},
		{"杭州示例未来科技有限公司", "示例末来科技集团有限公司", LikenessLookalike},
		{"杭州示例青栀科技有限公司", "示例青栀科技（杭州）有限公司", LikenessDivision},
		{"杭州示例青栀科技有限公司", "示例青栀（杭州）科技有限公司", LikenessDivision},
		{"杭州示例青栀科技有限公司", "浙江示例青栀科技有限公司", LikenessDivision},
		{"杭州示例青栀科技有限公司", "示例青栀科技有限公司", LikenessDivision},
		{"杭州示例青栀科技有限公司", "浙江省杭州市西湖区示例青栀科技有限公司", LikenessDivision},
		{"杭州示例青栀科技有限公司", "杭州西湖示例青栀科技有限公司", LikenessDivision},
		{"示例青栀（中国）科技有限公司", "中国示例青栀科技有限公司", LikenessDivision},
		{"内蒙古自治区示例青栀科技有限公司", "内蒙古示例青栀科技有限公司", LikenessDivision},
		{"杭州市萧山区示例青栀机械厂", "浙江省萧山市示例青栀机械厂", LikenessDivision}, // the same place before 2001
		{"深圳市示例青栀科技有限公司", "深圳示例青栀科技有限公司", LikenessDivision},
		{"杭州示例青栀科技有限公司西湖分公司", "杭州示例青栀科技有限公司余杭分公司", LikenessDivision},
		{"杭州示例青栀科技有限公司", "杭州示例青栀科技有限责任公司", LikenessForm},
		{"杭州示例青栀科技有限公司", "杭州示例青栀科技股份有限公司", LikenessForm},
		{"杭州示例青栀科技有限公司", "示例青栀科技集团有限公司", LikenessForm},
		{"杭州示例青栀科技有限公司", "杭州示例青栀科技（集团）有限公司", LikenessForm},
		{"杭州示例青栀科技有限公司", "杭州示例青栀科技有限公司西湖分公司", LikenessForm},
		{"杭州示例青栀科技有限公司", "杭州示例青栀科技总公司", LikenessForm},
		{"杭州示例青栀科技有限公司", "杭州示例青栀科技合伙企业（有限合伙）", LikenessForm},
		{"杭州市西湖区示例青栀小吃店", "杭州市西湖区示例青栀小吃部", LikenessForm},
		{"杭州市示例青栀茶叶专业合作社", "杭州市示例青栀茶叶农民专业合作社", LikenessForm},
		{"杭州示例青栀科技有限公司", "杭州示例清芝科技有限公司", LikenessPinyin},
		{"杭州示例青栀科技有限公司", "浙江示力轻之科技股份有限公司", LikenessPinyin},
		{"杭州示例乐行科技有限公司", "杭州示例勒航科技有限公司", LikenessPinyin}, // le, yue; hang, heng, xing
		{"杭州示例五一科技有限公司", "杭州示例51科技有限公司", LikenessPinyin},
		{"杭州示例乾元科技有限公司", "杭州示例前元科技有限公司", LikenessPinyin},

		{"杭州示例青栀科技有限公司", "杭州示例禾景科技有限公司", LikenessNone},
		{"杭州示例青栀科技有限公司", "杭州示例青栀餐饮有限公司", LikenessNone},
		{"杭州示例青栀科技有限公司", "杭州示例清芝餐饮有限公司", LikenessNone},
		{"长安测试科技有限公司", "平安测试科技有限公司", LikenessNone}, // divisions that are the trade name
		{"杭州长安测试科技有限公司", "杭州平安测试科技有限公司", LikenessNone},
		{"杭州示例青栀科技有限公司", "宁波示例青栀科技有限公司", LikenessNone}, // each place may have one
		{"杭州示例青栀科技有限公司", "示例清芝科技（上海）有限公司", LikenessNone},
		{"杭州示例青栀科技有限公司", "杭州青栀示例科技有限公司", LikenessNone},
		{"杭州示例己未科技有限公司", "杭州示列巳末科技有限公司", LikenessNone}, // three characters
		{"", "", LikenessNone},
		{"***", "***", LikenessNone},
		{"杭州示例青栀科技有限公司", "", LikenessNone},
	} {
		for _, names := range [][2]string{{tt.a, tt.b}, {tt.b, tt.a}} {
			if got := NameLikeness(names[0], names[1]); got != tt.want {
				t.Errorf("%s is like %s by %q, want %q", names[0], names[1], got, tt.want)
			}
		}
		if tt.want != LikenessNone && !shareKey(NameKeys(tt.a), NameKeys(tt.b)) {
			t.Errorf("%s and %s share no key", tt.a, tt.b)
		}
	}
}

func shareKey(a, b []NameKey) bool {
	return slices.ContainsFunc(a, func(k NameKey) bool { return slices.Contains(b, k) })
}

func TestNameKeys(t *testing.T) {
	for _, tt := range []struct {
		name string
		want []NameKey
	}{
		{"", nil},
		{"（***）", nil},
		{"杭州示例行 科技有限公司", []NameKey{
			{NameKindSame, "杭州示例行科技有限公司"}, {NameKindFold, "杭洲示例竹科技布限会司"}, {NameKindCore, "示例竹科技"},
			{NameKindSound, "shi li hang 科技"}, {NameKindSound, "shi li heng 科技"}, {NameKindSound, "shi li xing 科技"},
		}},
		{"（杭州）", []NameKey{{NameKindSame, "(杭州)"}, {NameKindFold, "杭洲"}, {NameKindCore, "杭洲"}, {NameKindSound, "hang zhou "}}},
	} {
		if got := NameKeys(tt.name); !slices.Equal(got, tt.want) {
			t.Errorf("keys of %s: %v, want %v", tt.name, got, tt.want)
		}
	}
	for _, k := range NameKeys(strings.Repeat("长行乐", 200)) {
		if len(k.Key) > maxKeyBytes {
			t.Errorf("%s key of %d bytes", k.Kind, len(k.Key))
		}
	}
	if n := len(NameKeys(strings.Repeat("长行乐", 200))); n > 3+maxSounds {
		t.Errorf("%d keys", n)
	}
}

// TestDivisionsAreAllThere: the walk down the codes reaches every division.
func TestDivisionsAreAllThere(t *testing.T) {
	names := divisions()
	for _, name := range []string{"杭州市", "西湖区", "双流县", "浦东新区", "济源市", "内蒙古自治区", "恩施土家族苗族自治州", "萧山市", "香港特别行政区"} {
		if names.whole[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	for short, codes := range map[string]division{"杭州": {"3301"}, "苏州": {"3205"}, "内蒙古": {"15"}, "恩施": {"4228"}, "双江": {"530925"}, "广西": {"45"}} {
		if got := names.short[short]; !slices.Contains(got, codes[0]) {
			t.Errorf("%s is %v, want %v", short, got, codes)
		}
	}
	if names.short["西湖"] != nil || names.district["西湖"] == nil {
		t.Error("西湖 is a district and tells a division behind its city only")
	}
}

func TestIndustryStart(t *testing.T) {
	for _, tt := range []struct {
		core string
		keep int
		want int
	}{
		{"示例青栀生物科技", minTradeName, 4},
		{"示例青栀", minTradeName, 4},
		{"科技", minTradeName, 2},
		{"科技", 0, 0},
		{"信息技术服务", minTradeName, 2},
		{"", 0, 0},
	} {
		if got := industryStart([]rune(tt.core), tt.keep); got != tt.want {
			t.Errorf("industry of %s begins at %d, want %d", tt.core, got, tt.want)
		}
	}
}

// FuzzNameLikeness: any two names: symmetric, equal names are the same, and names
// of a likeness share a key.
func FuzzNameLikeness(f *testing.F) {
	f.Add("杭州示例青栀科技有限公司", "示例青栀(杭州)科技有限责任公司")
	f.Add("((中国)", ")（集团）(")
	f.Add("０〇O", "É\xff")
	f.Fuzz(func(t *testing.T, a, b string) {
		got := NameLikeness(a, b)
		if back := NameLikeness(b, a); back != got {
			t.Errorf("%q and %q: %q, the other way %q", a, b, got, back)
		}
		if got != LikenessNone && !shareKey(NameKeys(a), NameKeys(b)) {
			t.Errorf("%q and %q are %q and share no key", a, b, got)
		}
		if own := NameLikeness(a, a); own != LikenessSame && NameKeys(a) != nil {
			t.Errorf("%q is like itself by %q", a, own)
		}
	})
}
