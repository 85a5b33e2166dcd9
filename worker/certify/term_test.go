package certify

import (
	"fmt"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

func TestUntil(t *testing.T) {
	for _, test := range []struct {
		from   string
		months int
		want   string
	}{
		{"2026-03-15 10:00", 12, "2027-03-15"},
		{"2026-03-15 00:00", 12, "2027-03-15"},
		{"2026-03-15 23:59", 12, "2027-03-15"},
		{"2028-02-29 10:00", 12, "2029-02-28"},
		{"2027-02-28 10:00", 12, "2028-02-28"},
		{"2028-02-29 10:00", 48, "2032-02-29"},
		{"2026-01-31 10:00", 1, "2026-02-28"},
		{"2026-10-31 10:00", 1, "2026-11-30"},
		{"2026-12-31 10:00", 12, "2027-12-31"},
		{"2026-12-31 10:00", 2, "2027-02-28"},
		{"2026-08-31 10:00", 6, "2027-02-28"},
	} {
		want := at(t, test.want+" 23:59").Add(59 * time.Second)
		from := at(t, test.from)
		for _, zone := range []*time.Location{report.Beijing, time.UTC, time.FixedZone("", -11*60*60)} {
			if got := Until(from.In(zone), test.months); !got.Equal(want) {
				t.Errorf("%s + %d months, told in %s: got %s, want %s", test.from, test.months, zone, got, want)
			}
		}
	}
}

func TestEnd(t *testing.T) {
	want := at(t, "2027-03-01 00:00")
	for _, until := range []string{"2027-02-28 00:00", "2027-02-28 12:00", "2027-02-28 23:59"} {
		if got := End(at(t, until).UTC()); !got.Equal(want) {
			t.Errorf("%s: got %s, want %s", until, got, want)
		}
	}
}

// TestRenewal: the end of 2027-03-15 renewed at several times.
func TestRenewal(t *testing.T) {
	shorter := Terms{Months: 6, Reminders: yearly.Reminders}
	silent := Terms{Months: 12}
	for _, test := range []struct {
		name, approved string
		terms          Terms
		want           string
	}{
		{"at once", "2026-03-15 11:00", yearly, "2027-03-15"},
		{"half a year early", "2026-09-15 10:00", yearly, "2027-09-15"},
		{"the day before the first reminder", "2027-01-13 23:59", yearly, "2028-01-13"},
		{"with the first reminder", "2027-01-14 00:00", yearly, "2028-03-15"},
		{"on the last day", "2027-03-15 23:59", yearly, "2028-03-15"},
		{"a moment late", "2027-03-16 00:00", yearly, "2028-03-16"},
		{"a year late", "2028-03-15 10:00", yearly, "2029-03-15"},
		{"on the last day, without reminders", "2027-03-15 10:00", silent, "2028-03-15"},
		{"a month before the end, without reminders", "2027-02-15 10:00", silent, "2028-02-15"},
		{"soon, for shorter", "2026-04-15 10:00", shorter, "2027-03-15"},
		{"in the window, for shorter", "2027-02-15 10:00", shorter, "2027-09-15"},
	} {
		s := Standing{State: Expiring, Until: at(t, "2027-03-15 23:59").Add(59 * time.Second), Reminded: 60}
		got, err := s.Next(Change{Event: Pass, At: at(t, test.approved).UTC(), Terms: test.terms})
		if err != nil {
			t.Fatal(err)
		}
		if want := at(t, test.want+" 23:59").Add(59 * time.Second); !got.Until.Equal(want) || got.State != Certified || got.Reminded != 0 {
			t.Errorf("%s: got %+v, want until %s", test.name, got, want)
		}
	}
}

func TestReminders(t *testing.T) {
	until := at(t, "2027-03-15 23:59")
	for _, test := range []struct {
		now      string
		reminded int
		due      int
		next     string
	}{
		{"2026-03-15 10:00", 0, 0, "2027-01-14 00:00"},
		{"2027-01-13 23:59", 0, 0, "2027-01-14 00:00"},
		{"2027-01-14 00:00", 0, 60, "2027-02-13 00:00"},
		{"2027-01-14 00:00", 60, 0, "2027-02-13 00:00"},
		{"2027-02-13 08:00", 60, 30, "2027-03-08 00:00"},
		{"2027-02-13 08:00", 0, 30, "2027-03-08 00:00"}, // the patrol was away: one reminder
		{"2027-03-10 08:00", 30, 7, "2027-03-14 00:00"},
		{"2027-03-14 00:00", 7, 1, "2027-03-16 00:00"},
		{"2027-03-14 00:00", 1, 0, "2027-03-16 00:00"},
		{"2027-03-15 23:59", 0, 1, "2027-03-16 00:00"},
		{"2027-03-16 00:00", 0, 0, "2027-03-16 00:00"}, // over: to be expired now
		{"2028-01-01 00:00", 0, 0, "2027-03-16 00:00"},
		{"2027-02-20 00:00", 45, 30, "2027-03-08 00:00"}, // the policy had other days
	} {
		for _, days := range [][]int{{60, 30, 7, 1}, {1, 7, 30, 60}, {30, -5, 60, 0, 1, 7, 30}} {
			due, next := Reminders(until.UTC(), days, test.reminded, at(t, test.now).UTC())
			if due != test.due || !next.Equal(at(t, test.next)) {
				t.Errorf("%s, %d went out, of %v: got %d, %s, want %d, %s", test.now, test.reminded, days, due, next, test.due, test.next)
			}
		}
	}
	if due, next := Reminders(until, nil, 0, at(t, "2027-03-15 10:00")); due != 0 || !next.Equal(End(until)) {
		t.Errorf("no reminders: got %d, %s", due, next)
	}
}

func TestJitter(t *testing.T) {
	const window, seeds, parts = 14 * 24 * time.Hour, 14_000, 14
	var count [parts]int
	for i := range seeds {
		seed := fmt.Sprintf("org-%d", i)
		j := Jitter(seed, window)
		if j < 0 || j >= window || j != Jitter(seed, window) {
			t.Fatalf("%s: %s", seed, j)
		}
		count[j*parts/window]++
	}
	for day, n := range count {
		if n < 850 || n > 1150 { // 1000 ± 5 standard deviations
			t.Errorf("day %d has %d of %d", day, n, seeds)
		}
	}
	if Jitter("org-1", 0) != 0 || Jitter("org-1", -time.Hour) != 0 {
		t.Error("without a window there is no jitter")
	}
}
