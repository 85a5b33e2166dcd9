// Package console is the reviewers' pages: the queue of what the machine would not
// decide, the case with its evidence, the decision, what leads and admins need. It
// knows pages, sessions and words; it must not know how a picture is read, how
// verdicts are queued, or SQL. Everything it serves is in the binary, asks nobody
// else, and works without scripts.
//
// What a person declared is masked on every page but the answer of an unmasking,
// which is audited, as is every view of a picture.
package console

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/server/rates"
	"github.com/heyan/heyan/server/signin"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
)

const (
	// DefaultGrace is how long a decision can be undone before it is final.
	DefaultGrace = 30 * time.Second
	// claimLease is how long a claim holds without a sign of its reviewer; the page
	// renews it while it is looked at.
	claimLease = 10 * time.Minute
	// maxForm bounds a form, bytes: the longest texts in both languages, and some.
	maxForm = 64 << 10
	// countsAge is how old the counts above the queue may be: many reviewers look
	// at the same ones.
	countsAge = 2 * time.Second
)

// Options of a console. Those of the first group are required.
type Options struct {
	Records *records.Store
	Vault   *vault.Vault
	Views   *worker.Views
	Policy  func(name string) (verdict.Policy, error)
	URL     string // of the service as browsers reach it: https://heyan.example

	OIDC       *signin.OIDC  // nil: local accounts only
	Grace      time.Duration // to undo a decision; default DefaultGrace
	SecondLook float64       // share of the cases that two people decide, 0..1
	Logger     *slog.Logger
	Now        func() time.Time
}

// Console answers the requests of reviewers' browsers.
type Console struct {
	Options
	hasher *signin.Hasher
	pages  map[tongue]map[string]*template.Template
	counts counts
	tries  *rates.Limits // of sign-ins, by network address
}

//go:embed templates
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// New is a console.
func New(o Options) *Console {
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Console{Options: o, hasher: signin.NewHasher(), pages: parsePages(), tries: rates.New(triesEvery, triesAtOnce)}
}

// Register adds the console's addresses to those of the service.
func (c *Console) Register(mux *http.ServeMux) {
	static, err := fs.Sub(staticFiles, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	files := http.StripPrefix("/console/static/", http.FileServerFS(static))
	mux.Handle("GET /console/static/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		files.ServeHTTP(w, r)
	}))
	for pattern, handle := range map[string]handler{
		"GET /console/sign-in":           c.signInPage,
		"POST /console/sign-in":          c.signIn,
		"GET /console/welcome/{token}":   c.welcomePage,
		"POST /console/welcome/{token}":  c.welcome,
		"GET /console/sign-in/oidc":      c.oidcBegin,
		"GET /console/sign-in/oidc/done": c.oidcDone,
	} {
		mux.Handle(pattern, c.handle(handle))
	}
	for pattern, handle := range map[string]handler{
		"GET /console/{$}":                       c.queue,
		"POST /console/sign-out":                 c.signOut,
		"POST /console/next":                     c.next,
		"GET /console/cases/{id}":                c.casePage,
		"POST /console/cases/{id}/claim":         c.claim,
		"POST /console/cases/{id}/release":       c.release,
		"POST /console/cases/{id}/check":         c.check,
		"POST /console/cases/{id}/decision":      c.decide,
		"POST /console/cases/{id}/notes":         c.note,
		"POST /console/cases/{id}/unmask":        c.unmask,
		"GET /console/cases/{id}/picture/{view}": c.picture,
		"POST /console/decisions/{id}/undo":      c.undo,
	} {
		mux.Handle(pattern, c.handle(c.signedIn(records.RoleReviewer, handle)))
	}
	for pattern, handle := range map[string]handler{
		"GET /console/figures":          c.figures,
		"GET /console/figures.csv":      c.figuresCSV,
		"GET /console/decisions.csv":    c.decisionsCSV,
		"GET /console/cases/{id}/audit": c.auditOf,
	} {
		mux.Handle(pattern, c.handle(c.signedIn(records.RoleLead, handle)))
	}
	for pattern, handle := range map[string]handler{
		"GET /console/users":              c.users,
		"POST /console/users":             c.addUser,
		"POST /console/users/{id}":        c.changeUser,
		"POST /console/users/{id}/invite": c.inviteUser,
	} {
		mux.Handle(pattern, c.handle(c.signedIn(records.RoleAdmin, handle)))
	}
}

// visit is one request of a reviewer.
type visit struct {
	c       *Console
	w       http.ResponseWriter
	r       *http.Request
	session records.Session // zero before sign-in
	lang    tongue
	now     time.Time
}

func (v *visit) user() records.User { return v.session.User }

func (v *visit) tenant() string { return v.session.User.Tenant }

func (v *visit) reader() records.Reader {
	return records.Reader{User: v.user().ID, Lead: v.user().Role.AtLeast(records.RoleLead)}
}

// entry is what the audit log says of what the user does now.
func (v *visit) entry(action, subject string) records.Entry {
	return records.Entry{Tenant: v.tenant(), At: v.now, Actor: "user:" + v.user().ID, Action: action, Subject: subject}
}

