package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// HTTP submits and receives through the service's API. It is safe for
// concurrent use.
type HTTP struct {
	Base   string       // address of the service: "http://127.0.0.1:8080"
	Key    string       // token of a key with the scopes submit and read: "hy_…"
	Client *http.Client // default http.DefaultClient
}

// Problem is a refusal of the service (RFC 9457).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
	} `json:"errors"`
}

func (p *Problem) Error() string {
	text := fmt.Sprintf("service: %d %s", p.Status, p.Title)
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	for _, e := range p.Errors {
		text += fmt.Sprintf("; %s: %s", e.Location, e.Message)
	}
	return text
}

// Retryable says whether the same request may succeed later.
func (p *Problem) Retryable() bool {
	return p.Status == http.StatusTooManyRequests || p.Status == http.StatusBadGateway ||
		p.Status == http.StatusServiceUnavailable || p.Status == http.StatusGatewayTimeout
}

const (
	// maxAnswer bounds an answer of the service, bytes.
	maxAnswer = 32 << 20
	// waitSeconds is how long one request of Wait stays open.
	waitSeconds = 20
	// retryWait is the pause of Wait when the service is away.
	retryWait = time.Second
)

// Submit sends a picture with what was declared and returns the verification
// that the service acknowledged. With an idempotencyKey it is safe to repeat.
// The submission's File, Object and ID are not sent.
func (h *HTTP) Submit(ctx context.Context, picture []byte, s report.Submission, idempotencyKey string) (Verification, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	values := [][2]string{
		{"organization_id", s.OrganizationID}, {"name", s.Name}, {"uscc", s.USCC},
		{"registration_number", s.RegistrationNumber}, {"organization_code", s.OrganizationCode},
		{"legal_representative", s.LegalRepresentative}, {"id_kind", s.IDKind}, {"id_number", s.IDNumber},
		{"entity_type", s.EntityType}, {"email", s.Email}, {"phone", s.Phone},
		{"purpose", string(s.Purpose)}, {"policy", s.Policy}, {"priority", s.Priority}, {"client_reference", s.ClientReference}, {"callback", s.Callback},
	}
	if s.Consent != nil {
		values = append(values, [2]string{"consent_basis", s.Consent.Basis},
			[2]string{"consent_at", s.Consent.At.Format(time.RFC3339)}, [2]string{"consent_by", s.Consent.By})
	}
	for _, v := range values {
		if v[1] == "" {
			continue
		}
		if err := form.WriteField(v[0], v[1]); err != nil {
			return Verification{}, err
		}
	}
	part, err := form.CreateFormFile("picture", "picture") // a file's own name may name people
	if err != nil {
		return Verification{}, err
	}
	if _, err := part.Write(picture); err != nil {
		return Verification{}, err
	}
	if err := form.Close(); err != nil {
		return Verification{}, err
	}
	header := http.Header{"Content-Type": {form.FormDataContentType()}}
	if idempotencyKey != "" {
		header.Set("Idempotency-Key", idempotencyKey)
	}
	return h.do(ctx, http.MethodPost, "/v1/verifications", header, &body)
}

// Get is where a verification stands now.
func (h *HTTP) Get(ctx context.Context, id string) (Verification, error) {
	return h.do(ctx, http.MethodGet, "/v1/verifications/"+url.PathEscape(id), nil, nil)
}

// Wait returns the verification once it is completed. A service that is away
// for a while is waited for; ctx says how long.
func (h *HTTP) Wait(ctx context.Context, id string) (Verification, error) {
	for {
		v, err := h.do(ctx, http.MethodGet, fmt.Sprintf("/v1/verifications/%s?wait=%d", url.PathEscape(id), waitSeconds), nil, nil)
		var refused *Problem
		switch {
		case err == nil && v.Status == report.StatusCompleted:
			return v, nil
		case err == nil:
			continue // the service held the request open already
		case ctx.Err() != nil:
			return v, ctx.Err()
		case errors.As(err, &refused) && !refused.Retryable():
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, err
		case <-time.After(retryWait):
		}
	}
}

func (h *HTTP) do(ctx context.Context, method, path string, header http.Header, body io.Reader) (v Verification, err error) {
	return v, h.ask(ctx, method, path, header, body, &v)
}

// send returns an answer that is no refusal, whose body the caller closes.
func (h *HTTP) send(ctx context.Context, method, path string, header http.Header, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(h.Base, "/")+path, body)
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header
	}
	req.Header.Set("Authorization", "Bearer "+h.Key)
	c := h.Client
	if c == nil {
		c = http.DefaultClient
	}
	resp, err := c.Do(req)
	if err != nil || resp.StatusCode < 300 {
		return resp, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	p := &Problem{}
	if json.Unmarshal(text, p) != nil || p.Status == 0 { // not from the service itself: a proxy
		p = &Problem{Title: http.StatusText(resp.StatusCode)}
	}
	p.Status = resp.StatusCode
	return nil, p
}

// ask reads the answer to a request into out.
func (h *HTTP) ask(ctx context.Context, method, path string, header http.Header, body io.Reader, out any) error {
	resp, err := h.send(ctx, method, path, header, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("service: the answer is not the expected JSON: %w", err)
	}
	return nil
}
