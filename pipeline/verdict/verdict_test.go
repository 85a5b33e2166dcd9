package verdict

import (
	"encoding/json"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/quality"
)

var update = flag.Bool("update", false, "rewrite golden files")

var today = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// madeUSCC completes 16 characters to a code that passes both checks.
func madeUSCC(t testing.TB, first16 string) string {
	t.Helper()
	s := first16 + codes.CheckUSCC(first16+"00").ExpectedOrganizationCheck
	s += codes.CheckUSCC(s + "0").ExpectedCheck
	if v := codes.CheckUSCC(s).Verdict; v != codes.VerdictValid && v != codes.VerdictBadPair {
		t.Fatalf("made %s, which is %s", s, v)
	}
	return s
}

func madeRegistration(t testing.TB, first14 string) string {
	t.Helper()
	return first14 + codes.CheckRegistrationNumber(first14+"0").ExpectedCheck
}

// otherDigit gives the code with its last character changed.
func otherDigit(s string) string {
	last := byte('0')
	if s[len(s)-1] == last {
		last = '1'
	}
	return s[:len(s)-1] + string(last)
}

const companyName = "测试市样张网络科技有限公司"

func read(value string, confidence float64) report.Field {
	return report.Field{Value: value, Raw: value, Confidence: confidence, Source: report.SourceOCR,
		Polygon: report.Polygon{{10, 10}, {200, 10}, {200, 40}, {10, 40}}, EmPx: 30}
}

var sharp = report.LineQuality{EmPx: 30, EffectiveEmPx: 30, BlurQ: 0.03, BlurX: 0.03, BlurY: 0.03, Contrast: 0.7}

// clean is the evidence of a good photo of a company's license.
func clean(t testing.TB) Evidence {
	uscc := madeUSCC(t, "91999900MA7DEMQ0")
	rep := read("样本人", 0.99)
	rep.Label = "法定代表人"
	return Evidence{
		Picture:  report.Picture{Format: "jpeg", Bytes: 1 << 20},
		Document: report.Document{Kind: report.KindBusinessLicense, Edition: report.Edition2019Landscape, Color: report.ColorColor},
		Fields: map[report.FieldName]report.Field{
			report.FieldUSCC:                read(uscc, 0.99),
			report.FieldCompanyName:         read(companyName, 0.99),
			report.FieldType:                read("有限责任公司(自然人独资)", 0.99),
			report.FieldLegalRepresentative: rep,
			report.FieldEstablished:         read("2020-01-15", 0.99),
			report.FieldIssued:              read("2021-06-01", 0.99),
			report.FieldTerm:                read("2020-01-15/long_term", 0.99),
			report.FieldAddress:             read("测试市样张路1号", 0.99),
		},
		Basis: report.Basis{DocumentRead: true, Code: report.CodeReading{State: report.CodeRead, Readings: 1}},
		Quality: report.Quality{WidthPx: 3000, HeightPx: 2000, Page: &sharp, Fields: map[report.FieldName]report.LineQuality{
			report.FieldUSCC: sharp, report.FieldCompanyName: sharp, report.FieldLegalRepresentative: sharp,
		}},
		Measures: map[string]report.Measure{
			MeasurePaperLevel: {Value: 200}, MeasureInkLevel: {Value: 40}, MeasureGlareShare: {Value: 0}, MeasureTextMargin: {Value: 3},
			MeasureCoveredShare: {Value: 0}, MeasureShadeRatio: {Value: 0.8}, MeasureRedShare: {Value: 0.01}, MeasureScreenScore: {Value: 2}, MeasureScreenshotScore: {Value: 0.1}, MeasureDocuments: {Value: 1},
		},
	}
}

