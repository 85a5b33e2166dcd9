package synth

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/disintegration/imaging"

	"github.com/heyan/heyan/pipeline/report"
)

// Each kind comes once at each level before any comes again.
func TestPlanTakesTurns(t *testing.T) {
	o, err := Options{Licenses: 5}.normal()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[DefectKind]map[int]bool{}
	for i := range len(DefectKinds) * Levels {
		p := o.plan(newRand(1, uint64(i)), i)
		if len(p.Camera.Defects) != 1 {
			t.Fatalf("picture %d has %d defects, want 1", i, len(p.Camera.Defects))
		}
		d := p.Camera.Defects[0]
		if seen[d.Kind] == nil {
			seen[d.Kind] = map[int]bool{}
		}
		seen[d.Kind][d.Level] = true
		if d.Field == report.FieldUSCC && p.License.USCC == "" {
			t.Errorf("picture %d: %s is aimed at a code that is not printed", i, d.Kind)
		}
	}
	for _, kind := range DefectKinds {
		if len(seen[kind]) != Levels {
			t.Errorf("%s: levels %v, want all", kind, seen[kind])
		}
	}
}

func TestPlanKeepsItsShares(t *testing.T) {
	const n = 3000
	o, err := Options{Seed: 3, Licenses: 20, Clean: 0.2, Mixed: 0.25, Negatives: 0.1}.normal()
	if err != nil {
		t.Fatal(err)
	}
	licenses, backgrounds := map[string]License{}, map[string]bool{}
	var clean, mixed, negative float64
	for i := range n {
		p := o.plan(newRand(3, uint64(i)), i)
		backgrounds[p.BackgroundID] = true
		if p.Subject != SubjectLicense {
			negative++
			continue
		}
		if was, ok := licenses[p.LicenseID]; ok && !reflect.DeepEqual(was, *p.License) {
			t.Fatalf("%s is %+v and %+v", p.LicenseID, was, *p.License)
		}
		licenses[p.LicenseID] = *p.License
		switch len(p.Camera.Defects) {
		case 0:
			clean++
		case 1:
		default:
			mixed++
		}
	}
	for name, share := range map[string][2]float64{"clean": {clean / (n - negative), o.Clean}, "mixed": {mixed / (n - negative), o.Mixed}, "negative": {negative / n, o.Negatives}} {
		if math.Abs(share[0]-share[1]) > 0.03 {
			t.Errorf("%s: share %.3f, want %.2f", name, share[0], share[1])
		}
	}
	if len(licenses) != o.Licenses || len(backgrounds) < 12 {
		t.Errorf("%d licenses on %d backgrounds", len(licenses), len(backgrounds))
	}
}

func TestTruthComesBack(t *testing.T) {
	dir := t.TempDir()
	if err := Write(t.Context(), dir, Options{Seed: 5, Count: 4, Licenses: 2, Clean: 0.4, Mixed: 0.6, LongSide: 500, Defects: []DefectKind{Glare, Covered}}); err != nil {
		t.Fatal(err)
	}
	data := readFile(t, filepath.Join(dir, "truth.jsonl"))
	pictures, err := ReadTruth(bytes.NewReader(data))
	if err != nil || len(pictures) != 4 {
		t.Fatalf("%d pictures, %v", len(pictures), err)
	}
	for _, p := range pictures {
		img, err := imaging.Decode(bytes.NewReader(readFile(t, filepath.Join(dir, p.File))), imaging.AutoOrientation(true))
		if err != nil {
			t.Fatal(err)
		}
		if size := img.Bounds().Size(); size.X != p.Shot.Width || size.Y != p.Shot.Height {
			t.Errorf("%s: %v, truth says %d x %d", p.File, size, p.Shot.Width, p.Shot.Height)
		}
		if p.Expected == "" || p.LicenseID == "" || p.BackgroundID == "" || len(p.Camera.Defects) == 1 || p.UprightCW != (360-p.Camera.TurnCW)%360 {
			t.Errorf("%s: %+v", p.File, p)
		}
	}
	if bytes.Contains(data, []byte("null")) {
		t.Error("the truth says null")
	}
	if _, err := ReadTruth(bytes.NewReader(data[:len(data)/2])); err == nil {
		t.Error("half a truth was read without an error")
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]Options{
		"kind":  {Defects: []DefectKind{"sunburn"}},
		"level": {Levels: []int{7}},
		"share": {Clean: 1.5},
	} {
		var bad *OptionError
		if err := Write(t.Context(), t.TempDir(), o); !errors.As(err, &bad) {
			t.Errorf("%s: got %v, want an OptionError", name, err)
		}
	}
}

func TestNegatives(t *testing.T) {
	for _, s := range append(append([]Subject{}, Certificates...), Others...) {
		p := Picture{File: "x.jpg", Subject: s, Camera: Camera{Width: 300, Height: 220, Fill: 0.9, Scene: Scene{Surface: SurfacePapers}, Quality: 80}}
		if _, err := testFonts(t).take(&p, newRand(1, 1)); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		if p.Expected != notALicense || (p.Title == "") != (s == SubjectNothing) || (len(p.Shot.Quad) == 4) == (s == SubjectNothing) {
			t.Errorf("%s: expected %s, title %q, quad %v", s, p.Expected, p.Title, p.Shot.Quad)
		}
	}
}
