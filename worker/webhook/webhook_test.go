package webhook

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
)

// rig is a sender with its records, an endpoint of theirs, and a clock.
type rig struct {
	*Sender
	store    *records.Store
	mu       sync.Mutex
	now      time.Time
	endpoint string
	secrets  []string
}

func newRig(t *testing.T, address string) *rig {
	t.Helper()
	dir := t.TempDir()
	store, err := records.Open(t.Context(), "sqlite://"+filepath.Join(dir, "records.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	keys, err := vault.Open(t.Context(), filepath.Join(dir, "vault.key"), store)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{store: store, now: time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC), endpoint: records.NewID(), secrets: []string{NewSecret(), NewSecret()}}
	r.Sender = New(Config{
		Records: store, Vault: keys, Registerer: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler),
		Guard:  Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, AllowHTTP: true},
		Now:    r.clock,
		Random: func() float64 { return 0.5 },
	})
	sealer, err := keys.For(t.Context(), records.DefaultTenant)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := SealSecrets(sealer, r.endpoint, r.secrets)
	if err != nil {
		t.Fatal(err)
	}
	err = store.AddEndpoint(t.Context(), records.Endpoint{ID: r.endpoint, Tenant: records.DefaultTenant, URL: address, SealedSecrets: sealed, CreatedAt: r.now})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// add stores an event about something new and returns its id.
func (r *rig) add(t *testing.T) string {
	t.Helper()
	e := records.Event{ID: records.NewID(), Tenant: records.DefaultTenant, Type: "verification.completed", Subject: records.NewID(),
		At: r.clock(), Payload: []byte(`{"id":"v1","status":"completed","outcome":"fail","reasons":["image_blurry"]}`)}
	if _, err := r.store.AddEvent(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return e.ID
}

// round makes all attempts that are due now.
func (r *rig) round(t *testing.T) {
	t.Helper()
	if err := r.send(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.running.Wait()
}

func (r *rig) delivery(t *testing.T, event string) records.Delivery {
	t.Helper()
	all, err := r.store.Deliveries(t.Context(), records.DefaultTenant, event)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d deliveries, %v", len(all), err)
	}
	return all[0]
}

// receiver keeps what it gets and answers with a status.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []received
}

type received struct {
	header http.Header
	body   []byte
}

func receive(t *testing.T, status int) *receiver {
	r := &receiver{status: status}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, received{req.Header, body})
		w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func TestDelivery(t *testing.T) {
	to := receive(t, http.StatusNoContent)
	r := newRig(t, to.URL)
	event := r.add(t)
	r.round(t)
	r.round(t)
	if len(to.got) != 1 {
		t.Fatalf("received %d times, want once", len(to.got))
	}
	got := to.got[0]
	for i, secret := range append(r.secrets, NewSecret()) {
		key, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := key.VerifyIgnoringTimestamp(got.body, got.header); (err == nil) != (i < 2) {
			t.Errorf("secret %d: %v", i, err)
		}
	}
	if id := got.header.Get("webhook-id"); id != event {
		t.Errorf("id %s, want the event's %s", id, event)
	}
	var sent struct {
		Type      string
		Timestamp time.Time
		Data      map[string]any
	}
	if err := json.Unmarshal(got.body, &sent); err != nil {
		t.Fatal(err)
	}
	if sent.Type != "verification.completed" || !sent.Timestamp.Equal(r.clock()) || sent.Data["outcome"] != "fail" || len(sent.Data) != 4 {
		t.Errorf("sent %s", got.body)
	}
	if d := r.delivery(t, event); d.Status != records.DeliverySucceeded || d.Attempts != 1 || d.LastStatus != http.StatusNoContent {
		t.Errorf("delivery %+v", d)
	}
	if n, err := r.store.Replay(t.Context(), records.DefaultTenant, event, r.clock()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	r.round(t)
	if len(to.got) != 2 || to.got[1].header.Get("webhook-id") != event {
		t.Errorf("%d received after the replay, want 2 of one id", len(to.got))
	}
	if n := testutil.ToFloat64(r.attempts.WithLabelValues(delivered)); n != 2 {
		t.Errorf("counted %v delivered, want 2", n)
	}
}

// The vector of the specification's reference libraries.
func TestSignatureVector(t *testing.T) {
	h := http.Header{}
	err := sign(h, []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "msg_p5jXN8AQM9LWM0D4loKWxJek",
		time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if err != nil {
		t.Fatal(err)
	}
	want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	if got := h.Get("webhook-signature"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := h.Get("webhook-timestamp"); got != "1614265330" {
		t.Errorf("got timestamp %s", got)
	}
}

func TestSecrets(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	sealer, err := r.Vault.For(t.Context(), records.DefaultTenant)
	if err != nil {
		t.Fatal(err)
	}
	for _, secrets := range [][]string{nil, {"whsec_"}, {"whsec_c2hvcnQ="}, {NewSecret()[6:]}, {NewSecret() + " "}, {"whsec_" + strings.Repeat("QUJD", 30)}} {
		if _, err := SealSecrets(sealer, "e", secrets); err == nil {
			t.Errorf("%q was taken", secrets)
		}
	}
	sealed, err := SealSecrets(sealer, "e", r.secrets)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := OpenSecrets(sealer, "e", sealed); err != nil || len(got) != 2 || got[0] != r.secrets[0] {
		t.Errorf("opened %q, %v", got, err)
	}
	if _, err := OpenSecrets(sealer, "another", sealed); err == nil {
		t.Error("opened for another endpoint")
	}
}

// A delivery that always fails goes through the whole schedule and ends; an
// endpoint that fails for long is disabled, once, with an event.
func TestScheduleAndDisabling(t *testing.T) {
	to := receive(t, http.StatusInternalServerError)
	r := newRig(t, to.URL)
	event := r.add(t)
	r.round(t)
	for i, delay := range schedule {
		if d := r.delivery(t, event); d.Attempts != i+1 || d.Status != records.DeliveryPending || !d.NextAt.Equal(r.clock().Add(delay)) ||
			d.LastCode != codeStatus || d.LastStatus != http.StatusInternalServerError {
			t.Fatalf("after attempt %d: %+v, want the next in %v", i+1, d, delay)
		}
		r.pass(delay - time.Millisecond)
		r.round(t)
		if len(to.got) != i+1 {
			t.Fatalf("attempt %d came early", i+2)
		}
		r.pass(time.Millisecond)
		r.round(t)
	}
	if d := r.delivery(t, event); d.Status != records.DeliveryFailed || len(to.got) != len(schedule)+1 {
		t.Errorf("after all of the schedule: %+v, %d attempts", d, len(to.got))
	}

	disabled := func() (events []records.Event) {
		all, err := r.store.Events(t.Context(), records.DefaultTenant, 0, records.MaxPage)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if e.Type == EventDisabled {
				events = append(events, e)
			}
		}
		return events
	}
	if got := disabled(); len(got) != 0 {
		t.Fatalf("disabled after three days: %+v", got)
	}
	r.pass(disableAfter - 76*time.Hour)
	r.add(t)
	r.add(t)
	r.round(t)
	r.pass(time.Hour)
	r.round(t)
	got := disabled()
	if len(got) != 1 || got[0].Subject != r.endpoint || !strings.Contains(string(got[0].Payload), r.endpoint) {
		t.Fatalf("disabled events %+v, want one of the endpoint", got)
	}
	attempts := len(to.got)
	r.pass(24 * time.Hour)
	r.round(t)
	if len(to.got) != attempts {
		t.Error("a disabled endpoint was called")
	}
}

func TestNextAttempt(t *testing.T) {
	now := time.Unix(0, 0)
	for _, tt := range []struct {
		before int
		chance float64
		want   time.Duration
	}{{0, 0.5, 5 * time.Second}, {0, 0, 4500 * time.Millisecond}, {0, 1, 5500 * time.Millisecond}, {8, 0.5, 24 * time.Hour}, {1, 1, 330 * time.Second}} {
		if got := nextAttempt(now, tt.before, tt.chance).Sub(now); got != tt.want {
			t.Errorf("after %d attempts by %v: %v, want %v", tt.before+1, tt.chance, got, tt.want)
		}
	}
	if got := nextAttempt(now, len(schedule), 0.5); !got.IsZero() {
		t.Errorf("after the last: %v", got)
	}
}

func TestFailures(t *testing.T) {
	tlsServer := httptest.NewTLSServer(http.NotFoundHandler())
	defer tlsServer.Close()
	tlsServer.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	huge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for w.Header().Get("x") == "" {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}))
	defer huge.Close()
	for _, tt := range []struct {
		name, url, code string
		status          int
	}{
		{"no listener", "http://127.0.0.1:1", codeConnection, 0},
		{"refused address", "http://127.0.0.2:1", codeAddress, 0},
		{"refused scheme", "gopher://127.0.0.1", codeURL, 0},
		{"redirect", receive(t, http.StatusTemporaryRedirect).URL, codeRedirect, http.StatusTemporaryRedirect},
		{"not found", receive(t, http.StatusNotFound).URL, codeStatus, http.StatusNotFound},
		{"unknown certificate", tlsServer.URL, codeTLS, 0},
		{"silent", "http://" + silent.Addr().String(), codeTimeout, 0},
		{"endless answer", huge.URL, "", http.StatusOK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.url)
			if tt.code == codeTimeout {
				r.http.Timeout = 50 * time.Millisecond
			}
			event := r.add(t)
			r.round(t)
			want := records.DeliveryPending
			if tt.code == "" {
				want = records.DeliverySucceeded
			}
			if d := r.delivery(t, event); d.LastCode != tt.code || d.LastStatus != tt.status || d.Status != want {
				t.Errorf("got %s %s %d, want %s %s %d", d.Status, d.LastCode, d.LastStatus, want, tt.code, tt.status)
			}
		})
	}
}

