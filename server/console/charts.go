package console

import (
	"fmt"
	"math"
	"strconv"
)

// The shape of the charts, in the units of their view boxes, which are CSS pixels:
// a week's columns are as wide as a telephone.
const (
	chartHeight   = 150 // of the columns
	chartTop      = 16  // above them, for a number
	chartLeft     = 34  // for the numbers of the axis
	chartBottom   = 20  // for the days
	chartRight    = 6   // for half of the last one
	wideGroup     = 46  // of a week
	narrowGroup   = 26
	labelWidth    = 34 // of a day, 11-16
	digitWidth    = 6
	shareLeft     = 8
	shareWidth    = 300
	shareRow      = 38
	shareBarY     = 17 // in its row, below the name
	shareBar      = 13
	chartWidth    = 362 // of the shares: as a week's columns
	maxGridLines  = 4
	narrowColumns = 8 // groups from which columns are narrow
)

// series is what is counted by day, one column beside the other.
type series struct {
	Pattern string // id of what fills its columns
	Title   string
	Values  []int
}

// columns is a chart of grouped columns.
type columns struct {
	Title         string
	Width, Height int
	Base          int // where the columns stand
	Series        []series
	Grid          []gridLine
	Bars          []bar
	Labels        []tick
	Numbered      bool // each column has its number above
}

type gridLine struct {
	Y     float64
	Value int
}

type bar struct {
	X, Y, Width, Height float64
	Middle              float64
	Pattern             string
	Value               int
	Title               string
}

type tick struct {
	X    float64
	Text string
}

// newColumns draws a series beside the other over the spans of time.
func newColumns(title string, spans []span, all []series) columns {
	group := wideGroup
	if len(spans) >= narrowColumns {
		group = narrowGroup
	}
	c := columns{Title: title, Series: all, Width: chartLeft + max(len(spans)*group, 4*wideGroup) + chartRight, Base: chartTop + chartHeight}
	c.Height = c.Base + chartBottom
	top := 0
	for _, s := range all {
		for _, value := range s.Values {
			top = max(top, value)
		}
	}
	step := gridStep(top)
	top = (max(top, 1) + step - 1) / step * step
	height := func(value int) float64 { return round1(float64(value) * chartHeight / float64(top)) }
	for value := 0; value <= top; value += step {
		c.Grid = append(c.Grid, gridLine{float64(c.Base) - height(value), value})
	}
	pitch := float64(group-6) / float64(len(all))
	c.Numbered = float64(len(strconv.Itoa(top))*digitWidth) <= pitch
	every := (labelWidth + group - 1) / group
	for i, span := range spans {
		left := float64(chartLeft + i*group + 3)
		for k, s := range all {
			b := bar{X: round1(left + float64(k)*pitch), Width: round1(pitch - 1), Height: height(s.Values[i]), Pattern: s.Pattern, Value: s.Values[i],
				Title: fmt.Sprintf("%s · %s: %d", span, s.Title, s.Values[i])}
			b.Y, b.Middle = float64(c.Base)-b.Height, round1(b.X+b.Width/2)
			c.Bars = append(c.Bars, b)
		}
		if i%every == 0 {
			c.Labels = append(c.Labels, tick{left + float64(group-6)/2, span.label()})
		}
	}
	return c
}

// gridStep is 1, 2 or 5 times a power of ten, so that few lines reach the top.
func gridStep(top int) int {
	for power := 1; ; power *= 10 {
		for _, step := range []int{power, 2 * power, 5 * power} {
			if step*maxGridLines >= top {
				return step
			}
		}
	}
}

func round1(x float64) float64 { return math.Round(x*10) / 10 }

// shares is a chart of one bar below the other, each a share of its whole.
type shares struct {
	Title         string
	Width, Height int
	Rows          []shareLine
}

type shareLine struct {
	Name, Value, Title string
	X                  int
	NameY, BarY, TextY int
	Bar, Whole, Thick  float64
	TextX              int
}

// newShares draws the reasons in their order.
func newShares(title string, lines []reasonLine) shares {
	s := shares{Title: title, Width: chartWidth, Height: len(lines)*shareRow + shareLeft}
	for i, line := range lines {
		y := i*shareRow + 2
		value := fmt.Sprintf("%.0f %%", 100*line.Share)
		s.Rows = append(s.Rows, shareLine{Name: line.Title, Value: value, Title: fmt.Sprintf("%s: %s (%d/%d)", line.Title, value, line.Approved, line.Cases),
			X: shareLeft, NameY: y + shareBarY - 4, BarY: y + shareBarY, TextY: y + shareBarY + shareBar - 2,
			Bar: round1(shareWidth * line.Share), Whole: shareWidth, Thick: shareBar, TextX: shareLeft + shareWidth + 6})
	}
	return s
}
