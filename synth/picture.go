package synth

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"

	"github.com/disintegration/imaging"
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
	c.Defects = append([]Defect{}, c.Defects...) // [] in the truth, never null
	for i, d := range c.Defects {
		if b, ok := lay.Fields[d.Field]; ok {
			c.Defects[i].At = [2]float64{(b[0] + b[2]) / 2 / lay.WidthMM, (b[1] + b[3]) / 2 / lay.HeightMM}
		}
	}
	return c
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
