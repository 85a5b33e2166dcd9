package eval

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
)

// resamples is how often the bootstrap draws.
const resamples = 1000

// bootstrap is the interval of 95 % of a statistic by percentiles, drawing whole
// groups: pictures of one license are not independent.
func bootstrap[T any](items []T, group func(T) string, stat func([]T) float64) (low, high float64) {
	byGroup := map[string][]T{}
	var names []string
	for _, item := range items {
		name := group(item)
		if byGroup[name] == nil {
			names = append(names, name)
		}
		byGroup[name] = append(byGroup[name], item)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, 0, resamples)
	for range resamples {
		var drawn []T
		for range names {
			drawn = append(drawn, byGroup[names[rng.IntN(len(names))]]...)
		}
		if v := stat(drawn); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	return quantile(values, 0.025), quantile(values, 0.975)
}

// risk is a page's probability that a required field cannot be read, and whether
// one was not.
type risk struct {
	license     string
	probability float64
	lost        bool
}

// auc is the area under the ROC curve: the chance that a lost page has the higher
// probability of the two, ties counted half (Mann and Whitney). NaN without both
// kinds.
func auc(risks []risk) float64 {
	sorted := slices.SortedFunc(slices.Values(risks), func(a, b risk) int { return cmp.Compare(a.probability, b.probability) })
	lost, below, pairs := 0.0, 0.0, 0.0 // below: legible pages of lower probability
	for i := 0; i < len(sorted); {
		j, tiedLost := i, 0.0
		for ; j < len(sorted) && sorted[j].probability == sorted[i].probability; j++ {
			if sorted[j].lost {
				tiedLost++
			}
		}
		tiedLegible := float64(j-i) - tiedLost
		pairs += tiedLost * (below + tiedLegible/2)
		lost, below, i = lost+tiedLost, below+tiedLegible, j
	}
	return pairs / (lost * below)
}

// bins of equal mass are taken for the calibration error.
const bins = 10

// ece is the expected calibration error: how far the mean probability of a bin is
// from its share of lost pages, weighed by pages.
func ece(risks []risk) float64 {
	sorted := slices.SortedFunc(slices.Values(risks), func(a, b risk) int { return cmp.Compare(a.probability, b.probability) })
	sum := 0.0
	for b := range bins {
		gap := 0.0
		for _, r := range sorted[b*len(sorted)/bins : (b+1)*len(sorted)/bins] {
			gap += r.probability
			if r.lost {
				gap--
			}
		}
		sum += math.Abs(gap)
	}
	return sum / float64(len(sorted))
}

// acceptedLost is the share of unreadable pages that may be accepted.
const acceptedLost = 0.05

// rejected is the share of legible pages above the probability below which
// acceptedLost of the lost ones are accepted.
func rejected(risks []risk) Rate {
	var lost []float64
	for _, r := range risks {
		if r.lost {
			lost = append(lost, r.probability)
		}
	}
	limit := math.Inf(1)
	if len(lost) > 0 {
		slices.Sort(lost)
		limit = lost[int(acceptedLost*float64(len(lost)))]
	}
	var rate Rate
	for _, r := range risks {
		if !r.lost {
			rate.count(r.probability >= limit)
		}
	}
	return rate
}

// overlap is the intersection over union of two convex, clockwise polygons; both
// cut to the picture, beyond which nobody sees a sheet.
func overlap(a, b report.Polygon, width, height float64) float64 {
	picture := report.Polygon{{0, 0}, {width, 0}, {width, height}, {0, height}}
	a, b = intersection(a, picture), intersection(b, picture)
	both := area(intersection(a, b))
	if either := area(a) + area(b) - both; either > 0 {
		return both / either
	}
	return 0
}

// intersection cuts a polygon to a convex, clockwise one (Sutherland and Hodgman).
func intersection(subject, clip report.Polygon) report.Polygon {
	for i, a := range clip {
		b := clip[(i+1)%len(clip)]
		side := func(p report.Point) float64 { return (b[0]-a[0])*(p[1]-a[1]) - (b[1]-a[1])*(p[0]-a[0]) }
		var kept report.Polygon
		for j, p := range subject {
			q := subject[(j+1)%len(subject)]
			sp, sq := side(p), side(q)
			if sp >= 0 {
				kept = append(kept, p)
			}
			if (sp >= 0) != (sq >= 0) {
				t := sp / (sp - sq)
				kept = append(kept, report.Point{p[0] + t*(q[0]-p[0]), p[1] + t*(q[1]-p[1])})
			}
		}
		subject = kept
	}
	return subject
}

// area is a polygon's by the shoelace formula.
func area(p report.Polygon) float64 {
	sum := 0.0
	for i, a := range p {
		b := p[(i+1)%len(p)]
		sum += a[0]*b[1] - b[0]*a[1]
	}
	return math.Abs(sum) / 2
}
