package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/disintegration/imaging"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/synth"
)

// Sample is one synthetic picture with what was made of it.
type Sample struct {
	synth.Picture
	Name   string // part/file, of an enlarged or reduced copy part/file@2x
	Path   string
	Of     string  // the Name of the picture as it was drawn
	Factor float64 // size relative to it; 1: it is the picture as drawn
	Report report.Report
}

// Part is a folder of the synthetic set.
type Part struct {
	Name    string
	Options synth.Options
	Factors []float64 `json:",omitempty"` // other sizes in which each license is kept too
}

const (
	// leastEmPx is the height of a character from which a copy of a photo must
	// give the photo's verdict: below it less can be read than in the photo.
	leastEmPx = 14
	// mostPixels of a copy: policies refuse larger files.
	mostPixels = 50e6
	// copyQuality is the JPEG quality of copies of other size.
	copyQuality = 92
)

// QualityParts is the synthetic set on which the judgment of pictures is measured:
// every defect at every level, sheets on all backgrounds, copies, displays, and
// photos to be kept in several sizes. The small set is for every change. A seed other
// than 0 draws another set of the same kind, on which nothing was tuned.
func QualityParts(small bool, seed uint64) []Part {
	copies, screens := []synth.DefectKind{synth.GrayCopy, synth.StampedCopy}, []synth.DefectKind{synth.ScreenGrid}
	parts := []Part{
		{"mixed", synth.Options{Seed: 41, Count: 220, Licenses: 110, Clean: 0.12, Mixed: 0.2, Negatives: 0.06, LongSide: 1800}, nil},
		{"pages", synth.Options{Seed: 42, Count: 80, Clean: 1, LongSide: 1600}, nil},
		{"copies", synth.Options{Seed: 43, Count: 40, Defects: copies, Levels: []int{4, 5, 6}, LongSide: 1600}, nil},
		{"screens", synth.Options{Seed: 44, Count: 40, Defects: screens, Levels: []int{3, 4, 5, 6}, LongSide: 1800}, nil},
		{"sizes", synth.Options{Seed: 45, Count: 16, Clean: 0.3, Mixed: 0.2, LongSide: 2600}, []float64{0.5, 0.75, 1.5, 2, 3}},
	}
	for i := range parts {
		parts[i].Options.Seed += seed
	}
	if small {
		for i, count := range []int{80, 24, 16, 16, 4} {
			parts[i].Options.Count = count
			parts[i].Options.LongSide = min(parts[i].Options.LongSide, 1800)
		}
	}
	return parts
}

// drawnFile says which part a folder holds; it is written last.
const drawnFile = "drawn.json"

// Draw draws the part into its folder below dir, unless it is there already:
// drawn by this generator with these options.
func (p Part) Draw(ctx context.Context, dir string) error {
	version, err := synth.Version()
	if err != nil {
		return err
	}
	mark, err := json.Marshal(map[string]any{"generator": version, "part": p})
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, p.Name)
	if old, err := os.ReadFile(filepath.Join(folder, drawnFile)); err == nil && bytes.Equal(old, mark) {
		return nil
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := synth.Write(ctx, folder, p.Options); err != nil {
		return err
	}
	samples, err := p.Samples(dir)
	if err != nil {
		return err
	}
	for _, s := range samples {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.resize(filepath.Join(dir, filepath.FromSlash(s.Of))); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, drawnFile), mark, 0o644)
}

// resize writes a copy of another size.
func (s Sample) resize(original string) error {
	if s.Factor == 1 {
		return nil
	}
	picture, err := imaging.Open(original, imaging.AutoOrientation(true))
	if err != nil {
		return fmt.Errorf("%s: %w", s.Of, err)
	}
	width := int(math.Round(s.Factor * float64(picture.Bounds().Dx())))
	return imaging.Save(imaging.Resize(picture, width, 0, imaging.CatmullRom), s.Path, imaging.JPEGQuality(copyQuality))
}

// Samples are the pictures of a part that was drawn, without reports. A license is
// there in another size where its characters keep leastEmPx and policies take the
// file.
func (p Part) Samples(dir string) ([]Sample, error) {
	file, err := os.Open(filepath.Join(dir, p.Name, "truth.jsonl"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	pictures, err := synth.ReadTruth(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	var samples []Sample
	for _, picture := range pictures {
		name := p.Name + "/" + picture.File
		samples = append(samples, Sample{Picture: picture, Name: name, Path: filepath.Join(dir, p.Name, picture.File), Of: name, Factor: 1})
		for _, k := range p.Factors {
			shot := picture.Shot
			if k < 1 && k*shot.EmPx < leastEmPx || k*k*float64(shot.Width*shot.Height) > mostPixels || picture.License == nil {
				continue
			}
			size := fmt.Sprintf("%s@%gx.jpg", strings.TrimSuffix(picture.File, ".jpg"), k)
			samples = append(samples, Sample{Picture: picture, Name: p.Name + "/" + size, Path: filepath.Join(dir, p.Name, size), Of: name, Factor: k})
		}
	}
	return samples, nil
}
