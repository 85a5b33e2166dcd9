package records_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/heyan/heyan/storage/records"
)

func testDataKeys(t *testing.T, s *records.Store) {
	wantKey := func(tenant, want string) {
		t.Helper()
		if got, err := s.DataKey(t.Context(), tenant); string(got) != want || (got == nil) != (want == "") || err != nil {
			t.Errorf("%s: got %q, %v, want %q", tenant, got, err, want)
		}
	}
	wantKey("default", "")
	for _, offer := range []string{"first", "second"} {
		got, err := s.AddDataKey(t.Context(), "default", []byte(offer))
		if err != nil || string(got) != "first" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	wantKey("default", "first")
	if _, err := s.AddDataKey(t.Context(), "acme", []byte("other")); err != nil {
		t.Fatal(err)
	}
	if got, err := s.DataKeyTenants(t.Context()); err != nil || !slices.Equal(got, []string{"acme", "default"}) {
		t.Errorf("got %q, %v", got, err)
	}
	for _, c := range []struct {
		tenant, old string
		replaced    bool
	}{{"default", "second", false}, {"nobody", "first", false}, {"default", "first", true}, {"default", "first", false}} {
		if got, err := s.ReplaceDataKey(t.Context(), c.tenant, []byte(c.old), []byte("new")); got != c.replaced || err != nil {
			t.Errorf("%+v: got %t, %v", c, got, err)
		}
	}
	wantKey("default", "new")
	wantKey("acme", "other")
	for range 2 {
		if err := s.DeleteDataKey(t.Context(), "default"); err != nil {
			t.Fatal(err)
		}
	}
	wantKey("default", "")
	wantKey("acme", "other")
}

func testReplaceDataKeyRace(t *testing.T, s *records.Store) {
	if _, err := s.AddDataKey(t.Context(), "acme", []byte{0xff}); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var won atomic.Int32
	for i := range racers {
		group.Go(func() {
			replaced, err := s.ReplaceDataKey(t.Context(), "acme", []byte{0xff}, []byte{byte(i)})
			if err != nil {
				t.Error(err)
			}
			if replaced {
				won.Add(1)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d replaced it", won.Load())
	}
}
