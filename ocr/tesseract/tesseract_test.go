package tesseract

import (
	"context"
	"errors"
	"image"
	"image/color"
	"strings"
	"sync"
	"testing"

	"github.com/disintegration/imaging"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/heyan/heyan/ocr"
)

// code has no zero beside letters: Tesseract takes one for Q or O in this font.
const code = "91330106142975317X"

// sheet draws the lines 60 px apart at the size in pixels and gives their boxes.
func sheet(t testing.TB, size float64, texts ...string) (*image.NRGBA, []ocr.Quad) {
	t.Helper()
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	picture := imaging.New(900, 60*(len(texts)+1), color.NRGBA{235, 232, 225, 255})
	var quads []ocr.Quad
	for i, text := range texts {
		y := 60 * (i + 1)
		d := font.Drawer{Dst: picture, Src: image.NewUniform(color.NRGBA{30, 30, 30, 255}), Face: face, Dot: fixed.P(40, y)}
		d.DrawString(text)
		x0, x1 := 38.0, 42+float64(d.MeasureString(text).Ceil())
		y0, y1 := float64(y)-0.9*size, float64(y)+0.2*size
		quads = append(quads, ocr.Quad{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
	}
	return picture, quads
}

func newCodeReader(t testing.TB) *CodeReader {
	t.Helper()
	r, err := NewCodeReader()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func newEngine(t testing.TB) *Engine {
	t.Helper()
	e, err := New()
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

func TestCodeReader(t *testing.T) {
	r := newCodeReader(t)
	for _, size := range []float64{14, 24, 48} {
		picture, quads := sheet(t, size, code)
		turned := imaging.Rotate270(picture)
		h := float64(picture.Bounds().Dy())
		var down ocr.Quad
		for i, p := range quads[0] {
			down[i] = ocr.Point{X: h - p.Y, Y: p.X}
		}
		for name, in := range map[string]struct {
			picture *image.NRGBA
			quad    ocr.Quad
		}{"upright": {picture, quads[0]}, "turned": {turned, down}} {
			lines, err := r.Recognise(context.Background(), in.picture, []ocr.Quad{in.quad})
			if err != nil {
				t.Fatal(err)
			}
			got := lines[0]
			if got.Text != code {
				t.Errorf("%v px, %s: got %q, want %q", size, name, got.Text, code)
				continue
			}
			if got.Confidence < 0.5 || got.Confidence > 1 || got.Engine != r.Name() || got.Quad != in.quad {
				t.Errorf("%v px, %s: got %+v", size, name, got)
			}
			for i, c := range got.Characters {
				if c.Center < 0 || c.Center > 1 || i > 0 && c.Center <= got.Characters[i-1].Center {
					t.Errorf("%v px, %s: character %d has its center at %v", size, name, i, c.Center)
				}
			}
		}
	}
}

func TestCodeReaderKeepsToTheAlphabet(t *testing.T) {
	r := newCodeReader(t)
	picture, quads := sheet(t, 32, "SIZOV sizov? 12-34")
	lines, err := r.Recognise(context.Background(), picture, quads)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range lines[0].Text {
		if !strings.ContainsRune(CodeAlphabet, c) {
			t.Errorf("got %q in %q", c, lines[0].Text)
		}
	}
}

func TestEngine(t *testing.T) {
	e := newEngine(t)
	want := []string{"Business", "Registered", "Established"}
	picture, _ := sheet(t, 34, "Business license of a test", "Registered office in nowhere", "Established in 2019")
	for name, p := range map[string]*image.NRGBA{
		"as is": picture,
		"large": imaging.Resize(picture, 3600, 0, imaging.CatmullRom),
	} {
		quads, err := e.Detect(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := e.Recognise(context.Background(), p, quads)
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, l := range lines {
			all.WriteString(l.Text + "\n")
			low, high := l.Quad.Bounds()
			if low.X < 0 || low.Y < 0 || high.X > float64(p.Rect.Dx()) || high.Y > float64(p.Rect.Dy()) {
				t.Errorf("%s: %v lies outside the picture", name, l.Quad)
			}
		}
		for _, w := range want {
			if !strings.Contains(all.String(), w) {
				t.Errorf("%s: %q is missing in %q", name, w, all.String())
			}
		}
	}
}

func TestNothingToRead(t *testing.T) {
	e := newEngine(t)
	white := imaging.New(400, 300, color.White)
	for name, p := range map[string]*image.NRGBA{"blank": white, "no size": {}} {
		quads, err := e.Detect(context.Background(), p)
		if err != nil || len(quads) != 0 {
			t.Errorf("%s: got %v, %v", name, quads, err)
		}
	}
	quads := []ocr.Quad{
		{},
		{{X: 10, Y: 10}, {X: 200, Y: 10}, {X: 200, Y: 40}, {X: 10, Y: 40}},
		{{X: -900, Y: 10}, {X: -800, Y: 10}, {X: -800, Y: 40}, {X: -900, Y: 40}},
		{{X: -1e9, Y: -1e9}, {X: 1e9, Y: -1e9}, {X: 1e9, Y: 1e9}, {X: -1e9, Y: 1e9}},
	}
	lines, err := e.Recognise(context.Background(), white, quads)
	if err != nil || len(lines) != len(quads) {
		t.Fatalf("got %d lines, %v", len(lines), err)
	}
	for i, l := range lines {
		if l.Text != "" || l.Confidence != 0 || l.Quad != quads[i] {
			t.Errorf("quad %d: got %+v", i, l)
		}
	}
}

func TestContextEnds(t *testing.T) {
	e := newEngine(t)
	picture, quads := sheet(t, 24, code)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := e.Detect(ctx, picture); !errors.Is(err, context.Canceled) {
		t.Errorf("Detect: got %v", err)
	}
	if _, err := e.Recognise(ctx, picture, quads); !errors.Is(err, context.Canceled) {
		t.Errorf("Recognise: got %v", err)
	}
}

func TestMissingLanguage(t *testing.T) {
	r := reader{languages: []string{"eng", "xyz_tra"}}
	err := r.open()
	var missing *MissingLanguageError
	if !errors.As(err, &missing) || missing.Language != "xyz_tra" || !strings.Contains(err.Error(), "tesseract-ocr-xyz-tra") {
		t.Errorf("got %v", err)
	}
}

func TestClosed(t *testing.T) {
	r, err := NewCodeReader()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	picture, quads := sheet(t, 24, code)
	if _, err := r.Recognise(context.Background(), picture, quads); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want %v", err, ErrClosed)
	}
}

func TestConcurrent(t *testing.T) {
	r := newCodeReader(t)
	picture, quads := sheet(t, 32, code)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 3 {
				lines, err := r.Recognise(context.Background(), picture, quads)
				if err != nil || lines[0].Text != code {
					t.Errorf("got %v, %v", lines, err)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkCodeReader(b *testing.B) {
	r := newCodeReader(b)
	picture, quads := sheet(b, 32, code)
	for b.Loop() {
		if _, err := r.Recognise(context.Background(), picture, quads); err != nil {
			b.Fatal(err)
		}
	}
}
