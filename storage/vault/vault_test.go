package vault

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// memory is the data keys of one database.
type memory struct {
	mu      sync.Mutex
	wrapped map[string][]byte
	err     error
}

func (m *memory) DataKey(_ context.Context, tenant string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.wrapped[tenant], m.err
}

func (m *memory) AddDataKey(_ context.Context, tenant string, wrapped []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.wrapped == nil {
		m.wrapped = map[string][]byte{}
	}
	if m.wrapped[tenant] == nil {
		m.wrapped[tenant] = wrapped
	}
	return m.wrapped[tenant], m.err
}

func (m *memory) DataKeyTenants(context.Context) (tenants []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.wrapped)), m.err
}

func (m *memory) ReplaceDataKey(_ context.Context, tenant string, old, wrapped []byte) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil || !bytes.Equal(m.wrapped[tenant], old) {
		return false, m.err
	}
	m.wrapped[tenant] = wrapped
	return true, nil
}

func (m *memory) DeleteDataKey(_ context.Context, tenant string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.wrapped, tenant)
	return m.err
}

const secret = "invented 110101199003070000"

// tenant is the one of tests that need one only.
const tenant = "default"

func openVault(t testing.TB, path string, keys DataKeys) *Vault {
	t.Helper()
	v, err := Open(t.Context(), path, keys)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func open(t testing.TB, path string, keys DataKeys) *Sealer {
	t.Helper()
	return sealer(t, openVault(t, path, keys), tenant)
}

func sealer(t testing.TB, v *Vault, tenant string) *Sealer {
	t.Helper()
	s, err := v.For(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func keyFile(t testing.TB, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.key")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// line is a key file's line of the key that repeats one byte.
func line(b byte) string { return strings.TrimSpace(keyLine(bytes.Repeat([]byte{b}, keyBytes))) }

func TestSealAndOpen(t *testing.T) {
	path, keys := filepath.Join(t.TempDir(), "vault.key"), &memory{}
	v := open(t, path, keys)
	place := Submission("1")
	for _, plaintext := range []string{"", "x", secret, strings.Repeat(secret, 10_000)} {
		one, two := v.Seal(place, []byte(plaintext)), v.Seal(place, []byte(plaintext))
		if bytes.Equal(one, two) {
			t.Error("sealing twice gives the same bytes")
		}
		if plaintext != "" && bytes.Contains(one, []byte(plaintext)) && len(plaintext) > 1 {
			t.Error("the plaintext stands in the sealed value")
		}
		for _, by := range []*Sealer{v, open(t, path, keys)} {
			if got, err := by.Open(place, one); err != nil || string(got) != plaintext {
				t.Errorf("%d bytes: got %d, %v", len(plaintext), len(got), err)
			}
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v, %v", info, err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("%d files beside the key file, %v", len(left), err)
	}
}

func TestTampered(t *testing.T) {
	v := open(t, filepath.Join(t.TempDir(), "vault.key"), &memory{})
	place := Place{"a", "b", "c"}
	sealed := v.Seal(place, []byte(secret))
	check := func(name string, p Place, sealed []byte) {
		t.Helper()
		got, err := v.Open(p, sealed)
		if !errors.Is(err, ErrTampered) || got != nil {
			t.Errorf("%s: got %v, want %v", name, err, ErrTampered)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		check(fmt.Sprintf("byte %d changed", i), place, changed)
		check(fmt.Sprintf("cut to %d bytes", i), place, sealed[:i])
	}
	check("grown", place, append(bytes.Clone(sealed), 0))
	for _, p := range []Place{{}, {"a", "b", ""}, {"ab", "", "c"}, {"", "ab", "c"}, {"a", "bc", ""}, {"a", "b", "d"}, {"a", "c", "b"}, Submission("b")} {
		check(fmt.Sprintf("moved to %q", p), p, sealed)
	}
	other := open(t, filepath.Join(t.TempDir(), "vault.key"), &memory{})
	if _, err := other.Open(place, sealed); !errors.Is(err, ErrTampered) {
		t.Errorf("another vault: got %v, want %v", err, ErrTampered)
	}
}

// The format is kept for ever: what an earlier version sealed must open.
func TestFormat(t *testing.T) {
	dataKey := bytes.Repeat([]byte{7}, keyBytes)
	v, err := newSealer(dataKey)
	if err != nil {
		t.Fatal(err)
	}
	const sealed = "ASFcISUaGzcXJk9X4ytbsvk+FEc2DkqOoi+y0NNqNiEK3YRwaw=="
	text, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Open(Submission("1"), text); err != nil || string(got) != "format 1" {
		t.Errorf("got %q, %v", got, err)
	}
	const index = "3ALKSy6smproKiFyWeY4hpMQWfmPb6fnFV00ws59BS8="
	if got := base64.StdEncoding.EncodeToString(v.Index("id_number", "1")); got != index {
		t.Errorf("index: got %s, want %s", got, index)
	}
	const wrapped = "AYwMwXoElCzESQXXGz5T+nRxcbibDT1W/7PA+cBw6ZvquMlse4OWC28/lZ6SRpr+3BqZMYNXBGoWj0mNsrfOanUwNf0+"
	if text, err = base64.StdEncoding.DecodeString(wrapped); err != nil {
		t.Fatal(err)
	}
	if got, err := unwrap([][]byte{bytes.Repeat([]byte{9}, keyBytes)}, tenant, text); err != nil || !bytes.Equal(got, dataKey) {
		t.Errorf("unwrap: %v", err)
	}
}

func TestIndex(t *testing.T) {
	path, keys := filepath.Join(t.TempDir(), "vault.key"), &memory{}
	v := open(t, path, keys)
	want := v.Index("id_number", secret)
	if got := open(t, path, keys).Index("id_number", secret); !bytes.Equal(got, want) || len(got) != 32 {
		t.Errorf("got %d bytes, equal %t", len(got), bytes.Equal(got, want))
	}
	other := open(t, filepath.Join(t.TempDir(), "vault.key"), &memory{})
	for name, got := range map[string][]byte{
		"other value":  v.Index("id_number", secret+"0"),
		"other field":  v.Index("phone", secret),
		"moved border": v.Index("id_number"+secret[:1], secret[1:]),
		"other vault":  other.Index("id_number", secret),
	} {
		if bytes.Equal(got, want) {
			t.Errorf("%s has the same index", name)
		}
	}
}

func TestKeyFile(t *testing.T) {
	keys := &memory{}
	old := keyFile(t, line(1))
	sealed := open(t, old, keys).Seal(Submission("1"), []byte(secret))

	// A new current key before the old one: what was wrapped still opens.
	rotated := keyFile(t, line(2), line(1), "")
	if got, err := open(t, rotated, keys).Open(Submission("1"), sealed); err != nil || string(got) != secret {
		t.Errorf("after a rotation: %v", err)
	}
	fresh := &memory{}
	open(t, rotated, fresh)
	if _, err := Open(t.Context(), keyFile(t, line(2)), fresh); err != nil {
		t.Errorf("the first key is not the current one: %v", err)
	}

	open755 := keyFile(t, line(1))
	if err := os.Chmod(open755, 0o640); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "vault.key")
	damaged := &memory{wrapped: map[string][]byte{tenant: append(bytes.Clone(keys.wrapped[tenant]), 0)}}
	short := &memory{wrapped: map[string][]byte{tenant: {wrappedV1}}}
	for _, c := range []struct {
		name string
		path string
		keys *memory
		want error
	}{
		{"open to the group", open755, keys, ErrPermissions},
		{"other key", keyFile(t, line(3)), keys, ErrWrongKey},
		{"gone", missing, keys, ErrKeyMissing},
		{"no folder", filepath.Join(t.TempDir(), "x", "vault.key"), &memory{}, ErrKeyFile},
		{"a folder", t.TempDir(), keys, ErrKeyFile},
		{"empty", keyFile(t), keys, ErrKeyFile},
		{"no prefix", keyFile(t, "AAAA"), keys, ErrKeyFile},
		{"short key", keyFile(t, keyPrefix+"AAAA"), keys, ErrKeyFile},
		{"no base64", keyFile(t, keyPrefix+"!"), keys, ErrKeyFile},
		{"second line", keyFile(t, line(1), "x"), keys, ErrKeyFile},
		{"damaged data key", old, damaged, ErrTampered},
		{"short data key", old, short, ErrTampered},
	} {
		_, err := Open(t.Context(), c.path, c.keys)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), strings.TrimPrefix(line(1), keyPrefix)) {
			t.Errorf("%s: the error tells a key", c.name)
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a key file was made although data was sealed with another")
	}
}

func TestDataKeysUnavailable(t *testing.T) {
	away := errors.New("away")
	path := filepath.Join(t.TempDir(), "vault.key")
	if _, err := Open(t.Context(), path, &memory{err: away}); !errors.Is(err, away) {
		t.Errorf("got %v, want %v", err, away)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a key file was made before the database answered")
	}
}

// Several processes on a machine start at once for the first time.
func TestFirstUseRace(t *testing.T) {
	path, keys := filepath.Join(t.TempDir(), "vault.key"), &memory{}
	vaults := make([]*Sealer, 8)
	var group sync.WaitGroup
	for i := range vaults {
		group.Go(func() {
			v, err := Open(t.Context(), path, keys)
			if err == nil {
				vaults[i], err = v.For(t.Context(), tenant)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if t.Failed() {
		return
	}
	sealed := vaults[0].Seal(Submission("1"), []byte(secret))
	for i, v := range vaults {
		if got, err := v.Open(Submission("1"), sealed); err != nil || string(got) != secret {
			t.Errorf("vault %d: %v", i, err)
		}
	}
}

func TestPrintsNothing(t *testing.T) {
	v := openVault(t, filepath.Join(t.TempDir(), "vault.key"), &memory{})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb+verb, v, sealer(t, v, tenant)); got != "vaultvault" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func FuzzOpen(f *testing.F) {
	v, err := newSealer(bytes.Repeat([]byte{7}, keyBytes))
	if err != nil {
		f.Fatal(err)
	}
	whole := v.Seal(Submission("1"), []byte(secret))
	for _, seed := range [][]byte{nil, {0}, {sealedV1}, whole[:13], whole[:29], whole[:len(whole)-1], v.Seal(Submission("2"), nil)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if got, err := v.Open(Submission("1"), sealed); !errors.Is(err, ErrTampered) || got != nil {
			t.Errorf("%x opened: %v", sealed, err)
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	for _, seed := range []string{"", "\n", line(1), line(1) + "\r\n" + line(2) + "\n", keyPrefix, keyPrefix + "====", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		masters, err := parseKeys("vault.key", text)
		if (err == nil) == (len(masters) == 0) || (err != nil && !errors.Is(err, ErrKeyFile)) {
			t.Errorf("%d keys, %v", len(masters), err)
		}
		for _, master := range masters {
			if len(master) != keyBytes {
				t.Errorf("a key of %d bytes", len(master))
			}
		}
	})
}

func FuzzUnwrap(f *testing.F) {
	masters := [][]byte{bytes.Repeat([]byte{9}, keyBytes)}
	whole, err := wrap(masters[0], tenant, bytes.Repeat([]byte{7}, keyBytes))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{nil, whole[:1], whole[:9], whole[:20], whole[:len(whole)-1]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, wrapped []byte) {
		if got, err := unwrap(masters, tenant, wrapped); err == nil || got != nil {
			t.Errorf("%x was unwrapped", wrapped)
		}
	})
}
