package synth

import (
	"image"
	"math"
	"math/rand/v2"

	"github.com/disintegration/imaging"

	"github.com/heyan/heyan/pipeline/report"
)

// Camera is where the camera stands and how it takes the picture.
type Camera struct {
	Width  int `json:"width"` // px of the upright picture, before LowResolution
	Height int `json:"height"`
	// Fill is how much of the frame the sheet's bounding box takes in the
	// tighter direction; 1 touches the frame.
	Fill float64 `json:"fill"`
	// Roll turns the sheet in its plane, Tilt and Pan lean the camera over the
	// horizontal and the vertical axis; degrees.
	Roll    float64  `json:"roll"`
	Tilt    float64  `json:"tilt"`
	Pan     float64  `json:"pan"`
	Warmth  float64  `json:"warmth"` // white balance, -1 blue to 1 orange
	Light   float64  `json:"light"`  // unevenness of the light over the frame, share
	Scene   Scene    `json:"scene"`
	Defects []Defect `json:"defects"` // at most one of a kind
	Quality int      `json:"quality"` // JPEG, 1..100
	// TurnCW turns the pixels clockwise by 0, 90, 180 or 270 degrees.
	TurnCW int `json:"turn_cw"`
	// Orientation is the EXIF orientation, 1, 3, 6 or 8, under which the pixels
	// are stored; 0 writes none.
	Orientation int `json:"exif_orientation"`
}

// defect gives the defect of a kind.
func (c Camera) defect(kind DefectKind) (Defect, bool) {
	for _, d := range c.Defects {
		if d.Kind == kind {
			return d, true
		}
	}
	return Defect{}, false
}

// Sheet is what lies before the camera: a printed face with its layout, and
// another face of the same size beside it where there is one. Without a face
// the layout says only how large the scene is.
type Sheet struct {
	Face   *image.NRGBA
	Layout Layout
	Second *image.NRGBA
}

// sensorBlurPx is what the sharpest lens and demosaicing still blur.
const sensorBlurPx = 0.45

// paperLight is how bright white paper comes out in linear light, 0..1: phones
// keep some headroom.
const paperLight = 0.86

// planeDensity is how many pixels of the flat scene are made for one of the
// picture, so that sampling does not alias.
const planeDensity = 1.25

// FaceWidth is how many pixels wide a face should be printed for this camera.
func (c Camera) FaceWidth(lay Layout) int {
	return int(math.Ceil(c.density(lay) * lay.WidthMM))
}

// density is the plane's pixels per mm. The plane of a display is its own
// pixels, which the camera samples as they are.
func (c Camera) density(lay Layout) float64 {
	h := c.project(lay)
	k := h.scale(lay.middle())
	if d, ok := c.defect(ScreenGrid); ok {
		return k / d.Pitch
	}
	return planeDensity * k
}

// middle is the middle of the sheet in mm.
func (l Layout) middle() point { return point{l.WidthMM / 2, l.HeightMM / 2} }

// at is a place on the sheet by its share of width and height.
func (l Layout) at(share [2]float64) point { return point{share[0] * l.WidthMM, share[1] * l.HeightMM} }

// edge is the sheet as a box.
func (l Layout) edge() box { return box{0, 0, l.WidthMM, l.HeightMM} }

