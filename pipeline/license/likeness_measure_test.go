package license

import (
	"cmp"
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// measuredSeed makes the figures of this file ones that anyone gets again.
const measuredSeed = 7

// TestCopiesAreFound: a copy of a name in each class is found by a key, and as
// of a likeness, at least in 99.5 % (issue 7).
func TestCopiesAreFound(t *testing.T) {
	const names, least = 2000, 0.995
	m := newNameMaker(rand.New(rand.NewPCG(measuredSeed, 1)))
	for _, class := range []Likeness{LikenessSame, LikenessWidth, LikenessVariant, LikenessLookalike, LikenessDivision, LikenessForm, LikenessPinyin} {
		made, found, exact := 0, 0, 0
		var missed []string
		for made < names {
			n := m.name()
			copied, ok := m.copyOf(n, class)
			if !ok || copied == n.String() {
				continue
			}
			made++
			switch got := NameLikeness(n.String(), copied); {
			case got == LikenessNone || !shareKey(NameKeys(n.String()), NameKeys(copied)):
				missed = append(missed, n.String()+" "+copied)
			case got == class:
				exact++
				fallthrough
			default:
				found++
			}
		}
		t.Logf("%s: %.2f %% found, %.2f %% under this class; missed %v", class, 100*float64(found)/names, 100*float64(exact)/names, missed)
		if float64(found) < least*names {
			t.Errorf("%s: %d of %d found", class, found, names)
		}
	}
}

// census counts who is like whom among generated names.
type census struct {
	names      int
	rows       int              // index rows
	pairs      map[Likeness]int // pairs of different names
	alike      map[Likeness]int // names that have such a pair
	candidates []int            // of each name, itself left out, in order
	byKind     map[NameKind][]int
}

// takeCensus compares every two different names that share a key.
func takeCensus(names []string) census {
	type row struct {
		key  uint64
		name uint32
	}
	kinds := []NameKind{NameKindSame, NameKindFold, NameKindCore, NameKindSound}
	hash := maphash.MakeSeed()
	tables := map[NameKind][]row{}
	c := census{names: len(names), pairs: map[Likeness]int{}, alike: map[Likeness]int{}, byKind: map[NameKind][]int{}}
	for i, name := range names {
		for _, k := range NameKeys(name) {
			tables[k.Kind] = append(tables[k.Kind], row{maphash.String(hash, k.Key), uint32(i)})
			c.rows++
		}
	}
	others := make([][]uint32, len(names))
	for _, kind := range kinds {
		table := tables[kind]
		slices.SortFunc(table, func(a, b row) int { return cmp.Compare(a.key, b.key) })
		found := make([]int, 0, len(table))
		for from := 0; from < len(table); {
			to := from
			for to < len(table) && table[to].key == table[from].key {
				to++
			}
			for _, a := range table[from:to] {
				found = append(found, to-from-1)
				for _, b := range table[from:to] {
					if a.name < b.name {
						others[a.name] = append(others[a.name], b.name)
					}
				}
			}
			from = to
		}
		slices.Sort(found)
		c.byKind[kind] = found
	}
	c.candidates = make([]int, len(names))
	classes := make([]map[Likeness]bool, len(names))
	for a, list := range others {
		slices.Sort(list)
		for _, b := range slices.Compact(list) {
			c.candidates[a]++
			c.candidates[b]++
			likeness := NameLikeness(names[a], names[b])
			if likeness == LikenessNone {
				continue
			}
			c.pairs[likeness]++
			for _, i := range []int{a, int(b)} {
				if classes[i] == nil {
					classes[i] = map[Likeness]bool{}
				}
				classes[i][likeness] = true
			}
		}
	}
	for _, own := range classes {
		for likeness := range own {
			c.alike[likeness]++
		}
		if own != nil {
			c.alike[LikenessNone]++
		}
	}
	slices.Sort(c.candidates)
	return c
}

// generated are different names, in order.
func generated(count int) []string {
	m := newNameMaker(rand.New(rand.NewPCG(measuredSeed, 2)))
	names := make(map[string]bool, count)
	for len(names) < count {
		names[m.name().String()] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// falseLikeness is the share of all pairs that is of a likeness.
func (c census) falseLikeness() float64 {
	sum := 0
	for _, n := range c.pairs {
		sum += n
	}
	return float64(sum) / (float64(c.names) * float64(c.names-1) / 2)
}

// TestIndependentNamesAreNotAlike: at most 0.01 % of pairs, and few rows for each
// key. BenchmarkNameSearch is this among a million.
func TestIndependentNamesAreNotAlike(t *testing.T) {
	const most = 0.0001
	c := takeCensus(generated(20_000))
	t.Logf("%d names, %d rows, pairs %v, names alike %v, false likeness %.2g", c.names, c.rows, c.pairs, c.alike, c.falseLikeness())
	if c.falseLikeness() > most {
		t.Errorf("%.2g of all pairs are alike, want at most %g", c.falseLikeness(), most)
	}
}

// BenchmarkNameSearch takes the census of a million certified names and times what
// a search does for each: its keys, and NameLikeness on its candidates.
func BenchmarkNameSearch(b *testing.B) {
	names := generated(1_000_000)
	for b.Loop() {
		c := takeCensus(names)
		b.ReportMetric(float64(c.rows)/float64(c.names), "keys/name")
		for kind, counts := range c.byKind {
			reportCounts(b, counts, string(kind))
		}
		reportCounts(b, c.candidates, "all")
		b.ReportMetric(c.falseLikeness(), "false-likeness")
		for likeness, n := range c.alike {
			b.ReportMetric(100*float64(n)/float64(c.names), cmp.Or(string(likeness), "any")+"-%")
		}
		b.Logf("pairs %v", c.pairs)
	}
}

func reportCounts(b *testing.B, sorted []int, name string) {
	sum := 0
	for _, n := range sorted {
		sum += n
	}
	b.ReportMetric(float64(sum)/float64(len(sorted)), name+"-mean")
	b.ReportMetric(float64(sorted[len(sorted)*99/100]), name+"-p99")
	b.ReportMetric(float64(sorted[len(sorted)-1]), name+"-worst")
}
