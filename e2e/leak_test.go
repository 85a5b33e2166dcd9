package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"strings"
	"testing"

	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/client"
)

// person is whose data must stay sealed: numbers that nobody has.
type person struct{ id, phone, email string }

func newPerson(number int) person {
	id := fmt.Sprintf("11010519%02d1231%03d", 50+number/1000, number%1000)
	sum := 0
	for i, weight := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += weight * int(id[i]-'0')
	}
	return person{id + string("10X98765432"[sum%11]), fmt.Sprintf("1390000%04d", number), fmt.Sprintf("person%04d@leak.example", number)}
}

// form is a submission of a person, in a file that carries their name.
func form(t *testing.T, picture []byte, p person, fields ...string) (contentType string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := m.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := m.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="picture"; filename="%s %s.jpg"`, p.id, p.phone)},
		"Content-Type":        {"image/" + p.phone},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(picture); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return m.FormDataContentType(), b.Bytes()
}

func (p person) fields(more ...string) []string {
	return append([]string{"name", "霁川测试有限公司", "id_number", p.id, "phone", p.phone, "email", p.email, "policy", "photo"}, more...)
}

// fullRun makes the deployment do all that it does with people's data, and all
// that it refuses.
func (w *witness) fullRun(t *testing.T, d *deployment, people []person) {
	received := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var head bytes.Buffer
		_ = r.Header.Write(&head) // a buffer takes everything
		w.add("webhooks", head.Bytes(), body)
	}))
	t.Cleanup(received.Close)
	status, answer := w.call(t, d, http.MethodPost, "/v1/webhook-endpoints", "application/json", []byte(`{"url":"`+received.URL+`"}`))
	if status != http.StatusCreated {
		t.Fatalf("%d: %s", status, answer)
	}
	sample, err := os.ReadFile("../testdata/samples/clean_pass.jpg")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i, p := range people {
		picture := [][]byte{tile(i), []byte("no picture"), []byte(dieOn), sample}[i%4]
		contentType, body := form(t, picture, p, p.fields("priority", worker.Priorities[i%len(worker.Priorities)])...)
		status, answer := w.call(t, d, http.MethodPost, "/v1/verifications", contentType, body, "Idempotency-Key", fmt.Sprint(i))
		var v struct{ ID string }
		if err := json.Unmarshal(answer, &v); err != nil || status != http.StatusAccepted {
			t.Fatalf("%d: %s", status, answer)
		}
		ids = append(ids, v.ID)
		w.refusals(t, d, p, i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), settleTimeout)
	defer cancel()
	for _, id := range ids {
		if _, err := d.Wait(ctx, id); err != nil {
			t.Fatalf("%s: %v; last words\n%s", id, err, d.lastWords())
		}
		for _, path := range []string{"", "/attempts", "/picture"} {
			w.call(t, d, http.MethodGet, "/v1/verifications/"+id+path, "", nil)
		}
	}
	w.batch(t, d, people)
	for _, path := range []string{"/v1/batches", "/v1/verifications", "/v1/events", "/v1/audit", "/v1/sla", "/v1/keys", "/v1/webhook-endpoints", "/metrics", "/readyz", "/openapi.json"} {
		if status, answer := w.call(t, d, http.MethodGet, path, "", nil); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	w.call(t, d, http.MethodDelete, "/v1/verifications/"+ids[0], "", nil)
	w.unmask(t, d, ids[1], people[1])
}

// batch hands everybody in once more, in a file whose lines have no pictures, and
// looks at all that is told of it.
func (w *witness) batch(t *testing.T, d *deployment, people []person) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	part, err := m.CreateFormFile("file", people[0].phone+".csv")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(part, "custom_id,organization_id,id_number,phone,email,picture")
	for i, p := range people {
		fmt.Fprintf(part, "%d,,%s,%s,%s,none.jpg\n%d,,%s,%s,\"%s\n\",\n", i, p.id, p.phone, p.email, i, p.id, p.phone, p.email)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	status, answer := w.call(t, d, http.MethodPost, "/v1/batches", m.FormDataContentType(), b.Bytes())
	var made client.Batch
	if err := json.Unmarshal(answer, &made); err != nil || status != http.StatusAccepted {
		t.Fatalf("%d: %s", status, answer)
	}
	d.awaitBatch(t, made.ID, func(s client.BatchSummary) bool { return s.Batch.State == records.BatchDone })
	for _, path := range []string{"", "/summary", "/results?format=jsonl", "/errors?format=csv"} {
		if status, answer := w.call(t, d, http.MethodGet, "/v1/batches/"+made.ID+path, "", nil); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}

// unmask shows that what nobody saw was there: it alone gives a person's data,
// to a key of the scope review. Its answer is not kept among the others.
func (w *witness) unmask(t *testing.T, d *deployment, id string, p person) {
	t.Helper()
	apart := &witness{seen: map[string]*bytes.Buffer{}}
	_, answer := apart.call(t, d, http.MethodPost, "/v1/verifications/"+id+"/unmask", "application/json", []byte(`{"reason":"end-to-end test"}`))
	for _, value := range []string{p.id, p.phone, p.email} {
		if !bytes.Contains(answer, []byte(value)) {
			t.Errorf("unmask does not show %s", value)
		}
	}
}

// refusals are requests that put a person's data where it does not belong.
func (w *witness) refusals(t *testing.T, d *deployment, p person, number int) {
	t.Helper()
	key := fmt.Sprint(number)
	for _, fields := range [][]string{
		p.fields("name", "另一家测试有限公司"),              // the idempotency key's conflict
		p.fields("priority", p.id),                 // no such priority
		p.fields("policy", p.email),                // no such policy
		p.fields(p.email, "x"),                     // no such field
		p.fields("consent_at", p.phone),            // no time
		p.fields("callback", p.phone),              // no such endpoint
		p.fields("phone", p.phone+"\x00"),          // not printable
		p.fields("uscc", strings.Repeat(p.id, 60)), // too long
	} {
		contentType, body := form(t, tile(number), p, fields...)
		w.call(t, d, http.MethodPost, "/v1/verifications", contentType, body, "Idempotency-Key", key)
	}
	for _, path := range []string{"/v1/verifications/" + p.id, "/v1/verifications?limit=" + p.phone, "/v1/verifications?" + p.id + "=1",
		"/v1/verifications?after=" + p.email, "/v1/verifications?from=" + p.phone, "/v1/" + p.email, "/v1/events/" + p.id + "/deliveries"} {
		w.call(t, d, http.MethodGet, path, "", nil, "User-Agent", p.email, "Referer", "http://"+p.id)
	}
	for _, body := range []string{`{"object":"uploads/` + p.id + `"}`, `{"object":1,"phone":"` + p.phone, `{"` + p.email + `":1}`, `"` + p.phone + `"`} {
		w.call(t, d, http.MethodPost, "/v1/verifications", "application/json", []byte(body))
		w.call(t, d, http.MethodPost, "/v1/uploads", "application/json", []byte(body))
		w.call(t, d, http.MethodPost, "/v1/keys", "application/json", []byte(body))
	}
	w.call(t, d, http.MethodPost, "/v1/uploads", "application/json", []byte(`{"size":100,"content_type":"image/jpeg"}`))
	w.call(t, d, http.MethodGet, "/v1/verifications", "", nil, "Authorization", "Bearer "+p.id)
	w.call(t, d, http.MethodGet, "/v1/verifications", "", nil, "Authorization", "Basic "+p.phone)
}

