package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/storage/records"
)

func TestSignIn(t *testing.T) {
	s := newSite(t, nil)
	u := s.add(t, "li.ming", records.RoleReviewer)
	gone := s.add(t, "gone", records.RoleReviewer)
	disabled := true
	if _, err := s.store.ChangeUser(t.Context(), gone.Tenant, gone.ID, records.UserChange{Disabled: &disabled}, records.Entry{At: s.now, Actor: "system"}); err != nil {
		t.Fatal(err)
	}
	b := s.browser(t)
	got := b.signIn(t, " LI.MING ", password)
	got.goesTo(t, "/console/")
	cookie := got.header.Get("Set-Cookie")
	if name, rest, _ := strings.Cut(cookie, "="); name != "__Host-heyan-session" || !strings.HasSuffix(rest, "; Path=/; HttpOnly; Secure; SameSite=Lax") {
		t.Errorf("got cookie %q", name)
	}
	page := b.ask(t, "/console/", nil)
	page.says(t, 200, "Name of li.ming")
	if policy := page.header.Values("Content-Security-Policy"); len(policy) != 1 || !strings.HasPrefix(policy[0], "default-src 'none'; script-src 'self'") {
		t.Errorf("got policy %q", policy)
	}
	if page.header.Get("Cache-Control") != "no-store" || page.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("got header %v", page.header)
	}
	b.ask(t, "/console/sign-in?next=/console/users", nil).goesTo(t, "/console/users")

	wrong := s.browser(t).signIn(t, "li.ming", "another password")
	wrong.says(t, 401, "Login or password is wrong.", `value="li.ming"`)
	for _, login := range []string{"nobody", "gone", ""} {
		got := s.browser(t).signIn(t, login, password)
		if strings.ReplaceAll(got.body, `value="`+login+`"`, "") != strings.ReplaceAll(wrong.body, `value="li.ming"`, "") && login != "" || got.status != 401 {
			t.Errorf("%q is told apart: %d %s", login, got.status, main(got.body))
		}
	}
	if got, want := s.actions(t, u.ID), []string{"user.added", "user.signed_in", "user.sign_in_failed"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := s.actions(t, gone.ID), []string{"user.added", "user.changed"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}

	b.ask(t, "/console/sign-out", url.Values{}).goesTo(t, "/console/sign-in")
	b.ask(t, "/console/", nil).goesTo(t, "/console/sign-in?next=%2Fconsole%2F")
	if strings.Contains(s.log.String(), password) {
		t.Error("the password was logged")
	}
}

func TestLockout(t *testing.T) {
	s := newSite(t, nil)
	u := s.add(t, "li.ming", records.RoleReviewer)
	b := s.browser(t)
	for i := range 5 {
		want := http.StatusUnauthorized
		if i == 4 {
			want = http.StatusTooManyRequests
		}
		b.signIn(t, "li.ming", "another password").says(t, want)
	}
	b.signIn(t, "li.ming", password).says(t, 429, "Try again in 1 min.")
	s.pass(31 * time.Second)
	b.signIn(t, "li.ming", "another password").says(t, 429, "Try again in 1 min.")
	s.pass(61 * time.Second)
	b.signIn(t, "li.ming", password).goesTo(t, "/console/")
	if u, err := s.store.User(t.Context(), u.Tenant, u.ID); err != nil || u.Failures != 0 || !u.LockedUntil.IsZero() {
		t.Errorf("got %d failures, locked until %v, %v", u.Failures, u.LockedUntil, err)
	}
	if got := s.actions(t, u.ID); slices.Index(got, "user.signed_in") != 7 {
		t.Errorf("got %v", got)
	}
}

func TestTriesOfAnAddress(t *testing.T) {
	s := newSite(t, nil)
	s.add(t, "li.ming", records.RoleReviewer)
	b, refused := s.browser(t), answer{}
	for i := range 31 {
		if refused = b.signIn(t, "nobody", "x"); refused.status == http.StatusTooManyRequests && i < 30 {
			t.Fatalf("refused after %d", i)
		}
	}
	refused.says(t, 429, "Too many sign-ins from this network. Try again in 2 s.")
	if got := refused.header.Get("Retry-After"); got != "2" {
		t.Errorf("got Retry-After %q", got)
	}
	b.signIn(t, "li.ming", password).says(t, 429)
	s.pass(2 * time.Second)
	b.signIn(t, "li.ming", password).goesTo(t, "/console/")
}

// What was hashed as others do it is hashed anew, at the first sign-in.
func TestOutdatedHash(t *testing.T) {
	s := newSite(t, nil)
	const old = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"
	u := s.add(t, "li.ming", records.RoleReviewer)
	weak := weakHash(t, old)
	if _, err := s.store.ChangeUser(t.Context(), u.Tenant, u.ID, records.UserChange{Password: &weak}, records.Entry{At: s.now, Actor: "system"}); err != nil {
		t.Fatal(err)
	}
	b := s.signedIn(t, "li.ming")
	b.ask(t, "/console/", nil).says(t, 200)
	now, err := s.store.User(t.Context(), u.Tenant, u.ID)
	if err != nil || now.Password == weak || !strings.Contains(now.Password, "m=19456,t=2,p=1") {
		t.Errorf("got %s, %v", now.Password, err)
	}
	s.signedIn(t, "li.ming")
	if got := s.actions(t, u.ID); !slices.Contains(got, "user.password_rehashed") {
		t.Errorf("got %v", got)
	}
}

