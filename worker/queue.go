package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// The queues, by who waits. A submission's priority is the name of its queue.
const (
	Interactive = "interactive" // an applicant looks at the screen
	Standard    = "standard"
	Batch       = "batch" // nobody waits
)

// weights are the shares of the queues while all of them hold work.
var weights = map[string]int{Interactive: 8, Standard: 3, Batch: 1}

// Priorities are the names of the queues.
var Priorities = []string{Interactive, Standard, Batch}

const (
	taskType = "verification"
	// maxRetry is asynq's own limit. The records count attempts; a task that is
	// archived all the same is put back by the sweeper.
	maxRetry = 25
	// taskTimeout ends a handler that nothing else has ended. It is longer than
	// an engine's start and deadline together (see engine.Config).
	taskTimeout = 3 * time.Minute
	// resultRetention is how long a task stays behind with its result, the thin
	// payload of the verdict, for those who look there.
	resultRetention = time.Hour
	// filledKey stands in a queue that knows of everything that waited when it
	// was new: one that was wiped has lost it.
	filledKey = "heyan:filled"
)

// Queue carries the ids of verifications to workers, and nothing else. It may
// lose all of them at any time: the records are the truth, and Worker puts back
// what is missing.
type Queue struct {
	client    redis.UniversalClient
	tasks     *asynq.Client
	inspector *asynq.Inspector
	embedded  *embedded // nil on a Redis server

	waiters   waiters
	listen    func() // subscribes to announcements, once
	awaitPoll time.Duration
	closed    chan struct{}
}

// OpenQueue reaches the Redis server at address, a redis:// or rediss:// URL or
// host:port. With an empty address the queue lives in this process, reachable
// by nobody else and gone with it.
func OpenQueue(ctx context.Context, address string) (*Queue, error) {
	redis.SetLogger(redisLogger{}) // for all of the process: go-redis has one
	q := &Queue{awaitPoll: awaitPoll, closed: make(chan struct{})}
	q.listen = sync.OnceFunc(q.subscribe)
	var options *redis.Options
	switch {
	case address == "":
		var err error
		if q.embedded, err = openEmbedded(); err != nil {
			return nil, fmt.Errorf("queue: %w", err)
		}
		options = &redis.Options{Addr: q.embedded.server.Addr(), Password: q.embedded.password}
	case strings.Contains(address, "://"):
		var err error
		if options, err = redis.ParseURL(address); err != nil {
			// The parser's own words may quote a password.
			return nil, errors.New("queue: the address is not a redis:// or rediss:// URL")
		}
	default:
		options = &redis.Options{Addr: address}
	}
	q.client = redis.NewClient(options)
	q.tasks = asynq.NewClientFromRedisClient(q.client)
	q.inspector = asynq.NewInspectorFromRedisClient(q.client)
	if err := q.Ping(ctx); err != nil {
		q.Close()
		return nil, err
	}
	return q, nil
}

// Ping says whether the server answers.
func (q *Queue) Ping(ctx context.Context) error {
	if err := q.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}

// Close ends the connections, and the queue where it is embedded. Call it once.
func (q *Queue) Close() error {
	close(q.closed)
	err := q.client.Close()
	if q.embedded != nil {
		q.embedded.close()
	}
	return err
}

// Enqueue hands a verification to the workers. One whose task is there already
// stays where it stands.
func (q *Queue) Enqueue(ctx context.Context, id, priority string) error {
	return added(q.enqueue(ctx, q.tasks, id, id, priority))
}

