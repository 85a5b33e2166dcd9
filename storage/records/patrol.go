package records

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// DueOrganizations takes up to limit organizations whose NextAt is over, the
// longest over first, and leases them until now+leaseFor. Several patrols may call
// it at once: no two get the same one while its lease lasts. What a patrol does
// with one (Remind, Schedule, EndCertification) ends the lease.
func (s *Store) DueOrganizations(ctx context.Context, now time.Time, leaseFor time.Duration, limit int) ([]Organization, error) {
	rows, err := s.db.QueryContext(ctx, `WITH due AS MATERIALIZED (`+dueOrganizations+s.skipLocked+`)
		UPDATE organizations SET patrol_at = $3 FROM due WHERE tenant = due_tenant AND id = due_id AND patrol_at <= $1
		RETURNING `+organizationColumns, micros(now), limit, micros(now.Add(leaseFor)))
	due, err := collect(rows, err, scanOrganization)
	slices.SortFunc(due, func(a, b Organization) int { return a.NextAt.Compare(b.NextAt) })
	return due, fail("due organizations", "", err)
}

const dueOrganizations = `SELECT tenant AS due_tenant, id AS due_id FROM organizations
	WHERE patrol_at > 0 AND patrol_at <= $1 ORDER BY patrol_at LIMIT $2 `

// Schedule sets when the patrol looks at an organization next, unless it has
// another certification than the one given here; it ends the lease.
func (s *Store) Schedule(ctx context.Context, o Organization, next time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE organizations SET next_at = $4, patrol_at = $4, version = version + 1
		WHERE tenant = $1 AND id = $2 AND certification = $3`, o.Tenant, o.ID, o.Certification, micros(next))
	return fail("schedule", o.ID, err)
}

// Remind notes that an organization was reminded so many days ahead of its
// certification's end, which makes it expiring, sets when the patrol looks at it
// next, and adds the event: once in a certification, and never after a reminder
// with fewer days; else nothing happens. The event's At is when; its Tenant,
// Subject (the organization) and Dedupe are set here.
func (s *Store) Remind(ctx context.Context, o Organization, days int, next time.Time, ev Event) (reminded bool, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		n, err := affected(tx.ExecContext(ctx, `UPDATE organizations SET state = 'expiring', reminded = $4, next_at = $5, patrol_at = $5,
			changed_at = $6, version = version + 1
			WHERE tenant = $1 AND id = $2 AND certification <> '' AND certification = $3 AND (reminded = 0 OR reminded > $4)`,
			o.Tenant, o.ID, o.Certification, days, micros(next), micros(ev.At)))
		if err != nil || n == 0 {
			return err
		}
		ev.Tenant, ev.Subject, ev.Dedupe = o.Tenant, o.ID, o.Certification+"."+strconv.Itoa(days)
		reminded = true
		_, err = addEvent(ctx, tx, ev)
		return err
	})
	return reminded && err == nil, fail("remind", o.ID, err)
}

// Reverifications counts the verifications with the purpose of re-verification
// that were created since a time, of all tenants: what of the day's budget is
// spent.
func (s *Store) Reverifications(ctx context.Context, since time.Time) (n int, err error) {
	err = s.db.QueryRowContext(ctx, reverifications, micros(since)).Scan(&n)
	return n, fail("reverifications", "", err)
}

const reverifications = `SELECT COUNT(*) FROM verifications WHERE purpose = 'reverification' AND created_at >= $1`
