package verdict

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// DefaultPolicy judges the picture alone.
const DefaultPolicy = "photo"

// Policy says what is required, where the limits are and how grave each reason
// is. It is data: one JSON file each, checked by [LoadPolicy] and [ParsePolicy];
// one made otherwise must not judge a picture. The zero Policy does for reporting
// a failure of Heyan.
//
// That the code and the name are read is not a matter of policy.
type Policy struct {
	Name    string      `json:"name"`    // lower-case letters, digits, - and _
	Version int         `json:"version"` // raised with every change of the file
	Title   report.Text `json:"title"`
	// SLAMinutes is the time from submission to the final decision, a person's
	// included.
	SLAMinutes int `json:"sla_minutes"`
	// CertificationMonths is how long an approval holds.
	CertificationMonths int `json:"certification_months"`
	// ReminderDays are how many days before its end a certification is reminded of.
	ReminderDays   []int          `json:"reminder_days"`
	Reverification Reverification `json:"reverification"`
	// SharedLicense lets several organizations be certified with one license, as
	// branches without a license of their own are.
	SharedLicense bool `json:"shared_license"`
	// RetentionDays is how long what was submitted is kept after the verdict.
	RetentionDays Retention  `json:"retention_days"`
	File          FileLimits `json:"file"`
	// Declared are the fields that the applicant must fill in.
	Declared []report.FieldName `json:"declared"`
	// Printed are the fields that must be read besides the code and the name.
	Printed []report.FieldName `json:"printed"`
	// SealedCopyPasses accepts a grayscale copy that bears a fresh red seal.
	SealedCopyPasses bool `json:"sealed_copy_passes"`
	// MinRemainingDays is how long the printed term must still run.
	MinRemainingDays int `json:"min_remaining_days"`
	// EditingSoftware are lower-case words that give an editor away when they
	// occur in the software trace of a file.
	EditingSoftware []string `json:"editing_software"`
	Limits          Limits   `json:"limits"`
	// Severity lists the codes of every reason but the system ones, each under
	// exactly one severity. "code/case" gives one case of a code another
	// severity than the rest.
	Severity map[report.Severity][]string `json:"severity"`

	severity map[string]report.Severity // by code and by code/case
}

// Reverification is when what is stored of an organization is verified again, which
// renews its certification unless something has changed.
type Reverification struct {
	DaysBefore int `json:"days_before"` // the end of the certification; 0: it is not
	SpreadDays int `json:"spread_days"` // over which the organizations are spread
	ADay       int `json:"a_day"`       // of all organizations, at most
}

// Retention is how many days each is kept after a verdict: the picture, the sealed
// submission with what was declared, and the report. Outcome, codes and hashes stay.
type Retention struct {
	Picture    int `json:"picture"`
	Submission int `json:"submission"`
	Report     int `json:"report"`
}

// FileLimits bound the uploaded file.
type FileLimits struct {
	Formats   []string `json:"formats"` // jpeg, png, webp, bmp, tiff, heic, gif, pdf
	MaxBytes  int64    `json:"max_bytes"`
	MaxPixels int64    `json:"max_pixels"`
	MinSidePx int      `json:"min_side_px"` // shorter side of the picture
}

// Band bounds a measure: sound up to Pass, beyond Fail nothing can be read,
// and in between it explains why a field was not read.
type Band struct {
	Pass float64 `json:"pass"`
	Fail float64 `json:"fail"`
}

// Limits are the thresholds of the measures.
type Limits struct {
	// CodeConfidence, NameConfidence and FieldConfidence are the least
	// confidence, 0..1, of a single reading that is believed: the probability
	// that all its characters are right. A code must pass its check as well.
	CodeConfidence  float64 `json:"code_confidence"`
	NameConfidence  float64 `json:"name_confidence"`
	FieldConfidence float64 `json:"field_confidence"`
	// AgreedConfidence is enough where two independent readings agree.
	AgreedConfidence float64 `json:"agreed_confidence"`

	// UnreadableProbability, 0..1, of a field that was not read, is from where the
	// picture is to blame.
	UnreadableProbability float64 `json:"unreadable_probability"`

	BlurQCode Band `json:"blur_q_code"` // blur of the code's line, em
	BlurQText Band `json:"blur_q_text"` // blur of other lines, em
	EmPx      Band `json:"em_px"`       // character height, pixels
	Contrast  Band `json:"contrast"`    // (paper-ink)/(paper+ink)

	PaperLevel      float64 `json:"paper_level"`      // 0..255, at least
	InkLevel        float64 `json:"ink_level"`        // 0..255, at most
	GlareShare      float64 `json:"glare_share"`      // 0..1, at most
	TextMarginEm    float64 `json:"text_margin_em"`   // em, at least
	CoveredShare    float64 `json:"covered_share"`    // 0..1, at most
	ShadeRatio      float64 `json:"shade_ratio"`      // 0..1, at least
	RedShare        float64 `json:"red_share"`        // 0..1, at least: a red seal is there
	ScreenScore     float64 `json:"screen_score"`     // nepers, at most
	ScreenshotScore float64 `json:"screenshot_score"` // 0..1, at most
}

