package worker

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/heyan/heyan/storage/objects"
)

// MaxPicture is the largest picture of an upload, bytes: the default of intake and
// of every policy.
const MaxPicture = 10 << 20

// The refusals of an upload.
var (
	// ErrNoUpload: nothing was uploaded under this key for this tenant.
	ErrNoUpload = errors.New("there is no such upload")
	// ErrUnfitUpload: what was uploaded is empty, too large or of a type that no upload may have.
	ErrUnfitUpload = errors.New("the upload is not a picture that can be taken")
)

// UploadTypes are the types that an upload may have. What a picture is, the
// pipeline tells from its bytes.
var UploadTypes = []string{"image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff", "image/heic", "image/heif",
	"image/gif", "application/pdf", "application/octet-stream"}

// UploadsOf is how the keys of a tenant's uploads begin; an id follows.
func UploadsOf(tenant string) string { return uploads + tenant + "/" }

// CopyUpload gives an upload of a tenant its place as a picture. ErrNoUpload,
// ErrUnfitUpload.
func CopyUpload(ctx context.Context, store *objects.Store, tenant, upload, to string) error {
	id, theirs := strings.CutPrefix(upload, UploadsOf(tenant))
	if _, err := uuid.Parse(id); !theirs || err != nil || len(id) != len(uuid.Nil.String()) {
		return ErrNoUpload
	}
	info, err := store.Stat(ctx, upload)
	if err == nil && (info.Size == 0 || info.Size > MaxPicture || !slices.Contains(UploadTypes, info.ContentType)) {
		return ErrUnfitUpload
	}
	if err == nil {
		err = store.Copy(ctx, upload, info.ETag, to)
	}
	if errors.Is(err, objects.ErrNotFound) || errors.Is(err, objects.ErrInvalidKey) || errors.Is(err, objects.ErrChanged) {
		return ErrNoUpload
	}
	return err
}
