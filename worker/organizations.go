package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/certify"
)

// The types of events about organizations.
const (
	EventGranted   = "certification.granted"
	EventRenewed   = "certification.renewed"
	EventChanged   = "certification.changed" // a re-verification found something else than was certified
	EventExpiring  = "certification.expiring"
	EventExpired   = "certification.expired"
	EventRevoked   = "certification.revoked"
	EventCancelled = "certification.cancelled"
)

// OrganizationEvent is what events tell of an organization: ids, codes and days.
type OrganizationEvent struct {
	Organization  string                    `json:"organization_id"`
	State         records.OrganizationState `json:"state,omitempty"`
	Certification string                    `json:"certification_id,omitempty"`
	Verification  string                    `json:"verification_id,omitempty"`
	ValidUntil    *time.Time                `json:"valid_until,omitempty"`
	Days          int                       `json:"days,omitempty"`   // before the end, of a reminder
	Fields        []string                  `json:"fields,omitempty"` // that have changed
}

// Event is the event of a type.
func (e OrganizationEvent) Event(kind string, at time.Time) records.Event {
	payload, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings and times always marshal
	}
	return records.Event{Type: kind, At: at, Payload: payload}
}

const (
	// maxAlike bounds the names that are compared: of a million names a name shares
	// its keys with 50 others at the worst (license.NameKeys).
	maxAlike = 100
	// maxSamePhotos bounds the verifications with the same photo that are named.
	maxSamePhotos = 5
)

// judgment is a report with what the records tell of other organizations and of the
// last certification, and what it brings about.
type judgment struct {
	report   report.Report
	policy   verdict.Policy
	evidence verdict.Evidence
	findings []verdict.Finding // without those about others and about last time
	others   verdict.Others
	before   *records.Certification // that a re-verification is compared with
	prints   []string
	grant    *records.Grant
	changed  *records.Event
}

// judge decides a report again with what the records tell. A report that does not
// hold its basis, and one of a policy that is not known, stands as it is.
func (w *Worker) judge(ctx context.Context, v records.Verification, s report.Submission, rep report.Report) (judgment, error) {
	j := judgment{report: rep, policy: w.Terms[v.Policy].Policy}
	evidence, decidable := verdict.EvidenceOf(rep, s.Declared)
	if !decidable || j.policy.Name == "" || evidence.System != "" {
		return j, nil
	}
	served := certify.Procedure(s.EntityType, cmp.Or(evidence.Fields[report.FieldUSCC].Value, s.USCC))
	if served && v.OrganizationID == "" {
		return j, nil
	}
	now := w.Now()
	j.evidence, j.findings = evidence, verdict.Check(evidence, j.policy, now)
	if !served {
		j.findings = append(j.findings, verdict.NotServed()...)
	}
	if v.OrganizationID == "" {
		j.report.Outcome, j.report.Reasons, j.report.Checks = verdict.Decide(j.findings, j.policy)
		return j, nil
	}
	var err error
	if j.others, err = w.others(ctx, v, j); err != nil {
		return judgment{}, err
	}
	if v.Purpose == report.PurposeReverification {
		if j.before, err = w.present(ctx, v); err != nil {
			return judgment{}, err
		}
	}
	j.prints = printKeys(rep)
	j.decide(v)
	if j.report.Outcome == report.OutcomePass {
		j.grant, err = w.grant(ctx, v, s.Declared, j.report, now)
	}
	return j, err
}

// decide weighs everything that was found.
func (j *judgment) decide(v records.Verification) {
	rep := &j.report
	found := slices.Concat(j.findings, j.others.Findings(j.evidence))
	rep.Policy, rep.Changes = j.policy.ID(), nil
	rep.Outcome, rep.Reasons, rep.Checks = verdict.Decide(append(found, verdict.NotCompared()...), j.policy)
	if j.before == nil || rep.Outcome == report.OutcomeError {
		return
	}
	about := OrganizationEvent{Organization: v.OrganizationID, Certification: j.before.ID, Verification: v.ID}
	for _, d := range certify.Differences(certifiedFacts(*j.before), facts(*rep)) {
		rep.Changes = append(rep.Changes, report.Change(d))
		if d.Field != "policy" { // a new version alone is nothing for people to look at
			about.Fields = append(about.Fields, d.Field)
		}
	}
	compared := verdict.Unchanged()
	if len(about.Fields) > 0 {
		compared = verdict.Changed()
		e := about.Event(EventChanged, time.Time{})
		j.changed = &e
	}
	rep.Outcome, rep.Reasons, rep.Checks = verdict.Decide(append(found, compared...), j.policy)
}

