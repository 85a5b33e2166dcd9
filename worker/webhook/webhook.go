// Package webhook sends events to the endpoints of tenants as Standard Webhooks
// says (https://www.standardwebhooks.com): it knows signatures, the schedule of
// attempts, and which addresses may be called. It must not know what an event is
// about, and sends nothing but the event's own thin payload.
//
// Events and deliveries stand in the records, written with what they tell of;
// any number of senders may run. A receiver may get an event twice, and knows it
// by the header webhook-id.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
)

// EventDisabled is the type of the event that tells of a disabled endpoint.
const EventDisabled = "webhook.endpoint_disabled"

// Codes of failed attempts.
const (
	codeURL        = "url_refused"
	codeAddress    = "address_refused"
	codeEvent      = "event_unusable"
	codeSecrets    = "secrets_unusable"
	codeTimeout    = "timeout"
	codeTLS        = "tls_failed"
	codeConnection = "connection_failed"
	codeRedirect   = "redirect_refused"
	codeStatus     = "status_refused"
)

// delivered is the result of an attempt that did not fail.
const delivered = "delivered"

// reasonFailing is why an endpoint is disabled.
const reasonFailing = "failing"

const (
	// attemptTimeout is for one attempt from name to answer: Standard Webhooks
	// asks for 15 to 30 s.
	attemptTimeout = 15 * time.Second
	// lease outlasts an attempt and what is written about it.
	lease = time.Minute
	// slots is how many attempts a sender makes at a time, so that some slow
	// receivers do not hold up the others.
	slots = 32
	// tickEvery is how often a sender looks for what is due.
	tickEvery = time.Second
	// maxAnswer is how much of an answer is read, bytes: nothing of it is used.
	maxAnswer       = 16 << 10
	maxAnswerHeader = 16 << 10
	connectionsEach = 4 // to one host
)

// Config of a Sender. The fields of the first group are required.
type Config struct {
	Records *records.Store
	Vault   *vault.Vault

	Guard      Guard
	Registerer prometheus.Registerer // of metrics; nil: none
	Logger     *slog.Logger          // default slog.Default()
	Now        func() time.Time      // default time.Now
	Random     func() float64        // 0..1, for the jitter; default math/rand/v2
}

// Sender delivers events.
type Sender struct {
	Config
	dialer   *net.Dialer
	http     *http.Client
	attempts *prometheus.CounterVec
	free     chan struct{} // one entry a free slot
	running  sync.WaitGroup
}

// New is a Sender; Run starts it.
func New(c Config) *Sender {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	s := &Sender{Config: c, free: make(chan struct{}, slots), dialer: &net.Dialer{Control: c.Guard.control}}
	for range slots {
		s.free <- struct{}{}
	}
	s.http = &http.Client{
		Timeout: attemptTimeout,
		Transport: &http.Transport{ // with no proxy, which would resolve names by itself
			DialContext:            s.dialer.DialContext,
			ForceAttemptHTTP2:      true,
			MaxConnsPerHost:        connectionsEach,
			MaxResponseHeaderBytes: maxAnswerHeader,
			IdleConnTimeout:        lease,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.attempts = promauto.With(c.Registerer).NewCounterVec(prometheus.CounterOpts{
		Name: "heyan_webhook_attempts_total", Help: "Attempts to deliver an event, by result.",
	}, []string{"result"})
	return s
}

// Run sends what is due until ctx ends, then finishes the attempts it made.
func (s *Sender) Run(ctx context.Context) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		if err := s.send(ctx); err != nil && ctx.Err() == nil {
			s.Logger.Error("webhooks not sent", "error", err)
		}
		select {
		case <-ctx.Done():
			s.running.Wait()
			return
		case <-tick.C:
		}
	}
}

// send starts an attempt at each due delivery that there is a slot for.
func (s *Sender) send(ctx context.Context) error {
	for len(s.free) > 0 {
		due, err := s.Records.LeaseDeliveries(ctx, s.Now(), lease, len(s.free))
		if err != nil || len(due) == 0 {
			return err
		}
		for _, o := range due {
			<-s.free
			s.running.Go(func() {
				defer func() { s.free <- struct{}{} }()
				// An attempt that was begun is ended, within its own time.
				s.deliver(context.WithoutCancel(ctx), o)
			})
		}
	}
	return nil
}

