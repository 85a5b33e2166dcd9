package worker

import (
	"time"

	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/worker/certify"
)

// Terms are what a policy gives to verifications and certifications. A zero time of
// keeping is for ever.
type Terms struct {
	SLA time.Duration // from submission to the final decision
	// How long picture, sealed submission and report are kept after the verdict.
	Picture, Submission, Report time.Duration
	// Policy decides what the records tell of other organizations. Where it is zero
	// verdicts stand as the engine gave them, and certify nobody.
	Policy verdict.Policy
}

const day = 24 * time.Hour

// NewTerms are those of a policy.
func NewTerms(p verdict.Policy) Terms {
	kept := p.RetentionDays
	return Terms{SLA: p.SLA(), Picture: time.Duration(kept.Picture) * day, Submission: time.Duration(kept.Submission) * day,
		Report: time.Duration(kept.Report) * day, Policy: p}
}

// certification are the terms of the certifications that the policy gives.
func (t Terms) certification() certify.Terms {
	return certify.Terms{Months: t.Policy.CertificationMonths, Reminders: t.Policy.ReminderDays}
}

// reverifyAt is when what is stored of an organization is verified again: the same
// time whoever asks. Zero: it is not.
func (t Terms) reverifyAt(certification string, until time.Time) time.Time {
	again := t.Policy.Reverification
	if again.DaysBefore == 0 {
		return time.Time{}
	}
	return t.reverifyFrom(until).Add(certify.Jitter(certification, time.Duration(again.SpreadDays)*day))
}

// reverifyFrom is when the first organizations of that end are verified again.
func (t Terms) reverifyFrom(until time.Time) time.Time {
	return certify.End(until).AddDate(0, 0, -t.Policy.Reverification.DaysBefore)
}

// nextLook is when the patrol has to look at a certification: when something of it
// is due, at the latest at its end.
func (t Terms) nextLook(certification string, until time.Time, reminded int, now time.Time) time.Time {
	due, next := certify.Reminders(until, t.Policy.ReminderDays, reminded, now)
	if due > 0 {
		return now
	}
	if at := t.reverifyAt(certification, until); at.After(now) && at.Before(next) {
		return at
	}
	return next
}
