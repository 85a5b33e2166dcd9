package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

// sessionCookie carries a reviewer's session.
const sessionCookie = "__Host-heyan-session"

// flagged submits samples under names that differ from the printed ones in their
// form, which is for people to decide, and returns the verifications.
func flagged(t testing.TB, d *deployment, n int) (ids []string) {
	t.Helper()
	const samples = "../testdata/samples"
	text, err := os.ReadFile(filepath.Join(samples, "declared.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		File     string
		Declared report.Declared
		Outcome  report.Outcome
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for i := 0; len(ids) < n; i++ {
		s := all[i%len(all)]
		if s.Outcome != report.OutcomePass || !strings.HasSuffix(s.Declared.Name, "有限公司") {
			continue
		}
		photo, err := os.ReadFile(filepath.Join(samples, s.File))
		if err != nil {
			t.Fatal(err)
		}
		s.Declared.Name = strings.TrimSuffix(s.Declared.Name, "有限公司") + "有限责任公司"
		s.Declared.Phone, s.Declared.Email = "13900001234", "seed.person@leak.example"
		v, err := d.Submit(ctx, photo, report.Submission{Declared: s.Declared}, "flagged "+strconv.Itoa(i))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, v.ID)
	}
	for _, id := range ids {
		v, err := d.Wait(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if v.Outcome != report.OutcomeReview {
			t.Fatalf("%s: %s %v, want review", id, v.Outcome, v.Reasons)
		}
	}
	return ids
}

// reviewer makes a user of the console.
func (d *deployment) reviewer(t testing.TB, login string, role records.Role) records.User {
	t.Helper()
	now := time.Now()
	u := records.User{ID: records.NewID(), Tenant: records.DefaultTenant, Login: login, Name: strings.ToUpper(login[:1]) + login[1:], Role: role, CreatedAt: now}
	if err := d.store(t).AddUser(t.Context(), u, records.Entry{At: now, Actor: "system", Action: "user.added"}); err != nil {
		t.Fatal(err)
	}
	return u
}

// session signs a user in and returns the session's token.
func (d *deployment) session(t testing.TB, u records.User) (token string) {
	t.Helper()
	token, now := records.NewToken(), time.Now()
	if err := d.store(t).OpenSession(t.Context(), u.ID, records.HashToken(token), now, now.Add(time.Hour), records.Entry{At: now}); err != nil {
		t.Fatal(err)
	}
	return token
}

// enter gives a browser a session.
func (b *browser) enter(token string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: sessionCookie, Value: token, URL: b.base + "/", Path: "/", Secure: new(true), HTTPOnly: new(true)})
		return err
	}))
}

// decided waits for the final decision on a case.
func (d *deployment) decided(t testing.TB, id string) records.Decision {
	t.Helper()
	for end := time.Now().Add(pageTimeout); ; time.Sleep(100 * time.Millisecond) {
		decision, err := d.store(t).FinalDecision(t.Context(), records.DefaultTenant, id)
		if err == nil {
			return decision
		}
		if time.Now().After(end) {
			t.Fatalf("%s: no final decision: %v", id, err)
		}
	}
}

// caseID is the case that a page shows.
func (b *browser) caseID() string {
	b.t.Helper()
	var path string
	_ = json.Unmarshal([]byte(b.eval("location.pathname")), &path)
	return filepath.Base(path)
}

