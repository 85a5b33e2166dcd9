package verdict

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/report"
)

// stage says what a check needs to have before it can be made.
type stage int

const (
	stageProcessing   stage = iota // nothing
	stageDeclared                  // what the applicant typed
	stagePicture                   // a picture that was opened and looked at
	stageLicense                   // a business license on it
	stageOrganization              // what is known of other organizations and of last time; not in this package
)

type check struct {
	name  string
	stage stage
	codes []string // the reasons it may give
	run   func(*examination) []Finding
}

const (
	checkFile         = "file"
	checkProcessing   = "processing"
	checkDocumentKind = "document_kind"
	checkUSCCReadable = "uscc_readable"
	checkUSCCChecksum = "uscc_checksum"
	checkNameReadable = "name_readable"
	checkUSCCCategory = "uscc_category"
	checkNameLock     = "name_lock"
	checkLicenseUse   = "license_use"
	checkPhotoUse     = "photo_use"
	checkContactUse   = "contact_use"
	// CheckChange is made in re-verifications alone.
	CheckChange     = "certification_change"
	noOrganization  = "no organization was named"
	noLicense       = "the picture shows no business license"
	notOpened       = "the file was not opened"
	notMeasured     = "not measured"
	nothingDeclared = "nothing was declared"
	notCertain      = "was not read with certainty"
)

// essential are the checks without which there is nothing to review either.
var essential = map[string]bool{checkProcessing: true, checkDocumentKind: true, checkUSCCReadable: true, checkUSCCChecksum: true, checkNameReadable: true}

// decisive are the checks that may find what no policy lets pass. Of the file
// intake has made sure before anything was read.
var decisive = func() map[string]bool {
	m := map[string]bool{}
	for _, c := range checks {
		for _, key := range stopping {
			code, _, _ := strings.Cut(key, "/")
			m[c.name] = m[c.name] || c.name != checkFile && slices.Contains(c.codes, code)
		}
	}
	return m
}()

// checks are all checks in the order of reports. Causes stand before their
// consequences: the picture before what could not be read from it.
var checks = []check{
	{checkProcessing, stageProcessing, []string{codeEngineFailed, "system_storage_unavailable", "system_timeout"}, (*examination).processing},
	{checkFile, stageDeclared, []string{"file_type_not_supported", "file_too_large", "file_unreadable"}, (*examination).file},

	{"image_blur", stagePicture, []string{"image_blurry"}, (*examination).blur},
	{"image_resolution", stagePicture, []string{"image_resolution_too_low"}, (*examination).resolution},
	{"image_contrast", stagePicture, []string{"image_low_contrast"}, (*examination).contrast},
	{"image_darkness", stagePicture, []string{"image_too_dark"}, (*examination).darkness},
	{"image_exposure", stagePicture, []string{"image_overexposed"}, (*examination).exposure},
	{"image_glare", stagePicture, []string{"image_glare"}, (*examination).glare},
	{"image_bounds", stagePicture, []string{"image_cut_off"}, (*examination).bounds},
	{"image_cover", stagePicture, []string{"image_covered"}, (*examination).cover},

	{checkDocumentKind, stagePicture, []string{"document_not_a_license", "document_other_certificate"}, (*examination).documentKind},
	{"document_single", stageLicense, []string{"document_multiple"}, (*examination).single},
	{"document_specimen", stageLicense, []string{"document_specimen"}, (*examination).specimen},
	{"document_masking", stageLicense, []string{"document_masked"}, (*examination).masking},
	{"document_color", stageLicense, []string{"image_grayscale_copy", "document_copy_without_seal"}, (*examination).color},
	{"image_screen", stagePicture, []string{"image_screen_recapture"}, (*examination).screen},
	{"image_screenshot", stageLicense, []string{"image_screenshot"}, (*examination).screenshot},
	{"image_editing", stageLicense, []string{"image_edited"}, (*examination).editing},

	{checkUSCCReadable, stageLicense, []string{"uscc_unreadable"}, (*examination).usccReadable},
	{checkUSCCChecksum, stageLicense, []string{"uscc_checksum_invalid", "uscc_pilot_code"}, (*examination).usccChecksum},
	{checkUSCCCategory, stageLicense, []string{"uscc_category_not_supported"}, (*examination).usccCategory},
	{"uscc_qr", stageLicense, []string{"uscc_qr_mismatch"}, (*examination).usccQR},
	{"document_edition", stageLicense, []string{"document_legacy"}, (*examination).edition},
	{checkNameReadable, stageLicense, []string{"name_unreadable"}, (*examination).nameReadable},
	{"document_fields", stageLicense, []string{"document_field_missing"}, (*examination).printedFields},
	{"document_term", stageLicense, []string{"document_expired", "document_expiring"}, (*examination).term},
	{"document_consistency", stageLicense, []string{"document_inconsistent"}, (*examination).consistency},

	{"declared_fields", stageDeclared, []string{"declared_field_missing", "id_number_missing"}, (*examination).declaredFields},
	{"declared_codes", stageDeclared, []string{"uscc_checksum_invalid"}, (*examination).declaredCodes},
	{"uscc_match", stageLicense, []string{"uscc_mismatch"}, (*examination).codesMatch},
	{"name_match", stageLicense, []string{"name_mismatch", "name_variant"}, (*examination).nameMatch},
	{"legal_rep_match", stageLicense, []string{"legal_rep_mismatch"}, (*examination).legalRepMatch},
	{"entity_type_match", stageLicense, []string{"entity_type_mismatch"}, (*examination).entityTypeMatch},
	{"id_number", stageDeclared, []string{"id_number_format_invalid", "id_number_checksum_invalid"}, (*examination).idNumber},
	{"contact_email", stageDeclared, []string{"contact_email_invalid"}, (*examination).email},
	{"contact_phone", stageDeclared, []string{"contact_phone_invalid"}, (*examination).phone},

	{checkNameLock, stageOrganization, []string{"name_taken", "name_confusable"}, nil},
	{checkLicenseUse, stageOrganization, []string{"license_in_use"}, nil},
	{checkPhotoUse, stageOrganization, []string{"photo_reused"}, nil},
	{checkContactUse, stageOrganization, []string{"contact_reused"}, nil},
	{CheckChange, stageOrganization, []string{"certification_changed"}, nil},
}