// PolicyError says which field of which policy breaks which rule. A retry does
// not help. It holds nothing that must not be shown.
type PolicyError struct {
	Policy string
	Field  string
	Rule   string
}

func (e *PolicyError) Error() string {
	return fmt.Sprintf("policy %s: %s: %s", cmp.Or(e.Policy, "without a name"), e.Field, e.Rule)
}

// Retryable is false: a policy does not mend itself.
func (e *PolicyError) Retryable() bool { return false }

// ID names the policy and its version, as in photo@1.
func (p Policy) ID() string { return p.Name + "@" + strconv.Itoa(p.Version) }

// SLA is the time from submission to the final decision.
func (p Policy) SLA() time.Duration { return time.Duration(p.SLAMinutes) * time.Minute }

// SeverityOf weighs a reason; case may be empty. Reasons of category system are
// for review under every policy: they never count against the applicant.
func (p Policy) SeverityOf(code, of string) report.Severity {
	if s, ok := p.severity[code+"/"+of]; ok {
		return s
	}
	if s, ok := p.severity[code]; ok {
		return s
	}
	return report.SeverityReview
}

// ignores says whether the policy has switched off all that a check can say.
func (p Policy) ignores(check string) bool {
	codes := reasonsOf[check]
	return len(codes) > 0 && !slices.ContainsFunc(codes, func(code string) bool {
		return p.SeverityOf(code, "") != report.SeverityOff
	})
}

//go:embed policies/*.json
var shipped embed.FS

// Policies are the names of the policies that Heyan ships.
func Policies() []string {
	files, err := shipped.ReadDir("policies")
	if err != nil {
		panic("verdict: embedded policies: " + err.Error())
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".json"))
	}
	return names
}

