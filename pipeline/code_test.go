package pipeline

import (
	"slices"
	"strings"
	"testing"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/report"
)

// A published vector, the same with its check character changed, and a code of
// the pilot that breaks the check rule by design.
const (
	goodCode  = "91100000100003962T"
	badCode   = "91100000100003962L"
	pilotCode = "91350211M0000XUF46"
)

// line is a reading of text in which every character has the same confidence;
// doubts maps a position to a lesser confidence and other readings.
func line(engine, text string, confidence float64, doubts map[int]ocr.Character) ocr.Line {
	runes := []rune(text)
	var characters []ocr.Character
	for i, r := range runes {
		c := ocr.Character{Text: string(r), Confidence: confidence, Center: (float64(i) + 0.5) / float64(len(runes))}
		if d, ok := doubts[i]; ok {
			c.Confidence, c.Alternatives = d.Confidence, d.Alternatives
		}
		characters = append(characters, c)
	}
	return ocr.Line{Quad: ocr.Quad{{X: 0, Y: 0}, {X: 900, Y: 0}, {X: 900, Y: 40}, {X: 0, Y: 40}},
		Text: text, Confidence: ocr.Mean(characters), Characters: characters, Engine: engine}
}

func doubt(confidence float64, alternatives ...string) ocr.Character {
	c := ocr.Character{Confidence: confidence}
	for _, a := range alternatives {
		c.Alternatives = append(c.Alternatives, ocr.Alternative{Text: a, Confidence: 1 - confidence})
	}
	return c
}