type handler func(*visit) error

// handle sets the headers of every page, reads the form within its bound and turns
// an error into a page.
func (c *Console) handle(next handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Referrer-Policy", "same-origin")
		v := &visit{c: c, w: w, r: r, now: c.Now(), lang: tongueOf(w, r)}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		err := r.ParseForm()
		if err != nil {
			err = errForm
		} else {
			err = next(v)
		}
		if err != nil {
			v.fail(err)
		}
	})
}

// problem is a refusal with its own words for the reviewer.
type problem struct {
	status int
	text   report.Text
}

func (p *problem) Error() string { return p.text.EN }

var (
	errForm    = &problem{http.StatusBadRequest, report.Text{ZH: "表单无法读取，或超过64 KB。", EN: "The form cannot be read, or has more than 64 KB."}}
	errAllowed = &problem{http.StatusForbidden, report.Text{ZH: "您的角色无权访问此页面。", EN: "Your role may not see this page."}}
)

// failures are what the parts below say, and what a reviewer hears.
var failures = []struct {
	err     error
	problem problem
}{
	{records.ErrNotFound, problem{http.StatusNotFound, report.Text{ZH: "没有找到，或已经处理完毕。", EN: "There is no such thing, or it has been dealt with."}}},
	{records.ErrGone, problem{http.StatusGone, report.Text{ZH: "保存期限已过，内容已删除。", EN: "This is no longer kept."}}},
	{records.ErrClaimed, problem{http.StatusConflict, report.Text{ZH: "另一位审核人员正在处理此件。", EN: "Another reviewer has this case."}}},
	{records.ErrNotYours, problem{http.StatusConflict, report.Text{ZH: "此件不能由您处理：您已做过第一次审核，或需要主管决定。", EN: "This case is not yours to take: you decided it before, or it waits for a lead."}}},
	{records.ErrAlreadyDecided, problem{http.StatusConflict, report.Text{ZH: "此件已有决定。", EN: "This case has been decided."}}},
	{records.ErrTooLate, problem{http.StatusConflict, report.Text{ZH: "撤销时间已过，决定已生效。", EN: "The time to undo is over: the decision is final."}}},
	{records.ErrLastAdmin, problem{http.StatusConflict, report.Text{ZH: "至少要保留一位管理员。", EN: "One admin must remain."}}},
	{records.ErrConflict, problem{http.StatusConflict, report.Text{ZH: "已经存在。", EN: "It exists already."}}},
	{records.ErrCursor, problem{http.StatusBadRequest, report.Text{ZH: "页码无效。", EN: "There is no such page."}}},
	{worker.ErrNoView, problem{http.StatusServiceUnavailable, report.Text{ZH: "照片暂时无法显示。", EN: "The picture cannot be shown now."}}},
}

// known is what a reviewer hears of an error, nil when it is ours alone.
func known(err error) *problem {
	for _, f := range failures {
		if errors.Is(err, f.err) {
			return &f.problem
		}
	}
	p, _ := errors.AsType[*problem](err)
	return p
}

// fail answers with the page of an error.
func (v *visit) fail(err error) {
	p := known(err)
	if p == nil {
		var retryable interface{ Retryable() bool }
		if errors.As(err, &retryable) && retryable.Retryable() || v.r.Context().Err() != nil {
			p = &problem{http.StatusServiceUnavailable, report.Text{ZH: "系统暂时不可用，请稍后重试，内容没有丢失。", EN: "The service cannot do this now. Please try again; nothing was lost."}}
			v.c.Logger.Warn("page not served", "error", err)
		} else {
			p = &problem{http.StatusInternalServerError, report.Text{ZH: "系统出错，请联系管理员。", EN: "The service failed. Please tell your administrator."}}
			v.c.Logger.Error("page failed", "error", err)
		}
	}
	_ = v.render(p.status, "error", struct{ Text string }{v.lang.of(p.text)}) // nobody else is left to tell
}

// frame is what every page shows around its content.
type frame struct {
	Lang    tongue
	User    records.User
	Lead    bool
	Admin   bool
	Path    string
	Page    string
	Content any
}

// render answers with a page. It is made whole first: a template that breaks gives
// an error and not half a page.
func (v *visit) render(status int, page string, content any) error {
	var body bytes.Buffer
	role := v.user().Role
	f := frame{Lang: v.lang, User: v.user(), Path: v.r.URL.Path, Page: page, Content: content}
	if f.User.ID != "" {
		f.Lead, f.Admin = role.AtLeast(records.RoleLead), role.AtLeast(records.RoleAdmin)
	}
	if v.r.Method != http.MethodGet {
		f.Path = "/console/"
	}
	if err := v.c.pages[v.lang][page].ExecuteTemplate(&body, "frame", f); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(body.Bytes()) // the browser may have left
	return nil
}

func (v *visit) redirect(to string) error {
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// value is a form's value without the spaces around it.
func (v *visit) value(name string) string { return strings.TrimSpace(v.r.PostForm.Get(name)) }
