package records_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heyan/heyan/storage/records"
)

func newKey(tenant string, scopes ...records.Scope) (records.Key, []byte) {
	return records.Key{ID: records.NewID(), Tenant: tenant, Name: "backend", Scopes: scopes, CreatedAt: now},
		records.HashToken(records.NewToken())
}

func testKeys(t *testing.T, s *records.Store) {
	k, hash := newKey("acme", records.ScopeSubmit, records.ScopeRead)
	k.ExpiresAt = now.Add(time.Hour)
	other, otherHash := newKey("acme", records.ScopeAdmin)
	for key, hash := range map[*records.Key][]byte{&k: hash, &other: otherHash} {
		if err := s.AddKey(t.Context(), *key, hash); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.KeyByHash(t.Context(), hash, now)
	if err != nil || !reflect.DeepEqual(got, k) {
		t.Errorf("got %+v, %v, want %+v", got, err, k)
	}
	if !got.Has(records.ScopeRead) || got.Has(records.ScopeAdmin) {
		t.Errorf("scopes %v", got.Scopes)
	}
	_, err = s.KeyByHash(t.Context(), hash, k.ExpiresAt)
	want(t, err, records.ErrNotFound)
	_, err = s.KeyByHash(t.Context(), records.HashToken("hy_"), now)
	want(t, err, records.ErrNotFound)

	for _, c := range []struct{ at, want time.Time }{
		{now, now}, {now.Add(59 * time.Second), now}, {now.Add(time.Minute), now.Add(time.Minute)}, {now, now.Add(time.Minute)},
	} {
		if err := s.TouchKey(t.Context(), other.ID, c.at); err != nil {
			t.Fatal(err)
		}
		if got, err := s.KeyByHash(t.Context(), otherHash, now); err != nil || !got.LastUsedAt.Equal(c.want) {
			t.Errorf("touched at %v: got %v, %v, want %v", c.at, got.LastUsedAt, err, c.want)
		}
	}
	want(t, s.RevokeKey(t.Context(), "other", other.ID, now), records.ErrNotFound)
	for _, at := range []time.Time{now, now.Add(time.Hour)} {
		if err := s.RevokeKey(t.Context(), "acme", other.ID, at); err != nil {
			t.Fatal(err)
		}
	}
	_, err = s.KeyByHash(t.Context(), otherHash, now)
	want(t, err, records.ErrNotFound)
	keys, err := s.Keys(t.Context(), "acme")
	if err != nil || len(keys) != 2 || keys[0].ID != k.ID || !keys[1].RevokedAt.Equal(now) {
		t.Errorf("got %+v, %v", keys, err)
	}
	if keys, err := s.Keys(t.Context(), "other"); err != nil || len(keys) != 0 {
		t.Errorf("got %+v, %v", keys, err)
	}
	if got, err := s.Tenants(t.Context()); err != nil || !slices.Equal(got, []string{"acme", "default"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

func testKeysRefused(t *testing.T, s *records.Store) {
	for name, change := range map[string]func(*records.Key, *[]byte){
		"tenant":     func(k *records.Key, _ *[]byte) { k.Tenant = "A b" },
		"no tenant":  func(k *records.Key, _ *[]byte) { k.Tenant = "" },
		"id":         func(k *records.Key, _ *[]byte) { k.ID = "" },
		"scope":      func(k *records.Key, _ *[]byte) { k.Scopes = []records.Scope{"root"} },
		"short hash": func(_ *records.Key, hash *[]byte) { *hash = (*hash)[:31] },
	} {
		k, hash := newKey("acme", records.ScopeAdmin)
		change(&k, &hash)
		if err := s.AddKey(t.Context(), k, hash); err == nil || retryable(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	k, hash := newKey("acme")
	if err := s.AddKey(t.Context(), k, hash); err != nil {
		t.Fatal(err)
	}
	if err := s.AddKey(t.Context(), k, hash); err == nil || retryable(err) {
		t.Errorf("the same key again: got %v", err)
	}
}

func testFirstKeyRace(t *testing.T, s *records.Store) {
	var group sync.WaitGroup
	var added atomic.Int32
	for range racers {
		group.Go(func() {
			k, hash := newKey("acme", records.ScopeAdmin)
			switch ok, err := s.AddFirstKey(t.Context(), k, hash); {
			case err != nil:
				t.Error(err)
			case ok:
				added.Add(1)
			}
		})
	}
	group.Wait()
	keys, err := s.Keys(t.Context(), "acme")
	if err != nil || len(keys) != 1 || added.Load() != 1 {
		t.Fatalf("%d keys, added %d times, %v", len(keys), added.Load(), err)
	}
	if err := s.RevokeKey(t.Context(), "acme", keys[0].ID, now); err != nil {
		t.Fatal(err)
	}
	k, hash := newKey("acme", records.ScopeAdmin)
	if ok, err := s.AddFirstKey(t.Context(), k, hash); ok || err != nil {
		t.Errorf("after a revocation: %t, %v", ok, err)
	}
}

func TestTokens(t *testing.T) {
	a, b := records.NewToken(), records.NewToken()
	if a == b || len(a) != 46 || !strings.HasPrefix(a, "hy_") {
		t.Errorf("%d characters", len(a))
	}
	if slices.Equal(records.HashToken(a), records.HashToken(b)) || len(records.HashToken(a)) != 32 {
		t.Error("two tokens, one hash")
	}
}

// Whatever belongs to one tenant is not there for another.
func testTenants(t *testing.T, s *records.Store) {
	e := newEndpoint("acme")
	if err := s.AddEndpoint(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	v := newVerification()
	v.Tenant, v.Sealed = "acme", []byte("sealed")
	if _, _, err := s.Create(t.Context(), v, "key", []byte("hash")); err != nil {
		t.Fatal(err)
	}
	if err := s.Complete(t.Context(), v.ID, failed("image_blurry"), done(now)); err != nil {
		t.Fatal(err)
	}
	events, err := s.Events(t.Context(), "acme", 0, 10)
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	if _, err := s.Append(t.Context(), entry("acme", v.ID)); err != nil {
		t.Fatal(err)
	}

	other := newVerification()
	other.Tenant = "other"
	if _, created, err := s.Create(t.Context(), other, "key", []byte("hash")); err != nil || !created {
		t.Errorf("the same idempotency key: %t, %v", created, err)
	}
	follower := newVerification()
	follower.Tenant, follower.Previous = "other", v.ID
	_, _, previous := s.Create(t.Context(), follower, "", nil)
	_, getErr := s.Get(t.Context(), "other", v.ID)
	_, attempts := s.Attempts(t.Context(), "other", v.ID)
	_, erase := s.Erase(t.Context(), "other", v.ID, entry("other", ""))
	_, unmask := s.Unmask(t.Context(), "other", v.ID, entry("other", ""))
	_, replay := s.Replay(t.Context(), "other", events[0].ID, now)
	_, disable := s.DisableEndpoint(t.Context(), "other", e.ID, "asked", disabled(now))
	_, deliveries := s.Deliveries(t.Context(), "other", events[0].ID)
	for name, err := range map[string]error{
		"previous": previous, "deliveries": deliveries, "delete": s.DeleteEndpoint(t.Context(), "other", e.ID), "get": getErr, "attempts": attempts, "erase": erase, "unmask": unmask, "replay": replay,
		"disable": disable, "enable": s.EnableEndpoint(t.Context(), "other", e.ID, now),
		"secrets": s.SetEndpointSecrets(t.Context(), "other", e.ID, []byte("x")),
	} {
		if !errors.Is(err, records.ErrNotFound) {
			t.Errorf("%s: got %v, want %v", name, err, records.ErrNotFound)
		}
	}
	page, err := s.List(t.Context(), "other", records.Query{})
	if err != nil || len(page.Verifications) != 1 || page.Verifications[0].ID != other.ID {
		t.Errorf("list: %+v, %v", page, err)
	}
	page, err = s.List(t.Context(), "other", records.Query{ReasonCode: "image_blurry"})
	if err != nil || len(page.Verifications) != 0 {
		t.Errorf("list by reason: %+v, %v", page, err)
	}
	listed, err := s.Events(t.Context(), "other", 0, 10)
	if err != nil || len(listed) != 0 {
		t.Errorf("events: %+v, %v", listed, err)
	}
	endpoints, err := s.Endpoints(t.Context(), "other")
	if err != nil || len(endpoints) != 0 {
		t.Errorf("endpoints: %+v, %v", endpoints, err)
	}
	entries, err := s.Audit(t.Context(), "other", v.ID, 0, 10)
	if err != nil || len(entries) != 0 {
		t.Errorf("audit: %+v, %v", entries, err)
	}
	breaches, err := s.Breaches(t.Context(), "other", now, now.Add(time.Hour), now)
	if err != nil || len(breaches) != 1 || breaches[0].Count != 1 {
		t.Errorf("breaches: %+v, %v", breaches, err)
	}
	if got, err := s.Get(t.Context(), "acme", v.ID); err != nil || got.Sealed == nil || !got.ErasedAt.IsZero() {
		t.Errorf("another tenant reached it: %+v, %v", got, err)
	}
	for _, tenant := range []string{"", "A", "a b", strings.Repeat("a", 65)} {
		v := newVerification()
		v.Tenant = tenant
		if _, _, err := s.Create(t.Context(), v, "", nil); err == nil || retryable(err) {
			t.Errorf("tenant %q: got %v", tenant, err)
		}
	}
}
