package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
)

// SealSubmission is a submission as its record keeps it.
func SealSubmission(sealer *vault.Sealer, id string, s report.Submission) ([]byte, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("submission: %w", err)
	}
	return sealer.Seal(vault.Submission(id), text), nil
}

// Masked is what was declared without what tells a person.
func Masked(d report.Declared) report.Declared {
	d.IDNumber, d.Phone, d.Email = codes.Mask(d.IDNumber), codes.MaskPhone(d.Phone), codes.MaskEmail(d.Email)
	return d
}

// OpenSubmission is the submission of a record.
func OpenSubmission(ctx context.Context, v *vault.Vault, r records.Verification) (report.Submission, error) {
	sealer, err := v.For(ctx, r.Tenant)
	if err != nil {
		return report.Submission{}, fmt.Errorf("submission: %w", err)
	}
	text, err := sealer.Open(vault.Submission(r.ID), r.Sealed)
	if err != nil {
		return report.Submission{}, fmt.Errorf("submission: %w", err)
	}
	var s report.Submission
	if err := json.Unmarshal(text, &s); err != nil {
		// The decoder's own words may quote what was declared.
		return report.Submission{}, errors.New("submission: the sealed text is not the expected JSON")
	}
	return s, nil
}
