package records

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// flagged is a verification that waits for a person.
func flagged(t *testing.T, s *Store, tenant, organization string) string {
	t.Helper()
	v := Verification{ID: NewID(), Tenant: tenant, OrganizationID: organization, Policy: "dingtalk", Priority: "standard",
		MaxAttempts: 3, CreatedAt: start, DeadlineAt: start.Add(time.Hour)}
	if _, _, err := s.Create(t.Context(), v, "", nil); err != nil {
		t.Fatal(err)
	}
	err := s.Complete(t.Context(), v.ID, report.Report{Outcome: report.OutcomeReview, Reasons: []report.Reason{{Code: "image_blurry"}}},
		Completion{At: start, Event: Event{ID: NewID(), Type: "verification.review_required", Payload: []byte("{}")}})
	if err != nil {
		t.Fatal(err)
	}
	return v.ID
}

// exported are the lines of an export, those of entries read back.
func exported(t *testing.T, s *Store, tenant, id string) (entries []Entry, decisions []exportedDecision, text string) {
	t.Helper()
	var out bytes.Buffer
	if err := s.ExportAudit(t.Context(), &out, tenant, id); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		var e exportedEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Type == "decision" {
			var d exportedDecision
			if err := json.Unmarshal([]byte(line), &d); err != nil {
				t.Fatal(err)
			}
			decisions = append(decisions, d)
			continue
		}
		prev, err := hex.DecodeString(e.Prev)
		hash, err2 := hex.DecodeString(e.Hash)
		if e.Type != "entry" || err != nil || err2 != nil {
			t.Fatalf("%s: %v, %v", line, err, err2)
		}
		entries = append(entries, Entry{e.Seq, e.Tenant, e.At, e.Actor, e.Action, e.Subject, json.RawMessage(e.Detail), e.Reason, prev, hash})
	}
	return entries, decisions, out.String()
}

// What is exported proves itself: each hash can be made again from its line.
func TestExportAudit(t *testing.T) {
	for name, s := range databases(t, 1) {
		t.Run(name, func(t *testing.T) {
			id := flagged(t, s, "acme", "org-1")
			for i := range 3 {
				e := Entry{Tenant: "acme", At: start.Add(1234567 * time.Nanosecond), Actor: "key:1", Action: "picture.read", Subject: fmt.Sprint(i),
					Detail: []byte(`{"a":  "<&>",` + "\n" + `"b": 1}`), Reason: "申诉 <复核>"}
				if _, err := s.Append(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			for i, kind := range []DecisionKind{Escalate, Reject} {
				by := Reader{User: fmt.Sprint("user-", i), Lead: true}
				d := Decision{ID: NewID(), Case: id, Tenant: "acme", By: by.User, Kind: kind, Reasons: []string{"image_blurry"}, At: start.Add(time.Duration(i) * time.Minute),
					Message: report.Text{EN: "words for the applicant"}, Corrections: map[report.FieldName]string{report.FieldCompanyName: "示例科技有限公司", report.FieldAddress: "x"}}
				if _, err := s.Decide(t.Context(), d, by, DecideTerms{Grace: time.Second}); err != nil {
					t.Fatal(err)
				}
			}
			all, decisions, _ := exported(t, s, "acme", "")
			if len(all) != 5 || len(decisions) != 0 {
				t.Fatalf("all: %d entries, %d decisions", len(all), len(decisions))
			}
			var prev []byte
			for i, e := range all {
				if e.Seq != int64(i+1) || !bytes.Equal(e.Prev, prev) || !bytes.Equal(e.digest(), e.Hash) {
					t.Errorf("entry %d does not prove itself: %+v", i+1, e)
				}
				prev = e.Hash
			}
			some, decisions, text := exported(t, s, "acme", id)
			if !reflect.DeepEqual(some, all[3:]) {
				t.Errorf("of the case: %+v", some)
			}
			if len(decisions) != 2 || decisions[0].Kind != Escalate || !decisions[0].EffectiveAt.IsZero() ||
				fmt.Sprint(decisions[1].Corrected) != "[address name]" || decisions[1].Round != 3 {
				t.Errorf("decisions %+v", decisions)
			}
			if strings.Contains(text, "示例") || strings.Contains(text, "applicant") {
				t.Errorf("what people wrote is exported: %s", text)
			}
			for tenant, id := range map[string]string{"acme": NewID(), "nobody": "", DefaultTenant: id} {
				if err := s.ExportAudit(t.Context(), &bytes.Buffer{}, tenant, id); !errors.Is(err, ErrNotFound) {
					t.Errorf("%s %s: %v", tenant, id, err)
				}
			}
			organizations, err := s.OrganizationsOf(t.Context(), "acme", []string{id, NewID()})
			if want := map[string]string{id: "org-1"}; err != nil || !reflect.DeepEqual(organizations, want) {
				t.Errorf("organizations %v, %v", organizations, err)
			}
			if others, err := s.OrganizationsOf(t.Context(), DefaultTenant, []string{id}); err != nil || len(others) != 0 {
				t.Errorf("of another tenant: %v, %v", others, err)
			}
		})
	}
}

func TestAuditSince(t *testing.T) {
	for name, s := range databases(t, 1) {
		t.Run(name, func(t *testing.T) {
			const n = 2 * auditPage
			_, err := s.db.ExecContext(t.Context(), fmt.Sprintf(`INSERT INTO audit (tenant, seq, at, actor, action, subject, detail, reason, prev, hash)
				WITH RECURSIVE numbers(n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < %d)
				SELECT 'acme', n, 0, 'system', 'a.b', CAST(n %% 2 AS TEXT), '{}', '', '', '' FROM numbers`, n))
			if err == nil {
				_, err = s.db.ExecContext(t.Context(), `INSERT INTO tenants (id, entries) VALUES ('acme', $1)`, n-1)
			}
			if err != nil {
				t.Fatal(err)
			}
			if all, _, _ := exported(t, s, "acme", ""); len(all) != n-1 || all[n-2].Seq != n-1 {
				t.Errorf("got %d entries", len(all))
			}
			var seqs []int64
			for after := int64(1990); ; {
				page, err := s.AuditSince(t.Context(), "acme", "1", after, 2)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				for _, e := range page {
					after = e.Seq
					seqs = append(seqs, e.Seq)
				}
			}
			if fmt.Sprint(seqs) != "[1991 1993 1995 1997 1999]" {
				t.Errorf("got %v", seqs)
			}
			if _, err := s.AuditSince(t.Context(), "acme", "", 0, MaxPage+1); err == nil {
				t.Error("a page too large is taken")
			}
		})
	}
}