var reasonsOf = func() map[string][]string {
	m := make(map[string][]string, len(checks))
	for _, c := range checks {
		m[c.name] = c.codes
	}
	return m
}()

// CheckNames lists every check in the order of reports.
func CheckNames() []string {
	names := make([]string, len(checks))
	for i, c := range checks {
		names[i] = c.name
	}
	return names
}

// Check applies every rule to the evidence. Each check gives at least one
// finding; a finding says why it is not applicable or was not run. The checks
// against other organizations (name_lock, license_use, photo_use, contact_use)
// and against the last certification are listed as not run where an organization
// is named: whoever can make them appends the findings of [Others] before [Decide]. now tells today's date in China and nothing else.
func Check(e Evidence, p Policy, now time.Time) []Finding {
	x := examine(e, p, now)
	var all []Finding
	for _, c := range checks {
		findings := x.apply(c)
		for i := range findings {
			f := &findings[i]
			f.Check = c.name
			if f.Status == report.CheckFailed && f.Score == nil {
				f.Score, f.Limit = f.Evidence.Value, f.Evidence.Limit
			}
		}
		all = append(all, findings...)
	}
	for _, name := range slices.Sorted(maps.Keys(e.NotRun)) {
		if _, known := reasonsOf[name]; !known {
			all = append(all, Finding{Check: name, Status: report.CheckNotRun, Note: e.NotRun[name]})
		}
	}
	return all
}

func (x *examination) apply(c check) []Finding {
	why, skip := x.NotRun[c.name]
	switch {
	case c.stage == stageProcessing:
		return c.run(x)
	case x.System != "":
		return notRun("processing failed")
	case skip:
		return notRun(why)
	case c.stage == stageOrganization && x.Declared.OrganizationID == "":
		return notApplicable(noOrganization)
	case c.stage == stageOrganization:
		return notRun("needs the records of other organizations")
	case c.stage == stageDeclared:
		return c.run(x)
	case x.File != nil:
		return notRun(notOpened)
	case !x.DocumentRead:
		return notRun("the picture was not examined")
	case c.stage == stageLicense && x.Document.Kind != report.KindBusinessLicense:
		return notApplicable(noLicense)
	}
	return c.run(x)
}

