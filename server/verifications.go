package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/client"
	"github.com/heyan/heyan/worker/engine"
)

// Raw keeps the request: its body is read part by part, never to a file.
type Raw struct{ request *http.Request }

// Resolve is called by huma.
func (in *Raw) Resolve(ctx huma.Context) []error {
	in.request, _ = humago.Unwrap(ctx)
	return nil
}

// ByID names a thing of the caller's tenant. What is no id is nothing's.
type ByID struct {
	ID string `path:"id" doc:"A UUID"`
}

func (in ByID) check() error {
	if _, err := uuid.Parse(in.ID); err != nil || len(in.ID) != len(uuid.Nil.String()) {
		return records.ErrNotFound
	}
	return nil
}

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

type getInput struct {
	ByID
	Wait int `query:"wait" minimum:"0" maximum:"30" doc:"Seconds to wait for the report"`
}

type verificationOutput struct {
	Body client.Verification
}

type getOutput struct {
	Body struct {
		client.Verification
		Declared *report.Declared `json:"declared,omitempty" doc:"Personal data masked; for keys of the scope review, as long as it is kept"`
	}
}

func (a *API) get(ctx context.Context, in *getInput) (*getOutput, error) {
	err := in.check()
	out := &getOutput{}
	if err == nil {
		out.Body.Verification, err = a.wait(ctx, in.ID, time.Duration(in.Wait)*time.Second)
	}
	if err == nil && keyOf(ctx).Has(records.ScopeReview) {
		out.Body.Declared, err = a.masked(ctx, in.ID)
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	visitOf(ctx).verification = in.ID
	return out, nil
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
	d := s.Declared
	d.IDNumber, d.Phone, d.Email = codes.Mask(d.IDNumber), codes.MaskPhone(d.Phone), codes.MaskEmail(d.Email)
	return &d, nil
}

// wait returns the verification when it is completed, the time is up or the
// service drains.
func (a *API) wait(ctx context.Context, id string, limit time.Duration) (client.Verification, error) {
	c := a.client.For(keyOf(ctx).Tenant)
	if limit == 0 {
		return c.Get(ctx, id)
	}
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	go func() {
		select {
		case <-a.draining:
			cancel()
		case <-waiting.Done():
		}
	}()
	v, err := c.Wait(waiting, id)
	if waiting.Err() != nil && ctx.Err() == nil {
		return c.Get(ctx, id)
	}
	return v, err
}

type listInput struct {
	Status          string    `query:"status" enum:"queued,completed"`
	Outcome         string    `query:"outcome" enum:"pass,fail,review,error"`
	OrganizationID  string    `query:"organization_id" maxLength:"128" pattern:"^\\P{C}*$" patternDescription:"printable text"`
	ClientReference string    `query:"client_reference" maxLength:"128" pattern:"^\\P{C}*$" patternDescription:"printable text"`
	Policy          string    `query:"policy" maxLength:"128" pattern:"^\\P{C}*$" patternDescription:"printable text"`
	Reason          string    `query:"reason" maxLength:"64" pattern:"^[a-z0-9_]*$" patternDescription:"a reason code"`
	From            time.Time `query:"from" doc:"Created at this time or later"`
	To              time.Time `query:"to" doc:"Created before this time"`
	After           string    `query:"after" maxLength:"64" pattern:"^[ -~]*$" patternDescription:"a cursor" doc:"Cursor: next of the page before"`
	Limit           int       `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type listOutput struct {
	Body struct {
		Verifications []client.Verification `json:"verifications" nullable:"false"`
		Next          string                `json:"next,omitempty" doc:"Cursor of the following page; absent at the end"`
	}
}

func (a *API) list(ctx context.Context, in *listInput) (*listOutput, error) {
	page, err := a.client.Records.List(ctx, keyOf(ctx).Tenant, records.Query{
		Status: report.Status(in.Status), Outcome: report.Outcome(in.Outcome),
		OrganizationID: in.OrganizationID, ClientReference: in.ClientReference, Policy: in.Policy, ReasonCode: in.Reason,
		From: in.From, To: in.To, After: in.After, Limit: in.Limit,
	})
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &listOutput{}
	out.Body.Next, out.Body.Verifications = page.Next, views(page.Verifications)
	return out, nil
}

func views(all []records.Verification) []client.Verification {
	seen := make([]client.Verification, len(all))
	for i, v := range all {
		seen[i] = client.View(v)
	}
	return seen
}

type attemptsOutput struct {
	Body struct {
		Verifications []client.Verification `json:"verifications" nullable:"false"`
	}
}

func (a *API) attempts(ctx context.Context, in *ByID) (*attemptsOutput, error) {
	err := in.check()
	var all []records.Verification
	if err == nil {
		all, err = a.client.Records.Attempts(ctx, keyOf(ctx).Tenant, in.ID)
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &attemptsOutput{}
	out.Body.Verifications = views(all)
	return out, nil
}

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
		err := a.client.Objects.Delete(ctx, v.ObjectKey)
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

// The share of the engine that pre-checks may wait for, and how long: a caller
// looks at a screen.
const (
	precheckShare   = 2 // under way for each child
	precheckTimeout = 20 * time.Second
)

type precheckOutput struct {
	Body report.Report
}

func (a *API) precheck(ctx context.Context, in *Raw) (*precheckOutput, error) {
	if a.engine == nil {
		return nil, unavailable("this process has no engine")
	}
	select {
	case a.prechecks <- struct{}{}:
		defer func() { <-a.prechecks }()
	default:
		return nil, unavailable("the engine is busy")
	}
	body, err := readBody(in.request, precheckFields)
	if err == nil {
		err = a.checkPolicy(body.values["policy"])
	}
	if err != nil {
		return nil, err
	}
	policy := body.values["policy"]
	if policy == "" {
		policy = a.client.Policy
	}
	// A caller who goes away does not cost the child, which a canceled context kills.
	working, cancel := context.WithTimeout(context.WithoutCancel(ctx), precheckTimeout)
	defer cancel()
	answer, err := a.engine.Verify(working, engine.Request{Precheck: true, Policy: policy, Picture: body.picture})
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	return &precheckOutput{answer}, nil
}
