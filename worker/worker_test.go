package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	dto "github.com/prometheus/client_model/go"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/engine"
	"github.com/heyan/heyan/worker/webhook"
)

// gauge is the value of a metric, with one label or none.
func (r *rig) gauge(t *testing.T, name, label string) float64 {
	t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetValue())
			}
			if f.GetName() == name && strings.Join(labels, " ") == label {
				return value(m)
			}
		}
	}
	t.Fatalf("there is no metric %s{%s}", name, label)
	return 0
}

func value(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Histogram != nil:
		return float64(m.Histogram.GetSampleCount())
	}
	return m.Gauge.GetValue()
}

// What stands where once a verdict is given: record, clocks, event, result,
// metrics.
func TestVerdict(t *testing.T) {
	refuse := &engine.RemoteError{Message: "policy is broken", Retry: false}
	for name, address := range servers(t) {
		t.Run(name, func(t *testing.T) {
			fails := map[string]error{}
			r := newRig(t, address, fakeEngine{2, func(_ context.Context, id string) (report.Report, error) {
				return passes(id), fails[id]
			}})
			good, bad := r.submit(t, Interactive), r.submit(t, Interactive)
			fails[bad.ID] = refuse
			r.start(t)
			for _, tt := range []struct {
				v       records.Verification
				outcome report.Outcome
				reasons []string
				event   string
			}{
				{good, report.OutcomePass, []string{}, EventCompleted},
				{bad, report.OutcomeReview, []string{codeEngineFailed}, EventReviewRequired},
			} {
				v := r.verified(t, tt.v.ID)
				at := r.clock()
				if v.Outcome != tt.outcome || !v.PictureUntil.Equal(at.Add(24*time.Hour)) || !v.SealedUntil.Equal(at.Add(48*time.Hour)) ||
					!v.ReportUntil.Equal(at.Add(72*time.Hour)) || v.DecidedAt.IsZero() != (tt.outcome == report.OutcomeReview) {
					t.Errorf("completed %+v", v)
				}
				want, err := json.Marshal(map[string]any{"id": v.ID, "status": "completed", "outcome": tt.outcome, "reasons": tt.reasons})
				if err != nil {
					t.Fatal(err)
				}
				found := false
				for _, e := range r.events(t) {
					if e.Subject == v.ID {
						found = true
						if e.Type != tt.event || !sameJSON(t, e.Payload, want) {
							t.Errorf("event %s %s, want %s %s", e.Type, e.Payload, tt.event, want)
						}
					}
				}
				if !found {
					t.Error("there is no event")
				}
				if result := r.result(t, v); !sameJSON(t, result, want) {
					t.Errorf("result %s, want %s", result, want)
				}
			}
			for metric, want := range map[[2]string]float64{
				{"heyan_verifications_total", "pass photo"}:          1,
				{"heyan_verifications_total", "review photo"}:        1,
				{"heyan_reasons_total", codeEngineFailed + " photo"}: 1,
				{"heyan_verdict_seconds", Interactive}:               2,
				{"heyan_step_seconds", "intake"}:                     1,
				{"heyan_step_seconds", otherLabel}:                   1,
				{"heyan_attempts_failed_total", codeEngineFailed}:    1,
				{"heyan_queue_depth", Interactive}:                   0,
				{"heyan_reviews_open", ""}:                           1,
				{"heyan_reviews_nearest_deadline_seconds", ""}:       1800,
			} {
				if got := r.gauge(t, metric[0], metric[1]); got != want {
					t.Errorf("%s{%s} is %v, want %v", metric[0], metric[1], got, want)
				}
			}
		})
	}
}

