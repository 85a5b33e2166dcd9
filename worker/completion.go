package worker

import (
	"encoding/json"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

// The types of events about verifications.
const (
	// EventCompleted: the verdict is final.
	EventCompleted = "verification.completed"
	// EventReviewRequired: the machine's verdict is that a person must look.
	EventReviewRequired = "verification.review_required"
	// EventAtRisk: the deadline is near and there is no final decision.
	EventAtRisk = "verification.sla_at_risk"
)

// thin is what events and results tell of a verification: ids and codes only.
func thin(v records.Verification) []byte {
	if v.Reasons == nil {
		v.Reasons = []string{}
	}
	payload, err := json.Marshal(struct {
		ID      string         `json:"id"`
		Status  report.Status  `json:"status"`
		Outcome report.Outcome `json:"outcome,omitempty"`
		Reasons []string       `json:"reasons"`
	}{v.ID, v.Status, v.Outcome, v.Reasons})
	if err != nil {
		panic(err) // strings always marshal
	}
	return payload
}

// completion is what is written with the verdict of v.
func (w *Worker) completion(v records.Verification, j judgment) records.Completion {
	terms := w.Terms[v.Policy]
	until := func(kept time.Duration) time.Time {
		if kept == 0 {
			return time.Time{}
		}
		return v.CompletedAt.Add(kept)
	}
	event := records.Event{Type: EventCompleted, Payload: thin(v)}
	if v.Outcome == report.OutcomeReview {
		event.Type = EventReviewRequired
	}
	return records.Completion{At: v.CompletedAt, Event: event, PrintKeys: j.prints, Grant: j.grant, Changed: j.changed,
		PictureUntil: until(terms.Picture), SealedUntil: until(terms.Submission), ReportUntil: until(terms.Report)}
}

// knows says whether a policy is one of those that Terms name.
func (w *Worker) knows(policy string) bool {
	_, known := w.Terms[policy]
	return known
}
