package vault

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var place = Submission("1")

func TestTenantsApart(t *testing.T) {
	v := openVault(t, filepath.Join(t.TempDir(), "vault.key"), &memory{})
	a, b := sealer(t, v, "a"), sealer(t, v, "b")
	if _, err := b.Open(place, a.Seal(place, []byte(secret))); !errors.Is(err, ErrTampered) {
		t.Errorf("another tenant: got %v, want %v", err, ErrTampered)
	}
	if bytes.Equal(a.Index("id_number", secret), b.Index("id_number", secret)) {
		t.Error("two tenants have the same index")
	}
	if again := sealer(t, v, "a"); again != a {
		t.Error("a tenant's key is read each time")
	}
}

// A wrapped key that was given to another tenant does not open.
func TestKeyOfAnotherTenant(t *testing.T) {
	keys := &memory{}
	v := openVault(t, filepath.Join(t.TempDir(), "vault.key"), keys)
	sealer(t, v, "a")
	keys.wrapped["b"] = keys.wrapped["a"]
	if _, err := v.For(t.Context(), "b"); !errors.Is(err, ErrTampered) {
		t.Errorf("got %v, want %v", err, ErrTampered)
	}
}

func TestTenantRace(t *testing.T) {
	v := openVault(t, filepath.Join(t.TempDir(), "vault.key"), &memory{})
	sealed := make([][]byte, 8)
	var group sync.WaitGroup
	for i := range sealed {
		group.Go(func() {
			s, err := v.For(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			sealed[i] = s.Seal(place, []byte(secret))
		})
	}
	group.Wait()
	for i := range sealed {
		if _, err := sealer(t, v, "a").Open(place, sealed[i]); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestRotate(t *testing.T) {
	path, keys := filepath.Join(t.TempDir(), "vault.key"), &memory{}
	v, running := openVault(t, path, keys), openVault(t, path, keys)
	tenants := []string{"a", "b", tenant}
	sealed, index := map[string][]byte{}, map[string][]byte{}
	for _, name := range tenants {
		sealed[name] = sealer(t, v, name).Seal(place, []byte(secret))
		index[name] = sealer(t, v, name).Index("phone", secret)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rotate := func(want int) {
		t.Helper()
		if n, err := v.Rotate(t.Context()); n != want || err != nil {
			t.Errorf("rotated %d, %v, want %d", n, err, want)
		}
	}
	rotate(0)
	if err := AddMaster(path); err != nil {
		t.Fatal(err)
	}
	// A process that runs on makes a key with the new master, and reads one.
	sealer(t, running, "new")
	rotate(len(tenants))
	rotate(0)
	sealer(t, running, "b")

	after, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(string(after), string(before)) || strings.Count(string(after), "\n") != 2 {
		t.Fatalf("the key file has %d lines, %v", strings.Count(string(after), "\n"), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v, %v", info.Mode(), err)
	}
	// The old master may go.
	if err := os.WriteFile(path, bytes.TrimSuffix(after, before), 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := openVault(t, path, keys)
	for _, name := range tenants {
		if got, err := sealer(t, fresh, name).Open(place, sealed[name]); err != nil || string(got) != secret {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(sealer(t, fresh, name).Index("phone", secret), index[name]) {
			t.Errorf("%s: the index changed", name)
		}
	}
	// And the new one must not.
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, keys); !errors.Is(err, ErrWrongKey) {
		t.Errorf("got %v, want %v", err, ErrWrongKey)
	}
	if _, err := v.Rotate(t.Context()); !errors.Is(err, ErrWrongKey) {
		t.Errorf("got %v, want %v", err, ErrWrongKey)
	}
}

func TestShred(t *testing.T) {
	path, keys := filepath.Join(t.TempDir(), "vault.key"), &memory{}
	v, other := openVault(t, path, keys), openVault(t, path, keys)
	clock := time.Now()
	other.now = func() time.Time { return clock }
	sealed, kept := sealer(t, v, "a").Seal(place, []byte(secret)), sealer(t, v, "b").Seal(place, []byte(secret))
	if _, err := sealer(t, other, "a").Open(place, sealed); err != nil {
		t.Fatal(err)
	}
	if err := v.Shred(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(cacheFor)
	for name, vault := range map[string]*Vault{"here": v, "in another process": other, "later": openVault(t, path, keys)} {
		if _, err := sealer(t, vault, "a").Open(place, sealed); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: got %v, want %v", name, err, ErrTampered)
		}
		if got, err := sealer(t, vault, "b").Open(place, kept); err != nil || string(got) != secret {
			t.Errorf("%s: the other tenant's: %v", name, err)
		}
	}
}

func TestAddMaster(t *testing.T) {
	if err := AddMaster(filepath.Join(t.TempDir(), "vault.key")); !errors.Is(err, ErrKeyMissing) {
		t.Errorf("got %v, want %v", err, ErrKeyMissing)
	}
	path := keyFile(t, "x")
	if err := AddMaster(path); !errors.Is(err, ErrKeyFile) {
		t.Errorf("got %v, want %v", err, ErrKeyFile)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "x" {
		t.Errorf("got %q, %v", text, err)
	}
}
