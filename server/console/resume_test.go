package console_test

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/storage/records"
)

// A session ends while somebody fills in a form: it comes back after the sign-in,
// as it was, and is sent once more.
func TestResume(t *testing.T) {
	s := newSite(t, nil)
	s.add(t, "head", records.RoleAdmin)
	b := s.signedIn(t, "head")
	s.pass(2 * time.Hour)
	filled := url.Values{"login": {"wang.wei"}, "name": {`Wang "Wei" <1> & co`}, "role": {"lead"}}
	page := b.ask(t, "/console/users", filled)
	page.says(t, 401, "Your session was over.", "add a user")
	action, form := page.form(t, 0)
	form.Set("login", "head")
	form.Set("password", "another password")
	page = b.ask(t, action, form)
	page.says(t, 401, "Login or password is wrong.")
	action, form = page.form(t, 0)
	form.Set("login", "head")
	form.Set("password", password)
	page = b.ask(t, action, form)
	page.says(t, 200, "You are signed in again.", "add a user", "Wang &#34;Wei&#34; &lt;1&gt; &amp; co", ">Lead<", "Name of head")
	if strings.Contains(page.body, password) {
		t.Error("the password is on the page")
	}
	action, form = page.form(t, 0)
	if action != "/console/users" || !reflect.DeepEqual(form, filled) {
		t.Errorf("got %s with %v, want %v", action, form, filled)
	}
	b.ask(t, action, form).says(t, 200, "wang.wei")
	if u, err := s.store.UserByLogin(t.Context(), "wang.wei"); err != nil || u.Name != filled.Get("name") || u.Role != records.RoleLead {
		t.Errorf("got %+v, %v", u, err)
	}
}

func TestResumedDecision(t *testing.T) {
	s := newSite(t, nil)
	s.add(t, "li.ming", records.RoleReviewer)
	b := s.browser(t)
	filled := url.Values{"decision": {records.NewID()}, "kind": {"reject"}, "reason": {"image_blurry", "stamp_missing"},
		"message.zh": {"请重新拍摄。\n谢谢"}, "correct.uscc": {"91110000EXAMPLE00X"}}
	path := "/console/cases/" + records.NewID() + "/decision"
	action, form := b.ask(t, path, filled).form(t, 0)
	form.Set("login", "li.ming")
	form.Set("password", password)
	page := b.ask(t, action, form)
	page.says(t, 200, "send a decision", "Reject", "91110000EXAMPLE00X", "请重新拍摄。", "blur")
	if strings.Contains(main(page.body), "<dd>"+filled.Get("decision")) {
		t.Error("it shows what nobody typed")
	}
	if action, form = page.form(t, 0); action != path || !reflect.DeepEqual(form, filled) {
		t.Errorf("got %s with %v, want %v", action, form, filled)
	}
	b.ask(t, action, form).says(t, 404) // the decision's own word: the case is not there
}

func TestResumeTakesNothingElse(t *testing.T) {
	s := newSite(t, nil)
	s.add(t, "li.ming", records.RoleReviewer)
	for _, path := range []string{"", "https://evil.example/console/next", "//evil.example/console/next", "/v1/keys", "/console/sign-out",
		"/console/sign-in", "/console/welcome/x", "/console/cases/1/../../next", "/console/cases/1/picture/photo", "javascript:alert(1)"} {
		got := s.browser(t).ask(t, "/console/sign-in", url.Values{"login": {"li.ming"}, "password": {password}, "resume.path": {path}, "resume.note": {"x"}})
		got.goesTo(t, "/console/")
	}
	page := s.browser(t).ask(t, "/console/sign-out", url.Values{"x": {"y"}})
	page.says(t, 401)
	if _, form := page.form(t, 0); len(slices.Collect(maps.Keys(form))) > 1 {
		t.Errorf("got %v", form)
	}
}
