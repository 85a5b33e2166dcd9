package eval

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/heyan/heyan/pipeline/report"
)

// Result is one picture with what was read of it.
type Result struct {
	Picture
	Report report.Report
	// Declared is what was submitted with the picture.
	Declared report.Declared
}

// Declare is what the applicant of a picture would type: the printed code and
// name, or nothing where a character of them cannot be read.
func Declare(p Picture) report.Declared {
	d := report.Declared{Name: p.Fields[report.FieldCompanyName], USCC: p.Fields[report.FieldUSCC],
		RegistrationNumber: p.Fields[report.FieldRegistrationNumber]}
	if strings.ContainsRune(d.Name+d.USCC+d.RegistrationNumber, unknown) {
		return report.Declared{}
	}
	return d
}

// Rate is a count of hits among trials.
type Rate struct{ Hits, Of int }

// Value is the share of hits; 1 without trials, so that an absent group breaks
// no floor.
func (r Rate) Value() float64 {
	if r.Of == 0 {
		return 1
	}
	return float64(r.Hits) / float64(r.Of)
}

// Interval is Wilson's score interval at 95 %.
func (r Rate) Interval() (low, high float64) {
	if r.Of == 0 {
		return 0, 1
	}
	const z = 1.959964
	n, p := float64(r.Of), r.Value()
	center := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(center-half, 0), min(center+half, 1)
}

func (r *Rate) count(hit bool) {
	r.Of++
	if hit {
		r.Hits++
	}
}

// row is the rate as a row of a table.
func (r Rate) row(name string) []string {
	low, high := r.Interval()
	return []string{name, fmt.Sprintf("%d/%d", r.Hits, r.Of), fmt.Sprintf("%.1f %%", 100*r.Value()),
		fmt.Sprintf("%.1f-%.1f", 100*low, 100*high)}
}

// Miss is one value that was not read as printed.
type Miss struct {
	File  string
	Field report.FieldName
	Truth string
	Read  string
}

// Summary is what a run over a truth table comes to.
type Summary struct {
	Pictures int
	// Exact are the rates by the names that floors use: uscc (readable),
	// uscc_legible_a, registration_number (readable_legacy), name (both), and the
	// other fields where the truth has them.
	Exact map[string]*Rate
	// WrongCodes are codes reported with another value than the printed one.
	// WrongCodesPassed and WrongNamesPassed are wrong in an outcome pass.
	WrongCodes, WrongCodesPassed, WrongNamesPassed []Miss
	InvalidCaught                                  Rate // printed codes that break their check, reported as invalid or not at all
	NegativesCaught                                Rate // pictures of other things that are not called a license
	CalledOther                                    Rate // readable licenses that are called something else
	Upright                                        Rate // pages turned right
	// DeclaredPassed are readable licenses with the true code and name declared;
	// DeclaredMismatched of them fail because one of the two seems to differ.
	DeclaredPassed          Rate
	DeclaredMismatched      int
	Curves                  []Curve // risk over coverage of code and name
	Outcomes                map[string]map[report.Outcome]int
	Misses                  []Miss
	CPUSeconds, WallSeconds []float64 // a picture, in the order of the table
}

// fieldsCounted are the fields with a rate of their own beside code and name.
var fieldsCounted = []report.FieldName{
	report.FieldLegalRepresentative, report.FieldType, report.FieldRegisteredCapital,
	report.FieldEstablished, report.FieldAddress, report.FieldFormation,
}

// Summarize compares reports with the truth.
func Summarize(results []Result) Summary {
	s := Summary{Pictures: len(results), Exact: map[string]*Rate{}, Outcomes: map[string]map[report.Outcome]int{},
		Curves: []Curve{RiskCoverage(results, report.FieldUSCC), RiskCoverage(results, report.FieldCompanyName)}}
	exact := func(name string) *Rate {
		if s.Exact[name] == nil {
			s.Exact[name] = &Rate{}
		}
		return s.Exact[name]
	}
	for _, r := range results {
		if s.Outcomes[r.Expected] == nil {
			s.Outcomes[r.Expected] = map[report.Outcome]int{}
		}
		s.Outcomes[r.Expected][r.Report.Outcome]++
		if t, ok := r.Report.TimingsMS["cpu"]; ok {
			s.CPUSeconds = append(s.CPUSeconds, t/1000)
		}
		if t, ok := r.Report.TimingsMS["total"]; ok {
			s.WallSeconds = append(s.WallSeconds, t/1000)
		}
		if r.Expected == ExpectNotALicense {
			s.NegativesCaught.count(r.Report.Document.Kind != report.KindBusinessLicense)
			continue
		}
		compare := func(field report.FieldName, rates ...string) {
			truth, known := r.Fields[field]
			if !known {
				return
			}
			read := r.Report.Fields[field].Value
			hit := Same(field, truth, read)
			for _, name := range rates {
				exact(name).count(hit)
			}
			if !hit {
				s.Misses = append(s.Misses, Miss{r.File, field, truth, read})
			}
		}
		switch r.Expected {
		case ExpectReadable:
			rates := []string{"uscc"}
			if r.Legible == "A" {
				rates = append(rates, "uscc_legible_a")
			}
			compare(report.FieldUSCC, rates...)
			if r.Declared.USCC != "" && r.Declared.Name != "" {
				s.DeclaredPassed.count(r.Report.Outcome == report.OutcomePass)
				if slices.ContainsFunc(r.Report.Reasons, mismatch) {
					s.DeclaredMismatched++
				}
			}
		case ExpectReadableLegacy:
			compare(report.FieldRegistrationNumber, "registration_number")
		}
		if r.Expected == ExpectReadable || r.Expected == ExpectReadableLegacy {
			compare(report.FieldCompanyName, "name")
			for _, field := range fieldsCounted {
				compare(field, string(field))
			}
			s.CalledOther.count(r.Report.Document.Kind != report.KindBusinessLicense)
			if r.Rotation != "" {
				s.Upright.count(fmt.Sprint(r.Report.Document.RotationDegrees) == r.Rotation)
			}
		}
		s.compareClaims(r)
	}
	return s
}

