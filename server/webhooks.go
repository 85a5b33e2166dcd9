package server

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/webhook"
)

// Endpoint is what callers see of a webhook endpoint; nothing of its secrets.
type Endpoint struct {
	ID             string     `json:"id"`
	URL            string     `json:"url"`
	Types          []string   `json:"types" nullable:"false" doc:"Of events it wants; none: all"`
	CreatedAt      time.Time  `json:"created_at"`
	DisabledAt     *time.Time `json:"disabled_at,omitempty"`
	DisabledReason string     `json:"disabled_reason,omitempty"`
	FailingSince   *time.Time `json:"failing_since,omitempty" doc:"The first failure since its last success"`
}

func viewEndpoint(e records.Endpoint) Endpoint {
	return Endpoint{ID: e.ID, URL: e.URL, Types: append([]string{}, e.Types...), CreatedAt: e.CreatedAt,
		DisabledAt: when(e.DisabledAt), DisabledReason: e.DisabledReason, FailingSince: when(e.FailingSince)}
}

type createEndpointInput struct {
	Body struct {
		URL   string   `json:"url" maxLength:"2048" doc:"https://…, of a public address"`
		Types []string `json:"types,omitempty" maxItems:"16" maxLength:"64" pattern:"^[a-z0-9_.]+$" patternDescription:"a type of events" nullable:"false" doc:"Of events it wants; all when absent"`
	}
}

type createEndpointOutput struct {
	Body struct {
		Endpoint
		Secret string `json:"secret" doc:"Signs the events (Standard Webhooks). Shown here and never again"`
	}
}

