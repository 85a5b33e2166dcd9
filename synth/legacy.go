package synth

import (
	"image/color"

	"github.com/heyan/heyan/pipeline/report"
)

var (
	moss         = color.NRGBA{150, 172, 150, 255}
	legacyTitles = map[Entity]string{
		Company: "企业法人营业执照", JointStock: "企业法人营业执照", StateOwned: "企业法人营业执照",
		Branch: "营业执照", Partnership: "合伙企业营业执照", SoleProprietorship: "个人独资企业营业执照",
		Individual: "个体工商户营业执照", Cooperative: "农民专业合作社法人营业执照", CooperativeBranch: "农民专业合作社分支机构营业执照",
	}
)

// legacy prints the form before 2014: landscape, one column, a title of its own
// for each kind of entity, a registration number. A duplicate keeps its right
// half for notices and the yearly inspection.
func (f *Fonts) legacy(c *canvas, l License, lay *Layout) error {
	frame := box{13, 13, 284, 195}
	lay.Frame, lay.EmMM, lay.CodeEmMM = frame, 4, 4.2
	guilloche(c, frame, moss)
	middle, titleEm, at := 148.5, 11.5, columnAt{x: 52, y: 76, label: 36, value: 96, width: 114, pitch: 8.2}
	if l.Copy == report.CopyDuplicate {
		middle, titleEm, at = 84, 8.6, columnAt{x: 27, y: 84, label: 30, value: 61, width: 80, pitch: 8.2}
	}
	rosette(c, point{middle, 118}, 50)
	ornament(c, point{middle, 33}, 9.5)
	title := lettering{face: f.serifBold, em: titleEm, spacing: 1.6, color: black}
	title.em *= min(1, (at.label+at.width)/title.width(legacyTitles[l.Entity]))
	c.centered(title, middle, 45, legacyTitles[l.Entity])
	if l.Copy == report.CopyDuplicate {
		c.centered(lettering{face: f.serifBold, em: 5, color: black}, middle, 57.5, "（副　本）")
		c.text(lettering{face: f.serif, em: 4, color: black}, middle+18, 58, "（"+l.CopyNumber+"）")
	}
	label := lettering{face: f.serifBold, em: 4, color: black}
	value := lettering{face: f.values(l), em: lay.EmMM, color: black}
	code := lettering{face: f.values(l), em: lay.CodeEmMM, color: black}
	field, number := l.Code()
	c.text(label, middle, 67, "注册号")
	lay.Fields[field] = c.text(code, middle+15, 67, number)
	lay.Characters[field] = code.cells(middle+15, 67, number)
	rows, _ := l.columns()
	f.column(c, lay, rows, label, value, at)

	c.justified(lettering{face: f.serifBold, em: 4.8, color: black}, 196, 158, 28, "登记机关")
	f.date(c, lay, l, lettering{face: f.serifBold, em: 4.6, color: black}, lettering{face: f.serif, em: 4.5, color: black}, 214, 174)
	f.seal(c, point{236, 163}, 20.6, l.Authority, uint64(len(l.Scope)))
	lay.Fields[report.FieldRegistrationAuthority] = box{215.4, 142.4, 256.6, 183.6}
	if l.Copy == report.CopyDuplicate {
		f.inspection(c)
	}
	c.rightAligned(lettering{face: f.serif, em: 3.1, color: black}, 284, 197.5, "中华人民共和国国家工商行政管理总局制")
	f.mark(c, 148.5, 204)
	return nil
}

// inspection prints the notices and the empty grid of the yearly inspection.
func (f *Fonts) inspection(c *canvas) {
	small := lettering{face: f.serif, em: 2.9, color: black}
	c.centered(lettering{face: f.serifBold, em: 4.6, spacing: 6, color: black}, 214, 30, "须知")
	y := 38.0
	for _, line := range []string{
		"1．本执照是企业法人资格和合法经营的凭证。", "2．本执照分为正本和副本，具有同等法律效力。", "3．正本应当置于住所的醒目位置。",
		"4．本执照不得伪造、涂改、出租、出借、转让。", "5．登记事项发生变化，应当申请变更登记，换领新执照。", "6．每年三月一日至六月三十日，应当参加年度检验。",
	} {
		c.text(small, 158, y, line)
		y += 4.6
	}
	c.centered(lettering{face: f.serifBold, em: 4.2, spacing: 1.5, color: black}, 214, 70, "年度检验情况")
	grid := newShape()
	for i := range 4 {
		v := 78 + 18*float64(i)
		c.line(grid, 0.25, point{158, v}, point{270, v})
	}
	for i := range 4 {
		u := 158 + 112.0/3*float64(i)
		c.line(grid, 0.25, point{u, 78}, point{u, 132})
	}
	c.ink(grid, black)
}
