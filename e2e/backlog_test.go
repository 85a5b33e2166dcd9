package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/storagetest"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/client"
	"github.com/heyan/heyan/worker/engine"
)

// loaded is a deployment of one machine that starts with a backlog in its
// records: as a backend's import leaves it while no worker runs.
func loaded(b testing.TB, ctx context.Context, n int, picture func(int) []byte, env ...string) *deployment {
	b.Helper()
	folder := b.TempDir()
	data := filepath.Join(folder, "data")
	embedded, err := objects.Embed(filepath.Join(data, "objects"))
	if err != nil {
		b.Fatal(err)
	}
	c := &client.Client{Policy: "photo"}
	if c.Objects, err = objects.Open(ctx, embedded.Config()); err != nil {
		b.Fatal(err)
	}
	if c.Records, err = records.Open(ctx, "sqlite://"+filepath.Join(data, "records.db")); err != nil {
		b.Fatal(err)
	}
	if c.Vault, err = vault.Open(ctx, filepath.Join(data, "vault.key"), c.Records); err != nil {
		b.Fatal(err)
	}
	if c.Queue, err = worker.OpenQueue(ctx, ""); err != nil {
		b.Fatal(err)
	}
	submit(b, ctx, n, func(i int) error {
		_, _, err := c.Submit(ctx, picture(i), report.Submission{Priority: worker.Batch}, "")
		return err
	})
	c.Queue.Close()
	c.Records.Close()
	if err := embedded.Close(ctx); err != nil {
		b.Fatal(err)
	}
	return aloneIn(b, folder, env...)
}

// fill submits a backlog of a batch through the API.
func (d *deployment) fill(b testing.TB, ctx context.Context, n int) {
	b.Helper()
	submit(b, ctx, n, func(i int) error {
		_, err := d.Submit(ctx, tile(i), report.Submission{Policy: "photo", Priority: worker.Batch}, "")
		return err
	})
}

// submit calls do for 0..n-1, in this order by several callers.
func submit(b testing.TB, ctx context.Context, n int, do func(int) error) {
	b.Helper()
	var next atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// drained waits until nothing waits for a verdict, and returns the processor
// time that the API's process used meanwhile.
func (d *deployment) drained(b testing.TB, ctx context.Context) time.Duration {
	b.Helper()
	before := tree(d.api.pid()).own
	for d.waiting(b, ctx) > 0 {
		if ctx.Err() != nil {
			b.Fatalf("%v; last words\n%s", ctx.Err(), d.lastWords())
		}
		time.Sleep(500 * time.Millisecond)
	}
	return tree(d.api.pid()).own - before
}

// waiting is how many have no verdict yet.
func (d *deployment) waiting(b testing.TB, ctx context.Context) (n int) {
	b.Helper()
	backlog, err := d.store(b).Backlog(ctx, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	for _, q := range backlog.Queues {
		n += q.Queued
	}
	return n
}

// verdicts are the times of the first and of the last one, and how many events
// of a verdict there are.
func verdicts(b testing.TB, ctx context.Context, store *records.Store) (first, last time.Time, events int) {
	b.Helper()
	for after := int64(0); ; {
		page, err := store.Events(ctx, records.DefaultTenant, after, records.MaxPage)
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range page {
			if e.Type == worker.EventCompleted || e.Type == worker.EventReviewRequired {
				if first.IsZero() {
					first = e.At
				}
				last = e.At
				events++
			}
			after = e.Seq
		}
		if len(page) < records.MaxPage {
			return first, last, events
		}
	}
}

// rateOf is how many verdicts a second there were between two moments.
func rateOf(b testing.TB, ctx context.Context, store *records.Store, from, to time.Time) float64 {
	b.Helper()
	n := 0
	for after := int64(0); ; {
		page, err := store.Events(ctx, records.DefaultTenant, after, records.MaxPage)
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range page {
			if e.At.After(from) && e.At.Before(to) {
				n++
			}
			after = e.Seq
		}
		if len(page) < records.MaxPage {
			return float64(n) / to.Sub(from).Seconds()
		}
	}
}

// poolRate is how many pictures a second the children read that serve would
// start, in a pool alone.
func poolRate(b testing.TB, ctx context.Context, env []string, picture func(int) []byte, span time.Duration) float64 {
	b.Helper()
	program := binary
	for _, e := range env {
		if self, is := strings.CutPrefix(e, "HEYAN_ENGINE="); is {
			program = self
		}
	}
	pool, err := engine.NewPool(engine.Config{Command: []string{program, "engine", "--threads=1", "--fields=needed"}, Env: append(os.Environ(), env...)})
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	if err := pool.Ready(ctx); err != nil {
		b.Fatal(err)
	}
	var done, next atomic.Int64
	var all sync.WaitGroup
	begin := time.Now()
	for range pool.Size() {
		all.Go(func() {
			for time.Since(begin) < span {
				if _, err := pool.Verify(ctx, engine.Request{Policy: "photo", Picture: picture(int(next.Add(1)) - 1)}); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	return float64(done.Load()) / time.Since(begin).Seconds()
}

// usage is what a process, and it with its children, take.
type usage struct {
	own            time.Duration // processor time of the process itself
	ownRSS, allRSS int64         // bytes
}

// tree looks at a process and its children.
func tree(pid int) usage {
	u := usage{own: processorTimeOf(pid), ownRSS: residentOf(pid)}
	u.allRSS = u.ownRSS
	for _, child := range storagetest.Children(pid) {
		u.allRSS += residentOf(child)
	}
	return u
}

// processorTimeOf reads user and system time of a process, without its
// children's: 0 when it is gone.
func processorTimeOf(pid int) time.Duration {
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go knows
	text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick
}

func residentOf(pid int) int64 {
	text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// watchMemory looks at the process that answers until peak is called.
func (d *deployment) watchMemory(b testing.TB) (peak func() usage) {
	stop, done := make(chan struct{}), make(chan usage)
	go func() {
		var most usage
		for {
			now := tree(d.api.pid())
			most.ownRSS, most.allRSS = max(most.ownRSS, now.ownRSS), max(most.allRSS, now.allRSS)
			select {
			case <-stop:
				done <- most
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() usage { close(stop); return <-done }
}
