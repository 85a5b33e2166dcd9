package e2e

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// axe judges accessibility (axe-core, Mozilla Public License 2.0).
//
//go:embed testdata/axe.min.js
var axe string

// shots is where screenshots are left for people to look at.
const shots = "../build/console"

// pageTimeout bounds what a test waits for a page, on a busy machine.
const pageTimeout = 30 * time.Second

// chromium is one browser for all tests, in which each reviewer has cookies of his
// own.
var chromium = sync.OnceValues(func() (context.Context, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("Debian's package chromium is missing: %w", err)
	}
	ctx, _ := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))...)
	ctx, _ = chromedp.NewContext(ctx) // it ends with the process
	return ctx, chromedp.Do(ctx)
})

// browser is one reviewer's.
type browser struct {
	t    testing.TB
	ctx  context.Context
	base string
	mu   sync.Mutex
	// strangers are addresses that a page asked for and that are not the service's.
	strangers []string
}

// browse opens a browser window of that size on a deployment.
func browse(t testing.TB, d *deployment, width, height int64) *browser {
	t.Helper()
	parent, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, base: d.Base}
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	b.ctx = ctx
	// The tab lives as long as the context of its first action.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		// Chromium draws its own date field with data.
		if !strings.HasPrefix(e.Request.URL, b.base) && !strings.HasPrefix(e.Request.URL, "about:") && !strings.HasPrefix(e.Request.URL, "data:") {
			b.strangers = append(b.strangers, e.Request.URL)
		}
	}
}

// do runs actions and fails the test when they do.
func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		_ = os.MkdirAll(shots, 0o755)
		b.shot("failed-" + strings.ReplaceAll(b.t.Name(), "/", "-"))
		b.t.Fatalf("%v\nat %s", err, b.eval("location.href"))
	}
}

func (b *browser) open(path string) { b.t.Helper(); b.do(chromedp.Navigate(b.base + path)) }

func (b *browser) click(selector string) { b.t.Helper(); b.do(chromedp.Click(chromedp.CSS(selector))) }

// press types keys on the page, one after the other.
func (b *browser) press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.do(chromedp.KeyEvent(key))
	}
}

func (b *browser) fill(selector, text string) {
	b.t.Helper()
	b.see(selector)
	b.eval(fmt.Sprintf("document.querySelector(%q).select()", selector))
	b.do(chromedp.Focus(chromedp.CSS(selector)), chromedp.KeyEvent(kb.Backspace), chromedp.KeyEvent(text))
}

func (b *browser) see(selector string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS(selector)))
}

// until waits for an expression to hold.
func (b *browser) until(expression string) {
	b.t.Helper()
	deadline := time.Now().Add(pageTimeout)
	for b.eval("Boolean("+expression+")") != "true" {
		if time.Now().After(deadline) {
			b.shot("failed-" + strings.ReplaceAll(b.t.Name(), "/", "-"))
			b.t.Fatalf("never true: %s\nat %s", expression, b.eval("location.href"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// eval is the value of an expression on the page, as JSON; a page that is just
// leaving has none.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[json.RawMessage](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		return "error: " + err.Error()
	}
	return string(value)
}

// number is the value of an expression.
func (b *browser) number(expression string) (n float64) {
	b.t.Helper()
	text := b.eval(expression)
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		b.t.Fatalf("%s is %s", expression, text)
	}
	return n
}

// text is what stands in the first element that a selector finds.
func (b *browser) text(selector string) (s string) {
	b.t.Helper()
	_ = json.Unmarshal([]byte(b.eval(fmt.Sprintf(`(document.querySelector(%q) || {textContent: ""}).textContent`, selector))), &s)
	return strings.Join(strings.Fields(s), " ")
}

// shot leaves a picture of the whole page.
func (b *browser) shot(name string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.MkdirAll(shots, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(shots, name+".png"), picture, 0o644)
	}
	if err != nil {
		b.t.Errorf("screenshot %s: %v", name, err)
	}
}

// withoutScripts makes the pages do without theirs.
func (b *browser) withoutScripts() {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

// sound asks that the page is accessible, fits its width and asked nobody else.
func (b *browser) sound(where string) {
	b.t.Helper()
	b.eval(axe + "; 0")
	found := b.eval(`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.filter(v => ["serious", "critical"].includes(v.impact))
		.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " — " + n.failureSummary).join(" | ")))`)
	if found != "[]" {
		b.t.Errorf("%s: axe finds %s", where, found)
	}
	if over := b.number("document.documentElement.scrollWidth - innerWidth"); over > 0 {
		b.t.Errorf("%s: the page is %v px wider than its window", where, over)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.strangers) > 0 {
		b.t.Errorf("%s: asked %v", where, b.strangers)
	}
}
