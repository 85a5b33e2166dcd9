package server

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/batch"
	"github.com/heyan/heyan/worker/client"
)

// batch submits one; the fields are those of form.
func (r *running) batch(t *testing.T, fields ...string) client.Batch {
	t.Helper()
	contentType, body := form(fields...)
	got := r.call(t, "POST", batchesPath, contentType, body)
	var b client.Batch
	if err := json.Unmarshal(got.body, &b); err != nil || got.status != http.StatusAccepted || got.header.Get("Location") != batchesPath+"/"+b.ID {
		t.Fatalf("%d %s", got.status, got.body)
	}
	return b
}

// reached waits until a batch is where it shall be.
func (r *running) reached(t *testing.T, id string, there func(client.BatchSummary) bool) client.BatchSummary {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		s, err := r.BatchSummary(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if there(s) {
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("it stands at %+v", s)
		}
	}
}

func over(s client.BatchSummary) bool { return s.Batch.State == records.BatchDone }

// lines are the results of a batch.
func (r *running) lines(t *testing.T, id, kind string) map[string]batch.Result {
	t.Helper()
	body, err := r.BatchFile(t.Context(), id, kind, batch.JSONL, batch.English)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	all := map[string]batch.Result{}
	for d := json.NewDecoder(body); ; {
		var result batch.Result
		if err := d.Decode(&result); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[fmt.Sprint(result.Line)] = result
	}
}

