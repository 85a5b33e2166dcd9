package qr

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/heyan/heyan/pipeline/report"
)

// The kinds of payloads.
const (
	KindUniscid  = "gsxt_uniscid" // the national registry's page of one code, printed since 2019
	KindToken    = "gsxt_token"   // a page of the national registry under an opaque token
	KindProvince = "province"     // a provincial registry's page
	KindText     = "text"         // the license's fields in words, as several provinces print them
	KindUnparsed = "unparsed"     // anything else, which is no sign of forgery
)

// maxPayload is the longest payload kept, in bytes: the largest QR code holds
// 2,953 bytes, which may grow to twice that when brought to UTF-8.
const maxPayload = 6000

// provinceHosts are the domains that provincial registries printed in codes
// between 2014 and 2018, with their subdomains.
var provinceHosts = []string{
	"gsxt.gov.cn", "sgs.gov.cn", "jsgsj.gov.cn", "gdgs.gov.cn", "szcredit.com.cn", "haaic.gov.cn",
	"218.22.14.66", "egs.gov.cn", "xiamencredit.gov.cn", "zjaic.gov.cn", "hebscztxyxx.gov.cn",
	"baic.gov.cn", "hnaic.gov.cn", "jxaic.gov.cn", "ynaic.gov.cn",
}

var (
	// usccForm is the form alone; whether the check digit fits is the caller's to say.
	usccForm = regexp.MustCompile(`^[0-9A-HJ-NPQRTUWXY]{18}$`)

	tokenPath = regexp.MustCompile(`^/\{.+-\d{13}\}$`)

	// textValue is a label of a license and its value up to a separator; no value holds a space.
	textValue = regexp.MustCompile(`(统一社会信用代码|注册号|名称|法定代表人|负责人|经营者)[ \t]*[:：]?[ \t]*([^|｜;；,，\s]+)`)
)

// textFields are the fields of the labels of textValue.
var textFields = map[string]report.FieldName{
	"统一社会信用代码": report.FieldUSCC,
	"注册号":      report.FieldRegistrationNumber,
	"名称":       report.FieldCompanyName,
	"法定代表人":    report.FieldLegalRepresentative,
	"负责人":      report.FieldLegalRepresentative,
	"经营者":      report.FieldLegalRepresentative,
}

// Parse tells the form of a payload and the code it carries. The payload is
// kept without control characters other than line ends and cut to a bounded
// length. Nothing is fetched.
func Parse(payload string) report.QR {
	payload = clean(payload)
	q := report.QR{Payload: payload, Kind: KindUnparsed}
	if u, ok := page(payload); ok {
		q.Kind, q.USCC = pageKind(u)
		return q
	}
	if said := values(payload); said[report.FieldUSCC] != "" || said[report.FieldRegistrationNumber] != "" {
		q.Kind, q.USCC, q.Fields = KindText, said[report.FieldUSCC], said
		delete(said, report.FieldUSCC)
	}
	return q
}

// values are the fields that a payload in words carries: code, registration
// number, name, legal representative, as written. Anyone can print such words: they are
// a further reading and prove nothing.
func values(payload string) map[report.FieldName]string {
	said := map[report.FieldName]string{}
	for _, m := range textValue.FindAllStringSubmatch(clean(payload), -1) {
		field, value := textFields[m[1]], strings.TrimSpace(m[2])
		if field == report.FieldUSCC {
			value = strings.ToUpper(value)
			if !usccForm.MatchString(value) {
				continue
			}
		}
		if value != "" && said[field] == "" {
			said[field] = value
		}
	}
	return said
}

// clean cuts the payload to its bound and drops what could mislead a reader or
// a terminal: control and format characters, broken encoding.
func clean(payload string) string {
	if len(payload) > maxPayload {
		payload = payload[:maxPayload]
	}
	payload = strings.ReplaceAll(strings.ToValidUTF8(payload, ""), "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r':
			return '\n'
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, payload))
}

// page is the payload as the address of a page, if it is a plain one: http
// or https, no user, an ASCII host.
func page(payload string) (*url.URL, bool) {
	u, err := url.Parse(payload)
	if err != nil || u.User != nil || u.Host == "" || u.Opaque != "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, false
	}
	for _, r := range u.Host {
		if r >= utf8.RuneSelf {
			return nil, false
		}
	}
	return u, true
}

func pageKind(u *url.URL) (kind, uscc string) {
	host := strings.ToLower(u.Hostname())
	if !slices.ContainsFunc(provinceHosts, func(domain string) bool { return within(host, domain) }) {
		return KindUnparsed, ""
	}
	for key, values := range u.Query() {
		switch strings.ToLower(key) {
		case "uniscid", "cid":
			if code := strings.ToUpper(strings.TrimSpace(values[0])); usccForm.MatchString(code) {
				uscc = code
			}
		}
	}
	switch national := host == "gsxt.gov.cn" || host == "www.gsxt.gov.cn"; {
	case within(host, "gsxt.gov.cn") && tokenPath.MatchString(u.Path):
		return KindToken, uscc
	case national && uscc != "":
		return KindUniscid, uscc
	case national:
		return KindUnparsed, ""
	}
	return KindProvince, uscc
}

func within(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain)
}
