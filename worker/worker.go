// Package worker takes queued verifications to their verdicts, within their
// deadlines, turns the files of batches into such, certifies the organizations that
// pass, watches over their certifications, and clears away what is kept long enough: it knows the queue (and
// is the only importer of asynq), leases, attempts and the engine's children. It
// must not know how a picture is read, what makes a verdict (verdict does) or a
// certification (certify does), nor HTTP.
//
// The records are the truth. The queue carries ids and may vanish at any time;
// a sweeper puts back whatever the records say is still to be done. Nothing
// personal enters the queue, a log or a metric.
package worker

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker/engine"
	"github.com/heyan/heyan/worker/webhook"
)

// MaxAttempts is how many attempts a verification gets before a person looks at it.
const MaxAttempts = 3

// Codes of failed attempts, and of the reasons given when they were the last.
const (
	codeEngineFailed       = "system_engine_failed"
	codeStorageUnavailable = "system_storage_unavailable"
	codeTimeout            = "system_timeout"
)

const (
	// attemptLease outlasts the handler, so that a row comes due only when its
	// worker is dead.
	attemptLease = taskTimeout + 10*time.Second
	// closingTime is for the last words to the records after a context ended.
	closingTime = 10 * time.Second
	// pollEvery is how often an idle worker asks the queue for work.
	pollEvery = 100 * time.Millisecond
	// retriesEvery is how often it looks for retries that are due: looking as
	// often as for work took half of what an idle service used.
	retriesEvery = time.Second
	// retryMax is the longest delay between two attempts.
	retryMax = time.Minute
	// janitorBatch is how many results asynq forgets at a time, every 8 s: far
	// more than are added.
	janitorBatch = 1000
	// awayFactor slows retries while storage or engine are away as a whole.
	awayFactor = 4
)

// Engine reads pictures. The real one is *engine.Pool.
type Engine interface {
	Size() int // how many at the same time
	// Verify returns *engine.RemoteError, *engine.DeathError when the attempt
	// counts; any other error means that nothing was tried.
	Verify(ctx context.Context, req engine.Request) (report.Report, error)
	ViewEngine
}

// Worker verifies. The fields of the first group are required.
type Worker struct {
	Records *records.Store
	Objects *objects.Store
	Vault   *vault.Vault
	Queue   *Queue
	Engine  Engine
	// SystemReport is the report of a verification that we could not make, for
	// a person to review; code is the reason.
	SystemReport func(s report.Submission, code string) report.Report

	Terms        map[string]Terms      // of policies, by name
	Webhooks     *webhook.Sender       // nil: another process sends events
	Registerer   prometheus.Registerer // of metrics; nil: none
	Logger       *slog.Logger          // default slog.Default()
	Now          func() time.Time      // default time.Now
	SweepEvery   time.Duration         // default 3 s
	QueueLease   time.Duration         // until a row in the queue is looked after again; default 1 min
	RetryAfter   time.Duration         // delay after the first failed attempt, doubling; default 1 s
	DrainTimeout time.Duration         // for pictures at work when Run's context ends; default 20 s

	running sync.WaitGroup
	pace    pace
	metrics *metrics
	views   *Views
	held    bool          // new batch work; known to the sweep alone
	archive openedArchive // known to the round of lines alone
}

func (w *Worker) setDefaults() {
	if w.Logger == nil {
		w.Logger = slog.Default()
	}
	if w.Now == nil {
		w.Now = time.Now
	}
	if w.SweepEvery == 0 {
		w.SweepEvery = 3 * time.Second
	}
	if w.QueueLease == 0 {
		w.QueueLease = time.Minute
	}
	if w.RetryAfter == 0 {
		w.RetryAfter = time.Second
	}
	if w.DrainTimeout == 0 {
		w.DrainTimeout = 20 * time.Second
	}
	w.metrics = newMetrics(w.Registerer, w.load)
	w.views = &Views{Objects: w.Objects, Engine: w.Engine, Logger: w.Logger}
}

