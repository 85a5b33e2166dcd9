package server

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/worker"
)

// submissionForm is the form of a submission, for the OpenAPI document.
type submissionForm struct {
	Picture             []byte    `json:"picture" doc:"The photo: JPEG, PNG, WebP, BMP, TIFF, HEIC or PDF, at most 10 MiB"`
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
	Policy              string    `json:"policy,omitempty" doc:"Name of a policy"`
	Priority            string    `json:"priority,omitempty" enum:"interactive,standard,batch" default:"standard"`
	ClientReference     string    `json:"client_reference,omitempty" maxLength:"128" doc:"The caller's own key; no personal data"`
	ConsentBasis        string    `json:"consent_basis,omitempty" maxLength:"512"`
	ConsentAt           time.Time `json:"consent_at,omitempty"`
	ConsentBy           string    `json:"consent_by,omitempty" maxLength:"512"`
}

func formBody(registry huma.Registry) *huma.RequestBody {
	schema := huma.SchemaFromType(registry, reflect.TypeFor[submissionForm]())
	schema.Properties["picture"].ContentEncoding = ""
	schema.Properties["picture"].Format = "binary"
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: schema}}}
}

// Lengths of values, bytes. Keys are stored in the clear and listed, declared
// values are sealed.
const (
	maxValue = 512
	maxKey   = 128
	maxParts = 64
)

func tooLarge() *huma.ErrorModel {
	return problem(http.StatusRequestEntityTooLarge, "picture_too_large", fmt.Sprintf("a picture may have %d bytes", maxPicture))
}

// invalid names the field and the rule, never the value.
func invalid(kind, field, rule string) *huma.ErrorModel {
	p := problem(http.StatusUnprocessableEntity, kind, "the submission cannot be accepted")
	p.Errors = []*huma.ErrorDetail{{Location: "body." + field, Message: rule}}
	return p
}

// readForm reads a submission from a multipart body. Only what makes it
// impossible to take is refused here; the rest is the report's to say.
func (a *API) readForm(r *http.Request) (report.Submission, []byte, error) {
	var s report.Submission
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" {
		return s, nil, problem(http.StatusUnsupportedMediaType, "media_type", "the body must be multipart/form-data")
	}
	body := &tail{r: r.Body}
	parts := multipart.NewReader(body, params["boundary"])
	var purpose, consentAt string
	var consent report.Consent
	values := map[string]*string{
		"organization_id": &s.OrganizationID, "name": &s.Name, "uscc": &s.USCC,
		"registration_number": &s.RegistrationNumber, "organization_code": &s.OrganizationCode,
		"legal_representative": &s.LegalRepresentative, "id_kind": &s.IDKind, "id_number": &s.IDNumber,
		"entity_type": &s.EntityType, "email": &s.Email, "phone": &s.Phone,
		"purpose": &purpose, "policy": &s.Policy, "priority": &s.Priority, "client_reference": &s.ClientReference,
		"consent_basis": &consent.Basis, "consent_at": &consentAt, "consent_by": &consent.By,
	}
	var picture []byte
	seen := map[string]bool{}
	for range maxParts {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) && body.endsWith("--"+params["boundary"]+"--") {
			return a.checkForm(s, picture, seen["picture"], report.Purpose(purpose), consent, consentAt)
		}
		if err != nil {
			return s, nil, malformed(err)
		}
		name := part.FormName()
		value, known := values[name]
		switch {
		case name != "picture" && !known:
			return s, nil, invalid("form", "", "a form field is not known")
		case seen[name]:
			return s, nil, invalid("form", name, "the field is given twice")
		case known:
			*value, err = readValue(part, name)
		default:
			picture, err = readPicture(part)
		}
		if err != nil {
			return s, nil, err
		}
		seen[name] = true
	}
	return s, nil, invalid("form", "", "the form has too many parts")
}

func readPicture(part *multipart.Part) ([]byte, error) {
	picture, err := io.ReadAll(io.LimitReader(part, maxPicture+1))
	if err != nil {
		return nil, malformed(err)
	}
	if len(picture) > maxPicture {
		return nil, tooLarge()
	}
	return picture, nil
}

func readValue(part *multipart.Part, name string) (string, error) {
	limit := maxValue
	if name == "organization_id" || name == "client_reference" {
		limit = maxKey
	}
	text, err := io.ReadAll(io.LimitReader(part, int64(limit)+1))
	if err != nil {
		return "", malformed(err)
	}
	switch value := string(text); {
	case len(value) > limit:
		return "", invalid("form", name, fmt.Sprintf("the value may have %d bytes", limit))
	case !utf8.ValidString(value):
		return "", invalid("form", name, "the value is not UTF-8")
	case strings.ContainsFunc(value, unicode.IsControl):
		return "", invalid("form", name, "the value has control characters")
	default:
		return strings.TrimSpace(value), nil
	}
}

func (a *API) checkForm(s report.Submission, picture []byte, pictureGiven bool, purpose report.Purpose, consent report.Consent, consentAt string) (report.Submission, []byte, error) {
	switch {
	case !pictureGiven:
		return s, nil, invalid("picture_missing", "picture", "the part is missing")
	case len(picture) == 0:
		return s, nil, invalid("picture_empty", "picture", "the file is empty")
	case purpose != "" && !slices.Contains([]report.Purpose{report.PurposeInitial, report.PurposeAnnual, report.PurposeReverification}, purpose):
		return s, nil, invalid("form", "purpose", "the value is not one of initial, annual, reverification")
	case s.Priority != "" && !slices.Contains(worker.Priorities, s.Priority):
		return s, nil, invalid("form", "priority", "the value is not one of "+strings.Join(worker.Priorities, ", "))
	case s.Policy != "" && !a.policies[s.Policy]:
		return s, nil, invalid("form", "policy", "there is no policy of this name")
	}
	s.Purpose = purpose
	if consentAt != "" {
		at, err := time.Parse(time.RFC3339, consentAt)
		if err != nil {
			return s, nil, invalid("form", "consent_at", "the value is not an RFC 3339 time")
		}
		consent.At = at
	}
	if consent != (report.Consent{}) {
		s.Consent = &consent
	}
	return s, picture, nil
}

// tail remembers the end of what was read: the multipart reader does not always
// tell a form that is over from one that was cut off.
type tail struct {
	r    io.Reader
	last []byte
}

// tailBytes holds the longest boundary (RFC 2046: 70) and what may follow it.
const tailBytes = 256

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.last = append(t.last, p[max(0, n-tailBytes):n]...)
	t.last = t.last[max(0, len(t.last)-tailBytes):]
	return n, err
}

func (t *tail) endsWith(delimiter string) bool { return strings.Contains(string(t.last), delimiter) }

// malformed tells a body that is too large from one that is broken.
func malformed(err error) *huma.ErrorModel {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge()
	}
	return problem(http.StatusBadRequest, "malformed_body", "the multipart body is broken or incomplete")
}
