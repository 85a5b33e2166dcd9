package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/client"
)

// Seeded personal data: invented, of valid form. None of it may be found
// anywhere but in the engine.
const (
	seedID    = "11010519491231002X"
	seedPhone = "13800138000"
	seedEmail = "seed.person@example.com"
)

var seeds = []string{seedID, seedPhone, seedEmail}

func declared() report.Submission {
	return report.Submission{Declared: report.Declared{
		OrganizationID: "org-1", Name: "示例科技有限公司", LegalRepresentative: "某某",
		IDNumber: seedID, Phone: seedPhone, Email: seedEmail,
	}, File: seedID + ".jpg", ClientReference: "order-7"}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// recorder keeps every answer's header and body.
type recorder struct{ answers syncBuffer }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err == nil {
		fmt.Fprintln(&r.answers, resp.Header)
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(resp.Body, &r.answers), resp.Body}
	}
	return resp, err
}

// running is a service in this process.
type running struct {
	client.HTTP
	dir string
	dsn string // of the records; empty: in dir
	log syncBuffer
	rec recorder
	end func() error // drains it
}

func start(t *testing.T, change func(*Config)) *running {
	t.Helper()
	r := &running{dir: t.TempDir()}
	cfg, err := quick(r.dir, &r.log)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&cfg)
	}
	r.dsn = cfg.Records
	ready := make(chan net.Addr, 1)
	cfg.Ready = func(a net.Addr) { ready <- a }
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, cfg) }()
	select {
	case a := <-ready:
		r.Base, r.Key = "http://"+a.String(), firstKey(t, cfg.DataDir)
	case err := <-ended:
		t.Fatal(err)
	}
	r.Client = &http.Client{Transport: &r.rec}
	r.end = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := r.end(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func deadline(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func submit(t *testing.T, h *client.HTTP, picture string) client.Verification {
	t.Helper()
	v, err := h.Submit(t.Context(), []byte(picture), declared(), "")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSubmitToReport(t *testing.T) {
	r := start(t, nil)
	v := submit(t, &r.HTTP, "good")
	if v.Status != report.StatusQueued || v.ID == "" || v.Policy != "dingtalk" || v.Priority != "standard" || v.DeadlineAt.Sub(v.CreatedAt) != 30*time.Minute {
		t.Errorf("acknowledged %+v", v)
	}
	done, err := r.Wait(deadline(t, 10*time.Second), v.ID)
	if err != nil {
		t.Fatal(err)
	}
	if done.Outcome != report.OutcomePass || done.Report == nil || done.Report.ID != v.ID || done.CompletedAt == nil || done.ClientReference != "order-7" {
		t.Errorf("completed %+v", done)
	}
	if done.Report.File != "" {
		t.Errorf("the name of the file was kept: %q", done.Report.File)
	}
}

func TestIdempotency(t *testing.T) {
	r := start(t, nil)
	ctx := t.Context()
	first, err := r.Submit(ctx, []byte("good"), declared(), "key-1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.Submit(ctx, []byte("good"), declared(), "key-1")
	if err != nil || again.ID != first.ID {
		t.Errorf("replay: %s, %v, want %s", again.ID, err, first.ID)
	}
	if !strings.Contains(r.rec.answers.String(), "Idempotent-Replayed:[true]") {
		t.Error("no Idempotent-Replayed header")
	}
	other := declared()
	other.IDNumber = "110105194912310038"
	for name, call := range map[string]func() (client.Verification, error){
		"other picture":    func() (client.Verification, error) { return r.Submit(ctx, []byte("other"), declared(), "key-1") },
		"other submission": func() (client.Verification, error) { return r.Submit(ctx, []byte("good"), other, "key-1") },
	} {
		_, err := call()
		var p *client.Problem
		if !errors.As(err, &p) || p.Status != http.StatusConflict || p.Type != "urn:heyan:problem:idempotency_conflict" {
			t.Errorf("%s: got %v, want a conflict", name, err)
		}
	}
	if _, err := r.Wait(deadline(t, 10*time.Second), first.ID); err != nil {
		t.Fatal(err)
	}
	if n := countFiles(t, filepath.Join(r.dir, "objects", "objects")); n != 1 {
		t.Errorf("%d pictures stored, want 1", n)
	}
}

func countFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEngineDeaths(t *testing.T) {
	r := start(t, nil)
	for _, tt := range []struct {
		name, picture string
		outcome       report.Outcome
		reasons       string
	}{
		{"once", "crash " + filepath.Join(t.TempDir(), "n") + " 1", report.OutcomePass, "[]"},
		{"twice", "crash " + filepath.Join(t.TempDir(), "n") + " 2", report.OutcomePass, "[]"},
		{"always", "crash " + filepath.Join(t.TempDir(), "n") + " 1000", report.OutcomeReview, "[system_engine_failed]"},
		{"refused for good", "refuse", report.OutcomeReview, "[system_engine_failed]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := r.Wait(deadline(t, 20*time.Second), submit(t, &r.HTTP, tt.picture).ID)
			if err != nil {
				t.Fatal(err)
			}
			if v.Outcome != tt.outcome || fmt.Sprint(v.Reasons) != tt.reasons || v.Report.Status != report.StatusCompleted {
				t.Errorf("got %s %v, want %s %s", v.Outcome, v.Reasons, tt.outcome, tt.reasons)
			}
		})
	}
}

// A child killed from outside at work costs an attempt, not the verification.
func TestChildKilledFromOutside(t *testing.T) {
	r := start(t, func(c *Config) { c.Engine.Size = 1 })
	before, err := r.Wait(deadline(t, 10*time.Second), submit(t, &r.HTTP, "good").ID)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(before.Report.Versions["pid"])
	if err != nil {
		t.Fatal(err)
	}
	v := submit(t, &r.HTTP, "sleep 600ms")
	time.Sleep(300 * time.Millisecond)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	done, err := r.Wait(deadline(t, 10*time.Second), v.ID)
	if err != nil || done.Outcome != report.OutcomePass || done.Report.Versions["pid"] == before.Report.Versions["pid"] {
		t.Errorf("got %s, %v", done.Outcome, err)
	}
}

// A picture that the store has lost is a person's case, not an endless one.
func TestPictureLost(t *testing.T) {
	r := start(t, func(c *Config) { c.Engine.Size = 1 })
	submit(t, &r.HTTP, "sleep 600ms")
	time.Sleep(300 * time.Millisecond) // its picture is in the engine by now
	v := submit(t, &r.HTTP, "good")
	objects := filepath.Join(r.dir, "objects", "objects")
	if n := countFiles(t, objects); n != 2 {
		t.Fatalf("%d pictures, want 2", n)
	}
	entries, err := os.ReadDir(objects)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(objects, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	done, err := r.Wait(deadline(t, 20*time.Second), v.ID)
	if err != nil || done.Outcome != report.OutcomeReview || fmt.Sprint(done.Reasons) != "[system_storage_unavailable]" {
		t.Errorf("got %s %v, %v", done.Outcome, done.Reasons, err)
	}
}

func TestDrainFinishesAndKeeps(t *testing.T) {
	r := start(t, func(c *Config) { c.Engine.Size = 1 })
	working, waiting := submit(t, &r.HTTP, "sleep 500ms"), submit(t, &r.HTTP, "sleep 400ms")
	time.Sleep(250 * time.Millisecond)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	log := r.log.String()
	if !strings.Contains(log, `"verified","verification":"`+working.ID) {
		t.Error("the picture at work was not finished")
	}
	dir := r.dir
	again := start(t, func(c *Config) { c.DataDir = dir })
	for _, id := range []string{working.ID, waiting.ID} {
		if v, err := again.Wait(deadline(t, 10*time.Second), id); err != nil || v.Outcome != report.OutcomePass {
			t.Errorf("%s: %s, %v", id, v.Outcome, err)
		}
	}
}

func TestList(t *testing.T) {
	r := start(t, nil)
	var want []string
	for range 5 {
		v := submit(t, &r.HTTP, "good")
		want = append([]string{v.ID}, want...)
		if _, err := r.Wait(deadline(t, 10*time.Second), v.ID); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for next := ""; ; {
		var page struct {
			Verifications []client.Verification
			Next          string
		}
		resp := r.call(t, http.MethodGet, "/v1/verifications?limit=2&status=completed&after="+next, "", nil)
		if err := json.Unmarshal(resp.body, &page); err != nil || resp.status != http.StatusOK {
			t.Fatalf("%d %s", resp.status, resp.body)
		}
		for _, v := range page.Verifications {
			got = append(got, v.ID)
		}
		if next = page.Next; next == "" {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (r *running) call(t *testing.T, method, path, contentType string, body io.Reader) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.Base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if r.Key != "" {
		req.Header.Set("Authorization", "Bearer "+r.Key)
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

// form is a multipart body of fields, each name=value; "@picture=" makes a file.
func form(fields ...string) (string, *bytes.Buffer) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		if file, ok := strings.CutPrefix(name, "@"); ok {
			part, _ := w.CreateFormFile(file, seedID+"\n.jpg")
			_, _ = part.Write([]byte(value))
		} else {
			_ = w.WriteField(name, value)
		}
	}
	w.Close()
	return w.FormDataContentType(), &b
}

func TestRefusals(t *testing.T) {
	r := start(t, nil)
	for _, tt := range []struct {
		name   string
		fields []string
		status int
		kind   string
	}{
		{"no picture", []string{"name=x"}, 422, "picture_missing"},
		{"empty picture", []string{"@picture="}, 422, "picture_empty"},
		{"two pictures", []string{"@picture=a", "@picture=b"}, 422, "form"},
		{"picture too large", []string{"@picture=" + strings.Repeat("x", maxPicture+1)}, 413, "picture_too_large"},
		{"body too large", []string{"@picture=" + strings.Repeat("x", maxBody)}, 413, "picture_too_large"},
		{"unknown field", []string{"@picture=a", seedID + "=1"}, 422, "form"},
		{"field twice", []string{"@picture=a", "id_number=" + seedID, "id_number=" + seedID}, 422, "form"},
		{"long value", []string{"@picture=a", "id_number=" + strings.Repeat(seedID, 99)}, 422, "form"},
		{"control characters", []string{"@picture=a", "phone=" + seedPhone + "\x00"}, 422, "form"},
		{"not UTF-8", []string{"@picture=a", "email=" + seedEmail + "\xff"}, 422, "form"},
		{"unknown policy", []string{"@picture=a", "policy=../" + seedID}, 422, "form"},
		{"unknown priority", []string{"@picture=a", "priority=" + seedID}, 422, "form"},
		{"unknown purpose", []string{"@picture=a", "purpose=" + seedID}, 422, "form"},
		{"no time", []string{"@picture=a", "consent_at=" + seedID}, 422, "form"},
	} {
		contentType, body := form(tt.fields...)
		r.problem(t, tt.name, tt.status, tt.kind, r.call(t, http.MethodPost, "/v1/verifications", contentType, body))
	}
	contentType, body := form("@picture=abc")
	whole := body.Bytes()
	cut := bytes.NewReader(whole[:len(whole)/2])
	for _, tt := range []struct {
		name, method, path, contentType string
		body                            io.Reader
		status                          int
		kind                            string
	}{
		{"neither form nor JSON", "POST", "/v1/verifications", "text/plain", strings.NewReader(`{"id_number":"` + seedID + `"}`), 415, "media_type"},
		{"no object", "POST", "/v1/verifications", "application/json", strings.NewReader(`{"id_number":"` + seedID + `"}`), 422, "picture_missing"},
		{"no upload", "POST", "/v1/verifications", "application/json", strings.NewReader(`{"object":"uploads/default/` + seedID + `"}`), 422, "upload_missing"},
		{"field twice", "POST", "/v1/verifications", "application/json", strings.NewReader(`{"object":"a","phone":"` + seedPhone + `","phone":"1"}`), 422, "form"},
		{"no string", "POST", "/v1/verifications", "application/json", strings.NewReader(`{"object":"a","phone":` + seedPhone + `}`), 422, "form"},
		{"unknown name", "POST", "/v1/verifications", "application/json", strings.NewReader(`{"` + seedPhone + `":1}`), 422, "form"},
		{"no JSON", "POST", "/v1/verifications", "application/json", strings.NewReader(seedPhone), 400, "malformed_body"},
		{"no boundary", "POST", "/v1/verifications", "multipart/form-data", strings.NewReader(seedID), 400, "malformed_body"},
		{"cut body", "POST", "/v1/verifications", contentType, cut, 400, "malformed_body"},
		{"endless body", "POST", "/v1/verifications", contentType, io.MultiReader(bytes.NewReader(whole[:bytes.Index(whole, []byte("abc"))]), io.LimitReader(zeros{}, 200<<20)), 413, "picture_too_large"},
		{"no such verification", "GET", "/v1/verifications/" + seedID, "", nil, 404, "not_found"},
		{"nowhere", "GET", "/v2/" + seedID, "", nil, 404, "not_found"},
		{"wrong method", "DELETE", "/v1/prechecks", "", nil, 405, "method_not_allowed"},
		{"wait too long", "GET", "/v1/verifications/x?wait=31", "", nil, 422, ""},
		{"wait is no number", "GET", "/v1/verifications/x?wait=" + seedID, "", nil, 422, ""},
		{"status is no status", "GET", "/v1/verifications?status=" + seedEmail, "", nil, 422, ""},
	} {
		r.problem(t, tt.name, tt.status, tt.kind, r.call(t, tt.method, tt.path, tt.contentType, tt.body))
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// problem checks that an answer is a problem without the caller's values.
func (r *running) problem(t *testing.T, name string, status int, kind string, got answer) {
	t.Helper()
	var p client.Problem
	if err := json.Unmarshal(got.body, &p); err != nil || got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: not a problem: %v %s %s", name, err, got.header, got.body)
		return
	}
	if got.status != status || p.Status != status || kind != "" && p.Type != "urn:heyan:problem:"+kind {
		t.Errorf("%s: got %d %s, want %d %s", name, got.status, got.body, status, kind)
	}
	for _, seed := range seeds {
		if bytes.Contains(got.body, []byte(seed)) {
			t.Errorf("%s: the answer repeats personal data: %s", name, got.body)
		}
	}
}

func TestOperationalAnswers(t *testing.T) {
	r := start(t, nil)
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json"} {
		got := r.call(t, http.MethodGet, path, "", nil)
		if got.status != http.StatusOK || !json.Valid(got.body) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
			if got.header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got.header.Get(name), want)
			}
		}
		if got.header.Get("X-Request-Id") == "" || !strings.Contains(got.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: headers %v", path, got.header)
		}
	}
	if got := r.call(t, http.MethodGet, "/docs", "", nil); got.status != http.StatusNotFound {
		t.Errorf("/docs: %d", got.status)
	}
	begin := time.Now()
	v := submit(t, &r.HTTP, "sleep 4s")
	if got := r.call(t, http.MethodGet, "/v1/verifications/"+v.ID+"?wait=1", "", nil); got.status != http.StatusOK || !bytes.Contains(got.body, []byte(`"queued"`)) || time.Since(begin) < time.Second {
		t.Errorf("long poll: %d %s after %s", got.status, got.body, time.Since(begin))
	}
	req, err := http.NewRequest(http.MethodPost, r.Base+"/v1/verifications", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := r.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("a page of another origin got %d", resp.StatusCode)
	}
}

// After a full run the seeded personal data is found nowhere but sealed.
func TestNoPersonalDataAnywhere(t *testing.T) {
	server, address := startRedis(t)
	r := start(t, func(c *Config) { c.Redis = address })
	r.Key = r.newKey(t, "default", time.Time{}, records.ScopeSubmit, records.ScopeRead)
	for _, picture := range []string{"good", "crash " + filepath.Join(t.TempDir(), "n") + " 1", "refuse"} {
		if _, err := r.Wait(deadline(t, 20*time.Second), submit(t, &r.HTTP, picture).ID); err != nil {
			t.Fatal(err)
		}
	}
	submit(t, &r.HTTP, "sleep 30s") // still in the queue
	queue := server.dump(t)
	if !strings.Contains(queue, "verification") {
		t.Fatalf("the queue's contents were not seen: %q", queue)
	}
	r.call(t, http.MethodGet, "/v1/verifications", "", nil)
	places := map[string]string{"queue": queue, "log": r.log.String(), "answers": r.rec.answers.String()}
	err := filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			places["name of "+path] = d.Name()
			return err
		}
		text, err := os.ReadFile(path)
		places[path] = d.Name() + string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(places["log"], "reading for <masked>") {
		t.Error("the engine's stderr did not reach the log")
	}
	for place, text := range places {
		for _, seed := range append(seeds, "某某", "示例科技") {
			if strings.Contains(text, seed) {
				t.Errorf("%s holds %q", place, seed)
			}
		}
	}
}

// The service is killed at random moments; what it acknowledged is verified,
// and no verdict changes once it was seen.
func TestKilledAtRandomMoments(t *testing.T) {
	const submissions, kills = 60, 5
	random := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	var log syncBuffer
	cmd, base := startServe(t, dir, &log)
	acknowledged := map[string]string{} // id: nonce of the verdict first seen
	look := func(h *client.HTTP) {
		for id := range acknowledged {
			v, err := h.Get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if v.Status != report.StatusCompleted {
				continue
			}
			verdict := string(v.Outcome) + v.Report.Versions["nonce"]
			if seen := acknowledged[id]; seen != "" && seen != verdict {
				t.Errorf("%s: the verdict changed from %s to %s", id, seen, verdict)
			}
			acknowledged[id] = verdict
		}
	}
	next, restarts := 0, 0
	for next < submissions {
		h := &client.HTTP{Base: base, Key: firstKey(t, dir)}
		var killer *time.Timer
		if restarts < kills {
			killer = time.AfterFunc(time.Duration(100+random.IntN(400))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		}
		for next < submissions {
			v, err := h.Submit(t.Context(), []byte(fmt.Sprintf("sleep %dms", random.IntN(60))), declared(), fmt.Sprint("key-", next))
			var p *client.Problem
			if errors.As(err, &p) && p.Status == http.StatusConflict {
				// The call before it was stored but not answered: another
				// picture now. Ask for nothing; it was not acknowledged.
				next++
				continue
			}
			if err != nil && killer == nil {
				t.Fatalf("%v\n%s", err, log.String())
			}
			if err != nil {
				break // not acknowledged
			}
			acknowledged[v.ID] = ""
			next++
		}
		if killer != nil {
			_ = cmd.Wait() // by the killer
			restarts++
			cmd, base = startServe(t, dir, &log)
			look(&client.HTTP{Base: base, Key: firstKey(t, dir)})
		}
	}
	h := &client.HTTP{Base: base, Key: firstKey(t, dir)}
	for id := range acknowledged {
		if _, err := h.Wait(deadline(t, 30*time.Second), id); err != nil {
			t.Fatalf("%s: %v\n%s", id, err, log.String())
		}
	}
	look(h)
	outcomes := map[report.Outcome]int{}
	for id := range acknowledged {
		v, err := h.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		outcomes[v.Outcome]++
	}
	if restarts == 0 || len(acknowledged) < submissions-kills || outcomes[report.OutcomePass]+outcomes[report.OutcomeReview] != len(acknowledged) {
		t.Errorf("%d restarts, %d acknowledged, outcomes %v", restarts, len(acknowledged), outcomes)
	}
	t.Logf("%d restarts, %d acknowledged, outcomes %v", restarts, len(acknowledged), outcomes)
}

func TestServeRefusesToStart(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no engine":      func(c *Config) { c.Engine.Command = []string{"/nonexistent/engine"} },
		"no Redis":       func(c *Config) { c.Redis = "127.0.0.1:1" },
		"port in use":    func(c *Config) { c.Listen = "256.0.0.1:1" },
		"no data folder": func(c *Config) { c.DataDir = "" },
	} {
		cfg, err := quick(t.TempDir(), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if err := Serve(deadline(t, 20*time.Second), cfg); err == nil {
			t.Errorf("%s: it served", name)
		}
	}
}