// TestConsole drives the reviewers' pages in a real browser, against the real
// service.
func TestConsole(t *testing.T) {
	d := alone(t, "HEYAN_GRACE=4s", "HEYAN_WORKERS=2")
	ids := flagged(t, d, 10)
	anna, boris, lead := d.reviewer(t, "anna", records.RoleReviewer), d.reviewer(t, "boris", records.RoleReviewer), d.reviewer(t, "lead", records.RoleAdmin)
	open := func(t *testing.T, u records.User, width, height int64) *browser {
		b := browse(t, d, width, height)
		b.enter(d.session(t, u))
		b.open("/console/?language=en")
		b.see("h1")
		return b
	}

	t.Run("first admin", func(t *testing.T) {
		printed, err := os.ReadFile(filepath.Join(d.folder, "api.log"))
		if err != nil {
			t.Fatal(err)
		}
		link := regexp.MustCompile(`/console/welcome/\S+`).FindString(string(printed))
		if link == "" {
			t.Fatalf("no link was printed:\n%s", printed)
		}
		b := browse(t, d, 1024, 768)
		b.open(link + "?language=en")
		b.see("input[name=password]")
		b.sound("welcome")
		b.shot("welcome-1024")
		const password = "a long walk by the river"
		b.fill("input[name=password]", password)
		b.fill("input[name=again]", password)
		b.click("main form button")
		b.see(".cases")
		b.click("form[action='/console/sign-out'] button")
		b.see("input[name=login]")
		b.sound("sign-in")
		b.shot("sign-in-1024")
		b.fill("input[name=login]", "admin")
		b.fill("input[name=password]", "another password entirely")
		b.click("main form button")
		b.see("[role=alert]")
		b.fill("input[name=login]", "admin")
		b.fill("input[name=password]", password)
		b.click("main form button")
		b.see(".cases")
		b.open(link)
		b.see(".problem") // it is good once
	})

	t.Run("looks", func(t *testing.T) {
		for _, width := range []int64{1440, 1024, 390} {
			b := open(t, lead, width, map[int64]int64{1440: 900, 1024: 768, 390: 844}[width])
			b.window("queue-window-" + strconv.FormatInt(width, 10))
			for _, language := range []string{"en", "zh"} {
				name := func(page string) string { return page + "-" + strconv.FormatInt(width, 10) + "-" + language }
				for page, path := range map[string]string{"queue": "/console/", "case": "/console/cases/" + ids[9], "figures": "/console/figures", "users": "/console/users", "audit": "/console/cases/" + ids[9] + "/audit"} {
					b.open(path + "?language=" + language)
					b.see("h1")
					if page == "case" {
						b.until(`[...document.querySelectorAll("image")].length > 3`)
						b.loaded()
					}
					b.sound(name(page))
					b.shot(name(page))
				}
			}
		}
	})

	t.Run("claim, zoom, correct, reject, undo, approve", func(t *testing.T) {
		b := open(t, anna, 1440, 900)
		b.click("form[action='/console/next'] button")
		b.see("#deciding")
		id := b.caseID()
		before := b.number(`Number(document.querySelector(".photo .canvas").getAttribute("viewBox").split(" ")[2])`)
		b.click("#field-name h3 a")
		b.until(`Number(document.querySelector(".photo .canvas").getAttribute("viewBox").split(" ")[2]) < ` + strconv.FormatFloat(before/1.2, 'f', 0, 64))
		if inside := b.eval(`(() => { const box = document.querySelector("#box-name").getBoundingClientRect(), all = document.querySelector(".photo .canvas").getBoundingClientRect();
			return box.width > all.width / 3 && box.left >= all.left - 1 && box.right <= all.right + 1 && box.top >= all.top && box.bottom <= all.bottom })()`); inside != "true" {
			t.Errorf("the name is not in sight: %s", inside)
		}
		b.shot("case-zoomed")
		b.press("r")
		b.window("case-window")
		// An outline leads back to its entry in the list.
		b.eval(`document.querySelector("#box-uscc polygon").dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}))`)
		b.until(`document.querySelector("#field-uscc").classList.contains("current")`)

		// A corrected name makes the checks again at once: it is the declared one now.
		declared := b.text("#field-name .values dd")
		b.fill("#field-name .correction", declared)
		b.press("\r")
		b.until(`document.querySelector("#findings .outcome-pass")`)
		// A code that is not the declared one must not pass, whoever approves it.
		b.fill("#field-uscc .correction", "91310115MA1K00002N")
		b.press("\r")
		b.until(`document.querySelector("#findings .outcome-fail")`)
		b.shot("case-corrected")
		b.press("\x1b")
		b.click("input[value=approve]")
		b.click("#send")
		b.see("#problems")
		b.shot("case-refused")
		if got := b.eval(`document.querySelector("#field-uscc .correction").value`); !strings.Contains(got, "91310115MA1K00002N") {
			t.Errorf("what was typed is gone: %s", got)
		}

		b.fill("#field-uscc .correction", "")
		b.click("input[value=reject]")
		b.until(`document.querySelector("textarea[name='message.zh']").value !== ""`)
		b.click("#send")
		b.see(".banner")
		b.shot("banner")
		b.press("z")
		b.see("#deciding")
		if got := b.caseID(); got != id {
			t.Fatalf("undone: %s, want %s", got, id)
		}
		b.fill("#field-name .correction", declared)
		b.click("input[value=approve]")
		b.click("#send")
		b.see(".banner")
		if got := d.decided(t, id); got.Kind != records.Approve || got.Corrections[report.FieldCompanyName] != declared || got.By != anna.ID {
			t.Errorf("got %+v", got)
		}
		v, err := d.Get(t.Context(), id)
		if err != nil || v.Outcome != report.OutcomePass || v.MachineOutcome != report.OutcomeReview || v.Decision == nil {
			t.Errorf("got %+v, %v", v, err)
		}
		if events := eventsOfVerdicts(t, d.store(t))[id]; len(events) != 2 {
			t.Errorf("events %v, want the review and one verdict", events)
		}
	})

	t.Run("keys alone", func(t *testing.T) {
		for _, tt := range []struct {
			kind records.DecisionKind
			keys []string
		}{{records.Approve, []string{"n", "a", "\r"}}, {records.Reject, []string{"n", "r", "\r"}}, {records.NewPhoto, []string{"n", "p", "\r"}}} {
			b := open(t, anna, 1024, 768)
			b.press(tt.keys[0])
			b.see("#deciding")
			id := b.caseID()
			for range 3 {
				b.press("j")
			}
			b.press("+", "0", "t", "t", "t", "t", "g", "g", "?")
			b.see("dialog[open]")
			if tt.kind == records.Approve {
				b.shot("help")
			}
			b.press("\x1b", tt.keys[1])
			if tt.kind == records.Reject {
				b.shot("case-rejecting")
			}
			b.press(tt.keys[2])
			b.see(".banner")
			if got := d.decided(t, id); got.Kind != tt.kind {
				t.Errorf("%v: got %s", tt.keys, got.Kind)
			}
			if len(tt.keys) > 6 {
				t.Errorf("%d key presses, at most 6", len(tt.keys))
			}
		}
	})

	t.Run("two reviewers race", func(t *testing.T) {
		a, b := open(t, anna, 1024, 768), open(t, boris, 1024, 768)
		var both sync.WaitGroup
		both.Go(func() { a.press("n") })
		both.Go(func() { b.press("n") })
		both.Wait()
		a.see("#deciding")
		b.see("#deciding")
		if a.caseID() == b.caseID() {
			t.Errorf("both got %s", a.caseID())
		}
		taken := b.caseID()
		a.open("/console/cases/" + taken)
		a.see(".head .tag")
		if a.number(`document.querySelectorAll("#deciding").length`) != 0 {
			t.Error("another's case can be decided")
		}
		b.click(".head form[action$=release] button")
		b.see("#queue")
		a.open("/console/cases/" + taken)
		a.press("c")
		a.see("#deciding")
		a.click(".head form[action$=release] button")
		a.see("#queue")
	})

	t.Run("session ends in the middle", func(t *testing.T) {
		b := browse(t, d, 1024, 768)
		carla := d.reviewer(t, "carla", records.RoleReviewer)
		token := d.session(t, carla)
		b.enter(token)
		b.open("/console/?language=en")
		b.press("n")
		b.see("#deciding")
		id := b.caseID()
		const words = "请上传清晰的营业执照原件"
		b.press("r")
		b.fill("textarea[name='message.zh']", words)
		if err := d.store(t).CloseSession(t.Context(), records.HashToken(token), records.Entry{Tenant: carla.Tenant, At: time.Now(), Actor: "user:" + carla.ID, Action: "user.signed_out"}); err != nil {
			t.Fatal(err)
		}
		invitation := records.NewToken()
		err := d.store(t).Invite(t.Context(), carla.Tenant, carla.ID, records.HashToken(invitation), time.Now().Add(time.Hour), records.Entry{At: time.Now(), Actor: "system", Action: "user.invited"})
		if err != nil {
			t.Fatal(err)
		}
		const password = "seven quiet mountains"
		w := browse(t, d, 1024, 768)
		w.open("/console/welcome/" + invitation)
		w.fill("input[name=password]", password)
		w.fill("input[name=again]", password)
		w.click("main form button")
		w.see("#queue")

		b.click("#send")
		b.see("input[name=login]")
		b.shot("session-over")
		b.fill("input[name=login]", "carla")
		b.fill("input[name=password]", password)
		b.click("main form button")
		b.see("main form button")
		b.shot("resume")
		b.click("main form button")
		b.see(".banner")
		if got := d.decided(t, id); got.By != carla.ID || got.Message.ZH != words {
			t.Errorf("got %+v", got)
		}
	})

	t.Run("without scripts", func(t *testing.T) {
		b := browse(t, d, 1024, 768)
		b.enter(d.session(t, boris))
		b.withoutScripts()
		b.open("/console/?language=en")
		b.click("form[action='/console/next'] button")
		b.see("#deciding")
		b.shot("case-without-scripts")
		id := b.caseID()
		b.fill("#field-name .correction", b.text("#field-name .values dd"))
		b.click(".recheck button")
		b.see("#findings .outcome-pass")
		b.click("input[value=reject]")
		b.click("#send")
		b.see("#problems") // no reason was chosen
		b.click("input[name=reason]")
		b.click("#send")
		b.see(".banner")
		if got := d.decided(t, id); got.Kind != records.Reject || got.Message.ZH == "" || got.Message.EN == "" {
			t.Errorf("got %+v", got)
		}
	})

	t.Run("unmask and note", func(t *testing.T) {
		b := open(t, anna, 390, 844)
		b.press("n")
		b.see("#deciding")
		if page := b.eval("document.documentElement.outerHTML"); strings.Contains(page, "13900001234") || strings.Contains(page, "seed.person@") {
			t.Error("personal data is not masked")
		}
		b.fill("input[name=why]", "applicant called")
		b.click("#declared button")
		b.until(`document.body.textContent.includes("13900001234")`)
		if where := b.eval("location.href"); strings.Contains(where, "1390") {
			t.Errorf("personal data in the address: %s", where)
		}
		b.fill("textarea[name=note]", "called back on Monday")
		b.click("#notes button")
		b.until(`document.querySelector("#notes li")`)
	})

	if _, err := d.store(t).VerifyAudit(t.Context(), records.DefaultTenant); err != nil {
		t.Error(err)
	}
}

// loaded waits for the pictures of a page.
func (b *browser) loaded() {
	b.t.Helper()
	b.until(`performance.getEntriesByType("resource").filter(e => e.name.includes("/picture/") && e.responseEnd > 0).length >= 3`)
	time.Sleep(300 * time.Millisecond) // to be drawn
}
