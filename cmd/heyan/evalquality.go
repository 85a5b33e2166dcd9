package main

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"github.com/heyan/heyan/eval"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/worker/engine"
)

type evalQualityCommand struct {
	engineFlags
	Policy string `default:"photo" help:"Policy: the name of a shipped one or the path of a file."`
	Set    string `type:"path" default:"build/quality" help:"Folder of the synthetic set; drawn where it is not complete."`
	Small  bool   `help:"The small set, for every change."`
	Seed   uint64 `help:"Draw another set of the same kind: one that nothing was tuned on."`
	Real   string `type:"existingfile" placeholder:"TRUTH" help:"Truth table of real pictures (tab-separated)."`
	Floors string `type:"existingfile" help:"Floors (JSON) that the rows must reach."`
	Misses bool   `help:"List the pictures that keep each row from its best."`
	Save   string `type:"path" help:"Write the reports, one a line, for --from of a later run."`
	From   string `type:"existingfile" help:"Take the reports of an earlier run; read only pictures without one."`
}

func (c *evalQualityCommand) Run(ctx context.Context, std standard) error {
	policy, err := verdict.LoadPolicy(c.Policy, anyFile{})
	if err != nil {
		return &exit{exitUsage, err}
	}
	samples, err := c.samples(ctx, std.err)
	if err != nil {
		return err
	}
	var real []eval.Picture
	if c.Real != "" {
		if real, err = readTruth(c.Real); err != nil {
			return &exit{exitUsage, err}
		}
	}
	files := make([]pictureFile, 0, len(samples)+len(real))
	for _, s := range samples {
		files = append(files, pictureFile{s.Name, s.Path})
	}
	for _, p := range real {
		files = append(files, pictureFile{"real/" + p.File, p.Path})
	}
	reports, err := c.read(ctx, files, policy, std.err)
	if err != nil {
		return err
	}
	for i := range samples {
		samples[i].Report = reports[i]
	}
	var results []eval.Result
	for i, p := range real {
		results = append(results, eval.Result{Picture: p, Report: reports[len(samples)+i]})
	}
	rows := eval.QualityRows(samples, results)
	if err := eval.PrintRows(std.out, rows, c.Misses); err != nil {
		return err
	}
	return hold(std.out, c.Floors, eval.ReadRowFloors, rows)
}

// samples draws what is not drawn yet.
func (c *evalQualityCommand) samples(ctx context.Context, log io.Writer) ([]eval.Sample, error) {
	var samples []eval.Sample
	for _, part := range eval.QualityParts(c.Small, c.Seed) {
		fmt.Fprintf(log, "eval-quality: %s/%s, %d pictures\n", c.Set, part.Name, part.Options.Count)
		if err := part.Draw(ctx, c.Set); err != nil {
			return nil, err
		}
		drawn, err := part.Samples(c.Set)
		if err != nil {
			return nil, err
		}
		samples = append(samples, drawn...)
	}
	return samples, nil
}

// pictureFile is a picture by the name that its report is kept under.
type pictureFile struct{ name, path string }

// read gives the report of each file: that of an earlier run, or a new one.
func (c *evalQualityCommand) read(ctx context.Context, files []pictureFile, policy verdict.Policy, log io.Writer) ([]report.Report, error) {
	known := map[string]report.Report{}
	if c.From != "" {
		saved, err := readReports(c.From)
		if err != nil {
			return nil, &exit{exitUsage, err}
		}
		for _, r := range saved {
			known[r.File] = r
		}
	}
	children := runtime.NumCPU()
	pool, err := c.pool(children, 1)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	var reports []report.Report
	for r := range inOrder(len(files), children, func(i int) report.Report {
		if r, ok := known[files[i].name]; ok {
			return r
		}
		return verifyFile(ctx, pool, engine.Request{Submission: report.Submission{ID: newID(), File: files[i].name}, Policy: c.Policy}, files[i].path, policy)
	}) {
		if reports = append(reports, r); len(reports)%50 == 0 {
			fmt.Fprintf(log, "eval-quality: %d of %d pictures read\n", len(reports), len(files))
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.Save != "" {
		return reports, writeReports(c.Save, reports)
	}
	return reports, nil
}
