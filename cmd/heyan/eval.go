package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/disintegration/imaging"

	"github.com/heyan/heyan/drawing"
	"github.com/heyan/heyan/eval"
	"github.com/heyan/heyan/pipeline/intake"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/worker/engine"
)

type evalCommand struct {
	engineFlags
	Policy  string `default:"photo" help:"Policy: the name of a shipped one or the path of a file."`
	Floors  string `type:"existingfile" help:"Floors (JSON) that the run must reach."`
	Declare bool   `help:"Declare the true code and name with each picture."`
	Misses  bool   `help:"List every value that was not read as printed."`
	Report  string `type:"path" placeholder:"DIR" help:"Write index.html into this folder: the rates, and every miss with its place on the picture."`
	Save    string `type:"path" help:"Write the reports, one a line, for --against of a later run."`
	Against string `type:"existingfile" help:"Reports of an earlier run: show every picture that flipped."`
	// One child with all cores is how a picture is read on an idle machine.
	Children int    `help:"Pictures read side by side, each with its share of the cores; default one per core."`
	Truth    string `arg:"" type:"existingfile" help:"Truth table (tab-separated); files are relative to its folder."`
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
	children := max(cmp.Or(c.Children, runtime.NumCPU()), 1)
	pool, err := c.pool(children, max(1, runtime.NumCPU()/children))
	if err != nil {
		return err
	}
	defer pool.Close()

	reports := inOrder(len(pictures), children, func(i int) report.Report {
		submission := report.Submission{ID: newID(), File: pictures[i].File, Declared: c.declared(pictures[i]), Policy: c.Policy}
		return verifyFile(ctx, pool, engine.Request{Submission: submission, Policy: c.Policy}, pictures[i].Path, policy)
	})
	var results []eval.Result
	for r := range reports {
		picture := pictures[len(results)]
		results = append(results, eval.Result{Picture: picture, Report: r, Declared: c.declared(picture)})
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
	if c.Report != "" {
		if err := writePage(ctx, c.Report, summary, results, policy); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	if c.Against != "" {
		before, err := readReports(c.Against)
		if err != nil {
			return &exit{exitUsage, err}
		}
		fmt.Fprintln(std.out)
		for _, flip := range eval.Flips(joined(before, pictures), results) {
			fmt.Fprintln(std.out, flip)
		}
	}
	if c.Save != "" {
		reports := make([]report.Report, len(results))
		for i, r := range results {
			reports[i] = r.Report
		}
		if err := writeReports(c.Save, reports); err != nil {
			return err
		}
	}
	return hold(std.out, c.Floors, eval.ReadFloors, summary)
}

// declared is what is submitted with a picture.
func (c *evalCommand) declared(p eval.Picture) report.Declared {
	if !c.Declare {
		return report.Declared{}
	}
	return eval.Declare(p)
}

// writePage writes index.html and the picture of each miss: 001-name.jpg for
// the first. A picture that a child could not take in is left out.
func writePage(ctx context.Context, folder string, summary eval.Summary, results []eval.Result, policy verdict.Policy) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	sights := summary.Sights(results)
	crops := inOrder(len(sights), runtime.NumCPU(), func(i int) error {
		if sights[i].Report.Picture.PixelsSHA256 == "" {
			return nil
		}
		sights[i].Crop = fmt.Sprintf("%03d-%s.jpg", i+1, sights[i].Field)
		return saveCrop(ctx, filepath.Join(folder, sights[i].Crop), sights[i], policy)
	})
	for err := range crops {
		if err != nil {
			return err
		}
	}
	file, err := os.Create(filepath.Join(folder, "index.html"))
	if err != nil {
		return err
	}
	return errors.Join(summary.WritePage(file, sights), file.Close())
}

// saveCrop writes the place of a miss.
func saveCrop(ctx context.Context, path string, s eval.Sight, policy verdict.Policy) error {
	content, err := readPicture(s.Path, policy.File.MaxBytes)
	if err != nil {
		return err
	}
	taken, err := intake.Decode(ctx, content, intake.Limits{})
	if err != nil {
		return fmt.Errorf("%s: %w", s.File, err)
	}
	crop, err := place(taken.Image, s.Report, s.Field)
	if err != nil {
		return err
	}
	return imaging.Save(crop, path, imaging.JPEGQuality(85))
}

// sightPx is the longest side of a miss's picture: a whole page stays legible.
const sightPx = 1600

// place is where a field was read with one line round it, upright; the whole
// page with the outline of its sheet when it was not read.
func place(picture *image.NRGBA, r report.Report, name report.FieldName) (image.Image, error) {
	at := outline(r.Fields[name]).Intersect(picture.Rect)
	crop := imaging.Crop(picture, at)
	if at.Empty() {
		var err error
		// Without the fields: their labels would hide what is printed.
		sheet := report.Report{Outcome: r.Outcome, Policy: r.Policy, Document: r.Document}
		if crop, err = drawing.Report(picture, sheet); err != nil {
			return nil, err
		}
	}
	crop = imaging.Fit(crop, sightPx, sightPx, imaging.Linear)
	switch r.Document.RotationDegrees { // clockwise to upright; imaging turns the other way
	case 90:
		crop = imaging.Rotate270(crop)
	case 180:
		crop = imaging.Rotate180(crop)
	case 270:
		crop = imaging.Rotate90(crop)
	}
	return crop, nil
}

// outline is the rectangle round a field and one line more on each side; empty
// without a place.
func outline(f report.Field) image.Rectangle {
	var box image.Rectangle
	for _, p := range f.Polygon {
		x, y, line := int(p[0]), int(p[1]), int(f.EmPx)+1
		box = box.Union(image.Rect(x-line, y-line, x+line, y+line))
	}
	return box
}

// hold fails a command when what it measured breaks a floor of the file at path.
func hold[M any, F interface{ Broken(M) []string }](w io.Writer, path string, read func(io.Reader) (F, error), measured M) error {
	if path == "" {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	floors, err := read(file)
	if err != nil {
		return &exit{exitUsage, err}
	}
	broken := floors.Broken(measured)
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

// joined joins saved reports with their truth by file.
func joined(reports []report.Report, pictures []eval.Picture) []eval.Result {
	byFile := map[string]eval.Picture{}
	for _, p := range pictures {
		byFile[p.File] = p
	}
	results := make([]eval.Result, len(reports))
	for i, r := range reports {
		results[i] = eval.Result{Picture: byFile[r.File], Report: r}
	}
	return results
}

// writeReports writes reports, one a line.
func writeReports(path string, reports []report.Report) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	for _, r := range reports {
		if err := json.NewEncoder(w).Encode(r); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return errors.Join(w.Flush(), file.Close())
}

// readReports reads saved reports.
func readReports(path string) ([]report.Report, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var reports []report.Report
	for d := json.NewDecoder(file); ; {
		var r report.Report
		switch err := d.Decode(&r); {
		case errors.Is(err, io.EOF):
			return reports, nil
		case err != nil:
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		reports = append(reports, r)
	}
}
