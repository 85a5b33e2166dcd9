package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/disintegration/imaging"
	"github.com/google/uuid"

	"github.com/heyan/heyan/drawing"
	"github.com/heyan/heyan/pipeline/intake"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/worker/engine"
)

// declaredFlags are what an applicant declares.
type declaredFlags struct {
	Name               string `help:"Declared company name." group:"declared"`
	USCC               string `name:"uscc" help:"Declared unified social credit code." group:"declared"`
	RegistrationNumber string `help:"Declared registration number (15 digits)." group:"declared"`
	OrganizationCode   string `help:"Declared organization code (11111111-1)." group:"declared"`
	LegalRep           string `help:"Declared legal representative." group:"declared"`
	IDKind             string `help:"Kind of the ID number; told from the number when left out." group:"declared"`
	IDNumber           string `help:"Declared ID number of the legal representative." group:"declared" env:"HEYAN_ID_NUMBER"`
	EntityType         string `help:"Declared entity type." group:"declared"`
	Email              string `help:"Declared email." group:"declared"`
	Phone              string `help:"Declared phone." group:"declared"`
	Policy             string `default:"photo" help:"Policy: the name of a shipped one or the path of a file."`
}

func (f declaredFlags) declared() report.Declared {
	return report.Declared{
		Name: f.Name, USCC: f.USCC, RegistrationNumber: f.RegistrationNumber, OrganizationCode: f.OrganizationCode,
		LegalRepresentative: f.LegalRep, IDKind: f.IDKind, IDNumber: f.IDNumber, EntityType: f.EntityType,
		Email: f.Email, Phone: f.Phone}
}

type verifyCommand struct {
	declaredFlags
	engineFlags
	Precheck bool     `help:"Tell only whether the pictures are worth submitting, without second readings: the time no longer depends on how doubtful the print is."`
	JSON     bool     `help:"Print one report a line."`
	Annotate string   `type:"path" placeholder:"DIR" help:"Write each picture with its fields and reasons drawn on it into this folder."`
	Files    []string `arg:"" name:"file" help:"Pictures: JPEG, PNG, WebP, BMP, TIFF, HEIC, PDF."`
}

func (c *verifyCommand) Run(ctx context.Context, std standard) error {
	policy, err := verdict.LoadPolicy(c.Policy, anyFile{})
	if err != nil {
		return &exit{exitUsage, err}
	}
	children := min(len(c.Files), runtime.NumCPU())
	pool, err := c.pool(children, max(1, runtime.NumCPU()/children))
	if err != nil {
		return err
	}
	defer pool.Close()

	code := exitPass
	reports := inOrder(len(c.Files), children, func(i int) report.Report {
		submission := report.Submission{ID: newID(), File: c.Files[i], Declared: c.declared(), Policy: c.Policy}
		return verifyFile(ctx, pool, engine.Request{Submission: submission, Precheck: c.Precheck, Policy: c.Policy}, c.Files[i], policy)
	})
	n := 0
	for r := range reports {
		if err := printVerdict(std.out, r, c.JSON); err != nil {
			return err
		}
		if c.Annotate != "" {
			if err := annotate(ctx, c.Annotate, n, r, policy); err != nil {
				return err
			}
		}
		n++
		code = max(code, exitCode(r))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if code != exitPass {
		return &exit{code: code}
	}
	return nil
}

// annotate draws a report onto its picture: 001-name.png for the first. A picture
// that a child could not take in is left out.
func annotate(ctx context.Context, folder string, n int, r report.Report, policy verdict.Policy) error {
	if r.Picture.PixelsSHA256 == "" {
		return nil
	}
	content, err := readPicture(r.File, policy.File.MaxBytes)
	if err != nil {
		return err
	}
	taken, err := intake.Decode(ctx, content, intake.Limits{})
	if err != nil {
		return err
	}
	drawn, err := drawing.Report(taken.Image, r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(r.File), filepath.Ext(r.File))
	return imaging.Save(drawn, filepath.Join(folder, fmt.Sprintf("%03d-%s.png", n+1, name)))
}

// printVerdict prints a report for a program or for a person.
func printVerdict(w io.Writer, r report.Report, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	printReport(w, r)
	return nil
}

// exitCode is what one report means for the process.
func exitCode(r report.Report) int {
	switch r.Outcome {
	case report.OutcomePass:
		return exitPass
	case report.OutcomeError:
		return exitBroken
	default:
		return exitVerdict
	}
}

// verifyFile sends one file to a child. Whatever goes wrong is in the report.
func verifyFile(ctx context.Context, pool *engine.Pool, request engine.Request, path string, policy verdict.Policy) report.Report {
	submission := request.Submission
	var err error
	request.Picture, err = readPicture(path, policy.File.MaxBytes)
	if err != nil {
		return systemReport(submission, "system_storage_unavailable", err.Error())
	}
	answer, err := pool.Verify(ctx, request)
	var timeout interface{ Timeout() bool }
	switch {
	case err == nil:
		return answer
	case errors.As(err, &timeout) && timeout.Timeout():
		return systemReport(submission, "system_timeout", err.Error())
	default:
		return systemReport(submission, "system_engine_failed", err.Error())
	}
}

// readPicture reads a file, but no more than shows that it is too large.
func readPicture(path string, maxBytes int64) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no such file")
	}
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("it is a folder, not a file")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, min(cmp.Or(maxBytes, intake.DefaultLimits.MaxBytes), engine.MaxPicture-1)+1))
}

