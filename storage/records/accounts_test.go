package records_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heyan/heyan/storage/records"
)

func newUser(login string, role records.Role) records.User {
	return records.User{ID: records.NewID(), Tenant: records.DefaultTenant, Login: login, Name: "小王", Role: role, CreatedAt: now}
}

// by is an entry of somebody's doing, for the store to complete.
func by(actor string) records.Entry { return records.Entry{At: now, Actor: actor} }

func addUser(t *testing.T, s *records.Store, login string, role records.Role) records.User {
	t.Helper()
	u := newUser(login, role)
	if err := s.AddUser(t.Context(), u, by("user:admin")); err != nil {
		t.Fatal(err)
	}
	return u
}

func userOf(t *testing.T, s *records.Store, id string) records.User {
	t.Helper()
	u, err := s.User(t.Context(), records.DefaultTenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestRoles(t *testing.T) {
	roles := append(slices.Clone(records.Roles), "root", "")
	for i, a := range roles {
		for j, b := range roles {
			if got, want := a.AtLeast(b), i >= j && i < 3 && j < 3; got != want {
				t.Errorf("%q at least %q: got %t", a, b, got)
			}
		}
	}
}

func testUsers(t *testing.T, s *records.Store) {
	u := newUser("wang.li", records.RoleLead)
	u.Password, u.Issuer, u.Subject = "$argon2id$1", "https://login.example.org", "1"
	if err := s.AddUser(t.Context(), u, by("user:admin")); err != nil {
		t.Fatal(err)
	}
	local, disabled := addUser(t, s, "ann", records.RoleReviewer), newUser("zoe", records.RoleReviewer)
	disabled.DisabledAt = now
	if err := s.AddUser(t.Context(), disabled, by("user:admin")); err != nil {
		t.Fatal(err)
	}
	byLogin, loginErr := s.UserByLogin(t.Context(), "wang.li")
	bySubject, subjectErr := s.UserBySubject(t.Context(), u.Issuer, "1")
	byID := userOf(t, s, u.ID)
	for _, got := range []records.User{byLogin, bySubject, byID} {
		if got != u {
			t.Errorf("got %+v, want %+v", got, u)
		}
	}
	if err := errors.Join(loginErr, subjectErr); err != nil {
		t.Error(err)
	}
	if all, err := s.Users(t.Context(), records.DefaultTenant); err != nil || !slices.Equal(all, []records.User{local, u, disabled}) {
		t.Errorf("got %+v, %v", all, err)
	}
	if got := actions(t, s, u.ID); !slices.Equal(got, []string{"user:admin user.added"}) {
		t.Errorf("got %q", got)
	}
	if all, err := s.Users(t.Context(), "other"); err != nil || len(all) != 0 {
		t.Errorf("another tenant: %+v, %v", all, err)
	}
	_, err := s.User(t.Context(), "other", u.ID)
	want(t, err, records.ErrNotFound)
	_, err = s.UserByLogin(t.Context(), "nobody")
	want(t, err, records.ErrNotFound)
	for _, subject := range [][2]string{{"", ""}, {u.Issuer, "2"}, {"https://other.example.org", "1"}} {
		_, err = s.UserBySubject(t.Context(), subject[0], subject[1])
		want(t, err, records.ErrNotFound)
	}
	for name, change := range map[string]func(*records.User){
		"login":   func(u *records.User) { u.Login = "ann" },
		"tenant":  func(u *records.User) { u.Login, u.Tenant = "ann", "other" },
		"subject": func(u *records.User) { u.Issuer, u.Subject = "https://login.example.org", "1" },
	} {
		again := newUser("new", records.RoleReviewer)
		change(&again)
		if err := s.AddUser(t.Context(), again, by("user:admin")); !errors.Is(err, records.ErrConflict) || retryable(err) {
			t.Errorf("%s taken: got %v", name, err)
		}
	}
	for name, change := range map[string]func(*records.User){
		"email":       func(u *records.User) { u.Login = "a@example.org" },
		"capital":     func(u *records.User) { u.Login = "Ann" },
		"short":       func(u *records.User) { u.Login = "a" },
		"long":        func(u *records.User) { u.Login = strings.Repeat("a", 65) },
		"role":        func(u *records.User) { u.Role = "root" },
		"tenant":      func(u *records.User) { u.Tenant = "A b" },
		"id":          func(u *records.User) { u.ID = "" },
		"issuer":      func(u *records.User) { u.Issuer = "https://login.example.org" },
		"long name":   func(u *records.User) { u.Name = strings.Repeat("a", 201) },
		"broken name": func(u *records.User) { u.Name = "\xff" },
	} {
		u := newUser("fine", records.RoleReviewer)
		change(&u)
		if err := s.AddUser(t.Context(), u, by("user:admin")); err == nil || retryable(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func testChangeUser(t *testing.T, s *records.Store) {
	admin, u := addUser(t, s, "admin", records.RoleAdmin), addUser(t, s, "ann", records.RoleReviewer)
	role, name, password, yes, no := records.RoleLead, "小李", "$argon2id$2", true, false
	if _, err := s.CountFailure(t.Context(), u.ID, now.Add(lease)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change   records.UserChange
		want     func(*records.User)
		detail   string
		sessions int // that are left
	}{
		{records.UserChange{Name: &name, Role: &role}, func(u *records.User) { u.Name, u.Role = name, role }, `{"name":true,"role":"lead"}`, 1},
		{records.UserChange{Password: &password}, func(u *records.User) { u.Password, u.Failures, u.LockedUntil = password, 0, time.Time{} }, `{"password":true}`, 0},
		{records.UserChange{Disabled: &yes}, func(u *records.User) { u.DisabledAt = now }, `{"disabled":true}`, 0},
		{records.UserChange{Disabled: &no}, func(u *records.User) { u.DisabledAt = time.Time{} }, `{"disabled":false}`, 1},
	} {
		want := userOf(t, s, u.ID)
		c.want(&want)
		hash := records.HashToken(records.NewToken())
		opened := s.OpenSession(t.Context(), u.ID, hash, now, now.Add(day), by(""))
		if c.detail == `{"password":true}` { // OpenSession has forgotten the failures
			if _, err := s.CountFailure(t.Context(), u.ID, now.Add(lease)); err != nil {
				t.Fatal(err)
			}
		}
		want.Failures, want.LockedUntil, want.SeenAt = 0, time.Time{}, now
		got, err := s.ChangeUser(t.Context(), records.DefaultTenant, u.ID, c.change, by("user:"+admin.ID))
		if err != nil || got != want || userOf(t, s, u.ID) != want {
			t.Errorf("%s: got %+v, %v, want %+v", c.detail, got, err, want)
		}
		if _, err := s.Session(t.Context(), hash, now, day); opened == nil && (err == nil) != (c.sessions > 0) {
			t.Errorf("%s: its session: %v", c.detail, err)
		}
		entries, err := s.Audit(t.Context(), records.DefaultTenant, u.ID, 0, 1)
		if err != nil || entries[0].Action != "user.changed" || entries[0].Actor != "user:"+admin.ID || string(entries[0].Detail) != c.detail {
			t.Errorf("got %s %s, %v, want %s", entries[0].Action, entries[0].Detail, err, c.detail)
		}
	}
	_, err := s.ChangeUser(t.Context(), "other", u.ID, records.UserChange{Name: &name}, by("user:admin"))
	want(t, err, records.ErrNotFound)
	// The last admin stays one, until there is another.
	for range 2 {
		for _, change := range []records.UserChange{{Role: &role}, {Disabled: &yes}} {
			_, err := s.ChangeUser(t.Context(), records.DefaultTenant, admin.ID, change, by("user:admin"))
			want(t, err, records.ErrLastAdmin)
		}
		foreign := newUser("foreign", records.RoleAdmin)
		foreign.Tenant = "other"
		if err := s.AddUser(t.Context(), foreign, by("user:admin")); err != nil && !errors.Is(err, records.ErrConflict) {
			t.Fatal(err)
		}
	}
	if userOf(t, s, admin.ID) != admin {
		t.Error("the last admin was changed")
	}
	addUser(t, s, "second", records.RoleAdmin)
	if _, err := s.ChangeUser(t.Context(), records.DefaultTenant, admin.ID, records.UserChange{Disabled: &yes}, by("user:admin")); err != nil {
		t.Error(err)
	}
}

// Two admins who demote each other: one of them stays.
func testLastAdminRace(t *testing.T, dsn string) {
	stores := []*records.Store{open(t, dsn), open(t, dsn)}
	role := records.RoleReviewer
	admins := []records.User{addUser(t, stores[0], "ann", records.RoleAdmin), addUser(t, stores[0], "bob", records.RoleAdmin)}
	var group sync.WaitGroup
	var done atomic.Int32
	for i := range 2 {
		group.Go(func() {
			_, err := stores[i].ChangeUser(t.Context(), records.DefaultTenant, admins[i].ID, records.UserChange{Role: &role}, by("user:admin"))
			switch {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, records.ErrLastAdmin):
				t.Error(err)
			}
		})
	}
	group.Wait()
	if done.Load() != 1 {
		t.Errorf("%d admins were demoted", done.Load())
	}
}

func testFirstUser(t *testing.T, s *records.Store) {
	u := newUser("admin", records.RoleReviewer)
	token := func() []byte { return records.HashToken(records.NewToken()) }
	add := func(u records.User, hash []byte, at time.Time) bool {
		t.Helper()
		added, err := s.AddFirstUser(t.Context(), u, hash, at.Add(time.Hour), records.Entry{At: at, Actor: "system"})
		if err != nil {
			t.Fatal(err)
		}
		return added
	}
	first, second := token(), token()
	if !add(u, first, now) {
		t.Fatal("no first user was added")
	}
	u.Role = records.RoleAdmin
	if got, err := s.Invited(t.Context(), first, now); err != nil || got != u {
		t.Errorf("got %+v, %v, want %+v", got, err, u)
	}
	if got := actions(t, s, u.ID); !slices.Equal(got, []string{"system user.added", "system user.invited"}) {
		t.Errorf("got %q", got)
	}
	if add(newUser("another", records.RoleAdmin), token(), now.Add(59*time.Second)) {
		t.Error("an invitation was replaced that somebody may be reading")
	}
	if !add(newUser("another", records.RoleAdmin), second, now.Add(2*time.Hour)) {
		t.Error("an invitation that is over was not replaced")
	}
	_, err := s.Invited(t.Context(), first, now)
	want(t, err, records.ErrNotFound)
	if got, err := s.UseInvitation(t.Context(), second, "$argon2id$", now.Add(2*time.Hour)); err != nil || got.ID != u.ID {
		t.Errorf("got %+v, %v", got, err)
	}
	if add(newUser("another", records.RoleAdmin), token(), now.Add(3*time.Hour)) {
		t.Error("a first user was added after the first had signed in")
	}
	if all, err := s.Users(t.Context(), records.DefaultTenant); err != nil || len(all) != 1 {
		t.Errorf("got %+v, %v", all, err)
	}
}

func testFirstUserRace(t *testing.T, dsn string) {
	stores := []*records.Store{open(t, dsn), open(t, dsn)}
	var group sync.WaitGroup
	var good atomic.Int32
	for i := range racers {
		group.Go(func() {
			hash := records.HashToken(records.NewToken())
			added, err := stores[i%2].AddFirstUser(t.Context(), newUser("admin", records.RoleAdmin), hash, now.Add(time.Hour), by("system"))
			if err != nil {
				t.Error(err)
			}
			if added {
				good.Add(1)
			}
		})
	}
	group.Wait()
	if all, err := stores[0].Users(t.Context(), records.DefaultTenant); err != nil || len(all) != 1 || good.Load() != 1 {
		t.Errorf("%d added, got %+v, %v", good.Load(), all, err)
	}
}

func testFailures(t *testing.T, s *records.Store) {
	u := addUser(t, s, "ann", records.RoleReviewer)
	for i, c := range []struct{ until, want time.Time }{
		{time.Time{}, time.Time{}}, {now.Add(lease), now.Add(lease)}, {time.Time{}, now.Add(lease)}, {now, now.Add(lease)}, {now.Add(time.Hour), now.Add(time.Hour)},
	} {
		got, err := s.CountFailure(t.Context(), u.ID, c.until)
		if err != nil || got.Failures != i+1 || !got.LockedUntil.Equal(c.want) {
			t.Errorf("failure %d: got %+v, %v", i+1, got, err)
		}
	}
	_, err := s.CountFailure(t.Context(), records.NewID(), now)
	want(t, err, records.ErrNotFound)
	if err := s.OpenSession(t.Context(), u.ID, records.HashToken("1"), now, now.Add(day), by("")); err != nil {
		t.Fatal(err)
	}
	if got := userOf(t, s, u.ID); got.Failures != 0 || !got.LockedUntil.IsZero() {
		t.Errorf("got %+v", got)
	}
}

func testSessions(t *testing.T, s *records.Store) {
	const idle = 30 * time.Minute
	u := addUser(t, s, "ann", records.RoleReviewer)
	hash := records.HashToken(records.NewToken())
	if err := s.OpenSession(t.Context(), u.ID, hash, now, now.Add(time.Hour), by("")); err != nil {
		t.Fatal(err)
	}
	u.SeenAt = now
	got, err := s.Session(t.Context(), hash, now, idle)
	if want := (records.Session{User: u, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(time.Hour)}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, c := range []struct {
		after, seen time.Duration // since now; seen < 0: it is over
	}{
		{59 * time.Second, 0}, {time.Minute, time.Minute}, {0, time.Minute}, {29 * time.Minute, 29 * time.Minute},
		{59 * time.Minute, -1}, // idle for 30 minutes
		{58 * time.Minute, 58 * time.Minute}, {time.Hour, -1},
	} {
		before := userOf(t, s, u.ID).SeenAt
		peeked, err := s.PeekSession(t.Context(), hash, now.Add(c.after), idle)
		if c.seen < 0 {
			want(t, err, records.ErrNotFound)
		} else if err != nil || !peeked.SeenAt.Equal(before) || !userOf(t, s, u.ID).SeenAt.Equal(before) {
			t.Errorf("after %v, looked at: got %+v, %v", c.after, peeked, err)
		}
		got, err := s.Session(t.Context(), hash, now.Add(c.after), idle)
		if c.seen < 0 {
			want(t, err, records.ErrNotFound)
		} else if err != nil || !got.SeenAt.Equal(now.Add(c.seen)) || !userOf(t, s, u.ID).SeenAt.Equal(got.SeenAt) {
			t.Errorf("after %v: got %+v, %v", c.after, got, err)
		}
	}
	_, err = s.Session(t.Context(), records.HashToken("x"), now, idle)
	want(t, err, records.ErrNotFound)
	for range 2 {
		if err := s.CloseSession(t.Context(), hash, by("")); err != nil {
			t.Fatal(err)
		}
	}
	_, err = s.Session(t.Context(), hash, now, idle)
	want(t, err, records.ErrNotFound)
	self := "user:" + u.ID
	if got := actions(t, s, u.ID); !slices.Equal(got, []string{"user:admin user.added", self + " user.signed_in", self + " user.signed_out"}) {
		t.Errorf("got %q", got)
	}
	want(t, s.OpenSession(t.Context(), records.NewID(), hash, now, now.Add(time.Hour), by("")), records.ErrNotFound)
	if err := s.OpenSession(t.Context(), u.ID, []byte("short"), now, now.Add(time.Hour), by("")); err == nil || retryable(err) {
		t.Errorf("a token itself: got %v", err)
	}
	yes := true
	if _, err := s.ChangeUser(t.Context(), records.DefaultTenant, u.ID, records.UserChange{Disabled: &yes}, by("user:admin")); err != nil {
		t.Fatal(err)
	}
	want(t, s.OpenSession(t.Context(), u.ID, hash, now, now.Add(time.Hour), by("")), records.ErrNotFound)
}

func testPurgeSessions(t *testing.T, s *records.Store) {
	u := addUser(t, s, "ann", records.RoleReviewer)
	for i := range 3 {
		if err := s.OpenSession(t.Context(), u.ID, records.HashToken(records.NewToken()), now, now.Add(time.Duration(i)*time.Hour), by("")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Invite(t.Context(), records.DefaultTenant, u.ID, records.HashToken("1"), now, by("user:admin")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		before      time.Time
		limit, want int
	}{{now, 10, 0}, {now.Add(time.Minute), 10, 2}, {now.Add(day), 1, 1}, {now.Add(day), 10, 1}, {now.Add(day), 10, 0}} {
		if n, err := s.PurgeSessions(t.Context(), c.before, c.limit); n != c.want || err != nil {
			t.Errorf("before %v: got %d, %v, want %d", c.before, n, err, c.want)
		}
	}
}

func testInvitations(t *testing.T, s *records.Store) {
	u := addUser(t, s, "ann", records.RoleReviewer)
	first, second, session := records.HashToken("1"), records.HashToken("2"), records.HashToken("3")
	for _, hash := range [][]byte{first, second} { // the second ends the first
		if err := s.Invite(t.Context(), records.DefaultTenant, u.ID, hash, now.Add(time.Hour), by("user:admin")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.OpenSession(t.Context(), u.ID, session, now, now.Add(day), by("")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CountFailure(t.Context(), u.ID, now.Add(day)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		hash []byte
		at   time.Time
	}{"replaced": {first, now}, "over": {second, now.Add(time.Hour)}, "unknown": {session, now}} {
		_, looked := s.Invited(t.Context(), c.hash, c.at)
		_, used := s.UseInvitation(t.Context(), c.hash, "$argon2id$", c.at)
		for _, err := range []error{looked, used} {
			if !errors.Is(err, records.ErrNotFound) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
	if got, err := s.Invited(t.Context(), second, now); err != nil || got.ID != u.ID {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err := s.UseInvitation(t.Context(), second, "$argon2id$", now)
	u.Password, u.SeenAt = "$argon2id$", now
	if err != nil || got != u || userOf(t, s, u.ID) != u {
		t.Errorf("got %+v, %v, want %+v", got, err, u)
	}
	_, err = s.UseInvitation(t.Context(), second, "$argon2id$2", now)
	want(t, err, records.ErrNotFound)
	_, err = s.Session(t.Context(), session, now, day)
	want(t, err, records.ErrNotFound)
	if got := actions(t, s, u.ID); got[len(got)-1] != "user:"+u.ID+" user.password_set" {
		t.Errorf("got %q", got)
	}
	want(t, s.Invite(t.Context(), "other", u.ID, first, now, by("user:admin")), records.ErrNotFound)
	// A link ends with its user, and with a password that he got otherwise.
	yes, no, password := true, false, "$argon2id$3"
	for _, change := range []records.UserChange{{Disabled: &yes}, {Password: &password, Disabled: &no}} {
		if err := s.Invite(t.Context(), records.DefaultTenant, u.ID, first, now.Add(time.Hour), by("user:admin")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ChangeUser(t.Context(), records.DefaultTenant, u.ID, change, by("user:admin")); err != nil {
			t.Fatal(err)
		}
		_, err = s.Invited(t.Context(), first, now)
		want(t, err, records.ErrNotFound)
	}
}

// A link that is opened twice at once sets one password.
func testInvitationRace(t *testing.T, dsn string) {
	stores := []*records.Store{open(t, dsn), open(t, dsn)}
	u := addUser(t, stores[0], "ann", records.RoleReviewer)
	hash := records.HashToken("1")
	if err := stores[0].Invite(t.Context(), records.DefaultTenant, u.ID, hash, now.Add(time.Hour), by("user:admin")); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var used atomic.Int32
	for i := range racers {
		group.Go(func() {
			switch _, err := stores[i%2].UseInvitation(t.Context(), hash, "$argon2id$", now); {
			case err == nil:
				used.Add(1)
			case !errors.Is(err, records.ErrNotFound):
				t.Error(err)
			}
		})
	}
	group.Wait()
	if used.Load() != 1 {
		t.Errorf("used %d times", used.Load())
	}
}
