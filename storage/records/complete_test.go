package records_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

// A verdict whose event is refused is not written either.
func testCompleteWhole(t *testing.T, s *records.Store) {
	v := create(t, s, newVerification())
	before := get(t, s, v.ID)
	for name, event := range map[string]records.Event{
		"none":    {},
		"type":    {Type: "Free text", Payload: []byte(`{}`)},
		"payload": {Type: "verification.completed", Payload: []byte(`{`)},
	} {
		err := s.Complete(t.Context(), v.ID, failed("image_blurry"), records.Completion{At: now, Event: event})
		if err == nil || retryable(err) {
			t.Errorf("%s: got %v", name, err)
		}
		same(t, get(t, s, v.ID), before)
		page, err := s.List(t.Context(), records.DefaultTenant, records.Query{ReasonCode: "image_blurry"})
		if err != nil || len(page.Verifications) != 0 {
			t.Errorf("%s: its reason is listed: %+v, %v", name, page, err)
		}
	}
	c := done(now)
	c.Event.ID, c.Event.Tenant, c.Event.Subject = records.NewID(), "acme", "another"
	if err := s.Complete(t.Context(), v.ID, failed("image_blurry"), c); err != nil {
		t.Fatal(err)
	}
	if err := s.Complete(t.Context(), v.ID, failed("image_blurry"), c); !errors.Is(err, records.ErrAlreadyCompleted) {
		t.Errorf("got %v", err)
	}
	events, err := s.Events(t.Context(), records.DefaultTenant, 0, 10)
	if err != nil || len(events) != 1 || events[0].ID != c.Event.ID || events[0].Subject != v.ID || !events[0].At.Equal(now) {
		t.Errorf("got %+v, %v, want one event of the verification", events, err)
	}
}

