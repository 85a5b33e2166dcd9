package records

import (
	"context"
	"time"
)

// Session is a user who is signed in.
type Session struct {
	User      User
	CreatedAt time.Time
	SeenAt    time.Time // to the minute
	ExpiresAt time.Time
}

// OpenSession signs a user in: the session is known by the hash of its token
// until it expires. The user's failures are forgotten. A user who is disabled
// or unknown is ErrNotFound. The entry is "user.signed_in"; its Tenant and
// Subject are set here, and its Actor and At where they are empty.
func (s *Store) OpenSession(ctx context.Context, userID string, hash []byte, now, expires time.Time, e Entry) error {
	if err := isHash(hash); err != nil {
		return fail("open session", userID, err)
	}
	return fail("open session", userID, s.transact(ctx, func(tx queryer) error {
		var tenant string
		if err := tx.QueryRowContext(ctx, `SELECT tenant FROM users WHERE id = $1`, userID).Scan(&tenant); err != nil {
			return err
		}
		if err := lockTenant(ctx, tx, tenant); err != nil {
			return err
		}
		u, err := scanUser(tx.QueryRowContext(ctx, `UPDATE users SET failures = 0, locked_until = 0, seen_at = $2
			WHERE id = $1 AND disabled_at = 0 RETURNING `+userColumns, userID, micros(now)))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO sessions (hash, user_id, created_at, seen_at, expires_at)
			VALUES ($1, $2, $3, $3, $4)`, hash, userID, micros(now), micros(expires)); err != nil {
			return err
		}
		if e.At.IsZero() {
			e.At = now
		}
		_, err = appendEntry(ctx, tx, e.about(u, "user.signed_in"))
		return err
	}))
}

// Session returns the session of a token's hash and notes, at most once a
// minute, that it was used. ErrNotFound: it is unknown, over, or was idle for
// too long, or its user is disabled.
func (s *Store) Session(ctx context.Context, hash []byte, now time.Time, idle time.Duration) (Session, error) {
	o, err := s.PeekSession(ctx, hash, now, idle)
	if err != nil || now.Before(o.SeenAt.Add(touchEvery)) {
		return o, err
	}
	o.SeenAt = now.Truncate(time.Microsecond).UTC()
	o.User.SeenAt = o.SeenAt
	for _, statement := range []string{
		`UPDATE sessions SET seen_at = $2 WHERE hash = $1 AND seen_at < $2`,
		`UPDATE users SET seen_at = $2 WHERE id = (SELECT user_id FROM sessions WHERE hash = $1) AND seen_at < $2`,
	} {
		if _, err := s.db.ExecContext(ctx, statement, hash, micros(now)); err != nil {
			return o, fail("session", "", err)
		}
	}
	return o, nil
}

// PeekSession is Session for what a page asks by itself: it does not count as use.
func (s *Store) PeekSession(ctx context.Context, hash []byte, now time.Time, idle time.Duration) (Session, error) {
	var o Session
	fields := append(o.User.fields(), moment{&o.CreatedAt}, moment{&o.SeenAt}, moment{&o.ExpiresAt})
	err := s.db.QueryRowContext(ctx, `SELECT `+userColumns+`, sessions.created_at, sessions.seen_at, expires_at
		FROM sessions JOIN users ON users.id = user_id
		WHERE hash = $1 AND expires_at > $2 AND sessions.seen_at > $3 AND disabled_at = 0`,
		hash, micros(now), micros(now.Add(-idle))).Scan(fields...)
	if err != nil {
		return Session{}, fail("session", "", err)
	}
	return o, nil
}

// CloseSession signs out. A session that is unknown or over already is no
// error, and no entry. The entry is "user.signed_out"; its Tenant and Subject
// are set here, and its Actor where it is empty.
func (s *Store) CloseSession(ctx context.Context, hash []byte, e Entry) error {
	return fail("close session", "", s.transact(ctx, func(tx queryer) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+userColumns+` FROM sessions JOIN users ON users.id = user_id WHERE hash = $1`, hash)
		users, err := collect(rows, err, scanUser)
		if err != nil || len(users) == 0 {
			return err
		}
		if err := lockTenant(ctx, tx, users[0].Tenant); err != nil {
			return err
		}
		n, err := affected(tx.ExecContext(ctx, `DELETE FROM sessions WHERE hash = $1`, hash))
		if err != nil || n == 0 {
			return err
		}
		_, err = appendEntry(ctx, tx, e.about(users[0], "user.signed_out"))
		return err
	}))
}

// shutOut ends all sessions and the invitation of a user.
func shutOut(ctx context.Context, tx queryer, userID string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE user_id = $1`, userID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM invitations WHERE user_id = $1`, userID)
	return err
}

// PurgeSessions forgets up to limit sessions, and as many invitations, that
// expired before a time, and returns how many there were.
func (s *Store) PurgeSessions(ctx context.Context, before time.Time, limit int) (purged int, err error) {
	for _, table := range []string{"sessions", "invitations"} {
		n, err := affected(s.db.ExecContext(ctx, `DELETE FROM `+table+` WHERE hash IN
			(SELECT hash FROM `+table+` WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 `+s.skipLocked+`)`, micros(before), limit))
		purged += n
		if err != nil {
			return purged, fail("purge sessions", "", err)
		}
	}
	return purged, nil
}

// Invite lets a user set his password once, with the link whose token has this
// hash, until a time. An older link of his ends. The entry is "user.invited";
// its Tenant and Subject are set here.
func (s *Store) Invite(ctx context.Context, tenant, userID string, hash []byte, until time.Time, e Entry) error {
	return fail("invite", userID, s.transact(ctx, func(tx queryer) error {
		if err := lockTenant(ctx, tx, tenant); err != nil {
			return err
		}
		u, err := scanUser(tx.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE tenant = $1 AND id = $2`, tenant, userID))
		if err != nil {
			return err
		}
		return invite(ctx, tx, u, hash, until, e)
	}))
}

