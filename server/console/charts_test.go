package console

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
)

// TestColumns draws charts of every size: each column lies within the chart and is
// as high as it counts, no label covers another.
func TestColumns(t *testing.T) {
	for _, days := range []int{1, 7, 8, 31, 53} {
		for _, top := range []int{0, 1, 3, 99, 100, 12345} {
			var spans []span
			values := make([]int, days)
			for i := range days {
				spans = append(spans, span{first: fmt.Sprintf("2030-05-%02d", i%31+1)})
				values[i] = top * (i + 1) / days
			}
			c := newColumns("x", spans, []series{{"plain", "a", values}, {"stripes", "b", values}, {"dots", "c", values}})
			scale := chartHeight / float64(c.Grid[len(c.Grid)-1].Value)
			for i, b := range c.Bars {
				if b.X < chartLeft || b.X+b.Width > float64(c.Width) || b.Y < chartTop || b.Y+b.Height > float64(c.Base)+.1 {
					t.Fatalf("%d days to %d: column outside: %+v", days, top, b)
				}
				if i > 0 && b.X < c.Bars[i-1].X+c.Bars[i-1].Width {
					t.Errorf("%d days: columns %d and %d overlap", days, i-1, i)
				}
				if math.Abs(b.Height-scale*float64(b.Value)) > .06 {
					t.Errorf("%d days to %d: %d is drawn %g high, want %g", days, top, b.Value, b.Height, scale*float64(b.Value))
				}
			}
			for i := 1; i < len(c.Labels); i++ {
				if c.Labels[i].X-c.Labels[i-1].X < labelWidth {
					t.Errorf("%d days: labels are %g apart", days, c.Labels[i].X-c.Labels[i-1].X)
				}
			}
			if len(c.Grid) > maxGridLines+1 || c.Grid[len(c.Grid)-1].Value < top || c.Numbered && top > 99 {
				t.Errorf("%d days to %d: %+v, numbered %v", days, top, c.Grid, c.Numbered)
			}
		}
	}
}

// TestWeeks: of a long time weeks are drawn, and nothing is lost.
func TestWeeks(t *testing.T) {
	f := figuresView{}
	for at := time.Date(2030, 5, 1, 0, 0, 0, 0, report.Beijing); len(f.Figures.ByDay) < 32; at = at.AddDate(0, 0, 1) { // a Wednesday
		f.Figures.ByDay = append(f.Figures.ByDay, records.DayFigures{Day: at.Format(time.DateOnly), Flagged: 2, Decided: 1, Open: len(f.Figures.ByDay)})
	}
	charts, err := f.charts(english)
	if err != nil || !f.Weeks {
		t.Fatal(f.Weeks, err)
	}
	if got := fmt.Sprint(charts[0].Series[0].Values, charts[1].Series[0].Values); got != "[10 14 14 14 12] [4 11 18 25 31]" {
		t.Errorf("got %s", got)
	}
	if got := charts[0].Bars[3].Title; got != "2030-05-06 – 2030-05-12 · Flagged: 14" {
		t.Errorf("got %s", got)
	}
}
