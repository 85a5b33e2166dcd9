package server

import (
	"context"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/worker/engine"
)

// The share of the engine that pre-checks may wait for, and how long: a caller
// looks at a screen.
const (
	precheckShare   = 2 // under way for each child
	precheckTimeout = 20 * time.Second
)

type precheckOutput struct {
	Body report.Report
}

func (a *API) precheck(ctx context.Context, in *Raw) (*precheckOutput, error) {
	if a.engine == nil {
		return nil, unavailable("this process has no engine")
	}
	select {
	case a.prechecks <- struct{}{}:
		defer func() { <-a.prechecks }()
	default:
		return nil, unavailable("the engine is busy")
	}
	body, err := readBody(in.request, precheckFields)
	if err == nil {
		err = a.checkPolicy(body.values["policy"])
	}
	if err != nil {
		return nil, err
	}
	policy := body.values["policy"]
	if policy == "" {
		policy = a.client.Policy
	}
	// A caller who goes away does not cost the child, which a canceled context kills.
	working, cancel := context.WithTimeout(context.WithoutCancel(ctx), precheckTimeout)
	defer cancel()
	answer, err := a.engine.Verify(working, engine.Request{Precheck: true, Policy: policy, Picture: body.picture})
	if err != nil {
		return nil, a.failure(ctx, err)
	}
	return &precheckOutput{answer}, nil
}
