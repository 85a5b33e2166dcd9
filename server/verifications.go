package server

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/client"
)

// ByID names a thing of the caller's tenant. What is no id is nothing's.
type ByID struct {
	ID string `path:"id" doc:"A UUID"`
}

func (in ByID) check() error {
	if _, err := uuid.Parse(in.ID); err != nil || len(in.ID) != len(uuid.Nil.String()) {
		return records.ErrNotFound
	}
	return nil
}

type getInput struct {
	ByID
	Wait int `query:"wait" minimum:"0" maximum:"30" doc:"Seconds to wait for the report"`
}

type verificationOutput struct {
	Body client.Verification
}

type getOutput struct {
	Body struct {
		client.Verification
		Declared *report.Declared `json:"declared,omitempty" doc:"Personal data masked; for keys of the scope review, as long as it is kept"`
	}
}

func (a *API) get(ctx context.Context, in *getInput) (*getOutput, error) {
	err := in.check()
	out := &getOutput{}
	if err == nil {
		out.Body.Verification, err = a.wait(ctx, in.ID, time.Duration(in.Wait)*time.Second)
	}
	if err == nil && keyOf(ctx).Has(records.ScopeReview) {
		out.Body.Declared, err = a.masked(ctx, in.ID)
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	visitOf(ctx).verification = in.ID
	return out, nil
}

// wait returns the verification when it is completed, the time is up or the
// service drains.
func (a *API) wait(ctx context.Context, id string, limit time.Duration) (client.Verification, error) {
	c := a.client.For(keyOf(ctx).Tenant)
	if limit == 0 {
		return c.Get(ctx, id)
	}
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	go func() {
		select {
		case <-a.draining:
			cancel()
		case <-waiting.Done():
		}
	}()
	v, err := c.Wait(waiting, id)
	if waiting.Err() != nil && ctx.Err() == nil {
		return c.Get(ctx, id)
	}
	return v, err
}

type listInput struct {
	Status          string    `query:"status" enum:"queued,completed"`
	Outcome         string    `query:"outcome" enum:"pass,fail,review,error"`
	OrganizationID  string    `query:"organization_id" maxLength:"128" pattern:"^\\P{C}*$" patternDescription:"printable text"`
	ClientReference string    `query:"client_reference" maxLength:"128" pattern:"^\\P{C}*$" patternDescription:"printable text"`
	Policy          string    `query:"policy" maxLength:"128" pattern:"^\\P{C}*$" patternDescription:"printable text"`
	Reason          string    `query:"reason" maxLength:"64" pattern:"^[a-z0-9_]*$" patternDescription:"a reason code"`
	From            time.Time `query:"from" doc:"Created at this time or later"`
	To              time.Time `query:"to" doc:"Created before this time"`
	After           string    `query:"after" maxLength:"64" pattern:"^[ -~]*$" patternDescription:"a cursor" doc:"Cursor: next of the page before"`
	Limit           int       `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type listOutput struct {
	Body struct {
		Verifications []client.Verification `json:"verifications" nullable:"false"`
		Next          string                `json:"next,omitempty" doc:"Cursor of the following page; absent at the end"`
	}
}

func (a *API) list(ctx context.Context, in *listInput) (*listOutput, error) {
	page, err := a.client.Records.List(ctx, keyOf(ctx).Tenant, records.Query{
		Status: report.Status(in.Status), Outcome: report.Outcome(in.Outcome),
		OrganizationID: in.OrganizationID, ClientReference: in.ClientReference, Policy: in.Policy, ReasonCode: in.Reason,
		From: in.From, To: in.To, After: in.After, Limit: in.Limit,
	})
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &listOutput{}
	out.Body.Next, out.Body.Verifications = page.Next, views(page.Verifications)
	return out, nil
}

func views(all []records.Verification) []client.Verification {
	seen := make([]client.Verification, len(all))
	for i, v := range all {
		seen[i] = client.View(v)
	}
	return seen
}

type attemptsOutput struct {
	Body struct {
		Verifications []client.Verification `json:"verifications" nullable:"false"`
	}
}

func (a *API) attempts(ctx context.Context, in *ByID) (*attemptsOutput, error) {
	err := in.check()
	var all []records.Verification
	if err == nil {
		all, err = a.client.Records.Attempts(ctx, keyOf(ctx).Tenant, in.ID)
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &attemptsOutput{}
	out.Body.Verifications = views(all)
	return out, nil
}
