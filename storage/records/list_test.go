package records_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

func testFilters(t *testing.T, s *records.Store) {
	var all []records.Verification // newest first
	for i := range 24 {
		v := newVerification()
		v.CreatedAt = now.Add(time.Duration(i/2) * time.Minute) // two share a time
		v.OrganizationID = []string{"", "org-1", "org-2"}[i%3]
		v.ClientReference = fmt.Sprint("ref-", i)
		v.Policy = []string{"dingtalk", "strict"}[i%2]
		create(t, s, v)
		if i%4 != 0 {
			r := failed("image_blurry")
			if i%3 == 0 {
				r = failed("image_glare", "image_blurry", "image_glare")
			}
			if i%5 == 0 {
				r = report.Report{Outcome: report.OutcomePass}
			}
			if err := s.Complete(t.Context(), v.ID, r, done(now)); err != nil {
				t.Fatal(err)
			}
		}
		all = slices.Insert(all, 0, get(t, s, v.ID))
	}
	slices.SortFunc(all, func(a, b records.Verification) int {
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	for _, c := range []struct {
		name  string
		query records.Query
		want  func(v records.Verification) bool
	}{
		{"all", records.Query{}, func(records.Verification) bool { return true }},
		{"queued", records.Query{Status: report.StatusQueued}, func(v records.Verification) bool { return v.Status == report.StatusQueued }},
		{"completed", records.Query{Status: report.StatusCompleted}, func(v records.Verification) bool { return v.Status == report.StatusCompleted }},
		{"outcome", records.Query{Outcome: report.OutcomePass}, func(v records.Verification) bool { return v.Outcome == report.OutcomePass }},
		{"organization", records.Query{OrganizationID: "org-1"}, func(v records.Verification) bool { return v.OrganizationID == "org-1" }},
		{"reference", records.Query{ClientReference: "ref-7"}, func(v records.Verification) bool { return v.ClientReference == "ref-7" }},
		{"policy", records.Query{Policy: "strict"}, func(v records.Verification) bool { return v.Policy == "strict" }},
		{"reason", records.Query{ReasonCode: "image_glare"}, func(v records.Verification) bool { return slices.Contains(v.Reasons, "image_glare") }},
		{"range", records.Query{From: now.Add(2 * time.Minute), To: now.Add(7 * time.Minute)}, func(v records.Verification) bool {
			return !v.CreatedAt.Before(now.Add(2*time.Minute)) && v.CreatedAt.Before(now.Add(7*time.Minute))
		}},
		{"everything", records.Query{Status: report.StatusCompleted, Outcome: report.OutcomeFail, OrganizationID: "org-1", Policy: "strict",
			ReasonCode: "image_blurry", From: now, To: now.Add(time.Hour)}, func(v records.Verification) bool {
			return v.Outcome == report.OutcomeFail && v.OrganizationID == "org-1" && v.Policy == "strict" && slices.Contains(v.Reasons, "image_blurry")
		}},
		{"nothing", records.Query{Status: "unknown"}, func(records.Verification) bool { return false }},
		{"nothing", records.Query{Status: report.StatusQueued, ReasonCode: "image_blurry"}, func(records.Verification) bool { return false }},
	} {
		var want []string
		for _, v := range all {
			if c.want(v) {
				want = append(want, v.ID)
			}
		}
		if len(want) == 0 && c.name != "nothing" {
			t.Errorf("%s: the test has nothing to find", c.name)
		}
		for _, limit := range []int{1, 3, records.MaxPage} {
			query := c.query
			query.Limit = limit
			var got []string
			for {
				page, err := s.List(t.Context(), records.DefaultTenant, query)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range page.Verifications {
					got = append(got, v.ID)
				}
				if query.After = page.Next; page.Next == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s by %d:\ngot  %q\nwant %q", c.name, limit, got, want)
			}
		}
	}
	for _, cursor := range []string{"0", ".", "zz", "0.1", all[0].ID, "é." + all[0].ID} {
		if _, err := s.List(t.Context(), records.DefaultTenant, records.Query{After: cursor}); !errors.Is(err, records.ErrCursor) || retryable(err) {
			t.Errorf("cursor %q: got %v", cursor, err)
		}
	}
}

func testAttempts(t *testing.T, s *records.Store) {
	var chain []string
	for i := range 4 {
		v := newVerification()
		v.CreatedAt = now.Add(time.Duration(i) * time.Minute)
		if i > 0 {
			v.Previous = chain[i-1]
		}
		if _, _, err := s.Create(t.Context(), v, v.ID, []byte("hash")); err != nil {
			t.Fatal(err)
		}
		chain = append(chain, v.ID)
	}
	create(t, s, newVerification())
	for _, id := range chain {
		attempts, err := s.Attempts(t.Context(), records.DefaultTenant, id)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range attempts {
			got = append(got, v.ID)
		}
		if !slices.Equal(got, chain) {
			t.Errorf("got %q, want %q", got, chain)
		}
	}
	_, err := s.Attempts(t.Context(), records.DefaultTenant, records.NewID())
	want(t, err, records.ErrNotFound)
	v := newVerification()
	v.Previous = records.NewID()
	_, _, err = s.Create(t.Context(), v, "key", []byte("hash"))
	want(t, err, records.ErrNotFound)
	v.Previous = ""
	if _, created, err := s.Create(t.Context(), v, "key", []byte("hash")); err != nil || !created {
		t.Errorf("the key of a refused call is taken: %t, %v", created, err)
	}
}

func testRepeated(t *testing.T, s *records.Store) {
	v := newVerification()
	if _, _, err := s.Create(t.Context(), v, "key", []byte("hash")); err != nil {
		t.Fatal(err)
	}
	stored := get(t, s, v.ID)
	for _, c := range []struct {
		tenant, key, hash string
		known             bool
		err               error
	}{
		{records.DefaultTenant, "key", "hash", true, nil},
		{records.DefaultTenant, "key", "other", false, records.ErrConflict},
		{records.DefaultTenant, "other", "hash", false, nil},
		{"acme", "key", "hash", false, nil},
	} {
		got, known, err := s.Repeated(t.Context(), c.tenant, c.key, []byte(c.hash))
		if known != c.known || !errors.Is(err, c.err) || retryable(err) {
			t.Errorf("%+v: got %t, %v", c, known, err)
		}
		if known {
			same(t, got, stored)
		}
	}
}

func testIdempotencyPurge(t *testing.T, s *records.Store) {
	first := newVerification()
	if _, _, err := s.Create(t.Context(), first, "key", []byte("hash")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.PurgeIdempotencyKeys(t.Context(), now); n != 0 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
	if n, err := s.PurgeIdempotencyKeys(t.Context(), now.Add(time.Microsecond)); n != 1 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
	if v, created, err := s.Create(t.Context(), newVerification(), "key", []byte("other")); err != nil || !created || v.ID == first.ID {
		t.Errorf("after the purge: %t, %v", created, err)
	}
	get(t, s, first.ID)
}
