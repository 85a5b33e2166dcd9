package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/synth"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/client"
)

// doctorReference marks what the doctor submits.
const doctorReference = "heyan-doctor-test"

const (
	// verdictWait is how long a deployment may take for the doctor's picture,
	// which an applicant would wait for.
	verdictWait = 2 * time.Minute
	// answerWait is how long any other answer may take.
	answerWait = 30 * time.Second
	// doctorLongSide is that of the drawn picture, px: smaller ones are refused by
	// some policies.
	doctorLongSide = 2000
)

// visit is one examination of a deployment.
type visit struct {
	service client.HTTP
	out     io.Writer

	scopes  []records.Scope // that the key has
	picture []byte
	sent    report.Submission
	id      string
}

// complaint is what is wrong with a part and what to do about it.
type complaint struct {
	what error
	do   string
}

func (c *complaint) Error() string { return fmt.Sprintf("%v; %s", c.what, c.do) }
func (c *complaint) Unwrap() error { return c.what }

// examine follows one submission through a deployment, a line for each part. It
// stops at the first part without which the others cannot be tried.
func examine(ctx context.Context, service client.HTTP, out io.Writer) error {
	v := &visit{service: service, out: out}
	for _, part := range []struct {
		name  string
		needs []records.Scope
		try   func(context.Context) (found string, err error)
	}{
		{"reachable", nil, v.reach},
		{"ready", nil, v.ready},
		{"key", nil, v.key},
		{"test picture", nil, v.draw},
		{"submit", []records.Scope{records.ScopeSubmit}, v.submit},
		{"replay", []records.Scope{records.ScopeSubmit}, v.replay},
		{"verdict", []records.Scope{records.ScopeSubmit, records.ScopeRead}, v.wait},
		{"picture", []records.Scope{records.ScopeSubmit, records.ScopeReview}, v.get},
		{"erase", []records.Scope{records.ScopeSubmit, records.ScopeAdmin}, v.erase},
	} {
		if lacks := v.lacks(part.needs); lacks != "" {
			fmt.Fprintf(out, "skipped  %-14s the key lacks the scope %s\n", part.name, lacks)
			continue
		}
		begin := time.Now()
		found, err := part.try(ctx)
		if err != nil {
			fmt.Fprintf(out, "missing  %-14s %v\n", part.name, err)
			return fmt.Errorf("doctor: %s: not every part of the service works", part.name)
		}
		fmt.Fprintf(out, "ok       %-14s %s (%s)\n", part.name, found, time.Since(begin).Round(time.Millisecond))
	}
	return nil
}

func (v *visit) lacks(needs []records.Scope) records.Scope {
	for _, scope := range needs {
		if !slices.Contains(v.scopes, scope) {
			return scope
		}
	}
	return ""
}

// call makes a request with the key and returns the body of a success. A
// refusal is a *client.Problem.
func (v *visit) call(ctx context.Context, method, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(v.service.Base, "/")+path, nil)
	if err != nil {
		return nil, err
	}
	if v.service.Key != "" {
		r.Header.Set("Authorization", "Bearer "+v.service.Key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, client.MaxPicture+1))
	if err == nil && response.StatusCode >= 300 {
		problem := &client.Problem{Title: http.StatusText(response.StatusCode)}
		_ = json.Unmarshal(body, problem) // a proxy's own words are not JSON
		problem.Status = response.StatusCode
		err = problem
	}
	return body, err
}

func (v *visit) reach(ctx context.Context) (string, error) {
	if _, err := v.call(ctx, http.MethodGet, "/healthz"); err != nil {
		return "", &complaint{err, "is `heyan serve` or `heyan api` running there, and is this its address?"}
	}
	return v.service.Base, nil
}

func (v *visit) ready(ctx context.Context) (string, error) {
	if _, err := v.call(ctx, http.MethodGet, "/readyz"); err != nil {
		return "", &complaint{err, "start that part, or mend its address and password; the service's log says more"}
	}
	return "records, objects and queue answer", nil
}

