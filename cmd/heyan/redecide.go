package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker/redecide"
)

type batchRedecideCommand struct {
	storeFlags
	tenantFlag
	Policy string    `required:"" help:"Policy to decide by: the name of a shipped one or the path of a file."`
	From   time.Time `format:"2006-01-02" placeholder:"DATE" help:"Those handed in on this day (UTC) or later."`
	To     time.Time `format:"2006-01-02" placeholder:"DATE" help:"Those handed in before this day (UTC)."`
	Of     string    `placeholder:"POLICY" help:"Only those that were decided by this policy."`
	JSON   bool      `help:"Print one verification that flips a line, and the summary at last, as JSON."`
}

func (c *batchRedecideCommand) Run(ctx context.Context, std standard) error {
	policy, err := verdict.LoadPolicy(c.Policy, anyFile{})
	if err != nil {
		return &exit{exitUsage, err}
	}
	store, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	keys, err := vault.Open(ctx, c.keyFile(), store)
	if err != nil {
		return err
	}
	show := func(f redecide.Flip) error {
		_, err := fmt.Fprintf(std.out, "%s\t%s\t%s → %s\t%s\n", f.ID, cmp.Or(f.OrganizationID, "-"), f.From, f.To, whyFlipped(f))
		return err
	}
	if c.JSON {
		show = func(f redecide.Flip) error { return json.NewEncoder(std.out).Encode(f) }
	}
	begin := time.Now()
	sum, err := redecide.Run(ctx, store, keys, c.Tenant, records.Query{From: c.From, To: c.To, Policy: c.Of}, policy, show)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(std.out).Encode(map[string]any{"policy": policy.ID(), "summary": sum})
	}
	took := time.Since(begin)
	fmt.Fprintf(std.out, "under %s: %d verifications decided again in %s, %.0f a second\n", policy.ID(), sum.Verifications,
		took.Round(time.Millisecond), float64(sum.Verifications)/took.Seconds())
	fmt.Fprintf(std.out, "%8d  the same\n", sum.Same)
	for _, part := range []struct {
		title  string
		counts map[string]int
	}{{"", sum.Flips}, {"for now there is ", sum.Gained}, {"for no longer there is ", sum.Lost}} {
		printCounts(std.out, part.title, part.counts)
	}
	if sum.Undeclared > 0 {
		fmt.Fprintf(std.out, "%8d  cannot be: what was declared is no longer kept\n", sum.Undeclared)
	}
	if sum.Undecidable > 0 {
		fmt.Fprintf(std.out, "%8d  cannot be: their reports do not hold what they were decided from\n", sum.Undecidable)
	}
	return nil
}

func whyFlipped(f redecide.Flip) string {
	var why []string
	for _, code := range f.Gained {
		why = append(why, "+"+code)
	}
	for _, code := range f.Lost {
		why = append(why, "-"+code)
	}
	if f.Decided != "" {
		why = append(why, "a person decided "+string(f.Decided))
	}
	return strings.Join(why, " ")
}

// printCounts prints the most frequent first.
func printCounts(w io.Writer, title string, counts map[string]int) {
	for _, key := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	}) {
		fmt.Fprintf(w, "%8d  %s%s\n", counts[key], title, key)
	}
}
