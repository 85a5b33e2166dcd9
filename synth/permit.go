package synth

import (
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"

	"github.com/heyan/heyan/pipeline/report"
)

// PermitTitle is what the food permit is called.
const PermitTitle = "食品经营许可证"

// certificate prints an invented certificate or paper that is no business
// license, and gives its title. Its layout has no fields.
func (f *Fonts) certificate(s Subject, rng *rand.Rand, widthPx int) (*image.NRGBA, Layout, string, error) {
	lay := s.layout()
	c := newCanvas(lay.WidthMM, lay.HeightMM, float64(widthPx)/lay.WidthMM, white)
	l := Random(rng, report.Edition2019Landscape, Company)
	title := ""
	switch s {
	case SubjectReceipt:
		title = f.receipt(c, l, rng)
	case SubjectCard:
		title = f.card(c, rng)
	case SubjectDocument:
		title = f.document(c, l, rng)
	case SubjectPermit, SubjectMedical, SubjectAccount, SubjectInstitution:
		title = f.permit(c, s, l, rng)
	default:
		return nil, lay, "", fmt.Errorf("no such subject: %q", s)
	}
	return c.img, lay, title, nil
}

// layout is the size of a certificate's sheet.
func (s Subject) layout() Layout {
	switch s {
	case SubjectReceipt:
		return Layout{WidthMM: 80, HeightMM: 170, Frame: box{4, 4, 76, 166}, EmMM: 3.2}
	case SubjectCard:
		return Layout{WidthMM: 85.6, HeightMM: 54, Frame: box{2, 2, 83.6, 52}, EmMM: 3}
	case SubjectDocument:
		return Layout{WidthMM: shortSideMM, HeightMM: longSideMM, Frame: box{24, 24, 186, 270}, EmMM: 4.2}
	}
	return Layout{WidthMM: longSideMM, HeightMM: shortSideMM, Frame: box{14, 14, 283, 194}, EmMM: 4.2}
}

// permit prints a certificate with a frame, a seal and an organization's code.
func (f *Fonts) permit(c *canvas, s Subject, l License, rng *rand.Rand) string {
	frame, title, left, right := s.layout().Frame, "", [][2]string(nil), [][2]string(nil)
	person := func() string { return string([]rune{pick(rng, surnames), pick(rng, given), pick(rng, given2)}) }
	until := printDate(l.Issued.AddDate(5, 0, -1))
	switch s {
	case SubjectMedical:
		title = "医疗机构执业许可证"
		left = [][2]string{{"机构名称", l.Name + "门诊部"}, {"社会信用代码", l.USCC}, {"法定代表人", l.Person}, {"主要负责人", person()},
			{"地址", l.Address}, {"诊疗科目", "内科；外科；口腔科；医学检验科；医学影像科（以上为测试内容）"}}
		right = [][2]string{{"登记号", fmt.Sprintf("PDY%012d", rng.Int64N(1e12))}, {"经营性质", "营利性"}, {"有效期限", printDate(l.Issued) + "至" + until},
			{"发证机关", pick(rng, cities) + "市测试区卫生健康局"}}
	case SubjectAccount:
		title = "开户许可证"
		left = [][2]string{{"核准号", fmt.Sprintf("J%013d", rng.Int64N(1e13))}, {"经审核", l.Name + "符合开户条件，准予开立基本存款账户。"},
			{"法定代表人", l.Person}, {"开户银行", pick(rng, cities) + "示例银行测试支行"}}
		right = [][2]string{{"编号", fmt.Sprintf("%04d-%08d", rng.IntN(1e4), rng.IntN(1e8))}, {"社会信用代码", l.USCC}, {"发证机关", "示例银行（测试）"}}
	case SubjectInstitution:
		title = "事业单位法人证书"
		left = [][2]string{{"名称", pick(rng, cities) + "市示例事务服务中心"}, {"统一社会信用代码", "12" + l.USCC[2:]}, {"法定代表人", l.Person},
			{"宗旨和业务范围", "为测试提供公共服务。开展示例事务的受理、咨询与档案管理。"}, {"住所", l.Address}}
		right = [][2]string{{"经费来源", "财政补助（全额拨款）"}, {"开办资金", l.Capital}, {"举办单位", l.Authority}, {"有效期", printDate(l.Issued) + "至" + until}}
	default:
		title = PermitTitle
		left = [][2]string{{"经营者名称", l.Name}, {"社会信用代码", l.USCC}, {"法定代表人", l.Person}, {"住所", l.Address},
			{"经营场所", l.Address}, {"主体业态", "食品销售经营者"}, {"经营项目", "预包装食品销售，散装食品销售"}}
		right = [][2]string{{"许可证编号", fmt.Sprintf("JY1%013d", rng.Int64N(1e13))}, {"日常监管机构", l.Authority}, {"投诉举报电话", "12315"},
			{"发证机关", l.Authority}, {"签发人", person()}, {"有效期至", until}}
	}
	rosette(c, point{148.5, 110}, 60)
	keyFrame(c, frame)
	c.centered(lettering{face: f.serifBold, em: 15, spacing: 4, color: vermeil}, 148.5, 30, title)
	label := lettering{face: f.serifBold, em: 4.2, color: black}
	value := lettering{face: f.serif, em: 4.2, color: black}
	rows := func(x, valueX, width float64, items [][2]string) {
		y := 62.0
		for _, it := range items {
			c.text(label, x, y, it[0]+"：")
			start := max(valueX, x+label.width(it[0]+"："))
			covered := c.wrapped(value, start, y, width-(start-valueX), 5.2, it[1])
			y += 13 + max(0, covered[3]-covered[1]-11)
		}
	}
	rows(32, 62, 84, left)
	rows(160, 196, 70, right)
	f.seal(c, point{236, 158}, 20, l.Authority, rng.Uint64())
	c.centered(value, 236, 172, printDate(l.Issued))
	c.centered(lettering{face: f.sans, em: 3.3, color: black}, 148.5, 197.5, "国家市场监督管理总局监制")
	f.mark(c, 148.5, 204)
	return title
}

