package console_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"github.com/heyan/heyan/server/console"
	"github.com/heyan/heyan/server/signin"
	"github.com/heyan/heyan/storage/records"
)

// provider is an OpenID Connect provider, and who sits before the browser.
type provider struct {
	*httptest.Server
	subject, login, name string
	groups               []string
	asked                url.Values // with which the browser came
	away                 bool
}

// withProvider is a site whose people may come from a provider.
func withProvider(t *testing.T) (*site, *provider) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{subject: "0042", login: "Li.Ming@corp.example", name: "李明", groups: []string{"reviewers"}}
	parts := &oidctest.Server{Algorithms: []string{oidc.ES256},
		PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k", Algorithm: oidc.ES256}}}
	var s *site
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.away {
			http.Error(w, "", http.StatusBadGateway)
			return
		}
		if r.URL.Path != "/token" {
			parts.ServeHTTP(w, r)
			return
		}
		claims, err := json.Marshal(map[string]any{"iss": p.URL, "aud": "heyan", "sub": p.subject, "nonce": p.asked.Get("nonce"),
			"iat": s.clock().Unix(), "exp": s.clock().Add(time.Hour).Unix(), "name": p.name, "preferred_username": p.login, "groups": p.groups})
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"access_token": "unused", "token_type": "Bearer",
			"id_token": oidctest.SignIDToken(key, "k", oidc.ES256, string(claims))})
	}))
	t.Cleanup(p.Close)
	parts.SetIssuer(p.URL)
	s = newSite(t, func(o *console.Options) {
		o.OIDC, err = signin.NewOIDC(signin.OIDCConfig{Issuer: p.URL, ClientID: "heyan", RedirectURL: "https://heyan.example" + console.OIDCDone,
			Roles: map[string]string{"reviewers": "reviewer", "heads": "lead", "owners": "admin"}, Now: o.Now})
		if err != nil {
			t.Fatal(err)
		}
	})
	return s, p
}

// visit begins a sign-in and says where the provider sends the browser back to.
func (p *provider) visit(t *testing.T, b *browser, next string) (back string) {
	t.Helper()
	got := b.ask(t, "/console/sign-in/oidc?"+url.Values{"next": {next}}.Encode(), nil)
	to, err := url.Parse(got.header.Get("Location"))
	if err != nil || got.status != http.StatusSeeOther || !strings.HasPrefix(to.String(), p.URL) {
		t.Fatalf("got %d to %v, %v", got.status, to, err)
	}
	p.asked = to.Query()
	return console.OIDCDone + "?" + url.Values{"state": {p.asked.Get("state")}, "code": {"the code"}}.Encode()
}

func TestOIDC(t *testing.T) {
	s, p := withProvider(t)
	b := s.browser(t)
	b.ask(t, "/console/sign-in", nil).says(t, 200, "Sign in with your organization&#39;s account")
	got := b.ask(t, "/console/sign-in/oidc", nil)
	cookie := got.header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-heyan-oidc=") || !strings.HasSuffix(cookie, "; Path=/; Max-Age=660; HttpOnly; Secure; SameSite=Lax") || strings.Contains(cookie, "verifier") {
		t.Errorf("got cookie %q", cookie)
	}
	b.ask(t, p.visit(t, b, "/console/cases/1"), nil).goesTo(t, "/console/cases/1")
	b.ask(t, "/console/", nil).says(t, 200, "李明")
	u, err := s.store.UserBySubject(t.Context(), p.URL, "0042")
	if err != nil || u.Login != "li.ming" || u.Role != records.RoleReviewer || u.Tenant != records.DefaultTenant || u.Password != "" {
		t.Errorf("got %+v, %v", u, err)
	}

	p.groups, p.name = []string{"heads", "others"}, "李明明"
	second := s.browser(t)
	second.ask(t, p.visit(t, second, ""), nil).goesTo(t, "/console/")
	if u, err = s.store.User(t.Context(), u.Tenant, u.ID); err != nil || u.Role != records.RoleLead || u.Name != "李明明" {
		t.Errorf("got %+v, %v", u, err)
	}
	if got, want := s.actions(t, u.ID), []string{"user.added", "user.signed_in", "user.changed", "user.signed_in"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}

	p.subject, p.login = "0043", "li.ming@other.example"
	third := s.browser(t)
	third.ask(t, p.visit(t, third, ""), nil).goesTo(t, "/console/")
	if u, err := s.store.UserBySubject(t.Context(), p.URL, "0043"); err != nil || u.Login != "li.ming-2" {
		t.Errorf("got %+v, %v", u, err)
	}
	s.browser(t).signIn(t, "li.ming", "").says(t, 401) // there is no password to sign in with
	s.browser(t).signIn(t, "li.ming", password).says(t, 401)

	s.add(t, "head", records.RoleAdmin)
	head := s.signedIn(t, "head")
	head.ask(t, "/console/users", nil).says(t, 200, "by the organization&#39;s account")
	head.ask(t, "/console/users/"+u.ID, url.Values{"role": {"admin"}}).says(t, 409, "comes from the organization")
	head.ask(t, "/console/users/"+u.ID+"/invite", url.Values{}).says(t, 409, "cannot set a password")
	head.ask(t, "/console/users/"+u.ID, url.Values{"disabled": {"yes"}}).goesTo(t, "/console/users")
	p.subject = "0042"
	b.ask(t, p.visit(t, b, ""), nil).says(t, 403, "Your account is disabled.")
	b.ask(t, "/console/", nil).goesTo(t, "/console/sign-in?next=%2Fconsole%2F")
}