func TestSightings(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"alone":           {goodCode, []string{goodCode}},
		"after its label": {"统一社会信用代码" + goodCode, []string{goodCode}},
		"letter-spaced":   {strings.Join(strings.Split(goodCode, ""), " "), []string{goodCode}},
		"overprinted":     {"91100000（副 本）100003962T", []string{goodCode}},
		"folded":          {strings.ReplaceAll(goodCode, "0", "O"), []string{goodCode}},
		"copy number":     {goodCode + "(1-1)", []string{goodCode}},
		"too short":       {goodCode[:17], nil},
		"an ID number":    {"11010519491231002X", nil},
		"words":           {"有限责任公司", nil},
	} {
		var got []string
		for _, s := range sightings(line("a", tt.text, 0.99, nil)) {
			got = append(got, s.code)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

// TestSightingPlace: the quad covers the code, not its label.
func TestSightingPlace(t *testing.T) {
	seen := sightings(line("a", "一二"+goodCode, 0.99, nil))
	if len(seen) != 1 {
		t.Fatalf("got %d sightings", len(seen))
	}
	if q := seen[0].quad; q[0].X < 85 || q[0].X > 95 || q[1].X < 895 {
		t.Errorf("got quad %v, want from 90 to 900", q)
	}
}

func TestDecideCode(t *testing.T) {
	qr := func(code string) []report.QR { return []report.QR{{USCC: code}} }
	repaired := map[int]ocr.Character{17: doubt(0.6, "T")}
	tests := []struct {
		name     string
		lines    []ocr.Line
		qr       []report.QR
		expected bool
		state    report.CodeState
		value    string
		readings int
		source   report.Source
	}{
		{name: "one valid reading", lines: []ocr.Line{line("a", goodCode, 0.99, nil)},
			state: report.CodeRead, value: goodCode, readings: 1, source: report.SourceOCR},
		{name: "two engines", lines: []ocr.Line{line("a", goodCode, 0.8, nil), line("b", goodCode, 0.8, nil)},
			state: report.CodeRead, value: goodCode, readings: 2, source: report.SourceOCR},
		{name: "one engine twice is one reading", lines: []ocr.Line{line("a", goodCode, 0.8, nil), line("a", goodCode, 0.9, nil)},
			state: report.CodeRead, value: goodCode, readings: 1, source: report.SourceOCR},
		{name: "the QR code agrees", lines: []ocr.Line{line("a", goodCode, 0.8, nil)}, qr: qr(goodCode),
			state: report.CodeRead, value: goodCode, readings: 2, source: report.SourceOCRQR},
		{name: "valid beats invalid", lines: []ocr.Line{line("a", badCode, 0.99, nil), line("b", goodCode, 0.7, nil)},
			state: report.CodeRead, value: goodCode, readings: 1, source: report.SourceOCR},
		{name: "printed so", lines: []ocr.Line{line("a", badCode, 0.99, nil), line("b", badCode, 0.99, nil)},
			state: report.CodeInvalid, value: badCode, readings: 2, source: report.SourceOCR},
		{name: "invalid and doubtful", lines: []ocr.Line{line("a", badCode, 0.99, repaired), line("b", badCode, 0.99, repaired)},
			state: report.CodeUnreadable},
		{name: "a repaired code is never the value", lines: []ocr.Line{line("a", badCode, 0.99, repaired)},
			state: report.CodeUnreadable},
		{name: "the QR code fills in a doubtful character", lines: []ocr.Line{line("a", badCode, 0.99, repaired)}, qr: qr(goodCode),
			state: report.CodeRead, value: goodCode, readings: 2, source: report.SourceOCRQR},
		{name: "the QR code does not overrule a sure character", lines: []ocr.Line{line("a", badCode, 0.99, nil)}, qr: qr(goodCode),
			state: report.CodeUnreadable},
		{name: "the QR code alone is no reading", qr: qr(goodCode), expected: true, state: report.CodeUnreadable},
		{name: "label without a code", expected: true, state: report.CodeUnreadable},
		{name: "a pilot code that one engine read", lines: []ocr.Line{line("a", pilotCode, 0.99, nil)}, state: report.CodeUnreadable},
		{name: "a pilot code that two engines read", lines: []ocr.Line{line("a", pilotCode, 0.99, nil), line("b", pilotCode, 0.99, nil)},
			state: report.CodeRead, value: pilotCode, readings: 2, source: report.SourceOCR},
		{name: "no trace", state: report.CodeAbsent},
	}
	for _, tt := range tests {
		var seen []sighting
		for _, l := range tt.lines {
			seen = append(seen, sightings(l)...)
		}
		s, reading, source := decideCode(seen, tt.qr, tt.expected)
		if reading.State != tt.state {
			t.Errorf("%s: got %s, want %s", tt.name, reading.State, tt.state)
			continue
		}
		if tt.value == "" {
			continue
		}
		if s.code != tt.value || reading.Readings != tt.readings || source != tt.source {
			t.Errorf("%s: got %s, %d readings, %s; want %s, %d, %s", tt.name, s.code, reading.Readings, source, tt.value, tt.readings, tt.source)
		}
	}
}

// TestCandidatesAreOffered: what a doubtful character may be makes candidates
// for a person.
func TestCandidatesAreOffered(t *testing.T) {
	seen := sightings(line("a", badCode, 0.99, map[int]ocr.Character{17: doubt(0.6, "T", "9")}))
	_, reading, _ := decideCode(seen, nil, true)
	if !slices.Equal(reading.Candidates, []string{goodCode}) {
		t.Errorf("got %v", reading.Candidates)
	}
}

// TestTwoValidCodesAreAmbiguous: neither is the value.
func TestTwoValidCodesAreAmbiguous(t *testing.T) {
	const other = "911000001000013428" // a published vector
	seen := append(sightings(line("a", goodCode, 0.9, nil)), sightings(line("b", other, 0.9, nil))...)
	_, reading, _ := decideCode(seen, nil, true)
	if reading.State != report.CodeAmbiguous || len(reading.Candidates) != 2 {
		t.Errorf("got %s, candidates %v", reading.State, reading.Candidates)
	}
}

func TestSettled(t *testing.T) {
	for name, tt := range map[string]struct {
		lines []ocr.Line
		want  bool
	}{
		"sure":                 {[]ocr.Line{line("a", goodCode, 0.99, nil)}, true},
		"one weak character":   {[]ocr.Line{line("a", goodCode, 0.99, map[int]ocr.Character{4: doubt(0.5)})}, false},
		"weak, but two agree":  {[]ocr.Line{line("a", goodCode, 0.7, nil), line("b", goodCode, 0.7, nil)}, true},
		"weak, the same twice": {[]ocr.Line{line("a", goodCode, 0.7, nil), line("a", goodCode, 0.7, nil)}, false},
		"sure and invalid":     {[]ocr.Line{line("a", badCode, 0.99, nil), line("b", badCode, 0.99, nil)}, false},
		"nothing":              {nil, false},
	} {
		var seen []sighting
		for _, l := range tt.lines {
			seen = append(seen, sightings(l)...)
		}
		if got := settled(seen); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}
