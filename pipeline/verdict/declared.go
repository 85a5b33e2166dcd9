package verdict

import (
	"regexp"
	"strings"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/report"
)

func (x *examination) declaredFields() []Finding {
	var failures []Finding
	for _, field := range x.policy.Declared {
		if value, _ := declaredValue(x.Declared, field); strings.TrimSpace(value) != "" {
			continue
		}
		code := "declared_field_missing"
		if field == report.FieldIDNumber {
			code = "id_number_missing"
		}
		failures = append(failures, fail(code, report.Evidence{}).about(field))
	}
	return orPass(failures, "")
}

// declaredCodes checks the declared numbers of the organization by themselves.
func (x *examination) declaredCodes() []Finding {
	var failures []Finding
	declared := false
	for _, n := range []struct {
		field report.FieldName
		value string
		check func(string) codes.Result
	}{
		{report.FieldUSCC, x.Declared.USCC, codes.CheckUSCC},
		{report.FieldRegistrationNumber, x.Declared.RegistrationNumber, codes.CheckRegistrationNumber},
		{report.FieldOrganizationCode, x.Declared.OrganizationCode, codes.CheckOrganizationCode},
	} {
		if n.value == "" {
			continue
		}
		declared = true
		switch r := n.check(n.value); r.Verdict {
		case codes.VerdictValid, codes.VerdictLegacy13, codes.VerdictPilotException:
		default:
			failures = append(failures, fail("uscc_checksum_invalid", report.Evidence{Detail: string(r.Rule)}).in("declared").about(n.field))
		}
	}
	if !declared {
		return notApplicable(nothingDeclared)
	}
	return orPass(failures, "")
}

// codesMatch compares every declared number of the organization with the
// license.
func (x *examination) codesMatch() []Finding {
	var failures []Finding
	compared, declared := false, false
	for _, n := range []struct {
		field          report.FieldName
		typed, printed string
	}{
		{report.FieldUSCC, x.Declared.USCC, x.Fields[report.FieldUSCC].Value},
		{report.FieldRegistrationNumber, x.Declared.RegistrationNumber, x.Fields[report.FieldRegistrationNumber].Value},
		{report.FieldOrganizationCode, x.Declared.OrganizationCode, x.uscc.OrganizationCode},
	} {
		typed, printed := codes.Normalize(n.typed), codes.Normalize(n.printed)
		declared = declared || typed != ""
		if typed == "" || printed == "" || !x.codeCertain(n.field) {
			continue
		}
		compared = true
		if typed != printed {
			failures = append(failures, fail("uscc_mismatch", report.Evidence{
				Detail: "declared", Expected: quotedCode(typed, x.today), Found: quotedCode(printed, x.today), Polygon: x.Fields[n.field].Polygon,
			}).about(n.field))
		}
	}
	switch {
	case !declared:
		return notApplicable(nothingDeclared)
	case compared:
		return orPass(failures, "")
	case x.code.certainty != certain:
		return notRun("the number on the license " + notCertain)
	}
	return notApplicable("the license does not print the number that was declared")
}

// codeCertain says whether a printed number can be held against a declared one.
func (x *examination) codeCertain(field report.FieldName) bool {
	if field == report.FieldRegistrationNumber && !x.legacy {
		f := x.Fields[field]
		return f.Confidence >= x.policy.Limits.CodeConfidence && codes.CheckRegistrationNumber(f.Value).Verdict != codes.VerdictInvalid
	}
	return x.code.certainty == certain
}

func (x *examination) nameMatch() []Finding {
	declared, read := x.Declared.Name, x.Fields[report.FieldCompanyName]
	switch {
	case declared == "":
		return notApplicable(nothingDeclared)
	case x.name.certainty == unneeded:
		return []Finding{fail("name_variant", report.Evidence{Detail: "unnamed", Expected: quoted(declared)}).about(report.FieldCompanyName)}
	case x.name.certainty == missing, x.name.of == "doubtful":
		return notRun("the name " + notCertain)
	}
	e := report.Evidence{Detail: string(x.nameDiff.Class), Expected: quoted(declared), Found: quoted(read.Value), Polygon: read.Polygon}
	failure := fail("name_mismatch", e)
	switch x.nameDiff.Class {
	case license.NameIdentical:
		return pass("")
	case license.NameBracketWidth, license.NameSpacing:
		failure.Code = "name_variant"
	case license.NameVariantCharacter, license.NameOrganizationForm:
		failure.Code, failure.Case = "name_variant", string(x.nameDiff.Class)
	}
	return []Finding{failure.about(report.FieldCompanyName)}
}

