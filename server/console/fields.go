package console

import (
	"cmp"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/engine"
)

// fieldRow is one field in the list beside the picture.
type fieldRow struct {
	Name       report.FieldName
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

// The fields as they stand in the list: those of shown first, the others below.
var (
	shown = []report.FieldName{report.FieldUSCC, report.FieldRegistrationNumber, report.FieldCompanyName, report.FieldLegalRepresentative,
		report.FieldType, report.FieldEstablished, report.FieldTerm, report.FieldIssued,
		report.FieldOrganizationCode, report.FieldEntityType, report.FieldIDNumber, report.FieldEmail, report.FieldPhone}
	below = []report.FieldName{report.FieldRegisteredCapital, report.FieldPaidInCapital, report.FieldFormation, report.FieldAddress,
		report.FieldRegistrationAuthority, report.FieldSerialNumber, report.FieldScope}
)

// declaredValues are what was declared, by the field that it is compared with.
func declaredValues(d report.Declared) map[report.FieldName]string {
	return map[report.FieldName]string{
		report.FieldUSCC: d.USCC, report.FieldRegistrationNumber: d.RegistrationNumber, report.FieldCompanyName: d.Name,
		report.FieldLegalRepresentative: d.LegalRepresentative, report.FieldOrganizationCode: d.OrganizationCode,
		report.FieldEntityType: d.EntityType, report.FieldIDNumber: d.IDNumber, report.FieldEmail: d.Email, report.FieldPhone: d.Phone,
	}
}

// fieldRows fills the lists of a case.
func (view *caseView) fieldRows(d dossier, g engine.Geometry, wrong *verdict.CorrectionError, l tongue) {
	declared := d.submission.Declared
	if !view.Unmasked {
		declared = worker.Masked(declared)
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
