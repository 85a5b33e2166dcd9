package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
