package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
)

// command runs heyan against a deployment, and says what it printed and with which
// code it ended.
func (d *deployment) command(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary, args...)
	command.Env = append(slices.Concat(os.Environ(), d.env), "HEYAN_SERVICE="+d.Base, "HEYAN_KEY="+d.Key)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), command.ProcessState.ExitCode()
}

// TestBatchCommands goes the way of an operator: check, submit with a folder, wait,
// results, errors, and what another policy would say.
func TestBatchCommands(t *testing.T) {
	t.Parallel()
	d := alone(t, standing(standInCost)...)
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	number := func(want report.Outcome) (i int) { // of a tile
		for i = 0; standInOutcome(tile(i)) != want; i++ {
		}
		return i
	}
	write("pictures/deep/pass.png", string(tile(number(report.OutcomePass))))
	write("pictures/fail.png", string(tile(number(report.OutcomeFail))))
	write("secret.png", "not to be sent")
	lines := write("lines.csv", "custom_id,organization_id,picture,mood\r\n"+
		"a,org-a,deep\\pass.png,good\r\nb,org-b,fail.png,\r\nc,org-c,../secret.png,\r\nd,org-d,none.png,\r\na,org-e,fail.png,\r\n")
	pictures := filepath.Join(folder, "pictures")
	ends := func(name string, code, want int, out string, says ...string) {
		t.Helper()
		if code != want {
			t.Errorf("%s: exit %d, want %d\n%s", name, code, want, out)
		}
		for _, word := range says {
			if !strings.Contains(out, word) {
				t.Errorf("%s: no %q in\n%s", name, word, out)
			}
		}
	}
	out, errs, code := d.command(t, "batch", "check", lines, "--pictures", pictures)
	ends("check", code, 1, out+errs, "line 4\tc\tpicture\toutside", "line 5\td\tpicture\tnot_found", "line 6\t\tcustom_id\tduplicate_custom_id", "utf-8", "mood", "5 lines")
	out, errs, code = d.command(t, "batch", "check", write("utf16.csv", "\xFF\xFEa\x00"))
	ends("check a file that cannot be read", code, 1, out+errs, "utf16")

	out, errs, code = d.command(t, "batch", "submit", lines, "--pictures", pictures, "--policy", "photo", "--wait")
	ends("submit", code, 0, out+errs, "done: 5 lines, 3 bad, 0 waiting, 0 cancelled, 2 submitted, 2 of them decided", "1 outcome pass", "1 outcome fail", "csv, utf-8", "mood")
	id, _, _ := strings.Cut(out, "\n")
	out, errs, code = d.command(t, "batch", "status")
	ends("list", code, 0, out+errs, id, "lines.csv", "done")
	out, errs, code = d.command(t, "batch", "status", "--json", id)
	ends("status", code, 0, out+errs, `"outcomes":{"fail":1,"pass":1}`)
	out, errs, code = d.command(t, "batch", "cancel", id)
	ends("cancel what is done", code, 3, out+errs, "the batch is done")
	file := filepath.Join(folder, "results.xlsx")
	out, errs, code = d.command(t, "batch", "results", id, "--format", "xlsx", "-o", file)
	ends("results", code, 0, out+errs)
	if got, err := os.ReadFile(file); err != nil || !bytes.HasPrefix(got, []byte("PK")) {
		t.Errorf("results: %.20q, %v", got, err)
	}
	out, errs, code = d.command(t, "batch", "errors", id, "--format", "jsonl")
	ends("errors", code, 0, out+errs, `"rule":"not_found"`, `"rule":"duplicate_custom_id"`)
	if n := strings.Count(out, "\n"); n != 3 {
		t.Errorf("%d errors:\n%s", n, out)
	}
	out, errs, code = d.command(t, "batch", "redecide", "--policy", "strict")
	ends("redecide", code, 0, out+errs, "2 verifications decided again", fmt.Sprintf("%8d  cannot be: their reports", 2))
	out, errs, code = d.command(t, "batch", "pause", "01900000-0000-7000-8000-000000000000")
	ends("pause of nothing", code, 3, out+errs, "404")
}
