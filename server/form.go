package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
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

func requestBody(registry huma.Registry, form reflect.Type, object reflect.Type) *huma.RequestBody {
	schema := huma.SchemaFromType(registry, form)
	schema.Properties["picture"].ContentEncoding = ""
	schema.Properties["picture"].Format = "binary"
	body := &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: schema}}}
	if object != nil {
		body.Content["application/json"] = &huma.MediaType{Schema: huma.SchemaFromType(registry, object)}
	}
	return body
}

// Lengths of values, bytes. Keys are stored in the clear and listed, declared
// values are sealed.
const (
	maxValue = 512
	maxKey   = 128
	maxParts = 64
	// maxObject is the longest JSON object of such values.
	maxObject = 64 << 10
)

// The fields of bodies with their longest values, bytes.
var (
	submissionFields = map[string]int{
		"organization_id": maxKey, "name": maxValue, "uscc": maxValue, "registration_number": maxValue, "organization_code": maxValue,
		"legal_representative": maxValue, "id_kind": maxValue, "id_number": maxValue, "entity_type": maxValue, "email": maxValue, "phone": maxValue,
		"purpose": maxValue, "policy": maxValue, "priority": maxValue, "client_reference": maxKey, "callback": maxKey,
		"consent_basis": maxValue, "consent_at": maxValue, "consent_by": maxValue, "object": maxKey,
	}
	precheckFields = map[string]int{"policy": maxValue}
)

// sent is a body as it was sent: a picture and values by field.
type sent struct {
	values  map[string]string
	picture []byte // nil: none was sent
}

// readBody reads a multipart form, or where an object may stand in place of the
// picture a JSON object of the same names. Only what makes it impossible to take
// is refused here; the rest is the report's to say.
func readBody(r *http.Request, fields map[string]int) (sent, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	_, objects := fields["object"]
	var s sent
	switch {
	case err == nil && media == "multipart/form-data":
		s, err = readForm(r.Body, params["boundary"], fields)
	case err == nil && media == "application/json" && objects:
		s.values, err = readObject(io.LimitReader(r.Body, maxObject), fields)
	default:
		return sent{}, problem(http.StatusUnsupportedMediaType, "media_type", "the body must be multipart/form-data, or application/json with the key of an upload")
	}
	if err != nil {
		return sent{}, err
	}
	switch object := s.values["object"]; {
	case s.picture == nil && object == "":
		return sent{}, invalid("picture_missing", "picture", "the part is missing")
	case s.picture != nil && object != "":
		return sent{}, invalid("form", "object", "the picture is sent already")
	case s.picture != nil && len(s.picture) == 0:
		return sent{}, invalid("picture_empty", "picture", "the file is empty")
	}
	return s, nil
}

func readForm(r io.Reader, boundary string, fields map[string]int) (sent, error) {
	body := &tail{r: r}
	parts := multipart.NewReader(body, boundary)
	s := sent{values: map[string]string{}}
	for range maxParts {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) && body.endsWith("--"+boundary+"--") {
			return s, nil
		}
		if err != nil {
			return s, malformed(err)
		}
		name := part.FormName()
		_, given := s.values[name]
		limit, known := fields[name]
		switch {
		case given || name == "picture" && s.picture != nil:
			return s, invalid("form", name, "the field is given twice")
		case name == "picture":
			s.picture, err = readPicture(part)
		case known:
			s.values[name], err = readValue(part, name, limit)
		default:
			return s, invalid("form", "", "a form field is not known")
		}
		if err != nil {
			return s, err
		}
	}
	return s, invalid("form", "", "the form has too many parts")
}

// readPicture never returns nil for a part that is there.
func readPicture(part io.Reader) ([]byte, error) {
	picture, err := io.ReadAll(io.LimitReader(part, maxPicture+1))
	if err != nil {
		return nil, malformed(err)
	}
	if len(picture) > maxPicture {
		return nil, tooLarge()
	}
	return picture, nil
}

func readValue(part io.Reader, name string, limit int) (string, error) {
	text, err := io.ReadAll(io.LimitReader(part, int64(limit)+1))
	if err != nil {
		return "", malformed(err)
	}
	return checkValue(name, string(text), limit)
}

func checkValue(name, value string, limit int) (string, error) {
	switch {
	case len(value) > limit:
		return "", invalid("form", name, fmt.Sprintf("the value may have %d bytes", limit))
	case !utf8.ValidString(value):
		return "", invalid("form", name, "the value is not UTF-8")
	case strings.ContainsFunc(value, unicode.IsControl):
		return "", invalid("form", name, "the value has control characters")
	}
	return strings.TrimSpace(value), nil
}

// readObject reads a flat JSON object of strings, token by token: a decoder
// would take the last of a field that is given twice.
func readObject(r io.Reader, fields map[string]int) (map[string]string, error) {
	values := map[string]string{}
	decoder := json.NewDecoder(r)
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, malformedJSON(err)
	}
	for decoder.More() {
		token, err := decoder.Token()
		name, _ := token.(string)
		if err != nil {
			return nil, malformedJSON(err)
		}
		limit, known := fields[name]
		if !known {
			return nil, invalid("form", "", "a field is not known")
		}
		if _, given := values[name]; given {
			return nil, invalid("form", name, "the field is given twice")
		}
		var value any
		if err := decoder.Decode(&value); err != nil {
			return nil, malformedJSON(err)
		}
		text, ok := value.(string)
		if !ok {
			return nil, invalid("form", name, "the value is not a string")
		}
		if values[name], err = checkValue(name, text, limit); err != nil {
			return nil, err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return nil, malformedJSON(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, malformedJSON(err)
	}
	return values, nil
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

func tooLarge() *huma.ErrorModel {
	return problem(http.StatusRequestEntityTooLarge, "picture_too_large", fmt.Sprintf("a picture may have %d bytes", maxPicture))
}

// malformed tells a body that is too large from one that is broken.
func malformed(err error) *huma.ErrorModel {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge()
	}
	return problem(http.StatusBadRequest, "malformed_body", "the body is broken or incomplete")
}

func malformedJSON(err error) *huma.ErrorModel {
	p := malformed(err)
	if p.Status == http.StatusBadRequest {
		p.Detail = "the body is not one JSON object"
	}
	return p
}
