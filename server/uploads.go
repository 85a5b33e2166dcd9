package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
)

// uploadTime is how long an address for an upload is good: a picture over a slow
// line, and some patience.
const uploadTime = 15 * time.Minute

type uploadInput struct {
	base string // address of this service, as the caller reached it
	Body struct {
		Size        int64  `json:"size" minimum:"1" maximum:"10485760" doc:"Of the picture, bytes: exactly"`
		ContentType string `json:"content_type" enum:"image/jpeg,image/png,image/webp,image/bmp,image/tiff,image/heic,image/heif,image/gif,application/pdf,application/octet-stream"`
	}
}

// Resolve keeps the address.
func (in *uploadInput) Resolve(ctx huma.Context) []error {
	r, _ := humago.Unwrap(ctx)
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	in.base = scheme + "://" + r.Host
	return nil
}

type uploadOutput struct {
	Body struct {
		Object    string            `json:"object" doc:"What to submit once the picture is put"`
		Method    string            `json:"method" enum:"PUT"`
		URL       string            `json:"url" doc:"Where to put the picture, once; it takes no key"`
		Headers   map[string]string `json:"headers" doc:"To send along as they are"`
		ExpiresAt time.Time         `json:"expires_at"`
	}
}

// upload answers an address of the S3 server where callers reach it, and of this
// service where they do not: the embedded server listens on loopback alone.
func (a *API) upload(ctx context.Context, in *uploadInput) (*uploadOutput, error) {
	c, now := a.client.For(keyOf(ctx).Tenant), a.now()
	out := &uploadOutput{}
	out.Body.Method, out.Body.ExpiresAt = http.MethodPut, now.Add(uploadTime).UTC()
	if a.presign {
		up, err := c.PresignUpload(ctx, in.Body.Size, in.Body.ContentType, uploadTime)
		if err != nil {
			return nil, a.failure(ctx, err)
		}
		out.Body.Object, out.Body.URL, out.Body.Headers = up.Object, up.URL.String(), map[string]string{}
		for name := range up.Header {
			out.Body.Headers[name] = up.Header.Get(name)
		}
		return out, nil
	}
	slip := slip{Object: c.NewUpload(), Size: in.Body.Size, ContentType: in.Body.ContentType, ExpiresAt: out.Body.ExpiresAt}
	token, err := a.sealSlip(ctx, slip)
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out.Body.Object, out.Body.URL = slip.Object, in.base+"/v1/uploads/"+token
	out.Body.Headers = map[string]string{"Content-Type": slip.ContentType, "Content-Length": fmt.Sprint(slip.Size)}
	return out, nil
}

// slip is what the token of an upload allows.
type slip struct {
	Object      string
	Size        int64
	ContentType string
	ExpiresAt   time.Time
}

// slipPlace keeps tokens apart from everything else that is sealed.
var slipPlace = vault.Place{Table: "uploads", Field: "token"}

func (a *API) sealSlip(ctx context.Context, s slip) (string, error) {
	sealer, err := a.client.Vault.For(ctx, records.DefaultTenant)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(s)
	return base64.RawURLEncoding.EncodeToString(sealer.Seal(slipPlace, text)), err
}

var errSlip = errors.New("not the token of an upload, or its time is over")

func (a *API) openSlip(ctx context.Context, token string) (s slip, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return s, errSlip
	}
	sealer, err := a.client.Vault.For(ctx, records.DefaultTenant)
	if err != nil {
		return s, err
	}
	text, err := sealer.Open(slipPlace, sealed)
	if err != nil || json.Unmarshal(text, &s) != nil || a.now().After(s.ExpiresAt) {
		return s, errSlip
	}
	return s, nil
}

type putInput struct {
	Raw
	Token string `path:"token" maxLength:"1024"`
}

// put stores a picture under the terms of its slip.
func (a *API) put(ctx context.Context, in *putInput) (*struct{}, error) {
	s, err := a.openSlip(ctx, in.Token)
	if errors.Is(err, errSlip) {
		return nil, problem(http.StatusForbidden, "upload_refused", "this address is not, or no longer, good for an upload")
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	r := in.request
	if r.ContentLength != s.Size || r.Header.Get("Content-Type") != s.ContentType {
		return nil, problem(http.StatusBadRequest, "upload_differs", "the picture is not of the size and type that were announced")
	}
	select {
	case a.uploads <- struct{}{}:
		defer func() { <-a.uploads }()
	case <-ctx.Done():
		return nil, unavailable("too many uploads at once")
	}
	picture := make([]byte, s.Size)
	if _, err := io.ReadFull(r.Body, picture); err != nil {
		return nil, malformed(err)
	}
	err = a.client.Objects.Create(ctx, s.Object, bytes.NewReader(picture), s.Size, s.ContentType)
	if errors.Is(err, objects.ErrExists) {
		return nil, problem(http.StatusConflict, "upload_exists", "the picture was put already")
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	return nil, nil
}
