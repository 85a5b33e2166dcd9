package client

import (
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"

	"github.com/heyan/heyan/worker/batch"
)

// BatchUpload is a batch as HTTP sends it. Nothing of it is held in memory.
type BatchUpload struct {
	BatchTerms
	FileName string // its ending says which format File has
	File     io.Reader
	// Pictures writes a ZIP of the pictures; nil: there are none.
	Pictures func(io.Writer) error
}

// SubmitBatch sends a batch and returns it as the service acknowledged it.
func (h *HTTP) SubmitBatch(ctx context.Context, b BatchUpload) (Batch, error) {
	out, in := io.Pipe()
	form := multipart.NewWriter(in)
	written := make(chan error, 1)
	go func() {
		err := b.write(form)
		in.CloseWithError(err)
		written <- err
	}()
	var made Batch
	err := h.ask(ctx, http.MethodPost, "/v1/batches", http.Header{"Content-Type": {form.FormDataContentType()}}, out, &made)
	out.CloseWithError(context.Canceled) // the service may have answered before it had read everything
	if failed := <-written; err == nil && failed != nil {
		err = failed
	}
	return made, err
}

func (b BatchUpload) write(form *multipart.Writer) error {
	for _, field := range [][2]string{{"name", b.Name}, {"policy", b.Policy}, {"priority", b.Priority}} {
		if field[1] == "" {
			continue
		}
		if err := form.WriteField(field[0], field[1]); err != nil {
			return err
		}
	}
	part, err := form.CreateFormFile("file", "lines"+path.Ext(b.FileName)) // a file's own name may name people
	if err != nil {
		return err
	}
	if _, err := io.Copy(part, b.File); err != nil {
		return err
	}
	if b.Pictures != nil {
		if part, err = form.CreateFormFile("pictures", "pictures.zip"); err != nil {
			return err
		}
		if err := b.Pictures(part); err != nil {
			return err
		}
	}
	return form.Close()
}

func batchPath(id string, more ...string) string {
	return "/v1/batches/" + path.Join(append([]string{url.PathEscape(id)}, more...)...)
}

// Batches are the newest batches, at most so many.
func (h *HTTP) Batches(ctx context.Context, limit int) ([]Batch, error) {
	var page struct{ Batches []Batch }
	err := h.ask(ctx, http.MethodGet, fmt.Sprintf("/v1/batches?limit=%d", limit), nil, nil, &page)
	return page.Batches, err
}

// BatchSummary is where a batch stands and how it came out so far.
func (h *HTTP) BatchSummary(ctx context.Context, id string) (s BatchSummary, err error) {
	return s, h.ask(ctx, http.MethodGet, batchPath(id, "summary"), nil, nil, &s)
}

// SteerBatch pauses, resumes or cancels a batch: the action is that word.
func (h *HTTP) SteerBatch(ctx context.Context, id, action string) (b Batch, err error) {
	return b, h.ask(ctx, http.MethodPost, batchPath(id, action), nil, nil, &b)
}

// BatchFile is a batch's file of "results" or "errors", to be closed. A file that
// breaks off is an error of its reader.
func (h *HTTP) BatchFile(ctx context.Context, id, kind string, f batch.Format, l batch.Language) (io.ReadCloser, error) {
	query := url.Values{"format": {string(f)}, "language": {string(l)}}
	resp, err := h.send(ctx, http.MethodGet, batchPath(id, kind)+"?"+query.Encode(), nil, nil)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}
