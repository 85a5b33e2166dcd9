package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/heyan/heyan/worker/batch"
	"github.com/heyan/heyan/worker/client"
)

type batchCommand struct {
	Submit   batchSubmitCommand   `cmd:"" help:"Send a file of lines with its pictures to a service."`
	Status   batchStatusCommand   `cmd:"" help:"Where a batch stands and how it came out so far; without an id the newest batches."`
	Pause    batchPauseCommand    `cmd:"" help:"Submit no further lines; what was submitted goes on."`
	Resume   batchResumeCommand   `cmd:"" help:"Go on after a pause."`
	Cancel   batchCancelCommand   `cmd:"" help:"Give up the lines that were not submitted."`
	Results  batchResultsCommand  `cmd:"" help:"What became of each line."`
	Errors   batchErrorsCommand   `cmd:"" help:"The bad lines, and what is wrong with each."`
	Check    batchCheckCommand    `cmd:"" help:"Check a file of lines here, without a service."`
	Redecide batchRedecideCommand `cmd:"" help:"Tell which stored verifications another policy would have decided otherwise, and why. Nothing is read again or written."`
}

type batchSubmitCommand struct {
	serviceKeyFlags
	Pictures string `type:"path" placeholder:"DIR|ZIP" help:"Folder or ZIP of the pictures that lines name. Without it lines name uploads, or an organization whose last picture is stored."`
	Name     string `help:"What people call the batch; that of the file by default."`
	Policy   string `help:"Name of a policy of the service; its own by default."`
	Priority string `enum:"interactive,standard,batch" default:"batch" help:"Who waits; batch lets applicants go first."`
	Wait     bool   `help:"Show the progress until every line has its verdict, then the summary."`
	File     string `arg:"" type:"existingfile" help:"Lines: CSV, JSONL or XLSX."`
}

func (c *batchSubmitCommand) Run(ctx context.Context, std standard) error {
	service, err := c.client("batch")
	if err != nil {
		return err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	upload := client.BatchUpload{BatchTerms: client.BatchTerms{Name: c.Name, Policy: c.Policy, Priority: c.Priority}, FileName: c.File, File: file}
	if upload.Name == "" {
		upload.Name = filepath.Base(c.File)
	}
	if c.Pictures != "" {
		upload.Pictures = func(w io.Writer) error { return sendPictures(w, c.Pictures, c.File) }
	}
	b, err := service.SubmitBatch(ctx, upload)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s\n", b.ID)
	fmt.Fprintf(std.err, "batch: the file is %s, %s\n", b.File.Format, b.File.Encoding)
	if len(b.File.Ignored) > 0 {
		fmt.Fprintf(std.err, "batch: columns that are not known were passed over: %s\n", strings.Join(b.File.Ignored, ", "))
	}
	if !c.Wait {
		return nil
	}
	return waitForBatch(ctx, std, service, b.ID)
}

// sendPictures writes a ZIP as it is, and of a folder a ZIP of the pictures that
// lines name.
func sendPictures(w io.Writer, from, lines string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		folder, err := batch.Folder(from, client.MaxPicture)
		if err != nil {
			return err
		}
		defer folder.Close()
		return batch.WriteZIP(w, folder, namedPictures(lines))
	}
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(w, file)
	return err
}

// namedPictures are those that the good lines of a file name.
func namedPictures(path string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		lines, file, err := openLines(path)
		if err != nil {
			yield("", err)
			return
		}
		defer file.Close()
		for {
			line, faults, err := lines.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil || len(faults) == 0 && line.Picture != "" {
				if !yield(line.Picture, err) || err != nil {
					return
				}
			}
		}
	}
}

// openLines opens a file of lines; close the file after the reader.
func openLines(path string) (*batch.Reader, *os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	head := make([]byte, batch.DetectBytes)
	n, err := file.ReadAt(head, 0)
	var lines *batch.Reader
	if err == nil || errors.Is(err, io.EOF) {
		var format batch.Format
		if format, err = batch.Detect(path, head[:n]); err == nil {
			lines, err = batch.Open(file, format)
		}
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return lines, file, nil
}

type batchStatusCommand struct {
	serviceKeyFlags
	Wait bool   `help:"Show the progress until every line has its verdict."`
	JSON bool   `help:"Print the summary as JSON."`
	ID   string `arg:"" optional:"" help:"Id of a batch."`
}

func (c *batchStatusCommand) Run(ctx context.Context, std standard) error {
	service, err := c.client("batch")
	switch {
	case err != nil:
		return err
	case c.ID == "":
		return printBatches(ctx, std, service)
	case c.Wait:
		return waitForBatch(ctx, std, service, c.ID)
	}
	s, err := service.BatchSummary(ctx, c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(std.out).Encode(s)
	}
	return printSummary(std.out, s)
}

// shownBatches is how many a list shows.
const shownBatches = 20

func printBatches(ctx context.Context, std standard, service *client.HTTP) error {
	all, err := service.Batches(ctx, shownBatches)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "id\tname\tstate\tlines\tbad\twaiting\tsubmitted\tdone\tmade")
	for _, b := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", b.ID, b.Name, b.State, b.Lines, b.Bad, b.Waiting, b.Submitted, b.Done, day(b.CreatedAt))
	}
	return table.Flush()
}

func printSummary(w io.Writer, s client.BatchSummary) error {
	b := s.Batch
	fmt.Fprintf(w, "%s %s: %d lines, %d bad, %d waiting, %d cancelled, %d submitted, %d of them decided\n",
		b.ID, b.State, b.Lines, b.Bad, b.Waiting, b.Cancelled, b.Submitted, b.Done)
	return (&batch.Summary{Lines: b.Lines, Outcomes: s.Outcomes, Reasons: s.Reasons}).WriteTable(w)
}

