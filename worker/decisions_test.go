package worker

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

// TestDecisionBecomesFinal: once its time to undo is over a person's decision is
// the verification's, and is told once.
func TestDecisionBecomesFinal(t *testing.T) {
	r := newRig(t, "", fakeEngine{size: 1, answer: func(_ context.Context, id string) (report.Report, error) {
		return report.Report{ID: id, Outcome: report.OutcomeReview, Reasons: []report.Reason{{Code: "name_variant"}}}, nil
	}})
	r.setDefaults()
	v := r.submit(t, Standard)
	if _, err := r.handle(t.Context(), v.ID); err != nil {
		t.Fatal(err)
	}
	err := r.Records.AddUser(t.Context(), records.User{ID: records.NewID(), Tenant: v.Tenant, Login: "reviewer", Name: "Reviewer",
		Role: records.RoleReviewer, CreatedAt: r.clock()}, records.Entry{At: r.clock(), Actor: "system"})
	if err != nil {
		t.Fatal(err)
	}
	user, err := r.Records.UserByLogin(t.Context(), "reviewer")
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Records.Decide(t.Context(), records.Decision{ID: records.NewID(), Case: v.ID, Tenant: v.Tenant, By: user.ID, Kind: records.Reject,
		Reasons: []string{"name_mismatch"}, At: r.clock()}, records.Reader{User: user.ID}, records.DecideTerms{Grace: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		pass    time.Duration
		outcome report.Outcome
		events  int
	}{{0, report.OutcomeReview, 1}, {29 * time.Second, report.OutcomeReview, 1}, {time.Second, report.OutcomeFail, 2}, {time.Hour, report.OutcomeFail, 2}} {
		r.pass(step.pass)
		for range 2 { // again, as by another worker
			if err := r.finalize(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := r.get(t, v.ID); got.Outcome != step.outcome || len(r.events(t)) != step.events {
			t.Errorf("after %v: %s with %d events, want %s with %d", step.pass, got.Outcome, len(r.events(t)), step.outcome, step.events)
		}
	}
	last := r.events(t)[1]
	var told struct {
		Outcome report.Outcome
		Reasons []string
	}
	if err := json.Unmarshal(last.Payload, &told); err != nil || last.Type != EventCompleted || told.Outcome != report.OutcomeFail || len(told.Reasons) != 1 || told.Reasons[0] != "name_mismatch" {
		t.Errorf("got %s %s, %v", last.Type, last.Payload, err)
	}
	if n := testutil.ToFloat64(r.metrics.decided.WithLabelValues("fail")); n != 1 {
		t.Errorf("%v decisions counted, want 1", n)
	}
}