func shippedPolicy(t testing.TB, name string) Policy {
	t.Helper()
	p, err := LoadPolicy(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func set(e *Evidence, field report.FieldName, change func(*report.Field)) {
	f := e.Fields[field]
	change(&f)
	e.Fields[field] = f
}

func value(v string) func(*report.Field) { return func(f *report.Field) { f.Value = v } }

func confidence(c float64) func(*report.Field) { return func(f *report.Field) { f.Confidence = c } }

func line(e *Evidence, field report.FieldName, change func(*report.LineQuality)) {
	q := e.Quality.Fields[field]
	change(&q)
	e.Quality.Fields[field] = q
}

func TestDecide(t *testing.T) {
	uscc := clean(t).Fields[report.FieldUSCC].Value
	other := madeUSCC(t, "91999900MA8DEMQ1")
	household := madeUSCC(t, "92999900MA7DEMQ0")
	school := madeUSCC(t, "12999900MB7DEMQ0")
	oddPair := madeUSCC(t, "94999900MA7DEMQ0")
	legacyNumber := madeRegistration(t, "99999920000001")
	noCode := func(state report.CodeState) func(*Evidence) {
		return func(e *Evidence) { e.Code.State = state; delete(e.Fields, report.FieldUSCC) }
	}
	legacy := func(e *Evidence) {
		noCode(report.CodeAbsent)(e)
		e.Document.Edition = report.EditionPre2014
		e.Fields[report.FieldRegistrationNumber] = read(legacyNumber, 0.99)
	}
	measure := func(name string, v float64) func(*Evidence) {
		return func(e *Evidence) { e.Measures[name] = report.Measure{Value: v} }
	}
	unread := func(more func(*Evidence)) func(*Evidence) {
		return func(e *Evidence) { noCode(report.CodeUnreadable)(e); more(e) }
	}
	tests := []struct {
		name    string
		policy  string // photo when empty
		change  func(*Evidence)
		outcome report.Outcome
		reasons []string // code severity[ field]
	}{
		{"clean", "", func(*Evidence) {}, report.OutcomePass, nil},
		{"clean, all declared", "strict", func(e *Evidence) {
			e.Declared = report.Declared{Name: companyName, USCC: uscc, OrganizationCode: uscc[8:16] + "-" + uscc[16:17], LegalRepresentative: "样本人",
				IDNumber: "11010519491231002X", EntityType: "company", Email: "office@example.com", Phone: "+86 138-0013-8000"}
		}, report.OutcomePass, nil},

		{"file: type", "", func(e *Evidence) { e.File = &report.FileProblem{Code: "file_type_not_supported", Rule: "magic"} }, report.OutcomeFail, []string{"file_type_not_supported block"}},
		{"file: size", "", func(e *Evidence) {
			e.File = &report.FileProblem{Code: "file_too_large", Rule: "bytes", Value: 12 << 20, Limit: 10 << 20}
		}, report.OutcomeFail, []string{"file_too_large block"}},
		{"file: damaged", "", func(e *Evidence) { e.File = &report.FileProblem{Code: "file_unreadable", Rule: "truncated"} }, report.OutcomeFail, []string{"file_unreadable block"}},
		{"file: unknown code", "", func(e *Evidence) { e.File = &report.FileProblem{Code: "file_cursed"} }, report.OutcomeFail, []string{"file_unreadable block"}},
		{"file: our own failure", "", func(e *Evidence) { e.File = &report.FileProblem{Code: "system_engine_failed"} }, report.OutcomeError, []string{"system_engine_failed review"}},
		{"file: format of this policy", "wechatpay", func(e *Evidence) { e.Declared = declaredAll(uscc); e.Picture.Format = "webp" }, report.OutcomeFail, []string{"file_type_not_supported block"}},
		{"file: size of this policy", "wechatpay", func(e *Evidence) { e.Declared = declaredAll(uscc); e.Picture.Bytes = 3 << 20 }, report.OutcomeFail, []string{"file_too_large block"}},
		{"system: engine", "", func(e *Evidence) { e.System = "system_engine_failed" }, report.OutcomeError, []string{"system_engine_failed review"}},
		{"system: storage", "", func(e *Evidence) { e.System = "system_storage_unavailable" }, report.OutcomeError, []string{"system_storage_unavailable review"}},
		{"system: timeout", "", func(e *Evidence) { e.System = "system_timeout" }, report.OutcomeError, []string{"system_timeout review"}},
		{"system: unknown code", "", func(e *Evidence) { e.System = "flood" }, report.OutcomeError, []string{"system_engine_failed review"}},
		{"system: never looked", "", func(e *Evidence) { e.DocumentRead = false }, report.OutcomeError, []string{"system_engine_failed review"}},
		{"system: code never looked for", "", func(e *Evidence) { e.Code.State = "" }, report.OutcomeError, []string{"system_engine_failed review"}},
		{"system: essential check not run", "", func(e *Evidence) { e.NotRun = map[string]string{"name_readable": "model missing"} }, report.OutcomeError, []string{"system_engine_failed review"}},

		{"blur, code lost", "", unread(func(e *Evidence) {
			line(e, report.FieldUSCC, func(q *report.LineQuality) { q.BlurQ, q.BlurKind = 0.17, "motion" })
		}),
			report.OutcomeFail, []string{"image_blurry block uscc", "uscc_unreadable block uscc"}},
		{"blur, code read all the same", "", func(e *Evidence) { line(e, report.FieldUSCC, func(q *report.LineQuality) { q.BlurQ = 0.17 }) },
			report.OutcomePass, []string{"image_blurry info uscc"}},
		{"slight blur does not explain a lost code", "", unread(func(e *Evidence) { line(e, report.FieldUSCC, func(q *report.LineQuality) { q.BlurQ = 0.1 }) }),
			report.OutcomeFail, []string{"uscc_unreadable block uscc"}},
		{"much at once explains a lost code, most of it blur", "", unread(func(e *Evidence) {
			line(e, report.FieldUSCC, func(q *report.LineQuality) { q.EmPx, q.EffectiveEmPx, q.BlurQ, q.Contrast = 14, 6, 0.128, 0.1 })
		}), report.OutcomeFail, []string{"image_blurry block uscc", "uscc_unreadable block uscc"}},
		{"slight blur, and the code lost to glare", "", unread(func(e *Evidence) {
			line(e, report.FieldUSCC, func(q *report.LineQuality) { q.BlurQ = 0.1 })
			e.Measures[MeasureGlareShare] = report.Measure{Value: 0.8, Polygon: report.Polygon{{100, 80}, {400, 80}, {400, 110}, {100, 110}}}
		}), report.OutcomeFail, []string{"image_glare block", "uscc_unreadable block uscc"}},
		{"slight blur does not condemn a doubtful name", "", func(e *Evidence) {
			set(e, report.FieldCompanyName, confidence(0.85))
			line(e, report.FieldCompanyName, func(q *report.LineQuality) { q.BlurQ = 0.1 })
		}, report.OutcomeReview, []string{"name_unreadable review name"}},
		{"blur explains a doubtful name", "", func(e *Evidence) {
			set(e, report.FieldCompanyName, confidence(0.8))
			line(e, report.FieldCompanyName, func(q *report.LineQuality) { q.BlurQ = 0.15 })
		}, report.OutcomeFail, []string{"image_blurry block name", "name_unreadable review name"}},
		{"a name painted over", "", func(e *Evidence) { e.NameMasked = report.Polygon{{1, 1}, {9, 1}, {9, 9}, {1, 9}} },
			report.OutcomeFail, []string{"document_masked block name"}},
		{"burnt paper bleaches a code", "", unread(func(e *Evidence) {
			e.Measures[MeasurePaperLevel] = report.Measure{Value: 254}
			line(e, report.FieldUSCC, func(q *report.LineQuality) { q.Contrast = 0.05 })
		}), report.OutcomeFail, []string{"image_overexposed block uscc", "uscc_unreadable block uscc"}},
		{"noise explains a lost code", "", unread(func(e *Evidence) { e.Measures[MeasureNoise] = report.Measure{Value: 35} }),
			report.OutcomeFail, []string{"image_blurry block uscc", "uscc_unreadable block uscc"}},
		{"enlarged, code lost", "", unread(func(e *Evidence) {
			line(e, report.FieldUSCC, func(q *report.LineQuality) { q.EffectiveEmPx, q.BlurQ = 5, 0.08 })
		}), report.OutcomeFail, []string{"image_resolution_too_low block uscc", "uscc_unreadable block uscc"}},
		{"a field that nobody needs is blurred", "", func(e *Evidence) { line(e, report.FieldScope, func(q *report.LineQuality) { q.BlurQ = 0.3 }) }, report.OutcomePass, nil},
		{"small, code lost", "", unread(func(e *Evidence) {
			line(e, report.FieldUSCC, func(q *report.LineQuality) { q.EmPx, q.EffectiveEmPx, q.BlurQ = 7, 7, 0.1 })
		}), report.OutcomeFail, []string{"image_resolution_too_low block uscc", "uscc_unreadable block uscc"}},
		{"tiny picture, code lost", "", unread(func(e *Evidence) { e.Quality.WidthPx, e.Quality.HeightPx = 200, 140 }), report.OutcomeFail, []string{"image_resolution_too_low block", "uscc_unreadable block uscc"}},
		{"faint, code lost", "", unread(func(e *Evidence) { line(e, report.FieldUSCC, func(q *report.LineQuality) { q.Contrast = 0.06 }) }),
			report.OutcomeFail, []string{"image_low_contrast block uscc", "uscc_unreadable block uscc"}},
		{"dark, code lost", "", unread(measure(MeasurePaperLevel, 60)), report.OutcomeFail, []string{"image_too_dark block", "uscc_unreadable block uscc"}},
		{"dark, all read", "", measure(MeasurePaperLevel, 60), report.OutcomePass, []string{"image_too_dark info"}},
		{"overexposed, code lost", "", unread(func(e *Evidence) { measure(MeasureInkLevel, 190)(e); measure(MeasurePaperLevel, 254)(e) }), report.OutcomeFail, []string{"image_overexposed block", "uscc_unreadable block uscc"}},
		{"deep shadow, code lost", "", unread(measure(MeasureShadeRatio, 0.1)), report.OutcomeFail, []string{"image_too_dark block", "uscc_unreadable block uscc"}},
		{"deep shadow, all read", "", measure(MeasureShadeRatio, 0.1), report.OutcomePass, []string{"image_too_dark info"}},
		{"glare, code lost", "", unread(measure(MeasureGlareShare, 0.2)), report.OutcomeFail, []string{"image_glare block", "uscc_unreadable block uscc"}},
		{"cut off, code lost", "", unread(measure(MeasureTextMargin, 0)), report.OutcomeFail, []string{"image_cut_off block", "uscc_unreadable block uscc"}},
		{"covered, code lost", "", unread(measure(MeasureCoveredShare, 0.5)), report.OutcomeFail, []string{"image_covered block", "uscc_unreadable block uscc"}},
		{"grayscale without a seal", "", func(e *Evidence) {
			e.Document.Color = report.ColorGrayscale
			e.Measures[MeasureRedShare] = report.Measure{}
		}, report.OutcomeReview, []string{"document_copy_without_seal review"}},
		{"grayscale with a seal", "", func(e *Evidence) { e.Document.Color = report.ColorGrayscale }, report.OutcomePass, nil},
		{"grayscale, seal not measured", "", func(e *Evidence) { e.Document.Color = report.ColorGrayscale; delete(e.Measures, MeasureRedShare) }, report.OutcomeReview, []string{"image_grayscale_copy review"}},
		{"grayscale under a strict policy", "strict", func(e *Evidence) { e.Declared = declaredAll(uscc); e.Document.Color = report.ColorGrayscale }, report.OutcomeFail, []string{"image_grayscale_copy block"}},
		{"screen", "", measure(MeasureScreenScore, 20), report.OutcomeReview, []string{"image_screen_recapture review"}},
		{"screenshot", "", measure(MeasureScreenshotScore, 0.9), report.OutcomePass, []string{"image_screenshot info"}},
		{"edited", "dingtalk", func(e *Evidence) {
			e.Declared = declaredAll(uscc)
			e.Picture.Metadata = map[string]string{"software": "Adobe Photoshop 25.1"}
		}, report.OutcomeReview, []string{"image_edited review"}},

		{"nothing there", "", func(e *Evidence) { e.Document = report.Document{Kind: report.KindNone} }, report.OutcomeFail, []string{"document_not_a_license block"}},
		{"nothing there, for the page is blurred", "", func(e *Evidence) {
			e.Document = report.Document{Kind: report.KindNone}
			page := sharp
			page.BlurQ = 0.3
			e.Quality.Page = &page
		}, report.OutcomeFail, []string{"image_blurry block", "document_not_a_license block"}},
		{"another certificate", "", func(e *Evidence) {
			e.Document = report.Document{Kind: report.KindOther, Title: "食品经营许可证"}
		}, report.OutcomeFail, []string{"document_other_certificate block"}},
		{"another certificate, untitled", "", func(e *Evidence) { e.Document = report.Document{Kind: report.KindOther} }, report.OutcomeFail, []string{"document_other_certificate block"}},
		{"two licenses", "", measure(MeasureDocuments, 2), report.OutcomeReview, []string{"document_multiple review"}},
		{"specimen", "", func(e *Evidence) { e.Document.Specimen = true }, report.OutcomeFail, []string{"document_specimen block"}},
		{"masked", "", noCode(report.CodeMasked), report.OutcomeFail, []string{"document_masked block uscc"}},
		{"legacy", "", legacy, report.OutcomePass, []string{"document_legacy info registration_number"}},
		{"legacy, 13 digits", "", func(e *Evidence) { legacy(e); set(e, report.FieldRegistrationNumber, value("9999992000001")) }, report.OutcomePass, []string{"document_legacy info registration_number"}},
		{"legacy, doubtful number", "", func(e *Evidence) { legacy(e); set(e, report.FieldRegistrationNumber, confidence(0.55)) },
			report.OutcomeReview, []string{"uscc_unreadable review registration_number", "document_legacy info registration_number"}},
		{"legacy, check digit", "", func(e *Evidence) { legacy(e); set(e, report.FieldRegistrationNumber, value(otherDigit(legacyNumber))) },
			report.OutcomeReview, []string{"uscc_unreadable review registration_number", "document_legacy info registration_number"}},
		{"legacy, code declared", "", func(e *Evidence) { legacy(e); e.Declared.USCC = uscc }, report.OutcomeReview, []string{"document_legacy review registration_number"}},
		{"legacy under a strict policy", "strict", func(e *Evidence) { legacy(e); e.Declared = declaredAll(uscc) }, report.OutcomeFail, []string{"document_legacy block registration_number"}},
		{"number of a modern license is no excuse", "", func(e *Evidence) {
			legacy(e)
			e.Code.State = report.CodeUnreadable
			e.Document.Edition = report.Edition2014Portrait
		},
			report.OutcomeFail, []string{"uscc_unreadable block uscc"}},
		{"expired, reported", "", func(e *Evidence) { set(e, report.FieldTerm, value("2010-01-01/2020-12-31")) }, report.OutcomePass, []string{"document_expired info term"}},
		{"expired, judged", "dingtalk", func(e *Evidence) {
			e.Declared = declaredAll(uscc)
			set(e, report.FieldTerm, value("2010-01-01/2026-03-01"))
		}, report.OutcomeFail, []string{"document_expired block term"}},
		{"expired, date doubtful", "dingtalk", func(e *Evidence) {
			e.Declared = declaredAll(uscc)
			set(e, report.FieldTerm, func(f *report.Field) { f.Value, f.Confidence = "2010-01-01/2020-12-31", 0.6 })
		}, report.OutcomeReview, []string{"document_expired review term"}},
		{"last day of the term", "photo", func(e *Evidence) { set(e, report.FieldTerm, value("2010-01-01/2026-03-02")) }, report.OutcomePass, []string{"document_expiring info term"}},
		{"expiring", "strict", func(e *Evidence) {
			e.Declared = declaredAll(uscc)
			set(e, report.FieldTerm, value("2010-01-01/2026-04-01"))
		}, report.OutcomeFail, []string{"document_expiring block term"}},
		{"printed field missing", "dingtalk", func(e *Evidence) {
			e.Declared = report.Declared{IDNumber: "11010519491231002X"}
			delete(e.Fields, report.FieldLegalRepresentative)
		},
			report.OutcomeReview, []string{"document_field_missing review legal_representative"}},
		{"printed field lost to blur", "dingtalk", func(e *Evidence) {
			e.Declared = report.Declared{IDNumber: "11010519491231002X"}
			delete(e.Fields, report.FieldLegalRepresentative)
			e.Unreadable = map[report.FieldName]report.Polygon{report.FieldLegalRepresentative: {{1, 1}, {2, 1}, {2, 2}}}
			line(e, report.FieldLegalRepresentative, func(q *report.LineQuality) { q.BlurQ = 0.2 })
		}, report.OutcomeFail, []string{"image_blurry block legal_representative", "document_field_missing review legal_representative"}},
		{"contradiction", "", func(e *Evidence) { set(e, report.FieldUSCC, value(household)) }, report.OutcomeReview,
			[]string{"document_inconsistent review", "document_inconsistent review", "document_inconsistent review"}},
		{"issued before established", "", func(e *Evidence) { set(e, report.FieldIssued, value("2019-01-01")) }, report.OutcomeReview, []string{"document_inconsistent review"}},
		{"issued tomorrow", "", func(e *Evidence) { set(e, report.FieldIssued, value("2026-03-03")) }, report.OutcomeReview, []string{"document_inconsistent review"}},
		{"established tomorrow, date doubtful", "", func(e *Evidence) {
			delete(e.Fields, report.FieldIssued)
			set(e, report.FieldEstablished, func(f *report.Field) { f.Value, f.Confidence = "2030-03-03", 0.5 })
		}, report.OutcomePass, nil},

		{"code unreadable", "", noCode(report.CodeUnreadable), report.OutcomeFail, []string{"uscc_unreadable block uscc"}},
		{"code absent", "", noCode(report.CodeAbsent), report.OutcomeFail, []string{"uscc_unreadable block uscc"}},
		{"code said to be read but not there", "", noCode(report.CodeRead), report.OutcomeFail, []string{"uscc_unreadable block uscc"}},
		{"code ambiguous", "", func(e *Evidence) { noCode(report.CodeAmbiguous)(e); e.Code.Candidates = []string{uscc, other} }, report.OutcomeReview, []string{"uscc_unreadable review uscc"}},
		{"code ambiguous, declared", "", func(e *Evidence) {
			noCode(report.CodeAmbiguous)(e)
			e.Code.Candidates = []string{uscc}
			e.Declared.USCC = uscc
		}, report.OutcomeReview, []string{"uscc_unreadable review uscc"}},
		{"code doubtful", "", func(e *Evidence) { set(e, report.FieldUSCC, confidence(0.55)) }, report.OutcomeReview, []string{"uscc_unreadable review uscc"}},
		{"code doubtful, declared the same", "", func(e *Evidence) { set(e, report.FieldUSCC, confidence(0.6)); e.Declared.USCC = strings.ToLower(uscc) }, report.OutcomePass, nil},
		{"code of two readings", "", func(e *Evidence) { set(e, report.FieldUSCC, confidence(0.85)); e.Code.Readings = 2 }, report.OutcomePass, nil},
		{"code of QR only", "", func(e *Evidence) { set(e, report.FieldUSCC, func(f *report.Field) { f.Source = report.SourceQR }) }, report.OutcomeReview, []string{"uscc_unreadable review uscc"}},
		{"code invalid", "", func(e *Evidence) {
			e.Code.State = report.CodeInvalid
			set(e, report.FieldUSCC, value(otherDigit(uscc)))
		}, report.OutcomeFail, []string{"uscc_checksum_invalid block uscc"}},
		{"code invalid, value withheld", "", noCode(report.CodeInvalid), report.OutcomeFail, []string{"uscc_checksum_invalid block uscc"}},
		{"code said to be good breaks its rules", "", func(e *Evidence) { set(e, report.FieldUSCC, value(otherDigit(uscc))) }, report.OutcomeFail, []string{"uscc_checksum_invalid block uscc"}},
		{"code of an impossible category", "", func(e *Evidence) { set(e, report.FieldUSCC, value(oddPair)) }, report.OutcomeFail, []string{"uscc_checksum_invalid block uscc"}},
		{"code of a school", "", func(e *Evidence) { set(e, report.FieldUSCC, value(school)) }, report.OutcomeFail, []string{"uscc_category_not_supported block uscc"}},
		{"pilot code", "", func(e *Evidence) { set(e, report.FieldUSCC, value("91350211M0000XUF46")) }, report.OutcomeReview, []string{"uscc_pilot_code review uscc"}},
		{"QR agrees", "", func(e *Evidence) { e.QR = []report.QR{{Kind: "gsxt_uniscid", USCC: uscc}} }, report.OutcomePass, nil},
		{"QR disagrees", "", func(e *Evidence) { e.QR = []report.QR{{Kind: "gsxt_uniscid", USCC: other}} }, report.OutcomeFail, []string{"uscc_qr_mismatch block uscc"}},
		{"QR disagrees with a doubtful code", "", func(e *Evidence) {
			set(e, report.FieldUSCC, confidence(0.55))
			e.QR = []report.QR{{Kind: "gsxt_uniscid", USCC: other}}
		}, report.OutcomeReview, []string{"uscc_unreadable review uscc"}},
		{"declared code", "", func(e *Evidence) { e.Declared.USCC = other }, report.OutcomeFail, []string{"uscc_mismatch block uscc"}},
		{"declared code invalid", "", func(e *Evidence) { e.Declared.USCC = otherDigit(uscc) }, report.OutcomeFail, []string{"uscc_checksum_invalid block uscc", "uscc_mismatch block uscc"}},
		{"declared organization code", "", func(e *Evidence) { e.Declared.OrganizationCode = other[8:17] }, report.OutcomeFail, []string{"uscc_mismatch block organization_code"}},
		{"declared registration number", "", func(e *Evidence) { legacy(e); e.Declared.RegistrationNumber = madeRegistration(t, "99999920000002") },
			report.OutcomeFail, []string{"uscc_mismatch block registration_number", "document_legacy info registration_number"}},

		{"name lost", "", func(e *Evidence) {
			delete(e.Fields, report.FieldCompanyName)
			e.Unreadable = map[report.FieldName]report.Polygon{report.FieldCompanyName: nil}
		},
			report.OutcomeFail, []string{"name_unreadable block name"}},
		{"name not found", "", func(e *Evidence) { delete(e.Fields, report.FieldCompanyName) }, report.OutcomeReview, []string{"name_unreadable review name"}},
		{"name doubtful", "", func(e *Evidence) { set(e, report.FieldCompanyName, confidence(0.8)) }, report.OutcomeReview, []string{"name_unreadable review name"}},
		{"name doubtful, declared the same", "", func(e *Evidence) { set(e, report.FieldCompanyName, confidence(0.8)); e.Declared.Name = companyName }, report.OutcomePass, nil},
		{"name doubtful and nearly the declared", "", func(e *Evidence) {
			set(e, report.FieldCompanyName, confidence(0.8))
			e.Declared.Name = strings.Replace(companyName, "张", "本", 1)
		}, report.OutcomeReview, []string{"name_unreadable review name"}},
		{"name doubtful and another", "", func(e *Evidence) {
			set(e, report.FieldCompanyName, confidence(0.8))
			e.Declared.Name = "完全不同的一家餐饮管理中心"
		},
			report.OutcomeFail, []string{"name_mismatch block name", "name_unreadable review name"}},
		{"another name", "", func(e *Evidence) { e.Declared.Name = "另一家有限公司" }, report.OutcomeFail, []string{"name_mismatch block name"}},
		{"look-alike name", "", func(e *Evidence) {
			set(e, report.FieldCompanyName, value("测试市未来科技有限公司"))
			e.Declared.Name = "测试市末来科技有限公司"
		},
			report.OutcomeFail, []string{"name_mismatch block name"}},
		{"brackets", "", func(e *Evidence) {
			set(e, report.FieldCompanyName, value("样张（测试）科技有限公司"))
			e.Declared.Name = "样张(测试)科技有限公司"
		},
			report.OutcomePass, []string{"name_variant info name"}},
		{"spaces", "", func(e *Evidence) { e.Declared.Name = "测试市 样张网络科技有限公司" }, report.OutcomePass, []string{"name_variant info name"}},
		{"traditional form", "", func(e *Evidence) { e.Declared.Name = "測試市样张网络科技有限公司" }, report.OutcomePass, []string{"name_variant info name"}},
		{"organization form", "", func(e *Evidence) { e.Declared.Name = "测试市样张网络科技有限责任公司" }, report.OutcomeReview, []string{"name_variant review name"}},
		{"household without a name", "", householdWithoutName(household), report.OutcomePass, nil},
		{"household without a name, declared by its operator", "", func(e *Evidence) { householdWithoutName(household)(e); e.Declared.Name = "个体户样本人" },
			report.OutcomePass, []string{"name_variant info name"}},
		{"household without a name, another declared", "", func(e *Evidence) { householdWithoutName(household)(e); e.Declared.Name = "样张小吃店" },
			report.OutcomeReview, []string{"name_unreadable review name"}},

		{"legal representative", "", func(e *Evidence) { e.Declared.LegalRepresentative = "其他人" }, report.OutcomeFail, []string{"legal_rep_mismatch block legal_representative"}},
		{"legal representative doubtful", "", func(e *Evidence) {
			e.Declared.LegalRepresentative = "样木人"
			set(e, report.FieldLegalRepresentative, confidence(0.5))
		},
			report.OutcomeReview, []string{"legal_rep_mismatch review legal_representative"}},
		{"one of several partners", "", func(e *Evidence) {
			e.Declared.LegalRepresentative = "样本人"
			set(e, report.FieldLegalRepresentative, value("样张投资有限公司(委派代表:样本人)"))
		}, report.OutcomePass, nil},
		{"ID number format", "", func(e *Evidence) { e.Declared.IDNumber = "1101051949123100" }, report.OutcomeFail, []string{"id_number_format_invalid block id_number"}},
		{"ID number checksum", "", func(e *Evidence) { e.Declared.IDNumber = "110105194912310021" }, report.OutcomeFail, []string{"id_number_checksum_invalid block id_number"}},
		{"ID number with x", "", func(e *Evidence) { e.Declared.IDNumber = "11010519491231002x" }, report.OutcomePass, nil},
		{"ID number missing", "dingtalk", func(*Evidence) {}, report.OutcomeFail, []string{"id_number_missing block id_number"}},
		{"declared field missing", "wechatpay", func(e *Evidence) { e.Declared = declaredAll(uscc); e.Declared.Name = " " }, report.OutcomeFail, []string{"declared_field_missing block name", "name_mismatch block name"}},
		{"email", "", func(e *Evidence) { e.Declared.Email = "office.example.com" }, report.OutcomeFail, []string{"contact_email_invalid block email"}},
		{"phone", "", func(e *Evidence) { e.Declared.Phone = "12345678901" }, report.OutcomeFail, []string{"contact_phone_invalid block phone"}},
		{"entity type", "", func(e *Evidence) { e.Declared.EntityType = "individual_business" }, report.OutcomeReview, []string{"entity_type_mismatch review entity_type"}},
		{"entity type in the words of the license", "", func(e *Evidence) { e.Declared.EntityType = "有限责任公司（自然人独资）" }, report.OutcomePass, nil},
	}
	covered := map[string]bool{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := clean(t)
			tt.change(&e)
			name := tt.policy
			if name == "" {
				name = DefaultPolicy
			}
			p := shippedPolicy(t, name)
			outcome, reasons, checks := Decide(Check(e, p, today), p)
			var got []string
			for _, r := range reasons {
				covered[r.Code] = true
				got = append(got, strings.TrimSpace(strings.Join([]string{r.Code, string(r.Severity), string(r.Field)}, " ")))
				complete(t, r)
			}
			if outcome != tt.outcome || !slices.Equal(got, tt.reasons) {
				t.Errorf("got %s %q, want %s %q", outcome, got, tt.outcome, tt.reasons)
			}
			invariants(t, e, p, outcome, reasons, checks)
		})
	}

	// Other packages find these; Decide weighs them.
	p := shippedPolicy(t, "dingtalk")
	for check, list := range map[string][]string{"name_lock": {"name_taken", "name_confusable"}, "license_use": {"license_in_use"}, "photo_use": {"photo_reused"}, "contact_use": {"contact_reused"}, "certification_change": {"certification_changed"}} {
		for _, code := range list {
			e := clean(t)
			e.Declared = declaredAll(clean(t).Fields[report.FieldUSCC].Value)
			found := fail(code, report.Evidence{}).about(report.FieldEmail)
			found.Check = check
			outcome, reasons, checks := Decide(append(Check(e, p, today), found), p)
			if len(reasons) != 1 || reasons[0].Code != code || outcome == report.OutcomePass {
				t.Fatalf("%s: got %s %v", code, outcome, reasons)
			}
			covered[code] = true
			complete(t, reasons[0])
			invariants(t, e, p, outcome, reasons, checks)
		}
	}
	for _, e := range Catalog() {
		if !covered[e.Code] {
			t.Errorf("no test gives the reason %s", e.Code)
		}
	}
}

