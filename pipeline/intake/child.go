package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// What a child may use. A 50 MP HEIC takes 3 s and 0.6 GiB, a PDF with one
// scanned page 1 s and 0.2 GiB.
const (
	childDeadline = 20 * time.Second // wall clock and processor time, each
	childMemory   = 2 << 30          // bytes of address space
	childFile     = 256 << 20        // bytes of a file it writes
)

// complaint is what a program printed when it failed. It may quote the file, so
// it is looked at and never shown.
type complaint struct {
	stderr string
	status error
}

func (c complaint) Error() string { return c.status.Error() }

// run feeds stdin to a program that is not to be trusted with it and returns
// what it prints, at most maxOutput bytes. A file it cannot digest is reported
// as a complaint, or as an *Error where it took more than it may; a program that
// is not installed as an *Error that is ours.
func run(ctx context.Context, stdin []byte, maxOutput int, name string, args ...string) ([]byte, error) {
	program, err := lookUp(name)
	if err != nil {
		return nil, err
	}
	prlimit, err := lookUp("prlimit")
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, childDeadline)
	defer cancel()
	cmd := exec.CommandContext(limited, prlimit, append([]string{
		fmt.Sprintf("--cpu=%.0f", childDeadline.Seconds()), fmt.Sprintf("--as=%d", childMemory),
		fmt.Sprintf("--fsize=%d", childFile), "--core=0", program}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	cmd.WaitDelay = time.Second
	cmd.Stdin = bytes.NewReader(stdin)
	stdout, stderr := capped{max: maxOutput, full: cancel}, capped{max: 1 << 16}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case stdout.over:
		return nil, unreadable("too_complex", fmt.Errorf("%s printed more than %d bytes", name, maxOutput))
	case err == nil:
		return stdout.buffer.Bytes(), nil
	case limited.Err() != nil:
		return nil, &Error{Code: CodeUnreadable, Rule: "too_complex", Limit: childDeadline.Seconds(), Value: childDeadline.Seconds(), internal: fmt.Errorf("%s: %w", name, limited.Err())}
	case !errors.As(err, &exit):
		return nil, &Error{Code: CodeEngineFailed, Rule: ruleOf(name, "failed"), internal: err}
	case exit.Sys().(syscall.WaitStatus).Signaled():
		return nil, unreadable("too_complex", fmt.Errorf("%s: %w", name, err))
	}
	return nil, complaint{stderr: stderr.buffer.String(), status: fmt.Errorf("%s: %w", name, err)}
}

func lookUp(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", &Error{Code: CodeEngineFailed, Rule: ruleOf(name, "missing"), internal: err}
	}
	return path, nil
}

func ruleOf(program, what string) string {
	return strings.ReplaceAll(program, "-", "_") + "_" + what
}

// capped collects at most max bytes, drops the rest and calls full, if any, when
// there is a rest.
type capped struct {
	buffer bytes.Buffer
	max    int
	over   bool
	full   func()
}

func (c *capped) Write(p []byte) (int, error) {
	keep := min(len(p), c.max-c.buffer.Len())
	if keep < len(p) {
		c.over = true
		if c.full != nil {
			c.full()
		}
	}
	c.buffer.Write(p[:keep])
	return len(p), nil
}
