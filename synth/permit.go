package synth

import (
	"fmt"
	"image"
	"math/rand/v2"

	"github.com/heyan/heyan/pipeline/report"
)

// PermitTitle is what the other certificate is called.
const PermitTitle = "食品经营许可证"

// Permit prints an invented food permit: a certificate with a frame, a seal and
// an organization's code that is not a business license. Its layout has no
// fields.
func (f *Fonts) Permit(rng *rand.Rand, widthPx int) (*image.NRGBA, Layout, error) {
	l := Random(rng, report.Edition2019Landscape, Company)
	c := newCanvas(longSideMM, shortSideMM, float64(widthPx)/longSideMM, white)
	frame := box{14, 14, 283, 194}
	lay := Layout{WidthMM: longSideMM, HeightMM: shortSideMM, Frame: frame, EmMM: 4.2}
	rosette(c, point{148.5, 110}, 60)
	keyFrame(c, frame)
	c.centered(lettering{face: f.serifBold, em: 15, spacing: 4, color: vermeil}, 148.5, 30, PermitTitle)

	label := lettering{face: f.serifBold, em: lay.EmMM, color: black}
	value := lettering{face: f.serif, em: lay.EmMM, color: black}
	rows := func(x, valueX, width float64, items [][2]string) {
		y := 62.0
		for _, it := range items {
			c.text(label, x, y, it[0]+"：")
			covered := c.wrapped(value, valueX, y, width, 5.2, it[1])
			y += 13 + max(0, covered[3]-covered[1]-11)
		}
	}
	rows(32, 62, 84, [][2]string{
		{"经营者名称", l.Name},
		{"社会信用代码", l.USCC},
		{"法定代表人", l.Person},
		{"住所", l.Address},
		{"经营场所", l.Address},
		{"主体业态", "食品销售经营者"},
		{"经营项目", "预包装食品销售，散装食品销售"},
	})
	rows(160, 196, 70, [][2]string{
		{"许可证编号", fmt.Sprintf("JY1%013d", rng.Int64N(1e13))},
		{"日常监管机构", l.Authority},
		{"投诉举报电话", "12315"},
		{"发证机关", l.Authority},
		{"签发人", string([]rune{pick(rng, surnames), pick(rng, given), pick(rng, given2)})},
		{"有效期至", printDate(l.Issued.AddDate(5, 0, -1))},
	})
	f.seal(c, point{236, 158}, 20, l.Authority, rng.Uint64())
	c.centered(value, 236, 172, printDate(l.Issued))
	c.centered(lettering{face: f.sans, em: 3.3, color: black}, 148.5, 197.5, "国家市场监督管理总局监制")
	c.centered(lettering{face: f.sans, em: 2.3, spacing: 0.3, color: markGrey}, 148.5, 204, testMark)
	return c.img, lay, nil
}
