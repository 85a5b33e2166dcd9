package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/heyan/heyan/server/console"
	"github.com/heyan/heyan/server/signin"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/client"
	"github.com/heyan/heyan/worker/webhook"
)

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
	listener, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	pages, link, err := s.console(ctx, listener.Addr())
	if err != nil {
		return errors.Join(fmt.Errorf("serve: console: %w", err), listener.Close())
	}
	api := NewAPI(Options{
		Client: &client.Client{
			Records: s.records, Objects: s.objects, Vault: s.vault, Queue: s.queue,
			Policy: s.cfg.Policy, Terms: s.cfg.Terms, QueueLease: s.cfg.QueueLease, Logger: s.cfg.Logger,
		},
		Policies: s.cfg.Policies, Engine: s.pool, Presign: s.cfg.S3.PublicURL != "", Webhooks: s.cfg.Webhooks,
		Console: pages, Metrics: s.metrics, Rate: s.cfg.Rate, Burst: s.cfg.Burst, Logger: s.cfg.Logger,
	})
	begun := func() {
		if link != "" {
			s.cfg.Console.FirstUser(link)
		}
	}
	return s.answer(ctx, listener, api.Handler(), begun, api.Drain)
}

// console makes the reviewers' pages, nil where none are wanted, and the link of
// the first admin where there must be one.
func (s *service) console(ctx context.Context, listening net.Addr) (pages *console.Console, link string, err error) {
	cfg := s.cfg.Console
	if cfg == nil {
		return nil, "", nil
	}
	base, err := consoleURL(cfg.URL, listening)
	if err != nil {
		return nil, "", err
	}
	if !trusted(base) {
		s.cfg.Logger.Warn("browsers keep no sign-in of the console without TLS; the console's URL says where they reach it", "url", base)
	}
	views := &worker.Views{Objects: s.objects, Logger: s.cfg.Logger}
	if s.pool != nil {
		views.Engine = s.pool
	}
	o := console.Options{Records: s.records, Vault: s.vault, Views: views, Policy: cfg.Policy, URL: base,
		Grace: cfg.Grace, SecondLook: cfg.SecondLook, Logger: s.cfg.Logger}
	if cfg.OIDC.Issuer != "" {
		provider := cfg.OIDC
		provider.RedirectURL = base + console.OIDCDone
		if o.OIDC, err = signin.NewOIDC(provider); err != nil {
			return nil, "", err
		}
	}
	pages = console.New(o)
	if cfg.FirstUser != nil {
		link, err = pages.FirstUser(ctx)
	}
	return pages, link, err
}

// trusted says whether browsers keep the console's cookies: over TLS, or on this
// machine.
func trusted(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Hostname() == "localhost" || ip.IsLoopback()
}

// consoleURL is where browsers reach the console: as configured, or where this
// process listens.
func consoleURL(configured string, listening net.Addr) (string, error) {
	if configured == "" {
		address := listening.String()
		if tcp, is := listening.(*net.TCPAddr); is && tcp.IP.IsUnspecified() {
			address = net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
		}
		return "http://" + address, nil
	}
	u, err := url.Parse(configured)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", errors.New("its URL is https:// and a host, with nothing behind it")
	}
	return u.Scheme + "://" + u.Host, nil
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
	listener, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return s.answer(ctx, listener, mux, func() {}, func() {})
}

// answer serves until ctx ends; begun is called when it does, drain at the end.
func (s *service) answer(ctx context.Context, listener net.Listener, handler http.Handler, begun, drain func()) error {
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
	begun()
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
