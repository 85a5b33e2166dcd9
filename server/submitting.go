package server

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/client"
)

// Raw keeps the request: its body is read part by part, never to a file.
type Raw struct{ request *http.Request }

// Resolve is called by huma.
func (in *Raw) Resolve(ctx huma.Context) []error {
	in.request, _ = humago.Unwrap(ctx)
	return nil
}

// SubmitInput is a submission; its body is read by readBody.
type SubmitInput struct {
	Raw
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" pattern:"^[ -~]*$" doc:"A repeat with the same key and body replays the first answer; it is remembered for 7 days"`
}

type resubmitInput struct {
	SubmitInput
	ByID
}

type submitOutput struct {
	Location string `header:"Location"`
	Replayed string `header:"Idempotent-Replayed" doc:"true when the answer is that of an earlier call"`
	Body     client.Verification
}

func (a *API) submit(ctx context.Context, in *SubmitInput) (*submitOutput, error) {
	return a.take(ctx, in, func(c *client.Client, picture []byte, s report.Submission) (client.Verification, bool, error) {
		if picture == nil {
			return c.SubmitObject(ctx, s, in.IdempotencyKey)
		}
		return c.Submit(ctx, picture, s, in.IdempotencyKey)
	})
}

func (a *API) resubmit(ctx context.Context, in *resubmitInput) (*submitOutput, error) {
	if err := in.check(); err != nil {
		return nil, a.failure(ctx, err)
	}
	return a.take(ctx, &in.SubmitInput, func(c *client.Client, picture []byte, s report.Submission) (client.Verification, bool, error) {
		return c.Resubmit(ctx, in.ID, picture, s, in.IdempotencyKey)
	})
}

// take reads a body and submits it, one of a.uploads at a time.
func (a *API) take(ctx context.Context, in *SubmitInput, submit func(*client.Client, []byte, report.Submission) (client.Verification, bool, error)) (*submitOutput, error) {
	select {
	case a.uploads <- struct{}{}:
		defer func() { <-a.uploads }()
	case <-ctx.Done():
		return nil, unavailable("too many uploads at once")
	}
	body, err := readBody(in.request, submissionFields)
	if err != nil {
		return nil, err
	}
	s, err := a.submission(body)
	if err == nil {
		err = a.checkCallback(ctx, s.Callback)
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	v, replayed, err := submit(a.client.For(keyOf(ctx).Tenant), body.picture, s)
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	visitOf(ctx).verification = v.ID
	out := &submitOutput{Location: "/v1/verifications/" + v.ID, Body: v}
	if replayed {
		out.Replayed = "true"
	}
	return out, nil
}

func (a *API) checkCallback(ctx context.Context, endpoint string) error {
	if endpoint == "" {
		return nil
	}
	all, err := a.client.Records.Endpoints(ctx, keyOf(ctx).Tenant)
	if err == nil && !slices.ContainsFunc(all, func(e records.Endpoint) bool { return e.ID == endpoint }) {
		err = invalid("form", "callback", "there is no webhook endpoint of this id")
	}
	return err
}
