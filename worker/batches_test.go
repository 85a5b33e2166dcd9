package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/spool"
	"github.com/heyan/heyan/worker/batch"
)

// batch stores a file of lines as the API does.
func (r *rig) batch(t *testing.T, lines string) records.Batch {
	t.Helper()
	b := records.Batch{ID: records.NewID(), Tenant: records.DefaultTenant, Policy: "photo", Priority: Batch, CreatedAt: r.clock()}
	sealer, err := r.Vault.For(t.Context(), b.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	files := BatchFiles{Format: batch.CSV}
	if files.Lines, err = spool.Write(t.Context(), r.Objects, sealer, BatchFileKey(b.Tenant, b.ID, "lines"), strings.NewReader(lines), 1<<30); err != nil {
		t.Fatal(err)
	}
	if err := KeepBatchFiles(t.Context(), r.Objects, b.Tenant, b.ID, files); err != nil {
		t.Fatal(err)
	}
	if err := r.Records.CreateBatch(t.Context(), b, records.Entry{At: b.CreatedAt, Actor: "key:1", Action: "batch.created"}); err != nil {
		t.Fatal(err)
	}
	return b
}

// stands is the batch as it stands now.
func (r *rig) stands(t *testing.T, b records.Batch) records.Batch {
	t.Helper()
	b, err := r.Records.Batch(t.Context(), b.Tenant, b.ID)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// results are the lines of a batch: state, rules of what is wrong.
func (r *rig) results(t *testing.T, b records.Batch) (all []string) {
	t.Helper()
	page, _, err := r.Records.BatchResults(t.Context(), b.Tenant, b.ID, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range page {
		var faults []batch.LineError
		if len(l.Errors) > 0 {
			if err := json.Unmarshal(l.Errors, &faults); err != nil {
				t.Fatal(err)
			}
		}
		text := fmt.Sprintf("%d %s %s", l.Number, l.CustomID, l.State)
		for _, f := range faults {
			text += " " + string(f.Rule)
		}
		all = append(all, text)
	}
	return all
}

func passing() fakeEngine { return fakeEngine{size: 1} }

// A load that ended in the middle goes on where it was, and what is broken in the
// middle of a file is a bad line there.
func TestLoadGoesOn(t *testing.T) {
	r := newRig(t, "", passing())
	r.setDefaults()
	b := r.batch(t, "custom_id,organization_id\na,org-a\nb,org-b\n\"c\n")
	if _, err := r.Records.AddBatchLines(t.Context(), b.ID, []records.BatchLine{{CustomID: "a", Number: 2, State: records.LineReady, Sealed: []byte("first")}}, r.clock()); err != nil {
		t.Fatal(err)
	}
	r.pass(loadLease + time.Second)
	if err := r.loadBatches(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.stands(t, b); got.State != records.BatchRunning || got.Lines != 3 || got.Bad != 1 {
		t.Errorf("got %+v", got)
	}
	if got, want := r.results(t, b), []string{"2 a ready", "3 b ready", "4  bad quotes"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if r.has(t, BatchFileKey(b.Tenant, b.ID, "lines")) {
		t.Error("the file of lines is there still")
	}
	work, err := r.Records.NextBatchLines(t.Context(), r.clock(), time.Second, 10)
	if err != nil || len(work) != 1 || string(work[0].Lines[0].Sealed) != "first" || bytes.Contains(work[0].Lines[1].Sealed, []byte("org-b")) {
		t.Errorf("%+v, %v", work, err)
	}
}

// The picture of an organization is that of the newest verification that passed,
// else the newest that is there.
func TestStoredPicture(t *testing.T) {
	r := newRig(t, "", passing())
	r.setDefaults()
	stored := func(organization, picture string, outcome report.Outcome) {
		v := r.record(t, Standard)
		v.OrganizationID, v.ObjectKey, v.CreatedAt = organization, "pictures/"+v.ID, r.clock()
		r.put(t, v.ObjectKey, picture)
		if _, _, err := r.Records.Create(t.Context(), v, "", nil); err != nil {
			t.Fatal(err)
		}
		v.CompletedAt = r.clock()
		if err := r.Records.Complete(t.Context(), v.ID, report.Report{Outcome: outcome}, records.Completion{At: r.clock(),
			Event: records.Event{Type: EventCompleted, Payload: []byte("{}")}}); err != nil {
			t.Fatal(err)
		}
		if picture == "lost" {
			if err := r.Objects.Delete(t.Context(), v.ObjectKey); err != nil {
				t.Fatal(err)
			}
		}
		r.pass(time.Second)
	}
	stored("passed", "old", report.OutcomePass)
	stored("passed", "good", report.OutcomePass)
	stored("passed", "lost", report.OutcomePass)
	stored("passed", "bad", report.OutcomeFail)
	stored("failed", "first", report.OutcomeFail)
	stored("failed", "second", report.OutcomeFail)
	stored("lost", "lost", report.OutcomePass)
	for organization, want := range map[string]string{"passed": "good", "failed": "second", "lost": "", "unknown": ""} {
		to := "pictures/" + organization
		err := r.copyStored(t.Context(), records.DefaultTenant, organization, to)
		var refused *batch.PictureError
		if errors.As(err, &refused) {
			if want != "" || refused.Rule != batch.RuleNoStoredPicture || r.has(t, to) {
				t.Errorf("%s: %v", organization, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readPicture(t.Context(), r.Objects, to); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", organization, got, err, want)
		}
	}
}

// Lines wait as lines while more would break deadlines, and beyond some windows.
func TestLinesWait(t *testing.T) {
	r := newRig(t, "", passing())
	r.Terms["photo"] = Terms{SLA: 10 * time.Second}
	r.setDefaults()
	stored := r.record(t, Standard)
	stored.OrganizationID = "org"
	if _, _, err := r.Records.Create(t.Context(), stored, "", nil); err != nil {
		t.Fatal(err)
	}
	var waiting []records.Verification
	for range 20 {
		waiting = append(waiting, r.submit(t, Interactive))
	}
	var lines strings.Builder
	lines.WriteString("custom_id,organization_id\n")
	const room = 30
	for i := range room + 10 {
		fmt.Fprintf(&lines, "%d,org\n", i)
	}
	for range linesAhead*batchWindow - room {
		r.submit(t, Batch)
	}
	b := r.batch(t, lines.String())
	if err := r.loadBatches(t.Context()); err != nil {
		t.Fatal(err)
	}
	feed := func(want int) {
		t.Helper()
		if err := r.feedLines(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.stands(t, b).Submitted; got != want {
			t.Errorf("%d are submitted, want %d", got, want)
		}
	}
	feed(0) // 21 are more than one child reads in 10 s
	for _, v := range append(waiting, stored) {
		v.CompletedAt = r.clock()
		if err := r.Records.Complete(t.Context(), v.ID, passes(""), r.completion(v, judgment{})); err != nil {
			t.Fatal(err)
		}
	}
	feed(room)
	feed(room)
}

// What nobody goes on with is cancelled, and files of what is over go.
func TestBatchesEnd(t *testing.T) {
	r := newRig(t, "", passing())
	r.setDefaults()
	const text = "custom_id,organization_id\na,org-a\n"
	gone, paused, running := r.batch(t, text), r.batch(t, text), r.batch(t, text)
	if err := DropBatchFiles(t.Context(), r.Objects, gone.Tenant, gone.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.loadBatches(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Records.SetBatchState(t.Context(), paused.Tenant, paused.ID, records.BatchPaused, records.Entry{At: r.clock(), Actor: "key:1", Action: "batch.paused"}); err != nil {
		t.Fatal(err)
	}
	never := records.NewID()
	old := idAt(t, r.clock().Add(-orphanAge-time.Hour))
	for _, id := range []string{never, old} {
		if err := KeepBatchFiles(t.Context(), r.Objects, records.DefaultTenant, id, BatchFiles{}); err != nil {
			t.Fatal(err)
		}
	}
	there := func(when string, want map[string]bool) {
		t.Helper()
		if err := errors.Join(r.endStaleBatches(t.Context()), r.collectBatches(t.Context())); err != nil {
			t.Fatal(err)
		}
		for id, want := range want {
			if _, err := r.Objects.Stat(t.Context(), manifestKey(records.DefaultTenant, id)); errors.Is(err, objects.ErrNotFound) == want {
				t.Errorf("%s: %s: %v, want %v", when, id, err, want)
			}
		}
	}
	there("at once", map[string]bool{paused.ID: true, running.ID: true, never: true, old: false})
	if got := r.stands(t, gone).State; got != records.BatchCancelled {
		t.Errorf("without its files it is %s", got)
	}
	r.pass(staleAfter + time.Hour)
	there("later", map[string]bool{paused.ID: false, running.ID: true, never: false})
	if got := r.stands(t, paused); got.State != records.BatchCancelled || got.Cancelled != 1 {
		t.Errorf("the paused one is %+v", got)
	}
	if got := r.stands(t, running).State; got != records.BatchRunning {
		t.Errorf("the running one is %s", got)
	}
}
