// Package redecide tells what another policy would have decided on verifications
// that were made: from their stored measurements, without reading a picture again,
// and without writing anything. It knows records, sealed submissions and verdict. It
// must not know queues, objects or HTTP.
package redecide

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
)

// Flip is a verification on which the machine would have decided otherwise.
type Flip struct {
	ID             string         `json:"id"`
	OrganizationID string         `json:"organization_id,omitempty"`
	Policy         string         `json:"policy"` // that of the decision that stands
	From           report.Outcome `json:"from"`
	To             report.Outcome `json:"to"`
	Decided        report.Outcome `json:"decided,omitempty"` // by a person, whatever the machine said
	Gained         []string       `json:"gained"`            // codes of reasons that count against it now and did not
	Lost           []string       `json:"lost"`              // and the other way around
}

// Summary counts what was decided again.
type Summary struct {
	Verifications int            `json:"verifications"`
	Same          int            `json:"same"`
	Flips         map[string]int `json:"flips"`  // by "from→to"
	Gained        map[string]int `json:"gained"` // flips by code
	Lost          map[string]int `json:"lost"`
	// Undecidable do not hold what they were decided from: they are from before it
	// was kept, or Heyan failed on them.
	Undecidable int `json:"undecidable"`
	// Undeclared are those of which is no longer kept what was declared.
	Undeclared int `json:"undeclared"`
}

func (s *Summary) add(a again) {
	s.Verifications++
	switch {
	case a.undeclared:
		s.Undeclared++
	case a.undecidable:
		s.Undecidable++
	case a.flip == nil:
		s.Same++
	default:
		s.Flips[string(a.flip.From)+"→"+string(a.flip.To)]++
		for _, code := range a.flip.Gained {
			s.Gained[code]++
		}
		for _, code := range a.flip.Lost {
			s.Lost[code]++
		}
	}
}

// again is a verification that was decided again.
type again struct {
	flip                    *Flip // nil: the outcome is the same
	undecidable, undeclared bool
}

// Run decides the verifications that a query selects under a policy, on the day of
// their own verdicts, and calls each with those that flip, oldest first.
func Run(ctx context.Context, store *records.Store, v *vault.Vault, tenant string, q records.Query, p verdict.Policy, each func(Flip) error) (Summary, error) {
	sum := Summary{Flips: map[string]int{}, Gained: map[string]int{}, Lost: map[string]int{}}
	group, ctx := errgroup.WithContext(ctx)
	pages := make(chan []records.Verification, 1)
	group.Go(func() error { // the next page is read while this one is decided
		defer close(pages)
		for {
			page, err := store.Reports(ctx, tenant, q)
			if err != nil {
				return err
			}
			select {
			case pages <- page.Verifications:
			case <-ctx.Done():
				return ctx.Err()
			}
			if q.After = page.Next; q.After == "" {
				return nil
			}
		}
	})
	group.Go(func() error {
		for page := range pages {
			decided, err := decideAll(ctx, v, page, p)
			if err != nil {
				return err
			}
			for _, a := range decided {
				sum.add(a)
				if a.flip != nil {
					if err := each(*a.flip); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	return sum, group.Wait()
}

func decideAll(ctx context.Context, v *vault.Vault, page []records.Verification, p verdict.Policy) ([]again, error) {
	decided := make([]again, len(page))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range page {
		group.Go(func() (err error) {
			decided[i], err = decide(ctx, v, page[i], p)
			return err
		})
	}
	return decided, group.Wait()
}

func decide(ctx context.Context, keys *vault.Vault, v records.Verification, p verdict.Policy) (again, error) {
	if v.Sealed == nil {
		return again{undeclared: true}, nil
	}
	s, err := worker.OpenSubmission(ctx, keys, v)
	if err != nil {
		return again{}, fmt.Errorf("verification %s: %w", v.ID, err)
	}
	outcome, reasons, _, decidable := verdict.Again(*v.Report, s.Declared, p, v.CompletedAt)
	if !decidable || v.Report.Basis.System != "" {
		return again{undecidable: true}, nil
	}
	if outcome == v.MachineOutcome {
		return again{}, nil
	}
	before, after := against(v.Report.Reasons), against(reasons)
	flip := &Flip{ID: v.ID, OrganizationID: v.OrganizationID, Policy: v.Report.Policy, From: v.MachineOutcome, To: outcome,
		Gained: without(after, before), Lost: without(before, after)}
	if v.MachineOutcome == report.OutcomeReview && !v.DecidedAt.IsZero() {
		flip.Decided = v.Outcome
	}
	return again{flip: flip}, nil
}

// against are the codes, with their severity where that is less than to block, of
// the reasons that keep a verification from passing.
func against(reasons []report.Reason) (codes []string) {
	for _, r := range reasons {
		switch r.Severity {
		case report.SeverityBlock:
			codes = append(codes, r.Code)
		case report.SeverityReview:
			codes = append(codes, r.Code+" ("+string(r.Severity)+")")
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func without(codes, others []string) []string {
	return slices.DeleteFunc(append([]string{}, codes...), func(c string) bool { return slices.Contains(others, c) })
}
