package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Event is something that happened to a subject, once.
type Event struct {
	ID      string // UUIDv7; made here when it is empty
	Tenant  string
	Seq     int64  // set here: grows within the tenant, with gaps
	Type    string // "verification.completed"
	Subject string // id of what it is about
	// Dedupe tells events of one type and subject apart, "2031-05-01". Empty: it
	// happens once in the subject's life.
	Dedupe   string
	At       time.Time
	Payload  []byte // JSON: ids, status, outcome and codes, never personal data
	Callback string // id of the endpoint that alone gets it; empty: all
}

// AddEvent stores an event and a delivery of it for each enabled endpoint of
// its tenant that wants its type. One that was added before changes nothing.
func (s *Store) AddEvent(ctx context.Context, e Event) (added bool, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		added, err = addEvent(ctx, tx, e)
		return err
	})
	return added, fail("add event", e.ID, err)
}

// addEvent locks the tenant: until the transaction ends no other event of the
// tenant gets a number, so that numbers become visible in their order and a
// reader who remembers the last one misses none.
func addEvent(ctx context.Context, tx queryer, e Event) (added bool, err error) {
	switch {
	case !isSlug(e.Tenant):
		return false, errSlug
	case !isDotted(e.Type):
		return false, errors.New("an event's type is codes between dots")
	case !json.Valid(e.Payload):
		return false, errors.New("an event's payload is JSON")
	}
	if e.ID == "" {
		e.ID = NewID()
	}
	endpoints, err := wanting(ctx, tx, e)
	if err != nil {
		return false, err
	}
	if err := tx.QueryRowContext(ctx, `INSERT INTO tenants (id, events) VALUES ($1, 1)
		ON CONFLICT (id) DO UPDATE SET events = tenants.events + 1 RETURNING events`, e.Tenant).Scan(&e.Seq); err != nil {
		return false, err
	}
	n, err := affected(tx.ExecContext(ctx, `INSERT INTO events (id, tenant, seq, type, subject, dedupe, at, payload, callback)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant, subject, type, dedupe) DO NOTHING`,
		e.ID, e.Tenant, e.Seq, e.Type, e.Subject, e.Dedupe, micros(e.At), e.Payload, e.Callback))
	if err != nil || n == 0 {
		return false, err
	}
	for _, endpoint := range endpoints {
		if err := addDelivery(ctx, tx, e, endpoint, e.At); err != nil {
			return false, err
		}
	}
	return true, nil
}

const eventColumns = `events.id, events.tenant, seq, type, subject, dedupe, at, payload, callback`

func (e *Event) fields() []any {
	return []any{&e.ID, &e.Tenant, &e.Seq, &e.Type, &e.Subject, &e.Dedupe, moment{&e.At}, &e.Payload, &e.Callback}
}

func scanEvent(r row) (e Event, err error) { return e, r.Scan(e.fields()...) }

// Events returns up to limit events of a tenant after a sequence number, oldest
// first. A caller that polls goes on after the last Seq it saw; 0 is the start.
func (s *Store) Events(ctx context.Context, tenant string, after int64, limit int) ([]Event, error) {
	if limit < 1 || limit > MaxPage {
		return nil, fail("events", "", fmt.Errorf("limit %d is not in 1..%d", limit, MaxPage))
	}
	rows, err := s.db.QueryContext(ctx, `SELECT `+eventColumns+` FROM events
		WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3`, tenant, after, limit)
	events, err := collect(rows, err, scanEvent)
	return events, fail("events", "", err)
}

// Replay delivers an event again, now, to each enabled endpoint of the tenant
// that wants its type, also to one added since. It returns how many.
func (s *Store) Replay(ctx context.Context, tenant, eventID string, now time.Time) (deliveries int, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		e, err := scanEvent(tx.QueryRowContext(ctx, `SELECT `+eventColumns+` FROM events
			WHERE tenant = $1 AND id = $2`, tenant, eventID))
		if err != nil {
			return err
		}
		endpoints, err := wanting(ctx, tx, e)
		for _, endpoint := range endpoints {
			if err := addDelivery(ctx, tx, e, endpoint, now); err != nil {
				return err
			}
		}
		deliveries = len(endpoints)
		return err
	})
	return deliveries, fail("replay", eventID, err)
}

// EventRetention is how long events and their deliveries are kept at least: far
// longer than any delivery is tried.
const EventRetention = 90 * 24 * time.Hour

// PurgeEvents forgets up to limit events from before a time and their
// deliveries, oldest first, and returns how many: callers take
// now-EventRetention.
func (s *Store) PurgeEvents(ctx context.Context, before time.Time, limit int) (purged int, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		rows, err := tx.QueryContext(ctx, `SELECT id FROM events WHERE at < $1 ORDER BY at LIMIT $2`, micros(before), limit)
		ids, err := collect(rows, err, func(r row) (id string, err error) { return id, r.Scan(&id) })
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(ids, idsPerStatement) {
			places, args := placeholders(chunk)
			if _, err := tx.ExecContext(ctx, `DELETE FROM deliveries WHERE event_id IN (`+places+`)`, args...); err != nil {
				return err
			}
			n, err := affected(tx.ExecContext(ctx, `DELETE FROM events WHERE id IN (`+places+`)`, args...))
			if err != nil {
				return err
			}
			purged += n
		}
		return nil
	})
	if err != nil {
		return 0, fail("purge events", "", err)
	}
	return purged, nil
}
