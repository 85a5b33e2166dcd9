package synth

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"github.com/disintegration/imaging"

	"github.com/heyan/heyan/pipeline/report"
)

// Subject is what stands before the camera.
type Subject string

// The subjects.
const (
	SubjectLicense Subject = "license"
	SubjectPermit  Subject = "permit"  // another certificate
	SubjectNothing Subject = "nothing" // the scene alone
)

// Picture is one test picture with its whole truth.
type Picture struct {
	File    string   `json:"file"`
	Subject Subject  `json:"subject"`
	License *License `json:"license,omitempty"`
	Camera  Camera   `json:"camera"`
	Shot    Shot     `json:"shot"`
	SHA256  string   `json:"sha256"`
	// WrongCheck says that the printed code fails its own check.
	WrongCheck bool `json:"wrong_check,omitempty"`
}

// take prints, shoots and encodes a picture, fills in its Shot and SHA256, and
// gives the file's bytes.
func (f *Fonts) take(p *Picture, rng *rand.Rand) ([]byte, error) {
	var face *image.NRGBA
	var err error
	lay := Layout{WidthMM: longSideMM, HeightMM: shortSideMM}
	switch p.Subject {
	case SubjectLicense:
		face, lay, err = f.Face(*p.License, p.Camera.FaceWidth(p.License.Sheet()))
	case SubjectPermit:
		face, lay, err = f.Permit(rng, p.Camera.FaceWidth(lay))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.File, err)
	}
	img, shot := Shoot(face, lay, p.Camera, rng)
	if face == nil {
		f.markScene(img)
	}
	p.Shot = shot
	data, err := encode(img, p.Camera)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.File, err)
	}
	sum := sha256.Sum256(data)
	p.SHA256 = hex.EncodeToString(sum[:])
	return data, nil
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
	if d, ok := c.defect(Recompression); ok {
		if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: int(d.Strength)}); err != nil {
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

func appendSegment(out []byte, marker byte, payload []byte) []byte {
	out = append(out, 0xFF, marker)
	out = binary.BigEndian.AppendUint16(out, uint16(len(payload)+2))
	return append(out, payload...)
}

// Expected outcomes, in the words of the truth table.
const (
	readable       = "readable"
	readableHard   = "readable_hard"
	unreadable     = "unreadable"
	codeUnreadable = "code_unreadable"
	codeInvalid    = "code_invalid"
	notALicense    = "not_a_licence"
)

// Legibility by defect: up to good a reader gets code and name, from bad on none
// does; between, either is right. Gaussian and motion blur, em and noise after
// measurements of PP-OCRv4 on single lines, with whole pages in mind for noise; the
// others by eye.
var legibility = map[DefectKind]struct{ good, bad float64 }{
	Defocus:     {0.07, 0.16},
	Motion:      {0.2, 0.8},
	SensorNoise: {18, 90},
	Shadow:      {0.75, 0.97},
	CutOff:      {0.03, 0.75},
	ScreenGrid:  {0.3, 0.95},
}

const (
	goodEmPx, badEmPx       = 12, 6
	goodExposure, badStops  = 1.5, 5
	goodRecompression       = 30 // JPEG quality
	glareReach, fingerReach = 1.5, 1.3
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
	codeHidden := false
	for _, d := range p.Camera.Defects {
		switch d.Kind {
		case Upscaled:
			em = min(em, d.Strength)
		case Exposure:
			judge(math.Abs(d.Strength) <= goodExposure, math.Abs(d.Strength) >= badStops)
		case Recompression:
			judge(d.Strength >= goodRecompression, false)
		case Glare:
			hit := p.hits(d, glareReach)
			codeHidden = codeHidden || hit[report.FieldUSCC]
			judge(!hit[report.FieldCompanyName], false)
		case Covered:
			hit := p.hits(d, fingerReach)
			judge(!hit[report.FieldUSCC] && !hit[report.FieldCompanyName], false)
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
	case codeHidden:
		return codeUnreadable
	case p.WrongCheck:
		return codeInvalid
	case worst == 1:
		return readableHard
	}
	return readable
}

// hits says which fields a defect with a place and a radius may touch.
func (p Picture) hits(d Defect, reach float64) map[report.FieldName]bool {
	q := p.Shot.Quad
	at := func(u, v float64) point {
		h := fit([4]point{{0, 0}, {1, 0}, {1, 1}, {0, 1}}, [4]point{{q[0][0], q[0][1]}, {q[1][0], q[1][1]}, {q[2][0], q[2][1]}, {q[3][0], q[3][1]}})
		return h.apply(point{u, v})
	}
	center := at(d.At[0], d.At[1])
	radius := reach * d.Strength * math.Hypot(q[1][0]-q[0][0], q[1][1]-q[0][1])
	hit := map[report.FieldName]bool{}
	for name, polygon := range p.Shot.Fields {
		b := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
		for _, c := range polygon {
			b = b.union(box{c[0], c[1], c[0], c[1]})
		}
		hit[name] = outside(b, center.x, center.y) < radius
	}
	return hit
}

// truthColumns are those of the evaluation set, so that one program evaluates
// both.
var truthColumns = []string{"file", "group", "outcome_expected", "code_kind", "code", "name", "legal_rep", "type", "reg_capital",
	"established", "term", "address", "code_legible", "code_height_px", "rotate_cw_to_upright", "exif_orientation", "medium", "edition",
	"remarks", "field_truth", "sha256"}

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
		what := map[Subject]string{SubjectPermit: PermitTitle, SubjectNothing: string(c.Scene.Surface)}[p.Subject]
		return []string{p.File, "negatives", p.outcome(), "", "", "", "", "", "", "", "", "", "", "", turn, orientation,
			medium + ": " + what, "", remarks, "", p.SHA256}
	}
	l := p.License
	edition := "2019 landscape (国家市场监管总局监制)"
	if l.Edition == report.Edition2014Portrait {
		edition = "2014-19 portrait (国家工商总局监制)"
	}
	edition += map[report.Copy]string{report.CopyDuplicate: " 副本", report.CopyOriginal: " 正本"}[l.Copy]
	outcome := p.outcome()
	legible := map[string]string{readable: "A", codeInvalid: "A", readableHard: "B"}[outcome]
	if legible == "" {
		legible = "C"
	}
	return []string{p.File, "licences", outcome, "USCC18", l.USCC, l.Name, l.Person, l.Type, l.Capital, l.Established, l.Term, l.Address,
		legible, strconv.Itoa(int(math.Round(p.Shot.CodeEmPx))), turn, orientation, medium, edition, remarks, "all fields read from the picture", p.SHA256}
}

// writeTruth writes the truth table and, with places, camera and defects, the
// same as JSON.
func writeTruth(dir string, pictures []Picture) error {
	var table bytes.Buffer
	if err := truthTable(&table, pictures); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "truth.tsv"), table.Bytes(), 0o644); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, "truth.json"), pictures)
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
