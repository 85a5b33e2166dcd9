package synth

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/heyan/heyan/pipeline/report"
)

// Layout says where things lie on a face, in mm from the sheet's top-left
// corner: box x0, y0, x1, y1.
type Layout struct {
	WidthMM, HeightMM float64
	// EmMM is the height of a value's character box; CodeEmMM that of the code.
	EmMM, CodeEmMM float64
	Frame          [4]float64
	Fields         map[report.FieldName][4]float64
	// Characters are the boxes of code and name, character by character.
	Characters map[report.FieldName][][4]float64
}

// Inks of the form and of the seal.
var (
	black    = color.NRGBA{38, 36, 36, 255}
	gold     = color.NRGBA{196, 156, 62, 255}
	olive    = color.NRGBA{176, 172, 138, 255}
	keyGold  = color.NRGBA{178, 158, 98, 255}
	vermeil  = color.NRGBA{226, 78, 74, 255}
	sealRed  = color.NRGBA{224, 48, 58, 255}
	tint     = color.NRGBA{252, 247, 232, 255}
	white    = color.NRGBA{253, 253, 251, 255}
	cream    = color.NRGBA{246, 240, 226, 255}
	markGrey = color.NRGBA{120, 120, 120, 255}
)

// testMark stands in the margin of every sheet. It avoids 样本 and 样张, which
// printed on a face mean that it is a specimen.
const testMark = "测试图片 TEST PICTURE"

// Sheet sizes of the duplicate; an original is larger by √2, A3 to A4.
const (
	longSideMM  = 297.0
	shortSideMM = 210.0
)

// Sheet is the size of a license's sheet, without what is printed on it.
func (l License) Sheet() Layout {
	lay := Layout{WidthMM: longSideMM, HeightMM: shortSideMM}
	if l.Edition == report.Edition2014Portrait {
		lay = Layout{WidthMM: shortSideMM, HeightMM: longSideMM}
	}
	lay.scale(l.enlargement())
	return lay
}

// enlargement is the sheet's size against the duplicate's.
func (l License) enlargement() float64 {
	if l.Copy == report.CopyOriginal {
		return math.Sqrt2
	}
	return 1
}

// Face prints a license on a sheet of widthPx pixels.
//
// Geometry: the 2019 form after the published templates for
// self-service terminals, the 2014 form after prints of it;
// both drawn at the size of the duplicate and scaled to that of the original.
func (f *Fonts) Face(l License, widthPx int) (*image.NRGBA, Layout, error) {
	draw, w, h, paper := f.landscape, longSideMM, shortSideMM, white
	switch l.Edition {
	case report.Edition2014Portrait:
		draw, w, h, paper = f.portrait, shortSideMM, longSideMM, cream
	case report.EditionPre2014:
		draw, paper = f.legacy, cream
	}
	c := newCanvas(w, h, float64(widthPx)/w, paper)
	lay := Layout{WidthMM: w, HeightMM: h, Fields: map[report.FieldName][4]float64{}, Characters: map[report.FieldName][][4]float64{}}
	if err := draw(c, l, &lay); err != nil {
		return nil, Layout{}, err
	}
	lay.scale(l.enlargement())
	return c.img, lay, nil
}

// scale enlarges the sheet with everything on it.
func (l *Layout) scale(k float64) {
	l.WidthMM, l.HeightMM, l.EmMM, l.CodeEmMM = l.WidthMM*k, l.HeightMM*k, l.EmMM*k, l.CodeEmMM*k
	for i := range l.Frame {
		l.Frame[i] *= k
	}
	for name, b := range l.Fields {
		l.Fields[name] = [4]float64{b[0] * k, b[1] * k, b[2] * k, b[3] * k}
	}
	for _, boxes := range l.Characters {
		for i, b := range boxes {
			boxes[i] = [4]float64{b[0] * k, b[1] * k, b[2] * k, b[3] * k}
		}
	}
}

// values is the typeface values are printed in.
func (f *Fonts) values(l License) *typeface {
	switch {
	case l.Sans:
		return f.sans
	case l.Bold:
		return f.serifBold
	}
	return f.serif
}

