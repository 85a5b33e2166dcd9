package e2e

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/worker/client"
)

const (
	// outage is how long a server is away or ill: longer than the rounds of the
	// sweep and the waits of clients that try again by themselves.
	outage = 4 * time.Second
	// outageSubmissions come around each outage.
	outageSubmissions = 60
	// recovery bounds the wait for the verdicts afterwards. What could not be
	// tried comes back in seconds.
	recovery = 90 * time.Second
)

// TestOutages makes servers ill one after the other while submissions come:
// callers hear 503 and when to come again, nothing is lost, no attempt is
// counted against a photo, and all goes on by itself.
func TestOutages(t *testing.T) {
	t.Parallel()
	on := startServers(t)
	s3 := startProxy(t, on.s3.Config.Endpoint)
	d := many(t, on, s3.address, 1, standing(standInCost)...)
	ill := func(f fault) func() {
		return func() { s3.set(f); time.Sleep(outage); s3.set(healthy) }
	}
	for _, tt := range []struct {
		name    string
		outage  func()
		refuses bool // submissions cannot be taken meanwhile
	}{
		{"s3-unreachable", ill(unreachable), true},
		{"s3-slow", ill(slow), false},
		{"s3-refusing", ill(refusing), true},
		{"s3-truncating", ill(truncating), false},
		{"postgres-restarts", func() { on.postgres.Kill(); time.Sleep(outage); on.postgres.Start(t) }, true},
		{"postgres-read-only", func() {
			on.postgres.SetReadOnly(t, true)
			time.Sleep(outage)
			on.postgres.SetReadOnly(t, false)
		}, true},
		{"redis-restarts", func() { on.redis.Kill(); time.Sleep(outage); on.redis.Start(t) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := d.answers.count(http.StatusServiceUnavailable)
			l := d.amid(t, tt.name, outageSubmissions, func(_ <-chan struct{}, l *ledger) {
				for l.count.Load() < outageSubmissions/4 {
					time.Sleep(5 * time.Millisecond)
				}
				tt.outage()
			})
			l.undisturbed = true
			if refused := d.answers.count(http.StatusServiceUnavailable) - before; tt.refuses && refused == 0 {
				t.Error("nobody was asked to come again")
			}
			l.settled(t, d, recovery)
			d.waitReady(t)
		})
	}
}

// TestDiskFull ends the growth of files of the service on one machine.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	d := alone(t, standing(standInCost)...)
	ctx, cancel := context.WithTimeout(t.Context(), recovery)
	defer cancel()
	// Larger than records and logs are in this test.
	photo := bytes.Repeat([]byte("photo"), 1<<20)
	submit := func(picture []byte, key string) error {
		_, err := d.Submit(ctx, picture, report.Submission{Policy: "photo", ClientReference: key}, key)
		return err
	}
	refused := func(what string, err error) {
		t.Helper()
		if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: got %v, want 503", what, err)
		}
	}
	if err := submit(tile(1), "before"); err != nil {
		t.Fatal(err)
	}

	d.api.limitFiles(t, 3<<20)
	refused("a photo without room", submit(photo, "photo"))
	if err := submit(tile(2), "small"); err != nil {
		t.Errorf("a photo for which there is room: %v", err)
	}

	d.api.limitFiles(t, 1<<10)
	refused("a record without room", submit(tile(3), "record"))

	d.api.limitFiles(t, 1<<40)
	for key, picture := range map[string][]byte{"photo": photo, "record": tile(3), "small": tile(2)} {
		v, err := d.Submit(ctx, picture, report.Submission{Policy: "photo", ClientReference: key}, key)
		if err == nil {
			v, err = d.Wait(ctx, v.ID)
		}
		if err != nil || v.Outcome != standInOutcome(picture) {
			t.Errorf("%s, with room again: %s, %v", key, v.Outcome, err)
		}
	}
}
