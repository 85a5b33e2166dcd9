package synth

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/heyan/heyan/pipeline/report"
)

// Expected outcomes, in the words of the truth table.
const (
	readable       = "readable"
	readableHard   = "readable_hard"
	readableLegacy = "readable_legacy"
	unreadable     = "unreadable"
	codeUnreadable = "code_unreadable"
	codeInvalid    = "code_invalid"
	notALicense    = "not_a_licence"
	specimenOnly   = "specimen"
	codeMaskedOnly = "code_masked"
)

// Legibility by defect: up to good a reader gets code and name, from bad on none
// does; between, either is right. Gaussian and motion blur, em and noise after
// measurements of PP-OCRv4 on single lines, with whole pages in mind for noise; the
// others by eye.
var legibility = map[DefectKind]struct{ good, bad float64 }{
	Defocus:     {0.07, 0.16},
	LocalBlur:   {0.07, 0.9}, // the sharp side stays
	Motion:      {0.2, 0.8},
	SensorNoise: {18, 90},
	LowContrast: {0.6, 0.97},
	Oblique:     {30, 70},
	Shadow:      {0.75, 0.97},
	ScreenGrid:  {0.3, 2}, // moiré hides little
}

const (
	goodEmPx, badEmPx      = 12, 6
	goodExposure, badStops = 1.5, 5
	goodRecompression      = 30 // JPEG quality
	goodCutOff, badCutOff  = 0.03, 0.75
	hardHit, lostHit       = 0.0, 0.08 // share of a field's box
)

// outcome is what a reader should make of the picture.
func (p Picture) outcome() string {
	if p.Subject != SubjectLicense {
		return notALicense
	}
	worst := 0 // 1 hard, 2 unreadable
	judge := func(good, bad bool) {
		if bad {
			worst = 2
		} else if !good {
			worst = max(worst, 1)
		}
	}
	em := p.Shot.EmPx
	codeHidden, codeMasked, specimen := false, false, false
	for _, d := range p.Camera.Defects {
		code, name := d.Hits[report.FieldUSCC]+d.Hits[report.FieldRegistrationNumber], d.Hits[report.FieldCompanyName]
		switch d.Kind {
		case Upscaled:
			em = min(em, d.Strength)
		case Exposure:
			judge(math.Abs(d.Strength) <= goodExposure, math.Abs(d.Strength) >= badStops)
		case Recompression:
			judge(d.Strength >= goodRecompression, false)
		case Glare, Covered:
			codeHidden = codeHidden || code > lostHit
			judge(code <= hardHit && name <= hardHit, false)
		case CutOff:
			codeHidden = codeHidden || code > lostHit
			judge(d.Strength <= goodCutOff && name == 0, d.Strength >= badCutOff)
		case Masked:
			codeMasked = codeMasked || code > 0
			judge(name == 0, false)
		case Specimen:
			specimen = true
		default:
			if limit, ok := legibility[d.Kind]; ok {
				judge(d.Strength <= limit.good, d.Strength >= limit.bad)
			}
		}
	}
	judge(em >= goodEmPx, em < badEmPx)
	switch {
	case worst == 2:
		return unreadable
	case specimen:
		return specimenOnly
	case codeMasked:
		return codeMaskedOnly
	case codeHidden:
		return codeUnreadable
	case p.WrongCheck:
		return codeInvalid
	case worst == 1:
		return readableHard
	case p.License != nil && p.License.RegistrationNumber != "":
		return readableLegacy
	}
	return readable
}

// truthColumns are those of the evaluation set, so that one program evaluates
// both.
var truthColumns = []string{"file", "group", "outcome_expected", "code_kind", "code", "name", "legal_rep", "type", "reg_capital",
	"established", "term", "address", "code_legible", "code_height_px", "rotate_cw_to_upright", "exif_orientation", "medium", "edition",
	"remarks", "field_truth", "sha256"}

var editionNames = map[report.Edition]string{
	report.Edition2019Landscape: "2019 landscape (国家市场监管总局监制)",
	report.Edition2014Portrait:  "2014-19 portrait (国家工商总局监制)",
	report.EditionPre2014:       "pre-2014 landscape",
	report.EditionElectronic:    "electronic licence, landscape",
}

// row is the picture's line in the truth table.
func (p Picture) row() []string {
	c := p.Camera
	turn, orientation := strconv.Itoa((360-c.TurnCW)%360), ""
	if c.Orientation != 0 {
		orientation = strconv.Itoa(c.Orientation)
	}
	medium := "photo"
	if c.Scene.Surface == SurfaceScan {
		medium = "scan"
	}
	remarks := "synthetic"
	for _, d := range c.Defects {
		remarks += fmt.Sprintf("; %s %.3g", d.Kind, d.Strength)
	}
	if p.Subject != SubjectLicense {
		what := p.Title
		if p.Subject == SubjectNothing {
			what = string(c.Scene.Surface)
		}
		return []string{p.File, "negatives", p.outcome(), "", "", "", "", "", "", "", "", "", "", "", turn, orientation,
			medium + ": " + what, "", remarks, "", p.SHA256}
	}
	l := p.License
	edition := editionNames[l.Edition]
	edition += map[report.Copy]string{report.CopyDuplicate: " 副本", report.CopyOriginal: " 正本"}[l.Copy]
	outcome := p.outcome()
	legible := map[string]string{readable: "A", readableLegacy: "A", codeInvalid: "A", readableHard: "B"}[outcome]
	if legible == "" {
		legible = "C"
	}
	kind := "USCC18"
	field, code := l.Code()
	if field == report.FieldRegistrationNumber {
		kind = "REG15"
	}
	return []string{p.File, "licences", outcome, kind, code, l.Name, l.Person, l.Type, l.Capital, l.Established, l.Term, l.Address,
		legible, strconv.Itoa(int(math.Round(p.Shot.CodeEmPx))), turn, orientation, medium, edition, remarks, "all fields read from the picture", p.SHA256}
}

// writeTruth writes the truth table and the whole truth, a picture a line.
func writeTruth(dir string, pictures []Picture) error {
	var table, lines bytes.Buffer
	if err := truthTable(&table, pictures); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "truth.tsv"), table.Bytes(), 0o644); err != nil {
		return err
	}
	enc := json.NewEncoder(&lines)
	for _, p := range pictures {
		if err := enc.Encode(p); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "truth.jsonl"), lines.Bytes(), 0o644)
}

// ReadTruth reads a truth.jsonl.
func ReadTruth(r io.Reader) ([]Picture, error) {
	var pictures []Picture
	for dec := json.NewDecoder(r); ; {
		var p Picture
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return pictures, nil
		case err != nil:
			return nil, fmt.Errorf("picture %d: %w", len(pictures)+1, err)
		}
		pictures = append(pictures, p)
	}
}

func truthTable(w io.Writer, pictures []Picture) error {
	t := csv.NewWriter(w)
	t.Comma = '\t'
	if err := t.Write(truthColumns); err != nil {
		return err
	}
	for _, p := range pictures {
		if err := t.Write(p.row()); err != nil {
			return err
		}
	}
	t.Flush()
	return t.Error()
}

func writeJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
