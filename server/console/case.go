package console

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/heyan/heyan/pipeline/codes"
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

// fieldRow is one field in the list beside the picture.
type fieldRow struct {
	Name       report.FieldName
	Key        int // number that jumps to it; 0: none
	Declared   []part
	Read       []part
	Value      string // as read
	QR         string
	Same       string // yes, no, "" where there is nothing to compare
	Confidence float64
	Source     report.Source
	Label      string
	Box        string
	Crop       *crop
	Candidates []string
	Editable   bool
	Typed      string
	Wrong      string // why what was typed was not taken
	Personal   bool
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

// reasonGroup are reasons to choose from.
type reasonGroup struct {
	Category report.Category // empty: those that the machine gave
	Reasons  []reasonChoice
	Open     bool // one of them is chosen
}

type reasonChoice struct {
	Code   string
	Key    int // that toggles it; 0: none
	Chosen bool
	Advice report.Text // what the applicant is told
}

// printedOrder is how the fields stand in the list; those of shown come first,
// the others below.
var (
	shown = []report.FieldName{report.FieldUSCC, report.FieldRegistrationNumber, report.FieldCompanyName, report.FieldLegalRepresentative,
		report.FieldType, report.FieldEstablished, report.FieldTerm, report.FieldIssued,
		report.FieldOrganizationCode, report.FieldEntityType, report.FieldIDNumber, report.FieldEmail, report.FieldPhone}
	below = []report.FieldName{report.FieldRegisteredCapital, report.FieldPaidInCapital, report.FieldFormation, report.FieldAddress,
		report.FieldRegistrationAuthority, report.FieldSerialNumber, report.FieldScope}
)

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
	c.fieldRows(d, view, geometry, wrong, v.lang)
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

// declaredValues are what was declared, by the field that it is compared with.
func declaredValues(d report.Declared) map[report.FieldName]string {
	return map[report.FieldName]string{
		report.FieldUSCC: d.USCC, report.FieldRegistrationNumber: d.RegistrationNumber, report.FieldCompanyName: d.Name,
		report.FieldLegalRepresentative: d.LegalRepresentative, report.FieldOrganizationCode: d.OrganizationCode,
		report.FieldEntityType: d.EntityType, report.FieldIDNumber: d.IDNumber, report.FieldEmail: d.Email, report.FieldPhone: d.Phone,
	}
}

// masked is what was declared without what tells a person.
func masked(d report.Declared) report.Declared {
	d.IDNumber, d.Phone, d.Email = codes.Mask(d.IDNumber), codes.MaskPhone(d.Phone), codes.MaskEmail(d.Email)
	return d
}

func (c *Console) fieldRows(d dossier, view *caseView, g engine.Geometry, wrong *verdict.CorrectionError, l tongue) {
	declared := d.submission.Declared
	if !view.Unmasked {
		declared = masked(declared)
	}
	values := declaredValues(declared)
	_, decidable := verdict.EvidenceOf(d.report, declared)
	editable := view.Row != nil && view.Row.Takable && decidable
	row := func(name report.FieldName) (fieldRow, bool) {
		read := d.report.Fields[name]
		r := fieldRow{Name: name, Value: read.Value, Confidence: read.Confidence, Source: read.Source, Label: read.Label,
			Candidates: read.Candidates, Typed: view.Form.Corrections[name], Editable: editable && slices.Contains(verdict.Correctable, name),
			Personal: name == report.FieldIDNumber || name == report.FieldEmail || name == report.FieldPhone}
		polygon := read.Polygon
		if name == report.FieldUSCC && read.Value == "" && d.report.Basis != nil {
			r.Candidates, polygon = d.report.Basis.Code.Candidates, d.report.Basis.Code.Polygon
		}
		if polygon == nil && d.report.Basis != nil {
			polygon = d.report.Basis.Unreadable[name]
		}
		for _, qr := range d.report.QR {
			value := qr.Fields[name]
			if name == report.FieldUSCC {
				value = qr.USCC
			}
			r.QR = cmp.Or(r.QR, value)
		}
		r.Declared, r.Read = compared(name, values[name], read.Value)
		if values[name] != "" && read.Value != "" {
			r.Same = "yes"
			if slices.ContainsFunc(r.Read, func(p part) bool { return p.Differs }) || slices.ContainsFunc(r.Declared, func(p part) bool { return p.Differs }) {
				r.Same = "no"
			}
		}
		if view.Photo != nil && len(read.Polygon) > 2 {
			r.Box = "box-" + string(name)
		}
		if view.Photo != nil {
			if cut, ok := cropOf(polygon, g.Width, g.Height, view.Photo.Layers[len(view.Photo.Layers)-1]); ok {
				r.Crop = &cut
			}
		}
		if wrong != nil && wrong.Field == name {
			r.Wrong = l.of(wrong.Rule)
		}
		needed := name == report.FieldUSCC || name == report.FieldCompanyName
		return r, needed && editable || r.Value != "" || values[name] != "" || r.Crop != nil
	}
	for _, name := range shown {
		if r, ok := row(name); ok {
			view.Fields = append(view.Fields, r)
		}
	}
	for _, name := range below {
		if r, ok := row(name); ok {
			view.Others = append(view.Others, r)
		}
	}
}

// choices are the reasons of the catalogue that a person may give: what the machine
// found first, with keys.
func choices(machine []report.Reason, chosen []string) []reasonGroup {
	found := reasonGroup{Open: true}
	fields := map[string]report.FieldName{}
	for _, r := range machine {
		if r.Severity == report.SeverityInfo || r.Category == report.CategorySystem || fields[r.Code] != "" || contains(found.Reasons, r.Code) {
			continue
		}
		fields[r.Code] = r.Field
		advice := report.Text{ZH: r.Message.ZH + r.Suggestion.ZH, EN: r.Message.EN + " " + r.Suggestion.EN}
		if r.NextStep == report.NextWait { // it tells to wait for the person who decides here
			advice = verdict.Advice(r.Code, r.Field)
		}
		found.Reasons = append(found.Reasons, reasonChoice{Code: r.Code, Chosen: slices.Contains(chosen, r.Code), Advice: advice})
	}
	for i := range found.Reasons {
		if i < 9 {
			found.Reasons[i].Key = i + 1
		}
	}
	groups := []reasonGroup{found}
	for _, category := range []report.Category{report.CategoryImage, report.CategoryDocument, report.CategoryInput, report.CategoryOrganization} {
		g := reasonGroup{Category: category}
		for _, e := range verdict.Catalog() {
			if e.Category == category && !contains(found.Reasons, e.Code) {
				one := reasonChoice{Code: e.Code, Chosen: slices.Contains(chosen, e.Code), Advice: verdict.Advice(e.Code, fieldOf(e.Code))}
				g.Open = g.Open || one.Chosen
				g.Reasons = append(g.Reasons, one)
			}
		}
		groups = append(groups, g)
	}
	return groups
}

func contains(reasons []reasonChoice, code string) bool {
	return slices.ContainsFunc(reasons, func(r reasonChoice) bool { return r.Code == code })
}

// fieldOf is the field that a reason is about where nothing else tells it.
func fieldOf(code string) report.FieldName {
	for prefix, field := range map[string]report.FieldName{"uscc_": report.FieldUSCC, "name_": report.FieldCompanyName, "legal_rep_": report.FieldLegalRepresentative,
		"id_number_": report.FieldIDNumber, "contact_email": report.FieldEmail, "contact_phone": report.FieldPhone, "entity_type_": report.FieldEntityType} {
		if len(code) > len(prefix) && code[:len(prefix)] == prefix {
			return field
		}
	}
	return ""
}
