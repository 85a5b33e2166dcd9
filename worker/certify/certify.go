// Package certify says when an organization is certified, for how long, and what
// has changed since: the states of an organization and what moves it from one to
// another, the calendar of a certification, the kinds of organizations that the
// procedure serves, and the difference between what was certified and what is
// read a year later.
//
// It must not know records, queues, policy files or HTTP, and has no clock: pure
// functions over values.
package certify

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// State is where an organization stands. The empty State is Unverified.
type State string

// The states. Certified and Expiring have a certification; the others have none,
// and the rights of Unverified.
const (
	Unverified State = "unverified"
	Pending    State = "pending" // without a certification, and a verification is under way
	Certified  State = "certified"
	Expiring   State = "expiring" // certified, and reminded of the end
	Expired    State = "expired"
	Revoked    State = "revoked"   // taken away by the operator; stays in sight until a new verification passes
	Cancelled  State = "cancelled" // given up by the organization, or the organization is dissolved
)

// Event is what happens to an organization.
type Event string

// The events.
const (
	Submit   Event = "submitted" // a verification was handed in
	Pass     Event = "passed"    // the final outcome of a verification
	Fail     Event = "failed"    // a final outcome that is not pass
	Remind   Event = "reminded"
	Expire   Event = "expired"
	Revoke   Event = "revoked"
	Cancel   Event = "cancelled"
	Dissolve Event = "dissolved"
)

// machine has the state after an event; what is not here is refused. A
// verification may outlive the state in which it was handed in, so outcomes come
// in every state. Fail of Pending is refined by Standing.Before.
var machine = map[State]map[Event]State{
	Unverified: {Submit: Pending, Pass: Certified, Fail: Unverified, Dissolve: Cancelled},
	Pending:    {Submit: Pending, Pass: Certified, Fail: Unverified, Dissolve: Cancelled},
	Certified:  {Submit: Certified, Pass: Certified, Fail: Certified, Remind: Expiring, Expire: Expired, Revoke: Revoked, Cancel: Cancelled},
	Expiring:   {Submit: Expiring, Pass: Certified, Fail: Expiring, Remind: Expiring, Expire: Expired, Revoke: Revoked, Cancel: Cancelled},
	Expired:    {Submit: Pending, Pass: Certified, Fail: Expired, Dissolve: Cancelled},
	Revoked:    {Submit: Revoked, Pass: Certified, Fail: Revoked, Dissolve: Revoked},
	Cancelled:  {Submit: Pending, Pass: Certified, Fail: Cancelled, Dissolve: Cancelled},
}

// Standing is all that the rules know of an organization. The zero Standing is
// one of which nothing was ever verified.
type Standing struct {
	State  State
	Before State     // of Pending: what it is again when the verification fails
	Until  time.Time // a moment of the last day of the present certification; zero: there is none
	// Reminded is how many days before the end the last reminder of the present
	// certification was for; 0: none went out.
	Reminded int
	// Barred is when a certification was last revoked or cancelled, or the
	// organization dissolved: what was handed in until then certifies nothing.
	Barred time.Time
}

// Change is an event with what the rules ask of it.
type Change struct {
	Event     Event
	At        time.Time
	Submitted time.Time // of Pass and Fail: when the verification was handed in
	Terms     Terms     // of Pass: those of the policy that it passed under
	Days      int       // of Remind: for how many days before the end
	Reason    string    // of Revoke
}

// Rule says why a change is refused.
type Rule string

// The rules.
const (
	RuleState      Rule = "state"          // nothing like it happens in this state
	RuleReason     Rule = "reason_missing" // a revocation says why
	RuleTerm       Rule = "term_missing"   // a certification lasts for at least a month
	RuleSuperseded Rule = "superseded"     // handed in before a revocation, cancellation or dissolution
	RuleNotEnded   Rule = "not_ended"      // the last day is not over
	RuleEnded      Rule = "ended"          // the last day is over: nothing to remind of
	RuleReminded   Rule = "reminded"       // this reminder, or a later one, went out
)

// TransitionError is a change that the rules refuse; nothing has changed.
type TransitionError struct {
	State State
	Event Event
	Rule  Rule
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("organization that is %s cannot be %s: %s", e.State, e.Event, e.Rule)
}

// Retryable is false: the rules do not change their mind.
func (e *TransitionError) Retryable() bool { return false }

// Next is the standing after a change, or a *TransitionError. A certified
// organization that renews keeps its rights meanwhile, and when the renewal
// fails; when it passes, a new certification takes the place of the present one
// (see [Terms]).
func (s Standing) Next(c Change) (Standing, error) {
	s.State = cmp.Or(s.State, Unverified)
	to, ok := machine[s.State][c.Event]
	rule := s.refuses(c)
	if !ok {
		rule = RuleState
	}
	if rule != "" {
		return Standing{}, &TransitionError{s.State, c.Event, rule}
	}
	from := s.State
	if from == Pending && c.Event == Fail {
		to = cmp.Or(s.Before, to)
	}
	switch {
	case to != Pending:
		s.Before = ""
	case from != Pending:
		s.Before = from
	}
	s.State = to
	switch c.Event {
	case Pass:
		s.Until, s.Reminded = c.Terms.until(s.Until, c.At), 0
	case Remind:
		s.Reminded = c.Days
	case Expire:
		s.Until, s.Reminded = time.Time{}, 0
	case Revoke, Cancel, Dissolve:
		s.Until, s.Reminded, s.Barred = time.Time{}, 0, c.At
	}
	return s, nil
}

// refuses is the rule that a change breaks whatever the state.
func (s Standing) refuses(c Change) Rule {
	over := !c.At.Before(End(s.Until))
	switch c.Event {
	case Pass, Fail:
		if !s.Barred.IsZero() && !c.Submitted.After(s.Barred) {
			return RuleSuperseded
		}
		if c.Event == Pass && c.Terms.Months < 1 {
			return RuleTerm
		}
	case Remind:
		switch {
		case over:
			return RuleEnded
		case c.Days < 1 || s.Reminded > 0 && c.Days >= s.Reminded:
			return RuleReminded
		}
	case Expire:
		if !over {
			return RuleNotEnded
		}
	case Revoke:
		if strings.TrimSpace(c.Reason) == "" {
			return RuleReason
		}
	}
	return ""
}

// Entitled tells whether the organization has the rights of a certified one. They
// end with the last day, whether or not anybody has come to expire it.
func (s Standing) Entitled(now time.Time) bool {
	return (s.State == Certified || s.State == Expiring) && now.Before(End(s.Until))
}

// Dissolvable tells whether the organization may be dissolved, and the reason
// when it may not: as long as it has a certification, renewing or not.
func (s Standing) Dissolvable() (bool, report.Text) {
	switch {
	case s.State == Certified:
		return false, report.Text{ZH: "该组织已通过认证，请先取消认证，再解散组织。",
			EN: "The organization is certified; cancel the certification before you dissolve it."}
	case s.State == Expiring:
		return false, report.Text{ZH: "该组织的认证即将到期但仍然有效，请先取消认证或等认证到期，再解散组织。",
			EN: "The certification is about to end but still holds; cancel it or let it end before you dissolve the organization."}
	case !s.Until.IsZero():
		return false, report.Text{ZH: "该组织正在续期且现有认证仍然有效，请先取消认证，再解散组织。",
			EN: "The organization is renewing a certification that still holds; cancel it before you dissolve the organization."}
	}
	return true, report.Text{}
}
