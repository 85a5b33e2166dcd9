package worker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// completedChannel carries the ids of verifications that have their verdict.
	completedChannel = "heyan:completed"
	// awaitPoll is how often a waiter looks by itself: what a lost announcement
	// costs.
	awaitPoll = time.Second
)

// Announce tells those who wait for a verification that its verdict stands in
// the records. It reaches whoever listens now; nothing depends on it.
func (q *Queue) Announce(ctx context.Context, id string) error {
	if err := q.client.Publish(ctx, completedChannel, id).Err(); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}

// Await calls look, which reads the record, until it says done or fails: at
// once, when the verification is announced, after every loss of the connection,
// and every awaitPoll. When ctx ends before, its error is returned.
func (q *Queue) Await(ctx context.Context, id string, look func(context.Context) (done bool, err error)) error {
	wake := q.waiters.add(id)
	defer q.waiters.remove(id, wake)
	q.listen()
	poll := time.NewTicker(q.awaitPoll)
	defer poll.Stop()
	for {
		if done, err := look(ctx); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		case <-poll.C:
		}
	}
}

// subscribe listens to announcements until the queue closes; Queue.listen calls
// it once a process.
func (q *Queue) subscribe() {
	subscription := q.client.Subscribe(context.Background(), completedChannel)
	heard := subscription.ChannelWithSubscriptions()
	go func() {
		defer subscription.Close()
		for {
			select {
			case <-q.closed:
				return
			case m := <-heard:
				switch m := m.(type) {
				case *redis.Message:
					q.waiters.wake(m.Payload)
				case *redis.Subscription: // the first, or one again: what was said before went unheard
					q.waiters.wakeAll()
				}
			}
		}
	}()
}

// waiters are those who wait, by verification.
type waiters struct {
	mu sync.Mutex
	by map[string][]chan struct{}
}

func (w *waiters) add(id string) chan struct{} {
	wake := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = map[string][]chan struct{}{}
	}
	w.by[id] = append(w.by[id], wake)
	return wake
}

func (w *waiters) remove(id string, wake chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.by[id] = slices.DeleteFunc(w.by[id], func(c chan struct{}) bool { return c == wake })
	if len(w.by[id]) == 0 {
		delete(w.by, id)
	}
}

func (w *waiters) wake(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.by[id] {
		nudge(c)
	}
}

func (w *waiters) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, all := range w.by {
		for _, c := range all {
			nudge(c)
		}
	}
}

// nudge wakes one who may be awake already.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
