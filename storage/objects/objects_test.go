package objects_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/storagetest"
)

// maxBytes is the limit these tests read with.
const maxBytes = 8 << 20

func embed(t *testing.T, dir string) *objects.Embedded {
	t.Helper()
	e, err := objects.Embed(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(context.Background()) })
	return e
}

func open(t *testing.T, config objects.Config) *objects.Store {
	t.Helper()
	s, err := objects.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { conformance(t, embed(t, t.TempDir()).Config()) })
	t.Run("versitygw", func(t *testing.T) { conformance(t, storagetest.StartS3(t).Config) })
}

// conformance is what every server must do.
func conformance(t *testing.T, config objects.Config) {
	s := open(t, config)
	open(t, config) // a second time finds the bucket
	for _, c := range []struct {
		name string
		test func(*testing.T, *objects.Store)
	}{
		{"round trip", testRoundTrip},
		{"replace", testReplace},
		{"create", testCreate},
		{"create race", testCreateRace},
		{"missing", testMissing},
		{"too large", testTooLarge},
		{"wrong size", testWrongSize},
		{"invalid keys", testInvalidKeys},
		{"list", testList},
		{"copy", testCopy},
		{"canceled", testCanceled},
		{"presigned", testPresigned},
		{"concurrent", testConcurrent},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, s) })
	}
	t.Run("wrong secret", func(t *testing.T) {
		wrong := config
		wrong.SecretKey = "wrong"
		_, err := objects.Open(t.Context(), wrong)
		if !errors.Is(err, objects.ErrDenied) || retryable(err) {
			t.Errorf("got %v, want %v", err, objects.ErrDenied)
		}
	})
	t.Run("ping", func(t *testing.T) {
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func retryable(err error) bool {
	var r interface{ Retryable() bool }
	return errors.As(err, &r) && r.Retryable()
}

var keys atomic.Int64

func newKey() string { return "pictures/" + strconv.FormatInt(keys.Add(1), 10) }

func put(t *testing.T, s *objects.Store, key string, body []byte) {
	t.Helper()
	if err := s.Put(t.Context(), key, bytes.NewReader(body), int64(len(body)), "image/jpeg"); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s *objects.Store, key string) []byte {
	t.Helper()
	r, _, err := s.Get(t.Context(), key, maxBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// sample is n bytes without a pattern that a chunk's end could hide in.
func sample(n int) []byte {
	body := make([]byte, 0, n+sha256.Size)
	for i := 0; len(body) < n; i++ {
		sum := sha256.Sum256([]byte(strconv.Itoa(i)))
		body = append(body, sum[:]...)
	}
	return body[:n]
}

func testRoundTrip(t *testing.T, s *objects.Store) {
	for _, size := range []int{0, 1, 64 << 10, 64<<10 + 1, 5 << 20} {
		key, body := newKey(), sample(size)
		put(t, s, key, body)
		if !bytes.Equal(get(t, s, key), body) {
			t.Errorf("%d bytes: got others back", size)
		}
		r, got, err := s.Get(t.Context(), key, int64(size))
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		stat, err := s.Stat(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if got != stat {
			t.Errorf("got %+v, stat %+v", got, stat)
		}
		if stat.Size != int64(size) || stat.ContentType != "image/jpeg" || stat.ETag == "" || time.Since(stat.Modified) > time.Minute {
			t.Errorf("%d bytes: %+v", size, stat)
		}
	}
}

func testReplace(t *testing.T, s *objects.Store) {
	key := newKey()
	put(t, s, key, []byte("one"))
	put(t, s, key, []byte("second"))
	if got := get(t, s, key); string(got) != "second" {
		t.Errorf("got %q", got)
	}
}

func testCreate(t *testing.T, s *objects.Store) {
	key := newKey()
	if err := s.Create(t.Context(), key, strings.NewReader("first"), 5, "image/png"); err != nil {
		t.Fatal(err)
	}
	err := s.Create(t.Context(), key, strings.NewReader("other"), 5, "image/png")
	if !errors.Is(err, objects.ErrExists) || retryable(err) {
		t.Errorf("got %v, want %v", err, objects.ErrExists)
	}
	if got := get(t, s, key); string(got) != "first" {
		t.Errorf("got %q", got)
	}
}

func testCreateRace(t *testing.T, s *objects.Store) {
	key := newKey()
	won := make(chan string, 8)
	var group sync.WaitGroup
	for i := range cap(won) {
		group.Go(func() {
			body := strings.Repeat(strconv.Itoa(i), 100_000)
			switch err := s.Create(t.Context(), key, strings.NewReader(body), int64(len(body)), "image/png"); {
			case err == nil:
				won <- body
			case !errors.Is(err, objects.ErrExists) && !errors.Is(err, objects.ErrUnavailable):
				t.Error(err)
			}
		})
	}
	group.Wait()
	close(won)
	if len(won) != 1 {
		t.Fatalf("%d creators won", len(won))
	}
	if got := get(t, s, key); string(got) != <-won {
		t.Error("the object is not the winner's")
	}
}

func testMissing(t *testing.T, s *objects.Store) {
	key := newKey()
	_, _, getErr := s.Get(t.Context(), key, maxBytes)
	_, statErr := s.Stat(t.Context(), key)
	for _, err := range []error{getErr, statErr} {
		if !errors.Is(err, objects.ErrNotFound) || retryable(err) {
			t.Errorf("got %v, want %v", err, objects.ErrNotFound)
		}
	}
	put(t, s, key, []byte("x"))
	for range 2 {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Stat(t.Context(), key); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("after delete: got %v, want %v", err, objects.ErrNotFound)
	}
}

func testTooLarge(t *testing.T, s *objects.Store) {
	key := newKey()
	put(t, s, key, sample(1000))
	_, _, err := s.Get(t.Context(), key, 999)
	if !errors.Is(err, objects.ErrTooLarge) || retryable(err) {
		t.Errorf("got %v, want %v", err, objects.ErrTooLarge)
	}
}

func testWrongSize(t *testing.T, s *objects.Store) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		r    io.Reader
		size int64
	}{
		{"short", strings.NewReader("abc"), 4},
		{"long", strings.NewReader("abc"), 2},
		{"negative", strings.NewReader("abc"), -1},
		{"broken", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), 6},
	} {
		key := newKey()
		err := s.Put(t.Context(), key, c.r, c.size, "image/png")
		if err == nil || retryable(err) {
			t.Errorf("%s: got %v, want a lasting error", c.name, err)
		}
		if c.name == "broken" && !errors.Is(err, broken) {
			t.Errorf("got %v, want the reader's own error", err)
		}
		if _, err := s.Stat(t.Context(), key); !errors.Is(err, objects.ErrNotFound) {
			t.Errorf("%s: something was stored: %v", c.name, err)
		}
	}
}

var invalidKeys = []string{
	"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a.b", "A", "a b", "a\nb", "a\x00b", "a\\b",
	"a%2fb", "a?uploads", "a#b", "名", "a\xff", "{a}", strings.Repeat("a", 129),
}

func testInvalidKeys(t *testing.T, s *objects.Store) {
	for _, key := range invalidKeys {
		_, _, getErr := s.Get(t.Context(), key, maxBytes)
		_, statErr := s.Stat(t.Context(), key)
		_, _, presignPutErr := s.PresignPut(t.Context(), key, 1, "image/png", time.Minute)
		_, presignGetErr := s.PresignGet(t.Context(), key, time.Minute)
		for _, err := range []error{
			getErr, statErr, presignPutErr, presignGetErr,
			s.Put(t.Context(), key, strings.NewReader("x"), 1, "image/png"),
			s.Create(t.Context(), key, strings.NewReader("x"), 1, "image/png"),
			s.Delete(t.Context(), key),
		} {
			if !errors.Is(err, objects.ErrInvalidKey) || retryable(err) {
				t.Errorf("%q: got %v, want %v", key, err, objects.ErrInvalidKey)
			}
			if len(key) > 2 && strings.Contains(err.Error(), key) {
				t.Errorf("%q stands in the error", key)
			}
		}
	}
}

func testList(t *testing.T, s *objects.Store) {
	prefix := newKey() + "/"
	var keys []string
	for i := range 7 {
		key := prefix + strconv.Itoa(i)
		put(t, s, key, sample(i))
		keys = append(keys, key)
	}
	put(t, s, strings.TrimSuffix(prefix, "/")+"0/0", sample(1)) // behind the prefix
	for _, limit := range []int{1, 3, 7, objects.MaxList} {
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			page, err := s.List(t.Context(), prefix, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page {
				if got = append(got, o.Key); o.Size != int64(len(got)-1) || o.Modified.IsZero() {
					t.Errorf("%s: %+v", o.Key, o.Info)
				}
			}
			if len(page) == 0 {
				break
			}
		}
		if !slices.Equal(got, keys) {
			t.Errorf("by %d: got %q, want %q", limit, got, keys)
		}
	}
	if err := s.Delete(t.Context(), keys[3]); err != nil {
		t.Fatal(err)
	}
	got, err := s.List(t.Context(), prefix, keys[2], 2) // between two pages
	if err != nil || len(got) != 2 || got[0].Key != keys[4] {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := s.List(t.Context(), newKey(), "", 1); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
	for _, limit := range []int{0, objects.MaxList + 1} {
		if _, err := s.List(t.Context(), prefix, "", limit); err == nil || retryable(err) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

func testCopy(t *testing.T, s *objects.Store) {
	from, to, body := newKey(), newKey(), sample(100_000)
	put(t, s, from, body)
	info, err := s.Stat(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Copy(t.Context(), from, info.ETag, to); err != nil {
		t.Fatal(err)
	}
	put(t, s, from, []byte("another"))
	if got := get(t, s, to); !bytes.Equal(got, body) {
		t.Errorf("got %d bytes", len(got))
	}
	if got, err := s.Stat(t.Context(), to); err != nil || got.ContentType != info.ContentType || got.ETag != info.ETag {
		t.Errorf("got %+v, %v, want %+v", got, err, info)
	}
	if err := s.Copy(t.Context(), from, info.ETag, newKey()); !errors.Is(err, objects.ErrChanged) || retryable(err) {
		t.Errorf("got %v, want %v", err, objects.ErrChanged)
	}
	if err := s.Copy(t.Context(), newKey(), info.ETag, to); !errors.Is(err, objects.ErrNotFound) || retryable(err) {
		t.Errorf("got %v, want %v", err, objects.ErrNotFound)
	}
	if err := s.Copy(t.Context(), from, info.ETag, "../x"); !errors.Is(err, objects.ErrInvalidKey) {
		t.Errorf("got %v, want %v", err, objects.ErrInvalidKey)
	}
}

func testCanceled(t *testing.T, s *objects.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Put(ctx, newKey(), strings.NewReader("x"), 1, "image/png")
	if !errors.Is(err, context.Canceled) || retryable(err) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func testPresigned(t *testing.T, s *objects.Store) {
	key, body := newKey(), sample(200_000)
	at, header, err := s.PresignPut(t.Context(), key, int64(len(body)), "image/jpeg", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	send := func(body []byte, change func(*http.Request)) int {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, at.String(), bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = header.Clone()
		change(request)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	asSigned := func(*http.Request) {}
	for _, c := range []struct {
		name   string
		body   []byte
		change func(*http.Request)
	}{
		{"shorter", body[1:], asSigned},
		{"longer", append(body[:len(body):len(body)], 'x'), asSigned},
		{"other type", body, func(r *http.Request) { r.Header.Set("Content-Type", "text/html") }},
		{"other key", body, func(r *http.Request) { r.URL.Path += "x" }},
		{"in parts", body, func(r *http.Request) { r.URL.RawQuery += "&uploadId=1&partNumber=1" }},
	} {
		if status := send(c.body, c.change); status < 400 {
			t.Errorf("%s: status %d", c.name, status)
		}
	}
	if _, err := s.Stat(t.Context(), key); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("refused uploads left something: %v", err)
	}
	if status := send(body, asSigned); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if status := send(sample(len(body)), asSigned); status != http.StatusPreconditionFailed {
		t.Errorf("a second upload: status %d", status)
	}
	if info, err := s.Stat(t.Context(), key); err != nil || info.ContentType != "image/jpeg" {
		t.Errorf("got %+v, %v", info, err)
	}

	at, err = s.PresignGet(t.Context(), key, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got, err := io.ReadAll(response.Body); err != nil || !bytes.Equal(got, body) {
		t.Errorf("status %d, got %d bytes, %v", response.StatusCode, len(got), err)
	}
	at.RawQuery = ""
	unsigned, err := http.Get(at.String())
	if err != nil {
		t.Fatal(err)
	}
	unsigned.Body.Close()
	if unsigned.StatusCode != http.StatusForbidden {
		t.Errorf("without a signature: status %d", unsigned.StatusCode)
	}
}

func testConcurrent(t *testing.T, s *objects.Store) {
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 5 {
				key := newKey()
				body := []byte(strings.Repeat(key, 10_000))
				if err := s.Put(t.Context(), key, bytes.NewReader(body), int64(len(body)), "image/png"); err != nil {
					t.Error(err)
					return
				}
				r, _, err := s.Get(t.Context(), key, maxBytes)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(r)
				if r.Close(); err != nil || !bytes.Equal(got, body) {
					t.Errorf("%s: got %d bytes, %v", key, len(got), err)
				}
			}
		})
	}
	group.Wait()
}

// A server that is away, falls over or lies is unavailable, and never gives a
// short object.
func TestUnavailable(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	if _, err := objects.Open(t.Context(), objects.Config{Endpoint: closed.Listener.Addr().String(), AccessKey: "a", SecretKey: "s", Bucket: "heyan"}); !errors.Is(err, objects.ErrUnavailable) || !retryable(err) {
		t.Errorf("no server: got %v, want %v", err, objects.ErrUnavailable)
	}

	const ours, theirs = "pictures/1", "0123456789"
	var answer atomic.Pointer[http.HandlerFunc]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*answer.Load())(w, r) }))
	t.Cleanup(server.Close)
	set := func(f http.HandlerFunc) { answer.Store(&f) }
	set(func(http.ResponseWriter, *http.Request) {})
	s := open(t, objects.Config{Endpoint: server.Listener.Addr().String(), AccessKey: "a", SecretKey: "s", Bucket: "heyan"})

	for _, status := range []int{500, 502, 503, 429, 408, 409} {
		set(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		_, _, getErr := s.Get(t.Context(), ours, maxBytes)
		_, statErr := s.Stat(t.Context(), ours)
		putErr := s.Put(t.Context(), ours, strings.NewReader("x"), 1, "image/png")
		for _, err := range []error{getErr, statErr, putErr, s.Delete(t.Context(), ours), s.Ping(t.Context())} {
			if !errors.Is(err, objects.ErrUnavailable) || !retryable(err) {
				t.Errorf("status %d: got %v, want %v", status, err, objects.ErrUnavailable)
			}
		}
	}

	set(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(theirs)))
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		io.WriteString(w, theirs[:5])
	})
	r, _, err := s.Get(t.Context(), ours, maxBytes)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); !errors.Is(err, objects.ErrUnavailable) || !retryable(err) {
		t.Errorf("a cut body: got %q, %v, want %v", got, err, objects.ErrUnavailable)
	}
	r.Close()

	set(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := s.Get(ctx, ours, maxBytes); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a hanging server: got %v, want %v", err, context.DeadlineExceeded)
	}
}

