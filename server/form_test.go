package server

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/heyan/heyan/pipeline/report"
)

func FuzzReadBody(f *testing.F) {
	for _, fields := range [][]string{
		{"@picture=abc", "name=示例科技有限公司", "id_number=" + seedID, "consent_at=2026-01-02T03:04:05Z", "purpose=annual"},
		{"@picture=", "priority=batch"},
		{"picture=abc", "policy=strict"},
		{"name=a", "name=b"},
	} {
		contentType, body := form(fields...)
		f.Add(contentType, body.Bytes())
		f.Add(contentType, body.Bytes()[:body.Len()*2/3])
	}
	f.Add("multipart/form-data", []byte("--"))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"picture\"\r\n\r\nx\r\n--b--"))
	f.Add("application/json", []byte(`{"object":"uploads/default/x","policy":"strict","consent_at":"2026-01-02T03:04:05Z"}`))
	f.Add("application/json", []byte(`{"object":"a","object":"b"}`))
	f.Add("application/json", []byte(`{"object":"a","name":1}{`))
	a := &API{policies: map[string]bool{"strict": true}}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/v1/verifications", bytes.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		sent, err := readBody(r, submissionFields)
		var s report.Submission
		if err == nil {
			s, err = a.submission(sent)
		}
		if err == nil {
			if picture := sent.picture; (len(picture) == 0) == (s.Object == "") || len(picture) > len(body) || s.Policy != "" && s.Policy != "strict" || !utf8.ValidString(s.Name+s.IDNumber) {
				t.Errorf("accepted %+v with %d bytes of picture", s, len(sent.picture))
			}
			return
		}
		var p *huma.ErrorModel
		if !errors.As(err, &p) || p.Status < 400 || p.Status > 499 || !strings.HasPrefix(p.Type, "urn:heyan:problem:") {
			t.Errorf("got %v, want a problem of the caller's", err)
		}
	})
}
