package synth

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/heyan/heyan/pipeline/report"
)

// Sample is one demonstration: a picture, what the applicant declares with it,
// and what must come out. Reasons are codes that must be among the report's.
type Sample struct {
	File     string          `json:"file"`
	Declared report.Declared `json:"declared"`
	Outcome  report.Outcome  `json:"outcome"`
	Reasons  []string        `json:"reasons"`
}

// sampleIDNumber is the example of GB 11643-1999, annex A.
const sampleIDNumber = "11010519491231002X"

// sampleSpec is how a sample is made. Change turns the license, or what is
// declared, from a matching pair into what the sample is to show.
type sampleSpec struct {
	name    string
	edition report.Edition
	entity  Entity
	subject Subject
	camera  Camera
	change  func(p *Picture, d *report.Declared)
	outcome report.Outcome
	reasons []string
}

// photo is a camera for a sample: a sheet filling most of the frame of 1600 px.
func photo(portrait bool, scene Scene, change func(*Camera)) Camera {
	c := Camera{Width: 1600, Height: 1160, Fill: 0.93, Roll: 0.8, Tilt: 3, Pan: -2, Warmth: 0.15, Light: 0.25, Scene: scene, Quality: 82}
	if portrait {
		c.Width, c.Height = 1200, 1600
	}
	if change != nil {
		change(&c)
	}
	return c
}

const (
	landscape = report.Edition2019Landscape
	portrait  = report.Edition2014Portrait
)

var sampleSpecs = []sampleSpec{
	{name: "clean_pass", edition: landscape, entity: Company, outcome: report.OutcomePass,
		camera: photo(false, Scene{Surface: SurfaceMat, Cover: CoverFolder}, nil)},
	{name: "clean_portrait", edition: portrait, entity: Company, outcome: report.OutcomePass,
		camera: photo(true, Scene{Surface: SurfaceWood, Cover: CoverFolder}, func(c *Camera) {
			c.Roll, c.Defects = -0.7, []Defect{{Kind: Creases, Strength: 0.1}}
		})},
	{name: "individual", edition: landscape, entity: Individual, outcome: report.OutcomePass,
		camera: photo(false, Scene{Surface: SurfaceWall, Cover: CoverFrame}, func(c *Camera) { c.Fill, c.Tilt = 0.86, 5 })},
	{name: "branch", edition: landscape, entity: Branch, outcome: report.OutcomePass,
		camera: photo(false, Scene{Surface: SurfaceScan}, func(c *Camera) { c.Roll, c.Tilt, c.Pan, c.Fill = 0.3, 0, 0, 0.99 })},
	{name: "blurred", edition: landscape, entity: Company, outcome: report.OutcomeFail, reasons: []string{"image_blurry"},
		camera: photo(false, Scene{Surface: SurfaceStone}, func(c *Camera) { c.Defects = []Defect{{Kind: Defocus, Strength: 0.27}} })},
	{name: "name_mismatch", edition: landscape, entity: Company, outcome: report.OutcomeFail, reasons: []string{"name_mismatch"},
		camera: photo(false, Scene{Surface: SurfaceCloth}, func(c *Camera) { c.Roll = -1.5 }),
		change: func(_ *Picture, d *report.Declared) { d.Name = "望渊测试芃昱供应链管理有限公司" }},
	{name: "wrong_check_digit", edition: landscape, entity: Company, outcome: report.OutcomeFail, reasons: []string{"uscc_checksum_invalid"},
		camera: photo(false, Scene{Surface: SurfaceStone, Cover: CoverFolder}, nil),
		change: func(p *Picture, _ *report.Declared) {
			wrong := p.License.WithWrongCheck()
			p.License, p.WrongCheck = &wrong, true
		}},
	{name: "turned", edition: landscape, entity: Company, outcome: report.OutcomePass,
		camera: photo(false, Scene{Surface: SurfaceMat}, func(c *Camera) { c.TurnCW = 90 })},
	{name: "turned_exif", edition: portrait, entity: SoleProprietorship, outcome: report.OutcomePass,
		camera: photo(true, Scene{Surface: SurfaceWall}, func(c *Camera) { c.Orientation = 6 })},
	{name: "on_desk", edition: landscape, entity: Company, outcome: report.OutcomePass,
		camera: photo(false, Scene{Surface: SurfaceWood, Objects: true}, func(c *Camera) {
			c.Fill, c.Roll, c.Tilt, c.Pan, c.Warmth, c.Light = 0.86, 4, 19, -9, 0.45, 0.4
		})},
	{name: "held", edition: portrait, entity: Cooperative, outcome: report.OutcomePass,
		camera: photo(true, Scene{Surface: SurfaceRoom, Held: true}, func(c *Camera) {
			c.Fill, c.Roll, c.Tilt, c.Defects = 0.88, 3, 9, []Defect{{Kind: Shadow, Strength: 0.35, Angle: 35, At: [2]float64{0.6, 0.5}}}
		})},
	{name: "glare_on_code", edition: landscape, entity: Company, outcome: report.OutcomeFail, reasons: []string{"image_glare"},
		camera: photo(false, Scene{Surface: SurfaceMat, Cover: CoverFolder}, func(c *Camera) {
			c.Defects = []Defect{{Kind: Glare, Strength: 0.075, At: [2]float64{0.17, 0.3}}}
		})},
	{name: "low_resolution", edition: landscape, entity: Company, outcome: report.OutcomeFail, reasons: []string{"image_resolution_too_low"},
		camera: photo(false, Scene{Surface: SurfaceWood}, func(c *Camera) {
			c.Quality, c.Defects = 60, []Defect{{Kind: LowResolution, Strength: 4.4}}
		})},
	{name: "not_a_license", subject: SubjectPermit, entity: Company, outcome: report.OutcomeFail, reasons: []string{"document_other_certificate"},
		camera: photo(false, Scene{Surface: SurfaceStone}, nil)},
	{name: "scene", subject: SubjectNothing, entity: Company, outcome: report.OutcomeFail, reasons: []string{"document_not_a_license"},
		camera: photo(false, Scene{Surface: SurfaceWood, Objects: true}, func(c *Camera) { c.Fill, c.Tilt = 0.8, 14 })},
}

