package page

import (
	"cmp"
	"fmt"
	"image"
	"math"
	"slices"

	"gocv.io/x/gocv"

	"github.com/heyan/heyan/internal/mat"
	"github.com/heyan/heyan/ocr"
)

// Sheets are looked for on a reduced photo. All lengths below are in its pixels.
const (
	searchSidePx = 640 // long side: a side of a sheet is still found to a pixel in 640

	minAreaShare = 0.12 // of the photo; a smaller sheet cannot be read anyway
	maxAreaShare = 0.985
	// minAspect and maxAspect bound the sides' ratio, long over short. Sheets
	// are A3 or A4 (1.41), booklets opened flat 1.3 to 1.5; perspective
	// stretches them.
	minAspect, maxAspect, idealAspect = 1.1, 1.9, math.Sqrt2
	// minTextInside is the share of the text, by area, that a sheet must hold. Where
	// nothing holds as much it must hold minTextBesidePapers, and no more than
	// maxTextAligned of the rest may run along its sides: that is on other papers.
	// maxTextCut is how much of what it holds a side may cut.
	minTextInside, minTextBesidePapers, maxTextAligned, maxTextCut = 0.9, 0.12, 0.4, 0.12
	alignedDegrees                                                 = 6
	besidePapers                                                   = 1.5 // what a score loses there
	// minSupport is the share of the outline that must lie on edges, and
	// minSideSupport that of its worst side.
	minSupport, minSideSupport = 0.55, 0.25
	supportReachPx             = 2 // an edge so near counts
	minSidesRatio              = 0.5
	// The band inside the sides in which a sheet shows its paper, and how near in
	// color, of 255 levels each, it is to the paper round text.
	bandSamples          = 48
	bandDepthPx          = 4
	paperLight, paperHue = 28, 12
)

// find looks for the sheet or its printed frame.
func find(photo *image.NRGBA, text []ocr.Quad) (ocr.Quad, bool, error) {
	s, err := newSearch(photo, text)
	if err != nil {
		return ocr.Quad{}, false, err
	}
	defer s.Close()
	candidates, err := s.candidates()
	if err != nil {
		return ocr.Quad{}, false, err
	}
	best, bestScore := ocr.Quad{}, 0.0
	for _, q := range candidates {
		if score := s.score(q); score > bestScore {
			best, bestScore = q, score
		}
	}
	if bestScore == 0 {
		return ocr.Quad{}, false, nil
	}
	best = s.grown(best)
	for i := range best {
		best[i].X, best[i].Y = (best[i].X+0.5)/s.scale, (best[i].Y+0.5)/s.scale
	}
	return refined(photo, best, 1/s.scale), true, nil
}

// search holds the reduced photo's edges.
type search struct {
	w, h  int
	scale float64    // pixels a pixel of the photo
	lab   []gocv.Mat // lightness, two colour axes, saturation
	edges gocv.Mat   // union over the channels, thick by supportReachPx
	text  []ocr.Quad
	paper []sheetColor
}

func (s *search) Close() {
	for _, m := range s.lab {
		m.Close()
	}
	s.edges.Close()
}

func newSearch(photo *image.NRGBA, text []ocr.Quad) (*search, error) {
	w, h := photo.Rect.Dx(), photo.Rect.Dy()
	scale := math.Min(1, searchSidePx/float64(max(w, h)))
	source, err := mat.View(photo)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	small := gocv.NewMat()
	defer small.Close()
	size := image.Pt(max(int(float64(w)*scale), 1), max(int(float64(h)*scale), 1))
	if err := gocv.Resize(source, &small, size, 0, 0, gocv.InterpolationArea); err != nil {
		return nil, fmt.Errorf("page: resize: %w", err)
	}
	s := &search{w: small.Cols(), h: small.Rows(), scale: scale, edges: gocv.Zeros(small.Rows(), small.Cols(), gocv.MatTypeCV8UC1)}
	rgb, lab, hsv := gocv.NewMat(), gocv.NewMat(), gocv.NewMat()
	defer rgb.Close()
	defer lab.Close()
	defer hsv.Close()
	err = cmp.Or(
		gocv.CvtColor(small, &rgb, gocv.ColorRGBAToBGR),
		gocv.CvtColor(rgb, &lab, gocv.ColorBGRToLab),
		gocv.CvtColor(rgb, &hsv, gocv.ColorBGRToHSV))
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("page: colours: %w", err)
	}
	s.lab = gocv.Split(lab)
	channels := gocv.Split(hsv)
	channels[0].Close()
	channels[2].Close()
	s.lab = append(s.lab, channels[1])
	for _, q := range text {
		for i := range q {
			q[i].X, q[i].Y = q[i].X*scale, q[i].Y*scale
		}
		s.text = append(s.text, q)
	}
	s.findPaper()
	return s, nil
}