// lose decides again when another organization has got first what was to be granted.
func (j *judgment) lose(v records.Verification, to *records.LockedError) {
	if to.Kind == records.LockedName {
		j.others.Names = append(j.others.Names, verdict.NameLike{Organization: to.Organization, Likeness: license.LikenessSame})
	} else {
		j.others.License = append(j.others.License, to.Organization)
	}
	j.grant = nil
	j.decide(v)
}

// others is what other organizations have in common with a verification's.
func (w *Worker) others(ctx context.Context, v records.Verification, j judgment) (o verdict.Others, err error) {
	fields, own := j.evidence.Fields, v.OrganizationID
	var holders []string
	if code := verdict.LicenseCode(fields); code != "" {
		if holders, err = w.Records.LicenseHolders(ctx, v.Tenant, code, own); err != nil {
			return o, err
		}
	}
	name := fields[report.FieldCompanyName].Value
	alike, err := w.Records.NamesAlike(ctx, v.Tenant, nameKeys(name), own, maxAlike)
	if err != nil {
		return o, err
	}
	for _, other := range alike {
		shared := j.policy.SharedLicense && slices.Contains(holders, other.Organization)
		if likeness := license.NameLikeness(name, other.Name); likeness != license.LikenessNone && !shared {
			o.Names = append(o.Names, verdict.NameLike{Organization: other.Organization, Likeness: likeness})
		}
	}
	if !j.policy.SharedLicense {
		o.License = holders
	}
	email, phone, err := w.contacts(ctx, v.Tenant, j.evidence.Declared)
	if err == nil && email != nil {
		o.Email, err = w.Records.ContactHolders(ctx, v.Tenant, [][]byte{email}, own)
	}
	if err == nil && phone != nil {
		o.Phone, err = w.Records.ContactHolders(ctx, v.Tenant, [][]byte{phone}, own)
	}
	for _, key := range printKeys(j.report) {
		var same []string
		if err == nil {
			same, err = w.Records.PrintHolders(ctx, v.Tenant, []string{key}, own, maxSamePhotos)
		}
		for _, id := range same {
			if !slices.ContainsFunc(o.Photo, func(p verdict.PhotoLike) bool { return p.Verification == id }) {
				o.Photo = append(o.Photo, verdict.PhotoLike{Verification: id, Likeness: printKinds[key[:1]]})
			}
		}
	}
	return o, err
}

// printKinds are the classes of likeness that keys of prints find, by their first
// letter.
var printKinds = map[string]string{"f": "same_file", "p": "same_pixels"}

// printKeys are what a picture is found by again: the same file, and the same pixels
// in another one.
func printKeys(r report.Report) (keys []string) {
	if sum := r.Picture.SHA256; sum != "" {
		keys = append(keys, "f:"+sum)
	}
	if sum := r.Picture.PixelsSHA256; sum != "" {
		keys = append(keys, "p:"+sum)
	}
	return keys
}

func nameKeys(name string) (keys []records.NameKey) {
	for _, k := range license.NameKeys(name) {
		keys = append(keys, records.NameKey{Kind: string(k.Kind), Key: k.Key})
	}
	return keys
}

// contacts are the blind indexes of declared contacts, nil where there is none.
func (w *Worker) contacts(ctx context.Context, tenant string, d report.Declared) (email, phone []byte, err error) {
	address, number := verdict.Contacts(d)
	if address+number == "" {
		return nil, nil, nil
	}
	sealer, err := w.Vault.For(ctx, tenant)
	if err != nil {
		return nil, nil, err
	}
	if address != "" {
		email = sealer.Index("contact.email", address)
	}
	if number != "" {
		phone = sealer.Index("contact.phone", number)
	}
	return email, phone, nil
}

