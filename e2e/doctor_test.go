package e2e

import (
	"bytes"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/heyan/heyan/storage/storagetest"
)

// doctor examines a service from outside, as an operator does.
func doctor(t *testing.T, address, key string) (said string, code int) {
	t.Helper()
	var out bytes.Buffer
	command := exec.CommandContext(t.Context(), binary, "--quiet", "doctor", "--service", address)
	command.Env = append(command.Environ(), "HEYAN_KEY="+key)
	command.Stdout, command.Stderr = &out, &out
	_ = command.Run() // the exit code says it
	return out.String(), command.ProcessState.ExitCode()
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	on := startServers(t)
	d := many(t, on, on.s3.Config.Endpoint, 1, standing(standInCost)...)
	submitter, err := exec.CommandContext(t.Context(), binary, "keys", "--data="+d.folder, "--records="+d.records, "add", "--name=doctor", "--scope=submit").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		address, key string
		code         int
		says         []string
	}{
		"all is well": {d.Base, d.Key, 0, []string{`ok +reachable`, `ok +ready`, `ok +key +scopes \[submit read review admin\]`,
			`ok +submit`, `ok +replay`, `ok +verdict +outcome`, `ok +picture +as it was sent`, `ok +erase`}},
		"a key of one scope": {d.Base, strings.TrimSpace(string(submitter)), 0,
			[]string{`ok +key +scopes \[submit\]`, `ok +submit`, `skipped +verdict +.*read`, `skipped +erase +.*admin`}},
		"an unknown key":   {d.Base, "hy_none", 3, []string{`missing +key +.*401.*heyan keys`}},
		"no key":           {d.Base, "", 3, []string{`missing +key +.*HEYAN_KEY`}},
		"nobody is there":  {"http://" + storagetest.FreeAddress(t), d.Key, 3, []string{`missing +reachable +.*heyan serve`}},
		"another's server": {"http://" + on.s3.Config.Endpoint, d.Key, 3, []string{`missing +reachable`}},
	} {
		said, code := doctor(t, tt.address, tt.key)
		if code != tt.code {
			t.Errorf("%s: exit code %d, want %d", name, code, tt.code)
		}
		for _, want := range tt.says {
			if !regexp.MustCompile(`(?m)^` + want).MatchString(said) {
				t.Errorf("%s: %q is not said in\n%s", name, want, said)
			}
		}
	}

	on.redis.Kill()
	if said, code := doctor(t, d.Base, d.Key); code != 3 || !regexp.MustCompile(`(?m)^missing +ready +.*queue does not answer`).MatchString(said) {
		t.Errorf("without its queue: exit code %d\n%s", code, said)
	}
}