// mismatch tells a reason that fails a picture for its declared code or name.
func mismatch(r report.Reason) bool {
	return r.Severity == report.SeverityBlock && (r.Code == "uscc_mismatch" || r.Code == "name_mismatch")
}

// compareClaims notes what was claimed and is wrong.
func (s *Summary) compareClaims(r Result) {
	invalid := slices.ContainsFunc(r.Report.Reasons, func(reason report.Reason) bool { return reason.Code == "uscc_checksum_invalid" })
	_, claimed := r.Report.Fields[report.FieldUSCC]
	if r.Expected == ExpectCodeInvalid {
		s.InvalidCaught.count(invalid || !claimed)
	}
	wrong := func(field report.FieldName, truth string) (Miss, bool) {
		read, ok := r.Report.Fields[field]
		return Miss{r.File, field, truth, read.Value}, ok && truth != "" && !Same(field, truth, read.Value)
	}
	printed := r.Fields[report.FieldUSCC]
	if printed == "" && claimed {
		printed = cmp.Or(r.Code, "none printed")
	}
	if miss, is := wrong(report.FieldUSCC, printed); is && !invalid {
		s.WrongCodes = append(s.WrongCodes, miss)
		if r.Report.Outcome == report.OutcomePass {
			s.WrongCodesPassed = append(s.WrongCodesPassed, miss)
		}
	}
	if miss, is := wrong(report.FieldCompanyName, r.Fields[report.FieldCompanyName]); is && r.Report.Outcome == report.OutcomePass {
		s.WrongNamesPassed = append(s.WrongNamesPassed, miss)
	}
}

// tables are the summary as rows of cells, headers first.
func (s Summary) tables() [][][]string {
	rates := [][]string{{fmt.Sprintf("%d pictures", s.Pictures), "exact", "rate", "95 % interval"}}
	for _, name := range slices.Sorted(maps.Keys(s.Exact)) {
		rates = append(rates, s.Exact[name].row(name))
	}
	rates = append(rates,
		s.NegativesCaught.row("negatives caught"), s.CalledOther.row("licenses called something else"),
		s.InvalidCaught.row("printed invalid codes caught"), s.Upright.row("turned upright"),
		[]string{"wrong codes reported", fmt.Sprint(len(s.WrongCodes))},
		[]string{"wrong codes with outcome pass", fmt.Sprint(len(s.WrongCodesPassed))},
		[]string{"wrong names with outcome pass", fmt.Sprint(len(s.WrongNamesPassed))})
	if s.DeclaredPassed.Of > 0 {
		rates = append(rates, s.DeclaredPassed.row("readable, declared truly: pass"),
			[]string{"readable, declared truly: mismatch", fmt.Sprint(s.DeclaredMismatched)})
	}

	outcomes := [][]string{{"expected", "pass", "fail", "review", "error"}}
	for _, expected := range slices.Sorted(maps.Keys(s.Outcomes)) {
		row := []string{expected}
		for _, outcome := range []report.Outcome{report.OutcomePass, report.OutcomeFail, report.OutcomeReview, report.OutcomeError} {
			row = append(row, fmt.Sprint(s.Outcomes[expected][outcome]))
		}
		outcomes = append(outcomes, row)
	}

	seconds := [][]string{{"seconds a picture", "median", "mean", "P95"}}
	for _, row := range []struct {
		name    string
		seconds []float64
	}{{"CPU", s.CPUSeconds}, {"wall", s.WallSeconds}} {
		seconds = append(seconds, []string{row.name, fmt.Sprintf("%.3f", quantile(row.seconds, 0.5)),
			fmt.Sprintf("%.3f", mean(row.seconds)), fmt.Sprintf("%.3f", quantile(row.seconds, 0.95))})
	}

	risks := [][]string{{"risk over coverage", "printed", "covered", "risk", "coverage at 0 errors", "AURC"}}
	for _, c := range s.Curves {
		last := c.Last()
		risks = append(risks, []string{string(c.Field), fmt.Sprint(c.Of), fmt.Sprintf("%.1f %%", 100*last.Coverage),
			fmt.Sprintf("%.1f %%", 100*last.Risk), fmt.Sprintf("%.1f %%", 100*c.Errorless()), fmt.Sprintf("%.5f", c.Area())})
	}
	return [][][]string{rates, outcomes, seconds, risks}
}

