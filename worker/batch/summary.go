package batch

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/heyan/heyan/pipeline/report"
)

// Summary counts results.
type Summary struct {
	Lines    int                    `json:"lines"`
	Outcomes map[report.Outcome]int `json:"outcomes"`
	Reasons  map[string]int         `json:"reasons"` // lines with a reason, by its code
	Errors   map[Rule]int           `json:"errors"`  // lines with an error, by its rule
}

// Add counts a result.
func (s *Summary) Add(r Result) {
	if s.Outcomes == nil {
		s.Outcomes, s.Reasons, s.Errors = map[report.Outcome]int{}, map[string]int{}, map[Rule]int{}
	}
	s.Lines++
	if r.Outcome != "" {
		s.Outcomes[r.Outcome]++
	}
	reasons, rules := map[string]bool{}, map[Rule]bool{}
	for _, x := range r.Reasons {
		reasons[x.Code] = true
	}
	for _, x := range r.Errors {
		rules[x.Rule] = true
	}
	for code := range reasons {
		s.Reasons[code]++
	}
	for rule := range rules {
		s.Errors[rule]++
	}
}

// WriteTable writes the counts for a person, the most frequent first.
func (s *Summary) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%d\t lines\n", s.Lines)
	count(t, "outcome", s.Outcomes)
	count(t, "reason", s.Reasons)
	count(t, "line error", s.Errors)
	return t.Flush()
}

func count[K cmp.Ordered](w io.Writer, title string, counts map[K]int) {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b K) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, k := range keys {
		fmt.Fprintf(w, "%d\t %s %v\n", counts[k], title, k)
	}
}
