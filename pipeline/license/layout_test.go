package license

import (
	"math"

	"github.com/heyan/heyan/ocr"
)

// sheet lays out lines of text as a reader would find them on a printed sheet.
// All names, numbers and places on it are invented.
type sheet struct {
	lines         []ocr.Line
	width, height float64
	characters    bool    // give each character its place
	offset        float64 // of values below their labels, em
}

func newSheet(width, height float64) *sheet {
	return &sheet{width: width, height: height, characters: true}
}

// print adds one line with its left end at x, its middle at y and characters of
// em pixels.
func (s *sheet) print(x, y, em float64, text string) *sheet {
	width := 0.0
	for _, r := range text {
		width += advance(r) * em
	}
	h := 1.2 * em
	line := ocr.Line{Text: text, Confidence: 0.98, Quad: ocr.Quad{{X: x, Y: y - h/2}, {X: x + width, Y: y - h/2}, {X: x + width, Y: y + h/2}, {X: x, Y: y + h/2}}}
	at := 0.0
	for _, r := range text {
		line.Characters = append(line.Characters, ocr.Character{Text: string(r), Confidence: 0.98, Center: (at + advance(r)*em/2) / width})
		at += advance(r) * em
	}
	if !s.characters {
		line.Characters = nil
	}
	s.lines = append(s.lines, line)
	return s
}

// spaced prints the characters of a label apart, so that it is width wide.
func (s *sheet) spaced(x, y, em, width float64, text string) *sheet {
	runes := []rune(text)
	if len(runes) > 3 {
		return s.print(x, y, em, text)
	}
	step := (width - em) / float64(len(runes)-1)
	for i, r := range runes {
		s.print(x+float64(i)*step, y, em, string(r))
	}
	return s
}

// stack prints characters under one another as one tall box.
func (s *sheet) stack(x, top, em, pitch float64, text string) *sheet {
	h := pitch*float64(len([]rune(text))-1) + em
	s.lines = append(s.lines, ocr.Line{Text: text, Confidence: 0.97, Quad: ocr.Quad{{X: x, Y: top}, {X: x + em, Y: top}, {X: x + em, Y: top + h}, {X: x, Y: top + h}}})
	return s
}

// field prints a label and the lines of its value beside it.
func (s *sheet) field(x, y, em, labelWidth, pitch float64, label string, value ...string) *sheet {
	s.spaced(x, y, em, labelWidth, label)
	for i, v := range value {
		s.print(x+labelWidth+0.3*em, y+s.offset*em+float64(i)*pitch, 0.9*em, v)
	}
	return s
}

// turn rotates the sheet by degrees, clockwise.
func (s *sheet) turn(degrees float64) *sheet {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return s.move(func(p ocr.Point) ocr.Point {
		x, y := p.X-s.width/2, p.Y-s.height/2
		return ocr.Point{X: s.width/2 + x*cos - y*sin, Y: s.height/2 + x*sin + y*cos}
	})
}

// fan makes the lines slope down to the right at the top and up at the bottom,
// each end by the fraction of the height, as a sheet seen from the left.
func (s *sheet) fan(fraction float64) *sheet {
	return s.move(func(p ocr.Point) ocr.Point {
		squeeze := 1 - 2*fraction*p.X/s.width
		return ocr.Point{X: p.X, Y: s.height/2 + (p.Y-s.height/2)*squeeze}
	})
}

func (s *sheet) move(to func(ocr.Point) ocr.Point) *sheet {
	for i := range s.lines {
		for j, p := range s.lines[i].Quad {
			s.lines[i].Quad[j] = to(p)
		}
	}
	return s
}

func (s *sheet) read() Reading { return Extract(s.lines, int(s.width), int(s.height)) }

const testCode = "91440300MA5TE0T01G" // well formed; its check characters are not right

// landscape2019 is a company's duplicate of the 2019 edition.
func landscape2019(s *sheet) *sheet {
	s.print(560, 180, 70, "营业执照").print(620, 250, 24, "（副  本）").print(780, 250, 18, "(1-1)")
	s.print(160, 170, 20, "统一社会信用代码").print(160, 205, 20, testCode)
	s.print(1150, 160, 14, "扫描二维码登录").print(1150, 180, 14, "“国家企业信用").print(1150, 200, 14, "信息公示系统”").print(1150, 220, 14, "了解更多登记、")
	s.field(140, 340, 24, 130, 28, "名称", "示例市春日（集团）贸易有限公司")
	s.field(140, 395, 24, 130, 28, "类型", "有限责任公司（自然人投资或控股）")
	s.field(140, 450, 24, 130, 28, "法定代表人", "张三丰")
	s.field(140, 505, 24, 130, 28, "经营范围", "一般项目：日用百货销售；纸制品销售。许可项", "目：食品经营（凭许可证经营）。（依法须经批准", "的项目，经相关部门批准后方可开展经营活动）")
	s.field(760, 340, 24, 130, 28, "注册资本", "壹佰万元整")
	s.field(760, 395, 24, 130, 28, "成立日期", "2019年09月16日")
	s.field(760, 450, 24, 130, 28, "营业期限", "2019年09月16日至2039年09月15日")
	s.field(760, 505, 24, 130, 28, "住所", "示例省示例市示例区春日大道88号春日大厦", "3栋1201室")
	s.print(860, 700, 24, "登记机关").print(1000, 700, 20, "示例市市场监督管理局").print(960, 780, 22, "2019年09月16日")
	s.print(160, 930, 16, "国家企业信用信息公示系统网址：http://www.gsxt.gov.cn").print(700, 925, 16, "市场主体应当于每年1月1日至6月30日通过").print(1100, 930, 16, "国家市场监督管理总局监制")
	return s
}

