package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/server/signin"
	"github.com/heyan/heyan/storage/records"
)

const (
	// invitationLife is how long a link to set a password holds.
	invitationLife = 24 * time.Hour
	// firstLogin is of the admin with whom everything begins.
	firstLogin = "admin"
	// maxLogin is the longest login, bytes.
	maxLogin = 64
	// maxUserName is the longest name, characters.
	maxUserName = 64
)

// Invite makes the link with which a user sets his password, once and within a day;
// base is the service's URL as browsers reach it.
func Invite(ctx context.Context, store *records.Store, base string, u records.User, e records.Entry) (link string, err error) {
	token := records.NewToken()
	err = store.Invite(ctx, u.Tenant, u.ID, records.HashToken(token), e.At.Add(invitationLife), e)
	return welcomeLink(base, token), err
}

func welcomeLink(base, token string) string {
	return strings.TrimSuffix(base, "/") + "/console/welcome/" + token
}

// FirstUser makes the default tenant's first admin where nobody could sign in, and
// returns the link with which he sets his password; empty: none was made.
func (c *Console) FirstUser(ctx context.Context) (link string, err error) {
	token, now := records.NewToken(), c.Now()
	u := records.User{ID: records.NewID(), Tenant: records.DefaultTenant, Name: firstLogin, CreatedAt: now}
	var added bool
	err = withFreeLogin(firstLogin, func(login string) (err error) {
		u.Login = login
		added, err = c.Records.AddFirstUser(ctx, u, records.HashToken(token), now.Add(invitationLife), records.Entry{At: now, Actor: "system"})
		return err
	})
	if err != nil || !added {
		return "", err
	}
	return welcomeLink(c.URL, token), nil
}

// withFreeLogin adds a user under a login, or with a number behind it where that is
// taken.
func withFreeLogin(login string, add func(login string) error) error {
	const most = 100
	err := add(login)
	for n := 2; errors.Is(err, records.ErrConflict) && n <= most; n++ {
		suffix := fmt.Sprintf("-%d", n)
		err = add(login[:min(len(login), maxLogin-len(suffix))] + suffix)
	}
	return err
}

// welcomeView is the page on which a user sets his password.
type welcomeView struct {
	Login   string
	Token   string
	Problem *report.Text
}

var errLink = &problem{http.StatusNotFound, report.Text{ZH: "此链接已使用或已过期，请向管理员索取新链接。", EN: "This link was used, or its day is over. Ask your administrator for a new one."}}

// invited is whom the link of a request is for.
func (c *Console) invited(v *visit) (u records.User, hash []byte, err error) {
	hash = records.HashToken(v.r.PathValue("token"))
	u, err = c.Records.Invited(v.r.Context(), hash, v.now)
	if errors.Is(err, records.ErrNotFound) {
		err = errLink
	}
	return u, hash, err
}

func (c *Console) welcomePage(v *visit) error {
	u, _, err := c.invited(v)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "welcome", welcomeView{Login: u.Login, Token: v.r.PathValue("token")})
}

func (c *Console) welcome(v *visit) error {
	u, hash, err := c.invited(v)
	if err != nil {
		return err
	}
	again := func(why report.Text) error {
		return v.render(http.StatusUnprocessableEntity, "welcome", welcomeView{Login: u.Login, Token: v.r.PathValue("token"), Problem: &why})
	}
	password := v.r.PostForm.Get("password")
	if password != v.r.PostForm.Get("again") {
		return again(words["welcome.differ"])
	}
	phc, err := c.hasher.Hash(v.r.Context(), password, u.Login)
	if refused, is := errors.AsType[*signin.PasswordError](err); is {
		return again(report.Text{ZH: refused.ZH, EN: refused.EN})
	}
	if err != nil {
		return err
	}
	u, err = c.Records.UseInvitation(v.r.Context(), hash, phc, v.now)
	if errors.Is(err, records.ErrNotFound) {
		return errLink
	}
	if err != nil {
		return err
	}
	if err := c.open(v, u); err != nil {
		return err
	}
	return v.redirect("/console/")
}

// usersView is the page of the tenant's users.
type usersView struct {
	Users   []account
	Roles   []records.Role
	New     records.User // as it was filled in
	Problem *report.Text
	Link    string // one-time, of For
	For     string
}

// account is a user on that page.
type account struct {
	records.User
	State    string // active, invited, locked, disabled
	External bool   // signs in through OpenID Connect, which gives the role
}

