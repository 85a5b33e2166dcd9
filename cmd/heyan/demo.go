package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/synth"
	"github.com/heyan/heyan/worker/client"
)

type demoCommand struct {
	engineFlags
	Folder string `arg:"" type:"existingdir" help:"Folder of the sample photos with their declared.json."`
}

// Run starts a service on a folder of its own, sends every sample with what it
// declares, and fails when a verdict is not the expected one.
func (c *demoCommand) Run(ctx context.Context, std standard) error {
	data, err := os.ReadFile(filepath.Join(c.Folder, "declared.json"))
	if err != nil {
		return &exit{exitUsage, err}
	}
	var samples []synth.Sample
	if err := json.Unmarshal(data, &samples); err != nil {
		return &exit{exitUsage, fmt.Errorf("declared.json: %w", err)}
	}
	folder, err := os.MkdirTemp("", "heyan-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	address, key, ended := make(chan net.Addr, 1), make(chan string, 1), make(chan error, 1)
	go func() {
		serve := serveCommand{childFlags: childFlags{engineFlags: c.engineFlags}, callerFlags: callerFlags{Listen: "127.0.0.1:0"},
			serviceFlags: serviceFlags{storeFlags: storeFlags{Data: folder}, Policy: "dingtalk"}}
		ended <- serve.serve(ctx, func(a net.Addr) { address <- a }, func(token string) { key <- token }, nil)
	}()
	var service *client.HTTP
	select {
	case a := <-address:
		service = &client.HTTP{Base: "http://" + a.String(), Key: <-key}
	case err := <-ended:
		return err
	}
	fmt.Fprintf(std.out, "demo: %d samples through storage, queue and workers\n", len(samples))
	surprises := 0
	reports := inOrder(len(samples), runtime.NumCPU(), func(i int) report.Report {
		submission := report.Submission{Declared: samples[i].Declared, Policy: "dingtalk"}
		return submitFile(ctx, service, submission, filepath.Join(c.Folder, samples[i].File))
	})
	i := 0
	for r := range reports {
		printReport(std.out, r)
		if surprise := differs(samples[i], r); surprise != "" {
			fmt.Fprintf(std.out, "    ! %s\n", surprise)
			surprises++
		}
		i++
	}
	stop()
	if err := <-ended; err != nil {
		return err
	}
	if surprises > 0 {
		return fmt.Errorf("demo: %d of %d verdicts are not the expected ones", surprises, len(samples))
	}
	fmt.Fprintf(std.out, "demo: all %d verdicts are the expected ones\n", len(samples))
	return nil
}

// differs says in words where a report is not what its sample must give.
func differs(sample synth.Sample, r report.Report) string {
	if r.Outcome != sample.Outcome {
		return fmt.Sprintf("expected outcome %s", sample.Outcome)
	}
	for _, code := range sample.Reasons {
		if !slices.ContainsFunc(r.Reasons, func(reason report.Reason) bool { return reason.Code == code }) {
			return fmt.Sprintf("expected reason %s", code)
		}
	}
	return ""
}
