package synth

import (
	"math/rand/v2"

	"github.com/heyan/heyan/pipeline/report"
)

// DefectKind names a way a picture goes wrong. "em" is the height of a value's
// character box.
type DefectKind string

// The kinds and the unit of their strength.
const (
	Defocus       DefectKind = "defocus"        // sigma of the blur, em
	LocalBlur     DefectKind = "local_blur"     // sigma at the sheet's far edge, em; sharp up to a line through At with the normal Angle
	Motion        DefectKind = "motion"         // length of the path, em, towards Angle
	SensorNoise   DefectKind = "noise"          // sigma, of 255 levels
	Exposure      DefectKind = "exposure"       // stops, negative is dark
	LowContrast   DefectKind = "contrast"       // share of contrast lost to a veil of light, 0..1
	WhiteBalance  DefectKind = "white_balance"  // cast, -1 blue to 1 orange
	Shadow        DefectKind = "shadow"         // share of light taken, 0..1, beyond a line through At with the normal Angle
	Glare         DefectKind = "glare"          // radius, share of the sheet's width, round At
	Oblique       DefectKind = "tilt"           // degrees that the camera leans, towards Angle
	LowResolution DefectKind = "low_resolution" // em in px after shrinking
	Upscaled      DefectKind = "upscaled"       // em in px before enlarging again
	Recompression DefectKind = "recompression"  // JPEG quality of a first, harder compression
	Messenger     DefectKind = "messenger"      // long side in px after a messenger shrank and compressed it
	CutOff        DefectKind = "cut_off"        // share of the sheet out of the frame, towards Angle: 0 right, 90 below, 180, 270
	Covered       DefectKind = "covered"        // radius of an Object, share of the sheet's width, its tip on At
	Creases       DefectKind = "creases"        // depth of the folds, share of light, 0..1
	GrayCopy      DefectKind = "gray_copy"      // share of color lost by a photocopy, 0..1
	StampedCopy   DefectKind = "stamped_copy"   // as gray_copy, with a fresh red seal on the copy
	ScreenGrid    DefectKind = "screen"         // how much of a display's pixel structure the lens resolves, 0..1; Pitch is a pixel of it
	Screenshot    DefectKind = "screenshot"     // share of the phone's screen round the picture that is kept, 0..1
	SecondLicense DefectKind = "second_license" // share of another license in the frame, 0..1
	EditedCode    DefectKind = "edited_code"    // how plain a pasted character is, 0 perfect to 1 crude; Shown says which
	EditedName    DefectKind = "edited_name"    // as edited_code
	Masked        DefectKind = "masked"         // share of Field painted over by an editor, 0..1
	Specimen      DefectKind = "specimen"       // opacity of 样本 across the face, 0..1
)

// Defect is one flaw of a picture with its strength.
type Defect struct {
	Kind     DefectKind `json:"kind"`
	Level    int        `json:"level,omitempty"` // 1 harmless to Levels hopeless; 0: between the levels
	Strength float64    `json:"strength"`
	Angle    float64    `json:"angle,omitempty"`  // degrees, clockwise from the upright picture's x axis
	At       [2]float64 `json:"at,omitzero"`      // share of the sheet's width and height
	Object   Object     `json:"object,omitempty"` // what covers the sheet; a finger by default
	Pitch    float64    `json:"pitch,omitempty"`  // a display's pixel, px of the picture in its middle
	// Field is what a local defect is aimed at: At becomes its middle.
	Field report.FieldName `json:"field,omitempty"`
	// Shown is what an edit changed: the true character and the pasted one.
	Shown string `json:"shown,omitempty"`
	// Polygon is the place of a local defect in px after EXIF turning.
	Polygon report.Polygon `json:"polygon,omitempty"`
	// Hits is the share of each field's box that the defect touches, where it
	// touches any.
	Hits map[report.FieldName]float64 `json:"hits,omitempty"`
}

// Levels is how many strengths of a kind a calibration set has.
const Levels = 6

// scale is one row of strengths from harmless to hopeless.
type scale [Levels]float64

// scales are the strengths of each kind. Kinds with two directions (dark and
// bright, blue and orange) have a row for each.
var scales = map[DefectKind][]scale{
	Defocus:       {{0.02, 0.05, 0.08, 0.11, 0.15, 0.22}},
	LocalBlur:     {{0.05, 0.1, 0.16, 0.24, 0.34, 0.5}},
	Motion:        {{0.08, 0.2, 0.35, 0.5, 0.7, 1}},
	SensorNoise:   {{4, 8, 14, 22, 32, 45}},
	Exposure:      {{-0.7, -1.5, -2.5, -3.3, -4.2, -5}, {0.4, 0.8, 1.3, 1.8, 2.4, 3.1}},
	LowContrast:   {{0.15, 0.35, 0.55, 0.72, 0.85, 0.94}},
	WhiteBalance:  {{-0.15, -0.3, -0.45, -0.6, -0.8, -1}, {0.15, 0.3, 0.45, 0.6, 0.8, 1}},
	Shadow:        {{0.2, 0.4, 0.55, 0.7, 0.82, 0.94}},
	Glare:         {{0.025, 0.04, 0.055, 0.075, 0.1, 0.14}},
	Oblique:       {{8, 16, 24, 32, 41, 50}},
	LowResolution: {{14, 11.5, 9.5, 8, 6.5, 5}},
	Upscaled:      {{14, 11.5, 9.5, 8, 6.5, 5}},
	Recompression: {{75, 50, 32, 20, 12, 6}},
	Messenger:     {{1440, 1280, 1080, 900, 720, 560}},
	CutOff:        {{0.01, 0.035, 0.09, 0.18, 0.3, 0.5}},
	Covered:       {{0.018, 0.028, 0.04, 0.055, 0.075, 0.1}},
	Creases:       {{0.05, 0.1, 0.18, 0.27, 0.38, 0.5}},
	GrayCopy:      {{0.4, 0.7, 0.9, 0.96, 0.99, 1}},
	StampedCopy:   {{0.4, 0.7, 0.9, 0.96, 0.99, 1}},
	ScreenGrid:    {{0.1, 0.25, 0.45, 0.65, 0.85, 1}},
	Screenshot:    {{0, 0.2, 0.4, 0.6, 0.8, 1}},
	SecondLicense: {{0.08, 0.2, 0.4, 0.6, 0.8, 1}},
	EditedCode:    {{0.05, 0.2, 0.4, 0.6, 0.8, 1}},
	EditedName:    {{0.05, 0.2, 0.4, 0.6, 0.8, 1}},
	Masked:        {{0.06, 0.15, 0.3, 0.5, 0.75, 1}},
	Specimen:      {{0.06, 0.12, 0.2, 0.35, 0.6, 0.9}},
}

