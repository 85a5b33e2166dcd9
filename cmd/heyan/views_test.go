package main

import (
	"bytes"
	"errors"
	"fmt"
	"image/jpeg"
	"path/filepath"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/synth"
	"github.com/heyan/heyan/worker/engine"
)

// enginePool is one child of the program under test.
func enginePool(t testing.TB) *engine.Pool {
	t.Helper()
	pool, err := engine.NewPool(engine.Config{Command: []string{binaryPath, "engine"}, Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	if err := pool.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return pool
}

// TestEngineViews: the child makes what its geometry says, and outlives a file that
// is no picture.
func TestEngineViews(t *testing.T) {
	pool := enginePool(t)
	var refused *engine.RemoteError
	if _, err := pool.Views(t.Context(), engine.ViewRequest{Picture: []byte("no picture")}); !errors.As(err, &refused) || refused.Retryable() {
		t.Errorf("no picture: got %v", err)
	}
	picture := read(t, filepath.Join(samples, "turned_exif.jpg"))
	got, err := pool.Views(t.Context(), engine.ViewRequest{Picture: picture, Quad: report.Polygon{{100, 100}, {1100, 100}, {1100, 1500}, {100, 1500}}})
	if err != nil {
		t.Fatal(err)
	}
	g := got.Geometry
	if g.Width != 1200 || g.Height != 1600 || g.PageWidth != 1080 || g.PageHeight != 1512 || g.ToPage[2] != -60 || g.ToPage[5] != -44 {
		t.Errorf("got %+v", g)
	}
	for name, view := range map[string]struct {
		file          []byte
		width, height int
	}{
		"photo":   {got.Photo, g.PhotoWidth, g.PhotoHeight},
		"preview": {got.Preview, g.PreviewWidth, g.PreviewHeight},
		"page":    {got.Page, g.PageWidth, g.PageHeight},
	} {
		if config, err := jpeg.DecodeConfig(bytes.NewReader(view.file)); err != nil || config.Width != view.width || config.Height != view.height {
			t.Errorf("%s: %d x %d, %v; want %d x %d", name, config.Width, config.Height, err, view.width, view.height)
		}
	}
}

// BenchmarkViews makes the views of photos of 12 megapixels; `taskset -c 0 go test …`
// shows what one core does, 600 ms is the most it may take.
func BenchmarkViews(b *testing.B) {
	pool, folder := enginePool(b), b.TempDir()
	if err := synth.Write(b.Context(), folder, synth.Options{Seed: 5, Count: 6, LongSide: 4240}); err != nil {
		b.Fatal(err)
	}
	pictures, err := synth.ReadTruth(bytes.NewReader(read(b, filepath.Join(folder, "truth.jsonl"))))
	if err != nil {
		b.Fatal(err)
	}
	for _, truth := range pictures {
		picture := read(b, filepath.Join(folder, truth.File))
		b.Run(fmt.Sprintf("%dx%d", truth.Shot.Width, truth.Shot.Height), func(b *testing.B) {
			var views engine.Views
			var err error
			for b.Loop() {
				if views, err = pool.Views(b.Context(), engine.ViewRequest{Picture: picture, Quad: truth.Shot.Quad}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(picture)), "file-bytes")
			b.ReportMetric(float64(len(views.Photo)), "photo-bytes")
			b.ReportMetric(float64(len(views.Preview)), "preview-bytes")
			b.ReportMetric(float64(len(views.Page)), "page-bytes")
		})
	}
}
