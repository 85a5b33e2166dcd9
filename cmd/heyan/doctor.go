package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"

	"github.com/heyan/heyan/ocr/ppocr"
	"github.com/heyan/heyan/ocr/tesseract"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/worker/client"
	"github.com/heyan/heyan/worker/engine"
)

type doctorCommand struct {
	engineFlags
	Service string `env:"HEYAN_SERVICE" help:"Address of a service to examine from end to end, in place of this machine."`
	Key     string `env:"HEYAN_KEY" help:"Key of the service; with all scopes everything is tried."`
}

// Run looks at every part that the program needs and says of each what it is
// or what is missing.
func (c *doctorCommand) Run(ctx context.Context, std standard) error {
	if c.Service != "" {
		return examine(ctx, client.HTTP{Base: c.Service, Key: c.Key}, std.out)
	}
	missing := 0
	say := func(part, found string, err error) {
		if err != nil {
			missing++
			fmt.Fprintf(std.out, "missing  %-14s %v\n", part, err)
			return
		}
		fmt.Fprintf(std.out, "ok       %-14s %s\n", part, found)
	}
	say("heyan", fmt.Sprintf("%s, %s, %s/%s, %d cores", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU()), nil)
	runtimeVersion, err := ppocr.RuntimeVersion()
	say("ONNX Runtime", runtimeVersion, err)
	models, err := ppocr.LoadModels(c.Models)
	say("models", fmt.Sprintf("%s, first reading %s", models.Default, models.Fast), err)
	for _, file := range models.Files(c.ModelSet, c.FastSet) {
		path, err := ppocr.Asset(file)
		say("model file", path, err)
	}
	say("Tesseract", tesseract.Version(), nil)
	code, err := tesseract.NewCodeReader()
	if err == nil {
		err = code.Close()
	}
	say("Tesseract eng", "language data", err)
	full, err := tesseract.New()
	if err == nil {
		err = full.Close()
	}
	say("Tesseract chi", "language data", err)
	for _, tool := range [][2]string{{"pdftoppm", "poppler-utils"}, {"pdfinfo", "poppler-utils"},
		{"heif-convert", "libheif-examples"}, {"prlimit", "util-linux"}} {
		path, err := exec.LookPath(tool[0])
		if err != nil {
			err = fmt.Errorf("%s is not on PATH (Debian package %s)", tool[0], tool[1])
		}
		say(tool[0], path, err)
	}
	say("policies", strings.Join(verdict.Policies(), ", "), nil)
	say("engine child", "starts and answers", c.tryChild(ctx))
	if missing > 0 {
		return fmt.Errorf("doctor: %d parts are missing; `make deps` installs them", missing)
	}
	return nil
}

// tryChild has a child answer on a file that is no picture.
func (c *doctorCommand) tryChild(ctx context.Context) error {
	pool, err := c.pool(1, 1)
	if err != nil {
		return err
	}
	defer pool.Close()
	_, err = pool.Verify(ctx, engine.Request{Policy: verdict.DefaultPolicy, Picture: []byte("no picture")})
	return err
}
