package records

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// TakeLoadingBatch takes the oldest batch, of all tenants, whose lines nobody
// adds: one that nobody has begun, or to which none was added for as long as lease
// says. Of several loaders at once each gets another one. found=false: there is
// none. Two loaders of one batch do no harm, see AddBatchLines.
func (s *Store) TakeLoadingBatch(ctx context.Context, now time.Time, lease time.Duration) (b Batch, found bool, err error) {
	b, err = scanBatch(s.db.QueryRowContext(ctx, `WITH due AS MATERIALIZED (`+loadingBatch+s.skipLocked+`)
		UPDATE batches SET changed_at = CASE WHEN created_at < $2 THEN $2 ELSE created_at + 1 END
		FROM due WHERE id = due_id AND state = 'loading' AND changed_at = due_changed RETURNING `+batchColumns,
		micros(now.Add(-lease)), micros(now)))
	if errors.Is(err, sql.ErrNoRows) {
		return Batch{}, false, nil
	}
	return b, err == nil, fail("take loading batch", "", err)
}

// Who takes one changes changed_at, which until then is created_at.
const loadingBatch = `SELECT id AS due_id, changed_at AS due_changed FROM batches
	WHERE state = 'loading' AND state <> 'done' AND state <> 'cancelled' AND (changed_at = created_at OR changed_at < $1)
	ORDER BY created_at, id LIMIT 1 `
