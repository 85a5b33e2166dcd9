package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/client"
)

// ask sends a request with a key, and JSON where there is a body, and reads the
// answer into out unless that is nil.
func (r *running) ask(t *testing.T, token, method, path string, body, out any) answer {
	t.Helper()
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	got := r.send(t, token, method, path, http.Header{"Content-Type": {"application/json"}}, reader)
	if out != nil {
		if err := json.Unmarshal(got.body, out); err != nil || got.status >= 300 {
			t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
		}
	}
	return got
}

func (r *running) send(t *testing.T, token, method, path string, header http.Header, body io.Reader) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.Base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := r.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, text}
}

func (r *running) is(t *testing.T, what string, got answer, status int, kind string) {
	t.Helper()
	if status < 300 {
		if got.status != status {
			t.Errorf("%s: got %d %s, want %d", what, got.status, got.body, status)
		}
		return
	}
	r.problem(t, what, status, kind, got)
}

// done submits a picture and waits for its verdict.
func (r *running) done(t *testing.T, picture string) client.Verification {
	t.Helper()
	v, err := r.Wait(deadline(t, 10*time.Second), submit(t, &r.HTTP, picture).ID)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// upload puts a picture the way of callers without S3 keys, and returns its key.
func (r *running) upload(t *testing.T, token, picture string) string {
	t.Helper()
	var up struct {
		Object, Method, URL string
		Headers             map[string]string
	}
	r.ask(t, token, "POST", "/v1/uploads", map[string]any{"size": len(picture), "content_type": "image/jpeg"}, &up)
	req, err := http.NewRequestWithContext(t.Context(), up.Method, up.URL, strings.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range up.Headers {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode >= 300 {
		t.Fatalf("put: %s", resp.Status)
	}
	return up.Object
}

func TestUploads(t *testing.T) {
	r := start(t, nil)
	object := r.upload(t, r.Key, "good")
	body := map[string]string{"object": object, "id_number": seedID, "client_reference": "order-8"}
	header := func() http.Header {
		return http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {"up-1"}}
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var first, again client.Verification
	got := r.send(t, r.Key, "POST", "/v1/verifications", header(), bytes.NewReader(text))
	if err := json.Unmarshal(got.body, &first); err != nil || got.status != http.StatusAccepted {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if v, err := r.Wait(deadline(t, 10*time.Second), first.ID); err != nil || v.Outcome != "pass" || v.ClientReference != "order-8" {
		t.Errorf("%+v, %v", v, err)
	}
	// The upload is gone by now; the answer is the same.
	got = r.send(t, r.Key, "POST", "/v1/verifications", header(), bytes.NewReader(text))
	if err := json.Unmarshal(got.body, &again); err != nil || again.ID != first.ID || got.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("repeat: %d %s", got.status, got.body)
	}
	r.is(t, "used upload", r.ask(t, r.Key, "POST", "/v1/verifications", body, nil), 422, "upload_missing")
	if n := countFiles(t, filepath.Join(r.dir, "objects", "objects")); n != 1 {
		t.Errorf("%d objects, want the picture alone", n)
	}

	var up struct{ URL string }
	r.ask(t, r.Key, "POST", "/v1/uploads", map[string]any{"size": 4, "content_type": "image/png"}, &up)
	path := strings.TrimPrefix(up.URL, r.Base)
	for _, tt := range []struct {
		name, path, contentType, body string
		status                        int
		kind                          string
	}{
		{"other size", path, "image/png", "12345", 400, "upload_differs"},
		{"other type", path, "image/jpeg", "1234", 400, "upload_differs"},
		{"other token", path[:len(path)-2] + "AA", "image/png", "1234", 403, "upload_refused"},
		{"no token", "/v1/uploads/" + seedID, "image/png", "1234", 403, "upload_refused"},
		{"as announced", path, "image/png", "1234", 204, ""},
		{"a second time", path, "image/png", "1234", 409, "upload_exists"},
	} {
		r.is(t, tt.name, r.send(t, "", "PUT", tt.path, http.Header{"Content-Type": {tt.contentType}}, strings.NewReader(tt.body)), tt.status, tt.kind)
	}
	for name, body := range map[string]any{
		"empty":     map[string]any{"size": 0, "content_type": "image/png"},
		"too large": map[string]any{"size": maxPicture + 1, "content_type": "image/png"},
		"a page":    map[string]any{"size": 4, "content_type": "text/html"},
	} {
		r.is(t, name, r.ask(t, r.Key, "POST", "/v1/uploads", body, nil), 422, "invalid_request")
	}
}

func TestResubmission(t *testing.T) {
	r := start(t, nil)
	failed, passed := r.done(t, "fail"), r.done(t, "good")
	if failed.Outcome != "fail" || failed.DecidedAt == nil {
		t.Fatalf("got %+v", failed)
	}
	again := func(id, key string, fields ...string) answer {
		contentType, body := form(fields...)
		return r.send(t, r.Key, "POST", "/v1/verifications/"+id+"/resubmissions",
			http.Header{"Content-Type": {contentType}, "Idempotency-Key": {key}}, body)
	}
	var second, replayed client.Verification
	got := again(failed.ID, "again-1", "@picture=good", "phone=13900139000", "purpose=annual")
	if err := json.Unmarshal(got.body, &second); err != nil || got.status != http.StatusAccepted || second.Previous != failed.ID ||
		second.OrganizationID != failed.OrganizationID || second.Purpose != "annual" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	got = again(failed.ID, "again-1", "@picture=good", "phone=13900139000", "purpose=annual")
	if err := json.Unmarshal(got.body, &replayed); err != nil || replayed.ID != second.ID || got.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("repeat: %d %s", got.status, got.body)
	}
	r.is(t, "other body", again(failed.ID, "again-1", "@picture=better"), 409, "idempotency_conflict")
	r.is(t, "after one that passed", again(passed.ID, "", "@picture=good"), 409, "not_failed")
	r.is(t, "after nothing", again(records.NewID(), "", "@picture=good"), 404, "not_found")
	r.is(t, "no picture", again(failed.ID, "", "name=x"), 422, "picture_missing")

	var declared struct {
		Declared struct{ Phone, Email, Name string }
	}
	reason := map[string]string{"reason": "the applicant has called"}
	r.ask(t, r.Key, "POST", "/v1/verifications/"+second.ID+"/unmask", reason, &declared)
	if d := declared.Declared; d.Phone != "13900139000" || d.Email != seedEmail || d.Name == "" {
		t.Errorf("declared %+v", d)
	}
	for _, id := range []string{failed.ID, second.ID} {
		var chain struct{ Verifications []client.Verification }
		r.ask(t, r.Key, "GET", "/v1/verifications/"+id+"/attempts", nil, &chain)
		if len(chain.Verifications) != 2 || chain.Verifications[0].ID != failed.ID || chain.Verifications[1].ID != second.ID {
			t.Errorf("attempts of %s: %+v", id, chain.Verifications)
		}
	}
	if _, err := r.Wait(deadline(t, 10*time.Second), second.ID); err != nil {
		t.Error(err)
	}
	r.is(t, "erase", r.ask(t, r.Key, "DELETE", "/v1/verifications/"+failed.ID, nil, nil), 200, "")
	r.is(t, "after one that was erased", again(failed.ID, "", "@picture=good"), 410, "gone")
}

// What is looked at and what is erased stands in the audit log.
func TestPictureUnmaskErase(t *testing.T) {
	r := start(t, func(c *Config) { c.Engine.Size = 1 })
	v := r.done(t, "fail")
	path := "/v1/verifications/" + v.ID
	got := r.ask(t, r.Key, "GET", path+"/picture", nil, nil)
	if string(got.body) != "fail" || got.header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("picture: %d %v %q", got.status, got.header, got.body)
	}
	var sealed struct {
		Declared struct {
			IDNumber string `json:"id_number"`
			Phone    string
		}
	}
	r.ask(t, r.Key, "POST", path+"/unmask", map[string]string{"reason": "dispute 17"}, &sealed)
	if sealed.Declared.IDNumber != seedID || sealed.Declared.Phone != seedPhone {
		t.Errorf("unmasked %+v", sealed)
	}
	var seen struct {
		ID       string
		Declared struct {
			Name, Phone, Email string
			IDNumber           string `json:"id_number"`
		}
	}
	r.ask(t, r.Key, "GET", path, nil, &seen)
	if d := seen.Declared; seen.ID != v.ID || d.Name == "" || d.Phone != "138****8000" || d.Email != "s***@example.com" || d.IDNumber != "110105********002X" {
		t.Errorf("masked %+v", seen)
	}
	reader := r.newKey(t, "default", time.Time{}, records.ScopeRead)
	if got := r.ask(t, reader, "GET", path, nil, nil); bytes.Contains(got.body, []byte(`"declared"`)) {
		t.Errorf("a key without the scope review sees what was declared: %s", got.body)
	}
	for name, body := range map[string]any{"no reason": map[string]string{}, "short": map[string]string{"reason": "x"},
		"control": map[string]string{"reason": "abc\x00"}, "more": map[string]string{"reason": "abc", seedPhone: "x"}} {
		r.is(t, name, r.ask(t, r.Key, "POST", path+"/unmask", body, nil), 422, "invalid_request")
	}

	waiting := submit(t, &r.HTTP, "sleep 300ms")
	r.is(t, "erase at work", r.ask(t, r.Key, "DELETE", "/v1/verifications/"+waiting.ID, nil, nil), 409, "not_completed")
	if _, err := r.Wait(deadline(t, 10*time.Second), waiting.ID); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var erased client.Verification
		r.ask(t, r.Key, "DELETE", path, nil, &erased)
		if erased.Outcome != "fail" || fmt.Sprint(erased.Reasons) != "[image_blurry]" || erased.Report != nil || erased.ErasedAt == nil || erased.PictureGoneAt == nil {
			t.Errorf("erased %+v", erased)
		}
	}
	r.is(t, "picture", r.ask(t, r.Key, "GET", path+"/picture", nil, nil), 410, "gone")
	r.is(t, "unmask", r.ask(t, r.Key, "POST", path+"/unmask", map[string]string{"reason": "again"}, nil), 410, "gone")
	if n := countFiles(t, filepath.Join(r.dir, "objects", "objects")); n != 1 {
		t.Errorf("%d pictures, want the other one's", n)
	}

	var log struct{ Entries []auditEntry }
	r.ask(t, r.Key, "GET", "/v1/audit?subject="+v.ID, nil, &log)
	var actions []string
	for _, e := range log.Entries {
		actions = append(actions, e.Action+" "+e.Reason)
		if !strings.HasPrefix(e.Actor, "key:") || e.Subject != v.ID || e.Hash == "" {
			t.Errorf("entry %+v", e)
		}
	}
	if got, want := strings.Join(actions, ", "), "verification.erased , submission.unmasked dispute 17, picture.read "; got != want {
		t.Errorf("audit: %q, want %q", got, want)
	}
	var page struct {
		Entries []auditEntry
		Next    int64
	}
	r.ask(t, r.Key, "GET", "/v1/audit?limit=2", nil, &page)
	if len(page.Entries) != 2 || page.Next == 0 {
		t.Errorf("page %+v", page)
	}
	r.ask(t, r.Key, "GET", fmt.Sprintf("/v1/audit?limit=2&before=%d", page.Next), nil, &page)
	if len(page.Entries) != 1 {
		t.Errorf("second page %+v", page)
	}
}

