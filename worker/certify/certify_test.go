package certify

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// at is a moment in Beijing, as 2026-03-15 10:00.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	moment, err := time.ParseInLocation("2006-01-02 15:04", s, report.Beijing)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

var yearly = Terms{Months: 12, Reminders: []int{60, 30, 7, 1}}

// TestEveryTransition holds the whole machine: the state after each event in each
// state, - for those that are refused.
func TestEveryTransition(t *testing.T) {
	events := []Event{Submit, Pass, Fail, Remind, Expire, Revoke, Cancel, Dissolve}
	want := `
           submitted passed    failed     reminded expired revoked cancelled dissolved
unverified pending   certified unverified -        -       -       -         cancelled
pending    pending   certified unverified -        -       -       -         cancelled
certified  certified certified certified  expiring expired revoked cancelled -
expiring   expiring  certified expiring   expiring expired revoked cancelled -
expired    pending   certified expired    -        -       -       -         cancelled
revoked    revoked   certified revoked    -        -       -       -         revoked
cancelled  pending   certified cancelled  -        -       -       -         cancelled`
	rows := strings.Split(strings.TrimSpace(want), "\n")
	for i, event := range events {
		if title := strings.Fields(rows[0])[i]; title != string(event) {
			t.Fatalf("column %d is %s, want %s", i, title, event)
		}
	}
	now := at(t, "2026-03-15 10:00")
	for _, row := range rows[1:] {
		cells := strings.Fields(row)
		for i, event := range events {
			s := Standing{State: State(cells[0])}
			if s.State == Certified || s.State == Expiring {
				s.Until = Until(now, 12)
			}
			c := Change{Event: event, At: now, Submitted: now, Terms: yearly, Days: 60, Reason: "forged seal"}
			if event == Expire {
				c.At = End(s.Until)
			}
			got := "-"
			if next, err := s.Next(c); err == nil {
				got = string(next.State)
			} else if refused, ok := errors.AsType[*TransitionError](err); !ok || *refused != (TransitionError{s.State, event, RuleState}) {
				t.Errorf("%s, %s: error %v, want rule %s", s.State, event, err, RuleState)
			}
			if got != cells[i+1] {
				t.Errorf("%s, %s: got %s, want %s", s.State, event, got, cells[i+1])
			}
		}
	}
}