// portrait2014 is a company's duplicate of the 2014 edition, its short labels
// found as two columns of characters.
func portrait2014(s *sheet) *sheet {
	s.print(250, 260, 100, "营业执照").print(400, 350, 30, "（副本）").print(560, 345, 24, "1-1")
	s.print(440, 410, 24, "统一社会信用代码 "+testCode)
	s.stack(150, 470, 28, 40, "名类住").stack(270, 470, 28, 40, "称型所")
	s.print(310, 484, 24, "示例市秋山科技有限公司").print(310, 524, 24, "有限责任公司(自然人独资)").print(310, 564, 24, "示例市示例区秋山路6号")
	s.field(150, 604, 28, 148, 26, "法定代表人", "李四")
	s.field(150, 644, 28, 148, 26, "注册资本", "500.0000万元整")
	s.field(150, 684, 28, 148, 26, "成立日期", "2015年3月5日")
	s.field(150, 724, 28, 148, 26, "营业期限", "2015年3月5日至******")
	s.field(150, 764, 28, 148, 26, "经营范围", "电子产品的技术开发、销售，凭许可证经营的除", "外。")
	s.print(520, 1080, 28, "登记机关").print(640, 1150, 24, "2016").print(740, 1150, 24, "04").print(820, 1150, 24, "01").print(720, 1120, 24, "年月日")
	s.print(60, 1240, 20, "企业信用信息公示系统网址：").print(520, 1240, 20, "中华人民共和国国家工商行政管理总局监制")
	return s
}

// landscapeOld is a duplicate of before 2014: two pages, values printed higher
// than their labels, dates in Chinese numerals, a notice on the right.
func landscapeOld(s *sheet) *sheet {
	s.offset = -0.55
	s.print(150, 120, 60, "企业法人营业执照").print(320, 190, 26, "（副 本）")
	s.print(330, 250, 26, "注册号").print(430, 250, 24, "440301100000016")
	s.stack(100, 300, 28, 60, "名住").stack(272, 300, 28, 60, "称所")
	s.print(310, 298, 25, "示例市夏川电子有限公司").print(310, 358, 25, "示例市示例区夏川街9号")
	s.field(100, 434, 28, 200, 30, "法定代表人姓名", "王五六")
	s.field(100, 494, 28, 200, 30, "注册资本", "人民币伍拾万元")
	s.field(100, 554, 28, 200, 30, "实收资本", "人民币壹拾万元")
	s.field(100, 614, 28, 200, 30, "公司类型", "有限责任公司")
	s.field(100, 674, 28, 200, 30, "经营范围", "电子产品的销售；货物进出口（法律、行政法规禁止", "的项目除外）。")
	s.field(100, 860, 28, 200, 30, "成立日期", "二〇〇九年三月廿一日")
	s.field(100, 920, 28, 200, 30, "营业期限", "自二〇〇九年三月廿一日至二〇一九年三月二十日")
	s.print(1100, 120, 28, "须知")
	for i, text := range []string{"1.《企业法人营业执照》是企业法人资格和合法经营的凭证。", "2.《企业法人营业执照》分为正本和副本，具有同等法律效力。", "5.登记事项发生变化，应当向公司登记机关申请变更登记。"} {
		s.print(860, 180+float64(i)*36, 20, text)
	}
	s.print(1020, 420, 26, "年度检验情况").print(860, 900, 20, "证照编号28000000200812050107")
	return s
}

// individual is an original of an individual household of the 2019 edition.
func individual(s *sheet) *sheet {
	s.print(560, 180, 70, "营业执照").print(160, 170, 20, "统一社会信用代码").print(160, 205, 20, "92440300MA5TE0T02E")
	s.field(140, 340, 24, 130, 28, "名称", "示例区冬雪面馆")
	s.field(140, 395, 24, 130, 28, "类型", "个体工商户")
	s.field(140, 450, 24, 130, 28, "经营者", "赵六")
	s.field(140, 505, 24, 130, 28, "经营范围", "餐饮服务")
	s.field(760, 340, 24, 130, 28, "组成形式", "个人经营")
	s.field(760, 395, 24, 130, 28, "注册日期", "2020年7月8日")
	s.field(760, 450, 24, 130, 28, "经营场所", "示例市示例区冬雪巷1号")
	s.print(860, 700, 24, "登记机关").print(960, 780, 22, "2020年07月08日").print(1100, 930, 16, "国家市场监督管理总局监制")
	return s
}

// permit is a food permit: another certificate with labels of the same words.
func permit(s *sheet) *sheet {
	s.print(420, 120, 60, "食品经营许可证").print(560, 190, 26, "（副本）")
	s.print(160, 260, 22, "经营者名称：示例区冬雪面馆").print(760, 260, 22, "许可证编号：JY24403000000000")
	s.print(160, 310, 22, "统一社会信用代码：92440300MA5TE0T02E").print(160, 360, 22, "法定代表人（负责人）：赵六")
	s.print(160, 410, 22, "住所：示例市示例区冬雪巷1号").print(160, 460, 22, "经营场所：示例市示例区冬雪巷1号").print(160, 510, 22, "经营项目：热食类食品制售")
	s.print(760, 560, 22, "发证机关：示例市市场监督管理局").print(760, 610, 22, "有效期至 2025年1月1日")
	return s
}
