package synth

import (
	"image"
	"math"
	"math/rand/v2"

	"github.com/disintegration/imaging"

	"github.com/heyan/heyan/pipeline/report"
)

// DefectKind names a way a picture goes wrong. "em" is the height of a value's
// character box.
type DefectKind string

// The kinds and the unit of their strength.
const (
	Defocus       DefectKind = "defocus"        // sigma of the blur, em
	Motion        DefectKind = "motion"         // length of the path, em, towards Angle
	SensorNoise   DefectKind = "noise"          // sigma, of 255 levels
	Exposure      DefectKind = "exposure"       // stops, negative is dark
	Shadow        DefectKind = "shadow"         // share of light taken, 0..1, beyond a line through At with the normal Angle
	Glare         DefectKind = "glare"          // radius, share of the sheet's width, round At
	LowResolution DefectKind = "low_resolution" // em in px after shrinking
	Upscaled      DefectKind = "upscaled"       // em in px before enlarging again
	CutOff        DefectKind = "cut_off"        // share of the sheet's width out of the frame on the right
	Covered       DefectKind = "covered"        // radius of a finger, share of the sheet's width, its tip on At
	GrayCopy      DefectKind = "gray_copy"      // share of color lost by a photocopy, 0..1
	Creases       DefectKind = "creases"        // depth of the folds, share of light, 0..1
	ScreenGrid    DefectKind = "screen"         // amplitude of a monitor's pixels, 0..1, that alias to moiré
	Recompression DefectKind = "recompression"  // JPEG quality of a first, harder compression by a messenger
)

// Defect is one flaw of a picture with its strength.
type Defect struct {
	Kind     DefectKind `json:"kind"`
	Strength float64    `json:"strength"`
	Angle    float64    `json:"angle,omitempty"` // degrees, clockwise from the picture's x axis
	At       [2]float64 `json:"at,omitzero"`     // share of the sheet's width and height
}

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