func TestNextIsLocal(t *testing.T) {
	s := newSite(t, nil)
	s.add(t, "li.ming", records.RoleReviewer)
	for next, want := range map[string]string{
		"/console/cases/1?decided=2":             "/console/cases/1?decided=2",
		"/console/users":                         "/console/users",
		"":                                       "/console/",
		"https://evil.example/console/":          "/console/",
		"//evil.example/console/":                "/console/",
		`/\evil.example`:                         "/console/",
		"/console/../v1/keys":                    "/console/",
		"/console//evil.example":                 "/console/",
		"/v1/keys":                               "/console/",
		"javascript:alert(1)":                    "/console/",
		"/console/sign-in?next=/console/sign-in": "/console/",
		"/console/cases/" + strings.Repeat("1", 2000): "/console/",
	} {
		b := s.browser(t)
		page := b.ask(t, "/console/sign-in?"+url.Values{"next": {next}}.Encode(), nil)
		_, form := page.form(t, 0)
		if got := form.Get("next"); got != want {
			t.Errorf("%q: the form holds %q, want %q", next, got, want)
		}
		b.ask(t, "/console/sign-in", url.Values{"login": {"li.ming"}, "password": {password}, "next": {next}}).goesTo(t, want)
		s.pass(time.Minute) // the tries of the address
	}
}

func TestSessionEnds(t *testing.T) {
	s := newSite(t, nil)
	s.add(t, "head", records.RoleAdmin)
	u := s.add(t, "li.ming", records.RoleReviewer)
	over := func(t *testing.T, b *browser) {
		t.Helper()
		b.ask(t, "/console/?stage=open", nil).goesTo(t, "/console/sign-in?next=%2Fconsole%2F%3Fstage%3Dopen")
	}
	t.Run("idle", func(t *testing.T) {
		b := s.signedIn(t, "li.ming")
		s.pass(59 * time.Minute)
		b.ask(t, "/console/", nil).says(t, 200)
		s.pass(59 * time.Minute)
		b.ask(t, "/console/", nil, "HX-Request", "true").says(t, 200) // the page by itself
		s.pass(2 * time.Minute)
		over(t, b)
	})
	t.Run("long", func(t *testing.T) {
		b := s.signedIn(t, "li.ming")
		for range 24 {
			b.ask(t, "/console/", nil).says(t, 200)
			s.pass(30 * time.Minute)
		}
		over(t, b)
	})
	t.Run("disabled", func(t *testing.T) {
		b := s.signedIn(t, "li.ming")
		head := s.signedIn(t, "head")
		head.ask(t, "/console/users/"+u.ID, url.Values{"disabled": {"yes"}}).goesTo(t, "/console/users")
		over(t, b)
		head.ask(t, "/console/users/"+u.ID, url.Values{"disabled": {"no"}}).goesTo(t, "/console/users")
		over(t, b)
	})
	t.Run("forged", func(t *testing.T) {
		b := s.browser(t)
		b.ask(t, "/console/", nil, "Cookie", "__Host-heyan-session="+records.NewToken()).goesTo(t, "/console/sign-in?next=%2Fconsole%2F")
	})
	t.Run("part of a page", func(t *testing.T) {
		b := s.browser(t)
		got := b.ask(t, "/console/?stage=open", nil, "HX-Request", "true", "HX-Current-URL", s.URL+"/console/?stage=open")
		if to := got.header.Get("HX-Redirect"); got.status != 401 || to != "/console/sign-in?next=%2Fconsole%2F%3Fstage%3Dopen" {
			t.Errorf("got %d to %q", got.status, to)
		}
		got = b.ask(t, "/console/cases/1/check", url.Values{"correct.uscc": {"X"}}, "HX-Request", "true")
		if got.status != 401 || got.header.Get("HX-Reswap") != "none" || got.body != "" {
			t.Errorf("got %d %q", got.status, got.body)
		}
	})
}

func TestRoles(t *testing.T) {
	s := newSite(t, nil)
	for _, role := range records.Roles {
		s.add(t, string(role), role)
	}
	for path, want := range map[string][]int{ // reviewer, lead, admin
		"/console/":              {200, 200, 200},
		"/console/users":         {403, 403, 200},
		"/console/decisions.csv": {403, 200, 200},
	} {
		for i, role := range records.Roles {
			if got := s.signedIn(t, string(role)).ask(t, path, nil); got.status != want[i] {
				t.Errorf("%s, %s: got %d, want %d", path, role, got.status, want[i])
			}
		}
	}
	got := s.signedIn(t, "lead").ask(t, "/console/users", url.Values{"login": {"mine"}, "name": {"Mine"}, "role": {"admin"}})
	got.says(t, 403, "Your role may not see this page.")
}

func TestCrossOrigin(t *testing.T) {
	s := newSite(t, nil)
	u := s.add(t, "head", records.RoleAdmin)
	b := s.signedIn(t, "head")
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "", "Origin", "https://evil.example"}} {
		for _, path := range []string{"/console/users/" + u.ID + "/invite", "/console/sign-in", "/console/sign-out"} {
			b.ask(t, path, url.Values{"login": {"head"}, "password": {password}}, headers...).says(t, 403, "cross_origin")
		}
	}
}

func TestAddresses(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser(t)
	b.ask(t, "/console", nil).goesTo(t, "/console/")
	for _, path := range []string{"/console/none", "/console/static/", "/console//", "/console/sign-in/"} {
		b.ask(t, path, nil).says(t, 404)
	}
	if got := b.ask(t, "/console/static/console.css", nil); got.status != 200 || got.header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("got %d %v", got.status, got.header)
	}
}
