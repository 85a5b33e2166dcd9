// Package report is the contract between Heyan's parts and its callers: what is
// submitted and what is answered. It holds plain values and their JSON form.
// It must not know how anything is read, decided, stored or sent.
package report

import "time"

// Point is a place in pixels of the uploaded picture after EXIF turning:
// x to the right, y down, [x, y] in JSON.
type Point [2]float64

// Polygon is a closed outline, clockwise, without repeating the first point.
type Polygon []Point

// Text is a message in the languages every caller gets.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Beijing is the zone of every date on a license and of every day of a
// certification. China has one zone and no daylight saving time.
var Beijing = time.FixedZone("CST", 8*60*60)

// Purpose says why an organization is verified.
type Purpose string

// The purposes of a submission.
const (
	PurposeInitial        Purpose = "initial"
	PurposeAnnual         Purpose = "annual"
	PurposeReverification Purpose = "reverification"
)

// The longest values of a submission, bytes. Keys are stored in the clear and
// listed, declared values are sealed.
const (
	MaxKey   = 128
	MaxValue = 512
)

// Declared is what the applicant typed. Every field may be empty: a policy says
// which of them must not be.
type Declared struct {
	OrganizationID      string `json:"organization_id,omitempty"`
	Name                string `json:"name,omitempty"`
	USCC                string `json:"uscc,omitempty"`
	RegistrationNumber  string `json:"registration_number,omitempty"` // 15 digits
	OrganizationCode    string `json:"organization_code,omitempty"`   // 11111111-1
	LegalRepresentative string `json:"legal_representative,omitempty"`
	IDKind              string `json:"id_kind,omitempty"`   // codes.IDKind; empty: told from the number
	IDNumber            string `json:"id_number,omitempty"` // personal data: sealed at rest, never logged
	EntityType          string `json:"entity_type,omitempty"`
	Email               string `json:"email,omitempty"` // personal data
	Phone               string `json:"phone,omitempty"` // personal data
}

// Consent records on which basis the applicant's data is processed.
type Consent struct {
	Basis string    `json:"basis"`
	At    time.Time `json:"at"`
	By    string    `json:"by"`
}

// Submission is one picture to verify and what was declared with it.
type Submission struct {
	Declared
	ID              string   `json:"id,omitempty"`
	File            string   `json:"file,omitempty"` // as the caller named it
	Object          string   `json:"object,omitempty"`
	Purpose         Purpose  `json:"purpose,omitempty"`
	Policy          string   `json:"policy,omitempty"`
	Priority        string   `json:"priority,omitempty"`
	Callback        string   `json:"callback,omitempty"`
	Consent         *Consent `json:"consent,omitempty"`
	ClientReference string   `json:"client_reference,omitempty"`
}

// Status is where a verification stands.
type Status string

// The states of a verification.
const (
	StatusQueued    Status = "queued"
	StatusCompleted Status = "completed"
)

// Outcome is the answer of a verification.
type Outcome string

// The outcomes. OutcomeError is Heyan's own failure and never counts against
// the applicant.
const (
	OutcomePass   Outcome = "pass"
	OutcomeFail   Outcome = "fail"
	OutcomeReview Outcome = "review"
	OutcomeError  Outcome = "error"
)

// Category attributes a reason to whoever can mend it.
type Category string

// The categories of reasons.
const (
	CategoryFile         Category = "file"
	CategoryImage        Category = "image"
	CategoryInput        Category = "input"
	CategoryDocument     Category = "document"
	CategoryOrganization Category = "organization"
	CategorySystem       Category = "system"
)

// Severity decides the outcome: any block fails, else any review is reviewed.
type Severity string

// The severities, gravest first. SeverityOff is for policies: the reason is
// not reported at all, and its check is listed as not applicable.
const (
	SeverityBlock  Severity = "block"
	SeverityReview Severity = "review"
	SeverityInfo   Severity = "info"
	SeverityOff    Severity = "off"
)

// NextStep tells the applicant what to do.
type NextStep string

// The next steps.
const (
	NextRetakePhoto       NextStep = "retake_photo"
	NextCorrectInput      NextStep = "correct_input"
	NextRenewLicense      NextStep = "renew_license"
	NextUseOtherProcedure NextStep = "use_other_procedure"
	NextWait              NextStep = "wait"
	NextContactSupport    NextStep = "contact_support"
	NextNone              NextStep = "none"
)

