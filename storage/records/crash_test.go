package records_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

// crashDSN names the database a child of the crash test writes to until killed.
const crashDSN = "HEYAN_TEST_CRASH_DSN"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(crashDSN); dsn != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dsn))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled creates and completes verifications and prints each change
// the database acknowledged.
func writeUntilKilled(dsn string) error {
	ctx := context.Background()
	s, err := records.Open(ctx, dsn)
	if err != nil {
		return err
	}
	failedAt := make(chan error)
	for range 4 {
		go func() {
			for {
				v := newVerification()
				v.Sealed = []byte("sealed " + v.ID)
				_, _, err := s.Create(ctx, v, v.ID, []byte("hash"))
				if err == nil {
					fmt.Fprintln(os.Stdout, report.StatusQueued, v.ID)
					err = s.Complete(ctx, v.ID, failed("image_blurry"), done(now))
				}
				if err != nil {
					failedAt <- err
					return
				}
				fmt.Fprintln(os.Stdout, report.StatusCompleted, v.ID)
			}
		}()
	}
	return <-failedAt
}

func testCrash(t *testing.T, dsn string) {
	acknowledged := map[string]report.Status{}
	for round := range 3 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), crashDSN+"="+dsn)
		child.Stderr = os.Stderr
		output, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(output)
		for n := 1; lines.Scan(); n++ {
			status, id, _ := strings.Cut(lines.Text(), " ")
			if len(id) == len(records.NewID()) && acknowledged[id] != report.StatusCompleted {
				acknowledged[id] = report.Status(status)
			}
			if n == 60+round*17 {
				child.Process.Kill()
			}
		}
		if err := child.Wait(); child.ProcessState.Exited() {
			t.Fatalf("the child ended by itself: %v", err)
		}
	}
	if len(acknowledged) < 90 {
		t.Fatalf("only %d verifications were acknowledged", len(acknowledged))
	}
	s := open(t, dsn)
	for id, status := range acknowledged {
		got := get(t, s, id)
		if string(got.Sealed) != "sealed "+id {
			t.Errorf("%s: sealed bytes differ", id)
		}
		// What was not yet acknowledged may have been written as well.
		if status == report.StatusCompleted && (got.Status != status || got.Report == nil) {
			t.Errorf("%s: %s was acknowledged, got %s", id, status, got.Status)
		}
	}
}
