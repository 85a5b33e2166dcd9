package worker

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/spool"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker/batch"
)

// recentVerifications is among how many of an organization a stored picture is
// looked for.
const recentVerifications = 20

// openedArchive is the ZIP of the batch that is fed: opening one reads its whole
// directory.
type openedArchive struct {
	batch    string
	pictures batch.Pictures // nil: the batch has none
}

// placePicture copies the picture that a line names to its place: that of an
// upload, of the batch's ZIP, or of the organization's last verification where the
// line names none. *batch.PictureError: there is none that can be taken.
func (w *Worker) placePicture(ctx context.Context, b records.Batch, line records.BatchLine, to string) error {
	switch {
	case line.Picture == "":
		return w.copyStored(ctx, b.Tenant, line.Organization, to)
	case strings.HasPrefix(line.Picture, uploads):
		err := CopyUpload(ctx, w.Objects, b.Tenant, line.Picture, to)
		if errors.Is(err, ErrNoUpload) {
			return pictureError(batch.RuleNotFound)
		}
		if errors.Is(err, ErrUnfitUpload) {
			return pictureError(batch.RuleUnfitUpload)
		}
		return err
	}
	picture, err := w.archived(ctx, b, line.Picture)
	switch {
	case errors.Is(err, objects.ErrNotFound), errors.Is(err, vault.ErrTampered), errors.As(err, new(*batch.FileError)):
		return pictureError(batch.RuleDamaged) // of the archive: no other try helps
	case err != nil:
		return err
	}
	return w.Objects.Create(ctx, to, bytes.NewReader(picture), int64(len(picture)), "application/octet-stream")
}

func pictureError(r batch.Rule) error { return &batch.PictureError{Rule: r, Message: r.Message()} }

// archived is a picture of the batch's ZIP.
func (w *Worker) archived(ctx context.Context, b records.Batch, name string) ([]byte, error) {
	archive, err := w.archiveOf(ctx, b)
	if err != nil {
		return nil, err
	}
	if archive == nil {
		return nil, pictureError(batch.RuleNotFound)
	}
	return archive.Read(name)
}

func (w *Worker) archiveOf(ctx context.Context, b records.Batch) (batch.Pictures, error) {
	if w.archive.batch == b.ID {
		return w.archive.pictures, nil
	}
	w.archive = openedArchive{}
	files, err := w.batchFiles(ctx, b)
	if err != nil {
		return nil, err
	}
	opened := openedArchive{batch: b.ID}
	if files.Pictures != nil {
		sealer, err := w.Vault.For(ctx, b.Tenant)
		if err != nil {
			return nil, err
		}
		if opened.pictures, err = batch.ZIP(spool.Open(ctx, w.Objects, sealer, *files.Pictures), files.Pictures.Size, MaxPicture); err != nil {
			return nil, err
		}
	}
	w.archive = opened
	return opened.pictures, nil
}

// copyStored copies the newest picture of an organization that passed, or else the
// newest of all: that of a failure may be the reason for it.
func (w *Worker) copyStored(ctx context.Context, tenant, organization, to string) error {
	page, err := w.Records.List(ctx, tenant, records.Query{OrganizationID: organization, Limit: recentVerifications})
	if err != nil {
		return err
	}
	for _, passed := range []bool{true, false} {
		for _, v := range page.Verifications {
			if !v.PictureGoneAt.IsZero() || (v.Outcome == report.OutcomePass) != passed {
				continue
			}
			info, err := w.Objects.Stat(ctx, v.ObjectKey)
			if err == nil {
				err = w.Objects.Copy(ctx, v.ObjectKey, info.ETag, to)
			}
			if !errors.Is(err, objects.ErrNotFound) { // it was deleted this moment
				return err
			}
		}
	}
	return pictureError(batch.RuleNoStoredPicture)
}
