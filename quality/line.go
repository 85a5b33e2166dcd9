package quality

import (
	"image"
	"math"

	"github.com/disintegration/imaging"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/report"
)

// Script says how high the characters of a line are relative to the em.
type Script int

// The scripts of a license's lines.
const (
	Han    Script = iota // Chinese characters, alone or with others
	Digits               // digits and capitals alone: codes, dates in figures
)

const (
	hanHeight   = 0.90 // of the em: ink of a line of Chinese characters, Song and Hei
	digitHeight = 0.73 // of the em: cap height
	boxHeight   = 1.3  // em: a detector's box, where no ink can be measured

	measuredEm = 24 // px: blur is measured on a line brought to this em, so that it does not depend on the picture's scale

	edgeShare = 0.05 // of the contrast: smaller gradients are texture, not edges of ink

	// A Gaussian edge of height C has integral(G^2)/integral(G) = C/(2 sqrt(pi) sigma).
	gaussianEdge = 0.2821

	acrossWeight = 0.2 // blur across a line harms reading less than blur along it

	maxLineWidth, maxLineHeight = 4096, 512 // px: bound the work for a hostile box
)

// Line measures the text line in quad. Lengths are in pixels of the picture
// given: the caller scales EmPx and EffectiveEmPx to the uploaded picture
// when he measures on a flattened page. A quad without ink has no contrast
// and no blur.
func Line(picture *image.NRGBA, quad ocr.Quad, script Script) report.LineQuality {
	crop, scale := sample(picture, quad)
	box := crop.Bounds()
	top, bottom := inkRows(crop)
	m := report.LineQuality{EmPx: float64(box.Dy()) / boxHeight}
	if bottom > top {
		m.EmPx = (bottom - top) / hanHeight
		if script == Digits {
			m.EmPx = (bottom - top) / digitHeight
		}
		margin := 0.15 * m.EmPx
		box.Min.Y = max(int(top-margin), 0)
		box.Max.Y = min(int(math.Ceil(bottom+margin)), box.Max.Y)
		crop = crop.SubImage(box).(*image.Gray)
	}
	levels := histogram(crop)
	paper, ink := levels.percentile(0.90), levels.percentile(0.10)
	m.Contrast = (paper - ink) / max(paper+ink, 1)

	m.BlurX, m.BlurY = blur(crop, measuredEm/m.EmPx)
	m.BlurQ = math.Sqrt((m.BlurX*m.BlurX + acrossWeight*m.BlurY*m.BlurY) / (1 + acrossWeight))
	if m.BlurQ > softQ {
		m.BlurKind = "defocus"
		if a := m.BlurX / m.BlurY; a > anisotropyAlong || a < anisotropyAcross {
			m.BlurKind = "motion"
		}
	}
	m.EffectiveEmPx = effectiveEm(crop, m.EmPx) / scale
	m.EmPx /= scale
	return m
}

// sample turns the quad upright in grey, one pixel a pixel of the picture; scale
// is below 1 where a box beyond all sizes of text was reduced. Grey is the
// largest of red, green and blue: a red seal over text vanishes in it and
// black ink does not.
func sample(picture *image.NRGBA, q ocr.Quad) (crop *image.Gray, scale float64) {
	width, height := q.Width(), q.Height()
	scale = min(1, maxLineWidth/max(width, 1), maxLineHeight/max(height, 1))
	w, h := max(int(math.Round(width*scale)), 1), max(int(math.Round(height*scale)), 1)
	crop = image.NewGray(image.Rect(0, 0, w, h))
	bounds := picture.Bounds()
	right, low := float64(bounds.Dx()-1), float64(bounds.Dy()-1)
	if right < 0 || low < 0 {
		return crop, scale
	}
	level := func(x, y int) float64 {
		p := picture.Pix[y*picture.Stride+4*x:]
		return float64(max(p[0], p[1], p[2]))
	}
	for j := range h {
		v := (float64(j) + 0.5) / float64(h)
		left := lerp(q[0], q[3], v)
		end := lerp(q[1], q[2], v)
		for i := range w {
			p := lerp(left, end, (float64(i)+0.5)/float64(w))
			x, y := min(max(p.X-0.5, 0), right), min(max(p.Y-0.5, 0), low)
			x0, y0 := int(x), int(y)
			x1, y1 := min(x0+1, int(right)), min(y0+1, int(low))
			fx, fy := x-float64(x0), y-float64(y0)
			a := level(x0, y0)*(1-fx) + level(x1, y0)*fx
			b := level(x0, y1)*(1-fx) + level(x1, y1)*fx
			crop.Pix[j*crop.Stride+i] = uint8(a*(1-fy) + b*fy + 0.5)
		}
	}
	return crop, scale
}