// cannySettings are the two sensitivities, as factors of the channel's spread of
// gradients: the first for clean backgrounds, the second for faint sheet edges.
var cannySettings = []float64{1.3, 0.6}

// candidates are convex quadrilaterals out of the contours of every channel, by
// edges and by threshold.
func (s *search) candidates() ([]ocr.Quad, error) {
	kernel := gocv.GetStructuringElement(gocv.MorphRect, image.Pt(5, 5))
	defer kernel.Close()
	reach := gocv.GetStructuringElement(gocv.MorphRect, image.Pt(2*supportReachPx+1, 2*supportReachPx+1))
	defer reach.Close()
	blurred, mask, closed := gocv.NewMat(), gocv.NewMat(), gocv.NewMat()
	defer blurred.Close()
	defer mask.Close()
	defer closed.Close()

	var found []ocr.Quad
	collect := func() error {
		if err := gocv.MorphologyEx(mask, &closed, gocv.MorphClose, kernel); err != nil {
			return err
		}
		found = append(found, s.quads(closed)...)
		return nil
	}
	for _, channel := range s.lab {
		if err := gocv.GaussianBlur(channel, &blurred, image.Pt(5, 5), 0, 0, gocv.BorderReplicate); err != nil {
			return nil, fmt.Errorf("page: blur: %w", err)
		}
		spread := gradientSpread(blurred)
		for i, factor := range cannySettings {
			high := float32(math.Max(spread*factor, 8))
			if err := cmp.Or(gocv.Canny(blurred, &mask, high/2, high), collect()); err != nil {
				return nil, fmt.Errorf("page: edges: %w", err)
			}
			if i == len(cannySettings)-1 {
				if err := gocv.BitwiseOr(s.edges, mask, &s.edges); err != nil {
					return nil, fmt.Errorf("page: edges: %w", err)
				}
			}
		}
		gocv.Threshold(blurred, &mask, 0, 255, gocv.ThresholdBinary+gocv.ThresholdOtsu)
		if err := collect(); err != nil {
			return nil, fmt.Errorf("page: threshold: %w", err)
		}
		if err := cmp.Or(gocv.BitwiseNot(mask, &mask), collect()); err != nil {
			return nil, fmt.Errorf("page: threshold: %w", err)
		}
	}
	if err := gocv.Dilate(s.edges, &s.edges, reach); err != nil {
		return nil, fmt.Errorf("page: dilate: %w", err)
	}
	return found, nil
}

// gradientSpread is four times the mean step between neighbouring pixels: the
// height of an edge that stands out of the channel's texture.
func gradientSpread(channel gocv.Mat) float64 {
	pixels, err := channel.DataPtrUint8()
	if err != nil || len(pixels) < 2 {
		return 0
	}
	sum := 0
	for i := 1; i < len(pixels); i++ {
		step := int(pixels[i]) - int(pixels[i-1])
		sum += max(step, -step)
	}
	return 16 * float64(sum) / float64(len(pixels))
}

// quads are the mask's contours that are four-sided, and the four-sided hulls of
// large contours that are not.
func (s *search) quads(mask gocv.Mat) []ocr.Quad {
	contours := gocv.FindContours(mask, gocv.RetrievalList, gocv.ChainApproxSimple)
	defer contours.Close()
	var found []ocr.Quad
	for i := range contours.Size() {
		contour := contours.At(i)
		box := gocv.BoundingRect(contour)
		if float64(box.Dx()*box.Dy()) < minAreaShare*float64(s.w*s.h) {
			continue
		}
		indexes := gocv.NewMat()
		gocv.ConvexHull(contour, &indexes, false, true)
		points := make([]image.Point, 0, indexes.Rows())
		for r := range indexes.Rows() {
			v := indexes.GetVeciAt(r, 0)
			points = append(points, image.Pt(int(v[0]), int(v[1])))
		}
		indexes.Close()
		hull := gocv.NewPointVectorFromPoints(points)
		perimeter := gocv.ArcLength(hull, true)
		for _, tolerance := range []float64{0.01, 0.02, 0.04, 0.07} {
			approx := gocv.ApproxPolyDP(hull, tolerance*perimeter, true)
			corners := approx.ToPoints()
			approx.Close()
			if len(corners) == 4 {
				found = append(found, ordered(corners))
				break
			}
		}
		hull.Close()
	}
	return found
}

