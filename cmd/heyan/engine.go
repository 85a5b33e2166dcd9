package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/heyan/heyan/ocr/ppocr"
	"github.com/heyan/heyan/ocr/tesseract"
	"github.com/heyan/heyan/pipeline"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/worker/engine"
)

// engineFlags choose how pictures are read; the commands that start children
// hand them on.
type engineFlags struct {
	Models   string `type:"path" help:"Model configuration (JSON) in place of the built-in one." env:"HEYAN_MODELS"`
	ModelSet string `help:"Model set of the configuration that reads the lines that decide." env:"HEYAN_MODEL_SET"`
	FastSet  string `help:"Model set that reads every line first." env:"HEYAN_FAST_SET"`
	Fields   string `enum:"needed,all" default:"needed" help:"Read the fields that checks need, or all, the body of the scope too (${enum})."`
}

// command is the child's command line: this program again.
func (f engineFlags) command(threads int) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("path of this program: %w", err)
	}
	line := []string{self, "engine", fmt.Sprintf("--threads=%d", threads), "--fields=" + f.Fields}
	for flag, value := range map[string]string{"--models=": f.Models, "--model-set=": f.ModelSet, "--fast-set=": f.FastSet} {
		if value != "" {
			line = append(line, flag+value)
		}
	}
	return line, nil
}

// pool starts size children with so many threads each.
func (f engineFlags) pool(size, threads int) (*engine.Pool, error) {
	line, err := f.command(threads)
	if err != nil {
		return nil, err
	}
	return engine.NewPool(engine.Config{Command: line, Size: size})
}

type engineCommand struct {
	engineFlags
	Threads int `default:"1" help:"Lines read at the same time."`
}

func (c *engineCommand) Run(ctx context.Context) error {
	p, err := c.pipeline()
	if err != nil {
		return err
	}
	out, err := engine.TakeStdout()
	if err != nil {
		return err
	}
	policies := map[string]verdict.Policy{}
	return engine.Serve(ctx, os.Stdin, out, engine.Handlers{Views: makeViews, Verify: func(ctx context.Context, request engine.Request) (report.Report, error) {
		policy, ok := policies[request.Policy]
		if !ok {
			if policy, err = verdict.LoadPolicy(request.Policy, anyFile{}); err != nil {
				return report.Report{}, err
			}
			policies[request.Policy] = policy
		}
		cpu, wall := cpuTime(), time.Now()
		judge := p.Verify
		if request.Precheck {
			judge = p.Precheck
		}
		answer, err := judge(ctx, request.Submission, request.Picture, policy)
		if err != nil {
			return report.Report{}, err
		}
		answer.TimingsMS["cpu"] = float64((cpuTime() - cpu).Microseconds()) / 1000
		answer.TimingsMS["total"] = float64(time.Since(wall).Microseconds()) / 1000
		return answer, nil
	}})
}

func makeViews(ctx context.Context, request engine.ViewRequest) (engine.Views, error) {
	v, err := pipeline.MakeViews(ctx, request.Picture, request.Quad)
	return engine.Views{
		Geometry: engine.Geometry{
			Width: v.Width, Height: v.Height, PhotoWidth: v.Photo.Width, PhotoHeight: v.Photo.Height,
			PreviewWidth: v.Preview.Width, PreviewHeight: v.Preview.Height, PageWidth: v.Page.Width, PageHeight: v.Page.Height, ToPage: v.ToPage,
		},
		Photo: v.Photo.JPEG, Preview: v.Preview.JPEG, Page: v.Page.JPEG,
	}, err
}

// pipeline loads the engines. Where models are not installed, Tesseract reads
// everything; reports say so.
func (c *engineCommand) pipeline() (*pipeline.Pipeline, error) {
	second, err := tesseract.NewCodeReader()
	if err != nil {
		return nil, err
	}
	p := &pipeline.Pipeline{Second: second, Now: time.Now, Threads: c.Threads, AllFields: c.Fields == "all"}
	models, err := ppocr.LoadModels(c.Models)
	if err != nil {
		return nil, err
	}
	accurate, err := ppocr.New(ppocr.Options{Models: models, Set: c.ModelSet, Parallel: c.Threads})
	var missing *ppocr.MissingAssetError
	switch {
	case errors.As(err, &missing):
		slog.Warn("models are missing, Tesseract reads everything", "error", missing)
		fallback, err := tesseract.New()
		if err != nil {
			return nil, err
		}
		p.Detector, p.Fast, p.Accurate = fallback, fallback, fallback
	case err != nil:
		return nil, err
	default:
		fast := accurate
		if set := cmp.Or(c.FastSet, models.Fast); set != cmp.Or(c.ModelSet, models.Default) {
			if fast, err = ppocr.New(ppocr.Options{Models: models, Set: set, Parallel: c.Threads}); err != nil {
				return nil, err
			}
		}
		p.Detector, p.Fast, p.Accurate = accurate, fast, accurate
	}
	p.Versions = map[string]string{
		"heyan": version, "reader": p.Accurate.Name(), "first_reader": p.Fast.Name(), "code_reader": second.Name()}
	return p, nil
}

// anyFile opens policies by whatever path the operator of this machine gives.
type anyFile struct{}

func (anyFile) Open(name string) (fs.File, error) { return os.Open(name) }

// cpuTime is the processor time this process has used.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// systemReport is the report of a picture that we failed on. Detail is for the
// person at this terminal.
func systemReport(s report.Submission, code, detail string) report.Report {
	slog.Error("no verdict", "file", oneLine(s.File), "code", code, "detail", detail)
	r := decided(s, verdict.Evidence{Declared: s.Declared, Basis: report.Basis{System: code}})
	for i := range r.Checks {
		if r.Checks[i].Status == report.CheckFailed {
			r.Checks[i].Note = detail
		}
	}
	return r
}

// decided is the report of a picture that was never read.
func decided(s report.Submission, evidence verdict.Evidence) report.Report {
	policy, err := verdict.LoadPolicy(s.Policy, anyFile{})
	if err != nil {
		policy = verdict.Policy{}
	}
	outcome, reasons, checks := verdict.Decide(verdict.Check(evidence, policy, time.Now()), policy)
	return report.Report{
		ID: s.ID, File: s.File, Status: report.StatusCompleted, Outcome: outcome, Policy: policy.ID(),
		Reasons: reasons, Checks: checks, Fields: map[report.FieldName]report.Field{}, QR: []report.QR{},
		Basis: &evidence.Basis, TimingsMS: map[string]float64{}, Versions: map[string]string{"heyan": version},
	}
}
