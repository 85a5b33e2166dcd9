package server

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/heyan/heyan/storage/records"
)

// slaSpan is the time a report on deadlines covers when it is not told: a week.
const slaSpan = 7 * 24 * time.Hour

type slaInput struct {
	From time.Time `query:"from" doc:"Created at this time or later; a week before to when absent"`
	To   time.Time `query:"to" doc:"Created before this time; now when absent"`
}

// percentiles are by nearest rank, in seconds from submission.
type percentiles struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50_seconds"`
	P95   float64 `json:"p95_seconds"`
	P99   float64 `json:"p99_seconds"`
}

type sla struct {
	Policy      string      `json:"policy"`
	Priority    string      `json:"priority"`
	Count       int         `json:"count"`
	LateMachine int         `json:"late_machine" doc:"The verdict came or comes after the deadline"`
	LatePerson  int         `json:"late_person" doc:"The verdict was in time, the decision was or is not"`
	Verdict     percentiles `json:"verdict"`
	Decision    percentiles `json:"decision"`
}

type slaOutput struct {
	Body struct {
		From time.Time `json:"from"`
		To   time.Time `json:"to"`
		SLA  []sla     `json:"sla" nullable:"false"`
	}
}

func (a *API) sla(ctx context.Context, in *slaInput) (*slaOutput, error) {
	now := a.now()
	if in.To.IsZero() {
		in.To = now
	}
	if in.From.IsZero() {
		in.From = in.To.Add(-slaSpan)
	}
	rows, err := a.client.Records.Breaches(ctx, keyOf(ctx).Tenant, in.From, in.To, now)
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &slaOutput{}
	out.Body.From, out.Body.To = in.From.UTC(), in.To.UTC()
	out.Body.SLA = make([]sla, len(rows))
	for i, r := range rows {
		out.Body.SLA[i] = sla{r.Policy, r.Priority, r.Count, r.LateMachine, r.LatePerson, seconds(r.Verdict), seconds(r.Decision)}
	}
	return out, nil
}

func seconds(p records.Percentiles) percentiles {
	return percentiles{p.Count, p.P50.Seconds(), p.P95.Seconds(), p.P99.Seconds()}
}

type auditInput struct {
	Subject string `query:"subject" maxLength:"64" pattern:"^[a-z0-9-]*$" patternDescription:"an id" doc:"Of what it was done to; all when absent"`
	Before  int64  `query:"before" minimum:"0" doc:"Cursor: next of the page before"`
	Limit   int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type auditEntry struct {
	Seq     int64           `json:"seq"`
	At      time.Time       `json:"at"`
	Actor   string          `json:"actor"`
	Action  string          `json:"action"`
	Subject string          `json:"subject"`
	Reason  string          `json:"reason,omitempty"`
	Detail  json.RawMessage `json:"detail"`
	Prev    string          `json:"prev" doc:"Hash of the entry before, hex"`
	Hash    string          `json:"hash" doc:"SHA-256 over the entry and prev, hex"`
}

type auditOutput struct {
	Body struct {
		Entries []auditEntry `json:"entries" nullable:"false"`
		Next    int64        `json:"next,omitempty" doc:"Cursor of the following page; absent at the end"`
	}
}

func (a *API) audit(ctx context.Context, in *auditInput) (*auditOutput, error) {
	entries, err := a.client.Records.Audit(ctx, keyOf(ctx).Tenant, in.Subject, in.Before, in.Limit)
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &auditOutput{}
	out.Body.Entries = make([]auditEntry, len(entries))
	for i, e := range entries {
		out.Body.Entries[i] = auditEntry{e.Seq, e.At, e.Actor, e.Action, e.Subject, e.Reason, e.Detail,
			hex.EncodeToString(e.Prev), hex.EncodeToString(e.Hash)}
	}
	if len(entries) == in.Limit {
		out.Body.Next = entries[len(entries)-1].Seq
	}
	return out, nil
}