// Run works until ctx ends, then takes no more work, lets the pictures at work
// finish within DrainTimeout, and gives back the rest. Call it once.
func (w *Worker) Run(ctx context.Context) error {
	w.setDefaults()
	server := asynq.NewServerFromRedisClient(w.Queue.client, asynq.Config{
		Concurrency:              w.Engine.Size(),
		Queues:                   weights,
		TaskCheckInterval:        pollEvery,
		DelayedTaskCheckInterval: retriesEvery,
		ShutdownTimeout:          w.DrainTimeout,
		RetryDelayFunc:           w.retryDelay,
		IsFailure:                func(err error) bool { return errors.As(err, new(*failedAttempt)) },
		JanitorBatchSize:         janitorBatch,
		Logger:                   asynqLogger{w.Logger},
		LogLevel:                 asynq.WarnLevel,
	})
	err := server.Start(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		w.running.Add(1)
		defer w.running.Done()
		result, err := w.handle(ctx, string(t.Payload()))
		if result != nil {
			if _, err := t.ResultWriter().Write(result); err != nil {
				w.Logger.Warn("result not left in the queue", "error", err)
			}
		}
		return err
	}))
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	var rounds sync.WaitGroup
	rounds.Go(func() { w.every(ctx, "sweep", 0, w.SweepEvery, w.sweep) })
	rounds.Go(func() { w.every(ctx, "deadlines", 0, atRiskEvery, w.watchDeadlines) })
	rounds.Go(func() { w.every(ctx, "decisions", 0, finalEvery, w.finalize) })
	rounds.Go(func() { w.every(ctx, "patrol", 0, patrolEvery, w.patrol) })
	rounds.Go(func() { w.every(ctx, "retention", 0, retentionEvery, w.retain) })
	rounds.Go(func() { w.every(ctx, "orphans", orphansFirst, orphansEvery, w.collectOrphans) })
	rounds.Go(func() { w.every(ctx, "batches", 0, w.SweepEvery, w.loadBatches) })
	rounds.Go(func() { w.every(ctx, "lines", 0, w.SweepEvery, w.feedLines) })
	if w.Webhooks != nil {
		rounds.Go(func() { w.Webhooks.Run(ctx) })
	}
	<-ctx.Done()
	server.Shutdown()
	w.running.Wait() // asynq does not wait for handlers that it gave up
	rounds.Wait()
	return nil
}

// every makes a round after a first delay and then at each interval, until ctx
// ends. A round that fails is made again at its next time.
func (w *Worker) every(ctx context.Context, name string, first, interval time.Duration, round func(context.Context) error) {
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if err := round(ctx); err != nil && ctx.Err() == nil {
			w.Logger.Error("round failed", "round", name, "error", err)
		}
		timer.Reset(interval)
	}
}

// failedAttempt is an attempt that counts. Every other error of handle means
// that nothing was tried.
type failedAttempt struct {
	code  string
	last  bool // further attempts cannot help
	cause error
}

func (e *failedAttempt) Error() string { return e.code + ": " + e.cause.Error() }
func (e *failedAttempt) Unwrap() error { return e.cause }