// Evidence is what a reason rests on. Value and Limit are in the measure's own
// unit; Polygon shows the place. Expected and Found never hold personal data.
type Evidence struct {
	Measure  string   `json:"measure,omitempty"`
	Value    *float64 `json:"value,omitempty"`
	Limit    *float64 `json:"limit,omitempty"`
	Detail   string   `json:"detail,omitempty"` // the rule or class, lower_snake: "motion", "check_digit"
	Expected string   `json:"expected,omitempty"`
	Found    string   `json:"found,omitempty"`
	Polygon  Polygon  `json:"polygon,omitempty"`
}

// Reason says what is wrong, where, whose fault it is and what to do next.
type Reason struct {
	Code       string    `json:"code"`
	Category   Category  `json:"category"`
	Severity   Severity  `json:"severity"`
	Field      FieldName `json:"field,omitempty"`
	NextStep   NextStep  `json:"next_step"`
	Message    Text      `json:"message"`
	Suggestion Text      `json:"suggestion"`
	Evidence   Evidence  `json:"evidence"`
}

// CheckStatus is how a check ended.
type CheckStatus string

// The states of a check. None is ever left out of a report.
const (
	CheckPassed        CheckStatus = "passed"
	CheckFailed        CheckStatus = "failed"
	CheckNotApplicable CheckStatus = "not_applicable"
	CheckNotRun        CheckStatus = "not_run"
)

// Check is one rule that was applied, or why it was not.
type Check struct {
	Name    string      `json:"name"`
	Status  CheckStatus `json:"status"`
	Score   *float64    `json:"score,omitempty"`
	Limit   *float64    `json:"limit,omitempty"`
	Version string      `json:"version"`
	Note    string      `json:"note,omitempty"` // why it was not run, in a few words
}

// FieldName names a printed field of a license.
type FieldName string

// The fields of a license. FieldLegalRepresentative covers every label the law
// gives that person: 法定代表人, 负责人, 经营者, 投资人, 执行事务合伙人.
const (
	FieldUSCC                  FieldName = "uscc"
	FieldRegistrationNumber    FieldName = "registration_number"
	FieldCompanyName           FieldName = "name"
	FieldType                  FieldName = "type"
	FieldLegalRepresentative   FieldName = "legal_representative"
	FieldRegisteredCapital     FieldName = "registered_capital"
	FieldPaidInCapital         FieldName = "paid_in_capital"
	FieldFormation             FieldName = "formation" // 组成形式 of an individual household
	FieldEstablished           FieldName = "established"
	FieldTerm                  FieldName = "term"
	FieldAddress               FieldName = "address"
	FieldScope                 FieldName = "scope"
	FieldRegistrationAuthority FieldName = "registration_authority"
	FieldIssued                FieldName = "issued"
	FieldSerialNumber          FieldName = "serial_number"
	FieldIDNumber              FieldName = "id_number" // declared only, never printed on a license
	FieldOrganizationCode      FieldName = "organization_code"
	FieldEmail                 FieldName = "email"
	FieldPhone                 FieldName = "phone"
	FieldEntityType            FieldName = "entity_type"
)

// Source says where a value was read.
type Source string

// The sources of a value.
const (
	SourceOCR   Source = "ocr"
	SourceQR    Source = "qr"
	SourceOCRQR Source = "ocr+qr"
	// SourcePerson is a reviewer, in place of the machine.
	SourcePerson Source = "person"
)

// Field is one value read from the picture. A field that was not read is absent
// from the report; Value is never empty.
type Field struct {
	Value      string  `json:"value"`           // normalised: ISO dates, half-width brackets in types, NFKC codes
	Raw        string  `json:"raw"`             // as recognised
	Confidence float64 `json:"confidence"`      // 0..1
	Source     Source  `json:"source"`          //
	Polygon    Polygon `json:"polygon"`         // pixels of the uploaded picture
	EmPx       float64 `json:"em_px"`           // height of a character in pixels of the uploaded picture
	Label      string  `json:"label,omitempty"` // the printed label: 经营者, 住所, …
	// Readings is how many independent readings agree on Value (code and name).
	Readings int `json:"readings,omitempty"`
	// Candidates are other values a person should consider, best first; a
	// repaired code stands here and never in Value.
	Candidates []string `json:"candidates,omitempty"`
	Amount     *Amount  `json:"amount,omitempty"` // registered capital as a number
}

// Amount is a sum of money.
type Amount struct {
	Value    string `json:"value"`    // decimal number in whole units: "3000000", "1234567.89"
	Currency string `json:"currency"` // ISO 4217
}

