package console

import (
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// asked finds the keys that pages ask for; one that is put together ends in a dot.
var asked = regexp.MustCompile(`\b(?:t|print) "([a-z_]+\.[a-z0-9_.]*)"|(?:\bwords\[|\.word\(|\bphrase\()"([^"]+)"`)

// TestWords: what pages say exists in both languages, and nothing is left over.
func TestWords(t *testing.T) {
	var sources strings.Builder
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".html") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		sources.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range asked.FindAllStringSubmatch(sources.String(), -1) {
		if key := found[1] + found[2]; !strings.HasSuffix(key, ".") && words[key] == (report.Text{}) {
			t.Errorf("%q is not in words", key)
		}
	}
	for key, text := range words {
		if text.ZH == "" || text.EN == "" {
			t.Errorf("%q lacks a language", key)
		}
		used := strings.Contains(sources.String(), strconv.Quote(key))
		for i, r := range key {
			used = used || r == '.' && strings.Contains(sources.String(), strconv.Quote(key[:i+1]))
		}
		if !used {
			t.Errorf("%q is used nowhere", key)
		}
	}
}

func TestDuration(t *testing.T) {
	for _, tt := range []struct {
		d      time.Duration
		zh, en string
	}{
		{0, "0秒", "0 s"},
		{59 * time.Second, "59秒", "59 s"},
		{61 * time.Second, "1分1秒", "1 min 1 s"},
		{12*time.Minute + 5*time.Second, "12分", "12 min"},
		{3*time.Hour + 4*time.Minute, "3小时4分", "3 h 4 min"},
		{50 * time.Hour, "2天2小时", "2 d 2 h"},
		{-90 * time.Second, "−1分30秒", "−1 min 30 s"},
	} {
		if zh, en := chinese.duration(tt.d), english.duration(tt.d); zh != tt.zh || en != tt.en {
			t.Errorf("%v: got %q and %q, want %q and %q", tt.d, zh, en, tt.zh, tt.en)
		}
	}
}
