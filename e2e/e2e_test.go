// Package e2e drives the built binary the way operators and callers do: it kills
// and starves a deployment and its servers, and proves from the records that
// nothing was lost, done twice or told to strangers. It has tests and benchmarks
// only, and knows no more of the service than its command line, its API and its
// records.
//
// Where the volume matters a stand-in reads in place of the engine: this test
// binary, which speaks the engine's protocol.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the program under test.
var binary string

var seed = flag.Uint64("seed", 1, "seed of the moments at which processes die")

func TestMain(m *testing.M) {
	if os.Getenv(standInEnv) != "" {
		if err := standIn(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	// Tests here wait more than they compute.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err) // go test has this flag
	}
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// build makes the program in a folder that stays: it is linked again only after
// a change.
func build() (err error) {
	if binary, err = filepath.Abs("../build/e2e/heyan"); err != nil {
		return err
	}
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/heyan").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}
