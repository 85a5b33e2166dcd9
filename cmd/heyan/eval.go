package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/heyan/heyan/eval"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
)

type evalCommand struct {
	engineFlags
	Policy  string `default:"photo" help:"Policy: the name of a shipped one or the path of a file."`
	Floors  string `type:"existingfile" help:"Floors (JSON) that the run must reach."`
	Misses  bool   `help:"List every value that was not read as printed."`
	Save    string `type:"path" help:"Write the reports, one a line, for --against of a later run."`
	Against string `type:"existingfile" help:"Reports of an earlier run: show every picture that flipped."`
	Truth   string `arg:"" type:"existingfile" help:"Truth table (tab-separated); files are relative to its folder."`
}

func (c *evalCommand) Run(ctx context.Context, std standard) error {
	pictures, err := readTruth(c.Truth)
	if err != nil {
		return &exit{exitUsage, err}
	}
	policy, err := verdict.LoadPolicy(c.Policy, anyFile{})
	if err != nil {
		return &exit{exitUsage, err}
	}
	pool, err := c.pool(runtime.NumCPU(), 1)
	if err != nil {
		return err
	}
	defer pool.Close()

	reports := inOrder(len(pictures), runtime.NumCPU(), func(i int) report.Report {
		submission := report.Submission{ID: newID(), File: pictures[i].File, Policy: c.Policy}
		return verifyFile(ctx, pool, submission, pictures[i].Path, policy)
	})
	var results []eval.Result
	for r := range reports {
		results = append(results, eval.Result{Picture: pictures[len(results)], Report: r})
		if len(results)%20 == 0 {
			fmt.Fprintf(std.err, "eval: %d of %d pictures\n", len(results), len(pictures))
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	summary := eval.Summarize(results)
	if err := summary.Print(std.out); err != nil {
		return err
	}
	if c.Misses {
		if err := summary.PrintMisses(std.out); err != nil {
			return err
		}
	}
	if c.Against != "" {
		before, err := readReports(c.Against, pictures)
		if err != nil {
			return &exit{exitUsage, err}
		}
		fmt.Fprintln(std.out)
		for _, flip := range eval.Flips(before, results) {
			fmt.Fprintln(std.out, flip)
		}
	}
	if c.Save != "" {
		if err := saveReports(c.Save, results); err != nil {
			return err
		}
	}
	return c.hold(std.out, summary)
}

// hold fails the command when a floor is broken.
func (c *evalCommand) hold(w io.Writer, summary eval.Summary) error {
	if c.Floors == "" {
		return nil
	}
	file, err := os.Open(c.Floors)
	if err != nil {
		return err
	}
	defer file.Close()
	floors, err := eval.ReadFloors(file)
	if err != nil {
		return &exit{exitUsage, err}
	}
	broken := floors.Broken(summary)
	if len(broken) == 0 {
		fmt.Fprintln(w, "\nall floors hold")
		return nil
	}
	for _, b := range broken {
		fmt.Fprintln(w, "floor broken:", b)
	}
	return &exit{code: exitVerdict}
}

func readTruth(path string) ([]eval.Picture, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return eval.ReadTruth(file, filepath.Dir(path))
}

func saveReports(path string, results []eval.Result) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	for _, r := range results {
		if err := json.NewEncoder(w).Encode(r.Report); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return errors.Join(w.Flush(), file.Close())
}

// readReports reads saved reports and joins them with their truth by file.
func readReports(path string, pictures []eval.Picture) ([]eval.Result, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	byFile := map[string]eval.Picture{}
	for _, p := range pictures {
		byFile[p.File] = p
	}
	var results []eval.Result
	for d := json.NewDecoder(file); ; {
		var r report.Report
		err := d.Decode(&r)
		if errors.Is(err, io.EOF) {
			return results, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		results = append(results, eval.Result{Picture: byFile[r.File], Report: r})
	}
}
