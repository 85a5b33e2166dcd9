package objects

import (
	"context"
	"errors"
	"net/http"

	"github.com/minio/minio-go/v7"
)

// The kinds of errors, for errors.Is. Only ErrUnavailable is worth a retry.
var (
	ErrNotFound    = errors.New("no such object")
	ErrExists      = errors.New("object exists")
	ErrChanged     = errors.New("object is another one by now")
	ErrTooLarge    = errors.New("object is too large")
	ErrInvalidKey  = errors.New("invalid object key")
	ErrDenied      = errors.New("object store denies access")
	ErrUnavailable = errors.New("object store is unavailable")
)

// Error is what every method of Store returns. It wraps one of the kinds
// above, the context's error when the caller gave up, or neither when the call
// itself was wrong.
type Error struct {
	Op  string
	Key string // empty when there is none or it is not a valid one
	Err error
}

func (e *Error) Error() string {
	if e.Key == "" {
		return "objects: " + e.Op + ": " + e.Err.Error()
	}
	return "objects: " + e.Op + " " + e.Key + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Retryable says whether the same call may succeed later.
func (e *Error) Retryable() bool { return errors.Is(e.Err, ErrUnavailable) }

// fault is an error of the server or the way to it, under its kind.
type fault struct{ kind, cause error }

func (f fault) Error() string   { return f.kind.Error() + ": " + f.cause.Error() }
func (f fault) Unwrap() []error { return []error{f.kind, f.cause} }

// fail wraps what is wrong with a call; nil stays nil.
func fail(op, key string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Key: key, Err: err}
}

// remote puts an error of the client library under its kind; nil stays nil.
func remote(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	response, ok := errors.AsType[minio.ErrorResponse](err)
	if !ok {
		return fault{ErrUnavailable, err} // no answer, or one that broke off
	}
	switch {
	case response.StatusCode == http.StatusNotFound:
		return fault{ErrNotFound, err}
	case response.StatusCode == http.StatusPreconditionFailed:
		return fault{ErrExists, err}
	case response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden:
		return fault{ErrDenied, err}
	case response.StatusCode == http.StatusRequestEntityTooLarge, response.Code == minio.EntityTooLarge:
		return fault{ErrTooLarge, err}
	case response.StatusCode >= http.StatusInternalServerError,
		response.StatusCode == http.StatusRequestTimeout,
		response.StatusCode == http.StatusTooManyRequests,
		response.StatusCode == http.StatusConflict, // another write of the key is under way
		damaged[response.Code]:
		return fault{ErrUnavailable, err}
	}
	return err
}

// damaged are the codes by which S3 servers say that a body did not arrive as
// it was sent.
var damaged = map[string]bool{"BadDigest": true, "IncompleteBody": true, "RequestTimeout": true, "XAmzContentSHA256Mismatch": true}
