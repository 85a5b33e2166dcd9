package worker

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// What a backend or a service imports is built without cgo, and asynq is known
// here alone.
func TestImports(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`,
		"./...", "../server/...", "../storage/...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, problems.String())
	}
	const module = "github.com/heyan/heyan/"
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := fields[0]
		for _, native := range []string{"gocv.io/x/gocv", "github.com/yalue/onnxruntime_go", "github.com/otiai10/gosseract/v2", module + "ocr", module + "quality"} {
			if pkg == native || strings.HasPrefix(pkg, native+"/") {
				t.Errorf("%s is reached", pkg)
			}
		}
		inside, ours := strings.CutPrefix(pkg, module)
		for _, imported := range fields[1:] {
			if imported == "github.com/hibiken/asynq" && ours && inside != "worker" {
				t.Errorf("%s imports asynq", pkg)
			}
			if target, down := strings.CutPrefix(imported, module); ours && down && level(target) > level(inside) {
				t.Errorf("%s imports %s: imports run downwards only", pkg, imported)
			}
		}
	}
}

// level is the height of a package of ours: server over worker over storage
// over report.
func level(pkg string) int {
	if pkg == "pipeline/codes" { // pure functions
		return 0
	}
	for i, top := range []string{"pipeline/report", "storage", "worker", "server"} {
		if pkg == top || strings.HasPrefix(pkg, top+"/") {
			return i
		}
	}
	return 9 // nothing below cmd may import anything else
}