func pass(note string) []Finding { return []Finding{{Status: report.CheckPassed, Note: note}} }

func notApplicable(note string) []Finding {
	return []Finding{{Status: report.CheckNotApplicable, Note: note}}
}

func notRun(note string) []Finding { return []Finding{{Status: report.CheckNotRun, Note: note}} }

func fail(code string, e report.Evidence) Finding {
	return Finding{Status: report.CheckFailed, Code: code, Evidence: e}
}

func (f Finding) in(of string) Finding                 { f.Case = of; return f }
func (f Finding) about(field report.FieldName) Finding { f.Field = field; return f }

// orPass gives the failures, or one finding that all is well.
func orPass(failures []Finding, note string) []Finding {
	if len(failures) == 0 {
		return pass(note)
	}
	return failures
}

// certainty is how far a needed field was read.
type certainty int

const (
	missing certainty = iota
	doubtful
	certain
	unneeded // the license need not have it
)

// reading is a field that the verdict needs, and what became of it.
type reading struct {
	field     report.FieldName
	certainty certainty
	of        string // the case of the reason for anything less than certain
	limit     float64
	polygon   report.Polygon
}

// examination is evidence with what follows from it, shared by the checks.
type examination struct {
	Evidence
	policy Policy
	today  time.Time // midnight UTC of the day that it is in China

	uscc      codes.Result // of the code that was read; zero without one
	legacy    bool         // the license has a registration number and no USCC
	household bool         // an individual business, which need not have a name
	code      reading      // of the USCC, or of the registration number of a legacy license
	name      reading
	others    []reading // further fields that the policy or the declared data need
	nameDiff  license.NameDifference
	defects   map[string]Finding // by code of the reason, of lines of text
	lines     map[string]defect  // by code of the reason, the worst measure of a line that matters
}

func examine(e Evidence, p Policy, now time.Time) *examination {
	day := now.In(report.Beijing)
	x := &examination{Evidence: e, policy: p, today: time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)}
	x.examineCode()
	x.household = x.isHousehold()
	x.examineName()
	for _, field := range slices.Concat(p.Printed, x.compared()) {
		if !slices.ContainsFunc(x.others, func(r reading) bool { return r.field == field }) {
			x.others = append(x.others, x.readingOf(field, p.Limits.FieldConfidence, ""))
		}
	}
	x.examineLines()
	return x
}

// compared are the fields that declared values are compared with, besides the
// codes and the name.
func (x *examination) compared() []report.FieldName {
	if x.Declared.LegalRepresentative != "" {
		return []report.FieldName{report.FieldLegalRepresentative}
	}
	return nil
}

// readingOf grades a field; a declared value that is the same is as good as a
// second reading.
func (x *examination) readingOf(field report.FieldName, limit float64, declared string) reading {
	r := reading{field: field, limit: limit}
	f, ok := x.Fields[field]
	if !ok || f.Value == "" {
		r.of = "not_found"
		if polygon, found := x.Unreadable[field]; found {
			r.of, r.polygon = "unreadable", polygon
		}
		return r
	}
	r.polygon = f.Polygon
	if f.Readings >= 2 {
		r.limit = min(limit, x.policy.Limits.AgreedConfidence)
	}
	if f.Confidence >= r.limit || declared != "" && sameName(declared, f.Value) {
		r.certainty = certain
	} else {
		r.certainty, r.of = doubtful, "low_confidence"
	}
	return r
}

func sameName(declared, read string) bool {
	switch license.CompareNames(declared, read).Class {
	case license.NameIdentical, license.NameBracketWidth, license.NameSpacing:
		return true
	}
	return false
}

