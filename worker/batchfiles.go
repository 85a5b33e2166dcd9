package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/spool"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker/batch"
)

// batches is where the files of batches are: tenant, id, name.
const batches = "batches/"

// BatchFileKey is the key of a file that was handed in with a batch.
func BatchFileKey(tenant, id, name string) string { return batches + tenant + "/" + id + "/" + name }

// BatchFiles are what was handed in with a batch.
type BatchFiles struct {
	Format   batch.Format `json:"format"`
	Lines    spool.File   `json:"lines"`
	Pictures *spool.File  `json:"pictures,omitempty"` // a ZIP
}

// maxManifest is far more than BatchFiles take as JSON, bytes.
const maxManifest = 4 << 10

func manifestKey(tenant, id string) string { return BatchFileKey(tenant, id, "manifest") }

// KeepBatchFiles notes the files of a batch that is about to be made.
func KeepBatchFiles(ctx context.Context, store *objects.Store, tenant, id string, f BatchFiles) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return store.Put(ctx, manifestKey(tenant, id), bytes.NewReader(text), int64(len(text)), "application/json")
}

// batchFiles are those of a batch; gone says of the error that they are no more.
func (w *Worker) batchFiles(ctx context.Context, b records.Batch) (f BatchFiles, err error) {
	object, _, err := w.Objects.Get(ctx, manifestKey(b.Tenant, b.ID), maxManifest)
	if err != nil {
		return f, err
	}
	defer object.Close()
	text, err := io.ReadAll(object)
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	return f, err
}

// DropBatchFiles deletes what was stored for a batch that never was, or is over.
func DropBatchFiles(ctx context.Context, store *objects.Store, tenant, id string) error {
	prefix := BatchFileKey(tenant, id, "")
	for {
		page, err := store.List(ctx, prefix, "", objects.MaxList)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, o := range page {
			if err := store.Delete(ctx, o.Key); err != nil {
				return err
			}
		}
	}
}

// collectBatches drops the files of batches that are over, and of those that were
// never made.
func (w *Worker) collectBatches(ctx context.Context) error {
	for after := ""; ; {
		page, err := w.Objects.List(ctx, batches, after, objects.MaxList)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].Key
		seen := ""
		for _, o := range page {
			tenant, rest, _ := strings.Cut(strings.TrimPrefix(o.Key, batches), "/")
			id, _, _ := strings.Cut(rest, "/")
			if id == seen {
				continue
			}
			seen = id
			over, err := w.batchIsOver(ctx, tenant, id)
			if err == nil && over {
				err = DropBatchFiles(ctx, w.Objects, tenant, id)
			}
			if err != nil {
				return err
			}
		}
	}
}

func (w *Worker) batchIsOver(ctx context.Context, tenant, id string) (bool, error) {
	b, err := w.Records.Batch(ctx, tenant, id)
	if errors.Is(err, records.ErrNotFound) {
		return createdBefore(id, w.Now().Add(-orphanAge)), nil
	}
	return b.State == records.BatchDone || b.State == records.BatchCancelled, err
}

// declaredLine is what a line keeps sealed until it is submitted.
type declaredLine struct {
	report.Declared
	Purpose report.Purpose `json:"purpose,omitempty"`
}

func linePlace(batch, customID string) vault.Place {
	return vault.Place{Table: "batch_lines", ID: batch + " " + customID, Field: "declared"}
}

func sealLine(s *vault.Sealer, b string, l batch.Line) ([]byte, error) {
	text, err := json.Marshal(declaredLine{l.Declared, l.Purpose})
	return s.Seal(linePlace(b, l.CustomID), text), err
}

func openLine(s *vault.Sealer, l records.BatchLine) (d declaredLine, err error) {
	text, err := s.Open(linePlace(l.Batch, l.CustomID), l.Sealed)
	if err == nil && json.Unmarshal(text, &d) != nil {
		err = errors.New("the sealed text is not the expected JSON") // the decoder's own words may quote it
	}
	return d, err
}
