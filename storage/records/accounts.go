package records

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// Role is what a user of the console may do: a lead all that a reviewer may, an
// admin all that a lead may.
type Role string

// The roles.
const (
	RoleReviewer Role = "reviewer"
	RoleLead     Role = "lead"
	RoleAdmin    Role = "admin"
)

// Roles are all of them, each with all that the ones before it may.
var Roles = []Role{RoleReviewer, RoleLead, RoleAdmin}

// AtLeast says whether the role may do all that another may. One that is not of
// Roles may nothing.
func (r Role) AtLeast(other Role) bool {
	return slices.Contains(Roles, r) && slices.Contains(Roles, other) && slices.Index(Roles, r) >= slices.Index(Roles, other)
}

// User is a person who works with the console.
type User struct {
	ID, Tenant      string
	Login           string // [a-z0-9._-], 2..64 bytes; unique in the database. No "@": emails are not kept
	Name            string // what colleagues see, up to 200 bytes
	Role            Role
	Password        string // PHC string of argon2id; empty: none set
	Issuer, Subject string // of OpenID Connect, unique together; empty: a local account
	CreatedAt       time.Time
	SeenAt          time.Time // in a session, to the minute; zero: never
	DisabledAt      time.Time
	Failures        int // failed sign-ins in a row
	LockedUntil     time.Time
}

// maxName is the longest name of a user, in bytes.
const maxName = 200

func (u User) check() error {
	switch {
	case u.ID == "" || !isSlug(u.Tenant):
		return errors.New("a user has an id and a tenant")
	case len(u.Login) < 2 || !consistsOf(u.Login, "abcdefghijklmnopqrstuvwxyz0123456789._-"):
		return errors.New("a login is 2 to 64 lower-case letters, digits, dots, - and _")
	case !slices.Contains(Roles, u.Role):
		return errors.New("a role is one of Roles")
	case (u.Issuer == "") != (u.Subject == ""):
		return errors.New("a subject has its issuer")
	case len(u.Name) > maxName || !storable(u.Name+u.Issuer+u.Subject+u.Password):
		return errors.New("a name is up to 200 bytes of UTF-8 without NUL")
	}
	return nil
}

const userColumns = `users.id, users.tenant, login, name, role, password, issuer, subject, users.created_at, users.seen_at, disabled_at, failures, locked_until`

func (u *User) fields() []any {
	return []any{&u.ID, &u.Tenant, &u.Login, &u.Name, &u.Role, &u.Password, &u.Issuer, &u.Subject,
		moment{&u.CreatedAt}, moment{&u.SeenAt}, moment{&u.DisabledAt}, &u.Failures, moment{&u.LockedUntil}}
}

func scanUser(r row) (u User, err error) { return u, r.Scan(u.fields()...) }

// AddUser stores a user. ErrConflict: the login, or the subject of that issuer,
// is taken. The entry is "user.added"; its Tenant and Subject are set here.
func (s *Store) AddUser(ctx context.Context, u User, e Entry) error {
	if err := u.check(); err != nil {
		return fail("add user", u.ID, err)
	}
	return fail("add user", u.ID, s.transact(ctx, func(tx queryer) error {
		if err := lockTenant(ctx, tx, u.Tenant); err != nil {
			return err
		}
		return addUser(ctx, tx, u, e)
	}))
}

func addUser(ctx context.Context, tx queryer, u User, e Entry) error {
	n, err := affected(tx.ExecContext(ctx, `INSERT INTO users (id, tenant, login, name, role, password, issuer, subject, created_at, disabled_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`, u.ID, u.Tenant, u.Login, u.Name, string(u.Role),
		u.Password, u.Issuer, u.Subject, micros(u.CreatedAt), micros(u.DisabledAt)))
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrConflict
	}
	_, err = appendEntry(ctx, tx, e.about(u, "user.added"))
	return err
}

// about completes an entry with the user it is about, whose own doing it is
// unless an actor is named, and with an action unless there is one.
func (e Entry) about(u User, action string) Entry {
	e.Tenant, e.Subject = u.Tenant, u.ID
	if e.Action == "" {
		e.Action = action
	}
	if e.Actor == "" {
		e.Actor = userActor(u.ID)
	}
	return e
}

// userActor is a user as the audit log names him.
func userActor(id string) string { return "user:" + id }

// inviteAgain is how long an invitation of the first user is left alone: of
// processes that start together one shows a link, and it is good.
const inviteAgain = time.Minute