func lerp(a, b ocr.Point, f float64) ocr.Point {
	return ocr.Point{X: a.X + (b.X-a.X)*f, Y: a.Y + (b.Y-a.Y)*f}
}

// inkRows finds the rows from top to bottom that the line's characters fill,
// with fractions; neighbouring lines at the edges of the box are left out.
func inkRows(g *image.Gray) (top, bottom float64) {
	const (
		empty  = 0.35 // of the fullest row: blur's tails and specks
		faint  = 8    // levels: no ink at all below this contrast
		gapped = 0.15 // of the box: what a line of 二 or of broken print may leave empty
	)
	levels := histogram(g)
	paper := levels.percentile(0.90)
	if paper-levels.percentile(0.02) < faint {
		return 0, 0
	}
	w, h := g.Bounds().Dx(), g.Bounds().Dy()
	rows := make([]float64, h)
	fullest, moment, mass := 0.0, 0.0, 0.0
	for y := range h {
		for _, v := range g.Pix[y*g.Stride : y*g.Stride+w] {
			rows[y] += max(paper-float64(v)-faint/2, 0)
		}
		fullest = max(fullest, rows[y])
		moment += rows[y] * float64(y)
		mass += rows[y]
	}
	if mass == 0 {
		return 0, 0
	}
	limit := empty * fullest
	first := int(moment / mass)
	last := first
	at := func(y int) float64 {
		if y < 0 || y >= h {
			return 0
		}
		return rows[y]
	}
	filled := func(y, step int) bool {
		for k := range max(int(gapped*float64(h)), 2) + 1 {
			if at(y+k*step) > limit {
				return true
			}
		}
		return false
	}
	for first > 0 && filled(first-1, -1) {
		first--
	}
	for last < h-1 && filled(last+1, 1) {
		last++
	}
	// The limit is crossed between two rows; each row stands at its middle.
	edge := func(inside, outside float64) float64 {
		if inside <= limit || inside <= outside {
			return 0.5
		}
		return min(max((inside-limit)/(inside-outside), 0), 1)
	}
	top = float64(first) + 0.5 - edge(at(first), at(first-1))
	bottom = float64(last) + 0.5 + edge(at(last), at(last+1))
	return max(top, 0), min(bottom, float64(h))
}

// blur is the standard deviation, in em, of the Gaussian that would smear ink's
// edges as they are, along and across the line, after scaling by factor to
// the measured em.
func blur(g *image.Gray, factor float64) (along, across float64) {
	w := max(int(math.Round(float64(g.Bounds().Dx())*factor)), 1)
	h := max(int(math.Round(float64(g.Bounds().Dy())*factor)), 1)
	filter := imaging.CatmullRom
	if factor < 1 {
		filter = imaging.Box
	}
	scaled := imaging.Resize(g, w, h, filter)
	at := func(x, y int) float64 { return float64(scaled.Pix[y*scaled.Stride+4*x]) }

	levels := make(levels, 256)
	for y := range h {
		for x := range w {
			levels[scaled.Pix[y*scaled.Stride+4*x]]++
		}
	}
	contrast := levels.percentile(0.98) - levels.percentile(0.02)
	if contrast <= 0 {
		return 0, 0
	}
	floor := edgeShare * contrast
	var sumX, sumY, squareX, squareY float64
	for y := 1; y < h-1; y++ {
		for x := 1; x < w-1; x++ {
			dx, dy := (at(x+1, y)-at(x-1, y))/2, (at(x, y+1)-at(x, y-1))/2
			if dx*dx+dy*dy > floor*floor {
				sumX += math.Abs(dx)
				sumY += math.Abs(dy)
				squareX += dx * dx
				squareY += dy * dy
			}
		}
	}
	sigma := func(sum, square float64) float64 {
		if square == 0 {
			return 0
		}
		return gaussianEdge * contrast * sum / square / measuredEm
	}
	return sigma(sumX, squareX), sigma(sumY, squareY)
}

// levels counts the pixels of each grey level.
type levels []int

func histogram(g *image.Gray) levels {
	counts := make(levels, 256)
	b := g.Bounds()
	for y := range b.Dy() {
		for _, v := range g.Pix[y*g.Stride : y*g.Stride+b.Dx()] {
			counts[v]++
		}
	}
	return counts
}

// percentile is the level that the share of all pixels does not exceed.
func (l levels) percentile(share float64) float64 {
	total := 0
	for _, n := range l {
		total += n
	}
	rank := share * float64(total)
	seen := 0
	for v, n := range l {
		seen += n
		if n > 0 && float64(seen) >= rank {
			return float64(v)
		}
	}
	return 0
}