// DocumentKind says what the picture shows.
type DocumentKind string

// The kinds of documents.
const (
	KindBusinessLicense DocumentKind = "business_license"
	KindOther           DocumentKind = "other" // another certificate
	KindNone            DocumentKind = "none"  // no certificate at all
)

// Edition is the printed form of a license.
type Edition string

// The editions; EditionUnknown when the face does not tell.
const (
	Edition2019Landscape Edition = "2019_landscape"
	Edition2014Portrait  Edition = "2014_portrait"
	EditionPre2014       Edition = "pre_2014"
	EditionElectronic    Edition = "electronic"
	EditionUnknown       Edition = "unknown"
)

// Copy tells an original (正本) from a duplicate (副本).
type Copy string

// The copies.
const (
	CopyOriginal  Copy = "original"
	CopyDuplicate Copy = "duplicate"
	CopyUnknown   Copy = "unknown"
)

// Color says whether the picture shows colour.
type Color string

// The colours.
const (
	ColorColor     Color = "color"
	ColorGrayscale Color = "grayscale"
)

// Document describes the sheet that was found.
type Document struct {
	Kind            DocumentKind `json:"kind"`
	Title           string       `json:"title,omitempty"` // the printed title, for another certificate too
	Edition         Edition      `json:"edition,omitempty"`
	Copy            Copy         `json:"copy,omitempty"`
	Color           Color        `json:"color,omitempty"`
	Quad            Polygon      `json:"quad,omitempty"` // the sheet or its printed frame; absent when none was found
	RotationDegrees int          `json:"rotation_degrees"`
	Specimen        bool         `json:"specimen,omitempty"` // 样本, 样张, SAMPLE printed across
}

// Measure is one figure about legibility with the place it was taken.
type Measure struct {
	Value   float64 `json:"value"`
	Polygon Polygon `json:"polygon,omitempty"`
}

// LineQuality is how well one field can be read, from the pixels alone.
type LineQuality struct {
	EmPx          float64 `json:"em_px"`           // character height, pixels of the uploaded picture
	EffectiveEmPx float64 `json:"effective_em_px"` // lowered when the picture was enlarged
	BlurQ         float64 `json:"blur_q"`          // blur relative to the em; 0 sharp, above 0.13 illegible
	BlurX         float64 `json:"blur_x"`          // along the line, em
	BlurY         float64 `json:"blur_y"`          // across the line, em
	BlurKind      string  `json:"blur_kind,omitempty"`
	Contrast      float64 `json:"contrast"` // (paper-ink)/(paper+ink), 0..1
	// Unreadable is the probability, from the image alone, that the field cannot be
	// read; of a page, that its code or its name cannot.
	Unreadable float64 `json:"unreadable,omitempty"`
}

// Quality is what was measured of the picture.
type Quality struct {
	WidthPx  int                       `json:"width_px"`
	HeightPx int                       `json:"height_px"`
	Fields   map[FieldName]LineQuality `json:"fields,omitempty"`
	Page     *LineQuality              `json:"page,omitempty"` // P10 of all text lines, worst first
	Chroma   float64                   `json:"chroma"`         // P99.5 of Lab chroma after white balance
	// Measures are of the picture as a whole, each with its worst place, by name:
	// glare_share, covered_share, text_margin_em, …
	Measures map[string]Measure `json:"measures,omitempty"`
}

// QR is a code found on the picture.
type QR struct {
	Payload string `json:"payload"`
	Kind    string `json:"kind"`           // "gsxt_uniscid", "gsxt_token", "province", "text", "unparsed"
	USCC    string `json:"uscc,omitempty"` // when the payload carries one
	// Fields are what a payload says in words, beside the code.
	Fields  map[FieldName]string `json:"fields,omitempty"`
	Polygon Polygon              `json:"polygon,omitempty"`
}

// Picture is what intake learned about the file.
type Picture struct {
	Format       string            `json:"format,omitempty"`
	Bytes        int64             `json:"bytes"`
	SHA256       string            `json:"sha256,omitempty"`
	PixelsSHA256 string            `json:"pixels_sha256,omitempty"`
	Metadata     map[string]string `json:"metadata,omitempty"` // software, camera, dates; never a place
}

// CodeState is what became of the search for the unified social credit code.
type CodeState string

