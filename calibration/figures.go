package calibration

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// Forecast is a predicted probability and what became of it.
type Forecast struct {
	P    float64
	Lost bool
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
		d := f.P - one(f.Lost)
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
			b.Lost += one(f.Lost) / float64(len(part))
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

// RejectedLegible is the share of what is legible that the strictest threshold which
// accepts at most mostAccepted of the lost rejects.
func RejectedLegible(all []Forecast) float64 {
	var lost []float64
	for _, f := range all {
		if f.Lost {
			lost = append(lost, f.P)
		}
	}
	if len(lost) == 0 {
		return 0
	}
	slices.Sort(lost)
	threshold := lost[int(mostAccepted*float64(len(lost)))]
	rejected, legible := 0, 0
	for _, f := range all {
		if !f.Lost {
			legible++
			if f.P >= threshold {
				rejected++
			}
		}
	}
	return float64(rejected) / float64(max(legible, 1))
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

const resamples = 1000

// Interval is the 95 % bootstrap interval of a figure over groups of forecasts, which
// are drawn as a whole.
func Interval(groups [][]Forecast, figure func([]Forecast) float64, rng *rand.Rand) (low, high float64) {
	if len(groups) == 0 {
		return 0, 0
	}
	values := make([]float64, resamples)
	for i := range values {
		var all []Forecast
		for range groups {
			all = append(all, groups[rng.IntN(len(groups))]...)
		}
		values[i] = figure(all)
	}
	slices.Sort(values)
	return values[resamples*25/1000], values[resamples*975/1000]
}