func TestPrecheck(t *testing.T) {
	r := start(t, func(c *Config) { c.Engine.Size = 1 })
	check := func(fields ...string) answer {
		contentType, body := form(fields...)
		return r.send(t, r.Key, "POST", "/v1/prechecks", http.Header{"Content-Type": {contentType}}, body)
	}
	var rep struct {
		Outcome, Policy string
		Precheck        bool
	}
	got := check("@picture=fail", "policy=strict")
	if err := json.Unmarshal(got.body, &rep); err != nil || got.status != 200 || rep.Outcome != "fail" || !rep.Precheck || rep.Policy != "strict@1" {
		t.Errorf("%d %s", got.status, got.body)
	}
	r.is(t, "declared", check("@picture=good", "id_number="+seedID), 422, "form")
	r.is(t, "no picture", check("policy=strict"), 422, "picture_missing")
	r.is(t, "no policy", check("@picture=a", "policy="+seedID), 422, "form")
	r.is(t, "an object", r.ask(t, r.Key, "POST", "/v1/prechecks", map[string]string{"object": "a"}, nil), 415, "media_type")
	r.is(t, "the child dies", check("@picture=crash "+filepath.Join(t.TempDir(), "n")+" 1"), 503, "unavailable")

	busy := make(chan answer)
	for range precheckShare {
		go func() { busy <- check("@picture=sleep 1s") }()
	}
	time.Sleep(300 * time.Millisecond)
	got = check("@picture=good")
	r.is(t, "busy", got, 503, "unavailable")
	if got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	for range precheckShare {
		r.is(t, "waited", <-busy, 200, "")
	}
}

