package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/server/signin"
	"github.com/heyan/heyan/storage/records"
)

const (
	// sessionCookie's prefix has browsers refuse it from any other host, path or
	// without TLS; they take this machine's own addresses for safe.
	sessionCookie = "__Host-heyan-session"
	// sessionIdle ends a session that nobody uses, sessionLife any: the limits of
	// NIST SP 800-63B-4, 2.2.3 are an hour and a day; nobody works a day on end.
	sessionIdle = time.Hour
	sessionLife = 12 * time.Hour

	// Sign-ins of a network address, which all people behind a proxy share: a team
	// whose day begins passes, guessing at one password for many logins does not.
	triesEvery  = 0.5 // a second
	triesAtOnce = 30

	// maxNext bounds the address of the page to go on with, bytes.
	maxNext = 1024
)

// signedIn lets those pass whose role is high enough. Of others who asked for a
// page the sign-in is asked first; what they sent is kept for after it.
func (c *Console) signedIn(least records.Role, next handler) handler {
	return func(v *visit) error {
		session, err := v.current()
		if errors.Is(err, records.ErrNotFound) {
			return v.signInFirst()
		}
		if err != nil {
			return err
		}
		v.session = session
		if !v.user().Role.AtLeast(least) {
			return errAllowed
		}
		return next(v)
	}
}

// partial says whether a page's script asks, for a part of it.
func (v *visit) partial() bool { return v.r.Header.Get("HX-Request") != "" }

// current is the session that the browser brings, ErrNotFound without one. What a
// page asks by itself does not keep it from ending.
func (v *visit) current() (records.Session, error) {
	cookie, err := v.r.Cookie(sessionCookie)
	if err != nil {
		return records.Session{}, records.ErrNotFound
	}
	session := v.c.Records.Session
	if v.partial() && v.r.Method == http.MethodGet || v.r.PostForm.Has("renew") {
		session = v.c.Records.PeekSession
	}
	return session(v.r.Context(), records.HashToken(cookie.Value), v.now, sessionIdle)
}

