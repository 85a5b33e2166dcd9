package worker

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// await runs Await beside the test; looks gets a value for every look at the
// record, which is completed once done says so.
func await(ctx context.Context, q *Queue, id string, done *atomic.Bool) (looks chan struct{}, ended chan error) {
	looks, ended = make(chan struct{}, 100), make(chan error, 1)
	go func() {
		ended <- q.Await(ctx, id, func(context.Context) (bool, error) {
			looks <- struct{}{}
			return done.Load(), nil
		})
	}()
	return looks, ended
}

func next[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute): // never, but for a fault
		t.Fatal("no " + what)
		panic("unreachable")
	}
}

// subscribed waits until the server knows of one listener.
func subscribed(t *testing.T, q *Queue) {
	t.Helper()
	for range 1000 {
		if n, err := q.client.PubSubNumSub(t.Context(), completedChannel).Result(); err != nil {
			t.Fatal(err)
		} else if n[completedChannel] > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("nobody listens")
}

func TestAwait(t *testing.T) {
	for name, address := range servers(t) {
		t.Run(name, func(t *testing.T) {
			const never = time.Hour
			t.Run("an announcement ends it", func(t *testing.T) {
				q := openQueue(t, address)
				q.awaitPoll = never
				var done, other atomic.Bool
				looks, ended := await(t.Context(), q, "a", &done)
				sameLooks, same := await(t.Context(), q, "a", &done)
				otherLooks, _ := await(t.Context(), q, "b", &other)
				next(t, looks, "look")
				next(t, sameLooks, "look")
				next(t, otherLooks, "look")
				subscribed(t, q)
				done.Store(true)
				if err := q.Announce(t.Context(), "a"); err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(next(t, ended, "end"), next(t, same, "end")); err != nil {
					t.Error(err)
				}
				if len(otherLooks) > 1 { // the one after the subscription
					t.Error("another's announcement was heard")
				}
			})
			t.Run("a lost connection is one look", func(t *testing.T) {
				q := openQueue(t, address)
				q.awaitPoll = never
				var done atomic.Bool
				looks, ended := await(t.Context(), q, "a", &done)
				next(t, looks, "look")
				subscribed(t, q)
				done.Store(true) // announced while nobody hears it
				if q.embedded != nil {
					q.embedded.server.Close()
					if err := q.embedded.server.Restart(); err != nil {
						t.Fatal(err)
					}
				} else if err := q.client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err(); err != nil {
					t.Fatal(err)
				}
				if err := next(t, ended, "end"); err != nil {
					t.Error(err)
				}
			})
			t.Run("a lost announcement is a poll", func(t *testing.T) {
				q := openQueue(t, address)
				q.awaitPoll = 10 * time.Millisecond
				var done atomic.Bool
				looks, ended := await(t.Context(), q, "a", &done)
				for range 5 {
					next(t, looks, "look")
				}
				done.Store(true)
				if err := next(t, ended, "end"); err != nil {
					t.Error(err)
				}
			})
			t.Run("its end is the caller's", func(t *testing.T) {
				q := openQueue(t, address)
				ctx, cancel := context.WithCancel(t.Context())
				var done atomic.Bool
				looks, ended := await(ctx, q, "a", &done)
				next(t, looks, "look")
				cancel()
				if err := next(t, ended, "end"); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
				if len(q.waiters.by) != 0 {
					t.Error("a waiter was left behind")
				}
			})
		})
	}
}
