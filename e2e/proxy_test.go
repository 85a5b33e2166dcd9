package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// fault is what happens to requests on their way to the S3 server.
type fault string

const (
	healthy     fault = ""
	unreachable fault = "unreachable" // the connection breaks
	slow        fault = "slow"        // each call takes slowCall longer
	refusing    fault = "refusing"    // 503 SlowDown
	truncating  fault = "truncating"  // half of each answer's body comes
)

const slowCall = 2 * time.Second

// proxy stands before an S3 server.
type proxy struct {
	address string
	mu      sync.Mutex
	fault   fault
}

func startProxy(t testing.TB, s3 string) *proxy {
	t.Helper()
	p := &proxy{}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: s3})
			r.Out.Host = r.In.Host // it is signed
		},
		Transport:      &http.Transport{DisableCompression: true},
		ModifyResponse: func(r *http.Response) error { return p.modify(r) },
		// The service hears of it; nobody reads what this one would log.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p.now() {
		case unreachable:
			panic(http.ErrAbortHandler)
		case refusing:
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)
			return
		case slow:
			time.Sleep(slowCall)
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.address = strings.TrimPrefix(server.URL, "http://")
	return p
}

func (p *proxy) modify(r *http.Response) error {
	if p.now() == truncating && r.ContentLength > 1 && r.StatusCode == http.StatusOK {
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(r.Body, r.ContentLength/2), r.Body}
	}
	return nil
}

func (p *proxy) now() fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault
}

func (p *proxy) set(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}
