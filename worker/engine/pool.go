package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// Config of a Pool. Zero values take the defaults.
type Config struct {
	Command      []string      // program and arguments of a child; required
	Env          []string      // environment of the children; nil: the parent's
	Size         int           // children; default one per CPU
	Timeout      time.Duration // per picture; default 60 s. A child that overruns it by a tenth is killed
	StartTimeout time.Duration // from start to greeting; default 30 s (models load)
	RecycleAfter int           // pictures a child reads before it is replaced; default 500
	MaxMemory    int64         // resident bytes at which a child is killed; default 2 GiB, measured on Linux alone
	Logger       *slog.Logger  // default slog.Default()
}

// A child whose resident memory stays above this share of MaxMemory after an
// answer is replaced before it costs a picture.
const recycleShare = 0.75

// memoryTick is how often a busy child's memory is looked at. A child that
// allocates 1 GB/s overshoots MaxMemory by some 50 MB.
const memoryTick = 50 * time.Millisecond

// answerGrace is how long the pipe of a dead child is still read: its answer
// may stand there complete.
const answerGrace = time.Second

// Cause says how a child died.
type Cause string

// The causes of death.
const (
	CauseCrash   Cause = "crash"   // it ended before it answered
	CauseTimeout Cause = "timeout" // it overran the deadline and was killed
	CauseGarbage Cause = "garbage" // it answered something else than the protocol and was killed
	CauseMemory  Cause = "memory"  // it passed MaxMemory and was killed
)

// DeathError says that the child died over this picture. The attempt is lost,
// the pool is not.
type DeathError struct {
	Cause Cause
	Exit  string        // state of the process: "signal: killed", "exit status 2"
	After time.Duration // since the picture was handed over
}

func (e *DeathError) Error() string {
	return fmt.Sprintf("engine child died after %s: %s (%s)", e.After.Round(time.Millisecond), e.Cause, e.Exit)
}

// Retryable is true: the next attempt gets a new child.
func (e *DeathError) Retryable() bool { return true }

// StartError says that no child could be started: no picture is at fault.
type StartError struct{ Err error }

func (e *StartError) Error() string { return "engine child does not start: " + e.Err.Error() }
func (e *StartError) Unwrap() error { return e.Err }

// Retryable is true: the installation may be mended meanwhile.
func (e *StartError) Retryable() bool { return true }

// ErrClosed is returned by a closed pool.
var ErrClosed = errors.New("engine pool is closed")

// Pool keeps children and hands each of them one picture at a time. Its methods
// may be called at the same time.
type Pool struct {
	cfg    Config
	slots  chan *child // one entry a child; nil where none runs
	closed chan struct{}
	close  func()
}

