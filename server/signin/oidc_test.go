package signin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestSignIn(t *testing.T) {
	f := newFake(t)
	cfg := f.config()
	cfg.Scopes = []string{"groups"}
	o := newOIDC(t, cfg)
	_, state := f.begin(t, o)
	for name, want := range map[string]string{"client_id": client, "redirect_uri": back, "response_type": "code",
		"scope": "openid profile groups", "code_challenge_method": "S256", "state": state.State, "nonce": state.Nonce} {
		if got := f.sent.Get(name); got != want || got == "" {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if f.sent.Has("code_verifier") || strings.Contains(f.sent.Encode(), state.Verifier) {
		t.Errorf("the verifier was sent with the browser: %v", f.sent)
	}
	query, other := f.begin(t, o)
	if other.State == state.State || other.Nonce == state.Nonce || other.Verifier == state.Verifier {
		t.Errorf("got the same twice: %+v", other)
	}
	// As the console does: through a cookie.
	sealed, err := json.Marshal(other)
	if err != nil {
		t.Fatal(err)
	}
	state = State{}
	if err := json.Unmarshal(sealed, &state); err != nil {
		t.Fatal(err)
	}
	f.now = start.Add(10 * time.Minute)
	got, err := o.Finish(t.Context(), query, state)
	want := Identity{Issuer: f.URL, Subject: "0042", Name: "李明", Login: "li.ming", Groups: []string{"reviewers"}, Role: "reviewer"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if f.asked["/.well-known/openid-configuration"] != 1 || f.asked["/keys"] != 1 || f.asked["/token"] != 1 {
		t.Errorf("got calls %v, want one each", f.asked)
	}
}

func TestFinishRefuses(t *testing.T) {
	large := strings.Repeat("x", maxAnswer)
	for _, tt := range []struct {
		name    string
		change  func(t *testing.T, f *fake, query url.Values, state *State)
		want    Reason // empty: the provider is unavailable
		code    string
		private string // must not be shown
	}{
		{name: "wrong state", want: ReasonState, change: func(_ *testing.T, _ *fake, q url.Values, _ *State) { q.Set("state", "another") }},
		{name: "no state", want: ReasonState, change: func(_ *testing.T, _ *fake, q url.Values, s *State) { q.Del("state"); s.State = "" }},
		{name: "zero state", want: ReasonState, change: func(_ *testing.T, _ *fake, _ url.Values, s *State) { *s = State{} }},
		{name: "too late", want: ReasonExpired, change: func(_ *testing.T, f *fake, _ url.Values, _ *State) { f.now = start.Add(10*time.Minute + time.Second) }},
		{name: "from the future", want: ReasonExpired, change: func(_ *testing.T, f *fake, _ url.Values, _ *State) { f.now = start.Add(-time.Hour) }},
		{name: "the person said no", want: ReasonProvider, code: "access_denied", private: "li.ming@example.com", change: func(_ *testing.T, _ *fake, q url.Values, _ *State) {
			q.Del("code")
			q.Set("error", "access_denied")
			q.Set("error_description", "li.ming@example.com said no")
		}},
		{name: "no error code", want: ReasonProvider, private: "<script>", change: func(_ *testing.T, _ *fake, q url.Values, _ *State) { q.Set("error", "<script>") }},
		{name: "overlong error code", want: ReasonProvider, change: func(_ *testing.T, _ *fake, q url.Values, _ *State) { q.Set("error", large) }},
		{name: "no code", want: ReasonProvider, change: func(_ *testing.T, _ *fake, q url.Values, _ *State) { q.Del("code") }},
		{name: "wrong nonce", want: ReasonToken, change: claim("nonce", "another")},
		{name: "no nonce", want: ReasonToken, change: claim("nonce", nil)},
		{name: "wrong audience", want: ReasonToken, change: claim("aud", "another")},
		{name: "more audiences, made for nobody", want: ReasonToken, change: claim("aud", []string{client, "another"})},
		{name: "made for another", want: ReasonToken, change: claim("azp", "another")},
		{name: "wrong issuer", want: ReasonToken, change: claim("iss", "https://signin.example.com")},
		{name: "expired token", want: ReasonToken, change: claim("exp", start.Add(-time.Second).Unix())},
		{name: "no expiry", want: ReasonToken, change: claim("exp", nil)},
		{name: "no subject", want: ReasonToken, change: claim("sub", "")},
		{name: "overlong subject", want: ReasonToken, change: claim("sub", strings.Repeat("x", 256))},
		{name: "a number for a subject", want: ReasonToken, private: "13900000000", change: claim("sub", 13900000000)},
		{name: "foreign key", want: ReasonToken, change: func(t *testing.T, f *fake, _ url.Values, _ *State) { f.signer = newKey(t) }},
		{name: "unsigned token", want: ReasonToken, change: answer("/token", `200 {"access_token":"a","token_type":"Bearer","id_token":"eyJhbGciOiJub25lIn0.e30."}`)},
		{name: "no token", want: ReasonToken, change: answer("/token", `200 {"access_token":"a","token_type":"Bearer"}`)},
		{name: "no group", want: ReasonRole, private: "secret-group", change: claim("groups", []string{"secret-group"})},
		{name: "no groups", want: ReasonRole, change: claim("groups", nil)},
		{name: "groups of another kind", want: ReasonRole, change: claim("groups", map[string]bool{"reviewers": true})},
		{name: "used code", want: ReasonProvider, code: "invalid_grant", private: "0042", change: answer("/token", `400 {"error":"invalid_grant","error_description":"of 0042"}`)},
		{name: "error without a code", want: ReasonProvider, private: "0042", change: answer("/token", `403 of 0042`)},
		{name: "token endpoint elsewhere", want: ReasonProvider, change: answer("/token", `302 /elsewhere`)},
		{name: "token endpoint away", change: answer("/token", `503 `)},
		{name: "token endpoint busy", change: answer("/token", `429 `)},
		{name: "overlong token", change: answer("/token", `200 {"id_token":"`+large+`"}`)},
		{name: "not json", change: answer("/token", `200 {`)},
		{name: "keys away", change: answer("/keys", `404 `)},
		{name: "keys elsewhere", change: answer("/keys", `302 /token`)},
		{name: "overlong keys", change: answer("/keys", `200 {"keys":[],"x":"`+large+`"}`)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			o := newOIDC(t, f.config())
			query, state := f.begin(t, o)
			tt.change(t, f, query, &state)
			who, err := o.Finish(t.Context(), query, state)
			refused, isRefused := errors.AsType[*RefusedError](err)
			away, isAway := errors.AsType[*UnavailableError](err)
			switch {
			case !reflect.DeepEqual(who, Identity{}):
				t.Errorf("got %+v", who)
			case tt.want != "" && (!isRefused || refused.Reason != tt.want || refused.Code != tt.code):
				t.Errorf("got %v, want %s %s", err, tt.want, tt.code)
			case tt.want == "" && (!isAway || !away.Retryable()):
				t.Errorf("got %v, want the provider unavailable", err)
			case tt.private != "" && strings.Contains(err.Error(), tt.private), len(err.Error()) > 500, strings.Contains(err.Error(), secret):
				t.Errorf("the error shows too much: %v", err)
			case f.asked["/elsewhere"] > 0:
				t.Error("a redirect was followed")
			}
		})
	}
}

func claim(name string, value any) func(*testing.T, *fake, url.Values, *State) {
	return func(_ *testing.T, f *fake, _ url.Values, _ *State) { f.claims = map[string]any{name: value} }
}

func answer(path, with string) func(*testing.T, *fake, url.Values, *State) {
	return func(_ *testing.T, f *fake, _ url.Values, _ *State) { f.instead[path] = with }
}

func TestProviderAwayThenBack(t *testing.T) {
	for name, with := range map[string]string{
		"down": "503 ", "not there": "404 ", "no json": "200 <html>", "another issuer": `200 {"issuer":"https://signin.example.com"}`,
		"overlong": `200 {"x":"` + strings.Repeat("x", maxAnswer) + `"}`,
		"open endpoints": `200 {"issuer":"ISSUER","authorization_endpoint":"https://a.example.com",
			"token_endpoint":"http://a.example.com","jwks_uri":"https://a.example.com"}`,
	} {
		t.Run(name, func(t *testing.T) {
			const discovery = "/.well-known/openid-configuration"
			f := newFake(t)
			o := newOIDC(t, f.config())
			f.instead[discovery] = strings.Replace(with, "ISSUER", f.URL, 1)
			for range 3 {
				_, _, err := o.Begin(t.Context())
				if away, is := errors.AsType[*UnavailableError](err); !is || !away.Retryable() {
					t.Fatalf("got %v, want the provider unavailable", err)
				}
			}
			if f.asked[discovery] != 1 {
				t.Errorf("asked %d times at once", f.asked[discovery])
			}
			delete(f.instead, discovery)
			f.now = f.now.Add(askAgain)
			query, state := f.begin(t, o)
			if _, err := o.Finish(t.Context(), query, state); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestProviderHangs(t *testing.T) {
	f := newFake(t)
	o := newOIDC(t, f.config())
	good := o.client.Transport
	o.client.Transport = bounded{hanging{}}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, _, err := o.Begin(ctx); err != context.Canceled {
		t.Errorf("got %v, want the caller's own error", err)
	}
	o.client.Timeout = 10 * time.Millisecond
	if _, _, err := o.Begin(t.Context()); !errors.As(err, new(*UnavailableError)) {
		t.Errorf("got %v, want the provider unavailable", err)
	}
	o.client.Timeout, o.client.Transport = callTimeout, good
	f.now = f.now.Add(askAgain)
	query, state := f.begin(t, o)
	o.client.Transport = bounded{hanging{}}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := o.Finish(ctx, query, state); err != context.Canceled {
		t.Errorf("got %v, want the caller's own error", err)
	}
	o.turn <- struct{}{}
	if _, _, err := o.Begin(ctx); err != context.Canceled {
		t.Errorf("behind another: got %v, want the caller's own error", err)
	}
}

// hanging is a provider that takes calls and says nothing.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestClientAuthentication(t *testing.T) {
	for _, tt := range []struct {
		name, secret, methods string
		want                  string // client_secret in the form; "basic": in the header
	}{
		{"not said", secret, ``, "basic"},
		{"both", secret, `"client_secret_post","client_secret_basic"`, "basic"},
		{"form", secret, `"client_secret_post"`, secret},
		{"public client", "", `"none"`, ""},
	} {
		f := newFake(t)
		f.instead["/.well-known/openid-configuration"] = `200 {"issuer":"` + f.URL + `","authorization_endpoint":"` + f.URL + `/auth","token_endpoint":"` +
			f.URL + `/seen","jwks_uri":"` + f.URL + `/keys","token_endpoint_auth_methods_supported":[` + tt.methods + `]}`
		got, calls := "", 0
		served := f.Config.Handler
		f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/seen" {
				served.ServeHTTP(w, r)
				return
			}
			calls++
			got = r.PostFormValue("client_secret")
			if _, _, basic := r.BasicAuth(); basic {
				got = "basic"
			}
			w.WriteHeader(http.StatusBadRequest)
		})
		cfg := f.config()
		cfg.ClientSecret = tt.secret
		o := newOIDC(t, cfg)
		query, state := f.begin(t, o)
		if _, err := o.Finish(t.Context(), query, state); err == nil || got != tt.want || calls != 1 {
			t.Errorf("%s: got %q in %d calls, %v, want %q in one", tt.name, got, calls, err, tt.want)
		}
	}
}

func TestNewOIDCRefuses(t *testing.T) {
	good := OIDCConfig{Issuer: "https://signin.example.com", ClientID: client, RedirectURL: back, Roles: map[string]string{"heads": "lead"}}
	for _, tt := range []struct {
		name   string
		change func(*OIDCConfig)
		ok     bool
	}{
		{"good", func(*OIDCConfig) {}, true},
		{"on this machine", func(c *OIDCConfig) {
			c.Issuer, c.RedirectURL = "http://localhost:8080/realms/heyan", "http://[::1]:7000/back"
		}, true},
		{"no issuer", func(c *OIDCConfig) { c.Issuer = "" }, false},
		{"open issuer", func(c *OIDCConfig) { c.Issuer = "http://signin.example.com" }, false},
		{"issuer with a password", func(c *OIDCConfig) { c.Issuer = "https://a:b@signin.example.com" }, false},
		{"open redirect url", func(c *OIDCConfig) { c.RedirectURL = "http://console.example.com/back" }, false},
		{"no address", func(c *OIDCConfig) { c.RedirectURL = "/back" }, false},
		{"no client", func(c *OIDCConfig) { c.ClientID = "" }, false},
		{"no roles", func(c *OIDCConfig) { c.Roles = nil }, false},
		{"unknown role", func(c *OIDCConfig) { c.Roles = map[string]string{"heads": "root"} }, false},
		{"group without a name", func(c *OIDCConfig) { c.Roles = map[string]string{"": "lead"} }, false},
	} {
		cfg := good
		tt.change(&cfg)
		if _, err := NewOIDC(cfg); (err == nil) != tt.ok {
			t.Errorf("%s: got %v, want ok %v", tt.name, err, tt.ok)
		}
	}
}
