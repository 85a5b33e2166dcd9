package synth

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/disintegration/imaging"

	"github.com/heyan/heyan/pipeline/report"
)

// Subject is what stands before the camera.
type Subject string

// The subjects.
const (
	SubjectLicense     Subject = "license"
	SubjectPermit      Subject = "permit" // another certificate: for food
	SubjectMedical     Subject = "medical_permit"
	SubjectAccount     Subject = "account_permit"
	SubjectInstitution Subject = "institution"
	SubjectReceipt     Subject = "receipt"
	SubjectCard        Subject = "card"
	SubjectDocument    Subject = "document" // a page of text
	SubjectNothing     Subject = "nothing"  // the scene alone
)

// Certificates print an organization's code as a license does; Others do not.
var (
	Certificates = []Subject{SubjectPermit, SubjectMedical, SubjectAccount, SubjectInstitution}
	Others       = []Subject{SubjectReceipt, SubjectCard, SubjectDocument, SubjectNothing}
)

// Picture is one test picture with its whole truth: a line of truth.jsonl.
type Picture struct {
	File    string  `json:"file"`
	Subject Subject `json:"subject"`
	// LicenseID and BackgroundID are for splits: what is fitted on one license or
	// background is not tested on it.
	LicenseID    string   `json:"license_id,omitempty"`
	BackgroundID string   `json:"background_id,omitempty"`
	License      *License `json:"license,omitempty"` // as shown: with what an edit changed
	Second       *License `json:"second,omitempty"`  // another license in the same picture
	Title        string   `json:"title,omitempty"`   // of a certificate that is no license
	Camera       Camera   `json:"camera"`
	Shot         Shot     `json:"shot"`
	SHA256       string   `json:"sha256"`
	// WrongCheck says that the shown code fails its own check.
	WrongCheck bool `json:"wrong_check,omitempty"`
	// Expected is what a reader should make of it, in the words of truth.tsv.
	Expected string `json:"expected,omitempty"`
	// UprightCW is the clockwise turn in degrees after EXIF turning that makes the
	// sheet upright.
	UprightCW int `json:"upright_cw"`
}

// take prints, shoots and encodes a picture, fills in all that this decides,
// and gives the file's bytes.
func (f *Fonts) take(p *Picture, rng *rand.Rand) ([]byte, error) {
	sheet, err := f.sheet(p, rng)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.File, err)
	}
	p.Camera = p.Camera.aim(sheet.Layout)
	if sheet.Face != nil && p.License != nil {
		sheet.Face = f.overprint(sheet.Face, sheet.Layout, *p.License, p.Camera, rng)
	}
	img, shot := Shoot(sheet, p.Camera, rng)
	p.Shot = shot
	f.retouch(img, p, rng)
	if sheet.Face == nil {
		f.markScene(img)
	}
	if d, ok := p.Camera.defect(Screenshot); ok {
		img = f.screenshot(img, &p.Shot, d.Strength, rng)
	}
	p.Shot.settle(p.Camera.Defects)
	p.UprightCW, p.Expected = (360-p.Camera.TurnCW)%360, p.outcome()
	data, err := encode(img, p.Camera)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.File, err)
	}
	sum := sha256.Sum256(data)
	p.SHA256 = hex.EncodeToString(sum[:])
	return data, nil
}

// sheet prints what stands before the camera.
func (f *Fonts) sheet(p *Picture, rng *rand.Rand) (sheet Sheet, err error) {
	sheet.Layout = Layout{WidthMM: longSideMM, HeightMM: shortSideMM}
	switch p.Subject {
	case SubjectNothing:
		return sheet, nil
	case SubjectLicense:
		width := p.Camera.FaceWidth(p.License.Sheet())
		if p.Second != nil {
			if sheet.Second, _, err = f.Face(*p.Second, width); err != nil {
				return sheet, err
			}
		}
		sheet.Face, sheet.Layout, err = f.Face(*p.License, width)
		return sheet, err
	}
	sheet.Layout = p.Subject.layout()
	sheet.Face, sheet.Layout, p.Title, err = f.certificate(p.Subject, rng, p.Camera.FaceWidth(sheet.Layout))
	return sheet, err
}

// aim puts the defects that are aimed at a field on its middle.
func (c Camera) aim(lay Layout) Camera {
	c.Defects = slices.Clone(c.Defects)
	for i, d := range c.Defects {
		if b, ok := lay.Fields[d.Field]; ok {
			c.Defects[i].At = [2]float64{(b[0] + b[2]) / 2 / lay.WidthMM, (b[1] + b[3]) / 2 / lay.HeightMM}
		}
	}
	return c
}

// settle writes the places of the defects, and what they hit, into them.
func (s Shot) settle(defects []Defect) {
	for i, d := range defects {
		inside := within(s.areas[d.Kind])
		if d.Kind == CutOff {
			inside = func(p point) bool { return p.x < 0 || p.y < 0 || p.x > float64(s.Width) || p.y > float64(s.Height) }
		}
		defects[i].Polygon, defects[i].Hits = s.areas[d.Kind], touched(s.Fields, inside)
	}
}

// markScene puts the test mark into the lower left corner of a picture without
// a sheet.
func (f *Fonts) markScene(img *image.NRGBA) {
	c := &canvas{img: img, scale: 1}
	em := float64(img.Rect.Dy()) / 70
	s := newShape()
	x := em
	for _, r := range testMark {
		g := f.sans.glyph(r)
		c.character(s, g, em, point{x, float64(img.Rect.Dy()) - em}, 0, 1)
		x += g.advance * em
	}
	c.paint(s, white)
}

// encode writes a JPEG with a comment that says what it is, and the EXIF
// orientation where the camera has one.
func encode(img *image.NRGBA, c Camera) ([]byte, error) {
	// The pixels are stored turned the other way.
	switch c.Orientation {
	case 3:
		img = imaging.Rotate180(img)
	case 6:
		img = imaging.Rotate90(img)
	case 8:
		img = imaging.Rotate270(img)
	}
	var buf bytes.Buffer
	if first := c.firstQuality(); first > 0 {
		if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: first}); err != nil {
			return nil, err
		}
		again, err := jpeg.Decode(&buf)
		if err != nil {
			return nil, err
		}
		draw.Draw(img, img.Rect, again, image.Point{}, draw.Src)
		buf.Reset()
	}
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: c.Quality}); err != nil {
		return nil, err
	}
	plain := buf.Bytes()
	out := append([]byte{}, plain[:2]...) // SOI
	if c.Orientation != 0 {
		exif := []byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00")
		exif = append(exif, byte(c.Orientation), 0, 0, 0, 0, 0, 0)
		out = appendSegment(out, 0xE1, exif)
	}
	out = appendSegment(out, 0xFE, []byte("test picture made by heyan synth"))
	return append(out, plain[2:]...), nil
}

// messengerQuality is the JPEG quality that messengers send pictures with.
const messengerQuality = 70

// firstQuality is the quality of a compression before the last; 0: there was
// none.
func (c Camera) firstQuality() int {
	if d, ok := c.defect(Recompression); ok {
		return int(d.Strength)
	}
	if c.has(Messenger) {
		return messengerQuality
	}
	return 0
}

func appendSegment(out []byte, marker byte, payload []byte) []byte {
	out = append(out, 0xFF, marker)
	out = binary.BigEndian.AppendUint16(out, uint16(len(payload)+2))
	return append(out, payload...)
}

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