// signInFirst answers who is not signed in.
func (v *visit) signInFirst() error {
	switch {
	case v.r.Method == http.MethodPost && v.partial():
		// What was typed is on the page still; sending it asks for the sign-in.
		v.w.Header().Set("HX-Reswap", "none")
		v.w.WriteHeader(http.StatusUnauthorized)
		return nil
	case v.r.Method == http.MethodPost:
		return v.signInAgain(http.StatusUnauthorized, signInView{Resume: newResumption(v.r.URL.Path, v.r.PostForm)})
	case v.partial():
		v.w.Header().Set("HX-Redirect", signInAddress(shownAt(v.r.Header.Get("HX-Current-URL"))))
		v.w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	return v.redirect(signInAddress(local(v.r.URL.RequestURI())))
}

func signInAddress(next string) string {
	return "/console/sign-in?" + url.Values{"next": {next}}.Encode()
}

// local is an address of the console to go on with, the queue's instead of any
// other.
func local(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.IsAbs() || u.Host != "" || len(address) > maxNext || strings.Contains(address, `\`) ||
		!strings.HasPrefix(u.Path, "/console/") || strings.TrimSuffix(u.Path, "/") != path.Clean(u.Path) || strings.HasPrefix(u.Path, "/console/sign-in") {
		return "/console/"
	}
	return address
}

// shownAt is the console's page at a whole address.
func shownAt(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "/console/"
	}
	return local(u.RequestURI())
}

// signInView is the page of the sign-in.
type signInView struct {
	Next    string
	Login   string
	Problem *report.Text
	OIDC    bool
	Resume  *resumption // what was sent without a session
}

func (v *visit) signInAgain(status int, view signInView) error {
	view.OIDC = v.c.OIDC != nil
	return v.render(status, "sign_in", view)
}

func (c *Console) signInPage(v *visit) error {
	next := local(v.r.URL.Query().Get("next"))
	switch _, err := v.current(); {
	case err == nil:
		return v.redirect(next)
	case !errors.Is(err, records.ErrNotFound):
		return err
	}
	return v.signInAgain(http.StatusOK, signInView{Next: next})
}

func (c *Console) signIn(v *visit) error {
	view := signInView{Next: local(v.value("next")), Login: strings.ToLower(v.value("login")), Resume: resumed(v.r.PostForm)}
	if view.Login == "" && view.Resume != nil { // signed in in another window
		session, err := v.current()
		if err == nil {
			v.session = session
			return v.render(http.StatusOK, "resume", *view.Resume)
		}
		if !errors.Is(err, records.ErrNotFound) {
			return err
		}
		why := words["oidc.not_yet"]
		view.Problem = &why
		return v.signInAgain(http.StatusUnauthorized, view)
	}
	u, err := c.prove(v, view.Login, v.r.PostForm.Get("password"))
	if refused, is := errors.AsType[*problem](err); is {
		view.Problem = &refused.text
		return v.signInAgain(refused.status, view)
	}
	if err != nil {
		return err
	}
	if err := c.open(v, u); err != nil {
		return err
	}
	if view.Resume != nil {
		return v.render(http.StatusOK, "resume", *view.Resume)
	}
	return v.redirect(view.Next)
}

// prove is the user whose login and password were given. A *problem says nothing of
// whether there is such a user, but of one who is locked.
func (c *Console) prove(v *visit, login, password string) (records.User, error) {
	ctx := v.r.Context()
	if wait := c.tries.Wait(network(v.r), v.now); wait > 0 {
		seconds := int(math.Ceil(wait.Seconds()))
		v.w.Header().Set("Retry-After", strconv.Itoa(seconds))
		return records.User{}, &problem{http.StatusTooManyRequests, phrase("sign_in.too_many", seconds)}
	}
	u, err := c.Records.UserByLogin(ctx, login)
	known := err == nil && u.DisabledAt.IsZero()
	switch {
	case err != nil && !errors.Is(err, records.ErrNotFound):
		return u, err
	case !known:
		u = records.User{}
	case u.LockedUntil.After(v.now):
		return u, locked(u, v.now)
	}
	ok, outdated, err := c.hasher.Verify(ctx, password, u.Password)
	if err != nil {
		return u, err
	}
	if !known {
		return u, &problem{http.StatusUnauthorized, words["sign_in.wrong"]}
	}
	// Others may have guessed while this one waited for its turn.
	if u, err = c.Records.User(ctx, u.Tenant, u.ID); err != nil {
		return u, err
	}
	switch {
	case u.LockedUntil.After(v.now):
		return u, locked(u, v.now)
	case !ok:
		return u, c.failed(v, u)
	case outdated:
		return u, c.renewHash(v, u, password)
	}
	return u, nil
}

// failed counts a wrong password.
func (c *Console) failed(v *visit, u records.User) error {
	var until time.Time
	if lock := signin.LockedFor(u.Failures + 1); lock > 0 {
		until = v.now.Add(lock)
	}
	u, err := c.Records.CountFailure(v.r.Context(), u.ID, until)
	if err != nil {
		return err
	}
	detail, err := json.Marshal(map[string]int{"failures": u.Failures})
	if err != nil {
		return err
	}
	if _, err := c.Records.Append(v.r.Context(), records.Entry{Tenant: u.Tenant, At: v.now, Actor: "system",
		Action: "user.sign_in_failed", Subject: u.ID, Detail: detail}); err != nil {
		return err
	}
	if u.LockedUntil.After(v.now) {
		return locked(u, v.now)
	}
	return &problem{http.StatusUnauthorized, words["sign_in.wrong"]}
}

func locked(u records.User, now time.Time) *problem {
	return &problem{http.StatusTooManyRequests, phrase("sign_in.locked", int(math.Ceil(u.LockedUntil.Sub(now).Minutes())))}
}

// renewHash hashes a password as it is done today, unless it may no longer be one.
func (c *Console) renewHash(v *visit, u records.User, password string) error {
	hash, err := c.hasher.Hash(v.r.Context(), password, u.Login)
	if _, refused := errors.AsType[*signin.PasswordError](err); refused {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = c.Records.ChangeUser(v.r.Context(), u.Tenant, u.ID, records.UserChange{Password: &hash},
		records.Entry{At: v.now, Actor: "system", Action: "user.password_rehashed"})
	return err
}

// network is where a request comes from: an address, or the network that a single
// subscriber has of IPv6.
func network(r *http.Request) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address := from.Addr().Unmap()
	if address.Is6() {
		if prefix, err := address.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return address.String()
}

// open begins a session, which the browser is given and nobody else knows.
func (c *Console) open(v *visit, u records.User) error {
	token, expires := records.NewToken(), v.now.Add(sessionLife)
	if err := c.Records.OpenSession(v.r.Context(), u.ID, records.HashToken(token), v.now, expires, records.Entry{At: v.now}); err != nil {
		return err
	}
	v.session = records.Session{User: u, CreatedAt: v.now, SeenAt: v.now, ExpiresAt: expires}
	http.SetCookie(v.w, cookie(sessionCookie, token))
	return nil
}

func (c *Console) signOut(v *visit) error {
	held, err := v.r.Cookie(sessionCookie)
	if err != nil {
		return err
	}
	if err := c.Records.CloseSession(v.r.Context(), records.HashToken(held.Value), records.Entry{At: v.now}); err != nil {
		return err
	}
	gone := cookie(sessionCookie, "")
	gone.MaxAge = -1
	http.SetCookie(v.w, gone)
	return v.redirect("/console/sign-in")
}

// cookie is one that scripts do not see and other sites cannot have sent with a form.
func cookie(name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// phrase is a text of the pages in both languages, with what belongs into it.
func phrase(key string, args ...any) report.Text {
	return report.Text{ZH: fmt.Sprintf(words[key].ZH, args...), EN: fmt.Sprintf(words[key].EN, args...)}
}