// handle makes one attempt at a verification. nil: it has its verdict, which is
// the result if it was given here.
func (w *Worker) handle(ctx context.Context, id string) (result []byte, err error) {
	begin := w.Now()
	log := w.Logger.With("verification", id)
	v, err := w.Records.StartAttempt(ctx, id, begin, attemptLease)
	if errors.Is(err, records.ErrAlreadyCompleted) || errors.Is(err, records.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		log.Warn("attempt not started", "error", err)
		return nil, err
	}
	log = log.With("attempt", v.Attempts)
	j, err := w.attempt(ctx, v)
	if err == nil {
		result, err = w.complete(ctx, v, &j)
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closingTime)
	defer cancel()
	failed, counts := errors.AsType[*failedAttempt](err)
	if err == nil || counts {
		w.pace.took(w.Now().Sub(begin))
	}
	if counts {
		w.metrics.failed.WithLabelValues(failed.code).Inc()
	}
	switch {
	case err == nil:
		log.Info("verified", "outcome", j.report.Outcome, "took", w.Now().Sub(begin))
		return result, nil
	case !counts:
		log.Warn("attempt given back", "error", err)
		if err := w.Records.Requeue(closing, id, w.Now()); err != nil && !errors.Is(err, records.ErrAlreadyCompleted) {
			log.Error("attempt not given back", "error", err)
		}
		return nil, err
	case failed.last || v.Attempts >= v.MaxAttempts:
		log.Error("last attempt failed", "code", failed.code, "error", err)
		return w.giveUp(closing, v, failed.code)
	}
	log.Warn("attempt failed", "code", failed.code, "error", err)
	// asynq retries by itself; the row comes due only if that is lost.
	retryAt := w.Now().Add(retryMax + w.QueueLease)
	if err := w.Records.RecordFailure(closing, id, failed.code, retryAt); err != nil && !errors.Is(err, records.ErrAlreadyCompleted) {
		log.Error("failure not recorded", "error", err)
	}
	return nil, err
}

// attempt reads the picture once, and judges it.
func (w *Worker) attempt(ctx context.Context, v records.Verification) (judgment, error) {
	if v.Attempts > v.MaxAttempts {
		return judgment{}, &failedAttempt{codeEngineFailed, true, errors.New("earlier attempts took their workers with them")}
	}
	s, err := OpenSubmission(ctx, w.Vault, v)
	if fault, ok := errors.AsType[*records.Error](err); ok && fault.Retryable() {
		return judgment{}, err // its key is away, with the other records
	}
	if err != nil {
		return judgment{}, &failedAttempt{codeStorageUnavailable, false, err}
	}
	picture, err := readPicture(ctx, w.Objects, v.ObjectKey)
	if err != nil {
		if gone(err) {
			err = &failedAttempt{codeStorageUnavailable, false, err}
		}
		return judgment{}, err
	}
	rep, err := w.Engine.Verify(ctx, engine.Request{Submission: s, Policy: v.Policy, Picture: picture})
	if err == nil {
		j, err := w.judge(ctx, v, s, rep)
		if err == nil && j.report.Outcome == report.OutcomeReview {
			w.makeViews(ctx, v, picture, rep)
		}
		return j, err
	}
	if remote, ok := errors.AsType[*engine.RemoteError](err); ok {
		code := codeEngineFailed
		if remote.Timeout {
			code = codeTimeout
		}
		err = &failedAttempt{code, !remote.Retryable(), err}
	} else if death, died := errors.AsType[*engine.DeathError](err); died {
		w.metrics.deaths.WithLabelValues(string(death.Cause)).Inc()
		err = &failedAttempt{codeEngineFailed, false, err}
	}
	return judgment{}, err
}

// makeViews has the views of a picture there before a person looks at it. They
// are worth no attempt: what is missing is made when somebody asks for it.
func (w *Worker) makeViews(ctx context.Context, v records.Verification, picture []byte, rep report.Report) {
	err := w.views.Make(ctx, v, picture, rep)
	if err == nil {
		return
	}
	if death, died := errors.AsType[*engine.DeathError](err); died {
		w.metrics.deaths.WithLabelValues(string(death.Cause)).Inc()
	}
	w.Logger.Warn("views not made", "verification", v.ID, "error", err)
}

func readPicture(ctx context.Context, store *objects.Store, key string) ([]byte, error) {
	object, _, err := store.Get(ctx, key, engine.MaxPicture)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	return io.ReadAll(object)
}

// gone says whether an object store's answer is about this object, not about
// the store.
func gone(err error) bool {
	return errors.Is(err, objects.ErrNotFound) || errors.Is(err, objects.ErrTooLarge) || errors.Is(err, objects.ErrInvalidKey)
}

