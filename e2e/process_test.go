package e2e

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heyan/heyan/storage/storagetest"
)

const (
	// restartAfter is the pause before a service that ended starts again.
	restartAfter = 200 * time.Millisecond
	// startTimeout is how long a service may take to answer, on a busy machine.
	startTimeout = time.Minute
	// stopTimeout is how long it may take to drain.
	stopTimeout = 40 * time.Second
)

// service is a heyan process that is started again whenever it ends, as systemd
// and compose do.
type service struct {
	args []string
	env  []string
	log  *os.File

	mu      sync.Mutex
	process *os.Process // nil while none runs
	stopped bool
	ended   chan struct{} // closed once it is stopped and gone
}

// run starts heyan with these arguments and more environment; what it prints is
// appended to the log. It is gone when the test ends.
func run(t testing.TB, log string, env []string, args ...string) *service {
	t.Helper()
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{args: args, env: append(os.Environ(), env...), log: file, ended: make(chan struct{})}
	go s.keep()
	t.Cleanup(func() {
		s.end()
		file.Close()
	})
	return s
}

// end kills it for good. It may be called twice.
func (s *service) end() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.kill()
	<-s.ended
}

// keep starts the process again and again.
func (s *service) keep() {
	defer close(s.ended)
	// The kernel kills the process when the thread that started it ends: with
	// this one, however the test dies.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		command := exec.Command(binary, s.args...)
		command.Env, command.Stdout, command.Stderr = s.env, s.log, s.log
		command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if !s.begin(command) {
			return
		}
		_ = command.Wait() // however it ended, it starts again
		s.mu.Lock()
		s.process = nil
		s.mu.Unlock()
		time.Sleep(restartAfter)
	}
}

func (s *service) begin(command *exec.Cmd) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || command.Start() != nil {
		return false
	}
	s.process = command.Process
	return true
}

// pid of the process that runs now; 0 between two.
func (s *service) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.Pid
}

func (s *service) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		_ = s.process.Signal(sig) // it may have ended this moment
	}
}

func (s *service) kill() { s.signal(syscall.SIGKILL) }

// stop lets it drain, and does not start it again.
func (s *service) stop(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(stopTimeout):
		t.Errorf("%s does not end within %s", s.args[0], stopTimeout)
	}
}

// killChild kills one of its engine children, chosen by a number.
func (s *service) killChild(n uint64) {
	children := storagetest.Children(s.pid())
	if len(children) > 0 {
		_ = syscall.Kill(children[n%uint64(len(children))], syscall.SIGKILL)
	}
}

// limitFiles lets it write no file beyond so many bytes, as if the disk were
// full there.
func (s *service) limitFiles(t testing.TB, bytes uint64) {
	t.Helper()
	var limit unix.Rlimit
	err := unix.Prlimit(s.pid(), unix.RLIMIT_FSIZE, nil, &limit)
	if err == nil {
		limit.Cur = bytes
		err = unix.Prlimit(s.pid(), unix.RLIMIT_FSIZE, &limit, nil)
	}
	if err != nil {
		t.Fatal(errors.Join(errors.New("prlimit"), err))
	}
}
