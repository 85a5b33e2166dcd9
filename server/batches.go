package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/batch"
	"github.com/heyan/heyan/worker/client"
)

const (
	batchesPath = "/v1/batches"
	// maxBatchBody leaves room for the other parts of the form, bytes.
	maxBatchBody = client.MaxBatchLines + client.MaxBatchPictures + 1<<20
	// maxBatchUploads is how many batches are received at the same time, each with
	// some parts of its files in memory.
	maxBatchUploads = 2
)

// batchForm is a batch as it is handed in.
type batchForm struct {
	File     []byte `json:"file" doc:"Lines as CSV, JSONL or XLSX; the ending of its name says which"`
	Pictures []byte `json:"pictures,omitempty" doc:"ZIP of the pictures that lines name"`
	Name     string `json:"name,omitempty" maxLength:"128" doc:"What people call the batch"`
	Policy   string `json:"policy,omitempty" maxLength:"512" doc:"Name of a policy"`
	Priority string `json:"priority,omitempty" enum:"interactive,standard,batch" doc:"batch when absent: applicants go first"`
}

// batchFields are those of the form that are no files, with their longest values.
var batchFields = map[string]int{"name": maxKey, "policy": maxValue, "priority": maxValue}

// batchInput is a batch; its body is read by receiveBatch.
type batchInput struct {
	request *http.Request
	answer  http.ResponseWriter
}

// Resolve is called by huma.
func (in *batchInput) Resolve(ctx huma.Context) []error {
	in.request, in.answer = humago.Unwrap(ctx)
	return nil
}

type batchOutput struct{ Body client.Batch }

type batchMade struct {
	Location string `header:"Location"`
	Body     client.Batch
}

// submitBatch answers once the files are stored; their lines are read later.
func (a *API) submitBatch(ctx context.Context, in *batchInput) (*batchMade, error) {
	select {
	case a.batches <- struct{}{}:
		defer func() { <-a.batches }()
	default:
		return nil, unavailable("too many batches at once")
	}
	draft, err := a.client.For(keyOf(ctx).Tenant).DraftBatch(ctx)
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	b, err := a.receiveBatch(ctx, in, draft)
	if err != nil {
		if dropped := draft.Drop(context.WithoutCancel(ctx)); dropped != nil {
			a.log.Warn("batch not received", "request", visitOf(ctx).id, "error", dropped)
		}
		return nil, a.failure(ctx, err)
	}
	return &batchMade{batchesPath + "/" + b.ID, b}, nil
}

func (a *API) receiveBatch(ctx context.Context, in *batchInput, draft *client.BatchDraft) (client.Batch, error) {
	form, err := newBatchBody(in)
	if err != nil {
		return client.Batch{}, err
	}
	values, err := form.read(ctx, draft)
	if err != nil {
		return client.Batch{}, err
	}
	if priority := values["priority"]; priority != "" && !slices.Contains(worker.Priorities, priority) {
		return client.Batch{}, invalid("form", "priority", "the value is not one of "+strings.Join(worker.Priorities, ", "))
	}
	if err := a.checkPolicy(values["policy"]); err != nil {
		return client.Batch{}, err
	}
	return draft.Submit(ctx, client.BatchTerms{Name: values["name"], Policy: values["policy"], Priority: values["priority"]},
		a.entry(ctx, "batch.created", ""))
}

// unfitFile says what is wrong with a file; the rule is for programs.
func unfitFile(field string, err *batch.FileError) *huma.ErrorModel {
	return invalid("batch_file", field, fmt.Sprintf("%s: %s", err.Rule, err.Message.EN))
}

func batchTooLarge() *huma.ErrorModel {
	return problem(http.StatusRequestEntityTooLarge, "batch_too_large",
		fmt.Sprintf("lines may have %d bytes, pictures %d", int64(client.MaxBatchLines), int64(client.MaxBatchPictures)))
}

type batchesInput struct {
	After string `query:"after" maxLength:"64" pattern:"^[ -~]*$" patternDescription:"a cursor" doc:"Cursor: next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type batchesOutput struct {
	Body struct {
		Batches []client.Batch `json:"batches" nullable:"false"`
		Next    string         `json:"next,omitempty" doc:"Cursor of the following page; absent at the end"`
	}
}

func (a *API) listBatches(ctx context.Context, in *batchesInput) (*batchesOutput, error) {
	page, next, err := a.client.Records.Batches(ctx, keyOf(ctx).Tenant, in.After, in.Limit)
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	out := &batchesOutput{}
	out.Body.Next, out.Body.Batches = next, make([]client.Batch, len(page))
	for i, b := range page {
		out.Body.Batches[i] = client.ViewBatch(b, a.now())
	}
	return out, nil
}

func (a *API) batch(ctx context.Context, in *ByID) (*batchOutput, error) {
	b, err := a.batchOf(ctx, in)
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	return &batchOutput{client.ViewBatch(b, a.now())}, nil
}

func (a *API) batchOf(ctx context.Context, in *ByID) (records.Batch, error) {
	if err := in.check(); err != nil {
		return records.Batch{}, err
	}
	return a.client.Records.Batch(ctx, keyOf(ctx).Tenant, in.ID)
}

type batchSummaryOutput struct{ Body client.BatchSummary }

func (a *API) batchSummary(ctx context.Context, in *ByID) (*batchSummaryOutput, error) {
	err := in.check()
	var s records.BatchSummary
	if err == nil {
		s, err = a.client.Records.BatchSummary(ctx, keyOf(ctx).Tenant, in.ID)
	}
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	return &batchSummaryOutput{client.ViewBatchSummary(s, a.now())}, nil
}

// setBatch is how people steer a batch. What it has submitted goes on; out of
// loading it comes by itself, else lines would be missing.
func (a *API) setBatch(state records.BatchState, action string) func(context.Context, *ByID) (*batchOutput, error) {
	return func(ctx context.Context, in *ByID) (*batchOutput, error) {
		b, err := a.batchOf(ctx, in)
		if err == nil && b.State == records.BatchLoading && state != records.BatchCancelled {
			err = &records.BatchError{State: b.State}
		}
		if err == nil {
			b, err = a.client.Records.SetBatchState(ctx, b.Tenant, b.ID, state, a.entry(ctx, action, b.ID))
		}
		var refused *records.BatchError
		if errors.As(err, &refused) {
			return nil, problem(http.StatusConflict, "batch_state", refused.Error())
		}
		if err != nil {
			return nil, a.failure(ctx, err)
		}
		return &batchOutput{client.ViewBatch(b, a.now())}, nil
	}
}
