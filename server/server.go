// Package server is Heyan's HTTP face: the API that takes submissions and gives
// reports, and the composition that runs it together with storage, queue and
// worker. It knows HTTP and addresses. It must not know how a picture is read
// or decided. No answer and no log line repeats what a caller declared.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/client"
)

const (
	// maxPicture is the largest picture accepted, bytes: the default of intake
	// and of every policy.
	maxPicture = 10 << 20
	// maxBody leaves room for the other parts of a form, bytes.
	maxBody = maxPicture + 256<<10
	// maxUploads is how many bodies are held in memory at the same time.
	maxUploads = 24
	// maxWait is the longest long poll, seconds.
	maxWait = 30
	// pingTimeout bounds what readiness waits for each part.
	pingTimeout = 2 * time.Second
	// retryAfter is what a caller is asked to wait when a part is away, seconds.
	retryAfter = "5"
)

// API answers HTTP requests.
type API struct {
	client   *client.Client
	policies map[string]bool
	log      *slog.Logger
	uploads  chan struct{} // one entry a body in memory
	draining chan struct{} // closed by Drain
}

// NewAPI is the API over a client; policies are the names a caller may choose.
func NewAPI(c *client.Client, policies []string, log *slog.Logger) *API {
	a := &API{client: c, policies: map[string]bool{}, log: log, uploads: make(chan struct{}, maxUploads), draining: make(chan struct{})}
	for _, p := range policies {
		a.policies[p] = true
	}
	return a
}

// Drain ends the long polls: each gets where its verification stands. Call it once.
func (a *API) Drain() { close(a.draining) }

// Handler is the API with everything in front of it.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Heyan", "1")
	config.Info.Description = "Verification of photos of Chinese business licenses."
	config.DocsPath = ""     // its page loads a script from a CDN
	config.SchemasPath = ""  //
	config.CreateHooks = nil // no $schema in answers
	config.Transformers = []huma.Transformer{withoutValues}
	api := humago.New(mux, config)
	a.register(api)

	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, problem(http.StatusForbidden, "cross_origin", "requests from pages of other origins are refused"))
	}))
	return a.outermost(origins.Handler(problems(mux)))
}

// withoutValues takes what the caller sent out of huma's validation errors.
func withoutValues(_ huma.Context, _ string, v any) (any, error) {
	if model, ok := v.(*huma.ErrorModel); ok {
		for _, e := range model.Errors {
			e.Value = nil
		}
	}
	return v, nil
}

