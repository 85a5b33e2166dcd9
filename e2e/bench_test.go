package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/worker"
)

const (
	benchCost    = 20 * time.Millisecond // of the stand-in, where 10,000 are drained
	backlog      = 10_000
	benchTimeout = 30 * time.Minute // on a busy machine
)

// row is a line of the table: what was measured against which target, and how.
type row struct{ what, target, value, how string }

// BenchmarkService prints the table of `make bench-service`: once, whatever b.N.
func BenchmarkService(b *testing.B) {
	ctx, cancel := context.WithTimeout(b.Context(), benchTimeout)
	defer cancel()
	measured, photos := revision(), samplePhotos(b)
	var table []row
	for _, measure := range []func(testing.TB, context.Context, [][]byte) []row{
		measureIdle, measureAccept, measureDrain, measureDrainStandIn, measureTwoWorkers,
	} {
		rows := measure(b, ctx, photos)
		for _, r := range rows {
			fmt.Fprintf(os.Stderr, "bench-service: %s: %s\n", r.what, r.value)
		}
		table = append(table, rows...)
	}
	fmt.Printf("\n%s, %d cores, load generator and servers included.\n\n| | target | measured | how |\n| --- | --- | --- | --- |\n", measured, runtime.NumCPU())
	for _, r := range table {
		fmt.Printf("| %s | %s | %s | %s |\n", r.what, r.target, r.value, r.how)
	}
}

// samplePhotos are the pictures of testdata/samples.
func samplePhotos(b testing.TB) (photos [][]byte) {
	b.Helper()
	paths, err := filepath.Glob("../testdata/samples/*.jpg")
	if err != nil || len(paths) == 0 {
		b.Fatal("no sample photos", err)
	}
	for _, path := range paths {
		photo, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		photos = append(photos, photo)
	}
	return photos
}

// numbered is a JPEG with a comment that makes it another file of at least size
// bytes.
func numbered(photo []byte, number, size int) []byte {
	const longest = 65533 // of a segment, its length included
	out := append([]byte{}, photo[:2]...)
	for first := true; first || len(out)+len(photo)-2 < size; first = false {
		length := min(max(size-len(out)-len(photo), 16), longest)
		comment := make([]byte, length-2)
		copy(comment, fmt.Sprintf("%012d", number))
		out = append(out, 0xff, 0xfe, byte(length>>8), byte(length))
		out = append(out, comment...)
	}
	return append(out, photo[2:]...)
}

// measureIdle sends one photo after the other to a service that has nothing
// else to do, and then as many at once as keep it at work.
func measureIdle(b testing.TB, ctx context.Context, photos [][]byte) []row {
	const n = 60
	d := alone(b)
	rest := tree(d.api.pid())
	photo := func(i int) []byte { return numbered(photos[i%len(photos)], i, 0) }
	d.verdict(b, ctx, photo(0), worker.Interactive) // the engine is warm then
	var times []time.Duration
	for i := range n {
		begin := time.Now()
		d.verdict(b, ctx, photo(1+i), worker.Interactive)
		times = append(times, time.Since(begin))
	}
	before, cpu := tree(d.api.pid()), make([]time.Duration, n)
	submit(b, ctx, n, func(i int) error {
		cpu[i] = time.Duration(d.verdict(b, ctx, photo(1+n+i), worker.Interactive).TimingsMS["cpu"] * float64(time.Millisecond))
		return nil
	})
	own, engine := tree(d.api.pid()).own-before.own, sum(cpu)
	d.api.stop(b)
	return []row{
		{"submitted to verdict, idle system, p50 / p99", "≤ 1.2 s / ≤ 3 s",
			fmt.Sprintf("%s / %s", seconds(quantile(times, 0.5)), seconds(quantile(times, 0.99))),
			fmt.Sprintf("`serve`, the engine; %d sample photos one after the other, from the first byte of the request to the report at the caller", n)},
		{"queue, storage and records overhead per verification, engine excluded", "≤ 5 % of the engine's CPU",
			fmt.Sprintf("%.1f %% (%s of %s)", 100*own.Seconds()/engine.Seconds(), millis(own/n), millis(engine/n)),
			fmt.Sprintf("processor time of the `serve` process itself, HTTP and long polls included, against what its children report a picture; %d photos, %d callers", n, callers)},
		{"memory of `serve` at rest", "≤ 600 MB", fmt.Sprintf("%s, with its children %s", megabytes(rest.ownRSS), megabytes(rest.allRSS)),
			"resident, after the start with two children loaded, before the first photo"},
	}
}

// measureAccept sends photos of 1 MB at a fixed rate, whether or not earlier
// ones were answered, while the engine works on those before.
func measureAccept(b testing.TB, ctx context.Context, photos [][]byte) []row {
	const rate, span, size = 20, 30 * time.Second, 1 << 20
	d := alone(b)
	d.verdict(b, ctx, numbered(photos[0], 0, 0), worker.Interactive)
	peak := d.watchMemory(b)
	n := int(span.Seconds() * rate)
	times := make([]time.Duration, n)
	var all sync.WaitGroup
	begin := time.Now()
	for i := range n {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Second / rate)))
		due := time.Now()
		all.Go(func() {
			if _, err := d.Submit(ctx, numbered(photos[i%len(photos)], 1+i, size), report.Submission{Policy: "photo"}, fmt.Sprint(i)); err != nil {
				b.Error(err)
			}
			times[i] = time.Since(due)
		})
	}
	all.Wait()
	most := peak()
	d.api.end() // its backlog would be in the way
	return []row{
		{"accept (photo of 1 MB stored, queued, acknowledged) p99 at 20/s", "≤ 100 ms on the embedded mode",
			fmt.Sprintf("%s (p50 %s)", millis(quantile(times, 0.99)), millis(quantile(times, 0.5))),
			fmt.Sprintf("`serve`, the engine at work on two cores all the while; %d photos of 1 MB in %s, each sent when it is due", n, span)},
		{"memory of `serve` under load", "bounded, stated", fmt.Sprintf("%s, with its children %s", megabytes(most.ownRSS), megabytes(most.allRSS)),
			"the most of the same run, looked at every 100 ms"},
	}
}

