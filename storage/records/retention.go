package records

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// Stale is a picture whose time is over.
type Stale struct {
	ID        string
	Tenant    string
	ObjectKey string
}

// DuePictures returns up to limit pictures whose time is over by now, the
// longest over first. Delete the object, then call PictureGone; whoever dies in
// between does it again.
func (s *Store) DuePictures(ctx context.Context, now time.Time, limit int) ([]Stale, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, tenant, object_key FROM verifications
		WHERE picture_until > 0 AND picture_gone_at = 0 AND picture_until <= $1 ORDER BY picture_until LIMIT $2`, micros(now), limit)
	due, err := collect(rows, err, func(r row) (p Stale, err error) { return p, r.Scan(&p.ID, &p.Tenant, &p.ObjectKey) })
	return due, fail("due pictures", "", err)
}

// PictureGone notes that a picture was deleted. A second time changes nothing.
func (s *Store) PictureGone(ctx context.Context, id string, now time.Time) error {
	n, err := affected(s.db.ExecContext(ctx, `UPDATE verifications SET version = version + 1,
		picture_gone_at = CASE WHEN picture_gone_at = 0 THEN $2 ELSE picture_gone_at END WHERE id = $1`, id, micros(now)))
	return fail("picture gone", id, found(n, err))
}

// DropSealed clears up to limit sealed submissions whose time is over by now,
// and returns how many there were.
func (s *Store) DropSealed(ctx context.Context, now time.Time, limit int) (int, error) {
	dropped, err := s.drop(ctx, s.db, `sealed = NULL, sealed_gone_at = $1`,
		`sealed_until > 0 AND sealed_gone_at = 0 AND sealed_until <= $1 ORDER BY sealed_until`, now, limit)
	return len(dropped), fail("drop sealed", "", err)
}

// DropReports clears up to limit reports whose time is over by now, with all
// that people wrote about them, and returns how many there were. Outcome, reason
// codes, the organization's code and hashes stay.
func (s *Store) DropReports(ctx context.Context, now time.Time, limit int) (dropped int, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		ids, err := s.drop(ctx, tx, `report = NULL, report_gone_at = $1`,
			`report_until > 0 AND report_gone_at = 0 AND report_until <= $1 ORDER BY report_until`, now, limit)
		if err != nil {
			return err
		}
		dropped = len(ids)
		return dropWritten(ctx, tx, ids)
	})
	if err != nil {
		return 0, fail("drop reports", "", err)
	}
	return dropped, nil
}

// drop clears what is due and returns of which verifications.
func (s *Store) drop(ctx context.Context, q queryer, set, due string, now time.Time, limit int) ([]string, error) {
	rows, err := q.QueryContext(ctx, `WITH due AS MATERIALIZED (
			SELECT id FROM verifications WHERE `+due+` LIMIT $2 `+s.skipLocked+`)
		UPDATE verifications SET version = version + 1, `+set+` FROM due WHERE verifications.id = due.id
		RETURNING verifications.id`, micros(now), limit)
	return collect(rows, err, func(r row) (id string, err error) { return id, r.Scan(&id) })
}

// dropWritten clears what people wrote about verifications, and what was kept
// beside their reports. A present certification keeps the name of a person, to
// tell later what has changed.
func dropWritten(ctx context.Context, tx queryer, ids []string) error {
	for chunk := range slices.Chunk(ids, idsPerStatement) {
		places, args := placeholders(chunk)
		for _, statement := range []string{
			`UPDATE decisions SET message_zh = '', message_en = '', corrections = 'null' WHERE case_id IN (` + places + `)`,
			`UPDATE notes SET text = '' WHERE case_id IN (` + places + `)`,
			`DELETE FROM prints WHERE verification_id IN (` + places + `)`,
			`UPDATE certifications SET legal_representative = '' WHERE verification_id IN (` + places + `) AND ended_at > 0`,
		} {
			if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// Erase drops sealed submission, report and all that people wrote about it at
// once, makes the picture due, and writes the entry, whose At is when; Tenant
// and Subject of it are set here. Nobody has to decide it any more, and no
// certification keeps a person of it. Outcome, codes and hashes stay. What was
// erased before is returned as it is, without another entry. A verification
// without its verdict is ErrNotCompleted: it is at work.
func (s *Store) Erase(ctx context.Context, tenant, id string, e Entry) (v Verification, err error) {
	e.Tenant, e.Subject = tenant, id
	err = s.transact(ctx, func(tx queryer) error {
		// A verdict that is there has brought its case, whose lock comes first.
		if v, err = get(ctx, tx, tenant, id); err != nil || !v.ErasedAt.IsZero() {
			return err
		}
		if v.Status != report.StatusCompleted {
			return ErrNotCompleted
		}
		switch c, err := s.lockCase(ctx, tx, tenant, id); {
		case err == nil:
			if err := removeCase(ctx, tx, c); err != nil {
				return err
			}
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		v, err = scan(tx.QueryRowContext(ctx, `UPDATE verifications SET sealed = NULL, report = NULL,
				sealed_gone_at = CASE WHEN sealed_gone_at = 0 THEN $3 ELSE sealed_gone_at END,
				report_gone_at = CASE WHEN report_gone_at = 0 THEN $3 ELSE report_gone_at END,
				picture_until = $3, erased_at = $3, version = version + 1
			WHERE tenant = $1 AND id = $2 AND erased_at = 0 RETURNING `+columns, tenant, id, micros(e.At)))
		if errors.Is(err, sql.ErrNoRows) { // another was first
			v, err = get(ctx, tx, tenant, id)
			return err
		}
		if err != nil {
			return err
		}
		if err := dropWritten(ctx, tx, []string{id}); err != nil {
			return err
		}
		if v.DecidedAt.IsZero() {
			if err := s.decided(ctx, tx, v, e.At); err != nil {
				return err
			}
		}
		if _, err = appendEntry(ctx, tx, e); err != nil { // locks the tenant
			return err
		}
		return forget(ctx, tx, v)
	})
	if err != nil {
		return Verification{}, fail("erase", id, err)
	}
	return v, nil
}

// forget clears what certifications keep of people whom an erased verification
// names. The caller has locked the tenant.
func forget(ctx context.Context, tx queryer, v Verification) error {
	if _, err := tx.ExecContext(ctx, `UPDATE certifications SET legal_representative = '' WHERE verification_id = $1`, v.ID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM holdings WHERE tenant = $1 AND kind = 'contact' AND organization_id =
		(SELECT organization_id FROM certifications WHERE verification_id = $2 AND ended_at = 0)`, v.Tenant, v.ID)
	return err
}

// Unmask returns a verification with its sealed submission once the entry is
// written that says who asked and why. ErrGone: there is nothing to unmask.
// Tenant and Subject of the entry are set here.
func (s *Store) Unmask(ctx context.Context, tenant, id string, e Entry) (v Verification, err error) {
	e.Tenant, e.Subject = tenant, id
	err = s.transact(ctx, func(tx queryer) error {
		if v, err = get(ctx, tx, tenant, id); err != nil {
			return err
		}
		if v.Sealed == nil {
			return ErrGone
		}
		_, err = appendEntry(ctx, tx, e)
		return err
	})
	if err != nil {
		return Verification{}, fail("unmask", id, err)
	}
	return v, nil
}
