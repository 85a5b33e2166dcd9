package certify

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// life is an organization with a ledger of its own, kept from the events alone, to
// hold the rules against.
type life struct {
	Standing
	certifications []ledger
	history        []step
	open           []time.Time // when the verifications under way were handed in
	barred         time.Time
}

// ledger is one certification.
type ledger struct {
	from, until, ended time.Time // ended zero: it is the present one
	reminders          []int
}

// step is a change that was accepted, and the states around it.
type step struct {
	change   Change
	from, to State
}

func (l *life) present() *ledger {
	if n := len(l.certifications); n > 0 && l.certifications[n-1].ended.IsZero() {
		return &l.certifications[n-1]
	}
	return nil
}

// happens applies a change and, when it was accepted, enters it in the ledger.
func (l *life) happens(t *testing.T, c Change) bool {
	t.Helper()
	before := l.Standing
	after, err := before.Next(c)
	if err != nil {
		return false
	}
	l.Standing = after
	l.history = append(l.history, step{c, before.State, after.State})
	present := l.present()
	end := func() {
		if present != nil {
			present.ended = c.At
		}
	}
	switch c.Event {
	case Pass:
		if !c.Submitted.After(l.barred) {
			t.Fatalf("%v: what was handed in at %v passed, barred at %v", before, c.Submitted, l.barred)
		}
		const uneven = 5 // days by which as many months from two dates differ, at most
		latest := Until(c.At, c.Terms.Months).AddDate(0, 0, slices.Max(c.Terms.Reminders)+uneven)
		if after.Until.After(latest) && !after.Until.Equal(before.Until) || after.Until.Before(before.Until) {
			t.Fatalf("approved at %v: until %v, before until %v", c.At, after.Until, before.Until)
		}
		end()
		l.certifications = append(l.certifications, ledger{from: c.At, until: after.Until})
	case Remind:
		present.reminders = append(present.reminders, c.Days)
	case Expire, Revoke, Cancel:
		if present == nil {
			t.Fatalf("%v: %s without a certification", before, c.Event)
		}
		if c.Event == Expire && c.At.Before(End(present.until)) {
			t.Fatalf("%v: expired at %v", before, c.At)
		}
		end()
	case Dissolve:
		if present != nil {
			t.Fatalf("%v: dissolved with a certification", before)
		}
	}
	if c.Event == Revoke || c.Event == Cancel || c.Event == Dissolve {
		l.barred = c.At
	}
	return true
}

// holds checks what must be true at every moment.
func (l *life) holds(t *testing.T, now time.Time) {
	t.Helper()
	for i, c := range l.certifications {
		if i > 0 && (l.certifications[i-1].ended.IsZero() || l.certifications[i-1].ended.After(c.from)) {
			t.Fatalf("two certifications at once: %+v", l.certifications)
		}
		for j := 1; j < len(c.reminders); j++ {
			if c.reminders[j] >= c.reminders[j-1] {
				t.Fatalf("reminders of one certification: %v", c.reminders)
			}
		}
	}
	present := l.present()
	certified := l.State == Certified || l.State == Expiring
	if certified != (present != nil) || certified != !l.Until.IsZero() || certified && !present.until.Equal(l.Until) {
		t.Fatalf("%+v with the certification %+v", l.Standing, present)
	}
	if inForce := present != nil && now.Before(End(present.until)); l.Entitled(now) != inForce {
		t.Fatalf("%+v: entitled %v, in force %v", l.Standing, l.Entitled(now), inForce)
	}
	if (l.State == Expiring) != (l.Reminded > 0) || l.Before != "" && l.State != Pending {
		t.Fatalf("%+v", l.Standing)
	}
	if may, _ := l.Dissolvable(); may == certified {
		t.Fatalf("%+v: dissolvable %v", l.Standing, may)
	}
}

// explained checks that the history is a chain of states, and gives the standing
// when it is gone through again.
func (l *life) explained(t *testing.T) {
	t.Helper()
	var again Standing
	for _, s := range l.history {
		if again.State != s.from {
			t.Fatalf("history goes on from %s, stood at %s", s.from, again.State)
		}
		next, err := again.Next(s.change)
		if err != nil || next.State != s.to {
			t.Fatalf("history says %s, got %s, %v", s.to, next.State, err)
		}
		again = next
	}
	if again != l.Standing {
		t.Fatalf("history gives %+v, stands at %+v", again, l.Standing)
	}
}

