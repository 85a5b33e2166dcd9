package eval

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Forecast is a predicted probability and what became of it.
type Forecast struct {
	P    float64
	Lost bool
}

// outcome is 1 for what was lost.
func (f Forecast) outcome() float64 {
	if f.Lost {
		return 1
	}
	return 0
}

// AUC is the probability that something lost has the higher forecast of a pair; ties
// count half. 1 without both kinds.
func AUC(all []Forecast) float64 {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b Forecast) int { return cmp.Compare(a.P, b.P) })
	ranks, lost := 0.0, 0.0
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && sorted[j].P == sorted[i].P {
			j++
		}
		for _, f := range sorted[i:j] {
			if f.Lost {
				ranks += float64(i+j+1) / 2
				lost++
			}
		}
		i = j
	}
	legible := float64(len(sorted)) - lost
	if lost == 0 || legible == 0 {
		return 1
	}
	return (ranks - lost*(lost+1)/2) / (lost * legible)
}

// Brier is the mean square of forecast less outcome.
func Brier(all []Forecast) float64 {
	sum := 0.0
	for _, f := range all {
		d := f.P - f.outcome()
		sum += d * d
	}
	return sum / float64(max(len(all), 1))
}

// Bin is a tenth of the forecasts, by their height.
type Bin struct {
	P, Lost float64 // means
	N       int
}

const binCount = 10

// Bins have equal mass, the lowest forecasts first.
func Bins(all []Forecast) []Bin {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Forecast) int { return cmp.Compare(a.P, b.P) })
	var bins []Bin
	for i := range binCount {
		part := sorted[i*len(sorted)/binCount : (i+1)*len(sorted)/binCount]
		if len(part) == 0 {
			continue
		}
		b := Bin{N: len(part)}
		for _, f := range part {
			b.P += f.P / float64(len(part))
			b.Lost += f.outcome() / float64(len(part))
		}
		bins = append(bins, b)
	}
	return bins
}

// ECE is the expected calibration error: the mean distance of forecast and outcome
// over bins of equal mass.
func ECE(all []Forecast) float64 {
	sum := 0.0
	for _, b := range Bins(all) {
		sum += float64(b.N) / float64(len(all)) * max(b.P-b.Lost, b.Lost-b.P)
	}
	return sum
}

// mostAccepted is the share of what is lost that may be accepted.
const mostAccepted = 0.05

// RejectedLegible counts, among what is legible, what the strictest threshold that
// accepts at most mostAccepted of the lost rejects.
func RejectedLegible(all []Forecast) Rate {
	var lost []float64
	for _, f := range all {
		if f.Lost {
			lost = append(lost, f.P)
		}
	}
	threshold := math.Inf(1)
	if len(lost) > 0 {
		slices.Sort(lost)
		threshold = lost[int(mostAccepted*float64(len(lost)))]
	}
	var rate Rate
	for _, f := range all {
		if !f.Lost {
			rate.count(f.P >= threshold)
		}
	}
	return rate
}

// resamples is how often the bootstrap draws.
const resamples = 1000

// Bootstrap is the 95 % interval of a statistic by percentiles. Groups are drawn as
// a whole: pictures of one license are not independent.
func Bootstrap[T any](groups [][]T, stat func([]T) float64, rng *rand.Rand) (low, high float64) {
	if len(groups) == 0 {
		return 0, 0
	}
	values := make([]float64, resamples)
	for i := range values {
		var all []T
		for range groups {
			all = append(all, groups[rng.IntN(len(groups))]...)
		}
		values[i] = stat(all)
	}
	return quantile(values, 0.025), quantile(values, 0.975)
}

// Grouped are items by group, in the order in which groups come.
func Grouped[T any](items []T, group func(T) string) [][]T {
	var groups [][]T
	index := map[string]int{}
	for _, item := range items {
		name := group(item)
		if _, ok := index[name]; !ok {
			index[name] = len(groups)
			groups = append(groups, nil)
		}
		groups[index[name]] = append(groups[index[name]], item)
	}
	return groups
}
