package storagetest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a server that dies with the test, however the test dies.
type process struct {
	command *exec.Cmd
	output  bytes.Buffer // read only after ended is closed
	ended   chan struct{}
}

func start(t testing.TB, command *exec.Cmd, credential *syscall.Credential, ready func() bool) *process {
	t.Helper()
	p := &process{command: command, ended: make(chan struct{})}
	command.Stdout, command.Stderr = &p.output, &p.output
	command.SysProcAttr = &syscall.SysProcAttr{Credential: credential, Pdeathsig: syscall.SIGKILL}
	command.WaitDelay = time.Second // its children may hold the pipe longer than it lives
	started := make(chan error)
	go func() {
		// The kernel sends Pdeathsig when the starting thread ends, so that
		// thread stays with this goroutine until the server has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			command.Wait()
		}
		close(p.ended)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	deadline := time.Now().Add(startTimeout)
	for !ready() {
		select {
		case <-p.ended:
			t.Fatalf("%s ended at start: %v\n%s", filepath.Base(command.Path), command.ProcessState, p.output.Bytes())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer after %v", filepath.Base(command.Path), startTimeout)
		}
	}
	return p
}

// kill ends the process with its children and returns when it is gone. It may
// be called twice.
func (p *process) kill() {
	select {
	case <-p.ended:
		return
	default:
	}
	// Postgres does not start again beside the children of the one before.
	children := Children(p.command.Process.Pid)
	p.command.Process.Kill()
	for _, pid := range children {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	<-p.ended
}

// Children are the processes that a process started and that still run.
func Children(pid int) (children []int) {
	lists, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "children"))
	for _, list := range lists {
		text, _ := os.ReadFile(list) // the thread may have ended
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				children = append(children, child)
			}
		}
	}
	return children
}
