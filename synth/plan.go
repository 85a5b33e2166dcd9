package synth

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
)

// optical are the kinds that come on top of any other.
var optical = []DefectKind{Defocus, Motion, SensorNoise, Exposure, LowContrast, WhiteBalance, Shadow, Glare, Oblique, LowResolution, Recompression, Messenger}

// needsCamera are the kinds that no scanner has.
var needsCamera = []DefectKind{Defocus, LocalBlur, Motion, SensorNoise, Exposure, WhiteBalance, Shadow, Glare, Oblique, Covered, ScreenGrid, SecondLicense}

// Shares of a calibration set's pictures that are not said by Options.
const (
	registrationShare = 0.2 // of portrait licenses, a number of 15 digits
	boldShare         = 0.12
	flatScreenshot    = 0.5 // of screenshots, a file and not a photo
	exifShare         = 0.3 // of photos, an EXIF orientation: messengers drop it
	negativeDefect    = 0.3
	certificateShare  = 0.6 // of negatives
)

// size is the upright landscape size in px of a picture: mostly 2 to 3
// megapixels, as messengers and forms send them.
func (o Options) size(rng *rand.Rand) (w, h int) {
	shape := pick(rng, [][2]int{{4, 3}, {4, 3}, {3, 2}, {16, 9}})
	sides := []int{1280, 1440, 1600, 1600, 1600, 1700, 1700, 1800, 1800, 1920, 1920, 2000, 2000, 2000, 2100, 2100, 2600, 3000, 1600, 4000}
	w = pick(rng, sides)
	if o.LongSide > 0 {
		w = o.LongSide
	}
	return w, w * shape[1] / shape[0]
}

// license is license number n of the set, the same in every picture.
func (o Options) license(n int) Picture {
	rng := rand.New(rand.NewPCG(o.Seed^0x6C6963656E7365, uint64(n)))
	edition := pick(rng, []report.Edition{landscape, landscape, landscape, landscape, portrait, portrait, portrait, portrait, report.EditionPre2014, report.EditionElectronic})
	l := Random(rng, edition, Entities[n%len(Entities)])
	if edition == portrait && rng.Float64() < registrationShare {
		l = l.WithRegistrationNumber(rng)
	}
	l.Bold = !l.Sans && rng.Float64() < boldShare
	return Picture{Subject: SubjectLicense, License: &l, LicenseID: fmt.Sprintf("L%05d", n)}
}

// mix adds one or two optical defects to a first.
func (o Options) mix(rng *rand.Rand, first Defect) []Defect {
	out, more := []Defect{first}, 1+rng.IntN(2)
	for _, i := range rng.Perm(len(optical)) {
		if optical[i] != first.Kind && len(out) <= more {
			out = append(out, RandomDefect(rng, optical[i], pick(rng, o.Levels)))
		}
	}
	return out
}

// negative is a picture that is no license.
func (o Options) negative(rng *rand.Rand, w, h int) Picture {
	from := Others
	if rng.Float64() < certificateShare {
		from = Certificates
	}
	p := Picture{Subject: pick(rng, from)}
	if lay := p.Subject.layout(); p.Subject != SubjectNothing && lay.HeightMM > lay.WidthMM {
		w, h = h, w
	}
	p.Camera = RandomCamera(rng, w, h, p.Subject != SubjectNothing && p.Subject != SubjectReceipt && p.Subject != SubjectCard)
	switch p.Subject {
	case SubjectNothing:
		p.Camera.Scene.Objects, p.Camera.Scene.Cover = true, CoverNone
	case SubjectCard, SubjectReceipt:
		// Too small for a folder, and for cups and pens at their own size.
		p.Camera.Scene.Cover, p.Camera.Scene.Objects, p.Camera.Scene.Held = CoverNone, false, false
	}
	if rng.Float64() < negativeDefect {
		p.Camera.Defects = []Defect{RandomDefect(rng, pick(rng, optical), pick(rng, o.Levels))}
	}
	p.BackgroundID = p.Camera.Scene.ID()
	return p
}

