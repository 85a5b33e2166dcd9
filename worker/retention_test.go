package worker

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
)

func TestRetention(t *testing.T) {
	r := newRig(t, "", fakeEngine{size: 1})
	r.setDefaults()
	open := r.submit(t, Standard)
	var ids []string
	for range retentionBatch + 3 {
		v := r.record(t, Standard)
		v.ObjectKey = "pictures/" + v.ID
		r.put(t, v.ObjectKey, "photo")
		r.put(t, "views/preview/"+v.ID, "small")
		if _, _, err := r.Records.Create(t.Context(), v, v.ID, []byte("hash")); err != nil {
			t.Fatal(err)
		}
		v.CompletedAt = r.clock()
		if err := r.Records.Complete(t.Context(), v.ID, passes(v.ID), r.completion(v, judgment{})); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, v.ID)
	}
	for _, step := range []struct {
		pass                    time.Duration
		picture, sealed, report bool // are gone
	}{
		{24*time.Hour - time.Second, false, false, false},
		{time.Second, true, false, false},
		{24 * time.Hour, true, true, false},
		{24 * time.Hour, true, true, true},
		{records.EventRetention, true, true, true},
	} {
		r.pass(step.pass)
		for range 2 { // again, as by another worker
			if err := r.retain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range ids {
			v := r.get(t, id)
			if r.has(t, v.ObjectKey) == step.picture || r.has(t, "views/preview/"+id) == step.picture || v.PictureGoneAt.IsZero() == step.picture ||
				(v.Sealed == nil) != step.sealed || (v.Report == nil) != step.report {
				t.Fatalf("after %v: %+v, want gone: picture %v, sealed %v, report %v", step.pass, v, step.picture, step.sealed, step.report)
			}
		}
	}
	if v := r.get(t, open.ID); v.Sealed == nil || !r.has(t, v.ObjectKey) {
		t.Error("what is still at work was cleared away")
	}
	if n := len(r.events(t)); n != 0 {
		t.Errorf("%d events left", n)
	}
	again := r.record(t, Standard)
	if _, created, err := r.Records.Create(t.Context(), again, ids[0], []byte("another hash")); err != nil || !created {
		t.Errorf("the idempotency key is still known: %v", err)
	}
}

// idAt is a UUIDv7 of another time.
func idAt(t *testing.T, at time.Time) string {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	for i, ms := 5, at.UnixMilli(); i >= 0; i, ms = i-1, ms>>8 {
		id[i] = byte(ms)
	}
	return id.String()
}

func TestOrphans(t *testing.T) {
	r := newRig(t, "", fakeEngine{size: 1})
	r.setDefaults()
	old, young := r.clock().Add(-orphanAge-time.Second), r.clock().Add(-orphanAge+time.Second)
	v := r.record(t, Standard)
	v.ID = idAt(t, old)
	if _, _, err := r.Records.Create(t.Context(), v, "", nil); err != nil {
		t.Fatal(err)
	}
	alone := idAt(t, old)
	want := map[string]bool{ // stays
		"pictures/" + v.ID:                              true,
		"pictures/" + alone:                             false,
		"views/photo/" + v.ID:                           true,
		"views/page/" + alone:                           false,
		"views/geometry/" + idAt(t, old):                false,
		"views/preview/" + idAt(t, young):               true,
		"views/others/" + idAt(t, old):                  true,
		"pictures/" + idAt(t, young):                    true,
		"pictures/shared":                               true,
		"pictures/" + uuid.Nil.String():                 true,
		"pictures/1b4e28ba-2fa1-11d2-883f-0016d3cca427": true, // a UUIDv1 of 1998
		"uploads/default/" + idAt(t, old):               false,
		"uploads/default/" + idAt(t, young):             true,
		"uploads/default/" + v.ID:                       false, // its id is its own
		"others/" + idAt(t, old):                        true,
	}
	for key := range want {
		r.put(t, key, "photo")
	}
	for range 2 {
		if err := r.collectOrphans(t.Context()); err != nil {
			t.Fatal(err)
		}
		for key, stays := range want {
			if r.has(t, key) != stays {
				t.Errorf("%s: there %v, want %v", key, !stays, stays)
			}
		}
	}
}

// Views are compared with pictures over more than one page of a list.
func TestOrphanedViewsAmongManyPictures(t *testing.T) {
	r := newRig(t, "", fakeEngine{size: 1})
	r.setDefaults()
	at := r.clock().Add(-2 * orphanAge)
	var ids []string
	for i := range objects.MaxList + 5 {
		ids = append(ids, idAt(t, at.Add(time.Duration(i)*time.Millisecond)))
	}
	var alone []string
	for i, id := range ids {
		if i == 1 || i == len(ids)-1 {
			alone = append(alone, id)
		} else {
			r.put(t, pictures+id, "photo")
		}
	}
	got, err := r.withoutPicture(t.Context(), []string{ids[0], ids[1], ids[len(ids)-2], ids[len(ids)-1]})
	if err != nil || !slices.Equal(got, alone) {
		t.Errorf("got %v, %v, want %v", got, err, alone)
	}
}

// A session that is over is forgotten, one that holds is not.
func TestSessionsPurged(t *testing.T) {
	r := newRig(t, "", fakeEngine{size: 1})
	r.setDefaults()
	u := records.User{ID: records.NewID(), Tenant: records.DefaultTenant, Login: "li.ming", Role: records.RoleReviewer, CreatedAt: r.clock()}
	if err := r.Records.AddUser(t.Context(), u, records.Entry{At: r.clock(), Actor: "system"}); err != nil {
		t.Fatal(err)
	}
	for name, life := range map[string]time.Duration{"short": time.Hour, "long": 3 * time.Hour} {
		if err := r.Records.OpenSession(t.Context(), u.ID, records.HashToken(name), r.clock(), r.clock().Add(life), records.Entry{}); err != nil {
			t.Fatal(err)
		}
	}
	r.pass(2 * time.Hour)
	if err := r.retain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Records.PurgeSessions(t.Context(), r.clock(), 10); n != 0 || err != nil {
		t.Errorf("%d were left, %v", n, err)
	}
	if _, err := r.Records.Session(t.Context(), records.HashToken("long"), r.clock(), 4*time.Hour); err != nil {
		t.Error(err)
	}
}