// inOrder runs n jobs, so many at a time, and yields their results in order.
func inOrder[T any](n, parallel int, job func(i int) T) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		results := make([]chan T, n)
		for i := range results {
			results[i] = make(chan T, 1)
		}
		slots := make(chan struct{}, max(parallel, 1))
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for i := range n {
				select {
				case slots <- struct{}{}:
				case <-stop:
					return
				}
				go func() {
					results[i] <- job(i)
					<-slots
				}()
			}
		}()
		for i := range n {
			if !yield(<-results[i]) {
				return
			}
		}
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

var marks = map[report.Outcome]string{
	report.OutcomePass: "PASS", report.OutcomeFail: "FAIL", report.OutcomeReview: "REVIEW", report.OutcomeError: "ERROR"}

// shown are the fields a person sees first, in this order.
var shown = []report.FieldName{
	report.FieldUSCC, report.FieldRegistrationNumber, report.FieldCompanyName, report.FieldType,
	report.FieldLegalRepresentative, report.FieldRegisteredCapital, report.FieldEstablished, report.FieldTerm,
	report.FieldAddress}

// printReport writes a report for a person at a terminal.
func printReport(w io.Writer, r report.Report) {
	fmt.Fprintf(w, "%-6s %s", marks[r.Outcome], oneLine(r.File))
	if total, ok := r.TimingsMS["total"]; ok {
		fmt.Fprintf(w, "  (%.2f s)", total/1000)
	}
	fmt.Fprintln(w)
	for _, name := range shown {
		if f, ok := r.Fields[name]; ok {
			fmt.Fprintf(w, "       %-21s %s  %.2f\n", name, oneLine(f.Value), f.Confidence)
		}
	}
	for _, reason := range r.Reasons {
		fmt.Fprintf(w, "    %s %s [%s]\n       %s\n       %s\n", mark(reason.Severity), reason.Code, reason.NextStep,
			reason.Message.ZH, reason.Message.EN)
		if reason.Suggestion.ZH != "" {
			fmt.Fprintf(w, "       → %s\n       → %s\n", reason.Suggestion.ZH, reason.Suggestion.EN)
		}
	}
	if r.Outcome == report.OutcomeError {
		for _, check := range r.Checks {
			if check.Status == report.CheckFailed && check.Note != "" {
				fmt.Fprintf(w, "       %s: %s\n", check.Name, check.Note)
			}
		}
	}
}

func mark(s report.Severity) string {
	switch s {
	case report.SeverityBlock:
		return "✗"
	case report.SeverityReview:
		return "?"
	default:
		return "i"
	}
}

// oneLine keeps hostile names and values from breaking lines or driving the
// terminal.
func oneLine(s string) string {
	quoted := strconv.Quote(s)
	if quoted[1:len(quoted)-1] == s {
		return s
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return quoted
	}
	return s
}
