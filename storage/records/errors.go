package records

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// The kinds of errors, for errors.Is. Only ErrUnavailable is worth a retry.
var (
	ErrNotFound         = errors.New("no such record of this tenant")
	ErrConflict         = errors.New("another request used this idempotency key or id")
	ErrAlreadyCompleted = errors.New("the verification has its verdict already")
	ErrNotCompleted     = errors.New("the verification has no verdict yet")
	ErrGone             = errors.New("what was sealed is gone: its time was over, or it was erased")
	ErrCursor           = errors.New("the cursor is not one that a page gave")
	ErrClaimed          = errors.New("somebody else has claimed the case")
	ErrNotYours         = errors.New("the case, or the decision, is not this user's to take")
	ErrAlreadyDecided   = errors.New("the case is decided already")
	ErrTooLate          = errors.New("the decision cannot be undone any more")
	ErrLastAdmin        = errors.New("the last admin of a tenant stays one")
	ErrUnavailable      = errors.New("the database is unavailable")
)

var errSlug = errors.New("a tenant is named in lower-case letters, digits and -")

// Error is what every method of Store returns. It wraps one of the kinds above,
// the context's error when the caller gave up, or neither when the call or the
// statement was wrong.
type Error struct {
	Op  string
	ID  string // of the row, if any
	Err error
}

func (e *Error) Error() string {
	if e.ID == "" {
		return "records: " + e.Op + ": " + e.Err.Error()
	}
	return "records: " + e.Op + " " + e.ID + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Retryable says whether the same call may succeed later.
func (e *Error) Retryable() bool { return errors.Is(e.Err, ErrUnavailable) }

// fault is a driver's error under its kind.
type fault struct{ kind, cause error }

func (f fault) Error() string   { return f.kind.Error() + ": " + f.cause.Error() }
func (f fault) Unwrap() []error { return []error{f.kind, f.cause} }

// fail wraps an error with what was being done; nil stays nil.
func fail(op, id string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case errors.Is(err, sql.ErrNoRows):
		err = ErrNotFound
	case unavailable(err):
		err = fault{ErrUnavailable, err}
	}
	return &Error{Op: op, ID: id, Err: err}
}

// unavailable tells a database that cannot do it now from a call that is wrong.
func unavailable(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case "40001", "40P01", // serialization failure, deadlock
			"55P03", // lock not available
			"25006": // read-only: a failover is under way
			return true
		}
		switch e.Code[:min(2, len(e.Code))] {
		case "08", "53", "57", "58": // connection, resources, operator, system
			return true
		}
		return false
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff { // the primary of an extended code
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN:
			return true
		}
		return false
	}
	_, network := errors.AsType[net.Error](err)
	_, connect := errors.AsType[*pgconn.ConnectError](err)
	return network || connect || errors.Is(err, driver.ErrBadConn) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
}
