package ppocr

import (
	"bufio"
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/width"
)

//go:embed models.json
var shippedModels []byte

// Detector configures a text detector (differentiable binarization).
type Detector struct {
	File         string  `json:"file"`          // under the assets folder
	LongSidePx   int     `json:"long_side_px"`  // pictures are reduced to it, never enlarged
	Threshold    float64 `json:"threshold"`     // text probability of a pixel, 0..1
	BoxThreshold float64 `json:"box_threshold"` // mean text probability of a box, 0..1
	UnclipRatio  float64 `json:"unclip_ratio"`  // boxes grow by area * ratio / perimeter
}

// Recogniser configures a line recogniser (connectionist temporal classification).
type Recogniser struct {
	File       string  `json:"file"`
	Dictionary string  `json:"dictionary"` // one class a line; blank goes before, space after
	HeightPx   int     `json:"height_px"`
	PadEndsEm  float64 `json:"pad_ends_em"` // line crops grow by this share of their height at both ends
}

// Set names the detector and the recogniser that read together.
type Set struct {
	Detector   string `json:"detector"`
	Recogniser string `json:"recogniser"`
}

// Models is the configuration of all models: which there are and which read.
type Models struct {
	Default     string                `json:"default"` // set that reads the lines that decide
	Fast        string                `json:"fast"`    // set that reads every line first
	Sets        map[string]Set        `json:"sets"`
	Detectors   map[string]Detector   `json:"detectors"`
	Recognisers map[string]Recogniser `json:"recognisers"`
}

// LoadModels reads the configuration at path, or the shipped one when path is
// empty.
func LoadModels(path string) (Models, error) {
	data := shippedModels
	if path != "" {
		var err error
		if data, err = os.ReadFile(path); err != nil {
			return Models{}, fmt.Errorf("ppocr: models: %w", err)
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var models Models
	if err := decoder.Decode(&models); err != nil {
		return Models{}, fmt.Errorf("ppocr: models: %w", err)
	}
	for name, set := range models.Sets {
		if _, ok := models.Detectors[set.Detector]; !ok {
			return Models{}, fmt.Errorf("ppocr: models: set %q names the unknown detector %q", name, set.Detector)
		}
		if _, ok := models.Recognisers[set.Recogniser]; !ok {
			return Models{}, fmt.Errorf("ppocr: models: set %q names the unknown recogniser %q", name, set.Recogniser)
		}
	}
	for _, name := range []string{models.Default, models.Fast} {
		if _, ok := models.Sets[name]; !ok {
			return Models{}, fmt.Errorf("ppocr: models: %q is named as default or fast and is no set", name)
		}
	}
	return models, nil
}

// Files lists the asset files of the named sets; empty names are the configured
// ones. Unknown sets have none.
func (m Models) Files(accurate, fast string) []string {
	var files []string
	for _, name := range []string{cmp.Or(accurate, m.Default), cmp.Or(fast, m.Fast)} {
		set := m.Sets[name]
		recogniser := m.Recognisers[set.Recogniser]
		for _, file := range []string{m.Detectors[set.Detector].File, recogniser.File, recogniser.Dictionary} {
			if file != "" && !slices.Contains(files, file) {
				files = append(files, file)
			}
		}
	}
	return files
}

// MissingAssetError says that a model file or the runtime is not installed.
type MissingAssetError struct {
	File    string
	Folders []string // where it was looked for
}

func (e *MissingAssetError) Error() string {
	return fmt.Sprintf("ppocr: %s is in none of %s: run `make deps` or set HEYAN_ASSETS",
		e.File, strings.Join(e.Folders, ", "))
}

// systemAssets is where the container image and distribution packages put the
// assets.
const systemAssets = "/usr/share/heyan/assets"

// runtimeFile is ONNX Runtime's shared library inside the assets folder.
const runtimeFile = "libonnxruntime.so.1"

// AssetFolders lists where assets are looked for, first match wins:
// HEYAN_ASSETS alone when it is set, else the user's cache and the system's
// share folder.
func AssetFolders() []string {
	if dir := os.Getenv("HEYAN_ASSETS"); dir != "" {
		return []string{dir}
	}
	folders := []string{systemAssets}
	if cache, err := os.UserCacheDir(); err == nil {
		folders = append([]string{filepath.Join(cache, "heyan", "assets")}, folders...)
	}
	return folders
}

// Asset is the path of an installed file; a *MissingAssetError when there is none.
func Asset(file string) (string, error) {
	folders := AssetFolders()
	for _, folder := range folders {
		path := filepath.Join(folder, file)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", &MissingAssetError{File: file, Folders: folders}
}

// loadDictionary reads the classes of a recogniser: blank, the file's lines,
// space.
func loadDictionary(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ppocr: dictionary: %w", err)
	}
	classes := []string{""}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		classes = append(classes, strings.TrimSuffix(lines.Text(), "\r"))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("ppocr: dictionary %s: %w", path, err)
	}
	return append(classes, " "), nil
}

// otherWidths pairs the classes that are one sign at full and at half width.
func otherWidths(classes []string) []int {
	pairs := make([]int, len(classes))
	index := map[string]int{}
	for i, class := range classes {
		index[class] = i
	}
	for i, class := range classes {
		if half, ok := index[width.Narrow.String(class)]; ok && half != i && half != 0 {
			pairs[i], pairs[half] = half, i
		}
	}
	return pairs
}
