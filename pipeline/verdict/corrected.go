package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/report"
)

// Correctable are the fields that a person may read in the machine's place: those
// that checks look at.
var Correctable = []report.FieldName{
	report.FieldUSCC, report.FieldRegistrationNumber, report.FieldCompanyName, report.FieldType,
	report.FieldLegalRepresentative, report.FieldEstablished, report.FieldTerm, report.FieldIssued,
}

// maxCorrection is the longest value of a correction, characters: twice the
// longest company name that was seen.
const maxCorrection = 128

// CorrectionError says which field of a correction breaks which rule. It does not
// repeat the value.
type CorrectionError struct {
	Field report.FieldName
	Rule  report.Text
}

func (e *CorrectionError) Error() string {
	return fmt.Sprintf("correction of %s: %s", e.Field, e.Rule.EN)
}

// Retryable is false: the person must type something else.
func (e *CorrectionError) Retryable() bool { return false }

// Corrected is the evidence with what a person read in the place of what the
// machine read, believed as two agreeing readings are. A code that breaks its own
// rules is taken for printed so. *CorrectionError.
func (e Evidence) Corrected(values map[report.FieldName]string) (Evidence, error) {
	e.Fields, e.Unreadable = maps.Clone(e.Fields), maps.Clone(e.Unreadable)
	if e.Fields == nil {
		e.Fields = map[report.FieldName]report.Field{}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value, err := correction(name, values[name])
		if err != nil {
			return Evidence{}, err
		}
		f := e.Fields[name]
		if f.Polygon == nil {
			f.Polygon = e.Unreadable[name]
		}
		f.Value, f.Confidence, f.Readings, f.Source, f.Candidates = value, 1, 2, report.SourcePerson, nil
		switch name {
		case report.FieldUSCC:
			if f.Polygon == nil {
				f.Polygon = e.Code.Polygon
			}
			e.Code.State, e.Code.Candidates = report.CodeRead, nil
			if codes.CheckUSCC(value).Verdict == codes.VerdictInvalid {
				e.Code.State = report.CodeInvalid
			}
		case report.FieldCompanyName:
			if f.Polygon == nil {
				f.Polygon = e.NameMasked
			}
			e.NameMasked = nil
		}
		e.Fields[name] = f
		delete(e.Unreadable, name)
	}
	return e, nil
}

// correction is a value in its field's own form.
func correction(name report.FieldName, typed string) (string, error) {
	refuse := func(zh, en string) (string, error) {
		return "", &CorrectionError{name, report.Text{ZH: zh, EN: en}}
	}
	value := strings.Join(strings.Fields(typed), " ")
	switch {
	case !slices.Contains(Correctable, name):
		return refuse("该字段不能更正", "this field cannot be corrected")
	case value == "":
		return refuse("不能为空", "it is empty")
	case !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }):
		return refuse("含有无法显示的字符", "it has characters that cannot be shown")
	case utf8.RuneCountInString(value) > maxCorrection:
		return refuse(fmt.Sprintf("不能超过%d个字", maxCorrection), fmt.Sprintf("at most %d characters are accepted", maxCorrection))
	}
	switch name {
	case report.FieldUSCC:
		if value = codes.Normalize(value); len(value) != 18 {
			return refuse("统一社会信用代码应为18位", "a unified social credit code has 18 characters")
		}
	case report.FieldRegistrationNumber:
		if value = codes.Normalize(value); len(value) != 15 && len(value) != 13 {
			return refuse("注册号应为15位", "a registration number has 15 digits")
		}
	case report.FieldEstablished, report.FieldIssued:
		date, ok := license.ParseDate(value)
		if !ok {
			return refuse("请填写日期，例如 2020-01-31", "write a date, as in 2020-01-31")
		}
		value = date
	case report.FieldTerm:
		// The form that reports give is taken as well as the printed one.
		term, ok := license.ParseTerm(strings.NewReplacer("/", "至", license.LongTerm, "长期").Replace(value))
		if !ok {
			return refuse("请按执照填写期限，例如 2020年01月31日至2040年01月30日，或 长期", "write the term as printed: 2020年01月31日至2040年01月30日, or 长期")
		}
		value = term
	}
	return value, nil
}

// barriers are the checks whose blocking and doubtful findings no person may
// overrule: who is certified must be known, and be who was declared.
var barriers = []string{checkUSCCReadable, checkUSCCChecksum, checkNameReadable, "uscc_match", "name_match"}

// Barriers are the reasons why not even a person may approve: the code or the name
// is not known, breaks its rules or is not the declared one. Whatever else was
// found, also that the machine failed, is for the person to judge.
func Barriers(e Evidence, p Policy, now time.Time) []report.Reason {
	e.File, e.System, e.NotRun, e.DocumentRead = nil, "", nil, true
	e.Document.Kind = report.KindBusinessLicense
	if e.Code.State == "" || e.Code.State == report.CodeNotRun {
		e.Code.State = report.CodeAbsent
	}
	_, reasons, _ := weigh(slices.DeleteFunc(Check(e, p, now), func(f Finding) bool { return !slices.Contains(barriers, f.Check) }), p)
	return slices.DeleteFunc(reasons, func(r report.Reason) bool {
		return r.Severity == report.SeverityInfo || r.Code == "name_variant" || r.Code == "document_legacy"
	})
}