// deliver makes one attempt and notes how it ended. What is not noted comes
// due again with the end of the lease.
func (s *Sender) deliver(ctx context.Context, o records.Outgoing) {
	log := s.Logger.With("delivery", o.Delivery.ID, "tenant", o.Event.Tenant, "type", o.Event.Type)
	status, code, err := s.attempt(ctx, o)
	now := s.Now()
	if code == "" {
		s.attempts.WithLabelValues(delivered).Inc()
		if err := s.Records.DeliverySucceeded(ctx, o.Delivery.ID, status, now); err != nil {
			log.Error("delivery not noted", "error", err)
		}
		return
	}
	s.attempts.WithLabelValues(code).Inc()
	next := nextAttempt(now, o.Attempts, s.Random())
	log.Warn("event not delivered", "code", code, "status", status, "attempt", o.Attempts+1, "again", !next.IsZero(), "error", err)
	since, err := s.Records.DeliveryFailed(ctx, o.Delivery.ID, code, status, now, next)
	if err != nil {
		log.Error("delivery not noted", "error", err)
		return
	}
	if !since.IsZero() && now.Sub(since) >= disableAfter {
		s.disable(ctx, log, o.Endpoint, now)
	}
}

func (s *Sender) disable(ctx context.Context, log *slog.Logger, e records.Endpoint, now time.Time) {
	payload, err := json.Marshal(map[string]string{"id": e.ID, "status": "disabled", "reason": reasonFailing})
	if err != nil {
		log.Error("endpoint not disabled", "endpoint", e.ID, "error", err)
		return
	}
	changed, err := s.Records.DisableEndpoint(ctx, e.Tenant, e.ID, reasonFailing, records.Event{
		// It may happen again, once somebody has enabled the endpoint.
		Type: EventDisabled, Dedupe: now.UTC().Format(time.RFC3339), At: now, Payload: payload,
	})
	if err != nil {
		log.Error("endpoint not disabled", "endpoint", e.ID, "error", err)
	} else if changed {
		log.Error("endpoint disabled: it did nothing but fail", "endpoint", e.ID, "since", e.FailingSince)
	}
}

// attempt sends the event once. An empty code says that it was taken; err is for
// the log and quotes neither address nor secret.
func (s *Sender) attempt(ctx context.Context, o records.Outgoing) (status int, code string, err error) {
	if err := s.Guard.CheckURL(o.Endpoint.URL); errors.Is(err, ErrAddress) {
		return 0, codeAddress, err
	} else if err != nil {
		return 0, codeURL, err
	}
	text, err := body(o.Event)
	if err != nil {
		return 0, codeEvent, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.Endpoint.URL, bytes.NewReader(text))
	if err != nil {
		return 0, codeURL, ErrURL
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Heyan")
	if err := s.sign(ctx, req.Header, o, text); err != nil {
		return 0, codeSecrets, err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, failure(err), reason(err)
	}
	defer resp.Body.Close()
	// What it says does not matter; read, it leaves the connection to the next.
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return resp.StatusCode, codeRedirect, nil
	case resp.StatusCode < 200 || resp.StatusCode >= 300:
		return resp.StatusCode, codeStatus, nil
	}
	return resp.StatusCode, "", nil
}

func (s *Sender) sign(ctx context.Context, h http.Header, o records.Outgoing, text []byte) error {
	sealer, err := s.Vault.For(ctx, o.Endpoint.Tenant)
	if err != nil {
		return err
	}
	secrets, err := OpenSecrets(sealer, o.Endpoint.ID, o.Endpoint.SealedSecrets)
	if err != nil {
		return err
	}
	return sign(h, secrets, o.Event.ID, s.Now(), text)
}

// failure is the code of an attempt that got no answer.
func failure(err error) string {
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	network, is := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, ErrAddress):
		return codeAddress
	case record || alert || certificate:
		return codeTLS
	case is && network.Timeout():
		return codeTimeout
	}
	return codeConnection
}

// reason is an error without the address that was called: its path may hold a
// password.
func reason(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
