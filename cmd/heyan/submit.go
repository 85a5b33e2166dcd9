package main

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/worker/client"
)

// serviceKeyFlags are of commands that ask a service.
type serviceKeyFlags struct {
	Service string `default:"http://${listen}" env:"HEYAN_SERVICE" help:"Address of the service."`
	Key     string `env:"HEYAN_KEY" help:"Key of the service, as its first start prints one."`
}

func (f *serviceKeyFlags) client(command string) (*client.HTTP, error) {
	if f.Key == "" {
		return nil, &exit{exitUsage, errors.New(command + ": no key was given; set HEYAN_KEY (heyan keys add makes one)")}
	}
	return &client.HTTP{Base: f.Service, Key: f.Key}, nil
}

type submitCommand struct {
	declaredFlags
	serviceKeyFlags
	Timeout time.Duration `default:"30m" help:"How long to wait for a verdict."`
	JSON    bool          `help:"Print one report a line."`
	Files   []string      `arg:"" name:"file" help:"Pictures to send."`
}

func (c *submitCommand) Run(ctx context.Context, std standard) error {
	service, err := c.client("submit")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	reports := inOrder(len(c.Files), 2*runtime.NumCPU(), func(i int) report.Report {
		return submitFile(ctx, service, report.Submission{Declared: c.declared(), Policy: c.Policy}, c.Files[i])
	})
	code := exitPass
	for r := range reports {
		if err := printVerdict(std.out, r, c.JSON); err != nil {
			return err
		}
		code = max(code, exitCode(r))
	}
	if code != exitPass {
		return &exit{code: code}
	}
	return nil
}

// refusals are the service's refusals that are the picture's fault, with their
// reasons.
var refusals = map[string]string{
	"urn:heyan:problem:picture_too_large": "file_too_large",
	"urn:heyan:problem:picture_empty":     "file_unreadable",
}

// submitFile sends one file and waits for its report; total is the time the
// caller waited.
func submitFile(ctx context.Context, service *client.HTTP, submission report.Submission, path string) report.Report {
	submission.File = path
	picture, err := readPicture(path, 0)
	if err != nil {
		return systemReport(submission, "system_storage_unavailable", err.Error())
	}
	start := time.Now()
	verification, err := service.Submit(ctx, picture, submission, newID())
	if err == nil {
		verification, err = service.Wait(ctx, verification.ID)
	}
	var refused *client.Problem
	switch {
	case err == nil:
	case errors.As(err, &refused) && refusals[refused.Type] != "":
		problem := verdict.Evidence{Declared: submission.Declared, Basis: report.Basis{File: &report.FileProblem{Code: refusals[refused.Type]}}}
		return decided(submission, problem)
	case errors.Is(err, context.DeadlineExceeded):
		return systemReport(submission, "system_timeout", err.Error())
	default:
		return systemReport(submission, "system_storage_unavailable", err.Error())
	}
	r := *verification.Report
	r.File = path
	r.TimingsMS["total"] = float64(time.Since(start).Microseconds()) / 1000
	return r
}
