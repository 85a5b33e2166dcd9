package records_test

import (
	"testing"
	"time"

	"github.com/heyan/heyan/storage/records"
)

// Each loading batch is taken once, the oldest first, and again only when nothing
// was added to it for the time of the lease.
func testTakeLoadingBatch(t *testing.T, s *records.Store) {
	const lease = 5 * time.Second
	take := func(at time.Time, want string) {
		t.Helper()
		b, found, err := s.TakeLoadingBatch(t.Context(), at, lease)
		if err != nil || found != (want != "") || b.ID != want {
			t.Errorf("at %s: got %q, %v, want %q", at.Sub(now), b.ID, err, want)
		}
	}
	load(t, s, records.BatchRunning, ready("a")...)
	load(t, s, records.BatchCancelled)
	first := load(t, s, records.BatchLoading)
	second := load(t, s, records.BatchLoading)
	take(now, first) // at the moment of its making
	take(now, second)
	take(now.Add(lease), "")
	later := now.Add(2 * lease)
	take(later, first)
	if _, err := s.AddBatchLines(t.Context(), second, ready("a"), later); err != nil {
		t.Fatal(err)
	}
	take(later, "")
	take(later.Add(lease), "")
	take(later.Add(lease+time.Microsecond), first)
	take(later.Add(lease+time.Microsecond), second)
	setState(t, s, first, records.BatchRunning)
	setState(t, s, second, records.BatchCancelled)
	take(later.Add(time.Hour), "")
}
