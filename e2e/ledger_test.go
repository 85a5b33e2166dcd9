package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/client"
)

// ledger is what callers were told of their submissions.
type ledger struct {
	reference   string       // starts every client_reference
	undisturbed bool         // nothing died that costs attempts
	count       atomic.Int64 // of those acknowledged

	mu       sync.Mutex
	accepted map[string]int    // number of the submission by id
	verdicts map[string]string // nonce of a verdict that a caller saw, by id
}

func newLedger(reference string) *ledger {
	return &ledger{reference: reference, accepted: map[string]int{}, verdicts: map[string]string{}}
}

const (
	callers    = 8
	retryPause = 100 * time.Millisecond
)

// tile is a small picture, another one for each number.
func tile(number int) []byte {
	picture := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	for i := range 32 {
		picture.Set(i%16, i/16, color.NRGBA{uint8(number >> (i % 24)), uint8(number), uint8(number >> 8), 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

// submitAll sends so many submissions at the same time as callers do who must
// not lose any: each with a key of its own, again and again until it is
// acknowledged. Every tenth caller waits for the verdict.
func (d *deployment) submitAll(t *testing.T, ctx context.Context, l *ledger, total int) {
	var all sync.WaitGroup
	var next atomic.Int64
	for range callers {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= total || ctx.Err() != nil {
					return
				}
				l.submit(t, ctx, d, i)
			}
		})
	}
	all.Wait()
}

func (l *ledger) submit(t *testing.T, ctx context.Context, d *deployment, number int) {
	s := report.Submission{Policy: "photo", Priority: worker.Priorities[number%len(worker.Priorities)],
		ClientReference: fmt.Sprintf("%s-%d", l.reference, number)}
	for ctx.Err() == nil {
		v, err := d.Submit(ctx, tile(number), s, s.ClientReference)
		if err == nil {
			l.acknowledged(t, v.ID, number)
			if number%10 == 0 {
				l.wait(t, ctx, d, v.ID)
			}
			return
		}
		if refused, ok := errors.AsType[*client.Problem](err); ok && !refused.Retryable() {
			t.Errorf("submission %d: %v", number, err)
			return
		}
		time.Sleep(retryPause)
	}
}

func (l *ledger) acknowledged(t *testing.T, id string, number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if other, known := l.accepted[id]; known {
		t.Errorf("submissions %d and %d were both told %s", other, number, id)
	}
	l.accepted[id] = number
	l.count.Add(1)
}

func (l *ledger) wait(t *testing.T, ctx context.Context, d *deployment, id string) {
	v, err := d.Wait(ctx, id)
	if err != nil {
		if ctx.Err() == nil {
			t.Errorf("waiting for %s: %v", id, err)
		}
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.verdicts[id] = v.Report.Versions[nonce]
}

// settled waits until every acknowledged submission has its verdict and proves
// from the records that there is one of each: no submission was lost or made
// twice, no verdict was written twice.
func (l *ledger) settled(t *testing.T, d *deployment, within time.Duration) {
	t.Helper()
	store := d.store(t)
	begin := time.Now()
	for end := begin.Add(within); ; time.Sleep(200 * time.Millisecond) {
		page, err := store.List(t.Context(), records.DefaultTenant, records.Query{Status: report.StatusQueued, Limit: records.MaxPage})
		if err == nil && len(page.Verifications) == 0 {
			break
		}
		if time.Now().After(end) {
			for _, v := range page.Verifications[:min(3, len(page.Verifications))] {
				t.Logf("%s %s: attempts %d, lease until %s, last error %q", v.ID, v.Priority, v.Attempts, v.LeaseUntil, v.LastError)
			}
			t.Fatalf("%d or more have no verdict after %s, %v; last words\n%s", len(page.Verifications), within, err, d.lastWords())
		}
	}
	verdictEvents := eventsOfVerdicts(t, store)
	outcomes := map[report.Outcome]int{}
	seen := 0
	for query := (records.Query{Limit: records.MaxPage}); ; {
		page, err := store.List(t.Context(), records.DefaultTenant, query)
		if err != nil {
			t.Fatal(err)
		}
		for _, listed := range page.Verifications {
			if !strings.HasPrefix(listed.ClientReference, l.reference+"-") {
				continue
			}
			seen++
			v, err := store.Get(t.Context(), records.DefaultTenant, listed.ID)
			if err != nil {
				t.Fatal(err)
			}
			l.check(t, v, verdictEvents[v.ID])
			outcomes[v.Outcome]++
		}
		if query.After = page.Next; page.Next == "" {
			break
		}
	}
	if seen != len(l.accepted) {
		t.Errorf("%d verifications in the records, %d submissions were acknowledged", seen, len(l.accepted))
	}
	t.Logf("%d verdicts, the last %s after the last submission: %v", seen, time.Since(begin).Round(time.Second), outcomes)
}

// check compares a record with what its caller was told and with the outcome
// that its picture must have.
func (l *ledger) check(t *testing.T, v records.Verification, events []string) {
	t.Helper()
	number, known := l.accepted[v.ID]
	if !known {
		t.Errorf("%s (%s) was never acknowledged", v.ID, v.ClientReference)
		return
	}
	if want := fmt.Sprintf("%s-%d", l.reference, number); v.ClientReference != want {
		t.Errorf("%s is %s, its caller was told that it is %s", v.ID, v.ClientReference, want)
	}
	if v.Status != report.StatusCompleted || v.Report == nil {
		t.Errorf("%s: status %s", v.ID, v.Status)
		return
	}
	gaveUp := v.Outcome == report.OutcomeReview && len(v.Reasons) == 1 && v.Reasons[0] == "system_engine_failed"
	if want := standInOutcome(tile(number)); v.Outcome != want && (l.undisturbed || !gaveUp) {
		t.Errorf("%s: outcome %s, want %s; reasons %v", v.ID, v.Outcome, want, v.Reasons)
	}
	event := worker.EventCompleted
	if v.Outcome == report.OutcomeReview {
		event = worker.EventReviewRequired
	}
	if !slices.Equal(events, []string{event}) {
		t.Errorf("%s: outcome %s, events %v", v.ID, v.Outcome, events)
	}
	if told, waited := l.verdicts[v.ID]; waited && told != v.Report.Versions[nonce] {
		t.Errorf("%s: the verdict changed after its caller saw it", v.ID)
	}
}

// eventsOfVerdicts are the types of the events that come with a verdict, by
// verification.
func eventsOfVerdicts(t *testing.T, store *records.Store) map[string][]string {
	t.Helper()
	types := map[string][]string{}
	for after := int64(0); ; {
		events, err := store.Events(t.Context(), records.DefaultTenant, after, records.MaxPage)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Type == worker.EventCompleted || e.Type == worker.EventReviewRequired {
				types[e.Subject] = append(types[e.Subject], e.Type)
			}
			after = e.Seq
		}
		if len(events) < records.MaxPage {
			return types
		}
	}
}