// A server that dies and comes back needs no new Store.
func TestRecovery(t *testing.T) {
	server := storagetest.StartS3(t)
	s := open(t, server.Config)
	put(t, s, "pictures/before", []byte("x"))
	server.Kill()
	if _, err := s.Stat(t.Context(), "pictures/before"); !errors.Is(err, objects.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, objects.ErrUnavailable)
	}
	server.Start(t)
	if got := get(t, s, "pictures/before"); string(got) != "x" {
		t.Errorf("got %q", got)
	}
}

func TestPublicURL(t *testing.T) {
	config := embed(t, t.TempDir()).Config()
	config.PublicURL = "https://pictures.example.org"
	at, err := open(t, config).PresignGet(t.Context(), "pictures/1", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if at.Scheme != "https" || at.Host != "pictures.example.org" {
		t.Errorf("got %s", &url.URL{Scheme: at.Scheme, Host: at.Host})
	}
	for _, bad := range []string{"pictures.example.org", "ftp://a", "https://", "https://a/b", "::"} {
		config.PublicURL = bad
		if _, err := objects.Open(t.Context(), config); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// The embedded server is reachable from this machine alone.
func TestEmbeddedListensOnLoopback(t *testing.T) {
	host, _, err := net.SplitHostPort(embed(t, t.TempDir()).Config().Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	if ip := net.ParseIP(host); !ip.IsLoopback() {
		t.Errorf("listens on %s", host)
	}
}
