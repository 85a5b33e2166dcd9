package console

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/heyan/heyan/storage/records"
)

func TestAuditPage(t *testing.T) {
	o := newOffice(t)
	looked := o.week(t)
	w := o.get(t, "/console/cases/"+looked+"/audit")
	page := w.Body.String()
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, page)
	}
	at := 0
	for _, want := range []string{"Claimed <code class=\"id\">case.claimed</code>", "case.decided", "Corrected fields: ", "Kind: Reject", "Reasons: Blurry",
		"case.claimed", "&lt;b&gt;乙&lt;/b&gt;", "case.decided",
		"The service", "case.final", "case.noted"} {
		i := strings.Index(page[at:], want)
		if i < 0 {
			t.Fatalf("%s is missing, or stands too early", want)
		}
		at += i
	}
	for _, action := range []string{"case.claimed", "case.released", "case.decided", "case.undone", "case.final", "case.noted",
		"picture.viewed", "picture.read", "submission.unmasked", "verification.erased", "audit.exported"} {
		if words["audit.action."+action].ZH == "" {
			t.Errorf("no words for %s", action)
		}
	}
	for address, code := range map[string]int{
		"/console/cases/" + records.NewID() + "/audit":              http.StatusNotFound,
		"/console/cases/" + records.NewID() + "/audit?format=jsonl": http.StatusNotFound,
		"/console/cases/" + looked + "/audit?after=x":               http.StatusBadRequest,
		"/console/cases/" + looked + "/audit?after=99999":           http.StatusOK,
	} {
		if w := o.get(t, address); w.Code != code {
			t.Errorf("%s: %d, want %d", address, w.Code, code)
		}
	}
	o.lead.Tenant = "acme"
	if w := o.get(t, "/console/cases/"+looked+"/audit"); w.Code != http.StatusNotFound {
		t.Errorf("another tenant's: %d", w.Code)
	}
}

func TestAuditPages(t *testing.T) {
	o := newOffice(t)
	id := o.flag(t, o.noon, "image_blurry")
	for range records.MaxPage + 1 {
		if _, err := o.Records.Append(t.Context(), records.Entry{Tenant: records.DefaultTenant, At: o.noon, Actor: "key:k-1", Action: "picture.read", Subject: id}); err != nil {
			t.Fatal(err)
		}
	}
	page := o.get(t, "/console/cases/"+id+"/audit").Body.String()
	_, next, found := strings.Cut(page, `href="?after=`)
	next, _, _ = strings.Cut(next, `"`)
	if !found || strings.Count(page, "API key k-1") != records.MaxPage {
		t.Fatalf("%d entries, next %q", strings.Count(page, "API key k-1"), next)
	}
	if page := o.get(t, "/console/cases/"+id+"/audit?after="+next).Body.String(); strings.Count(page, "API key k-1") != 1 || strings.Contains(page, "?after=") {
		t.Errorf("last page: %s", page)
	}
}

func TestAuditExport(t *testing.T) {
	o := newOffice(t)
	looked := o.week(t)
	w := o.get(t, "/console/cases/"+looked+"/audit?format=jsonl")
	if w.Code != http.StatusOK || w.Header().Get("Content-Disposition") != "attachment; filename=heyan-audit-"+looked+".jsonl" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	var lines []string
	for d := json.NewDecoder(bytes.NewReader(w.Body.Bytes())); d.More(); {
		var line struct{ Type, Action, Kind, Hash string }
		if err := d.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line.Type == "entry" && len(line.Hash) != 64 {
			t.Errorf("hash %q", line.Hash)
		}
		lines = append(lines, line.Type+" "+line.Action+line.Kind)
	}
	want := "entry case.claimed, entry case.decided, entry case.claimed, entry case.decided, entry case.final, entry case.noted, entry audit.exported, decision reject, decision reject"
	if got := strings.Join(lines, ", "); got != want {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
}
