package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
)

// submit finds out what is to be verified: an earlier call with its key may have
// had it verified already.
func (c *Client) submit(ctx context.Context, previous string, picture []byte, s report.Submission, idempotencyKey string) (v Verification, replayed bool, err error) {
	s.ID, s.File = "", "" // names of files may name people
	sealer, err := c.Vault.For(ctx, c.tenant())
	if err != nil {
		return Verification{}, false, err
	}
	hash, err := requestHash(sealer, previous, picture, s)
	if err != nil {
		return Verification{}, false, err
	}
	if first, known, err := c.repeated(ctx, idempotencyKey, hash); known || err != nil {
		return first, known, err
	}
	if previous != "" {
		if s, err = c.takeOver(ctx, previous, s); err != nil {
			return Verification{}, false, err
		}
	}
	if s.Policy == "" {
		s.Policy = c.policy()
	}
	if s.Priority == "" {
		s.Priority = worker.Standard
	}
	v, replayed, err = c.store(ctx, sealer, previous, picture, s, idempotencyKey, hash)
	if errors.Is(err, ErrNoUpload) { // the same request may have taken it meanwhile
		if first, known, _ := c.repeated(ctx, idempotencyKey, hash); known {
			return first, true, nil
		}
	}
	return v, replayed, err
}

// store puts picture and record in their places, in this order: what has no
// record is collected one day.
func (c *Client) store(ctx context.Context, sealer *vault.Sealer, previous string, picture []byte, s report.Submission, idempotencyKey string, hash []byte) (v Verification, replayed bool, err error) {
	uploaded := s.Object
	s.ID = records.NewID()
	s.Object = "pictures/" + s.ID
	sealed, err := worker.SealSubmission(sealer, s.ID, s)
	if err != nil {
		return Verification{}, false, err
	}
	if picture == nil {
		err = worker.CopyUpload(ctx, c.Objects, c.tenant(), uploaded, s.Object)
	} else {
		// The type is the pipeline's to find out; no browser shall guess it.
		err = c.Objects.Create(ctx, s.Object, bytes.NewReader(picture), int64(len(picture)), "application/octet-stream")
	}
	if err != nil {
		return Verification{}, false, err
	}
	now := c.now()
	record, created, err := c.Records.Create(ctx, records.Verification{
		ID: s.ID, Tenant: c.tenant(), OrganizationID: s.OrganizationID, EntityType: s.EntityType, ClientReference: s.ClientReference,
		Purpose: s.Purpose, Previous: previous, Callback: s.Callback,
		Policy: s.Policy, Priority: s.Priority, ObjectKey: s.Object, Sealed: sealed,
		MaxAttempts: worker.MaxAttempts, LeaseUntil: c.leaseUntil(s.Priority, now), CreatedAt: now, DeadlineAt: now.Add(c.sla(s.Policy)),
	}, idempotencyKey, hash)
	err = conflict(err)
	if err == nil && created {
		c.hand(ctx, record)
		if uploaded != "" {
			c.drop(ctx, uploaded)
		}
		return View(record), false, nil
	}
	// A record that may have been written after all keeps its picture.
	if err == nil || errors.Is(err, ErrIdempotencyConflict) {
		c.drop(ctx, s.Object)
	}
	if err != nil {
		return Verification{}, false, err
	}
	return View(record), true, nil
}

// repeated is what a request made that is repeated now.
func (c *Client) repeated(ctx context.Context, idempotencyKey string, hash []byte) (first Verification, known bool, err error) {
	if idempotencyKey == "" {
		return Verification{}, false, nil
	}
	v, known, err := c.Records.Repeated(ctx, c.tenant(), idempotencyKey, hash)
	return View(v), known, conflict(err)
}

func conflict(err error) error {
	if errors.Is(err, records.ErrConflict) {
		return ErrIdempotencyConflict
	}
	return err
}

// leaseUntil is when the sweeper looks after a new record: at once after one of
// a batch, which nobody but the workers' feeder puts into the queue.
func (c *Client) leaseUntil(priority string, now time.Time) time.Time {
	if priority == worker.Batch {
		return now
	}
	return now.Add(c.queueLease())
}

// hand queues a new record.
func (c *Client) hand(ctx context.Context, v records.Verification) {
	if v.Priority == worker.Batch {
		return
	}
	if err := c.Queue.Enqueue(ctx, v.ID, v.Priority); err != nil {
		// It is safe all the same: the sweeper finds the record.
		c.logger().Warn("not queued yet", "verification", v.ID, "error", err)
	}
}

// drop deletes an object that nobody needs; what stays is collected one day.
func (c *Client) drop(ctx context.Context, object string) {
	if err := c.Objects.Delete(ctx, object); err != nil {
		c.logger().Warn("object not deleted", "object", object, "error", err)
	}
}

// takeOver fills what a submission leaves empty from the attempt it follows.
func (c *Client) takeOver(ctx context.Context, previous string, s report.Submission) (report.Submission, error) {
	before, err := c.Records.Get(ctx, c.tenant(), previous)
	switch {
	case err != nil:
		return s, err
	case before.Status != report.StatusCompleted || before.Outcome == report.OutcomePass:
		return s, ErrNotFailed
	case before.Sealed == nil:
		return s, records.ErrGone
	}
	old, err := worker.OpenSubmission(ctx, c.Vault, before)
	if err != nil {
		return s, err
	}
	for _, field := range []struct {
		given *string
		old   string
	}{
		{&s.OrganizationID, old.OrganizationID}, {&s.Name, old.Name}, {&s.USCC, old.USCC},
		{&s.RegistrationNumber, old.RegistrationNumber}, {&s.OrganizationCode, old.OrganizationCode},
		{&s.LegalRepresentative, old.LegalRepresentative}, {&s.IDKind, old.IDKind}, {&s.IDNumber, old.IDNumber},
		{&s.EntityType, old.EntityType}, {&s.Email, old.Email}, {&s.Phone, old.Phone},
		{(*string)(&s.Purpose), string(old.Purpose)}, {&s.Policy, old.Policy}, {&s.Priority, old.Priority},
		{&s.Callback, old.Callback}, {&s.ClientReference, old.ClientReference},
	} {
		if *field.given == "" {
			*field.given = field.old
		}
	}
	if s.Consent == nil {
		s.Consent = old.Consent
	}
	return s, nil
}

// requestHash tells equal submissions from others. It is keyed: what was
// declared cannot be guessed from it.
func requestHash(sealer *vault.Sealer, previous string, picture []byte, s report.Submission) ([]byte, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("submission: %w", err)
	}
	sum := sha256.Sum256(picture)
	return sealer.Index("request", previous+hex.EncodeToString(sum[:])+string(text)), nil
}
