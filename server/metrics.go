package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// newRequestTimes counts and times requests. Long polls are as long as they are
// asked to be.
func newRequestTimes() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "heyan_http_request_duration_seconds",
		Help:    "Requests answered, by route (method and pattern, never the path) and status.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"route", "status"})
}

// observe counts a request. The pattern of none was asked for by a stranger.
func (a *API) observe(pattern string, status int, took time.Duration) {
	if pattern == "" {
		pattern = "none"
	}
	a.times.WithLabelValues(pattern, strconv.Itoa(status)).Observe(took.Seconds())
}

func metrics(g prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(g, promhttp.HandlerOpts{})
}
