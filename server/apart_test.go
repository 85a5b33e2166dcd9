package server

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/storagetest"
	"github.com/heyan/heyan/worker/client"
	"github.com/heyan/heyan/worker/engine"
)

// API and worker run apart, on Redis, an S3 server and Postgres; callers put
// their pictures to the S3 server itself.
func TestAPIAndWorkerApart(t *testing.T) {
	_, redis := startRedis(t)
	s3 := storagetest.StartS3(t)
	dsn := storagetest.StartPostgres(t).NewDatabase(t)
	dir := t.TempDir()
	run := func(serve func(context.Context, Config) error, change func(*Config)) (address string, log *syncBuffer) {
		log = &syncBuffer{}
		cfg, err := quick(dir, log)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Redis, cfg.Records, cfg.S3 = redis, dsn, s3.Config
		cfg.S3.PublicURL = "http://" + s3.Config.Endpoint
		change(&cfg)
		ready, ended := make(chan net.Addr, 1), make(chan error, 1)
		cfg.Ready = func(a net.Addr) { ready <- a }
		ctx, cancel := context.WithCancel(context.Background())
		go func() { ended <- serve(ctx, cfg) }()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		select {
		case a := <-ready:
			return "http://" + a.String(), log
		case err := <-ended:
			ended <- err
			t.Fatal(err)
		}
		return "", nil
	}
	api, log := run(ServeAPI, func(c *Config) { c.Engine = engine.Config{} })
	work, _ := run(ServeWorker, func(*Config) {})
	r := &running{dir: dir, HTTP: client.HTTP{Base: api, Key: firstKey(t, dir)}}
	r.Client = &http.Client{Transport: &r.rec}

	object := r.upload(t, r.Key, "fail")
	var v client.Verification
	r.ask(t, r.Key, "POST", "/v1/verifications", map[string]string{"object": object, "phone": seedPhone}, &v)
	done, err := r.Wait(deadline(t, 10*time.Second), v.ID)
	if err != nil || done.Outcome != report.OutcomeFail {
		t.Errorf("got %s, %v", done.Outcome, err)
	}
	contentType, body := form("@picture=good")
	r.is(t, "pre-check without an engine", r.call(t, "POST", "/v1/prechecks", contentType, body), 503, "unavailable")

	worker := &running{HTTP: client.HTTP{Base: work, Client: http.DefaultClient}}
	metrics := string(worker.send(t, "", "GET", "/metrics", http.Header{}, nil).body)
	if want := `heyan_verifications_total{outcome="fail"`; !strings.Contains(metrics, want) {
		t.Errorf("the worker's metrics lack %s", want)
	}
	if got := worker.send(t, "", "GET", "/healthz", http.Header{}, nil); got.status != http.StatusNoContent {
		t.Errorf("the worker's health: %d", got.status)
	}
	if strings.Contains(log.String(), seedPhone) || strings.Contains(metrics, seedPhone) {
		t.Error("personal data in log or metrics")
	}

	cfg, err := quick(dir, log)
	if err != nil {
		t.Fatal(err)
	}
	cfg.S3 = objects.Config{}
	for name, serve := range map[string]func(context.Context, Config) error{"API": ServeAPI, "worker": ServeWorker} {
		if err := serve(t.Context(), cfg); err == nil {
			t.Errorf("a lone %s served on embedded storage", name)
		}
	}
}