func declaredAll(uscc string) report.Declared {
	return report.Declared{Name: companyName, USCC: uscc, LegalRepresentative: "样本人", IDNumber: "11010519491231002X", Email: "office@example.com", Phone: "13800138000"}
}

func householdWithoutName(uscc string) func(*Evidence) {
	return func(e *Evidence) {
		set(e, report.FieldUSCC, value(uscc))
		set(e, report.FieldType, value("个体工商户"))
		set(e, report.FieldLegalRepresentative, func(f *report.Field) { f.Label = "经营者" })
		delete(e.Fields, report.FieldCompanyName)
	}
}

// complete asks that a reason can be shown as it is.
func complete(t *testing.T, r report.Reason) {
	t.Helper()
	for _, text := range []string{r.Message.ZH, r.Message.EN, r.Suggestion.ZH, r.Suggestion.EN} {
		if text == "" || strings.ContainsAny(text, "{}") {
			t.Errorf("%s: text %q", r.Code, text)
		}
		for _, hole := range []string{"“”", "()", "（）", "( ", "：。", ": .", "unknown", "  "} {
			if strings.Contains(text, hole) {
				t.Errorf("%s: text %q has a hole", r.Code, text)
			}
		}
	}
	if r.NextStep == "" || r.Category == "" {
		t.Errorf("%s: next step %q, category %q", r.Code, r.NextStep, r.Category)
	}
}