// Shot is where things are on a picture, in px after EXIF turning.
type Shot struct {
	Quad     report.Polygon                      `json:"quad,omitempty"` // the sheet's corners, from its own top left, clockwise
	Frame    report.Polygon                      `json:"frame,omitempty"`
	Fields   map[report.FieldName]report.Polygon `json:"fields,omitempty"`
	EmPx     float64                             `json:"em_px"`      // of values
	CodeEmPx float64                             `json:"code_em_px"` // of the code
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

func (c Camera) density(lay Layout) float64 {
	h := c.project(lay)
	return planeDensity * h.scale(point{lay.WidthMM / 2, lay.HeightMM / 2})
}

// Shoot takes a picture of a face; of the bare scene when face is nil, in which
// case the layout says only how large the scene is.
func Shoot(face *image.NRGBA, lay Layout, c Camera, rng *rand.Rand) (*image.NRGBA, Shot) {
	h := c.project(lay)
	density := c.density(lay)
	if face != nil {
		if d, ok := c.defect(GrayCopy); ok {
			face = imaging.AdjustContrast(imaging.AdjustSaturation(face, -100*d.Strength), 12)
		}
		face = imaging.Resize(face, int(math.Round(lay.WidthMM*density)), int(math.Round(lay.HeightMM*density)), imaging.CatmullRom)
	}
	back := h.inverse()
	plane := c.Scene.plane(face, lay, c.view(back, lay), density, rng)
	if d, ok := c.defect(Covered); ok {
		plane.finger(point{d.At[0] * lay.WidthMM, d.At[1] * lay.HeightMM}, d.Strength*lay.WidthMM, 0.3)
	}
	f := c.warp(plane, back, lay, rng)
	em := h.scale(point{lay.WidthMM / 2, lay.HeightMM / 2}) * lay.EmMM
	c.light(f, h, lay)
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
	levels := 0.0
	if d, ok := c.defect(SensorNoise); ok {
		levels = d.Strength
	} else if c.Scene.Surface != SurfaceScan {
		levels = 1.6 // a phone in good light
	}
	img := f.develop(levels, rng)

	if d, ok := c.defect(Upscaled); ok {
		small := imaging.Resize(img, int(math.Round(float64(c.Width)*d.Strength/em)), 0, imaging.Box)
		img = imaging.Resize(small, c.Width, c.Height, imaging.CatmullRom)
	}
	zoom := 1.0
	if d, ok := c.defect(LowResolution); ok {
		zoom = d.Strength / em
		img = imaging.Resize(img, int(math.Round(float64(c.Width)*zoom)), 0, imaging.Box)
	}
	w, ht := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	place := func(p point) report.Point {
		q := h.apply(p)
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
	// imaging turns counterclockwise.
	switch c.TurnCW {
	case 90:
		img = imaging.Rotate270(img)
	case 180:
		img = imaging.Rotate180(img)
	case 270:
		img = imaging.Rotate90(img)
	}
	if face == nil {
		return img, Shot{}
	}
	polygon := func(b box) report.Polygon {
		return report.Polygon{place(point{b[0], b[1]}), place(point{b[2], b[1]}), place(point{b[2], b[3]}), place(point{b[0], b[3]})}
	}
	shot := Shot{
		Quad: polygon(box{0, 0, lay.WidthMM, lay.HeightMM}), Frame: polygon(lay.Frame),
		Fields: map[report.FieldName]report.Polygon{}, EmPx: tenths(em * zoom),
	}
	for name, b := range lay.Fields {
		shot.Fields[name] = polygon(b)
	}
	if b, ok := lay.Fields[report.FieldUSCC]; ok {
		shot.CodeEmPx = tenths(h.scale(point{(b[0] + b[2]) / 2, (b[1] + b[3]) / 2}) * lay.CodeEmMM * zoom)
	}
	return img, shot
}

// tenths rounds: a tenth of a pixel is as well as anyone can see.
func tenths(v float64) float64 { return math.Round(v*10) / 10 }

// project is the map from the sheet in mm to the picture in px.
func (c Camera) project(lay Layout) homography {
	const degree = math.Pi / 180
	sr, cr := math.Sincos(c.Roll * degree)
	st, ct := math.Sincos(c.Tilt * degree)
	sp, cp := math.Sincos(c.Pan * degree)
	// A phone stands about two widths away.
	distance := 1.9 * math.Hypot(lay.WidthMM, lay.HeightMM)
	corners := [4]point{{0, 0}, {lay.WidthMM, 0}, {lay.WidthMM, lay.HeightMM}, {0, lay.HeightMM}}
	var seen [4]point
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for i, p := range corners {
		x, y := p.x-lay.WidthMM/2, p.y-lay.HeightMM/2
		x, y = x*cr-y*sr, x*sr+y*cr
		y, z := y*ct, y*st
		x, z = x*cp+z*sp, z*cp-x*sp
		k := distance / (distance - z)
		seen[i] = point{x * k, y * k}
		lo, hi = point{min(lo.x, seen[i].x), min(lo.y, seen[i].y)}, point{max(hi.x, seen[i].x), max(hi.y, seen[i].y)}
	}
	k := c.Fill * min(float64(c.Width)/(hi.x-lo.x), float64(c.Height)/(hi.y-lo.y))
	shift := 0.0
	if d, ok := c.defect(CutOff); ok {
		shift = (float64(c.Width)-k*(hi.x-lo.x))/2 + d.Strength*k*(hi.x-lo.x)
	}
	for i, p := range seen {
		seen[i] = point{(p.x-(lo.x+hi.x)/2)*k + float64(c.Width)/2 + shift, (p.y-(lo.y+hi.y)/2)*k + float64(c.Height)/2}
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

// warp samples the plane into a frame of linear light. A monitor's pixel grid is
// sampled as points here, which is what makes moiré.
func (c Camera) warp(plane *canvas, back homography, lay Layout, rng *rand.Rand) *frame {
	f := newFrame(c.Width, c.Height)
	grid, screen := c.defect(ScreenGrid)
	creases, folded := c.defect(Creases)
	folds := []float64{0.33 + 0.02*rng.Float64(), 0.66 + 0.02*rng.Float64()}
	const pitch = 0.27 // mm, a desktop monitor's pixel
	for y := range c.Height {
		for x := range c.Width {
			p := back.apply(point{float64(x) + 0.5, float64(y) + 0.5})
			px := plane.px(p)
			rgb := plane.sample(px.x-0.5, px.y-0.5)
			if folded && p.x > 0 && p.y > 0 && p.x < lay.WidthMM && p.y < lay.HeightMM {
				k := float32(1 - creases.Strength*crease(p.y/lay.HeightMM, folds))
				rgb[0], rgb[1], rgb[2] = rgb[0]*k, rgb[1]*k, rgb[2]*k
			}
			if screen && outside(box{0, 0, lay.WidthMM, lay.HeightMM}, p.x, p.y) == 0 {
				row := 0.5 + 0.5*math.Cos(2*math.Pi*p.y/pitch)
				for k := range 3 {
					column := 0.5 + 0.5*math.Cos(2*math.Pi*(p.x/pitch-float64(k)/3))
					// Three quarters of the strength is lost on average; a monitor shines
					// that much brighter.
					rgb[k] *= float32((1 - grid.Strength*(1-row*column)) / (1 - 0.75*grid.Strength))
				}
			}
			copy(f.pix[3*(y*f.w+x):], rgb[:])
		}
	}
	return f
}

// crease is the shade of folds at v, 0..1 down the sheet: each panel leans a
// little, each fold is a fine line.
func crease(v float64, folds []float64) float64 {
	shade := 0.0
	for _, at := range folds {
		if d := v - at; d > 0 {
			shade += 0.7 * math.Exp(-d*9)
		} else {
			shade -= 0.25 * math.Exp(d*14)
		}
		shade += 0.8 * math.Exp(-math.Pow((v-at)*700, 2))
	}
	return shade
}

// light puts light, shadow, glare, white balance and exposure on a frame.
func (c Camera) light(f *frame, h homography, lay Layout) {
	if c.Scene.Surface == SurfaceScan && len(c.Defects) == 0 {
		return
	}
	gain := paperLight
	if c.Scene.Surface == SurfaceScan {
		gain = 1
	}
	if d, ok := c.defect(Exposure); ok {
		gain *= math.Exp2(d.Strength)
	}
	balance := [3]float64{1 + 0.12*c.Warmth, 1, 1 - 0.2*c.Warmth}
	shadow, shaded := c.defect(Shadow)
	shadowAt := h.apply(point{shadow.At[0] * lay.WidthMM, shadow.At[1] * lay.HeightMM})
	ssin, scos := math.Sincos(shadow.Angle * math.Pi / 180)
	glare, glaring := c.defect(Glare)
	glareAt := h.apply(point{glare.At[0] * lay.WidthMM, glare.At[1] * lay.HeightMM})
	radius := glare.Strength * lay.WidthMM * h.scale(point{lay.WidthMM / 2, lay.HeightMM / 2})
	diagonal := math.Hypot(float64(f.w), float64(f.h))
	for y := range f.h {
		for x := range f.w {
			px, py := float64(x), float64(y)
			u, v := (px-float64(f.w)/2)/diagonal, (py-float64(f.h)/2)/diagonal
			k := gain * (1 - c.Light*(0.5*(u+v)+1.2*(u*u+v*v)))
			if shaded {
				across := ((px-shadowAt.x)*scos + (py-shadowAt.y)*ssin) / diagonal
				k *= 1 - shadow.Strength*step(-0.03, 0.05, across)
			}
			add := 0.0
			if glaring {
				d := math.Hypot((px-glareAt.x)/1.35, py-glareAt.y) / radius
				add = 1.6*math.Exp(-d*d*d) + 0.12*math.Exp(-d*0.7)
			}
			o := 3 * (y*f.w + x)
			for i := range 3 {
				f.pix[o+i] = f.pix[o+i]*float32(k*balance[i]) + float32(add)
			}
		}
	}
}