// partners splits the persons of one field: several legal representatives, and
// the delegate of a managing partner.
var partners = regexp.MustCompile(`[、，,；;()（）:：]|委派代表`)

func (x *examination) legalRepMatch() []Finding {
	declared, read := x.Declared.LegalRepresentative, x.Fields[report.FieldLegalRepresentative]
	switch {
	case declared == "":
		return notApplicable(nothingDeclared)
	case read.Value == "":
		return notRun("the legal representative was not read")
	}
	difference := license.CompareNames(declared, read.Value)
	for _, person := range append(partners.Split(read.Value, -1), read.Value) {
		switch d := license.CompareNames(declared, person); d.Class {
		case license.NameIdentical, license.NameBracketWidth, license.NameSpacing, license.NameVariantCharacter:
			return pass(string(d.Class))
		}
	}
	f := fail("legal_rep_mismatch", report.Evidence{
		Detail: string(difference.Class), Expected: quoted(declared), Found: quoted(read.Value), Polygon: read.Polygon,
	}).about(report.FieldLegalRepresentative)
	if x.readingOf(report.FieldLegalRepresentative, x.policy.Limits.FieldConfidence, "").certainty != certain {
		f.Case = "doubtful"
	}
	return []Finding{f}
}

// entityKinds are the kinds of organizations that may be declared, with the
// category in the USCC (GB 32100-2015, table 1) and the words of the printed
// type that show one.
var entityKinds = []struct {
	names    []string
	category string
	types    []string // any of them; empty: the category alone tells
}{
	{[]string{"enterprise", "企业"}, "1", nil},
	{[]string{"company", "公司"}, "1", []string{"公司"}},
	{[]string{"branch", "分支机构", "分公司"}, "1", []string{"分公司", "分支机构", "营业单位"}},
	{[]string{"partnership", "合伙企业"}, "1", []string{"合伙"}},
	{[]string{"sole_proprietorship", "个人独资企业"}, "1", []string{"个人独资"}},
	{[]string{"individual_business", "个体工商户"}, "2", nil},
	{[]string{"cooperative", "农民专业合作社"}, "3", nil},
}

func (x *examination) entityTypeMatch() []Finding {
	declared := strings.ToLower(strings.TrimSpace(x.Declared.EntityType))
	typ := x.Fields[report.FieldType]
	category, known := "", x.code.certainty == certain && x.uscc.Verdict == codes.VerdictValid
	if known {
		category = x.uscc.Category
	}
	switch {
	case declared == "":
		return notApplicable(nothingDeclared)
	case !known && typ.Value == "":
		return notRun("neither the code nor the type was read")
	}
	found := typ.Value
	if found == "" {
		found = x.uscc.CategoryName
	}
	mismatch := []Finding{fail("entity_type_mismatch", report.Evidence{Detail: "declared", Found: quoted(found), Polygon: typ.Polygon}).about(report.FieldEntityType)}
	for _, kind := range entityKinds {
		for _, name := range kind.names {
			if declared != name {
				continue
			}
			if known && category != kind.category {
				return mismatch
			}
			if typ.Value == "" || len(kind.types) == 0 {
				return pass("")
			}
			for _, word := range kind.types {
				if strings.Contains(typ.Value, word) {
					return pass("")
				}
			}
			return mismatch
		}
	}
	if word := unbracketed(declared); word != "" && strings.Contains(unbracketed(typ.Value), word) {
		return pass("")
	}
	return mismatch
}