// WriteSamples makes the demonstration pictures with truth.tsv, truth.jsonl,
// declared.json (a list of Sample) and batch.csv (the same declarations as the
// lines of a batch) into a folder that it creates. A sample depends on the seed and
// its name alone.
func WriteSamples(ctx context.Context, dir string, seed uint64, fontFolders ...string) error {
	fonts, err := LoadFonts(fontFolders...)
	if err != nil {
		return err
	}
	pictures := make([]Picture, len(sampleSpecs))
	samples := make([]Sample, len(sampleSpecs))
	for i, spec := range sampleSpecs {
		name := fnv.New64a()
		name.Write([]byte(spec.name))
		rng := rand.New(rand.NewPCG(seed, name.Sum64()))
		pictures[i], samples[i] = spec.sample(rng)
		if err := fonts.write(ctx, dir, &pictures[i], rng); err != nil {
			return err
		}
	}
	if err := writeTruth(dir, pictures); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, "declared.json"), samples); err != nil {
		return err
	}
	return writeBatch(filepath.Join(dir, "batch.csv"), samples)
}

// writeBatch writes what operators hand in of many organizations.
func writeBatch(path string, samples []Sample) error {
	var text bytes.Buffer
	lines := csv.NewWriter(&text)
	rows := [][]string{{"custom_id", "organization_id", "name", "uscc", "legal_representative", "id_number", "picture"}}
	for i, s := range samples {
		d := s.Declared
		rows = append(rows, []string{fmt.Sprint(i + 1), d.OrganizationID, d.Name, d.USCC, d.LegalRepresentative, d.IDNumber, s.File})
	}
	if err := lines.WriteAll(rows); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}

// sample is the picture to take and what is declared with it. A picture without
// a license comes with the declaration of one.
func (s sampleSpec) sample(rng *rand.Rand) (Picture, Sample) {
	edition := s.edition
	if edition == "" {
		edition = landscape
	}
	l := Random(rng, edition, s.entity)
	l.Copy, l.CopyNumber, l.Sans = report.CopyDuplicate, "1-1", false
	p := Picture{File: s.name + ".jpg", Subject: s.subject, Camera: s.camera}
	if p.Subject == "" {
		p.Subject, p.License = SubjectLicense, &l
	}
	d := report.Declared{OrganizationID: "demo-" + s.name, Name: l.Name, USCC: l.USCC, LegalRepresentative: l.Person, IDNumber: sampleIDNumber}
	if s.change != nil {
		s.change(&p, &d)
	}
	return p, Sample{File: p.File, Declared: d, Outcome: s.outcome, Reasons: append([]string{}, s.reasons...)}
}
