package worker

import (
	"context"
	"time"

	"github.com/heyan/heyan/storage/records"
)

const (
	// finalEvery is how often decisions are looked for whose time to undo is over.
	finalEvery = time.Second
	// finalBatch is how many are made final in one round's step.
	finalBatch = 100
)

// finalize makes people's decisions final and sends their events.
func (w *Worker) finalize(ctx context.Context) error {
	for {
		final, err := w.Records.Finalize(ctx, w.Now(), finalBatch, func(v records.Verification, _ records.Decision) records.Event {
			return records.Event{Type: EventCompleted, Payload: thin(v)}
		})
		for _, v := range final {
			w.metrics.decided.WithLabelValues(string(v.Outcome)).Inc()
			w.Logger.Info("decided by a person", "verification", v.ID, "outcome", v.Outcome)
		}
		if err != nil || len(final) < finalBatch {
			return err
		}
	}
}
