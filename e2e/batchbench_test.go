package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/client"
)

// BenchmarkBatch hands in a file of 100,000 lines and waits until every line is
// checked and stored: the time to its acknowledgment and to the last line, and the
// most memory that the service had meanwhile.
func BenchmarkBatch(b *testing.B) {
	const lines = 100_000
	var file strings.Builder
	file.WriteString("custom_id,organization_id,name,uscc,legal_representative,id_number,email,phone,picture\n")
	for i := range lines {
		fmt.Fprintf(&file, "C-%06d,org-%06d,霁川测试%06d科技有限公司,91310115%09dH,张试,110105194912%06d,office%d@example.com,138%08d,photos/2026/%06d.jpg\n",
			i, i, i, i, i, i, i, i)
	}
	for b.Loop() {
		d := alone(b, standing(time.Second)...)
		begin := time.Now()
		made, err := d.SubmitBatch(b.Context(), client.BatchUpload{FileName: "lines.csv", File: strings.NewReader(file.String())})
		if err != nil {
			b.Fatal(err)
		}
		accepted := time.Since(begin)
		for {
			s, err := d.BatchSummary(b.Context(), made.ID)
			if err != nil {
				b.Fatal(err)
			}
			if s.Batch.State == records.BatchRunning {
				if s.Batch.Lines != lines {
					b.Fatalf("%+v", s.Batch)
				}
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		b.ReportMetric(accepted.Seconds(), "s-to-accept")
		b.ReportMetric(time.Since(begin).Seconds(), "s-to-last-line")
		b.ReportMetric(peakMemory(b, d.api.pid()), "MB-peak")
		d.api.end()
	}
}

// peakMemory of a process so far, MB.
func peakMemory(t testing.TB, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		t.Fatal("the system does not tell the peak of a process's memory")
	}
	kb, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return float64(kb) / 1000
}