func TestFailedVerificationGoesBack(t *testing.T) {
	for _, before := range []State{"", Unverified, Expired, Cancelled} {
		s := Standing{State: before}
		for _, event := range []Event{Submit, Submit, Fail} {
			next, err := s.Next(Change{Event: event, At: at(t, "2026-03-15 10:00")})
			if err != nil {
				t.Fatal(err)
			}
			s = next
		}
		want := Standing{State: before}
		if before == "" {
			want.State = Unverified
		}
		if s != want {
			t.Errorf("before %q: got %+v, want %+v", before, s, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	until := at(t, "2027-03-15 23:59")
	certified := Standing{State: Certified, Until: until}
	reminded := Standing{State: Expiring, Until: until, Reminded: 30}
	revoked := Standing{State: Revoked, Barred: at(t, "2026-06-01 12:00")}
	pending := Standing{State: Pending, Before: Cancelled, Barred: at(t, "2026-06-01 12:00")}
	for _, test := range []struct {
		name   string
		s      Standing
		change Change
		want   Rule
	}{
		{"revoked for no reason", certified, Change{Event: Revoke, Reason: " \n"}, RuleReason},
		{"revoked for a reason", certified, Change{Event: Revoke, Reason: "forged seal"}, ""},
		{"certified for no time", Standing{}, Change{Event: Pass}, RuleTerm},
		{"expired on the last day", certified, Change{Event: Expire, At: at(t, "2027-03-15 23:59")}, RuleNotEnded},
		{"expired after the last day", certified, Change{Event: Expire, At: at(t, "2027-03-16 00:00")}, ""},
		{"reminded on the last day", certified, Change{Event: Remind, At: at(t, "2027-03-15 23:59"), Days: 1}, ""},
		{"reminded after the end", certified, Change{Event: Remind, At: at(t, "2027-03-16 00:00"), Days: 1}, RuleEnded},
		{"reminded twice", reminded, Change{Event: Remind, Days: 30}, RuleReminded},
		{"an earlier reminder", reminded, Change{Event: Remind, Days: 60}, RuleReminded},
		{"the next reminder", reminded, Change{Event: Remind, Days: 7}, ""},
		{"reminded of nothing", certified, Change{Event: Remind, Days: 0}, RuleReminded},
		{"revoked, passes what was handed in before", revoked, Change{Event: Pass, Submitted: at(t, "2026-05-31 12:00"), Terms: yearly}, RuleSuperseded},
		{"revoked, passes what was handed in then", revoked, Change{Event: Pass, Submitted: at(t, "2026-06-01 12:00"), Terms: yearly}, RuleSuperseded},
		{"revoked, passes what was handed in since", revoked, Change{Event: Pass, Submitted: at(t, "2026-06-01 12:01"), Terms: yearly}, ""},
		{"applied anew, the old one fails", pending, Change{Event: Fail, Submitted: at(t, "2026-05-31 12:00")}, RuleSuperseded},
		{"applied anew, the new one fails", pending, Change{Event: Fail, Submitted: at(t, "2026-06-02 12:00")}, ""},
		{"unknown event", certified, Change{Event: "moved"}, RuleState},
		{"unknown state", Standing{State: "moved"}, Change{Event: Submit}, RuleState},
	} {
		_, err := test.s.Next(test.change)
		refused, _ := errors.AsType[*TransitionError](err)
		if test.want == "" && err != nil || test.want != "" && (refused == nil || refused.Rule != test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
}

func TestRefusalSaysNoReason(t *testing.T) {
	_, err := Standing{}.Next(Change{Event: Revoke, Reason: "forged seal"})
	want := TransitionError{Unverified, Revoke, RuleState}
	if refused, ok := errors.AsType[*TransitionError](err); !ok || *refused != want || refused.Retryable() ||
		err.Error() != "organization that is unverified cannot be revoked: state" {
		t.Errorf("got %v, want %v", err, &want)
	}
}

// TestRightsEndWithTheDay: also when nobody comes to expire the certification.
func TestRightsEndWithTheDay(t *testing.T) {
	last, over := at(t, "2027-03-15 23:59").Add(59*time.Second), at(t, "2027-03-16 00:00")
	for _, state := range []State{"", Unverified, Pending, Certified, Expiring, Expired, Revoked, Cancelled} {
		s := Standing{State: state, Until: last}
		if got, want := s.Entitled(last), state == Certified || state == Expiring; got != want {
			t.Errorf("%s on the last day: %v, want %v", state, got, want)
		}
		if s.Entitled(over) || s.Entitled(over.UTC()) {
			t.Errorf("%s after the last day: entitled", state)
		}
	}
}

func TestDissolvable(t *testing.T) {
	until := at(t, "2027-03-15 23:59")
	said := map[string]bool{}
	for _, test := range []struct {
		s    Standing
		want bool
	}{
		{Standing{}, true},
		{Standing{State: Unverified}, true},
		{Standing{State: Pending}, true},
		{Standing{State: Pending, Until: until}, false}, // renews
		{Standing{State: Certified, Until: until}, false},
		{Standing{State: Expiring, Until: until}, false},
		{Standing{State: Expired}, true},
		{Standing{State: Revoked}, true},
		{Standing{State: Cancelled}, true},
	} {
		got, reason := test.s.Dissolvable()
		if got != test.want || got != (reason.ZH == "") || got != (reason.EN == "") {
			t.Errorf("%+v: got %v, %q, want %v", test.s, got, reason, test.want)
		}
		if !got && said[reason.EN+reason.ZH] {
			t.Errorf("%+v: the reason is that of another state", test.s)
		}
		said[reason.EN+reason.ZH] = true
		if _, err := test.s.Next(Change{Event: Dissolve}); got && err != nil || !got && test.s.State != Pending && err == nil {
			t.Errorf("%+v: dissolving gives %v", test.s, err)
		}
	}
}

func ExampleStanding_Next() {
	approved := time.Date(2026, 3, 15, 2, 0, 0, 0, time.UTC)
	s, err := Standing{State: Pending}.Next(Change{Event: Pass, At: approved, Submitted: approved, Terms: Terms{Months: 12}})
	fmt.Println(s.State, s.Until, err)
	_, err = s.Next(Change{Event: Dissolve, At: approved})
	fmt.Println(err)
	// Output:
	// certified 2027-03-15 23:59:59 +0800 CST <nil>
	// organization that is certified cannot be dissolved: state
}
