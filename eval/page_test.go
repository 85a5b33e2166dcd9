package eval

import (
	"slices"
	"strings"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
)

func TestSights(t *testing.T) {
	truth := values{report.FieldUSCC: "A", report.FieldCompanyName: "甲"}
	results := []Result{
		result("1", ExpectReadable, truth, report.OutcomeFail, "", nil),
		result("2", ExpectReadable, truth, report.OutcomeReview, "", values{report.FieldUSCC: "B", report.FieldCompanyName: "甲"}),
		result("3", ExpectReadable, truth, report.OutcomePass, "", values{report.FieldUSCC: "A", report.FieldCompanyName: "乙"}),
	}
	var got []string
	for _, s := range Summarize(results).Sights(results) {
		got = append(got, s.File+" "+string(s.Field)+" "+s.Gravity.String())
	}
	want := []string{"3 name wrong in an outcome pass", "2 uscc wrong", "1 uscc not read", "1 name not read"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWritePage holds that nothing a license or a file name says is taken for
// HTML, and that a picture without a crop says so.
func TestWritePage(t *testing.T) {
	const hostile = `"><script>alert('1')</script>&`
	r := result(hostile, ExpectReadable, values{report.FieldCompanyName: hostile + "?", report.FieldUSCC: "91350100M000100Y43"}, report.OutcomeReview, "",
		values{report.FieldCompanyName: "'" + hostile})
	r.Report.Reasons = []report.Reason{{Code: hostile}}
	s := Summarize([]Result{r})
	sights := s.Sights([]Result{r})
	sights[0].Crop = "javascript:alert(1)"
	var page strings.Builder
	if err := s.WritePage(&page, sights); err != nil {
		t.Fatal(err)
	}
	got := page.String()
	for _, bad := range []string{"<script", "javascript:", `="">`} {
		if strings.Contains(got, bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	for _, want := range []string{
		"<td>name</td><td>0/1</td><td>0.0 %</td>",
		"<th>expected</th><th>pass</th>",
		"<td>uscc</td><td>1</td><td>0.0 %</td>",
		`<path class="name" d="M0 0.0H600.0"/>`,
		"<h2>Misses: 2</h2>",
		"<dt>truth</dt><dd>&#34;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;?</dd>",
		"<dd>none</dd>",
		"The picture could not be taken in.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}
