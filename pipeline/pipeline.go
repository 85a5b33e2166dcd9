// Package pipeline is the way of a photo, step by step: intake, page, read,
// fields, measure, check, decide. It knows the order of the steps and what each
// hands to the next; it must not know queues, stores or HTTP.
package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"time"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/intake"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
)

// Pipeline verifies pictures. Its methods may run at the same time.
type Pipeline struct {
	Detector ocr.Detector   // finds text lines
	Fast     ocr.Recogniser // reads every line
	Accurate ocr.Recogniser // reads again the lines that decide
	Second   ocr.Recogniser // independent reader of the code line
	Now      func() time.Time
	Versions map[string]string // of the program and its engines, for the report
	// Threads from 2 let steps that do not need each other run side by side.
	Threads int
	// AllFields reads the body of 经营范围 accurately too, which no check needs.
	AllFields bool
}

// Verify reads one picture and decides on it. Whatever is wrong with the picture
// or what was declared is in the report; an error is Heyan's own failure, and
// another attempt may succeed.
func (p *Pipeline) Verify(ctx context.Context, submission report.Submission, picture []byte, policy verdict.Policy) (report.Report, error) {
	run := p.start(submission)
	if err := run.steps(ctx, picture, policy); err != nil {
		return report.Report{}, fmt.Errorf("pipeline: %w", err)
	}
	findings := verdict.Check(run.evidence, policy, p.Now())
	outcome, reasons, checks := verdict.Decide(findings, policy)
	return run.report(submission, policy, outcome, reasons, checks), nil
}

// Precheck tells whether a picture is worth submitting, without the second
// readings on which Verify spends most where a picture is doubtful: the file, the picture and the kind of document are judged as Verify
// does, by the same codes; what is printed is neither reported nor compared. Only
// the outcome fail says that it is not.
func (p *Pipeline) Precheck(ctx context.Context, submission report.Submission, picture []byte, policy verdict.Policy) (report.Report, error) {
	run := p.start(submission)
	run.brief = true
	if err := run.steps(ctx, picture, policy); err != nil {
		return report.Report{}, fmt.Errorf("pipeline: %w", err)
	}
	findings := verdict.Check(run.evidence, policy, p.Now())
	outcome, reasons, checks := verdict.Precheck(findings, policy)
	run.evidence.Fields = map[report.FieldName]report.Field{}
	answer := run.report(submission, policy, outcome, reasons, checks)
	answer.Precheck, answer.Basis = true, nil
	return answer, nil
}

func (p *Pipeline) start(submission report.Submission) *run {
	return &run{Pipeline: p, timings: map[string]float64{}, evidence: verdict.Evidence{
		Declared: submission.Declared, Fields: map[report.FieldName]report.Field{}, QR: []report.QR{}}}
}

// steps is the way of a photo until there is nothing left to learn from it.
func (r *run) steps(ctx context.Context, picture []byte, policy verdict.Policy) error {
	photo, ok, err := r.intake(ctx, picture, policy)
	if err != nil || !ok {
		return err
	}
	sheet, lines, err := r.page(ctx, photo)
	if err != nil {
		return err
	}
	face, err := r.read(ctx, sheet, lines)
	if err != nil {
		return err
	}
	r.fields(sheet, face)
	r.measure(photo, sheet, face)
	if r.brief {
		return nil
	}
	return r.likeness(photo, sheet, face)
}

// run is one picture on its way.
type run struct {
	*Pipeline
	evidence verdict.Evidence
	print    *report.Print
	brief    bool       // a pre-check: nothing is read for certainty's sake
	text     []ocr.Quad // lines of text on the photo, beside the sheet too
	timings  map[string]float64
}

// time notes how long a step takes; call the result at its end.
func (r *run) time(step string) func() {
	start := r.Now()
	return func() { r.took(step, r.Now().Sub(start)) }
}

func (r *run) took(step string, d time.Duration) { r.timings[step] += float64(d.Microseconds()) / 1000 }

// intake turns untrusted bytes into an upright photo; false when the file is to
// blame, which is noted.
func (r *run) intake(ctx context.Context, picture []byte, policy verdict.Policy) (*image.NRGBA, bool, error) {
	defer r.time("intake")()
	limits := intake.Limits{MaxBytes: policy.File.MaxBytes, MaxPixels: policy.File.MaxPixels, Formats: policy.File.Formats}
	taken, err := intake.Read(ctx, bytes.NewReader(picture), limits)
	r.evidence.Picture = taken.Info
	var problem *intake.Error
	switch {
	case err == nil:
		r.evidence.Quality.WidthPx, r.evidence.Quality.HeightPx = taken.Image.Rect.Dx(), taken.Image.Rect.Dy()
		return taken.Image, true, nil
	case errors.As(err, &problem) && problem.Code != intake.CodeEngineFailed:
		r.evidence.File = &report.FileProblem{
			Code: problem.Code, Rule: problem.Rule, Value: problem.Value, Limit: problem.Limit, Message: problem.Public()}
		return nil, false, nil
	default:
		return nil, false, err
	}
}

// page finds the sheet, flattens it and turns it upright.
func (r *run) page(ctx context.Context, photo *image.NRGBA) (page.Page, []ocr.Quad, error) {
	done := r.time("detect")
	text, err := r.Detector.Detect(ctx, photo)
	if err != nil {
		return page.Page{}, nil, err
	}
	r.text = text
	done()
	done = r.time("flatten")
	sheet, lines, err := page.Flatten(ctx, photo, text)
	if err != nil {
		return page.Page{}, nil, err
	}
	done()
	if sheet.Found() && sheet.Share(photo) < detectAgain {
		if lines, err = r.Detector.Detect(ctx, sheet.Image); err != nil {
			return page.Page{}, nil, err
		}
	}
	defer r.time("upright")()
	return sheet.Upright(ctx, r.Fast, lines)
}

// detectAgain is the share of the photo's long side that the sheet's long side
// takes, below which lines are looked for once more on the flattened sheet: the
// detector sees a photo reduced, and a small sheet on it too small.
const detectAgain = 0.75

func (r *run) report(submission report.Submission, policy verdict.Policy, outcome report.Outcome, reasons []report.Reason, checks []report.Check) report.Report {
	measured := r.evidence.Quality
	measured.Measures = r.evidence.Measures
	return report.Report{
		ID: submission.ID, File: submission.File, Status: report.StatusCompleted,
		Outcome: outcome, Policy: policy.ID(), Reasons: reasons, Checks: checks,
		Fields: r.evidence.Fields, Document: r.evidence.Document, Quality: measured,
		QR: r.evidence.QR, Picture: r.evidence.Picture, Basis: &r.evidence.Basis, Likeness: r.print, TimingsMS: r.timings, Versions: r.Versions,
	}
}
