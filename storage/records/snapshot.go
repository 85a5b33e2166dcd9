package records

import (
	"context"
	"database/sql"
	"net/url"
)

// Snapshot writes a consistent copy of the SQLite database at path to a new file,
// while others read and write it. Both paths are absolute.
func Snapshot(ctx context.Context, path, to string) error {
	source := url.URL{Scheme: "file", Path: path, RawQuery: "mode=ro&_pragma=busy_timeout(10000)"}
	db, err := sql.Open("sqlite", source.String())
	if err != nil {
		return fail("snapshot", "", err)
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, to)
	return fail("snapshot", "", err)
}