// DefectKinds lists all kinds in a fixed order.
var DefectKinds = []DefectKind{Defocus, LocalBlur, Motion, SensorNoise, Exposure, LowContrast, WhiteBalance, Shadow, Glare, Oblique,
	LowResolution, Upscaled, Recompression, Messenger, CutOff, Covered, Creases, GrayCopy, StampedCopy, ScreenGrid, Screenshot,
	SecondLicense, EditedCode, EditedName, Masked, Specimen}

// aimed is the share of local defects that are aimed at the code or the name;
// the others fall anywhere.
const aimed = 0.5

// RandomDefect has the strength of a level, 1..Levels, of its kind, in any
// direction and at any place.
func RandomDefect(rng *rand.Rand, kind DefectKind, level int) Defect {
	d := Defect{Kind: kind, Level: level, Strength: pick(rng, scales[kind])[level-1]}
	switch kind {
	case Motion, Oblique:
		d.Angle = 360 * rng.Float64()
	case CutOff:
		d.Angle = float64(90 * rng.IntN(4))
	case Shadow, LocalBlur:
		d.Angle = 360 * rng.Float64()
		d.At = [2]float64{0.35 + 0.3*rng.Float64(), 0.35 + 0.3*rng.Float64()}
	case Covered:
		d.Object = pick(rng, []Object{Finger, Paper, Pen})
	case ScreenGrid:
		d.Pitch = 1.15 + 1.3*rng.Float64()
	case EditedCode:
		d.Field = report.FieldUSCC
	case EditedName:
		d.Field = report.FieldCompanyName
	case Masked:
		d.Field = pick(rng, []report.FieldName{report.FieldUSCC, report.FieldCompanyName})
	}
	if kind == Glare || kind == Covered {
		if rng.Float64() < aimed {
			d.Field = pick(rng, []report.FieldName{report.FieldUSCC, report.FieldCompanyName})
		} else {
			d.At = [2]float64{0.1 + 0.8*rng.Float64(), 0.2 + 0.7*rng.Float64()}
		}
	}
	return d
}

// touched is the share of each field's box inside an area, by a grid of places.
func touched(fields map[report.FieldName]report.Polygon, inside func(point) bool) map[report.FieldName]float64 {
	const columns, rows = 40, 5
	hits := map[report.FieldName]float64{}
	for name, p := range fields {
		if len(p) != 4 {
			continue
		}
		n := 0
		for i := range columns * rows {
			u, v := (float64(i%columns)+0.5)/columns, (float64(i/columns)+0.5)/rows
			at := func(k int) float64 { return (p[0][k]*(1-u)+p[1][k]*u)*(1-v) + (p[3][k]*(1-u)+p[2][k]*u)*v }
			if inside(point{at(0), at(1)}) {
				n++
			}
		}
		if n > 0 {
			hits[name] = float64(n) / (columns * rows)
		}
	}
	return hits
}

// within says whether a place is inside a polygon, by counting crossings.
func within(p report.Polygon) func(point) bool {
	return func(at point) bool {
		in := false
		for i, a := range p {
			b := p[(i+1)%len(p)]
			if (a[1] > at.y) != (b[1] > at.y) && at.x < a[0]+(at.y-a[1])*(b[0]-a[0])/(b[1]-a[1]) {
				in = !in
			}
		}
		return in
	}
}

// clip keeps the part of an outline where keep, a signed distance that is
// linear over the plane, is not negative (Sutherland and Hodgman).
func clip(ps []point, keep func(point) float64) []point {
	var out []point
	for i, a := range ps {
		b := ps[(i+1)%len(ps)]
		da, db := keep(a), keep(b)
		if da >= 0 {
			out = append(out, a)
		}
		if (da < 0) != (db < 0) {
			t := da / (da - db)
			out = append(out, point{a.x + t*(b.x-a.x), a.y + t*(b.y-a.y)})
		}
	}
	return out
}

// clipTo keeps the part of an outline inside a box.
func clipTo(b box, ps []point) []point {
	ps = clip(ps, func(p point) float64 { return p.x - b[0] })
	ps = clip(ps, func(p point) float64 { return b[2] - p.x })
	ps = clip(ps, func(p point) float64 { return p.y - b[1] })
	return clip(ps, func(p point) float64 { return b[3] - p.y })
}
