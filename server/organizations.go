package server

import (
	"context"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/certify"
)

// Organization is what callers see of one.
type Organization struct {
	ID            string                    `json:"id" doc:"The caller's own"`
	State         records.OrganizationState `json:"state" enum:"unverified,pending,certified,expiring,expired,revoked,cancelled"`
	Entitled      bool                      `json:"entitled" doc:"It has the rights of a certified organization now"`
	EntityType    string                    `json:"entity_type,omitempty" doc:"As declared last"`
	Name          string                    `json:"name,omitempty" doc:"Of the present or the last certification"`
	USCC          string                    `json:"uscc,omitempty" doc:"Of the present or the last certification"`
	Certification string                    `json:"certification_id,omitempty" doc:"The present one; absent without"`
	ValidUntil    *time.Time                `json:"valid_until,omitempty" doc:"Of the present or the last certification"`
	Verification  string                    `json:"verification_id" doc:"The latest"`
	Policy        string                    `json:"policy" doc:"Of the latest verification"`
	CreatedAt     time.Time                 `json:"created_at"`
	ChangedAt     time.Time                 `json:"changed_at"`
}

func viewOrganization(o records.Organization, now time.Time) Organization {
	return Organization{ID: o.ID, State: o.State, Entitled: worker.Standing(o).Entitled(now), EntityType: o.EntityType, Name: o.Name, USCC: o.USCC,
		Certification: o.Certification, ValidUntil: when(o.ValidUntil), Verification: o.Verification, Policy: o.Policy,
		CreatedAt: o.CreatedAt, ChangedAt: o.ChangedAt}
}

// Certification is a term in which an organization was certified.
type Certification struct {
	ID                  string     `json:"id"`
	Verification        string     `json:"verification_id"`
	Name                string     `json:"name,omitempty"`
	USCC                string     `json:"uscc,omitempty"`
	LegalRepresentative string     `json:"legal_representative,omitempty"`
	Capital             string     `json:"registered_capital,omitempty"`
	Term                string     `json:"term,omitempty"`
	Policy              string     `json:"policy" doc:"With its version"`
	From                time.Time  `json:"valid_from"`
	Until               time.Time  `json:"valid_until"`
	EndedAt             *time.Time `json:"ended_at,omitempty"`
	End                 string     `json:"end,omitempty" enum:"expired,renewed,superseded,revoked,cancelled" doc:"Why it ended"`
}

func viewCertification(c records.Certification) Certification {
	return Certification{ID: c.ID, Verification: c.Verification, Name: c.Name, USCC: c.USCC, LegalRepresentative: c.LegalRepresentative,
		Capital: c.Capital, Term: c.Term, Policy: c.Policy, From: c.From, Until: c.Until, EndedAt: when(c.EndedAt), End: c.End}
}

