// Package imports holds the rules of who may import whom; it has tests only.
package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/heyan/heyan/"

// native are the packages that link C code.
var native = []string{
	"gocv.io/x/gocv", "github.com/yalue/onnxruntime_go", "github.com/otiai10/gosseract/v2",
	module + "internal/mat", module + "pipeline/intake"}

type listed struct {
	ImportPath  string
	Imports     []string
	TestImports []string
	Deps        []string
	Standard    bool
}

// list is what the go command knows about packages of the module.
func list(t *testing.T, patterns ...string) map[string]listed {
	t.Helper()
	args := append([]string{"list", "-json=ImportPath,Imports,TestImports,Deps,Standard"}, patterns...)
	out, err := exec.Command("go", args...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		t.Fatalf("go list: %s", failed.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[strings.TrimPrefix(p.ImportPath, module)] = p
	}
}

// TestNativeCodeStaysInside: what a backend imports, and all that decides, links
// no C code.
func TestNativeCodeStaysInside(t *testing.T) {
	for name, p := range list(t, module+"...") {
		allowed := name == "cmd/heyan" || name == "pipeline" || name == "pipeline/page" || name == "pipeline/intake" ||
			name == "internal/mat" || name == "ocr/ppocr" || name == "ocr/tesseract"
		for _, dep := range p.Deps {
			if slices.Contains(native, dep) && !allowed {
				t.Errorf("%s reaches %s", name, dep)
			}
		}
	}
}

// TestImportsRunDownwards: cmd → server → worker → storage → report, and
// cmd → pipeline → ocr, quality.
func TestImportsRunDownwards(t *testing.T) {
	// Each package may import these of the module and nothing else of it.
	may := map[string][]string{
		"pipeline/report":   {},
		"pipeline/codes":    {},
		"ocr":               {},
		"pipeline/license":  {"ocr", "pipeline/codes", "pipeline/report"},
		"pipeline/verdict":  {"pipeline/codes", "pipeline/license", "pipeline/report", "quality"},
		"quality":           {"ocr", "pipeline/report"},
		"internal/mat":      {"ocr"},
		"ocr/ppocr":         {"internal/mat", "ocr"},
		"ocr/tesseract":     {"internal/mat", "ocr"},
		"ocr/qr":            {"ocr", "pipeline/codes", "pipeline/report"},
		"pipeline/intake":   {"internal/mat", "pipeline/report"},
		"pipeline/likeness": {"pipeline/report"},
		"pipeline/page":     {"internal/mat", "ocr", "pipeline/report"},
		"pipeline": {"internal/mat", "ocr", "ocr/qr", "pipeline/codes", "pipeline/intake", "pipeline/license", "pipeline/likeness", "pipeline/page",
			"pipeline/report", "pipeline/verdict", "quality"},
		"eval":            {"pipeline/license", "pipeline/report", "synth"},
		"drawing":         {"pipeline/report"},
		"calibration":     {"eval", "pipeline/codes", "pipeline/report", "quality", "synth"},
		"synth":           {"pipeline/codes", "pipeline/report"},
		"storage/objects": {},
		"storage/vault":   {},
		"storage/records": {"pipeline/report"},
		"storage/backup":  {"storage/records"},
		"storage/spool":   {"storage/objects", "storage/vault"},
		"worker/engine":   {"pipeline/report"},
		"worker/batch":    {"pipeline/report"},
		"worker/webhook":  {"storage/records", "storage/vault"},
		"worker/certify":  {"pipeline/codes", "pipeline/report"},
		"worker": {"pipeline/codes", "pipeline/license", "pipeline/likeness", "pipeline/report", "pipeline/verdict", "storage/objects", "storage/records", "storage/spool", "storage/vault",
			"worker/batch", "worker/certify", "worker/engine", "worker/webhook"},
		"worker/client":   {"pipeline/report", "storage/objects", "storage/records", "storage/spool", "storage/vault", "worker", "worker/batch"},
		"worker/redecide": {"pipeline/report", "pipeline/verdict", "storage/records", "storage/vault", "worker"},
		"server/rates":    {},
		"server/signin":   {},
		"server/console": {"pipeline/codes", "pipeline/license", "pipeline/report", "pipeline/verdict", "server/rates", "server/signin", "storage/records", "storage/vault",
			"worker", "worker/batch", "worker/engine"},
		"server": {"pipeline/report", "pipeline/codes", "pipeline/verdict", "server/console", "server/rates", "server/signin", "storage/objects", "storage/records", "storage/vault",
			"worker", "worker/batch", "worker/certify", "worker/client", "worker/engine", "worker/webhook"},
	}
	for name, p := range list(t, module+"...") {
		allowed, ruled := may[name]
		if !ruled {
			if name != "cmd/heyan" && name != "internal/imports" && name != "e2e" && !strings.HasPrefix(name, "storage/storagetest") {
				t.Errorf("%s has no rule here", name)
			}
			continue
		}
		for _, path := range p.Imports {
			if own, is := strings.CutPrefix(path, module); is && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s", name, own)
			}
		}
	}
}

// TestQueueHasOneImporter: worker alone knows asynq.
func TestQueueHasOneImporter(t *testing.T) {
	for name, p := range list(t, module+"...") {
		if slices.Contains(p.Imports, "github.com/hibiken/asynq") && name != "worker" {
			t.Errorf("%s imports asynq", name)
		}
	}
}

// TestCodesUseTheStandardLibraryAlone holds what DESIGN says of codes.
func TestCodesUseTheStandardLibraryAlone(t *testing.T) {
	packages := list(t, "-deps", module+"pipeline/codes")
	for name, p := range packages {
		if !p.Standard && name != "pipeline/codes" {
			t.Errorf("codes reaches %s", name)
		}
	}
}