func (a *API) createEndpoint(ctx context.Context, in *createEndpointInput) (*createEndpointOutput, error) {
	switch err := a.webhooks.CheckURL(in.Body.URL); {
	case errors.Is(err, webhook.ErrAddress):
		return nil, invalid("invalid_request", "url", webhook.ErrAddress.Error())
	case err != nil:
		return nil, invalid("invalid_request", "url", "it is not https://host/path without password and fragment")
	}
	e := records.Endpoint{ID: records.NewID(), Tenant: keyOf(ctx).Tenant, URL: in.Body.URL, Types: in.Body.Types, CreatedAt: a.now().UTC()}
	out := &createEndpointOutput{}
	out.Body.Endpoint, out.Body.Secret = viewEndpoint(e), webhook.NewSecret()
	sealer, err := a.client.Vault.For(ctx, e.Tenant)
	if err == nil {
		e.SealedSecrets, err = webhook.SealSecrets(sealer, e.ID, []string{out.Body.Secret})
	}
	if err == nil {
		_, err = a.client.Records.Append(ctx, a.entry(ctx, "endpoint.created", e.ID))
	}
	if err == nil {
		err = a.client.Records.AddEndpoint(ctx, e)
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	return out, nil
}

type endpointsOutput struct {
	Body struct {
		Endpoints []Endpoint `json:"endpoints" nullable:"false"`
	}
}

func (a *API) endpoints(ctx context.Context, _ *struct{}) (*endpointsOutput, error) {
	all, err := a.client.Records.Endpoints(ctx, keyOf(ctx).Tenant)
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &endpointsOutput{}
	out.Body.Endpoints = make([]Endpoint, len(all))
	for i, e := range all {
		out.Body.Endpoints[i] = viewEndpoint(e)
	}
	return out, nil
}

type secretOutput struct {
	Body struct {
		Secret string `json:"secret" doc:"Shown here and never again"`
	}
}

// findEndpoint reads the endpoint that an id names.
func (a *API) findEndpoint(ctx context.Context, in *ByID, e *records.Endpoint) func(tenant string) error {
	return func(tenant string) error {
		all, err := a.client.Records.Endpoints(ctx, tenant)
		for _, *e = range all {
			if e.ID == in.ID {
				return nil
			}
		}
		if err == nil {
			err = records.ErrNotFound
		}
		return err
	}
}

// rotateEndpoint keeps the secret before for receivers that do not know the new
// one yet, and no older one.
func (a *API) rotateEndpoint(ctx context.Context, in *ByID) (*secretOutput, error) {
	var e records.Endpoint
	out := &secretOutput{}
	out.Body.Secret = webhook.NewSecret()
	err := a.audited(ctx, in, "endpoint.rotated", a.findEndpoint(ctx, in, &e), func(tenant string) error {
		sealer, err := a.client.Vault.For(ctx, tenant)
		if err != nil {
			return err
		}
		secrets, err := webhook.OpenSecrets(sealer, e.ID, e.SealedSecrets)
		if err != nil {
			return err
		}
		sealed, err := webhook.SealSecrets(sealer, e.ID, append([]string{out.Body.Secret}, secrets[:min(1, len(secrets))]...))
		if err != nil {
			return err
		}
		return a.client.Records.SetEndpointSecrets(ctx, tenant, e.ID, sealed)
	})
	return out, err
}

func (a *API) enableEndpoint(ctx context.Context, in *ByID) (*struct{}, error) {
	var e records.Endpoint
	return nil, a.audited(ctx, in, "endpoint.enabled", a.findEndpoint(ctx, in, &e), func(tenant string) error {
		return a.client.Records.EnableEndpoint(ctx, tenant, e.ID, a.now())
	})
}

// reasonAsked is why an endpoint is disabled that somebody has disabled.
const reasonAsked = "asked"

func (a *API) disableEndpoint(ctx context.Context, in *ByID) (*struct{}, error) {
	var e records.Endpoint
	return nil, a.audited(ctx, in, "endpoint.disabled", a.findEndpoint(ctx, in, &e), func(tenant string) error {
		payload, err := json.Marshal(map[string]string{"id": e.ID, "status": "disabled", "reason": reasonAsked})
		if err != nil {
			return err
		}
		now := a.now()
		_, err = a.client.Records.DisableEndpoint(ctx, tenant, e.ID, reasonAsked, records.Event{
			Type: webhook.EventDisabled, Dedupe: now.UTC().Format(time.RFC3339Nano), At: now, Payload: payload,
		})
		return err
	})
}

func (a *API) deleteEndpoint(ctx context.Context, in *ByID) (*struct{}, error) {
	var e records.Endpoint
	return nil, a.audited(ctx, in, "endpoint.deleted", a.findEndpoint(ctx, in, &e), func(tenant string) error {
		return a.client.Records.DeleteEndpoint(ctx, tenant, e.ID)
	})
}

type eventsInput struct {
	After int64 `query:"after" minimum:"0" doc:"Cursor: seq of the last event seen"`
	Limit int   `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type event struct {
	ID      string          `json:"id"`
	Seq     int64           `json:"seq" doc:"Grows, with gaps"`
	Type    string          `json:"type"`
	Subject string          `json:"subject" doc:"Id of what it is about"`
	At      time.Time       `json:"at"`
	Data    json.RawMessage `json:"data" doc:"As it is sent to webhook endpoints"`
}

type eventsOutput struct {
	Body struct {
		Events []event `json:"events" nullable:"false"`
		Next   int64   `json:"next,omitempty" doc:"Cursor to go on from; absent when there was nothing new"`
	}
}

func (a *API) events(ctx context.Context, in *eventsInput) (*eventsOutput, error) {
	all, err := a.client.Records.Events(ctx, keyOf(ctx).Tenant, in.After, in.Limit)
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &eventsOutput{}
	out.Body.Events = make([]event, len(all))
	for i, e := range all {
		out.Body.Events[i] = event{e.ID, e.Seq, e.Type, e.Subject, e.At, e.Payload}
		out.Body.Next = e.Seq
	}
	return out, nil
}

type delivery struct {
	EndpointID string                 `json:"endpoint_id"`
	Status     records.DeliveryStatus `json:"status" enum:"pending,held,succeeded,failed"`
	Attempts   int                    `json:"attempts"`
	NextAt     *time.Time             `json:"next_at,omitempty"`
	LastAt     *time.Time             `json:"last_at,omitempty"`
	LastCode   string                 `json:"last_code,omitempty" doc:"Why the last attempt failed"`
	LastStatus int                    `json:"last_status,omitempty" doc:"HTTP status of the last answer"`
}

type deliveriesOutput struct {
	Body struct {
		Deliveries []delivery `json:"deliveries" nullable:"false"`
	}
}

func (a *API) deliveries(ctx context.Context, in *ByID) (*deliveriesOutput, error) {
	err := in.check()
	var all []records.Delivery
	if err == nil {
		all, err = a.client.Records.Deliveries(ctx, keyOf(ctx).Tenant, in.ID)
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &deliveriesOutput{}
	out.Body.Deliveries = make([]delivery, len(all))
	for i, d := range all {
		out.Body.Deliveries[i] = delivery{d.EndpointID, d.Status, d.Attempts, nil, when(d.LastAt), d.LastCode, d.LastStatus}
		if d.Status == records.DeliveryPending {
			out.Body.Deliveries[i].NextAt = when(d.NextAt)
		}
	}
	return out, nil
}

type replayOutput struct {
	Body struct {
		Deliveries int `json:"deliveries" doc:"To how many endpoints"`
	}
}

func (a *API) replay(ctx context.Context, in *ByID) (*replayOutput, error) {
	out := &replayOutput{}
	find := func(tenant string) error {
		_, err := a.client.Records.Deliveries(ctx, tenant, in.ID)
		return err
	}
	err := a.audited(ctx, in, "event.replayed", find, func(tenant string) (err error) {
		out.Body.Deliveries, err = a.client.Records.Replay(ctx, tenant, in.ID, a.now())
		return err
	})
	return out, err
}
