package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
)

// UploadTypes are the types that an upload may have. What a picture is, the
// pipeline tells from its bytes.
var UploadTypes = []string{"image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff", "image/heic", "image/heif",
	"image/gif", "application/pdf", "application/octet-stream"}

// Upload is how somebody without credentials stores one picture.
type Upload struct {
	Object string // for Submission.Object once it is uploaded
	URL    *url.URL
	Header http.Header // to send along with PUT, as it is
}

// PresignUpload lets somebody without credentials store one picture of exactly
// this size and one of UploadTypes, once, within expires, on the S3 server as
// callers reach it (objects.Config.PublicURL).
func (c *Client) PresignUpload(ctx context.Context, size int64, contentType string, expires time.Duration) (Upload, error) {
	object := c.NewUpload()
	u, header, err := c.Objects.PresignPut(ctx, object, size, contentType, expires)
	return Upload{object, u, header}, err
}

// NewUpload is a new key for an upload of this tenant.
func (c *Client) NewUpload() string { return c.uploads() + records.NewID() }

func (c *Client) uploads() string { return "uploads/" + c.tenant() + "/" }

// copyUpload gives an upload of this tenant its place as a picture.
func (c *Client) copyUpload(ctx context.Context, upload, to string) error {
	id, ours := strings.CutPrefix(upload, c.uploads())
	if _, err := uuid.Parse(id); !ours || err != nil || len(id) != len(uuid.Nil.String()) {
		return ErrNoUpload
	}
	info, err := c.Objects.Stat(ctx, upload)
	if err == nil && (info.Size == 0 || info.Size > MaxPicture || !slices.Contains(UploadTypes, info.ContentType)) {
		return ErrUnfitUpload
	}
	if err == nil {
		err = c.Objects.Copy(ctx, upload, info.ETag, to)
	}
	if errors.Is(err, objects.ErrNotFound) || errors.Is(err, objects.ErrInvalidKey) || errors.Is(err, objects.ErrChanged) {
		return ErrNoUpload
	}
	return err
}
