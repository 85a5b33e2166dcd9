package console

import (
	"cmp"
	"math"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/storage/records"
)

const (
	// defaultDays are shown unless others are asked for, maxDays at most.
	defaultDays, maxDays = 7, 366
	// dayColumns are the most that a chart has; of more days, weeks are drawn.
	dayColumns = 31
	// drawnReasons are those in the chart; the table has all.
	drawnReasons = 10
)

// figuresView is the lead's page.
type figuresView struct {
	Period    period
	Today     string
	Counts    records.CaseCounts
	Waiting   int  // of all stages
	Nearest   *row // the case with the nearest deadline; nil: none waits
	Figures   records.ReviewFigures
	Weeks     bool // the charts are of weeks
	Charts    []columns
	Shares    shares
	Reasons   []reasonLine
	Reviewers []reviewerLine
}

// reasonLine is one of the machine's reasons, and what people said.
type reasonLine struct {
	records.ReasonFigures
	Title string
	Share float64 // approved, of its cases
	Agree float64 // of the second looks
}

type reviewerLine struct {
	records.ReviewerFigures
	Name string
}

// period is whole days in Beijing, the last one included.
type period struct{ first, last time.Time }

var errPeriod = &problem{http.StatusBadRequest, words["figures.period.wrong"]}

// periodOf reads the days from an address; without any they are the last ones.
// Days to come are left out.
func periodOf(q url.Values, now time.Time) (p period, err error) {
	now = now.In(report.Beijing)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, report.Beijing)
	day := func(name string, otherwise time.Time) time.Time {
		text := q.Get(name)
		if text == "" {
			return otherwise
		}
		at, wrong := time.ParseInLocation(time.DateOnly, text, report.Beijing)
		if wrong != nil {
			err = errPeriod
		}
		return at
	}
	if p.last = day("to", today); p.last.After(today) {
		p.last = today
	}
	p.first = day("from", p.last.AddDate(0, 0, 1-defaultDays))
	if p.first.After(p.last) || p.first.AddDate(0, 0, maxDays).Before(p.end()) {
		err = errPeriod
	}
	return p, err
}

// end is the first moment after the period.
func (p period) end() time.Time { return p.last.AddDate(0, 0, 1) }

// From is the first day.
func (p period) From() string { return p.first.Format(time.DateOnly) }

// To is the last day.
func (p period) To() string { return p.last.Format(time.DateOnly) }

func (c *Console) figures(v *visit) error {
	p, err := periodOf(v.r.URL.Query(), v.now)
	if err != nil {
		return err
	}
	view := figuresView{Period: p, Today: v.now.In(report.Beijing).Format(time.DateOnly)}
	if view.Counts, err = c.counts.of(v); err != nil {
		return err
	}
	view.Waiting = view.Counts.Open + view.Counts.Second + view.Counts.Escalated
	nearest, err := c.Records.Cases(v.r.Context(), v.tenant(), records.CaseQuery{Limit: 1}, v.reader(), v.now)
	if err != nil {
		return err
	}
	if len(nearest.Cases) > 0 {
		first := newRow(v, nearest.Cases[0], nil)
		view.Nearest = &first
	}
	if view.Figures, view.Reasons, view.Reviewers, err = c.reviewed(v, p); err != nil {
		return err
	}
	if view.Charts, err = view.charts(v.lang); err != nil {
		return err
	}
	view.Shares = newShares(v.lang.of(words["figures.shares"]), view.Reasons[:min(drawnReasons, len(view.Reasons))])
	return v.render(http.StatusOK, "figures", view)
}

// reviewed are the figures of a period: reasons by disagreement, reviewers by how
// much they decided.
func (c *Console) reviewed(v *visit, p period) (records.ReviewFigures, []reasonLine, []reviewerLine, error) {
	f, err := c.Records.ReviewFigures(v.r.Context(), v.tenant(), p.first, p.end())
	if err != nil {
		return f, nil, nil, err
	}
	names, err := c.names(v)
	var reasons []reasonLine
	for _, r := range f.ByReason {
		reasons = append(reasons, reasonLine{r, v.lang.of(verdict.Title(r.Code)), share(r.Approved, r.Cases), share(r.Agreed, r.Looked)})
	}
	slices.SortStableFunc(reasons, func(a, b reasonLine) int { return cmp.Compare(b.disagreement(), a.disagreement()) })
	var reviewers []reviewerLine
	for _, r := range f.ByReviewer {
		reviewers = append(reviewers, reviewerLine{r, cmp.Or(names[r.User], r.User)})
	}
	slices.SortStableFunc(reviewers, func(a, b reviewerLine) int { return cmp.Compare(b.Decided, a.Decided) })
	return f, reasons, reviewers, err
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// disagreement is the share of approvals that the cases prove: the lower bound of
// the 95 % interval (Wilson, JASA 22, 1927), so that one of one does not come
// before nine of ten.
func (r reasonLine) disagreement() float64 {
	if r.Cases == 0 {
		return 0
	}
	const z = 1.96
	n := float64(r.Cases)
	return (r.Share + z*z/(2*n) - z*math.Sqrt(r.Share*(1-r.Share)/n+z*z/(4*n*n))) / (1 + z*z/n)
}

// span is a column's time: a day, or a week or its part that lies in the period.
type span struct{ first, last string }

func (s span) String() string {
	if s.first == s.last {
		return s.first
	}
	return s.first + " – " + s.last
}

// label is its first day without the year.
func (s span) label() string { return s.first[len("2006-"):] }

// charts are what came and went, and what was left, over the days.
func (f *figuresView) charts(l tongue) ([]columns, error) {
	days := f.Figures.ByDay
	f.Weeks = len(days) > dayColumns
	var spans []span
	var flagged, decided, late, open []int
	for i, d := range days {
		at, err := time.Parse(time.DateOnly, d.Day)
		if err != nil {
			return nil, err
		}
		if i == 0 || !f.Weeks || at.Weekday() == time.Monday {
			spans = append(spans, span{first: d.Day})
			flagged, decided, late, open = append(flagged, 0), append(decided, 0), append(late, 0), append(open, 0)
		}
		k := len(spans) - 1
		spans[k].last = d.Day
		flagged[k], decided[k], late[k], open[k] = flagged[k]+d.Flagged, decided[k]+d.Decided, late[k]+d.Late, d.Open
	}
	title := func(key string) string { return l.of(words[key]) }
	return []columns{
		newColumns(title("figures.flow"), spans, []series{{"plain", title("figures.flagged"), flagged},
			{"stripes", title("figures.decided"), decided}, {"dots", title("figures.late"), late}}),
		newColumns(title("figures.backlog"), spans, []series{{"plain", title("figures.open"), open}}),
	}, nil
}
