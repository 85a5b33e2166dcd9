package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/heyan/heyan/storage/records"
)

type auditCommand struct {
	storeFlags
	Verify auditVerifyCommand `cmd:"" help:"Prove that no entry was changed, taken out or put in, and print the head, which is to be kept elsewhere."`
	Export auditExportCommand `cmd:"" help:"Print the log as JSON lines, oldest entry first."`
}

// keptHead is the end of a log as verify printed it once: SEQ:HEX.
type keptHead records.Head

// UnmarshalText reads it from the command line.
func (h *keptHead) UnmarshalText(text []byte) error {
	seq, hash, found := strings.Cut(string(text), ":")
	var err error
	if h.Seq, err = strconv.ParseInt(seq, 10, 64); err != nil || !found || h.Seq < 1 {
		return errors.New("a head is SEQ:HEX, as audit verify printed it")
	}
	if h.Hash, err = hex.DecodeString(hash); err != nil {
		return errors.New("the hash of a head is hexadecimal")
	}
	return nil
}

type auditVerifyCommand struct {
	Tenant     string    `placeholder:"${tenant}" xor:"tenant" help:"Whose log."`
	AllTenants bool      `xor:"tenant,head" help:"The logs of all tenants, each by itself."`
	Head       *keptHead `xor:"head" placeholder:"SEQ:HEX" help:"A head that an earlier run printed: prove that the log still goes through it."`
}

// Run looks at every log before it says that one is broken.
func (c *auditVerifyCommand) Run(ctx context.Context, std standard, audit *auditCommand) error {
	store, err := audit.open(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	tenants := []string{cmp.Or(c.Tenant, records.DefaultTenant)}
	if c.AllTenants {
		if tenants, err = store.Tenants(ctx); err != nil {
			return err
		}
	}
	broken := false
	for _, tenant := range tenants {
		head, err := verifiedHead(ctx, store, tenant)
		if err == nil && c.Head != nil {
			err = c.Head.within(ctx, store, tenant, head)
		}
		if chain, ok := errors.AsType[*records.ChainError](err); ok {
			fmt.Fprintln(std.err, "heyan:", chain)
			broken = true
			continue
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(std.out, "audit: %s: %d entries, unbroken, head %d:%x\n", tenant, head.Seq, head.Seq, head.Hash)
	}
	if broken {
		return &exit{code: exitVerdict}
	}
	return nil
}

// verifiedHead is the end of a log that is whole. What stands behind it was
// appended meanwhile, and then the head has moved, or was put in.
func verifiedHead(ctx context.Context, store *records.Store, tenant string) (records.Head, error) {
	head, err := store.VerifyAudit(ctx, tenant)
	if err != nil {
		return head, err
	}
	behind, err := store.AuditSince(ctx, tenant, "", head.Seq, 1)
	if err != nil || len(behind) == 0 {
		return head, err
	}
	head, err = store.VerifyAudit(ctx, tenant)
	if err == nil && head.Seq < behind[0].Seq {
		err = &records.ChainError{Tenant: tenant, Seq: behind[0].Seq, Why: "it was put in behind the last one"}
	}
	return head, err
}

// within says whether a verified log goes through the head.
func (h *keptHead) within(ctx context.Context, store *records.Store, tenant string, now records.Head) error {
	if h.Seq > now.Seq {
		return &records.ChainError{Tenant: tenant, Seq: now.Seq + 1, Why: fmt.Sprintf("it is missing, as is all up to the kept head at %d", h.Seq)}
	}
	entries, err := store.AuditSince(ctx, tenant, "", h.Seq-1, 1)
	if err != nil {
		return err
	}
	if len(entries) == 0 || !bytes.Equal(entries[0].Hash, h.Hash) {
		return &records.ChainError{Tenant: tenant, Seq: h.Seq, Why: "it is not the kept head; the log was written anew"}
	}
	return nil
}

type auditExportCommand struct {
	Tenant string `default:"${tenant}" help:"Whose log."`
	Case   string `help:"Id of the one verification whose entries, with its decisions, are printed."`
}

func (c *auditExportCommand) Run(ctx context.Context, std standard, audit *auditCommand) error {
	store, err := audit.open(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	return store.ExportAudit(ctx, std.out, c.Tenant, c.Case)
}