// result waits for the task to end and returns what it left behind.
func (r *rig) result(t *testing.T, v records.Verification) []byte {
	t.Helper()
	for range 500 {
		task, err := r.Queue.inspector.GetTaskInfo(v.Priority, v.ID)
		if err != nil {
			t.Fatal(err)
		}
		if task.State == asynq.TaskStateCompleted {
			if task.Retention != resultRetention {
				t.Errorf("kept for %v, want %v", task.Retention, resultRetention)
			}
			return task.Result
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the task does not end")
	return nil
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var one, other any
	if err := errors.Join(json.Unmarshal(a, &one), json.Unmarshal(b, &other)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(one) == fmt.Sprint(other)
}

// The event of a verdict goes to the tenant's endpoint, and holds no more than
// codes.
func TestVerdictIsSent(t *testing.T) {
	r := newRig(t, "", fakeEngine{1, func(_ context.Context, id string) (report.Report, error) { return passes(id), nil }})
	sent := make(chan []byte, 9)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		sent <- body
	}))
	defer receiver.Close()
	sealer, err := r.Vault.For(t.Context(), records.DefaultTenant)
	if err != nil {
		t.Fatal(err)
	}
	endpoint := records.NewID()
	sealed, err := webhook.SealSecrets(sealer, endpoint, []string{webhook.NewSecret()})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Records.AddEndpoint(t.Context(), records.Endpoint{ID: endpoint, Tenant: records.DefaultTenant, URL: receiver.URL,
		SealedSecrets: sealed, Types: []string{EventCompleted}, CreatedAt: r.clock()}); err != nil {
		t.Fatal(err)
	}
	r.Webhooks = webhook.New(webhook.Config{Records: r.Records, Vault: r.Vault, Logger: r.Logger, Now: r.clock, Registerer: r.registry,
		Guard: webhook.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, AllowHTTP: true}})
	v := r.submit(t, Interactive)
	r.start(t)
	want := fmt.Sprintf(`{"type":"verification.completed","timestamp":%q,"data":{"id":%q,"status":"completed","outcome":"pass","reasons":[]}}`,
		r.clock().UTC().Format(time.RFC3339), v.ID)
	if got := next(t, sent, "event"); string(got) != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}

// Each death costs an attempt and is counted by its cause; the third is the last.
func TestDeathsAreCounted(t *testing.T) {
	causes := []engine.Cause{engine.CauseCrash, engine.CauseMemory, engine.CauseTimeout}
	n := 0
	r := newRig(t, "", fakeEngine{1, func(context.Context, string) (report.Report, error) {
		n++
		return report.Report{}, &engine.DeathError{Cause: causes[n-1], Exit: "signal: killed"}
	}})
	r.RetryAfter = time.Millisecond
	v := r.submit(t, Standard)
	r.start(t)
	if v = r.verified(t, v.ID); v.Outcome != report.OutcomeReview || v.Attempts != MaxAttempts || v.Reasons[0] != codeEngineFailed {
		t.Errorf("completed %+v", v)
	}
	for _, cause := range causes {
		if got := r.gauge(t, "heyan_engine_deaths_total", string(cause)); got != 1 {
			t.Errorf("%v deaths by %s, want 1", got, cause)
		}
	}
}

func TestAtRiskOnce(t *testing.T) {
	r := newRig(t, "", fakeEngine{size: 1})
	r.setDefaults()
	for range atRiskBatch + 5 {
		r.submit(t, Standard)
	}
	done := r.submit(t, Standard)
	done.CompletedAt = r.clock()
	if err := r.Records.Complete(t.Context(), done.ID, passes(""), r.completion(done, judgment{})); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		pass time.Duration
		want float64
	}{{24*time.Minute - time.Second, 0}, {time.Second, atRiskBatch + 5}, {time.Hour, atRiskBatch + 5}} {
		r.pass(tt.pass)
		if err := r.watchDeadlines(t.Context()); err != nil {
			t.Fatal(err)
		}
		if tt.want == 0 {
			continue
		}
		if got := r.gauge(t, "heyan_sla_at_risk_total", Standard); got != tt.want {
			t.Errorf("%v at risk, want %v", got, tt.want)
		}
	}
	got := r.events(t)[1]
	if got.Type != EventAtRisk || !strings.Contains(string(got.Payload), `"status":"queued"`) || strings.Contains(string(got.Payload), "outcome") {
		t.Errorf("event %s %s", got.Type, got.Payload)
	}
	if late := r.gauge(t, "heyan_sla_overdue", Standard); late != atRiskBatch+5 {
		t.Errorf("%v overdue, want %d", late, atRiskBatch+5)
	}
	if age := r.gauge(t, "heyan_queue_oldest_seconds", Standard); age != 84*60 {
		t.Errorf("oldest of %v s, want 84 min", age)
	}
}

func TestBoundedLabels(t *testing.T) {
	var b bounded
	for i := range maxCodes {
		if code := fmt.Sprintf("code_%d", i); b.label(code) != code {
			t.Errorf("%s became %s", code, b.label(code))
		}
	}
	for value, want := range map[string]string{"code_0": "code_0", "one_more": otherLabel, "11010519491231002X": otherLabel, "\xff": otherLabel} {
		if got := b.label(value); got != want {
			t.Errorf("%q became %s, want %s", value, got, want)
		}
	}
}