func TestEndpointsAndEvents(t *testing.T) {
	r := start(t, nil)
	var e struct{ ID, URL, Secret string }
	r.ask(t, r.Key, "POST", "/v1/webhook-endpoints", map[string]any{"url": "https://hooks.invalid/heyan", "types": []string{"verification.completed"}}, &e)
	if !strings.HasPrefix(e.Secret, "whsec_") {
		t.Fatalf("made %+v", e)
	}
	for name, body := range map[string]any{
		"no TLS":    map[string]any{"url": "http://example.com/"},
		"loopback":  map[string]any{"url": "https://127.0.0.1/"},
		"metadata":  map[string]any{"url": "https://169.254.169.254/"},
		"password":  map[string]any{"url": "https://a:b@example.com/"},
		"no URL":    map[string]any{"url": seedEmail},
		"no type":   map[string]any{"url": "https://example.com/", "types": []string{"A B"}},
		"type of 1": map[string]any{"url": "https://example.com/", "types": 1},
	} {
		r.is(t, name, r.ask(t, r.Key, "POST", "/v1/webhook-endpoints", body, nil), 422, "invalid_request")
	}
	var rotated struct{ Secret string }
	r.ask(t, r.Key, "POST", "/v1/webhook-endpoints/"+e.ID+"/rotate", nil, &rotated)
	if rotated.Secret == e.Secret || !strings.HasPrefix(rotated.Secret, "whsec_") {
		t.Errorf("rotated to %q", rotated.Secret)
	}
	v := r.done(t, "fail")
	var events struct {
		Events []event
		Next   int64
	}
	r.ask(t, r.Key, "GET", "/v1/events", nil, &events)
	if len(events.Events) != 1 || events.Events[0].Subject != v.ID || events.Next != events.Events[0].Seq || !strings.Contains(string(events.Events[0].Data), "image_blurry") {
		t.Fatalf("events %+v", events)
	}
	about := "/v1/events/" + events.Events[0].ID
	var sent struct{ Deliveries []delivery }
	r.ask(t, r.Key, "GET", about+"/deliveries", nil, &sent)
	if len(sent.Deliveries) != 1 || sent.Deliveries[0].EndpointID != e.ID {
		t.Errorf("deliveries %+v", sent)
	}
	var replayed struct{ Deliveries int }
	r.ask(t, r.Key, "POST", about+"/replay", nil, &replayed)
	if replayed.Deliveries != 1 {
		t.Errorf("replayed to %d", replayed.Deliveries)
	}
	hook := "/v1/webhook-endpoints/" + e.ID
	r.is(t, "disable", r.ask(t, r.Key, "POST", hook+"/disable", nil, nil), 204, "")
	var all struct{ Endpoints []Endpoint }
	r.ask(t, r.Key, "GET", "/v1/webhook-endpoints", nil, &all)
	if len(all.Endpoints) != 1 || all.Endpoints[0].DisabledReason != reasonAsked {
		t.Errorf("endpoints %+v", all)
	}
	r.is(t, "enable", r.ask(t, r.Key, "POST", hook+"/enable", nil, nil), 204, "")
	r.ask(t, r.Key, "GET", fmt.Sprintf("/v1/events?after=%d", events.Next), nil, &events)
	if len(events.Events) != 1 || events.Events[0].Type != "webhook.endpoint_disabled" {
		t.Errorf("events %+v", events)
	}

	contentType, body := form("@picture=good", "callback="+e.ID)
	r.is(t, "callback", r.call(t, "POST", "/v1/verifications", contentType, body), 202, "")
	contentType, body = form("@picture=good", "callback="+records.NewID())
	r.is(t, "no callback", r.call(t, "POST", "/v1/verifications", contentType, body), 422, "form")
	r.is(t, "delete", r.ask(t, r.Key, "DELETE", hook, nil, nil), 204, "")
	r.is(t, "delete again", r.ask(t, r.Key, "DELETE", hook, nil, nil), 404, "not_found")
}

