package records

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Endpoint is where a tenant wants its events sent to.
type Endpoint struct {
	ID             string // UUIDv7, see NewID
	Tenant         string
	URL            string
	SealedSecrets  []byte   // signing secrets as the vault sealed them
	Types          []string // of events it wants; none: all
	CreatedAt      time.Time
	DisabledAt     time.Time // zero: it is enabled
	DisabledReason string    // code, lower_snake
	FailingSince   time.Time // the first failure since its last success
}

// wants says whether an event goes to this endpoint.
func (e Endpoint) wants(event Event) bool {
	return e.DisabledAt.IsZero() && (event.Callback == "" || event.Callback == e.ID) &&
		(len(e.Types) == 0 || slices.Contains(e.Types, event.Type))
}

// wanting are the ids of the endpoints that an event goes to.
func wanting(ctx context.Context, q queryer, event Event) (ids []string, err error) {
	all, err := endpoints(ctx, q, event.Tenant)
	for _, e := range all {
		if e.wants(event) {
			ids = append(ids, e.ID)
		}
	}
	return ids, err
}

const endpointColumns = `endpoints.id, endpoints.tenant, url, sealed_secrets, types, created_at, disabled_at, disabled_reason, failing_since`

func (e *Endpoint) fields() []any {
	return []any{&e.ID, &e.Tenant, &e.URL, &e.SealedSecrets, words{&e.Types}, moment{&e.CreatedAt},
		moment{&e.DisabledAt}, &e.DisabledReason, moment{&e.FailingSince}}
}

func endpoints(ctx context.Context, q queryer, tenant string) ([]Endpoint, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+endpointColumns+` FROM endpoints WHERE tenant = $1 ORDER BY id`, tenant)
	return collect(rows, err, func(r row) (e Endpoint, err error) { return e, r.Scan(e.fields()...) })
}

// AddEndpoint stores an endpoint, enabled, for the events from now on.
func (s *Store) AddEndpoint(ctx context.Context, e Endpoint) error {
	if !isSlug(e.Tenant) {
		return fail("add endpoint", e.ID, errSlug)
	}
	if e.ID == "" || slices.ContainsFunc(e.Types, func(t string) bool { return !isDotted(t) }) {
		return fail("add endpoint", e.ID, errors.New("an endpoint has an id, and types of codes between dots"))
	}
	_, err := s.db.ExecContext(ctx, `INSERT INTO endpoints (id, tenant, url, sealed_secrets, types, created_at)
		VALUES ($1, $2, $3, $4, $5, $6)`, e.ID, e.Tenant, e.URL, e.SealedSecrets, strings.Join(e.Types, " "), micros(e.CreatedAt))
	return fail("add endpoint", e.ID, err)
}

// Endpoints returns all endpoints of a tenant, oldest first.
func (s *Store) Endpoints(ctx context.Context, tenant string) ([]Endpoint, error) {
	all, err := endpoints(ctx, s.db, tenant)
	return all, fail("endpoints", "", err)
}

// SetEndpointSecrets replaces the signing secrets, as when they are rotated.
func (s *Store) SetEndpointSecrets(ctx context.Context, tenant, id string, sealed []byte) error {
	n, err := affected(s.db.ExecContext(ctx, `UPDATE endpoints SET sealed_secrets = $3 WHERE tenant = $1 AND id = $2`,
		tenant, id, sealed))
	return fail("set endpoint secrets", id, found(n, err))
}

// DisableEndpoint ends deliveries to an endpoint, for a reason that is a code,
// and adds an event that says so; what is undelivered is held. One that is
// disabled stays as it is, and changed is false. The event's Tenant and Subject
// are set here, its At is when.
func (s *Store) DisableEndpoint(ctx context.Context, tenant, id, reason string, event Event) (changed bool, err error) {
	if !isCode(reason) {
		return false, fail("disable endpoint", id, errors.New("the reason is not a lower_snake code"))
	}
	err = s.transact(ctx, func(tx queryer) error {
		// Deliveries first, as those who report on one do.
		if _, err := tx.ExecContext(ctx, `UPDATE deliveries SET status = 'held'
			WHERE tenant = $1 AND endpoint_id = $2 AND status = 'pending'`, tenant, id); err != nil {
			return err
		}
		n, err := affected(tx.ExecContext(ctx, `UPDATE endpoints SET disabled_at = $3, disabled_reason = $4
			WHERE tenant = $1 AND id = $2 AND disabled_at = 0`, tenant, id, micros(event.At), reason))
		if err != nil {
			return err
		}
		if changed = n == 1; !changed {
			var one int
			return tx.QueryRowContext(ctx, `SELECT 1 FROM endpoints WHERE tenant = $1 AND id = $2`, tenant, id).Scan(&one)
		}
		event.Tenant, event.Subject = tenant, id
		_, err = addEvent(ctx, tx, event)
		return err
	})
	return changed && err == nil, fail("disable endpoint", id, err)
}

// EnableEndpoint takes deliveries up again, those that were held first.
func (s *Store) EnableEndpoint(ctx context.Context, tenant, id string, now time.Time) error {
	return fail("enable endpoint", id, s.transact(ctx, func(tx queryer) error {
		if _, err := tx.ExecContext(ctx, `UPDATE deliveries SET status = 'pending', next_at = $3
			WHERE tenant = $1 AND endpoint_id = $2 AND status = 'held'`, tenant, id, micros(now)); err != nil {
			return err
		}
		return found(affected(tx.ExecContext(ctx, `UPDATE endpoints
			SET disabled_at = 0, disabled_reason = '', failing_since = 0 WHERE tenant = $1 AND id = $2`, tenant, id)))
	}))
}

// DeleteEndpoint forgets an endpoint with its deliveries. Events stay.
func (s *Store) DeleteEndpoint(ctx context.Context, tenant, id string) error {
	return fail("delete endpoint", id, s.transact(ctx, func(tx queryer) error {
		// Deliveries first, as those who report on one do.
		if _, err := tx.ExecContext(ctx, `DELETE FROM deliveries WHERE tenant = $1 AND endpoint_id = $2`, tenant, id); err != nil {
			return err
		}
		return found(affected(tx.ExecContext(ctx, `DELETE FROM endpoints WHERE tenant = $1 AND id = $2`, tenant, id)))
	}))
}