// added takes a task that was there before for one that was added.
func added(err error) error {
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// enqueueLost hands over a verification that is due although it was enqueued
// before: its task may be gone, over, or in the hands of a dead worker.
func (q *Queue) enqueueLost(ctx context.Context, id, priority string, now time.Time) error {
	// An asynq client tells the server the name of a queue once, and a server
	// that was wiped has forgotten it: a fresh client tells it again.
	tasks := asynq.NewClientFromRedisClient(q.client)
	err := q.enqueue(ctx, tasks, id, id, priority)
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}
	task, err := q.inspector.GetTaskInfo(priority, id)
	if errors.Is(err, asynq.ErrTaskNotFound) {
		return added(q.enqueue(ctx, tasks, id, id, priority)) // it ended this moment
	}
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	switch task.State {
	case asynq.TaskStateArchived, asynq.TaskStateCompleted:
		// It keeps its id reserved but will not run again.
		if err := q.inspector.DeleteTask(priority, id); err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
			return fmt.Errorf("queue: %w", err)
		}
		return added(q.enqueue(ctx, tasks, id, id, priority))
	case asynq.TaskStateActive:
		// Its lease in the records is over, so its worker is dead or deaf, and
		// asynq may never give it back: a second task of another name. Should
		// the first one live, the records take one verdict only.
		return q.enqueue(ctx, tasks, fmt.Sprintf("%s.%d", id, now.UnixMicro()), id, priority)
	}
	return nil // pending, scheduled or to be retried: it waits its turn
}

func (q *Queue) enqueue(ctx context.Context, tasks *asynq.Client, taskID, id, priority string) error {
	if _, known := weights[priority]; !known {
		return errors.New("queue: unknown priority")
	}
	_, err := tasks.EnqueueContext(ctx, asynq.NewTask(taskType, []byte(id)),
		asynq.Queue(priority), asynq.TaskID(taskID), asynq.MaxRetry(maxRetry), asynq.Timeout(taskTimeout), asynq.Retention(resultRetention))
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}

// filled says whether the queue has been told of all that waits.
func (q *Queue) filled(ctx context.Context) (bool, error) {
	n, err := q.client.Exists(ctx, filledKey).Result()
	if err != nil {
		return false, fmt.Errorf("queue: %w", err)
	}
	return n == 1, nil
}

func (q *Queue) setFilled(ctx context.Context) error {
	if err := q.client.Set(ctx, filledKey, 1, 0).Err(); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}

// size is how many tasks of a priority wait or are at work. The inspector knows
// no context: a server that does not answer is found out before.
func (q *Queue) size(ctx context.Context, priority string) (int, error) {
	if err := q.Ping(ctx); err != nil {
		return 0, err
	}
	known, err := q.inspector.Queues()
	if err != nil {
		return 0, fmt.Errorf("queue: %w", err)
	}
	if !slices.Contains(known, priority) {
		return 0, nil
	}
	info, err := q.inspector.GetQueueInfo(priority)
	if err != nil {
		return 0, fmt.Errorf("queue: %w", err)
	}
	return info.Pending + info.Active + info.Scheduled + info.Retry, nil
}

// children is how many pictures all workers of the deployment read at a time.
func (q *Queue) children(ctx context.Context) (int, error) {
	if err := q.Ping(ctx); err != nil {
		return 0, err
	}
	servers, err := q.inspector.Servers()
	if err != nil {
		return 0, fmt.Errorf("queue: %w", err)
	}
	n := 0
	for _, s := range servers {
		if s.Status == "active" {
			n += s.Concurrency
		}
	}
	return n, nil
}

// redisLogger passes on what go-redis says, which holds addresses and errors.
type redisLogger struct{}

func (redisLogger) Printf(ctx context.Context, format string, args ...any) {
	slog.WarnContext(ctx, fmt.Sprintf(format, args...), "from", "go-redis")
}

// embedded is a Redis server inside this process.
type embedded struct {
	server   *miniredis.Miniredis
	password string // other users of the machine reach the port too
	stop     chan struct{}
}

// expiryTick is how often the embedded server's clock for expiry moves: it
// stands still by itself.
const expiryTick = time.Second

func openEmbedded() (*embedded, error) {
	e := &embedded{server: miniredis.NewMiniRedis(), password: rand.Text(), stop: make(chan struct{})}
	e.server.RequireAuth(e.password)
	if err := e.server.Start(); err != nil {
		return nil, err
	}
	go func() {
		tick := time.NewTicker(expiryTick)
		defer tick.Stop()
		for {
			select {
			case <-e.stop:
				return
			case <-tick.C:
				e.server.FastForward(expiryTick)
			}
		}
	}()
	return e, nil
}

func (e *embedded) close() {
	close(e.stop)
	e.server.Close()
}
