package storagetest

import (
	"context"
	"net"
	"os/exec"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Redis is a Redis server that keeps its data in a temporary folder.
type Redis struct {
	Address string // host:port
	dir     string
	server  *process
}

// StartRedis starts a redis-server as deploy/compose.yaml does; it is gone when
// the test ends.
func StartRedis(t testing.TB) *Redis {
	t.Helper()
	r := &Redis{Address: FreeAddress(t), dir: t.TempDir()}
	r.Start(t)
	return r
}

// Start starts the server again after Kill, at the same address.
func (r *Redis) Start(t testing.TB) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("missing: redis-server (Debian package redis-server)")
	}
	_, port, err := net.SplitHostPort(r.Address)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, "--bind", "127.0.0.1", "--port", port, "--dir", r.dir, "--save", "",
		"--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction")
	client := r.Client()
	defer client.Close()
	r.server = start(t, command, nil, func() bool { return client.Ping(context.Background()).Err() == nil })
}

// Folder holds all that it keeps.
func (r *Redis) Folder() string { return r.dir }

// Kill ends the server with SIGKILL, as a crash would.
func (r *Redis) Kill() { r.server.kill() }

// Client is a connection to the server; the caller closes it.
func (r *Redis) Client() *redis.Client { return redis.NewClient(&redis.Options{Addr: r.Address}) }

// FreeAddress is a host:port of this machine at which nobody listens now.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