// mark says in the margin that this is a test picture.
func (f *Fonts) mark(c *canvas, x, y float64) {
	c.centered(lettering{face: f.sans, em: 2.3, spacing: 0.3, color: markGrey}, x, y, testMark)
}

// receipt prints the slip of a till.
func (f *Fonts) receipt(c *canvas, l License, rng *rand.Rand) string {
	const title = "购物小票"
	text := lettering{face: f.sans, em: 3.2, color: black}
	c.centered(lettering{face: f.sansBold, em: 5, color: black}, 40, 8, l.Name[:len("示例示例")]+"便利店")
	c.centered(text, 40, 16, title)
	y, total := 24.0, 0
	c.text(text, 5, y, fmt.Sprintf("单号 T%08d   %s", rng.IntN(1e8), l.Issued.Format("2006-01-02")))
	for range 9 + rng.IntN(8) {
		y += 6
		price := 100 + rng.IntN(9900)
		total += price
		c.text(text, 5, y, pick(rng, []string{"测试饼干", "示例牛奶", "测试矿泉水", "示例面包", "测试电池", "示例纸巾", "测试水果"}))
		c.rightAligned(text, 75, y, fmt.Sprintf("%d.%02d", price/100, price%100))
	}
	c.text(lettering{face: f.sansBold, em: 4, color: black}, 5, y+10, "合计")
	c.rightAligned(lettering{face: f.sansBold, em: 4, color: black}, 75, y+10, fmt.Sprintf("%d.%02d", total/100, total%100))
	c.centered(text, 40, y+20, "谢谢惠顾，欢迎再次光临")
	f.mark(c, 40, 164)
	return title
}

// card prints a card with a portrait's place and no person's data.
func (f *Fonts) card(c *canvas, rng *rand.Rand) string {
	const title = "测试卡片"
	rosette(c, point{40, 27}, 22)
	flat := turned(point{}, 0)
	tone := uint8(200 + rng.IntN(30))
	c.quad(flat, box{58, 9, 80, 37}, color.NRGBA{tone, tone - 8, tone + 10, 255})
	head := newShape()
	c.polygon(head, polar(point{69, 19}, 40, func(float64) float64 { return 5.4 })...)
	c.polygon(head, point{60, 37}, point{62, 28}, point{69, 25.5}, point{76, 28}, point{78, 37})
	c.paint(head, color.NRGBA{150, 150, 160, 255})
	label := lettering{face: f.sans, em: 2.6, color: color.NRGBA{60, 110, 170, 255}}
	value := lettering{face: f.sans, em: 3, color: black}
	for i, row := range [][2]string{{"姓名", "测试"}, {"性别", "—  民族  —"}, {"出生", "—  年  —  月  —  日"}, {"住址", pick(rng, cities) + "市示例区测试路"}} {
		c.text(label, 7, 9+7.5*float64(i), row[0])
		c.text(value, 17, 8.8+7.5*float64(i), row[1])
	}
	c.text(label, 7, 45, "号码")
	c.text(lettering{face: f.sansBold, em: 3.6, color: black}, 26, 44.4, "0000 0000 0000 0000")
	f.mark(c, 42.8, 50.5)
	return title
}

// document prints a page of running text.
func (f *Fonts) document(c *canvas, l License, rng *rand.Rand) string {
	title := pick(rng, []string{"情况说明", "授权委托书", "房屋租赁合同", "会议纪要"})
	c.centered(lettering{face: f.serifBold, em: 8, spacing: 2, color: black}, 105, 30, title)
	text := lettering{face: f.serif, em: 4.2, color: black}
	y := 52.0
	for range 5 + rng.IntN(4) {
		body := "　　" + l.Name + "就" + pick(rng, generalScopes) + "有关事项说明如下：本件为测试内容，" + pick(rng, generalScopes) + "，" + pick(rng, generalScopes) + "，特此说明。"
		covered := c.wrapped(text, 28, y, 154, 7.4, body)
		y = covered[3] + 5
	}
	c.rightAligned(text, 180, y+14, l.Name)
	c.rightAligned(text, 180, y+23, printDate(l.Issued))
	if rng.IntN(2) == 0 {
		f.seal(c, point{158, y + 20}, 20, l.Name, rng.Uint64())
	}
	f.mark(c, 105, 288)
	return title
}
