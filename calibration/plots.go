package calibration

import (
	"github.com/heyan/heyan/eval"

	"bytes"
	"cmp"
	"html/template"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Curve is one line of a plot.
type curve struct {
	name   string
	points plotter.XYs
}

// colors are told apart by people who see no red or green too (Okabe and Ito 2008).
var colors = []color.Color{color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255}, color.RGBA{204, 121, 167, 255}}

const plotSide = 11 * vg.Centimeter

// chart draws curves over 0..1 by 0..1 as SVG; diagonal adds the line of equals.
func chart(title, x, y string, top float64, marks, diagonal bool, curves []curve) (template.HTML, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, top
	p.Add(plotter.NewGrid())
	if diagonal {
		line, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}})
		if err != nil {
			return "", err
		}
		line.Dashes = []vg.Length{vg.Points(3), vg.Points(3)}
		p.Add(line)
	}
	for i, c := range curves {
		if len(c.points) == 0 {
			continue
		}
		line, points, err := plotter.NewLinePoints(c.points)
		if err != nil {
			return "", err
		}
		line.Color, points.Color, points.Shape = colors[i%len(colors)], colors[i%len(colors)], draw.CircleGlyph{}
		line.Width = vg.Points(1.5)
		p.Add(line)
		if marks {
			p.Add(points)
		}
		p.Legend.Add(c.name, line)
	}
	p.Legend.Top, p.Legend.Left = top < 1, top < 1
	p.X.Padding, p.Y.Padding = vg.Points(6), vg.Points(6)
	// With its fonts: others are wider, and labels would run into each other.
	canvas := vgsvg.NewWith(vgsvg.UseWH(plotSide, plotSide), vgsvg.EmbedFonts(true))
	p.Draw(draw.New(canvas))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return "", err
	}
	_, svg, _ := bytes.Cut(out.Bytes(), []byte("<svg"))
	return template.HTML("<svg" + string(svg)), nil
}

// plots are the page's pictures.
func plots(samples []Sample) ([]template.HTML, error) {
	var reliability, roc, risk []curve
	for _, level := range Levels {
		all := slices.Concat(forecasts(samples, level, func(s Sample) bool { return s.Split == Test && s.Synth != nil })...)
		var bins plotter.XYs
		for _, b := range eval.Bins(all) {
			bins = append(bins, plotter.XY{X: b.P, Y: b.Lost})
		}
		reliability = append(reliability, curve{level.Name, bins})
		rates, risks := sweep(all)
		roc, risk = append(roc, curve{level.Name, rates}), append(risk, curve{level.Name, risks})
	}
	var out []template.HTML
	for _, c := range []struct {
		title, x, y     string
		top             float64
		marks, diagonal bool
		curves          []curve
	}{
		{"Reliability, bins of equal mass", "forecast", "share lost", 1, true, true, reliability},
		{"ROC", "legible rejected", "lost rejected", 1, false, false, roc},
		{"Risk over coverage", "share accepted, surest first", "lost among the accepted", 0.5, false, false, risk},
	} {
		svg, err := chart(c.title, c.x, c.y, c.top, c.marks, c.diagonal, c.curves)
		if err != nil {
			return nil, err
		}
		out = append(out, svg)
	}
	return out, nil
}

// sweep moves the threshold over all forecasts, highest first for the ROC, lowest
// first for the risk.
func sweep(all []eval.Forecast) (rates, risks plotter.XYs) {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b eval.Forecast) int { return cmp.Compare(a.P, b.P) })
	lost := 0.0
	for _, f := range sorted {
		lost += one(f.Lost)
	}
	legible, accepted := float64(len(sorted))-lost, 0.0
	rates = append(rates, plotter.XY{X: 1, Y: 1})
	for i, f := range sorted {
		accepted += one(f.Lost)
		if i+1 < len(sorted) && sorted[i+1].P == f.P {
			continue
		}
		n := float64(i + 1)
		rates = append(rates, plotter.XY{X: 1 - (n-accepted)/max(legible, 1), Y: 1 - accepted/max(lost, 1)})
		risks = append(risks, plotter.XY{X: n / float64(len(sorted)), Y: accepted / n})
	}
	return rates, risks
}
