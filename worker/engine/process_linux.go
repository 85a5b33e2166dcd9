package engine

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// isolate puts the child in a process group of its own and has the kernel kill
// it when the parent dies.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// giveWay lowers the priority of the child's threads below that of this process.
// More than the lowest is the lowest.
func giveWay(pid int) {
	inverted, err := syscall.Getpriority(syscall.PRIO_PROCESS, os.Getpid()) // 20 - nice, see getpriority(2)
	if err == nil {
		_ = syscall.Setpriority(syscall.PRIO_PGRP, pid, 20-inverted+childNice)
	}
}

// killGroup kills the child and what it started. A group that is gone already
// is as good.
func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// preferForOOM asks the kernel, when memory runs out, to take the child before
// the service. Where that is not allowed the kernel chooses by size.
func preferForOOM(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte("500"), 0)
}

// residentBytes is the resident memory of a process; false when it is gone.
func residentBytes(pid int) (int64, bool) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid)) // proc(5): size resident …, pages
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(statm)
	if len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err == nil
}

// TakeStdout gives the child's process the protocol's end of stdout for itself:
// from now on whatever native code prints to stdout goes to stderr.
func TakeStdout() (*os.File, error) {
	own, err := syscall.Dup(1)
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(own)
	if err := syscall.Dup3(2, 1, 0); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(own), "engine protocol"), nil
}