var webhooksHere = []string{"HEYAN_WEBHOOK_ALLOW=127.0.0.0/8", "HEYAN_WEBHOOK_HTTP=true"}

func newPeople(from, to int) (people []person) {
	for i := from; i < to; i++ {
		people = append(people, newPerson(i))
	}
	return people
}

// TestNothingLeaks looks for every person's data in all that one machine said
// and kept, with the engine itself.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	w := &witness{seen: map[string]*bytes.Buffer{}}
	people := newPeople(0, 8)
	d := alone(t, webhooksHere...)
	w.fullRun(t, d, people)
	d.api.stop(t)
	w.addFolder(t, "files", d.folder)
	w.addTables(t, "sqlite", "file:"+strings.TrimPrefix(d.records, "sqlite://"), `SELECT name FROM sqlite_master WHERE type = 'table'`)
	w.accuse(t, people)
}

// TestNothingLeaksBetweenMachines does the same where queue, photos and records
// stand on servers, and a careless child reads.
func TestNothingLeaksBetweenMachines(t *testing.T) {
	t.Parallel()
	w := &witness{seen: map[string]*bytes.Buffer{}}
	people := newPeople(100, 112)
	on := startServers(t)
	w.monitor(t, on.redis.Address)
	d := many(t, on, on.s3.Config.Endpoint, 1, append(webhooksHere, standing(standInCost)...)...)
	w.fullRun(t, d, people)
	w.addRedis(t, on.redis.Client())
	for _, s := range append(d.workers, d.api) {
		s.stop(t)
	}
	w.addTables(t, "pgx", d.records, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)
	on.postgres.Kill()
	for where, folder := range map[string]string{"files": d.folder, "postgres files": on.postgres.Folder(), "s3 files": on.s3.Folder(), "redis files": on.redis.Folder()} {
		w.addFolder(t, where, folder)
	}
	w.accuse(t, people)
}
