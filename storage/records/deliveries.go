package records

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
)

// DeliveryStatus is where a delivery stands.
type DeliveryStatus string

// The states of a delivery.
const (
	DeliveryPending   DeliveryStatus = "pending"
	DeliveryHeld      DeliveryStatus = "held" // its endpoint is disabled
	DeliverySucceeded DeliveryStatus = "succeeded"
	DeliveryFailed    DeliveryStatus = "failed" // given up
)

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	ID         string
	Tenant     string
	EventID    string
	EndpointID string
	Status     DeliveryStatus
	Attempts   int       // answered or failed so far
	NextAt     time.Time // of a pending one: the next attempt, or the end of a lease
	LastAt     time.Time // the last attempt
	LastCode   string    // why it failed, lower_snake
	LastStatus int       // HTTP status, 0 without an answer
}

// Outgoing is all that sending a delivery takes.
type Outgoing struct {
	Delivery
	Event    Event
	Endpoint Endpoint
}

const deliveryColumns = `deliveries.id, deliveries.tenant, event_id, endpoint_id, status, attempts, next_at, last_at, last_code, last_status`

func (d *Delivery) fields() []any {
	return []any{&d.ID, &d.Tenant, &d.EventID, &d.EndpointID, &d.Status, &d.Attempts,
		moment{&d.NextAt}, moment{&d.LastAt}, &d.LastCode, &d.LastStatus}
}

// addDelivery lets a delivery start from the beginning.
func addDelivery(ctx context.Context, tx queryer, e Event, endpoint string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO deliveries (id, tenant, event_id, endpoint_id, status, next_at)
		VALUES ($1, $2, $3, $4, 'pending', $5)
		ON CONFLICT (id) DO UPDATE SET status = 'pending', attempts = 0, next_at = excluded.next_at`,
		e.ID+"."+endpoint, e.Tenant, e.ID, endpoint, micros(at))
	return err
}

// LeaseDeliveries takes up to limit deliveries to enabled endpoints that are due
// by now, the longest due first, and leases them until now+leaseFor: no two
// callers get the same one while its lease lasts. An endpoint may all the same
// get an event twice, when a sender dies after the answer.
func (s *Store) LeaseDeliveries(ctx context.Context, now time.Time, leaseFor time.Duration, limit int) ([]Outgoing, error) {
	var all []Outgoing
	err := s.transact(ctx, func(tx queryer) error {
		rows, err := tx.QueryContext(ctx, `WITH due AS MATERIALIZED (
				SELECT id FROM deliveries WHERE status = 'pending' AND next_at <= $1
				AND EXISTS (SELECT 1 FROM endpoints WHERE endpoints.id = deliveries.endpoint_id AND disabled_at = 0)
				ORDER BY next_at, id LIMIT $2 `+s.skipLocked+`)
			UPDATE deliveries SET next_at = $3
			FROM due WHERE deliveries.id = due.id AND status = 'pending' AND next_at <= $1
			RETURNING deliveries.id`, micros(now), limit, micros(now.Add(leaseFor)))
		ids, err := collect(rows, err, func(r row) (id string, err error) { return id, r.Scan(&id) })
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(ids, idsPerStatement) {
			places, args := placeholders(chunk)
			rows, err := tx.QueryContext(ctx, `SELECT `+deliveryColumns+`, `+eventColumns+`, `+endpointColumns+`
				FROM deliveries JOIN events ON events.id = event_id JOIN endpoints ON endpoints.id = endpoint_id
				WHERE deliveries.id IN (`+places+`) ORDER BY seq`, args...)
			outgoing, err := collect(rows, err, func(r row) (o Outgoing, err error) {
				return o, r.Scan(slices.Concat(o.Delivery.fields(), o.Event.fields(), o.Endpoint.fields())...)
			})
			if err != nil {
				return err
			}
			all = append(all, outgoing...)
		}
		return nil
	})
	if err != nil {
		return nil, fail("lease deliveries", "", err)
	}
	return all, nil
}

// DeliverySucceeded ends a delivery with the HTTP status of its answer. A second
// time changes nothing.
func (s *Store) DeliverySucceeded(ctx context.Context, id string, status int, now time.Time) error {
	return fail("delivery succeeded", id, s.transact(ctx, func(tx queryer) error {
		endpoint, err := ended(ctx, tx, id, DeliverySucceeded, micros(now), micros(now), "", status)
		if endpoint == "" || err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE endpoints SET failing_since = 0 WHERE id = $1 AND failing_since > 0`, endpoint)
		return err
	}))
}

// DeliveryFailed notes a failed attempt: why, as a code, and the HTTP status of
// the answer, 0 without one. The next attempt is at nextAt; zero gives up. It
// returns since when its endpoint has done nothing but fail. A delivery that is
// not pending any more stays as it is.
func (s *Store) DeliveryFailed(ctx context.Context, id, code string, status int, now, nextAt time.Time) (failingSince time.Time, err error) {
	if !isCode(code) {
		return time.Time{}, fail("delivery failed", id, errors.New("the failure is not a lower_snake code"))
	}
	next := DeliveryPending
	if nextAt.IsZero() {
		next = DeliveryFailed
	}
	err = s.transact(ctx, func(tx queryer) error {
		endpoint, err := ended(ctx, tx, id, next, micros(nextAt), micros(now), code, status)
		if endpoint == "" || err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `UPDATE endpoints
			SET failing_since = CASE WHEN failing_since = 0 THEN $2 ELSE failing_since END
			WHERE id = $1 RETURNING failing_since`, endpoint, micros(now)).Scan(moment{&failingSince})
	})
	return failingSince, fail("delivery failed", id, err)
}

// ended writes how an attempt at a pending delivery ended, and returns its
// endpoint; "" when the delivery is not pending.
func ended(ctx context.Context, tx queryer, id string, next DeliveryStatus, nextAt, now int64, code string, status int) (endpoint string, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE deliveries SET status = $2, attempts = attempts + 1,
		next_at = $3, last_at = $4, last_code = $5, last_status = $6
		WHERE id = $1 AND status = 'pending' RETURNING endpoint_id`, id, string(next), nextAt, now, code, status).Scan(&endpoint)
	if errors.Is(err, sql.ErrNoRows) {
		var one int
		return "", tx.QueryRowContext(ctx, `SELECT 1 FROM deliveries WHERE id = $1`, id).Scan(&one)
	}
	return endpoint, err
}

// Deliveries returns the deliveries of an event of a tenant; ErrNotFound when it
// has no such event.
func (s *Store) Deliveries(ctx context.Context, tenant, eventID string) ([]Delivery, error) {
	var one int
	if err := s.db.QueryRowContext(ctx, `SELECT 1 FROM events WHERE tenant = $1 AND id = $2`, tenant, eventID).Scan(&one); err != nil {
		return nil, fail("deliveries", eventID, err)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries
		WHERE tenant = $1 AND event_id = $2 ORDER BY id`, tenant, eventID)
	all, err := collect(rows, err, func(r row) (d Delivery, err error) { return d, r.Scan(d.fields()...) })
	return all, fail("deliveries", eventID, err)
}
