// Package storagetest starts the servers that tests of storage and of what
// stands on it run against: a throw-away Postgres cluster, a versitygw and a Redis server. It
// knows how to find and start those programs; a program that is missing fails
// the test with its name. It must not be imported outside of tests.
package storagetest

import (
	"crypto/rand"
	"database/sql"
	"go/build"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql driver "pgx"

	"github.com/heyan/heyan/storage/objects"
)

// startTimeout is how long a server may take to answer, on a busy machine.
const startTimeout = 60 * time.Second

// Postgres is a cluster of its own, reached by a socket in its folder.
type Postgres struct {
	dir, bin   string
	credential *syscall.Credential // nil: this process's own
	server     *process
}

// StartPostgres makes a cluster in a temporary folder and starts it; it is gone
// when the test ends. Postgres refuses to run as root: then it runs as the user
// postgres or nobody.
func StartPostgres(t testing.TB) *Postgres {
	t.Helper()
	p := &Postgres{bin: postgresFolder(t)}
	var err error
	// Not t.TempDir, whose parents are closed to other users.
	if p.dir, err = os.MkdirTemp("", "heyan-postgres-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(p.dir) })
	if os.Geteuid() == 0 {
		p.credential = unprivileged(t)
		if err := os.Chown(p.dir, int(p.credential.Uid), int(p.credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	initdb := exec.Command(filepath.Join(p.bin, "initdb"), "--pgdata", filepath.Join(p.dir, "data"),
		"--username", "heyan", "--auth", "trust", "--no-locale", "--encoding", "UTF8", "--no-sync")
	initdb.Dir = p.dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: p.credential}
	if output, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, output)
	}
	p.Start(t)
	return p
}

// Start starts the cluster again after Kill.
func (p *Postgres) Start(t testing.TB) {
	t.Helper()
	// No TCP: a socket in a folder of its own cannot meet another's port.
	command := exec.Command(filepath.Join(p.bin, "postgres"), "-D", filepath.Join(p.dir, "data"), "-k", p.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "log_min_messages=fatal")
	command.Dir = p.dir
	p.server = start(t, command, p.credential, p.ready)
}

// ready asks the server for a connection.
func (p *Postgres) ready() bool {
	db, err := sql.Open("pgx", p.dsn("postgres"))
	if err != nil {
		return false
	}
	defer db.Close()
	return db.Ping() == nil
}

// Folder holds all that it keeps.
func (p *Postgres) Folder() string { return p.dir }

// Kill ends the server with SIGKILL, as a crash would.
func (p *Postgres) Kill() {
	p.server.kill()
}

// SetReadOnly makes every transaction that begins from then on read-only, as a
// standby's are before it is promoted.
func (p *Postgres) SetReadOnly(t testing.TB, on bool) {
	t.Helper()
	db, err := sql.Open("pgx", p.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{"ALTER SYSTEM SET default_transaction_read_only = " + strconv.FormatBool(on), "SELECT pg_reload_conf()"} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
}

// NewDatabase makes an empty database and returns its postgres:// address.
func (p *Postgres) NewDatabase(t testing.TB) string {
	t.Helper()
	db, err := sql.Open("pgx", p.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	name := "test_" + strings.ToLower(rand.Text())
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return p.dsn(name)
}

func (p *Postgres) dsn(database string) string {
	return (&url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: url.Values{"host": {p.dir}, "user": {"heyan"}}.Encode()}).String()
}

func postgresFolder(t testing.TB) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		t.Fatal(err)
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		t.Fatal("missing: initdb of Postgres, neither in PATH nor in /usr/lib/postgresql/*/bin (Debian package postgresql)")
	}
	return filepath.Dir(found[0])
}

func unprivileged(t testing.TB) *syscall.Credential {
	t.Helper()
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Fatal("missing: a user postgres or nobody to run Postgres as")
	return nil
}

// S3 is a versitygw over a temporary folder.
type S3 struct {
	Config  objects.Config
	dir     string
	program string
	server  *process
}

// StartS3 starts a versitygw; it is gone when the test ends.
func StartS3(t testing.TB) *S3 {
	t.Helper()
	s := &S3{
		Config:  objects.Config{Endpoint: FreeAddress(t), AccessKey: rand.Text(), SecretKey: rand.Text(), Bucket: "heyan"},
		dir:     t.TempDir(),
		program: versitygw(t),
	}
	s.Start(t)
	return s
}

// Start starts the server again after Kill, at the same address.
func (s *S3) Start(t testing.TB) {
	t.Helper()
	command := exec.Command(s.program, "--quiet", "--port", s.Config.Endpoint, "posix", s.dir)
	command.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.Config.AccessKey, "ROOT_SECRET_KEY="+s.Config.SecretKey)
	s.server = start(t, command, nil, func() bool {
		response, err := http.Get("http://" + s.Config.Endpoint)
		if err != nil {
			return false
		}
		response.Body.Close()
		return true
	})
}

// Folder holds all that it keeps.
func (s *S3) Folder() string { return s.dir }

// Kill ends the server with SIGKILL, as a crash would.
func (s *S3) Kill() { s.server.kill() }

func versitygw(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("versitygw"); err == nil {
		return path
	}
	for _, folder := range filepath.SplitList(build.Default.GOPATH) {
		path := filepath.Join(folder, "bin", "versitygw")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatal("missing: versitygw, neither in PATH nor in GOPATH/bin (go install github.com/versity/versitygw/cmd/versitygw@v1.8.0)")
	return ""
}
