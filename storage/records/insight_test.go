package records_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

func testAlike(t *testing.T, s *records.Store) {
	add := func(minute int, tenant, organization, uscc, picture, pixels string) string {
		v := newVerification()
		v.Tenant, v.OrganizationID, v.CreatedAt = tenant, organization, now.Add(time.Duration(minute)*time.Minute)
		create(t, s, v)
		r := failed("image_blurry")
		r.Picture.SHA256, r.Picture.PixelsSHA256 = picture, pixels
		if uscc != "" {
			r.Fields = map[report.FieldName]report.Field{report.FieldUSCC: {Value: uscc}}
		}
		if err := s.Complete(t.Context(), v.ID, r, done(now)); err != nil {
			t.Fatal(err)
		}
		return v.ID
	}
	tenant := records.DefaultTenant
	id := add(0, tenant, "org-1", "code", "file", "pixels")
	same := add(1, tenant, "org-1", "code", "file", "pixels")
	pixels := add(3, tenant, "org-2", "other", "other", "pixels")
	code := add(-1, tenant, "", "code", "", "")
	add(2, tenant, "", "", "", "")
	add(2, "other", "org-1", "code", "file", "pixels")
	bare := add(5, tenant, "", "", "", "")

	for limit, want := range map[int][]string{10: {pixels, same, code}, 2: {pixels, same}} {
		alike, err := s.Alike(t.Context(), tenant, id, limit)
		var got []string
		for _, a := range alike {
			got = append(got, a.ID)
			wantSame := map[string][]string{pixels: {"pixels"}, same: {"uscc", "picture", "pixels", "organization"}, code: {"uscc"}}[a.ID]
			if !slices.Equal(a.Same, wantSame) || a.Report != nil {
				t.Errorf("%s: got %q, want %q", a.ID, a.Same, wantSame)
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if got, err := s.Alike(t.Context(), tenant, bare, 10); err != nil || len(got) != 0 {
		t.Errorf("nothing in common: got %+v, %v", got, err)
	}
	_, err := s.Alike(t.Context(), "other", id, 10)
	want(t, err, records.ErrNotFound)
	for _, limit := range []int{0, records.MaxPage + 1} {
		if _, err := s.Alike(t.Context(), tenant, id, limit); err == nil {
			t.Errorf("limit %d was accepted", limit)
		}
	}
}

// figures stores a day's work, in minutes after now (16:00 in Beijing), and what
// was there before.
func reviewed(t *testing.T, s *records.Store) {
	at := func(minute int) time.Time { return now.Add(time.Duration(minute) * time.Minute) }
	start := func(minute int, codes ...string) string {
		return toReview(t, s, func(v *records.Verification) {
			v.CreatedAt, v.DeadlineAt = at(minute), at(minute+30)
		}, codes...)
	}
	decided := func(id string, by records.Reader, kind records.DecisionKind, claimed, minute int, sample bool) records.Decision {
		if claimed >= 0 {
			if _, err := s.Claim(t.Context(), records.DefaultTenant, id, by, at(minute+1), at(claimed)); err != nil {
				t.Fatal(err)
			}
		}
		d := decision(id, by, kind)
		d.At = at(minute)
		return decide(t, s, d, by, records.DecideTerms{Grace: grace, SecondLook: sample})
	}
	const day = 24 * 60
	start(-3*day, "image_blurry") // still open
	old := start(-2*day, "image_blurry")
	decided(old, ann, records.Approve, -1, -2*day+5, false)
	gone := start(-2*day+1, "image_blurry")
	if _, err := s.Erase(t.Context(), records.DefaultTenant, gone, records.Entry{At: at(-2*day + 2), Actor: "key:1", Action: "verification.erase"}); err != nil {
		t.Fatal(err)
	}

	decided(start(0, "image_blurry", "uscc_unreadable", "image_blurry"), ann, records.Approve, 2, 4, false)
	decided(start(0, "image_blurry"), ann, records.Reject, 5, 11, false)
	decided(start(0, "image_glare"), ann, records.NewPhoto, 30, 40, false) // late
	undone := decided(start(1, "image_glare"), ann, records.Approve, 12, 13, false)
	if _, err := s.Undo(t.Context(), records.DefaultTenant, undone.ID, "ann", at(14), at(13)); err != nil {
		t.Fatal(err)
	}
	agreed, disagreed := start(2, "uscc_mismatch"), start(3, "uscc_mismatch")
	decided(agreed, ann, records.Approve, -1, 15, true)
	decided(agreed, bob, records.Approve, -1, 16, false)
	decided(disagreed, bob, records.Approve, -1, 17, true)
	decided(disagreed, ann, records.Reject, -1, 18, false)
	decided(disagreed, lead, records.Reject, -1, 19, false)
	decided(start(4, "image_glare"), bob, records.Escalate, -1, 20, false)
	erased := start(8*60-1, "image_glare") // flagged at midnight in Beijing
	if _, err := s.Erase(t.Context(), records.DefaultTenant, erased, records.Entry{At: at(8*60 + 10), Actor: "key:1", Action: "verification.erase"}); err != nil {
		t.Fatal(err)
	}
	decided(start(8*60, "image_glare"), bob, records.Approve, -1, 8*60+5, false)
	finalize(t, s, at(day))
	start(2*day, "image_blurry") // after the time asked for
	toReview(t, s, func(v *records.Verification) { v.Tenant = "other" })
}

func testReviewFigures(t *testing.T, s *records.Store) {
	reviewed(t, s)
	from, to := now.Add(-day), now.Add(day)
	got, err := s.ReviewFigures(t.Context(), records.DefaultTenant, from, to)
	want := records.ReviewFigures{From: from, To: to, Decided: 6, Late: 1,
		ByReviewer: []records.ReviewerFigures{
			{User: "ann", Decided: 5, Approved: 2, Rejected: 2, NewPhoto: 1, Undone: 1, Late: 1, Median: 6 * time.Minute},
			{User: "bob", Decided: 3, Approved: 3, Escalated: 1},
			{User: "lea", Decided: 1, Rejected: 1},
		},
		ByReason: []records.ReasonFigures{
			{Code: "image_blurry", Cases: 2, Approved: 1, Rejected: 1},
			{Code: "image_glare", Cases: 2, Approved: 1, Rejected: 1},
			{Code: "uscc_mismatch", Cases: 2, Approved: 1, Rejected: 1, Looked: 2, Agreed: 1},
			{Code: "uscc_unreadable", Cases: 1, Approved: 1},
		},
		ByDay: []records.DayFigures{
			{Day: "2030-04-30", Open: 1},
			{Day: "2030-05-01", Flagged: 7, Decided: 5, Late: 1, Open: 3},
			{Day: "2030-05-02", Flagged: 2, Decided: 1, Open: 3},
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("\ngot  %+v, %v\nwant %+v", got, err, want)
	}
	for tenant, times := range map[string][2]time.Time{"nobody": {from, to}, records.DefaultTenant: {to, to}} {
		got, err := s.ReviewFigures(t.Context(), tenant, times[0], times[1])
		if err != nil || got.Decided != 0 || len(got.ByReviewer)+len(got.ByReason) != 0 {
			t.Errorf("%s: got %+v, %v", tenant, got, err)
		}
	}
}

func testDecisionsBetween(t *testing.T, s *records.Store) {
	var ids []string
	for i := range 5 {
		d := decision(toReview(t, s, nil), ann, records.Approve)
		d.At = now.Add(time.Duration(i/2) * time.Second)
		ids = append(ids, decide(t, s, d, ann, records.DecideTerms{}).ID)
	}
	var got []string
	for after := ""; ; {
		page, next, err := s.DecisionsBetween(t.Context(), records.DefaultTenant, now, now.Add(2*time.Second), after, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page {
			got = append(got, d.ID)
		}
		if after = next; next == "" {
			break
		}
	}
	if !slices.Equal(got, ids[:4]) {
		t.Errorf("got %q, want %q", got, ids[:4])
	}
	if page, _, err := s.DecisionsBetween(t.Context(), "other", now, now.Add(time.Hour), "", 3); err != nil || len(page) != 0 {
		t.Errorf("another tenant: %+v, %v", page, err)
	}
	_, _, err := s.DecisionsBetween(t.Context(), records.DefaultTenant, now, now.Add(time.Hour), "x", 3)
	want(t, err, records.ErrCursor)
	if _, _, err := s.DecisionsBetween(t.Context(), records.DefaultTenant, now, now.Add(time.Hour), "", 0); err == nil {
		t.Error("limit 0 was accepted")
	}
}