var bracketsAndSpaces = strings.NewReplacer("（", "", "）", "", "(", "", ")", "", " ", "", "、", "", "，", "", ",", "")

func unbracketed(s string) string { return bracketsAndSpaces.Replace(s) }

func (x *examination) idNumber() []Finding {
	if x.Declared.IDNumber == "" {
		return notApplicable(nothingDeclared)
	}
	r := codes.CheckID(x.Declared.IDNumber, codes.IDKind(x.Declared.IDKind), x.today)
	code := "id_number_format_invalid"
	switch {
	case r.Verdict == codes.VerdictValid, r.Verdict == codes.VerdictFormatValid:
		return pass(string(r.Kind))
	case r.Rule == codes.RuleCheckDigit:
		code = "id_number_checksum_invalid"
	}
	f := fail(code, report.Evidence{Detail: string(r.Rule)}).about(report.FieldIDNumber)
	f.Message = report.Text(r.Message) // names the rule and holds no part of the number
	return []Finding{f}
}

var (
	// localPart and domain are the forms in use, narrower than RFC 5322: no
	// quotes, comments or addresses in brackets. Letters of any script may
	// occur (RFC 6531).
	localPart = regexp.MustCompile(`^[\p{L}\p{N}!#$%&'*+/=?^_{|}~` + "`" + `-]+(\.[\p{L}\p{N}!#$%&'*+/=?^_{|}~` + "`" + `-]+)*$`)
	domain    = regexp.MustCompile(`^([\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+[\p{L}][\p{L}\p{N}-]{0,61}[\p{L}\p{N}]$`)

	mobile   = regexp.MustCompile(`^1[3-9][0-9]{9}$`)
	landline = regexp.MustCompile(`^(0[1-9][0-9]{1,2}[2-9][0-9]{6,7}|[48]00[0-9]{7})$`) // area code and number, or a service number
)

const (
	maxEmail     = 254 // octets, RFC 5321
	maxLocalPart = 64
)

// emailRule names the rule that an address breaks, "" for none.
func emailRule(address string) string {
	address = strings.TrimSpace(address)
	local, host, ok := strings.Cut(address, "@")
	switch {
	case !ok || strings.Contains(host, "@"):
		return "no_at"
	case len(address) > maxEmail || len(local) > maxLocalPart || !localPart.MatchString(local):
		return "local_part"
	case !domain.MatchString(host):
		return "domain"
	}
	return ""
}

var phoneSeparators = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", "（", "", "）", "", "－", "")

// phoneRule names the rule that a phone number of mainland China breaks, ""
// for none. A country code and separators are allowed; an extension is not.
func phoneRule(number string) string {
	n, mainland := plainPhone(number)
	switch {
	case !mainland:
		return "country"
	case n == "" || strings.Trim(n, "0123456789") != "":
		return "not_digits"
	case mobile.MatchString(n), landline.MatchString(n):
		return ""
	case n[0] == '1':
		return "mobile"
	case n[0] == '0':
		return "landline"
	}
	return "phone_length"
}

// plainPhone is a number without country code and separators; false with the code
// of another country.
func plainPhone(number string) (plain string, mainland bool) {
	n := phoneSeparators.Replace(strings.TrimSpace(number))
	if rest, ok := strings.CutPrefix(n, "+"); ok {
		return strings.CutPrefix(rest, "86")
	}
	if len(n) > 11 {
		n = strings.TrimPrefix(strings.TrimPrefix(n, "00"), "86")
	}
	return n, true
}

func (x *examination) email() []Finding {
	return contact(x.Declared.Email, "contact_email_invalid", report.FieldEmail, emailRule)
}

func (x *examination) phone() []Finding {
	return contact(x.Declared.Phone, "contact_phone_invalid", report.FieldPhone, phoneRule)
}

func contact(value, code string, field report.FieldName, rule func(string) string) []Finding {
	if value == "" {
		return notApplicable(nothingDeclared)
	}
	if broken := rule(value); broken != "" {
		return []Finding{fail(code, report.Evidence{Detail: broken}).about(field)}
	}
	return pass("")
}
