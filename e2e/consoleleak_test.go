package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/heyan/heyan/storage/records"
)

// console lets a lead look at everything, and careless people type personal data
// where it does not belong. What they typed is shown to them again, and is to be
// found nowhere else.
func (w *witness) console(t *testing.T, d *deployment, ids []string, p person) {
	t.Helper()
	token := d.session(t, d.reviewer(t, "lead", records.RoleLead))
	call := func(method, path string, form url.Values) (int, []byte) {
		req, err := http.NewRequestWithContext(t.Context(), method, d.Base+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.AddCookie(&http.Cookie{Name: sessionCookie, Value: token})
		answer, err := http.DefaultTransport.RoundTrip(req) // follows nothing
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, body
	}
	paths := []string{"/console/", "/console/figures", "/console/figures.csv", "/console/decisions.csv", "/console/?organization=" + p.id, "/console/cases/" + p.phone}
	for _, id := range ids {
		paths = append(paths, "/console/cases/"+id, "/console/cases/"+id+"/audit", "/console/cases/"+id+"/audit?format=jsonl")
	}
	for _, path := range paths {
		status, body := call(http.MethodGet, path, nil)
		if status >= http.StatusInternalServerError {
			t.Errorf("%s: %d", path, status)
		}
		if !strings.Contains(path, p.id) && !strings.Contains(path, p.phone) { // it shows its own address
			w.add("console", body)
		}
	}
	at := "/console/cases/" + ids[len(ids)-1]
	for path, form := range map[string]url.Values{
		at + "/decision":              {"decision": {records.NewID()}, "kind": {"reject"}, "reason": {"image_blurry"}, "message.zh": {"请核对" + p.id}, "message.en": {p.phone}},
		at + "/notes":                 {"note": {"applicant has " + p.id}},
		at + "/check":                 {"correct.name": {p.email}, "correct." + p.id: {p.phone}},
		at + "/unmask":                {"why": {"to see " + p.id}},
		"/console/sign-in":            {"login": {p.email}, "password": {p.id}},
		"/console/next":               {"organization": {p.id}},
		"/console/users":              {"login": {p.phone}},
		"/console/welcome/" + p.email: {"password": {p.id}},
	} {
		if status, _ := call(http.MethodPost, path, form); status >= http.StatusInternalServerError {
			t.Errorf("%s: %d", path, status)
		}
	}
	if _, body := call(http.MethodPost, "/console/cases/"+ids[1]+"/unmask", url.Values{"why": {"end-to-end test"}}); !bytes.Contains(body, []byte(p.id)) {
		t.Error("unmasking shows nothing")
	}
}
