package records

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// AuditSince returns up to limit entries of a tenant after a sequence number,
// oldest first, of one subject or, when it is empty, of all.
func (s *Store) AuditSince(ctx context.Context, tenant, subject string, after int64, limit int) ([]Entry, error) {
	if limit < 1 || limit > MaxPage {
		return nil, fail("audit", "", fmt.Errorf("limit %d is not in 1..%d", limit, MaxPage))
	}
	entries, err := s.entriesAfter(ctx, tenant, subject, after, math.MaxInt64, limit)
	return entries, fail("audit", subject, err)
}

// entriesAfter returns those after a sequence number, up to and with another.
func (s *Store) entriesAfter(ctx context.Context, tenant, subject string, after, last int64, limit int) ([]Entry, error) {
	where, args := `tenant = $1 AND seq > $2 AND seq <= $3`, []any{tenant, after, last, limit}
	if subject != "" {
		where, args = where+` AND subject = $5`, append(args, subject)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT `+entryColumns+` FROM audit WHERE `+where+` ORDER BY seq LIMIT $4`, args...)
	return collect(rows, err, scanEntry)
}

// exportedEntry is an entry as a line of JSON: everything that its hash is made
// of, so that whoever has the line can make it again.
type exportedEntry struct {
	Type    string    `json:"type"` // entry
	Tenant  string    `json:"tenant"`
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"` // to the microsecond
	Actor   string    `json:"actor"`
	Action  string    `json:"action"`
	Subject string    `json:"subject"`
	Detail  string    `json:"detail"` // JSON within a string: its bytes are hashed
	Reason  string    `json:"reason"`
	Prev    string    `json:"prev"` // hex
	Hash    string    `json:"hash"` // hex
}

// exportedDecision is a decision without what people wrote or read: of its
// corrections the fields' names only.
type exportedDecision struct {
	Type           string             `json:"type"` // decision
	ID             string             `json:"id"`
	Case           string             `json:"case"`
	By             string             `json:"by"`
	Round          int                `json:"round"`
	Kind           DecisionKind       `json:"kind"`
	Outcome        report.Outcome     `json:"outcome,omitempty"`
	Reasons        []string           `json:"reasons"`
	MachineReasons []string           `json:"machine_reasons"`
	Corrected      []report.FieldName `json:"corrected"`
	DeadlineAt     time.Time          `json:"deadline_at"`
	ClaimedAt      time.Time          `json:"claimed_at,omitzero"`
	At             time.Time          `json:"at"`
	GraceUntil     time.Time          `json:"grace_until"`
	EffectiveAt    time.Time          `json:"effective_at,omitzero"`
	UndoneAt       time.Time          `json:"undone_at,omitzero"`
	FinalAt        time.Time          `json:"final_at,omitzero"`
}

// ExportAudit writes a tenant's log as lines of JSON, oldest first: of one case
// with its decisions behind, or, when caseID is empty, all of it up to the head
// that it has when the call begins. ErrNotFound: there is no such tenant or case.
func (s *Store) ExportAudit(ctx context.Context, w io.Writer, tenant, caseID string) error {
	var head int64
	if err := s.db.QueryRowContext(ctx, `SELECT entries FROM tenants WHERE id = $1`, tenant).Scan(&head); err != nil {
		return fail("export audit", caseID, err)
	}
	if caseID != "" {
		if _, err := get(ctx, s.db, tenant, caseID); err != nil {
			return fail("export audit", caseID, err)
		}
	}
	lines := json.NewEncoder(w)
	for seq := int64(0); ; {
		entries, err := s.entriesAfter(ctx, tenant, caseID, seq, head, auditPage)
		if err != nil {
			return fail("export audit", caseID, err)
		}
		for _, e := range entries {
			seq = e.Seq
			if err := lines.Encode(exportedEntry{"entry", e.Tenant, e.Seq, e.At, e.Actor, e.Action, e.Subject, string(e.Detail), e.Reason,
				hex.EncodeToString(e.Prev), hex.EncodeToString(e.Hash)}); err != nil {
				return fail("export audit", caseID, err)
			}
		}
		if len(entries) < auditPage {
			break
		}
	}
	if caseID == "" {
		return nil
	}
	decisions, err := s.Decisions(ctx, tenant, caseID)
	for _, d := range decisions {
		if err == nil {
			err = lines.Encode(exportedDecision{"decision", d.ID, d.Case, d.By, d.Round, d.Kind, d.Outcome, d.Reasons, d.MachineReasons,
				slices.Sorted(maps.Keys(d.Corrections)), d.DeadlineAt, d.ClaimedAt, d.At, d.GraceUntil, d.EffectiveAt, d.UndoneAt, d.FinalAt})
		}
	}
	return fail("export audit", caseID, err)
}

// OrganizationsOf returns whose up to MaxPage verifications of a tenant are, by
// their ids; those without an organization are left out.
func (s *Store) OrganizationsOf(ctx context.Context, tenant string, ids []string) (map[string]string, error) {
	organizations := map[string]string{}
	if len(ids) == 0 {
		return organizations, nil
	}
	if len(ids) > MaxPage {
		return nil, fail("organizations of", "", fmt.Errorf("%d ids are more than %d", len(ids), MaxPage))
	}
	places, args := placeholders(ids)
	rows, err := s.db.QueryContext(ctx, `SELECT id, organization_id FROM verifications
		WHERE organization_id <> '' AND id IN (`+places+`) AND tenant = $`+fmt.Sprint(len(args)+1), append(args, tenant)...)
	_, err = collect(rows, err, func(r row) (struct{}, error) {
		var id, organization string
		err := r.Scan(&id, &organization)
		organizations[id] = organization
		return struct{}{}, err
	})
	return organizations, fail("organizations", "", err)
}
