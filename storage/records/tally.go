package records

import (
	"maps"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
)

// tally counts decisions by reviewer and by the machine's reasons.
type tally struct {
	reviewers map[string]*reviewer
	reasons   map[string]*ReasonFigures
}

// reviewer is what is counted of one, and how long his decisions took, in
// microseconds.
type reviewer struct {
	ReviewerFigures
	took []int64
}

func (t tally) add(d Decision) {
	if t.reviewers[d.By] == nil {
		t.reviewers[d.By] = &reviewer{ReviewerFigures: ReviewerFigures{User: d.By}}
	}
	r := t.reviewers[d.By]
	switch {
	case !d.UndoneAt.IsZero():
		r.Undone++
		return
	case d.Kind == Escalate:
		r.Escalated++
		return
	case d.Kind == Approve:
		r.Approved++
	case d.Kind == Reject:
		r.Rejected++
	case d.Kind == NewPhoto:
		r.NewPhoto++
	}
	r.Decided++
	if d.At.After(d.DeadlineAt) {
		r.Late++
	}
	if !d.ClaimedAt.IsZero() {
		r.took = append(r.took, d.At.Sub(d.ClaimedAt).Microseconds())
	}
	for _, code := range slices.Compact(slices.Sorted(slices.Values(d.MachineReasons))) {
		if t.reasons[code] == nil {
			t.reasons[code] = &ReasonFigures{Code: code}
		}
		t.reasons[code].add(d)
	}
}

func (r *ReasonFigures) add(d Decision) {
	stands := !d.EffectiveAt.IsZero()
	switch {
	case stages[d.Round] == StageSecond:
		r.Looked++
		if stands {
			r.Agreed++
		}
	case stands && d.Outcome == report.OutcomePass:
		r.Cases++
		r.Approved++
	case stands:
		r.Cases++
		r.Rejected++
	}
}

// figures are what was counted, in order.
func (t tally) figures() (reviewers []ReviewerFigures, reasons []ReasonFigures) {
	for _, user := range slices.Sorted(maps.Keys(t.reviewers)) {
		r := t.reviewers[user]
		r.Median = percentiles(r.took).P50
		reviewers = append(reviewers, r.ReviewerFigures)
	}
	for _, code := range slices.Sorted(maps.Keys(t.reasons)) {
		if r := *t.reasons[code]; r != (ReasonFigures{Code: code}) {
			reasons = append(reasons, r)
		}
	}
	return reviewers, reasons
}
