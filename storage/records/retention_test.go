package records_test

import (
	"errors"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

// completed is a verification with its verdict whose parts are kept until these
// times.
func completed(t *testing.T, s *records.Store, picture, sealed, reports time.Time) records.Verification {
	t.Helper()
	v := newVerification()
	v.Sealed = []byte("sealed")
	create(t, s, v)
	r := failed("uscc_mismatch", "image_blurry")
	r.Fields = map[report.FieldName]report.Field{report.FieldUSCC: {Value: "91310115PDY899512H"}}
	r.Picture.SHA256, r.Picture.PixelsSHA256 = "aa", "bb"
	c := done(now)
	c.PictureUntil, c.SealedUntil, c.ReportUntil = picture, sealed, reports
	if err := s.Complete(t.Context(), v.ID, r, c); err != nil {
		t.Fatal(err)
	}
	return get(t, s, v.ID)
}

// kept is what stays of a verification, whatever else goes.
func kept(t *testing.T, v records.Verification) {
	t.Helper()
	if v.Status != report.StatusCompleted || v.Outcome != report.OutcomeFail || len(v.Reasons) != 2 ||
		v.USCC != "91310115PDY899512H" || v.PictureSHA256 != "aa" || v.PixelsSHA256 != "bb" || v.CompletedAt.IsZero() {
		t.Errorf("outcome, codes or hashes are gone: %+v", v)
	}
}

const day = 24 * time.Hour

func testRetention(t *testing.T, s *records.Store) {
	v := completed(t, s, now.Add(3*day), now.Add(2*day), now.Add(day))
	forever := completed(t, s, time.Time{}, time.Time{}, time.Time{})
	queued := create(t, s, newVerification())
	run := func(at time.Time, pictures, sealed, reports int) {
		t.Helper()
		due, err := s.DuePictures(t.Context(), at, 10)
		if err != nil || len(due) != pictures {
			t.Errorf("pictures: %+v, %v, want %d", due, err, pictures)
		}
		if n, err := s.DropSealed(t.Context(), at, 10); n != sealed || err != nil {
			t.Errorf("sealed: %d, %v, want %d", n, err, sealed)
		}
		if n, err := s.DropReports(t.Context(), at, 10); n != reports || err != nil {
			t.Errorf("reports: %d, %v, want %d", n, err, reports)
		}
	}
	run(now.Add(day-time.Microsecond), 0, 0, 0)
	run(now.Add(day), 0, 0, 1)
	if got := get(t, s, v.ID); got.Report != nil || got.Sealed == nil || !got.ReportGoneAt.Equal(now.Add(day)) {
		t.Errorf("got %+v", got)
	}
	run(now.Add(2*day), 0, 1, 0)
	if got := get(t, s, v.ID); got.Sealed != nil || !got.SealedGoneAt.Equal(now.Add(2*day)) {
		t.Errorf("got %+v", got)
	}
	run(now.Add(3*day), 1, 0, 0)
	due, err := s.DuePictures(t.Context(), now.Add(3*day), 10)
	if err != nil || len(due) != 1 || due[0] != (records.Stale{ID: v.ID, Tenant: v.Tenant, ObjectKey: v.ObjectKey}) {
		t.Fatalf("got %+v, %v", due, err)
	}
	for _, at := range []time.Time{now.Add(3 * day), now.Add(4 * day)} {
		if err := s.PictureGone(t.Context(), v.ID, at); err != nil {
			t.Fatal(err)
		}
	}
	got := get(t, s, v.ID)
	if kept(t, got); !got.PictureGoneAt.Equal(now.Add(3 * day)) {
		t.Errorf("got %+v", got)
	}
	run(now.Add(1000*day), 0, 0, 0)
	same(t, get(t, s, forever.ID), forever)
	same(t, get(t, s, queued.ID), queued)
	want(t, s.PictureGone(t.Context(), records.NewID(), now), records.ErrNotFound)
}

func testRetentionLimit(t *testing.T, s *records.Store) {
	for range 5 {
		completed(t, s, now, now, now)
	}
	for _, want := range []int{2, 2, 1, 0} {
		if n, err := s.DropReports(t.Context(), now, 2); n != want || err != nil {
			t.Errorf("got %d, %v, want %d", n, err, want)
		}
	}
	if due, err := s.DuePictures(t.Context(), now, 2); len(due) != 2 || err != nil {
		t.Errorf("got %v, %v", due, err)
	}
}

func testErase(t *testing.T, s *records.Store) {
	v := completed(t, s, now.Add(30*day), now.Add(30*day), now.Add(30*day))
	e := entry("ignored", "ignored")
	e.Action = "verification.erase"
	erased, err := s.Erase(t.Context(), v.Tenant, v.ID, e)
	if err != nil {
		t.Fatal(err)
	}
	if kept(t, erased); erased.Sealed != nil || erased.Report != nil || !erased.ErasedAt.Equal(now) ||
		!erased.SealedGoneAt.Equal(now) || !erased.ReportGoneAt.Equal(now) || erased.ObjectKey != v.ObjectKey {
		t.Errorf("got %+v", erased)
	}
	same(t, get(t, s, v.ID), erased)
	if due, err := s.DuePictures(t.Context(), now, 10); err != nil || len(due) != 1 || due[0].ID != v.ID {
		t.Errorf("the picture is not due: %v, %v", due, err)
	}
	e.At = now.Add(day)
	again, err := s.Erase(t.Context(), v.Tenant, v.ID, e)
	if err != nil {
		t.Fatal(err)
	}
	same(t, again, erased)
	entries, err := s.Audit(t.Context(), v.Tenant, v.ID, 0, 10)
	if err != nil || len(entries) != 1 || entries[0].Action != "verification.erase" {
		t.Errorf("got %+v, %v, want one entry", entries, err)
	}
	if _, err := s.Unmask(t.Context(), v.Tenant, v.ID, e); !errors.Is(err, records.ErrGone) || retryable(err) {
		t.Errorf("unmask: got %v, want %v", err, records.ErrGone)
	}

	queued := create(t, s, newVerification())
	_, err = s.Erase(t.Context(), queued.Tenant, queued.ID, e)
	want(t, err, records.ErrNotCompleted)
	// Without its entry nothing happens.
	other := completed(t, s, now, now, now)
	e.Actor = ""
	if _, err := s.Erase(t.Context(), other.Tenant, other.ID, e); err == nil {
		t.Error("erased without an actor")
	}
	if got, err := s.Unmask(t.Context(), other.Tenant, other.ID, e); err == nil || got.Sealed != nil {
		t.Error("unmasked without an actor")
	}
	same(t, get(t, s, other.ID), other)
}

func testUnmask(t *testing.T, s *records.Store) {
	v := completed(t, s, now, now, now)
	e := entry("", "")
	got, err := s.Unmask(t.Context(), v.Tenant, v.ID, e)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, v)
	entries, err := s.Audit(t.Context(), v.Tenant, v.ID, 0, 10)
	if err != nil || len(entries) != 1 || entries[0].Reason != e.Reason {
		t.Errorf("got %+v, %v", entries, err)
	}
}

func testOrphans(t *testing.T, s *records.Store) {
	var ids, orphans []string
	for i := range 3 {
		ids = append(ids, create(t, s, newVerification()).ID, records.NewID())
		orphans = append(orphans, ids[2*i+1])
	}
	for range 1200 { // more than one statement takes
		orphans = append(orphans, records.NewID())
	}
	ids = append(ids, orphans[3:]...)
	missing, err := s.HaveObjects(t.Context(), ids)
	if err != nil || len(missing) != len(orphans) {
		t.Fatalf("%d of %d are missing, %v", len(missing), len(orphans), err)
	}
	for i := range missing {
		if missing[i] != orphans[i] {
			t.Errorf("got %s, want %s", missing[i], orphans[i])
		}
	}
	if missing, err := s.HaveObjects(t.Context(), nil); err != nil || len(missing) != 0 {
		t.Errorf("got %v, %v", missing, err)
	}
}
