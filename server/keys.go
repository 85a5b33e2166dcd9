package server

import (
	"context"
	"slices"
	"time"

	"github.com/heyan/heyan/storage/records"
)

// Key is what callers see of a key; nothing of its token.
type Key struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Scopes     []records.Scope `json:"scopes" nullable:"false"`
	CreatedAt  time.Time       `json:"created_at"`
	ExpiresAt  *time.Time      `json:"expires_at,omitempty"`
	RevokedAt  *time.Time      `json:"revoked_at,omitempty"`
	LastUsedAt *time.Time      `json:"last_used_at,omitempty" doc:"To the minute"`
}

func viewKey(k records.Key) Key {
	return Key{ID: k.ID, Name: k.Name, Scopes: k.Scopes, CreatedAt: k.CreatedAt,
		ExpiresAt: when(k.ExpiresAt), RevokedAt: when(k.RevokedAt), LastUsedAt: when(k.LastUsedAt)}
}

// when leaves out a time that is not yet.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type createKeyInput struct {
	Body struct {
		Name      string    `json:"name" minLength:"1" maxLength:"128" pattern:"^\\P{C}*$" patternDescription:"printable text" doc:"What people call it"`
		Scopes    []string  `json:"scopes" minItems:"1" maxItems:"4" enum:"submit,read,review,admin" nullable:"false"`
		ExpiresAt time.Time `json:"expires_at,omitempty" doc:"Never when absent"`
	}
}

type createKeyOutput struct {
	Body struct {
		Key
		Token string `json:"token" doc:"Shown here and never again"`
	}
}

func (a *API) createKey(ctx context.Context, in *createKeyInput) (*createKeyOutput, error) {
	if !in.Body.ExpiresAt.IsZero() && !in.Body.ExpiresAt.After(a.now()) {
		return nil, invalid("invalid_request", "expires_at", "the time is over")
	}
	k := records.Key{ID: records.NewID(), Tenant: keyOf(ctx).Tenant, Name: in.Body.Name, CreatedAt: a.now().UTC(), ExpiresAt: in.Body.ExpiresAt}
	for _, scope := range in.Body.Scopes {
		k.Scopes = append(k.Scopes, records.Scope(scope))
	}
	token := records.NewToken()
	// The log first: it may hold what came to nothing, never miss what came to be.
	_, err := a.client.Records.Append(ctx, a.entry(ctx, "key.created", k.ID))
	if err == nil {
		err = a.client.Records.AddKey(ctx, k, records.HashToken(token))
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &createKeyOutput{}
	out.Body.Key, out.Body.Token = viewKey(k), token
	return out, nil
}

type keysOutput struct {
	Body struct {
		Keys []Key `json:"keys" nullable:"false"`
	}
}

func (a *API) keys(ctx context.Context, _ *struct{}) (*keysOutput, error) {
	all, err := a.client.Records.Keys(ctx, keyOf(ctx).Tenant)
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &keysOutput{}
	out.Body.Keys = make([]Key, len(all))
	for i, k := range all {
		out.Body.Keys[i] = viewKey(k)
	}
	return out, nil
}

func (a *API) revokeKey(ctx context.Context, in *ByID) (*struct{}, error) {
	find := func(tenant string) error {
		all, err := a.client.Records.Keys(ctx, tenant)
		if err == nil && !slices.ContainsFunc(all, func(k records.Key) bool { return k.ID == in.ID }) {
			err = records.ErrNotFound
		}
		return err
	}
	return nil, a.audited(ctx, in, "key.revoked", find, func(tenant string) error {
		return a.client.Records.RevokeKey(ctx, tenant, in.ID, a.now())
	})
}

// audited does something to what an id names, once it is found and the log says
// so: the log may hold what came to nothing in the end, never miss what was done.
func (a *API) audited(ctx context.Context, in *ByID, action string, find, do func(tenant string) error) error {
	tenant := keyOf(ctx).Tenant
	err := in.check()
	if err == nil {
		err = find(tenant)
	}
	if err == nil {
		_, err = a.client.Records.Append(ctx, a.entry(ctx, action, in.ID))
	}
	if err == nil {
		err = do(tenant)
	}
	if err != nil {
		return a.failure(ctx, err)
	}
	return nil
}
