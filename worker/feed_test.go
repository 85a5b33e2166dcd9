package worker

import (
	"context"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/storagetest"
)

// turns is an engine whose every picture waits for the test.
type turns struct {
	begun chan string   // ids, as they are begun
	end   chan struct{} // one for each picture to end
}

func newTurns() turns { return turns{make(chan string, 1000), make(chan struct{})} }

func (e turns) engine(size int) fakeEngine {
	return fakeEngine{size, func(ctx context.Context, id string) (report.Report, error) {
		e.begun <- id
		select {
		case <-e.end:
			return passes(id), nil
		case <-ctx.Done():
			return report.Report{}, ctx.Err()
		}
	}}
}

// A batch of 100,000 waits in the records, not in the queue, and never delays an
// applicant by more than a few pictures. On Postgres, since SQLite under the race
// detector takes minutes for so many, and once: how many wait there is nothing
// to the queue.
func TestBatchNeverDelaysAnApplicant(t *testing.T) {
	postgres := storagetest.StartPostgres(t)
	batch := map[string]int{"embedded": 100_000, "redis": 2 * batchWindow}
	for name, address := range servers(t) {
		t.Run(name, func(t *testing.T) {
			const children = 2
			e := newTurns()
			dsn := postgres.NewDatabase(t)
			r := newRigOn(t, dsn, address, e.engine(children))
			r.flood(t, dsn, batch[name])
			r.start(t)
			for range children {
				next(t, e.begun, "picture")
			}
			for range 10 {
				v := r.submit(t, Interactive)
				if err := r.Queue.Enqueue(t.Context(), v.ID, v.Priority); err != nil {
					t.Fatal(err)
				}
				for before := 0; ; before++ {
					e.end <- struct{}{}
					if next(t, e.begun, "picture") == v.ID {
						break
					}
					// The queue draws a batch first one time in nine.
					if before == 20 {
						t.Fatal("20 of the batch went before the applicant")
					}
				}
				if n, err := r.Queue.size(t.Context(), Batch); err != nil || n > batchWindow+children || n == 0 {
					t.Fatalf("%d of the batch in the queue, %v, want at most %d and some", n, err, batchWindow)
				}
			}
			for range batchWindow + 50 { // the window is filled again
				e.end <- struct{}{}
				next(t, e.begun, "picture")
			}
		})
	}
}

// New batch work waits while what somebody waits for would come too late.
func TestBackpressure(t *testing.T) {
	for name, address := range servers(t) {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, address, fakeEngine{size: 2})
			r.Terms["photo"] = Terms{SLA: 10 * time.Second} // 20 pictures of two children
			r.setDefaults()
			var waiting []records.Verification
			for range 21 {
				waiting = append(waiting, r.submit(t, Standard))
			}
			r.submit(t, Batch)
			sweep := func(want int, late float64) {
				t.Helper()
				if err := r.sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
				if n, err := r.Queue.size(t.Context(), Batch); err != nil || n != want {
					t.Errorf("%d of the batch in the queue, %v, want %d", n, err, want)
				}
				if got := r.gauge(t, "heyan_sla_predicted_breaches", ""); got != late {
					t.Errorf("%v breaches predicted, want %v", got, late)
				}
			}
			sweep(0, 1)
			waiting[0].CompletedAt = r.clock()
			if err := r.Records.Complete(t.Context(), waiting[0].ID, passes(""), r.completion(waiting[0], judgment{})); err != nil {
				t.Fatal(err)
			}
			sweep(1, 0)
			for range 30 {
				waiting = append(waiting, r.submit(t, Interactive))
			}
			r.submit(t, Batch)
			sweep(1, 30) // what is there stays
			for range 200 {
				r.pace.took(100 * time.Millisecond) // the machine is faster than was thought
			}
			sweep(2, 0)
			if n, err := r.Queue.size(t.Context(), Standard); err != nil || n != 21 {
				t.Errorf("%d standard in the queue, %v, want all 21", n, err)
			}
		})
	}
}

// A queue that was wiped is told again of everything within one round.
func TestWipedQueueIsFilledAgain(t *testing.T) {
	for name, address := range servers(t) {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, address, fakeEngine{size: 2})
			r.setDefaults()
			for _, priority := range Priorities {
				r.submit(t, priority)
			}
			for range 2 {
				for range 2 { // the second round finds leases
					if err := r.sweep(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				for _, priority := range Priorities {
					if n, err := r.Queue.size(t.Context(), priority); err != nil || n != 1 {
						t.Errorf("%d %s in the queue, %v, want 1", n, priority, err)
					}
				}
				if err := r.Queue.client.FlushAll(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestLoad(t *testing.T) {
	backlog := func(interactive, standard, batch int) records.Backlog {
		return records.Backlog{Queues: []records.QueueBacklog{{Priority: Batch, Queued: batch},
			{Priority: Interactive, Queued: interactive}, {Priority: Standard, Queued: standard}}}
	}
	for _, tt := range []struct {
		backlog records.Backlog
		rate    float64
		drain   time.Duration
		late    int
	}{
		{records.Backlog{}, 2, 0, 0},
		{backlog(0, 0, 100_000), 2, 0, 0},
		{backlog(10, 10, 5), 2, 10 * time.Second, 0},
		{backlog(1000, 200, 5), 2, 10 * time.Minute, 0},
		{backlog(0, 3601, 0), 2, 1800*time.Second + 500*time.Millisecond, 1},
		{backlog(5000, 0, 0), 1, 5000 * time.Second, 3200},
	} {
		l := load{Backlog: tt.backlog, rate: tt.rate, sla: 30 * time.Minute}
		if l.drain() != tt.drain || l.late() != tt.late {
			t.Errorf("%+v at %v/s: drains in %v, %d late, want %v, %d", tt.backlog, tt.rate, l.drain(), l.late(), tt.drain, tt.late)
		}
	}
}

func TestPace(t *testing.T) {
	var p pace
	if p.each() != pacePrior {
		t.Errorf("unmeasured %v, want %v", p.each(), pacePrior)
	}
	p.took(21 * time.Second)
	if p.each() != 2*time.Second {
		t.Errorf("after one of 21 s: %v, want 2s", p.each())
	}
	for range 300 {
		p.took(0)
	}
	if p.each() != paceLeast {
		t.Errorf("a clock that stands: %v, want %v", p.each(), paceLeast)
	}
}
