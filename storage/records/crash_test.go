package records_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

// crashDSN names the database a child of the crash test writes to until killed.
const crashDSN = "HEYAN_TEST_CRASH_DSN"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(crashDSN); dsn != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dsn))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled creates and completes verifications, in turn one that stays,
// one that is erased, one that a person decides and one that a batch asks for and
// that certifies its organization, and prints each change the database
// acknowledged.
func writeUntilKilled(dsn string) error {
	ctx := context.Background()
	s, err := records.Open(ctx, dsn)
	if err != nil {
		return err
	}
	if err := s.AddEndpoint(ctx, newEndpoint(records.DefaultTenant)); err != nil {
		return err
	}
	failedAt := make(chan error)
	for range 4 {
		go func() {
			b := newBatch()
			if err := s.CreateBatch(ctx, b, batchEntry("created")); err != nil {
				failedAt <- err
				return
			}
			for i := 0; ; i++ {
				v := newVerification()
				v.Sealed = []byte("sealed " + v.ID)
				key := v.ID
				var err error
				if i%4 == 3 {
					v.OrganizationID, v.Batch, v.CustomID, key = "org-"+v.ID, b.ID, v.ID, ""
					_, err = s.AddBatchLines(ctx, b.ID, ready(v.CustomID), now)
				}
				if err == nil {
					_, _, err = s.Create(ctx, v, key, []byte("hash"))
				}
				if err == nil {
					fmt.Fprintln(os.Stdout, report.StatusQueued, v.ID)
					switch c := done(now); i % 4 {
					case 2:
						err = s.Complete(ctx, v.ID, doubtful("image_blurry"), flagged(now))
					case 3:
						c.Grant, c.PrintKeys = grant("沪"+v.ID, v.ID, now), []string{"a", "b"}
						err = s.Complete(ctx, v.ID, passed(), c)
					default:
						err = s.Complete(ctx, v.ID, failed("image_blurry"), c)
					}
				}
				if err != nil {
					failedAt <- err
					return
				}
				fmt.Fprintln(os.Stdout, report.StatusCompleted, v.ID)
				switch i % 4 {
				case 1:
					_, err = s.Erase(ctx, v.Tenant, v.ID, entry("", ""))
				case 2:
					_, err = s.Decide(ctx, decision(v.ID, ann, records.Reject), ann, records.DecideTerms{})
					if err == nil {
						_, err = s.Conclude(ctx, now, 10, ungranted)
					}
				}
				if err != nil {
					failedAt <- err
					return
				}
			}
		}()
	}
	return <-failedAt
}

