package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// Bounds on what a child may say on stderr.
const (
	stderrLineBytes      = 512 // the rest of a line is dropped
	stderrLinesAPicture  = 50  // further lines are dropped until the next picture
	retireGrace          = 5 * time.Second
	maskedDigits         = 6 // runs of at least so many digits are masked: numbers of persons, phones, licenses
	maskedReplacement    = "<masked>"
	maskedMailExpression = `[^\s@<>"']+@[^\s@<>"']+`
)

// childNice is by how much a child gives way to those who answer callers: on two
// busy cores the acceptance of a photo must not wait for the reading of others
// (make bench-service).
const childNice = 10

// child is one process. pictures belongs to whoever holds the child.
type child struct {
	cmd         *exec.Cmd
	stdin       *os.File
	stdout      *os.File
	exited      chan struct{} // closed when the process has been reaped
	pictures    int
	stderrLines atomic.Int32
}

// start runs the command and waits for its greeting.
func start(ctx context.Context, cfg Config) (*child, error) {
	c := &child{cmd: exec.Command(cfg.Command[0], cfg.Command[1:]...), exited: make(chan struct{})}
	c.cmd.Env = cfg.Env
	// Pipes of our own in place of StdoutPipe: its reading end closes with the
	// process, even when a complete answer still stands in it.
	theirIn, ourIn, err := os.Pipe()
	if err != nil {
		return nil, &StartError{err}
	}
	defer theirIn.Close()
	ourOut, theirOut, err := os.Pipe()
	if err != nil {
		ourIn.Close()
		return nil, &StartError{err}
	}
	defer theirOut.Close()
	ourErr, theirErr, err := os.Pipe()
	if err != nil {
		ourIn.Close()
		ourOut.Close()
		return nil, &StartError{err}
	}
	defer theirErr.Close()
	c.stdin, c.stdout = ourIn, ourOut
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = theirIn, theirOut, theirErr
	isolate(c.cmd)

	started := make(chan error)
	go func() {
		// The kernel kills the child when the thread that started it ends, so
		// that thread waits here for the child.
		runtime.LockOSThread()
		err := c.cmd.Start()
		started <- err
		if err == nil {
			// The exit state is read from cmd.ProcessState.
			_ = c.cmd.Wait()
			killGroup(c.cmd) // what the child started does not outlive it
		}
		close(c.exited)
	}()
	if err := <-started; err != nil {
		ourIn.Close()
		ourOut.Close()
		ourErr.Close()
		return nil, &StartError{err}
	}
	preferForOOM(c.cmd.Process.Pid)
	go c.logStderr(ourErr, cfg.Logger.With("engine_pid", c.cmd.Process.Pid))

	greeted := make(chan error, 1)
	go func() {
		f, err := readFrame(c.stdout)
		if err == nil && (f.kind != kindHello || string(f.payload) != hello) {
			err = errProtocol
		}
		greeted <- err
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.StartTimeout, fmt.Errorf("no greeting within %s", cfg.StartTimeout))
	defer cancel()
	select {
	case err = <-greeted:
		if err == nil {
			giveWay(c.cmd.Process.Pid) // its threads are there now; later ones inherit
			return c, nil
		}
		c.stop()
		return nil, &StartError{fmt.Errorf("greeting: %w (%s)", err, c.exit())}
	case <-ctx.Done():
		c.stop()
		if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
			return nil, &StartError{cause}
		}
		return nil, ctx.Err()
	}
}

// stop kills the child with everything it started and waits for its end. A
// child that was reaped is left alone: its number may belong to another by now.
func (c *child) stop() {
	select {
	case <-c.exited:
	default:
		killGroup(c.cmd)
		<-c.exited
	}
	c.stdin.Close()
	c.stdout.Close()
}

// retire lets the child end by itself, which it does when its input closes.
func (c *child) retire() {
	c.stdin.Close()
	select {
	case <-c.exited:
	case <-time.After(retireGrace):
	}
	c.stop()
}

// exit is the state of the ended process.
func (c *child) exit() string { return c.cmd.ProcessState.String() }

// logStderr logs what the child says line by line until it closes stderr.
func (c *child) logStderr(r io.ReadCloser, log *slog.Logger) {
	defer r.Close()
	lines := bufio.NewReaderSize(r, stderrLineBytes)
	for {
		line, more, err := lines.ReadLine()
		if err != nil {
			return
		}
		text := mask(strings.ToValidUTF8(string(line), "?"))
		for more && err == nil {
			_, more, err = lines.ReadLine()
		}
		switch n := c.stderrLines.Add(1); {
		case n < stderrLinesAPicture:
			log.Warn("engine stderr", "line", text)
		case n == stderrLinesAPicture:
			log.Warn("engine stderr", "line", text, "rest", "dropped until the next picture")
		}
	}
}

var personal = regexp.MustCompile(fmt.Sprintf(`%s|\p{Nd}(?:[\p{Nd} -]{%d,})[\p{Nd}Xx]`, maskedMailExpression, maskedDigits-2))

// mask hides what may be a number of a person, a phone or an e-mail address.
func mask(line string) string { return personal.ReplaceAllString(line, maskedReplacement) }
