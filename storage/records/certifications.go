package records

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// Certification is a term in which an organization is certified: one at a time.
type Certification struct {
	ID           string // UUIDv7; made by the store where a Grant has none
	Tenant       string
	Organization string
	Verification string // id of the one that gave it
	// What was certified, as printed, to tell a year later what has changed.
	Name, USCC, LegalRepresentative, Capital, Term string
	Policy                                         string            // with its version
	Checks                                         map[string]string // status of each check by its name
	From, Until                                    time.Time
	EndedAt                                        time.Time // zero: it is the present one
	End                                            string    // why it ended; empty: it has not
}

// Why certifications end.
const (
	EndExpired    = "expired"
	EndRenewed    = "renewed"
	EndSuperseded = "superseded" // by one of another name or license
	EndRevoked    = "revoked"
	EndCancelled  = "cancelled"
)

// Grant is what a pass gives to the verification's organization, with the
// verdict or the final decision. It is refused with a *LockedError, or with a
// *StateError when the verification was handed in before the organization was
// barred.
type Grant struct {
	Certification Certification // Tenant, Organization and Verification are set by the store
	NameKeys      []NameKey     // of the name, see license.NameKeys
	License       string        // the code that nobody else may hold, unless both Shared
	Shared        bool          // the policy lets several organizations use one license
	Contacts      [][]byte      // blind indexes of email and phone
	NextAt        time.Time     // when the patrol looks at it first
	// Event is sent beside that of the verification. Tenant, Subject (the
	// organization), Dedupe (the certification) and At are set by the store.
	Event Event
}

// LockedError says that another organization's present certification holds the
// name or the license that a Grant asks for. Nothing was written.
type LockedError struct {
	Kind         string // LockedName, LockedLicense
	Organization string // who holds it
}

// What a LockedError is about.
const (
	LockedName    = "name"
	LockedLicense = "license"
)

func (e *LockedError) Error() string {
	return "another organization is certified with this " + e.Kind
}

// grant writes it. The caller has locked the tenant, so that no two organizations
// are granted at once, and the organization before that.
func grant(ctx context.Context, tx queryer, o Organization, v Verification, g Grant, at time.Time) error {
	if !o.BarredAt.IsZero() && !v.CreatedAt.After(o.BarredAt) {
		return &StateError{o.ID, o.State}
	}
	c := g.Certification
	c.ID = cmp.Or(c.ID, NewID())
	c.Tenant, c.Organization, c.Verification, c.EndedAt, c.End = v.Tenant, o.ID, v.ID, time.Time{}, ""
	if err := hold(ctx, tx, c, g); err != nil {
		return err
	}
	end := EndRenewed
	if c.Name != o.Name || c.USCC != o.USCC {
		end = EndSuperseded
	}
	if err := endCertification(ctx, tx, o, end, at); err != nil {
		return err
	}
	if err := addCertification(ctx, tx, c); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE organizations SET state = 'certified', name = $3, uscc = $4, certification = $5, valid_until = $6,
		next_at = $7, patrol_at = $7, reminded = 0, changed_at = $8, version = version + 1 WHERE tenant = $1 AND id = $2`,
		c.Tenant, o.ID, []byte(c.Name), c.USCC, c.ID, micros(c.Until), micros(g.NextAt), micros(at)); err != nil {
		return err
	}
	e := g.Event
	e.Tenant, e.Subject, e.Dedupe, e.At = c.Tenant, o.ID, c.ID, at
	if _, err := addEvent(ctx, tx, e); err != nil {
		return err
	}
	_, err := appendEntry(ctx, tx, Entry{Tenant: c.Tenant, At: at, Actor: "system", Action: "certification.granted", Subject: o.ID,
		Detail: detail(map[string]any{"certification": c.ID, "verification": v.ID})})
	return err
}

// concluded adds the event of a final decision, and what it grants.
func (s *Store) concluded(ctx context.Context, tx queryer, v Verification, e Event, g *Grant, at time.Time) error {
	if g == nil {
		_, err := addEvent(ctx, tx, e)
		return err
	}
	if v.OrganizationID == "" || v.Outcome != report.OutcomePass {
		return errors.New("only a pass of an organization's verification grants something")
	}
	o, err := s.lockOrganization(ctx, tx, v.Tenant, v.OrganizationID)
	if errors.Is(err, sql.ErrNoRows) { // made by a process of an earlier version
		if err := submitted(ctx, tx, v); err != nil {
			return err
		}
		o, err = s.lockOrganization(ctx, tx, v.Tenant, v.OrganizationID)
	}
	if err != nil {
		return err
	}
	if _, err := addEvent(ctx, tx, e); err != nil { // locks the tenant
		return err
	}
	return grant(ctx, tx, o, v, *g, at)
}

const certificationColumns = `id, tenant, organization_id, verification_id, name, uscc, legal_representative, capital, term, policy,
	checks, valid_from, valid_until, ended_at, ending`

func scanCertification(r row) (c Certification, err error) {
	var checks string
	err = r.Scan(&c.ID, &c.Tenant, &c.Organization, &c.Verification, &c.Name, &c.USCC, &c.LegalRepresentative, &c.Capital, &c.Term,
		&c.Policy, &checks, moment{&c.From}, moment{&c.Until}, moment{&c.EndedAt}, &c.End)
	if err == nil {
		err = json.Unmarshal([]byte(checks), &c.Checks)
	}
	return c, err
}

func addCertification(ctx context.Context, tx queryer, c Certification) error {
	checks, err := json.Marshal(c.Checks)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO certifications (`+certificationColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		c.ID, c.Tenant, c.Organization, c.Verification, c.Name, c.USCC, c.LegalRepresentative, c.Capital, c.Term, c.Policy,
		string(checks), micros(c.From), micros(c.Until), micros(c.EndedAt), c.End)
	return err
}

