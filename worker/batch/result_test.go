package batch

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
)

var update = flag.Bool("update", false, "write the goldens")

var blurry = Reason{"image_blurry", "", report.Text{ZH: "照片模糊。", EN: "The photo is blurry."}, report.NextRetakePhoto}

var results = []Result{
	{Line: 2, CustomID: "0001", OrganizationID: "org-1", VerificationID: "v-1", Status: "completed", Outcome: report.OutcomePass},
	{Line: 3, CustomID: "=1+1", OrganizationID: "－2", VerificationID: "v-2", Status: "completed", Outcome: report.OutcomeFail,
		Reasons: []Reason{
			{"name_mismatch", report.FieldCompanyName, report.Text{ZH: "名称与执照不一致，\"甲\"与\"乙\"。", EN: "The name differs from the license: \"A\", \"B\"."}, report.NextCorrectInput},
			blurry},
		Changes: []Change{{"name", name1, name2}, {"policy", "dingtalk@1", "dingtalk@2"}}},
	{Line: 4, CustomID: "@A", Status: "invalid", Errors: []LineError{
		{4, "@A", "id_number", RuleLostDigits, RuleLostDigits.message()}, {4, "@A", "", RuleTooManyCells, RuleTooManyCells.message()}}},
	{Line: 5, CustomID: "<&>\x01", Status: "completed", Outcome: report.OutcomeFail, Reasons: []Reason{blurry, blurry}},
}

func written(t *testing.T, f Format, l Language) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, f, l)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("result differs from %s; run with -update and look at the change:\n%s", file, got)
	}
}

func TestWriter(t *testing.T) {
	golden(t, "testdata/results.golden.zh.csv", written(t, CSV, Chinese))
	golden(t, "testdata/results.golden.en.csv", written(t, CSV, English))
	golden(t, "testdata/results.golden.jsonl", written(t, JSONL, Chinese))
}

// The sheet has the cells of the CSV, without the guards a formula needs there.
func TestSheetWriter(t *testing.T) {
	read := func(r rows) (all [][]string) {
		for {
			row, err := r.next()
			if err != nil {
				return all
			}
			var cells []string
			for _, c := range row.cells {
				cells = append(cells, strings.ReplaceAll(strings.TrimPrefix(c.text, "'"), "\x01", "\uFFFD"))
			}
			for len(cells) > 0 && cells[len(cells)-1] == "" {
				cells = cells[:len(cells)-1]
			}
			all = append(all, cells)
		}
	}
	text, err := openText(bytes.NewReader(written(t, CSV, Chinese)))
	if err != nil {
		t.Fatal(err)
	}
	file := written(t, XLSX, Chinese)
	sheet, err := openSheet(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	got, want := read(sheet), read(&csvRows{text: text})
	if len(got) != len(results)+1 || !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGuard(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a": "a", "a=1": "a=1", "0001": "0001", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\ta": "'\ta", "\r": "'\r", "\n=1": "'\n=1",
		"＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠a": "'＠a", "测": "测",
		"org-1": "org-1", "1-2": "1-2", "\t=1": "'\t=1", " =1": "' =1", "\u00a0=1": "'\u00a0=1", "\r\n=1": "'\r\n=1", " a=1": " a=1",
	} {
		if got := Guard(text); got != want {
			t.Errorf("Guard(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestCellIsCut(t *testing.T) {
	if got := cut(strings.Repeat("测", maxCellRunes+1)); got != strings.Repeat("测", maxCellRunes) {
		t.Errorf("got %d bytes", len(got))
	}
}

// full is a disk that takes so many bytes.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

func TestWriteError(t *testing.T) {
	for _, f := range []Format{CSV, JSONL, XLSX} {
		for _, left := range []int{0, 100, 1500} {
			w, err := NewWriter(&full{left}, f, English)
			for i := 0; err == nil && i < 1000; i++ {
				err = w.Write(results[1])
			}
			if err == nil {
				err = w.Close()
			}
			if !errors.Is(err, errDisk) {
				t.Errorf("%s after %d bytes: got %v", f, left, err)
			}
		}
	}
	if _, err := NewWriter(&full{}, "pdf", English); err == nil {
		t.Error("want an error")
	}
}

func TestSummary(t *testing.T) {
	var s Summary
	for _, r := range results {
		s.Add(r)
	}
	var table strings.Builder
	if err := s.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	const want = `  4 lines
  2 outcome fail
  1 outcome pass
  2 reason image_blurry
  1 reason name_mismatch
  1 line error number_lost_digits
  1 line error too_many_cells
`
	if table.String() != want {
		t.Errorf("got\n%swant\n%s", table.String(), want)
	}
}
