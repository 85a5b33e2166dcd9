package worker

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker/engine"
)

// rig is a worker over its own storage, with a clock that is set by hand.
type rig struct {
	*Worker
	registry *prometheus.Registry
	mu       sync.Mutex
	now      time.Time
}

func newRig(t testing.TB, redis string, e Engine) *rig {
	return newRigOn(t, "sqlite://"+filepath.Join(t.TempDir(), "records.db"), redis, e)
}

func newRigOn(t testing.TB, dsn, redis string, e Engine) *rig {
	t.Helper()
	dir := t.TempDir()
	r := &rig{registry: prometheus.NewRegistry(), now: time.Now().Truncate(time.Second)}
	store, err := records.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	server, err := objects.Embed(filepath.Join(dir, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(context.Background()) })
	pictures, err := objects.Open(t.Context(), server.Config())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.Open(t.Context(), filepath.Join(dir, "vault.key"), store)
	if err != nil {
		t.Fatal(err)
	}
	r.Worker = &Worker{
		Records: store, Objects: pictures, Vault: keys, Queue: openQueue(t, redis), Engine: e,
		SystemReport: func(s report.Submission, code string) report.Report {
			return report.Report{Outcome: report.OutcomeReview, Reasons: []report.Reason{{Code: code}}}
		},
		Terms:      map[string]Terms{"photo": {SLA: 30 * time.Minute, Picture: 24 * time.Hour, Submission: 48 * time.Hour, Report: 72 * time.Hour}},
		Registerer: r.registry,
		Logger:     slog.New(slog.DiscardHandler), Now: r.clock, SweepEvery: 100 * time.Millisecond, DrainTimeout: time.Second,
	}
	r.put(t, "pictures/shared", "photo")
	return r
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func (r *rig) put(t testing.TB, key, content string) {
	t.Helper()
	if err := r.Objects.Put(t.Context(), key, bytes.NewReader([]byte(content)), int64(len(content)), "image/jpeg"); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) has(t *testing.T, key string) bool {
	t.Helper()
	list, err := r.Objects.List(t.Context(), key, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	return len(list) == 1
}

// record is a submission that nobody has queued yet.
func (r *rig) record(t *testing.T, priority string) records.Verification {
	t.Helper()
	sealer, err := r.Vault.For(t.Context(), records.DefaultTenant)
	if err != nil {
		t.Fatal(err)
	}
	id := records.NewID()
	sealed, err := SealSubmission(sealer, id, report.Submission{ID: id, Policy: "photo"})
	if err != nil {
		t.Fatal(err)
	}
	now := r.clock()
	return records.Verification{ID: id, Tenant: records.DefaultTenant, Policy: "photo", Priority: priority, ObjectKey: "pictures/shared",
		Sealed: sealed, MaxAttempts: MaxAttempts, LeaseUntil: now, CreatedAt: now, DeadlineAt: now.Add(30 * time.Minute)}
}

func (r *rig) submit(t *testing.T, priority string) records.Verification {
	t.Helper()
	v, _, err := r.Records.Create(t.Context(), r.record(t, priority), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// flood stores n submissions of a batch by one statement, past the records' own
// way of a transaction for each.
func (r *rig) flood(t *testing.T, dsn string, n int) {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ids, sealed := make([]string, n), make([][]byte, n)
	var v records.Verification
	for i := range n {
		v = r.record(t, Batch)
		ids[i], sealed[i] = v.ID, v.Sealed
	}
	_, err = db.Exec(`INSERT INTO verifications (id, tenant, status, organization_id, client_reference, purpose, previous, chain, callback, policy,
			priority, object_key, sealed, attempts, max_attempts, lease_until, last_error, created_at, deadline_at, version)
		SELECT id, $3, 'queued', '', '', '', '', id, '', $4, $5, $6, sealed, 0, $7, 0, '', $8, $9, 1
		FROM unnest($1::text[], $2::bytea[]) AS rows (id, sealed)`,
		ids, sealed, v.Tenant, v.Policy, v.Priority, v.ObjectKey, v.MaxAttempts, v.CreatedAt.UnixMicro(), v.DeadlineAt.UnixMicro())
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) get(t *testing.T, id string) records.Verification {
	t.Helper()
	v, err := r.Records.Get(t.Context(), records.DefaultTenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (r *rig) events(t *testing.T) []records.Event {
	t.Helper()
	all, err := r.Records.Events(t.Context(), records.DefaultTenant, 0, records.MaxPage)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// start runs the worker until the test ends.
func (r *rig) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// verified waits for a verdict.
func (r *rig) verified(t *testing.T, id string) records.Verification {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var v records.Verification
	err := r.Queue.Await(ctx, id, func(ctx context.Context) (done bool, err error) {
		v, err = r.Records.Get(ctx, records.DefaultTenant, id)
		return v.Status == report.StatusCompleted, err
	})
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	return v
}

// fakeEngine answers by what the test says.
type fakeEngine struct {
	size   int
	answer func(ctx context.Context, id string) (report.Report, error)
}

func (e fakeEngine) Size() int { return e.size }

func (e fakeEngine) Verify(ctx context.Context, req engine.Request) (report.Report, error) {
	return e.answer(ctx, req.Submission.ID)
}

func (e fakeEngine) Views(_ context.Context, req engine.ViewRequest) (engine.Views, error) {
	v := engine.Views{Geometry: engine.Geometry{Width: 4000, Height: 3000}, Photo: append([]byte("upright "), req.Picture...), Preview: []byte("small")}
	if req.Quad != nil {
		v.Geometry.PageWidth, v.Page = 2400, []byte("flat")
	}
	return v, nil
}

// passes is the report of a good picture.
func passes(id string) report.Report {
	return report.Report{ID: id, Outcome: report.OutcomePass, TimingsMS: map[string]float64{"intake": 12, "not a code": 1}}
}