// AddFirstUser adds an admin, and the invitation with which he sets his
// password, to a tenant without any user. Several processes may call it at
// once: one adds. As long as he is the only user and has neither password nor
// subject, a call a minute or more after the last, by the entry's At, puts its
// invitation in the place of the old one, and added is true as well.
func (s *Store) AddFirstUser(ctx context.Context, u User, invitation []byte, until time.Time, e Entry) (added bool, err error) {
	u.Role = RoleAdmin
	if err := u.check(); err != nil {
		return false, fail("add first user", u.ID, err)
	}
	err = s.transact(ctx, func(tx queryer) error {
		if err := lockTenant(ctx, tx, u.Tenant); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+userColumns+` FROM users WHERE tenant = $1 LIMIT 2`, u.Tenant)
		users, err := collect(rows, err, scanUser)
		if err != nil {
			return err
		}
		switch {
		case len(users) == 0:
			if err := addUser(ctx, tx, u, e); err != nil {
				return err
			}
		case len(users) > 1 || users[0].Password != "" || users[0].Subject != "" || !users[0].DisabledAt.IsZero():
			return nil
		default:
			u = users[0]
			var fresh int
			if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM invitations WHERE user_id = $1 AND created_at > $2`,
				u.ID, micros(e.At.Add(-inviteAgain))).Scan(&fresh); err != nil || fresh > 0 {
				return err
			}
		}
		added = true
		e.Action = ""
		return invite(ctx, tx, u, invitation, until, e)
	})
	return added && err == nil, fail("add first user", u.ID, err)
}

// Users returns all users of a tenant by login, those disabled too.
func (s *Store) Users(ctx context.Context, tenant string) ([]User, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+userColumns+` FROM users WHERE tenant = $1 ORDER BY login`, tenant)
	users, err := collect(rows, err, scanUser)
	return users, fail("users", "", err)
}

// User returns a user of a tenant, disabled or not.
func (s *Store) User(ctx context.Context, tenant, id string) (User, error) {
	u, err := scanUser(s.db.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE tenant = $1 AND id = $2`, tenant, id))
	return u, fail("user", id, err)
}

// UserByLogin returns the user of a login, disabled or not.
func (s *Store) UserByLogin(ctx context.Context, login string) (User, error) {
	u, err := scanUser(s.db.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE login = $1`, login))
	return u, fail("user by login", "", err)
}

// UserBySubject returns the user whom an issuer of OpenID Connect calls so,
// disabled or not.
func (s *Store) UserBySubject(ctx context.Context, issuer, subject string) (User, error) {
	u, err := scanUser(s.db.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users
		WHERE subject <> '' AND issuer = $1 AND subject = $2`, issuer, subject))
	return u, fail("user by subject", "", err)
}

// UserChange is what to change of a user; nil leaves it as it is.
type UserChange struct {
	Name     *string
	Role     *Role
	Disabled *bool
	Password *string // PHC string
}

// ChangeUser changes a user. To be disabled or to get a new password ends all
// his sessions and his invitation. The last enabled admin of a tenant can
// neither be disabled nor demoted: ErrLastAdmin. The entry is "user.changed"
// with what was changed unless it says something else; its Tenant and Subject
// are set here.
func (s *Store) ChangeUser(ctx context.Context, tenant, id string, change UserChange, e Entry) (u User, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		if err := lockTenant(ctx, tx, tenant); err != nil {
			return err
		}
		if u, err = scanUser(tx.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE tenant = $1 AND id = $2 `+s.lock, tenant, id)); err != nil {
			return err
		}
		admin := u.Role == RoleAdmin && u.DisabledAt.IsZero()
		detail := change.apply(&u, e.At)
		if err := u.check(); err != nil {
			return err
		}
		if admin && (u.Role != RoleAdmin || !u.DisabledAt.IsZero()) {
			var others int
			if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM users
				WHERE tenant = $1 AND role = 'admin' AND disabled_at = 0 AND id <> $2`, tenant, id).Scan(&others); err != nil {
				return err
			}
			if others == 0 {
				return ErrLastAdmin
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE users SET name = $2, role = $3, password = $4, disabled_at = $5, failures = $6, locked_until = $7
			WHERE id = $1`, id, u.Name, string(u.Role), u.Password, micros(u.DisabledAt), u.Failures, micros(u.LockedUntil)); err != nil {
			return err
		}
		if !u.DisabledAt.IsZero() || change.Password != nil {
			if err := shutOut(ctx, tx, id); err != nil {
				return err
			}
		}
		if e.Detail == nil {
			e.Detail = detail
		}
		_, err = appendEntry(ctx, tx, e.about(u, "user.changed"))
		return err
	})
	if err != nil {
		return User{}, fail("change user", id, err)
	}
	return u, nil
}

// apply changes the user and returns what an entry tells of it.
func (c UserChange) apply(u *User, at time.Time) json.RawMessage {
	told := map[string]any{}
	if c.Name != nil {
		u.Name, told["name"] = *c.Name, true
	}
	if c.Role != nil {
		u.Role, told["role"] = *c.Role, *c.Role
	}
	if c.Disabled != nil {
		told["disabled"] = *c.Disabled
		switch {
		case !*c.Disabled:
			u.DisabledAt = time.Time{}
		case u.DisabledAt.IsZero():
			u.DisabledAt = at.Truncate(time.Microsecond).UTC()
		}
	}
	if c.Password != nil {
		u.Password, u.Failures, u.LockedUntil, told["password"] = *c.Password, 0, time.Time{}, true
	}
	return detail(told)
}

// CountFailure counts a failed sign-in, and locks the user until a time, zero:
// no longer than he is already.
func (s *Store) CountFailure(ctx context.Context, id string, lockedUntil time.Time) (User, error) {
	u, err := scanUser(s.db.QueryRowContext(ctx, `UPDATE users SET failures = failures + 1,
		locked_until = CASE WHEN locked_until > $2 THEN locked_until ELSE $2 END WHERE id = $1 RETURNING `+userColumns, id, micros(lockedUntil)))
	return u, fail("count failure", id, err)
}

// isHash says whether a token's hash was given.
func isHash(hash []byte) error {
	if len(hash) != sha256.Size {
		return errors.New("a token is stored by its SHA-256")
	}
	return nil
}