// measureDrain lets the engine work on a backlog of 10,000, of which it reads
// the first hundreds, first alone and then while applicants come.
func measureDrain(b testing.TB, ctx context.Context, photos [][]byte) []row {
	const span, reads = 75 * time.Second, 300
	picture := func(i int) []byte {
		if i < reads {
			return numbered(photos[i%len(photos)], i, 0)
		}
		return tile(i)
	}
	before := poolRate(b, ctx, nil, picture, span/3)
	d := loaded(b, ctx, backlog, picture)
	begin := time.Now()
	time.Sleep(span)
	drained := rateOf(b, ctx, d.store(b), begin.Add(span/15), begin.Add(span))
	var times []time.Duration
	for i := range 40 {
		begin := time.Now()
		d.verdict(b, ctx, numbered(photos[i%len(photos)], reads+i, 0), worker.Interactive)
		times = append(times, time.Since(begin))
	}
	waiting := d.waiting(b, ctx)
	d.api.end()
	alone := (before + poolRate(b, ctx, nil, picture, span/3)) / 2
	return []row{
		{"10,000 queued: drain rate, the engine", "≥ 95 % of the engine's own rate",
			fmt.Sprintf("%.0f %% (%.2f/s of %.2f/s)", 100*drained/alone, drained, alone),
			fmt.Sprintf("`serve` on a backlog of %d in the records, verdicts of %s, against engine.Pool alone on the same photos before and after", backlog, span)},
		{"interactive p99 while 10,000 batch items wait", "≤ 5 s", fmt.Sprintf("%s (p50 %s)", seconds(quantile(times, 0.99)), seconds(quantile(times, 0.5))),
			fmt.Sprintf("same run: %d photos one after the other as in the first row, %d items still waiting at the end", len(times), waiting)},
	}
}

// measureDrainStandIn drains a whole backlog.
func measureDrainStandIn(b testing.TB, ctx context.Context, _ [][]byte) []row {
	const span = 15 * time.Second
	env := standing(benchCost)
	before := poolRate(b, ctx, env, tile, span)
	d := loaded(b, ctx, backlog, tile, env...)
	cpu := d.drained(b, ctx)
	first, last, _ := verdicts(b, ctx, d.store(b))
	drained := (backlog - 1) / last.Sub(first).Seconds()
	d.api.stop(b)
	alone := (before + poolRate(b, ctx, env, tile, span)) / 2
	return []row{{"10,000 queued: drain rate, a stand-in of 20 ms", "", fmt.Sprintf("%.0f %% (%.1f/s of %.1f/s), %s of `serve` a verification",
		100*drained/alone, drained, alone, millis(cpu/backlog)),
		fmt.Sprintf("the same, all %d drained, with a child that uses %s of processor time a picture: 1/40 of the engine's", backlog, benchCost)}}
}

// measureTwoWorkers drains a fixed backlog on servers, with the same number of
// children in one process and in two.
func measureTwoWorkers(b testing.TB, ctx context.Context, _ [][]byte) []row {
	const n, cost = 800, 40 * time.Millisecond
	took := map[int]time.Duration{}
	twice := 0
	for _, workers := range []int{1, 2, 2, 1} { // so that a drift of the machine weighs on both
		on := startServers(b)
		d := many(b, on, on.s3.Config.Endpoint, 0, standing(cost)...)
		d.fill(b, ctx, n)
		for i := range workers {
			d.addWorker(b, i, 2/workers)
		}
		d.drained(b, ctx)
		first, last, events := verdicts(b, ctx, d.store(b))
		took[workers] += last.Sub(first)
		twice += events - n
		for _, s := range append(d.workers, d.api) {
			s.stop(b)
		}
	}
	return []row{{"two worker processes against one on a fixed backlog", "no verdict twice; ≤ 5 % overhead",
		fmt.Sprintf("%d twice; %+.1f %% (%s against %s)", twice, 100*(took[2].Seconds()/took[1].Seconds()-1), seconds(took[2]/2), seconds(took[1]/2)),
		fmt.Sprintf("Redis, versitygw and Postgres on the same cores; %d items, a stand-in of %s, one process of two children and two of one, each twice", n, cost)}}
}

// verdict submits a picture and waits for its report.
func (d *deployment) verdict(b testing.TB, ctx context.Context, picture []byte, priority string) report.Report {
	b.Helper()
	v, err := d.Submit(ctx, picture, report.Submission{Policy: "photo", Priority: priority}, "")
	if err == nil {
		v, err = d.Wait(ctx, v.ID)
	}
	if err != nil {
		b.Fatalf("no verdict: %v; last words\n%s", err, d.lastWords())
	}
	return *v.Report
}

func quantile(times []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func sum(times []time.Duration) (total time.Duration) {
	for _, t := range times {
		total += t
	}
	return total
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
func millis(d time.Duration) string  { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }
func megabytes(bytes int64) string   { return fmt.Sprintf("%d MB", bytes>>20) }

// revision is the commit that is measured.
func revision() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unversioned"
	}
	return "commit " + strings.TrimSpace(string(out))
}
