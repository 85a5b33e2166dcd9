package certify

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// Terms are what a policy says of the certifications it gives.
//
// A certification lasts for Months from its approval. One that is renewed after
// its first reminder is due, and before it ends, lasts for Months from its old
// end: who acts on a reminder loses no day. One renewed earlier than that counts
// from the approval, else renewals could be piled up, and a certification would
// rest on a verification that is years old. No renewal ends sooner than what it
// replaces.
type Terms struct {
	Months    int
	Reminders []int // days before the end, at least 1, in any order: 60, 30, 7, 1
}

// until is the end of a certification approved at a time, where present is the end
// of the one that it replaces; zero: none.
func (t Terms) until(present, approved time.Time) time.Time {
	fresh := Until(approved, t.Months)
	if !approved.Before(End(present)) { // also when there is none
		return fresh
	}
	if len(t.Reminders) > 0 && !approved.Before(daysBefore(present, slices.Max(t.Reminders))) {
		return Until(present, t.Months)
	}
	if fresh.Before(present) {
		return present
	}
	return fresh
}

// Until is the last second, Beijing time, of the day that is months after from's
// day. A day that the month does not have is its last: a year after February 29
// is February 28.
func Until(from time.Time, months int) time.Time {
	year, month, day := from.In(report.Beijing).Date()
	last := time.Date(year, month+time.Month(months)+1, 0, 0, 0, 0, 0, report.Beijing).Day()
	return time.Date(year, month+time.Month(months), min(day, last), 23, 59, 59, 0, report.Beijing)
}

// End is the first moment at which a certification with this last day is over:
// midnight in Beijing after it.
func End(until time.Time) time.Time { return daysBefore(until, -1) }

// daysBefore is the midnight at which the day begins that is so many before
// until's.
func daysBefore(until time.Time, days int) time.Time {
	year, month, day := until.In(report.Beijing).Date()
	return time.Date(year, month, day-days, 0, 0, 0, 0, report.Beijing)
}

// Reminders tells which reminder of a certification is due, in days before its
// end, 0 for none, and when to look again: at the next reminder or at the end.
// days are those of [Terms], reminded that of [Standing]. Of several that were
// missed only the nearest to the end is due. A reminder for more days than the
// whole certification lasts is due at once.
func Reminders(until time.Time, days []int, reminded int, now time.Time) (due int, next time.Time) {
	next = End(until)
	if !now.Before(next) {
		return 0, next
	}
	for _, d := range days {
		if d < 1 || reminded > 0 && d >= reminded {
			continue
		}
		switch at := daysBefore(until, d); {
		case at.After(now):
			if at.Before(next) {
				next = at
			}
		case due == 0 || d < due:
			due = d
		}
	}
	return due, next
}

// Jitter spreads work over a window: a time from 0 to below window that is always
// the same for a seed, such as the id of a certification.
func Jitter(seed string, window time.Duration) time.Duration {
	if window <= 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(seed))
	return time.Duration(binary.BigEndian.Uint64(sum[:]) % uint64(window))
}