// invariants must hold for every decision.
func invariants(t *testing.T, e Evidence, p Policy, outcome report.Outcome, reasons []report.Reason, checks []report.Check) {
	t.Helper()
	severities, system := map[report.Severity]int{}, 0
	for _, r := range reasons {
		severities[r.Severity]++
		if r.Category == report.CategorySystem {
			system++
		}
		if r.Severity == report.SeverityOff || r.Severity == "" {
			t.Errorf("reason %s has severity %q", r.Code, r.Severity)
		}
	}
	switch outcome {
	case report.OutcomeFail:
		if severities[report.SeverityBlock] == 0 || system > 0 {
			t.Errorf("fail with reasons %v", reasons)
		}
	case report.OutcomeReview:
		if severities[report.SeverityReview] == 0 || severities[report.SeverityBlock] > 0 || system > 0 {
			t.Errorf("review with reasons %v", reasons)
		}
	case report.OutcomeError:
		if system == 0 {
			t.Errorf("error with reasons %v", reasons)
		}
	case report.OutcomePass:
		if severities[report.SeverityReview]+severities[report.SeverityBlock] > 0 {
			t.Errorf("pass with reasons %v", reasons)
		}
		code := codes.CheckUSCC(e.Fields[report.FieldUSCC].Value)
		printed := e.Code.State == report.CodeRead && code.Verdict == codes.VerdictValid && code.Authority == "9" && e.Fields[report.FieldUSCC].Source != report.SourceQR
		number := codes.CheckRegistrationNumber(e.Fields[report.FieldRegistrationNumber].Value)
		legacy := (e.Code.State == report.CodeAbsent || e.Code.State == report.CodeUnreadable) && number.Verdict != codes.VerdictInvalid && p.SeverityOf("document_legacy", "") == report.SeverityInfo
		if !printed && !legacy {
			t.Errorf("pass without a code: state %s", e.Code.State)
		}
		name := e.Fields[report.FieldCompanyName].Value
		if household := code.Category == "2" || number.Category >= "6" || strings.Contains(e.Fields[report.FieldType].Value, "个体"); name == "" && !household {
			t.Error("pass without a name")
		}
		if d := e.Declared.USCC; d != "" && printed && codes.Normalize(d) != code.Normalized {
			t.Error("pass with another code declared")
		}
		if e.System != "" || e.File != nil || e.Document.Kind != report.KindBusinessLicense || e.Document.Specimen {
			t.Error("pass of what is no license")
		}
	default:
		t.Errorf("outcome %q", outcome)
	}
	seen := map[string]int{}
	for _, c := range checks {
		seen[c.Name]++
		if statusRank[c.Status] == 0 && c.Status != report.CheckFailed {
			t.Errorf("check %s has status %q", c.Name, c.Status)
		}
		if (c.Status == report.CheckNotRun || c.Status == report.CheckNotApplicable) && c.Note == "" {
			t.Errorf("check %s is %s without a note", c.Name, c.Status)
		}
	}
	for _, name := range CheckNames() {
		if seen[name] != 1 {
			t.Errorf("check %s is listed %d times", name, seen[name])
		}
	}
	if len(seen) != len(checks) {
		t.Errorf("%d checks under %d names", len(checks), len(seen))
	}
	failed := 0
	for _, c := range checks {
		if c.Status == report.CheckFailed {
			failed++
		}
	}
	if failed > 0 && len(reasons) == 0 {
		t.Errorf("%d failed checks without a reason", failed)
	}
}

