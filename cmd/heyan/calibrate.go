package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/heyan/heyan/calibration"
	"github.com/heyan/heyan/eval"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/quality"
	"github.com/heyan/heyan/synth"
	"github.com/heyan/heyan/worker/engine"
)

type calibrateCommand struct {
	engineFlags
	Real     string   `type:"existingfile" placeholder:"TRUTH" help:"Truth table (tab-separated) of real pictures to fit with."`
	Reports  string   `type:"path" placeholder:"FILE" help:"Reports, one a line: those that are there are used again, the others are read and added."`
	Write    string   `type:"path" placeholder:"FILE" help:"Write the calibration; quality/calibration.json is built in."`
	Report   string   `type:"path" placeholder:"DIR" help:"Write index.html into this folder: figures, curves, coefficients, and what was misjudged."`
	Seed     uint64   `default:"1" help:"Seed of the split and of the intervals."`
	Children int      `help:"Pictures read side by side; default one per core."`
	Sets     []string `arg:"" type:"existingdir" help:"Folders that heyan synth write made."`
}

// labeled is a picture with its truth and, of a synthetic one, how it was drawn.
type labeled struct {
	eval.Picture
	set    string
	synth  *synth.Picture
	sha256 string
}

func (c *calibrateCommand) Run(ctx context.Context, std standard) error {
	pictures, err := c.pictures()
	if err != nil {
		return &exit{exitUsage, err}
	}
	reports, err := c.read(ctx, std, pictures)
	if err != nil {
		return err
	}
	var samples []calibration.Sample
	for _, p := range pictures {
		if s, ok := calibration.NewSample(p.set, eval.Result{Picture: p.Picture, Report: reports[p.sha256]}, p.synth); ok {
			samples = append(samples, s)
		}
	}
	fitted, err := calibration.Fit(samples, c.Seed)
	if err != nil {
		return &exit{exitUsage, err}
	}
	fitted.Date, fitted.Version = time.Now().Format(time.DateOnly), version
	fitted.Command, fitted.Sets = c.again(), calibration.Describe(samples)
	fitted.Metrics = calibration.Metrics(samples, c.Seed)
	if err := printCalibration(std, fitted); err != nil {
		return err
	}
	if c.Report != "" {
		if err := c.page(ctx, fitted, samples); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	if c.Write == "" {
		return nil
	}
	data, err := json.MarshalIndent(fitted, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(c.Write, append(data, '\n'), 0o644)
}

// again is how to make the calibration again; folders go by their names.
func (c *calibrateCommand) again() string {
	line := "heyan calibrate"
	for _, set := range c.Sets {
		line += " " + filepath.Base(set)
	}
	if c.Real != "" {
		line += " --real " + filepath.Base(filepath.Dir(c.Real)) + "/" + filepath.Base(c.Real)
	}
	return line + fmt.Sprintf(" --seed %d", c.Seed)
}

// pictures are those of all sets, by their content.
func (c *calibrateCommand) pictures() ([]labeled, error) {
	var all []labeled
	for _, dir := range c.Sets {
		file, err := os.Open(filepath.Join(dir, "truth.jsonl"))
		if err != nil {
			return nil, err
		}
		drawn, err := synth.ReadTruth(file)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		table, err := readTruth(filepath.Join(dir, "truth.tsv"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		if len(table) != len(drawn) {
			return nil, fmt.Errorf("%s: truth.tsv has %d pictures, truth.jsonl %d", dir, len(table), len(drawn))
		}
		for i, p := range table {
			all = append(all, labeled{p, filepath.Base(dir), &drawn[i], drawn[i].SHA256})
		}
	}
	if c.Real == "" {
		return all, nil
	}
	table, err := readTruth(c.Real)
	if err != nil {
		return nil, err
	}
	for _, p := range table {
		content, err := os.ReadFile(p.Path)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		all = append(all, labeled{Picture: p, sha256: hex.EncodeToString(sum[:])})
	}
	return all, nil
}

// read gives the report of every picture by its SHA-256, and adds those that were
// not there to the file of reports.
func (c *calibrateCommand) read(ctx context.Context, std standard, pictures []labeled) (map[string]report.Report, error) {
	known := map[string]report.Report{}
	if c.Reports != "" {
		before, err := readReports(c.Reports)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, r := range before {
			known[r.Picture.SHA256] = r
		}
	}
	var open []labeled
	for _, p := range pictures {
		if _, ok := known[p.sha256]; !ok {
			open = append(open, p)
		}
	}
	if len(open) == 0 {
		return known, nil
	}
	children := max(cmp.Or(c.Children, runtime.NumCPU()), 1)
	pool, err := c.pool(children, max(1, runtime.NumCPU()/children))
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	policy, err := verdict.LoadPolicy(verdict.DefaultPolicy, nil)
	if err != nil {
		return nil, err
	}
	save := func(report.Report) error { return nil }
	if c.Reports != "" {
		file, err := os.OpenFile(c.Reports, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		save = func(r report.Report) error { return json.NewEncoder(file).Encode(r) }
	}
	n := 0
	for r := range inOrder(len(open), children, func(i int) report.Report {
		return verifyFile(ctx, pool, engine.Request{Submission: report.Submission{ID: newID(), File: open[i].File}}, open[i].Path, policy)
	}) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		known[open[n].sha256] = r
		if err := save(r); err != nil {
			return nil, err
		}
		if n++; n%20 == 0 {
			fmt.Fprintf(std.err, "calibrate: %d of %d pictures\n", n, len(open))
		}
	}
	return known, nil
}

func printCalibration(std standard, c quality.Calibration) error {
	w := tabwriter.NewWriter(std.out, 0, 4, 2, ' ', 0)
	for _, set := range c.Sets {
		fmt.Fprintln(w, set)
	}
	for _, m := range c.Metrics {
		fmt.Fprintf(w, "%s\t%.4f\t%.4f-%.4f\n", m.Name, m.Value, m.Low, m.High)
	}
	for _, row := range calibration.Coefficients(c) {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// page writes index.html and the pictures of its examples.
func (c *calibrateCommand) page(ctx context.Context, fitted quality.Calibration, samples []calibration.Sample) error {
	if err := os.MkdirAll(c.Report, 0o755); err != nil {
		return err
	}
	policy, err := verdict.LoadPolicy(verdict.DefaultPolicy, nil)
	if err != nil {
		return err
	}
	examples := calibration.Misjudged(samples)
	for i, e := range examples {
		name := fmt.Sprintf("%02d-%s.jpg", i+1, e.Line.Field)
		sight := eval.Sight{Miss: eval.Miss{Field: e.Line.Field}, Result: e.Sample.Result}
		if err := saveCrop(ctx, filepath.Join(c.Report, name), sight, policy); err != nil {
			return err
		}
		examples[i].Crop = name
	}
	file, err := os.Create(filepath.Join(c.Report, "index.html"))
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	return errors.Join(calibration.WritePage(w, fitted, samples, examples), w.Flush(), file.Close())
}