// ordered starts at the corner nearest to the top left and goes clockwise.
func ordered(points []image.Point) ocr.Quad {
	var q ocr.Quad
	cx, cy := 0.0, 0.0
	for i, p := range points {
		q[i] = ocr.Point{X: float64(p.X), Y: float64(p.Y)}
		cx, cy = cx+q[i].X/4, cy+q[i].Y/4
	}
	angle := func(p ocr.Point) float64 { return math.Atan2(p.Y-cy, p.X-cx) }
	slices.SortFunc(q[:], func(a, b ocr.Point) int { return cmp.Compare(angle(a), angle(b)) })
	first := 0
	for i, p := range q {
		if p.X+p.Y < q[first].X+q[first].Y {
			first = i
		}
	}
	return ocr.Quad{q[first], q[(first+1)%4], q[(first+2)%4], q[(first+3)%4]}
}

// score tells how much a quad looks like the sheet: 0 when it cannot be.
func (s *search) score(q ocr.Quad) float64 {
	share := area(q) / float64(s.w*s.h)
	if share < minAreaShare || share > maxAreaShare {
		return 0
	}
	ratio := func(a, b float64) float64 { return math.Min(a, b) / math.Max(math.Max(a, b), 1) }
	opposite := math.Min(ratio(dist(q[0], q[1]), dist(q[3], q[2])), ratio(dist(q[0], q[3]), dist(q[1], q[2])))
	if opposite < minSidesRatio {
		return 0
	}
	aspect := 1 / ratio(q.Width(), q.Height())
	if aspect < minAspect || aspect > maxAspect {
		return 0
	}
	inside, cut, aligned := s.textInside(q)
	if inside < minTextBesidePapers || cut > maxTextCut*inside || inside < minTextInside && aligned > maxTextAligned*(1-inside) {
		return 0
	}
	support, worst := s.support(q)
	if support < minSupport || worst < minSideSupport {
		return 0
	}
	score := support + 0.5*worst + inside + 0.5*opposite + 0.1*share + s.paperInside(q) - 0.5*math.Abs(math.Log(aspect/idealAspect))
	if inside < minTextInside {
		score = math.Max(score-besidePapers, 0)
	}
	return score
}

// support is the share of the outline on edges, and that of the worst side.
func (s *search) support(q ocr.Quad) (mean, worst float64) {
	worst = 1
	for i := range 4 {
		a, b := q[i], q[(i+1)%4]
		n := max(int(dist(a, b)), 1)
		hits := 0
		for k := range n {
			f := (float64(k) + 0.5) / float64(n)
			if s.edge(ocr.Point{X: a.X + (b.X-a.X)*f, Y: a.Y + (b.Y-a.Y)*f}) {
				hits++
			}
		}
		side := float64(hits) / float64(n)
		mean += side / 4
		worst = math.Min(worst, side)
	}
	return mean, worst
}

// textInside is the share of the text's area whose lines begin and end inside the
// quad and its margin, of those that only do one of the two, and of the others that
// run along its sides; 1 without any text.
func (s *search) textInside(q ocr.Quad) (inside, cut, aligned float64) {
	along := direction(q[0], q[1])
	center := q.Center()
	for i := range q {
		q[i].X += (q[i].X - center.X) * 2 * margin
		q[i].Y += (q[i].Y - center.Y) * 2 * margin
	}
	all := 0.0
	for _, line := range s.text {
		size := line.Width() * line.Height()
		all += size
		switch from, to := contains(q, middle(line[0], line[3])), contains(q, middle(line[1], line[2])); {
		case from && to:
			inside += size
		case from || to:
			cut += size
		case math.Abs(math.Remainder(direction(line[0], line[1])-along, 90)) < alignedDegrees:
			aligned += size
		}
	}
	if all == 0 {
		return 1, 0, 0
	}
	return inside / all, cut / all, aligned / all
}

