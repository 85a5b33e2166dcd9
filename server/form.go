package server

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/worker"
)

// DeclaredForm is what a submission says beside its picture. Its JSON names are
// those of the form's parts.
type DeclaredForm struct {
	OrganizationID      string    `json:"organization_id,omitempty" maxLength:"128" doc:"The caller's own key of the organization; no personal data"`
	Name                string    `json:"name,omitempty" maxLength:"512" doc:"Declared name of the organization"`
	USCC                string    `json:"uscc,omitempty" maxLength:"512" doc:"Declared unified social credit code"`
	RegistrationNumber  string    `json:"registration_number,omitempty" maxLength:"512" doc:"Declared 15-digit registration number"`
	OrganizationCode    string    `json:"organization_code,omitempty" maxLength:"512" doc:"Declared organization code, 11111111-1"`
	LegalRepresentative string    `json:"legal_representative,omitempty" maxLength:"512"`
	IDKind              string    `json:"id_kind,omitempty" maxLength:"512" doc:"Kind of id_number; told from the number when absent"`
	IDNumber            string    `json:"id_number,omitempty" maxLength:"512" doc:"Of the legal representative; sealed at rest"`
	EntityType          string    `json:"entity_type,omitempty" maxLength:"512"`
	Email               string    `json:"email,omitempty" maxLength:"512" doc:"Sealed at rest"`
	Phone               string    `json:"phone,omitempty" maxLength:"512" doc:"Sealed at rest"`
	Purpose             string    `json:"purpose,omitempty" enum:"initial,annual,reverification"`
	Policy              string    `json:"policy,omitempty" maxLength:"512" doc:"Name of a policy"`
	Priority            string    `json:"priority,omitempty" enum:"interactive,standard,batch" doc:"Who waits; standard when absent"`
	ClientReference     string    `json:"client_reference,omitempty" maxLength:"128" doc:"The caller's own key; no personal data"`
	Callback            string    `json:"callback,omitempty" maxLength:"128" doc:"Id of the webhook endpoint that alone gets the events; all when absent"`
	ConsentBasis        string    `json:"consent_basis,omitempty" maxLength:"512"`
	ConsentAt           time.Time `json:"consent_at,omitempty"`
	ConsentBy           string    `json:"consent_by,omitempty" maxLength:"512"`
}

type submissionForm struct {
	Picture []byte `json:"picture" doc:"The photo: JPEG, PNG, WebP, BMP, TIFF, HEIC, GIF or PDF, at most 10 MiB"`
	DeclaredForm
}

type submissionObject struct {
	Object string `json:"object" maxLength:"128" doc:"Key of an upload, see /v1/uploads"`
	DeclaredForm
}

type precheckForm struct {
	Picture []byte `json:"picture" doc:"The photo, at most 10 MiB"`
	Policy  string `json:"policy,omitempty" maxLength:"512" doc:"Name of a policy"`
}

// filesBody is a form in which these fields are files.
func filesBody(registry huma.Registry, form reflect.Type, files ...string) *huma.RequestBody {
	schema := huma.SchemaFromType(registry, form)
	for _, file := range files {
		schema.Properties[file].ContentEncoding = ""
		schema.Properties[file].Format = "binary"
	}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: schema}}}
}

func requestBody(registry huma.Registry, form reflect.Type, object reflect.Type) *huma.RequestBody {
	body := filesBody(registry, form, "picture")
	if object != nil {
		body.Content["application/json"] = &huma.MediaType{Schema: huma.SchemaFromType(registry, object)}
	}
	return body
}

// submission is what a body declares.
func (a *API) submission(s sent) (report.Submission, error) {
	v := s.values
	switch purposes := []string{"", string(report.PurposeInitial), string(report.PurposeAnnual), string(report.PurposeReverification)}; {
	case !slices.Contains(purposes, v["purpose"]):
		return report.Submission{}, invalid("form", "purpose", "the value is not one of "+strings.Join(purposes[1:], ", "))
	case v["priority"] != "" && !slices.Contains(worker.Priorities, v["priority"]):
		return report.Submission{}, invalid("form", "priority", "the value is not one of "+strings.Join(worker.Priorities, ", "))
	}
	if err := a.checkPolicy(v["policy"]); err != nil {
		return report.Submission{}, err
	}
	consent := report.Consent{Basis: v["consent_basis"], By: v["consent_by"]}
	if v["consent_at"] != "" {
		var err error
		if consent.At, err = time.Parse(time.RFC3339, v["consent_at"]); err != nil {
			return report.Submission{}, invalid("form", "consent_at", "the value is not an RFC 3339 time")
		}
	}
	submission := report.Submission{
		Declared: report.Declared{
			OrganizationID: v["organization_id"], Name: v["name"], USCC: v["uscc"],
			RegistrationNumber: v["registration_number"], OrganizationCode: v["organization_code"],
			LegalRepresentative: v["legal_representative"], IDKind: v["id_kind"], IDNumber: v["id_number"],
			EntityType: v["entity_type"], Email: v["email"], Phone: v["phone"],
		},
		Object: v["object"], Purpose: report.Purpose(v["purpose"]), Policy: v["policy"], Priority: v["priority"],
		Callback: v["callback"], ClientReference: v["client_reference"],
	}
	if consent != (report.Consent{}) {
		submission.Consent = &consent
	}
	return submission, nil
}

func (a *API) checkPolicy(name string) error {
	if name != "" && !a.policies[name] {
		return invalid("form", "policy", "there is no policy of this name; there are "+strings.Join(slices.Sorted(maps.Keys(a.policies)), ", "))
	}
	return nil
}