// NewPool checks the configuration; children start at the first need of them.
func NewPool(cfg Config) (*Pool, error) {
	if len(cfg.Command) == 0 {
		return nil, errors.New("engine pool: no command")
	}
	if cfg.Size < 0 || cfg.Timeout < 0 || cfg.StartTimeout < 0 || cfg.RecycleAfter < 0 || cfg.MaxMemory < 0 {
		return nil, errors.New("engine pool: negative limit")
	}
	if cfg.Size == 0 {
		cfg.Size = runtime.NumCPU()
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.StartTimeout == 0 {
		cfg.StartTimeout = 30 * time.Second
	}
	if cfg.RecycleAfter == 0 {
		cfg.RecycleAfter = 500
	}
	if cfg.MaxMemory == 0 {
		cfg.MaxMemory = 2 << 30
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	p := &Pool{cfg: cfg, slots: make(chan *child, cfg.Size), closed: make(chan struct{})}
	p.close = sync.OnceFunc(p.shut)
	for range cfg.Size {
		p.slots <- nil
	}
	return p, nil
}

// Size is the number of children, and so of pictures read at the same time.
func (p *Pool) Size() int { return p.cfg.Size }

// Ready starts every idle child that does not run yet and waits until it has greeted.
func (p *Pool) Ready(ctx context.Context) error {
	idle := make([]*child, 0, p.cfg.Size)
	defer func() {
		for _, c := range idle {
			p.slots <- c
		}
	}()
	for {
		select {
		case <-p.closed:
			return ErrClosed
		case c := <-p.slots:
			c, err := p.living(ctx, c)
			idle = append(idle, c)
			if err != nil {
				return err
			}
			continue
		default:
		}
		return nil
	}
}

// Verify hands the request to a free child and waits for its report. Errors:
// *DeathError, *StartError, *RemoteError, ErrClosed, or that of ctx, whose end
// kills the child at work.
func (p *Pool) Verify(ctx context.Context, req Request) (report.Report, error) {
	return send(ctx, p, p.cfg.Timeout, message{header{Submission: req.Submission, Precheck: req.Precheck, Policy: req.Policy}, req.Picture}, readReport)
}

// Views is Verify for the views of a picture.
func (p *Pool) Views(ctx context.Context, req ViewRequest) (Views, error) {
	timeout := p.cfg.Timeout
	if req.Timeout > 0 {
		timeout = min(timeout, req.Timeout)
	}
	return send(ctx, p, timeout, message{header{Views: true, Quad: req.Quad}, req.Picture}, readViews)
}

// send hands the request to a free child; read takes its answer.
func send[T any](ctx context.Context, p *Pool, timeout time.Duration, m message, read func(r io.Reader, seq uint32) (T, error)) (answer T, err error) {
	if len(m.picture) > MaxPicture {
		return answer, fmt.Errorf("picture of %d bytes, limit %d", len(m.picture), MaxPicture)
	}
	m.TimeoutMS = timeout.Milliseconds()
	var c *child
	select {
	case <-ctx.Done():
		return answer, ctx.Err()
	case <-p.closed:
		return answer, ErrClosed
	case c = <-p.slots:
	}
	if c, err = p.living(ctx, c); err != nil {
		p.slots <- nil
		return answer, err
	}
	answer, err = exchange(ctx, p, c, m, read)
	p.slots <- p.keep(c, err)
	return answer, err
}

// living is c if it still runs, or a new child.
func (p *Pool) living(ctx context.Context, c *child) (*child, error) {
	if c != nil {
		select {
		case <-c.exited:
			c.stop()
		default:
			return c, nil
		}
	}
	return start(ctx, p.cfg)
}

// keep decides whether a child that answered reads another picture.
func (p *Pool) keep(c *child, err error) *child {
	var remote *RemoteError
	if err != nil && !errors.As(err, &remote) {
		return nil
	}
	resident, known := residentBytes(c.cmd.Process.Pid)
	if c.pictures >= p.cfg.RecycleAfter || known && float64(resident) > recycleShare*float64(p.cfg.MaxMemory) {
		c.retire()
		return nil
	}
	return c
}

// exchange sends the request and waits for the answer, the child's death or a
// reason to kill it. A child that did not answer properly is stopped on return.
func exchange[T any](ctx context.Context, p *Pool, c *child, m message, read func(r io.Reader, seq uint32) (T, error)) (T, error) {
	begin := time.Now()
	c.pictures++
	c.stderrLines.Store(0)
	seq := uint32(c.pictures)
	type answer struct {
		value T
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		if err := writeRequest(c.stdin, seq, m); err != nil {
			answered <- answer{err: err}
			return
		}
		value, err := read(c.stdout, seq)
		answered <- answer{value, err}
	}()
	var none T
	death := func(cause Cause) error {
		c.stop()
		return &DeathError{Cause: cause, Exit: c.exit(), After: time.Since(begin)}
	}
	// judge tells an answer from what is left of a dying child.
	judge := func(a answer) (T, error) {
		var remote *RemoteError
		switch {
		case a.err == nil || errors.As(a.err, &remote):
			return a.value, a.err
		case errors.Is(a.err, errProtocol):
			return none, death(CauseGarbage)
		}
		return none, death(CauseCrash)
	}
	deadline := time.NewTimer(m.timeout() + m.timeout()/10)
	defer deadline.Stop()
	tick := time.NewTicker(memoryTick)
	defer tick.Stop()
	for {
		select {
		case a := <-answered:
			return judge(a)
		case <-c.exited:
			select {
			case a := <-answered:
				return judge(a)
			case <-time.After(answerGrace):
				return none, death(CauseCrash)
			}
		case <-deadline.C:
			return none, death(CauseTimeout)
		case <-tick.C:
			if resident, known := residentBytes(c.cmd.Process.Pid); known && resident > p.cfg.MaxMemory {
				return none, death(CauseMemory)
			}
		case <-ctx.Done():
			c.stop()
			return none, ctx.Err()
		}
	}
}

// Close waits for the pictures at work and ends the children. A caller in a
// hurry cancels the contexts it gave to Verify first.
func (p *Pool) Close() error {
	p.close()
	return nil
}

func (p *Pool) shut() {
	close(p.closed)
	for range p.cfg.Size {
		if c := <-p.slots; c != nil {
			c.retire()
		}
	}
}

var _ io.Closer = (*Pool)(nil)
