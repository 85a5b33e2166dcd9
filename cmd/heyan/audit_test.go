package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/storage/backup"
	"github.com/heyan/heyan/storage/records"
)

// auditLog makes a data folder with a log of five entries, and of one in another
// tenant, and changes it behind the store's back.
func auditLog(t *testing.T, statements ...string) (data string) {
	t.Helper()
	data = t.TempDir()
	path := filepath.Join(data, backup.RecordsFile)
	store, err := records.Open(t.Context(), (&url.URL{Scheme: "sqlite", Path: path}).String())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		tenant := records.DefaultTenant
		if i == 5 {
			tenant = "acme"
		}
		if _, err := store.Append(t.Context(), records.Entry{Tenant: tenant, At: time.Date(2030, 5, 1, 8, i, 0, 0, time.UTC),
			Actor: "key:1", Action: "picture.read", Subject: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func TestAuditVerify(t *testing.T) {
	const head3 = "3:49c61b1d2f81faa0e0ef542f97fa3265d95889db5849f49b77b88cb67b4b3067"
	for _, tt := range []struct {
		name       string
		statements []string
		args       []string
		code       int
		out, errs  string // parts of them
	}{
		{name: "whole", code: exitPass, out: "audit: default: 5 entries, unbroken, head 5:"},
		{name: "all tenants", args: []string{"--all-tenants"}, code: exitPass, out: "audit: acme: 1 entries, unbroken, head 1:"},
		{name: "kept head", args: []string{"--head", head3}, code: exitPass, out: "5 entries"},
		{name: "one byte", statements: []string{`UPDATE audit SET reason = 'x' WHERE tenant = 'default' AND seq = 2`},
			code: exitVerdict, errs: "default is broken at entry 2: it was changed"},
		{name: "one byte in hash", statements: []string{`UPDATE audit SET hash = x'00' || substr(hash, 2) WHERE tenant = 'default' AND seq = 4`},
			code: exitVerdict, errs: "broken at entry 4: it was changed"},
		{name: "deleted", statements: []string{`DELETE FROM audit WHERE tenant = 'default' AND seq = 3`},
			code: exitVerdict, errs: "broken at entry 3: it is missing"},
		{name: "swapped", statements: []string{`UPDATE audit SET seq = -seq WHERE tenant = 'default' AND seq IN (2, 3)`,
			`UPDATE audit SET seq = 5 + seq WHERE tenant = 'default' AND seq < 0`},
			code: exitVerdict, errs: "broken at entry 2: it does not follow the entry before"},
		{name: "put in at the end", statements: []string{`INSERT INTO audit SELECT tenant, 6, at, actor, action, subject, detail, reason, hash, hash
			FROM audit WHERE tenant = 'default' AND seq = 5`}, code: exitVerdict, errs: "broken at entry 6: it was put in"},
		{name: "another tenant's", statements: []string{`UPDATE audit SET at = at + 1 WHERE tenant = 'acme'`},
			args: []string{"--all-tenants"}, code: exitVerdict, out: "audit: default: 5 entries", errs: "acme is broken at entry 1"},
		// Whoever may write everything makes the log end earlier, or anew: a head
		// kept elsewhere tells.
		{name: "cut, without a head", statements: []string{`DELETE FROM audit WHERE tenant = 'default' AND seq > 2`,
			`UPDATE tenants SET entries = 2, head = (SELECT hash FROM audit WHERE tenant = 'default' AND seq = 2) WHERE id = 'default'`},
			code: exitPass, out: "2 entries"},
		{name: "cut", statements: []string{`DELETE FROM audit WHERE tenant = 'default' AND seq > 2`,
			`UPDATE tenants SET entries = 2, head = (SELECT hash FROM audit WHERE tenant = 'default' AND seq = 2) WHERE id = 'default'`},
			args: []string{"--head", head3}, code: exitVerdict, errs: "broken at entry 3: it is missing"},
		{name: "anew", args: []string{"--head", "4" + head3[1:]}, code: exitVerdict, errs: "broken at entry 4: it is not the kept head"},
		{name: "no head", args: []string{"--head", "3"}, code: exitUsage, errs: "SEQ:HEX"},
		{name: "no hash", args: []string{"--head", "3:xyz"}, code: exitUsage, errs: "hexadecimal"},
		{name: "head of all", args: []string{"--head", head3, "--all-tenants"}, code: exitUsage, errs: "--head"},
		{name: "no tenant", args: []string{"--tenant", "nobody"}, code: exitBroken, errs: "no such record"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := auditLog(t, tt.statements...)
			out, errs, code := heyan(t, append([]string{"audit", "verify", "--data", data}, tt.args...)...)
			if code != tt.code || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.errs) {
				t.Errorf("exit %d, want %d\n%s%s", code, tt.code, out, errs)
			}
		})
	}
}

func TestAuditExport(t *testing.T) {
	data := auditLog(t)
	out, errs, code := heyan(t, "audit", "export", "--data", data)
	if code != exitPass {
		t.Fatalf("exit %d, %s", code, errs)
	}
	var seqs []int
	for line := range strings.Lines(out) {
		var e struct {
			Seq        int
			Prev, Hash string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || len(e.Hash) != 64 {
			t.Errorf("%s: %v", line, err)
		}
		seqs = append(seqs, e.Seq)
	}
	if fmt.Sprint(seqs) != "[1 2 3 4 5]" {
		t.Errorf("got %v", seqs)
	}
	if out, _, code := heyan(t, "audit", "export", "--data", data, "--case", records.NewID()); code != exitBroken || out != "" {
		t.Errorf("no such case: exit %d, %s", code, out)
	}
}
