package records

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// NameKey is an index key of a name, see license.NameKeys. Names that can be
// mistaken for each other share one; those that share one of kind NameSame are
// the same.
type NameKey struct{ Kind, Key string }

// NameSame is the kind of key that one organization of a tenant holds alone.
const NameSame = "same"

// The kinds of holdings beside those of NameKey.
const (
	holdsLicense = "license"
	holdsContact = "contact"
)

// holding is something that a certification holds, and others find it by.
type holding struct{ kind, key string }

func (g Grant) holdings() []holding {
	var all []holding
	for _, k := range g.NameKeys {
		all = append(all, holding{k.Kind, k.Key})
	}
	if g.License != "" {
		all = append(all, holding{holdsLicense, g.License})
	}
	for _, index := range g.Contacts {
		all = append(all, holding{holdsContact, hex.EncodeToString(index)})
	}
	return all
}

// hold puts what a grant holds in the place of what its organization held before.
// The caller has locked the tenant: nobody else takes or frees anything.
func hold(ctx context.Context, tx queryer, c Certification, g Grant) error {
	if err := release(ctx, tx, c.Tenant, c.Organization); err != nil {
		return err
	}
	shared := 0
	if g.Shared {
		shared = 1
	}
	var args []any
	all := g.holdings()
	for _, h := range all {
		kind := map[string]string{NameSame: LockedName, holdsLicense: LockedLicense}[h.kind]
		if kind != "" {
			// A license is shared when both policies say so.
			var other string
			err := tx.QueryRowContext(ctx, `SELECT organization_id FROM holdings WHERE tenant = $1 AND kind = $2 AND key = $3
				AND (kind <> 'license' OR shared = 0 OR $4 = 0) LIMIT 1`, c.Tenant, h.kind, h.key, shared).Scan(&other)
			if err == nil {
				return &LockedError{kind, other}
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		args = append(args, c.Tenant, h.kind, h.key, c.Organization, shared)
	}
	if len(all) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO holdings (tenant, kind, key, organization_id, shared)
		VALUES `+tuples(len(all), 5)+` ON CONFLICT DO NOTHING`, args...)
	return err
}

// release frees all that an organization holds.
func release(ctx context.Context, tx queryer, tenant, organization string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM holdings WHERE tenant = $1 AND organization_id = $2`, tenant, organization)
	return err
}

// tuples are the placeholders of rows to insert.
func tuples(rows, columns int) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteString("($")
		case i%columns == 0:
			b.WriteString("), ($")
		default:
			b.WriteString(", $")
		}
		b.WriteString(strconv.Itoa(i + 1))
	}
	b.WriteByte(')')
	return b.String()
}

// holders are those who hold a key, without one, in the order of their ids.
const holders = `SELECT organization_id FROM holdings
	WHERE tenant = $1 AND kind = $2 AND key = $3 AND organization_id <> $4 ORDER BY organization_id LIMIT $5`

// NameHolder is an organization that is certified with a name.
type NameHolder struct{ Organization, Name string }

// NamesAlike returns up to limit certified organizations but one whose names share
// a key, those of the first key first. Not every two names that share a key can be
// mistaken for each other: license.NameLikeness says.
func (s *Store) NamesAlike(ctx context.Context, tenant string, keys []NameKey, not string, limit int) ([]NameHolder, error) {
	var all []NameHolder
	for _, key := range keys {
		rows, err := s.db.QueryContext(ctx, namesAlike, tenant, key.Kind, key.Key, not, limit)
		found, err := collect(rows, err, func(r row) (h NameHolder, err error) {
			var name []byte
			err = r.Scan(&h.Organization, &name)
			h.Name = string(name)
			return h, err
		})
		if err != nil {
			return nil, fail("names alike", not, err)
		}
		if all = addNew(all, found, limit); len(all) == limit {
			break
		}
	}
	return all, nil
}

// CROSS keeps SQLite from reading the organizations first.
const namesAlike = `SELECT organization_id, name FROM holdings CROSS JOIN organizations
	WHERE holdings.tenant = $1 AND kind = $2 AND key = $3 AND organization_id <> $4
		AND organizations.tenant = holdings.tenant AND organizations.id = organization_id ORDER BY organization_id LIMIT $5`

// LicenseHolders returns the organizations but one that are certified with a code.
func (s *Store) LicenseHolders(ctx context.Context, tenant, uscc, not string) ([]string, error) {
	found, err := s.holders(ctx, tenant, holdsLicense, uscc, not)
	return found, fail("license holders", not, err)
}

// ContactHolders returns the certified organizations but one that share an email
// or phone, by their blind indexes.
func (s *Store) ContactHolders(ctx context.Context, tenant string, contacts [][]byte, not string) ([]string, error) {
	var all []string
	for _, contact := range contacts {
		found, err := s.holders(ctx, tenant, holdsContact, hex.EncodeToString(contact), not)
		if err != nil {
			return nil, fail("contact holders", not, err)
		}
		all = addNew(all, found, MaxPage)
	}
	return all, nil
}

// holders are at most MaxPage.
func (s *Store) holders(ctx context.Context, tenant, kind, key, not string) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, holders, tenant, kind, key, not, MaxPage)
	return collect(rows, err, func(r row) (id string, err error) { return id, r.Scan(&id) })
}

// addNew adds what is not there yet, up to a limit.
func addNew[T comparable](all, found []T, limit int) []T {
	for _, one := range found {
		if len(all) < limit && !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}

// PrintHolders returns up to limit verifications of organizations but one whose
// pictures share a key of their prints, of each key the newest first. Not every two
// that share a key show the same: likeness.Compare says. They are found for as long
// as their reports are kept, whatever their outcome.
func (s *Store) PrintHolders(ctx context.Context, tenant string, keys []string, not string, limit int) ([]string, error) {
	var all []string
	for _, key := range keys {
		rows, err := s.db.QueryContext(ctx, printHolders, tenant, key, not, limit)
		found, err := collect(rows, err, func(r row) (id string, err error) { return id, r.Scan(&id) })
		if err != nil {
			return nil, fail("print holders", not, err)
		}
		if all = addNew(all, found, limit); len(all) == limit {
			break
		}
	}
	return all, nil
}

const printHolders = `SELECT verification_id FROM prints
	WHERE tenant = $1 AND key = $2 AND organization_id <> $3 ORDER BY verification_id DESC LIMIT $4`

// addPrints lets others find a verification by its picture.
func addPrints(ctx context.Context, tx queryer, v Verification, keys []string) error {
	if v.OrganizationID == "" || len(keys) == 0 {
		return nil
	}
	var args []any
	for _, key := range keys {
		args = append(args, v.Tenant, key, v.ID, v.OrganizationID)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO prints (tenant, key, verification_id, organization_id)
		VALUES `+tuples(len(keys), 4)+` ON CONFLICT DO NOTHING`, args...)
	return err
}
