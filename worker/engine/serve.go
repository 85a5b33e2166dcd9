// Package engine runs the native pipeline in child processes: it knows the
// protocol on their pipes, their deadlines, memory and deaths. It must not know
// what a verification means, where pictures are stored, or how work is queued.
//
// A picture that crashes, hangs or exhausts native code kills one child and
// costs one attempt (*DeathError); the next picture gets a new child.
package engine

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// Request is one picture to verify.
type Request struct {
	Submission report.Submission
	Precheck   bool          // judge the picture alone
	Policy     string        // name of a policy, or the path of its file
	Timeout    time.Duration // the handler's context ends after it; 0: no deadline of its own
	Picture    []byte        // at most MaxPicture bytes
}

// maxMessage bounds the message of a RemoteError, bytes.
const maxMessage = 1000

// RemoteError is an error that the child's handler returned: the child lives.
type RemoteError struct {
	Message string `json:"message"` // for logs: the handler keeps personal data out of it
	Timeout bool   `json:"timeout"` // the handler ran into the request's timeout
	Retry   bool   `json:"retry"`   // another attempt may succeed
}

func (e *RemoteError) Error() string { return "engine: " + e.Message }

// Retryable says whether another attempt may succeed.
func (e *RemoteError) Retryable() bool { return e.Retry }

// Serve is the child's side: it greets, then answers requests one after the
// other until in ends (nil) or ctx does (its error). An error of handle goes to
// the parent as *RemoteError; it counts as retryable unless it has a method
// Retryable() bool that says otherwise. Call Serve when everything is loaded:
// the greeting tells the parent that the child is warm. A read of in that waits
// when ctx ends stays behind until in closes.
func Serve(ctx context.Context, in io.Reader, out io.Writer, handle func(context.Context, Request) (report.Report, error)) error {
	if err := writeFrame(out, frame{kindHello, 0, []byte(hello)}); err != nil {
		return err
	}
	type arrival struct {
		seq uint32
		req Request
		err error
	}
	for {
		arrived := make(chan arrival, 1)
		go func() {
			seq, req, err := readRequest(in)
			arrived <- arrival{seq, req, err}
		}()
		var a arrival
		select {
		case <-ctx.Done():
			return ctx.Err()
		case a = <-arrived:
		}
		if errors.Is(a.err, io.EOF) {
			return nil
		}
		if a.err != nil {
			return a.err
		}
		answer, err := answerTo(ctx, a.req, handle)
		if err != nil {
			return err
		}
		answer.seq = a.seq
		if err := writeFrame(out, answer); err != nil {
			return err
		}
	}
}

func answerTo(ctx context.Context, req Request, handle func(context.Context, Request) (report.Report, error)) (frame, error) {
	if req.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, req.Timeout)
		defer cancel()
	}
	rep, err := handle(ctx, req)
	if err == nil {
		payload, err := json.Marshal(rep)
		return frame{kind: kindReport, payload: payload}, err
	}
	message := err.Error()
	remote := RemoteError{Message: message[:min(len(message), maxMessage)], Timeout: errors.Is(err, context.DeadlineExceeded), Retry: true}
	var retryable interface{ Retryable() bool }
	if errors.As(err, &retryable) {
		remote.Retry = retryable.Retryable()
	}
	payload, err := json.Marshal(remote)
	return frame{kind: kindError, payload: payload}, err
}
