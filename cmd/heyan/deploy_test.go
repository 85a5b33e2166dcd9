package main

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/heyan/heyan/server"
	"github.com/heyan/heyan/storage/records"
)

// TestDeployments: every setting that the deployments make is one of a command, and
// every metric that alerts and dashboard ask for is one that a process gives.
func TestDeployments(t *testing.T) {
	var c commands
	parser, err := kong.New(&c, kong.Vars{"version": version, "listen": server.DefaultListen, "tenant": records.DefaultTenant})
	if err != nil {
		t.Fatal(err)
	}
	settings := []string{"HEYAN_ASSETS"} // read by ocr/ppocr
	for _, command := range parser.Model.Leaves(false) {
		for _, group := range command.AllFlags(false) {
			for _, flag := range group {
				settings = append(settings, flag.Envs...)
			}
		}
	}
	var sources strings.Builder
	for _, folder := range []string{"../../worker", "../../worker/webhook", "../../server"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				sources.Write(read(t, file))
			}
		}
	}
	setting := regexp.MustCompile(`\bHEYAN_[A-Z0-9_]+`)
	metric := regexp.MustCompile(`\bheyan_[a-z_]+`)
	suffix := regexp.MustCompile(`_(bucket|count|sum)$`)
	seen := 0
	err = filepath.WalkDir("../../deploy", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, ".env") {
			return err
		}
		text := string(read(t, path))
		for _, name := range setting.FindAllString(text, -1) {
			seen++
			if !slices.Contains(settings, name) {
				t.Errorf("%s: no command knows %s", path, name)
			}
		}
		for _, name := range metric.FindAllString(text, -1) {
			seen++
			if name = suffix.ReplaceAllString(name, ""); !strings.Contains(sources.String(), `"`+name+`"`) {
				t.Errorf("%s: no process gives %s", path, name)
			}
		}
		return nil
	})
	if err != nil || seen < 40 {
		t.Errorf("%d names looked at, %v", seen, err)
	}
	for _, line := range regexp.MustCompile(`(?m)^    command: \[((?:api|worker)[^\]]*)\]`).FindAllStringSubmatch(string(read(t, "../../deploy/compose.yaml")), -1) {
		args := strings.Split(strings.ReplaceAll(line[1], `"`, ""), ", ")
		if _, err := parser.Parse(args); err != nil {
			t.Errorf("compose.yaml: %v: %v", args, err)
		}
	}
}
