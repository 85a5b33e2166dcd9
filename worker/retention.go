package worker

import (
	"context"
	"errors"
	"path"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
)

const (
	// retentionEvery is how often what is kept long enough is cleared away.
	retentionEvery = time.Minute
	// retentionBatch is how many rows one statement clears: short transactions,
	// between which others write.
	retentionBatch = 100

	// Orphans are looked for first when a process has run for a while, since
	// all objects are listed for it.
	orphansFirst = 10 * time.Minute
	orphansEvery = 6 * time.Hour
	// orphanAge is how old an object is that cannot be under way to its record
	// any more: far older than any request.
	orphanAge = 24 * time.Hour

	pictures = "pictures/" // and the id of the verification
	uploads  = "uploads/"  // tenant, and an id of its own
)

// retain clears away what is kept long enough. Each job may be done by several
// workers at once, and again after a death in the middle.
func (w *Worker) retain(ctx context.Context) error {
	now := w.Now()
	_, err := w.Records.PurgeIdempotencyKeys(ctx, now.Add(-records.IdempotencyRetention))
	return errors.Join(err,
		w.dropPictures(ctx, now),
		w.endStaleBatches(ctx),
		inBatches(func() (int, error) { return w.Records.DropSealed(ctx, now, retentionBatch) }),
		inBatches(func() (int, error) { return w.Records.DropReports(ctx, now, retentionBatch) }),
		inBatches(func() (int, error) { return w.Records.PurgeSessions(ctx, now, retentionBatch) }),
		inBatches(func() (int, error) {
			return w.Records.PurgeEvents(ctx, now.Add(-records.EventRetention), retentionBatch)
		}),
	)
}

// inBatches repeats a job until it leaves nothing to do.
func inBatches(job func() (int, error)) error {
	for {
		if n, err := job(); err != nil || n < retentionBatch {
			return err
		}
	}
}

// dropPictures deletes each picture before its record says that it is gone.
func (w *Worker) dropPictures(ctx context.Context, now time.Time) error {
	return inBatches(func() (int, error) {
		due, err := w.Records.DuePictures(ctx, now, retentionBatch)
		if err != nil {
			return 0, err
		}
		for _, p := range due {
			if err := DeletePicture(ctx, w.Objects, p.ID, p.ObjectKey); err != nil {
				return 0, err
			}
			if err := w.Records.PictureGone(ctx, p.ID, w.Now()); err != nil {
				return 0, err
			}
		}
		return len(due), nil
	})
}

// collectOrphans deletes the pictures that never got their record, because a
// process died in between, the uploads that were never submitted, and the views
// that outlived their picture.
func (w *Worker) collectOrphans(ctx context.Context) error {
	errs := []error{
		w.collectBatches(ctx),
		w.collect(ctx, pictures, func(ids []string) ([]string, error) { return w.Records.HaveObjects(ctx, ids) }),
		// What is submitted is copied: an upload has no other use than that.
		w.collect(ctx, uploads, func(ids []string) ([]string, error) { return ids, nil }),
	}
	for _, view := range viewKinds {
		errs = append(errs, w.collect(ctx, viewKey(view, ""), func(ids []string) ([]string, error) { return w.withoutPicture(ctx, ids) }))
	}
	return errors.Join(errs...)
}

// withoutPicture picks those of the ids, in order, that no picture is stored under.
func (w *Worker) withoutPicture(ctx context.Context, ids []string) (alone []string, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	alone = slices.Clone(ids)
	last := pictures + ids[len(ids)-1]
	for after := pictures + ids[0][:len(ids[0])-1]; after < last; { // all but its last digit comes before it
		page, err := w.Objects.List(ctx, pictures, after, objects.MaxList)
		if err != nil {
			return nil, err
		}
		for _, o := range page {
			if i, found := slices.BinarySearch(alone, path.Base(o.Key)); found {
				alone = slices.Delete(alone, i, i+1)
			}
		}
		if len(page) < objects.MaxList {
			break
		}
		after = page[len(page)-1].Key
	}
	return alone, nil
}

// collect deletes the objects of a prefix that are old enough and that orphans
// picks, by the ids at the end of their keys, in order. An object that is not named by a
// UUIDv7 has no known age and stays.
func (w *Worker) collect(ctx context.Context, prefix string, orphans func(ids []string) ([]string, error)) error {
	for after := ""; ; {
		page, err := w.Objects.List(ctx, prefix, after, objects.MaxList)
		if err != nil {
			return err
		}
		keys, ids := map[string]string{}, []string{}
		for _, o := range page {
			if id := path.Base(o.Key); createdBefore(id, w.Now().Add(-orphanAge)) {
				keys[id] = o.Key
				ids = append(ids, id)
			}
		}
		alone, err := orphans(ids)
		if err != nil {
			return err
		}
		for _, id := range alone {
			if err := w.Objects.Delete(ctx, keys[id]); err != nil {
				return err
			}
			w.Logger.Info("orphan deleted", "object", keys[id])
		}
		if len(page) < objects.MaxList {
			return nil
		}
		after = page[len(page)-1].Key
	}
}

// createdBefore reads the time in a UUIDv7; false for any other name.
func createdBefore(id string, t time.Time) bool {
	parsed, err := uuid.Parse(id)
	if err != nil || parsed.Version() != 7 || parsed.String() != id {
		return false
	}
	return time.Unix(parsed.Time().UnixTime()).Before(t)
}
