package console

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// used finds the keys that templates and programs ask for; one that is put together
// ends in a dot.
var used = []*regexp.Regexp{
	regexp.MustCompile(`\bt "([^"]+)"`),
	regexp.MustCompile(`\(print "([^"]+)"`),
	regexp.MustCompile(`words\["([^"]+)"(?: ?\+)?`),
	regexp.MustCompile(`\.word\("([^"]+)"`),
}

// TestWords: what pages say exists in both languages, and nothing is left over.
func TestWords(t *testing.T) {
	asked, begun := map[string]bool{}, map[string]bool{}
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".html") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, pattern := range used {
			for _, found := range pattern.FindAllStringSubmatch(string(text), -1) {
				if key := found[1]; strings.HasSuffix(key, ".") {
					begun[key] = true
				} else {
					asked[key] = true
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range asked {
		if _, ok := words[key]; !ok {
			t.Errorf("%q is not in words", key)
		}
	}
	for key, text := range words {
		if text.ZH == "" || text.EN == "" {
			t.Errorf("%q lacks a language", key)
		}
		prefixed := false
		for prefix := range begun {
			prefixed = prefixed || strings.HasPrefix(key, prefix)
		}
		if !asked[key] && !prefixed {
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
