package e2e

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/batch"
	"github.com/heyan/heyan/worker/client"
)

const (
	// earlyDeaths is how often a service dies while it loads a batch, longestLife for
	// how long it lives in between: some of it is its start. lateDeaths are spread
	// over the lines as they become verifications.
	earlyDeaths = 5
	longestLife = 1200 * time.Millisecond
	lateDeaths  = 15
	// batchLines are more than become verifications between two deaths.
	batchLines   = 1000
	badLines     = 20 // of them
	batchTimeout = 150 * time.Second
)

// TestBatchDies kills a service of one machine at moments of chance while it loads
// and works off a batch: each line has its result exactly once.
func TestBatchDies(t *testing.T) {
	t.Parallel()
	d := alone(t, standing(standInCost)...)
	d.batchAmidDeaths(t, func(uint64) { d.api.kill() })
}

// TestBatchWorkersDie does it with two workers that share the batch, on Postgres.
func TestBatchWorkersDie(t *testing.T) {
	t.Parallel()
	on := startServers(t)
	d := many(t, on, on.s3.Config.Endpoint, 2, standing(standInCost)...)
	d.batchAmidDeaths(t, func(n uint64) { d.workers[n%2].kill() })
}

func (d *deployment) batchAmidDeaths(t *testing.T, kill func(n uint64)) {
	b := d.submitBatch(t, batchLines)
	chance := rand.New(rand.NewPCG(*seed, batchLines))
	for range earlyDeaths {
		time.Sleep(time.Duration(chance.Int64N(int64(longestLife))))
		kill(chance.Uint64())
	}
	moments := make([]int, lateDeaths)
	for i := range moments {
		moments[i] = chance.IntN(batchLines - badLines)
	}
	slices.Sort(moments)
	for _, submitted := range moments {
		d.awaitBatch(t, b.ID, func(s client.BatchSummary) bool { return s.Batch.Submitted >= submitted })
		kill(chance.Uint64())
	}
	s := d.awaitBatch(t, b.ID, func(s client.BatchSummary) bool {
		return s.Batch.State == records.BatchRunning && s.Unread == 0 && s.Batch.Waiting == 0
	})
	t.Logf("outcomes %v", s.Outcomes)
	if s.Batch.Lines != batchLines || s.Batch.Bad != badLines || s.Batch.Submitted != batchLines-badLines || s.Batch.Waiting != 0 {
		t.Errorf("got %+v", s.Batch)
	}
	d.checkBatch(t, b.ID)
}

// submitBatch sends lines, some of them bad, each with a picture of its own.
func (d *deployment) submitBatch(t *testing.T, lines int) client.Batch {
	t.Helper()
	var file strings.Builder
	file.WriteString("custom_id,organization_id,picture\n")
	for i := range lines {
		picture := fmt.Sprintf("p/%d.png", i)
		if i%(lines/badLines) == 7 {
			picture = "../" + picture
		}
		fmt.Fprintf(&file, "line-%d,org-%d,%s\n", i, i, picture)
	}
	b, err := d.SubmitBatch(t.Context(), client.BatchUpload{BatchTerms: client.BatchTerms{Policy: "photo"}, FileName: "lines.csv",
		File: strings.NewReader(file.String()), Pictures: func(w io.Writer) error {
			z := zip.NewWriter(w)
			for i := range lines {
				entry, err := z.Create(fmt.Sprintf("p/%d.png", i))
				if err == nil {
					_, err = entry.Write(tile(i))
				}
				if err != nil {
					return err
				}
			}
			return z.Close()
		}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// awaitBatch waits until a batch is where it shall be; the service may be away.
func (d *deployment) awaitBatch(t *testing.T, id string, there func(client.BatchSummary) bool) client.BatchSummary {
	t.Helper()
	for end := time.Now().Add(batchTimeout); ; time.Sleep(50 * time.Millisecond) {
		s, err := d.BatchSummary(t.Context(), id)
		if err == nil && there(s) {
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("it stands at %+v, %v; last words\n%s", s, err, d.lastWords())
		}
	}
}

// checkBatch compares the results with the lines, and the records with the results.
func (d *deployment) checkBatch(t *testing.T, id string) {
	t.Helper()
	file, err := d.BatchFile(t.Context(), id, "results", batch.JSONL, batch.English)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	store, lines := d.store(t), 0
	verdicts := eventsOfVerdicts(t, store)
	for decoder := json.NewDecoder(file); ; lines++ {
		var r batch.Result
		if err := decoder.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("line-%d", lines); r.CustomID != want || r.Line != lines+2 {
			t.Fatalf("line %d is %s, want %s", r.Line, r.CustomID, want)
		}
		page, err := store.List(t.Context(), records.DefaultTenant, records.Query{ClientReference: r.CustomID})
		if err != nil {
			t.Fatal(err)
		}
		if r.Status == string(records.LineBad) {
			if len(page.Verifications) != 0 || len(r.Errors) != 1 || r.Errors[0].Rule != batch.RuleOutside {
				t.Errorf("%s: %d verifications, %+v", r.CustomID, len(page.Verifications), r.Errors)
			}
			continue
		}
		gaveUp := slices.ContainsFunc(r.Reasons, func(x batch.Reason) bool { return x.Code == "system_engine_failed" })
		if want := standInOutcome(tile(lines)); r.Outcome != want && !(gaveUp && r.Outcome == report.OutcomeReview) {
			t.Errorf("%s: outcome %s, want %s", r.CustomID, r.Outcome, want)
		}
		if len(page.Verifications) != 1 || page.Verifications[0].ID != r.VerificationID || len(verdicts[r.VerificationID]) != 1 {
			t.Errorf("%s: %d verifications, events %v", r.CustomID, len(page.Verifications), verdicts[r.VerificationID])
		}
	}
	if lines != batchLines {
		t.Errorf("%d results, want %d", lines, batchLines)
	}
}
