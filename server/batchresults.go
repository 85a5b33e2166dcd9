package server

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/batch"
)

// resultPage is how many results are read at a time.
const resultPage = 1000

type resultsInput struct {
	ByID
	Format   string `query:"format" enum:"csv,jsonl,xlsx" default:"csv"`
	Language string `query:"language" enum:"zh,en" default:"zh" doc:"Of headers and messages in tables; JSONL has both"`
}

// resultTypes are the content types of the formats.
var resultTypes = map[batch.Format]string{
	batch.CSV:   "text/csv; charset=utf-8",
	batch.JSONL: "application/jsonl",
	batch.XLSX:  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

func (a *API) batchResults(ctx context.Context, in *resultsInput) (*huma.StreamResponse, error) {
	return a.streamResults(ctx, in, "results", func(records.BatchResult) bool { return true })
}

func (a *API) batchErrors(ctx context.Context, in *resultsInput) (*huma.StreamResponse, error) {
	return a.streamResults(ctx, in, "errors", func(r records.BatchResult) bool { return r.State == records.LineBad })
}

// streamResults writes the lines that are wanted, page by page. When the records
// fail in the middle the connection breaks: half a file never looks like a whole.
func (a *API) streamResults(ctx context.Context, in *resultsInput, name string, wanted func(records.BatchResult) bool) (*huma.StreamResponse, error) {
	err := in.check()
	var page []records.BatchResult
	var next string
	read := func(after string) {
		page, next, err = a.client.Records.BatchResults(ctx, keyOf(ctx).Tenant, in.ID, after, resultPage)
	}
	if err == nil {
		read("")
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	format := batch.Format(in.Format)
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", resultTypes[format])
		hc.SetHeader("Content-Disposition", `attachment; filename="`+name+"."+string(format)+`"`)
		_, answer := humago.Unwrap(hc)
		connection := http.NewResponseController(answer)
		out, failed := batch.NewWriter(hc.BodyWriter(), format, batch.Language(in.Language))
		for failed == nil {
			_ = connection.SetWriteDeadline(time.Now().Add(writeTimeout))
			for _, r := range page {
				if failed == nil && wanted(r) {
					failed = a.writeResult(ctx, out, r)
				}
			}
			if next == "" || failed != nil {
				break
			}
			read(next)
			failed = err
		}
		if failed == nil {
			failed = out.Close()
		}
		if failed != nil {
			a.log.Warn("results not sent to their end", "request", visitOf(ctx).id, "error", failed)
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// changed is the reason of a verification that found something else than was
// certified before: what, its report alone tells.
const changed = "certification_changed"

func (a *API) writeResult(ctx context.Context, out *batch.Writer, r records.BatchResult) error {
	result := resultOf(r)
	if slices.Contains(r.Reasons, changed) {
		v, err := a.client.Records.Get(ctx, keyOf(ctx).Tenant, r.Verification)
		if err != nil {
			return err
		}
		if v.Report != nil {
			for _, c := range v.Report.Changes {
				result.Changes = append(result.Changes, batch.Change(c))
			}
		}
	}
	return out.Write(result)
}

// resultOf is a line as its file of results has it.
func resultOf(r records.BatchResult) batch.Result {
	result := batch.Result{Line: r.Number, CustomID: r.CustomID, OrganizationID: r.Organization, VerificationID: r.Verification,
		Status: string(r.State), Outcome: r.Outcome}
	for _, code := range r.Reasons {
		result.Reasons = append(result.Reasons, batch.Reason{Code: code, Message: verdict.Advice(code, ""), NextStep: nextSteps[code]})
	}
	if len(r.Errors) > 0 && json.Unmarshal(r.Errors, &result.Errors) != nil {
		result.Errors = []batch.LineError{{Line: r.Number, Rule: batch.RuleDamaged, Message: batch.RuleDamaged.Message()}}
	}
	return result
}

// nextSteps are those of the catalogue, by code.
var nextSteps = func() map[string]report.NextStep {
	steps := map[string]report.NextStep{}
	for _, e := range verdict.Catalog() {
		steps[e.Code] = e.NextStep
	}
	return steps
}()
