package worker

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/certify"
)

// patrolAt lets the clock jump and the patrol come, twice as by two workers.
func (w *town) patrolAt(t *testing.T, at time.Time) {
	t.Helper()
	w.pass(at.Sub(w.clock()))
	for range 2 {
		if err := w.patrol(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// again are the re-verifications that wait, verified.
func (w *town) again(t *testing.T) (done []records.Verification) {
	t.Helper()
	due, err := w.Records.LeaseDue(t.Context(), w.clock(), time.Minute, records.Window{Priority: Batch, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range due {
		done = append(done, w.verify(t, d.ID))
	}
	return done
}

// TestPatrolledYear: reminders and the end, each on its day and once.
func TestPatrolledYear(t *testing.T) {
	w := newTown(t, func(p *verdict.Policy) { p.Reverification = verdict.Reverification{} })
	w.apply(t, "org-1", w.company(firstName), nil)
	end := certify.End(w.organization(t, "org-1").ValidUntil)
	for _, step := range []struct {
		before time.Duration
		state  records.OrganizationState
		told   int
	}{
		{61*day + time.Second, records.Certified, 1}, {61 * day, records.Expiring, 2}, {40 * day, records.Expiring, 2}, {31 * day, records.Expiring, 3},
		{8 * day, records.Expiring, 4}, {2 * day, records.Expiring, 5}, {time.Second, records.Expiring, 5}, {0, records.Expired, 6}, {-day, records.Expired, 6},
	} {
		w.patrolAt(t, end.Add(-step.before))
		if got := w.told(t, "org-1"); w.organization(t, "org-1").State != step.state || len(got) != step.told {
			t.Errorf("%v before the end: %s, told %q", step.before, w.organization(t, "org-1").State, got)
		}
	}
	if got := w.told(t, "org-1"); !slices.Equal(got, []string{"granted", "expiring", "expiring", "expiring", "expiring", "expired"}) {
		t.Errorf("told %q", got)
	}
}

// TestReverification: what is stored is verified again once; only a difference
// reaches people.
func TestReverification(t *testing.T) {
	for _, tt := range []struct {
		name    string
		two     bool // a person approved the first one
		change  func(w *town)
		outcome report.Outcome
		changes []string
		told    []string
	}{
		{"nothing", false, func(*town) {}, report.OutcomePass, nil, []string{"granted", "renewed"}},
		{"what a person approved", true, func(*town) {}, report.OutcomePass, nil, []string{"granted", "renewed"}},
		{"the policy's version", false, func(w *town) {
			p := w.engine.policies["dingtalk"]
			p.Version++
			w.engine.policies["dingtalk"] = p
			w.Terms["dingtalk"] = NewTerms(p)
		}, report.OutcomePass, []string{"policy"}, []string{"granted", "renewed"}},
		{"the reading", false, func(w *town) {
			w.engine.misread = func(p printed) printed { p.Rep = "样张人"; return p }
		}, report.OutcomeReview, []string{"legal_representative"}, []string{"granted", "changed"}},
		{"the term is over", false, func(w *town) {
			w.engine.misread = func(p printed) printed { p.Term = "2020-01-15/2026-06-01"; return p }
		}, report.OutcomeReview, []string{"term", "checks.document_term"}, []string{"granted", "changed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTown(t, func(p *verdict.Policy) {
				p.ReminderDays = nil
				p.Reverification = verdict.Reverification{DaysBefore: 45, SpreadDays: 14, ADay: 10}
			})
			p := w.company(firstName)
			p.Two = tt.two
			v := w.apply(t, "org-1", p, func(s *report.Submission) { s.Email, s.ClientReference = "office@example.com", "order-7" })
			if tt.two {
				w.decide(t, records.Decision{Case: v.ID, Kind: records.Approve})
			}
			before := w.organization(t, "org-1")
			end := certify.End(before.ValidUntil)
			tt.change(w)
			w.patrolAt(t, end.AddDate(0, 0, -45).Add(-time.Second))
			if got := w.again(t); len(got) != 0 {
				t.Fatalf("verified again too early: %+v", got)
			}
			w.patrolAt(t, end.AddDate(0, 0, -31))
			done := w.again(t)
			if len(done) != 1 {
				t.Fatalf("verified again %d times", len(done))
			}
			again := done[0]
			if again.Purpose != report.PurposeReverification || again.ClientReference != "order-7" || again.ObjectKey == v.ObjectKey || !again.DeadlineAt.Equal(end) {
				t.Errorf("verified again: %+v", again)
			}
			var changes []string
			for _, c := range again.Report.Changes {
				changes = append(changes, c.Field)
			}
			if again.Outcome != tt.outcome || !slices.Equal(changes, tt.changes) {
				t.Errorf("got %s %q with changes %q", again.Outcome, again.Reasons, changes)
			}
			if tt.outcome == report.OutcomeReview && !slices.Contains(again.Reasons, "certification_changed") {
				t.Errorf("reasons %q", again.Reasons)
			}
			if got := w.told(t, "org-1"); !slices.Equal(got, tt.told) {
				t.Errorf("told %q", got)
			}
			events := w.events(t)
			for _, e := range events {
				for _, personal := range []string{"样本", "样张", "office@"} {
					if bytes.Contains(e.Payload, []byte(personal)) {
						t.Errorf("%s tells %s", e.Type, e.Payload)
					}
				}
			}
			after := w.organization(t, "org-1")
			if renewed := tt.outcome == report.OutcomePass; after.State != records.Certified || renewed != after.ValidUntil.After(before.ValidUntil) {
				t.Errorf("after it: %+v", after)
			}
			if tt.outcome == report.OutcomeReview {
				w.decide(t, records.Decision{Case: again.ID, Kind: records.Approve})
				if got := w.organization(t, "org-1"); !got.ValidUntil.After(before.ValidUntil) {
					t.Errorf("approved: %+v", got)
				}
			}
			w.patrolAt(t, end.Add(-time.Hour))
			if got := w.again(t); len(got) != 0 {
				t.Errorf("verified again once more: %+v", got)
			}
		})
	}
}

// TestReverificationsADay: no more than the policy's budget, the others on the days
// that follow, and nobody who has submitted by himself.
func TestReverificationsADay(t *testing.T) {
	const companies, aDay = 7, 3
	w := newTown(t, func(p *verdict.Policy) {
		p.ReminderDays = nil
		p.Reverification = verdict.Reverification{DaysBefore: 45, ADay: aDay}
	})
	var all []printed
	for i, trade := range strings.Fields("青山 白云 长河 金石 明月 东风 春雨") {
		all = append(all, w.company("样本市"+trade+"贸易有限公司"))
		w.apply(t, fmt.Sprint("org-", i), all[i], nil)
	}
	start := certify.End(w.organization(t, "org-0").ValidUntil).AddDate(0, 0, -45)
	w.pass(start.Sub(w.clock()))
	all[0].Take = 1
	w.apply(t, "org-0", all[0], nil) // he renews by himself
	for i, want := range []int{3, 3, 0, 0} {
		w.patrolAt(t, start.AddDate(0, 0, i).Add(2*time.Hour))
		if got := len(w.again(t)); got != want {
			t.Errorf("day %d: %d verified again, want %d", i, got, want)
		}
	}
	for i := range companies {
		if got := w.told(t, fmt.Sprint("org-", i)); !slices.Equal(got, []string{"granted", "renewed"}) {
			t.Errorf("org-%d was told %q", i, got)
		}
	}
}

// TestReverificationWithoutPicture: what is no longer kept is not verified again; the
// certification ends by itself.
func TestReverificationWithoutPicture(t *testing.T) {
	w := newTown(t, nil)
	v := w.apply(t, "org-1", w.company(firstName), nil)
	end := certify.End(w.organization(t, "org-1").ValidUntil)
	if err := w.Objects.Delete(t.Context(), v.ObjectKey); err != nil {
		t.Fatal(err)
	}
	for _, before := range []int{60, 30, 7, 1, 0} {
		w.patrolAt(t, end.AddDate(0, 0, -before))
	}
	if got := w.told(t, "org-1"); !slices.Equal(got, []string{"granted", "expiring", "expiring", "expiring", "expiring", "expired"}) {
		t.Errorf("told %q", got)
	}
}
