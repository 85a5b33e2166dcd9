package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/quality"
	"github.com/heyan/heyan/synth"
)

// TestCalibrateUsage: a folder that heyan synth write did not make, and one whose
// two truths differ, are the caller's mistakes.
func TestCalibrateUsage(t *testing.T) {
	empty, torn := t.TempDir(), t.TempDir()
	for name, content := range map[string]string{
		"truth.jsonl": `{"file":"00000.jpg","subject":"license"}` + "\n",
		"truth.tsv":   "file\tgroup\toutcome_expected\tcode_kind\tcode\tname\n",
	} {
		if err := os.WriteFile(filepath.Join(torn, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for dir, want := range map[string]string{empty: "truth.jsonl", torn: "truth.tsv has 0 pictures, truth.jsonl 1"} {
		stdout, stderr, code := heyan(t, "calibrate", dir)
		if code != exitUsage || !strings.Contains(stderr, want) || stdout != "" {
			t.Errorf("exit code %d, stderr %q, want %q", code, stderr, want)
		}
	}
}

// TestCalibrate fits on pictures that were read before: every third is blurred, and
// its code was lost.
func TestCalibrate(t *testing.T) {
	const code, name = "91310115PDY899512H", "霁川测试宸曦医疗器械有限公司"
	dir := t.TempDir()
	table := "file\tgroup\toutcome_expected\tcode_kind\tcode\tname\n"
	var truth, reports strings.Builder
	for i := range 90 {
		file, sum := fmt.Sprintf("%05d.jpg", i), fmt.Sprintf("%064d", i)
		table += strings.Join([]string{file, "licences", "readable", "USCC18", code, name}, "\t") + "\n"
		line := report.LineQuality{EmPx: 25, EffectiveEmPx: 25, BlurQ: 0.04 + 0.0001*float64(i), Contrast: 0.4}
		r := report.Report{File: file, Picture: report.Picture{SHA256: sum}, Fields: map[report.FieldName]report.Field{
			report.FieldUSCC: {Value: code, Confidence: 0.99}, report.FieldCompanyName: {Value: name, Confidence: 0.99}}}
		if i%3 == 0 {
			line.BlurQ = 0.2
			delete(r.Fields, report.FieldUSCC)
		}
		r.Quality = report.Quality{WidthPx: 2000, HeightPx: 1500, Page: &line}
		encode(t, &truth, synth.Picture{File: file, Subject: synth.SubjectLicense, LicenseID: file, SHA256: sum,
			Camera: synth.Camera{Scene: synth.Scene{Surface: synth.SurfaceScan}}})
		encode(t, &reports, r)
	}
	for file, content := range map[string]string{"truth.tsv": table, "truth.jsonl": truth.String(), "reports.jsonl": reports.String()} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written := filepath.Join(dir, "calibration.json")
	stdout, stderr, exit := heyan(t, "calibrate", "--reports", filepath.Join(dir, "reports.jsonl"), "--write", written, dir)
	if exit != exitPass || !strings.Contains(stdout, "page_image_auc") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", exit, stdout, stderr)
	}
	var fitted quality.Calibration
	if err := json.Unmarshal(read(t, written), &fitted); err != nil {
		t.Fatal(err)
	}
	if fitted.Image.Digits.Weights["blur"] <= 0 || len(fitted.Metrics) == 0 || fitted.Date == "" || len(fitted.Sets) != 3 || strings.Contains(fitted.Command, dir) {
		t.Errorf("got %+v", fitted)
	}
}

func encode(t *testing.T, to *strings.Builder, value any) {
	t.Helper()
	if err := json.NewEncoder(to).Encode(value); err != nil {
		t.Fatal(err)
	}
}
