package records

import (
	"context"
	"time"
)

// Claim takes a case for the reader until a time, or renews his own claim.
// ErrClaimed: it is another's; ErrNotYours: it is a second look at his own
// decision, is escalated and he is no lead, or is decided and only waits to
// become final. A claim that is new is an entry, "case.claimed".
func (s *Store) Claim(ctx context.Context, tenant, id string, by Reader, until, now time.Time) (c Case, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		if c, err = s.lockCase(ctx, tx, tenant, id); err != nil {
			return err
		}
		if err := c.mayTake(by, now); err != nil {
			return err
		}
		return take(ctx, tx, &c, by, until, now)
	})
	if err != nil {
		return Case{}, fail("claim", id, err)
	}
	return c, nil
}

// take claims a case that the reader may take.
func take(ctx context.Context, tx queryer, c *Case, by Reader, until, now time.Time) error {
	renewed := c.HeldBy(now) == by.User
	c.claim(by.User, until, now)
	if err := saveCase(ctx, tx, *c); err != nil || renewed {
		return err
	}
	_, err := appendEntry(ctx, tx, Entry{Tenant: c.Tenant, At: now, Actor: userActor(by.User), Action: "case.claimed", Subject: c.ID})
	return err
}

func (c *Case) claim(user string, until, now time.Time) {
	if c.HeldBy(now) != user {
		c.ClaimedAt = now.Truncate(time.Microsecond).UTC()
	}
	c.ClaimedBy, c.ClaimedUntil = user, until.Truncate(time.Microsecond).UTC()
}

// ClaimNext claims the most urgent case that a query selects and the reader may
// take, those first that he has claimed already. ErrNotFound: there is none. Two
// readers at once never get the same. After and Limit of the query mean nothing.
func (s *Store) ClaimNext(ctx context.Context, tenant string, q CaseQuery, by Reader, until, now time.Time) (c Case, err error) {
	q.After, q.Available = "", true
	err = s.transact(ctx, func(tx queryer) error {
		mine := q
		mine.Mine = true
		for _, q := range []CaseQuery{mine, q} {
			statement, args, err := q.statement(tenant, by, now, 1)
			if err != nil {
				return err
			}
			rows, err := tx.QueryContext(ctx, statement+" "+s.skipLocked, args...)
			found, err := collect(rows, err, scanCase)
			if err != nil {
				return err
			}
			if len(found) == 1 {
				c = found[0]
				return take(ctx, tx, &c, by, until, now)
			}
		}
		return ErrNotFound
	})
	if err != nil {
		return Case{}, fail("claim next", "", err)
	}
	return c, nil
}

// Release gives a claim back, with the entry "case.released". One that is not
// the user's, or is over, stays as it is.
func (s *Store) Release(ctx context.Context, tenant, id, user string, now time.Time) error {
	return fail("release", id, s.transact(ctx, func(tx queryer) error {
		n, err := affected(tx.ExecContext(ctx, `UPDATE cases SET claimed_by = '', claimed_at = 0, claimed_until = 0
			WHERE tenant = $1 AND id = $2 AND claimed_by = $3 AND claimed_until > $4`, tenant, id, user, micros(now)))
		if err != nil || n == 0 {
			return err
		}
		_, err = appendEntry(ctx, tx, Entry{Tenant: tenant, At: now, Actor: userActor(user), Action: "case.released", Subject: id})
		return err
	}))
}
