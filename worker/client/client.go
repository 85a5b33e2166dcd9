// Package client is what a backend imports to submit pictures and to receive
// their reports: Client works on the shared storage and queue directly, HTTP
// through the service. It must not know how work is leased, retried or read.
package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
)

// Verification is where a verification stands.
type Verification struct {
	ID              string         `json:"id"`
	Status          report.Status  `json:"status" enum:"queued,completed"`
	Outcome         report.Outcome `json:"outcome,omitempty" enum:"pass,fail,review,error"`
	Reasons         []string       `json:"reasons,omitempty" doc:"Codes of the reasons, gravest first"`
	Policy          string         `json:"policy"`
	Priority        string         `json:"priority" enum:"interactive,standard,batch"`
	OrganizationID  string         `json:"organization_id,omitempty"`
	ClientReference string         `json:"client_reference,omitempty"`
	CreatedAt       time.Time      `json:"created_at"`
	DeadlineAt      time.Time      `json:"deadline_at" doc:"End of the review SLA"`
	CompletedAt     *time.Time     `json:"completed_at,omitempty"`
	Report          *report.Report `json:"report,omitempty" doc:"Present once completed, and not in lists"`
}

// View is what callers see of a record.
func View(v records.Verification) Verification {
	view := Verification{
		ID: v.ID, Status: v.Status, Outcome: v.Outcome, Reasons: v.Reasons, Policy: v.Policy, Priority: v.Priority,
		OrganizationID: v.OrganizationID, ClientReference: v.ClientReference,
		CreatedAt: v.CreatedAt, DeadlineAt: v.DeadlineAt, Report: v.Report,
	}
	if !v.CompletedAt.IsZero() {
		view.CompletedAt = &v.CompletedAt
	}
	return view
}

// ErrIdempotencyConflict: the idempotency key was used with another submission.
var ErrIdempotencyConflict = errors.New("the idempotency key was used with another submission")

const (
	// pollFirst and pollMax are the delays between two looks at a record.
	pollFirst = 50 * time.Millisecond
	pollMax   = 500 * time.Millisecond
)

// Client submits and receives on the storage and queue it shares with the
// workers. The fields of the first group are required.
type Client struct {
	Records *records.Store
	Objects *objects.Store
	Vault   *vault.Vault
	Queue   *worker.Queue

	Policy string        // of submissions that name none; default "dingtalk"
	SLA    time.Duration // from submission to decision; default 30 min
	// QueueLease is when the sweeper first looks after a submission: soon, in
	// case this process dies between record and queue. Default 10 s.
	QueueLease time.Duration
	Logger     *slog.Logger     // default slog.Default()
	Now        func() time.Time // default time.Now
}

// Submit stores the picture, the sealed submission and the record, and queues
// it. When it returns nil the verification will be made, whatever dies then.
// ID, Object and File of the submission are ignored. With an idempotencyKey a
// repeat returns the verification of the first call and replayed=true, or
// ErrIdempotencyConflict when picture or submission differ.
func (c *Client) Submit(ctx context.Context, picture []byte, s report.Submission, idempotencyKey string) (v Verification, replayed bool, err error) {
	now := c.now()
	s.File = "" // names of files may name people
	if s.Policy == "" {
		s.Policy = c.policy()
	}
	if s.Priority == "" {
		s.Priority = worker.Standard
	}
	s.ID, s.Object = "", ""
	sealer, err := c.Vault.For(ctx, records.DefaultTenant)
	if err != nil {
		return Verification{}, false, err
	}
	hash, err := requestHash(sealer, picture, s)
	if err != nil {
		return Verification{}, false, err
	}
	s.ID = records.NewID()
	s.Object = "pictures/" + s.ID
	sealed, err := worker.SealSubmission(sealer, s.ID, s)
	if err != nil {
		return Verification{}, false, err
	}
	// The type is the pipeline's to find out; no browser shall guess it.
	if err := c.Objects.Create(ctx, s.Object, bytes.NewReader(picture), int64(len(picture)), "application/octet-stream"); err != nil {
		return Verification{}, false, err
	}
	record, created, err := c.Records.Create(ctx, records.Verification{
		ID: s.ID, Tenant: records.DefaultTenant, OrganizationID: s.OrganizationID, ClientReference: s.ClientReference,
		Policy: s.Policy, Priority: s.Priority, ObjectKey: s.Object, Sealed: sealed,
		MaxAttempts: worker.MaxAttempts, LeaseUntil: now.Add(c.queueLease()), CreatedAt: now, DeadlineAt: now.Add(c.sla()),
	}, idempotencyKey, hash)
	if errors.Is(err, records.ErrConflict) {
		err = ErrIdempotencyConflict
	}
	if err == nil && created {
		if err := c.Queue.Enqueue(ctx, s.ID, s.Priority); err != nil {
			// It is safe all the same: the sweeper finds the record.
			c.logger().Warn("not queued yet", "verification", s.ID, "error", err)
		}
		return View(record), false, nil
	}
	// A record that may have been written after all keeps its picture.
	if err == nil || errors.Is(err, ErrIdempotencyConflict) {
		if err := c.Objects.Delete(ctx, s.Object); err != nil {
			c.logger().Warn("picture of a repeated request not deleted", "object", s.Object, "error", err)
		}
	}
	if err != nil {
		return Verification{}, false, err
	}
	return View(record), true, nil
}

// requestHash tells equal submissions from others. It is keyed: what was
// declared cannot be guessed from it.
func requestHash(sealer *vault.Sealer, picture []byte, s report.Submission) ([]byte, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("submission: %w", err)
	}
	sum := sha256.Sum256(picture)
	return sealer.Index("request", hex.EncodeToString(sum[:])+string(text)), nil
}

// Get is where a verification stands now; records.ErrNotFound when there is none.
func (c *Client) Get(ctx context.Context, id string) (Verification, error) {
	v, err := c.Records.Get(ctx, records.DefaultTenant, id)
	return View(v), err
}

// Wait returns the verification once it is completed. When ctx ends before, it
// returns where the verification stands and the context's error.
func (c *Client) Wait(ctx context.Context, id string) (Verification, error) {
	delay := pollFirst
	for {
		v, err := c.Get(ctx, id)
		if err != nil || v.Status == report.StatusCompleted {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(delay):
		}
		delay = min(delay*3/2, pollMax)
	}
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

func (c *Client) sla() time.Duration {
	if c.SLA == 0 {
		return 30 * time.Minute
	}
	return c.SLA
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