// setting is a camera that fits a license and its defects, in a frame of w x h.
func setting(rng *rand.Rand, l License, defects []Defect, w, h int) Camera {
	scan := true
	for _, d := range defects {
		scan = scan && !slices.Contains(needsCamera, d.Kind)
	}
	c := Camera{Defects: defects}
	switch {
	case c.has(SecondLicense):
		// The frame has the shape of what it shows of the two.
		d, _ := c.defect(SecondLicense)
		if sheet := l.Sheet(); sheet.WidthMM > sheet.HeightMM {
			h = int(float64(w) * (1 + d.Strength) * sheet.HeightMM / sheet.WidthMM)
		} else {
			w = int(float64(h) * (1 + d.Strength) * sheet.WidthMM / sheet.HeightMM)
		}
		c = RandomCamera(rng, w, h, false)
		c.Fill, c.Scene.Held, c.Scene.Cover, c.Scene.Beneath = 0.9, false, CoverNone, false
		if c.Scene.Surface == SurfaceRoom || c.Scene.Surface == SurfaceWall {
			c.Scene.Surface = SurfaceWood
		}
	case c.has(ScreenGrid):
		c = RandomCamera(rng, w, h, false)
		c.Scene = Scene{Surface: pick(rng, []Surface{SurfaceWhite, SurfaceMat, SurfaceWall}), Variant: rng.IntN(Variants), Cover: CoverScreen, Margin: 12 + 60*rng.Float64()}
		// Held square to the screen, near enough to read.
		c.Roll, c.Tilt, c.Pan, c.Light, c.Fill = c.Roll*0.5, c.Tilt*0.4, c.Pan*0.5, c.Light*0.3, 0.8+0.17*rng.Float64()
		c.Warmth = -0.25 + 0.4*(rng.Float64()-0.5)
	case l.Edition == report.EditionElectronic && scan, c.has(Screenshot) && rng.Float64() < flatScreenshot:
		sheet := l.Sheet()
		c = Camera{Width: w, Height: int(float64(w)*sheet.HeightMM/sheet.WidthMM + 0.5), Fill: 1, Scene: Scene{Surface: SurfaceScan}}
	default:
		c = RandomCamera(rng, w, h, scan)
	}
	c.Defects, c.Quality = defects, 70+rng.IntN(26)
	switch {
	case c.has(Screenshot):
		c.TurnCW = 0
	case !c.has(Messenger) && c.Scene.Surface != SurfaceScan && rng.Float64() < exifShare:
		c.Orientation = pick(rng, []int{1, 3, 6, 8})
	}
	if c.has(CutOff) || c.has(Oblique) {
		c.Scene.Held = false
	}
	return c
}

// has says whether a kind of defect is there.
func (c Camera) has(kind DefectKind) bool {
	_, ok := c.defect(kind)
	return ok
}

// RandomCamera stands where people stand, or scans, without a defect.
func RandomCamera(rng *rand.Rand, width, height int, scan bool) Camera {
	spread := func(limit float64) float64 { return limit * (2*rng.Float64() - 1) }
	c := Camera{
		Width: width, Height: height, Fill: 0.75 + 0.2*rng.Float64(),
		Roll: spread(5), Tilt: spread(16), Pan: spread(12), Warmth: spread(0.6), Light: 0.4 * rng.Float64(),
		Scene:   Scene{Surface: pick(rng, Surfaces), Objects: rng.IntN(3) == 0, Variant: rng.IntN(Variants)},
		Quality: 70 + rng.IntN(26),
	}
	if c.Scene.Surface == SurfaceScan && !scan {
		c.Scene.Surface = SurfaceCheck
	}
	switch c.Scene.Surface {
	case SurfaceScan:
		c.Roll, c.Tilt, c.Pan, c.Warmth, c.Light, c.Fill, c.Scene = spread(0.7), 0, 0, 0, 0, 0.99, Scene{Surface: SurfaceScan}
	case SurfaceRoom:
		c.Scene.Held, c.Scene.Objects = true, false
	case SurfaceWall:
		c.Scene.Cover, c.Scene.Objects = pick(rng, []Cover{CoverFrame, CoverGlass}), false
	default:
		c.Scene.Cover = pick(rng, []Cover{CoverNone, CoverNone, CoverFolder})
		c.Scene.Beneath = c.Scene.Cover == CoverNone && rng.IntN(4) == 0
	}
	if rng.IntN(5) == 0 {
		c.TurnCW = pick(rng, []int{90, 180, 270})
	}
	return c
}
