package verdict

import (
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// documented are the codes of the documentation; a rename is a breaking change.
const documented = `
file_type_not_supported file_too_large file_unreadable
image_blurry image_resolution_too_low image_too_dark image_overexposed image_low_contrast image_glare image_cut_off image_covered image_grayscale_copy image_screen_recapture image_screenshot image_edited
document_not_a_license document_other_certificate document_multiple document_specimen document_masked document_legacy document_expired document_expiring document_field_missing document_copy_without_seal document_inconsistent
uscc_unreadable uscc_checksum_invalid uscc_category_not_supported uscc_pilot_code uscc_qr_mismatch uscc_mismatch
name_unreadable name_mismatch name_variant legal_rep_mismatch id_number_format_invalid id_number_checksum_invalid id_number_missing
declared_field_missing contact_email_invalid contact_phone_invalid entity_type_mismatch
name_taken name_confusable license_in_use photo_reused contact_reused certification_changed
system_engine_failed system_storage_unavailable system_timeout`

func TestCatalogIsComplete(t *testing.T) {
	given := map[string]bool{}
	for _, c := range checks {
		for _, code := range c.codes {
			given[code] = true
		}
	}
	want := map[string]bool{}
	for _, code := range strings.Fields(documented) {
		want[code] = true
		if !given[code] {
			t.Errorf("no check gives %s", code)
		}
	}
	seen := map[string]bool{}
	for _, e := range Catalog() {
		if !want[e.Code] || seen[e.Code] {
			t.Errorf("%s is not documented or listed twice", e.Code)
		}
		seen[e.Code] = true
		if e.Category == "" || e.NextStep == "" {
			t.Errorf("%s: category %q, next step %q", e.Code, e.Category, e.NextStep)
		}
		for _, text := range []string{e.Message.ZH, e.Message.EN, e.Suggestion.ZH, e.Suggestion.EN} {
			if text == "" {
				t.Errorf("%s lacks a text", e.Code)
			}
		}
		for name, c := range e.Cases {
			for _, text := range []report.Text{c.Message, c.Suggestion} {
				if (text.ZH == "") != (text.EN == "") {
					t.Errorf("%s/%s has a text in one language", e.Code, name)
				}
			}
		}
	}
	for code := range want {
		if !seen[code] {
			t.Errorf("the catalogue lacks %s", code)
		}
	}
}

func TestShippedPolicies(t *testing.T) {
	for _, want := range []string{"photo", "dingtalk", "wechatpay", "strict"} {
		p, err := LoadPolicy(want, nil)
		if err != nil {
			t.Errorf("%s: %v", want, err)
		} else if p.Name != want || p.ID() != want+"@3" {
			t.Errorf("file %s holds policy %s", want, p.ID())
		}
	}
	p := shippedPolicy(t, "dingtalk@3")
	if p.SLA() != 30*time.Minute || p.CertificationMonths != 12 {
		t.Errorf("dingtalk: SLA %v, %d months", p.SLA(), p.CertificationMonths)
	}
	// Annual re-verification reads the stored picture again.
	if days := p.RetentionDays; days.Picture < 366 || days.Submission < 366 || days.Report < days.Picture {
		t.Errorf("dingtalk: kept %+v days", days)
	}
	if p := shippedPolicy(t, ""); p.Name != DefaultPolicy {
		t.Errorf("the default is %s", p.Name)
	}
}

// changed gives the JSON of the photo policy after a change.
func changed(t testing.TB, change func(map[string]any)) string {
	t.Helper()
	data, err := fs.ReadFile(shipped, "policies/photo.json")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	if data, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// move puts a reason under another severity.
func move(m map[string]any, key, to string) {
	severity := m["severity"].(map[string]any)
	for name, list := range severity {
		var kept []any
		for _, k := range list.([]any) {
			if k != key {
				kept = append(kept, k)
			}
		}
		severity[name] = kept
	}
	if to != "" {
		severity[to] = append(severity[to].([]any), key)
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	limits := func(m map[string]any) map[string]any { return m["limits"].(map[string]any) }
	file := func(m map[string]any) map[string]any { return m["file"].(map[string]any) }
	tests := []struct {
		name   string
		change func(map[string]any)
		want   string
	}{
		{"unknown field", func(m map[string]any) { m["blur"] = 1 }, `file: unknown field "blur"`},
		{"name", func(m map[string]any) { m["name"] = "Photo!" }, "name: must be lower-case"},
		{"version", func(m map[string]any) { m["version"] = 0 }, "version: must be at least 1"},
		{"kind", func(m map[string]any) { m["version"] = "1" }, "version: must be a whole number, not string"},
		{"title", func(m map[string]any) { m["title"] = map[string]any{"zh": "x"} }, "title: must be given as zh and en"},
		{"format", func(m map[string]any) { file(m)["formats"] = []string{"jpeg", "svg"} }, "file.formats[1]: must be one of jpeg"},
		{"reminder", func(m map[string]any) { m["reminder_days"] = []int{30, 0} }, "reminder_days[1]: must be at least 1"},
		{"re-verification without a budget", func(m map[string]any) { m["reverification"] = map[string]int{"days_before": 45} }, "reverification.a_day: must be at least 1"},
		{"re-verification after the end", func(m map[string]any) {
			m["reverification"] = map[string]int{"days_before": 45, "spread_days": 45, "a_day": 1}
		}, "reverification.spread_days: must be below days_before"},
		{"re-verification of what is gone", func(m map[string]any) {
			m["certification_months"], m["reverification"] = 24, map[string]int{"days_before": 45, "a_day": 1}
		},
			"reverification.days_before: must be 0 where"},
		{"no formats", func(m map[string]any) { delete(file(m), "formats") }, "file.formats: must not be empty"},
		{"bytes", func(m map[string]any) { delete(file(m), "max_bytes") }, "file.max_bytes: must be at least 1"},
		{"declared", func(m map[string]any) { m["declared"] = []string{"scope"} }, `declared[0]: "scope"`},
		{"printed", func(m map[string]any) { m["printed"] = []string{"type", "term"} }, `printed[1]: "term"`},
		{"software", func(m map[string]any) { m["editing_software"] = []string{"GIMP"} }, "editing_software[0]: must be a lower-case word"},
		{"limit absent", func(m map[string]any) { delete(limits(m), "glare_share") }, "limits.glare_share: must be above 0 and at most 1"},
		{"limit too large", func(m map[string]any) { limits(m)["name_confidence"] = 95 }, "limits.name_confidence: must be above 0 and at most 1"},
		{"band turned", func(m map[string]any) { limits(m)["blur_q_code"] = map[string]any{"pass": 0.13, "fail": 0.07} }, "limits.blur_q_code: pass must be below fail"},
		{"band turned, falling", func(m map[string]any) { limits(m)["contrast"] = map[string]any{"pass": 0.1, "fail": 0.2} }, "limits.contrast: pass must be above fail"},
		{"band absent", func(m map[string]any) { delete(limits(m), "em_px") }, "limits.em_px: pass and fail must be above 0"},
		{"severity", func(m map[string]any) { m["severity"].(map[string]any)["warn"] = []string{} }, "severity.warn: must be block, review, info or off"},
		{"code", func(m map[string]any) { move(m, "image_ugly", "info") }, `severity.info: no reason has the code "image_ugly"`},
		{"case", func(m map[string]any) { move(m, "image_blurry/motion", "info") }, `severity.info: reason image_blurry has no case "motion"`},
		{"system code", func(m map[string]any) { move(m, "system_timeout", "block") }, "system_timeout is no matter of policy"},
		{"twice", func(m map[string]any) { s := m["severity"].(map[string]any); s["off"] = []string{"image_blurry"} }, "image_blurry is listed twice"},
		{"code missing", func(m map[string]any) { move(m, "image_blurry", "") }, "severity: does not list image_blurry"},
		{"too lenient", func(m map[string]any) { move(m, "uscc_mismatch", "info") }, "severity: uscc_mismatch must be block or review, not info"},
		{"switched off", func(m map[string]any) { move(m, "document_not_a_license", "off") }, "severity: document_not_a_license must be block or review, not off"},
		{"case too lenient", func(m map[string]any) { move(m, "uscc_unreadable/qr_only", "info") }, "severity: uscc_unreadable/qr_only must be block or review, not info"},
		{"case left to a lenient code", func(m map[string]any) { move(m, "name_variant/organization_form", "") }, "severity: name_variant/organization_form must be block or review, not info"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParsePolicy(strings.NewReader(changed(t, tt.change)))
			var wrong *PolicyError
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	for _, text := range []string{"", "[]", "{}", "null", `{"name":"x"} {}`, strings.Repeat(" ", maxPolicyBytes+1)} {
		var wrong *PolicyError
		if _, err := ParsePolicy(strings.NewReader(text)); !errors.As(err, &wrong) {
			t.Errorf("%.20q: got %v", text, err)
		}
	}
}

func TestLoadPolicy(t *testing.T) {
	own := changed(t, func(m map[string]any) { m["name"], m["version"] = "own", 7; move(m, "image_edited", "off") })
	files := fstest.MapFS{"conf/own.json": {Data: []byte(own)}}
	p, err := LoadPolicy("conf/own.json", files)
	if err != nil || p.ID() != "own@7" {
		t.Fatalf("got %s, %v", p.ID(), err)
	}
	e := clean(t)
	e.Picture.Metadata = map[string]string{"software": "GIMP 2.10"}
	_, reasons, checks := Decide(Check(e, p, today), p)
	for _, c := range checks {
		if c.Name == "image_editing" && (c.Status != report.CheckNotApplicable || c.Note != "switched off by policy own@7") {
			t.Errorf("got %+v", c)
		}
	}
	if len(reasons) != 0 {
		t.Errorf("a reason that is off was given: %v", reasons)
	}
	if _, err := LoadPolicy("conf/none.json", files); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	for name, want := range map[string]string{
		"../photo.json": "must be a name, not a path", "nonesuch": "there are dingtalk, photo, strict, wechatpay", "photo@9": "only version 3", "photo@": "only version 3",
	} {
		var wrong *PolicyError
		if _, err := LoadPolicy(name, nil); !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	for _, name := range Policies() {
		data, err := fs.ReadFile(shipped, "policies/"+name+".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Add(`{"severity":{"info":["uscc_unreadable/"]}}`)
	f.Add(`{"name":"x","limits":{"contrast":{"pass":1e308,"fail":1e-308}}}`)
	evidence := clean(f)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePolicy(strings.NewReader(text))
		if err != nil {
			var wrong *PolicyError
			if !errors.As(err, &wrong) {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		outcome, reasons, checks := Decide(Check(evidence, p, today), p)
		invariants(t, evidence, p, outcome, reasons, checks)
		none := clean(t)
		none.Code.State = report.CodeAbsent
		delete(none.Fields, report.FieldUSCC)
		if outcome, _, _ := Decide(Check(none, p, today), p); outcome == report.OutcomePass {
			t.Fatal("passed without a code")
		}
	})
}
