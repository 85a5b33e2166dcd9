package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
)

var now = time.Date(2030, 5, 1, 8, 0, 0, 0, time.UTC)

// data is an open data folder of the one-machine mode.
type data struct {
	server  *objects.Embedded
	objects *objects.Store
	records *records.Store
	vault   *vault.Vault
}

func open(t testing.TB, dir string) data {
	t.Helper()
	ctx := context.Background()
	var d data
	var err error
	if d.server, err = objects.Embed(filepath.Join(dir, "objects")); err != nil {
		t.Fatal(err)
	}
	if d.objects, err = objects.Open(ctx, d.server.Config()); err != nil {
		t.Fatal(err)
	}
	if d.records, err = records.Open(ctx, (&url.URL{Scheme: "sqlite", Path: filepath.Join(dir, RecordsFile)}).String()); err != nil {
		t.Fatal(err)
	}
	if d.vault, err = vault.Open(ctx, filepath.Join(dir, KeyFile), d.records); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d data) close(t testing.TB) {
	t.Helper()
	if err := errors.Join(d.records.Close(), d.server.Close(context.Background())); err != nil {
		t.Error(err)
	}
}

// submit stores a picture and its record, in the order of a submission.
func (d data) submit(ctx context.Context, id string) error {
	picture := "picture of " + id
	key := "pictures/" + id
	if err := d.objects.Create(ctx, key, strings.NewReader(picture), int64(len(picture)), "image/jpeg"); err != nil {
		return err
	}
	tenant, err := d.vault.For(ctx, records.DefaultTenant)
	if err != nil {
		return err
	}
	_, _, err = d.records.Create(ctx, records.Verification{ID: id, Tenant: records.DefaultTenant, Policy: "photo", Priority: "standard", ObjectKey: key,
		Sealed: tenant.Seal(vault.Submission(id), []byte("sealed "+id)), MaxAttempts: 3, CreatedAt: now, DeadlineAt: now.Add(time.Hour)}, "", nil)
	return err
}

// TestBackupWhileServing: an archive taken while submissions arrive holds every one
// that was acknowledged before, whole, and opens elsewhere.
func TestBackupWhileServing(t *testing.T) {
	ctx := t.Context()
	dir := filepath.Join(t.TempDir(), "data")
	d := open(t, dir)
	var before []string
	for range 20 {
		id := records.NewID()
		if err := d.submit(ctx, id); err != nil {
			t.Fatal(err)
		}
		before = append(before, id)
	}
	writing, stop := context.WithCancel(ctx)
	done := make(chan error)
	go func() {
		var err error
		for writing.Err() == nil && err == nil {
			err = d.submit(ctx, records.NewID())
		}
		done <- err
	}()
	var archive bytes.Buffer
	written, err := Write(ctx, &archive, dir, true, now)
	stop()
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	d.close(t)

	other := filepath.Join(t.TempDir(), "restored")
	read, err := Restore(ctx, &archive, other)
	if err != nil {
		t.Fatal(err)
	}
	if read != written || !read.Key || read.Objects < len(before) {
		t.Errorf("restored %+v, written %+v", read, written)
	}
	d = open(t, other)
	defer d.close(t)
	page, err := d.records.List(ctx, records.DefaultTenant, records.Query{})
	if err != nil {
		t.Fatal(err)
	}
	ids := before
	for _, v := range page.Verifications { // what came while the archive was written, too
		ids = append(ids, v.ID)
	}
	tenant, err := d.vault.For(ctx, records.DefaultTenant)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		v, err := d.records.Get(ctx, records.DefaultTenant, id)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := tenant.Open(vault.Submission(id), v.Sealed); err != nil || string(text) != "sealed "+id {
			t.Errorf("%s: sealed %q, %v", id, text, err)
		}
		object, _, err := d.objects.Get(ctx, v.ObjectKey, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := io.ReadAll(object)
		object.Close()
		if err != nil || string(picture) != "picture of "+id {
			t.Errorf("%s: picture %q, %v", id, picture, err)
		}
	}
}

func TestKeyIsLeftOut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	open(t, dir).close(t)
	var archive bytes.Buffer
	if _, err := Write(t.Context(), &archive, dir, false, now); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "restored")
	if summary, err := Restore(t.Context(), &archive, other); err != nil || summary.Key {
		t.Fatalf("%+v, %v", summary, err)
	}
	if _, err := os.Stat(filepath.Join(other, KeyFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the key file is there: %v", err)
	}
}

func TestNoData(t *testing.T) {
	if _, err := Write(t.Context(), io.Discard, t.TempDir(), true, now); !errors.Is(err, ErrNoData) {
		t.Errorf("got %v", err)
	}
}

func TestRestoreWritesOverNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), bytes.NewReader(nil), dir); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("got %v", err)
	}
}

// entries is a tar archive of names and contents, in turns.
func entries(t testing.TB, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: parts[i], Mode: 0o600, Size: int64(len(parts[i+1]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, parts[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sumOfX is the SHA-256 of "x".
const sumOfX = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

// TestDamagedArchives: whatever is wrong with an archive, nothing is restored.
func TestDamagedArchives(t *testing.T) {
	sums := sumOfX + "  records.db\n"
	good := entries(t, RecordsFile, "x", sumsFile, sums)
	for name, archive := range map[string][]byte{
		"empty":               {},
		"text":                []byte("no archive"),
		"cut in an entry":     good[:512],
		"cut before the sums": good[:1024],
		"without sums":        entries(t, RecordsFile, "x"),
		"without records":     entries(t, sumsFile, ""),
		"changed":             entries(t, RecordsFile, "y", sumsFile, sums),
		"more than listed":    entries(t, RecordsFile, "x", KeyFile, "k", sumsFile, sums),
		"less than listed":    entries(t, RecordsFile, "x", sumsFile, sums+sumOfX+"  vault.key\n"),
		"twice":               entries(t, RecordsFile, "x", RecordsFile, "x", sumsFile, sums),
		"climbs out":          entries(t, "../x", "x", RecordsFile, "x", sumsFile, sums),
		"foreign file":        entries(t, "objects/objects/name", "x", RecordsFile, "x", sumsFile, sums),
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			if _, err := Restore(t.Context(), bytes.NewReader(archive), filepath.Join(parent, "data")); !errors.Is(err, ErrDamaged) {
				t.Errorf("got %v", err)
			}
			if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
	if _, err := Restore(t.Context(), bytes.NewReader(good), filepath.Join(t.TempDir(), "data")); err != nil {
		t.Errorf("the sound one: %v", err)
	}
}

func FuzzRestore(f *testing.F) {
	f.Add(entries(f, RecordsFile, "x", sumsFile, sumOfX+"  records.db\n"))
	f.Add(entries(f, "../x", "x", sumsFile, ""))
	f.Add(entries(f, fmt.Sprintf("objects/objects/%064d", 7), "x", sumsFile, ""))
	f.Fuzz(func(t *testing.T, archive []byte) {
		parent := t.TempDir()
		_, err := Restore(t.Context(), bytes.NewReader(archive), filepath.Join(parent, "data"))
		left, readErr := os.ReadDir(parent)
		if readErr != nil || err != nil && len(left) > 0 || len(left) > 1 {
			t.Errorf("%v; left behind: %v, %v", err, left, readErr)
		}
	})
}
