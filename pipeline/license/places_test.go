package license

import (
	"testing"

	"github.com/heyan/heyan/ocr"
)

// TestPlaceNamesAreSpelled: a doubtful character becomes the alternative that
// makes the name of a division, and nothing else does.
func TestPlaceNamesAreSpelled(t *testing.T) {
	for _, tt := range []struct {
		text        string
		at          int
		confidence  float64
		alternative string
		want        string
	}{
		{"广州市自云区秋山路1号", 3, 0.8, "白", "广州市白云区秋山路1号"},
		{"双流品秋山书店", 2, 0.8, "县", "双流县秋山书店"},
		{"广州市自云区秋山路1号", 3, 0.99, "白", "广州市自云区秋山路1号"}, // the reader is sure
		{"广州市秋山自云楼", 5, 0.8, "白", "广州市秋山自云楼"},        // no division either way
		{"广州市白云区秋山路1号", 3, 0.6, "百", "广州市白云区秋山路1号"},  // it is one as it stands
	} {
		line := newSheet(900, 600).print(100, 100, 30, tt.text).lines[0]
		line.Characters[tt.at].Confidence = tt.confidence
		line.Characters[tt.at].Alternatives = []ocr.Alternative{{Text: tt.alternative, Confidence: 0.1}, {Text: "闫", Confidence: 0.05}}
		f, ok := newFragment(0, line)
		if !ok {
			t.Fatal("no fragment")
		}
		got := f.placed()
		if string(got.raw) != tt.want || ocr.Join(got.characters) != tt.want {
			t.Errorf("%s became %s, want %s", tt.text, string(got.raw), tt.want)
		}
		if tt.want != tt.text && got.characters[tt.at].Confidence != 0.1 {
			t.Errorf("%s is sure by %.2f of what the lists say", tt.want, got.characters[tt.at].Confidence)
		}
	}
}
