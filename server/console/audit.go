package console

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/storage/records"
)

// auditView is the page of what was done with a case.
type auditView struct {
	ID      string
	Entries []entryRow
	Next    string // address of the following page
}

type entryRow struct {
	records.Entry
	Who     string // name, or what it is that acted
	What    string // the action in words; empty: there are none
	Details []pair
	Hash    string // hex
}

// pair is a part of an entry's detail, in words where there are some.
type pair struct{ Name, Value string }

// auditOf shows the entries of a case, oldest first, or sends all of them with its
// decisions as lines of JSON, which is an entry itself.
func (c *Console) auditOf(v *visit) error {
	id, query := v.r.PathValue("id"), v.r.URL.Query()
	if _, err := c.Records.Get(v.r.Context(), v.tenant(), id); err != nil {
		return err
	}
	if query.Get("format") == "jsonl" {
		if _, err := c.Records.Append(v.r.Context(), v.entry("audit.exported", id)); err != nil {
			return err
		}
		v.attach("application/jsonl; charset=utf-8", "heyan-audit-"+id+".jsonl")
		if err := c.Records.ExportAudit(v.r.Context(), v.w, v.tenant(), id); err != nil {
			v.abort(err)
		}
		return nil
	}
	after, err := strconv.ParseInt("0"+query.Get("after"), 10, 64)
	if err != nil {
		return records.ErrCursor
	}
	entries, err := c.Records.AuditSince(v.r.Context(), v.tenant(), id, after, records.MaxPage)
	if err != nil {
		return err
	}
	names, err := c.names(v)
	if err != nil {
		return err
	}
	view := auditView{ID: id}
	for _, e := range entries {
		view.Entries = append(view.Entries, newEntryRow(e, names, v.lang))
	}
	if len(entries) == records.MaxPage {
		view.Next = "?after=" + strconv.FormatInt(entries[len(entries)-1].Seq, 10)
	}
	return v.render(http.StatusOK, "audit", view)
}

func newEntryRow(e records.Entry, names map[string]string, l tongue) entryRow {
	r := entryRow{Entry: e, Who: e.Actor, What: l.of(words["audit.action."+e.Action]), Hash: hex.EncodeToString(e.Hash)}
	switch kind, id, _ := strings.Cut(e.Actor, ":"); {
	case kind == "user" && names[id] != "":
		r.Who = names[id]
	case kind == "key":
		r.Who = l.of(words["audit.key"]) + " " + id
	case e.Actor == "system":
		r.Who = l.of(words["audit.system"])
	}
	var detail map[string]any
	if json.Unmarshal(e.Detail, &detail) != nil { // somebody was at the table: it is shown all the same
		r.Details = []pair{{l.of(words["audit.detail"]), string(e.Detail)}}
	}
	for _, name := range slices.Sorted(maps.Keys(detail)) {
		if value := inWords(name, detail[name], l); value != "" {
			r.Details = append(r.Details, pair{cmp.Or(l.of(words["audit.detail."+name]), name), value})
		}
	}
	return r
}

// inWords is a value of an entry's detail.
func inWords(name string, value any, l tongue) string {
	if list, is := value.([]any); is {
		texts := make([]string, len(list))
		for i, one := range list {
			texts[i] = inWords(name, one, l)
		}
		return strings.Join(texts, l.of(words["audit.and"]))
	}
	text := fmt.Sprint(value)
	switch name {
	case "reasons":
		return l.of(verdict.Title(text))
	case "corrected":
		return cmp.Or(l.of(verdict.FieldTitle(report.FieldName(text))), text)
	case "kind":
		return cmp.Or(l.of(words["decide."+text]), text)
	case "outcome":
		return cmp.Or(l.of(words["outcome."+text]), text)
	}
	return text
}
