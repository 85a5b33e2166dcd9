package synth

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/heyan/heyan/pipeline/report"
)

// Options say which pictures Write makes.
type Options struct {
	Seed  uint64
	Count int
	// FontFolders are searched for the fonts; none: the system's folders.
	FontFolders []string
	// Defects are the kinds that occur; none: all.
	Defects []DefectKind
}

// The mix of Write: a fifth of the licenses clean, a fifth with two defects,
// the rest with one; a few pictures that are no license.
const (
	cleanShare    = 0.2
	mixedShare    = 0.2
	permitShare   = 0.05
	nothingShare  = 0.03
	originalWidth = 1600 // px, long side of a picture
)

// Write makes pictures for load and calibration, numbered from 00000, with
// truth.tsv and truth.json, into a folder that it creates. Each picture depends
// on the seed and its number alone. It stops between pictures when the context
// ends, and then writes no truth.
func Write(ctx context.Context, dir string, o Options) error {
	fonts, err := LoadFonts(o.FontFolders...)
	if err != nil {
		return err
	}
	if len(o.Defects) == 0 {
		o.Defects = defectKinds
	}
	pictures := make([]Picture, o.Count)
	for i := range pictures {
		rng := rand.New(rand.NewPCG(o.Seed, uint64(i)))
		pictures[i] = random(rng, o.Defects)
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

// random is a picture of the mix.
func random(rng *rand.Rand, kinds []DefectKind) Picture {
	share := rng.Float64()
	switch {
	case share < nothingShare:
		c := RandomCamera(rng, originalWidth, originalWidth*3/4)
		c.Scene.Objects = true
		return Picture{Subject: SubjectNothing, Camera: c}
	case share < nothingShare+permitShare:
		return Picture{Subject: SubjectPermit, Camera: RandomCamera(rng, originalWidth, originalWidth*3/4)}
	}
	l := Random(rng, pick(rng, Editions), pick(rng, Entities))
	w, h := originalWidth, originalWidth*3/4
	if l.Edition == report.Edition2014Portrait {
		w, h = h, w
	}
	p := Picture{Subject: SubjectLicense, License: &l, Camera: RandomCamera(rng, w, h)}
	n := 1
	if share = rng.Float64(); share < cleanShare {
		n = 0
	} else if share < cleanShare+mixedShare {
		n = 2
	}
	for _, i := range rng.Perm(len(kinds))[:min(n, len(kinds))] {
		p.Camera.Defects = append(p.Camera.Defects, RandomDefect(rng, kinds[i]))
	}
	return p
}

// RandomCamera stands where people stand, without a defect.
func RandomCamera(rng *rand.Rand, width, height int) Camera {
	spread := func(limit float64) float64 { return limit * (2*rng.Float64() - 1) }
	c := Camera{
		Width: width, Height: height, Fill: 0.75 + 0.2*rng.Float64(),
		Roll: spread(5), Tilt: spread(16), Pan: spread(12), Warmth: spread(0.6), Light: 0.4 * rng.Float64(),
		Scene:   Scene{Surface: pick(rng, Surfaces), Objects: rng.IntN(3) == 0},
		Quality: 70 + rng.IntN(26),
	}
	switch c.Scene.Surface {
	case SurfaceScan:
		c.Roll, c.Tilt, c.Pan, c.Fill, c.Scene.Objects = spread(0.7), 0, 0, 0.99, false
	case SurfaceRoom:
		c.Scene.Held, c.Scene.Objects = true, false
	case SurfaceWall:
		c.Scene.Cover, c.Scene.Objects = CoverFrame, false
	default:
		c.Scene.Cover = pick(rng, []Cover{CoverNone, CoverFolder})
	}
	if rng.IntN(5) == 0 {
		c.TurnCW = pick(rng, []int{90, 180, 270})
	}
	return c
}

// ranges are the strengths from hardly seen to hopeless.
var ranges = map[DefectKind][2]float64{
	Defocus:       {0.03, 0.2},
	Motion:        {0.1, 0.9},
	SensorNoise:   {5, 40},
	Exposure:      {-4, 2.5},
	Shadow:        {0.2, 0.9},
	Glare:         {0.04, 0.14},
	LowResolution: {5, 14},
	Upscaled:      {5, 14},
	CutOff:        {0.01, 0.4},
	Covered:       {0.03, 0.06},
	GrayCopy:      {0.95, 1},
	Creases:       {0.05, 0.3},
	ScreenGrid:    {0.1, 0.5},
	Recompression: {10, 60},
}

// defectKinds lists all kinds in a fixed order.
var defectKinds = []DefectKind{Defocus, Motion, SensorNoise, Exposure, Shadow, Glare, LowResolution, Upscaled, CutOff, Covered, GrayCopy, Creases, ScreenGrid, Recompression}

// RandomDefect has any strength of its kind, anywhere on the sheet.
func RandomDefect(rng *rand.Rand, kind DefectKind) Defect {
	r := ranges[kind]
	d := Defect{Kind: kind, Strength: r[0] + (r[1]-r[0])*rng.Float64()}
	switch kind {
	case Motion:
		d.Angle = 180 * rng.Float64()
	case Shadow:
		d.Angle = 360 * rng.Float64()
		d.At = [2]float64{0.3 + 0.4*rng.Float64(), 0.3 + 0.4*rng.Float64()}
	case Glare, Covered:
		d.At = [2]float64{0.1 + 0.8*rng.Float64(), 0.2 + 0.7*rng.Float64()}
	}
	return d
}
