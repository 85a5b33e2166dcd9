package worker

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
)

// awayKeys are data keys whose database is away while down.
type awayKeys struct {
	vault.DataKeys
	down bool
}

func (k *awayKeys) DataKey(ctx context.Context, tenant string) ([]byte, error) {
	if k.down {
		return nil, &records.Error{Op: "data key", Err: records.ErrUnavailable}
	}
	return k.DataKeys.DataKey(ctx, tenant)
}

// A submission whose key cannot be read now is given back: a failover costs no
// attempt.
func TestKeyAwayCostsNoAttempt(t *testing.T) {
	r := newRig(t, "", fakeEngine{1, func(_ context.Context, id string) (report.Report, error) { return passes(id), nil }})
	// Keys of the test's own, in place of the rig's.
	if err := r.Records.DeleteDataKey(t.Context(), records.DefaultTenant); err != nil {
		t.Fatal(err)
	}
	keys, file := &awayKeys{DataKeys: r.Records}, filepath.Join(t.TempDir(), "vault.key")
	callers, err := vault.Open(t.Context(), file, keys)
	if err != nil {
		t.Fatal(err)
	}
	if r.Vault, err = vault.Open(t.Context(), file, keys); err != nil {
		t.Fatal(err)
	}
	const tenant = "late" // its key is made after the worker's start
	sealer, err := callers.For(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	v := r.record(t, Interactive)
	v.Tenant = tenant
	if v.Sealed, err = SealSubmission(sealer, v.ID, report.Submission{ID: v.ID, Policy: v.Policy}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Records.Create(t.Context(), v, "", nil); err != nil {
		t.Fatal(err)
	}
	r.setDefaults()

	keys.down = true
	if _, err := r.handle(t.Context(), v.ID); !errors.Is(err, records.ErrUnavailable) {
		t.Errorf("got %v, want that the records are away", err)
	}
	if got, err := r.Records.Get(t.Context(), tenant, v.ID); err != nil || got.Attempts != 0 || got.LastError != "" {
		t.Errorf("attempts %d, last error %q, %v", got.Attempts, got.LastError, err)
	}
	keys.down = false
	if _, err := r.handle(t.Context(), v.ID); err != nil {
		t.Error(err)
	}
}
