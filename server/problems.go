package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/client"
)

// retryAfter is what a caller is asked to wait when a part is away, seconds.
const retryAfter = "5"

// problem is an RFC 9457 problem; kind makes its type.
func problem(status int, kind, detail string) *huma.ErrorModel {
	return &huma.ErrorModel{Type: "urn:heyan:problem:" + kind, Title: http.StatusText(status), Status: status, Detail: detail}
}

// invalid names the field and the rule, never the value.
func invalid(kind, field, rule string) *huma.ErrorModel {
	p := problem(http.StatusUnprocessableEntity, kind, "the request cannot be accepted")
	p.Errors = []*huma.ErrorDetail{{Location: strings.TrimSuffix("body."+field, "."), Message: rule}}
	return p
}

func unavailable(detail string) error {
	return huma.ErrorWithHeaders(problem(http.StatusServiceUnavailable, "unavailable", detail),
		http.Header{"Retry-After": {retryAfter}})
}

// failures are what the parts below say of a request, and what a caller hears.
var failures = []struct {
	err    error
	answer *huma.ErrorModel
}{
	{client.ErrIdempotencyConflict, problem(http.StatusConflict, "idempotency_conflict", "the idempotency key was used with another request")},
	{client.ErrNotFailed, problem(http.StatusConflict, "not_failed", "only an attempt that did not pass can be followed by another")},
	{client.ErrNoUpload, invalid("upload_missing", "object", "nothing was uploaded under this key")},
	{client.ErrUnfitUpload, invalid("upload_unfit", "object", "the upload is empty, too large or of another type than uploads may have")},
	{records.ErrNotCompleted, problem(http.StatusConflict, "not_completed", "the verification is at work; it can be erased once it is completed")},
	{records.ErrGone, problem(http.StatusGone, "gone", "this is no longer kept")},
	{records.ErrCursor, problem(http.StatusBadRequest, "invalid_cursor", "after is not the next of a page")},
	{records.ErrNotFound, problem(http.StatusNotFound, "not_found", "there is nothing of this id")},
}

// failure turns an error of the parts below into an answer that tells nothing
// of them.
func (a *API) failure(ctx context.Context, err error) error {
	for _, f := range failures {
		if errors.Is(err, f.err) {
			return f.answer
		}
	}
	if model, ok := errors.AsType[*huma.ErrorModel](err); ok {
		return model
	}
	if state, ok := errors.AsType[*records.StateError](err); ok {
		return stateForbids(state.State)
	}
	log := a.log.With("request", visitOf(ctx).id)
	var retryable interface{ Retryable() bool }
	switch {
	case errors.Is(err, objects.ErrDenied), errors.As(err, &retryable) && retryable.Retryable(),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		log.Warn("request not served", "error", err)
		return unavailable("the service cannot do this now")
	}
	log.Error("request failed", "error", err)
	return problem(http.StatusInternalServerError, "internal", "the service failed")
}

func writeProblem(w http.ResponseWriter, p *huma.ErrorModel) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Del("Content-Length")
	w.WriteHeader(p.Status)
	// Nobody is left to tell when the connection is gone.
	_ = json.NewEncoder(w).Encode(p)
}

// huma says what is wrong with a request through this function alone, for all
// of its APIs in a process.
func init() {
	huma.NewErrorWithContext = func(_ huma.Context, status int, detail string, errs ...error) huma.StatusError {
		return quiet(status, detail, errs)
	}
}

// quiet is what huma found, without what the caller sent.
func quiet(status int, detail string, errs []error) *huma.ErrorModel {
	if detail == "cannot read request body" { // the caller's connection, not our failure
		return malformed(errors.Join(errs...))
	}
	kind := "invalid_request"
	switch status {
	case http.StatusRequestEntityTooLarge:
		kind, detail = "body_too_large", "the body is too large"
	case http.StatusUnsupportedMediaType:
		kind, detail = "media_type", "the body must be application/json"
	case http.StatusRequestTimeout:
		kind = "timeout"
	}
	p := problem(status, kind, detail)
	for _, err := range errs {
		d := &huma.ErrorDetail{Message: "the value cannot be read"}
		if from, ok := err.(huma.ErrorDetailer); ok {
			d = from.ErrorDetail()
		}
		p.Errors = append(p.Errors, &huma.ErrorDetail{Location: location(d), Message: message(d)})
	}
	return p
}

const unexpected = "unexpected property"

// location is where a request is wrong. A property that is not known has a name
// of the caller's own.
func location(d *huma.ErrorDetail) string {
	if d.Message == unexpected {
		return "body"
	}
	return d.Location
}

// message is the rule that was broken. What stands behind a colon may quote the
// value, and what the JSON decoder says does.
func message(d *huma.ErrorDetail) string {
	rule, _, _ := strings.Cut(d.Message, ": ")
	for _, start := range []string{"expected ", "unexpected ", "required "} {
		if strings.HasPrefix(rule, start) {
			return rule
		}
	}
	if d.Location == "body" {
		return "the body is not the expected JSON"
	}
	return "the value cannot be read"
}

// unrouted answers what mux has no handler for, and what it would redirect to a
// cleaner path with a page that quotes it.
func unrouted(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path.Clean("/"+r.URL.Path) != r.URL.Path && r.URL.Path != consoleHome {
			writeProblem(w, problem(http.StatusNotFound, "not_found", "there is nothing at this address"))
			return
		}
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
