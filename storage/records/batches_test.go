package records_test

import (
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

func newBatch() records.Batch {
	return records.Batch{ID: records.NewID(), Tenant: records.DefaultTenant, Name: "年审 2030.csv", Policy: "dingtalk@1", Priority: "batch",
		By: "key:1", CreatedAt: now}
}

// batchEntry is what people do to a batch.
func batchEntry(action string) records.Entry {
	return records.Entry{At: now.Add(time.Hour), Actor: "key:1", Action: "batch." + action}
}

// ready are lines with these custom ids, from line 2 on.
func ready(ids ...string) (lines []records.BatchLine) {
	for i, id := range ids {
		lines = append(lines, records.BatchLine{CustomID: id, Number: i + 2, Organization: "org-" + id, State: records.LineReady,
			Sealed: []byte("sealed " + id), Picture: id + ".jpg"})
	}
	return lines
}

// load makes a batch of these lines and puts it into a state.
func load(t *testing.T, s *records.Store, state records.BatchState, lines ...records.BatchLine) string {
	t.Helper()
	b := newBatch()
	if err := s.CreateBatch(t.Context(), b, batchEntry("created")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.AddBatchLines(t.Context(), b.ID, lines, now); err != nil || n != len(lines) {
		t.Fatal(n, err)
	}
	if state != records.BatchLoading {
		setState(t, s, b.ID, state)
	}
	return b.ID
}

func setState(t *testing.T, s *records.Store, id string, state records.BatchState) records.Batch {
	t.Helper()
	b, err := s.SetBatchState(t.Context(), records.DefaultTenant, id, state, batchEntry(string(state)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func theBatch(t *testing.T, s *records.Store, id string) records.Batch {
	t.Helper()
	b, err := s.Batch(t.Context(), records.DefaultTenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// counts are a batch's state and its lines, bad, cancelled, submitted, done.
func counts(t *testing.T, s *records.Store, id string, state records.BatchState, want ...int) {
	t.Helper()
	b := theBatch(t, s, id)
	if got := []int{b.Lines, b.Bad, b.Cancelled, b.Submitted, b.Done}; b.State != state || !slices.Equal(got, want) {
		t.Errorf("got %s %v, want %s %v", b.State, got, state, want)
	}
}

// ofLine is a verification for a line.
func ofLine(batch, customID string) records.Verification {
	v := newVerification()
	v.Batch, v.CustomID, v.OrganizationID, v.Purpose = batch, customID, "org-"+customID, report.PurposeReverification
	return v
}

func lines(t *testing.T, s *records.Store, batch string) (all []records.BatchResult) {
	t.Helper()
	all, next, err := s.BatchResults(t.Context(), records.DefaultTenant, batch, "", 1000)
	if err != nil || next != "" {
		t.Fatal(next, err)
	}
	return all
}

// A batch's way from its first line to its last decision.
func testBatch(t *testing.T, s *records.Store) {
	b := newBatch()
	if err := s.CreateBatch(t.Context(), b, batchEntry("created")); err != nil {
		t.Fatal(err)
	}
	want(t, s.CreateBatch(t.Context(), b, batchEntry("created")), records.ErrConflict)
	b.State, b.ChangedAt = records.BatchLoading, now
	if got := theBatch(t, s, b.ID); got != b {
		t.Errorf("got %+v, want %+v", got, b)
	}
	bad := records.BatchLine{Number: 5, State: records.LineBad, Errors: []byte(`[{"rule":"missing"}]`)}
	if n, err := s.AddBatchLines(t.Context(), b.ID, append(ready("a", "b", "c"), bad), now); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	if work, err := s.NextBatchLines(t.Context(), now, lease, 10); err != nil || len(work) != 0 {
		t.Errorf("it is loading: %+v, %v", work, err)
	}
	setState(t, s, b.ID, records.BatchRunning)
	work, err := s.NextBatchLines(t.Context(), now, lease, 10)
	wanted := ready("a", "b", "c")
	for i := range wanted {
		wanted[i].Batch = b.ID
	}
	if err != nil || len(work) != 1 || work[0].Batch.ID != b.ID || !reflect.DeepEqual(work[0].Lines, wanted) {
		t.Fatalf("\ngot  %+v, %v\nwant %+v", work, err, wanted)
	}
	var ids []string
	for _, l := range work[0].Lines {
		v := ofLine(b.ID, l.CustomID)
		ids = append(ids, create(t, s, v).ID)
		if got := get(t, s, v.ID); got.Batch != b.ID || got.CustomID != l.CustomID {
			t.Errorf("got %+v", got)
		}
	}
	counts(t, s, b.ID, records.BatchRunning, 4, 1, 0, 3, 0)
	complete(t, s, ids[0], report.OutcomeFail, now)
	counts(t, s, b.ID, records.BatchRunning, 4, 1, 0, 3, 1)
	complete(t, s, ids[1], report.OutcomeReview, now)
	counts(t, s, b.ID, records.BatchRunning, 4, 1, 0, 3, 1)
	decide(t, s, decision(ids[1], ann, records.Approve), ann, records.DecideTerms{})
	finalize(t, s, now)
	counts(t, s, b.ID, records.BatchRunning, 4, 1, 0, 3, 2)
	complete(t, s, ids[2], report.OutcomeReview, now)
	last := entry("", "")
	last.At = now.Add(day)
	if _, err := s.Erase(t.Context(), records.DefaultTenant, ids[2], last); err != nil { // nobody will decide it
		t.Fatal(err)
	}
	counts(t, s, b.ID, records.BatchDone, 4, 1, 0, 3, 3)
	if got := theBatch(t, s, b.ID); !got.DoneAt.Equal(now.Add(day)) || !got.ChangedAt.Equal(now.Add(time.Hour)) {
		t.Errorf("got %+v", got)
	}
	for _, l := range lines(t, s, b.ID)[:3] {
		if l.State != records.LineDone || l.Sealed != nil {
			t.Errorf("got %+v", l)
		}
	}
	if got, want := actions(t, s, b.ID), []string{"key:1 batch.created", "key:1 batch.running"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err = s.Batch(t.Context(), "other", b.ID)
	want(t, err, records.ErrNotFound)
}

// A load that is repeated, whole or in part, adds nothing twice.
func testBatchLines(t *testing.T, s *records.Store) {
	bad := func(number int, id string) records.BatchLine {
		return records.BatchLine{CustomID: id, Number: number, State: records.LineBad, Errors: []byte(`[]`)}
	}
	id := load(t, s, records.BatchLoading, append(ready("a", "b"), bad(4, "a"), bad(5, ""))...)
	counts(t, s, id, records.BatchLoading, 4, 2, 0, 0, 0)
	for _, c := range []struct {
		name  string
		lines []records.BatchLine
		added int
	}{
		{"again", append(ready("a", "b"), bad(4, "a"), bad(5, "")), 0},
		{"in part", ready("a", "b", "c"), 1},
		{"twice in one", append(ready("d", "d"), bad(9, ""), bad(9, "")), 2},
		{"none", nil, 0},
	} {
		if n, err := s.AddBatchLines(t.Context(), id, c.lines, now); n != c.added || err != nil {
			t.Errorf("%s: added %d, %v, want %d", c.name, n, err, c.added)
		}
	}
	counts(t, s, id, records.BatchLoading, 7, 3, 0, 0, 0)
	many := make([]string, 1201) // more than one statement takes
	for i := range many {
		many[i] = fmt.Sprint("many-", i)
	}
	if n, err := s.AddBatchLines(t.Context(), id, ready(many...), now); n != len(many) || err != nil {
		t.Errorf("added %d, %v", n, err)
	}
	for name, l := range map[string]records.BatchLine{
		"state": {CustomID: "x", State: records.LineDone}, "no id": {State: records.LineReady}, "NUL": {CustomID: "x\x00", State: records.LineReady},
	} {
		if n, err := s.AddBatchLines(t.Context(), id, append(ready("y"), l), now); err == nil || n != 0 || strings.Contains(err.Error(), "x") {
			t.Errorf("%s: got %d, %v", name, n, err)
		}
	}
	counts(t, s, id, records.BatchLoading, 1208, 3, 0, 0, 0)
	_, err := s.AddBatchLines(t.Context(), records.NewID(), ready("a"), now)
	want(t, err, records.ErrNotFound)
	setState(t, s, id, records.BatchRunning)
	_, err = s.AddBatchLines(t.Context(), id, ready("z"), now)
	if e, ok := errors.AsType[*records.BatchError](err); !ok || e.State != records.BatchRunning {
		t.Errorf("got %v", err)
	}
}

func testBatchStates(t *testing.T, s *records.Store) {
	const refused = records.BatchState("")
	for _, c := range []struct{ from, to, want records.BatchState }{
		{records.BatchLoading, records.BatchRunning, records.BatchRunning},
		{records.BatchLoading, records.BatchPaused, records.BatchPaused},
		{records.BatchLoading, records.BatchCancelled, records.BatchCancelled},
		{records.BatchLoading, records.BatchDone, refused},
		{records.BatchRunning, records.BatchPaused, records.BatchPaused},
		{records.BatchRunning, records.BatchRunning, records.BatchRunning},
		{records.BatchRunning, records.BatchCancelled, records.BatchCancelled},
		{records.BatchRunning, records.BatchLoading, refused},
		{records.BatchPaused, records.BatchRunning, records.BatchRunning},
		{records.BatchPaused, records.BatchCancelled, records.BatchCancelled},
		{records.BatchCancelled, records.BatchRunning, refused},
		{records.BatchCancelled, records.BatchCancelled, records.BatchCancelled},
	} {
		id := load(t, s, c.from, ready("a", "b")...)
		entries := len(actions(t, s, id))
		b, err := s.SetBatchState(t.Context(), records.DefaultTenant, id, c.to, batchEntry("changed"))
		if e, ok := errors.AsType[*records.BatchError](err); ok != (c.want == refused) || ok && e.State != c.from || !ok && err != nil || b.State != c.want {
			t.Errorf("%s to %s: got %+v, %v", c.from, c.to, b, err)
		}
		if changed := len(actions(t, s, id)) > entries; changed != (c.want != refused && c.from != c.to) {
			t.Errorf("%s to %s: an entry: %t", c.from, c.to, changed)
		}
		for _, l := range lines(t, s, id) {
			if (l.State == records.LineCancelled) != (theBatch(t, s, id).State == records.BatchCancelled) {
				t.Errorf("%s to %s: got %+v", c.from, c.to, l)
			}
		}
	}
	_, err := s.SetBatchState(t.Context(), "other", load(t, s, records.BatchLoading), records.BatchRunning, batchEntry("changed"))
	want(t, err, records.ErrNotFound)
	// Nothing to do is done at once.
	id := load(t, s, records.BatchLoading, records.BatchLine{Number: 2, State: records.LineBad, Errors: []byte(`[]`)})
	if b := setState(t, s, id, records.BatchRunning); b.State != records.BatchDone || !b.DoneAt.Equal(now.Add(time.Hour)) {
		t.Errorf("got %+v", b)
	}
	// What was submitted before goes on, the rest does not.
	id = load(t, s, records.BatchRunning, ready("a", "b", "c")...)
	v := create(t, s, ofLine(id, "a"))
	setState(t, s, id, records.BatchCancelled)
	counts(t, s, id, records.BatchCancelled, 3, 0, 2, 1, 0)
	complete(t, s, v.ID, report.OutcomePass, now)
	counts(t, s, id, records.BatchCancelled, 3, 0, 2, 1, 1)
	_, _, err = s.Create(t.Context(), ofLine(id, "b"), "", nil)
	if e, ok := errors.AsType[*records.BatchError](err); !ok || e.State != records.BatchCancelled {
		t.Errorf("got %v", err)
	}
	// A paused one whose last line is done is done.
	id = load(t, s, records.BatchRunning, ready("a")...)
	v = create(t, s, ofLine(id, "a"))
	setState(t, s, id, records.BatchPaused)
	complete(t, s, v.ID, report.OutcomePass, now)
	counts(t, s, id, records.BatchDone, 1, 0, 0, 1, 1)

	stale, err := s.StaleBatches(t.Context(), now.Add(time.Hour+1000), 100)
	if err != nil || len(stale) == 0 || slices.ContainsFunc(stale, func(b records.Batch) bool {
		return b.State != records.BatchLoading && b.State != records.BatchPaused
	}) {
		t.Errorf("got %+v, %v", stale, err)
	}
	if stale, err := s.StaleBatches(t.Context(), now, 100); err != nil || len(stale) != 0 {
		t.Errorf("got %+v, %v", stale, err)
	}
}

func testBatchWork(t *testing.T, s *records.Store) {
	first := load(t, s, records.BatchRunning, ready("a", "b", "c")...)
	paused := load(t, s, records.BatchPaused, ready("a")...)
	second := load(t, s, records.BatchRunning, ready("x", "y")...)
	next := func(at time.Time, limit int) (got []string) {
		t.Helper()
		work, err := s.NextBatchLines(t.Context(), at, lease, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range work {
			for _, l := range w.Lines {
				got = append(got, map[string]string{first: "1", second: "2", paused: "paused "}[w.Batch.ID]+l.CustomID)
			}
		}
		return got
	}
	for _, c := range []struct {
		at    time.Time
		limit int
		want  []string
	}{
		{now, 2, []string{"1a", "1b"}},
		{now, 2, []string{"1c", "2x"}},
		{now.Add(lease - time.Microsecond), 9, []string{"2y"}},
		{now.Add(lease), 9, []string{"1a", "1b", "1c", "2x"}},
		{now.Add(lease), 0, nil},
	} {
		if got := next(c.at, c.limit); !slices.Equal(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	v := create(t, s, ofLine(first, "a"))
	again, created, err := s.Create(t.Context(), ofLine(first, "a"), "", nil)
	if err != nil || created || again.ID != v.ID {
		t.Errorf("a line twice: %+v, %t, %v", again, created, err)
	}
	if err := s.FailBatchLine(t.Context(), first, "b", []byte(`[{"rule":"picture_missing"}]`), now); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b", "d"} {
		want(t, s.FailBatchLine(t.Context(), first, id, []byte(`[]`), now), records.ErrConflict)
	}
	_, _, err = s.Create(t.Context(), ofLine(first, "b"), "", nil)
	if _, ok := errors.AsType[*records.BatchError](err); !ok {
		t.Errorf("got %v", err)
	}
	if got, want := next(now.Add(time.Hour), 9), []string{"1c", "2x", "2y"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	counts(t, s, first, records.BatchRunning, 3, 1, 0, 1, 0)
	for _, id := range []string{"d", ""} {
		_, _, err = s.Create(t.Context(), ofLine(first, id), "", nil)
		want(t, err, records.ErrNotFound)
	}
	other := ofLine(first, "c")
	other.Tenant = "other"
	_, _, err = s.Create(t.Context(), other, "", nil)
	want(t, err, records.ErrNotFound)
	if _, _, err := s.Create(t.Context(), ofLine(first, "c"), "key", []byte("hash")); err == nil {
		t.Error("a line with an idempotency key")
	}
	counts(t, s, first, records.BatchRunning, 3, 1, 0, 1, 0)
}

func testBatchResults(t *testing.T, s *records.Store) {
	bad := records.BatchLine{CustomID: "b", Number: 3, State: records.LineBad, Errors: []byte(`[{"rule":"too_long"}]`)}
	id := load(t, s, records.BatchRunning, append(ready("a", "b", "c", "d", "e"), bad)...)
	outcomes := map[string]report.Report{"a": passed(), "b": failed("image_blurry", "uscc_mismatch"), "c": doubtful("image_blurry")}
	for _, line := range []string{"a", "b", "c", "d"} {
		v := create(t, s, ofLine(id, line))
		if r, completed := outcomes[line]; completed {
			if err := s.Complete(t.Context(), v.ID, r, done(now)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var want []string
	for _, l := range lines(t, s, id) {
		want = append(want, fmt.Sprint(l.CustomID, l.Number, l.State, l.Status, l.Outcome, l.Reasons, l.Decided, string(l.Errors), l.Verification != "", l.Sealed == nil, l.Picture))
	}
	wanted := []string{
		"a2donecompletedpass[]truetruetruea.jpg",
		`b3bad[]false[{"rule":"too_long"}]falsetrue`,
		"b3donecompletedfail[image_blurry uscc_mismatch]truetruetrueb.jpg",
		"c4submittedcompletedreview[image_blurry]falsetruetruec.jpg",
		"d5submittedqueued[]falsetruetrued.jpg",
		"e6ready[]falsefalsetruee.jpg",
	}
	for i := range wanted {
		if got := strings.ReplaceAll(want[i], " ", ""); got != strings.ReplaceAll(wanted[i], " ", "") {
			t.Errorf("got %s, want %s", got, wanted[i])
		}
	}
	for _, limit := range []int{1, 2, 6} {
		var paged []records.BatchResult
		for after := ""; ; {
			page, next, err := s.BatchResults(t.Context(), records.DefaultTenant, id, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if paged, after = append(paged, page...), next; next == "" {
				break
			}
		}
		if got := lines(t, s, id); !reflect.DeepEqual(got, paged) {
			t.Errorf("by %d: got %+v, want %+v", limit, paged, got)
		}
	}
	sum, err := s.BatchSummary(t.Context(), records.DefaultTenant, id)
	if err != nil || sum.Batch.Lines != 6 || !reflect.DeepEqual(sum.Outcomes, map[report.Outcome]int{"": 1, "pass": 1, "fail": 1, "review": 1}) ||
		!reflect.DeepEqual(sum.Reasons, map[string]int{"image_blurry": 2, "uscc_mismatch": 1}) {
		t.Errorf("got %+v, %v", sum, err)
	}
	for _, after := range []string{"?", "1", ".x", "1.\x00"} {
		_, _, err := s.BatchResults(t.Context(), records.DefaultTenant, id, after, 10)
		if !errors.Is(err, records.ErrCursor) {
			t.Errorf("%q: got %v", after, err)
		}
	}
	_, _, err = s.BatchResults(t.Context(), "other", id, "", 10)
	if !errors.Is(err, records.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err = s.BatchSummary(t.Context(), "other", id); !errors.Is(err, records.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	another := load(t, s, records.BatchLoading)
	for after, seen := "", []string(nil); ; {
		page, next, err := s.Batches(t.Context(), records.DefaultTenant, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range page {
			seen = append(seen, b.ID)
		}
		if after = next; next == "" {
			if !slices.Equal(seen, []string{another, id}) {
				t.Errorf("got %q", seen)
			}
			break
		}
	}
	if _, _, err := s.Batches(t.Context(), records.DefaultTenant, "?", 1); !errors.Is(err, records.ErrCursor) {
		t.Errorf("got %v", err)
	}
}

// Stored reports come oldest first, with what was sealed.
func testReports(t *testing.T, s *records.Store) {
	var want []string
	for i := range 5 {
		v := newVerification()
		v.CreatedAt, v.Sealed = now.Add(time.Duration(i/2)*time.Second), []byte("sealed")
		if create(t, s, v); i == 4 {
			break
		}
		c := done(now)
		if i == 3 {
			c.ReportUntil = now
		}
		if err := s.Complete(t.Context(), v.ID, failed("image_blurry"), c); err != nil {
			t.Fatal(err)
		}
		if i < 3 {
			want = append(want, v.ID)
		}
	}
	if _, err := s.DropReports(t.Context(), now, 10); err != nil {
		t.Fatal(err)
	}
	for _, q := range []records.Query{{}, {Limit: 1}, {Limit: 2}, {Policy: "dingtalk@1", ReasonCode: "image_blurry", Outcome: report.OutcomeFail, Limit: 2}} {
		var got []string
		for {
			page, err := s.Reports(t.Context(), records.DefaultTenant, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range page.Verifications {
				if v.Report == nil || string(v.Sealed) != "sealed" {
					t.Errorf("got %+v", v)
				}
				got = append(got, v.ID)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: got %q, want %q", q, got, want)
		}
	}
	for _, q := range []records.Query{{Limit: 101}, {After: "?"}} {
		if _, err := s.Reports(t.Context(), records.DefaultTenant, q); err == nil {
			t.Errorf("%+v was accepted", q)
		}
	}
}

// Feeders that share a batch, and repeat each other, submit each line once, and the
// counts are exact when several verdicts come at once.
func testBatchRace(t *testing.T, dsn string) {
	stores := []*records.Store{open(t, dsn), open(t, dsn)}
	ids := make([]string, 40)
	for i := range ids {
		ids[i] = fmt.Sprint("line-", i)
	}
	batch := load(t, stores[0], records.BatchRunning, ready(ids...)...)
	var group sync.WaitGroup
	var mu sync.Mutex
	made := map[string]string{}
	for i := range racers {
		group.Go(func() {
			s := stores[i%2]
			for {
				work, err := s.NextBatchLines(t.Context(), now, lease, 7)
				if err != nil {
					t.Error(err)
				}
				if len(work) == 0 {
					return
				}
				for _, l := range work[0].Lines {
					for range 2 {
						v, _, err := s.Create(t.Context(), ofLine(batch, l.CustomID), "", nil)
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						if first := made[l.CustomID]; first != "" && first != v.ID {
							t.Errorf("%s became %s and %s", l.CustomID, first, v.ID)
						}
						made[l.CustomID] = v.ID
						mu.Unlock()
						if err := s.Complete(t.Context(), v.ID, failed("image_blurry"), done(now)); err != nil && !errors.Is(err, records.ErrAlreadyCompleted) {
							t.Error(err)
						}
					}
				}
			}
		})
	}
	group.Wait()
	counts(t, stores[0], batch, records.BatchDone, len(ids), 0, 0, len(ids), len(ids))
}
