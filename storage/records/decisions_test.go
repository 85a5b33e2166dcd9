package records_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

const grace = 30 * time.Second

func decision(id string, by records.Reader, kind records.DecisionKind) records.Decision {
	d := records.Decision{ID: records.NewID(), Case: id, Tenant: records.DefaultTenant, By: by.User, Kind: kind, At: now}
	if kind == records.Reject || kind == records.NewPhoto {
		d.Reasons = []string{"document_expired"}
	}
	return d
}

func decide(t *testing.T, s *records.Store, d records.Decision, by records.Reader, terms records.DecideTerms) records.Decision {
	t.Helper()
	stored, err := s.Decide(t.Context(), d, by, terms)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func finalEvent(v records.Verification, d records.Decision) records.Event {
	return records.Event{Type: "verification.completed", Payload: fmt.Appendf(nil, `{"outcome":%q,"decision":%q}`, v.Outcome, d.ID)}
}

// ungranted concludes a decision that grants nothing.
func ungranted(_ context.Context, v records.Verification, d records.Decision) (records.Conclusion, error) {
	return records.Conclusion{Event: finalEvent(v, d)}, nil
}

func finalize(t *testing.T, s *records.Store, at time.Time) []records.Verification {
	t.Helper()
	final, err := s.Conclude(t.Context(), at, 10, ungranted)
	if err != nil {
		t.Fatal(err)
	}
	return final
}

func testDecide(t *testing.T, s *records.Store) {
	id := toReview(t, s, nil, "uscc_unreadable", "image_blurry")
	claim(t, s, id, ann)
	d := decision(id, ann, records.Reject)
	d.At = now.Add(10 * time.Second)
	d.Reasons = []string{"document_expired", "image_blurry"}
	d.Message = report.Text{ZH: "执照已过期", EN: "expired"}
	d.Corrections = map[report.FieldName]string{report.FieldUSCC: "91110108MA01ABCD5X", report.FieldCompanyName: "甲公司"}
	got := decide(t, s, d, ann, records.DecideTerms{Grace: grace})
	want := d
	want.Round, want.Outcome, want.MachineReasons = 1, report.OutcomeFail, []string{"uscc_unreadable", "image_blurry"}
	want.DeadlineAt, want.ClaimedAt = now.Add(30*time.Minute), now
	want.GraceUntil, want.EffectiveAt = d.At.Add(grace), d.At.Add(grace)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\ngot  %+v\nwant %+v", got, want)
	}
	if all, err := s.Decisions(t.Context(), records.DefaultTenant, id); err != nil || !reflect.DeepEqual(all, []records.Decision{want}) {
		t.Errorf("\ngot  %+v, %v\nwant %+v", all, err, want)
	}
	if all, err := s.Decisions(t.Context(), "other", id); err != nil || len(all) != 0 {
		t.Errorf("another tenant: %+v, %v", all, err)
	}
	if c := theCase(t, s, id); c.Stage != records.StagePending || c.Decision != d.ID || !c.EffectiveAt.Equal(d.At.Add(grace)) || c.ClaimedBy != "" {
		t.Errorf("got %+v", c)
	}
	if v := get(t, s, id); v.Outcome != report.OutcomeReview || !v.DecidedAt.IsZero() {
		t.Errorf("decided before its time to undo was over: %+v", v)
	}
	entries, err := s.Audit(t.Context(), records.DefaultTenant, id, 0, 1)
	detail := `{"corrected":["name","uscc"],"decision":"` + d.ID + `","kind":"reject","reasons":["document_expired","image_blurry"],"round":1}`
	if err != nil || entries[0].Action != "case.decided" || entries[0].Actor != "user:ann" || string(entries[0].Detail) != detail {
		t.Errorf("got %s %s, %v, want %s", entries[0].Action, entries[0].Detail, err, detail)
	}

	again := d
	again.Kind, again.Message = records.Approve, report.Text{}
	if got := decide(t, s, again, ann, records.DecideTerms{}); !reflect.DeepEqual(got, want) {
		t.Errorf("a repeat: got %+v, want the first", got)
	}
	other := toReview(t, s, nil)
	for name, change := range map[string]func(*records.Decision){
		"case":   func(d *records.Decision) { d.Case = other },
		"tenant": func(d *records.Decision) { d.Tenant = "other" },
		"user":   func(d *records.Decision) { d.By = "bob" },
	} {
		again := d
		change(&again)
		if _, err := s.Decide(t.Context(), again, records.Reader{User: again.By}, records.DecideTerms{}); !errors.Is(err, records.ErrConflict) {
			t.Errorf("its id with another %s: got %v", name, err)
		}
	}
	if got := actions(t, s, id); len(got) != 2 {
		t.Errorf("got %q", got)
	}
	if _, err := s.Undo(t.Context(), records.DefaultTenant, d.ID, "ann", now.Add(lease), now); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Erase(t.Context(), records.DefaultTenant, id, entry("", "")); err != nil {
		t.Fatal(err)
	}
	if got := decide(t, s, d, ann, records.DecideTerms{}); got.UndoneAt.IsZero() {
		t.Errorf("a repeat of one undone, of a case that is gone: %+v", got)
	}
}

