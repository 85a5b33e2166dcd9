// Package server is Heyan's HTTP face: the API that takes submissions and gives
// reports, and the composition that runs it together with the reviewers' console,
// storage, queue and worker. It knows HTTP, keys and addresses. It must not know how a picture is
// read or decided. No answer and no log line repeats what a caller declared, but
// the answer of an unmasking, which is audited.
package server

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/heyan/heyan/server/console"
	"github.com/heyan/heyan/server/rates"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/client"
	"github.com/heyan/heyan/worker/engine"
	"github.com/heyan/heyan/worker/webhook"
)

const (
	// maxPicture is the largest picture accepted, bytes.
	maxPicture = client.MaxPicture
	// maxBody leaves room for the other parts of a form, bytes.
	maxBody = maxPicture + 256<<10
	// maxUploads is how many bodies are held in memory at the same time.
	maxUploads = 24
	// maxWait is the longest long poll, seconds.
	maxWait = 30
	// consoleHome is the only address that ends with a slash.
	consoleHome = "/console/"
	// pingTimeout bounds what readiness waits for each part.
	pingTimeout = 2 * time.Second
)

// Rates of a key, where the options name none.
const (
	DefaultRate  = 100 // requests a second
	DefaultBurst = 200
)

// Options of an API. Client and Metrics are required.
type Options struct {
	Client   *client.Client // its tenant is that of each caller's key
	Policies []string       // names that a caller may choose
	Engine   *engine.Pool   // for pre-checks; nil: they are answered 503
	// Presign lets uploads go to the S3 server; else the API takes them itself.
	Presign  bool
	Webhooks webhook.Guard    // which addresses an endpoint may have
	Console  *console.Console // the reviewers' pages; nil: none here
	// Metrics takes the API's collectors and is what /metrics shows.
	Metrics *prometheus.Registry
	Rate    float64 // requests a second and key; default DefaultRate
	Burst   int     // requests at once; default DefaultBurst
	Logger  *slog.Logger
}

// API answers HTTP requests.
type API struct {
	client    *client.Client
	policies  map[string]bool
	engine    *engine.Pool
	presign   bool
	webhooks  webhook.Guard
	gatherer  prometheus.Gatherer
	times     *prometheus.HistogramVec
	limits    *rates.Limits // of keys
	console   *console.Console
	log       *slog.Logger
	now       func() time.Time
	uploads   chan struct{} // one entry a body in memory
	batches   chan struct{} // one entry a batch that is received
	prechecks chan struct{} // one entry a pre-check under way
	draining  chan struct{} // closed by Drain
}

// NewAPI is the API over a client.
func NewAPI(o Options) *API {
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.Burst == 0 {
		o.Burst = DefaultBurst
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	a := &API{
		client: o.Client, policies: map[string]bool{}, engine: o.Engine, presign: o.Presign, webhooks: o.Webhooks,
		gatherer: o.Metrics, times: newRequestTimes(), limits: rates.New(o.Rate, o.Burst), console: o.Console, log: o.Logger, now: o.Client.Now,
		uploads: make(chan struct{}, maxUploads), batches: make(chan struct{}, maxBatchUploads), draining: make(chan struct{}),
	}
	if a.now == nil {
		a.now = time.Now
	}
	if o.Engine != nil {
		a.prechecks = make(chan struct{}, precheckShare*o.Engine.Size())
	}
	for _, p := range o.Policies {
		a.policies[p] = true
	}
	o.Metrics.MustRegister(a.times)
	return a
}

// Drain ends the long polls: each gets where its verification stands. Call it once.
func (a *API) Drain() { close(a.draining) }

// Handler is the API with everything in front of it.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Heyan", "1")
	config.Info.Description = "Verification of photos of Chinese business licenses. " +
		"Every refusal is a problem (RFC 9457) whose type is urn:heyan:problem: and a code; none repeats what was sent."
	config.DocsPath = ""     // its page loads a script from a CDN
	config.SchemasPath = ""  //
	config.CreateHooks = nil // no $schema in answers
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{securityScheme: {
		Type: "http", Scheme: "bearer",
		Description: "A key with scopes: submit, read, review, admin. An operation names the one that it needs.",
	}}
	api := humago.New(mux, config)
	api.UseMiddleware(a.authenticate)
	a.register(api)
	mux.Handle("GET /metrics", metrics(a.gatherer))
	if a.console != nil {
		a.console.Register(mux)
		mux.Handle("GET /console", http.RedirectHandler(consoleHome, http.StatusSeeOther))
	}

	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, problem(http.StatusForbidden, "cross_origin", "requests from pages of other origins are refused"))
	}))
	return a.outermost(origins.Handler(unrouted(mux)))
}

type health struct {
	Body struct {
		Status string `json:"status"`
	}
}

func newHealth(status string) *health {
	h := &health{}
	h.Body.Status = status
	return h
}

func (a *API) health(context.Context, *struct{}) (*health, error) { return newHealth("ok"), nil }

func (a *API) ready(ctx context.Context, _ *struct{}) (*health, error) {
	for _, part := range []struct {
		name string
		ping func(context.Context) error
	}{
		{"records", a.client.Records.Ping},
		{"objects", a.client.Objects.Ping},
		{"queue", a.client.Queue.Ping},
	} {
		ctx, cancel := context.WithTimeout(ctx, pingTimeout)
		err := part.ping(ctx)
		cancel()
		if err != nil {
			a.log.Warn("not ready", "part", part.name, "error", err)
			return nil, unavailable(part.name + " does not answer")
		}
	}
	return newHealth("ready"), nil
}

// visit is what is logged of a request.
type visit struct{ id, key, verification string }

type visitKey struct{}

// visitOf is the visit of a request; outside of one a new one.
func visitOf(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v
	}
	return &visit{}
}

// outermost bounds bodies, sets the headers of every answer (the console sets its
// own policy for its pages), turns a panic into
// a problem, counts the request and logs it without what it carried.
func (a *API) outermost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		v := &visit{id: records.NewID()}
		r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
		h := rw.Header()
		h.Set("X-Request-Id", v.id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		w := &statusWriter{ResponseWriter: rw}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				// The value itself may quote the request.
				a.log.Error("panic", "request", v.id, "stack", string(debug.Stack()))
				if w.status == 0 {
					writeProblem(w, problem(http.StatusInternalServerError, "internal", "the service failed"))
				}
			}
			took := time.Since(begin)
			a.observe(r.Pattern, w.status, took)
			// The pattern, not the path: a caller may put anything into a path.
			log := a.log.With("request", v.id, "route", r.Pattern, "status", w.status, "took", took)
			if v.key != "" {
				log = log.With("key", v.key)
			}
			if v.verification != "" {
				log = log.With("verification", v.verification)
			}
			log.Info("request")
		}()
		limit, refused := int64(maxBody), tooLarge()
		if r.Method == http.MethodPost && r.URL.Path == batchesPath {
			limit, refused = maxBatchBody, batchTooLarge()
		}
		if r.ContentLength > limit {
			h.Set("Connection", "close")
			writeProblem(w, refused)
			return
		}
		r.Body = http.MaxBytesReader(rw, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
