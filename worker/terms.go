package worker

import "time"

// Terms are the times that a policy gives to a verification. A zero time of
// keeping is for ever.
type Terms struct {
	SLA time.Duration // from submission to the final decision
	// How long picture, sealed submission and report are kept after the verdict.
	Picture, Submission, Report time.Duration
}
