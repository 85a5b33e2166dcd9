package server

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/heyan/heyan/worker/batch"
	"github.com/heyan/heyan/worker/client"
)

// batchBody is the form of a batch, read part by part as it comes.
type batchBody struct {
	boundary string
	body     *patient
	tail     *tail
}

func newBatchBody(in *batchInput) (*batchBody, error) {
	media, params, err := mime.ParseMediaType(in.request.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" {
		return nil, problem(http.StatusUnsupportedMediaType, "media_type", "the body must be multipart/form-data")
	}
	body := &patient{r: in.request.Body, connection: http.NewResponseController(in.answer)}
	return &batchBody{params["boundary"], body, &tail{r: body}}, nil
}

// read stores the files and returns the other values.
func (b *batchBody) read(ctx context.Context, draft *client.BatchDraft) (map[string]string, error) {
	parts := multipart.NewReader(b.tail, b.boundary)
	values := map[string]string{}
	for range maxParts {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) && b.tail.endsWith("--"+b.boundary+"--") {
			if _, sent := values["file"]; !sent {
				return nil, invalid("form", "file", "the part is missing")
			}
			return values, nil
		}
		if err != nil {
			return nil, malformedBatch(err)
		}
		name := part.FormName()
		limit, known := batchFields[name]
		_, given := values[name]
		switch {
		case given:
			return nil, invalid("form", name, "the field is given twice")
		case name == "file":
			values[name] = ""
			err = b.stored(name, draft.Lines(ctx, "lines"+path.Ext(part.FileName()), part))
		case name == "pictures":
			values[name] = ""
			err = b.stored(name, draft.Pictures(ctx, part))
		case known:
			values[name], err = readValue(part, name, limit)
		default:
			return nil, invalid("form", "", "a form field is not known")
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, invalid("form", "", "the form has too many parts")
}

// stored tells what is wrong with a file from what is wrong with its way here.
func (b *batchBody) stored(field string, err error) error {
	var unfit *batch.FileError
	switch {
	case errors.As(err, &unfit):
		return unfitFile(field, unfit)
	case errors.Is(err, client.ErrBatchTooLarge):
		return batchTooLarge()
	case err != nil && b.body.failed:
		return malformedBatch(err)
	case err == io.ErrUnexpectedEOF: // bare it is the form's, not the store's
		return malformed(err)
	}
	return err
}

func malformedBatch(err error) *huma.ErrorModel {
	if errors.As(err, new(*http.MaxBytesError)) {
		return batchTooLarge()
	}
	return malformed(err)
}

// patient reads a body for as long as it keeps coming: the timeouts of other
// requests are for small ones.
type patient struct {
	r          io.Reader
	connection *http.ResponseController
	until      time.Time
	failed     bool // the body broke off
}

func (p *patient) Read(b []byte) (int, error) {
	if now := time.Now(); p.until.Sub(now) < readTimeout/2 {
		p.until = now.Add(readTimeout)
		// Where there are no deadlines there is none to be late for.
		_ = p.connection.SetReadDeadline(p.until)
		_ = p.connection.SetWriteDeadline(p.until.Add(writeTimeout))
	}
	n, err := p.r.Read(b)
	p.failed = p.failed || err != nil && err != io.EOF
	return n, err
}
