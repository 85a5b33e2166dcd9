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

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/client"
	"github.com/heyan/heyan/worker/engine"
	"github.com/heyan/heyan/worker/webhook"
)

// DefaultListen is reachable from this machine alone: without TLS keys travel in
// the clear.
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

	Engine   engine.Config           // Command is required where a worker runs: the native child
	Policy   string                  // of submissions that name none; required, one of Policies
	Policies []string                // names that a submission may choose
	Terms    map[string]worker.Terms // of each policy
	// SystemReport is the report of a verification that could not be made.
	SystemReport func(s report.Submission, code string) report.Report

	Webhooks webhook.Guard // which addresses events may be sent to
	Rate     float64       // requests a second and key; default DefaultRate
	Burst    int           // requests of a key at once; default DefaultBurst

	SweepEvery   time.Duration // see worker.Worker
	QueueLease   time.Duration
	RetryAfter   time.Duration
	DrainTimeout time.Duration

	Logger *slog.Logger
	Ready  func(address net.Addr) // called once, when requests are answered
	// FirstKey is called with the token of a key of all scopes, when the default
	// tenant has had no key before; nil: none is made. The token is not kept.
	FirstKey func(token string)
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

// service is what was opened for a Config.
type service struct {
	cfg      Config
	embedded *objects.Embedded // nil with an S3 server
	objects  *objects.Store
	records  *records.Store
	vault    *vault.Vault
	queue    *worker.Queue
	pool     *engine.Pool // nil where no engine is configured
	metrics  *prometheus.Registry
}

// part is what a service does until its context ends; then it drains.
type part func(*service, context.Context) error

// Serve runs API and worker until ctx ends, then drains them. It returns an
// error when something is missing at the start or the listener breaks.
func Serve(ctx context.Context, cfg Config) error {
	if cfg.Engine.Command == nil || cfg.SystemReport == nil {
		return errors.New("serve: Engine and SystemReport are required")
	}
	return serve(ctx, cfg, (*service).api, (*service).work)
}

// ServeAPI runs the API alone, for workers that are other processes. Without
// Engine it answers no pre-checks.
func ServeAPI(ctx context.Context, cfg Config) error {
	if err := cfg.shared(); err != nil {
		return err
	}
	return serve(ctx, cfg, (*service).api)
}

// ServeWorker runs the worker alone. It listens for probes and for metrics.
func ServeWorker(ctx context.Context, cfg Config) error {
	if cfg.Engine.Command == nil || cfg.SystemReport == nil {
		return errors.New("worker: Engine and SystemReport are required")
	}
	if err := cfg.shared(); err != nil {
		return err
	}
	return serve(ctx, cfg, (*service).work, (*service).probes)
}

// shared refuses what other processes cannot reach.
func (c Config) shared() error {
	if c.Redis == "" || c.S3.Endpoint == "" || c.Records == "" {
		return errors.New("serve: API and worker in processes of their own need a Redis server, an S3 server and Postgres")
	}
	return nil
}

func serve(ctx context.Context, cfg Config, parts ...part) error {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Listen == "" {
		cfg.Listen = DefaultListen
	}
	if cfg.KeyFile == "" {
		cfg.KeyFile = filepath.Join(cfg.DataDir, "vault.key")
	}
	if cfg.DataDir == "" || cfg.Policy == "" {
		return errors.New("serve: DataDir and Policy are required")
	}
	s, err := open(ctx, cfg)
	defer s.close()
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(parts))
	for _, run := range parts {
		go func() {
			ended <- run(s, ctx)
			cancel() // without one of them the others need not go on
		}()
	}
	for range parts {
		err = errors.Join(err, <-ended)
	}
	return err
}

// api answers requests.
func (s *service) api(ctx context.Context) error {
	if err := s.firstKey(ctx); err != nil {
		return fmt.Errorf("serve: first key: %w", err)
	}
	api := NewAPI(Options{
		Client: &client.Client{
			Records: s.records, Objects: s.objects, Vault: s.vault, Queue: s.queue,
			Policy: s.cfg.Policy, Terms: s.cfg.Terms, QueueLease: s.cfg.QueueLease, Logger: s.cfg.Logger,
		},
		Policies: s.cfg.Policies, Engine: s.pool, Presign: s.cfg.S3.PublicURL != "", Webhooks: s.cfg.Webhooks,
		Metrics: s.metrics, Rate: s.cfg.Rate, Burst: s.cfg.Burst, Logger: s.cfg.Logger,
	})
	return s.listen(ctx, api.Handler(), api.Drain)
}

// firstKey makes a key where nobody could ask for one.
func (s *service) firstKey(ctx context.Context) error {
	if s.cfg.FirstKey == nil {
		return nil
	}
	token := records.NewToken()
	added, err := s.records.AddFirstKey(ctx, records.Key{
		ID: records.NewID(), Tenant: records.DefaultTenant, Name: "first", Scopes: records.Scopes, CreatedAt: time.Now(),
	}, records.HashToken(token))
	if added {
		s.cfg.FirstKey(token)
	}
	return err
}

// probes answers what watches over a worker.
func (s *service) probes(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("GET /metrics", metrics(s.metrics))
	return s.listen(ctx, mux, func() {})
}

// listen answers until ctx ends; drain is called then.
func (s *service) listen(ctx context.Context, handler http.Handler, drain func()) error {
	listener, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	web := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	if s.cfg.Ready != nil {
		s.cfg.Ready(listener.Addr())
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain()
	closing, done := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer done()
	return web.Shutdown(closing)
}

// work verifies, and sends events.
func (s *service) work(ctx context.Context) error {
	w := &worker.Worker{
		Records: s.records, Objects: s.objects, Vault: s.vault, Queue: s.queue, Engine: s.pool,
		SystemReport: s.cfg.SystemReport,
		Terms:        s.cfg.Terms,
		Webhooks: webhook.New(webhook.Config{
			Records: s.records, Vault: s.vault, Guard: s.cfg.Webhooks, Registerer: s.metrics, Logger: s.cfg.Logger,
		}),
		Registerer: s.metrics,
		Logger:     s.cfg.Logger, SweepEvery: s.cfg.SweepEvery, QueueLease: s.cfg.QueueLease,
		RetryAfter: s.cfg.RetryAfter, DrainTimeout: s.cfg.DrainTimeout,
	}
	return w.Run(ctx)
}

// open reaches every part, in the order of their needs. What was opened is
// returned with the error too.
func open(ctx context.Context, cfg Config) (s *service, err error) {
	s = &service{cfg: cfg, metrics: prometheus.NewRegistry()}
	s.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
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
	if cfg.Engine.Command == nil {
		return s, nil
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
func (s *service) close() {
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
