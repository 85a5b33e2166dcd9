package spool

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
)

func open(t *testing.T) (*objects.Store, *vault.Sealer) {
	t.Helper()
	dir := t.TempDir()
	server, err := objects.Embed(filepath.Join(dir, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(context.Background()) })
	store, err := objects.Open(t.Context(), server.Config())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := records.Open(t.Context(), "sqlite://"+filepath.Join(dir, "records.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rows.Close() })
	keys, err := vault.Open(t.Context(), filepath.Join(dir, "vault.key"), rows)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := keys.For(t.Context(), records.DefaultTenant)
	if err != nil {
		t.Fatal(err)
	}
	return store, sealer
}

func list(t *testing.T, store *objects.Store) (all []objects.Object) {
	t.Helper()
	all, err := store.List(t.Context(), "batches/", "", objects.MaxList)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFile(t *testing.T) {
	store, sealer := open(t)
	chance := rand.NewChaCha8([32]byte{1})
	for name, size := range map[string]int{"empty": 0, "one-byte": 1, "one-part": partBytes, "some": 5*partBytes + 17} {
		t.Run(name, func(t *testing.T) {
			content := make([]byte, size)
			chance.Read(content)
			f, err := Write(t.Context(), store, sealer, "batches/"+name, iotest.HalfReader(bytes.NewReader(content)), int64(size))
			if err != nil || f.Size != int64(size) {
				t.Fatalf("%+v, %v", f, err)
			}
			if n, want := len(list(t, store)), (size+partBytes-1)/partBytes; n != want {
				t.Errorf("%d parts, want %d", n, want)
			}
			r := Open(t.Context(), store, sealer, f)
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			for _, at := range []int{0, size / 2, partBytes - 3, 3 * partBytes, partBytes + 1, size - 1} {
				piece := make([]byte, 100)
				n, err := r.ReadAt(piece, int64(at))
				if at < 0 || at >= size {
					continue
				}
				if want := content[at:min(at+100, size)]; !bytes.Equal(piece[:n], want) || (err == io.EOF) != (n < 100) {
					t.Errorf("at %d: %d bytes, %v", at, n, err)
				}
			}
			if err := Remove(t.Context(), store, f); err != nil || len(list(t, store)) != 0 {
				t.Errorf("removed: %v, %d parts left", err, len(list(t, store)))
			}
			if err := Remove(t.Context(), store, f); err != nil {
				t.Errorf("again: %v", err)
			}
		})
	}
}

// What stands in the store is sealed, and for its place alone.
func TestSealed(t *testing.T) {
	store, sealer := open(t)
	const secret = "11010519491231002X"
	f, err := Write(t.Context(), store, sealer, "batches/a", bytes.NewReader([]byte(secret)), 100)
	if err != nil {
		t.Fatal(err)
	}
	body, info, err := store.Get(t.Context(), "batches/a/000000", 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	sealed, err := io.ReadAll(body)
	if err != nil || bytes.Contains(sealed, []byte(secret)) {
		t.Errorf("%q, %v", sealed, err)
	}
	if err := store.Copy(t.Context(), "batches/a/000000", info.ETag, "batches/b/000000"); err != nil {
		t.Fatal(err)
	}
	f.Key = "batches/b"
	if _, err := io.ReadAll(Open(t.Context(), store, sealer, f)); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("moved: %v", err)
	}
	f.Key = "batches/c"
	if _, err := io.ReadAll(Open(t.Context(), store, sealer, f)); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("not there: %v", err)
	}
}

// A body that breaks off is never taken for a whole file.
func TestWriteFails(t *testing.T) {
	store, sealer := open(t)
	for name, tt := range map[string]struct {
		r     io.Reader
		limit int64
		want  error
	}{
		"too large":            {bytes.NewReader(make([]byte, 101)), 100, ErrTooLarge},
		"too large in a part":  {bytes.NewReader(make([]byte, 2*partBytes)), 2*partBytes - 1, ErrTooLarge},
		"cut":                  {io.MultiReader(bytes.NewReader([]byte("abc")), iotest.ErrReader(io.ErrUnexpectedEOF)), 100, io.ErrUnexpectedEOF},
		"cut after whole part": {io.MultiReader(bytes.NewReader(make([]byte, partBytes)), iotest.ErrReader(io.ErrUnexpectedEOF)), 2 * partBytes, io.ErrUnexpectedEOF},
	} {
		f, err := Write(t.Context(), store, sealer, "batches/a", tt.r, tt.limit)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err := Remove(t.Context(), store, f); err != nil || len(list(t, store)) != 0 {
			t.Errorf("%s: removed %+v: %v, %d parts left", name, f, err, len(list(t, store)))
		}
	}
}
