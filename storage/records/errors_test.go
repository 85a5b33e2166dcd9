package records

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/heyan/heyan/storage/storagetest"
)

// A server that dies within a transaction leaves statements that find their
// connection closed: they were never sent.
func TestClosedConnectionIsUnavailable(t *testing.T) {
	db, err := sql.Open("pgx", storagetest.StartPostgres(t).NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	tx, err := c.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // there is nothing left to roll back
	if err := c.Raw(func(driver any) error { return driver.(*stdlib.Conn).Conn().Close(t.Context()) }); err != nil {
		t.Fatal(err)
	}
	_, err = tx.Exec("SELECT 1")
	if err := fail("create", "", err); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
