package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/heyan/heyan/storage/backup"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
)

// storeFlags say where the records and the vault's keys are.
type storeFlags struct {
	Data    string `type:"path" default:"heyan-data" env:"HEYAN_DATA" help:"Folder of photos, records and keys; made when it is missing."`
	Records string `env:"HEYAN_RECORDS" help:"postgres://… in place of SQLite in the data folder."`
	KeyFile string `type:"path" env:"HEYAN_KEY_FILE" help:"Master keys of the vault; vault.key in the data folder by default."`
}

func (f *storeFlags) open(ctx context.Context) (*records.Store, error) {
	if f.Records != "" {
		return records.Open(ctx, f.Records)
	}
	return records.Open(ctx, (&url.URL{Scheme: "sqlite", Path: filepath.Join(f.Data, backup.RecordsFile)}).String())
}

func (f *storeFlags) keyFile() string {
	if f.KeyFile != "" {
		return f.KeyFile
	}
	return filepath.Join(f.Data, backup.KeyFile)
}

type keysCommand struct {
	storeFlags
	Add       keysAddCommand       `cmd:"" help:"Make a key and print its token, once."`
	List      keysListCommand      `cmd:"" help:"List the keys of a tenant."`
	Revoke    keysRevokeCommand    `cmd:"" help:"Revoke a key, at once."`
	NewMaster keysNewMasterCommand `cmd:"" help:"Put a new master key before those of the vault's key file."`
	Rotate    keysRotateCommand    `cmd:"" help:"Wrap all data keys with the first master of the vault's key file."`
}

type tenantFlag struct {
	Tenant string `default:"${tenant}" help:"Whose keys: every row belongs to a tenant, and none sees another's."`
}

type keysAddCommand struct {
	tenantFlag
	Name  string        `required:"" help:"What people call the key."`
	Scope []string      `required:"" enum:"submit,read,review,admin" help:"What it may do: submit, read, review, admin. Repeat the flag for several."`
	For   time.Duration `help:"How long it holds; for ever by default."`
}

// Run prints the token alone on standard output, so that a script can keep it.
func (c *keysAddCommand) Run(ctx context.Context, std standard, keys *keysCommand) error {
	store, err := keys.open(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	now := time.Now()
	key := records.Key{ID: records.NewID(), Tenant: c.Tenant, Name: c.Name, CreatedAt: now}
	for _, s := range c.Scope {
		key.Scopes = append(key.Scopes, records.Scope(s))
	}
	if c.For > 0 {
		key.ExpiresAt = now.Add(c.For)
	}
	token := records.NewToken()
	if err := store.AddKey(ctx, key, records.HashToken(token)); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "keys: %s, tenant %s; the token is not kept and not shown again\n", key.ID, key.Tenant)
	fmt.Fprintln(std.out, token)
	return nil
}

type keysListCommand struct{ tenantFlag }

func (c *keysListCommand) Run(ctx context.Context, std standard, keys *keysCommand) error {
	store, err := keys.open(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	all, err := store.Keys(ctx, c.Tenant)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "id\tname\tscopes\tmade\texpires\trevoked\tlast used")
	for _, k := range all {
		scopes := make([]string, len(k.Scopes))
		for i, s := range k.Scopes {
			scopes[i] = string(s)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, strings.Join(scopes, " "),
			day(k.CreatedAt), day(k.ExpiresAt), day(k.RevokedAt), day(k.LastUsedAt))
	}
	return table.Flush()
}

// day is a time in a table.
func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateTime)
}

type keysRevokeCommand struct {
	tenantFlag
	ID string `arg:"" help:"The key's id."`
}

func (c *keysRevokeCommand) Run(ctx context.Context, std standard, keys *keysCommand) error {
	store, err := keys.open(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := store.RevokeKey(ctx, c.Tenant, c.ID, time.Now()); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "keys: %s is revoked\n", c.ID)
	return nil
}

type keysNewMasterCommand struct{}

func (c *keysNewMasterCommand) Run(_ context.Context, std standard, keys *keysCommand) error {
	if err := vault.AddMaster(keys.keyFile()); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "keys: %s has a new first line; give it to every machine, then run heyan keys rotate\n", keys.keyFile())
	return nil
}

type keysRotateCommand struct{}

func (c *keysRotateCommand) Run(ctx context.Context, std standard, keys *keysCommand) error {
	store, err := keys.open(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	v, err := vault.Open(ctx, keys.keyFile(), store)
	if err != nil {
		return err
	}
	n, err := v.Rotate(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "keys: %d data keys are wrapped anew; the older lines of %s may go\n", n, keys.keyFile())
	return nil
}
