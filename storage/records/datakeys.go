package records

import (
	"context"
	"database/sql"
	"errors"
)

// DataKey returns the wrapped data key of a tenant, nil when it has none.
func (s *Store) DataKey(ctx context.Context, tenant string) ([]byte, error) {
	var wrapped []byte
	err := s.db.QueryRowContext(ctx, `SELECT wrapped FROM data_keys WHERE tenant = $1`, tenant).Scan(&wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return wrapped, fail("data key", "", err)
}

// AddDataKey stores the wrapped data key of a tenant that has none, and returns
// the one stored: of several callers at once one wins and all get the same key.
func (s *Store) AddDataKey(ctx context.Context, tenant string, wrapped []byte) ([]byte, error) {
	if _, err := s.db.ExecContext(ctx, `INSERT INTO data_keys (tenant, wrapped) VALUES ($1, $2)
		ON CONFLICT DO NOTHING`, tenant, wrapped); err != nil {
		return nil, fail("add data key", "", err)
	}
	return s.DataKey(ctx, tenant)
}

// DataKeyTenants are the tenants that have a data key, in order.
func (s *Store) DataKeyTenants(ctx context.Context) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT tenant FROM data_keys ORDER BY tenant`)
	tenants, err := collect(rows, err, func(r row) (tenant string, err error) { return tenant, r.Scan(&tenant) })
	return tenants, fail("data key tenants", "", err)
}

// ReplaceDataKey puts a wrapped data key in the place of another, unless that
// is no longer there.
func (s *Store) ReplaceDataKey(ctx context.Context, tenant string, old, wrapped []byte) (replaced bool, err error) {
	n, err := affected(s.db.ExecContext(ctx, `UPDATE data_keys SET wrapped = $3 WHERE tenant = $1 AND wrapped = $2`,
		tenant, old, wrapped))
	return n == 1, fail("replace data key", "", err)
}

// DeleteDataKey shreds all that a tenant has sealed: nothing opens it again. A
// tenant without a key is no error.
func (s *Store) DeleteDataKey(ctx context.Context, tenant string) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM data_keys WHERE tenant = $1`, tenant)
	return fail("delete data key", "", err)
}
