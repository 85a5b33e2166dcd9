package signin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	// callTimeout is for one call of the provider with its answer.
	callTimeout = 10 * time.Second
	// maxAnswer bounds an answer, in bytes: an ID token with hundreds of groups
	// has some tens of thousands.
	maxAnswer = 256 << 10
	// askAgain is the least time between two discoveries: many people who sign in
	// while the provider is away wait for one call, not each for their own.
	askAgain = 5 * time.Second
)

// algorithms are the signatures an ID token may have: those with a public key.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512,
	oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// provider is what discovery found.
type provider struct {
	oauth  oauth2.Config
	issuer string
	keys   oidc.KeySet
}

// provider is asked for once; while it is away, at most every few seconds.
func (o *OIDC) provider(ctx context.Context) (*provider, error) {
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now := o.cfg.Now()
	if o.found != nil || o.away != nil && now.Sub(o.awayAt).Abs() < askAgain {
		return o.found, o.away
	}
	p, err := o.discover(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	o.found, o.away, o.awayAt = p, nil, now
	if err != nil {
		o.away = &UnavailableError{err}
	}
	return o.found, o.away
}

func (o *OIDC) discover(ctx context.Context) (*provider, error) {
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, o.client), o.cfg.Issuer)
	if err != nil {
		return nil, err
	}
	var metadata struct {
		JWKS    string   `json:"jwks_uri"`
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := p.Claims(&metadata); err != nil {
		return nil, err
	}
	endpoint := p.Endpoint()
	for _, address := range []string{endpoint.AuthURL, endpoint.TokenURL, metadata.JWKS} {
		if !safeURL(address) {
			return nil, errors.New("it names an endpoint that is not https")
		}
	}
	// Said here, because the library would find out by trying, and a code may be
	// tried once only.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if o.cfg.ClientSecret == "" || len(metadata.Methods) > 0 && !slices.Contains(metadata.Methods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &provider{
		oauth: oauth2.Config{ClientID: o.cfg.ClientID, ClientSecret: o.cfg.ClientSecret, Endpoint: endpoint,
			RedirectURL: o.cfg.RedirectURL, Scopes: append([]string{oidc.ScopeOpenID, oidc.ScopeProfile}, o.cfg.Scopes...)},
		issuer: o.cfg.Issuer,
		keys:   oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), o.client), metadata.JWKS),
	}, nil
}

// exchange gives the raw ID token for a code.
func (p *provider) exchange(ctx context.Context, code, verifier string) (string, error) {
	token, err := p.oauth.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if refused, is := errors.AsType[*oauth2.RetrieveError](err); is {
		// Its own text holds the whole answer.
		return "", &RefusedError{Reason: ReasonProvider, Code: errorCode(refused.ErrorCode),
			Detail: fmt.Sprintf("the token endpoint answers %d", refused.Response.StatusCode)}
	}
	if err != nil {
		return "", &UnavailableError{err}
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return "", refusedToken("there is none")
	}
	return raw, nil
}

// check is what go-oidc checks of an ID token (signature, issuer, audience,
// expiry), and for whom it was made. The nonce is the caller's.
func (p *provider) check(ctx context.Context, raw string, cfg oidc.Config) (idToken, error) {
	keys := &keySet{KeySet: p.keys}
	t, checked := oidc.NewVerifier(p.issuer, keys, &cfg).Verify(ctx, raw)
	switch {
	case errors.Is(keys.err, errAway):
		return idToken{}, &UnavailableError{keys.err}
	case keys.payload == nil:
		// The library's text may hold the provider's whole answer.
		return idToken{}, refusedToken("it has no signature of the provider")
	}
	// First what names the person: the library's text would show it.
	claims, err := readClaims(keys.payload)
	if err != nil {
		return idToken{}, err
	}
	if checked != nil {
		return idToken{}, refusedToken(checked.Error())
	}
	// OpenID Connect Core, 3.1.3.7, 4 and 5.
	if azp := claims.Azp; azp != cfg.ClientID && (azp != "" || len(t.Audience) > 1) {
		return idToken{}, refusedToken("it was made for another client")
	}
	claims.Nonce = t.Nonce
	return claims, nil
}

// keySet keeps what the verifier's error loses: whether the keys could be
// fetched, and whether the signature was good.
type keySet struct {
	oidc.KeySet
	payload []byte
	err     error
}

// VerifySignature is called once, by Verify.
func (k *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	k.payload, k.err = k.KeySet.VerifySignature(ctx, jwt)
	return k.payload, k.err
}

// errAway is under every error of a call that brought no answer of a provider.
var errAway = errors.New("no answer")

// newClient follows no redirects: the provider names its endpoints itself, and a
// code with the client's secret goes nowhere else.
func newClient() *http.Client {
	return &http.Client{
		Timeout:       callTimeout,
		Transport:     bounded{http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded reads answers whole, up to a limit, and turns those that are none into
// errors.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAway, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errAway, err)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("%w: it is longer than %d bytes", errAway, maxAnswer)
	case answer.StatusCode >= 500, answer.StatusCode == http.StatusTooManyRequests,
		r.Method == http.MethodGet && answer.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: status %d", errAway, answer.StatusCode)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}
