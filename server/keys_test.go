package server

import (
	"cmp"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/certify"
	"github.com/heyan/heyan/worker/client"
)

// store is the records of a running service, as another process sees them.
func (r *running) store(t *testing.T) *records.Store {
	t.Helper()
	s, err := records.Open(t.Context(), cmp.Or(r.dsn, "sqlite://"+filepath.Join(r.dir, "records.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// newKey adds a key beside the API.
func (r *running) newKey(t *testing.T, tenant string, expires time.Time, scopes ...records.Scope) string {
	t.Helper()
	token := records.NewToken()
	if err := r.store(t).AddKey(t.Context(), records.Key{ID: records.NewID(), Tenant: tenant, Name: "test", Scopes: scopes,
		CreatedAt: time.Now(), ExpiresAt: expires}, records.HashToken(token)); err != nil {
		t.Fatal(err)
	}
	return token
}

func TestKeys(t *testing.T) {
	r := start(t, nil)
	if !strings.HasPrefix(r.Key, "hy_") {
		t.Fatalf("first key %q", r.Key)
	}
	var made struct {
		ID, Token string
		Scopes    []string
	}
	r.ask(t, r.Key, "POST", "/v1/keys", map[string]any{"name": "backend", "scopes": []string{"read"}}, &made)
	if made.Token == "" || fmt.Sprint(made.Scopes) != "[read]" {
		t.Fatalf("made %+v", made)
	}
	r.is(t, "in its scope", r.ask(t, made.Token, "GET", "/v1/verifications", nil, nil), 200, "")
	r.is(t, "out of it", r.ask(t, made.Token, "GET", "/v1/keys", nil, nil), 403, "scope_missing")
	var all struct{ Keys []Key }
	r.ask(t, r.Key, "GET", "/v1/keys", nil, &all)
	if len(all.Keys) != 2 || all.Keys[1].ID != made.ID || all.Keys[1].LastUsedAt == nil {
		t.Errorf("keys %+v", all.Keys)
	}
	r.is(t, "revoke", r.ask(t, r.Key, "DELETE", "/v1/keys/"+made.ID, nil, nil), 204, "")
	for name, token := range map[string]string{
		"revoked": made.Token, "none of ours": "hy_" + seedID, "expired": r.newKey(t, "default", time.Now().Add(-time.Second), records.ScopeRead),
	} {
		got := r.ask(t, token, "GET", "/v1/verifications", nil, nil)
		r.is(t, name, got, 401, "key_invalid")
		if got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: no WWW-Authenticate", name)
		}
	}
	r.is(t, "no key", r.ask(t, "", "GET", "/v1/verifications", nil, nil), 401, "key_missing")
	for name, body := range map[string]any{
		"no name":    map[string]any{"scopes": []string{"read"}},
		"no scope":   map[string]any{"name": "x", "scopes": []string{}},
		"odd scope":  map[string]any{"name": "x", "scopes": []string{seedID}},
		"past":       map[string]any{"name": "x", "scopes": []string{"read"}, "expires_at": "2001-01-01T00:00:00Z"},
		"no time":    map[string]any{"name": "x", "scopes": []string{"read"}, "expires_at": seedEmail},
		"odd member": map[string]any{"name": "x", "scopes": []string{"read"}, seedPhone: 1},
		"no object":  []string{seedPhone},
	} {
		r.is(t, name, r.ask(t, r.Key, "POST", "/v1/keys", body, nil), 422, "invalid_request")
	}
	var log struct{ Entries []auditEntry }
	r.ask(t, r.Key, "GET", "/v1/audit?subject="+made.ID, nil, &log)
	if len(log.Entries) != 2 || log.Entries[0].Action != "key.revoked" || log.Entries[1].Action != "key.created" {
		t.Errorf("audit %+v", log.Entries)
	}
	if !strings.Contains(r.log.String(), `"route":"GET /v1/keys","status":403`) || !strings.Contains(r.log.String(), `"key":"`+all.Keys[0].ID) {
		t.Error("requests and their keys are not logged")
	}
	if strings.Contains(r.log.String(), made.Token) || strings.Contains(r.log.String(), r.Key) {
		t.Error("a token stands in the log")
	}
}

// ids stand in paths for a thing that another tenant has.
type ids struct{ verification, event, key, endpoint, batch, cancelled string }

func (i ids) in(path string) string {
	if rest, ok := strings.CutPrefix(path, "/v1/organizations/{id}"); ok { // what ends one has one of its own
		id := "org-seen"
		if slices.Contains([]string{"/revoke", "/cancel", "/dissolve"}, rest) {
			id = "org-" + rest[1:]
		}
		return "/v1/organizations/" + id + rest
	}
	if path == batchesPath+"/{id}/cancel" { // the other one goes on
		return strings.Replace(path, "{id}", i.cancelled, 1)
	}
	for prefix, id := range map[string]string{batchesPath + "/": i.batch, "/v1/verifications/": i.verification, "/v1/events/": i.event, "/v1/keys/": i.key, "/v1/webhook-endpoints/": i.endpoint} {
		if strings.HasPrefix(path, prefix) {
			return strings.Replace(path, "{id}", id, 1)
		}
	}
	return path
}

// populate gives the default tenant one of everything.
func (r *running) populate(t *testing.T) ids {
	t.Helper()
	var made struct{ ID string }
	var i ids
	r.ask(t, r.Key, "POST", "/v1/webhook-endpoints", map[string]any{"url": "https://hooks.invalid/heyan"}, &made)
	i.endpoint = made.ID
	r.ask(t, r.Key, "POST", "/v1/keys", map[string]any{"name": "x", "scopes": []string{"read"}}, &made)
	i.key = made.ID
	i.verification = r.done(t, "fail").ID
	var events struct{ Events []event }
	r.ask(t, r.Key, "GET", "/v1/events", nil, &events)
	if len(events.Events) == 0 {
		t.Fatal("no event")
	}
	i.event = events.Events[0].ID
	for _, id := range []string{"org-seen", "org-revoke", "org-cancel"} {
		r.certify(t, id)
	}
	v := declared()
	v.OrganizationID = "org-dissolve"
	if _, err := r.Submit(t.Context(), []byte("good"), v, ""); err != nil {
		t.Fatal(err)
	}
	// One that waits for a person, and one that is at work.
	i.batch = r.batch(t, "@file=custom_id,picture\n1,"+r.upload(t, r.Key, "refuse")).ID
	r.reached(t, i.batch, func(s client.BatchSummary) bool { return s.Outcomes["review"] == 1 })
	i.cancelled = r.batch(t, "@file=custom_id,picture\n1,"+r.upload(t, r.Key, "refuse")).ID
	return i
}

// certify makes a certified organization beside the API: the engine of these tests
// reads nothing that certifies.
func (r *running) certify(t *testing.T, id string) {
	t.Helper()
	s, now := r.store(t), time.Now()
	v, _, err := s.Create(t.Context(), records.Verification{ID: records.NewID(), Tenant: records.DefaultTenant, OrganizationID: id, Policy: "dingtalk",
		Priority: "standard", ObjectKey: "pictures/none", Sealed: []byte("sealed"), LeaseUntil: now.Add(time.Hour), CreatedAt: now, DeadlineAt: now.Add(time.Hour)}, "", nil)
	if err == nil {
		err = s.Complete(t.Context(), v.ID, report.Report{Outcome: report.OutcomePass}, records.Completion{At: now,
			Event: records.Event{Type: worker.EventCompleted, Payload: []byte("{}")},
			Grant: &records.Grant{Certification: records.Certification{Name: "示例科技有限公司" + id, From: now, Until: certify.Until(now, 12)},
				Event: worker.OrganizationEvent{Organization: id}.Event(worker.EventGranted, now)}})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// acceptable is a body that each operation takes.
func acceptable(o operationDoc) (http.Header, string) {
	if _, has := o.RequestBody.Content["multipart/form-data"]; has {
		fields := []string{"@picture=good"}
		switch o.OperationID {
		case "precheck":
		case "submit_batch":
			fields = []string{"@file=custom_id,phone\n1," + seedPhone, "name=x"}
		default:
			fields = append(fields, "id_number="+seedID, "phone="+seedPhone, "email="+seedEmail)
		}
		contentType, body := formText(fields...)
		return http.Header{"Content-Type": {contentType}}, body
	}
	body := map[string]string{
		"unmask": `{"reason":"because"}`, "create_key": `{"name":"x","scopes":["read"]}`, "create_endpoint": `{"url":"https://hooks.invalid/"}`,
		"revoke_certification": `{"reason":"because"}`, "cancel_certification": `{"reason":"because"}`, "dissolve": `{"reason":"because"}`,
		"upload": `{"size":4,"content_type":"image/png"}`,
	}[o.OperationID]
	return http.Header{"Content-Type": {"application/json"}}, body
}

func formText(fields ...string) (string, string) {
	contentType, body := form(fields...)
	return contentType, body.String()
}

// Each operation is tried with every scope, and with the ids of another tenant.
func TestEveryRouteByScopeAndTenant(t *testing.T) {
	r := start(t, nil)
	theirs := r.populate(t)
	object := r.upload(t, r.Key, "good")
	doc, _ := openAPI(t)
	stranger := r.newKey(t, "other", time.Time{}, records.Scopes...)
	tokens := map[records.Scope]string{}
	for _, scope := range records.Scopes {
		tokens[scope] = r.newKey(t, "other", time.Time{}, scope)
	}
	routes := 0
	for path, operations := range doc.Paths {
		for method, o := range operations {
			if len(o.Security) == 0 {
				continue
			}
			routes++
			header, body := acceptable(o)
			what := strings.ToUpper(method) + " " + path
			try := func(token, path string) answer {
				return r.send(t, token, strings.ToUpper(method), path, header.Clone(), strings.NewReader(body))
			}
			needed := records.Scope(o.Security[0][securityScheme][0])
			for _, scope := range records.Scopes {
				got := try(tokens[scope], theirs.in(path))
				if refused := got.status == http.StatusForbidden; refused == (scope == needed) {
					t.Errorf("%s with scope %s: %d %s", what, scope, got.status, got.body)
				}
			}
			r.is(t, what+" without key", try("", theirs.in(path)), 401, "key_missing")
			got := try(stranger, theirs.in(path))
			if strings.Contains(path, "{id}") {
				r.is(t, what+" of another tenant", got, 404, "not_found")
			} else if got.status >= 300 {
				t.Errorf("%s: %d %s", what, got.status, got.body)
			}
			for _, id := range []string{theirs.verification, theirs.event, theirs.key, theirs.endpoint, theirs.batch, theirs.cancelled} {
				if strings.Contains(string(got.body), id) {
					t.Errorf("%s shows another tenant's %s", what, id)
				}
			}
		}
	}
	if routes < 20 {
		t.Errorf("%d routes only", routes)
	}
	r.is(t, "upload of another tenant", r.ask(t, stranger, "POST", "/v1/verifications", map[string]string{"object": object}, nil), 422, "upload_missing")
	r.is(t, "object that is no upload", r.ask(t, r.Key, "POST", "/v1/verifications", map[string]string{"object": "pictures/" + theirs.verification}, nil), 422, "upload_missing")
	contentType, body := formText("@picture=good", "callback="+theirs.endpoint)
	r.is(t, "endpoint of another tenant", r.send(t, stranger, "POST", "/v1/verifications", http.Header{"Content-Type": {contentType}}, strings.NewReader(body)), 422, "form")

	// Nothing of the default tenant was changed.
	for path, want := range map[string]string{"/v1/keys": theirs.key, "/v1/webhook-endpoints": theirs.endpoint, "/v1/verifications/" + theirs.verification + "/picture": "fail",
		batchesPath + "/" + theirs.batch: `"running"`} {
		if got := r.ask(t, r.Key, "GET", path, nil, nil); !strings.Contains(string(got.body), want) || strings.Contains(string(got.body), "revoked_at") || strings.Contains(string(got.body), "disabled_at") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	// The same idempotency key is another one of another tenant.
	mine, err := r.Submit(t.Context(), []byte("good"), declared(), "same")
	if err != nil {
		t.Fatal(err)
	}
	other := r.HTTP
	other.Key = stranger
	theirs2, err := other.Submit(t.Context(), []byte("better"), declared(), "same")
	if err != nil || theirs2.ID == mine.ID {
		t.Errorf("got %s, %v", theirs2.ID, err)
	}
}

func TestRateLimit(t *testing.T) {
	r := start(t, func(c *Config) { c.Rate, c.Burst = 0.5, 3 })
	second := r.newKey(t, "default", time.Time{}, records.ScopeRead)
	var statuses []int
	for range 4 {
		got := r.ask(t, r.Key, "GET", "/v1/verifications", nil, nil)
		statuses = append(statuses, got.status)
		if got.status == 429 {
			r.is(t, "over the rate", got, 429, "rate_limited")
			if s := got.header.Get("Retry-After"); s != "2" && s != "1" {
				t.Errorf("Retry-After %q", s)
			}
		}
	}
	if !slices.Equal(statuses, []int{200, 200, 200, 429}) {
		t.Errorf("got %v", statuses)
	}
	r.is(t, "another key", r.ask(t, second, "GET", "/v1/verifications", nil, nil), 200, "")
}
