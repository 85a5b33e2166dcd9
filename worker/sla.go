package worker

import (
	"context"
	"sync"
	"time"

	"github.com/heyan/heyan/storage/records"
)

const (
	// atRiskShare of the time from submission to deadline is over when an
	// undecided verification counts as at risk.
	atRiskShare = 0.8
	// atRiskEvery is how often they are looked for.
	atRiskEvery = 5 * time.Second
	// atRiskBatch is how many are marked in one transaction.
	atRiskBatch = 100
	// defaultSLA is that of every policy shipped.
	defaultSLA = 30 * time.Minute
)

// sla is the shortest of all policies.
func (w *Worker) sla() time.Duration {
	shortest := defaultSLA
	for _, t := range w.Terms {
		if t.SLA > 0 {
			shortest = min(shortest, t.SLA)
		}
	}
	return shortest
}

// watchDeadlines tells, once, of each verification whose deadline is near.
func (w *Worker) watchDeadlines(ctx context.Context) error {
	for {
		marked, err := w.Records.AtRisk(ctx, w.Now(), atRiskShare, atRiskBatch, func(v records.Verification) records.Event {
			return records.Event{Type: EventAtRisk, Payload: thin(v)}
		})
		if err != nil {
			return err
		}
		for _, v := range marked {
			w.metrics.atRisk.WithLabelValues(v.Priority).Inc()
			w.Logger.Warn("deadline is near", "verification", v.ID, "tenant", v.Tenant, "status", v.Status,
				"priority", v.Priority, "attempts", v.Attempts, "left", v.DeadlineAt.Sub(w.Now()).Round(time.Second))
		}
		if len(marked) < atRiskBatch {
			return nil
		}
	}
}

// load is what waits, and how fast the deployment works it off.
type load struct {
	records.Backlog
	at   time.Time
	rate float64       // verdicts a second
	sla  time.Duration // the shortest of all policies
}

// load measures it: the rate is that of all children together, each at the pace
// of those of this process.
func (w *Worker) load(ctx context.Context) (load, error) {
	now := w.Now()
	backlog, err := w.Records.Backlog(ctx, now)
	if err != nil {
		return load{}, err
	}
	children, err := w.Queue.children(ctx)
	if err != nil {
		return load{}, err
	}
	// A worker that has just started is not known to the queue yet.
	rate := float64(max(children, w.Engine.Size())) / w.pace.each().Seconds()
	return load{backlog, now, rate, w.sla()}, nil
}

// of is what waits in one priority.
func (l load) of(priority string) records.QueueBacklog {
	for _, q := range l.Queues {
		if q.Priority == priority {
			return q
		}
	}
	return records.QueueBacklog{Priority: priority}
}

// ahead is how many verifications wait that somebody waits for.
func (l load) ahead() int { return l.of(Interactive).Queued + l.of(Standard).Queued }

// takes is how long a number of verifications takes.
func (l load) takes(n int) time.Duration {
	return time.Duration(float64(n) / l.rate * float64(time.Second))
}

// drain is how long one that is submitted now waits for its verdict.
func (l load) drain() time.Duration { return l.takes(l.ahead()) }

// late is how many of them come too late when each has all of the SLA left.
func (l load) late() int { return max(0, l.ahead()-int(l.rate*l.sla.Seconds())) }

const (
	// pacePrior is how long a picture takes a child, before any was measured:
	// see Accuracy in the README.
	pacePrior = time.Second
	// paceMemory is over how many attempts the pace is averaged.
	paceMemory = 20
	// paceLeast keeps a clock that stands still from promising an endless rate.
	paceLeast = time.Millisecond
)

// pace is how long an attempt takes: a moving average.
type pace struct {
	mu   sync.Mutex
	mean time.Duration // zero: none was measured
}

func (p *pace) took(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mean == 0 {
		p.mean = pacePrior
	}
	p.mean = max(paceLeast, p.mean+(d-p.mean)/paceMemory)
}

func (p *pace) each() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mean == 0 {
		return pacePrior
	}
	return p.mean
}