func archive(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Pictures come from the ZIP, from an upload, and from the organization's last
// verification; what is wrong with a line stops no other.
func TestBatch(t *testing.T) {
	r := start(t, nil)
	r.done(t, "good") // of org-1
	text := "custom_id,organization_id,id_number,picture,colour\n" +
		"a,org-a," + seedID + ",a.jpg,red\n" +
		"b,org-b,,b/b.jpg,\n" +
		"c,org-c,," + r.upload(t, r.Key, "good") + ",\n" +
		"d,org-1,,,\n" +
		"e,org-e,,,\n" + // nothing is stored
		"f,,,,\n" + // and nobody's picture
		"g,,,../secret.jpg,\n" +
		"h,,,none.jpg,\n" +
		"i,,,bomb.jpg,\n" +
		"a,org-z,,a.jpg,\n"
	b := r.batch(t, "@file="+text, "name=年审", "policy=strict",
		"@pictures="+archive(t, map[string]string{"a.jpg": "good", "b/b.jpg": "fail", "bomb.jpg": strings.Repeat("x", maxPicture+1)}))
	if b.State != records.BatchLoading || b.Name != "年审" || b.Policy != "strict" || b.Priority != "batch" || b.File.Format != batch.CSV ||
		b.File.Encoding != "utf-8" || fmt.Sprint(b.File.Ignored) != "[colour]" {
		t.Errorf("accepted %+v, %+v", b, b.File)
	}
	s := r.reached(t, b.ID, over)
	if got := s.Batch; got.Lines != 10 || got.Bad != 6 || got.Submitted != 4 || got.Done != 4 || got.Waiting != 0 || got.DoneAt == nil || got.PerSecond <= 0 {
		t.Errorf("done %+v", got)
	}
	if fmt.Sprint(s.Outcomes) != "map[fail:1 pass:3]" || fmt.Sprint(s.Reasons) != "map[image_blurry:1]" || s.Unread != 0 {
		t.Errorf("summary %+v", s)
	}
	results := r.lines(t, b.ID, "results")
	for line, want := range map[string]string{"2": "done pass", "3": "done fail image_blurry", "4": "done pass", "5": "done pass", "6": "bad no_stored_picture picture",
		"7": "bad missing picture", "8": "bad outside picture", "9": "bad not_found picture", "10": "bad too_large picture", "11": "bad duplicate_custom_id custom_id"} {
		got := results[line]
		words := []string{got.Status}
		if got.Outcome != "" {
			words = append(words, string(got.Outcome))
		}
		for _, reason := range got.Reasons {
			words = append(words, reason.Code)
			if reason.Message.ZH == "" || reason.NextStep == "" {
				t.Errorf("line %s: reason %+v", line, reason)
			}
		}
		for _, e := range got.Errors {
			words = append(words, string(e.Rule), e.Column)
		}
		if fmt.Sprint(words) != "["+want+"]" || (got.VerificationID != "") != (got.Status == "done") {
			t.Errorf("line %s: %v, want %s; %+v", line, words, want, got)
		}
	}
	if bad := r.lines(t, b.ID, "errors"); len(bad) != 6 || bad["2"].Line != 0 {
		t.Errorf("errors %+v", bad)
	}
	for format, begin := range map[string]string{"csv": "\uFEFF行号", "xlsx": "PK\x03\x04", "jsonl": `{"line":2`} {
		if got := r.ask(t, r.Key, "GET", batchesPath+"/"+b.ID+"/results?format="+format, nil, nil); !strings.HasPrefix(string(got.body), begin) || got.header.Get("Content-Type") != resultTypes[batch.Format(format)] {
			t.Errorf("%s: %d %v %.100q", format, got.status, got.header, got.body)
		}
	}
	v := results["2"]
	var seen struct {
		Declared struct {
			OrganizationID string `json:"organization_id"`
		}
	}
	r.ask(t, r.Key, "GET", "/v1/verifications/"+v.VerificationID, nil, &seen)
	if seen.Declared.OrganizationID != "org-a" {
		t.Errorf("declared %+v", seen)
	}
	if strings.Contains(r.log.String(), seedID) {
		t.Error("personal data in the log")
	}
	var page struct{ Batches []client.Batch }
	r.ask(t, r.Key, "GET", batchesPath, nil, &page)
	if len(page.Batches) != 1 || page.Batches[0].ID != b.ID {
		t.Errorf("batches %+v", page)
	}
	for _, action := range []string{"pause", "resume", "cancel"} {
		r.is(t, action+" what is done", r.ask(t, r.Key, "POST", batchesPath+"/"+b.ID+"/"+action, nil, nil), 409, "batch_state")
	}
}

// A paused batch submits nothing, and what is cancelled never is.
func TestBatchPaused(t *testing.T) {
	r := start(t, func(c *Config) { c.Engine.Size = 1 })
	text := "custom_id,picture\n"
	for i := range 3000 {
		text += fmt.Sprintf("%d,a.jpg\n", i)
	}
	b := r.batch(t, "@file="+text, "@pictures="+archive(t, map[string]string{"a.jpg": "sleep 20ms"}))
	r.reached(t, b.ID, func(s client.BatchSummary) bool {
		return s.Batch.State == records.BatchRunning && s.Batch.Submitted > 0
	})
	r.is(t, "pause", r.ask(t, r.Key, "POST", batchesPath+"/"+b.ID+"/pause", nil, nil), 200, "")
	time.Sleep(300 * time.Millisecond) // lines that were taken before
	before, err := r.BatchSummary(t.Context(), b.ID)
	if err != nil {
		t.Fatal(err)
	}
	r.reached(t, b.ID, func(s client.BatchSummary) bool { return s.Batch.Done > before.Batch.Done+10 })
	if s, err := r.BatchSummary(t.Context(), b.ID); err != nil || s.Batch.Submitted > before.Batch.Submitted+100 || s.Batch.State != records.BatchPaused {
		t.Errorf("paused at %+v, then %+v, %v", before.Batch, s.Batch, err)
	}
	r.is(t, "resume", r.ask(t, r.Key, "POST", batchesPath+"/"+b.ID+"/resume", nil, nil), 200, "")
	r.is(t, "cancel", r.ask(t, r.Key, "POST", batchesPath+"/"+b.ID+"/cancel", nil, nil), 200, "")
	s := r.reached(t, b.ID, func(client.BatchSummary) bool { return true })
	if s.Batch.State != records.BatchCancelled || s.Batch.Waiting != 0 || s.Batch.Cancelled+s.Batch.Submitted != 3000 {
		t.Errorf("cancelled %+v", s.Batch)
	}
	r.is(t, "resume what is cancelled", r.ask(t, r.Key, "POST", batchesPath+"/"+b.ID+"/resume", nil, nil), 409, "batch_state")
}

func TestBatchRefusals(t *testing.T) {
	r := start(t, nil)
	for _, tt := range []struct {
		name   string
		fields []string
		status int
		kind   string
		says   string
	}{
		{"no file", []string{"name=x"}, 422, "form", "missing"},
		{"two files", []string{"@file=custom_id\n1", "@file=custom_id\n1"}, 422, "form", "twice"},
		{"unknown field", []string{"@file=custom_id\n1", seedPhone + "=1"}, 422, "form", "not known"},
		{"unknown policy", []string{"@file=custom_id\n1", "policy=" + seedPhone}, 422, "form", "policy"},
		{"unknown priority", []string{"@file=custom_id\n1", "priority=" + seedPhone}, 422, "form", "priority"},
		{"long name", []string{"@file=custom_id\n1", "name=" + strings.Repeat("x", 129)}, 422, "form", "name"},
		{"empty", []string{"@file="}, 422, "batch_file", "empty"},
		{"missing column", []string{"@file=" + seedPhone + ",b\n1,2"}, 422, "batch_file", "missing_column"},
		{"duplicate column", []string{"@file=custom_id,custom_id\n1,2"}, 422, "batch_file", "duplicate_column"},
		{"UTF-16", []string{"@file=\xFF\xFEc\x00"}, 422, "batch_file", "utf16"},
		{"not text", []string{"@file=\x00\x01\x02"}, 422, "batch_file", "not_text"},
		{"old spreadsheet", []string{"@file=\xD0\xCF\x11\xE0"}, 422, "batch_file", "old_spreadsheet"},
		{"too many columns", []string{"@file=custom_id" + strings.Repeat(",x", 300_000) + "\n1"}, 422, "batch_file", "too_many_columns"},
		{"a ZIP that is no spreadsheet", []string{"@file=" + archive(t, map[string]string{"a": "b"})}, 422, "batch_file", "damaged"},
		{"pictures are no ZIP", []string{"@file=custom_id\n1", "@pictures=" + seedPhone}, 422, "batch_file", "damaged"},
	} {
		contentType, body := form(tt.fields...)
		got := r.call(t, "POST", batchesPath, contentType, body)
		r.problem(t, tt.name, tt.status, tt.kind, got)
		if !strings.Contains(string(got.body), tt.says) || strings.Contains(string(got.body), seedPhone) {
			t.Errorf("%s: %s", tt.name, got.body)
		}
	}
	contentType, body := form("@file=custom_id\n1")
	whole := body.Bytes()
	r.is(t, "cut", r.call(t, "POST", batchesPath, contentType, bytes.NewReader(whole[:len(whole)-30])), 400, "malformed_body")
	r.is(t, "no form", r.call(t, "POST", batchesPath, "application/json", strings.NewReader("{}")), 415, "media_type")
	if n := countFiles(t, r.dir+"/objects/objects"); n != 0 {
		t.Errorf("%d objects of batches that never were", n)
	}
	// GB18030 is taken, and said.
	text, err := simplifiedchinese.GB18030.NewEncoder().String("自定义编号,企业名称\n甲一,某某\n")
	if err != nil {
		t.Fatal(err)
	}
	b := r.batch(t, "@file="+text)
	if b.File.Encoding != "gb18030" {
		t.Errorf("encoding %q", b.File.Encoding)
	}
	if s := r.reached(t, b.ID, over); s.Batch.Bad != 1 || r.lines(t, b.ID, "errors")["2"].CustomID != "甲一" {
		t.Errorf("%+v", s.Batch)
	}
	// What breaks in the middle of a file leaves what stands before it.
	b = r.batch(t, "@file=custom_id,picture\n1,"+r.upload(t, r.Key, "good")+"\n\"open\n")
	if s := r.reached(t, b.ID, over); s.Batch.Bad != 1 || s.Batch.Done != 1 {
		t.Errorf("%+v", s.Batch)
	}
}

// Every format goes all the way; a file of results is one of lines again.
func TestBatchFormats(t *testing.T) {
	r := start(t, nil)
	r.done(t, "good") // of org-1
	for _, format := range []batch.Format{batch.CSV, batch.JSONL, batch.XLSX} {
		var file bytes.Buffer
		w, err := batch.NewWriter(&file, format, batch.English)
		for i := range 3 {
			if err == nil {
				err = w.Write(batch.Result{Line: i, CustomID: fmt.Sprintf("%s-%d", format, i), OrganizationID: "org-1"})
			}
		}
		if err == nil {
			err = w.Close()
		}
		var b client.Batch
		if err == nil {
			b, err = r.SubmitBatch(t.Context(), client.BatchUpload{FileName: "results." + string(format), File: &file})
		}
		if err != nil {
			t.Fatal(err)
		}
		s := r.reached(t, b.ID, func(s client.BatchSummary) bool { return over(s) || s.Batch.Bad > 0 })
		if b.File.Format != format || s.Batch.Lines != 3 || s.Outcomes["pass"] != 3 {
			t.Errorf("%s: %+v, %+v; %+v", format, b.File, s, r.lines(t, b.ID, "errors"))
		}
	}
}