// Shoot takes a picture of a sheet in its scene.
func Shoot(sheet Sheet, c Camera, rng *rand.Rand) (*image.NRGBA, Shot) {
	lay := sheet.Layout
	h := c.project(lay)
	f, outlines := c.expose(sheet, h, rng)
	em := h.scale(lay.middle()) * lay.EmMM
	levels := 0.0
	if d, ok := c.defect(SensorNoise); ok {
		levels = d.Strength
	} else if c.Scene.Surface != SurfaceScan {
		levels = 1.6 // a phone in good light
	}
	img, zoom := c.deliver(f.develop(levels, rng), em)
	w, ht := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	switch c.TurnCW { // imaging turns counterclockwise
	case 90:
		img = imaging.Rotate270(img)
	case 180:
		img = imaging.Rotate180(img)
	case 270:
		img = imaging.Rotate90(img)
	}
	shot := Shot{Width: img.Rect.Dx(), Height: img.Rect.Dy()}
	if sheet.Face == nil {
		return img, shot
	}
	place := func(q point) report.Point {
		x, y := q.x*zoom, q.y*zoom
		switch c.TurnCW {
		case 90:
			x, y = ht-y, x
		case 180:
			x, y = w-x, ht-y
		case 270:
			x, y = y, w-x
		}
		return report.Point{tenths(x), tenths(y)}
	}
	shot.locate(lay, sheet.Second != nil, h, place)
	shot.EmPx = tenths(em * zoom)
	if b, ok := lay.Fields[report.FieldUSCC]; ok {
		shot.CodeEmPx = tenths(h.scale(point{(b[0] + b[2]) / 2, (b[1] + b[3]) / 2}) * lay.CodeEmMM * zoom)
	}
	for kind, outline := range outlines {
		for _, p := range clipTo(box{0, 0, float64(c.Width), float64(c.Height)}, outline) {
			shot.areas[kind] = append(shot.areas[kind], place(p))
		}
	}
	return img, shot
}

// expose gathers the light of the scene, and the outlines of local defects in
// px of the frame.
func (c Camera) expose(sheet Sheet, h homography, rng *rand.Rand) (*frame, map[DefectKind][]point) {
	lay, density, back := sheet.Layout, c.density(sheet.Layout), h.inverse()
	fit := func(face *image.NRGBA) *image.NRGBA {
		if face == nil {
			return nil
		}
		return imaging.Resize(face, int(math.Round(lay.WidthMM*density)), int(math.Round(lay.HeightMM*density)), imaging.CatmullRom)
	}
	outlines := map[DefectKind][]point{}
	plane := c.Scene.plane(fit(sheet.Face), fit(sheet.Second), lay, c.view(back, lay), density, rng)
	if d, ok := c.defect(Covered); ok {
		for _, p := range clipTo(lay.edge(), plane.cover(d.Object, lay.at(d.At), d.Strength*lay.WidthMM)) {
			outlines[Covered] = append(outlines[Covered], h.apply(p))
		}
	}
	var f *frame
	if d, ok := c.defect(ScreenGrid); ok {
		f = c.sampleDisplay(plane, back, c.Scene.display(lay), d)
	} else {
		f = c.warp(plane, back, lay, rng)
	}
	c.light(f, h, lay, outlines)
	em := h.scale(lay.middle()) * lay.EmMM
	if d, ok := c.defect(Motion); ok {
		f = f.motion(d.Strength*em, d.Angle*math.Pi/180)
	}
	sigma := sensorBlurPx
	if d, ok := c.defect(Defocus); ok {
		sigma = math.Hypot(sigma, d.Strength*em)
	}
	if c.Scene.Surface != SurfaceScan || sigma > sensorBlurPx {
		f.blur(sigma)
	}
	if d, ok := c.defect(LocalBlur); ok {
		ramp := newRamp(h, lay, d)
		f.blurBeyond(ramp, d.Strength*em)
		outlines[LocalBlur] = clip(lay.corners(h), func(p point) float64 { return ramp.at(p) - 0.5 })
	}
	return f, outlines
}

// deliver is what happens to the pixels on their way: em is the height of a
// value's character box on img. It gives their scale against img.
func (c Camera) deliver(img *image.NRGBA, em float64) (*image.NRGBA, float64) {
	if d, ok := c.defect(Upscaled); ok {
		small := imaging.Resize(img, int(math.Round(float64(c.Width)*d.Strength/em)), 0, imaging.Box)
		img = imaging.Resize(small, c.Width, c.Height, imaging.CatmullRom)
	}
	zoom := 1.0
	if d, ok := c.defect(LowResolution); ok {
		zoom = min(1, d.Strength/em)
		img = imaging.Resize(img, int(math.Round(float64(c.Width)*zoom)), 0, imaging.Box)
	}
	if d, ok := c.defect(Messenger); ok {
		if k := d.Strength / float64(max(img.Rect.Dx(), img.Rect.Dy())); k < 1 {
			zoom *= k
			img = imaging.Resize(img, int(math.Round(float64(c.Width)*zoom)), 0, imaging.Linear)
		}
	}
	return img, zoom
}