type organizationsInput struct {
	State       string    `query:"state" enum:"unverified,pending,certified,expiring,expired,revoked,cancelled"`
	ValidBefore time.Time `query:"valid_before" doc:"The certification, present or last, ends before this time; the nearest end first"`
	Name        string    `query:"name" maxLength:"128" pattern:"^\\P{C}*$" patternDescription:"printable text" doc:"The certified name begins so"`
	After       string    `query:"after" maxLength:"512" pattern:"^[ -~]*$" patternDescription:"a cursor" doc:"Cursor: next of the page before"`
	Limit       int       `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type organizationsOutput struct {
	Body struct {
		Organizations []Organization `json:"organizations" nullable:"false"`
		Next          string         `json:"next,omitempty" doc:"Cursor of the following page; absent at the end"`
	}
}

func (a *API) organizations(ctx context.Context, in *organizationsInput) (*organizationsOutput, error) {
	page, err := a.client.Records.Organizations(ctx, keyOf(ctx).Tenant, records.OrganizationQuery{State: records.OrganizationState(in.State),
		ValidBefore: in.ValidBefore, Name: in.Name, After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &organizationsOutput{}
	out.Body.Next, out.Body.Organizations = page.Next, make([]Organization, len(page.Organizations))
	for i, o := range page.Organizations {
		out.Body.Organizations[i] = viewOrganization(o, a.now())
	}
	return out, nil
}

// ByOrganization names one of the caller's tenant.
type ByOrganization struct {
	ID string `path:"id" maxLength:"128" pattern:"^\\P{C}*$" patternDescription:"printable text" doc:"The caller's own id of the organization"`
}

// named is that organization. What is no text is nothing's id.
func (a *API) named(ctx context.Context, in *ByOrganization) (records.Organization, error) {
	if !utf8.ValidString(in.ID) {
		return records.Organization{}, records.ErrNotFound
	}
	return a.client.Records.Organization(ctx, keyOf(ctx).Tenant, in.ID)
}

type organizationOutput struct {
	Body struct {
		Organization
		Certifications []Certification `json:"certifications" nullable:"false" doc:"All, newest first"`
	}
}

func (a *API) organization(ctx context.Context, in *ByOrganization) (*organizationOutput, error) {
	tenant := keyOf(ctx).Tenant
	o, err := a.named(ctx, in)
	var all []records.Certification
	if err == nil {
		all, err = a.client.Records.Certifications(ctx, tenant, in.ID)
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &organizationOutput{}
	out.Body.Organization, out.Body.Certifications = viewOrganization(o, a.now()), make([]Certification, len(all))
	for i, c := range all {
		out.Body.Certifications[i] = viewCertification(c)
	}
	return out, nil
}

type dissolutionOutput struct {
	Body struct {
		Dissolvable bool         `json:"dissolvable"`
		Reason      *report.Text `json:"reason,omitempty" doc:"Why not"`
	}
}

func (a *API) dissolutionCheck(ctx context.Context, in *ByOrganization) (*dissolutionOutput, error) {
	o, err := a.named(ctx, in)
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &dissolutionOutput{}
	may, why := worker.Standing(o).Dissolvable()
	if out.Body.Dissolvable = may; !may {
		out.Body.Reason = &why
	}
	return out, nil
}

type endInput struct {
	ByOrganization
	Body struct {
		Reason string `json:"reason" minLength:"3" maxLength:"512" pattern:"^\\P{C}*$" patternDescription:"printable text" doc:"Why; it stands in the audit log, so no personal data"`
	}
}

type endOutput struct{ Body Organization }

func (a *API) revoke(ctx context.Context, in *endInput) (*endOutput, error) {
	return a.end(ctx, in, certify.Revoke, records.EndRevoked, records.Revoked, worker.EventRevoked)
}

func (a *API) cancel(ctx context.Context, in *endInput) (*endOutput, error) {
	return a.end(ctx, in, certify.Cancel, records.EndCancelled, records.Cancelled, worker.EventCancelled)
}

func (a *API) end(ctx context.Context, in *endInput, event certify.Event, end string, state records.OrganizationState, kind string) (*endOutput, error) {
	tenant, now := keyOf(ctx).Tenant, a.now()
	o, err := a.named(ctx, &in.ByOrganization)
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	if _, err := worker.Standing(o).Next(certify.Change{Event: event, At: now, Reason: in.Body.Reason}); err != nil {
		return nil, stateForbids(o.State)
	}
	entry := a.entry(ctx, kind, o.ID)
	entry.Reason = in.Body.Reason
	about := worker.OrganizationEvent{Organization: o.ID, State: state, Certification: o.Certification}
	o, err = a.client.Records.EndCertification(ctx, tenant, o.ID, end, state, entry, about.Event(kind, now))
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	return &endOutput{viewOrganization(o, now)}, nil
}

func (a *API) dissolve(ctx context.Context, in *endInput) (*struct{}, error) {
	o, err := a.named(ctx, &in.ByOrganization)
	if err == nil {
		entry := a.entry(ctx, "organization.dissolved", o.ID)
		entry.Reason = in.Body.Reason
		err = a.client.Records.Dissolve(ctx, o.Tenant, o.ID, entry)
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	return nil, nil
}

// stateForbids is the refusal of what an organization's state does not allow.
func stateForbids(state records.OrganizationState) *huma.ErrorModel {
	return problem(http.StatusConflict, "organization_state", "an organization that is "+string(state)+" does not allow it")
}