// patrol does what the daily patrol does.
func (l *life) patrol(t *testing.T, now time.Time, terms Terms) {
	t.Helper()
	present := l.present()
	if present == nil {
		return
	}
	if !now.Before(End(l.Until)) {
		if !l.happens(t, Change{Event: Expire, At: now}) {
			t.Fatalf("%+v did not expire at %v", l.Standing, now)
		}
		return
	}
	due, next := Reminders(l.Until, terms.Reminders, l.Reminded, now)
	if !next.After(now) || next.After(End(l.Until)) {
		t.Fatalf("until %v, now %v: looks again at %v", l.Until, now, next)
	}
	if due > 0 && !l.happens(t, Change{Event: Remind, At: now, Days: due}) {
		t.Fatalf("%+v was not reminded of %d days at %v", l.Standing, due, now)
	}
	if due, again := Reminders(l.Until, terms.Reminders, l.Reminded, now); due > 0 || !again.Equal(next) {
		t.Fatalf("reminded, and %d days are due again", due)
	}
}

// TestAnyLife lives many organizations through three years of events at random, in
// and out of order, under a patrol that is often away.
func TestAnyLife(t *testing.T) {
	const lives, days = 2000, 3 * 365
	seen := map[Event]int{}
	reached := map[State]int{}
	for seed := range uint64(lives) {
		random := rand.New(rand.NewPCG(seed, 7))
		policies := []Terms{yearly, {Months: 1 + random.IntN(24), Reminders: []int{1 + random.IntN(90), 1 + random.IntN(9)}}}
		now := at(t, "2026-03-15 00:00")
		stop := now.AddDate(0, 0, days)
		var l life
		for now = now.Add(time.Duration(random.IntN(24)) * time.Hour); now.Before(stop); now = now.Add(time.Duration(1+random.IntN(24*20)) * time.Hour) {
			terms := policies[random.IntN(len(policies))]
			c := Change{At: now, Submitted: now, Terms: terms, Days: random.IntN(70)}
			switch n := random.IntN(100); {
			case n < 30:
				c.Event = Submit
			case n < 55 && len(l.open) > 0: // whichever comes first
				i := random.IntN(len(l.open))
				c.Submitted = l.open[i]
				l.open = slices.Delete(l.open, i, i+1)
				c.Event = []Event{Pass, Pass, Fail}[random.IntN(3)]
			case n < 60:
				c.Event = Expire
			case n < 62:
				c.Event = Revoke
				c.Reason = []string{"", "forged seal"}[random.IntN(2)]
			case n < 63:
				c.Event = Cancel
			case n < 65:
				c.Event = Dissolve
			case n < 70:
				c.Event = Remind
			default:
				l.patrol(t, now, terms)
			}
			if c.Event != "" && l.happens(t, c) && c.Event == Submit {
				l.open = append(l.open, now)
			}
			l.holds(t, now)
			l.holds(t, now.Add(time.Duration(random.IntN(400*24))*time.Hour)) // if nobody came for that long
		}
		l.explained(t)
		for _, s := range l.history {
			seen[s.change.Event]++
			reached[s.to]++
		}
	}
	for _, event := range []Event{Submit, Pass, Fail, Remind, Expire, Revoke, Cancel, Dissolve} {
		if seen[event] < lives/10 {
			t.Errorf("%s came %d times: the test does not tell", event, seen[event])
		}
	}
	for state := range machine {
		if reached[state] < lives/10 {
			t.Errorf("%s was reached %d times: the test does not tell", state, reached[state])
		}
	}
}

// TestRemindersOfAnUndisturbedYear: a patrol that comes daily gives each once, on
// its day.
func TestRemindersOfAnUndisturbedYear(t *testing.T) {
	approved := at(t, "2026-03-15 10:00")
	var l life
	if !l.happens(t, Change{Event: Submit, At: approved}) ||
		!l.happens(t, Change{Event: Pass, At: approved.Add(time.Minute), Submitted: approved, Terms: yearly}) {
		t.Fatal("not certified")
	}
	var got []string
	for now := at(t, "2026-03-15 23:00"); l.State != Expired; now = now.AddDate(0, 0, 1) {
		steps := len(l.history)
		l.patrol(t, now, yearly)
		for _, s := range l.history[steps:] {
			got = append(got, now.Format(time.DateOnly)+" "+string(s.to))
		}
		l.holds(t, now)
	}
	want := []string{"2027-01-14 expiring", "2027-02-13 expiring", "2027-03-08 expiring", "2027-03-14 expiring", "2027-03-16 expired"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if reminders := l.certifications[0].reminders; !slices.Equal(reminders, []int{60, 30, 7, 1}) {
		t.Errorf("reminders %v", reminders)
	}
}