func (f *Fonts) landscape(c *canvas, l License, lay *Layout) error {
	frame := box{14.8, 25, 282.2, 194}
	lay.Frame, lay.EmMM, lay.CodeEmMM = frame, 3.75, 4.3
	rosette(c, point{148.5, 112}, 62)
	guilloche(c, frame, olive)
	ornament(c, point{148.5, 28}, 15.5)

	title := lettering{face: f.sansBold, em: 14.6, spacing: 6.4, weight: 0.008, color: gold}
	c.centered(title, 148.5, 50.5, "营业执照")
	label := lettering{face: f.sansBold, em: 4.5, color: black}
	value := lettering{face: f.values(l), em: lay.EmMM, color: black}
	code := lettering{face: f.values(l), em: lay.CodeEmMM, color: black}
	small := lettering{face: f.serif, em: 2.55, color: black}
	foot := lettering{face: f.sans, em: 3.3, color: black}
	if l.Copy == report.CopyDuplicate {
		c.centered(lettering{face: f.sansBold, em: 5.4, color: black}, 148.5, 69.5, "（副　本）")
		c.text(lettering{face: f.serif, em: 4.4, color: black}, 174, 72, l.CopyNumber)
	}

	c.justified(label, 33.2, 54, 36, "统一社会信用代码")
	lay.Fields[report.FieldUSCC] = c.text(code, 33.2, 61.6, l.USCC)
	lay.Characters[report.FieldUSCC] = code.cells(33.2, 61.6, l.USCC)
	if err := qr(c, l.QR, 216, 52, 21.4); err != nil {
		return err
	}
	for i, line := range []string{"扫描二维码登录", "‘国家企业信用", "信息公示系统’", "了解更多登记、", "备案、许可、监", "管信息。"} {
		c.text(small, 240.5, 52.2+3.05*float64(i), line)
	}

	left, right := l.columns()
	f.column(c, lay, left, label, value, columnAt{x: 32, y: 88, label: 25, value: 61, width: 97, pitch: 10.2})
	f.column(c, lay, right, label, value, columnAt{x: 166, y: 88, label: 25, value: 195, width: 74, pitch: 10.2})

	c.justified(lettering{face: f.sansBold, em: 4.9, color: black}, 187, 156, 29, "登记机关")
	f.date(c, lay, l, lettering{face: f.sansBold, em: 4.6, color: black}, lettering{face: f.serif, em: 4.5, color: black}, 214, 174)
	f.seal(c, point{232, 164}, 20.6, l.Authority, uint64(len(l.Scope)))
	lay.Fields[report.FieldRegistrationAuthority] = box{211.4, 143.4, 252.6, 184.6}

	c.text(foot, 14.8, 197.2, "国家企业信用信息公示系统网址：")
	c.text(foot, 66, 197.2, "http://www.gsxt.gov.cn")
	c.rightAligned(foot, 282.2, 197.2, "国家市场监督管理总局监制")
	switch {
	case l.Edition == report.EditionElectronic:
		c.text(lettering{face: f.serif, em: 2.9, color: black}, 140, 197.5, "本电子营业执照与纸质营业执照具有同等法律效力。")
	case l.Copy == report.CopyDuplicate:
		c.text(lettering{face: f.serif, em: 2.9, color: black}, 140, 195.8, "市场主体应当于每年1月1日至6月30日通过")
		c.text(lettering{face: f.serif, em: 2.9, color: black}, 140, 199.4, "国家企业信用信息公示系统报送公示年度报告。")
	}
	c.centered(lettering{face: f.sans, em: 2.3, spacing: 0.3, color: markGrey}, 148.5, 205.6, testMark)
	return nil
}