func TestOIDCRefuses(t *testing.T) {
	s, p := withProvider(t)
	for name, tt := range map[string]struct {
		change func(b *browser, back *string)
		status int
		says   string
	}{
		"another browser's": {func(b *browser, _ *string) { b.Jar = s.browser(t).Jar }, 403, "not begun in this browser"},
		"another cookie's": {func(b *browser, _ *string) {
			b.Jar = s.browser(t).Jar
			site, _ := url.Parse(s.URL)
			b.Jar.SetCookies(site, []*http.Cookie{{Name: "__Host-heyan-oidc", Value: "AQEBAQEB", Path: "/", Secure: true}})
		}, 403, "not begun in this browser"},
		"late":     {func(*browser, *string) { s.pass(10*time.Minute + time.Second) }, 403, "took too long"},
		"no group": {func(*browser, *string) { p.groups = []string{"guests"} }, 403, "None of your groups"},
		"no": {func(_ *browser, back *string) {
			*back = strings.Replace(*back, "code=the+code", "error=access_denied", 1)
		}, 403, "refused this sign-in"},
		"wrong token": {func(*browser, *string) { p.asked.Set("nonce", "another") }, 403, "cannot be verified"},
		"away":        {func(*browser, *string) { p.away = true }, 503, "does not answer now"},
	} {
		t.Run(name, func(t *testing.T) {
			p.groups, p.away = []string{"reviewers"}, false
			b := s.browser(t)
			back := p.visit(t, b, "/console/cases/1")
			tt.change(b, &back)
			b.ask(t, back, nil).says(t, tt.status, tt.says)
			b.ask(t, "/console/", nil).goesTo(t, "/console/sign-in?next=%2Fconsole%2F")
		})
	}
	if users, err := s.store.Users(t.Context(), records.DefaultTenant); err != nil || len(users) != 0 {
		t.Errorf("got %v, %v", users, err)
	}
	s = newSite(t, nil)
	for _, path := range []string{"/console/sign-in/oidc", console.OIDCDone} {
		s.browser(t).ask(t, path, nil).says(t, 404)
	}
}

// Whose session ended over a form signs in in another window, and goes on.
func TestResumeThroughOIDC(t *testing.T) {
	s, p := withProvider(t)
	p.groups = []string{"owners"}
	b := s.browser(t)
	filled := url.Values{"login": {"wang.wei"}, "name": {"王伟"}, "role": {"lead"}}
	page := b.ask(t, "/console/users", filled)
	page.says(t, 401, `target="_blank"`)
	action, form := page.form(t, 1)
	b.ask(t, action, form).says(t, 401, "You are not signed in yet.")
	b.ask(t, p.visit(t, b, ""), nil).goesTo(t, "/console/")
	page = b.ask(t, action, form)
	page.says(t, 200, "add a user", "王伟")
	action, form = page.form(t, 0)
	b.ask(t, action, form).says(t, 200, "wang.wei")
}
