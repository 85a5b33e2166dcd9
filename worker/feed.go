package worker

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/heyan/heyan/storage/records"
)

const (
	// sweepBatch is how many rows one statement leases.
	sweepBatch = 200
	// batchWindow is how many verifications of a batch stand in the queue at a
	// time, at least: asynq slows down with what it holds, and what stands there
	// cannot be held back any more.
	batchWindow = 300
	// windowRounds is for how many rounds of the sweep a window lasts, so that
	// it does not run dry in between.
	windowRounds = 4
	// longestLease bounds how long a row is left to a queue that may have lost
	// it alone.
	longestLease = 10 * time.Minute
	// beyond is later than any lease that stands in the records.
	beyond = 365 * 24 * time.Hour
)

// sweep tells the queue what the records say is to be done.
func (w *Worker) sweep(ctx context.Context) error {
	filled, err := w.Queue.filled(ctx)
	if err != nil {
		return err // leasing rows that cannot be enqueued would only delay them
	}
	if !filled {
		if err := w.freeLeases(ctx); err != nil {
			return err
		}
	}
	l, err := w.load(ctx)
	if err != nil {
		return err
	}
	if err := w.enqueueLost(ctx, l); err != nil {
		return err
	}
	if !filled {
		if err := w.Queue.setFilled(ctx); err != nil {
			return err
		}
	}
	return w.feed(ctx, l)
}

// freeLeases makes due what a queue was told of before: one that is new, or was
// wiped, knows of nothing. Of a batch that is what comes first; should more be
// leased, those leases end by themselves.
func (w *Worker) freeLeases(ctx context.Context) error {
	freed, err := w.Records.LeaseDue(ctx, w.Now().Add(beyond), -beyond,
		records.Window{Priority: Interactive, Limit: math.MaxInt32},
		records.Window{Priority: Standard, Limit: math.MaxInt32},
		records.Window{Priority: Batch, Limit: 2 * batchWindow})
	if err == nil {
		w.Logger.Info("the queue is new", "waiting", len(freed))
	}
	return err
}

// enqueueLost enqueues what somebody waits for and whose lease is over: because
// its submitter or its worker died, or the queue lost it. What is still there
// stays where it is, and is looked after again when its turn must have come.
func (w *Worker) enqueueLost(ctx context.Context, l load) error {
	lease := min(w.QueueLease+l.drain(), longestLease)
	for _, priority := range []string{Interactive, Standard} {
		for {
			n, err := w.release(ctx, lease, records.Window{Priority: priority, Limit: sweepBatch})
			if err != nil {
				return err
			}
			if n < sweepBatch {
				break
			}
		}
	}
	return nil
}

// feed releases batch work so that a window of it stands in the queue; none
// while what others wait for would take longer than they may wait.
func (w *Worker) feed(ctx context.Context, l load) error {
	hold := l.late() > 0
	if hold != w.held {
		w.held = hold
		if hold {
			w.Logger.Warn("deadlines will be broken: new batch work waits",
				"queued", l.ahead(), "a_second", l.rate, "drain", l.drain().Round(time.Second), "late", l.late())
		} else {
			w.Logger.Info("deadlines will be kept: batch work goes on", "queued", l.ahead(), "drain", l.drain().Round(time.Second))
		}
	}
	if hold {
		return nil
	}
	there, err := w.Queue.size(ctx, Batch)
	if err != nil {
		return err
	}
	window := w.window(l)
	if there >= window {
		return nil
	}
	lease := min(w.QueueLease+l.takes(min(window, l.of(Batch).Queued)), longestLease)
	_, err = w.release(ctx, lease, records.Window{Priority: Batch, Limit: window - there})
	return err
}

// window is how many verifications of batches shall stand in the queue.
func (w *Worker) window(l load) int {
	return max(batchWindow, int(windowRounds*w.SweepEvery.Seconds()*l.rate))
}

// release leases what is due of a window and enqueues it.
func (w *Worker) release(ctx context.Context, lease time.Duration, window records.Window) (int, error) {
	due, err := w.Records.LeaseDue(ctx, w.Now(), lease, window)
	for _, d := range due {
		if failed := w.Queue.enqueueLost(ctx, d.ID, d.Priority, w.Now()); failed != nil {
			err = fmt.Errorf("verification %s: %w", d.ID, failed)
			if w.Queue.Ping(ctx) != nil {
				break // the others would fail as well; they come due again
			}
		}
	}
	return len(due), err
}
