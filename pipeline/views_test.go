package pipeline

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/heyan/heyan/internal/mat"
	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/intake"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
)

// onPage maps a polygon of the report to the page's picture, as a console does.
func (v Views) onPage(p report.Polygon) (q ocr.Quad) {
	m := v.ToPage
	for i := range q {
		w := m[6]*p[i][0] + m[7]*p[i][1] + m[8]
		q[i] = ocr.Point{X: (m[0]*p[i][0] + m[1]*p[i][1] + m[2]) / w, Y: (m[3]*p[i][0] + m[4]*p[i][1] + m[5]) / w}
	}
	return q
}

// shown is what a browser makes of a view.
func shown(t *testing.T, v View) *image.NRGBA {
	t.Helper()
	decoded, err := jpeg.Decode(bytes.NewReader(v.JPEG))
	if err != nil {
		t.Fatal(err)
	}
	if got := decoded.Bounds(); got != image.Rect(0, 0, v.Width, v.Height) {
		t.Errorf("the picture is %v, said to be %d x %d", got, v.Width, v.Height)
	}
	picture := image.NewNRGBA(decoded.Bounds())
	draw.Draw(picture, picture.Rect, decoded, image.Point{}, draw.Src)
	return picture
}

// brightness is that of a quad, flattened to w x h.
func brightness(t *testing.T, picture *image.NRGBA, q ocr.Quad, w, h int) []float64 {
	t.Helper()
	m, err := mat.View(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	crop, err := mat.Crop(m, q, w, h)
	if err != nil {
		t.Fatal(err)
	}
	defer crop.Close()
	flat, err := mat.Picture(crop)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float64, 0, w*h)
	for i := 0; i < len(flat.Pix); i += 4 {
		values = append(values, float64(flat.Pix[i])+float64(flat.Pix[i+1])+float64(flat.Pix[i+2]))
	}
	return values
}

// correlation of two pictures of one size: 1 when they show the same.
func correlation(a, b []float64) float64 {
	var sa, sb, saa, sbb, sab float64
	for i := range a {
		sa, sb = sa+a[i], sb+b[i]
		saa, sbb, sab = saa+a[i]*a[i], sbb+b[i]*b[i], sab+a[i]*b[i]
	}
	n := float64(len(a))
	return (sab - sa*sb/n) / math.Sqrt((saa-sa*sa/n)*(sbb-sb*sb/n))
}

// TestPolygonsLieOnViews: under each field's polygon the page shows, upright, the
// same line of text as the photo.
func TestPolygonsLieOnViews(t *testing.T) {
	policy, err := verdict.LoadPolicy("photo", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := newPipeline(t)
	for _, name := range []string{"on_desk.jpg", "turned.jpg", "turned_exif.jpg"} {
		file := readFile(t, name)
		rep, err := p.Verify(t.Context(), report.Submission{ID: "1"}, file, policy)
		if err != nil {
			t.Fatal(err)
		}
		views, err := MakeViews(t.Context(), file, rep.Document.Quad)
		if err != nil {
			t.Fatal(err)
		}
		if views.Width != rep.Quality.WidthPx || views.Height != rep.Quality.HeightPx {
			t.Errorf("%s: photo of %d x %d, in the report %d x %d", name, views.Width, views.Height, rep.Quality.WidthPx, rep.Quality.HeightPx)
		}
		photo, sheet := shown(t, views.Photo), shown(t, views.Page)
		if len(rep.Fields) < 6 {
			t.Errorf("%s: %d fields were read", name, len(rep.Fields))
		}
		for field, f := range rep.Fields {
			var on ocr.Quad
			for i := range on {
				on[i] = ocr.Point{X: f.Polygon[i][0], Y: f.Polygon[i][1]}
			}
			at := views.onPage(f.Polygon)
			low, high := at.Bounds()
			if at[1].X < at[0].X || at[3].Y < at[0].Y || low.X < 0 || low.Y < 0 || high.X > float64(views.Page.Width) || high.Y > float64(views.Page.Height) {
				t.Errorf("%s: %s lies at %v on a page of %d x %d", name, field, at, views.Page.Width, views.Page.Height)
			}
			w, h := int(at.Width()), int(at.Height())
			// In place it is 0.97 and more, a quarter of a character aside 0.23 at most.
			if got := correlation(brightness(t, photo, on, w, h), brightness(t, sheet, at, w, h)); got < 0.9 {
				t.Errorf("%s: %s on the photo and on the page correlate by %.2f", name, field, got)
			}
		}
	}
}

// quarters has another color in each.
func quarters() *image.NRGBA {
	picture := image.NewNRGBA(image.Rect(0, 0, 120, 80))
	for i, c := range []color.NRGBA{{200, 40, 40, 255}, {40, 160, 60, 255}, {40, 60, 200, 255}, {230, 220, 200, 255}} {
		at := image.Pt(60*(i%2), 40*(i/2))
		draw.Draw(picture, image.Rectangle{at, at.Add(image.Pt(60, 40))}, image.NewUniform(c), image.Point{}, draw.Src)
	}
	return picture
}

func encoded(t *testing.T, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// turnedWithTraces is a JPEG that lies on its side and says by whom and where it
// was taken.
func turnedWithTraces(t *testing.T) []byte {
	file := encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, quarters(), nil) })
	const description = "Somebody, 39.9N"
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08" + "\x00\x02" +
		"\x01\x0E\x00\x02\x00\x00\x00\x10\x00\x00\x00\x26" + // ImageDescription, 16 bytes at 38
		"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00" + // Orientation 6: to be turned clockwise
		"\x00\x00\x00\x00" + description + "\x00"
	segment := append([]byte{0xFF, 0xE1, 0, byte(2 + len(exif))}, exif...)
	return append(append(file[:2:2], segment...), file[2:]...)
}

