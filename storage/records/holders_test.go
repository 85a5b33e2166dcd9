package records_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/heyan/heyan/storage/records"
)

func testHolders(t *testing.T, s *records.Store) {
	for i, name := range []string{"沪甲一", "沪甲二", "沪甲三", "浙甲一"} {
		certify(t, s, fmt.Sprint("org-", i), name, fmt.Sprint("code-", i))
	}
	key := func(kind, key string) records.NameKey { return records.NameKey{Kind: kind, Key: key} }
	of := func(ids ...int) (all []records.NameHolder) {
		for _, i := range ids {
			all = append(all, records.NameHolder{Organization: fmt.Sprint("org-", i), Name: []string{"沪甲一", "沪甲二", "沪甲三", "浙甲一"}[i]})
		}
		return all
	}
	for _, c := range []struct {
		name  string
		keys  []records.NameKey
		not   string
		limit int
		want  []records.NameHolder
	}{
		{"same", []records.NameKey{key("same", "沪甲二")}, "", 10, of(1)},
		{"itself", []records.NameKey{key("same", "沪甲二")}, "org-1", 10, nil},
		{"core", []records.NameKey{key("core", "沪")}, "org-1", 10, of(0, 2)},
		{"first key first", []records.NameKey{key("core", "浙"), key("same", "沪甲三"), key("core", "沪")}, "", 10, of(3, 2, 0, 1)},
		{"limit", []records.NameKey{key("same", "沪甲三"), key("core", "沪")}, "", 2, of(2, 0)},
		{"kind", []records.NameKey{key("core", "沪甲二"), key("sound", "沪")}, "", 10, nil},
		{"license", []records.NameKey{key("license", "code-9")}, "", 10, nil},
		{"none", nil, "", 10, nil},
	} {
		got, err := s.NamesAlike(t.Context(), records.DefaultTenant, c.keys, c.not, c.limit)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
	if got, err := s.NamesAlike(t.Context(), "other", []records.NameKey{key("core", "沪")}, "", 10); err != nil || len(got) != 0 {
		t.Errorf("another tenant: %+v, %v", got, err)
	}
	for _, c := range []struct {
		code, not string
		want      []string
	}{{"code-1", "", []string{"org-1"}}, {"code-1", "org-1", nil}, {"", "", nil}} {
		if got, err := s.LicenseHolders(t.Context(), records.DefaultTenant, c.code, c.not); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %q, %v", c, got, err)
		}
	}
	contacts := [][]byte{[]byte("浙甲一"), {0xff, 0}, []byte("unknown")}
	if got, err := s.ContactHolders(t.Context(), records.DefaultTenant, contacts, "org-1"); err != nil || !slices.Equal(got, []string{"org-3", "org-0", "org-2"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

// Prints find verifications of other organizations for as long as their reports are
// kept, whatever became of them.
func testPrints(t *testing.T, s *records.Store) {
	print := func(organization string, outcome func() (c records.Completion), keys ...string) string {
		v := submit(t, s, organization)
		c := outcome()
		c.PrintKeys = keys
		r := failed("image_blurry")
		if c.Event.Type == "verification.review_required" {
			r = doubtful("image_blurry")
		}
		if err := s.Complete(t.Context(), v.ID, r, c); err != nil {
			t.Fatal(err)
		}
		return v.ID
	}
	verdict := func() records.Completion { return done(now) }
	first := print("org-1", verdict, "a", "b", "a")
	second := print("org-2", func() records.Completion { return flagged(now) }, "b", "c")
	print("", verdict, "a", "b", "c")
	dropped := print("org-3", func() records.Completion { c := done(now); c.ReportUntil = now; return c }, "a")
	search := func(not string, limit int, keys ...string) []string {
		t.Helper()
		got, err := s.PrintHolders(t.Context(), records.DefaultTenant, keys, not, limit)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, c := range []struct {
		got, want []string
	}{
		{search("org-9", 10, "a"), []string{dropped, first}},
		{search("org-9", 10, "c", "b"), []string{second, first}},
		{search("org-1", 10, "a", "b"), []string{dropped, second}},
		{search("org-9", 1, "a", "b"), []string{dropped}},
		{search("org-9", 10, "d"), nil},
		{search("org-9", 10), nil},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	if got, err := s.PrintHolders(t.Context(), "other", []string{"a"}, "", 10); err != nil || len(got) != 0 {
		t.Errorf("another tenant: %q, %v", got, err)
	}
	if _, err := s.DropReports(t.Context(), now.Add(time.Hour), 10); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Erase(t.Context(), records.DefaultTenant, second, entry("", "")); err != nil {
		t.Fatal(err)
	}
	if got := search("org-9", 10, "a", "b", "c"); !slices.Equal(got, []string{first}) {
		t.Errorf("got %q, want %s", got, first)
	}
}