func (f *Fonts) portrait(c *canvas, l License, lay *Layout) error {
	frame := box{15.5, 15.5, 194.5, 281}
	lay.Frame, lay.EmMM, lay.CodeEmMM = frame, 4.5, 4.1
	rosette(c, point{105, 165}, 66)
	keyFrame(c, frame)
	ornament(c, point{105, 47}, 17.5)

	title := lettering{face: f.sansBold, em: 18.2, spacing: 11.4, weight: 0.008, color: gold}
	c.centered(title, 105, 72.5, "营业执照")
	label := lettering{face: f.sansBold, em: 4.6, color: black}
	value := lettering{face: f.values(l), em: lay.EmMM, color: black}
	code := lettering{face: f.values(l), em: lay.CodeEmMM, color: black}
	foot := lettering{face: f.sans, em: 3.3, color: black}
	if l.Copy == report.CopyDuplicate {
		c.centered(lettering{face: f.sansBold, em: 7, color: gold}, 105, 97, "（副　本）")
		c.text(lettering{face: f.serif, em: 4.4, color: black}, 122, 98.5, "("+l.CopyNumber+")")
	}
	field, number := l.Code()
	c.justified(lettering{face: f.sansBold, em: 4.1, color: black}, 94, 111, 34, map[report.FieldName]string{report.FieldUSCC: "统一社会信用代码", report.FieldRegistrationNumber: "注册号"}[field])
	lay.Fields[field] = c.text(code, 131.5, 111, number)
	lay.Characters[field] = code.cells(131.5, 111, number)

	rows, _ := l.columns()
	f.column(c, lay, rows, label, value, columnAt{x: 34, y: 127, label: 27, value: 66, width: 117, pitch: 8.3})

	if err := qr(c, l.QR, 26.5, 225, 31); err != nil {
		return err
	}
	c.justified(lettering{face: f.sansBold, em: 5, color: black}, 98, 246, 30, "登记机关")
	f.date(c, lay, l, lettering{face: f.sansBold, em: 4.6, color: black}, lettering{face: f.serif, em: 4.5, color: black}, 134, 264)
	f.seal(c, point{158, 254}, 20.8, l.Authority, uint64(len(l.Scope)))
	lay.Fields[report.FieldRegistrationAuthority] = box{137.2, 233.2, 178.8, 274.8}

	c.text(foot, 15.5, 284.5, "企业信用信息公示系统网址：http://www.gsxt.gov.cn")
	c.rightAligned(foot, 194.5, 284.5, "中华人民共和国国家工商行政管理总局监制")
	c.centered(lettering{face: f.sans, em: 2.3, spacing: 0.3, color: markGrey}, 105, 291, testMark)
	return nil
}

// columnAt places a column of rows: all in mm, label is the justified width.
type columnAt struct{ x, y, label, value, width, pitch float64 }

// scopeShrink is the size of the scope's characters against the other values':
// terminals print it smaller so that it fits.
const scopeShrink = 0.93

func (f *Fonts) column(c *canvas, lay *Layout, rows []item, label, value lettering, at columnAt) {
	y := at.y
	for _, row := range rows {
		c.justified(label, at.x, y, at.label, row.label)
		t := value
		if row.field == report.FieldScope {
			t.em *= scopeShrink
		}
		pitch, top := t.em*1.16, y+(label.em-value.em)/2+0.3
		covered := c.wrapped(t, at.value, top, at.width, pitch, row.value)
		if row.field == report.FieldCompanyName {
			lay.Characters[row.field] = t.cells(at.value, top, wrap(t, at.width, row.value)[0])
		}
		lay.Fields[row.field] = covered
		y += at.pitch
		if extra := covered[3] - covered[1] - 1.6*t.em; extra > 0 {
			y += extra
		}
	}
}

// date prints the issue date: the form's own 年 月 日 and the digits that the
// terminal set between them, never quite on the line.
func (f *Fonts) date(c *canvas, lay *Layout, l License, form, digits lettering, x, y float64) {
	covered := box{x, y, x, y}
	for i, part := range []string{fmt.Sprintf("%04d", l.Issued.Year()), fmt.Sprintf("%02d", l.Issued.Month()), fmt.Sprintf("%02d", l.Issued.Day())} {
		covered = covered.union(c.text(digits, x, y+0.5, part))
		x += digits.width(part) + 2.6
		covered = covered.union(c.text(form, x, y, []string{"年", "月", "日"}[i]))
		x += form.em + 2.6
	}
	lay.Fields[report.FieldIssued] = covered
}