func testCrash(t *testing.T, dsn string) {
	acknowledged := map[string]report.Status{}
	for round := range 3 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), crashDSN+"="+dsn)
		child.Stderr = os.Stderr
		output, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(output)
		for n := 1; lines.Scan(); n++ {
			status, id, _ := strings.Cut(lines.Text(), " ")
			if len(id) == len(records.NewID()) && acknowledged[id] != report.StatusCompleted {
				acknowledged[id] = report.Status(status)
			}
			if n == 60+round*17 {
				child.Process.Kill()
			}
		}
		if err := child.Wait(); child.ProcessState.Exited() {
			t.Fatalf("the child ended by itself: %v", err)
		}
	}
	if len(acknowledged) < 90 {
		t.Fatalf("only %d verifications were acknowledged", len(acknowledged))
	}
	s := open(t, dsn)
	for id, status := range acknowledged {
		got := get(t, s, id)
		if got.ErasedAt.IsZero() != (string(got.Sealed) == "sealed "+id) {
			t.Errorf("%s: sealed bytes differ", id)
		}
		// What was not yet acknowledged may have been written as well.
		if status == report.StatusCompleted && (got.Status != status || got.ErasedAt.IsZero() != (got.Report != nil)) {
			t.Errorf("%s: %s was acknowledged, got %s", id, status, got.Status)
		}
	}
	// Verdict, reasons, event and deliveries are there together or not at all,
	// and so are erasure and audit entry, case and decision.
	db := raw(t, dsn)
	for what, wrong := range map[string]string{
		"a verdict without its event or an event without its verdict": `SELECT COUNT(*) FROM verifications
			FULL OUTER JOIN (SELECT id, subject FROM events WHERE type <> 'certification.granted') AS events ON subject = verifications.id
			WHERE (events.id IS NULL AND status = 'completed') OR (events.id IS NOT NULL AND (status IS NULL OR status = 'queued'))`,
		"an event without all its deliveries": `SELECT COUNT(*) FROM events WHERE (SELECT COUNT(*) FROM deliveries WHERE event_id = events.id)
			<> (SELECT COUNT(*) FROM endpoints WHERE endpoints.id < events.id)`,
		"a verdict without its reason": `SELECT COUNT(*) FROM verifications LEFT JOIN verification_reasons
			ON verification_reasons.id = verifications.id WHERE (status = 'completed' AND outcome <> 'pass') <> (code IS NOT NULL)`,
		"an erasure without its entry": `SELECT COUNT(*) FROM verifications LEFT JOIN audit ON subject = verifications.id AND action = 'picture.read'
			WHERE (erased_at > 0) <> (audit.seq IS NOT NULL)`,
		"a case of nothing, or nothing of a case": `SELECT COUNT(*) FROM verifications FULL OUTER JOIN cases ON cases.id = verifications.id
			WHERE (status = 'completed' AND decided_at = 0 AND erased_at = 0) <> (cases.id IS NOT NULL)`,
		"a case without its reason": `SELECT COUNT(*) FROM cases FULL OUTER JOIN case_reasons ON case_reasons.id = cases.id
			WHERE cases.id IS NULL OR code IS NULL`,
		"a decision without its entry": `SELECT COUNT(*) FROM decisions FULL OUTER JOIN (SELECT subject FROM audit WHERE action = 'case.decided') AS entries
			ON subject = case_id WHERE subject IS NULL OR case_id IS NULL`,
		"a decision that is final in part": `SELECT COUNT(*) FROM decisions JOIN verifications ON verifications.id = case_id
			LEFT JOIN events ON events.subject = case_id AND type = 'verification.completed'
			LEFT JOIN audit ON audit.subject = case_id AND action = 'case.final'
			WHERE (final_at > 0) <> (decided_at > 0) OR (final_at > 0) <> (verifications.outcome = 'fail') OR (final_at > 0) <> (verifications.reasons = 'document_expired')
			OR (final_at > 0) <> (events.id IS NOT NULL) OR (final_at > 0) <> (audit.seq IS NOT NULL)`,
		"a certification without its event, or its print, or what it holds": `SELECT COUNT(*) FROM certifications
			FULL OUTER JOIN (SELECT subject FROM events WHERE type = 'certification.granted') AS granted ON subject = certifications.organization_id
			FULL OUTER JOIN (SELECT organization_id FROM holdings WHERE kind = 'license') AS held ON held.organization_id = certifications.organization_id
			FULL OUTER JOIN (SELECT verification_id FROM prints WHERE key = 'a') AS printed ON printed.verification_id = certifications.verification_id
			WHERE certifications.id IS NULL OR subject IS NULL OR held.organization_id IS NULL OR printed.verification_id IS NULL`,
		"an organization that is not what its verifications made it": `SELECT COUNT(*) FROM verifications FULL OUTER JOIN organizations
			ON verification = verifications.id WHERE verifications.organization_id <> '' AND (state IS NULL OR
			(state = 'pending') <> (status = 'queued') OR (state = 'certified') <> (certification <> ''))`,
		"a batch that counts wrong": `SELECT COUNT(*) FROM batches WHERE lines <> (SELECT COUNT(*) FROM batch_lines WHERE batch_id = batches.id)
			OR submitted <> (SELECT COUNT(*) FROM verifications WHERE verifications.batch_id = batches.id)
			OR done <> (SELECT COUNT(*) FROM batch_lines WHERE batch_id = batches.id AND state = 'done')
			OR done <> (SELECT COUNT(*) FROM verifications WHERE verifications.batch_id = batches.id AND status = 'completed')`,
		"an idempotency key without its verification": `SELECT COUNT(*) FROM idempotency_keys
			LEFT JOIN verifications ON id = verification_id WHERE id IS NULL`,
	} {
		var n int
		if err := db.QueryRow(wrong).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d times, %v", what, n, err)
		}
	}
	if head, err := s.VerifyAudit(t.Context(), records.DefaultTenant); err != nil || head.Seq == 0 {
		t.Errorf("audit log: %+v, %v", head, err)
	}
}
