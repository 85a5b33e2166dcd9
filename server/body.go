package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/heyan/heyan/pipeline/report"
)

const (
	maxValue = report.MaxValue
	maxKey   = report.MaxKey
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