// complete writes the verdict and what it brings about, and returns its thin
// payload, nil when another's came first, which stands. Where another organization
// was first to get what it grants, it is decided again without.
func (w *Worker) complete(ctx context.Context, v records.Verification, j *judgment) ([]byte, error) {
	for {
		result, err := w.write(ctx, v, *j)
		if locked, ok := errors.AsType[*records.LockedError](err); ok && j.grant != nil {
			j.lose(v, locked)
			continue
		}
		if state, ok := errors.AsType[*records.StateError](err); ok && j.grant != nil {
			w.Logger.Warn("passed and not certified", "verification", v.ID, "state", state.State)
			j.grant = nil
			continue
		}
		return result, err
	}
}

// write writes a judgment.
func (w *Worker) write(ctx context.Context, v records.Verification, j judgment) ([]byte, error) {
	rep := j.report
	rep.ID, rep.Status = v.ID, report.StatusCompleted
	v.Status, v.Outcome, v.CompletedAt = rep.Status, rep.Outcome, w.Now()
	v.Reasons = make([]string, len(rep.Reasons))
	for i, reason := range rep.Reasons {
		v.Reasons[i] = reason.Code
	}
	err := w.Records.Complete(ctx, v.ID, rep, w.completion(v, j))
	first := err == nil
	if first || errors.Is(err, records.ErrAlreadyCompleted) {
		if err := w.Queue.Announce(ctx, v.ID); err != nil {
			w.Logger.Warn("verdict not announced", "verification", v.ID, "error", err)
		}
	}
	var fault *records.Error
	switch {
	case first:
		w.metrics.verdict(v, rep, w.knows(v.Policy))
		w.metrics.certified(j.grant, j.changed)
		return thin(v), nil
	case errors.Is(err, records.ErrAlreadyCompleted):
		return nil, nil
	case j.grant != nil && (errors.As(err, new(*records.LockedError)) || errors.As(err, new(*records.StateError))):
		return nil, err
	case errors.As(err, &fault) && !fault.Retryable() && ctx.Err() == nil:
		return nil, &failedAttempt{codeEngineFailed, false, err} // the report is unfit to be kept
	}
	return nil, err
}

// giveUp hands the verification to a person.
func (w *Worker) giveUp(ctx context.Context, v records.Verification, code string) ([]byte, error) {
	s, err := OpenSubmission(ctx, w.Vault, v)
	if err != nil {
		s = report.Submission{Policy: v.Policy}
	}
	return w.complete(ctx, v, &judgment{report: w.SystemReport(s, code)})
}

// retryDelay doubles from RetryAfter to retryMax. A spread of a quarter, fixed
// by the task's id, keeps tasks that failed together from coming back together.
//
// Where nothing was tried, asynq keeps n: then the delay is awayFactor times
// the first one.
func (w *Worker) retryDelay(n int, err error, t *asynq.Task) time.Duration {
	delay := retryMax
	if !errors.As(err, new(*failedAttempt)) {
		delay = min(delay, awayFactor*w.RetryAfter)
	} else if n < 16 { // no overflow below: 2^16 s is a day
		delay = min(delay, w.RetryAfter<<n)
	}
	h := fnv.New32a()
	h.Write(t.Payload())
	return delay - delay/4*time.Duration(h.Sum32()%1024)/1024
}

// asynqLogger passes on what asynq says, which holds ids and errors only.
type asynqLogger struct{ log *slog.Logger }

func (l asynqLogger) Debug(args ...any) { l.log.Debug(fmt.Sprint(args...), "from", "asynq") }
func (l asynqLogger) Info(args ...any)  { l.log.Info(fmt.Sprint(args...), "from", "asynq") }
func (l asynqLogger) Warn(args ...any)  { l.log.Warn(fmt.Sprint(args...), "from", "asynq") }
func (l asynqLogger) Error(args ...any) { l.log.Error(fmt.Sprint(args...), "from", "asynq") }
func (l asynqLogger) Fatal(args ...any) { l.log.Error(fmt.Sprint(args...), "from", "asynq") }