func invite(ctx context.Context, tx queryer, u User, hash []byte, until time.Time, e Entry) error {
	if err := isHash(hash); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO invitations (hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at, expires_at = excluded.expires_at`,
		hash, u.ID, micros(e.At), micros(until)); err != nil {
		return err
	}
	_, err := appendEntry(ctx, tx, e.about(u, "user.invited"))
	return err
}

// Invited returns whom an invitation is for, without using it. ErrNotFound: it
// is unknown, used, replaced or over, or its user is disabled.
func (s *Store) Invited(ctx context.Context, hash []byte, now time.Time) (User, error) {
	u, err := invited(ctx, s.db, hash, now)
	return u, fail("invited", "", err)
}

func invited(ctx context.Context, q queryer, hash []byte, now time.Time) (User, error) {
	return scanUser(q.QueryRowContext(ctx, `SELECT `+userColumns+` FROM invitations JOIN users ON users.id = user_id
		WHERE hash = $1 AND expires_at > $2 AND disabled_at = 0`, hash, micros(now)))
}

// UseInvitation sets the password (a PHC string) of whom the invitation is for,
// once, forgets his failures and ends all his sessions. ErrNotFound as Invited.
func (s *Store) UseInvitation(ctx context.Context, hash []byte, password string, now time.Time) (u User, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		if u, err = invited(ctx, tx, hash, now); err != nil {
			return err
		}
		if err := lockTenant(ctx, tx, u.Tenant); err != nil {
			return err
		}
		if u, err = invited(ctx, tx, hash, now); err != nil { // another may have been first
			return err
		}
		u, err = scanUser(tx.QueryRowContext(ctx, `UPDATE users SET password = $2, failures = 0, locked_until = 0
			WHERE id = $1 RETURNING `+userColumns, u.ID, password))
		if err != nil {
			return err
		}
		if err := shutOut(ctx, tx, u.ID); err != nil {
			return err
		}
		_, err = appendEntry(ctx, tx, Entry{At: now}.about(u, "user.password_set"))
		return err
	})
	if err != nil {
		return User{}, fail("use invitation", "", err)
	}
	return u, nil
}
