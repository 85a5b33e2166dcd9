package verdict

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/report"
)

// Others is what is known of the other organizations of a tenant that a submission
// has something in common with. They are told by their ids, which reviewers see and
// applicants do not: no message names them.
type Others struct {
	Names        []NameLike
	License      []string // certified with the same license
	Email, Phone []string // certified, with the same contact
	Photo        []PhotoLike
}

// NameLike is an organization that is certified with a name like the one on the
// picture.
type NameLike struct {
	Organization string
	Likeness     license.Likeness
}

// PhotoLike is a verification of another organization with the same photo, or with
// one that one of both was edited from.
type PhotoLike struct {
	Verification string
	Likeness     string // lower_snake: same_file, same_pixels, same_shot, edited_copy
}

// maxNamed is how many others a check names: a reviewer needs one to look at.
const maxNamed = 5

// Findings are those of the checks against other organizations, of evidence that
// names one.
func (o Others) Findings(e Evidence) []Finding {
	var names, licenses, photos, contacts []Finding
	for _, n := range o.Names {
		code := "name_confusable"
		if n.Likeness == license.LikenessSame {
			code = "name_taken"
		}
		names = append(names, fail(code, report.Evidence{Detail: string(n.Likeness), Found: n.Organization}).about(report.FieldCompanyName))
	}
	slices.SortStableFunc(names, func(a, b Finding) int { return cmp.Compare(b.Code, a.Code) }) // name_taken first
	for _, holder := range o.License {
		licenses = append(licenses, fail("license_in_use", report.Evidence{Found: holder}).about(report.FieldUSCC))
	}
	for _, p := range o.Photo {
		photos = append(photos, fail("photo_reused", report.Evidence{Detail: p.Likeness, Found: p.Verification}))
	}
	for _, holder := range o.Email {
		contacts = append(contacts, fail("contact_reused", report.Evidence{Found: holder}).about(report.FieldEmail))
	}
	for _, holder := range o.Phone {
		contacts = append(contacts, fail("contact_reused", report.Evidence{Found: holder}).about(report.FieldPhone))
	}
	email, phone := Contacts(e.Declared)
	var all []Finding
	for _, c := range []struct {
		check   string
		found   []Finding
		has     bool // what the check looks at
		without string
	}{
		{checkNameLock, names, e.Fields[report.FieldCompanyName].Value != "", "the name was not read"},
		{checkLicenseUse, licenses, LicenseCode(e.Fields) != "", "the code was not read"},
		{checkPhotoUse, photos, e.Picture.SHA256 != "", notOpened},
		{checkContactUse, contacts, email+phone != "", nothingDeclared},
	} {
		found := c.found[:min(len(c.found), maxNamed)]
		switch {
		case len(found) > 0:
		case !c.has:
			found = notApplicable(c.without)
		default:
			found = pass("")
		}
		all = append(all, named(c.check, found)...)
	}
	return all
}

// named puts findings under a check.
func named(check string, findings []Finding) []Finding {
	for i := range findings {
		findings[i].Check = check
	}
	return findings
}

// Unchanged, Changed and NotCompared are the finding of [CheckChange]: everything is
// as it was certified before, or it is not, or there is nothing to compare with.
func Unchanged() []Finding { return named(CheckChange, pass("")) }

// Changed is explained at [Unchanged].
func Changed() []Finding {
	return named(CheckChange, []Finding{fail("certification_changed", report.Evidence{})})
}

// NotCompared is explained at [Unchanged].
func NotCompared() []Finding { return named(CheckChange, notApplicable("not a re-verification")) }

// NotServed is the finding that organizations of the declared kind have no license.
func NotServed() []Finding {
	return named(checkUSCCCategory, []Finding{fail("uscc_category_not_supported", report.Evidence{}).in("entity_type").about(report.FieldEntityType)})
}

// Contacts are the declared email and phone in the form in which equal ones are
// equal; empty where none was declared or it is not valid.
func Contacts(d report.Declared) (email, phone string) {
	if d.Email != "" && emailRule(d.Email) == "" {
		email = strings.ToLower(strings.TrimSpace(d.Email))
	}
	if d.Phone != "" && phoneRule(d.Phone) == "" {
		phone, _ = plainPhone(d.Phone)
	}
	return email, phone
}

// LicenseCode is what tells a license from all others: its code or, of one from
// before there were codes, its registration number. Empty: neither was read.
func LicenseCode(fields map[report.FieldName]report.Field) string {
	return codes.Normalize(cmp.Or(fields[report.FieldUSCC].Value, fields[report.FieldRegistrationNumber].Value))
}

// Again decides a report again under a policy, with what it says of other
// organizations and of the last certification. False of a report that does not hold
// its basis.
func Again(r report.Report, declared report.Declared, p Policy, now time.Time) (outcome report.Outcome, reasons []report.Reason, checks []report.Check, ok bool) {
	e, ok := EvidenceOf(r, declared)
	if !ok {
		return "", nil, nil, false
	}
	outcome, reasons, checks = Decide(append(Check(e, p, now), Kept(r)...), p)
	return outcome, reasons, checks, true
}

// Kept are the findings of a report that cannot be made again from its evidence:
// those about other organizations and the last certification.
func Kept(r report.Report) []Finding {
	var all []Finding
	for _, made := range r.Checks {
		i := slices.IndexFunc(checks, func(c check) bool { return c.name == made.Name && c.stage == stageOrganization })
		if i < 0 || made.Status == report.CheckNotRun {
			continue
		}
		found := []Finding{{Status: made.Status, Note: made.Note}}
		if made.Status == report.CheckFailed {
			found = nil
			for _, reason := range r.Reasons {
				if slices.Contains(checks[i].codes, reason.Code) {
					found = append(found, fail(reason.Code, reason.Evidence).about(reason.Field))
				}
			}
		}
		all = append(all, named(made.Name, found)...)
	}
	return all
}
