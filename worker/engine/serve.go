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

// ViewRequest is one picture of which views are made.
type ViewRequest struct {
	Picture []byte         // at most MaxPicture bytes
	Quad    report.Polygon // of the sheet, report.Document.Quad; nil: no page is made
	Timeout time.Duration  // as Request.Timeout, and at most that of the pool
}

// Geometry says where a report's polygons lie on the views. Sizes are in pixels;
// those of the page are 0 where there is none.
type Geometry struct {
	Width         int `json:"width"` // of the upright photo: the pixels of polygons
	Height        int `json:"height"`
	PhotoWidth    int `json:"photo_width"`
	PhotoHeight   int `json:"photo_height"`
	PreviewWidth  int `json:"preview_width"`
	PreviewHeight int `json:"preview_height"`
	PageWidth     int `json:"page_width,omitempty"`
	PageHeight    int `json:"page_height,omitempty"`
	// ToPage is the homography from polygons to the page's pixels, row by row.
	ToPage [9]float64 `json:"to_page"`
}

// Views are what a browser can show of a picture: JPEGs without metadata.
type Views struct {
	Geometry Geometry
	Photo    []byte // upright, as large as the eye needs
	Preview  []byte // small
	Page     []byte // the flattened, upright sheet; nil without a quad
}

// pictures are the pictures in the order in which they are sent.
func (v *Views) pictures() []*[]byte { return []*[]byte{&v.Photo, &v.Preview, &v.Page} }

// Handlers are what a child does.
type Handlers struct {
	Verify func(context.Context, Request) (report.Report, error)
	Views  func(context.Context, ViewRequest) (Views, error)
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
// other until in ends (nil) or ctx does (its error). An error of a handler goes to
// the parent as *RemoteError; it counts as retryable unless it has a method
// Retryable() bool that says otherwise. Call Serve when everything is loaded:
// the greeting tells the parent that the child is warm. A read of in that waits
// when ctx ends stays behind until in closes.
func Serve(ctx context.Context, in io.Reader, out io.Writer, handlers Handlers) error {
	if err := writeFrame(out, frame{kindHello, 0, []byte(hello)}); err != nil {
		return err
	}
	type arrival struct {
		seq     uint32
		request message
		err     error
	}
	for {
		arrived := make(chan arrival, 1)
		go func() {
			seq, request, err := readRequest(in)
			arrived <- arrival{seq, request, err}
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
		answer, err := handlers.answer(ctx, a.request)
		if err != nil {
			return err
		}
		for _, f := range answer {
			f.seq = a.seq
			if err := writeFrame(out, f); err != nil {
				return err
			}
		}
	}
}

// answer are the frames of the answer; an error is one of the protocol.
func (h Handlers) answer(ctx context.Context, m message) ([]frame, error) {
	if m.TimeoutMS > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, m.timeout())
		defer cancel()
	}
	if m.Views {
		views, err := h.Views(ctx, ViewRequest{Picture: m.picture, Quad: m.Quad, Timeout: m.timeout()})
		if err != nil {
			return failure(err)
		}
		payload, err := json.Marshal(views.Geometry)
		frames := []frame{{kind: kindViews, payload: payload}}
		for _, picture := range views.pictures() {
			frames = append(frames, frame{kind: kindPicture, payload: *picture})
		}
		return frames, err
	}
	rep, err := h.Verify(ctx, Request{Submission: m.Submission, Precheck: m.Precheck, Policy: m.Policy, Timeout: m.timeout(), Picture: m.picture})
	if err != nil {
		return failure(err)
	}
	payload, err := json.Marshal(rep)
	return []frame{{kind: kindReport, payload: payload}}, err
}

func failure(err error) ([]frame, error) {
	text := err.Error()
	remote := RemoteError{Message: text[:min(len(text), maxMessage)], Timeout: errors.Is(err, context.DeadlineExceeded), Retry: true}
	var retryable interface{ Retryable() bool }
	if errors.As(err, &retryable) {
		remote.Retry = retryable.Retryable()
	}
	payload, err := json.Marshal(remote)
	return []frame{{kind: kindError, payload: payload}}, err
}
