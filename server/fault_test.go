package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/engine"
)

// roleEnv makes the test binary an engine child or a whole service.
const (
	roleEnv = "SERVER_TEST_ROLE"
	dirEnv  = "SERVER_TEST_DIR"
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "engine":
		engineChild()
	case "serve":
		if err := serveChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

// engineChild reads pictures that are orders: "crash FILE N" dies until FILE
// has N lines, "sleep DURATION" takes its time, "fail" fails, anything else passes at once.
// It is as careless on stderr as native code may be.
func engineChild() {
	verify := func(_ context.Context, req engine.Request) (report.Report, error) {
		s := req.Submission
		fmt.Fprintf(os.Stderr, "reading for %s %s %s\n", s.IDNumber, s.Phone, s.Email)
		order := append(strings.Fields(string(req.Picture)), "")
		switch order[0] {
		case "crash":
			limit, err := strconv.Atoi(order[2])
			if err != nil {
				return report.Report{}, err
			}
			if countLine(order[1]) <= limit {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
		case "sleep":
			d, err := time.ParseDuration(order[1])
			if err != nil {
				return report.Report{}, err
			}
			time.Sleep(d)
		case "refuse":
			return report.Report{}, refused{}
		}
		outcome, reasons := report.OutcomePass, []report.Reason{}
		if order[0] == "fail" {
			outcome = report.OutcomeFail
			reasons = append(reasons, report.Reason{Code: "image_blurry", Category: report.CategoryImage, Severity: report.SeverityBlock, NextStep: report.NextRetakePhoto})
		}
		return report.Report{
			ID: s.ID, Status: report.StatusCompleted, Outcome: outcome, Policy: req.Policy + "@1", Precheck: req.Precheck,
			Reasons: reasons, Checks: []report.Check{}, Fields: map[report.FieldName]report.Field{},
			Versions: map[string]string{"nonce": records.NewID(), "pid": strconv.Itoa(os.Getpid())},
		}, nil
	}
	views := func(context.Context, engine.ViewRequest) (engine.Views, error) { return engine.Views{}, refused{} }
	err := engine.Serve(context.Background(), os.Stdin, os.Stdout, engine.Handlers{Verify: verify, Views: views})
	if err != nil {
		os.Exit(1)
	}
}

type refused struct{}

func (refused) Error() string   { return "policy file is broken" }
func (refused) Retryable() bool { return false }

// countLine appends a line to a file and says how many there are.
func countLine(path string) int {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if _, err := f.WriteString("x\n"); err != nil {
		panic(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		panic(err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		panic(err)
	}
	return strings.Count(string(text), "\n")
}

// systemReport stands for the verdict's: a person shall look.
func systemReport(s report.Submission, code string) report.Report {
	return report.Report{
		ID: s.ID, Status: report.StatusCompleted, Outcome: report.OutcomeReview, Policy: s.Policy + "@1",
		Reasons: []report.Reason{{Code: code, Category: report.CategorySystem, Severity: report.SeverityReview, NextStep: report.NextWait}},
	}
}

// firstKeyFile holds the first key of a test's service, in its data folder.
const firstKeyFile = "first-key"

func firstKey(t *testing.T, dir string) string {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(dir, firstKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	return string(token)
}

// quick is a service on dir whose waits are short enough for a test.
func quick(dir string, log io.Writer) (Config, error) {
	exe, err := os.Executable()
	return Config{
		FirstKey: func(token string) {
			if err := os.WriteFile(filepath.Join(dir, firstKeyFile), []byte(token), 0o600); err != nil {
				panic(err)
			}
		},
		Rate: 1e6, Burst: 1e6,
		DataDir: dir, Listen: "127.0.0.1:0", Policy: "dingtalk", Policies: []string{"dingtalk", "strict"},
		Engine:       engine.Config{Command: []string{exe}, Env: append(os.Environ(), roleEnv+"=engine"), Size: 2, Timeout: 5 * time.Second},
		SystemReport: systemReport,
		SweepEvery:   100 * time.Millisecond, QueueLease: time.Second, RetryAfter: 50 * time.Millisecond, DrainTimeout: 5 * time.Second,
		Logger: slog.New(slog.NewJSONHandler(log, nil)),
	}, err
}

// serveChild serves until it is killed; its address is its first line.
func serveChild() error {
	cfg, err := quick(os.Getenv(dirEnv), os.Stderr)
	if err != nil {
		return err
	}
	cfg.Ready = func(a net.Addr) { fmt.Println(a) }
	return Serve(context.Background(), cfg)
}

// startServe starts a service process on dir.
func startServe(t *testing.T, dir string, log io.Writer) (*exec.Cmd, string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), roleEnv+"=serve", dirEnv+"="+dir)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var address string
	if _, err := fmt.Fscan(out, &address); err != nil {
		t.Fatalf("no address: %v", errors.Join(err, cmd.Wait()))
	}
	return cmd, "http://" + address
}