func testDecideRefused(t *testing.T, s *records.Store) {
	id := toReview(t, s, nil)
	for name, change := range map[string]func(*records.Decision){
		"id":               func(d *records.Decision) { d.ID = "1" },
		"another's":        func(d *records.Decision) { d.By = "bob" },
		"nobody's":         func(d *records.Decision) { d.By = "" },
		"kind":             func(d *records.Decision) { d.Kind = "later" },
		"no kind":          func(d *records.Decision) { d.Kind = "" },
		"no reason":        func(d *records.Decision) { d.Reasons = nil },
		"free text reason": func(d *records.Decision) { d.Reasons = []string{"Mr. Li"} },
		"long message":     func(d *records.Decision) { d.Message.EN = strings.Repeat("a", 4001) },
		"NUL":              func(d *records.Decision) { d.Message.ZH = "a\x00" },
		"not UTF-8":        func(d *records.Decision) { d.Corrections = map[report.FieldName]string{"uscc": "\xff"} },
		"field":            func(d *records.Decision) { d.Corrections = map[report.FieldName]string{"A b": "1"} },
	} {
		d := decision(id, ann, records.Reject)
		change(&d)
		if _, err := s.Decide(t.Context(), d, ann, records.DecideTerms{}); err == nil || retryable(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	passed := create(t, s, newVerification()).ID
	complete(t, s, passed, report.OutcomePass, now)
	for _, missing := range []string{records.NewID(), passed} {
		_, err := s.Decide(t.Context(), decision(missing, ann, records.Approve), ann, records.DecideTerms{})
		want(t, err, records.ErrNotFound)
	}
	if got := actions(t, s, id); len(got) != 0 || theCase(t, s, id).Stage != records.StageOpen {
		t.Errorf("got %q", got)
	}
}

// How a case moves from stage to stage, decision by decision.
func testStages(t *testing.T, s *records.Store) {
	type step struct {
		by     records.Reader
		kind   records.DecisionKind
		sample bool
		err    error
		stage  records.Stage
		round  int
	}
	for name, steps := range map[string][]step{
		"plain":                  {{ann, records.Approve, false, nil, records.StagePending, 1}, {bob, records.Reject, false, records.ErrAlreadyDecided, records.StagePending, 0}},
		"new photo":              {{ann, records.NewPhoto, false, nil, records.StagePending, 1}},
		"agreed":                 {{ann, records.Reject, true, nil, records.StageSecond, 1}, {bob, records.NewPhoto, true, nil, records.StagePending, 2}},
		"second look of his own": {{ann, records.Reject, true, nil, records.StageSecond, 1}, {ann, records.Reject, true, records.ErrNotYours, records.StageSecond, 0}},
		"disagreed": {{ann, records.Reject, true, nil, records.StageSecond, 1}, {bob, records.Approve, true, nil, records.StageEscalated, 2},
			{bob, records.Approve, false, records.ErrNotYours, records.StageEscalated, 0}, {lead, records.Approve, true, nil, records.StagePending, 3}},
		"escalated": {{ann, records.Escalate, true, nil, records.StageEscalated, 1}, {ann, records.Approve, false, records.ErrNotYours, records.StageEscalated, 0},
			{lead, records.Escalate, false, nil, records.StageEscalated, 3}, {lead, records.Reject, false, nil, records.StagePending, 3}},
		"escalated at the second look": {{ann, records.Approve, true, nil, records.StageSecond, 1}, {bob, records.Escalate, false, nil, records.StageEscalated, 2},
			{lead, records.Reject, true, nil, records.StagePending, 3}},
	} {
		id := toReview(t, s, nil)
		for i, step := range steps {
			d, err := s.Decide(t.Context(), decision(id, step.by, step.kind), step.by, records.DecideTerms{Grace: grace, SecondLook: step.sample})
			c := theCase(t, s, id)
			waits := c.Stage == records.StageOpen || c.Stage == records.StageEscalated
			if !errors.Is(err, step.err) || c.Stage != step.stage || d.Round != step.round || (c.FirstBy == "ann") != (c.Stage == records.StageSecond) ||
				(c.Decision == "") != waits || c.EffectiveAt.IsZero() != waits || c.ClaimedBy != "" {
				t.Errorf("%s, step %d: got %+v, %v, %+v", name, i+1, d, err, c)
			}
			if err == nil && d.EffectiveAt.IsZero() != (c.Stage != records.StagePending) {
				t.Errorf("%s, step %d: effective at %v", name, i+1, d.EffectiveAt)
			}
		}
	}
	// Claims hold, until they are over.
	id := toReview(t, s, nil)
	claim(t, s, id, bob)
	d := decision(id, ann, records.Approve)
	_, err := s.Decide(t.Context(), d, ann, records.DecideTerms{})
	want(t, err, records.ErrClaimed)
	d.At = now.Add(lease)
	if got := decide(t, s, d, ann, records.DecideTerms{}); !got.ClaimedAt.IsZero() {
		t.Errorf("got %+v", got)
	}
}

func testUndo(t *testing.T, s *records.Store) {
	terms, sampled := records.DecideTerms{Grace: grace}, records.DecideTerms{Grace: grace, SecondLook: true}
	undo := func(d records.Decision, user string, at time.Time) (records.Case, error) {
		return s.Undo(t.Context(), records.DefaultTenant, d.ID, user, at.Add(lease), at)
	}
	undone := func(d records.Decision, by records.Reader, before records.Case) {
		t.Helper()
		got, err := undo(d, by.User, now)
		before.ClaimedBy, before.ClaimedAt, before.ClaimedUntil = by.User, now, now.Add(lease)
		if err != nil || !reflect.DeepEqual(got, before) || !reflect.DeepEqual(theCase(t, s, d.Case), before) {
			t.Errorf("\ngot  %+v, %v\nwant %+v", got, err, before)
		}
		if again, err := undo(d, by.User, now.Add(time.Second)); err != nil || !reflect.DeepEqual(again, before) {
			t.Errorf("again: %+v, %v", again, err)
		}
		if err := s.Release(t.Context(), records.DefaultTenant, d.Case, by.User, now); err != nil {
			t.Fatal(err)
		}
	}
	id := toReview(t, s, nil)
	start := theCase(t, s, id)
	d := decide(t, s, decision(id, ann, records.Approve), ann, terms)
	_, err := undo(d, "bob", now)
	want(t, err, records.ErrNotYours)
	_, err = s.Undo(t.Context(), "other", d.ID, "ann", now, now)
	want(t, err, records.ErrNotFound)
	_, err = undo(d, "ann", d.GraceUntil)
	want(t, err, records.ErrTooLate)
	undone(d, ann, start)
	if got := finalize(t, s, now.Add(time.Hour)); len(got) != 0 {
		t.Errorf("final though undone: %+v", got)
	}

	// Through all stages and back.
	first := decide(t, s, decision(id, ann, records.Reject), ann, sampled)
	second := theCase(t, s, id)
	agreed := decide(t, s, decision(id, bob, records.Reject), bob, terms)
	_, err = undo(first, "ann", now)
	want(t, err, records.ErrTooLate)
	undone(agreed, bob, second)
	all, err := s.Decisions(t.Context(), records.DefaultTenant, id)
	if err != nil || len(all) != 3 || !all[1].EffectiveAt.IsZero() || all[2].UndoneAt.IsZero() {
		t.Errorf("got %+v, %v", all, err)
	}
	other := decide(t, s, decision(id, bob, records.Approve), bob, terms)
	escalated := theCase(t, s, id)
	last := decide(t, s, decision(id, lead, records.Approve), lead, terms)
	undone(last, lead, escalated)
	undone(other, bob, second)
	undone(first, ann, start)
	undone(decide(t, s, decision(id, ann, records.Escalate), ann, terms), ann, start)

	d = decide(t, s, decision(id, ann, records.Approve), ann, terms)
	if got := finalize(t, s, d.EffectiveAt); len(got) != 1 {
		t.Fatal(got)
	}
	_, err = undo(d, "ann", now)
	want(t, err, records.ErrTooLate)
	got := actions(t, s, id)
	count := func(action string) (n int) {
		for _, a := range got {
			if strings.HasSuffix(a, action) {
				n++
			}
		}
		return n
	}
	if count("case.decided") != 7 || count("case.undone") != 6 || count("case.final") != 1 {
		t.Errorf("got %q", got)
	}
}

func testConcludeOnce(t *testing.T, s *records.Store) {
	addEndpoint(t, s)
	for _, c := range []struct {
		name    string
		kind    records.DecisionKind
		correct string
		want    records.Verification
	}{
		{"approved", records.Approve, "91110108MA01ABCD5X", records.Verification{Outcome: report.OutcomePass, USCC: "91110108MA01ABCD5X"}},
		{"rejected", records.Reject, "", records.Verification{Outcome: report.OutcomeFail, USCC: "91310115PDY899512H", Reasons: []string{"image_blurry", "document_expired"}}},
	} {
		id := toReview(t, s, nil, "uscc_unreadable", "image_blurry")
		d := decision(id, ann, c.kind)
		d.Reasons = []string{"image_blurry", "document_expired"} // of an approval they mean nothing
		if c.correct != "" {
			d.Corrections = map[report.FieldName]string{report.FieldUSCC: c.correct}
		}
		d = decide(t, s, d, ann, records.DecideTerms{Grace: grace})
		if got := finalize(t, s, d.EffectiveAt.Add(-time.Microsecond)); len(got) != 0 {
			t.Errorf("%s: final too early: %+v", c.name, got)
		}
		final := finalize(t, s, d.EffectiveAt)
		if len(final) != 1 || final[0].ID != id || final[0].Report != nil {
			t.Fatalf("%s: got %+v", c.name, final)
		}
		v := get(t, s, id)
		if v.Outcome != c.want.Outcome || v.USCC != c.want.USCC || !slices.Equal(v.Reasons, c.want.Reasons) || !v.DecidedAt.Equal(d.At) ||
			v.MachineOutcome != report.OutcomeReview || !slices.Equal(v.MachineReasons, []string{"uscc_unreadable", "image_blurry"}) ||
			v.Report.Outcome != report.OutcomeReview {
			t.Errorf("%s: got %+v", c.name, v)
		}
		got, err := s.FinalDecision(t.Context(), records.DefaultTenant, id)
		if err != nil || got.ID != d.ID || !got.FinalAt.Equal(d.EffectiveAt) {
			t.Errorf("%s: got %+v, %v", c.name, got, err)
		}
		_, err = s.Case(t.Context(), records.DefaultTenant, id)
		want(t, err, records.ErrNotFound)
		_, err = s.Decide(t.Context(), decision(id, bob, records.Approve), bob, records.DecideTerms{})
		want(t, err, records.ErrAlreadyDecided)
		for code, listed := range map[string]bool{"uscc_unreadable": false, "image_blurry": c.kind == records.Reject, "document_expired": c.kind == records.Reject} {
			page, err := s.List(t.Context(), records.DefaultTenant, records.Query{ReasonCode: code, Outcome: c.want.Outcome})
			if err != nil || (len(page.Verifications) == 1) != listed {
				t.Errorf("%s: %s: got %+v, %v", c.name, code, page, err)
			}
		}
		if got := finalize(t, s, d.EffectiveAt.Add(time.Hour)); len(got) != 0 {
			t.Errorf("%s: final again: %+v", c.name, got)
		}
		entries, err := s.Audit(t.Context(), records.DefaultTenant, id, 0, 1)
		if err != nil || entries[0].Actor != "system" || entries[0].Action != "case.final" {
			t.Errorf("%s: %+v, %v", c.name, entries, err)
		}
	}
	var got []string
	for _, o := range leaseDeliveries(t, s, now.Add(day), 10) {
		outcome, _, _ := strings.Cut(string(o.Event.Payload), ",")
		got = append(got, o.Event.Type+outcome)
	}
	events := []string{"verification.review_required{}", `verification.completed{"outcome":"pass"`, "verification.review_required{}", `verification.completed{"outcome":"fail"`}
	if !slices.Equal(got, events) {
		t.Errorf("delivered %q, want %q", got, events)
	}
}

// A first decision that nobody looks at again is final at the deadline, and a
// second one that agrees leaves the first to stand.
func testConcludeSecondLook(t *testing.T, s *records.Store) {
	sampled := records.DecideTerms{Grace: grace, SecondLook: true}
	unseen, late, agreed := toReview(t, s, nil), toReview(t, s, nil), toReview(t, s, nil)
	decide(t, s, decision(unseen, ann, records.Approve), ann, sampled)
	deadline := now.Add(30 * time.Minute)
	d := decision(late, ann, records.Approve)
	d.At = deadline.Add(time.Minute)
	decide(t, s, d, ann, sampled)
	first := decision(agreed, ann, records.Reject)
	first.Message.EN = "the first"
	first = decide(t, s, first, ann, sampled)
	if got := finalize(t, s, deadline.Add(-time.Microsecond)); len(got) != 0 {
		t.Errorf("before the deadline: %+v", got)
	}
	second := decision(agreed, bob, records.NewPhoto)
	second.At = now.Add(time.Minute)
	second = decide(t, s, second, bob, sampled)
	if got := finalize(t, s, second.EffectiveAt); len(got) != 1 || got[0].ID != agreed || !got[0].DecidedAt.Equal(first.At) {
		t.Errorf("got %+v", got)
	}
	if got, err := s.FinalDecision(t.Context(), records.DefaultTenant, agreed); err != nil || got.ID != first.ID || got.Message.EN != "the first" || !got.EffectiveAt.Equal(second.EffectiveAt) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got := finalize(t, s, deadline); len(got) != 1 || got[0].ID != unseen {
		t.Errorf("got %+v", got)
	}
	if got, err := s.FinalDecision(t.Context(), records.DefaultTenant, unseen); err != nil || !got.EffectiveAt.Equal(deadline) || !got.FinalAt.Equal(deadline) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got := finalize(t, s, d.At); len(got) != 0 {
		t.Errorf("one decided after the deadline has no time to undo: %+v", got)
	}
	if got := finalize(t, s, d.At.Add(grace)); len(got) != 1 || got[0].ID != late {
		t.Errorf("got %+v", got)
	}
}

// A decision whose event is refused is not final, and stays to be made so.
func testConcludeWhole(t *testing.T, s *records.Store) {
	id := toReview(t, s, nil)
	decide(t, s, decision(id, ann, records.Approve), ann, records.DecideTerms{})
	before, waits := get(t, s, id), theCase(t, s, id)
	if _, err := s.Conclude(t.Context(), now, 10, func(context.Context, records.Verification, records.Decision) (records.Conclusion, error) {
		return records.Conclusion{}, nil
	}); err == nil {
		t.Error("an empty event was accepted")
	}
	same(t, get(t, s, id), before)
	if got := theCase(t, s, id); !reflect.DeepEqual(got, waits) {
		t.Errorf("got %+v, want %+v", got, waits)
	}
	_, err := s.FinalDecision(t.Context(), records.DefaultTenant, id)
	want(t, err, records.ErrNotFound)
	if got := finalize(t, s, now); len(got) != 1 {
		t.Errorf("got %+v", got)
	}
}

// Several workers, in several processes: each decision becomes final once.
func testConcludeRace(t *testing.T, dsn string) {
	stores := []*records.Store{open(t, dsn), open(t, dsn)}
	const cases = 20
	for range cases {
		decide(t, stores[0], decision(toReview(t, stores[0], nil), ann, records.Approve), ann, records.DecideTerms{})
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	times := map[string]int{}
	for i := range racers {
		group.Go(func() {
			for {
				final, err := stores[i%2].Conclude(t.Context(), now, 7, ungranted)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, v := range final {
					times[v.ID]++
				}
				done := len(times) == cases
				mu.Unlock()
				if done {
					return
				}
			}
		})
	}
	group.Wait()
	for id, n := range times {
		if entries := actions(t, stores[0], id); n != 1 || len(entries) != 2 {
			t.Errorf("%s became final %d times: %q", id, n, entries)
		}
	}
}

// The same form sent twice, and two people who decide at once: one decision.
func testDecideRace(t *testing.T, dsn string) {
	stores := []*records.Store{open(t, dsn), open(t, dsn)}
	id := toReview(t, stores[0], nil)
	forms := []records.Decision{decision(id, ann, records.Approve), decision(id, bob, records.Reject)}
	var group sync.WaitGroup
	for i := range racers {
		group.Go(func() {
			d := forms[i/2%2]
			if got, err := stores[i%2].Decide(t.Context(), d, records.Reader{User: d.By}, records.DecideTerms{Grace: grace}); err == nil && got.By != d.By ||
				err != nil && !errors.Is(err, records.ErrAlreadyDecided) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	group.Wait()
	if all, err := stores[0].Decisions(t.Context(), records.DefaultTenant, id); err != nil || len(all) != 1 {
		t.Errorf("got %+v, %v", all, err)
	}
}

func testNotes(t *testing.T, s *records.Store) {
	id := toReview(t, s, nil)
	var notes []records.Note
	for i, by := range []string{"ann", "bob"} {
		n := records.Note{ID: records.NewID(), Case: id, Tenant: records.DefaultTenant, By: by, At: now.Add(time.Duration(i)), Text: "印章不清晰 " + by}
		n.At = now.Add(time.Duration(i) * time.Second)
		for range 2 { // a repeat changes nothing
			if err := s.AddNote(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		notes = append(notes, n)
	}
	if got, err := s.Notes(t.Context(), records.DefaultTenant, id); err != nil || !reflect.DeepEqual(got, notes) {
		t.Errorf("got %+v, %v, want %+v", got, err, notes)
	}
	if got, err := s.Notes(t.Context(), "other", id); err != nil || len(got) != 0 {
		t.Errorf("another tenant: %+v, %v", got, err)
	}
	entries, err := s.Audit(t.Context(), records.DefaultTenant, id, 0, 10)
	if err != nil || len(entries) != 2 || entries[0].Action != "case.noted" || string(entries[0].Detail) != `{"note":"`+notes[1].ID+`"}` {
		t.Errorf("got %+v, %v", entries, err)
	}
	for name, change := range map[string]func(*records.Note){
		"empty":  func(n *records.Note) { n.Text = "" },
		"long":   func(n *records.Note) { n.Text = strings.Repeat("a", 4001) },
		"NUL":    func(n *records.Note) { n.Text = "\x00" },
		"id":     func(n *records.Note) { n.ID = "" },
		"nobody": func(n *records.Note) { n.By = "" },
		"case":   func(n *records.Note) { n.Case = records.NewID() },
		"tenant": func(n *records.Note) { n.Tenant = "other" },
	} {
		n := notes[0]
		n.ID = records.NewID()
		change(&n)
		if err := s.AddNote(t.Context(), n); err == nil || retryable(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// What people wrote goes with the report, by retention or by erasure, before the
// final decision or with it.
func testWrittenGone(t *testing.T, s *records.Store) {
	for _, end := range []string{"erase", "decide, drop, finalize", "decide, finalize, drop", "drop, decide, finalize"} {
		v := create(t, s, newVerification())
		c := flagged(now)
		c.ReportUntil = now.Add(day)
		if err := s.Complete(t.Context(), v.ID, doubtful("uscc_unreadable"), c); err != nil {
			t.Fatal(err)
		}
		note := records.Note{ID: records.NewID(), Case: v.ID, Tenant: v.Tenant, By: "ann", At: now, Text: "看起来不对"}
		if err := s.AddNote(t.Context(), note); err != nil {
			t.Fatal(err)
		}
		d := decision(v.ID, ann, records.Reject)
		d.Message, d.Corrections = report.Text{ZH: "过期", EN: "expired"}, map[report.FieldName]string{report.FieldCompanyName: "甲公司"}
		for step := range strings.SplitSeq(end, ", ") {
			switch step {
			case "decide":
				decide(t, s, d, ann, records.DecideTerms{})
			case "drop":
				if n, err := s.DropReports(t.Context(), now.Add(day), 10); n != 1 || err != nil {
					t.Fatal(n, err)
				}
			case "finalize":
				if got := finalize(t, s, now); len(got) != 1 || !slices.Equal(got[0].Reasons, d.Reasons) {
					t.Fatalf("got %+v", got)
				}
			case "erase":
				decide(t, s, d, ann, records.DecideTerms{})
				if _, err := s.Erase(t.Context(), v.Tenant, v.ID, entry("", "")); err != nil {
					t.Fatal(err)
				}
			}
		}
		all, err := s.Decisions(t.Context(), v.Tenant, v.ID)
		if err != nil || len(all) != 1 || all[0].Message != (report.Text{}) || len(all[0].Corrections) != 0 || !slices.Equal(all[0].Reasons, d.Reasons) {
			t.Errorf("%s: got %+v, %v", end, all, err)
		}
		notes, err := s.Notes(t.Context(), v.Tenant, v.ID)
		if err != nil || len(notes) != 1 || notes[0].Text != "" {
			t.Errorf("%s: got %+v, %v", end, notes, err)
		}
		note.ID = records.NewID()
		want(t, s.AddNote(t.Context(), note), records.ErrGone)
	}
}
