package console_test

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/heyan/heyan/server/console"
	"github.com/heyan/heyan/storage/records"
)

// weakHash is the shared password's under other parameters.
func weakHash(t *testing.T, prefix string) string {
	t.Helper()
	salt, err := base64.RawStdEncoding.DecodeString("c29tZXNhbHRzb21lc2FsdA")
	if err != nil {
		t.Fatal(err)
	}
	return prefix + base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte(password), salt, 1, 8, 1, 32))
}

var linkPath = regexp.MustCompile(`https://heyan\.example(/console/welcome/hy_[\w-]+)`)

// link is the path of the one-time link on a page.
func (a answer) link(t *testing.T) string {
	t.Helper()
	found := linkPath.FindStringSubmatch(a.body)
	if found == nil {
		t.Fatalf("no link: %s", main(a.body))
	}
	return found[1]
}

func TestWelcome(t *testing.T) {
	s := newSite(t, nil)
	s.add(t, "head", records.RoleAdmin)
	head := s.signedIn(t, "head")
	link := head.ask(t, "/console/users", url.Values{"login": {"Li.Ming"}, "name": {"李明"}, "role": {"reviewer"}}).link(t)
	b := s.browser(t)
	b.ask(t, link, nil).says(t, 200, "li.ming", "12 to 128 characters")
	twice := func(password, again string) url.Values { return url.Values{"password": {password}, "again": {again}} }
	b.ask(t, link, twice("one quiet lake", "two quiet lakes")).says(t, 422, "The two passwords differ.")
	b.ask(t, link, twice("short", "short")).says(t, 422, "A password needs at least 12 characters.", `aria-invalid="true"`)
	b.ask(t, link+"?language=zh", twice("li.ming12345", "li.ming12345")).says(t, 422, "密码与登录名过于相似。")
	b.ask(t, link, twice("one quiet lake", "one quiet lake")).goesTo(t, "/console/")
	b.ask(t, "/console/", nil).says(t, 200, "李明")
	s.browser(t).ask(t, link, nil).says(t, 404, "This link was used")
	s.browser(t).ask(t, link, twice("another quiet lake", "another quiet lake")).says(t, 404, "This link was used")
	s.browser(t).signIn(t, "li.ming", "one quiet lake").goesTo(t, "/console/")

	u, err := s.store.UserByLogin(t.Context(), "li.ming")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.actions(t, u.ID), []string{"user.added", "user.invited", "user.password_set", "user.signed_in", "user.signed_in"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	second := head.ask(t, "/console/users/"+u.ID+"/invite", url.Values{}).link(t)
	third := head.ask(t, "/console/users/"+u.ID+"/invite", url.Values{}).link(t)
	s.browser(t).ask(t, second, nil).says(t, 404)
	s.pass(24*time.Hour + time.Second)
	s.browser(t).ask(t, third, nil).says(t, 404)
	for _, secret := range []string{"one quiet lake", link, second, third} {
		if strings.Contains(s.log.String(), secret) {
			t.Error("a link or a password was logged")
		}
	}
}

func TestFirstUser(t *testing.T) {
	s := newSite(t, nil)
	first, err := s.pages.FirstUser(t.Context())
	if err != nil || !linkPath.MatchString(first) {
		t.Fatalf("got %q, %v", first, err)
	}
	if again, err := s.pages.FirstUser(t.Context()); again != "" || err != nil { // another process that starts now
		t.Errorf("got %q, %v", again, err)
	}
	s.pass(time.Hour)
	link, err := s.pages.FirstUser(t.Context())
	if err != nil || link == first {
		t.Fatalf("got %q, %v", link, err)
	}
	b, path := s.browser(t), linkPath.FindStringSubmatch(link)[1]
	b.ask(t, path, url.Values{"password": {password}, "again": {password}}).goesTo(t, "/console/")
	b.ask(t, "/console/users", nil).says(t, 200, "admin")
	s.pass(time.Hour)
	if again, err := s.pages.FirstUser(t.Context()); again != "" || err != nil {
		t.Errorf("got %q, %v", again, err)
	}
}

// The login of the first admin may be somebody's of another tenant.
func TestFirstUserElsewhere(t *testing.T) {
	s := newSite(t, nil)
	other := records.User{ID: records.NewID(), Tenant: "other", Login: "admin", Name: "A", Role: records.RoleAdmin, CreatedAt: s.now}
	if err := s.store.AddKey(t.Context(), records.Key{ID: records.NewID(), Tenant: "other", Name: "k", Scopes: records.Scopes, CreatedAt: s.now}, records.HashToken("k")); err != nil {
		t.Fatal(err)
	}
	if err := s.store.AddUser(t.Context(), other, records.Entry{At: s.now, Actor: "system"}); err != nil {
		t.Fatal(err)
	}
	link, err := s.pages.FirstUser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.browser(t).ask(t, linkPath.FindStringSubmatch(link)[1], nil).says(t, 200, "admin-2")
}

func TestUsers(t *testing.T) {
	s := newSite(t, nil)
	head := s.add(t, "head", records.RoleAdmin)
	u := s.add(t, "li.ming", records.RoleReviewer)
	b := s.signedIn(t, "head")
	b.ask(t, "/console/users", nil).says(t, 200, "li.ming", "Name of li.ming", "2026-03-02 17:00:00")
	for name, tt := range map[string]struct {
		form   url.Values
		status int
		says   string
	}{
		"an email":  {url.Values{"login": {"li@example.com"}, "name": {"Li"}, "role": {"lead"}}, 422, "no email address"},
		"no name":   {url.Values{"login": {"li"}, "name": {" "}, "role": {"lead"}}, 422, "A name has 1 to 64 characters."},
		"no role":   {url.Values{"login": {"li"}, "name": {"Li"}, "role": {"owner"}}, 422, "Choose a role."},
		"taken":     {url.Values{"login": {"li.ming"}, "name": {"Li"}, "role": {"lead"}}, 409, "This login is taken."},
		"too large": {url.Values{"login": {"li"}, "name": {strings.Repeat("x", 70<<10)}, "role": {"lead"}}, 400, "64 KB"},
	} {
		t.Run(name, func(t *testing.T) {
			b.ask(t, "/console/users", tt.form).says(t, tt.status, tt.says)
		})
	}
	one := "/console/users/" + u.ID
	b.ask(t, one, url.Values{"role": {"lead"}}).goesTo(t, "/console/users")
	b.ask(t, one, url.Values{"role": {"owner"}}).says(t, 422, "Choose a role.")
	if now, err := s.store.User(t.Context(), u.Tenant, u.ID); err != nil || now.Role != records.RoleLead {
		t.Errorf("got %s, %v", now.Role, err)
	}
	b.ask(t, one, url.Values{"disabled": {"yes"}}).goesTo(t, "/console/users")
	b.ask(t, "/console/users", nil).says(t, 200, "disabled")
	b.ask(t, one+"/invite", url.Values{}).says(t, 409, "This user cannot set a password")
	for _, form := range []url.Values{{"role": {"reviewer"}}, {"disabled": {"yes"}}} {
		b.ask(t, "/console/users/"+head.ID, form).says(t, 409, "One admin must remain.")
	}
	if got, want := s.actions(t, u.ID), []string{"user.added", "user.changed", "user.changed"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Another tenant's users are as none.
func TestUsersOfAnotherTenant(t *testing.T) {
	s := newSite(t, nil)
	s.add(t, "head", records.RoleAdmin)
	if err := s.store.AddKey(t.Context(), records.Key{ID: records.NewID(), Tenant: "other", Name: "k", Scopes: records.Scopes, CreatedAt: s.now}, records.HashToken("k")); err != nil {
		t.Fatal(err)
	}
	other := records.User{ID: records.NewID(), Tenant: "other", Login: "stranger", Name: "S", Role: records.RoleReviewer, CreatedAt: s.now}
	if err := s.store.AddUser(t.Context(), other, records.Entry{At: s.now, Actor: "system"}); err != nil {
		t.Fatal(err)
	}
	b := s.signedIn(t, "head")
	for path, form := range map[string]url.Values{"": {"role": {"admin"}}, "/invite": {}} {
		got := b.ask(t, "/console/users/"+other.ID+path, form)
		got.says(t, 404)
		if strings.Contains(got.body, "stranger") {
			t.Errorf("%s shows another tenant's user", path)
		}
	}
}

func TestInvite(t *testing.T) {
	s := newSite(t, nil)
	u := s.add(t, "li.ming", records.RoleReviewer)
	link, err := console.Invite(t.Context(), s.store, "https://heyan.example/", u, records.Entry{At: s.now, Actor: "system"})
	if err != nil || !linkPath.MatchString(link) {
		t.Fatalf("got %q, %v", link, err)
	}
	s.browser(t).ask(t, linkPath.FindStringSubmatch(link)[1], nil).says(t, 200, "li.ming")
}
