package worker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/heyan/heyan/storage/records"
)

// servers are the queue's two servers; both must behave the same.
func servers(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"embedded": "", "redis": startRedis(t)}
}

// startRedis starts a Redis server as a child. Missing is a failure.
func startRedis(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatalf("redis-server (package redis-server) is needed: %v", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 100 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return address
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("redis-server does not answer")
	return ""
}

func openQueue(t testing.TB, address string) *Queue {
	t.Helper()
	q, err := OpenQueue(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

// consume hands the payloads of tasks to handle until the test ends.
func consume(t *testing.T, q *Queue, concurrency int, handle func(ctx context.Context, id string) error) {
	t.Helper()
	server := asynq.NewServerFromRedisClient(q.client, asynq.Config{
		Concurrency: concurrency, Queues: weights, TaskCheckInterval: 20 * time.Millisecond,
		DelayedTaskCheckInterval: 20 * time.Millisecond, ShutdownTimeout: 100 * time.Millisecond, LogLevel: asynq.FatalLevel,
	})
	err := server.Start(asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		return handle(ctx, string(task.Payload()))
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
}

func receive(t *testing.T, ids <-chan string) string {
	t.Helper()
	select {
	case id := <-ids:
		return id
	case <-time.After(5 * time.Second):
		t.Fatal("nothing was handled")
		return ""
	}
}

func TestQueue(t *testing.T) {
	for name, address := range servers(t) {
		t.Run(name, func(t *testing.T) {
			q := openQueue(t, address)
			now := time.UnixMicro(1)
			reset := func() {
				t.Helper()
				if err := q.client.FlushAll(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
				q.tasks = asynq.NewClientFromRedisClient(q.client) // one that names its queues again
			}
			pending := func(want ...string) {
				t.Helper()
				tasks, err := q.inspector.ListPendingTasks(Standard)
				if err != nil {
					t.Fatal(err)
				}
				got := []string{}
				for _, task := range tasks {
					got = append(got, task.ID+"="+string(task.Payload))
				}
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("pending %v, want %v", got, want)
				}
			}
			enqueue := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}

			t.Run("an id waits once", func(t *testing.T) {
				enqueue(q.Enqueue(t.Context(), "a", Standard))
				enqueue(q.Enqueue(t.Context(), "a", Standard))
				enqueue(q.enqueueLost(t.Context(), "a", Standard, now))
				pending("a=a")
				reset()
			})
			t.Run("a wiped queue takes it again", func(t *testing.T) {
				enqueue(q.Enqueue(t.Context(), "a", Standard))
				if err := q.client.FlushAll(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
				enqueue(q.enqueueLost(t.Context(), "a", Standard, now))
				enqueue(q.enqueueLost(t.Context(), "a", Standard, now)) // a queue whose name was forgotten
				pending("a=a")
				reset()
			})
			t.Run("an archived task is replaced", func(t *testing.T) {
				enqueue(q.Enqueue(t.Context(), "a", Standard))
				enqueue(q.inspector.ArchiveTask(Standard, "a"))
				enqueue(q.Enqueue(t.Context(), "a", Standard)) // not by a submitter
				tasks, err := q.inspector.ListPendingTasks(Standard)
				if err != nil || len(tasks) != 0 {
					t.Errorf("pending %v, %v", tasks, err)
				}
				enqueue(q.enqueueLost(t.Context(), "a", Standard, now))
				pending("a=a")
				reset()
			})
			t.Run("a retained task is replaced", func(t *testing.T) {
				_, err := q.tasks.Enqueue(asynq.NewTask(taskType, []byte("a")), asynq.Queue(Standard), asynq.TaskID("a"), asynq.Retention(time.Hour))
				enqueue(err)
				t.Run("", func(t *testing.T) {
					ids := make(chan string, 9)
					consume(t, q, 1, func(_ context.Context, id string) error { ids <- id; return nil })
					receive(t, ids)
				})
				enqueue(q.enqueueLost(t.Context(), "a", Standard, now))
				pending("a=a")
				reset()
			})
			t.Run("an active task of a dead worker gets a second", func(t *testing.T) {
				ids := make(chan string, 9)
				consume(t, q, 2, func(ctx context.Context, id string) error { ids <- id; <-ctx.Done(); return nil })
				enqueue(q.Enqueue(t.Context(), "a", Standard))
				receive(t, ids)
				enqueue(q.enqueueLost(t.Context(), "a", Standard, now))
				if id := receive(t, ids); id != "a" {
					t.Errorf("handled %q, want a", id)
				}
			})
			reset()
			t.Run("an applicant passes a batch", func(t *testing.T) {
				for i := range 200 {
					enqueue(q.Enqueue(t.Context(), fmt.Sprint("batch", i), Batch))
				}
				enqueue(q.Enqueue(t.Context(), "applicant", Interactive))
				ids := make(chan string, 300)
				consume(t, q, 1, func(_ context.Context, id string) error { ids <- id; return nil })
				for n := 0; receive(t, ids) != "applicant"; n++ {
					if n == 20 {
						t.Fatal("20 of the batch went before the applicant")
					}
				}
			})
			reset()
			if err := q.Enqueue(t.Context(), "a", "urgent{}"); err == nil {
				t.Error("an unknown priority was taken")
			}
		})
	}
}

func TestOpenQueueHidesThePassword(t *testing.T) {
	for _, address := range []string{"redis://user:s3cret@127.0.0.1:1/0", "redis://user:s3cret@[bad", "http://user:s3cret@h"} {
		_, err := OpenQueue(t.Context(), address)
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v", address, err)
		}
	}
}

// The embedded queue is for this process alone.
func TestEmbeddedQueueWantsItsPassword(t *testing.T) {
	q := openQueue(t, "")
	if other, err := OpenQueue(t.Context(), q.embedded.server.Addr()); err == nil {
		other.Close()
		t.Error("it answered without a password")
	}
}

func TestRetryDelay(t *testing.T) {
	w := &Worker{}
	w.setDefaults()
	failed, away := &failedAttempt{codeEngineFailed, false, errors.New("x")}, errors.New("storage is away")
	for _, tt := range []struct {
		n    int
		err  error
		most time.Duration
	}{
		{0, failed, time.Second}, {1, failed, 2 * time.Second}, {5, failed, 32 * time.Second},
		{6, failed, retryMax}, {40, failed, retryMax}, {0, away, 4 * time.Second},
	} {
		spread := map[time.Duration]bool{}
		for range 50 {
			task := asynq.NewTask(taskType, []byte(records.NewID()))
			got := w.retryDelay(tt.n, tt.err, task)
			if got > tt.most || got < tt.most*3/4 {
				t.Errorf("retry %d after %s, want %s less at most a quarter", tt.n, got, tt.most)
			}
			if got != w.retryDelay(tt.n, tt.err, task) {
				t.Error("the delay of a task is not fixed")
			}
			spread[got] = true
		}
		if len(spread) < 10 {
			t.Errorf("retry %d: %d different delays of 50", tt.n, len(spread))
		}
	}
}