// ornament is an abstract red flower where the real form has the national
// emblem, which is not for drawing.
func ornament(c *canvas, center point, radius float64) {
	s := newShape()
	c.polygon(s, polar(center, 240, func(a float64) float64 { return radius * (0.965 + 0.035*math.Cos(28*a)) })...)
	for _, r := range []float64{0.9, 0.84} {
		c.polygon(s, reversed(polar(center, 180, func(float64) float64 { return radius * r }))...)
		c.polygon(s, polar(center, 180, func(float64) float64 { return radius * (r - 0.035) })...)
	}
	c.paint(s, vermeil)
	petals := newShape()
	for _, ring := range []struct{ r, depth float64 }{{0.68, 0.2}, {0.44, 0.16}, {0.2, 0.05}} {
		outline := func(extra float64) []point {
			return polar(center, 360, func(a float64) float64 {
				return radius * (ring.r - ring.depth*math.Abs(math.Sin(5*a)) + extra)
			})
		}
		c.line(petals, radius*0.03, outline(0)...)
	}
	for i := range 20 {
		sin, cos := math.Sincos(float64(i) * math.Pi / 10)
		at := func(r float64) point { return point{center.x + radius*r*sin, center.y - radius*r*cos} }
		c.line(petals, radius*0.02, at(0.7), at(0.77))
	}
	c.paint(petals, white)
}

// rosette is the pale security pattern in the middle of the sheet.
func rosette(c *canvas, center point, radius float64) {
	s := newShape()
	for k := range 18 {
		phase := float64(k) * math.Pi / 9
		c.line(s, 0.16, polar(center, 420, func(a float64) float64 {
			return radius * (0.72 + 0.26*math.Sin(6*a+phase)*math.Cos(3*a-phase/2))
		})...)
	}
	c.ink(s, tint)
}

// guilloche is the 2019 frame: fine lines outside, interlaced waves, scallops
// inside.
func guilloche(c *canvas, b box, ink color.NRGBA) {
	const band = 8.4
	s := newShape()
	c.rect(s, 0.35, b)
	c.rect(s, 0.15, box{b[0] + 0.8, b[1] + 0.8, b[2] - 0.8, b[3] - 0.8})
	sides := []struct {
		from, to point
		in       point // unit vector into the sheet
	}{
		{point{b[0], b[1]}, point{b[2], b[1]}, point{0, 1}},
		{point{b[2], b[1]}, point{b[2], b[3]}, point{-1, 0}},
		{point{b[2], b[3]}, point{b[0], b[3]}, point{0, -1}},
		{point{b[0], b[3]}, point{b[0], b[1]}, point{1, 0}},
	}
	for _, side := range sides {
		dx, dy := side.to.x-side.from.x, side.to.y-side.from.y
		length := math.Hypot(dx, dy)
		along := point{dx / length, dy / length}
		at := func(l, depth float64) point {
			return point{side.from.x + along.x*l + side.in.x*depth, side.from.y + along.y*l + side.in.y*depth}
		}
		waves := math.Round(length / 10)
		for k := range 9 {
			phase := float64(k) * 2 * math.Pi / 9
			c.line(s, 0.13, curve(int(length*3), func(t float64) point {
				l := 1 + t*(length-2)
				return at(l, band*0.5+band*0.36*math.Sin(2*math.Pi*waves*t+phase)*(0.75+0.25*math.Cos(4*math.Pi*waves*t)))
			})...)
		}
		for _, grow := range []float64{0, 0.45, 0.9} {
			c.line(s, 0.16, curve(int(length*3), func(t float64) point {
				return at(band*0.9+t*(length-1.8*band), band+grow+1.5*math.Abs(math.Sin(math.Pi*waves*t)))
			})...)
		}
		corner := at(band/2+0.4, band/2+0.4)
		for k := range 6 {
			c.line(s, 0.13, polar(corner, 90, func(a float64) float64 {
				return band * (0.3 + 0.16*math.Sin(4*a+float64(k)*math.Pi/3))
			})...)
		}
	}
	c.ink(s, ink)
}

