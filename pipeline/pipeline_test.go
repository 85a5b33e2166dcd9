package pipeline

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/heyan/heyan/ocr/ppocr"
	"github.com/heyan/heyan/ocr/tesseract"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
)

const samples = "../testdata/samples"

// sample is a row of the samples' declared.json.
type sample struct {
	File     string          `json:"file"`
	Declared report.Declared `json:"declared"`
	Outcome  report.Outcome  `json:"outcome"`
	Reasons  []string        `json:"reasons"`
}

func newPipeline(t testing.TB) *Pipeline {
	t.Helper()
	models, err := ppocr.LoadModels("")
	if err != nil {
		t.Fatal(err)
	}
	accurate, err := ppocr.New(ppocr.Options{Models: models, Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	fast, err := ppocr.New(ppocr.Options{Models: models, Set: models.Fast, Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	second, err := tesseract.NewCodeReader()
	if err != nil {
		t.Fatal(err)
	}
	return &Pipeline{Detector: accurate, Fast: fast, Accurate: accurate, Second: second, Now: time.Now}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(samples, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestSamples: every sample gets its verdict, one without a declaration reads what
// is printed on it, and each report decides itself again.
func TestSamples(t *testing.T) {
	var all []sample
	if err := json.Unmarshal(readFile(t, "declared.json"), &all); err != nil {
		t.Fatal(err)
	}
	policy, err := verdict.LoadPolicy("dingtalk", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := newPipeline(t)
	for _, s := range all {
		got, err := p.Verify(t.Context(), report.Submission{ID: "1", Declared: s.Declared}, readFile(t, s.File), policy)
		if err != nil {
			t.Fatal(err)
		}
		var codes []string
		for _, reason := range got.Reasons {
			codes = append(codes, reason.Code)
		}
		missing := slices.DeleteFunc(slices.Clone(s.Reasons), func(code string) bool { return slices.Contains(codes, code) })
		if got.Outcome != s.Outcome || len(missing) > 0 {
			t.Errorf("%s: got %s %v, want %s with %v", s.File, got.Outcome, codes, s.Outcome, s.Reasons)
		}
		if s.Outcome == report.OutcomePass && got.Fields[report.FieldUSCC].Value != s.Declared.USCC {
			t.Errorf("%s: got code %q, want %q", s.File, got.Fields[report.FieldUSCC].Value, s.Declared.USCC)
		}
		again(t, s, got, policy, p.Now())
	}
}

// again decides a stored report a second time.
func again(t *testing.T, s sample, r report.Report, policy verdict.Policy, now time.Time) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var stored report.Report
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	evidence, ok := verdict.EvidenceOf(stored, s.Declared)
	if !ok {
		t.Fatalf("%s: the report holds no evidence", s.File)
	}
	outcome, reasons, checks := verdict.Decide(verdict.Check(evidence, policy, now), policy)
	got, want := report.Report{Outcome: outcome, Reasons: reasons, Checks: checks}, report.Report{Outcome: r.Outcome, Reasons: r.Reasons, Checks: r.Checks}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: decided again: got %+v, want %+v", s.File, got, want)
	}
}

// TestPrecheck: what a better photo cures fails the pre-check by the same code;
// what it does not cure, and what was declared, is left to the verification.
func TestPrecheck(t *testing.T) {
	policy, err := verdict.LoadPolicy("dingtalk", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := newPipeline(t)
	for file, want := range map[string]string{
		"clean_pass.jpg": "", "turned.jpg": "", "name_mismatch.jpg": "", "wrong_check_digit.jpg": "",
		"blurred.jpg": "image_blurry", "low_resolution.jpg": "image_resolution_too_low", "not_a_license.jpg": "document_other_certificate",
	} {
		got, err := p.Precheck(t.Context(), report.Submission{ID: "1"}, readFile(t, file), policy)
		if err != nil {
			t.Fatal(err)
		}
		first := ""
		if got.Outcome == report.OutcomeFail {
			first = got.Reasons[0].Code
		}
		if first != want || !got.Precheck || len(got.Fields) > 0 {
			t.Errorf("%s: got %s %q with %d fields, want %q", file, got.Outcome, first, len(got.Fields), want)
		}
	}
}

// TestVerifyRepeats: the same picture gives the same report but for its times.
func TestVerifyRepeats(t *testing.T) {
	policy, err := verdict.LoadPolicy("photo", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := newPipeline(t)
	var first string
	for range 3 {
		got, err := p.Verify(t.Context(), report.Submission{ID: "1"}, readFile(t, "on_desk.jpg"), policy)
		if err != nil {
			t.Fatal(err)
		}
		got.TimingsMS = nil
		encoded, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(encoded)
		} else if string(encoded) != first {
			t.Errorf("got\n%s\nthen\n%s", first, encoded)
		}
	}
}

// benchmarked are the samples that both Verify and Precheck are timed on.
var benchmarked = []string{"clean_pass.jpg", "clean_portrait.jpg", "on_desk.jpg", "not_a_license.jpg"}

func BenchmarkPrecheck(b *testing.B) { benchmarkSamples(b, (*Pipeline).Precheck) }

func BenchmarkVerify(b *testing.B) { benchmarkSamples(b, (*Pipeline).Verify) }

func benchmarkSamples(b *testing.B, judge func(*Pipeline, context.Context, report.Submission, []byte, verdict.Policy) (report.Report, error)) {
	policy, err := verdict.LoadPolicy("photo", nil)
	if err != nil {
		b.Fatal(err)
	}
	p := newPipeline(b)
	for _, name := range benchmarked {
		picture := readFile(b, name)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := judge(p, b.Context(), report.Submission{ID: "1"}, picture, policy); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
