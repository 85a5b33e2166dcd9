package console

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/batch"
)

// byteOrderMark tells spreadsheets that a file is UTF-8.
const byteOrderMark = "\ufeff"

// pageTime is how long a reader may take for a page of a long answer.
const pageTime = time.Minute

// figuresCSV sends one of the tables of the lead's page.
func (c *Console) figuresCSV(v *visit) error {
	p, err := periodOf(v.r.URL.Query(), v.now)
	if err != nil {
		return err
	}
	f, reasons, reviewers, err := c.reviewed(v, p)
	if err != nil {
		return err
	}
	var rows [][]any
	table := v.r.URL.Query().Get("table")
	switch table {
	case "", "reasons":
		table = "reasons"
		rows = [][]any{{"reason", "title", "cases", "approved", "rejected", "approved_share", "second_looks", "agreed"}}
		for _, r := range reasons {
			rows = append(rows, []any{r.Code, r.Title, r.Cases, r.Approved, r.Rejected, strconv.FormatFloat(r.Share, 'f', 3, 64), r.Looked, r.Agreed})
		}
	case "days":
		rows = [][]any{{"day", "flagged", "decided", "late", "open_at_end"}}
		for _, d := range f.ByDay {
			rows = append(rows, []any{d.Day, d.Flagged, d.Decided, d.Late, d.Open})
		}
	case "reviewers":
		rows = [][]any{{"reviewer", "reviewer_id", "decided", "approved", "rejected", "new_photo", "escalated", "undone", "late", "median_seconds"}}
		for _, r := range reviewers {
			rows = append(rows, []any{r.Name, r.User, r.Decided, r.Approved, r.Rejected, r.NewPhoto, r.Escalated, r.Undone, r.Late, seconds(r.Median)})
		}
	default:
		return errForm
	}
	if err := c.exported(v, table, p); err != nil {
		return err
	}
	_ = v.sheet(table, p).add(rows) // the browser may have left
	return nil
}

// decisionsCSV sends a line a decision, page by page: how many there are does not
// matter.
func (c *Console) decisionsCSV(v *visit) error {
	p, err := periodOf(v.r.URL.Query(), v.now)
	if err != nil {
		return err
	}
	names, err := c.names(v)
	if err != nil {
		return err
	}
	rows, next, err := c.decisionRows(v, p, "", names)
	if err == nil {
		err = c.exported(v, "decisions", p)
	}
	if err != nil {
		return err
	}
	s := v.sheet("decisions", p)
	header := []any{"time_beijing", "case", "organization", "reviewer", "reviewer_id", "kind", "outcome", "machine_reasons", "reasons",
		"corrected_fields", "round", "seconds_from_claim", "late", "undone"}
	for rows = slices.Insert(rows, 0, header); ; {
		if s.add(rows) != nil || next == "" {
			return nil
		}
		if rows, next, err = c.decisionRows(v, p, next, names); err != nil {
			v.abort(err)
		}
	}
}

// decisionRows are a page of decisions, and the cursor of the next.
func (c *Console) decisionRows(v *visit, p period, after string, names map[string]string) (rows [][]any, next string, err error) {
	page, next, err := c.Records.DecisionsBetween(v.r.Context(), v.tenant(), p.first, p.end(), after, records.MaxPage)
	if err != nil {
		return nil, "", err
	}
	ids := make([]string, len(page))
	for i, d := range page {
		ids[i] = d.Case
	}
	organizations, err := c.Records.OrganizationsOf(v.r.Context(), v.tenant(), ids)
	for _, d := range page {
		corrected := make([]string, 0, len(d.Corrections))
		for _, name := range slices.Sorted(maps.Keys(d.Corrections)) {
			corrected = append(corrected, string(name))
		}
		took := ""
		if !d.ClaimedAt.IsZero() {
			took = seconds(d.At.Sub(d.ClaimedAt))
		}
		rows = append(rows, []any{d.At.In(report.Beijing).Format(time.DateTime), d.Case, organizations[d.Case], names[d.By], d.By, d.Kind, d.Outcome,
			strings.Join(d.MachineReasons, " "), strings.Join(d.Reasons, " "), strings.Join(corrected, " "), d.Round, took,
			d.At.After(d.DeadlineAt), !d.UndoneAt.IsZero()})
	}
	return rows, next, err
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) }

// exported notes, before its first byte, that a table leaves.
func (c *Console) exported(v *visit, table string, p period) error {
	entry := v.entry("figures.exported", "")
	var err error
	if entry.Detail, err = json.Marshal(map[string]string{"table": table, "from": p.From(), "to": p.To()}); err != nil {
		return err
	}
	_, err = c.Records.Append(v.r.Context(), entry)
	return err
}

// attach tells the browser to keep an answer as a file.
func (v *visit) attach(kind, name string) {
	h := v.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	v.w.WriteHeader(http.StatusOK)
}

// abort breaks an answer off that has begun: what is cut short must not look whole.
func (v *visit) abort(err error) {
	v.c.Logger.Warn("file not sent to its end", "error", err)
	panic(http.ErrAbortHandler)
}

// sheet is a CSV file on its way to a browser.
type sheet struct {
	*csv.Writer
	answer *http.ResponseController
}

func (v *visit) sheet(table string, p period) sheet {
	v.attach("text/csv; charset=utf-8", fmt.Sprintf("heyan-%s-%s-%s.csv", table, p.From(), p.To()))
	_, _ = v.w.Write([]byte(byteOrderMark)) // add finds out when the browser has left
	return sheet{csv.NewWriter(v.w), http.NewResponseController(v.w)}
}

// add sends rows; an error says that the browser has left.
func (s sheet) add(rows [][]any) error {
	for _, row := range rows {
		line := make([]string, len(row))
		for i, value := range row {
			line[i] = batch.Guard(fmt.Sprint(value))
		}
		if err := s.Write(line); err != nil {
			return err
		}
	}
	if s.Flush(); s.Error() != nil {
		return s.Error()
	}
	_ = s.answer.SetWriteDeadline(time.Now().Add(pageTime)) // where there is a connection
	if err := s.answer.Flush(); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