// A name that stood for an allowed address stands for another one the next time.
func TestRebinding(t *testing.T) {
	to := receive(t, http.StatusOK)
	u, err := url.Parse(to.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, "http://hooks.test:"+u.Port())
	address := [4]byte{127, 0, 0, 1}
	r.dialer.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go answerDNS(theirs, address)
		return ours, nil
	}}
	r.http.Transport.(*http.Transport).DisableKeepAlives = true
	event := r.add(t)
	r.round(t)
	if d := r.delivery(t, event); d.Status != records.DeliverySucceeded {
		t.Fatalf("the allowed address: %+v", d)
	}
	address = [4]byte{127, 0, 0, 2} // the receiver's machine all the same, but not allowed
	event = r.add(t)
	r.round(t)
	if d := r.delivery(t, event); d.LastCode != codeAddress || len(to.got) != 1 {
		t.Errorf("the other address: %+v, received %d", d, len(to.got))
	}
}

// answerDNS answers one question of a stream with an address.
func answerDNS(conn net.Conn, address [4]byte) {
	defer conn.Close()
	buffer := make([]byte, 1<<10)
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return
	}
	n, err := io.ReadFull(conn, buffer[:int(length[0])<<8|int(length[1])])
	if err != nil {
		return
	}
	var m dnsmessage.Message
	if m.Unpack(buffer[:n]) != nil {
		return
	}
	m.Response, m.Additionals = true, nil
	for _, q := range m.Questions {
		if q.Type == dnsmessage.TypeA {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0},
				Body:   &dnsmessage.AResource{A: address},
			})
		}
	}
	answer, err := m.Pack()
	if err != nil {
		return
	}
	_, _ = conn.Write(append([]byte{byte(len(answer) >> 8), byte(len(answer))}, answer...))
}
