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

// View is what callers see of a record.
func View(v records.Verification) Verification {
	return Verification{
		ID: v.ID, Status: v.Status, Outcome: v.Outcome, Reasons: v.Reasons, Policy: v.Policy, Priority: v.Priority,
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
