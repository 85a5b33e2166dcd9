package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/client"
)

const (
	// askEvery is how often a service is asked for the progress of a batch, and
	// logEvery how often it is logged where there is no terminal.
	askEvery = time.Second
	logEvery = 15 * time.Second
	// rateOver is the time over which the rate is measured.
	rateOver = 30 * time.Second
	barWidth = 30 // cells
)

// waitForBatch shows the progress of a batch until every line has its verdict; what
// people are still to decide is not waited for. A service that is away for a while
// is.
func waitForBatch(ctx context.Context, std standard, service *client.HTTP, id string) error {
	p := progress{out: std.err}
	if f, is := std.err.(*os.File); is {
		p.terminal = isatty.IsTerminal(f.Fd())
	}
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		s, err := service.BatchSummary(ctx, id)
		var refused *client.Problem
		switch {
		case err == nil && p.show(s, time.Now()):
			p.end()
			return printSummary(std.out, s)
		case ctx.Err() != nil:
			p.end()
			return ctx.Err()
		case errors.As(err, &refused) && !refused.Retryable():
			p.end()
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// progress is a bar in a terminal, and log lines elsewhere.
type progress struct {
	out      io.Writer
	terminal bool
	marks    []passed // of the last rateOver
	logged   time.Time
}

// passed is how many lines were through at a time.
type passed struct {
	at      time.Time
	through int
}

// show says where a batch stands, and whether all of it is through: every line is
// bad, cancelled or has its verdict.
func (p *progress) show(s client.BatchSummary, now time.Time) (over bool) {
	b := s.Batch
	through := b.Lines - b.Waiting - s.Unread
	over = b.State == records.BatchDone || b.State == records.BatchCancelled && s.Unread == 0 ||
		b.State == records.BatchRunning && through == b.Lines
	p.marks = append(p.marks, passed{now, through})
	for len(p.marks) > 2 && now.Sub(p.marks[0].at) > rateOver {
		p.marks = p.marks[1:]
	}
	rate := 0.0
	if took := now.Sub(p.marks[0].at).Seconds(); took > 0 {
		rate = float64(through-p.marks[0].through) / took
	}
	left := "?"
	if rate > 0 {
		left = time.Duration(float64(b.Lines-through) / rate * float64(time.Second)).Round(time.Second).String()
	}
	switch {
	case p.terminal:
		filled := barWidth * through / max(1, b.Lines)
		fmt.Fprintf(p.out, "\r\x1b[K%-7s [%s%s] %d/%d, %d bad, %d to review, %.1f/s, %s left", b.State,
			strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), through, b.Lines, b.Bad, s.Outcomes["review"], rate, left)
	case over || now.Sub(p.logged) >= logEvery:
		p.logged = now
		slog.Info("batch", "id", b.ID, "state", b.State, "through", through, "lines", b.Lines, "bad", b.Bad,
			"review", s.Outcomes["review"], "a_second", fmt.Sprintf("%.1f", rate), "left", left)
	}
	return over
}

// end leaves the bar's line.
func (p *progress) end() {
	if p.terminal {
		fmt.Fprintln(p.out)
	}
}
