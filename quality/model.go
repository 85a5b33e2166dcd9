package quality

import (
	_ "embed"
	"encoding/json"
	"math"
	"strings"
	"sync"

	"github.com/heyan/heyan/pipeline/report"
)

// Input is one value that a model weighs.
type Input struct {
	Name  string
	Value float64
}

// Logistic is a logistic regression: the log-odds are the intercept and the weighted
// sum of the inputs. An input without a weight does not count.
type Logistic struct {
	Intercept float64            `json:"intercept"`
	Weights   map[string]float64 `json:"weights"` // by the name of the input
}

// Logit is the log-odds for inputs.
func (l Logistic) Logit(inputs []Input) float64 {
	sum := l.Intercept
	for _, in := range inputs {
		sum += l.Weights[in.Name] * in.Value
	}
	return sum
}

// Models are one regression for lines of each script.
type Models struct {
	Digits Logistic `json:"digits"`
	Han    Logistic `json:"han"`
}

// Of is the model of a field's script.
func (m Models) Of(field report.FieldName) Logistic {
	if ScriptOf(field) == Digits {
		return m.Digits
	}
	return m.Han
}

// Calibration are models that `heyan calibrate` has fitted, and how.
type Calibration struct {
	Date string `json:"date"` // of the fit, 2006-01-02
	// Command made it again, with the program of this version.
	Command string   `json:"command"`
	Version string   `json:"version"`
	Sets    []string `json:"sets"` // what it was fitted and tested on, in words
	// Image tells from the picture alone that a field cannot be read. Reading tells
	// of a value that was read that it is wrong.
	Image   Models `json:"image"`
	Reading Models `json:"reading"`
	// Page corrects the log-odds that some required field cannot be read, taken as
	// if each failed by itself: fields of one picture fail together.
	Page    Scaling  `json:"page"`
	Metrics []Metric `json:"metrics"` // on pictures that nothing was fitted on
}

// Scaling is a line over log-odds (Platt 1999).
type Scaling struct {
	Intercept float64 `json:"intercept"`
	Slope     float64 `json:"slope"`
}

// Metric is one figure with its 95 % interval.
type Metric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

//go:embed calibration.json
var calibration string

// Shipped is the calibration of this program.
var Shipped = sync.OnceValue(func() Calibration {
	var c Calibration
	if err := json.NewDecoder(strings.NewReader(calibration)).Decode(&c); err != nil {
		panic("quality: embedded calibration: " + err.Error())
	}
	return c
})

// ScriptOf is the script of a field's line.
func ScriptOf(field report.FieldName) Script {
	if field == report.FieldUSCC || field == report.FieldRegistrationNumber {
		return Digits
	}
	return Han
}

// Unreadable is the probability, from the image alone, that a field with such signs
// cannot be read.
func (c Calibration) Unreadable(field report.FieldName, s Signs) float64 {
	return Probability(c.Image.Of(field).Logit(s.Inputs()))
}

// AnyUnreadable is the probability that some of the required fields cannot be read,
// from the probability of each.
func (c Calibration) AnyUnreadable(fields ...float64) float64 {
	return Probability(c.Page.Intercept + c.Page.Slope*AnyLogit(fields...))
}

// AnyLogit is the log-odds that some of independent events happens.
func AnyLogit(probabilities ...float64) float64 {
	none := 0.0 // ln
	for _, p := range probabilities {
		none += math.Log1p(-min(p, surest))
	}
	return math.Log(max(-math.Expm1(none), 1-surest)) - none
}

// surest keeps odds finite.
const surest = 1 - 1e-9

// Probability of log-odds.
func Probability(logit float64) float64 { return 1 / (1 + math.Exp(-logit)) }

// Blames are what each measure adds to the log-odds that a field cannot be read,
// beyond what sound signs would, by the measure's name.
func (c Calibration) Blames(field report.FieldName, s, sound Signs) map[string]float64 {
	weights := c.Image.Of(field).Weights
	blames := map[string]float64{}
	for _, t := range terms {
		blames[t.measure] += weights[t.name] * (t.of(s) - t.of(sound))
	}
	return blames
}

// Read is what a reading says of its own certainty.
type Read struct {
	Confidence float64 // 0..1
	Readings   int     // that agree
	Checked    bool    // its check digit is right
}

// mostConfident bounds what a reader says of itself: it is over-confident.
const mostConfident = 0.9999

// ReadingInputs are what the models of readings weigh: the log-odds from the image,
// those of the reader against itself, one reading alone, no right check digit.
func (c Calibration) ReadingInputs(field report.FieldName, s Signs, r Read) []Input {
	confidence := min(max(r.Confidence, 1-mostConfident), mostConfident)
	is := map[bool]float64{true: 1}
	return []Input{
		{"image", c.Image.Of(field).Logit(s.Inputs())},
		{"doubt", math.Log(1-confidence) - math.Log(confidence)},
		{"single", is[r.Readings < 2]},
		{"unchecked", is[!r.Checked]},
	}
}

// Wrong is the probability that a value which was read is not the printed one.
func (c Calibration) Wrong(field report.FieldName, s Signs, r Read) float64 {
	return Probability(c.Reading.Of(field).Logit(c.ReadingInputs(field, s, r)))
}
