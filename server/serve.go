package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/client"
	"github.com/heyan/heyan/worker/engine"
)

// DefaultListen is reachable from this machine alone: there are no keys yet.
const DefaultListen = "127.0.0.1:8080"

// Config of a service. Everything left empty runs inside this process, on the
// data folder.
type Config struct {
	DataDir string         // made when it is missing; required
	Listen  string         // host:port; default DefaultListen
	Redis   string         // address of a Redis server; empty: embedded queue
	S3      objects.Config // an S3 server; empty Endpoint: embedded server
	Records string         // postgres://… ; empty: SQLite in DataDir
	KeyFile string         // master keys of the vault; default vault.key in DataDir

	Engine   engine.Config // Command is required: the native child
	Policy   string        // of submissions that name none; required, one of Policies
	Policies []string      // names that a submission may choose
	SLA      time.Duration // default 30 min
	// SystemReport is the report of a verification that could not be made.
	SystemReport func(s report.Submission, code string) report.Report

	SweepEvery   time.Duration // see worker.Worker
	QueueLease   time.Duration
	RetryAfter   time.Duration
	DrainTimeout time.Duration

	Logger *slog.Logger
	Ready  func(address net.Addr) // called once, when requests are answered
}

// Timeouts of the HTTP server. A long poll and its answer fit into the write
// timeout, a picture over a slow line into the read timeout.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = readTimeout + maxWait*time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 16 << 10
	// shutdownTimeout is for requests under way when the service ends.
	shutdownTimeout = 10 * time.Second
)

// service is what Serve opened.
type service struct {
	embedded *objects.Embedded // nil with an S3 server
	objects  *objects.Store
	records  *records.Store
	vault    *vault.Vault
	queue    *worker.Queue
	pool     *engine.Pool
}

// Serve runs API and worker until ctx ends, then drains them. It returns an
// error when something is missing at the start or the listener breaks.
func Serve(ctx context.Context, cfg Config) error {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Listen == "" {
		cfg.Listen = DefaultListen
	}
	if cfg.KeyFile == "" {
		cfg.KeyFile = filepath.Join(cfg.DataDir, "vault.key")
	}
	if cfg.DataDir == "" || cfg.Policy == "" || cfg.SystemReport == nil {
		return errors.New("serve: DataDir, Policy and SystemReport are required")
	}
	s, err := open(ctx, cfg)
	defer s.close()
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	api := NewAPI(&client.Client{
		Records: s.records, Objects: s.objects, Vault: s.vault, Queue: s.queue,
		Policy: cfg.Policy, SLA: cfg.SLA, QueueLease: cfg.QueueLease, Logger: cfg.Logger,
	}, cfg.Policies, cfg.Logger)
	web := &http.Server{
		Handler:           api.Handler(),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelWarn),
	}
	w := &worker.Worker{
		Records: s.records, Objects: s.objects, Vault: s.vault, Queue: s.queue, Engine: s.pool,
		SystemReport: cfg.SystemReport,
		Logger:       cfg.Logger, SweepEvery: cfg.SweepEvery, QueueLease: cfg.QueueLease,
		RetryAfter: cfg.RetryAfter, DrainTimeout: cfg.DrainTimeout,
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() {
		served <- web.Serve(listener)
		cancel() // without its API the worker need not go on
	}()
	shut := make(chan error, 1)
	go func() {
		<-ctx.Done()
		api.Drain()
		closing, done := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer done()
		shut <- web.Shutdown(closing)
	}()
	if cfg.Ready != nil {
		cfg.Ready(listener.Addr())
	}
	workerErr := w.Run(ctx)
	cancel()
	servedErr := <-served
	if errors.Is(servedErr, http.ErrServerClosed) {
		servedErr = nil
	}
	return errors.Join(workerErr, <-shut, servedErr)
}

// open reaches every part, in the order of their needs. What was opened is
// returned with the error too.
func open(ctx context.Context, cfg Config) (s service, err error) {
	dir, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return s, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s, err
	}
	if cfg.S3.Endpoint == "" {
		if s.embedded, err = objects.Embed(filepath.Join(dir, "objects")); err != nil {
			return s, err
		}
		cfg.S3 = s.embedded.Config()
	}
	if s.objects, err = objects.Open(ctx, cfg.S3); err != nil {
		return s, err
	}
	if cfg.Records == "" {
		cfg.Records = (&url.URL{Scheme: "sqlite", Path: filepath.Join(dir, "records.db")}).String()
	}
	if s.records, err = records.Open(ctx, cfg.Records); err != nil {
		return s, err
	}
	if s.vault, err = vault.Open(ctx, cfg.KeyFile, s.records); err != nil {
		return s, err
	}
	if s.queue, err = worker.OpenQueue(ctx, cfg.Redis); err != nil {
		return s, err
	}
	if cfg.Engine.Logger == nil {
		cfg.Engine.Logger = cfg.Logger
	}
	if s.pool, err = engine.NewPool(cfg.Engine); err != nil {
		return s, err
	}
	return s, s.pool.Ready(ctx)
}

// close gives back what was opened, the last first. At this point nothing that
// was acknowledged depends on it any more.
func (s service) close() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if s.pool != nil {
		_ = s.pool.Close()
	}
	if s.queue != nil {
		_ = s.queue.Close()
	}
	if s.records != nil {
		_ = s.records.Close()
	}
	if s.embedded != nil {
		_ = s.embedded.Close(ctx)
	}
}
