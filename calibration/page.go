package calibration

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/heyan/heyan/quality"
)

// Describe says in words what a calibration is made from, a row a split.
func Describe(samples []Sample) []string {
	var rows []string
	for _, real := range []bool{false, true} {
		for i, name := range []string{"train", "tune", "test"} {
			n, lost := 0, 0
			for _, s := range samples {
				if s.Split == Split(i) && (s.Synth == nil) == real {
					n++
					if s.Lost() {
						lost++
					}
				}
			}
			if n > 0 {
				rows = append(rows, fmt.Sprintf("%s, %s: %d pictures, %d with a required field lost", map[bool]string{true: "real", false: "synthetic"}[real], name, n, lost))
			}
		}
	}
	return rows
}

// Coefficients are the models as rows of cells, headers first.
func Coefficients(c quality.Calibration) [][]string {
	rows := [][]string{{"model", "input", "digits", "han"}}
	for _, m := range []struct {
		name   string
		models quality.Models
	}{{"image", c.Image}, {"reading", c.Reading}} {
		names := map[string]bool{}
		for _, weights := range []map[string]float64{m.models.Digits.Weights, m.models.Han.Weights} {
			for name := range weights {
				names[name] = true
			}
		}
		row := func(input string, digits, han float64) {
			rows = append(rows, []string{m.name, input, fmt.Sprintf("%.3f", digits), fmt.Sprintf("%.3f", han)})
		}
		row("intercept", m.models.Digits.Intercept, m.models.Han.Intercept)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			row(name, m.models.Digits.Weights[name], m.models.Han.Weights[name])
		}
	}
	return append(rows, []string{"page", "intercept, slope", fmt.Sprintf("%.3f", c.Page.Intercept), fmt.Sprintf("%.3f", c.Page.Slope)})
}

// Example is a line that the image alone misjudges.
type Example struct {
	Sample Sample
	Line   Line
	Crop   string // URL of a picture of the place, relative to the page
}

// Defects are those that were drawn, in words.
func (e Example) Defects() string {
	if e.Sample.Synth == nil {
		return "real"
	}
	all := "synthetic"
	for _, d := range e.Sample.Synth.Camera.Defects {
		all += fmt.Sprintf("; %s %.3g", d.Kind, d.Strength)
	}
	return all
}

const exampleCount = 16

// Misjudged are the lines of Test with the worst forecasts from the image.
func Misjudged(samples []Sample) []Example {
	var all []Example
	for _, s := range samples {
		if s.Split == Test {
			for _, l := range s.Lines {
				all = append(all, Example{Sample: s, Line: l})
			}
		}
	}
	off := func(e Example) float64 { return math.Abs(e.Line.Image - one(e.Line.Lost)) }
	slices.SortStableFunc(all, func(a, b Example) int { return cmp.Compare(off(b), off(a)) })
	return all[:min(len(all), exampleCount)]
}

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// WritePage writes figures, curves, coefficients, the confusion of reasons and the
// examples as an HTML page. It holds what licenses say: it is for those who may see
// the pictures.
func WritePage(w io.Writer, c quality.Calibration, samples []Sample, examples []Example) error {
	drawn, err := plots(samples)
	if err != nil {
		return err
	}
	metrics := [][]string{{"figure", "value", "95 % interval"}}
	for _, m := range c.Metrics {
		metrics = append(metrics, []string{m.Name, fmt.Sprintf("%.4f", m.Value), fmt.Sprintf("%.4f-%.4f", m.Low, m.High)})
	}
	return pageTemplate.Execute(w, map[string]any{
		"Calibration": c, "Plots": drawn, "Metrics": metrics, "Coefficients": Coefficients(c),
		"Confusion": confusionTable(Confusion(samples)), "Examples": examples})
}

// confusionTable has a row a kind of defect and a column a reason.
func confusionTable(counts map[string]map[string]int) [][]string {
	reasons := map[string]bool{}
	for _, row := range counts {
		for reason := range row {
			reasons[reason] = true
		}
	}
	columns := slices.Sorted(maps.Keys(reasons))
	head := []string{"defect"}
	for _, reason := range columns {
		head = append(head, cmp.Or(reason, "no image reason"))
	}
	table := [][]string{head}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		row := []string{kind}
		for _, reason := range columns {
			row = append(row, fmt.Sprint(counts[kind][reason]))
		}
		table = append(table, row)
	}
	return table
}