// randomEvidence spoils clean evidence at random, some a little, some a lot.
func randomEvidence(t testing.TB, r *rand.Rand) Evidence {
	e := clean(t)
	rarity := 1 + r.IntN(60)
	spoil := func(do func()) {
		if r.IntN(rarity) == 0 {
			do()
		}
	}
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	uscc := e.Fields[report.FieldUSCC].Value
	other, household := madeUSCC(t, "91999900MA8DEMQ1"), madeUSCC(t, "92999900MA7DEMQ0")
	spoil(func() {
		e.Code.State = report.CodeState(pick("ambiguous", "unreadable", "invalid", "masked", "absent", "not_run", "", "odd"))
		e.Code.Candidates = []string{uscc, other}[:r.IntN(3)]
	})
	spoil(func() { e.Document.Kind = report.DocumentKind(pick("other", "none", "")) })
	spoil(func() {
		e.Document.Edition = report.Edition(pick("2014_portrait", "pre_2014", "electronic", "unknown", ""))
	})
	spoil(func() { e.Document.Color = report.Color(pick("grayscale", "")) })
	spoil(func() { e.Document.Specimen = true })
	spoil(func() { e.DocumentRead = false })
	spoil(func() {
		set(&e, report.FieldUSCC, value(pick(otherDigit(uscc), household, madeUSCC(t, "12999900MB7DEMQ0"), "91350211M0000XUF46", "11010519491231002X", "")))
	})
	spoil(func() {
		set(&e, report.FieldUSCC, func(f *report.Field) { f.Source = report.Source(pick("qr", "ocr+qr")) })
	})
	spoil(func() { delete(e.Fields, report.FieldUSCC) })
	spoil(func() {
		number := pick(madeRegistration(t, "99999960000001"), madeRegistration(t, "99999920000001"), "123", "9999992000001")
		e.Fields[report.FieldRegistrationNumber] = read(number, 0.99)
		e.Code.State = report.CodeAbsent
	})
	spoil(func() { householdWithoutName(household)(&e) })
	for _, field := range slices.Sorted(maps.Keys(e.Fields)) {
		spoil(func() { set(&e, field, confidence(r.Float64())) })
		spoil(func() {
			set(&e, field, value(pick("2030-01-01", "2010-01-01/2020-01-01", "另一家公司", "个体工商户", "")))
		})
		spoil(func() { delete(e.Fields, field) })
		spoil(func() {
			line(&e, field, func(q *report.LineQuality) {
				*q = report.LineQuality{EmPx: r.Float64() * 40, EffectiveEmPx: r.Float64() * 40, BlurQ: r.Float64() * 0.2, Contrast: r.Float64()}
			})
		})
	}
	for _, name := range slices.Sorted(maps.Keys(e.Measures)) {
		spoil(func() { e.Measures[name] = report.Measure{Value: r.ExpFloat64() * 10} })
		spoil(func() { delete(e.Measures, name) })
	}
	if r.IntN(2) == 0 {
		e.Declared = declaredAll(uscc)
	}
	spoil(func() { e.Declared.USCC = pick(other, "x", "") })
	spoil(func() { e.Declared.Name = pick("另一家", "测试市样张网络科技有限责任公司", "") })
	spoil(func() { e.QR = []report.QR{{USCC: pick(uscc, other, "")}} })
	spoil(func() {
		e.File = &report.FileProblem{Code: pick("file_too_large", "file_unreadable", "file_type_not_supported", "", "image_blurry"), Rule: pick("bytes", ""), Value: 1, Limit: 2}
	})
	spoil(func() { e.System = pick("system_timeout", "nonsense") })
	spoil(func() {
		e.NotRun = map[string]string{CheckNames()[r.IntN(len(checks))]: "was not asked for", "a_new_check": "unknown here"}
	})
	return e
}

