package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker"
)

// Upload is how somebody without credentials stores one picture.
type Upload struct {
	Object string // for Submission.Object once it is uploaded
	URL    *url.URL
	Header http.Header // to send along with PUT, as it is
}

// PresignUpload lets somebody without credentials store one picture of exactly
// this size and one of worker.UploadTypes, once, within expires, on the S3 server as
// callers reach it (objects.Config.PublicURL).
func (c *Client) PresignUpload(ctx context.Context, size int64, contentType string, expires time.Duration) (Upload, error) {
	object := c.NewUpload()
	u, header, err := c.Objects.PresignPut(ctx, object, size, contentType, expires)
	return Upload{object, u, header}, err
}

// NewUpload is a new key for an upload of this tenant.
func (c *Client) NewUpload() string { return worker.UploadsOf(c.tenant()) + records.NewID() }
