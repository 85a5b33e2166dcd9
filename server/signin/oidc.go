package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// maxAge is how long a sign-in may take at the provider.
const maxAge = 10 * time.Minute

// Roles of the console that a group may stand for, the lowest first.
var roles = []string{"reviewer", "lead", "admin"}

// OIDCConfig says which provider signs people in, and who of them may come in.
type OIDCConfig struct {
	Issuer       string            // exactly as the provider writes it; https, or http on this machine
	ClientID     string            // as registered at the provider
	ClientSecret string            // empty: a public client, held by PKCE alone
	RedirectURL  string            // of the console, as registered at the provider
	Scopes       []string          // beside openid and profile; some providers want "groups"
	GroupsClaim  string            // of the ID token, a text or a list of texts; empty: "groups"
	Roles        map[string]string // group → "reviewer", "lead" or "admin"
	Now          func() time.Time  // nil: time.Now
}

// OIDC signs people in through an OpenID Connect provider: the authorization
// code flow with PKCE, state and nonce. It is safe for concurrent use.
type OIDC struct {
	cfg    OIDCConfig
	client *http.Client
	turn   chan struct{} // held by who looks at the fields below
	found  *provider
	away   error // why the last discovery failed
	awayAt time.Time
}

// State is what the browser must bring back, sealed: it ties the provider's
// answer to the browser that asked.
type State struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"` // of PKCE
	At       time.Time `json:"at"`
}

// NewOIDC checks a configuration. It does not call the provider: the first Begin
// does.
func NewOIDC(cfg OIDCConfig) (*OIDC, error) {
	if !safeURL(cfg.Issuer) || !safeURL(cfg.RedirectURL) {
		return nil, errors.New("signin: issuer and redirect url must be https addresses, or http on this machine")
	}
	if cfg.ClientID == "" || len(cfg.Roles) == 0 {
		return nil, errors.New("signin: openid connect needs a client id and at least one group with a role")
	}
	for group, role := range cfg.Roles {
		if group == "" || !slices.Contains(roles, role) {
			return nil, fmt.Errorf("signin: group %q has role %q; known are %q", group, role, roles)
		}
	}
	if cfg.GroupsClaim == "" {
		cfg.GroupsClaim = "groups"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &OIDC{cfg: cfg, client: newClient(), turn: make(chan struct{}, 1)}, nil
}

// safeURL: nobody on the way can read or change what is sent there.
func safeURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (ip.IsLoopback() || u.Hostname() == "localhost")
}

// Begin starts a sign-in: where to send the browser, and what it must bring
// back. Errors: *UnavailableError and the context's.
func (o *OIDC) Begin(ctx context.Context) (redirect string, state State, err error) {
	p, err := o.provider(ctx)
	if err != nil {
		return "", State{}, err
	}
	state = State{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), At: o.cfg.Now()}
	return p.oauth.AuthCodeURL(state.State, oidc.Nonce(state.Nonce), oauth2.S256ChallengeOption(state.Verifier)), state, nil
}

// Finish ends a sign-in: query is what the browser came back with, state what
// Begin gave it. Errors: *RefusedError, *UnavailableError and the context's.
func (o *OIDC) Finish(ctx context.Context, query url.Values, state State) (Identity, error) {
	switch {
	case !same(query.Get("state"), state.State):
		return Identity{}, &RefusedError{Reason: ReasonState}
	case o.cfg.Now().Sub(state.At).Abs() > maxAge:
		return Identity{}, &RefusedError{Reason: ReasonExpired}
	case query.Has("error"):
		return Identity{}, &RefusedError{Reason: ReasonProvider, Code: errorCode(query.Get("error"))}
	case query.Get("code") == "":
		return Identity{}, &RefusedError{Reason: ReasonProvider, Detail: "an answer without a code"}
	}
	p, err := o.provider(ctx)
	if err != nil {
		return Identity{}, err
	}
	token, err := p.exchange(oidc.ClientContext(ctx, o.client), query.Get("code"), state.Verifier)
	if err != nil {
		return Identity{}, orEnded(ctx, err)
	}
	t, err := p.check(ctx, token, oidc.Config{ClientID: o.cfg.ClientID, SupportedSigningAlgs: algorithms, Now: o.cfg.Now})
	if err != nil {
		return Identity{}, orEnded(ctx, err)
	}
	if !same(t.Nonce, state.Nonce) {
		return Identity{}, refusedToken("its nonce is not that of this sign-in")
	}
	return o.identity(t)
}

// same compares what must be the same, in constant time; nothing is the same as
// nothing.
func same(got, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}

// Reason says why a sign-in was refused.
type Reason string

// The reasons of RefusedError.
const (
	ReasonState    Reason = "state"    // the answer belongs to no sign-in of this browser
	ReasonExpired  Reason = "expired"  // it took longer than 10 minutes
	ReasonProvider Reason = "provider" // the provider refused; Code says why, access_denied: the person did
	ReasonToken    Reason = "token"    // the ID token proves nothing here
	ReasonRole     Reason = "role"     // none of the person's groups has a role
)

// RefusedError: nobody was signed in. The same answer will not do later; a new
// sign-in may.
type RefusedError struct {
	Reason Reason
	Code   string // the provider's error code, if it gave one
	Detail string // for the log
}

func (e *RefusedError) Error() string {
	text := "signin: refused: " + string(e.Reason)
	for _, more := range []string{e.Code, e.Detail} {
		if more != "" {
			text += ": " + more
		}
	}
	return text
}

func refusedToken(detail string) error { return &RefusedError{Reason: ReasonToken, Detail: detail} }

// UnavailableError: the provider cannot be reached, or does not answer as one.
type UnavailableError struct{ Err error }

func (e *UnavailableError) Error() string {
	return "signin: the provider is unavailable: " + e.Err.Error()
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// Retryable is true: the provider may be back later.
func (e *UnavailableError) Retryable() bool { return true }

// orEnded is the error of a caller who gave up, or else what the provider did.
func orEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// errorCode is a provider's error code, as far as it looks like one (RFC 6749,
// 4.1.2.1): what else stands there may be anything.
func errorCode(s string) string {
	const longest = 64
	for _, r := range s {
		if (r < 'a' || r > 'z') && r != '_' {
			return ""
		}
	}
	if len(s) > longest {
		return ""
	}
	return s
}
