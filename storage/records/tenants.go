package records

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"
)

// Scope is a permission of an API key.
type Scope string

// The scopes.
const (
	ScopeSubmit Scope = "submit"
	ScopeRead   Scope = "read"
	ScopeReview Scope = "review"
	ScopeAdmin  Scope = "admin"
)

// Scopes are all of them.
var Scopes = []Scope{ScopeSubmit, ScopeRead, ScopeReview, ScopeAdmin}

// Key is an API key of a tenant. The token itself is not kept.
type Key struct {
	ID         string // UUIDv7, see NewID
	Tenant     string
	Name       string // what people call it
	Scopes     []Scope
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: never
	RevokedAt  time.Time // zero: not
	LastUsedAt time.Time // to the minute
}

// Has says whether the key has a scope.
func (k Key) Has(s Scope) bool { return slices.Contains(k.Scopes, s) }

// tokenPrefix lets a token be told wherever it leaked to.
const tokenPrefix = "hy_"

// NewToken draws a token: the prefix and 256 random bits in base64url. It is
// shown once and never stored.
func NewToken() string {
	bits := make([]byte, 32)
	rand.Read(bits) // never fails, see crypto/rand
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(bits)
}

// HashToken is how a token is stored: its SHA-256. Nobody guesses 256 random
// bits, so that a slow hash, which guards words that people choose, would only
// slow every request.
func HashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// AddKey stores a key under its token's hash, and its tenant if that is new.
func (s *Store) AddKey(ctx context.Context, k Key, hash []byte) error {
	_, err := s.addKey(ctx, k, hash, false)
	return fail("add key", k.ID, err)
}

// AddFirstKey is AddKey for a tenant that has no key, not even a revoked one;
// of several processes that start at once one adds its own.
func (s *Store) AddFirstKey(ctx context.Context, k Key, hash []byte) (added bool, err error) {
	added, err = s.addKey(ctx, k, hash, true)
	return added, fail("add first key", k.ID, err)
}

func (s *Store) addKey(ctx context.Context, k Key, hash []byte, first bool) (added bool, err error) {
	if len(hash) != sha256.Size || k.ID == "" {
		return false, errors.New("a key needs an id and the SHA-256 of its token")
	}
	scopes := make([]string, len(k.Scopes))
	for i, scope := range k.Scopes {
		if !slices.Contains(Scopes, scope) {
			return false, errors.New("a scope is not one of Scopes")
		}
		scopes[i] = string(scope)
	}
	err = s.transact(ctx, func(tx queryer) error {
		if err := lockTenant(ctx, tx, k.Tenant); err != nil { // no other first key comes in between
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM api_keys WHERE tenant = $1`, k.Tenant).Scan(&n); err != nil {
			return err
		}
		if first && n > 0 {
			return nil
		}
		added = true
		_, err := tx.ExecContext(ctx, `INSERT INTO api_keys (id, tenant, name, hash, scopes, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			k.ID, k.Tenant, k.Name, hash, strings.Join(scopes, " "), micros(k.CreatedAt), micros(k.ExpiresAt))
		return err
	})
	return added && err == nil, err
}

// lockTenant locks a tenant until the transaction ends, and adds it if it is new.
func lockTenant(ctx context.Context, tx queryer, tenant string) error {
	if !isSlug(tenant) {
		return errSlug
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO tenants (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id`, tenant)
	return err
}

const keyColumns = `id, tenant, name, scopes, created_at, expires_at, revoked_at, last_used_at`

func scanKey(r row) (Key, error) {
	var k Key
	var scopes []string
	err := r.Scan(&k.ID, &k.Tenant, &k.Name, words{&scopes}, moment{&k.CreatedAt}, moment{&k.ExpiresAt},
		moment{&k.RevokedAt}, moment{&k.LastUsedAt})
	for _, scope := range scopes {
		k.Scopes = append(k.Scopes, Scope(scope))
	}
	return k, err
}

// KeyByHash returns the key of a token that is good now: neither revoked nor
// expired. Any other is ErrNotFound.
func (s *Store) KeyByHash(ctx context.Context, hash []byte, now time.Time) (Key, error) {
	k, err := scanKey(s.db.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM api_keys
		WHERE hash = $1 AND revoked_at = 0 AND (expires_at = 0 OR expires_at > $2)`, hash, micros(now)))
	return k, fail("key", "", err)
}

// Keys returns all keys of a tenant, oldest first, those revoked or expired too.
func (s *Store) Keys(ctx context.Context, tenant string) ([]Key, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+keyColumns+` FROM api_keys WHERE tenant = $1 ORDER BY id`, tenant)
	keys, err := collect(rows, err, scanKey)
	return keys, fail("keys", "", err)
}

// RevokeKey ends a key for good. A second time changes nothing.
func (s *Store) RevokeKey(ctx context.Context, tenant, id string, now time.Time) error {
	n, err := affected(s.db.ExecContext(ctx, `UPDATE api_keys
		SET revoked_at = CASE WHEN revoked_at = 0 THEN $3 ELSE revoked_at END WHERE tenant = $1 AND id = $2`,
		tenant, id, micros(now)))
	return fail("revoke key", id, found(n, err))
}

// touchEvery is how exact LastUsedAt is: a write for each request would cost
// more than the request.
const touchEvery = time.Minute

// TouchKey notes that a key was used, at most once a minute.
func (s *Store) TouchKey(ctx context.Context, id string, now time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND last_used_at <= $3`,
		id, micros(now), micros(now.Add(-touchEvery)))
	return fail("touch key", id, err)
}

// Tenants are all there are, in order.
func (s *Store) Tenants(ctx context.Context) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM tenants ORDER BY id`)
	tenants, err := collect(rows, err, func(r row) (id string, err error) { return id, r.Scan(&id) })
	return tenants, fail("tenants", "", err)
}
