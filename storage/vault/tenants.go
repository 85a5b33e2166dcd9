package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// startTenant is the one that always exists; its key shows at the start whether
// the key file is the right one.
const startTenant = "default"

// cacheFor is how long a tenant's key is used without looking whether it still
// is in its place: a key that was destroyed seals nothing more after that.
const cacheFor = time.Minute

// Vault keeps the data keys of all tenants. It is safe for concurrent use.
type Vault struct {
	keyFile string
	keys    DataKeys
	now     func() time.Time

	mu      sync.Mutex
	masters [][]byte // the first is the current one
	cache   map[string]cached
}

type cached struct {
	sealer  *Sealer
	wrapped []byte
	readAt  time.Time
}

// Open reads the key file and tries the data keys of all tenants. On first use,
// when there are neither keys nor a file, the file is made.
func Open(ctx context.Context, keyFile string, keys DataKeys) (*Vault, error) {
	tenants, err := keys.DataKeyTenants(ctx)
	if err != nil {
		return nil, fmt.Errorf("vault: data keys: %w", err)
	}
	masters, err := readKeyFile(keyFile)
	if errors.Is(err, ErrKeyMissing) && len(tenants) == 0 {
		masters, err = createKeyFile(keyFile, rand.Reader)
	}
	if err != nil {
		return nil, err
	}
	v := &Vault{keyFile: keyFile, keys: keys, now: time.Now, masters: masters, cache: map[string]cached{}}
	for _, tenant := range append(tenants, startTenant) {
		if _, err := v.For(ctx, tenant); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// For returns what seals and opens the values of a tenant. A tenant's first use
// makes its key.
func (v *Vault) For(ctx context.Context, tenant string) (*Sealer, error) {
	v.mu.Lock()
	known, ok := v.cache[tenant]
	v.mu.Unlock()
	now := v.now()
	if ok && now.Sub(known.readAt) < cacheFor {
		return known.sealer, nil
	}
	wrapped, err := v.wrapped(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if !ok || !bytes.Equal(wrapped, known.wrapped) {
		dataKey, err := v.unwrap(tenant, wrapped)
		if err != nil {
			return nil, err
		}
		if known.sealer, err = newSealer(dataKey); err != nil {
			return nil, err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cache[tenant] = cached{known.sealer, wrapped, now}
	return known.sealer, nil
}

// wrapped is the data key of a tenant as it is stored, made when there is none.
func (v *Vault) wrapped(ctx context.Context, tenant string) ([]byte, error) {
	wrapped, err := v.keys.DataKey(ctx, tenant)
	if err == nil && wrapped == nil {
		var offer []byte
		if offer, err = v.newDataKey(tenant); err != nil {
			return nil, err
		}
		wrapped, err = v.keys.AddDataKey(ctx, tenant, offer)
	}
	if err != nil {
		return nil, fmt.Errorf("vault: data key: %w", err)
	}
	return wrapped, nil
}

// newDataKey draws a key and wraps it with the master that is current now.
func (v *Vault) newDataKey(tenant string) ([]byte, error) {
	masters, err := v.reread()
	if err != nil {
		return nil, err
	}
	dataKey := make([]byte, keyBytes)
	if _, err := io.ReadFull(rand.Reader, dataKey); err != nil {
		return nil, err
	}
	return wrap(masters[0], tenant, dataKey)
}

// unwrap opens a data key. One that was wrapped with a key not known here may
// have been by a rotation since: then the key file is read again.
func (v *Vault) unwrap(tenant string, wrapped []byte) ([]byte, error) {
	v.mu.Lock()
	masters := v.masters
	v.mu.Unlock()
	dataKey, err := unwrap(masters, tenant, wrapped)
	if errors.Is(err, ErrWrongKey) {
		if masters, err = v.reread(); err == nil {
			dataKey, err = unwrap(masters, tenant, wrapped)
		}
	}
	return dataKey, err
}

// reread reads the key file.
func (v *Vault) reread() ([][]byte, error) {
	masters, err := readKeyFile(v.keyFile)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.masters = masters
	return masters, nil
}

// Rotate reads the key file again and wraps every data key that was wrapped with
// an older master with the first one. It returns how many it wrapped; a second
// run wraps none, and then the older lines may go. What is sealed stays as it
// is.
func (v *Vault) Rotate(ctx context.Context) (int, error) {
	masters, err := v.reread()
	if err != nil {
		return 0, err
	}
	tenants, err := v.keys.DataKeyTenants(ctx)
	if err != nil {
		return 0, fmt.Errorf("vault: data keys: %w", err)
	}
	rotated := 0
	for _, tenant := range tenants {
		old, err := v.keys.DataKey(ctx, tenant)
		if err != nil {
			return rotated, fmt.Errorf("vault: data key: %w", err)
		}
		if old == nil || wrappedWith(masters[0], old) {
			continue
		}
		dataKey, err := unwrap(masters, tenant, old)
		if err != nil {
			return rotated, err
		}
		wrapped, err := wrap(masters[0], tenant, dataKey)
		if err != nil {
			return rotated, err
		}
		replaced, err := v.keys.ReplaceDataKey(ctx, tenant, old, wrapped)
		if err != nil {
			return rotated, fmt.Errorf("vault: data key: %w", err)
		}
		if replaced {
			rotated++
		}
	}
	return rotated, nil
}

// Shred destroys the data key of a tenant: nothing that was sealed for it opens
// again, here at once, in other processes within a minute.
func (v *Vault) Shred(ctx context.Context, tenant string) error {
	if err := v.keys.DeleteDataKey(ctx, tenant); err != nil {
		return fmt.Errorf("vault: data key: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.cache, tenant)
	return nil
}

// Format prints no key, whatever the verb.
func (*Vault) Format(f fmt.State, _ rune) { io.WriteString(f, "vault") }
