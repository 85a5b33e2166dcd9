package server

import (
	"bufio"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// redisServer is a real Redis server on a port of its own. Missing is a failure.
type redisServer struct{ port int }

func startRedis(t *testing.T) (*redisServer, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &redisServer{port: l.Addr().(*net.TCPAddr).Port}
	l.Close()
	cmd := exec.Command("redis-server", "--port", fmt.Sprint(r.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatalf("redis-server (package redis-server) is needed: %v", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address := fmt.Sprintf("127.0.0.1:%d", r.port)
	for range 100 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return r, address
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("redis-server does not answer")
	return nil, ""
}

// command runs one inline command and returns what comes until a quiet moment.
func (r *redisServer) command(t *testing.T, line string) string {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", r.port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s\r\nQUIT\r\n", line)
	var b strings.Builder
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		b.WriteString(lines.Text() + "\n")
	}
	return b.String()
}

// dump is every key with its value.
func (r *redisServer) dump(t *testing.T) string {
	all := r.command(t, "KEYS *")
	for key := range strings.Lines(all) {
		if key = strings.TrimSpace(key); !strings.HasPrefix(key, "asynq") {
			continue
		}
		for _, read := range []string{"HGETALL %s", "LRANGE %s 0 -1", "ZRANGE %s 0 -1", "SMEMBERS %s", "GET %s"} {
			all += r.command(t, fmt.Sprintf(read, key))
		}
	}
	return all
}

// The queue forgets everything in the middle of the work.
func TestQueueWiped(t *testing.T) {
	server, address := startRedis(t)
	r := start(t, func(c *Config) { c.Redis = address })
	var ids []string
	for i := range 20 {
		ids = append(ids, submit(t, &r.HTTP, "sleep 40ms").ID)
		if i == 9 || i == 19 {
			if got := server.command(t, "FLUSHALL"); !strings.Contains(got, "OK") {
				t.Fatal(got)
			}
		}
	}
	for _, id := range ids {
		if v, err := r.Wait(deadline(t, 30*time.Second), id); err != nil || v.Outcome != report.OutcomePass {
			t.Errorf("%s: %s, %v", id, v.Outcome, err)
		}
	}
}
