package client_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/client"
)

// newClient works on storage and queue of its own.
func newClient(t *testing.T) *client.Client {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	server, err := objects.Embed(filepath.Join(dir, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(context.Background()) })
	pictures, err := objects.Open(ctx, server.Config())
	if err != nil {
		t.Fatal(err)
	}
	store, err := records.Open(ctx, "sqlite://"+filepath.Join(dir, "records.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	seals, err := vault.Open(ctx, filepath.Join(dir, "vault.key"), store)
	if err != nil {
		t.Fatal(err)
	}
	queue, err := worker.OpenQueue(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { queue.Close() })
	return &client.Client{Records: store, Objects: pictures, Vault: seals, Queue: queue,
		Terms: map[string]worker.Terms{"strict": {SLA: time.Hour}}}
}

// complete writes a verdict as a worker would, and tells of it.
func complete(t *testing.T, c *client.Client, id string, outcome report.Outcome) {
	t.Helper()
	err := c.Records.Complete(t.Context(), id, report.Report{ID: id, Status: report.StatusCompleted, Outcome: outcome, Likeness: &report.Print{}},
		records.Completion{At: time.Now(), Event: records.Event{Type: "verification.completed", Payload: []byte("{}")}})
	if err == nil {
		err = c.Queue.Announce(t.Context(), id)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestTermsAndTenants(t *testing.T) {
	c := newClient(t)
	shop, bank := c.For("shop"), c.For("bank")
	for policy, sla := range map[string]time.Duration{"strict": time.Hour, "": 30 * time.Minute, "unknown": 30 * time.Minute} {
		v, _, err := shop.Submit(t.Context(), []byte("picture"), report.Submission{Policy: policy}, "")
		if err != nil || v.DeadlineAt.Sub(v.CreatedAt) != sla {
			t.Errorf("%s: %v, %v, want %v", policy, v.DeadlineAt.Sub(v.CreatedAt), err, sla)
		}
		if _, err := bank.Get(t.Context(), v.ID); !errors.Is(err, records.ErrNotFound) {
			t.Errorf("another tenant: %v", err)
		}
		if _, _, err := bank.Resubmit(t.Context(), v.ID, []byte("picture"), report.Submission{}, ""); !errors.Is(err, records.ErrNotFound) {
			t.Errorf("another tenant resubmits: %v", err)
		}
	}
}

func TestWaitWakes(t *testing.T) {
	c := newClient(t)
	v, _, err := c.Submit(t.Context(), []byte("picture"), report.Submission{}, "")
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan client.Verification)
	go func() {
		done, err := c.Wait(t.Context(), v.ID)
		if err != nil {
			t.Error(err)
		}
		waited <- done
	}()
	complete(t, c, v.ID, report.OutcomePass)
	if done := <-waited; done.Outcome != report.OutcomePass || done.Report.Likeness != nil {
		t.Errorf("got %+v, report %+v", done, done.Report)
	}
}

// One of several equal requests at once takes the upload, the others get its
// answer.
func TestSubmitObjectAtOnce(t *testing.T) {
	c := newClient(t)
	object := c.NewUpload()
	if err := c.Objects.Put(t.Context(), object, strings.NewReader("picture"), 7, "image/jpeg"); err != nil {
		t.Fatal(err)
	}
	ids := make(chan string)
	const callers = 8
	for range callers {
		go func() {
			v, _, err := c.SubmitObject(t.Context(), report.Submission{Object: object}, "key")
			if err != nil {
				t.Error(err)
			}
			ids <- v.ID
		}()
	}
	first := <-ids
	for range callers - 1 {
		if id := <-ids; id != first {
			t.Errorf("got %s and %s", first, id)
		}
	}
}

// An upload is taken once, and stays what it was at that moment.
func TestSubmitObject(t *testing.T) {
	c := newClient(t)
	up, err := c.PresignUpload(t.Context(), 7, "image/jpeg", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	submit := func(c *client.Client, object, key string) (client.Verification, bool, error) {
		return c.SubmitObject(t.Context(), report.Submission{Declared: report.Declared{Name: "示例科技有限公司"}, Object: object}, key)
	}
	if _, _, err := submit(c, up.Object, ""); !errors.Is(err, client.ErrNoUpload) {
		t.Errorf("before it is there: %v", err)
	}
	req, err := http.NewRequest(http.MethodPut, up.URL.String(), strings.NewReader("picture"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = up.Header
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("put: %v %v", resp, err)
	}
	resp.Body.Close()
	if _, _, err := submit(c.For("other"), up.Object, ""); !errors.Is(err, client.ErrNoUpload) {
		t.Errorf("another tenant's: %v", err)
	}
	v, replayed, err := submit(c, up.Object, "key")
	if err != nil || replayed {
		t.Fatal(replayed, err)
	}
	if again, replayed, err := submit(c, up.Object, "key"); err != nil || !replayed || again.ID != v.ID {
		t.Errorf("repeat: %s, %v, %v", again.ID, replayed, err)
	}
	if _, _, err := submit(c, c.NewUpload(), "key"); !errors.Is(err, client.ErrIdempotencyConflict) {
		t.Errorf("another object: %v", err)
	}
	if _, err := c.Objects.Stat(t.Context(), "pictures/"+v.ID); err != nil {
		t.Error(err)
	}
	if _, err := c.Objects.Stat(t.Context(), up.Object); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("the upload is still there: %v", err)
	}
	for name, fault := range map[string]struct {
		size        int
		contentType string
	}{"empty": {0, "image/png"}, "too large": {client.MaxPicture + 1, "image/png"}, "a page": {4, "text/html"}} {
		object := c.NewUpload()
		if err := c.Objects.Put(t.Context(), object, strings.NewReader(strings.Repeat("x", fault.size)), int64(fault.size), fault.contentType); err != nil {
			t.Fatal(err)
		}
		if _, _, err := submit(c, object, ""); !errors.Is(err, client.ErrUnfitUpload) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResubmit(t *testing.T) {
	c := newClient(t)
	declared := report.Declared{OrganizationID: "org-1", Name: "示例科技有限公司", IDNumber: "11010519491231002X"}
	v, _, err := c.Submit(t.Context(), []byte("blurred"), report.Submission{Declared: declared, Policy: "strict", Priority: worker.Interactive,
		Consent: &report.Consent{Basis: "contract"}}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Resubmit(t.Context(), v.ID, []byte("sharp"), report.Submission{}, ""); !errors.Is(err, client.ErrNotFailed) {
		t.Errorf("without a verdict: %v", err)
	}
	complete(t, c, v.ID, report.OutcomeFail)
	next, _, err := c.Resubmit(t.Context(), v.ID, []byte("sharp"), report.Submission{Declared: report.Declared{Name: "示例科技（北京）有限公司"}}, "")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := c.Records.Get(t.Context(), records.DefaultTenant, next.ID)
	if err != nil {
		t.Fatal(err)
	}
	s, err := worker.OpenSubmission(t.Context(), c.Vault, stored)
	if err != nil {
		t.Fatal(err)
	}
	declared.Name = "示例科技（北京）有限公司"
	if s.Declared != declared || s.Policy != "strict" || s.Priority != worker.Interactive || s.Consent == nil || next.Previous != v.ID {
		t.Errorf("taken over: %+v, %+v", s, next)
	}
}

// A batch waits in the records until the workers' feeder takes it.
func TestBatchIsDueAtOnce(t *testing.T) {
	c := newClient(t)
	v, _, err := c.Submit(t.Context(), []byte("picture"), report.Submission{Priority: worker.Batch}, "")
	if err != nil {
		t.Fatal(err)
	}
	due, err := c.Records.LeaseDue(t.Context(), time.Now(), time.Minute, records.Window{Priority: worker.Batch, Limit: 1})
	if err != nil || len(due) != 1 || due[0].ID != v.ID {
		t.Errorf("due: %+v, %v", due, err)
	}
}