// present is the certification that an organization has, nil without one.
func (w *Worker) present(ctx context.Context, v records.Verification) (*records.Certification, error) {
	all, err := w.Records.Certifications(ctx, v.Tenant, v.OrganizationID)
	if err != nil || len(all) == 0 || !all[0].EndedAt.IsZero() {
		return nil, err
	}
	return &all[0], nil
}

// facts are what a certification keeps of a report. Whether something had changed
// then says nothing of whether it has since.
func facts(r report.Report) certify.Facts {
	f := certify.FactsOf(r)
	delete(f.Checks, verdict.CheckChange)
	return f
}

func certifiedFacts(c records.Certification) certify.Facts {
	f := certify.Facts{Name: c.Name, USCC: c.USCC, LegalRepresentative: c.LegalRepresentative, Capital: c.Capital, Term: c.Term,
		Policy: c.Policy, Checks: make(map[string]report.CheckStatus, len(c.Checks))}
	for name, status := range c.Checks {
		f.Checks[name] = report.CheckStatus(status)
	}
	return f
}

// Standing is what the rules of certification know of an organization.
func Standing(o records.Organization) certify.Standing {
	s := certify.Standing{State: certify.State(o.State), Reminded: o.Reminded, Barred: o.BarredAt}
	if o.Certification != "" {
		s.Until = o.ValidUntil
	}
	return s
}

// grant is what a pass gives to its organization, nil where the rules give nothing.
func (w *Worker) grant(ctx context.Context, v records.Verification, d report.Declared, rep report.Report, now time.Time) (*records.Grant, error) {
	terms := w.Terms[v.Policy]
	o, err := w.Records.Organization(ctx, v.Tenant, v.OrganizationID)
	if err != nil && !errors.Is(err, records.ErrNotFound) { // a verification of an earlier version made none
		return nil, err
	}
	next, err := Standing(o).Next(certify.Change{Event: certify.Pass, At: now, Submitted: v.CreatedAt, Terms: terms.certification()})
	if err != nil {
		w.Logger.Warn("passed and not certified", "verification", v.ID, "state", o.State, "error", err)
		return nil, nil
	}
	email, phone, err := w.contacts(ctx, v.Tenant, d)
	if err != nil {
		return nil, err
	}
	code := verdict.LicenseCode(rep.Fields)
	f := facts(rep)
	checks := make(map[string]string, len(f.Checks))
	for name, status := range f.Checks {
		checks[name] = string(status)
	}
	c := records.Certification{ID: records.NewID(), Name: f.Name, USCC: f.USCC, LegalRepresentative: f.LegalRepresentative,
		Capital: f.Capital, Term: f.Term, Policy: f.Policy, Checks: checks, From: now, Until: next.Until}
	kind := EventGranted
	if o.Certification != "" {
		kind = EventRenewed
	}
	g := &records.Grant{
		Certification: c, License: code, Shared: terms.Policy.SharedLicense,
		Contacts: slices.DeleteFunc([][]byte{email, phone}, func(index []byte) bool { return index == nil }),
		NextAt:   terms.nextLook(c.ID, c.Until, 0, now),
		Event: OrganizationEvent{Organization: v.OrganizationID, State: records.Certified, Certification: c.ID, Verification: v.ID,
			ValidUntil: &c.Until}.Event(kind, now),
	}
	g.NameKeys, err = w.heldNames(ctx, v, f.Name, code, terms.Policy)
	return g, err
}

// heldNames are the keys that a certification holds. Of organizations that share a
// license, and with it the name, the first holds the name alone.
func (w *Worker) heldNames(ctx context.Context, v records.Verification, name, code string, p verdict.Policy) ([]records.NameKey, error) {
	keys := nameKeys(name)
	if !p.SharedLicense || len(keys) == 0 || code == "" {
		return keys, nil
	}
	first, err := w.Records.NamesAlike(ctx, v.Tenant, keys[:1], v.OrganizationID, 1)
	if err != nil || len(first) == 0 {
		return keys, err
	}
	sharing, err := w.Records.LicenseHolders(ctx, v.Tenant, code, v.OrganizationID)
	if err == nil && slices.Contains(sharing, first[0].Organization) {
		keys = keys[1:]
	}
	return keys, err
}
