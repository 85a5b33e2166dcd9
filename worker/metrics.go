package worker

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

const (
	// scrapeTimeout bounds what a scrape waits for records and queue.
	scrapeTimeout = 2 * time.Second
	// maxCodes bounds the values of a label that come from reports: there are
	// some 60 reason codes and a dozen steps.
	maxCodes = 128
	// otherLabel stands for every value beyond that, and for unknown policies.
	otherLabel = "other"
)

// metrics are what this process did. Labels are codes.
type metrics struct {
	outcomes *prometheus.CounterVec
	reasons  *prometheus.CounterVec
	verdicts *prometheus.HistogramVec
	steps    *prometheus.HistogramVec
	failed   *prometheus.CounterVec
	deaths   *prometheus.CounterVec
	atRisk   *prometheus.CounterVec
	decided  *prometheus.CounterVec

	certifications *prometheus.CounterVec

	codes, stepNames bounded
}

func newMetrics(r prometheus.Registerer, ask func(context.Context) (load, error)) *metrics {
	if r != nil {
		r.MustRegister(&loadCollector{ask})
	}
	build := promauto.With(r)
	return &metrics{
		outcomes: build.NewCounterVec(prometheus.CounterOpts{
			Name: "heyan_verifications_total", Help: "Verdicts of the machine, by policy and outcome.",
		}, []string{"policy", "outcome"}),
		reasons: build.NewCounterVec(prometheus.CounterOpts{
			Name: "heyan_reasons_total", Help: "Reasons given with verdicts, by policy and code.",
		}, []string{"policy", "code"}),
		verdicts: build.NewHistogramVec(prometheus.HistogramOpts{
			Name: "heyan_verdict_seconds", Help: "Time from submission to the machine's verdict, by priority.",
			Buckets: []float64{0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 900, 1800, 3600, 14400},
		}, []string{"priority"}),
		steps: build.NewHistogramVec(prometheus.HistogramOpts{
			Name: "heyan_step_seconds", Help: "Time of one step of reading a picture.",
			Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30},
		}, []string{"step"}),
		failed: build.NewCounterVec(prometheus.CounterOpts{
			Name: "heyan_attempts_failed_total", Help: "Attempts at a verdict that failed, by code.",
		}, []string{"code"}),
		deaths: build.NewCounterVec(prometheus.CounterOpts{
			Name: "heyan_engine_deaths_total", Help: "Engine children that died over a picture, by cause.",
		}, []string{"cause"}),
		atRisk: build.NewCounterVec(prometheus.CounterOpts{
			Name: "heyan_sla_at_risk_total", Help: "Verifications undecided at 80 % of their time, by priority.",
		}, []string{"priority"}),
		decided: build.NewCounterVec(prometheus.CounterOpts{
			Name: "heyan_decisions_total", Help: "Final decisions of people, by outcome.",
		}, []string{"outcome"}),
		certifications: build.NewCounterVec(prometheus.CounterOpts{
			Name: "heyan_certifications_total", Help: "What happened to certifications: granted and renewed by verdicts of the machine, changed, expiring (reminders), reverified (stored data verified again), expired.",
		}, []string{"event"}),
	}
}

// verdict counts a verdict that was written; known: the policy is one of ours.
func (m *metrics) verdict(v records.Verification, rep report.Report, known bool) {
	policy := otherLabel
	if known {
		policy = v.Policy
	}
	m.outcomes.WithLabelValues(policy, m.codes.label(string(v.Outcome))).Inc()
	for _, code := range v.Reasons {
		m.reasons.WithLabelValues(policy, m.codes.label(code)).Inc()
	}
	m.verdicts.WithLabelValues(v.Priority).Observe(v.CompletedAt.Sub(v.CreatedAt).Seconds())
	for step, ms := range rep.TimingsMS {
		m.steps.WithLabelValues(m.stepNames.label(step)).Observe(ms / 1000)
	}
}

// certified counts what verdicts and decisions did to certifications.
func (m *metrics) certified(g *records.Grant, changed *records.Event) {
	if g != nil {
		m.certifications.WithLabelValues(strings.TrimPrefix(g.Event.Type, "certification.")).Inc()
	}
	if changed != nil {
		m.certifications.WithLabelValues("changed").Inc()
	}
}

// bounded lets no more than maxCodes values become labels, and only codes: they
// come from children.
type bounded struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (b *bounded) label(value string) string {
	if strings.Trim(value, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return otherLabel
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.seen[value] {
		if len(b.seen) == maxCodes {
			return otherLabel
		}
		if b.seen == nil {
			b.seen = map[string]bool{}
		}
		b.seen[value] = true
	}
	return value
}

// loadCollector asks what waits when it is scraped.
type loadCollector struct {
	ask func(context.Context) (load, error)
}

var (
	queueDepth    = prometheus.NewDesc("heyan_queue_depth", "Verifications that wait for the machine's verdict.", []string{"priority"}, nil)
	queueOldest   = prometheus.NewDesc("heyan_queue_oldest_seconds", "Age of the oldest of them.", []string{"priority"}, nil)
	queueOverdue  = prometheus.NewDesc("heyan_sla_overdue", "Those of them that are past their deadline.", []string{"priority"}, nil)
	queueDrain    = prometheus.NewDesc("heyan_queue_drain_seconds", "How long what somebody waits for will take at the measured rate.", nil, nil)
	queueRate     = prometheus.NewDesc("heyan_queue_rate", "Verdicts a second that all workers together can reach.", nil, nil)
	queueLate     = prometheus.NewDesc("heyan_sla_predicted_breaches", "Those of them that will break their deadline at this rate.", nil, nil)
	reviewsOpen   = prometheus.NewDesc("heyan_reviews_open", "Verdicts that wait for a person.", nil, nil)
	reviewNearest = prometheus.NewDesc("heyan_reviews_nearest_deadline_seconds", "Time left to the nearest deadline among them; absent without any.", nil, nil)
)

func (c *loadCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{queueDepth, queueOldest, queueOverdue, queueDrain, queueRate, queueLate, reviewsOpen, reviewNearest} {
		out <- d
	}
}

// Collect leaves everything out when records or queue do not answer: an old
// value would hide that.
func (c *loadCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	l, err := c.ask(ctx)
	if err != nil {
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, priority := range Priorities {
		q := l.of(priority)
		gauge(queueDepth, float64(q.Queued), priority)
		gauge(queueOverdue, float64(q.Overdue), priority)
		age := 0.0
		if q.Queued > 0 {
			age = l.at.Sub(q.OldestCreated).Seconds()
		}
		gauge(queueOldest, age, priority)
	}
	gauge(queueDrain, l.drain().Seconds())
	gauge(queueRate, l.rate)
	gauge(queueLate, float64(l.late()))
	gauge(reviewsOpen, float64(l.Reviews))
	if l.Reviews > 0 {
		gauge(reviewNearest, l.NearestReview.Sub(l.at).Seconds())
	}
}
