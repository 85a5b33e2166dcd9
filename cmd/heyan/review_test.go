package main

import (
	"bufio"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestReview makes users from the shell, beside the service that they sign in to.
func TestReview(t *testing.T) {
	data := t.TempDir()
	command := exec.CommandContext(t.Context(), binaryPath, "--quiet", "serve", "--data", data, "--listen", "127.0.0.1:0")
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	address, link := "", ""
	for lines := bufio.NewScanner(out); link == "" && lines.Scan(); {
		if found := regexp.MustCompile(`serving on (\S+)`).FindStringSubmatch(lines.Text()); found != nil {
			address = found[1]
		}
		link = regexp.MustCompile(`http://\S+/console/welcome/\S+`).FindString(lines.Text())
	}
	if address == "" || !strings.HasPrefix(link, address+"/console/welcome/hy_") {
		t.Fatalf("serving on %q, the first admin at %q", address, link)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	set := func(link string, want int) {
		t.Helper()
		answer, err := browser.PostForm(link, url.Values{"password": {"a quiet lake at noon"}, "again": {"a quiet lake at noon"}})
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: got %d, want %d", link, answer.StatusCode, want)
		}
	}
	set(link, http.StatusSeeOther)

	review := func(want int, args ...string) (string, string) {
		t.Helper()
		out, errs, code := heyan(t, append([]string{"review", "--data", data, "--console-url", address}, args...)...)
		if code != want {
			t.Fatalf("review %v: exit %d, want %d: %s%s", args, code, want, out, errs)
		}
		return strings.TrimSpace(out), errs
	}
	first, _ := review(exitPass, "add", "--login", "li.ming", "--name", "李明", "--role", "reviewer")
	second, _ := review(exitPass, "link", "li.ming")
	set(first, http.StatusNotFound)
	if list, _ := review(exitPass, "list"); !regexp.MustCompile(`(?m)^li\.ming\s+李明\s+reviewer\s+no password yet\s`).MatchString(list) ||
		!regexp.MustCompile(`(?m)^admin\s+admin\s+admin\s+password\s`).MatchString(list) {
		t.Errorf("got %s", list)
	}
	set(second, http.StatusSeeOther)
	if _, errs := review(exitBroken, "disable", "admin"); !strings.Contains(errs, "last admin") {
		t.Errorf("got %s", errs)
	}
	review(exitPass, "disable", "li.ming")
	review(exitUsage, "link", "li.ming")
	review(exitBroken, "link", "nobody")
	review(exitBroken, "add", "--login", "admin", "--name", "A", "--role", "admin")
	review(exitUsage, "add", "--login", "x", "--name", "A", "--role", "owner")
	review(exitBroken, "link", "--tenant", "other", "admin")

	// Somebody can sign in: a service that starts now shows no link.
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // it has no other end than the signal
	again := exec.CommandContext(t.Context(), binaryPath, "--quiet", "serve", "--data", data, "--listen", "127.0.0.1:0")
	if out, err = again.StdoutPipe(); err == nil {
		err = again.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "serving on") {
			if err := again.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
		if strings.Contains(lines.Text(), "welcome") {
			t.Error("a second first admin")
		}
	}
	if err := again.Wait(); err != nil {
		t.Error(err)
	}
}