// corners are the sheet's corners on the frame.
func (l Layout) corners(h homography) []point {
	var out []point
	for _, p := range l.edge().corners() {
		out = append(out, h.apply(p))
	}
	return out
}

// project is the map from the sheet in mm to the picture in px.
func (c Camera) project(lay Layout) homography {
	const degree = math.Pi / 180
	tilt, pan := c.Tilt, c.Pan
	if d, ok := c.defect(Oblique); ok {
		sin, cos := math.Sincos(d.Angle * degree)
		tilt, pan = d.Strength*sin, d.Strength*cos
	}
	sr, cr := math.Sincos(c.Roll * degree)
	st, ct := math.Sincos(tilt * degree)
	sp, cp := math.Sincos(pan * degree)
	// A phone stands about two widths away.
	distance := 1.9 * math.Hypot(lay.WidthMM, lay.HeightMM)
	lens := func(p point) point {
		x, y := p.x-lay.WidthMM/2, p.y-lay.HeightMM/2
		x, y = x*cr-y*sr, x*sr+y*cr
		y, z := y*ct, y*st
		x, z = x*cp+z*sp, z*cp-x*sp
		k := distance / (distance - z)
		return point{x * k, y * k}
	}
	corners := lay.edge().corners()
	shown := corners[:]
	if d, ok := c.defect(SecondLicense); ok {
		s := lay.second()
		for i, p := range s {
			// The far side comes in with the strength.
			near := s[[4]int{0, 1, 1, 0}[i]]
			if lay.HeightMM > lay.WidthMM {
				near = s[[4]int{0, 0, 3, 3}[i]]
			}
			shown = append(shown, point{near.x + d.Strength*(p.x-near.x), near.y + d.Strength*(p.y-near.y)})
		}
	}
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, p := range shown {
		q := lens(p)
		lo, hi = point{min(lo.x, q.x), min(lo.y, q.y)}, point{max(hi.x, q.x), max(hi.y, q.y)}
	}
	k := c.Fill * min(float64(c.Width)/(hi.x-lo.x), float64(c.Height)/(hi.y-lo.y))
	var shift point
	if d, ok := c.defect(CutOff); ok {
		w, h := k*(hi.x-lo.x), k*(hi.y-lo.y)
		sin, cos := math.Sincos(d.Angle * degree)
		shift = point{math.Round(cos) * ((float64(c.Width)-w)/2 + d.Strength*w), math.Round(sin) * ((float64(c.Height)-h)/2 + d.Strength*h)}
	}
	var seen [4]point
	for i, p := range corners {
		q := lens(p)
		seen[i] = point{(q.x-(lo.x+hi.x)/2)*k + float64(c.Width)/2 + shift.x, (q.y-(lo.y+hi.y)/2)*k + float64(c.Height)/2 + shift.y}
	}
	return fit(corners, seen)
}

// view is the part of the plane that the frame shows, held within some sheets'
// widths where the camera leans to the horizon.
func (c Camera) view(back homography, lay Layout) box {
	w, h := float64(c.Width), float64(c.Height)
	b := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range []point{{0, 0}, {w, 0}, {w, h}, {0, h}} {
		q := back.apply(p)
		b = b.union(box{q.x, q.y, q.x, q.y})
	}
	far := 1.5 * max(lay.WidthMM, lay.HeightMM)
	return box{max(b[0], -far) - 1, max(b[1], -far) - 1, min(b[2], lay.WidthMM+far) + 1, min(b[3], lay.HeightMM+far) + 1}
}
