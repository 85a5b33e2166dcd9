// Command heyan verifies photos of Chinese business licenses. This package
// wires the commands to the packages that do the work and knows nothing else.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/heyan/heyan/server"
	"github.com/heyan/heyan/storage/records"
)

// version is set by the build.
var version = "unversioned"

// The exit codes, documented in the README.
const (
	exitPass    = 0 // all pass
	exitVerdict = 1 // some fail or review, or an audit log is broken
	exitUsage   = 2
	exitBroken  = 3 // something is missing or broken here
)

type commands struct {
	Verify      verifyCommand      `cmd:"" help:"Verify pictures here, without the service."`
	Check       checkCommand       `cmd:"" help:"Check numbers alone: uscc, regno, orgcode, id."`
	Serve       serveCommand       `cmd:"" help:"Run the service on this machine: API, storage, queue and workers in one."`
	API         apiCommand         `cmd:"" name:"api" help:"Run the API alone, beside workers in processes of their own."`
	Worker      workerCommand      `cmd:"" help:"Run a worker alone: it takes queued pictures to their verdicts."`
	Submit      submitCommand      `cmd:"" help:"Send pictures to a service, wait for the verdicts and print them."`
	Batch       batchCommand       `cmd:"" help:"Many organizations at once: files of lines in, results out."`
	Demo        demoCommand        `cmd:"" help:"Send the sample photos through a service of their own and print the verdicts."`
	Eval        evalCommand        `cmd:"" help:"Measure accuracy on pictures with known truth."`
	EvalQuality evalQualityCommand `cmd:"" help:"Measure the judgment of pictures: synthetic ones with known defects, and real ones."`
	Calibrate   calibrateCommand   `cmd:"" help:"Fit the probability that a field cannot be read, on synthetic and real pictures."`
	Synth       synthCommand       `cmd:"" help:"Draw synthetic test pictures with their truth."`
	Keys        keysCommand        `cmd:"" help:"API keys of callers, and the master keys of the vault."`
	Review      reviewCommand      `cmd:"" help:"Users of the reviewers' console, from the shell of the machine: where no admin can sign in."`
	Audit       auditCommand       `cmd:"" help:"The audit log: prove that it is whole, or print it."`
	Backup      backupCommand      `cmd:"" help:"Write the data folder of a service on one machine into an archive, while it runs."`
	Restore     restoreCommand     `cmd:"" help:"Bring back what backup wrote."`
	Doctor      doctorCommand      `cmd:"" help:"Say what is installed, at which version, and what is missing; with --service, whether a service works from end to end."`
	Engine      engineCommand      `cmd:"" hidden:"" help:"Read pictures from standard input; started by the other commands."`

	Version kong.VersionFlag `help:"Print the version."`
	Quiet   bool             `help:"Log errors only."`
}

// exit is an error that carries the process's exit code. Nothing more is
// printed when err is nil.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// standard are the streams a command talks to.
type standard struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

func main() { os.Exit(run(os.Args[1:], standard{in: os.Stdin, out: os.Stdout, err: os.Stderr})) }

// run is main without the process: it returns the exit code.
func run(args []string, std standard) int {
	var c commands
	done := -1
	parser, err := kong.New(&c, kong.Name("heyan"), kong.UsageOnError(),
		kong.Description("Heyan (核验) verifies photos of Chinese business licenses."),
		kong.Vars{"version": version, "listen": server.DefaultListen, "tenant": records.DefaultTenant}, kong.Writers(std.out, std.err), kong.Exit(func(code int) { done = code }))
	if err != nil {
		fmt.Fprintln(std.err, "heyan:", err)
		return exitBroken
	}
	command, err := parser.Parse(args)
	if done >= 0 {
		return done
	}
	if err != nil {
		fmt.Fprintf(std.err, "heyan: %v\nRun heyan --help for the commands and their flags.\n", err)
		return exitUsage
	}
	level := slog.LevelInfo
	if c.Quiet {
		level = slog.LevelError
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: level})))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command.BindTo(ctx, (*context.Context)(nil))
	err = command.Run(std)
	var leave *exit
	switch {
	case err == nil:
		return exitPass
	case errors.As(err, &leave):
		if leave.err != nil {
			fmt.Fprintln(std.err, "heyan:", leave.err)
		}
		return leave.code
	default:
		fmt.Fprintln(std.err, "heyan:", err)
		return exitBroken
	}
}
