package main

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/worker/client"
)

// TestOperations makes and revokes keys, turns the master key over and takes a
// backup, all while the service runs; what was restored from it answers.
func TestOperations(t *testing.T) {
	data := t.TempDir()
	address, kill := service(t, data)
	token, _, code := heyan(t, "keys", "add", "--data", data, "--name", "backend", "--scope", "submit", "--scope", "read")
	if code != exitPass || !strings.HasPrefix(token, "hy_") {
		t.Fatalf("keys add: exit %d, %q", code, token)
	}
	api := &client.HTTP{Base: address, Key: strings.TrimSpace(token)}
	v, err := api.Submit(t.Context(), read(t, filepath.Join(samples, "clean_pass.jpg")), report.Submission{Policy: "photo"}, "once")
	if err == nil {
		v, err = api.Wait(t.Context(), v.ID)
	}
	if err != nil || v.Outcome != report.OutcomePass {
		t.Fatalf("%s, %v", v.Outcome, err)
	}
	if out, errs, code := heyan(t, "keys", "new-master", "--data", data); code != exitPass {
		t.Fatalf("keys new-master: %s%s", out, errs)
	}
	if out, errs, code := heyan(t, "keys", "rotate", "--data", data); code != exitPass || !strings.Contains(out, "1 data keys") {
		t.Fatalf("keys rotate: %s%s", out, errs)
	}
	archive := filepath.Join(t.TempDir(), "heyan.tar")
	if out, errs, code := heyan(t, "backup", "--data", data, archive); code != exitPass || !strings.Contains(out, "1 pictures") {
		t.Fatalf("backup: %s%s", out, errs)
	}
	list, _, _ := heyan(t, "keys", "list", "--data", data)
	var id string
	for line := range strings.Lines(list) {
		if strings.Contains(line, "backend") {
			id = strings.Fields(line)[0]
		}
	}
	if out, errs, code := heyan(t, "keys", "revoke", "--data", data, id); code != exitPass {
		t.Fatalf("keys revoke %s: %s%s", id, out, errs)
	}
	var refused *client.Problem
	if _, err := api.Get(t.Context(), v.ID); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		t.Errorf("a revoked key: %v", err)
	}
	kill()

	restored := filepath.Join(t.TempDir(), "restored")
	if out, errs, code := heyan(t, "restore", "--data", restored, archive); code != exitPass {
		t.Fatalf("restore: %s%s", out, errs)
	}
	if _, errs, code := heyan(t, "restore", "--data", restored, archive); code != exitBroken || !strings.Contains(errs, "not empty") {
		t.Errorf("restore over data: exit %d, %s", code, errs)
	}
	api.Base, _ = service(t, restored) // where the key was not revoked yet
	again, err := api.Get(t.Context(), v.ID)
	if err != nil || again.Outcome != v.Outcome || again.Report == nil {
		t.Errorf("after restore: %s, %v", again.Outcome, err)
	}
}