// Print writes the summary as tables.
func (s Summary) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for i, table := range s.tables() {
		if i > 0 {
			fmt.Fprintln(t)
		}
		for _, row := range table {
			fmt.Fprintln(t, strings.Join(row, "\t"))
		}
	}
	return t.Flush()
}

// PrintMisses lists every value that was not read as printed.
func (s Summary) PrintMisses(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	list := func(title string, misses []Miss) {
		for _, m := range misses {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", title, m.File, m.Field, cmp.Or(m.Truth, "-"), cmp.Or(m.Read, "-"))
		}
	}
	fmt.Fprintf(t, "\n\tfile\tfield\ttruth\tread\n")
	list("wrong and passed", s.WrongCodesPassed)
	list("wrong and passed", s.WrongNamesPassed)
	list("wrong code", s.WrongCodes)
	list("miss", s.Misses)
	return t.Flush()
}

func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(len(values), 1))
}

// Floors are what a run must reach.
type Floors struct {
	Exact           map[string]float64 `json:"exact"` // least share by rate
	NegativesCaught float64            `json:"negatives_caught"`
	InvalidCaught   float64            `json:"invalid_caught"`
	CalledOther     float64            `json:"called_other"` // at most
	// WrongCodesPassed and WrongNamesPassed are at most so many.
	WrongCodesPassed int  `json:"wrong_codes_passed"`
	WrongNamesPassed *int `json:"wrong_names_passed"` // nil: not held
}

// ReadFloors reads floors from JSON; unknown names are errors.
func ReadFloors(r io.Reader) (Floors, error) { return readFloors[Floors](r) }

func readFloors[F any](r io.Reader) (floors F, err error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&floors); err != nil {
		return floors, fmt.Errorf("floors: %w", err)
	}
	return floors, nil
}

// Broken lists the floors that a summary does not reach, in words.
func (f Floors) Broken(s Summary) []string {
	var broken []string
	for _, name := range slices.Sorted(maps.Keys(f.Exact)) {
		rate, measured := s.Exact[name]
		if !measured {
			broken = append(broken, fmt.Sprintf("%s: not measured", name))
		} else if rate.Value() < f.Exact[name] {
			broken = append(broken, fmt.Sprintf("%s: %.3f, floor %.3f", name, rate.Value(), f.Exact[name]))
		}
	}
	least := func(name string, rate Rate, floor float64) {
		if rate.Value() < floor {
			broken = append(broken, fmt.Sprintf("%s: %.3f, floor %.3f", name, rate.Value(), floor))
		}
	}
	least("negatives caught", s.NegativesCaught, f.NegativesCaught)
	least("invalid codes caught", s.InvalidCaught, f.InvalidCaught)
	if s.CalledOther.Of > 0 && s.CalledOther.Value() > f.CalledOther {
		broken = append(broken, fmt.Sprintf("licenses called something else: %.3f, at most %.3f", s.CalledOther.Value(), f.CalledOther))
	}
	if n := len(s.WrongCodesPassed); n > f.WrongCodesPassed {
		broken = append(broken, fmt.Sprintf("wrong codes with outcome pass: %d, at most %d", n, f.WrongCodesPassed))
	}
	if n := len(s.WrongNamesPassed); f.WrongNamesPassed != nil && n > *f.WrongNamesPassed {
		broken = append(broken, fmt.Sprintf("wrong names with outcome pass: %d, at most %d", n, *f.WrongNamesPassed))
	}
	return broken
}

// Flips compares two runs over the same table: every value that became right or
// wrong.
func Flips(before, after []Result) []string {
	old := map[string]Result{}
	for _, r := range before {
		old[r.File] = r
	}
	var flips []string
	for _, r := range after {
		was, ok := old[r.File]
		if !ok {
			flips = append(flips, r.File+": new")
			continue
		}
		for _, field := range slices.Sorted(maps.Keys(r.Fields)) {
			truth := r.Fields[field]
			then, now := Same(field, truth, was.Report.Fields[field].Value), Same(field, truth, r.Report.Fields[field].Value)
			if then != now {
				flips = append(flips, fmt.Sprintf("%s: %s became %s: %s, truth %s", r.File, field,
					map[bool]string{true: "right", false: "wrong"}[now], cmp.Or(r.Report.Fields[field].Value, "-"), truth))
			}
		}
		if was.Report.Outcome != r.Report.Outcome {
			flips = append(flips, fmt.Sprintf("%s: outcome %s became %s (%s)", r.File, was.Report.Outcome, r.Report.Outcome, reasons(r.Report)))
		}
	}
	return flips
}

func reasons(r report.Report) string {
	var codes []string
	for _, reason := range r.Reasons {
		codes = append(codes, reason.Code)
	}
	return strings.Join(codes, ", ")
}
