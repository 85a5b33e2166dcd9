package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/heyan/heyan/server"
	"github.com/heyan/heyan/server/console"
	"github.com/heyan/heyan/storage/records"
)

type reviewCommand struct {
	storeFlags
	consoleURLFlag
	Add     reviewAddCommand     `cmd:"" help:"Add a user and print the one-time link with which he sets his password."`
	List    reviewListCommand    `cmd:"" help:"List the users of a tenant."`
	Link    reviewLinkCommand    `cmd:"" help:"Print a new one-time link for a user; older ones end."`
	Disable reviewDisableCommand `cmd:"" help:"Disable a user; his sessions end at once."`
}

// invite prints a user's link alone on standard output.
func (c *reviewCommand) invite(ctx context.Context, std standard, store *records.Store, u records.User) error {
	base := c.ConsoleURL
	if base == "" {
		base = "http://" + server.DefaultListen
	}
	link, err := console.Invite(ctx, store, base, u, shell(time.Now()))
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "review: %s sets a password here, once, within 24 hours; the link is not shown again\n", u.Login)
	fmt.Fprintln(std.out, link)
	return nil
}

// shell is what the audit log says of what is done here.
func shell(now time.Time) records.Entry {
	return records.Entry{At: now, Actor: "system", Reason: "heyan review"}
}

type reviewAddCommand struct {
	tenantFlag
	Login string       `required:"" help:"2 to 64 lower-case letters, digits, dots, - or _; no email address."`
	Name  string       `required:"" help:"What colleagues see."`
	Role  records.Role `required:"" enum:"reviewer,lead,admin" help:"What the user may do: reviewer, lead (all that a reviewer may) or admin (all)."`
}

func (c *reviewAddCommand) Run(ctx context.Context, std standard, review *reviewCommand) error {
	store, err := review.open(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	now := time.Now()
	u := records.User{ID: records.NewID(), Tenant: c.Tenant, Login: c.Login, Name: c.Name, Role: c.Role, CreatedAt: now}
	switch err := store.AddUser(ctx, u, shell(now)); {
	case errors.Is(err, records.ErrConflict):
		return fmt.Errorf("the login %s is taken", c.Login)
	case err != nil:
		return err
	}
	return review.invite(ctx, std, store, u)
}

type reviewListCommand struct{ tenantFlag }

func (c *reviewListCommand) Run(ctx context.Context, std standard, review *reviewCommand) error {
	store, err := review.open(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	users, err := store.Users(ctx, c.Tenant)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "login\tname\trole\taccount\tmade\tlast seen\tdisabled")
	for _, u := range users {
		account := "password"
		switch {
		case u.Subject != "":
			account = "openid connect"
		case u.Password == "":
			account = "no password yet"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", u.Login, u.Name, u.Role, account, day(u.CreatedAt), day(u.SeenAt), day(u.DisabledAt))
	}
	return table.Flush()
}

// userArgument is a user by his login.
type userArgument struct {
	tenantFlag
	Login string `arg:"" help:"The user's login."`
}

func (a userArgument) user(ctx context.Context, store *records.Store) (records.User, error) {
	u, err := store.UserByLogin(ctx, a.Login)
	if errors.Is(err, records.ErrNotFound) || err == nil && u.Tenant != a.Tenant {
		return u, fmt.Errorf("tenant %s has no user %s", a.Tenant, a.Login)
	}
	return u, err
}

type reviewLinkCommand struct{ userArgument }

func (c *reviewLinkCommand) Run(ctx context.Context, std standard, review *reviewCommand) error {
	store, err := review.open(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	u, err := c.user(ctx, store)
	if err != nil {
		return err
	}
	if u.Subject != "" || !u.DisabledAt.IsZero() {
		return &exit{exitUsage, fmt.Errorf("%s is disabled or signs in through OpenID Connect: there is no password to set", u.Login)}
	}
	return review.invite(ctx, std, store, u)
}

type reviewDisableCommand struct{ userArgument }

func (c *reviewDisableCommand) Run(ctx context.Context, std standard, review *reviewCommand) error {
	store, err := review.open(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	u, err := c.user(ctx, store)
	if err != nil {
		return err
	}
	disabled := true
	if _, err := store.ChangeUser(ctx, u.Tenant, u.ID, records.UserChange{Disabled: &disabled}, shell(time.Now())); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "review: %s is disabled\n", u.Login)
	return nil
}
