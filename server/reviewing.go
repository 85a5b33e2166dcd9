package server

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/client"
	"github.com/heyan/heyan/worker/engine"
)

// entry is what the audit log says of what a key does now.
func (a *API) entry(ctx context.Context, action, subject string) records.Entry {
	key := keyOf(ctx)
	return records.Entry{Tenant: key.Tenant, At: a.now(), Actor: "key:" + key.ID, Action: action, Subject: subject}
}

// picture streams what was submitted: the type is not told, so that no browser
// runs or shows it by itself.
func (a *API) picture(ctx context.Context, in *ByID) (*huma.StreamResponse, error) {
	body, info, err := a.openPicture(ctx, in)
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer body.Close()
		hc.SetHeader("Content-Type", "application/octet-stream")
		hc.SetHeader("Content-Disposition", `attachment; filename="picture"`)
		hc.SetHeader("Content-Length", strconv.FormatInt(info.Size, 10))
		if _, err := io.Copy(hc.BodyWriter(), body); err != nil {
			a.log.Warn("picture not sent to its end", "request", visitOf(ctx).id, "error", err)
		}
	}}, nil
}

// openPicture has the audit entry written before the first byte.
func (a *API) openPicture(ctx context.Context, in *ByID) (io.ReadCloser, objects.Info, error) {
	if err := in.check(); err != nil {
		return nil, objects.Info{}, err
	}
	v, err := a.client.Records.Get(ctx, keyOf(ctx).Tenant, in.ID)
	if err == nil && (!v.PictureGoneAt.IsZero() || !v.ErasedAt.IsZero()) {
		err = records.ErrGone
	}
	if err != nil {
		return nil, objects.Info{}, err
	}
	visitOf(ctx).verification = v.ID
	body, info, err := a.client.Objects.Get(ctx, v.ObjectKey, engine.MaxPicture)
	if errors.Is(err, objects.ErrNotFound) {
		err = records.ErrGone
	}
	if err != nil {
		return nil, objects.Info{}, err
	}
	if _, err := a.client.Records.Append(ctx, a.entry(ctx, "picture.read", v.ID)); err != nil {
		body.Close()
		return nil, objects.Info{}, err
	}
	return body, info, nil
}

type unmaskInput struct {
	ByID
	Body struct {
		Reason string `json:"reason" minLength:"3" maxLength:"512" pattern:"^\\P{C}*$" patternDescription:"printable text" doc:"Why; it stands in the audit log, so no personal data"`
	}
}

type unmaskOutput struct {
	Body struct {
		Declared report.Declared `json:"declared"`
		Consent  *report.Consent `json:"consent,omitempty"`
	}
}

func (a *API) unmask(ctx context.Context, in *unmaskInput) (*unmaskOutput, error) {
	err := in.check()
	var v records.Verification
	if err == nil {
		entry := a.entry(ctx, "submission.unmasked", in.ID)
		entry.Reason = in.Body.Reason
		v, err = a.client.Records.Unmask(ctx, keyOf(ctx).Tenant, in.ID, entry)
	}
	var s report.Submission
	if err == nil {
		visitOf(ctx).verification = v.ID
		s, err = worker.OpenSubmission(ctx, a.client.Vault, v)
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &unmaskOutput{}
	out.Body.Declared, out.Body.Consent = s.Declared, s.Consent
	return out, nil
}

// erase lets the record forget first: whoever dies then leaves a picture that
// the worker's retention finds due.
func (a *API) erase(ctx context.Context, in *ByID) (*verificationOutput, error) {
	err := in.check()
	var v records.Verification
	if err == nil {
		v, err = a.client.Records.Erase(ctx, keyOf(ctx).Tenant, in.ID, a.entry(ctx, "verification.erased", in.ID))
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	visitOf(ctx).verification = v.ID
	if v.PictureGoneAt.IsZero() {
		now := a.now()
		err := worker.DeletePicture(ctx, a.client.Objects, v.ID, v.ObjectKey)
		if err == nil {
			err = a.client.Records.PictureGone(ctx, v.ID, now)
		}
		if err != nil {
			a.log.Warn("erased picture not deleted yet", "verification", v.ID, "error", err)
		} else {
			v.PictureGoneAt = now
		}
	}
	return &verificationOutput{client.View(v)}, nil
}

// masked is what was declared, without what tells a person; nil when it is no
// longer kept.
func (a *API) masked(ctx context.Context, id string) (*report.Declared, error) {
	v, err := a.client.Records.Get(ctx, keyOf(ctx).Tenant, id)
	if err != nil || v.Sealed == nil {
		return nil, err
	}
	s, err := worker.OpenSubmission(ctx, a.client.Vault, v)
	if err != nil {
		return nil, err
	}
	d := worker.Masked(s.Declared)
	return &d, nil
}
