package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/heyan/heyan/storage/records"
)

// pageSize is how many cases the queue shows at once.
const pageSize = 50

// queueView is the page of the queue.
type queueView struct {
	Counts   records.CaseCounts
	Filter   filter
	Reasons  []choice // to filter by, most frequent first
	Policies []choice
	Rows     []row
	Next     string // address of the following page
	Decided  *banner
	Empty    bool // nothing waits at all
}

// row is a case in the queue.
type row struct {
	records.Case
	Left    time.Duration // until the deadline
	Urgency string        // late, soon, ample
	Claimed bool
	Mine    bool
	By      string // name of who has it
	Takable bool
}

// choice is something to filter by.
type choice struct {
	Value string
	Count int
}

// filter is what the queue shows, as its address has it.
type filter struct {
	Reason, Policy, Organization, Stage, Age, After string
	Mine                                            bool
}

// ages are the choices of how long a case has waited.
var ages = map[string]time.Duration{"5m": 5 * time.Minute, "15m": 15 * time.Minute, "1h": time.Hour, "1d": 24 * time.Hour}

func filterOf(q url.Values) filter {
	f := filter{Reason: q.Get("reason"), Policy: q.Get("policy"), Organization: strings.TrimSpace(q.Get("organization")),
		Stage: q.Get("stage"), Age: q.Get("age"), After: q.Get("after"), Mine: q.Get("mine") != ""}
	if ages[f.Age] == 0 {
		f.Age = ""
	}
	return f
}

// Address is that of the queue with the filter, from one case on.
func (f filter) Address(after string) string {
	q := url.Values{}
	for name, value := range map[string]string{"reason": f.Reason, "policy": f.Policy, "organization": f.Organization,
		"stage": f.Stage, "age": f.Age, "after": after} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Mine {
		q.Set("mine", "1")
	}
	if len(q) == 0 {
		return "/console/"
	}
	return "/console/?" + q.Encode()
}

// Any says whether it leaves something out.
func (f filter) Any() bool { return f != filter{After: f.After} }

func (f filter) query(now time.Time) records.CaseQuery {
	q := records.CaseQuery{Reason: f.Reason, Policy: f.Policy, OrganizationID: f.Organization, Stage: records.Stage(f.Stage),
		Mine: f.Mine, After: f.After, Limit: pageSize}
	if age := ages[f.Age]; age > 0 {
		q.FlaggedBefore = now.Add(-age)
	}
	return q
}

func (c *Console) queue(v *visit) error {
	f := filterOf(v.r.URL.Query())
	page, err := c.Records.Cases(v.r.Context(), v.tenant(), f.query(v.now), v.reader(), v.now)
	if err != nil {
		return err
	}
	counts, err := c.counts.of(v)
	if err != nil {
		return err
	}
	names, err := c.names(v)
	if err != nil {
		return err
	}
	view := queueView{Counts: counts, Filter: f, Reasons: byCount(counts.Reasons), Policies: byCount(counts.Policies),
		Empty: counts.Open+counts.Second+counts.Escalated == 0}
	for _, one := range page.Cases {
		view.Rows = append(view.Rows, newRow(v, one, names))
	}
	if page.Next != "" {
		view.Next = f.Address(page.Next)
	}
	if view.Decided, err = c.decidedBanner(v); err != nil {
		return err
	}
	return v.render(http.StatusOK, "queue", view)
}

func newRow(v *visit, one records.Case, names map[string]string) row {
	r := row{Case: one, Left: one.DeadlineAt.Sub(v.now), Urgency: "ample"}
	switch total := one.DeadlineAt.Sub(one.CreatedAt); {
	case r.Left <= 0:
		r.Urgency = "late"
	case r.Left < total/5: // as long as the event sla_at_risk leaves
		r.Urgency = "soon"
	}
	r.Claimed = one.ClaimedBy != "" && one.ClaimedUntil.After(v.now)
	r.Mine = r.Claimed && one.ClaimedBy == v.user().ID
	if r.Claimed {
		r.By = names[one.ClaimedBy]
	}
	r.Takable = (!r.Claimed || r.Mine) && takable(one, v.reader())
	return r
}

// takable says whether a reader may take a case that nobody has.
func takable(one records.Case, by records.Reader) bool {
	switch one.Stage {
	case records.StageSecond:
		return one.FirstBy != by.User
	case records.StageEscalated:
		return by.Lead
	}
	return one.Stage == records.StageOpen
}

// next claims the most urgent case and shows it.
func (c *Console) next(v *visit) error { return c.goOn(v, "") }

// goOn shows the most urgent case, and beside it what was decided just now.
func (c *Console) goOn(v *visit, decided string) error {
	q := filterOf(v.r.PostForm).query(v.now)
	q.Available, q.After = true, ""
	one, err := c.Records.ClaimNext(v.r.Context(), v.tenant(), q, v.reader(), v.now.Add(claimLease), v.now)
	to := "/console/"
	switch {
	case errors.Is(err, records.ErrNotFound):
	case err != nil:
		return err
	default:
		to += "cases/" + one.ID
	}
	if decided != "" {
		to += "?decided=" + decided
	}
	return v.redirect(to)
}

func (c *Console) claim(v *visit) error {
	id := v.r.PathValue("id")
	if _, err := c.Records.Claim(v.r.Context(), v.tenant(), id, v.reader(), v.now.Add(claimLease), v.now); err != nil {
		return err
	}
	if v.value("renew") != "" { // the page's script says that somebody looks at it
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return v.redirect("/console/cases/" + id)
}

func (c *Console) release(v *visit) error {
	if err := c.Records.Release(v.r.Context(), v.tenant(), v.r.PathValue("id"), v.user().ID, v.now); err != nil {
		return err
	}
	return v.redirect("/console/")
}

// names are those of the tenant's users by id.
func (c *Console) names(v *visit) (map[string]string, error) {
	users, err := c.Records.Users(v.r.Context(), v.tenant())
	names := make(map[string]string, len(users))
	for _, u := range users {
		names[u.ID] = u.Name
	}
	return names, err
}

func byCount(counts map[string]int) []choice {
	all := make([]choice, 0, len(counts))
	for value, count := range counts {
		all = append(all, choice{value, count})
	}
	slices.SortFunc(all, func(a, b choice) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Value, b.Value)
	})
	return all
}

// counts remember those of each tenant for a moment.
type counts struct {
	mu       sync.Mutex
	byTenant map[string]countsAt
}

type countsAt struct {
	records.CaseCounts
	at time.Time
}

func (c *counts) of(v *visit) (records.CaseCounts, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.byTenant[v.tenant()]; ok && v.now.Sub(known.at) < countsAge {
		return known.CaseCounts, nil
	}
	fresh, err := v.c.Records.CaseCounts(v.r.Context(), v.tenant(), v.now)
	if err != nil {
		return records.CaseCounts{}, err
	}
	if c.byTenant == nil {
		c.byTenant = map[string]countsAt{}
	}
	c.byTenant[v.tenant()] = countsAt{fresh, v.now}
	return fresh, nil
}
