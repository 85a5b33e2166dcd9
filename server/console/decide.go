package console

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/storage/records"
)

// maxMessage is the longest text for an applicant in a language, and the longest
// note, characters.
const maxMessage = 1000

// form is what a reviewer filled in.
type form struct {
	ID          string // of the decision, made with the page: sent twice, it is taken once
	Kind        records.DecisionKind
	Reasons     []string
	Message     report.Text
	Corrections map[report.FieldName]string
}

// correctionPrefix is of the names of a form's corrections.
const correctionPrefix = "correct."

func formOf(r *http.Request) form {
	f := form{ID: r.PostForm.Get("decision"), Kind: records.DecisionKind(r.PostForm.Get("kind")), Corrections: map[report.FieldName]string{},
		Message: report.Text{ZH: strings.TrimSpace(r.PostForm.Get("message.zh")), EN: strings.TrimSpace(r.PostForm.Get("message.en"))}}
	for name, values := range r.PostForm {
		if field, ok := strings.CutPrefix(name, correctionPrefix); ok && strings.TrimSpace(values[0]) != "" {
			f.Corrections[report.FieldName(field)] = strings.TrimSpace(values[0])
		}
	}
	for _, code := range r.PostForm["reason"] {
		if !slices.Contains(f.Reasons, code) {
			f.Reasons = append(f.Reasons, code)
		}
	}
	return f
}

// begun is a form as the page shows it: with an id.
func (f form) begun() form {
	if _, err := uuid.Parse(f.ID); err != nil {
		f.ID = records.NewID()
	}
	return f
}

// idNumber is how a personal number looks, which no text for others may hold.
var idNumber = regexp.MustCompile(`\d{17}[\dXx]|\d{15}`)

// sound says what is wrong with a text that people wrote.
func sound(text string) *problem {
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }):
		return &problem{http.StatusUnprocessableEntity, report.Text{ZH: "文字含有无法显示的字符。", EN: "The text has characters that cannot be shown."}}
	case utf8.RuneCountInString(text) > maxMessage:
		return &problem{http.StatusUnprocessableEntity, report.Text{ZH: fmt.Sprintf("文字不能超过%d个字。", maxMessage), EN: fmt.Sprintf("At most %d characters are accepted.", maxMessage)}}
	case idNumber.MatchString(text):
		return &problem{http.StatusUnprocessableEntity, report.Text{ZH: "文字中不能含有证件号码。", EN: "The text must not hold an identity number."}}
	}
	return nil
}

// check makes the checks again with what was corrected, and shows them.
func (c *Console) check(v *visit) error {
	view, err := c.caseView(v, formOf(v.r), false)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "case", view)
}

