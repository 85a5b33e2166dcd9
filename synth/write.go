package synth

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"github.com/heyan/heyan/pipeline/report"
)

// Options say which pictures Write makes.
type Options struct {
	Seed  uint64
	Count int
	// FontFolders are searched for the fonts; none: the system's folders.
	FontFolders []string
	// Licenses is how many different licenses occur; 0: another in each picture.
	Licenses int
	// Defects are the kinds that occur; none: all.
	Defects []DefectKind
	// Levels are the strengths that occur, 1..Levels; none: all.
	Levels []int
	// Clean and then Mixed are the shares of the licenses without and with several
	// defects, the others have one; Negatives is the share of pictures that are no
	// license.
	Clean, Mixed, Negatives float64
	// LongSide of every picture in px; 0: the mix of sizes.
	LongSide int
}

// OptionError says which option has a value that cannot be: a defect that is
// not among DefectKinds, a level out of 1..Levels, a share out of 0..1.
type OptionError struct{ Option, Value string }

func (e *OptionError) Error() string { return fmt.Sprintf("%s: no such value: %s", e.Option, e.Value) }

// normal fills in what was left open, and refuses what cannot be made.
func (o Options) normal() (Options, error) {
	if len(o.Defects) == 0 {
		o.Defects = DefectKinds
	}
	if len(o.Levels) == 0 {
		o.Levels = []int{1, 2, 3, 4, 5, 6}
	}
	for _, kind := range o.Defects {
		if _, ok := scales[kind]; !ok {
			return o, &OptionError{"defect", string(kind)}
		}
	}
	for _, level := range o.Levels {
		if level < 1 || level > Levels {
			return o, &OptionError{"level", strconv.Itoa(level)}
		}
	}
	for name, share := range map[string]float64{"clean": o.Clean, "mixed": o.Mixed, "negatives": o.Negatives} {
		if share < 0 || share > 1 {
			return o, &OptionError{name, strconv.FormatFloat(share, 'g', -1, 64)}
		}
	}
	return o, nil
}

// Write makes pictures for load and calibration, numbered from 00000, with
// truth.tsv and truth.jsonl, into a folder that it creates. Each picture depends
// on the options but Count, and its number. It stops between pictures when the
// context ends, and then writes no truth.
func Write(ctx context.Context, dir string, o Options) error {
	o, err := o.normal()
	if err != nil {
		return err
	}
	fonts, err := LoadFonts(o.FontFolders...)
	if err != nil {
		return err
	}
	pictures := make([]Picture, o.Count)
	for i := range pictures {
		rng := rand.New(rand.NewPCG(o.Seed, uint64(i)))
		pictures[i] = o.plan(rng, i)
		pictures[i].File = fmt.Sprintf("%05d.jpg", i)
		if err := fonts.write(ctx, dir, &pictures[i], rng); err != nil {
			return err
		}
	}
	return writeTruth(dir, pictures)
}

// write takes one picture into a folder.
func (f *Fonts) write(ctx context.Context, dir string, p *Picture, rng *rand.Rand) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data, err := f.take(p, rng)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, p.File), data, 0o644)
}

// plan is picture number i of the set. Kinds and levels take turns, so that
// each pair occurs as often as any other.
func (o Options) plan(rng *rand.Rand, i int) Picture {
	w, h := o.size(rng)
	if rng.Float64() < o.Negatives {
		return o.negative(rng, w, h)
	}
	n := i
	if o.Licenses > 0 {
		n = rng.IntN(o.Licenses)
	}
	p := o.license(n)
	legacy := p.License.RegistrationNumber != ""
	share := rng.Float64()
	if share >= o.Clean {
		first := RandomDefect(rng, o.Defects[i%len(o.Defects)], o.Levels[i/len(o.Defects)%len(o.Levels)])
		p.Camera.Defects = append(p.Camera.Defects, first)
		if share < o.Clean+o.Mixed {
			p.Camera.Defects = o.mix(rng, first)
		}
	}
	if legacy {
		for j, d := range p.Camera.Defects {
			if d.Field == report.FieldUSCC {
				p.Camera.Defects[j].Field = report.FieldRegistrationNumber
			}
		}
	}
	defects := p.Camera.Defects
	if sheet := p.License.Sheet(); sheet.HeightMM > sheet.WidthMM {
		w, h = h, w
	}
	p.Camera = setting(rng, *p.License, defects, w, h)
	if p.Camera.has(SecondLicense) {
		second := Random(rng, p.License.Edition, pick(rng, Entities))
		second.Copy, second.CopyNumber = p.License.Copy, p.License.CopyNumber
		p.Second = &second
	}
	p.BackgroundID = p.Camera.Scene.ID()
	return p
}
