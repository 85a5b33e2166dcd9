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
	// maxAspect bounds the sides' ratio, long over short. Sheets are A3 or A4
	// (1.41), booklets opened flat 1.3 to 1.5; perspective stretches them, and
	// shortens them to a square.
	maxAspect, idealAspect = 1.9, math.Sqrt2
	// minTextInside is the share of the text, by area, that a sheet must hold. One that
	// holds less must hold minTextBesidePapers that runs along its sides, and of the
	// rest, which is on other papers, no more than maxTextBeyond may do so.
	// maxTextCut is how much of what it holds a side may cut. Where more than
	// maxTextAskew of its own text does not run along the sides next to it, one of them
	// is no side.
	minTextInside, minTextBesidePapers, maxTextBeyond, maxTextCut = 0.9, 0.12, 0.6, 0.12
	maxTextAskew, alignedDegrees                                  = 0.2, 6
	// minSupport is the share of the outline that must lie on edges, and
	// minSideSupport that of its worst side.
	minSupport, minSideSupport = 0.55, 0.25
	supportReachPx             = 2 // an edge so near counts
	minSidesRatio              = 0.5
	// A side within openReachPx of the photo's own is open: the sheet goes on beyond it.
	// More than maxOpenSides of them, or less than minOpenSupport of the others on edges,
	// make no sheet, and one that takes more than maxOpenShare of the photo gains nothing
	// by being cut out. besideOpen is what a score loses by them.
	openReachPx, maxOpenSides                = 3.0, 2
	minOpenSupport, maxOpenShare, besideOpen = 0.8, 0.7, 0.5
	// The band inside the sides in which a sheet shows its paper, and how near in
	// color, of 255 levels each, it is to the paper round text.
	bandSamples          = 48
	bandDepthPx          = 4
	paperLight, paperHue = 28, 12
)

// find looks for the sheet or its printed frame; where the photo as it is gives none
// that is sure, with what the texture of a display hides.
func find(photo *image.NRGBA, text []ocr.Quad) (ocr.Quad, bool, error) {
	best, bestScore := ocr.Quad{}, 0.0
	for _, blur := range searchBlurs {
		quad, score, err := findBlurred(photo, text, blur)
		if err != nil {
			return ocr.Quad{}, false, err
		}
		if score > bestScore {
			best, bestScore = quad, score
		}
		if bestScore > sureScore {
			break
		}
	}
	return best, bestScore > 0, nil
}

// findBlurred looks on the blurred photo and gives the sheet's score too, 0 for none.
func findBlurred(photo *image.NRGBA, text []ocr.Quad, sigma float64) (ocr.Quad, float64, error) {
	s, err := newSearch(photo, text, sigma)
	if err != nil {
		return ocr.Quad{}, 0, err
	}
	defer s.Close()
	candidates, err := s.candidates()
	if err != nil {
		return ocr.Quad{}, 0, err
	}
	best, bestScore := ocr.Quad{}, 0.0
	for _, q := range candidates {
		if score := s.score(q); score > bestScore {
			best, bestScore = q, score
		}
	}
	if bestScore == 0 {
		return ocr.Quad{}, 0, nil
	}
	if !s.framed(best, candidates) {
		best = s.grown(best)
	}
	for i := range best {
		best[i].X, best[i].Y = (best[i].X+0.5)/s.scale, (best[i].Y+0.5)/s.scale
	}
	return refined(photo, best, 1/s.scale), bestScore, nil
}

// searchBlurs are the sigmas in pixels of the reduced photo with which it is searched:
// the second is wide enough for the stripes of a display. Above
// sureScore the next is not tried: 315 of the 342 sheets of eval-quality score more that
// are found to an IoU of 0.97.
var searchBlurs = []float64{0, 3}

const sureScore = 3.4

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

func newSearch(photo *image.NRGBA, text []ocr.Quad, blur float64) (*search, error) {
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
	if blur > 0 {
		if err := gocv.GaussianBlur(small, &small, image.Point{}, blur, blur, gocv.BorderReplicate); err != nil {
			return nil, fmt.Errorf("page: blur: %w", err)
		}
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