func (c *Console) users(v *visit) error { return c.usersPage(v, http.StatusOK, usersView{}) }

func (c *Console) usersPage(v *visit, status int, view usersView) error {
	users, err := c.Records.Users(v.r.Context(), v.tenant())
	if err != nil {
		return err
	}
	view.Roles = records.Roles
	for _, u := range users {
		one := account{User: u, State: "active", External: u.Subject != ""}
		switch {
		case !u.DisabledAt.IsZero():
			one.State = "disabled"
		case u.LockedUntil.After(v.now):
			one.State = "locked"
		case u.Password == "" && !one.External:
			one.State = "invited"
		}
		view.Users = append(view.Users, one)
	}
	return v.render(status, "users", view)
}

// refuse shows the users again, and why nothing was changed.
func (c *Console) refuse(v *visit, err error, view usersView) error {
	p := known(err)
	if p == nil {
		return err
	}
	view.Problem = &p.text
	return c.usersPage(v, p.status, view)
}

// loginForm is how a login looks; records takes no other.
var loginForm = regexp.MustCompile(`^[a-z0-9._-]{2,64}$`)

// newUser says what is wrong with one that was filled in.
func newUser(u records.User) error {
	switch {
	case !loginForm.MatchString(u.Login):
		return &problem{http.StatusUnprocessableEntity, words["users.login_form"]}
	case u.Name == "" || utf8.RuneCountInString(u.Name) > maxUserName || !utf8.ValidString(u.Name) || strings.ContainsFunc(u.Name, unicode.IsControl):
		return &problem{http.StatusUnprocessableEntity, phrase("users.name_form", maxUserName)}
	case !slices.Contains(records.Roles, u.Role):
		return &problem{http.StatusUnprocessableEntity, words["users.role_form"]}
	}
	return nil
}

func (c *Console) addUser(v *visit) error {
	u := records.User{ID: records.NewID(), Tenant: v.tenant(), Login: strings.ToLower(v.value("login")), Name: v.value("name"),
		Role: records.Role(v.value("role")), CreatedAt: v.now}
	err := newUser(u)
	if err == nil {
		err = c.Records.AddUser(v.r.Context(), u, v.entry("user.added", u.ID))
	}
	if errors.Is(err, records.ErrConflict) {
		err = &problem{http.StatusConflict, words["users.login_taken"]}
	}
	if err != nil {
		return c.refuse(v, err, usersView{New: u})
	}
	return c.showLink(v, u)
}

// showLink makes a user's one-time link, and shows it this once.
func (c *Console) showLink(v *visit, u records.User) error {
	link, err := Invite(v.r.Context(), c.Records, c.URL, u, v.entry("user.invited", u.ID))
	if err != nil {
		return c.refuse(v, err, usersView{})
	}
	return c.usersPage(v, http.StatusOK, usersView{Link: link, For: u.Login})
}

func (c *Console) inviteUser(v *visit) error {
	u, err := c.Records.User(v.r.Context(), v.tenant(), v.r.PathValue("id"))
	if err == nil && (u.Subject != "" || !u.DisabledAt.IsZero()) {
		err = &problem{http.StatusConflict, words["users.no_link"]}
	}
	if err != nil {
		return c.refuse(v, err, usersView{})
	}
	return c.showLink(v, u)
}

// changeUser takes a new role, or whether the user is disabled.
func (c *Console) changeUser(v *visit) error {
	u, err := c.Records.User(v.r.Context(), v.tenant(), v.r.PathValue("id"))
	if err != nil {
		return c.refuse(v, err, usersView{})
	}
	var change records.UserChange
	if v.r.PostForm.Has("role") {
		role := records.Role(v.value("role"))
		switch {
		case !slices.Contains(records.Roles, role):
			err = &problem{http.StatusUnprocessableEntity, words["users.role_form"]}
		case u.Subject != "":
			err = &problem{http.StatusConflict, words["users.role_external"]}
		}
		change.Role = &role
	}
	if v.r.PostForm.Has("disabled") {
		disabled := v.value("disabled") == "yes"
		change.Disabled = &disabled
	}
	if err == nil {
		_, err = c.Records.ChangeUser(v.r.Context(), u.Tenant, u.ID, change, v.entry("user.changed", u.ID))
	}
	if err != nil {
		return c.refuse(v, err, usersView{})
	}
	return v.redirect("/console/users")
}
