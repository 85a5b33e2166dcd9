package worker

import (
	"context"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/storage/records"
)

const (
	// finalEvery is how often decisions are looked for whose time to undo is over.
	finalEvery = time.Second
	// finalBatch is how many are made final in one round's step.
	finalBatch = 100
)

// finalize makes people's decisions final, sends their events and certifies whom
// they approve.
func (w *Worker) finalize(ctx context.Context) error {
	for {
		final, err := w.Records.Conclude(ctx, w.Now(), finalBatch, w.conclusion)
		for _, v := range final {
			w.metrics.decided.WithLabelValues(string(v.Outcome)).Inc()
			w.Logger.Info("decided by a person", "verification", v.ID, "outcome", v.Outcome)
		}
		if err != nil || len(final) < finalBatch {
			return err
		}
	}
}

// conclusion is what a person's decision brings about.
func (w *Worker) conclusion(ctx context.Context, v records.Verification, d records.Decision) (records.Conclusion, error) {
	what := records.Conclusion{Event: records.Event{Type: EventCompleted, Payload: thin(v)}}
	if v.Outcome != report.OutcomePass || v.OrganizationID == "" || v.Report == nil || !w.knows(v.Policy) {
		return what, nil
	}
	var s report.Submission
	if v.Sealed != nil {
		var err error
		if s, err = OpenSubmission(ctx, w.Vault, v); err != nil {
			return records.Conclusion{}, err
		}
	}
	evidence, decidable := verdict.EvidenceOf(*v.Report, s.Declared)
	if !decidable {
		return what, nil
	}
	evidence, err := evidence.Corrected(d.Corrections)
	if err != nil {
		return records.Conclusion{}, err
	}
	rep := *v.Report
	rep.Fields = evidence.Fields
	what.Grant, err = w.grant(ctx, v, s.Declared, rep, w.Now())
	return what, err
}
