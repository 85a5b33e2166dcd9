package qr

import (
	"maps"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/heyan/heyan/pipeline/report"
)

func TestParse(t *testing.T) {
	const code = "91330106MA0HEYAN7X"
	tests := []struct {
		name, payload, kind, uscc string
	}{
		{"national", "http://www.gsxt.gov.cn/index.html?uniscid=" + code, KindUniscid, code},
		{"national, https, bare host, lower case", "https://GSXT.gov.cn/index.html?uniscid=" + strings.ToLower(code), KindUniscid, code},
		{"national, space around", "  http://www.gsxt.gov.cn/index.html?uniscid=" + code + "\r\n", KindUniscid, code},
		{"decoded once", "http://www.gsxt.gov.cn/index.html?uniscid=%39" + code[1:], KindUniscid, code},
		{"not decoded twice", "http://www.gsxt.gov.cn/index.html?uniscid=%2539" + code[1:], KindUnparsed, ""},
		{"national without a code", "http://www.gsxt.gov.cn/index.html", KindUnparsed, ""},
		{"a letter no code has", "http://www.gsxt.gov.cn/index.html?uniscid=91330106MAOHEYAN7X", KindUnparsed, ""},
		{"too short", "http://www.gsxt.gov.cn/index.html?uniscid=" + code[:17], KindUnparsed, ""},
		{"token", "http://www.gsxt.gov.cn/%7BAbC-dEf_123-1546300800000%7D", KindToken, ""},
		{"token of a province", "https://zj.gsxt.gov.cn/%7Bx-1546300800000%7D", KindToken, ""},
		{"province under the national host", "http://hb.gsxt.gov.cn/qyxxgsAction_initQyxyxxMain.action?nbxh=MTIz", KindProvince, ""},
		{"Shanghai", "https://www.sgs.gov.cn/notice/query/queryEntInfoMain.do?uuid=abc.def_1", KindProvince, ""},
		{"Jiangsu, port", "http://www.jsgsj.gov.cn:58888/province/infoQueryServlet.json?pt&c=00FF", KindProvince, ""},
		{"Guangdong", "http://gsxt.gdgs.gov.cn//GSpublicity/GSpublicityList.html?service=entInfo&entNo=1-2&regOrg=440000", KindProvince, ""},
		{"Shenzhen", "http://www.szcredit.com.cn/web/GSZJGSPT/QyxyDetail.aspx?rid=00ff&cid=" + code, KindProvince, code},
		{"Henan", "http://dzhy.haaic.gov.cn/yzt/toHandleQuery.do?id=1&uniScID=" + code + "&jumpFlag=false", KindProvince, code},
		{"an address in place of a host", "http://218.22.14.66:8082/yzt/toHandleQuery.do?uniScID=" + code, KindProvince, code},
		{"unknown government host", "http://new.example.gov.cn/?uniscid=" + code, KindUnparsed, ""},
		{"look-alike: longer", "http://www.gsxt.gov.cn.example.com/index.html?uniscid=" + code, KindUnparsed, ""},
		{"look-alike: no dot", "http://wwwgsxt.gov.cn/index.html?uniscid=" + code, KindUnparsed, ""},
		{"look-alike: letters", "http://www.gѕxt.gov.cn/index.html?uniscid=" + code, KindUnparsed, ""},
		{"look-alike: address", "http://1218.22.14.66/?uniScID=" + code, KindUnparsed, ""},
		{"user", "http://www.gsxt.gov.cn@example.com/index.html?uniscid=" + code, KindUnparsed, ""},
		{"user at the right host", "http://a:b@www.gsxt.gov.cn/index.html?uniscid=" + code, KindUnparsed, ""},
		{"another scheme", "ftp://www.gsxt.gov.cn/index.html?uniscid=" + code, KindUnparsed, ""},
		{"script", "javascript://www.gsxt.gov.cn/%0aalert(1)?uniscid=" + code, KindUnparsed, ""},
		{"no scheme", "www.gsxt.gov.cn/index.html?uniscid=" + code, KindUnparsed, ""},
		{"words", "统一社会信用代码：" + code + "\n注册号：330106000012345\n名称：核验测试有限公司", KindText, code},
		{"words, other separators", "统一社会信用代码:" + code + ",企业注册号:330106000012345;企业名称:核验测试有限公司", KindText, code},
		{"words and a link", "注册号：330106000012345|数据查询链接：http://www.example.gov.cn/", KindText, ""},
		{"words, broken code", "统一社会信用代码：9133", KindUnparsed, ""},
		{"opaque", "A1B2C3D4", KindUnparsed, ""},
		{"empty", "", KindUnparsed, ""},
	}
	for _, tt := range tests {
		if got := Parse(tt.payload); got.Kind != tt.kind || got.USCC != tt.uscc {
			t.Errorf("%s: got %s %q, want %s %q", tt.name, got.Kind, got.USCC, tt.kind, tt.uscc)
		}
	}
}