// endCertification ends the present one of an organization, if there is one. The
// name of a person goes with it when the report that has it is gone.
func endCertification(ctx context.Context, tx queryer, o Organization, end string, at time.Time) error {
	if o.Certification == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE certifications SET ended_at = $2, ending = $3,
		legal_representative = CASE WHEN EXISTS (SELECT 1 FROM verifications WHERE verifications.id = verification_id AND report_gone_at > 0)
			THEN '' ELSE legal_representative END WHERE id = $1`, o.Certification, micros(at), end)
	return err
}

// Certifications returns all that an organization ever had, newest first.
func (s *Store) Certifications(ctx context.Context, tenant, organization string) ([]Certification, error) {
	rows, err := s.db.QueryContext(ctx, certificationsOf, tenant, organization)
	all, err := collect(rows, err, scanCertification)
	return all, fail("certifications", organization, err)
}

const certificationsOf = `SELECT ` + certificationColumns + ` FROM certifications
	WHERE tenant = $1 AND organization_id = $2 ORDER BY valid_from DESC, id DESC`

// EndCertification ends the present certification of an organization for a reason
// (EndExpired, EndRevoked, EndCancelled), frees what it held, and puts the
// organization into a state, with the entry, whose At is when, and the event. One
// that did not expire bars what was handed in before. Tenant and Subject of entry
// and event, and the event's At and Dedupe (the certification), are set here.
// *StateError: it has no certification, or one that is to expire and is still
// valid at the time.
func (s *Store) EndCertification(ctx context.Context, tenant, organization, end string, state OrganizationState, e Entry, ev Event) (o Organization, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		if o, err = s.lockOrganization(ctx, tx, tenant, organization); err != nil {
			return err
		}
		if o.Certification == "" || end == EndExpired && e.At.Before(o.ValidUntil) {
			return &StateError{o.ID, o.State}
		}
		ev.Tenant, ev.Subject, ev.At, ev.Dedupe = tenant, organization, e.At, o.Certification
		if _, err := addEvent(ctx, tx, ev); err != nil { // locks the tenant
			return err
		}
		if err := endCertification(ctx, tx, o, end, e.At); err != nil {
			return err
		}
		if err := release(ctx, tx, tenant, organization); err != nil {
			return err
		}
		if end != EndExpired {
			o.BarredAt = e.At
		}
		o.State = state
		return leave(ctx, tx, &o, e)
	})
	if err != nil {
		return Organization{}, fail("end certification", organization, err)
	}
	return o, nil
}

// leave writes the state and the bar of an organization that has no certification
// any more, with the entry.
func leave(ctx context.Context, tx queryer, o *Organization, e Entry) error {
	e.Tenant, e.Subject = o.Tenant, o.ID
	if _, err := appendEntry(ctx, tx, e); err != nil {
		return err
	}
	var err error
	*o, err = scanOrganization(tx.QueryRowContext(ctx, `UPDATE organizations SET state = $3, barred_at = $4, certification = '',
		next_at = 0, patrol_at = 0, changed_at = $5, version = version + 1 WHERE tenant = $1 AND id = $2 RETURNING `+organizationColumns,
		o.Tenant, o.ID, string(o.State), micros(o.BarredAt), micros(e.At)))
	return err
}

// Dissolve cancels an organization that has no certification, a revoked one stays
// revoked, and bars what was handed in before, with the entry, whose At is when;
// Tenant and Subject of it are set here. *StateError: it has a certification.
func (s *Store) Dissolve(ctx context.Context, tenant, organization string, e Entry) error {
	return fail("dissolve", organization, s.transact(ctx, func(tx queryer) error {
		o, err := s.lockOrganization(ctx, tx, tenant, organization)
		if err != nil {
			return err
		}
		if o.Certification != "" {
			return &StateError{o.ID, o.State}
		}
		if o.BarredAt = e.At; o.State != Revoked {
			o.State = Cancelled
		}
		return leave(ctx, tx, &o, e)
	}))
}
