package e2e

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/storagetest"
	"github.com/heyan/heyan/worker/client"
)

// deployment is a service with all its processes.
type deployment struct {
	client.HTTP // with a key of all scopes
	answers     *honest

	folder  string // logs, and the data of its processes
	records string // address of the records
	opened  *records.Store
	env     []string

	api     *service // serve, where everything is one process
	workers []*service
}

// standing makes the stand-in read, at this cost a picture.
func standing(cost time.Duration) []string {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return []string{"HEYAN_ENGINE=" + self, standInEnv + "=" + cost.String()}
}

// unhurried takes the rates of keys out of the way.
var unhurried = []string{"HEYAN_RATE=100000", "HEYAN_BURST=100000"}

// alone starts a deployment of one machine and one process.
func alone(t testing.TB, env ...string) *deployment {
	t.Helper()
	return aloneIn(t, t.TempDir(), env...)
}

// aloneIn does it over a folder with its data.
func aloneIn(t testing.TB, folder string, env ...string) *deployment {
	t.Helper()
	data := filepath.Join(folder, "data")
	d := &deployment{folder: folder, records: "sqlite://" + filepath.Join(data, "records.db"),
		env: slices.Concat(unhurried, []string{"HEYAN_DATA=" + data}, env)}
	d.api = d.answering(t, "serve")
	d.workers = []*service{d.api}
	return d
}

// servers are what a deployment of several processes stands on.
type servers struct {
	postgres *storagetest.Postgres
	s3       *storagetest.S3
	redis    *storagetest.Redis
}

func startServers(t testing.TB) servers {
	t.Helper()
	return servers{storagetest.StartPostgres(t), storagetest.StartS3(t), storagetest.StartRedis(t)}
}

// many starts a deployment as deploy/compose.yaml is one: an API and workers.
// s3 is where they reach the S3 server.
func many(t testing.TB, on servers, s3 string, workers int, env ...string) *deployment {
	t.Helper()
	folder := t.TempDir()
	d := &deployment{folder: folder, records: on.postgres.NewDatabase(t)}
	d.env = slices.Concat(unhurried, []string{
		"HEYAN_DATA=" + filepath.Join(folder, "data"), "HEYAN_RECORDS=" + d.records, "HEYAN_REDIS=" + on.redis.Address,
		"HEYAN_S3_ENDPOINT=" + s3, "HEYAN_S3_ACCESS_KEY=" + on.s3.Config.AccessKey, "HEYAN_S3_SECRET_KEY=" + on.s3.Config.SecretKey,
	}, env)
	d.api = d.answering(t, "api", "--no-prechecks")
	for i := range workers {
		d.addWorker(t, i, 2)
	}
	return d
}

// addWorker starts another worker process with so many engine children.
func (d *deployment) addWorker(t testing.TB, number, children int) {
	t.Helper()
	log := filepath.Join(d.folder, "worker"+strconv.Itoa(number)+".log")
	d.workers = append(d.workers, run(t, log, d.env, "worker", "--workers="+strconv.Itoa(children), "--listen", storagetest.FreeAddress(t)))
}

// answering starts the process that answers requests and waits for its first key.
func (d *deployment) answering(t testing.TB, args ...string) *service {
	t.Helper()
	address, log := storagetest.FreeAddress(t), filepath.Join(d.folder, "api.log")
	t.Cleanup(func() { d.confess(t) })
	s := run(t, log, d.env, append(args, "--listen", address)...)
	d.answers = &honest{t: t, counts: map[int]int{}}
	d.HTTP = client.HTTP{Base: "http://" + address, Client: &http.Client{Transport: d.answers}}
	d.waitReady(t)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`HEYAN_KEY=(\S+)`).FindSubmatch(text)
	if key == nil {
		t.Fatalf("no key was printed:\n%s", text)
	}
	d.Key = string(key[1])
	return s
}

// waitReady waits until the API says that all parts answer.
func (d *deployment) waitReady(t testing.TB) {
	t.Helper()
	for end := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		response, err := http.Get(d.Base + "/readyz")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("the service is not ready within %s; its last words:\n%s", startTimeout, d.lastWords())
		}
	}
}

// confess shows the errors of the logs of a test that failed.
func (d *deployment) confess(t testing.TB) {
	if !t.Failed() {
		return
	}
	logs, _ := filepath.Glob(filepath.Join(d.folder, "*.log"))
	for _, log := range logs {
		text, _ := os.ReadFile(log)
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "level=ERROR") {
				t.Logf("%s: %s", filepath.Base(log), line)
			}
		}
	}
}

// lastWords are the ends of the logs.
func (d *deployment) lastWords() string {
	const most = 2000
	logs, _ := filepath.Glob(filepath.Join(d.folder, "*.log"))
	words := ""
	for _, log := range logs {
		text, _ := os.ReadFile(log)
		words += "--- " + filepath.Base(log) + "\n" + string(text[max(0, len(text)-most):])
	}
	return words
}

// store is the records, read beside the processes.
func (d *deployment) store(t testing.TB) *records.Store {
	t.Helper()
	if d.opened == nil {
		var err error
		if d.opened, err = records.Open(context.WithoutCancel(t.Context()), d.records); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.opened.Close(); d.opened = nil })
	}
	return d.opened
}
