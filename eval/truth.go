// Package eval measures how right Heyan is on pictures with known truth. It
// knows truth tables, comparison rules, rates with their intervals and floors;
// it must not know how a picture is read.
package eval

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
)

// The expectations of a truth table that the summary tells apart.
const (
	ExpectReadable       = "readable"        // code and name can be read
	ExpectReadableLegacy = "readable_legacy" // a registration number instead of a code
	ExpectNotALicense    = "not_a_licence"   // spelled as in the tables
	ExpectCodeInvalid    = "code_invalid"    // the printed code breaks its own check
	ExpectUnreadable     = "unreadable"      // neither code nor name can be read
)

// allFields marks rows whose every field was read from the picture; of others
// only code and name count.
const allFields = "all fields read from the picture"

// Picture is one row of a truth table.
type Picture struct {
	File     string // as in the table
	Path     string
	Group    string
	Expected string
	CodeKind string // USCC18, REG15, REG13, …
	Code     string
	Legible  string // A at once, B with care, C hardly; empty: not judged
	Rotation string // degrees clockwise to upright; empty: not known
	// Fields are the printed values, "?" for a character no person could read.
	Fields map[report.FieldName]string
}

// truthColumns are the columns of the fields, by name.
var truthColumns = map[string]report.FieldName{
	"name": report.FieldCompanyName, "legal_rep": report.FieldLegalRepresentative, "type": report.FieldType,
	"reg_capital": report.FieldRegisteredCapital, "established": report.FieldEstablished, "term": report.FieldTerm,
	"address": report.FieldAddress,
}

// ReadTruth reads a tab-separated truth table; files are relative to folder.
func ReadTruth(r io.Reader, folder string) ([]Picture, error) {
	table := csv.NewReader(r)
	table.Comma, table.LazyQuotes, table.FieldsPerRecord = '\t', true, -1
	header, err := table.Read()
	if err != nil {
		return nil, fmt.Errorf("truth: header: %w", err)
	}
	for _, column := range []string{"file", "group", "outcome_expected", "code_kind", "code", "name"} {
		if !slices.Contains(header, column) {
			return nil, fmt.Errorf("truth: column %q is missing", column)
		}
	}
	var pictures []Picture
	for {
		row, err := table.Read()
		if errors.Is(err, io.EOF) {
			return pictures, nil
		}
		if err != nil {
			return nil, fmt.Errorf("truth: %w", err)
		}
		cell := map[string]string{}
		for i, column := range header[:min(len(header), len(row))] {
			cell[column] = strings.TrimSpace(row[i])
		}
		if cell["file"] == "" {
			line, _ := table.FieldPos(0)
			return nil, fmt.Errorf("truth: line %d: file is empty", line)
		}
		p := Picture{
			File: cell["file"], Path: filepath.Join(folder, filepath.FromSlash(cell["file"])),
			Group: cell["group"], Expected: cell["outcome_expected"], CodeKind: cell["code_kind"], Code: cell["code"],
			Legible: cell["code_legible"], Rotation: cell["rotate_cw_to_upright"], Fields: map[report.FieldName]string{},
		}
		for column, field := range truthColumns {
			value, ok := printed(cell[column])
			if ok && (field == report.FieldCompanyName || cell["field_truth"] == allFields) {
				p.Fields[field] = value
			}
		}
		// "type; formation": an individual household prints both, or the latter alone.
		if typ, formation, both := strings.Cut(p.Fields[report.FieldType], ";"); both {
			p.Fields[report.FieldType], p.Fields[report.FieldFormation] = typ, strings.TrimSpace(formation)
		} else if typ == "个人经营" || typ == "家庭经营" {
			delete(p.Fields, report.FieldType)
			p.Fields[report.FieldFormation] = typ
		}
		switch {
		case strings.HasPrefix(p.CodeKind, "USCC"):
			p.Fields[report.FieldUSCC] = p.Code
		case strings.HasPrefix(p.CodeKind, "REG"):
			p.Fields[report.FieldRegistrationNumber] = p.Code
		}
		pictures = append(pictures, p)
	}
}
