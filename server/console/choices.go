package console

import (
	"slices"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
)

// reasonGroup are reasons to choose from.
type reasonGroup struct {
	Category report.Category // empty: those that the machine gave
	Reasons  []reasonChoice
	Open     bool // one of them is chosen
}

type reasonChoice struct {
	Code   string
	Key    int // that toggles it; 0: none
	Chosen bool
	Advice report.Text // what the applicant is told
}

// choices are the reasons of the catalogue that a person may give: what the machine
// found first, with keys.
func choices(machine []report.Reason, chosen []string) []reasonGroup {
	found := reasonGroup{Open: true}
	for _, r := range machine {
		if r.Severity == report.SeverityInfo || r.Category == report.CategorySystem || contains(found.Reasons, r.Code) {
			continue
		}
		found.Reasons = append(found.Reasons, reasonChoice{Code: r.Code, Chosen: slices.Contains(chosen, r.Code), Advice: verdict.AdviceOf(r)})
	}
	for i := range found.Reasons {
		if i < 9 {
			found.Reasons[i].Key = i + 1
		}
	}
	groups := []reasonGroup{found}
	for _, category := range []report.Category{report.CategoryImage, report.CategoryDocument, report.CategoryInput, report.CategoryOrganization} {
		g := reasonGroup{Category: category}
		for _, e := range verdict.Catalog() {
			if e.Category == category && !contains(found.Reasons, e.Code) {
				one := reasonChoice{Code: e.Code, Chosen: slices.Contains(chosen, e.Code), Advice: verdict.Advice(e.Code, fieldOf(e.Code))}
				g.Open = g.Open || one.Chosen
				g.Reasons = append(g.Reasons, one)
			}
		}
		groups = append(groups, g)
	}
	return groups
}

func contains(reasons []reasonChoice, code string) bool {
	return slices.ContainsFunc(reasons, func(r reasonChoice) bool { return r.Code == code })
}

// fieldOf is the field that a reason is about where nothing else tells it.
func fieldOf(code string) report.FieldName {
	for prefix, field := range map[string]report.FieldName{"uscc_": report.FieldUSCC, "name_": report.FieldCompanyName, "legal_rep_": report.FieldLegalRepresentative,
		"id_number_": report.FieldIDNumber, "contact_email_": report.FieldEmail, "contact_phone_": report.FieldPhone, "entity_type_": report.FieldEntityType} {
		if strings.HasPrefix(code, prefix) {
			return field
		}
	}
	return ""
}