func TestListFilters(t *testing.T) {
	r := start(t, nil)
	failed := r.done(t, "fail")
	r.done(t, "good")
	from := failed.CreatedAt.Add(time.Microsecond).Format(time.RFC3339Nano)
	for query, want := range map[string]int{
		"": 2, "outcome=fail": 1, "status=queued": 0, "organization_id=org-1": 2, "client_reference=order-7": 2, "policy=dingtalk": 2,
		"policy=strict": 0, "reason=image_blurry": 1, "reason=image_glare": 0, "from=" + from: 1, "to=" + from: 1, "organization_id=org-2": 0,
	} {
		var page struct{ Verifications []client.Verification }
		r.ask(t, r.Key, "GET", "/v1/verifications?"+query, nil, &page)
		if len(page.Verifications) != want {
			t.Errorf("%s: %d, want %d", query, len(page.Verifications), want)
		}
	}
	r.is(t, "cursor", r.ask(t, r.Key, "GET", "/v1/verifications?after="+seedPhone, nil, nil), 400, "invalid_cursor")
	var report struct{ SLA []sla }
	r.ask(t, r.Key, "GET", "/v1/sla", nil, &report)
	if len(report.SLA) != 1 || report.SLA[0].Count != 2 || report.SLA[0].Verdict.P99 <= 0 || report.SLA[0].LateMachine != 0 {
		t.Errorf("SLA %+v", report)
	}
	r.is(t, "SLA of no time", r.ask(t, r.Key, "GET", "/v1/sla?from="+seedID, nil, nil), 422, "invalid_request")
	metrics := string(r.send(t, "", "GET", "/metrics", http.Header{}, nil).body)
	for _, want := range []string{
		`heyan_http_request_duration_seconds_count{route="POST /v1/verifications",status="202"} 2`,
		`heyan_http_request_duration_seconds_count{route="GET /v1/sla",status="422"} 1`, "go_goroutines", "process_resident_memory_bytes",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}