// LoadPolicy loads a shipped policy by its name, dingtalk, or by its ID,
// dingtalk@1, which must be the version at hand; the empty name is
// [DefaultPolicy]. What has a slash in it or ends in .json is a path and read
// from files; nil files allow no paths, which is right for names that come from
// a caller of the service. Errors are a *PolicyError or of files.
func LoadPolicy(nameOrPath string, files fs.FS) (Policy, error) {
	if strings.ContainsAny(nameOrPath, `/\`) || strings.HasSuffix(nameOrPath, ".json") {
		if files == nil {
			return Policy{}, &PolicyError{"of this request", "policy", "must be a name, not a path"}
		}
		return readPolicy(files, nameOrPath)
	}
	name, version, pinned := strings.Cut(cmp.Or(nameOrPath, DefaultPolicy), "@")
	if !slices.Contains(Policies(), name) {
		return Policy{}, &PolicyError{"of this request", "policy", "no such policy; there are " + strings.Join(Policies(), ", ")}
	}
	p, err := readPolicy(shipped, path.Join("policies", name+".json"))
	if err == nil && pinned && version != strconv.Itoa(p.Version) {
		return Policy{}, &PolicyError{name, "version", fmt.Sprintf("only version %d is at hand", p.Version)}
	}
	return p, err
}

func readPolicy(files fs.FS, name string) (Policy, error) {
	f, err := files.Open(name)
	if err != nil {
		return Policy{}, fmt.Errorf("open policy: %w", err)
	}
	defer f.Close()
	return ParsePolicy(f)
}

// maxPolicyBytes is far above any policy.
const maxPolicyBytes = 1 << 20

// ParsePolicy reads a policy. Unknown fields, values out of range, reasons that
// are missing, listed twice or not strict enough are a *PolicyError.
func ParsePolicy(r io.Reader) (Policy, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPolicyBytes+1))
	if err != nil {
		return Policy{}, fmt.Errorf("read policy: %w", err)
	}
	if len(data) > maxPolicyBytes {
		return Policy{}, &PolicyError{"", "file", fmt.Sprintf("is larger than %d bytes", maxPolicyBytes)}
	}
	var p Policy
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return Policy{}, &PolicyError{p.Name, cmp.Or(kind.Field, "file"), "must be " + jsonKind(kind) + ", not " + kind.Value}
		}
		return Policy{}, &PolicyError{p.Name, "file", strings.TrimPrefix(err.Error(), "json: ")}
	}
	if _, err := d.Token(); err != io.EOF {
		return Policy{}, &PolicyError{p.Name, "file", "holds more than one value"}
	}
	if p.severity, err = p.resolve(); err != nil {
		return Policy{}, err
	}
	return p, p.validate()
}

func jsonKind(e *json.UnmarshalTypeError) string {
	switch e.Type.Kind().String() {
	case "string":
		return "a string"
	case "int", "int64":
		return "a whole number"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "slice":
		return "a list"
	}
	return "an object"
}

// resolve turns the lists of reasons into a table.
func (p Policy) resolve() (map[string]report.Severity, error) {
	table := map[string]report.Severity{}
	for severity, keys := range p.Severity {
		field := "severity." + string(severity)
		if !slices.Contains([]report.Severity{report.SeverityBlock, report.SeverityReview, report.SeverityInfo, report.SeverityOff}, severity) {
			return nil, &PolicyError{p.Name, field, "must be block, review, info or off"}
		}
		for _, key := range keys {
			code, of, refined := strings.Cut(key, "/")
			e, known := entries[code]
			_, knownCase := e.Cases[of]
			switch {
			case !known:
				return nil, &PolicyError{p.Name, field, fmt.Sprintf("no reason has the code %q", code)}
			case refined && !knownCase:
				return nil, &PolicyError{p.Name, field, fmt.Sprintf("reason %s has no case %q", code, of)}
			case e.Category == report.CategorySystem:
				return nil, &PolicyError{p.Name, field, code + " is no matter of policy"}
			}
			if _, twice := table[key]; twice {
				return nil, &PolicyError{p.Name, field, key + " is listed twice"}
			}
			table[key] = severity
		}
	}
	return table, nil
}

// stopping are the reasons under which nothing may pass, whatever a policy
// says: a wrong code or name would be accepted, or nothing was verified at all.
var stopping = []string{
	"file_type_not_supported", "file_too_large", "file_unreadable",
	"document_not_a_license", "document_other_certificate", "document_specimen", "document_masked",
	"document_legacy/uscc_declared",
	"uscc_unreadable", "uscc_checksum_invalid", "uscc_category_not_supported", "uscc_pilot_code",
	"uscc_qr_mismatch", "uscc_mismatch",
	"name_unreadable", "name_mismatch", "name_variant/organization_form",
}

// stops says whether a reason is, in some case, one of those.
func stops(code string) bool {
	return slices.ContainsFunc(stopping, func(key string) bool { return key == code || strings.HasPrefix(key, code+"/") })
}

func (p Policy) validate() error {
	wrong := func(field, format string, args ...any) error {
		return &PolicyError{p.Name, field, fmt.Sprintf(format, args...)}
	}
	if p.Name == "" || strings.Trim(p.Name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return wrong("name", "must be lower-case letters, digits, - and _")
	}
	if p.Title.ZH == "" || p.Title.EN == "" {
		return wrong("title", "must be given as zh and en")
	}
	for _, n := range []struct {
		field string
		value int64
		least int64
	}{
		{"version", int64(p.Version), 1},
		{"sla_minutes", int64(p.SLAMinutes), 1},
		{"certification_months", int64(p.CertificationMonths), 1},
		{"retention_days.picture", int64(p.RetentionDays.Picture), 1},
		{"retention_days.submission", int64(p.RetentionDays.Submission), 1},
		{"retention_days.report", int64(p.RetentionDays.Report), 1},
		{"file.max_bytes", p.File.MaxBytes, 1},
		{"file.max_pixels", p.File.MaxPixels, 1},
		{"file.min_side_px", int64(p.File.MinSidePx), 1},
		{"min_remaining_days", int64(p.MinRemainingDays), 0},
		{"reverification.days_before", int64(p.Reverification.DaysBefore), 0},
		{"reverification.spread_days", int64(p.Reverification.SpreadDays), 0},
		{"reverification.a_day", int64(p.Reverification.ADay), 0},
	} {
		if n.value < n.least {
			return wrong(n.field, "must be at least %d", n.least)
		}
	}
	for i, days := range p.ReminderDays {
		if days < 1 {
			return wrong(fmt.Sprintf("reminder_days[%d]", i), "must be at least 1")
		}
	}
	if again := p.Reverification; again.DaysBefore > 0 {
		const longestMonth = 31
		kept := min(p.RetentionDays.Picture, p.RetentionDays.Submission)
		switch {
		case again.ADay < 1:
			return wrong("reverification.a_day", "must be at least 1")
		case again.SpreadDays >= again.DaysBefore:
			return wrong("reverification.spread_days", "must be below days_before")
		case kept < p.CertificationMonths*longestMonth:
			return wrong("reverification.days_before", "must be 0 where picture and submission are not kept for the whole certification")
		}
	}
	if len(p.File.Formats) == 0 {
		return wrong("file.formats", "must not be empty")
	}
	for i, format := range p.File.Formats {
		if !slices.Contains(formats, format) {
			return wrong(fmt.Sprintf("file.formats[%d]", i), "must be one of %s", strings.Join(formats, ", "))
		}
	}
	for i, field := range p.Declared {
		if _, ok := declaredValue(report.Declared{}, field); !ok {
			return wrong(fmt.Sprintf("declared[%d]", i), "%q is no field that is declared", field)
		}
	}
	for i, field := range p.Printed {
		if !slices.Contains(printable, field) {
			return wrong(fmt.Sprintf("printed[%d]", i), "%q is not one of the fields that every license has besides code and name", field)
		}
	}
	for i, word := range p.EditingSoftware {
		if word == "" || word != strings.ToLower(word) {
			return wrong(fmt.Sprintf("editing_software[%d]", i), "must be a lower-case word")
		}
	}
	if err := p.Limits.validate(wrong); err != nil {
		return err
	}
	for _, e := range Catalog() {
		if _, ok := p.severity[e.Code]; !ok && e.Category != report.CategorySystem {
			return wrong("severity", "does not list %s", e.Code)
		}
	}
	for _, key := range stopping {
		code, of, _ := strings.Cut(key, "/")
		cases := []string{of}
		if of == "" {
			for name := range entries[code].Cases {
				cases = append(cases, name)
			}
		}
		for _, of := range cases {
			if s := p.SeverityOf(code, of); s != report.SeverityBlock && s != report.SeverityReview {
				return wrong("severity", "%s must be block or review, not %s", strings.TrimSuffix(code+"/"+of, "/"), s)
			}
		}
	}
	return nil
}

func (l Limits) validate(wrong func(field, format string, args ...any) error) error {
	for _, n := range []struct {
		field string
		value float64
		most  float64
	}{
		{"code_confidence", l.CodeConfidence, 1},
		{"name_confidence", l.NameConfidence, 1},
		{"field_confidence", l.FieldConfidence, 1},
		{"agreed_confidence", l.AgreedConfidence, 1},
		{"unreadable_probability", l.UnreadableProbability, 1},
		{"paper_level", l.PaperLevel, 255},
		{"ink_level", l.InkLevel, 255},
		{"glare_share", l.GlareShare, 1},
		{"text_margin_em", l.TextMarginEm, 10},
		{"covered_share", l.CoveredShare, 1},
		{"shade_ratio", l.ShadeRatio, 1},
		{"red_share", l.RedShare, 1},
		{"screen_score", l.ScreenScore, 1000},
		{"screenshot_score", l.ScreenshotScore, 1},
	} {
		if !(n.value > 0 && n.value <= n.most) {
			return wrong("limits."+n.field, "must be above 0 and at most %g", n.most)
		}
	}
	for _, b := range []struct {
		field  string
		band   Band
		rising bool // larger values are worse
	}{
		{"blur_q_code", l.BlurQCode, true},
		{"blur_q_text", l.BlurQText, true},
		{"em_px", l.EmPx, false},
		{"contrast", l.Contrast, false},
	} {
		switch {
		case !(b.band.Pass > 0 && b.band.Fail > 0 && b.band.Pass < 1000 && b.band.Fail < 1000):
			return wrong("limits."+b.field, "pass and fail must be above 0 and below 1000")
		case b.rising && b.band.Pass >= b.band.Fail:
			return wrong("limits."+b.field, "pass must be below fail")
		case !b.rising && b.band.Pass <= b.band.Fail:
			return wrong("limits."+b.field, "pass must be above fail")
		}
	}
	return nil
}

// formats are the file formats that a policy may accept.
var formats = []string{"jpeg", "png", "webp", "bmp", "tiff", "heic", "gif", "pdf"}

// printable are the fields that every kind of business license prints besides
// code and name. Capital, term and form are not on all of them.
var printable = []report.FieldName{
	report.FieldType, report.FieldLegalRepresentative, report.FieldEstablished, report.FieldAddress,
	report.FieldScope, report.FieldIssued, report.FieldRegistrationAuthority,
}

// declaredValue gives what the applicant typed; ok is false for a field that
// is not declared.
func declaredValue(d report.Declared, field report.FieldName) (value string, ok bool) {
	switch field {
	case report.FieldCompanyName:
		return d.Name, true
	case report.FieldUSCC:
		return d.USCC, true
	case report.FieldRegistrationNumber:
		return d.RegistrationNumber, true
	case report.FieldOrganizationCode:
		return d.OrganizationCode, true
	case report.FieldLegalRepresentative:
		return d.LegalRepresentative, true
	case report.FieldIDNumber:
		return d.IDNumber, true
	case report.FieldEntityType:
		return d.EntityType, true
	case report.FieldEmail:
		return d.Email, true
	case report.FieldPhone:
		return d.Phone, true
	}
	return "", false
}