// TestViewsOfFormats: whatever is submitted, a browser can show it, upright, in
// its colors, and learns nothing but pixels.
func TestViewsOfFormats(t *testing.T) {
	stored := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join("intake/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	for name, tt := range map[string]struct {
		file   []byte
		turned bool
	}{
		"PNG":              {file: encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, quarters()) })},
		"BMP":              {file: encoded(t, func(b *bytes.Buffer) error { return bmp.Encode(b, quarters()) })},
		"TIFF":             {file: encoded(t, func(b *bytes.Buffer) error { return tiff.Encode(b, quarters(), nil) })},
		"JPEG with traces": {turnedWithTraces(t), true},
		"HEIC":             {file: stored("still.heic")},
		"HEIC, turned":     {file: stored("turned.heic")},
		"PDF":              {file: stored("page.pdf")},
		"WebP":             {file: stored("animated.webp")},
		"JPEG, CMYK":       {file: stored("cmyk.jpg")},
	} {
		views, err := MakeViews(t.Context(), tt.file, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		taken, err := intake.Decode(t.Context(), tt.file, intake.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		want := taken.Image
		if views.Width != want.Rect.Dx() || views.Height != want.Rect.Dy() || tt.turned != (views.Width < views.Height) || views.Page.JPEG != nil {
			t.Errorf("%s: photo of %d x %d, page of %d bytes", name, views.Width, views.Height, len(views.Page.JPEG))
		}
		for _, view := range []View{views.Photo, views.Preview} {
			got := shown(t, view)
			for i := range 4 {
				x, y := 1+2*(i%2), 1+2*(i/2)
				a, b := got.NRGBAAt(x*view.Width/4, y*view.Height/4), want.NRGBAAt(x*views.Width/4, y*views.Height/4)
				if !alike(a.R, b.R) || !alike(a.G, b.G) || !alike(a.B, b.B) {
					t.Errorf("%s: quarter %d is %v, want %v", name, i, a, b)
				}
			}
			markers := segments(t, view.JPEG)
			other := slices.DeleteFunc(slices.Clone(markers), func(m byte) bool { return bytes.IndexByte([]byte{0xE0, 0xDB, 0xC0, 0xC4, 0xDA}, m) >= 0 })
			if len(other) > 0 || bytes.Contains(view.JPEG, []byte("Somebody")) {
				t.Errorf("%s: segments % X", name, markers)
			}
		}
	}
}

// alike says whether lossy coding explains the difference.
func alike(a, b uint8) bool { return max(a, b)-min(a, b) <= 12 }

// segments are the markers of a JPEG's segments: E0 JFIF, DB quantization, C0 frame,
// C4 Huffman tables, DA scan.
func segments(t *testing.T, file []byte) (markers []byte) {
	t.Helper()
	for at := 2; at+4 <= len(file) && file[at] == 0xFF; at += 2 + int(file[at+2])<<8 + int(file[at+3]) {
		if markers = append(markers, file[at+1]); file[at+1] == 0xDA {
			return markers
		}
	}
	t.Fatalf("no scan after % X", markers)
	return nil
}

// TestViewsOfLargePictures: polygons stay in pixels of the submitted picture.
func TestViewsOfLargePictures(t *testing.T) {
	file := encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, image.NewGray(image.Rect(0, 0, 7000, 700))) })
	views, err := MakeViews(t.Context(), file, report.Polygon{{700, 100}, {6700, 100}, {6700, 601}, {700, 601}})
	if err != nil {
		t.Fatal(err)
	}
	got := [8]int{views.Width, views.Height, views.Photo.Width, views.Photo.Height, views.Preview.Width, views.Preview.Height, views.Page.Width, views.Page.Height}
	if want := [8]int{7000, 700, 6000, 600, 1400, 140, 2400, 200}; got != want {
		t.Errorf("got sizes %v, want %v", got, want)
	}
	if at := views.onPage(report.Polygon{{700, 100}, {6700, 601}, {3700, 350.5}, {0, 0}}); math.Abs(at[0].X-88.9) > 0.1 || math.Abs(at[1].X-2311.1) > 0.1 || math.Abs(at[2].Y-100.2) > 0.1 {
		t.Errorf("corners and middle of the sheet lie at %v on the page", at)
	}
}

func TestViewsRefused(t *testing.T) {
	_, err := MakeViews(t.Context(), []byte("no picture"), nil)
	var refused *intake.Error
	if !errors.As(err, &refused) || refused.Retryable() {
		t.Errorf("no picture: got %v", err)
	}
	file := readFile(t, "low_resolution.jpg")
	for name, quad := range map[string]report.Polygon{
		"three corners": {{0, 0}, {10, 0}, {10, 10}},
		"a line":        {{0, 0}, {10, 0}, {20, 0}, {30, 0}},
	} {
		if _, err := MakeViews(t.Context(), file, quad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
