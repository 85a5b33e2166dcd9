package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/heyan/heyan/storage/records"
)

// securityScheme is the name of the keys in the OpenAPI document.
const securityScheme = "key"

// needs is how an operation says which scope its caller's key must have.
func needs(scope records.Scope) []map[string][]string {
	return []map[string][]string{{securityScheme: {string(scope)}}}
}

type keyKey struct{}

// keyOf is the key that a request came with.
func keyOf(ctx context.Context) records.Key {
	key, _ := ctx.Value(keyKey{}).(records.Key)
	return key
}

// authenticate stands in front of every operation: it lets those of needs pass
// with a key of that scope, within the key's rate.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	security := ctx.Operation().Security
	if len(security) == 0 {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	key, refused := a.admit(r, records.Scope(security[0][securityScheme][0]))
	if refused == nil {
		visitOf(r.Context()).key = key.ID
		next(huma.WithValue(ctx, keyKey{}, key))
		return
	}
	if headed, ok := refused.(huma.HeadersError); ok {
		for name, values := range headed.GetHeaders() {
			w.Header()[name] = values
		}
	}
	model, _ := errors.AsType[*huma.ErrorModel](refused)
	writeProblem(w, model)
}

// admit is the key of a request, or the refusal.
func (a *API) admit(r *http.Request, scope records.Scope) (records.Key, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return records.Key{}, unauthorized("key_missing", "this takes a key: Authorization: Bearer hy_…")
	}
	now := a.now()
	key, err := a.client.Records.KeyByHash(r.Context(), records.HashToken(token), now)
	if errors.Is(err, records.ErrNotFound) {
		return records.Key{}, unauthorized("key_invalid", "the key is not known, revoked or expired")
	}
	if err != nil {
		return records.Key{}, a.failure(r.Context(), err)
	}
	if wait := a.limits.Wait(key.ID, now); wait > 0 {
		return records.Key{}, huma.ErrorWithHeaders(problem(http.StatusTooManyRequests, "rate_limited", "too many requests with this key"),
			http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(wait.Seconds())))}})
	}
	if !key.Has(scope) {
		return records.Key{}, problem(http.StatusForbidden, "scope_missing", fmt.Sprintf("the key lacks the scope %s", scope))
	}
	if now.Sub(key.LastUsedAt) >= time.Minute {
		if err := a.client.Records.TouchKey(r.Context(), key.ID, now); err != nil {
			a.log.Warn("use of a key not noted", "key", key.ID, "error", err)
		}
	}
	return key, nil
}

func unauthorized(kind, detail string) error {
	return huma.ErrorWithHeaders(problem(http.StatusUnauthorized, kind, detail), http.Header{"Www-Authenticate": {`Bearer realm="heyan"`}})
}
