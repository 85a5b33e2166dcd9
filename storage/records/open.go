package records

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	_ "modernc.org/sqlite" // database/sql driver "sqlite"
)

// Store is the records in one database. It is safe for concurrent use.
type Store struct {
	db *sql.DB
	// skipLocked keeps sweepers on Postgres from waiting for each other's rows;
	// SQLite has one writer at a time and no such words.
	skipLocked string
	// lock keeps a row that is read from changing until the transaction ends;
	// SQLite has one writer at a time anyway.
	lock string
}

// Connections of a process to its database. SQLite has one writer at a time and
// lets connections sleep and poll for their turn: with 8 of them and 8 writers
// the p99 of Create was 1.3 s, with one, where database/sql queues, 0.05 s.
const (
	sqliteConnections   = 1
	postgresConnections = 8
)

// How often a starting process asks whether another one has finished migrating.
const (
	sqlitePoll          = 20 * time.Millisecond
	postgresPollSeconds = 1   // the least goose takes
	postgresPolls       = 300 // then it gives up
)

//go:embed migrations/*.sql
var migrations embed.FS

// Open connects to sqlite:///absolute/path or postgres://… and brings the
// schema up to date. ErrUnavailable: the database does not answer (yet).
func Open(ctx context.Context, dsn string) (*Store, error) {
	scheme, _, _ := strings.Cut(dsn, ":")
	switch scheme {
	case "sqlite":
		return openSQLite(ctx, dsn)
	case "postgres", "postgresql":
		return openPostgres(ctx, dsn)
	}
	// The address itself may hold a password.
	return nil, errors.New("records: the database address starts neither with sqlite:/// nor with postgres://")
}

func openSQLite(ctx context.Context, dsn string) (*Store, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Host != "" || !filepath.IsAbs(u.Path) {
		return nil, errors.New("records: the database address is not sqlite:///absolute/path")
	}
	unlock, err := lockStart(ctx, u.Path+".lock")
	if err != nil {
		return nil, fail("open", "", err)
	}
	defer unlock()
	// SQLite gives its journal the mode of the file, which holds sealed data. A
	// file that exists stays closed: closing it would end SQLite's own locks on
	// it in this process.
	file, err := os.OpenFile(u.Path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = file.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fail("open", "", err)
	}
	name := url.URL{Scheme: "file", Path: u.Path, RawQuery: "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_txlock=immediate"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	db.SetMaxOpenConns(sqliteConnections)
	return migrate(ctx, &Store{db: db}, goose.DialectSQLite3)
}

// lockStart lets one of several starting processes make and migrate a SQLite
// database at a time.
func lockStart(ctx context.Context, path string) (unlock func() error, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file.Close, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			file.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, ctx.Err()
		case <-time.After(sqlitePoll):
		}
	}
}

func openPostgres(ctx context.Context, dsn string) (*Store, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	db.SetMaxOpenConns(postgresConnections)
	db.SetMaxIdleConns(postgresConnections)
	// One of several starting processes migrates, the others wait for it.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(postgresPollSeconds, postgresPolls))
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	return migrate(ctx, &Store{db: db, skipLocked: "FOR UPDATE SKIP LOCKED", lock: "FOR UPDATE"}, goose.DialectPostgres, goose.WithSessionLocker(locker))
}

func migrate(ctx context.Context, s *Store, dialect goose.Dialect, options ...goose.ProviderOption) (*Store, error) {
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	provider, err := goose.NewProvider(dialect, s.db, folder, options...)
	if err == nil {
		err = s.db.PingContext(ctx) // tells at once what Up would retry for seconds
	}
	if err == nil {
		_, err = provider.Up(ctx)
	}
	if err != nil {
		s.db.Close()
		return nil, fail("open", "", err)
	}
	return s, nil
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return fail("ping", "", s.db.PingContext(ctx)) }

// Close gives the connections back.
func (s *Store) Close() error { return s.db.Close() }
