package calibration

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// Split is what a picture is used for.
type Split int

// The splits: weights are fitted on Train, the strength of the ridge on Tune, the page's
// two numbers on both, figures are taken on Test.
const (
	Train Split = iota
	Tune
	Test
)

// quotas are the shares of the splits.
var quotas = [...]float64{Train: 0.5, Tune: 0.2, Test: 0.3}

// SplitError says that a split has pictures of one kind only, so that nothing can be
// fitted or measured.
type SplitError struct{ Group int }

func (e *SplitError) Error() string {
	return fmt.Sprintf("the largest group of pictures that share a license or a background has %d: draw the set with another license in each picture", e.Group)
}

// split parts pictures so that no license and no background is on both sides, the
// real ones in the same proportions.
func split(samples []Sample, rng *rand.Rand) error {
	largest := 0
	for _, real := range []bool{false, true} {
		var counts [len(quotas)]float64
		of := groups(samples, real)
		rng.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
		// Large groups first: they fit nowhere later.
		slices.SortStableFunc(of, func(a, b []int) int { return cmp.Compare(min(len(b), 2), min(len(a), 2)) })
		for _, group := range of {
			largest = max(largest, len(group))
			to := Train
			for s := range quotas {
				if counts[s]/quotas[s] < counts[to]/quotas[to] {
					to = Split(s)
				}
			}
			counts[to] += float64(len(group))
			for _, i := range group {
				samples[i].Split = to
			}
		}
	}
	for s := range quotas {
		lost, of := 0, 0
		for _, p := range samples {
			if p.Split == Split(s) {
				of++
				if p.Lost() {
					lost++
				}
			}
		}
		if lost == 0 || lost == of {
			return &SplitError{largest}
		}
	}
	return nil
}

// groups are the pictures that hang together by license or background, by index.
func groups(samples []Sample, real bool) [][]int {
	root := make([]int, len(samples))
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			i = root[i]
		}
		return i
	}
	first := map[string]int{}
	for i, s := range samples {
		for _, key := range []string{"license " + s.License, "background " + s.Background} {
			if j, known := first[key]; known && key != "background " {
				root[find(i)] = find(j)
			}
			first[key] = i
		}
	}
	members := map[int][]int{}
	for i, s := range samples {
		if (s.Synth == nil) == real {
			members[find(i)] = append(members[find(i)], i)
		}
	}
	var all [][]int
	for _, r := range slices.Sorted(maps.Keys(members)) {
		all = append(all, members[r])
	}
	return all
}