// steering is a batch that is to be paused, resumed or cancelled.
type steering struct {
	serviceKeyFlags
	ID string `arg:"" help:"Id of the batch."`
}

func (s *steering) do(ctx context.Context, std standard, action string) error {
	service, err := s.client("batch")
	if err != nil {
		return err
	}
	b, err := service.SteerBatch(ctx, s.ID, action)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "batch: %s is %s; %d lines wait, %d are submitted\n", b.ID, b.State, b.Waiting, b.Submitted)
	return nil
}

type (
	batchPauseCommand  struct{ steering }
	batchResumeCommand struct{ steering }
	batchCancelCommand struct{ steering }
)

func (c *batchPauseCommand) Run(ctx context.Context, std standard) error {
	return c.do(ctx, std, "pause")
}

func (c *batchResumeCommand) Run(ctx context.Context, std standard) error {
	return c.do(ctx, std, "resume")
}

func (c *batchCancelCommand) Run(ctx context.Context, std standard) error {
	return c.do(ctx, std, "cancel")
}

// fileFlags are of a batch's files.
type fileFlags struct {
	serviceKeyFlags
	Format   batch.Format   `enum:"csv,jsonl,xlsx" default:"csv" help:"csv, jsonl or xlsx."`
	Language batch.Language `enum:"zh,en" default:"zh" help:"Of headers and messages, zh or en; JSONL has both."`
	Output   string         `short:"o" type:"path" placeholder:"FILE" help:"File to write; standard output by default."`
	ID       string         `arg:"" help:"Id of the batch."`
}

// save writes the file whole or not at all.
func (f *fileFlags) save(ctx context.Context, std standard, kind string) error {
	service, err := f.client("batch")
	if err != nil {
		return err
	}
	body, err := service.BatchFile(ctx, f.ID, kind, f.Format, f.Language)
	if err != nil {
		return err
	}
	defer body.Close()
	if f.Output == "" {
		_, err = io.Copy(std.out, body)
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(f.Output), ".heyan-batch-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = io.Copy(file, body)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), f.Output)
}

type (
	batchResultsCommand struct{ fileFlags }
	batchErrorsCommand  struct{ fileFlags }
)

func (c *batchResultsCommand) Run(ctx context.Context, std standard) error {
	return c.save(ctx, std, "results")
}

func (c *batchErrorsCommand) Run(ctx context.Context, std standard) error {
	return c.save(ctx, std, "errors")
}

type batchCheckCommand struct {
	Pictures string `type:"path" placeholder:"DIR|ZIP" help:"Look whether the pictures that lines name are there, too."`
	JSON     bool   `help:"Print one error a line as JSON."`
	File     string `arg:"" type:"existingfile" help:"Lines: CSV, JSONL or XLSX."`
}

func (c *batchCheckCommand) Run(_ context.Context, std standard) error {
	pictures, closePictures, err := openPictures(c.Pictures)
	if err != nil {
		return err
	}
	defer closePictures()
	lines, file, err := openLines(c.File)
	if err != nil {
		return unfit(err)
	}
	defer file.Close()
	begin, bad, sum := time.Now(), 0, batch.Summary{}
	for {
		line, faults, err := lines.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return unfit(err)
		}
		if len(faults) == 0 && pictures != nil && line.Picture != "" {
			if faults, err = lookFor(pictures, line); err != nil {
				return err
			}
		}
		if len(faults) > 0 {
			bad++
		}
		sum.Add(batch.Result{Errors: faults})
		for _, e := range faults {
			if err := c.print(std.out, e); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(std.err, "batch: %s, read in %s\n", lines.Encoding(), time.Since(begin).Round(time.Millisecond))
	if ignored := lines.Ignored(); len(ignored) > 0 {
		fmt.Fprintf(std.err, "batch: columns that are not known are passed over: %s\n", strings.Join(ignored, ", "))
	}
	if err := sum.WriteTable(std.err); err != nil {
		return err
	}
	if bad > 0 {
		return &exit{code: exitVerdict}
	}
	return nil
}

// unfit is what is wrong with a file as a whole.
func unfit(err error) error {
	if errors.As(err, new(*batch.FileError)) {
		return &exit{exitVerdict, err}
	}
	return err
}

func (c *batchCheckCommand) print(w io.Writer, e batch.LineError) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(e)
	}
	_, err := fmt.Fprintf(w, "line %d\t%s\t%s\t%s\t%s %s\n", e.Line, e.CustomID, e.Column, e.Rule, e.Message.ZH, e.Message.EN)
	return err
}

func openPictures(from string) (batch.Pictures, func(), error) {
	if from == "" {
		return nil, func() {}, nil
	}
	info, err := os.Stat(from)
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		folder, err := batch.Folder(from, client.MaxPicture)
		return folder, func() { folder.Close() }, err
	}
	file, err := os.Open(from)
	if err != nil {
		return nil, nil, err
	}
	pictures, err := batch.ZIP(file, info.Size(), client.MaxPicture)
	if err != nil {
		file.Close()
		return nil, nil, unfit(err)
	}
	return pictures, func() { file.Close() }, nil
}

func lookFor(pictures batch.Pictures, line batch.Line) ([]batch.LineError, error) {
	_, err := pictures.Read(line.Picture)
	if refused, is := errors.AsType[*batch.PictureError](err); is {
		return []batch.LineError{{Line: line.Number, CustomID: line.CustomID, Column: "picture", Rule: refused.Rule, Message: refused.Message}}, nil
	}
	return nil, err
}
