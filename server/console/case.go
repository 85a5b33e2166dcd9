package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/engine"
)

// maxAlike is how many look-alike cases are shown.
const maxAlike = 20

// caseView is the page of a case.
type caseView struct {
	ID       string
	Record   records.Verification
	Row      *row // nil once it waits for nobody
	Decided  *banner
	Judgment judgment
	Fields   []fieldRow
	Others   []fieldRow // printed, compared with nothing
	Photo    *canvas    // nil when the picture is gone or cannot be shown
	Page     *canvas
	NoPhoto  report.Text // why there is none
	Consent  *report.Consent
	Unmasked bool
	Gone     bool // what was declared is no longer kept
	Attempts []records.Verification
	Alike    []records.Alike
	History  []decisionRow
	Notes    []noteRow
	Form     form
	Choices  []reasonGroup
	Problems []report.Text // why the form was not taken
	Blind    bool          // a second look: what others thought is not shown
	Lead     bool
}

// judgment is what the checks say, of the machine's reading or of a corrected one.
type judgment struct {
	Outcome   report.Outcome
	Reasons   []reasonRow
	Checks    []report.Check
	Changes   []report.Change // since the certification that a re-verification is compared with
	Corrected bool
}

type reasonRow struct {
	report.Reason
	Number int
	Box    string // id of its outline; empty: none
}

type decisionRow struct {
	records.Decision
	By    string
	State string // final, pending, held, undone
}

type noteRow struct {
	records.Note
	By string
}

func (c *Console) casePage(v *visit) error {
	view, err := c.caseView(v, form{}, false)
	if err != nil {
		return err
	}
	if view.Decided, err = c.decidedBanner(v); err != nil {
		return err
	}
	return v.render(http.StatusOK, "case", view)
}

// dossier is what is known of a case.
type dossier struct {
	record     records.Verification
	report     report.Report
	submission report.Submission
	kept       bool // what was declared is still kept
	policy     verdict.Policy
}

func (c *Console) dossier(v *visit, id string) (d dossier, err error) {
	if d.record, err = c.Records.Get(v.r.Context(), v.tenant(), id); err != nil {
		return dossier{}, err
	}
	if d.record.Status != report.StatusCompleted {
		return dossier{}, records.ErrNotFound
	}
	if d.record.Report != nil {
		d.report = *d.record.Report
	}
	if d.kept = d.record.Sealed != nil; d.kept {
		if d.submission, err = worker.OpenSubmission(v.r.Context(), c.Vault, d.record); err != nil {
			return dossier{}, err
		}
	}
	d.policy, err = c.Policy(d.record.Policy)
	return d, err
}

// judge makes the checks, with a person's readings in place of the machine's where
// there are any.
func (d dossier) judge(corrections map[report.FieldName]string, now time.Time) (judgment, error) {
	j := judgment{Outcome: d.report.Outcome, Checks: d.report.Checks, Changes: d.report.Changes, Reasons: numbered(d.report.Reasons)}
	if len(corrections) == 0 {
		return j, nil
	}
	evidence, ok := verdict.EvidenceOf(d.report, d.submission.Declared)
	if !ok {
		return j, nil
	}
	corrected, err := evidence.Corrected(corrections)
	if err != nil {
		return j, err
	}
	outcome, reasons, checks := verdict.Decide(append(verdict.Check(corrected, d.policy, now), verdict.Kept(d.report)...), d.policy)
	return judgment{Outcome: outcome, Reasons: numbered(reasons), Checks: checks, Changes: j.Changes, Corrected: true}, nil
}

func numbered(reasons []report.Reason) []reasonRow {
	rows := make([]reasonRow, len(reasons))
	for i, r := range reasons {
		rows[i] = reasonRow{Reason: r, Number: i + 1}
		if len(r.Evidence.Polygon) > 2 {
			rows[i].Box = fmt.Sprintf("reason-box-%d", i+1)
		}
	}
	return rows
}

