package e2e

import (
	"net/http"
	"sync"
	"testing"
)

// honest is a transport that holds the service to its promise: what it cannot do
// now is 503 with a Retry-After, and nothing is ever a 500.
type honest struct {
	t      testing.TB
	mu     sync.Mutex
	counts map[int]int // answers by status
}

func (h *honest) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[response.StatusCode]++
	switch status := response.StatusCode; {
	case status == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "":
		h.t.Errorf("%s %s: 503 without Retry-After", r.Method, r.URL.Path)
	case status >= 500 && status != http.StatusServiceUnavailable:
		h.t.Errorf("%s %s: %s", r.Method, r.URL.Path, response.Status)
	}
	return response, nil
}

// count is how often a status was answered so far.
func (h *honest) count(status int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counts[status]
}
