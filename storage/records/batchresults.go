package records

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
)

// maxResults is the largest page of results: whole files of them are written.
const maxResults = 1000

// BatchResult is a line with what came of it.
type BatchResult struct {
	BatchLine               // without Sealed
	Status    report.Status // of the verification, as all that follows; empty: there is none
	Outcome   report.Outcome
	Reasons   []string
	Decided   bool // its decision is final
}

// BatchResults returns up to limit (1..1000) lines of a batch with what came of
// them, in the order of the file, and the cursor of the page after: empty at the
// end. After is that of the page before; one that no page gave is ErrCursor.
func (s *Store) BatchResults(ctx context.Context, tenant, batch, after string, limit int) (results []BatchResult, next string, err error) {
	if limit < 1 || limit > maxResults {
		return nil, "", fail("batch results", batch, fmt.Errorf("limit %d is not in 1..%d", limit, maxResults))
	}
	number, key := int64(-1), ""
	if after != "" {
		first, rest, ok := strings.Cut(after, ".")
		if number, err = strconv.ParseInt(first, 36, 64); err != nil || !ok || !storable(rest) {
			return nil, "", fail("batch results", batch, ErrCursor)
		}
		key = rest
	}
	if _, err := s.Batch(ctx, tenant, batch); err != nil {
		return nil, "", err
	}
	rows, err := s.db.QueryContext(ctx, batchResults, batch, number, key, limit+1)
	var keys []string
	results, err = collect(rows, err, func(r row) (b BatchResult, err error) {
		err = r.Scan(append(b.fields(), &b.Status, &b.Outcome, words{&b.Reasons}, &b.Decided, &key)...)
		keys = append(keys, key)
		return b, err
	})
	if len(results) > limit {
		results = results[:limit]
		next = strconv.FormatInt(int64(results[limit-1].Number), 36) + "." + keys[limit-1]
	}
	return results, next, fail("batch results", batch, err)
}

const batchResults = `SELECT batch_lines.batch_id, batch_lines.custom_id, number, batch_lines.organization_id, verification_id,
		batch_lines.state, errors, NULL, picture, COALESCE(status, ''), COALESCE(outcome, ''), reasons, COALESCE(decided_at, 0) > 0, line_key
	FROM batch_lines LEFT JOIN verifications ON verifications.id = verification_id
	WHERE batch_lines.batch_id = $1 AND (number, line_key) > ($2, $3) ORDER BY number, line_key LIMIT $4`

// BatchSummary is how a batch came out so far.
type BatchSummary struct {
	Batch    Batch
	Outcomes map[report.Outcome]int // of the verifications: review waits for a person, empty for the machine
	Reasons  map[string]int         // verifications by each of their codes
}

// BatchSummary counts the verifications of a batch.
func (s *Store) BatchSummary(ctx context.Context, tenant, batch string) (BatchSummary, error) {
	sum := BatchSummary{Outcomes: map[report.Outcome]int{}, Reasons: map[string]int{}}
	var err error
	if sum.Batch, err = s.Batch(ctx, tenant, batch); err != nil {
		return BatchSummary{}, err
	}
	rows, err := s.db.QueryContext(ctx, batchOutcomes, batch)
	_, err = collect(rows, err, func(r row) (struct{}, error) {
		var outcome report.Outcome
		var codes []string
		var n int
		err := r.Scan(&outcome, words{&codes}, &n)
		sum.Outcomes[outcome] += n
		for _, code := range codes {
			sum.Reasons[code] += n
		}
		return struct{}{}, err
	})
	return sum, fail("batch summary", batch, err)
}

// An index alone answers.
const batchOutcomes = `SELECT outcome, reasons, COUNT(*) FROM verifications
	WHERE batch_id <> '' AND batch_id = $1 GROUP BY outcome, reasons`