// key finds the scopes out by requests that each need one and change nothing.
func (v *visit) key(ctx context.Context) (string, error) {
	if v.service.Key == "" {
		return "", &complaint{errors.New("no key was given"), "set HEYAN_KEY; `heyan keys add` makes one"}
	}
	for _, probe := range []struct {
		scope        records.Scope
		method, path string
	}{
		{records.ScopeSubmit, http.MethodPost, "/v1/prechecks"},
		{records.ScopeRead, http.MethodGet, "/v1/verifications?limit=1"},
		{records.ScopeReview, http.MethodGet, "/v1/verifications/" + uuid.Nil.String() + "/picture"},
		{records.ScopeAdmin, http.MethodGet, "/v1/keys"},
	} {
		_, err := v.call(ctx, probe.method, probe.path)
		problem, refused := errors.AsType[*client.Problem](err)
		switch {
		case err == nil, refused && problem.Status < 500 && problem.Status != http.StatusUnauthorized &&
			problem.Status != http.StatusForbidden && problem.Status != http.StatusTooManyRequests:
			v.scopes = append(v.scopes, probe.scope)
		case refused && problem.Status == http.StatusUnauthorized:
			return "", &complaint{err, "`heyan keys list` shows the keys, `heyan keys add` makes one"}
		case refused && problem.Status == http.StatusForbidden:
		case refused && problem.Status == http.StatusServiceUnavailable && probe.scope == records.ScopeSubmit:
			// An API without an engine: the key passed.
			v.scopes = append(v.scopes, probe.scope)
		default:
			return "", &complaint{err, "try again; the service's log says more"}
		}
	}
	return fmt.Sprintf("scopes %v", v.scopes), nil
}

// draw makes a license that nobody has.
func (v *visit) draw(ctx context.Context) (string, error) {
	folder, err := os.MkdirTemp("", "heyan-doctor-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	seed := uint64(time.Now().UnixNano())
	if err := synth.Write(ctx, folder, synth.Options{Seed: seed, Count: 1, Clean: 1, LongSide: doctorLongSide}); err != nil {
		return "", &complaint{err, "the doctor draws its own picture and needs these fonts here"}
	}
	truth, err := os.Open(filepath.Join(folder, "truth.jsonl"))
	if err != nil {
		return "", err
	}
	defer truth.Close()
	drawn, err := synth.ReadTruth(truth)
	if err != nil {
		return "", err
	}
	if v.picture, err = os.ReadFile(filepath.Join(folder, drawn[0].File)); err != nil {
		return "", err
	}
	v.sent = report.Submission{
		Declared: report.Declared{Name: drawn[0].License.Name, USCC: drawn[0].License.USCC, LegalRepresentative: drawn[0].License.Person},
		Policy:   "photo", Priority: worker.Interactive, ClientReference: doctorReference + "-" + records.NewID(),
	}
	return fmt.Sprintf("drawn, %d KB", len(v.picture)>>10), nil
}

func (v *visit) submit(ctx context.Context) (string, error) {
	got, err := v.service.Submit(ctx, v.picture, v.sent, v.sent.ClientReference)
	if err != nil {
		return "", &complaint{err, "the object store or the records may not take writes: look at their space and at the service's log"}
	}
	v.id = got.ID
	return got.ID, nil
}

func (v *visit) replay(ctx context.Context) (string, error) {
	got, err := v.service.Submit(ctx, v.picture, v.sent, v.sent.ClientReference)
	if err == nil && got.ID != v.id {
		err = fmt.Errorf("the same idempotency key made %s", got.ID)
	}
	if err != nil {
		return "", &complaint{err, "do all API processes use the same records?"}
	}
	return "the idempotency key gives the same verification", nil
}

func (v *visit) wait(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, verdictWait)
	defer cancel()
	got, err := v.service.Wait(ctx, v.id)
	if err != nil {
		return "", &complaint{err, "is a worker running (`heyan worker`), on the same records, queue and objects, and how long is the queue?"}
	}
	if slices.ContainsFunc(got.Reasons, func(code string) bool { return strings.HasPrefix(code, "system_") }) {
		return "", &complaint{fmt.Errorf("outcome %s, reasons %v", got.Outcome, got.Reasons), "run `heyan doctor` on the worker's machine"}
	}
	return fmt.Sprintf("outcome %s, %s after submission", got.Outcome, got.CompletedAt.Sub(got.CreatedAt).Round(time.Millisecond)), nil
}

func (v *visit) get(ctx context.Context) (string, error) {
	got, err := v.call(ctx, http.MethodGet, "/v1/verifications/"+v.id+"/picture")
	if err == nil && !bytes.Equal(got, v.picture) {
		err = errors.New("the picture is not the one that was sent")
	}
	if err != nil {
		return "", &complaint{err, "does the object store give back what it took?"}
	}
	return "as it was sent", nil
}

func (v *visit) erase(ctx context.Context) (string, error) {
	body, err := v.call(ctx, http.MethodDelete, "/v1/verifications/"+v.id)
	var erased client.Verification
	if err == nil {
		err = json.Unmarshal(body, &erased)
	}
	if err == nil && (erased.ErasedAt == nil || erased.PictureGoneAt == nil) {
		err = errors.New("the picture is not deleted yet")
	}
	if err != nil {
		return "", &complaint{err, "may the service delete objects?"}
	}
	return "picture, report and declaration are gone", nil
}