func (x *examination) examineCode() {
	limit := x.policy.Limits.CodeConfidence
	x.code = reading{field: report.FieldUSCC, limit: limit, of: string(x.Code.State), polygon: x.Code.Polygon}
	f := x.Fields[report.FieldUSCC]
	switch x.Code.State {
	case report.CodeRead, report.CodeInvalid:
		if f.Value == "" {
			x.code.of = string(report.CodeUnreadable)
			if x.Code.State == report.CodeInvalid { // the value was withheld, the state stands
				x.code.certainty = certain
			}
			return
		}
		x.uscc = codes.CheckUSCC(f.Value)
		if x.Code.State == report.CodeInvalid {
			x.code.certainty = certain
			return
		}
		f.Readings = max(f.Readings, x.Code.Readings)
		agreed := x.Declared.USCC != "" && codes.Normalize(x.Declared.USCC) == codes.Normalize(f.Value)
		if f.Readings >= 2 {
			x.code.limit = min(limit, x.policy.Limits.AgreedConfidence)
		}
		switch {
		case f.Source == report.SourceQR:
			x.code.certainty, x.code.of = doubtful, "qr_only"
		case f.Confidence >= x.code.limit || f.Source == report.SourceOCRQR || agreed:
			x.code.certainty = certain
		default:
			x.code.certainty, x.code.of = doubtful, "low_confidence"
		}
	case report.CodeAmbiguous:
		x.code.certainty = doubtful
	case report.CodeAbsent, report.CodeUnreadable:
		number, ok := x.Fields[report.FieldRegistrationNumber]
		if !ok || number.Value == "" || x.Code.State == report.CodeUnreadable && x.Document.Edition != report.EditionPre2014 {
			return
		}
		x.legacy = true
		x.code = x.readingOf(report.FieldRegistrationNumber, limit, "")
		same := codes.Normalize(x.Declared.RegistrationNumber) == codes.Normalize(number.Value)
		switch {
		case codes.CheckRegistrationNumber(number.Value).Verdict == codes.VerdictInvalid:
			x.code.certainty, x.code.of = doubtful, "check_digit"
		case same:
			x.code.certainty = certain
		}
	}
}

// isHousehold tells an individual business from its code, its type, or the
// class of its former registration number.
func (x *examination) isHousehold() bool {
	if x.uscc.Verdict == codes.VerdictValid {
		return x.uscc.Authority == "9" && x.uscc.Category == "2"
	}
	if x.legacy {
		number := codes.CheckRegistrationNumber(x.Fields[report.FieldRegistrationNumber].Value)
		if number.Verdict == codes.VerdictValid && number.Category >= "6" {
			return true
		}
	}
	return strings.Contains(x.Fields[report.FieldType].Value, "个体")
}

// householdName is what an individual business without a name goes by.
func (x *examination) householdName() string {
	if operator := x.Fields[report.FieldLegalRepresentative]; operator.Value != "" && operator.Confidence >= x.policy.Limits.FieldConfidence {
		return "个体户" + operator.Value
	}
	return ""
}

func (x *examination) examineName() {
	x.name = x.readingOf(report.FieldCompanyName, x.policy.Limits.NameConfidence, x.Declared.Name)
	declared, read := x.Declared.Name, x.Fields[report.FieldCompanyName].Value
	if x.name.certainty == missing && x.household && (declared == "" || sameName(declared, x.householdName())) {
		x.name.certainty = unneeded
		return
	}
	if declared == "" || read == "" {
		return
	}
	x.nameDiff = license.CompareNames(declared, read)
	if x.name.certainty == doubtful && mayBeMisread(x.nameDiff, read) {
		x.name.of = "doubtful"
	}
}

// mayBeMisread says whether a doubtful reading explains a difference: at least
// half of the characters are the same.
func mayBeMisread(d license.NameDifference, read string) bool {
	switch d.Class {
	case license.NameOCRConfusable:
		return true
	case license.NameDifferent:
		differing := 0
		for _, s := range d.Spans {
			differing += max(s.Declared[1]-s.Declared[0], s.Read[1]-s.Read[0])
		}
		return 2*differing <= len([]rune(read))
	}
	return false
}

// needed are all the fields that the verdict rests on.
func (x *examination) needed() []reading {
	return append([]reading{x.code, x.name}, x.others...)
}

// legible says that everything needed was read with certainty, so that a defect
// of the picture did no harm.
func (x *examination) legible() bool {
	return x.Document.Kind == report.KindBusinessLicense && !slices.ContainsFunc(x.needed(), func(r reading) bool { return r.certainty < certain })
}