func (a *API) register(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "submit", Method: http.MethodPost, Path: "/v1/verifications",
		Summary:       "Submit a photo with what was declared",
		Description:   "202 says that photo and record are safely stored and will be verified.",
		DefaultStatus: http.StatusAccepted,
		Errors:        []int{http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, a.submit)
	// Named only after Register, which would read the body into memory by itself.
	api.OpenAPI().Paths["/v1/verifications"].Post.RequestBody = formBody(api.OpenAPI().Components.Schemas)
	huma.Register(api, huma.Operation{
		OperationID: "get", Method: http.MethodGet, Path: "/v1/verifications/{id}",
		Summary: "Status and report of a verification",
		Errors:  []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, a.get)
	huma.Register(api, huma.Operation{
		OperationID: "list", Method: http.MethodGet, Path: "/v1/verifications",
		Summary: "Verifications, newest first",
		Errors:  []int{http.StatusServiceUnavailable},
	}, a.list)
	huma.Register(api, huma.Operation{
		OperationID: "health", Method: http.MethodGet, Path: "/healthz",
		Summary: "The process answers",
	}, func(context.Context, *struct{}) (*health, error) { return newHealth("ok"), nil })
	huma.Register(api, huma.Operation{
		OperationID: "ready", Method: http.MethodGet, Path: "/readyz",
		Summary: "Storage and queue answer too",
		Errors:  []int{http.StatusServiceUnavailable},
	}, a.ready)
}

type submitInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"A repeat with the same key and body replays the first answer"`
	request        *http.Request
}

// Resolve keeps the request: its body is read part by part, never to a file.
func (in *submitInput) Resolve(ctx huma.Context) []error {
	in.request, _ = humago.Unwrap(ctx)
	return nil
}

type submitOutput struct {
	Location string `header:"Location"`
	Replayed string `header:"Idempotent-Replayed" doc:"true when the answer is that of an earlier call"`
	Body     client.Verification
}

func (a *API) submit(ctx context.Context, in *submitInput) (*submitOutput, error) {
	select {
	case a.uploads <- struct{}{}:
		defer func() { <-a.uploads }()
	case <-ctx.Done():
		return nil, problem(http.StatusServiceUnavailable, "busy", "too many uploads at once")
	}
	s, picture, err := a.readForm(in.request)
	if err != nil {
		return nil, err
	}
	v, replayed, err := a.client.Submit(ctx, picture, s, in.IdempotencyKey)
	if err != nil {
		return nil, a.failure("submit", err)
	}
	out := &submitOutput{Location: "/v1/verifications/" + v.ID, Body: v}
	if replayed {
		out.Replayed = "true"
	}
	return out, nil
}

type getInput struct {
	ID   string `path:"id"`
	Wait int    `query:"wait" minimum:"0" maximum:"30" doc:"Seconds to wait for the report"`
}

type getOutput struct {
	Body client.Verification
}

func (a *API) get(ctx context.Context, in *getInput) (*getOutput, error) {
	v, err := a.wait(ctx, in.ID, time.Duration(in.Wait)*time.Second)
	if err != nil {
		return nil, a.failure("get", err)
	}
	return &getOutput{v}, nil
}

// wait returns the verification when it is completed, the time is up or the
// service drains.
func (a *API) wait(ctx context.Context, id string, limit time.Duration) (client.Verification, error) {
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	go func() {
		select {
		case <-a.draining:
			cancel()
		case <-waiting.Done():
		}
	}()
	v, err := a.client.Wait(waiting, id)
	if waiting.Err() != nil && ctx.Err() == nil {
		return a.client.Get(ctx, id)
	}
	return v, err
}

type listInput struct {
	Status  string `query:"status" enum:"queued,completed"`
	Outcome string `query:"outcome" enum:"pass,fail,review,error"`
	After   string `query:"after" maxLength:"64" doc:"Cursor: next of the page before"`
	Limit   int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type listOutput struct {
	Body struct {
		Verifications []client.Verification `json:"verifications"`
		Next          string                `json:"next,omitempty" doc:"Cursor of the following page; absent at the end"`
	}
}

func (a *API) list(ctx context.Context, in *listInput) (*listOutput, error) {
	page, err := a.client.Records.List(ctx, records.DefaultTenant, records.Query{
		Status: report.Status(in.Status), Outcome: report.Outcome(in.Outcome), After: in.After, Limit: in.Limit,
	})
	if err != nil {
		return nil, a.failure("list", err)
	}
	out := &listOutput{}
	out.Body.Next = page.Next
	out.Body.Verifications = make([]client.Verification, len(page.Verifications))
	for i, v := range page.Verifications {
		out.Body.Verifications[i] = client.View(v)
	}
	return out, nil
}

type health struct {
	Body struct {
		Status string `json:"status"`
	}
}

func newHealth(status string) *health {
	h := &health{}
	h.Body.Status = status
	return h
}

func (a *API) ready(ctx context.Context, _ *struct{}) (*health, error) {
	for _, part := range []struct {
		name string
		ping func(context.Context) error
	}{
		{"records", a.client.Records.Ping},
		{"objects", a.client.Objects.Ping},
		{"queue", a.client.Queue.Ping},
	} {
		ctx, cancel := context.WithTimeout(ctx, pingTimeout)
		err := part.ping(ctx)
		cancel()
		if err != nil {
			a.log.Warn("not ready", "part", part.name, "error", err)
			return nil, unavailable(part.name + " does not answer")
		}
	}
	return newHealth("ready"), nil
}

// failure turns an error of the parts below into an answer that tells nothing
// of them.
func (a *API) failure(op string, err error) error {
	var retryable interface{ Retryable() bool }
	switch {
	case errors.Is(err, client.ErrIdempotencyConflict):
		return problem(http.StatusConflict, "idempotency_conflict", "the idempotency key was used with another submission")
	case errors.Is(err, records.ErrCursor):
		return problem(http.StatusBadRequest, "invalid_cursor", "after is not the next of a page")
	case errors.Is(err, records.ErrNotFound):
		return problem(http.StatusNotFound, "not_found", "there is no such verification")
	case errors.Is(err, objects.ErrDenied), errors.As(err, &retryable) && retryable.Retryable(),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		a.log.Warn("request not served", "operation", op, "error", err)
		return unavailable("the service cannot do this now")
	}
	a.log.Error("request failed", "operation", op, "error", err)
	return problem(http.StatusInternalServerError, "internal", "the service failed")
}

func unavailable(detail string) error {
	return huma.ErrorWithHeaders(problem(http.StatusServiceUnavailable, "unavailable", detail),
		http.Header{"Retry-After": {retryAfter}})
}

// problem is an RFC 9457 problem; kind makes its type.
func problem(status int, kind, detail string) *huma.ErrorModel {
	return &huma.ErrorModel{Type: "urn:heyan:problem:" + kind, Title: http.StatusText(status), Status: status, Detail: detail}
}

func writeProblem(w http.ResponseWriter, p *huma.ErrorModel) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Del("Content-Length")
	w.WriteHeader(p.Status)
	// Nobody is left to tell when the connection is gone.
	_ = json.NewEncoder(w).Encode(p)
}

// problems answers what mux has no handler for.
func problems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern == "" {
			w = &refusal{ResponseWriter: w}
		}
		mux.ServeHTTP(w, r)
	})
}

// refusal says what the mux says, as a problem.
type refusal struct {
	http.ResponseWriter
	done bool
}

func (r *refusal) WriteHeader(status int) {
	if r.done {
		return
	}
	r.done = true
	kind, detail := "not_found", "there is nothing at this address"
	if status == http.StatusMethodNotAllowed {
		kind, detail = "method_not_allowed", "this address does not take this method; see the Allow header"
	}
	writeProblem(r.ResponseWriter, problem(status, kind, detail))
}

func (r *refusal) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return len(p), nil
}

// outermost bounds bodies, sets the headers of every answer, turns a panic into
// a problem and logs the request without what it carried.
func (a *API) outermost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		id := records.NewID()
		h := rw.Header()
		h.Set("X-Request-Id", id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		w := &statusWriter{ResponseWriter: rw}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				// The value itself may quote the request.
				a.log.Error("panic", "request", id, "stack", string(debug.Stack()))
				if w.status == 0 {
					writeProblem(w, problem(http.StatusInternalServerError, "internal", "the service failed"))
				}
			}
			// The pattern, not the path: a caller may put anything into a path.
			a.log.Info("request", "request", id, "route", r.Pattern, "status", w.status, "took", time.Since(begin))
		}()
		if r.ContentLength > maxBody {
			h.Set("Connection", "close")
			writeProblem(w, tooLarge())
			return
		}
		r.Body = http.MaxBytesReader(rw, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