// The states of a code reading. The empty state is CodeNotRun.
const (
	CodeRead       CodeState = "read"       // Fields holds it
	CodeAmbiguous  CodeState = "ambiguous"  // readings disagree; Candidates
	CodeUnreadable CodeState = "unreadable" // its label or place was found, not its value
	CodeInvalid    CodeState = "invalid"    // surely read, and the printed code breaks its own rules
	CodeMasked     CodeState = "masked"     // covered or starred out on purpose
	CodeAbsent     CodeState = "absent"     // no trace of one on the sheet
	CodeNotRun     CodeState = "not_run"
)

// CodeReading is how the code was read. A value stands in the report's Fields
// only; Candidates are never used as the code.
type CodeReading struct {
	State      CodeState `json:"state"`
	Candidates []string  `json:"candidates,omitempty"`
	Polygon    Polygon   `json:"polygon,omitempty"`
	Readings   int       `json:"readings,omitempty"` // independent readings that agree
}

// FileProblem says why a file was not opened. Message is optional: the catalogue
// of reasons has a general one.
type FileProblem struct {
	Code    string  `json:"code"`           // file_*
	Rule    string  `json:"rule,omitempty"` // what was exceeded or broken; a rule with "byte", "pixel" or "px" in it tells the unit
	Value   float64 `json:"value,omitempty"`
	Limit   float64 `json:"limit,omitempty"`
	Message Text    `json:"message"`
}

// Basis is what a decision rests on besides the values and figures of its report:
// with both, the report can be decided again without the picture.
type Basis struct {
	// File is set when the file could not be opened: nothing below was run.
	File *FileProblem `json:"file,omitempty"`
	// System is the reason code when Heyan itself failed: nothing below can be
	// trusted.
	System       string      `json:"system,omitempty"`
	DocumentRead bool        `json:"document_read"` // the report's Document was determined
	Code         CodeReading `json:"code"`
	// Unreadable are the fields whose label was found, or whose place is known,
	// but whose value could not be read.
	Unreadable map[FieldName]Polygon `json:"unreadable,omitempty"`
	// NameMasked is where the name is painted over.
	NameMasked Polygon `json:"name_masked,omitempty"`
	// NotRun says of checks, by name, why they could not be made.
	NotRun map[string]string `json:"not_run,omitempty"`
}

// Change is one thing that is not as it was certified before. Field is that of a
// report (name, uscc, legal_representative, registered_capital, term), checks. with
// the name of a check, or policy. The values are for people to see, not for events.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"` // empty: not read any more
}

// Print is the fingerprint of a picture: whether two pictures are one shot, or an
// edit of it, is told from their prints alone. It is at most 4 KB of JSON.
type Print struct {
	// Shot is the photo with what is round the sheet, upright, 56 x 56 cells row by
	// row, each its structure in 4 bits, the left one of a byte high.
	Shot []byte `json:"shot"`
	// Strips are the lines that tell one license from another, code, name and date,
	// as they lie on the flattened sheet: 80 x 10 cells each.
	Strips map[FieldName][]byte `json:"strips,omitempty"`
}

// Report is the answer. Every field is stable; new ones may come.
type Report struct {
	ID        string              `json:"id"`
	File      string              `json:"file,omitempty"`
	Status    Status              `json:"status"`
	Outcome   Outcome             `json:"outcome,omitempty"`
	Precheck  bool                `json:"precheck,omitempty"` // nothing but the picture was judged
	Policy    string              `json:"policy"`             // name@version
	Reasons   []Reason            `json:"reasons"`
	Checks    []Check             `json:"checks"`
	Fields    map[FieldName]Field `json:"fields"`
	Document  Document            `json:"document"`
	Quality   Quality             `json:"quality"`
	QR        []QR                `json:"qr"`
	Picture   Picture             `json:"picture"`
	Basis     *Basis              `json:"basis,omitempty"`    // absent from pre-checks
	Changes   []Change            `json:"changes,omitempty"`  // of a re-verification
	Likeness  *Print              `json:"likeness,omitempty"` // absent from pre-checks and answers of the API, and where the file could not be opened
	TimingsMS map[string]float64  `json:"timings_ms"`
	Versions  map[string]string   `json:"versions"`
}

// Event is what leaves Heyan when a verification moves on: thin, without data.
type Event struct {
	Type    string    `json:"type"`
	At      time.Time `json:"timestamp"`
	ID      string    `json:"id"`
	Status  Status    `json:"status"`
	Outcome Outcome   `json:"outcome,omitempty"`
	Reasons []string  `json:"reasons,omitempty"`
}
