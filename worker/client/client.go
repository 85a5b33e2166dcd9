// Package client is what a backend imports to submit pictures and to receive
// their reports: Client works on the shared storage and queue directly, HTTP
// through the service. It must not know how work is leased, retried or read.
package client

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
)

// The refusals of a submission. A person, not a retry, mends them.
var (
	// ErrIdempotencyConflict: the idempotency key was used with another submission.
	ErrIdempotencyConflict = errors.New("the idempotency key was used with another submission")
	// ErrNoUpload: nothing was uploaded under this key for this tenant.
	ErrNoUpload = worker.ErrNoUpload
	// ErrUnfitUpload: what was uploaded is empty, too large or of a type that no upload may have.
	ErrUnfitUpload = worker.ErrUnfitUpload
	// ErrNotFailed: the attempt to follow has no verdict yet, or it passed.
	ErrNotFailed = errors.New("the attempt to follow has not failed")
)

const (
	// MaxPicture is the largest picture of an upload, bytes.
	MaxPicture = worker.MaxPicture
	// defaultSLA is that of every policy shipped.
	defaultSLA = 30 * time.Minute
)

// Client submits and receives on the storage and queue it shares with the
// workers. The fields of the first group are required.
type Client struct {
	Records *records.Store
	Objects *objects.Store
	Vault   *vault.Vault
	Queue   *worker.Queue

	Tenant string // whose verifications these are; default records.DefaultTenant
	Policy string // of submissions that name none; default "dingtalk"
	// Terms are those of each policy; one that is not named has 30 min for its
	// decision.
	Terms map[string]worker.Terms
	// QueueLease is when the sweeper first looks after a submission: soon, in
	// case this process dies between record and queue. Default 10 s.
	QueueLease time.Duration
	Logger     *slog.Logger     // default slog.Default()
	Now        func() time.Time // default time.Now
}

// For is the same client for another tenant.
func (c *Client) For(tenant string) *Client {
	other := *c
	other.Tenant = tenant
	return &other
}

// Submit stores the picture, the sealed submission and the record, and queues
// it. When it returns nil the verification will be made, whatever dies then.
// ID, Object and File of the submission are ignored. With an idempotencyKey a
// repeat returns the verification of the first call and replayed=true, or
// ErrIdempotencyConflict when picture or submission differ.
func (c *Client) Submit(ctx context.Context, picture []byte, s report.Submission, idempotencyKey string) (v Verification, replayed bool, err error) {
	s.Object = ""
	return c.submit(ctx, "", picture, s, idempotencyKey)
}

// SubmitObject is Submit of a picture that was uploaded: Object of the
// submission is its key, see PresignUpload. The picture is copied, so that what
// happens to the upload later changes nothing, and the upload is deleted.
// ErrNoUpload, ErrUnfitUpload.
func (c *Client) SubmitObject(ctx context.Context, s report.Submission, idempotencyKey string) (v Verification, replayed bool, err error) {
	return c.submit(ctx, "", nil, s, idempotencyKey)
}

// Resubmit is another attempt after one that failed, which both then show. The
// picture is new, uploaded when it is nil (see SubmitObject); what the
// submission leaves empty is taken over. records.ErrNotFound, ErrNotFailed, or
// records.ErrGone when what was declared is no longer kept.
func (c *Client) Resubmit(ctx context.Context, previous string, picture []byte, s report.Submission, idempotencyKey string) (v Verification, replayed bool, err error) {
	if picture != nil {
		s.Object = ""
	}
	return c.submit(ctx, previous, picture, s, idempotencyKey)
}

// Get is where a verification stands now; records.ErrNotFound when there is none.
func (c *Client) Get(ctx context.Context, id string) (Verification, error) {
	v, err := c.Records.Get(ctx, c.tenant(), id)
	seen := View(v)
	if err == nil && v.MachineOutcome == report.OutcomeReview && !v.DecidedAt.IsZero() {
		var d records.Decision
		if d, err = c.Records.FinalDecision(ctx, c.tenant(), id); err == nil {
			seen.Decision = viewDecision(d)
		} else if errors.Is(err, records.ErrNotFound) { // decided before decisions were kept
			err = nil
		}
	}
	return seen, err
}

// Wait returns the verification once it is completed. When ctx ends before, it
// returns where the verification stands and the context's error.
func (c *Client) Wait(ctx context.Context, id string) (Verification, error) {
	var v Verification
	err := c.Queue.Await(ctx, id, func(ctx context.Context) (done bool, err error) {
		now, err := c.Get(ctx, id)
		if err == nil {
			v = now
		}
		return v.Status == report.StatusCompleted, err
	})
	return v, err
}

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

func (c *Client) policy() string {
	if c.Policy == "" {
		return "dingtalk"
	}
	return c.Policy
}

func (c *Client) tenant() string {
	if c.Tenant == "" {
		return records.DefaultTenant
	}
	return c.Tenant
}

func (c *Client) sla(policy string) time.Duration {
	if sla := c.Terms[policy].SLA; sla > 0 {
		return sla
	}
	return defaultSLA
}

func (c *Client) queueLease() time.Duration {
	if c.QueueLease == 0 {
		return 10 * time.Second
	}
	return c.QueueLease
}

func (c *Client) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.Default()
	}
	return c.Logger
}
