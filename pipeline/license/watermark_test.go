package license

import (
	"testing"

	"github.com/heyan/heyan/pipeline/report"
)

// TestDateBesideWatermark: letters of a watermark that end up in the row of a
// date do not cost it; a statement that goes on is no single date.
func TestDateBesideWatermark(t *testing.T) {
	for _, tt := range []struct {
		raw, want string
	}{
		{"2017年08月01日", "2017-08-01"},
		{"2017年08月01日铜X号道", "2017-08-01"},
		{"2017年08月01日 网", "2017-08-01"},
		{"2017年08月01日至2027年07月31日", ""},
		{"2017年08月01日1", ""},
		{"铜2017年", ""},
	} {
		got, _, ok := normalize(report.FieldEstablished, tt.raw)
		if !ok {
			got = ""
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.raw, got, tt.want)
		}
	}
}
