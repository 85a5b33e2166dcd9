package client

import (
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

// Verification is where a verification stands.
type Verification struct {
	ID              string         `json:"id"`
	Status          report.Status  `json:"status" enum:"queued,completed"`
	Outcome         report.Outcome `json:"outcome,omitempty" enum:"pass,fail,review,error"`
	Reasons         []string       `json:"reasons,omitempty" doc:"Codes of the reasons, gravest first"`
	MachineOutcome  report.Outcome `json:"machine_outcome,omitempty" enum:"pass,fail,review,error" doc:"Of the machine, whatever a person decided"`
	Decision        *Decision      `json:"decision,omitempty" doc:"Of a person; present once it is final, and not in lists"`
	Policy          string         `json:"policy"`
	Priority        string         `json:"priority" enum:"interactive,standard,batch"`
	Purpose         report.Purpose `json:"purpose,omitempty" enum:"initial,annual,reverification"`
	Previous        string         `json:"previous,omitempty" doc:"Id of the failed attempt that this one follows"`
	OrganizationID  string         `json:"organization_id,omitempty"`
	ClientReference string         `json:"client_reference,omitempty"`
	CreatedAt       time.Time      `json:"created_at"`
	DeadlineAt      time.Time      `json:"deadline_at" doc:"End of the review SLA"`
	CompletedAt     *time.Time     `json:"completed_at,omitempty" doc:"The machine's verdict"`
	DecidedAt       *time.Time     `json:"decided_at,omitempty" doc:"The final decision; absent while a person reviews"`
	PictureGoneAt   *time.Time     `json:"picture_gone_at,omitempty" doc:"The picture was deleted then"`
	ErasedAt        *time.Time     `json:"erased_at,omitempty" doc:"Picture, report and what was declared were erased then"`
	Report          *report.Report `json:"report,omitempty" doc:"Present once completed, until its time is over, and not in lists"`
}

// Decision is what a person decided on a verification that the machine had flagged.
// The report stays the machine's.
type Decision struct {
	Outcome     report.Outcome              `json:"outcome" enum:"pass,fail"`
	NewPhoto    bool                        `json:"new_photo,omitempty" doc:"The applicant is asked for another photo"`
	Reasons     []string                    `json:"reasons,omitempty" doc:"Codes of the reasons"`
	Message     *report.Text                `json:"message,omitempty" doc:"For the applicant; as long as the report is kept"`
	Corrections map[report.FieldName]string `json:"corrections,omitempty" doc:"What the person read in the machine's place; as long as the report is kept"`
	At          time.Time                   `json:"at"`
}

// viewDecision is what callers see of a decision: not who made it.
func viewDecision(d records.Decision) *Decision {
	seen := &Decision{Outcome: d.Outcome, NewPhoto: d.Kind == records.NewPhoto, Reasons: d.Reasons, Corrections: d.Corrections, At: d.At}
	if d.Message != (report.Text{}) {
		seen.Message = &d.Message
	}
	return seen
}

// View is what callers see of a record: its report without the picture's print.
func View(v records.Verification) Verification {
	if v.Report != nil && v.Report.Likeness != nil {
		seen := *v.Report
		seen.Likeness = nil
		v.Report = &seen
	}
	return Verification{
		ID: v.ID, Status: v.Status, Outcome: v.Outcome, Reasons: v.Reasons, MachineOutcome: v.MachineOutcome, Policy: v.Policy, Priority: v.Priority,
		Purpose: v.Purpose, Previous: v.Previous, OrganizationID: v.OrganizationID, ClientReference: v.ClientReference,
		CreatedAt: v.CreatedAt, DeadlineAt: v.DeadlineAt, CompletedAt: when(v.CompletedAt), DecidedAt: when(v.DecidedAt),
		PictureGoneAt: when(v.PictureGoneAt), ErasedAt: when(v.ErasedAt), Report: v.Report,
	}
}

// when leaves out a time that is not yet.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
