package console

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/storage/records"
)

// rows reads a CSV answer.
func rows(t *testing.T, w *httptest.ResponseRecorder) [][]string {
	t.Helper()
	text, marked := bytes.CutPrefix(w.Body.Bytes(), []byte(byteOrderMark))
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || !marked || w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Fatalf("%d %v, marked %v, %v", w.Code, w.Header(), marked, err)
	}
	return all
}

func TestFiguresCSV(t *testing.T) {
	o := newOffice(t)
	o.week(t)
	for table, want := range map[string][]string{
		"": {"reason,title,cases,approved,rejected,approved_share,second_looks,agreed",
			"image_blurry,*,3,2,1,0.667,0,0", "name_mismatch,*,1,1,0,1.000,0,0", "image_glare,*,1,0,1,0.000,1,1"},
		"days": {"day,flagged,decided,late,open_at_end", "2030-05-01,0,0,0,0", "2030-05-02,0,0,0,0", "2030-05-03,0,0,0,0", "2030-05-04,0,0,0,0",
			"2030-05-05,2,2,1,0", "2030-05-06,2,2,0,0", "2030-05-07,2,0,0,2"},
		"reviewers": {"reviewer,reviewer_id,decided,approved,rejected,new_photo,escalated,undone,late,median_seconds",
			`'=HYPERLINK("http://example.com"),u-1,3,2,1,0,1,0,1,90.0`, "<b>乙</b>,u-2,2,0,1,1,0,1,0,90.0"},
	} {
		var got []string
		for _, row := range rows(t, o.get(t, "/console/figures.csv?table="+table)) {
			if row[1] != "title" && table == "" {
				row[1] = "*"
			}
			got = append(got, strings.Join(row, ","))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s\ngot\n%s\nwant\n%s", table, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	entries, err := o.Records.Audit(t.Context(), records.DefaultTenant, "", 0, 1)
	if err != nil || entries[0].Action != "figures.exported" || entries[0].Actor != "user:u-lead" {
		t.Fatalf("%+v, %v", entries, err)
	}
	var detail map[string]string
	if err := json.Unmarshal(entries[0].Detail, &detail); err != nil || detail["from"] != "2030-05-01" || detail["to"] != "2030-05-07" {
		t.Errorf("%s, %v", entries[0].Detail, err)
	}
}

func TestDecisionsCSV(t *testing.T) {
	o := newOffice(t)
	looked := o.week(t)
	all := rows(t, o.get(t, "/console/decisions.csv"))
	if len(all) != 8 {
		t.Fatalf("%d lines", len(all))
	}
	want := []string{"2030-05-06 12:06:00", looked, "'@org-1", `'=HYPERLINK("http://example.com")`, "u-1", "reject", "fail", "image_glare", "image_blurry",
		"id_number name", "1", "90.0", "false", "false"}
	if strings.Join(all[4], "|") != strings.Join(want, "|") {
		t.Errorf("\ngot  %q\nwant %q", all[4], want)
	}
	for i, line := range all[1:] {
		if late, undone := line[12] == "true", line[13] == "true"; late != (i == 1 || line[5] == "escalate") || undone != (line[7] == "image_dark" && line[5] == "approve") {
			t.Errorf("line %d: late %v, undone %v", i+1, late, undone)
		}
	}
	if none := rows(t, o.get(t, "/console/decisions.csv?from=2030-04-01&to=2030-04-02")); len(none) != 1 {
		t.Errorf("another time: %q", none)
	}
}

// TestDecisionsCSVPages has more lines than a page, through a real connection.
func TestDecisionsCSVPages(t *testing.T) {
	o := newOffice(t)
	const n = 2*records.MaxPage + 1
	id := o.flag(t, o.noon, "image_blurry")
	for i := range n {
		at := o.noon.Add(time.Duration(i-n) * time.Second)
		d := o.take(t, id, "u-1", records.Approve, at, true)
		if _, err := o.Records.Undo(t.Context(), records.DefaultTenant, d.ID, "u-1", o.noon, at); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(o.mux)
	defer server.Close()
	answer, err := http.Get(server.URL + "/console/decisions.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if lines := bytes.Count(text, []byte("\n")); err != nil || lines != n+1 {
		t.Errorf("%d lines, %v", lines, err)
	}
}
