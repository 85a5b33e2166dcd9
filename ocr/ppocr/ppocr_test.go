package ppocr

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/heyan/heyan/ocr"
)

// sheet is a white picture with lines of text at an em of 36 px.
func sheet(t testing.TB, lines ...string) *image.NRGBA {
	t.Helper()
	picture := image.NewNRGBA(image.Rect(0, 0, 900, 100+100*len(lines)))
	draw.Draw(picture, picture.Rect, image.White, image.Point{}, draw.Src)
	parsed, err := opentype.Parse(gomono.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 36, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	defer face.Close()
	for i, text := range lines {
		d := font.Drawer{Dst: picture, Src: image.NewUniform(color.Black), Face: face, Dot: fixed.P(60, 100+100*i)}
		d.DrawString(text)
	}
	return picture
}

func engine(t testing.TB, set string) *Engine {
	t.Helper()
	models, err := LoadModels("")
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Options{Models: models, Set: set, Parallel: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestReadsLines(t *testing.T) {
	want := []string{"2019-03-01", "HEYAN TEST 4718", "91350100M000100Y43"}
	picture := sheet(t, want...)
	for _, set := range []string{"v6-small", "v6-tiny"} {
		e := engine(t, set)
		quads, err := e.Detect(t.Context(), picture)
		if err != nil {
			t.Fatal(err)
		}
		if len(quads) != len(want) {
			t.Fatalf("%s: got %d lines, want %d", set, len(quads), len(want))
		}
		lines, err := e.Recognise(t.Context(), picture, quads)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			row := int(math.Round((line.Quad.Center().Y - 90) / 100))
			if got := strings.ReplaceAll(line.Text, " ", ""); got != strings.ReplaceAll(want[row], " ", "") {
				t.Errorf("%s: line %d: got %q, want %q", set, row, line.Text, want[row])
			}
			if line.Engine != "ppocr/"+set || line.Confidence < 0.8 {
				t.Errorf("%s: line %d: engine %s, confidence %.2f", set, row, line.Engine, line.Confidence)
			}
			for i := 1; i < len(line.Characters); i++ {
				if line.Characters[i].Center < line.Characters[i-1].Center {
					t.Errorf("%s: line %d: centers run backwards at %d", set, row, i)
				}
			}
		}
	}
}

// TestSidewaysQuad: a quad that is taller than wide is read after a quarter turn.
func TestSidewaysQuad(t *testing.T) {
	upright := sheet(t, "91350100M000100Y43")
	w, h := upright.Rect.Dx(), upright.Rect.Dy()
	turned := image.NewNRGBA(image.Rect(0, 0, h, w)) // a quarter clockwise
	for y := range h {
		for x := range w {
			turned.SetNRGBA(h-1-y, x, upright.NRGBAAt(x, y))
		}
	}
	e := engine(t, "v6-small")
	quads, err := e.Detect(t.Context(), turned)
	if err != nil || len(quads) != 1 {
		t.Fatalf("got %d quads, error %v", len(quads), err)
	}
	lines, err := e.Recognise(t.Context(), turned, quads)
	if err != nil {
		t.Fatal(err)
	}
	if lines[0].Text != "91350100M000100Y43" {
		t.Errorf("got %q", lines[0].Text)
	}
}

// TestHostileQuads: boxes without area, far outside or upside down cost a line
// without text, never the process.
func TestHostileQuads(t *testing.T) {
	picture := sheet(t, "HEYAN")
	e := engine(t, "v6-tiny")
	quads := []ocr.Quad{
		{},
		{{X: 5, Y: 5}, {X: 5, Y: 5}, {X: 5, Y: 5}, {X: 5, Y: 5}},
		{{X: 1e5, Y: 1e5}, {X: 1e5 + 90, Y: 1e5}, {X: 1e5 + 90, Y: 1e5 + 30}, {X: 1e5, Y: 1e5 + 30}},
		{{X: 0, Y: 0}, {X: 900, Y: 0}, {X: 900, Y: 2}, {X: 0, Y: 2}},
		{{X: math.NaN(), Y: 0}, {X: 90, Y: 0}, {X: 90, Y: 20}, {X: 0, Y: 20}},
	}
	lines, err := e.Recognise(t.Context(), picture, quads)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != len(quads) {
		t.Errorf("got %d lines, want %d", len(lines), len(quads))
	}
}

func TestBlankPictureAndCanceledContext(t *testing.T) {
	e := engine(t, "v6-tiny")
	picture := sheet(t)
	if quads, err := e.Detect(t.Context(), picture); err != nil || len(quads) != 0 {
		t.Errorf("blank picture: got %d quads, error %v", len(quads), err)
	}
	if lines, err := e.Recognise(t.Context(), picture, nil); err != nil || len(lines) != 0 {
		t.Errorf("no quads: got %d lines, error %v", len(lines), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Detect(ctx, picture); !errors.Is(err, context.Canceled) {
		t.Errorf("Detect: got %v, want canceled", err)
	}
	if _, err := e.Recognise(ctx, picture, []ocr.Quad{{{}, {X: 90}, {X: 90, Y: 20}, {Y: 20}}}); !errors.Is(err, context.Canceled) {
		t.Errorf("Recognise: got %v, want canceled", err)
	}
}

// TestClassesMustFitTheDictionary: another model's dictionary would turn every
// reading into nonsense without an error.
func TestClassesMustFitTheDictionary(t *testing.T) {
	models, err := LoadModels("")
	if err != nil {
		t.Fatal(err)
	}
	wrong := models.Recognisers["v6-small"]
	wrong.Dictionary = models.Recognisers["v6-tiny"].Dictionary
	models.Recognisers["v6-small"] = wrong
	if _, err := New(Options{Models: models, Set: "v6-small"}); err == nil || !strings.Contains(err.Error(), "classes") {
		t.Errorf("got %v, want a refusal that counts the classes", err)
	}
}

// TestWidthsAreOneSign: a reader that cannot tell the widths of a bracket apart
// is sure of the bracket.
func TestWidthsAreOneSign(t *testing.T) {
	classes := []string{"", "（", "(", "公", " "}
	e := &Engine{classes: classes, otherWidth: otherWidths(classes)}
	got := e.decode([]float32{0, 0.5, 0.45, 0.05, 0}, 1, 1)
	if len(got) != 1 || got[0].Text != "（" || got[0].Confidence < 0.94 || len(got[0].Alternatives) != 1 || got[0].Alternatives[0].Text != "公" {
		t.Errorf("got %+v", got)
	}
}

func TestLoadModels(t *testing.T) {
	for name, tt := range map[string]struct{ content, want string }{
		"unknown key":        {`{"defalut": "x"}`, "defalut"},
		"unknown detector":   {`{"sets": {"a": {"detector": "d", "recogniser": "r"}}}`, `"d"`},
		"unknown recogniser": {`{"detectors": {"d": {}}, "sets": {"a": {"detector": "d", "recogniser": "r"}}}`, `"r"`},
		"no default":         {`{}`, "default"},
		"not JSON":           {`models`, "invalid"},
	} {
		path := filepath.Join(t.TempDir(), "models.json")
		if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadModels(path); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error with %s", name, err, tt.want)
		}
	}
	if _, err := LoadModels(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: got %v", err)
	}
}

func TestMissingAssetIsNamed(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("HEYAN_ASSETS", folder)
	_, err := Asset("v6-small-rec.onnx")
	var missing *MissingAssetError
	if !errors.As(err, &missing) || missing.File != "v6-small-rec.onnx" || !strings.Contains(err.Error(), folder) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkDetect(b *testing.B) {
	e, picture := engine(b, "v6-small"), sheet(b, "2019-03-01", "HEYAN", "91350100M000100Y43")
	for b.Loop() {
		if _, err := e.Detect(b.Context(), picture); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecogniseLine(b *testing.B) {
	picture := sheet(b, "91350100M000100Y43")
	for _, set := range []string{"v6-tiny", "v6-small"} {
		e := engine(b, set)
		quads, err := e.Detect(b.Context(), picture)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(set, func(b *testing.B) {
			for b.Loop() {
				if _, err := e.Recognise(b.Context(), picture, quads[:1]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
