package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/engine"
)

// standInEnv makes this test binary an engine child that takes so long for a
// picture: a time.Duration of processor time.
const standInEnv = "HEYAN_E2E_STAND_IN"

// nonce is the key of Versions under which each reading of the stand-in has a
// value of its own.
const nonce = "nonce"

// dieOn is a picture that kills the stand-in.
const dieOn = "a picture on which native code dies"

// standIn answers as the engine does, without reading: the outcome depends on
// the picture's hash alone.
func standIn() error {
	cost, err := time.ParseDuration(os.Getenv(standInEnv))
	if err != nil {
		return err
	}
	out, err := engine.TakeStdout()
	if err != nil {
		return err
	}
	verify := func(_ context.Context, r engine.Request) (report.Report, error) {
		if string(r.Picture) == dieOn {
			os.Exit(1)
		}
		if s := r.Submission; s.IDNumber != "" { // as careless as native code may be
			fmt.Fprintf(os.Stderr, "reading for %s %s %s\n", s.IDNumber, s.Phone, s.Email)
		}
		end := processorTime() + cost
		for processorTime() < end {
			sha256.Sum256(r.Picture)
		}
		return report.Report{
			ID: r.Submission.ID, Status: report.StatusCompleted, Outcome: standInOutcome(r.Picture), Policy: r.Policy + "@1",
			Precheck: r.Precheck, Reasons: []report.Reason{}, Checks: []report.Check{}, Fields: map[report.FieldName]report.Field{},
			QR: []report.QR{}, TimingsMS: map[string]float64{"cpu": float64(cost.Microseconds()) / 1000},
			Versions: map[string]string{nonce: records.NewID(), "pid": strconv.Itoa(os.Getpid())},
		}, nil
	}
	views := func(_ context.Context, r engine.ViewRequest) (engine.Views, error) {
		return engine.Views{Geometry: engine.Geometry{Width: 1, Height: 1}, Photo: r.Picture, Preview: r.Picture}, nil
	}
	return engine.Serve(context.Background(), os.Stdin, out, engine.Handlers{Verify: verify, Views: views})
}

// standInOutcome sends every eighth picture to a person and refuses another.
func standInOutcome(picture []byte) report.Outcome {
	switch sum := sha256.Sum256(picture); sum[0] % 8 {
	case 0:
		return report.OutcomeReview
	case 1:
		return report.OutcomeFail
	}
	return report.OutcomePass
}

// processorTime is what this process has used of it.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it cannot fail with these arguments
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