// keyFrame is the 2014 frame: a meander between double lines.
func keyFrame(c *canvas, b box) {
	s := newShape()
	inset := func(d float64) box { return box{b[0] + d, b[1] + d, b[2] - d, b[3] - d} }
	c.rect(s, 0.5, b)
	c.rect(s, 0.2, inset(0.9))
	c.rect(s, 0.2, inset(5.1))
	c.rect(s, 0.4, inset(6))
	const unit = 5.0
	key := []point{{0, 3.2}, {0, 0}, {3.4, 0}, {3.4, 2.3}, {1.2, 2.3}, {1.2, 1.1}, {2.3, 1.1}}
	turn := []point{{0, 0}, {0, 3.2}, {3.4, 3.2}, {3.4, 0.9}, {1.2, 0.9}, {1.2, 2.1}, {2.3, 2.1}}
	run := func(from point, along, in point, length float64) {
		n := math.Floor(length / unit)
		step := length / n
		for i := range int(n) {
			shape := key
			if i%2 == 1 {
				shape = turn
			}
			for j := 1; j < len(shape); j++ {
				seg := [2]point{}
				for k, p := range shape[j-1 : j+1] {
					l, d := float64(i)*step+(step-3.4)/2+p.x, 1.4+p.y
					seg[k] = point{from.x + along.x*l + in.x*d, from.y + along.y*l + in.y*d}
				}
				c.line(s, 0.26, seg[0], seg[1])
			}
		}
	}
	run(point{b[0], b[1]}, point{1, 0}, point{0, 1}, b[2]-b[0])
	run(point{b[0], b[3]}, point{1, 0}, point{0, -1}, b[2]-b[0])
	run(point{b[0], b[1] + 6}, point{0, 1}, point{1, 0}, b[3]-b[1]-12)
	run(point{b[2], b[1] + 6}, point{0, 1}, point{-1, 0}, b[3]-b[1]-12)
	c.ink(s, keyGold)
}

// seal is the round red seal: the authority along the upper arc, a star, and
// ink that did not take everywhere.
func (f *Fonts) seal(c *canvas, center point, radius float64, authority string, seed uint64) {
	worn := noise{seed}
	c.wear = func(x, y int) float64 {
		return min(1, 0.62+0.6*worn.fractal(float64(x)/c.scale*1.3, float64(y)/c.scale*1.3, 3))
	}
	defer func() { c.wear = nil }()
	s := newShape()
	c.polygon(s, polar(center, 240, func(float64) float64 { return radius })...)
	c.polygon(s, reversed(polar(center, 240, func(float64) float64 { return radius * 0.955 }))...)
	c.polygon(s, curve(9, func(t float64) point {
		i := int(math.Round(t * 9))
		r := radius * 0.29
		if i%2 == 1 {
			r *= 0.382 // inner radius of a pentagram
		}
		sin, cos := math.Sincos(float64(i) * math.Pi / 5)
		return point{center.x + r*sin, center.y - r*cos}
	})...)
	f.arc(c, s, f.serifBold, center, radius*0.655, radius*0.27, 0.72, authority, 2*math.Pi*0.7)
	c.ink(s, sealRed)
}

// arc sets a text clockwise round a center on a baseline radius, centered on
// top, within a sweep.
func (f *Fonts) arc(c *canvas, s *shape, face *typeface, center point, radius, em, stretch float64, text string, sweep float64) {
	runes := []rune(text)
	step := min(sweep/float64(max(len(runes)-1, 1)), 0.62)
	for i, r := range runes {
		g := face.glyph(r)
		angle := (float64(i) - float64(len(runes)-1)/2) * step
		sin, cos := math.Sincos(angle)
		half := g.advance * em * stretch / 2
		origin := point{center.x + radius*sin - half*cos, center.y - radius*cos - half*sin}
		c.character(s, g, em, origin, angle, stretch)
	}
}

// qr prints a payload as a QR code of a side in mm.
func qr(c *canvas, payload string, x, y, side float64) error {
	matrix, err := qrcode.NewQRCodeWriter().Encode(payload, gozxing.BarcodeFormat_QR_CODE, 0, 0,
		map[gozxing.EncodeHintType]any{gozxing.EncodeHintType_MARGIN: 0, gozxing.EncodeHintType_ERROR_CORRECTION: "M"})
	if err != nil {
		return fmt.Errorf("qr code: %w", err)
	}
	module := side / float64(matrix.GetWidth())
	s := newShape()
	for j := range matrix.GetHeight() {
		for i := range matrix.GetWidth() {
			if matrix.Get(i, j) {
				x0, y0 := x+float64(i)*module, y+float64(j)*module
				c.polygon(s, point{x0, y0}, point{x0 + module, y0}, point{x0 + module, y0 + module}, point{x0, y0 + module})
			}
		}
	}
	c.ink(s, black)
	return nil
}
