package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// faultEnv turns the test binary into an engine child whose faults are asked
// for by the submission's client reference, or by the picture of views; its value
// is the fault at start.
const faultEnv = "ENGINE_TEST_FAULT"

// parentEnv turns it into a parent that prints its child's process id and hangs.
const parentEnv = "ENGINE_TEST_PARENT"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(parentEnv) != "":
		orphaningParent()
	case os.Getenv(faultEnv) != "":
		faultChild(os.Getenv(faultEnv))
	default:
		os.Exit(m.Run())
	}
}

func faultChild(atStart string) {
	switch atStart {
	case "silent":
		time.Sleep(time.Hour)
	case "exit":
		os.Exit(3)
	case "babble":
		fmt.Println("loading models, please wait")
		time.Sleep(time.Hour)
	}
	out, err := TakeStdout()
	if err != nil {
		panic(err)
	}
	var hoard [][]byte
	served := 0
	provoke := func(ctx context.Context, fault string) error {
		served++
		switch fault {
		case "crash":
			os.Exit(2)
		case "abort":
			_ = syscall.Kill(os.Getpid(), syscall.SIGABRT)
			select {} // the signal may come a moment later
		case "hang":
			time.Sleep(time.Hour)
		case "hang with grandchild":
			grandchild := exec.Command("sleep", "3600")
			grandchild.Stdout = out
			if err := grandchild.Start(); err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "grandchild=%d\n", grandchild.Process.Pid)
			time.Sleep(time.Hour)
		case "garbage":
			_, _ = out.WriteString("terminate called after throwing an instance of 'cv::Exception'")
			time.Sleep(time.Hour)
		case "truncated":
			_, _ = out.Write([]byte{byte(kindReport), 0, 0, 0, 1, 0, 0, 1, 0, '{'})
			os.Exit(0)
		case "twice":
			if err := writeFrame(out, frame{kindReport, uint32(served), []byte(`{"id":"first"}`)}); err != nil {
				return err
			}
		case "answer and die":
			if err := writeFrame(out, frame{kindReport, uint32(served), []byte(`{"id":"last words"}`)}); err != nil {
				return err
			}
			os.Exit(1)
		case "allocate":
			for {
				block := make([]byte, 8<<20)
				for i := range block {
					block[i] = 1
				}
				hoard = append(hoard, block)
				time.Sleep(2 * time.Millisecond)
			}
		case "grow":
			for resident := int64(0); float64(resident) < (recycleShare+0.05)*growLimit; resident, _ = residentBytes(os.Getpid()) {
				block := make([]byte, 1<<20)
				for i := range block {
					block[i] = 1
				}
				hoard = append(hoard, block)
			}
		case "until deadline":
			<-ctx.Done()
			return ctx.Err()
		case "error":
			return permanent{}
		case "chatter":
			fmt.Println("printed to stdout by native code")
			fmt.Fprintln(os.Stderr, "applicant 11010519491231002X, 138 0013 8000, zhang@example.com")
			for range 10 * stderrLinesAPicture {
				fmt.Fprintln(os.Stderr, "warning"+strings.Repeat("!", 2*stderrLineBytes))
			}
		}
		return nil
	}
	err = Serve(context.Background(), os.Stdin, out, Handlers{
		Verify: func(ctx context.Context, req Request) (report.Report, error) {
			return report.Report{
				ID: req.Submission.ID, Status: report.StatusCompleted, Policy: req.Policy,
				Picture:  report.Picture{Bytes: int64(len(req.Picture))},
				Versions: map[string]string{"pid": strconv.Itoa(os.Getpid())},
			}, provoke(ctx, req.Submission.ClientReference)
		},
		Views: func(ctx context.Context, req ViewRequest) (Views, error) {
			v := Views{Geometry: Geometry{Width: 4000, Height: 3000, PreviewWidth: os.Getpid()}, Photo: req.Picture, Preview: []byte("preview")}
			if req.Quad != nil {
				v.Geometry.PageWidth, v.Page = int(req.Quad[1][0]), []byte("page")
			}
			return v, provoke(ctx, string(req.Picture))
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// growLimit is the memory limit that "grow" stays just below.
const growLimit = 256 << 20

type permanent struct{}

func (permanent) Error() string   { return "policy is not known" }
func (permanent) Retryable() bool { return false }

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

func newPool(t *testing.T, cfg Config) *Pool {
	t.Helper()
	if cfg.Command == nil {
		cfg.Command = []string{self(t)}
	}
	if cfg.Env == nil {
		cfg.Env = append(os.Environ(), faultEnv+"=none")
	}
	if cfg.Size == 0 {
		cfg.Size = 1
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	p, err := NewPool(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func ask(fault string) Request {
	return Request{Submission: report.Submission{ID: "v1", ClientReference: fault}, Policy: "photo", Picture: []byte("picture")}
}

func TestVerify(t *testing.T) {
	p := newPool(t, Config{})
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	req := ask("")
	req.Picture = bytes.Repeat([]byte{7}, 9<<20)
	rep, err := p.Verify(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if rep.ID != "v1" || rep.Policy != "photo" || rep.Picture.Bytes != 9<<20 {
		t.Errorf("report %+v", rep)
	}
	req.Picture = make([]byte, MaxPicture+1)
	if _, err := p.Verify(t.Context(), req); err == nil {
		t.Error("a picture beyond MaxPicture was accepted")
	}
}

func TestViews(t *testing.T) {
	p := newPool(t, Config{})
	before, err := p.Views(t.Context(), ViewRequest{Picture: []byte("photo")})
	if err != nil || before.Geometry.Width != 4000 || string(before.Photo) != "photo" || string(before.Preview) != "preview" || before.Page != nil {
		t.Fatalf("got %+v, %v", before, err)
	}
	large := bytes.Repeat([]byte{7}, 9<<20)
	got, err := p.Views(t.Context(), ViewRequest{Picture: large, Quad: report.Polygon{{0, 0}, {90, 0}, {90, 60}, {0, 60}}})
	if err != nil || !bytes.Equal(got.Photo, large) || string(got.Page) != "page" || got.Geometry.PageWidth != 90 {
		t.Errorf("with a quad: got geometry %+v, page %q, %v", got.Geometry, got.Page, err)
	}
	if rep, err := p.Verify(t.Context(), ask("")); err != nil || rep.Versions["pid"] != strconv.Itoa(before.Geometry.PreviewWidth) {
		t.Errorf("a report after views, by the same child: got %+v, %v", rep, err)
	}
	if _, err := p.Views(t.Context(), ViewRequest{Picture: make([]byte, MaxPicture+1)}); err == nil {
		t.Error("a picture beyond MaxPicture was accepted")
	}
	var remote *RemoteError
	if _, err := p.Views(t.Context(), ViewRequest{Picture: []byte("error")}); !errors.As(err, &remote) || remote.Retryable() {
		t.Errorf("a picture that is refused: got %v", err)
	}
	if _, err := p.Views(t.Context(), ViewRequest{Picture: []byte("until deadline"), Timeout: time.Second}); !errors.As(err, &remote) || !remote.Timeout {
		t.Errorf("a timeout of its own: got %v", err)
	}
	for fault, want := range map[string]Cause{"crash": CauseCrash, "garbage": CauseGarbage, "hang": CauseTimeout} {
		_, err := p.Views(t.Context(), ViewRequest{Picture: []byte(fault), Timeout: 300 * time.Millisecond})
		var death *DeathError
		if !errors.As(err, &death) || death.Cause != want {
			t.Errorf("%s: got %v, want a death by %s", fault, err, want)
		}
		if _, err := p.Verify(t.Context(), ask("")); err != nil {
			t.Errorf("after %s: %v", fault, err)
		}
	}
}

// A death costs its own attempt; the next picture is read by another child.
func TestDeaths(t *testing.T) {
	for _, tt := range []struct {
		fault string
		want  Cause
	}{
		{"crash", CauseCrash},
		{"abort", CauseCrash},
		{"truncated", CauseCrash},
		{"hang", CauseTimeout},
		{"hang with grandchild", CauseTimeout},
		{"garbage", CauseGarbage},
		{"allocate", CauseMemory},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			cfg := Config{MaxMemory: growLimit}
			if tt.want == CauseTimeout {
				cfg.Timeout = 700 * time.Millisecond
			}
			p := newPool(t, cfg)
			before, err := p.Verify(t.Context(), ask(""))
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Verify(t.Context(), ask(tt.fault))
			var death *DeathError
			if !errors.As(err, &death) || death.Cause != tt.want || !death.Retryable() || death.Exit == "" {
				t.Fatalf("got %v, want a death by %s", err, tt.want)
			}
			after, err := p.Verify(t.Context(), ask(""))
			if err != nil {
				t.Fatal(err)
			}
			if before.Versions["pid"] == after.Versions["pid"] {
				t.Error("the child was not replaced")
			}
		})
	}
}

func TestGrandchildrenDieToo(t *testing.T) {
	var log syncBuffer
	p := newPool(t, Config{Timeout: 700 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if _, err := p.Verify(t.Context(), ask("hang with grandchild")); err == nil {
		t.Fatal("no error")
	}
	_, after, _ := strings.Cut(log.String(), "grandchild=")
	digits, _, _ := strings.Cut(after, `"`)
	pid, err := strconv.Atoi(strings.TrimSpace(digits))
	if err != nil {
		t.Fatalf("no grandchild in %q", log.String())
	}
	waitGone(t, pid)
}

// A second answer to one picture must never become the answer to the next.
func TestSecondAnswerIsNotTheNextPictures(t *testing.T) {
	p := newPool(t, Config{})
	if rep, err := p.Verify(t.Context(), ask("twice")); err != nil || rep.ID != "first" {
		t.Fatalf("got %q, %v", rep.ID, err)
	}
	_, err := p.Verify(t.Context(), ask(""))
	var death *DeathError
	if !errors.As(err, &death) || death.Cause != CauseGarbage {
		t.Fatalf("got %v, want a death by garbage", err)
	}
}

func TestLastWordsCount(t *testing.T) {
	p := newPool(t, Config{})
	for range 5 {
		if rep, err := p.Verify(t.Context(), ask("answer and die")); err != nil || rep.ID != "last words" {
			t.Fatalf("got %q, %v", rep.ID, err)
		}
		// The child may be found dead only now; that is no picture's fault.
		time.Sleep(50 * time.Millisecond)
	}
}

func TestRemoteErrors(t *testing.T) {
	p := newPool(t, Config{Timeout: 3 * time.Second})
	first, err := p.Verify(t.Context(), ask(""))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		fault          string
		timeout, retry bool
	}{
		{"error", false, false},
		{"until deadline", true, true},
	} {
		_, err := p.Verify(t.Context(), ask(tt.fault))
		var remote *RemoteError
		if !errors.As(err, &remote) || remote.Timeout != tt.timeout || remote.Retryable() != tt.retry {
			t.Errorf("%s: got %#v", tt.fault, err)
		}
	}
	last, err := p.Verify(t.Context(), ask(""))
	if err != nil || last.Versions["pid"] != first.Versions["pid"] {
		t.Errorf("the child did not live on: %v, %v", last.Versions, err)
	}
}

func TestRecycling(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cfg   Config
		fault string
		lives int // pictures a child reads
	}{
		{"after pictures", Config{RecycleAfter: 2}, "", 2},
		{"after growth", Config{MaxMemory: growLimit}, "grow", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPool(t, tt.cfg)
			pids := map[string]int{}
			for range 4 {
				rep, err := p.Verify(t.Context(), ask(tt.fault))
				if err != nil {
					t.Fatal(err)
				}
				pids[rep.Versions["pid"]]++
			}
			if len(pids) != 4/tt.lives {
				t.Errorf("children and their pictures %v, want %d each", pids, tt.lives)
			}
		})
	}
}

func TestStartFailures(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
	}{
		{"no such program", Config{Command: []string{"/nonexistent/engine"}}},
		{"exits", Config{Env: []string{faultEnv + "=exit"}}},
		{"silent", Config{Env: []string{faultEnv + "=silent"}}},
		{"not an engine", Config{Env: []string{faultEnv + "=babble"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.StartTimeout = 500 * time.Millisecond
			p := newPool(t, tt.cfg)
			for _, err := range []error{p.Ready(t.Context()), func() error { _, err := p.Verify(t.Context(), ask("")); return err }()} {
				var start *StartError
				if !errors.As(err, &start) || !start.Retryable() {
					t.Errorf("got %v, want a StartError", err)
				}
			}
		})
	}
	if _, err := NewPool(Config{}); err == nil {
		t.Error("a pool without a command was made")
	}
}

func TestCancelKillsTheChildAtWork(t *testing.T) {
	p := newPool(t, Config{})
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	begin := time.Now()
	if _, err := p.Verify(ctx, ask("hang")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestManyAtOnce(t *testing.T) {
	p := newPool(t, Config{Size: 3, RecycleAfter: 4})
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			req, fault := ask(""), i%5 == 0
			if fault {
				req = ask("crash")
			}
			req.Submission.ID = strconv.Itoa(i)
			rep, err := p.Verify(t.Context(), req)
			if fault != (err != nil) || !fault && rep.ID != strconv.Itoa(i) {
				t.Errorf("picture %d: got %q, %v", i, rep.ID, err)
			}
		})
	}
	wg.Wait()
}

func TestClose(t *testing.T) {
	p, err := NewPool(Config{Command: []string{self(t)}, Env: []string{faultEnv + "=none"}, Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := p.Verify(t.Context(), ask(""))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Verify(t.Context(), ask("")); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	pid, err := strconv.Atoi(rep.Versions["pid"])
	if err != nil {
		t.Fatal(err)
	}
	waitGone(t, pid)
}

func TestStderrIsMaskedAndBounded(t *testing.T) {
	var log syncBuffer
	p := newPool(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if _, err := p.Verify(t.Context(), ask("chatter")); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	got := log.String()
	for _, secret := range []string{"11010519491231002", "8000", "zhang", "example.com"} {
		if strings.Contains(got, secret) {
			t.Errorf("log holds %q", secret)
		}
	}
	if !strings.Contains(got, "printed to stdout by native code") || !strings.Contains(got, "applicant "+maskedReplacement) {
		t.Errorf("lines are missing: %.300s", got)
	}
	if lines := strings.Count(got, "\n"); lines != stderrLinesAPicture {
		t.Errorf("%d lines, want %d", lines, stderrLinesAPicture)
	}
	if len(got) > stderrLinesAPicture*(stderrLineBytes+200) {
		t.Errorf("%d bytes of log", len(got))
	}
}

func orphaningParent() {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	p, err := NewPool(Config{Command: []string{exe}, Env: []string{faultEnv + "=none"}, Size: 1})
	if err != nil {
		panic(err)
	}
	rep, err := p.Verify(context.Background(), ask(""))
	if err != nil {
		panic(err)
	}
	fmt.Println(rep.Versions["pid"])
	_, _ = p.Verify(context.Background(), ask("hang"))
}

func TestChildrenDieWithTheParent(t *testing.T) {
	parent := exec.Command(self(t))
	parent.Env = append(os.Environ(), parentEnv+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	waitGone(t, pid)
}

func TestChildrenGiveWay(t *testing.T) {
	p := newPool(t, Config{Size: 1})
	rep, err := p.Verify(t.Context(), ask(""))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(rep.Versions["pid"])
	if err != nil {
		t.Fatal(err)
	}
	own, err := syscall.Getpriority(syscall.PRIO_PROCESS, os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			t.Fatal(err)
		}
		got, err := syscall.Getpriority(syscall.PRIO_PROCESS, id)
		if want := max(own-childNice, 1); err != nil || got != want {
			t.Errorf("priority %d, %v; want %d, below the parent's %d", got, err, want, own)
		}
	}
}

// waitGone waits until no such process runs; one that nobody has reaped yet
// counts as gone.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	for range 100 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d still runs", pid)
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestServeEnds(t *testing.T) {
	var none Handlers
	t.Run("with its input", func(t *testing.T) {
		if err := Serve(t.Context(), strings.NewReader(""), io.Discard, none); err != nil {
			t.Error(err)
		}
	})
	t.Run("with its context", func(t *testing.T) {
		in, keep := io.Pipe()
		defer keep.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Serve(ctx, in, io.Discard, none); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("with garbage", func(t *testing.T) {
		if err := Serve(t.Context(), strings.NewReader("GET / HTTP/1.1\r\n"), io.Discard, none); !errors.Is(err, errProtocol) {
			t.Errorf("got %v", err)
		}
	})
}
