package calibration

import (
	"math"
	"math/rand/v2"

	"github.com/heyan/heyan/quality"
)

// ridges are the strengths of the ridge that are tried.
var ridges = []float64{0.01, 0.03, 0.1, 0.3, 1, 3}

// Fit parts the samples, fits the models and fills in every prediction. The same
// seed parts them the same way. Errors are a *SplitError.
func Fit(samples []Sample, seed uint64) (quality.Calibration, error) {
	if err := split(samples, rand.New(rand.NewPCG(seed, seed))); err != nil {
		return quality.Calibration{}, err
	}
	var c quality.Calibration
	each := func(inputs func(Line) ([]quality.Input, bool)) quality.Models {
		return quality.Models{Digits: best(samples, quality.Digits, inputs), Han: best(samples, quality.Han, inputs)}
	}
	c.Image = each(func(l Line) ([]quality.Input, bool) { return l.Signs.Inputs(), true })
	c.Reading = each(func(l Line) ([]quality.Input, bool) {
		if l.Read == nil {
			return nil, false
		}
		return c.ReadingInputs(l.Field, l.Signs, *l.Read), true
	})
	c.Page = quality.Scaling{Slope: 1}
	predict(c, samples)
	var pages []example
	for _, s := range samples {
		if s.Split != Test {
			pages = append(pages, example{[]quality.Input{{Name: "any", Value: s.anyLogit()}}, s.Lost()})
		}
	}
	scaled := fitLogistic(pages, ridges[0])
	c.Page = quality.Scaling{Intercept: scaled.Intercept, Slope: scaled.Weights["any"]}
	predict(c, samples)
	return c, nil
}

func (s Sample) anyLogit() float64 {
	var each []float64
	for _, l := range s.Lines {
		each = append(each, l.Image)
	}
	return quality.AnyLogit(each...)
}

// best is the model of a script, fitted on Train with the ridge that forecasts Tune
// best, by log loss.
func best(samples []Sample, script quality.Script, inputs func(Line) ([]quality.Input, bool)) quality.Logistic {
	var parts [len(quotas)][]example
	for _, s := range samples {
		for _, l := range s.Lines {
			if in, ok := inputs(l); ok && quality.ScriptOf(l.Field) == script {
				parts[s.Split] = append(parts[s.Split], example{in, l.Lost})
			}
		}
	}
	var chosen quality.Logistic
	least := math.Inf(1)
	for _, ridge := range ridges {
		model := fitLogistic(parts[Train], ridge)
		loss := 0.0
		for _, e := range parts[Tune] {
			logit := model.Logit(e.inputs)
			if e.lost {
				logit = -logit
			}
			loss += math.Log1p(math.Exp(logit))
		}
		if loss < least {
			chosen, least = model, loss
		}
	}
	return chosen
}

// unread is the forecast for a field that was not read: lost, for certain.
const unread = 1 - 1e-6

// predict fills in what a calibration says of each sample.
func predict(c quality.Calibration, samples []Sample) {
	for i := range samples {
		s := &samples[i]
		var image, full []float64
		for k := range s.Lines {
			l := &s.Lines[k]
			l.Image, l.Full = c.Unreadable(l.Field, l.Signs), unread
			if l.Read != nil {
				l.Full = c.Wrong(l.Field, l.Signs, *l.Read)
			}
			image, full = append(image, l.Image), append(full, l.Full)
		}
		s.Image, s.Full = c.AnyUnreadable(image...), quality.Probability(quality.AnyLogit(full...))
	}
}
