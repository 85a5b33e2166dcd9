package worker

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// What a backend or a service imports is built without cgo. Who may import whom is
// held in internal/imports.
func TestImports(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}",
		"./...", "../server/...", "../storage/...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, problems.String())
	}
	const module = "github.com/heyan/heyan/"
	for _, pkg := range strings.Fields(string(out)) {
		for _, native := range []string{"gocv.io/x/gocv", "github.com/yalue/onnxruntime_go", "github.com/otiai10/gosseract/v2", module + "ocr/ppocr", module + "ocr/tesseract", module + "internal/mat"} {
			if pkg == native || strings.HasPrefix(pkg, native+"/") {
				t.Errorf("%s is reached", pkg)
			}
		}
	}
}