func TestInvariants(t *testing.T) {
	outcomes := map[report.Outcome]int{}
	for _, name := range Policies() {
		p := shippedPolicy(t, name)
		for seed := range uint64(1000) {
			e := randomEvidence(t, rand.New(rand.NewPCG(seed, 1)))
			outcome, reasons, checks := Decide(Check(e, p, today), p)
			invariants(t, e, p, outcome, reasons, checks)
			for _, r := range reasons {
				complete(t, r)
			}
			outcomes[outcome]++
			if t.Failed() {
				t.Fatalf("policy %s, seed %d", name, seed)
			}
		}
	}
	for _, o := range []report.Outcome{report.OutcomePass, report.OutcomeFail, report.OutcomeReview, report.OutcomeError} {
		if outcomes[o] == 0 {
			t.Errorf("no random evidence came to %s: %v", o, outcomes)
		}
	}
}

// A decision made again from stored evidence is the same to the byte.
func TestEvidenceSurvivesStorage(t *testing.T) {
	p := shippedPolicy(t, "strict")
	for seed := range uint64(300) {
		e := randomEvidence(t, rand.New(rand.NewPCG(seed, 2)))
		stored, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var again Evidence
		if err := json.Unmarshal(stored, &again); err != nil {
			t.Fatal(err)
		}
		o1, r1, c1 := Decide(Check(e, p, today), p)
		o2, r2, c2 := Decide(Check(again, p, today), p)
		if o1 != o2 || !reflect.DeepEqual(r1, r2) || !reflect.DeepEqual(c1, c2) {
			t.Fatalf("seed %d: %s %v, then %s %v", seed, o1, r1, o2, r2)
		}
	}
}