func TestParseKeepsThePayloadHarmless(t *testing.T) {
	got := Parse("a\x00b\x1b[31mc\u202ed\ne\r\nf\xff").Payload
	if want := "ab[31mcd\ne\nf"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Parse(strings.Repeat("验", 9000)).Payload; len(got) > maxPayload || !utf8.ValidString(got) {
		t.Errorf("got %d bytes", len(got))
	}
}

func TestParseReadsWords(t *testing.T) {
	got := Parse("统一社会信用代码:91330106MA0HEYAN7X;\n名称:核验测试（杭州）有限公司;\n法定代表人:张三;\n成立日期:2019年03月01日")
	want := map[report.FieldName]string{
		report.FieldCompanyName:         "核验测试（杭州）有限公司",
		report.FieldLegalRepresentative: "张三",
	}
	if got.USCC != "91330106MA0HEYAN7X" || !maps.Equal(got.Fields, want) {
		t.Errorf("got %s, %v", got.USCC, got.Fields)
	}
	want = map[report.FieldName]string{report.FieldRegistrationNumber: "330106000012345", report.FieldCompanyName: "核验测试厂"}
	if got := Parse("注册号：330106000012345 名称：核验测试厂 网址：www.example.gov.cn"); !maps.Equal(got.Fields, want) {
		t.Errorf("separated by spaces: got %v", got.Fields)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"http://www.gsxt.gov.cn/index.html?uniscid=91330106MA0HEYAN7X",
		"http://www.gsxt.gov.cn/%7BAbC-1546300800000%7D",
		"http://www.szcredit.com.cn/web/QyxyDetail.aspx?rid=00ff&cid=91330106MA0HEYAN7X",
		"http://a@www.gsxt.gov.cn/?uniscid=91330106MA0HEYAN7X",
		"http://www.gsxt.gov.cn:%38/?uniscid=%zz",
		"http://[::1]/", "//gsxt.gov.cn", "http:gsxt.gov.cn",
		"统一社会信用代码：91330106MA0HEYAN7X|注册号：330106000012345",
		"名称", "\xff\xfe\x00", "",
	} {
		f.Add(s)
	}
	kinds := map[string]bool{KindUniscid: true, KindToken: true, KindProvince: true, KindText: true, KindUnparsed: true}
	f.Fuzz(func(t *testing.T, payload string) {
		got := Parse(payload)
		if !kinds[got.Kind] {
			t.Errorf("kind %q", got.Kind)
		}
		if got.USCC != "" && !usccForm.MatchString(got.USCC) {
			t.Errorf("code %q", got.USCC)
		}
		if (got.Kind == KindUnparsed || got.Kind == KindToken) && strings.Contains(payload, "@") && got.USCC != "" {
			t.Errorf("code %q from %q", got.USCC, payload)
		}
		if len(got.Payload) > maxPayload || !utf8.ValidString(got.Payload) {
			t.Errorf("payload of %d bytes", len(got.Payload))
		}
		for _, r := range got.Payload {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				t.Errorf("payload holds %q", r)
			}
		}
		if again := Parse(got.Payload); again.Kind != got.Kind || again.USCC != got.USCC || again.Payload != got.Payload {
			t.Errorf("again: got %+v, want %+v", again, got)
		}
	})
}
