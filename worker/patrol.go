package worker

import (
	"context"
	"errors"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/certify"
)

const (
	// patrolEvery is how often organizations are looked for of which something is due:
	// reminders and ends come within minutes after midnight in Beijing.
	patrolEvery = 5 * time.Minute
	// patrolBatch is how many are leased at a time.
	patrolBatch = 100
	// patrolLease is when another patrol looks at those that this one left undone.
	patrolLease = 10 * time.Minute
	// dayStart is over how long those are spread that yesterday's budget did not cover.
	dayStart = time.Hour
)

// patrol does what is due of organizations: reminders, re-verifications and the ends
// of certifications. Each is done once, whoever else is on patrol.
func (w *Worker) patrol(ctx context.Context) error {
	var errs error
	for {
		due, err := w.Records.DueOrganizations(ctx, w.Now(), patrolLease, patrolBatch)
		for _, o := range due {
			if err := w.look(ctx, o); err != nil {
				errs = errors.Join(errs, err)
				if fault, ok := errors.AsType[*records.Error](err); ok && fault.Retryable() {
					return errs // the others would fail as well; they come due again
				}
			}
		}
		if err != nil || len(due) < patrolBatch {
			return errors.Join(errs, err)
		}
	}
}

// look does what is due of one organization.
func (w *Worker) look(ctx context.Context, o records.Organization) error {
	now := w.Now()
	about := OrganizationEvent{Organization: o.ID, Certification: o.Certification, ValidUntil: &o.ValidUntil}
	if !now.Before(certify.End(o.ValidUntil)) {
		return w.expire(ctx, o, about, now)
	}
	terms := w.Terms[o.Policy]
	deferred, err := w.reverifyDue(ctx, o, terms, now)
	if err != nil {
		return err
	}
	days, _ := certify.Reminders(o.ValidUntil, terms.Policy.ReminderDays, o.Reminded, now)
	if days > 0 {
		o.Reminded = days
	}
	next := terms.nextLook(o.Certification, o.ValidUntil, o.Reminded, now)
	if !deferred.IsZero() && deferred.Before(next) {
		next = deferred
	}
	if days > 0 {
		about.State, about.Days = records.Expiring, days
		reminded, err := w.Records.Remind(ctx, o, days, next, about.Event(EventExpiring, now))
		if err != nil || reminded {
			if reminded {
				w.metrics.certifications.WithLabelValues("expiring").Inc()
			}
			return err
		}
	}
	return w.Records.Schedule(ctx, o, next)
}

// expire ends a certification whose last day is over.
func (w *Worker) expire(ctx context.Context, o records.Organization, about OrganizationEvent, now time.Time) error {
	about.State = records.Expired
	_, err := w.Records.EndCertification(ctx, o.Tenant, o.ID, records.EndExpired, records.Expired,
		records.Entry{At: now, Actor: "system", Action: EventExpired}, about.Event(EventExpired, now))
	if state, ok := errors.AsType[*records.StateError](err); ok { // renewed or ended meanwhile
		w.Logger.Info("nothing to expire", "certification", o.Certification, "state", state.State)
		return nil
	}
	if err == nil {
		w.metrics.certifications.WithLabelValues("expired").Inc()
	}
	return err
}

// reverifyDue verifies again what is stored of an organization when its time has come,
// unless somebody has submitted something since the first of its end were due. A
// time: the day's budget is spent, and it comes due again then.
func (w *Worker) reverifyDue(ctx context.Context, o records.Organization, terms Terms, now time.Time) (deferred time.Time, err error) {
	at := terms.reverifyAt(o.Certification, o.ValidUntil)
	if at.IsZero() || now.Before(at) {
		return time.Time{}, nil
	}
	page, err := w.Records.List(ctx, o.Tenant, records.Query{OrganizationID: o.ID, From: terms.reverifyFrom(o.ValidUntil), Limit: 1})
	if err != nil || len(page.Verifications) > 0 {
		return time.Time{}, err
	}
	tomorrow := certify.End(now)
	spent, err := w.Records.Reverifications(ctx, tomorrow.Add(-day))
	if err != nil {
		return time.Time{}, err
	}
	if spent >= terms.Policy.Reverification.ADay {
		return tomorrow.Add(certify.Jitter(o.Certification, dayStart)), nil
	}
	return time.Time{}, w.reverify(ctx, o, terms, now)
}

// reverify submits the picture and the declaration of an organization's present
// certification once more, under ids of their own: what is kept of each verification
// is cleared away by itself.
func (w *Worker) reverify(ctx context.Context, o records.Organization, terms Terms, now time.Time) error {
	all, err := w.Records.Certifications(ctx, o.Tenant, o.ID)
	if err != nil || len(all) == 0 || all[0].ID != o.Certification {
		return err // renewed meanwhile
	}
	old, err := w.Records.Get(ctx, o.Tenant, all[0].Verification)
	if err != nil {
		return err
	}
	log := w.Logger.With("verification", old.ID)
	if old.Sealed == nil || !old.PictureGoneAt.IsZero() {
		log.Warn("not verified again: what was submitted is no longer kept")
		return nil
	}
	s, err := OpenSubmission(ctx, w.Vault, old)
	if err != nil {
		return err
	}
	id := records.NewID()
	s.ID, s.Object, s.Purpose, s.Policy, s.Priority = id, pictures+id, report.PurposeReverification, o.Policy, Batch
	sealer, err := w.Vault.For(ctx, o.Tenant)
	if err != nil {
		return err
	}
	sealed, err := SealSubmission(sealer, id, s)
	if err != nil {
		return err
	}
	info, err := w.Objects.Stat(ctx, old.ObjectKey)
	if err == nil {
		err = w.Objects.Copy(ctx, old.ObjectKey, info.ETag, s.Object)
	}
	if errors.Is(err, objects.ErrNotFound) {
		log.Warn("not verified again: the picture is lost")
		return nil
	}
	if err != nil {
		return err
	}
	_, _, err = w.Records.Create(ctx, records.Verification{
		ID: id, Tenant: o.Tenant, OrganizationID: o.ID, EntityType: s.EntityType, ClientReference: s.ClientReference,
		Purpose: s.Purpose, Callback: s.Callback, Policy: s.Policy, Priority: s.Priority, ObjectKey: s.Object, Sealed: sealed,
		MaxAttempts: MaxAttempts, LeaseUntil: now, CreatedAt: now,
		// Nobody waits for it, but it must be decided before the certification ends.
		DeadlineAt: certify.End(o.ValidUntil),
	}, "", nil)
	if err == nil {
		w.metrics.certifications.WithLabelValues("reverified").Inc()
	}
	return err
}
