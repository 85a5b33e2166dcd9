package eval

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
)

// Gravity is how bad a miss is.
type Gravity int

// The gravities, the worst last.
const (
	NotRead Gravity = iota
	Wrong
	WrongPassed
)

func (g Gravity) String() string {
	return [...]string{"not read", "wrong", "wrong in an outcome pass"}[g]
}

// Sight is a miss with what a person needs to judge it.
type Sight struct {
	Miss
	Result
	Gravity Gravity
	Crop    string // URL of a picture of the place, relative to the page; empty: none
}

// Confidence is what the report claims for the value that was read.
func (s Sight) Confidence() float64 { return s.Report.Fields[s.Field].Confidence }

// Reasons are the codes of the report's reasons.
func (s Sight) Reasons() string { return reasons(s.Report) }

// Sights are the misses of a summary, each once, the gravest first.
func (s Summary) Sights(results []Result) []Sight {
	byFile := map[string]Result{}
	for _, r := range results {
		byFile[r.File] = r
	}
	seen := map[Miss]bool{}
	var sights []Sight
	for _, miss := range slices.Concat(s.WrongCodes, s.WrongNamesPassed, s.Misses) {
		if seen[miss] {
			continue
		}
		seen[miss] = true
		sight := Sight{Miss: miss, Result: byFile[miss.File]}
		switch {
		case miss.Read == "":
			sight.Gravity = NotRead
		case sight.Report.Outcome == report.OutcomePass:
			sight.Gravity = WrongPassed
		default:
			sight.Gravity = Wrong
		}
		sights = append(sights, sight)
	}
	slices.SortStableFunc(sights, func(a, b Sight) int { return cmp.Compare(b.Gravity, a.Gravity) })
	return sights
}

//go:embed page.html
var pageHTML string

// The plot's area, in units of its viewBox; page.html draws the axes round it.
const (
	plotWidth  = 600
	plotHeight = 240
)

// riskScales are the values that the top of the plot may stand for.
var riskScales = []float64{0.02, 0.05, 0.1, 0.2, 0.5, 1}

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"percent": func(share float64) string { return fmt.Sprintf("%.4g %%", 100*share) },
	"half":    func(share float64) float64 { return share / 2 },
}).Parse(pageHTML))

// WritePage writes the summary and the misses as an HTML page to look through.
// It holds what licenses say: it is for those who may see the pictures.
func (s Summary) WritePage(w io.Writer, sights []Sight) error {
	highest := 0.0
	for _, c := range s.Curves {
		for _, p := range c.Points {
			highest = max(highest, p.Risk)
		}
	}
	scale, _ := slices.BinarySearch(riskScales, highest)
	paths := map[report.FieldName]string{}
	for _, c := range s.Curves {
		paths[c.Field] = c.path(riskScales[scale])
	}
	return pageTemplate.Execute(w, map[string]any{
		"Pictures": s.Pictures, "Tables": s.tables(), "Paths": paths, "Top": riskScales[scale], "Sights": sights})
}

// path draws the curve in steps, as its area is summed. top is the risk at the
// plot's upper edge.
func (c Curve) path(top float64) string {
	var d strings.Builder
	for i, p := range c.Points {
		y := plotHeight * (1 - p.Risk/top)
		if i == 0 {
			fmt.Fprintf(&d, "M0 %.1f", y)
		} else {
			fmt.Fprintf(&d, "V%.1f", y)
		}
		fmt.Fprintf(&d, "H%.1f", plotWidth*p.Coverage)
	}
	return d.String()
}
