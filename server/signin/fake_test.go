package signin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"
)

const (
	client = "heyan-console"
	secret = "a secret of the client"
	back   = "https://console.example.com/signin/back"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// fake is an OpenID Connect provider with a browser in front of it.
type fake struct {
	*httptest.Server
	key     *ecdsa.PrivateKey
	signer  *ecdsa.PrivateKey // of the next ID token
	claims  map[string]any    // of the next ID token, over those of a good one
	sent    url.Values        // with which the browser came
	instead map[string]string // path → what is answered there: "status body"
	asked   map[string]int    // path → calls
	now     time.Time
}

func newFake(t *testing.T) *fake {
	t.Helper()
	key := newKey(t)
	f := &fake{key: key, signer: key, now: start, asked: map[string]int{}, instead: map[string]string{}}
	parts := &oidctest.Server{Algorithms: []string{oidc.ES256},
		PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k", Algorithm: oidc.ES256}}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.asked[r.URL.Path]++
		w.Header().Set("Content-Type", "application/json")
		if answer, is := f.instead[r.URL.Path]; is {
			status, body, _ := strings.Cut(answer, " ")
			if status == "302" {
				w.Header().Set("Location", f.URL+body)
			}
			code, err := strconv.Atoi(status)
			if err != nil {
				t.Error(err)
			}
			w.WriteHeader(code)
			io.WriteString(w, body)
		} else if r.URL.Path == "/token" {
			f.token(t, w, r)
		} else {
			parts.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(f.Close)
	parts.SetIssuer(f.URL)
	return f
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// token gives an ID token for the code of the browser's visit.
func (f *fake) token(t *testing.T, w http.ResponseWriter, r *http.Request) {
	id, password, _ := r.BasicAuth()
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case id != client || password != url.QueryEscape(secret):
		t.Errorf("got client %q with %q", id, password)
	case r.PostFormValue("code") != "the code" || r.PostFormValue("redirect_uri") != back:
		t.Errorf("got %v", r.PostForm)
	case base64.RawURLEncoding.EncodeToString(challenge[:]) != f.sent.Get("code_challenge"):
		t.Errorf("verifier %q is not of the challenge", r.PostFormValue("code_verifier"))
	}
	claims := map[string]any{"iss": f.URL, "aud": client, "sub": "0042", "nonce": f.sent.Get("nonce"), "iat": f.now.Unix(),
		"exp": f.now.Add(time.Hour).Unix(), "name": "李明", "preferred_username": "li.ming", "groups": []string{"reviewers"}}
	maps.Copy(claims, f.claims)
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Error(err)
	}
	raw := oidctest.SignIDToken(f.signer, "k", oidc.ES256, string(payload))
	json.NewEncoder(w).Encode(map[string]any{"access_token": "unused", "token_type": "Bearer", "id_token": raw})
}

func (f *fake) config() OIDCConfig {
	return OIDCConfig{Issuer: f.URL, ClientID: client, ClientSecret: secret, RedirectURL: back,
		Roles: map[string]string{"reviewers": "reviewer", "heads": "lead", "owners": "admin"},
		Now:   func() time.Time { return f.now }}
}

// begin starts a sign-in and visits the provider.
func (f *fake) begin(t *testing.T, o *OIDC) (url.Values, State) {
	t.Helper()
	redirect, state, err := o.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(redirect)
	if err != nil {
		t.Fatal(err)
	}
	f.sent = u.Query()
	return url.Values{"state": {f.sent.Get("state")}, "code": {"the code"}}, state
}

func newOIDC(t *testing.T, cfg OIDCConfig) *OIDC {
	t.Helper()
	o, err := NewOIDC(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
