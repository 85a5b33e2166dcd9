package synth

import (
	"image/color"
	"math"
)

// A monitor round the sheet that it shows, in mm of the sheet.
const (
	bezelMM   = 15.0
	toolbarMM = 9.0
)

// emissionSteps is how finely the light of one display pixel is tabulated.
const emissionSteps = 256

// Shares of a display pixel: a subpixel's width, and the height that shines.
const (
	subpixelWidth  = 0.28
	subpixelHeight = 0.82
)

// cameraSpread is the sigma of lens and photosite together, px of the camera.
const cameraSpread = 0.4

// displayBlack is what the backlight leaks through black, of 1.
const displayBlack = 0.006

// display is the monitor's lit area.
func (s Scene) display(lay Layout) box { return lay.edge().grow(s.Margin) }

// monitor paints a viewer's window round the sheet and the bezel round that.
func (c *canvas) monitor(lit box, n noise) {
	fill := func(b box, col color.NRGBA) {
		s := newShape()
		corners := b.corners()
		c.polygon(s, corners[:]...)
		c.paint(s, col)
	}
	fill(lit.grow(bezelMM), color.NRGBA{18, 18, 20, 255})
	fill(lit.grow(0.8), color.NRGBA{6, 6, 7, 255})
	ground := []color.NRGBA{{43, 43, 46, 255}, {230, 231, 233, 255}, {92, 96, 102, 255}}[n.seed%3]
	fill(lit, ground)
	fill(box{lit[0], lit[1], lit[2], lit[1] + toolbarMM}, color.NRGBA{248, 248, 248, 255})
	for i := range 6 {
		x := lit[0] + 8 + 11*float64(i)
		fill(box{x, lit[1] + 2.6, x + 5, lit[1] + 6.4}, color.NRGBA{120, 128, 140, 255})
	}
}

// emission tabulates the light of a display pixel along an axis, mean 1, as a
// camera sees it whose spread is sigma, in display pixels: the harmonics of a
// lit share of the pitch, each damped by the spread's transfer function.
func emission(lit, sigma float64) (table [emissionSteps]float32) {
	for i := range table {
		u := float64(i) / emissionSteps
		sum := 1.0
		for m := 1.0; m <= 4; m++ {
			sum += 2 * math.Sin(math.Pi*m*lit) / (math.Pi * m * lit) * math.Exp(-2*math.Pi*math.Pi*sigma*sigma*m*m) * math.Cos(2*math.Pi*m*(u-0.5))
		}
		table[i] = float32(max(sum, 0))
	}
	return table
}

// sampleDisplay is a photo of a display: the plane holds its pixels, each of
// three stripes; the sensor samples them through its color filter, one channel
// a pixel, and fills the others in from the neighbors. The beat of the two
// grids is the moiré.
func (c Camera) sampleDisplay(plane *canvas, back homography, lit box, d Defect) *frame {
	f := newFrame(c.Width, c.Height)
	columns, rows := emission(subpixelWidth, cameraSpread/d.Pitch), emission(subpixelHeight, cameraSpread/d.Pitch)
	depth := float32(d.Strength)
	width, height := plane.img.Rect.Dx(), plane.img.Rect.Dy()
	for y := range c.Height {
		for x := range c.Width {
			p := back.apply(point{float64(x) + 0.5, float64(y) + 0.5})
			q, k := plane.px(p), filter(x, y)
			o := 3*(y*f.w+x) + k
			if outside(lit, p.x, p.y) > 0 {
				f.pix[o] = plane.sample(q.x-0.5, q.y-0.5)[k]
				continue
			}
			i, j := min(max(int(q.x), 0), width-1), min(max(int(q.y), 0), height-1)
			u, v := q.x-float64(i)-float64(k-1)/3, q.y-float64(j)
			light := columns[int(emissionSteps*(u-math.Floor(u)))%emissionSteps] * rows[int(emissionSteps*v)&(emissionSteps-1)]
			f.pix[o] = displayBlack + linear[plane.img.Pix[j*plane.img.Stride+4*i+k]]*(1-depth+depth*light)
		}
	}
	f.demosaic()
	return f
}

// filter is the channel that the photosite of a Bayer sensor sees: RGGB.
func filter(x, y int) int { return x&1 + y&1 }

// demosaic fills in the channels that a photosite did not see by the weighted
// mean of its neighbors (bilinear).
func (f *frame) demosaic() {
	raw := append([]float32{}, f.pix...)
	for y := range f.h {
		for x := range f.w {
			var sum, weight [3]float32
			for j := max(y-1, 0); j <= min(y+1, f.h-1); j++ {
				for i := max(x-1, 0); i <= min(x+1, f.w-1); i++ {
					k := filter(i, j)
					w := float32((2 - abs(i-x)) * (2 - abs(j-y)))
					sum[k] += w * raw[3*(j*f.w+i)+k]
					weight[k] += w
				}
			}
			o := 3 * (y*f.w + x)
			for k := range sum {
				if k != filter(x, y) {
					f.pix[o+k] = sum[k] / weight[k]
				}
			}
		}
	}
}

func abs(n int) int { return max(n, -n) }
