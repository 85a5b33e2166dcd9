package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/client"
)

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := progress{out: &out, terminal: true}
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		after time.Duration
		state records.BatchState
		lines, bad, waiting,
		submitted, unread, review int
		want string
		over bool
	}{
		{0, records.BatchLoading, 0, 0, 0, 0, 0, 0, "loading [..............................] 0/0, 0 bad, 0 to review, 0.0/s, ? left", false},
		{10 * time.Second, records.BatchLoading, 100, 10, 90, 0, 0, 0, "loading [###...........................] 10/100, 10 bad, 0 to review, 1.0/s, 1m30s left", false},
		{20 * time.Second, records.BatchRunning, 100, 10, 50, 40, 10, 5, "running [############..................] 40/100, 10 bad, 5 to review, 2.0/s, 30s left", false},
		{60 * time.Second, records.BatchPaused, 100, 10, 0, 90, 0, 5, "paused  [##############################] 100/100, 10 bad, 5 to review, 1.5/s, 0s left", false},
		{70 * time.Second, records.BatchRunning, 100, 10, 0, 90, 0, 5, "running [##############################] 100/100, 10 bad, 5 to review, 0.0/s, ? left", true},
		{71 * time.Second, records.BatchCancelled, 100, 10, 0, 60, 1, 5, "cancelled [#############################.] 99/100, 10 bad, 5 to review, -0.1/s, ? left", false},
		{72 * time.Second, records.BatchCancelled, 100, 10, 0, 60, 0, 5, "cancelled [##############################] 100/100, 10 bad, 5 to review, 0.0/s, ? left", true},
	} {
		out.Reset()
		s := client.BatchSummary{Unread: tt.unread, Outcomes: map[report.Outcome]int{report.OutcomeReview: tt.review},
			Batch: client.Batch{State: tt.state, Lines: tt.lines, Bad: tt.bad, Waiting: tt.waiting, Submitted: tt.submitted}}
		over := p.show(s, now.Add(tt.after))
		if got, want := out.String(), "\r\x1b[K"+tt.want; got != want || over != tt.over {
			t.Errorf("got  %q, %v\nwant %q, %v", got, over, want, tt.over)
		}
	}
}
