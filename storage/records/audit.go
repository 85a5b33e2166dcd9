package records

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// Entry is one line of a tenant's audit log: who did what to whom, when and
// why. Each holds the hash of the one before, so that none can be changed, taken
// out or put in without changing all that follow. Whoever can rewrite the whole
// log can forge it: keep the head elsewhere, see VerifyAudit.
type Entry struct {
	Seq     int64 // set by the store: 1, 2, 3 … within the tenant
	Tenant  string
	At      time.Time
	Actor   string          // "key:<id>", "user:<id>", "system"
	Action  string          // "picture.read", codes between dots
	Subject string          // id of what it was done to
	Detail  json.RawMessage // no personal data; nil is {}
	Reason  string          // in the actor's words, where one is asked for
	Prev    []byte          // Hash of the entry before; empty of the first
	Hash    []byte          // SHA-256 of everything above
}

// auditDomain tells these hashes from all others, and their encoding.
const auditDomain = "heyan audit v1"

// digest is the SHA-256 of the entry: each part behind its length in bytes (as
// uvarint), numbers in 8 bytes big-endian, At in microseconds since 1970.
func (e Entry) digest() []byte {
	var text []byte
	part := func(b []byte) { text = append(binary.AppendUvarint(text, uint64(len(b))), b...) }
	number := func(n int64) { text = binary.BigEndian.AppendUint64(text, uint64(n)) }
	part([]byte(auditDomain))
	part([]byte(e.Tenant))
	number(e.Seq)
	number(micros(e.At))
	for _, s := range []string{e.Actor, e.Action, e.Subject, string(e.Detail), e.Reason} {
		part([]byte(s))
	}
	part(e.Prev)
	sum := sha256.Sum256(text)
	return sum[:]
}

// Append adds an entry to its tenant's log and returns it as it stands there.
func (s *Store) Append(ctx context.Context, e Entry) (stored Entry, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		stored, err = appendEntry(ctx, tx, e)
		return err
	})
	return stored, fail("append", e.Subject, err)
}

// appendEntry locks the tenant until the transaction ends: one entry follows
// another.
func appendEntry(ctx context.Context, tx queryer, e Entry) (Entry, error) {
	if e.Detail == nil {
		e.Detail = json.RawMessage("{}")
	}
	text := e.Actor + e.Subject + e.Reason + string(e.Detail)
	switch {
	case !isSlug(e.Tenant):
		return Entry{}, errSlug
	case !isDotted(e.Action) || e.Actor == "":
		return Entry{}, errors.New("an entry has an actor, and an action of codes between dots")
	case !json.Valid(e.Detail):
		return Entry{}, errors.New("an entry's detail is JSON")
	case !storable(text):
		return Entry{}, errors.New("an entry is UTF-8 without NUL")
	}
	e.At = e.At.Truncate(time.Microsecond).UTC()
	err := tx.QueryRowContext(ctx, `INSERT INTO tenants (id, entries) VALUES ($1, 1)
		ON CONFLICT (id) DO UPDATE SET entries = tenants.entries + 1 RETURNING entries, head`, e.Tenant).Scan(&e.Seq, &e.Prev)
	if err != nil {
		return Entry{}, err
	}
	e.Hash = e.digest()
	if _, err := tx.ExecContext(ctx, `INSERT INTO audit (tenant, seq, at, actor, action, subject, detail, reason, prev, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, e.Tenant, e.Seq, micros(e.At), e.Actor, e.Action, e.Subject,
		string(e.Detail), e.Reason, e.Prev, e.Hash); err != nil {
		return Entry{}, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE tenants SET head = $2 WHERE id = $1`, e.Tenant, e.Hash)
	return e, err
}

// detail is an Entry's: of values that always marshal.
func detail(values map[string]any) json.RawMessage {
	text, err := json.Marshal(values)
	if err != nil {
		panic(err)
	}
	return text
}

const entryColumns = `seq, tenant, at, actor, action, subject, detail, reason, prev, hash`

func scanEntry(r row) (e Entry, err error) {
	return e, r.Scan(&e.Seq, &e.Tenant, moment{&e.At}, &e.Actor, &e.Action, &e.Subject, (*[]byte)(&e.Detail), &e.Reason, &e.Prev, &e.Hash)
}

// Audit returns up to limit entries of a tenant before a sequence number (0: the
// newest), newest first, of one subject or, when it is empty, of all.
func (s *Store) Audit(ctx context.Context, tenant, subject string, before int64, limit int) ([]Entry, error) {
	if limit < 1 || limit > MaxPage {
		return nil, fail("audit", "", fmt.Errorf("limit %d is not in 1..%d", limit, MaxPage))
	}
	if before == 0 {
		before = math.MaxInt64
	}
	where, args := `tenant = $1 AND seq < $2`, []any{tenant, before, limit}
	if subject != "" {
		where, args = where+` AND subject = $4`, append(args, subject)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT `+entryColumns+` FROM audit WHERE `+where+` ORDER BY seq DESC LIMIT $3`, args...)
	entries, err := collect(rows, err, scanEntry)
	return entries, fail("audit", subject, err)
}

// Head is the end of an audit log: whoever keeps it elsewhere can tell later
// whether the log up to there is still the same.
type Head struct {
	Seq  int64
	Hash []byte
}

// ChainError names the first entry of an audit log that is broken.
type ChainError struct {
	Tenant string
	Seq    int64
	Why    string
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("the audit log of %s is broken at entry %d: %s", e.Tenant, e.Seq, e.Why)
}

// auditPage is how many entries VerifyAudit reads at once.
const auditPage = 1000

// VerifyAudit reads the whole log of a tenant and returns its head, or a
// *ChainError.
func (s *Store) VerifyAudit(ctx context.Context, tenant string) (Head, error) {
	// The head comes first: what is appended meanwhile stands behind it.
	var head, at Head
	if err := s.db.QueryRowContext(ctx, `SELECT entries, head FROM tenants WHERE id = $1`, tenant).Scan(&head.Seq, &head.Hash); err != nil {
		return Head{}, fail("verify audit", "", err)
	}
	broken := func(seq int64, why string) (Head, error) {
		return Head{}, fail("verify audit", "", &ChainError{tenant, seq, why})
	}
	for at.Seq < head.Seq {
		rows, err := s.db.QueryContext(ctx, `SELECT `+entryColumns+` FROM audit
			WHERE tenant = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4`, tenant, at.Seq, head.Seq, auditPage)
		entries, err := collect(rows, err, scanEntry)
		if err != nil {
			return Head{}, fail("verify audit", "", err)
		}
		for _, e := range entries {
			switch {
			case e.Seq != at.Seq+1:
				return broken(at.Seq+1, "it is missing")
			case !bytes.Equal(e.Prev, at.Hash):
				return broken(e.Seq, "it does not follow the entry before")
			case !bytes.Equal(e.Hash, e.digest()):
				return broken(e.Seq, "it was changed")
			}
			at = Head{e.Seq, e.Hash}
		}
		if len(entries) == 0 {
			return broken(at.Seq+1, "it is missing")
		}
	}
	if !bytes.Equal(at.Hash, head.Hash) {
		return broken(at.Seq, "it is not the one that was last")
	}
	return head, nil
}
