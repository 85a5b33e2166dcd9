package e2e

import (
	"context"
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var submissions = flag.Int("submissions", 2000, "submissions of the tests that kill")

const (
	// standInCost is what a picture takes the stand-in: so little that queue,
	// storage and records are what is at work most of the time.
	standInCost = 3 * time.Millisecond
	// deathsEach is how often each victim dies.
	deathsEach = 8
	// longestAbsence is between the death of a server and its return.
	longestAbsence = 600 * time.Millisecond
	// chaosTimeout bounds the submissions among deaths, settleTimeout the
	// verdicts after the last of them: work that a dead worker held comes back
	// after asynq's lease of 30 s, found once a minute.
	chaosTimeout  = 150 * time.Second
	settleTimeout = 150 * time.Second
)

// victim is what can die, and what must be done so that it comes back. Services
// come back by themselves.
type victim struct {
	name string
	kill func(n uint64)
	back func()
}

// among kills the victims in an order of chance, each so often, at moments of
// chance spread over the submissions; every fourth death follows the one before
// at once.
func (l *ledger) among(t *testing.T, total int, done <-chan struct{}, victims []victim) {
	t.Helper()
	chance := rand.New(rand.NewPCG(*seed, uint64(len(victims))))
	deaths := deathsEach * len(victims)
	calm := 8 * total / deaths / 3 // twice the mean, of three in four
	next := int64(0)
	for range deathsEach {
		for _, i := range chance.Perm(len(victims)) {
			if chance.IntN(4) > 0 {
				next += chance.Int64N(int64(calm))
			}
			for l.count.Load() < min(next, int64(total)) {
				select {
				case <-done: // the time was over
					return
				case <-time.After(time.Millisecond):
				}
			}
			victims[i].kill(chance.Uint64())
			if victims[i].back != nil {
				time.Sleep(time.Duration(chance.Int64N(int64(longestAbsence))))
				victims[i].back()
			}
		}
	}
	t.Logf("seed %d: %d deaths", *seed, deaths)
}

// amid submits everything while act goes on, which must end when done is closed.
func (d *deployment) amid(t *testing.T, reference string, total int, act func(done <-chan struct{}, l *ledger)) *ledger {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), chaosTimeout)
	defer cancel()
	done, l := make(chan struct{}), newLedger(reference)
	go func() {
		defer close(done)
		d.submitAll(t, ctx, l, total)
	}()
	act(done, l)
	<-done
	if n := l.count.Load(); n != int64(total) {
		t.Errorf("%d of %d submissions were acknowledged within %s", n, total, chaosTimeout)
	}
	return l
}

// TestEverythingDies kills API, workers, engine children, Redis, the S3 server
// and Postgres while submissions come.
func TestEverythingDies(t *testing.T) {
	t.Parallel()
	on := startServers(t)
	d := many(t, on, on.s3.Config.Endpoint, 2, standing(standInCost)...)
	l := d.amid(t, "many", *submissions, func(done <-chan struct{}, l *ledger) {
		l.among(t, *submissions, done, []victim{
			{"api", func(uint64) { d.api.kill() }, nil},
			{"worker", func(n uint64) { d.workers[n%2].kill() }, nil},
			{"child", func(n uint64) { d.workers[n%2].killChild(n / 2) }, nil},
			{"redis", func(uint64) { on.redis.Kill() }, func() { on.redis.Start(t) }},
			{"s3", func(uint64) { on.s3.Kill() }, func() { on.s3.Start(t) }},
			{"postgres", func(uint64) { on.postgres.Kill() }, func() { on.postgres.Start(t) }},
		})
	})
	l.settled(t, d, settleTimeout)
}

// TestServeDies is the same on one machine, where everything is one process.
func TestServeDies(t *testing.T) {
	t.Parallel()
	d := alone(t, standing(standInCost)...)
	l := d.amid(t, "alone", *submissions, func(done <-chan struct{}, l *ledger) {
		l.among(t, *submissions, done, []victim{
			{"serve", func(uint64) { d.api.kill() }, nil},
			{"child", d.api.killChild, nil},
		})
	})
	l.settled(t, d, settleTimeout)
}

// TestRedisWiped forgets the queue in the middle, twice.
func TestRedisWiped(t *testing.T) {
	t.Parallel()
	on := startServers(t)
	d := many(t, on, on.s3.Config.Endpoint, 2, standing(4*standInCost)...)
	l := d.amid(t, "wiped", *submissions, func(done <-chan struct{}, l *ledger) {
		client := on.redis.Client()
		defer client.Close()
		for part := int64(1); part <= 2; part++ {
			for l.count.Load() < part*int64(*submissions)/3 {
				time.Sleep(10 * time.Millisecond)
			}
			if err := client.FlushAll(t.Context()).Err(); err != nil {
				t.Error(err)
			}
		}
	})
	l.settled(t, d, settleTimeout)
}