func FuzzDecide(f *testing.F) {
	f.Add([]byte(`{"document_read":true,"document":{"kind":"business_license"},"code":{"state":"read"},"fields":{"uscc":{"value":"91","confidence":1}}}`))
	f.Add([]byte(`{"file":{"code":"file_too_large","rule":"pixels","value":1e300}}`))
	f.Add([]byte(`{"declared":{"name":"（）","email":"@","phone":"+86","id_number":"x","uscc":"１","legal_representative":"、"},"document_read":true,"document":{"kind":"business_license"},"code":{"state":"absent"}}`))
	p := shippedPolicy(f, "dingtalk")
	f.Fuzz(func(t *testing.T, data []byte) {
		var e Evidence
		if json.Unmarshal(data, &e) != nil {
			return
		}
		outcome, reasons, checks := Decide(Check(e, p, today), p)
		invariants(t, e, p, outcome, reasons, checks)
	})
}

// Nothing that names a person leaves in a reason or a check, wherever the
// applicant typed it.
func TestNoPersonalData(t *testing.T) {
	secrets := []string{"11010519491231002X", "110105194912310021", "13800138999", "zhang.test@example.org", "8613800138999", "110105491231002"}
	for _, secret := range secrets {
		for _, name := range Policies() {
			p := shippedPolicy(t, name)
			variants := []func(*report.Declared){
				func(d *report.Declared) { d.IDNumber = secret },
				func(d *report.Declared) { d.Email = secret },
				func(d *report.Declared) { d.Phone = secret },
				func(d *report.Declared) { d.USCC = secret },
				func(d *report.Declared) { d.RegistrationNumber = secret },
				func(d *report.Declared) { d.OrganizationCode = secret },
				func(d *report.Declared) { d.Name = "测试市样张" + secret },
				func(d *report.Declared) { d.LegalRepresentative = "样本" + secret },
				func(d *report.Declared) { d.EntityType = secret },
				func(d *report.Declared) { d.IDKind = secret },
			}
			for i, put := range variants {
				e := clean(t)
				put(&e.Declared)
				if i%2 == 0 {
					set(&e, report.FieldUSCC, value(secret))
					e.Code.State = report.CodeInvalid
					e.Code.Candidates = []string{secret}
				}
				_, reasons, checks := Decide(Check(e, p, today), p)
				out, err := json.Marshal(map[string]any{"reasons": reasons, "checks": checks})
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(strings.ToLower(string(out)), strings.ToLower(secret)) {
					t.Errorf("policy %s, variant %d: %s in %s", name, i, secret, out)
				}
			}
		}
	}
}

