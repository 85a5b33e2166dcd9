package calibration

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/heyan/heyan/eval"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/quality"
)

// Level says what a forecast is about, and from what.
type Level struct {
	Name      string
	Forecasts func(Sample) []eval.Forecast
}

// Levels are those that are measured.
var Levels = []Level{
	{"line_image", func(s Sample) (all []eval.Forecast) {
		for _, l := range s.Lines {
			all = append(all, eval.Forecast{P: l.Image, Lost: l.Lost})
		}
		return all
	}},
	{"line_full", func(s Sample) (all []eval.Forecast) {
		for _, l := range s.Lines {
			all = append(all, eval.Forecast{P: l.Full, Lost: l.Lost})
		}
		return all
	}},
	{"page_image", func(s Sample) []eval.Forecast { return []eval.Forecast{{P: s.Image, Lost: s.Lost()}} }},
	{"page_full", func(s Sample) []eval.Forecast { return []eval.Forecast{{P: s.Full, Lost: s.Lost()}} }},
}

// figures are what is measured at each level.
var figures = []struct {
	name string
	of   func([]eval.Forecast) float64
}{{"auc", eval.AUC}, {"brier", eval.Brier}, {"ece", eval.ECE}, {"rejected_legible", func(all []eval.Forecast) float64 { return eval.RejectedLegible(all).Value() }}}

// Metrics are the figures of the synthetic pictures of Test, with intervals by
// license; those of pages from the image with the real ones; and the share of the real
// legible ones for which the page's forecast is at least one half.
func Metrics(samples []Sample, seed uint64) []quality.Metric {
	rng := rand.New(rand.NewPCG(seed, seed))
	var metrics []quality.Metric
	measure := func(prefix string, level Level, of func(Sample) bool) {
		groups := forecasts(samples, level, of)
		all := slices.Concat(groups...)
		for _, f := range figures {
			m := quality.Metric{Name: prefix + level.Name + "_" + f.name, Value: f.of(all)}
			m.Low, m.High = eval.Bootstrap(groups, f.of, rng)
			metrics = append(metrics, m)
		}
	}
	for _, level := range Levels {
		measure("", level, func(s Sample) bool { return s.Split == Test && s.Synth != nil })
	}
	page := Levels[slices.IndexFunc(Levels, func(l Level) bool { return l.Name == "page_image" })]
	measure("with_real_", page, func(s Sample) bool { return s.Split == Test })
	suspected := func(all []eval.Forecast) float64 {
		n := 0.0
		for _, f := range all {
			n += one(f.P >= 0.5) / float64(len(all))
		}
		return n
	}
	groups := forecasts(samples, page, func(s Sample) bool { return s.Split == Test && s.Synth == nil && !s.Lost() })
	m := quality.Metric{Name: "real_legible_suspected", Value: suspected(slices.Concat(groups...))}
	m.Low, m.High = eval.Bootstrap(groups, suspected, rng)
	return append(metrics, m)
}

// forecasts are those of some samples, by license.
func forecasts(samples []Sample, level Level, of func(Sample) bool) [][]eval.Forecast {
	byLicense := map[string][]eval.Forecast{}
	for _, s := range samples {
		if of(s) {
			byLicense[s.License] = append(byLicense[s.License], level.Forecasts(s)...)
		}
	}
	var groups [][]eval.Forecast
	for _, license := range slices.Sorted(maps.Keys(byLicense)) {
		groups = append(groups, byLicense[license])
	}
	return groups
}

// Confusion counts the first image reason of the pictures with a single defect that
// lost a field, by kind of defect; "" is none.
func Confusion(samples []Sample) map[string]map[string]int {
	table := map[string]map[string]int{}
	for _, s := range samples {
		if s.Synth == nil || len(s.Synth.Camera.Defects) != 1 || !s.Lost() {
			continue
		}
		kind := string(s.Synth.Camera.Defects[0].Kind)
		if table[kind] == nil {
			table[kind] = map[string]int{}
		}
		table[kind][firstImageReason(s.Report)]++
	}
	return table
}

func firstImageReason(r report.Report) string {
	for _, reason := range r.Reasons {
		if strings.HasPrefix(reason.Code, "image_") && reason.Severity != report.SeverityInfo {
			return reason.Code
		}
	}
	return ""
}
