package records

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Alike is another verification that has something in common with one.
type Alike struct {
	Verification          // without Sealed and Report
	Same         []string // "uscc", "picture", "pixels", "organization"
}

// Alike returns up to limit other verifications of the tenant with the same
// code, picture file or pixels, or of the same organization, newest first.
func (s *Store) Alike(ctx context.Context, tenant, id string, limit int) ([]Alike, error) {
	if limit < 1 || limit > MaxPage {
		return nil, fail("alike", id, fmt.Errorf("limit %d is not in 1..%d", limit, MaxPage))
	}
	v, err := get(ctx, s.db, tenant, id)
	if err != nil {
		return nil, fail("alike", id, err)
	}
	var all []Alike
	for _, kind := range []struct{ name, column, value string }{
		{"uscc", "uscc", v.USCC}, {"picture", "picture_sha256", v.PictureSHA256},
		{"pixels", "pixels_sha256", v.PixelsSHA256}, {"organization", "organization_id", v.OrganizationID},
	} {
		if kind.value == "" {
			continue
		}
		rows, err := s.db.QueryContext(ctx, alike(kind.column), tenant, kind.value, id, limit)
		found, err := collect(rows, err, scan)
		if err != nil {
			return nil, fail("alike", id, err)
		}
		for _, other := range found {
			i := slices.IndexFunc(all, func(a Alike) bool { return a.ID == other.ID })
			if i < 0 {
				i, all = len(all), append(all, Alike{Verification: other})
			}
			all[i].Same = append(all[i].Same, kind.name)
		}
	}
	slices.SortFunc(all, func(a, b Alike) int {
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	return all[:min(limit, len(all))], nil
}

// alike finds by the index of a column.
func alike(column string) string {
	return `SELECT ` + listColumns + ` FROM verifications WHERE tenant = $1 AND ` + column + ` <> '' AND ` + column + ` = $2
		AND id <> $3 ORDER BY created_at DESC, id DESC LIMIT $4`
}

// DecisionsBetween returns up to limit decisions of a tenant that were made from
// a time until another, oldest first, those undone too, and the cursor of the
// page after: empty at the end. After is that of the page before.
func (s *Store) DecisionsBetween(ctx context.Context, tenant string, from, to time.Time, after string, limit int) (decisions []Decision, next string, err error) {
	if limit < 1 || limit > MaxPage {
		return nil, "", fail("decisions between", "", fmt.Errorf("limit %d is not in 1..%d", limit, MaxPage))
	}
	at, id := micros(from), ""
	if after != "" {
		if at, id, err = parseCursor(after); err != nil {
			return nil, "", fail("decisions between", "", err)
		}
	}
	decisions, err = s.decisionsAfter(ctx, tenant, at, id, to, limit+1)
	if len(decisions) > limit {
		decisions = decisions[:limit]
		next = cursor(decisions[limit-1].At, decisions[limit-1].ID)
	}
	return decisions, next, fail("decisions between", "", err)
}

// decisionsAfter returns those made after a place and before a time.
func (s *Store) decisionsAfter(ctx context.Context, tenant string, at int64, id string, to time.Time, limit int) ([]Decision, error) {
	rows, err := s.db.QueryContext(ctx, decisionsBetween, tenant, at, id, micros(to), limit)
	return collect(rows, err, scanDecision)
}

const decisionsBetween = `SELECT ` + decisionColumns + ` FROM decisions
	WHERE tenant = $1 AND (at, id) > ($2, $3) AND at < $4 ORDER BY at, id LIMIT $5`

// ReviewFigures are how a tenant's cases were decided in a time.
type ReviewFigures struct {
	From, To   time.Time
	Decided    int               // cases with a final decision made in the time
	Late       int               // of them after their deadline
	ByReviewer []ReviewerFigures // by user id
	ByReason   []ReasonFigures   // by code
	ByDay      []DayFigures      // oldest first, days without anything too
}

// ReviewerFigures are of one user's decisions, final or not. Decided are the
// Approved, Rejected and NewPhoto; what was undone counts as Undone alone.
type ReviewerFigures struct {
	User                                                     string
	Decided, Approved, Rejected, NewPhoto, Escalated, Undone int
	Late                                                     int           // of the Decided, after the deadline
	Median                                                   time.Duration // from claim to decision, of those that were claimed
}

// ReasonFigures are of one of the machine's reasons: how often people overrode
// the machine and how often two of them agreed.
type ReasonFigures struct {
	Code           string
	Cases          int // decided, final or about to be: Approved and Rejected
	Approved       int // though flagged
	Rejected       int // a new photo asked for as well
	Looked, Agreed int // second looks, and those that came to the same
}

// DayFigures are of a day in Beijing.
type DayFigures struct {
	Day                    string // 2006-01-02
	Flagged, Decided, Late int
	Open                   int // at its end, or at the end of the time asked for
}

// ReviewFigures reports on the decisions that were made from a time until
// another.
func (s *Store) ReviewFigures(ctx context.Context, tenant string, from, to time.Time) (ReviewFigures, error) {
	f := ReviewFigures{From: from, To: to}
	if !from.Before(to) {
		return f, nil
	}
	var err error
	if f.ByDay, err = s.reviewDays(ctx, tenant, from, to); err != nil {
		return ReviewFigures{}, fail("review figures", "", err)
	}
	for _, day := range f.ByDay {
		f.Decided, f.Late = f.Decided+day.Decided, f.Late+day.Late
	}
	tally := tally{reviewers: map[string]*reviewer{}, reasons: map[string]*ReasonFigures{}}
	for at, id := micros(from), ""; ; {
		page, err := s.decisionsAfter(ctx, tenant, at, id, to, breachesPage)
		if err != nil {
			return ReviewFigures{}, fail("review figures", "", err)
		}
		for _, d := range page {
			tally.add(d)
			at, id = micros(d.At), d.ID
		}
		if len(page) < breachesPage {
			break
		}
	}
	f.ByReviewer, f.ByReason = tally.figures()
	return f, nil
}

// beijing is ahead of UTC all year.
const beijing = 8 * time.Hour

// flaggedBetween groups what was flagged by the day of its flag and the day when
// it ended, by a decision or an erasure; -1: before $2, or not before $3.
var flaggedBetween = func() string {
	day := func(column string) string {
		return `(` + column + ` + ` + strconv.FormatInt(beijing.Microseconds(), 10) + `) / ` + strconv.FormatInt((24*time.Hour).Microseconds(), 10)
	}
	const columns = `SELECT completed_at, decided_at, deadline_at, CASE WHEN decided_at > 0 THEN decided_at ELSE erased_at END AS ended
		FROM verifications WHERE tenant = $1 AND machine_outcome = 'review' AND completed_at < $3 AND `
	return `SELECT CASE WHEN completed_at < $2 THEN -1 ELSE ` + day(`completed_at`) + ` END AS flagged_day,
			CASE WHEN ended = 0 OR ended >= $3 THEN -1 ELSE ` + day(`ended`) + ` END AS ended_day,
			decided_at > 0 AS by_person, decided_at > deadline_at AS late, COUNT(*)
		FROM (` + columns + `decided_at >= $2 UNION ALL ` + columns + `decided_at = 0) AS flagged
		WHERE ended = 0 OR ended >= $2 GROUP BY flagged_day, ended_day, by_person, late`
}()

// reviewDays are the figures of the days that lie in a time.
func (s *Store) reviewDays(ctx context.Context, tenant string, from, to time.Time) ([]DayFigures, error) {
	dayOf := func(t time.Time) int {
		return int((t.UnixMicro() + beijing.Microseconds()) / (24 * time.Hour).Microseconds())
	}
	first, last := dayOf(from), dayOf(to.Add(-time.Microsecond))
	days := make([]DayFigures, last-first+1)
	for i := range days {
		days[i].Day = time.Unix(int64(first+i)*86400, 0).UTC().Format(time.DateOnly)
	}
	rows, err := s.db.QueryContext(ctx, flaggedBetween, tenant, micros(from), micros(to))
	open := 0
	_, err = collect(rows, err, func(r row) (struct{}, error) {
		var flagged, ended, n int
		var byPerson, late bool
		err := r.Scan(&flagged, &ended, &byPerson, &late, &n)
		if flagged < 0 {
			open += n
		} else {
			days[flagged-first].Flagged += n
			days[flagged-first].Open += n
		}
		if ended >= 0 {
			days[ended-first].Open -= n
			if byPerson {
				days[ended-first].Decided += n
			}
			if byPerson && late {
				days[ended-first].Late += n
			}
		}
		return struct{}{}, err
	})
	for i := range days { // until here Open is by how much the day changed it
		open += days[i].Open
		days[i].Open = open
	}
	return days, err
}
