package console

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/server/signin"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
)

// OIDCDone is the address to which an OpenID Connect provider sends people back.
const OIDCDone = "/console/sign-in/oidc/done"

const (
	oidcCookie = "__Host-heyan-oidc"
	// oidcLife is a little more than signin grants a sign-in at the provider.
	oidcLife = 11 * time.Minute
)

// oidcPlace is where the sealed state of a sign-in stands: in a cookie.
var oidcPlace = vault.Place{Table: "console", ID: "oidc", Field: "state"}

// pending is a sign-in while the person is at the provider.
type pending struct {
	signin.State
	Next string `json:"next"`
}

func (c *Console) oidcBegin(v *visit) error {
	next := local(v.r.URL.Query().Get("next"))
	if c.OIDC == nil {
		return records.ErrNotFound
	}
	to, state, err := c.OIDC.Begin(v.r.Context())
	if err != nil {
		return c.oidcFailed(v, err, next)
	}
	text, err := json.Marshal(pending{state, next})
	if err != nil {
		return err
	}
	sealer, err := c.Vault.For(v.r.Context(), records.DefaultTenant)
	if err != nil {
		return err
	}
	held := cookie(oidcCookie, base64.RawURLEncoding.EncodeToString(sealer.Seal(oidcPlace, text)))
	held.MaxAge = int(oidcLife.Seconds())
	http.SetCookie(v.w, held)
	return v.redirect(to)
}

func (c *Console) oidcDone(v *visit) error {
	if c.OIDC == nil {
		return records.ErrNotFound
	}
	begun, err := c.begun(v)
	if err != nil {
		return err
	}
	gone := cookie(oidcCookie, "")
	gone.MaxAge = -1
	http.SetCookie(v.w, gone)
	who, err := c.OIDC.Finish(v.r.Context(), v.r.URL.Query(), begun.State)
	if err != nil {
		return c.oidcFailed(v, err, begun.Next)
	}
	u, err := c.userOf(v.r.Context(), who, v.now)
	if err != nil {
		return err
	}
	if !u.DisabledAt.IsZero() {
		why := words["oidc.disabled"]
		return v.signInAgain(http.StatusForbidden, signInView{Next: begun.Next, Problem: &why})
	}
	if err := c.open(v, u); err != nil {
		return err
	}
	return v.redirect(local(begun.Next))
}

// begun is the sign-in that the browser began, an empty one where it did not.
func (c *Console) begun(v *visit) (p pending, err error) {
	held, err := v.r.Cookie(oidcCookie)
	if err != nil {
		return p, nil
	}
	sealer, err := c.Vault.For(v.r.Context(), records.DefaultTenant)
	if err != nil {
		return p, err
	}
	sealed, err := base64.RawURLEncoding.DecodeString(held.Value)
	if err != nil {
		return p, nil
	}
	text, err := sealer.Open(oidcPlace, sealed)
	if err != nil {
		return p, nil
	}
	return p, json.Unmarshal(text, &p)
}

// oidcFailed shows the sign-in again, and why nobody was signed in.
func (c *Console) oidcFailed(v *visit, err error, next string) error {
	refused, is := errors.AsType[*signin.RefusedError](err)
	away, unavailable := errors.AsType[*signin.UnavailableError](err)
	var why report.Text
	status := http.StatusForbidden
	switch {
	case is:
		why = words["oidc.refused."+string(refused.Reason)]
	case unavailable:
		err, why, status = away, words["oidc.unavailable"], http.StatusServiceUnavailable
	default:
		return err
	}
	c.Logger.Warn("sign-in through openid connect failed", "error", err)
	return v.signInAgain(status, signInView{Next: next, Problem: &why})
}

// userOf is the user of an identity: made at his first sign-in, with name and role
// as the provider has them at each.
func (c *Console) userOf(ctx context.Context, who signin.Identity, now time.Time) (u records.User, err error) {
	system := records.Entry{At: now, Actor: "system"}
	role := records.Role(who.Role)
	u, err = c.Records.UserBySubject(ctx, who.Issuer, who.Subject)
	if errors.Is(err, records.ErrNotFound) {
		u = records.User{ID: records.NewID(), Tenant: records.DefaultTenant, Name: who.Name, Role: role,
			Issuer: who.Issuer, Subject: who.Subject, CreatedAt: now}
		err = withFreeLogin(who.Login, func(login string) error {
			u.Login = login
			err := c.Records.AddUser(ctx, u, system)
			if !errors.Is(err, records.ErrConflict) {
				return err
			}
			// The login is taken, unless the same person just came in another window.
			same, found := c.Records.UserBySubject(ctx, who.Issuer, who.Subject)
			if found == nil {
				u = same
				return nil
			}
			return err
		})
		return u, err
	}
	if err != nil || !u.DisabledAt.IsZero() || u.Role == role && u.Name == who.Name {
		return u, err
	}
	return c.Records.ChangeUser(ctx, u.Tenant, u.ID, records.UserChange{Role: &role, Name: &who.Name}, system)
}
