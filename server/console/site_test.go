package console_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/heyan/heyan/server"
	"github.com/heyan/heyan/server/console"
	"github.com/heyan/heyan/server/signin"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker/client"
)

// password is everybody's; it is hashed once.
const password = "a quiet lake at noon"

var hashed = sync.OnceValues(func() (string, error) {
	return signin.NewHasher().Hash(context.Background(), password, "")
})

// site is a console behind the whole service's handler, with a clock that is set by
// hand.
type site struct {
	*httptest.Server
	store *records.Store
	pages *console.Console
	log   logged
	mu    sync.Mutex
	now   time.Time
}

func newSite(t *testing.T, change func(*console.Options)) *site {
	t.Helper()
	s := &site{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	var err error
	if s.store, err = records.Open(t.Context(), "sqlite://"+filepath.Join(dir, "records.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	keys, err := vault.Open(t.Context(), filepath.Join(dir, "vault.key"), s.store)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&s.log, nil))
	options := console.Options{Records: s.store, Vault: keys, URL: "https://heyan.example", Logger: log, Now: s.clock}
	if change != nil {
		change(&options)
	}
	s.pages = console.New(options)
	api := server.NewAPI(server.Options{Client: &client.Client{Records: s.store}, Console: s.pages, Metrics: prometheus.NewRegistry(), Logger: log})
	s.Server = httptest.NewTLSServer(api.Handler())
	t.Cleanup(s.Close)
	return s
}

// logged is what was logged.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// add makes a user of the default tenant.
func (s *site) add(t *testing.T, login string, role records.Role) records.User {
	t.Helper()
	phc, err := hashed()
	if err != nil {
		t.Fatal(err)
	}
	u := records.User{ID: records.NewID(), Tenant: records.DefaultTenant, Login: login, Name: "Name of " + login, Role: role, Password: phc, CreatedAt: s.clock()}
	if err := s.store.AddUser(t.Context(), u, records.Entry{At: s.clock(), Actor: "system"}); err != nil {
		t.Fatal(err)
	}
	return u
}

// actions are those that the audit log has of a user, oldest first.
func (s *site) actions(t *testing.T, id string) (all []string) {
	t.Helper()
	entries, err := s.store.Audit(t.Context(), records.DefaultTenant, id, 0, records.MaxPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range slices.Backward(entries) {
		all = append(all, e.Action)
	}
	return all
}

// browser keeps cookies, follows nothing by itself, and speaks English.
type browser struct {
	*http.Client
	site *site
}

func (s *site) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := *s.Client()
	c.Jar = jar
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{&c, s}
}

// answer is what a browser got.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request: a form is a POST. Headers are pairs.
func (b *browser) ask(t *testing.T, path string, form url.Values, headers ...string) answer {
	t.Helper()
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(t.Context(), method, b.site.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Language", "en")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

func (b *browser) signIn(t *testing.T, login, password string) answer {
	t.Helper()
	return b.ask(t, "/console/sign-in", url.Values{"login": {login}, "password": {password}})
}

// signedIn is a browser of a user.
func (s *site) signedIn(t *testing.T, login string) *browser {
	t.Helper()
	b := s.browser(t)
	b.signIn(t, login, password).goesTo(t, "/console/")
	return b
}

func (a answer) goesTo(t *testing.T, want string) {
	t.Helper()
	if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != want {
		t.Errorf("got %d to %q, want 303 to %q: %s", a.status, got, want, main(a.body))
	}
}

// says holds a page's status, and words that are on it.
func (a answer) says(t *testing.T, status int, words ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("got %d, want %d: %s", a.status, status, main(a.body))
	}
	for _, w := range words {
		if !strings.Contains(a.body, w) {
			t.Errorf("the page does not say %q: %s", w, main(a.body))
		}
	}
}

// main is what a page has between its header and its help.
func main(page string) string {
	_, page, _ = strings.Cut(page, "<main")
	page, _, _ = strings.Cut(page, "</main>")
	return page
}

var (
	formTag  = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)"[^>]*>(.*?)</form>`)
	inputTag = regexp.MustCompile(`<(?:input|button)[^>]* name="([^"]*)" value="([^"]*)"`)
	entities = strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&#43;", "+", "&amp;", "&")
)

// form is the n-th form of a page's content, with the values that it was sent.
func (a answer) form(t *testing.T, n int) (action string, values url.Values) {
	t.Helper()
	forms := formTag.FindAllStringSubmatch(main(a.body), -1)
	if len(forms) <= n {
		t.Fatalf("%d forms: %s", len(forms), main(a.body))
	}
	values = url.Values{}
	for _, input := range inputTag.FindAllStringSubmatch(forms[n][2], -1) {
		values.Add(entities.Replace(input[1]), entities.Replace(input[2]))
	}
	return entities.Replace(forms[n][1]), values
}