// decide takes a decision. What cannot be taken comes back with everything that
// was filled in.
func (c *Console) decide(v *visit) error {
	f := formOf(v.r)
	d, err := c.dossier(v, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	if refused := c.refusal(v, d, &f); refused != nil {
		return c.again(v, f, http.StatusUnprocessableEntity, refused)
	}
	_, err = c.Records.Decide(v.r.Context(), records.Decision{
		ID: f.ID, Case: d.record.ID, Tenant: v.tenant(), By: v.user().ID, Kind: f.Kind, Reasons: f.Reasons, Message: f.Message,
		Corrections: f.Corrections, At: v.now,
	}, v.reader(), records.DecideTerms{Grace: c.Grace, SecondLook: c.sampled(d.record.ID)})
	if p := known(err); p != nil && !errors.Is(err, records.ErrNotFound) {
		return c.again(v, f, p.status, []report.Text{p.text})
	}
	if err != nil {
		return err
	}
	return c.goOn(v, f.ID)
}

// refusal says why a form cannot be taken, nil when it can. What a reviewer leaves
// to Heyan is filled in: the words for the applicant, and, as an approval confirms
// them, the values as they were read.
func (c *Console) refusal(v *visit, d dossier, f *form) (texts []report.Text) {
	if _, err := uuid.Parse(f.ID); err != nil {
		return []report.Text{errForm.text}
	}
	for _, text := range []string{f.Message.ZH, f.Message.EN} {
		if p := sound(text); p != nil {
			return []report.Text{p.text}
		}
	}
	switch f.Kind {
	case records.Approve:
		f.Reasons, f.Message = nil, report.Text{}
		return d.barriers(f, v.now)
	case records.Reject, records.NewPhoto:
		groups := choices(d.report.Reasons, f.Reasons)
		var advice []report.Text
		for _, g := range groups {
			for _, r := range g.Reasons {
				if r.Chosen {
					advice = append(advice, r.Advice)
				}
			}
		}
		if len(f.Reasons) == 0 || len(advice) != len(f.Reasons) {
			return []report.Text{words["decide.reason_missing"]}
		}
		for _, a := range advice {
			if v.value("message.zh") == "" {
				f.Message.ZH = strings.TrimSpace(f.Message.ZH + "\n" + a.ZH)
			}
			if v.value("message.en") == "" {
				f.Message.EN = strings.TrimSpace(f.Message.EN + "\n" + a.EN)
			}
		}
		f.Corrections = nil
	case records.Escalate:
		f.Reasons, f.Message, f.Corrections = nil, report.Text{}, nil
	default:
		return []report.Text{words["decide.kind_missing"]}
	}
	return nil
}

// barriers are what stands against an approval. What a person approves he has read:
// the code and the name as they stand there.
func (d dossier) barriers(f *form, now time.Time) (texts []report.Text) {
	evidence, ok := verdict.EvidenceOf(d.report, d.submission.Declared)
	if !ok {
		return []report.Text{words["decide.no_evidence"]}
	}
	confirmed := maps.Clone(f.Corrections)
	for _, name := range []report.FieldName{report.FieldUSCC, report.FieldRegistrationNumber, report.FieldCompanyName, report.FieldLegalRepresentative} {
		if read := d.report.Fields[name]; confirmed[name] == "" && read.Value != "" && read.Source != report.SourceQR {
			confirmed[name] = read.Value
		}
	}
	corrected, err := evidence.Corrected(confirmed)
	if wrong, is := errors.AsType[*verdict.CorrectionError](err); is {
		title := verdict.FieldTitle(wrong.Field)
		return []report.Text{{ZH: title.ZH + "：" + wrong.Rule.ZH, EN: title.EN + ": " + wrong.Rule.EN}}
	}
	for _, r := range verdict.Barriers(corrected, d.policy, now) {
		texts = append(texts, r.Message)
	}
	return texts
}

// again shows the case with what was filled in, and why it was not taken.
func (c *Console) again(v *visit, f form, status int, why []report.Text) error {
	view, err := c.caseView(v, f, false)
	if err != nil {
		return err
	}
	view.Problems = why
	return v.render(status, "case", view)
}

// sampled says whether a case is one of those that two people decide: the same
// ones whoever asks, evenly spread.
func (c *Console) sampled(id string) bool {
	h := fnv.New32a()
	h.Write([]byte(id))
	return float64(h.Sum32()) < c.SecondLook*(1<<32)
}

// banner tells what was decided just now, and lets it be undone.
type banner struct {
	records.Decision
	Left time.Duration // to undo it
	Held bool          // it waits for a second look
}

// decidedBanner is that of the decision that the address names, nil without one of
// the user's own.
func (c *Console) decidedBanner(v *visit) (*banner, error) {
	id := v.r.URL.Query().Get("decided")
	if id == "" {
		return nil, nil
	}
	d, err := c.Records.Decision(v.r.Context(), v.tenant(), id)
	if errors.Is(err, records.ErrNotFound) || err == nil && (d.By != v.user().ID || !d.UndoneAt.IsZero()) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &banner{Decision: d, Left: max(0, d.At.Add(c.Grace).Sub(v.now)), Held: d.EffectiveAt.IsZero()}, nil
}

func (c *Console) undo(v *visit) error {
	one, err := c.Records.Undo(v.r.Context(), v.tenant(), v.r.PathValue("id"), v.user().ID, v.now.Add(claimLease), v.now)
	if err != nil {
		return err
	}
	return v.redirect("/console/cases/" + one.ID)
}

func (c *Console) note(v *visit) error {
	text, id := v.value("note"), v.r.PathValue("id")
	p := sound(text)
	if text == "" {
		p = &problem{http.StatusUnprocessableEntity, words["note.empty"]}
	}
	if p != nil {
		return p
	}
	if err := c.Records.AddNote(v.r.Context(), records.Note{ID: records.NewID(), Case: id, Tenant: v.tenant(), By: v.user().ID, At: v.now, Text: text}); err != nil {
		return err
	}
	return v.redirect("/console/cases/" + id + "#notes")
}

// unmask answers with what was declared, and leaves no address behind by which it
// could be seen again.
func (c *Console) unmask(v *visit) error {
	reason := v.value("why")
	if utf8.RuneCountInString(reason) < 3 || utf8.RuneCountInString(reason) > 200 || sound(reason) != nil {
		return &problem{http.StatusUnprocessableEntity, words["unmask.reason"]}
	}
	entry := v.entry("submission.unmasked", v.r.PathValue("id"))
	entry.Reason = reason
	if _, err := c.Records.Unmask(v.r.Context(), v.tenant(), v.r.PathValue("id"), entry); err != nil {
		return err
	}
	view, err := c.caseView(v, form{}, true)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "case", view)
}

// seen notes that a picture is looked at, before its first byte.
func (c *Console) seen(ctx context.Context, v *visit, id, view string) error {
	entry := v.entry("picture.viewed", id)
	entry.Detail = fmt.Appendf(nil, `{"view":%q}`, view)
	_, err := c.Records.Append(ctx, entry)
	return err
}
