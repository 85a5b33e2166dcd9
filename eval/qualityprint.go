package eval

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"text/tabwriter"
)

// PrintRows writes the rows as a table, and what stands behind them where asked.
func PrintRows(w io.Writer, rows []Row, misses bool) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "\tvalue\t95 % interval\tof\ttarget")
	for _, r := range rows {
		value, interval := "-", "-"
		if !math.IsNaN(r.Value) {
			value, interval = fmt.Sprintf("%.2f %%", 100*r.Value), fmt.Sprintf("%.1f-%.1f", 100*r.Low, 100*r.High)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", r.Name, value, interval, r.Of, r.Goal)
	}
	if misses {
		for _, r := range rows {
			for _, m := range r.Misses {
				fmt.Fprintf(t, "%s\t%s\n", r.Key, m)
			}
		}
	}
	return t.Flush()
}

// RowFloors are what rows must reach, shares by key.
type RowFloors struct {
	Least map[string]float64 `json:"least"`
	Most  map[string]float64 `json:"most"`
}

// ReadRowFloors reads floors from JSON; unknown names are errors.
func ReadRowFloors(r io.Reader) (RowFloors, error) { return readFloors[RowFloors](r) }

// Broken lists the floors that rows do not reach, in words.
func (f RowFloors) Broken(rows []Row) []string {
	values := map[string]float64{}
	for _, r := range rows {
		values[r.Key] = r.Value
	}
	var broken []string
	hold := func(floors map[string]float64, word string, holds func(value, floor float64) bool) {
		for _, key := range slices.Sorted(maps.Keys(floors)) {
			if value, measured := values[key]; !measured || math.IsNaN(value) {
				broken = append(broken, key+": not measured")
			} else if !holds(value, floors[key]) {
				broken = append(broken, fmt.Sprintf("%s: %.4f, %s %.4f", key, value, word, floors[key]))
			}
		}
	}
	hold(f.Least, "at least", func(v, floor float64) bool { return v >= floor })
	hold(f.Most, "at most", func(v, floor float64) bool { return v <= floor })
	return broken
}
