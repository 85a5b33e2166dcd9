package console

import (
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
)

// resumption is what somebody sent whose session was over: it goes through the
// sign-in with him, and is sent when he says so again.
type resumption struct {
	Path   string
	Fields []sent // by name
}

// sent is a field of a form.
type sent struct{ Name, Value string }

// resumable are the addresses whose forms are taken along, and what each does.
var resumable = map[string]string{
	"/console/next":             "resume.next",
	"/console/cases/*/claim":    "resume.claim",
	"/console/cases/*/release":  "resume.release",
	"/console/cases/*/check":    "resume.check",
	"/console/cases/*/decision": "resume.decision",
	"/console/cases/*/notes":    "resume.note",
	"/console/cases/*/unmask":   "resume.unmask",
	"/console/decisions/*/undo": "resume.undo",
	"/console/users":            "resume.add_user",
	"/console/users/*":          "resume.change_user",
	"/console/users/*/invite":   "resume.invite_user",
}

const (
	// resumePrefix is of the names of fields that are taken along.
	resumePrefix = "resume."
	// resumePath is of their form's address.
	resumePath = "resume.path"
)

// newResumption is nil where nothing can be resumed.
func newResumption(to string, form url.Values) *resumption {
	if action(to) == "" {
		return nil
	}
	r := &resumption{Path: to}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			r.Fields = append(r.Fields, sent{name, value})
		}
	}
	return r
}

// resumed is what a sign-in's form takes along.
func resumed(form url.Values) *resumption {
	fields := url.Values{}
	for name, values := range form {
		if own, is := strings.CutPrefix(name, resumePrefix); is && name != resumePath {
			fields[own] = values
		}
	}
	return newResumption(form.Get(resumePath), fields)
}

// action is the key of the words for what a form's address does.
func action(to string) string {
	for pattern, key := range resumable {
		if is, err := path.Match(pattern, to); err == nil && is {
			return key
		}
	}
	return ""
}

// Action is what was about to be done.
func (r resumption) Action() report.Text { return words[action(r.Path)] }

// typed is something that a person filled in, as it is shown to him.
type typed struct{ Label, Value report.Text }

// typedLabels are of the fields that people fill in, besides corrections.
var typedLabels = map[string]string{
	"kind": "decide.kind", "reason": "queue.reason", "message.zh": "decide.message_zh", "message.en": "decide.message_en",
	"note": "notes.title", "why": "declared.why", "login": "users.login", "name": "users.name", "role": "users.role",
}

// Typed is what a person filled in, without what the page added.
func (r resumption) Typed() (all []typed) {
	for _, f := range r.Fields {
		label := words[typedLabels[f.Name]]
		if name, is := strings.CutPrefix(f.Name, correctionPrefix); is {
			label = verdict.FieldTitle(report.FieldName(name))
		}
		value := report.Text{ZH: f.Value, EN: f.Value}
		switch f.Name {
		case "kind":
			value = words["decide."+f.Value]
		case "reason":
			value = verdict.Title(f.Value)
		case "role":
			value = words["role."+f.Value]
		}
		if label != (report.Text{}) && value.ZH != "" {
			all = append(all, typed{label, value})
		}
	}
	return all
}
