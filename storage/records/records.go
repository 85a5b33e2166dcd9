// Package records keeps verifications and their verdicts, the truth of the
// service which queue and sweeper only follow, and what stands beside them:
// tenants and their keys, organizations and their certifications, batches, the
// users of the console, the cases that wait for them and what they decide, events
// and their deliveries, the audit log. It knows SQL, on SQLite and on Postgres with
// the same statements. It must not know what a sealed submission holds, how a
// picture is read or judged, how passwords are hashed, that a queue exists, or
// HTTP. No error or column but the sealed ones carries ID numbers, phones or
// emails; what people write about a verification goes with its report.
//
// Every row belongs to a tenant. A method that serves a caller's request takes
// the tenant and finds no other's rows; the worker's methods go by id. On
// Postgres statements run READ COMMITTED; those that must agree share a
// transaction, in which rows are locked in the order case, verification,
// decisions and notes, batch, organization, tenant, user, session. What
// certifications hold changes only while the tenant is locked.
package records

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// DefaultTenant owns what was stored before there were tenants, and everything
// where there is one only.
const DefaultTenant = "default"

// MaxPage is the largest number of rows that a list returns.
const MaxPage = 100

// NewID returns a new UUIDv7 in its text form. It panics only when the system
// has no randomness, as crypto/rand does.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// row is what *sql.Row and *sql.Rows share.
type row interface{ Scan(...any) error }

// queryer is the database itself or a transaction. Within a transaction
// everything goes through it: SQLite has one connection, and a second one asked
// for would be waited for without end.
type queryer interface {
	ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, statement string, args ...any) *sql.Row
}

// transact does all of it or nothing.
func (s *Store) transact(ctx context.Context, do func(queryer) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// collect reads rows to their end and closes them.
func collect[T any](rows *sql.Rows, err error, scan func(row) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// affected is how many rows a statement changed.
func affected(result sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// found is ErrNotFound when a statement changed nothing.
func found(n int, err error) error {
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// micros is a time as it is stored: microseconds since 1970, 0 for "not yet".
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment scans such a time.
type moment struct{ *time.Time }

func (m moment) Scan(value any) error {
	var n sql.NullInt64
	if err := n.Scan(value); err != nil {
		return err
	}
	*m.Time = time.Time{}
	if n.Int64 != 0 {
		*m.Time = time.UnixMicro(n.Int64).UTC()
	}
	return nil
}

// words scans a column of words between blanks.
type words struct{ list *[]string }

func (w words) Scan(value any) error {
	var text sql.NullString
	err := text.Scan(value)
	*w.list = strings.Fields(text.String)
	return err
}

// storable says whether Postgres keeps a text.
func storable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// cursor is a place in a list that is sorted by a time and an id.
func cursor(at time.Time, id string) string {
	return strconv.FormatInt(micros(at), 36) + "." + id
}

// parseCursor takes it apart; ErrCursor when it is none.
func parseCursor(text string) (at int64, id string, err error) {
	first, id, ok := strings.Cut(text, ".")
	at, err = strconv.ParseInt(first, 36, 64)
	if _, bad := uuid.Parse(id); !ok || err != nil || bad != nil {
		return 0, "", ErrCursor
	}
	return at, id, nil
}

// maxCode is the longest code accepted, in bytes: twice the longest reason code.
const maxCode = 64

// isCode keeps free text, and with it personal data, out of code columns.
func isCode(s string) bool { return consistsOf(s, "abcdefghijklmnopqrstuvwxyz0123456789_") }

// isSlug is what a tenant is called.
func isSlug(s string) bool { return consistsOf(s, "abcdefghijklmnopqrstuvwxyz0123456789-") }

// isDotted is what types of events and actions are called: codes between dots.
func isDotted(s string) bool { return consistsOf(s, "abcdefghijklmnopqrstuvwxyz0123456789_.") }

func consistsOf(s, letters string) bool {
	return s != "" && len(s) <= maxCode && strings.Trim(s, letters) == ""
}