// Whatever runs beside each other, nobody waits for another in a circle.
func testEverythingAtOnce(t *testing.T, s *records.Store) {
	e, other := addEndpoint(t, s), addEndpoint(t, s)
	known := addEvent(t, s, event("known"))
	const rounds = 6
	var group sync.WaitGroup
	do := func(name string, f func(i int) error) {
		for range 2 {
			group.Go(func() {
				for i := range rounds {
					if err := f(i); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		}
	}
	late := now.Add(time.Hour)
	do("life", func(i int) error {
		v := newVerification()
		v.Tenant = []string{records.DefaultTenant, "acme"}[i%2]
		if _, _, err := s.Create(t.Context(), v, v.ID, []byte("hash")); err != nil {
			return err
		}
		if _, err := s.StartAttempt(t.Context(), v.ID, now, lease); err != nil {
			return err
		}
		c := done(now)
		c.PictureUntil, c.SealedUntil, c.ReportUntil = now, now, now
		r := failed("image_blurry", "uscc_mismatch")
		r.Outcome = report.OutcomeReview
		if err := s.Complete(t.Context(), v.ID, r, c); err != nil {
			return err
		}
		_, err := s.Erase(t.Context(), v.Tenant, v.ID, entry("", ""))
		return err
	})
	do("review", func(i int) error {
		v := newVerification()
		if _, _, err := s.Create(t.Context(), v, "", nil); err != nil {
			return err
		}
		c := flagged(now)
		c.ReportUntil = now
		if err := s.Complete(t.Context(), v.ID, doubtful("image_blurry"), c); err != nil {
			return err
		}
		reviewer := records.Reader{User: fmt.Sprint("reviewer-", i)}
		for range 2 {
			d := decision(v.ID, reviewer, records.Reject)
			if _, err := s.Decide(t.Context(), d, reviewer, records.DecideTerms{Grace: lease, SecondLook: i%2 == 0}); err != nil {
				return err
			}
			// What retention or finalizing did first is too late.
			if _, err := s.Undo(t.Context(), v.Tenant, d.ID, reviewer.User, now.Add(lease), now); errors.Is(err, records.ErrTooLate) {
				return nil
			} else if err != nil {
				return err
			}
		}
		note := records.Note{ID: records.NewID(), Case: v.ID, Tenant: v.Tenant, By: reviewer.User, At: now, Text: "x"}
		if err := s.AddNote(t.Context(), note); !errors.Is(err, records.ErrGone) {
			return err
		}
		return nil
	})
	do("second look", func(i int) error {
		by := records.Reader{User: fmt.Sprint("second-", i), Lead: true}
		c, err := s.ClaimNext(t.Context(), records.DefaultTenant, records.CaseQuery{Stage: records.StageSecond}, by, now.Add(lease), now)
		if errors.Is(err, records.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		d := decision(c.ID, by, records.Reject)
		_, err = s.Decide(t.Context(), d, by, records.DecideTerms{Grace: lease})
		if errors.Is(err, records.ErrAlreadyDecided) || errors.Is(err, records.ErrClaimed) { // undone meanwhile
			return nil
		}
		if err == nil && i%2 == 0 {
			_, err = s.Undo(t.Context(), records.DefaultTenant, d.ID, by.User, now, now)
		}
		if errors.Is(err, records.ErrTooLate) {
			return nil
		}
		return err
	})
	do("finalize", func(int) error {
		_, err := s.Conclude(t.Context(), late, 5, ungranted)
		return err
	})
	organization := func(i int) string { return fmt.Sprint("org-", i%3) }
	tolerate := func(err error) error {
		_, locked := errors.AsType[*records.LockedError](err)
		_, state := errors.AsType[*records.StateError](err)
		_, batch := errors.AsType[*records.BatchError](err)
		if locked || state || batch || errors.Is(err, records.ErrConflict) || errors.Is(err, records.ErrNotFound) {
			return nil
		}
		return err
	}
	do("certify", func(i int) error {
		v := newVerification()
		v.OrganizationID = organization(i)
		if _, _, err := s.Create(t.Context(), v, "", nil); err != nil {
			return err
		}
		c := done(now)
		c.Grant, c.PrintKeys, c.ReportUntil = grant("沪甲", organization(i), now), []string{"a", "b"}, now
		err := s.Complete(t.Context(), v.ID, passed(), c)
		if err != nil {
			c.Grant = nil
			err = errors.Join(tolerate(err), s.Complete(t.Context(), v.ID, failed("image_blurry"), c))
		}
		_, erased := s.Erase(t.Context(), v.Tenant, v.ID, entry("", ""))
		return errors.Join(err, erased)
	})
	do("end", func(i int) error {
		state, why := records.Cancelled, records.EndCancelled
		if i%2 == 0 {
			state, why = records.Expired, records.EndExpired
		}
		_, err := tryEnd(t, s, organization(i), why, state, now.Add(year))
		return tolerate(err)
	})
	do("patrol", func(int) error {
		due, err := s.DueOrganizations(t.Context(), now.Add(year), lease, 2)
		for _, o := range due {
			_, reminded := s.Remind(t.Context(), o, 7, now, expiringEvent)
			err = errors.Join(err, reminded, s.Schedule(t.Context(), o, now))
		}
		return err
	})
	do("conclude", func(i int) error {
		v := newVerification()
		v.OrganizationID = organization(i)
		if _, _, err := s.Create(t.Context(), v, "", nil); err != nil {
			return err
		}
		if err := s.Complete(t.Context(), v.ID, doubtful("image_blurry"), flagged(now)); err != nil {
			return err
		}
		if _, err := s.Decide(t.Context(), decision(v.ID, ann, records.Approve), ann, records.DecideTerms{}); err != nil {
			return err
		}
		_, err := s.Conclude(t.Context(), now, 3, func(_ context.Context, v records.Verification, d records.Decision) (what records.Conclusion, err error) {
			if what.Event = finalEvent(v, d); v.OrganizationID != "" && v.Outcome == report.OutcomePass {
				what.Grant = grant("沪乙", v.OrganizationID, now)
			}
			return what, nil
		})
		return err
	})
	shared := load(t, s, records.BatchRunning, ready("shared-1", "shared-2", "shared-3")...)
	do("batch", func(i int) error {
		b := newBatch()
		if err := s.CreateBatch(t.Context(), b, batchEntry("created")); err != nil {
			return err
		}
		_, added := s.AddBatchLines(t.Context(), b.ID, ready("1", "2", "3"), now)
		_, running := s.SetBatchState(t.Context(), b.Tenant, b.ID, records.BatchRunning, batchEntry("running"))
		work, err := s.NextBatchLines(t.Context(), late, lease, 4)
		for _, w := range work {
			for _, l := range w.Lines {
				if i%3 == 0 && l.Number == 3 {
					err = errors.Join(err, tolerate(s.FailBatchLine(t.Context(), w.Batch.ID, l.CustomID, []byte(`[]`), now)))
					continue
				}
				v := ofLine(w.Batch.ID, l.CustomID)
				v.OrganizationID = organization(i)
				v, _, failure := s.Create(t.Context(), v, "", nil)
				if failure == nil {
					failure = s.Complete(t.Context(), v.ID, failed("image_blurry"), done(now))
				}
				if !errors.Is(failure, records.ErrAlreadyCompleted) {
					err = errors.Join(err, tolerate(failure))
				}
			}
		}
		state := []records.BatchState{records.BatchPaused, records.BatchRunning, records.BatchCancelled}[i%3]
		_, own := s.SetBatchState(t.Context(), b.Tenant, b.ID, state, batchEntry("changed"))
		_, common := s.SetBatchState(t.Context(), b.Tenant, shared, state, batchEntry("changed"))
		return errors.Join(added, running, err, tolerate(own), tolerate(common))
	})
	do("users", func(i int) error {
		u := newUser("user-"+records.NewID(), records.RoleAdmin)
		hash, password, no := records.HashToken(u.ID), "$argon2id$", false
		_, first := s.AddFirstUser(t.Context(), u, records.HashToken(u.Login), late, by("system"))
		return errors.Join(first, s.AddUser(t.Context(), newUser("added-"+u.ID, records.RoleReviewer), by("system")),
			func() error {
				all, err := s.Users(t.Context(), records.DefaultTenant)
				if err != nil {
					return err
				}
				some := all[i%len(all)].ID
				err = s.OpenSession(t.Context(), some, hash, now, late, by(""))
				_, counted := s.CountFailure(t.Context(), some, now)
				_, changed := s.ChangeUser(t.Context(), records.DefaultTenant, some, records.UserChange{Password: &password, Disabled: &no}, by("system"))
				_, purged := s.PurgeSessions(t.Context(), late.Add(lease), 3)
				return errors.Join(err, counted, changed, purged, s.CloseSession(t.Context(), hash, by("")))
			}())
	})
	do("queue", func(int) error {
		_, counted := s.CaseCounts(t.Context(), records.DefaultTenant, now)
		_, listed := s.Cases(t.Context(), records.DefaultTenant, records.CaseQuery{Reason: "image_blurry", Available: true}, ann, now)
		return errors.Join(counted, listed)
	})
	do("sweep", func(int) error {
		_, err := s.LeaseDue(t.Context(), late, lease, all(5)...)
		return err
	})
	do("at risk", func(int) error {
		_, err := s.AtRisk(t.Context(), late, share, 5, atRiskEvent)
		return err
	})
	do("retention", func(int) error {
		_, sealed := s.DropSealed(t.Context(), late, 5)
		_, reports := s.DropReports(t.Context(), late, 5)
		return errors.Join(sealed, reports)
	})
	do("replay", func(int) error {
		_, err := s.Replay(t.Context(), records.DefaultTenant, known.ID, now)
		return err
	})
	do("send", func(i int) error {
		out, err := s.LeaseDeliveries(t.Context(), late, lease, 5)
		for _, o := range out {
			if i%2 == 0 {
				_, failure := s.DeliveryFailed(t.Context(), o.ID, "timeout", 0, late, late)
				err = errors.Join(err, failure)
			} else {
				err = errors.Join(err, s.DeliverySucceeded(t.Context(), o.ID, 200, late))
			}
		}
		return err
	})
	do("switch", func(i int) error {
		_, err := s.DisableEndpoint(t.Context(), records.DefaultTenant, []string{e.ID, other.ID}[i%2], "asked", disabled(now.Add(time.Duration(i))))
		return errors.Join(err, s.EnableEndpoint(t.Context(), records.DefaultTenant, e.ID, now))
	})
	do("keys", func(int) error {
		k, hash := newKey("acme", records.ScopeAdmin)
		return errors.Join(s.AddKey(t.Context(), k, hash), s.TouchKey(t.Context(), k.ID, now), s.RevokeKey(t.Context(), "acme", k.ID, now))
	})
	do("purge", func(int) error {
		_, err := s.PurgeEvents(t.Context(), now, 5)
		return err
	})
	do("verify", func(int) error {
		_, err := s.VerifyAudit(t.Context(), records.DefaultTenant)
		return err
	})
	group.Wait()
	for _, tenant := range []string{records.DefaultTenant, "acme"} {
		if head, err := s.VerifyAudit(t.Context(), tenant); err != nil || head.Seq < rounds {
			t.Errorf("%s: %+v, %v", tenant, head, err)
		}
	}
}
