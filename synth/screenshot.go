package synth

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"

	"github.com/disintegration/imaging"
)

// Phone screens in px: width, height.
var phones = [][2]int{{1080, 2340}, {1170, 2532}, {1080, 1920}, {1080, 2400}}

// screenshot is a phone's screen that shows the picture in a viewer: status
// bar, title bar, the picture at the screen's width on a flat ground, buttons.
// A share of all that round the picture is kept: 0 crops to the picture. What
// the shot says moves with it.
func (f *Fonts) screenshot(img *image.NRGBA, shot *Shot, share float64, rng *rand.Rand) *image.NRGBA {
	phone := pick(rng, phones)
	w, h := phone[0], phone[1]
	dark := rng.IntN(2) == 0
	ground, ink := color.NRGBA{255, 255, 255, 255}, color.NRGBA{25, 25, 25, 255}
	if dark {
		ground, ink = color.NRGBA{0, 0, 0, 255}, color.NRGBA{235, 235, 235, 255}
	}
	k := min(float64(w)/float64(img.Rect.Dx()), 0.8*float64(h)/float64(img.Rect.Dy()))
	small := imaging.Resize(img, int(float64(img.Rect.Dx())*k+0.5), int(float64(img.Rect.Dy())*k+0.5), imaging.Linear)
	left, top := (w-small.Rect.Dx())/2, (h-small.Rect.Dy())/2
	screen := imaging.New(w, h, ground)
	draw.Draw(screen, small.Rect.Add(image.Pt(left, top)), small, image.Point{}, draw.Src)
	f.phoneBars(screen, ink, rng)

	// Crop part of the way from the screen to the picture.
	part := func(d int) int { return int(math.Round(float64(d) * (1 - share))) }
	cut := image.Rect(part(left), part(top), w-part(w-left-small.Rect.Dx()), h-part(h-top-small.Rect.Dy()))
	shot.move(k, float64(left-cut.Min.X), float64(top-cut.Min.Y))
	shot.Width, shot.Height = cut.Dx(), cut.Dy()
	return imaging.Crop(screen, cut)
}

// phoneBars draws the bars of a phone: clock, signal and battery on top, a
// title with a back arrow, four buttons below.
func (f *Fonts) phoneBars(screen *image.NRGBA, ink color.NRGBA, rng *rand.Rand) {
	w, h := float64(screen.Rect.Dx()), float64(screen.Rect.Dy())
	u := w / 360 // a layout unit
	c := &canvas{img: screen, scale: 1}
	flat := turned(point{}, 0)
	c.paintText(lettering{face: f.sansBold, em: 13 * u, color: ink}, 22*u, 10*u, []string{"9:41", "14:06", "20:35"}[rng.IntN(3)])
	for i := range 4 {
		x := w - (92-5*float64(i))*u
		c.quad(flat, box{x, (22 - 2.5*float64(i+1)) * u, x + 3.4*u, 22 * u}, ink)
	}
	c.quad(flat, box{w - 44*u, 12 * u, w - 22*u, 22 * u}, ink)
	c.quad(flat, box{w - 20.6*u, 15 * u, w - 19.4*u, 19 * u}, ink)

	title := lettering{face: f.sans, em: 16 * u, color: ink}
	text := []string{"电子营业执照", "图片", "聊天图片", "文件预览"}[rng.IntN(4)]
	c.paintText(title, (w-title.width(text))/2, 46*u, text)
	arrow := newShape()
	c.line(arrow, 2*u, point{26 * u, 46 * u}, point{18 * u, 54 * u}, point{26 * u, 62 * u})
	c.paint(arrow, ink)
	for i, word := range []string{"保存", "转发", "编辑", "更多"} {
		label := lettering{face: f.sans, em: 11 * u, color: ink}
		x := w * (float64(i) + 0.5) / 4
		s := newShape()
		c.polygon(s, polar(point{x, h - 52*u}, 30, func(float64) float64 { return 9 * u })...)
		c.polygon(s, reversed(polar(point{x, h - 52*u}, 30, func(float64) float64 { return 7.4 * u }))...)
		c.paint(s, ink)
		c.paintText(label, x-label.width(word)/2, h-38*u, word)
	}
	c.quad(flat, box{w/2 - 60*u, h - 10*u, w/2 + 60*u, h - 6*u}, ink)
}

// paintText sets a line that covers what is below, as a screen does.
func (c *canvas) paintText(t lettering, x, y float64, text string) {
	s := newShape()
	for _, r := range text {
		g := t.face.glyph(r)
		c.character(s, g, t.em, point{x, y + 0.88*t.em}, 0, 1)
		x += g.advance*t.em + t.spacing
	}
	c.paint(s, t.color)
}
