package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/server/signin"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
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

	Logger  *slog.Logger
	Ready   func(address net.Addr) // called once, when requests are answered
	Console *Console               // nil: no pages for reviewers
	// FirstKey is called with the token of a key of all scopes, when the default
	// tenant has had no key before; nil: none is made. The token is not kept.
	FirstKey func(token string)
}

// Console is what the reviewers' pages need to know.
type Console struct {
	URL        string // of the service as browsers reach it; default http:// and the address listened on
	Policy     func(name string) (verdict.Policy, error)
	OIDC       signin.OIDCConfig // without RedirectURL; empty Issuer: local accounts only
	Grace      time.Duration     // to undo a decision; default console.DefaultGrace
	SecondLook float64           // share of the cases that two people decide, 0..1
	// FirstUser is called with the one-time link of the first admin as long as
	// nobody can sign in to the default tenant; nil: none is made. The link is not
	// kept.
	FirstUser func(link string)
}

// shared refuses what other processes cannot reach.
func (c Config) shared() error {
	if c.Redis == "" || c.S3.Endpoint == "" || c.Records == "" {
		return errors.New("serve: API and worker in processes of their own need a Redis server, an S3 server and Postgres")
	}
	return nil
}

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