// direction is the angle from a to b in degrees.
func direction(a, b ocr.Point) float64 { return math.Atan2(b.Y-a.Y, b.X-a.X) * 180 / math.Pi }

// paperInside is the share of a band along the quad's sides, just inside, that has
// the color of the paper round the nearest text: a frame or folder has not.
func (s *search) paperInside(q ocr.Quad) float64 {
	center := q.Center()
	hits, all := 0, 0
	for i := range 4 {
		a, b := q[i], q[(i+1)%4]
		for k := range bandSamples {
			f := (float64(k) + 0.5) / bandSamples
			p := ocr.Point{X: a.X + (b.X-a.X)*f, Y: a.Y + (b.Y-a.Y)*f}
			d := bandDepthPx / math.Max(dist(p, center), 1)
			p = ocr.Point{X: p.X + (center.X-p.X)*d, Y: p.Y + (center.Y-p.Y)*d}
			if p.X < 0 || p.Y < 0 || p.X >= float64(s.w) || p.Y >= float64(s.h) {
				continue
			}
			all++
			if s.isPaper(p) {
				hits++
			}
		}
	}
	return float64(hits) / float64(max(all, 1))
}

// isPaper says that a place has the color of the paper round the nearest text.
func (s *search) isPaper(p ocr.Point) bool {
	c, ok := s.color(p)
	if !ok || len(s.paper) == 0 {
		return false
	}
	near := s.paperAt(p)
	return math.Abs(c[0]-near[0]) < paperLight && math.Hypot(c[1]-near[1], c[2]-near[2]) < paperHue
}

// edge says that there is an edge at a place, in any channel. Those of the photo
// itself are no evidence.
func (s *search) edge(p ocr.Point) bool {
	x, y := int(p.X), int(p.Y)
	return x >= 2 && y >= 2 && x < s.w-2 && y < s.h-2 && s.edges.GetUCharAt(y, x) > 0
}

// sheetColor is the color of paper at a place.
type sheetColor struct {
	at    ocr.Point
	color [3]float64
}

// paperAt is the color of the paper round the text nearest to a place.
func (s *search) paperAt(p ocr.Point) [3]float64 {
	best := s.paper[0]
	for _, c := range s.paper {
		if dist(c.at, p) < dist(best.at, p) {
			best = c
		}
	}
	return best.color
}

// color is lightness and the two color axes, 0..255, of a pixel.
func (s *search) color(p ocr.Point) (c [3]float64, ok bool) {
	x, y := int(p.X), int(p.Y)
	if x < 0 || y < 0 || x >= s.w || y >= s.h {
		return c, false
	}
	for k := range c {
		c[k] = float64(s.lab[k].GetUCharAt(y, x))
	}
	return c, true
}

// findPaper takes the lightest color round each line of text for its paper.
func (s *search) findPaper() {
	for _, line := range s.text {
		center := line.Center()
		best := sheetColor{at: center}
		for _, side := range [][2]ocr.Point{{line[0], line[1]}, {line[3], line[2]}} {
			for k := range 5 {
				f := (float64(k) + 0.5) / 5
				p := ocr.Point{X: side[0].X + (side[1].X-side[0].X)*f, Y: side[0].Y + (side[1].Y-side[0].Y)*f}
				if c, ok := s.color(p); ok && c[0] > best.color[0] {
					best.color = c
				}
			}
		}
		if best.color[0] > 0 {
			s.paper = append(s.paper, best)
		}
	}
}

func middle(a, b ocr.Point) ocr.Point { return ocr.Point{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2} }

// contains tells whether a point lies inside a convex, clockwise quad.
func contains(q ocr.Quad, p ocr.Point) bool {
	for i := range 4 {
		a, b := q[i], q[(i+1)%4]
		if (b.X-a.X)*(p.Y-a.Y)-(b.Y-a.Y)*(p.X-a.X) < 0 {
			return false
		}
	}
	return true
}

// area is a quad's by the shoelace formula.
func area(q ocr.Quad) float64 {
	sum := 0.0
	for i := range 4 {
		a, b := q[i], q[(i+1)%4]
		sum += a.X*b.Y - b.X*a.Y
	}
	return math.Abs(sum) / 2
}