func TestGolden(t *testing.T) {
	e := clean(t)
	e.Declared = declaredAll(e.Fields[report.FieldUSCC].Value)
	e.Declared.Name = "测试市样本网络科技有限公司"
	delete(e.Fields, report.FieldUSCC)
	e.Code = report.CodeReading{State: report.CodeUnreadable, Polygon: report.Polygon{{100, 80}, {400, 80}, {400, 110}, {100, 110}}}
	line(&e, report.FieldUSCC, func(q *report.LineQuality) { q.BlurQ, q.BlurX, q.BlurKind = 0.17, 0.2, "motion" })
	p := shippedPolicy(t, "dingtalk")
	outcome, reasons, checks := Decide(Check(e, p, today), p)
	got, err := json.MarshalIndent(report.Report{
		ID: "golden", Status: report.StatusCompleted, Outcome: outcome, Policy: p.ID(), Reasons: reasons, Checks: checks,
		Document: e.Document, QR: []report.QR{},
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", "report.golden.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("report differs from %s; run with -update and look at the change:\n%s", path, got)
	}
}

func TestDecideJoinsFindings(t *testing.T) {
	p := shippedPolicy(t, "photo")
	findings := append(Check(clean(t), p, today), Finding{Check: "name_lock", Status: report.CheckPassed}, Finding{Check: "a_new_check", Status: report.CheckPassed})
	outcome, reasons, checks := Decide(findings, p)
	if outcome != report.OutcomePass || len(reasons) != 0 {
		t.Errorf("got %s %v", outcome, reasons)
	}
	for _, name := range []string{"name_lock", "a_new_check"} {
		if i := slices.IndexFunc(checks, func(c report.Check) bool { return c.Name == name }); i < 0 || checks[i].Status != report.CheckPassed {
			t.Errorf("check %s was lost", name)
		}
	}
	broken := fail("no_such_code", report.Evidence{})
	broken.Check = "name_lock"
	if outcome, reasons, _ = Decide(append(findings, broken), p); outcome != report.OutcomeError || reasons[0].Code != "system_engine_failed" {
		t.Errorf("an unknown reason gave %s %v", outcome, reasons)
	}
	if outcome, reasons, checks = Decide(nil, p); outcome != report.OutcomeError || len(checks) != len(CheckNames()) {
		t.Errorf("no findings gave %s %v, %d checks", outcome, reasons, len(checks))
	}
}

// TestPrecheck: a pre-check fails by the picture alone, in the same words, and
// lists what it leaves to the verification.
func TestPrecheck(t *testing.T) {
	lost := func(e *Evidence) {
		e.Code = report.CodeReading{State: report.CodeUnreadable}
		delete(e.Fields, report.FieldUSCC)
	}
	for name, tt := range map[string]struct {
		change  func(*Evidence)
		outcome report.Outcome
		reasons []string
	}{
		"sound":                    {func(*Evidence) {}, report.OutcomePass, nil},
		"the code not read":        {lost, report.OutcomePass, nil},
		"another name declared":    {func(e *Evidence) { e.Declared.Name = "示例市另一家科技有限公司" }, report.OutcomePass, nil},
		"the code lost to blur":    {func(e *Evidence) { lost(e); line(e, report.FieldUSCC, func(q *report.LineQuality) { q.BlurQ = 0.3 }) }, report.OutcomeFail, []string{"image_blurry"}},
		"no license":               {func(e *Evidence) { e.Document = report.Document{Kind: report.KindNone} }, report.OutcomeFail, []string{"document_not_a_license"}},
		"no file that can be read": {func(e *Evidence) { e.File = &report.FileProblem{Code: "file_unreadable"} }, report.OutcomeFail, []string{"file_unreadable"}},
	} {
		e, policy := clean(t), shippedPolicy(t, DefaultPolicy)
		tt.change(&e)
		outcome, reasons, checks := Precheck(Check(e, policy, time.Now()), policy)
		var got []string
		for _, r := range reasons {
			got = append(got, r.Code)
		}
		if outcome != tt.outcome || !slices.Equal(got, tt.reasons) {
			t.Errorf("%s: got %s %v, want %s %v", name, outcome, got, tt.outcome, tt.reasons)
		}
		if len(checks) != len(CheckNames()) {
			t.Errorf("%s: %d checks are listed, want %d", name, len(checks), len(CheckNames()))
		}
		for _, c := range checks {
			if !prechecked(c.Name) && c.Status != report.CheckNotRun {
				t.Errorf("%s: %s is %s", name, c.Name, c.Status)
			}
		}
	}
}

// TestIllegibleIsNotCalledSomethingElse: of a page on which nothing can be read
// nobody knows what it is.
func TestIllegibleIsNotCalledSomethingElse(t *testing.T) {
	for q, want := range map[float64]string{0.3: "看不出其中有没有营业执照", 0.03: "没有找到营业执照"} {
		e, policy := clean(t), shippedPolicy(t, DefaultPolicy)
		e.Document = report.Document{Kind: report.KindNone}
		page := sharp
		page.BlurQ = q
		e.Quality.Page = &page
		_, reasons, _ := Decide(Check(e, policy, time.Now()), policy)
		last := reasons[len(reasons)-1]
		if last.Code != "document_not_a_license" || !strings.Contains(last.Message.ZH, want) {
			t.Errorf("blur %.2f: got %s: %s", q, last.Code, last.Message.ZH)
		}
	}
}

func TestToday(t *testing.T) {
	// 16:30 UTC is the next day in China: the term ended.
	e := clean(t)
	set(&e, report.FieldTerm, value("2010-01-01/2026-03-02"))
	p := shippedPolicy(t, "photo")
	_, reasons, _ := Decide(Check(e, p, time.Date(2026, 3, 2, 16, 30, 0, 0, time.UTC)), p)
	if len(reasons) != 1 || reasons[0].Code != "document_expired" {
		t.Errorf("got %v", reasons)
	}
}

func TestContactRules(t *testing.T) {
	for address, want := range map[string]string{
		"office@example.com": "", " a.b+c@mail.example.cn ": "", "用户@例子.中国": "", "office@example": "domain", "officeexample.com": "no_at",
		"a@b@c.com": "no_at", "a b@example.com": "local_part", ".a@example.com": "local_part", "@example.com": "local_part",
		"office＠example.com": "no_at", "a@-example.com": "domain", "a@example..com": "domain", strings.Repeat("a", 65) + "@example.com": "local_part",
	} {
		if got := emailRule(address); got != want {
			t.Errorf("emailRule(%q) = %q, want %q", address, got, want)
		}
	}
	for number, want := range map[string]string{
		"13800138000": "", "+86 138 0013 8000": "", "0086-13800138000": "", "8613800138000": "", "010-62345678": "", "(0755)26001234": "", "+86 0571 8765 4321": "", "400-820-0000": "",
		"12800138000": "mobile", "1380013800": "mobile", "021-1234567": "landline", "62345678": "phone_length", "": "not_digits", "+": "country", "+86": "not_digits", "１３８00138000": "not_digits", "+1 415 555 2671": "country",
	} {
		if got := phoneRule(number); got != want {
			t.Errorf("phoneRule(%q) = %q, want %q", number, got, want)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	e := clean(b)
	e.Declared = declaredAll(e.Fields[report.FieldUSCC].Value)
	e.Declared.Name = "测试市样本网络科技有限公司"
	p := shippedPolicy(b, "dingtalk")
	for b.Loop() {
		Decide(Check(e, p, today), p)
	}
}

// The model takes the measures by the names that they have here.
func TestSignsKnowTheMeasures(t *testing.T) {
	place := report.Polygon{{0, 0}, {9, 0}, {9, 9}, {0, 9}}
	none := quality.SignsOf(report.FieldUSCC, report.Quality{}, nil, nil)
	for _, name := range []string{MeasureGlareShare, MeasureCoveredShare, MeasureShadeRatio, MeasurePaperLevel, MeasureTextMargin, MeasureNoise, MeasureScreenScore} {
		if got := quality.SignsOf(report.FieldUSCC, report.Quality{}, map[string]report.Measure{name: {Value: 0.3, Polygon: place}}, nil); got == none {
			t.Errorf("%s is no sign", name)
		}
	}
}