// caseView gathers the page of a case, with what was typed into its form so far.
func (c *Console) caseView(v *visit, f form, unmasked bool) (*caseView, error) {
	ctx, id := v.r.Context(), v.r.PathValue("id")
	d, err := c.dossier(v, id)
	if err != nil {
		return nil, err
	}
	names, err := c.names(v)
	if err != nil {
		return nil, err
	}
	view := &caseView{ID: id, Record: d.record, Gone: !d.kept, Unmasked: unmasked && d.kept, Consent: d.submission.Consent,
		Lead: v.reader().Lead}
	waiting, err := c.Records.Case(ctx, v.tenant(), id)
	switch {
	case errors.Is(err, records.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		r := newRow(v, waiting, names)
		view.Row = &r
		view.Blind = waiting.Stage == records.StageSecond && !view.Lead
	}
	var wrong *verdict.CorrectionError
	view.Judgment, err = d.judge(f.Corrections, v.now)
	if err != nil && !errors.As(err, &wrong) {
		return nil, err
	}
	f = f.begun()
	view.Form, view.Choices = f, choices(d.report.Reasons, f.Reasons)
	geometry, err := c.canvases(v, d, view)
	if err != nil {
		return nil, err
	}
	view.fieldRows(d, geometry, wrong, v.lang)
	if err := c.history(v, view, names); err != nil {
		return nil, err
	}
	if view.Attempts, err = c.Records.Attempts(ctx, v.tenant(), id); err != nil {
		return nil, err
	}
	if view.Alike, err = c.Records.Alike(ctx, v.tenant(), id, maxAlike); err != nil {
		return nil, err
	}
	return view, nil
}

// history is what people decided and noted, which a second look must not know.
func (c *Console) history(v *visit, view *caseView, names map[string]string) error {
	if view.Blind {
		return nil
	}
	decisions, err := c.Records.Decisions(v.r.Context(), v.tenant(), view.ID)
	if err != nil {
		return err
	}
	for _, d := range decisions {
		state := "pending"
		switch {
		case !d.UndoneAt.IsZero():
			state = "undone"
		case !d.FinalAt.IsZero():
			state = "final"
		case d.EffectiveAt.IsZero():
			state = "held"
		}
		view.History = append(view.History, decisionRow{d, names[d.By], state})
	}
	notes, err := c.Records.Notes(v.r.Context(), v.tenant(), view.ID)
	for _, n := range notes {
		view.Notes = append(view.Notes, noteRow{n, names[n.By]})
	}
	return err
}

// canvases are the photo and the flattened page with their outlines.
func (c *Console) canvases(v *visit, d dossier, view *caseView) (engine.Geometry, error) {
	if !d.record.PictureGoneAt.IsZero() || !d.record.ErasedAt.IsZero() {
		view.NoPhoto = words["case.photo.gone"]
		return engine.Geometry{}, nil
	}
	g, err := c.Views.Geometry(v.r.Context(), d.record)
	if errors.Is(err, worker.ErrNoView) {
		view.NoPhoto = words["case.photo.none"]
		return engine.Geometry{}, nil
	}
	if err != nil {
		return engine.Geometry{}, err
	}
	address := "/console/cases/" + d.record.ID + "/picture/"
	view.Photo = &canvas{View: worker.ViewPhoto, Width: g.Width, Height: g.Height,
		Layers: []string{address + worker.ViewPreview, address + worker.ViewPhoto}}
	if g.PageWidth > 0 {
		view.Page = &canvas{View: worker.ViewPage, Width: g.PageWidth, Height: g.PageHeight, Layers: []string{address + worker.ViewPage}}
	}
	outline := func(p report.Polygon, b box) {
		if len(p) < 3 {
			return
		}
		b.Points, b.X, b.Y = points(p), p[0][0], p[0][1]
		view.Photo.Boxes = append(view.Photo.Boxes, b)
		if view.Page != nil && b.Kind != "sheet" {
			p = onPage(p, g)
			b.Points, b.X, b.Y, b.ID = points(p), p[0][0], p[0][1], "page-"+b.ID
			view.Page.Boxes = append(view.Page.Boxes, b)
		}
	}
	outline(d.report.Document.Quad, box{Kind: "sheet", ID: "sheet-box", Target: "fields", Title: v.lang.of(words["case.sheet"])})
	for _, name := range slices.Concat(shown, below) {
		if f, ok := d.report.Fields[name]; ok {
			outline(f.Polygon, box{Kind: "field", ID: "box-" + string(name), Target: "field-" + string(name), Title: v.lang.of(verdict.FieldTitle(name))})
		}
	}
	for _, r := range view.Judgment.Reasons {
		outline(r.Evidence.Polygon, box{Kind: string(r.Severity), ID: r.Box, Target: fmt.Sprintf("reason-%d", r.Number),
			Title: v.lang.of(verdict.Title(r.Code)), Number: r.Number})
	}
	return g, nil
}
