package synth

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/disintegration/imaging"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/report"
)

var update = flag.Bool("update", false, "write the samples into testdata")

const (
	samplesDir  = "../testdata/samples"
	samplesSeed = 1
	// The folder is cloned with the sources.
	maxSampleBytes, maxFolderBytes = 350 << 10, 4 << 20
	// Mean difference of pixels between machines, of 255 levels: other rounding,
	// not another picture.
	maxMeanDifference = 1.0
)

var loadFonts = sync.OnceValues(func() (*Fonts, error) { return LoadFonts() })

func testFonts(t *testing.T) *Fonts {
	t.Helper()
	f, err := loadFonts()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func newRand(a, b uint64) *rand.Rand { return rand.New(rand.NewPCG(a, b)) }

func TestSamplesAreWhatTheGeneratorMakes(t *testing.T) {
	dir := t.TempDir()
	if *update {
		dir = samplesDir
	}
	if err := WriteSamples(t.Context(), dir, samplesSeed); err != nil {
		t.Fatal(err)
	}
	// A sum of a file's bytes may differ between machines.
	truth := func(dir string) (rows [][]string) {
		data := readFile(t, filepath.Join(dir, "truth.tsv"))
		r := csv.NewReader(bytes.NewReader(data))
		r.Comma = '\t'
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			rows[i] = rows[i][:len(rows[i])-1]
		}
		return rows
	}
	if got, want := truth(dir), truth(samplesDir); !reflect.DeepEqual(got, want) {
		t.Errorf("truth.tsv:\ngot  %v\nwant %v", got, want)
	}
	detail := func(dir string) []Picture {
		pictures, err := ReadTruth(bytes.NewReader(readFile(t, filepath.Join(dir, "truth.jsonl"))))
		if err != nil {
			t.Fatal(err)
		}
		for i := range pictures {
			pictures[i].SHA256 = ""
		}
		return pictures
	}
	if got, want := detail(dir), detail(samplesDir); !reflect.DeepEqual(got, want) {
		t.Errorf("truth.jsonl: got %+v, want %+v", got, want)
	}
	for _, name := range []string{"declared.json", "batch.csv"} {
		if got, want := readFile(t, filepath.Join(dir, name)), readFile(t, filepath.Join(samplesDir, name)); !bytes.Equal(got, want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	total := 0
	for _, spec := range sampleSpecs {
		name := spec.name + ".jpg"
		got, want := readFile(t, filepath.Join(dir, name)), readFile(t, filepath.Join(samplesDir, name))
		if d := difference(decodeJPEG(t, got), decodeJPEG(t, want)); d > maxMeanDifference {
			t.Errorf("%s: mean difference %.2f, want at most %.2f", name, d, maxMeanDifference)
		}
		if len(want) > maxSampleBytes {
			t.Errorf("%s: %d bytes, want at most %d", name, len(want), maxSampleBytes)
		}
		total += len(want)
	}
	if total > maxFolderBytes {
		t.Errorf("samples: %d bytes, want at most %d", total, maxFolderBytes)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decodeJPEG(t *testing.T, data []byte) *image.NRGBA {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return imaging.Clone(img)
}

// difference is the mean absolute difference in levels; 255 for other sizes.
func difference(a, b *image.NRGBA) float64 {
	if a.Rect != b.Rect {
		return 255
	}
	sum := 0.0
	for i := range a.Pix {
		sum += math.Abs(float64(a.Pix[i]) - float64(b.Pix[i]))
	}
	return sum / float64(len(a.Pix))
}

func TestRandomLicenses(t *testing.T) {
	category := map[Entity]string{Company: "91", JointStock: "91", StateOwned: "91", Branch: "91", Partnership: "91", SoleProprietorship: "91",
		Individual: "92", Cooperative: "93", CooperativeBranch: "93"}
	for _, edition := range Editions {
		for _, entity := range Entities {
			for seed := range uint64(60) {
				l := Random(newRand(seed, 1), edition, entity)
				if edition == report.EditionPre2014 {
					if codes.CheckRegistrationNumber(l.RegistrationNumber).Verdict != codes.VerdictValid || l.USCC != "" {
						t.Errorf("number %s, code %q, want a valid number alone", l.RegistrationNumber, l.USCC)
					}
				} else if !codes.IsUSCC(l.USCC) || !strings.HasPrefix(l.USCC, category[entity]) || l.USCC[8:11] != "PDY" {
					t.Errorf("%s: code %s, want a valid one of %s with the body PDY", entity, l.USCC, category[entity])
				}
				if !strings.Contains(l.Name, "示例") && !strings.Contains(l.Name, "测试") {
					t.Errorf("name %s does not say that it is invented", l.Name)
				}
				established, err := time.Parse("2006年01月02日", l.Established)
				if err != nil || established.After(l.Issued) {
					t.Errorf("%s: established %s, issued %s", l.USCC, l.Established, printDate(l.Issued))
				}
				if recent := edition == report.Edition2019Landscape || edition == report.EditionElectronic; recent == l.Issued.Before(day(2019, 3, 1)) {
					t.Errorf("edition %s issued on %s", edition, printDate(l.Issued))
				}
				if edition == report.EditionPre2014 {
					continue
				}
				if wrong := l.WithWrongCheck(); codes.IsUSCC(wrong.USCC) || wrong.USCC[:17] != l.USCC[:17] {
					t.Errorf("wrong check of %s is %s", l.USCC, wrong.USCC)
				}
			}
		}
	}
}

func TestCapital(t *testing.T) {
	for n, want := range map[int]string{1: "壹万", 10: "壹拾万", 300: "叁佰万", 105: "壹佰零伍万", 1005: "壹仟零伍万", 2050: "贰仟零伍拾万", 9999: "玖仟玖佰玖拾玖万"} {
		if got := capital(n); got != want {
			t.Errorf("capital(%d) = %s, want %s", n, got, want)
		}
	}
}

// No value may run into another, or out of the frame; seal and date overlap by
// design.
func TestFaceKeepsFieldsApart(t *testing.T) {
	fonts := testFonts(t)
	for _, edition := range Editions {
		for _, entity := range Entities {
			for seed := range uint64(8) {
				l := Random(newRand(seed, 2), edition, entity)
				_, lay, err := fonts.Face(l, 200)
				if err != nil {
					t.Fatal(err)
				}
				if sheet := l.Sheet(); sheet.WidthMM != lay.WidthMM || sheet.HeightMM != lay.HeightMM {
					t.Errorf("sheet %v x %v, face %v x %v", sheet.WidthMM, sheet.HeightMM, lay.WidthMM, lay.HeightMM)
				}
				left, right := l.columns()
				for _, it := range append(left, right...) {
					b, ok := lay.Fields[it.field]
					if !ok {
						t.Fatalf("%s %s: no place for %s", edition, entity, it.field)
					}
					if b[0] < lay.Frame[0] || b[1] < lay.Frame[1] || b[2] > lay.Frame[2] || b[3] > lay.Frame[3] {
						t.Errorf("%s %s: %s at %v is out of the frame %v", edition, entity, it.field, b, lay.Frame)
					}
					for other, o := range lay.Fields {
						if other != it.field && b[0] < o[2] && o[0] < b[2] && b[1] < o[3]-0.3 && o[1] < b[3]-0.3 {
							t.Errorf("%s %s: %s at %v runs into %s at %v", edition, entity, it.field, b, other, o)
						}
					}
				}
			}
		}
	}
}

func TestFaceCarriesQR(t *testing.T) {
	for _, edition := range Editions {
		l := Random(newRand(3, 3), edition, Company)
		if l.QR == "" {
			continue
		}
		face, _, err := testFonts(t).Face(l, 1600)
		if err != nil {
			t.Fatal(err)
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(face)
		if err != nil {
			t.Fatal(err)
		}
		result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil {
			t.Fatalf("%s: %v", edition, err)
		}
		if result.GetText() != l.QR {
			t.Errorf("%s: qr %s, want %s", edition, result.GetText(), l.QR)
		}
	}
}

// A blue spot on a field of the face must be where the shot says that the field
// is, whatever the camera did.
func TestShotSaysWhereFieldsAre(t *testing.T) {
	lay := Layout{WidthMM: 297, HeightMM: 210, EmMM: 4, CodeEmMM: 4, Frame: [4]float64{10, 10, 287, 200},
		Fields: map[report.FieldName][4]float64{report.FieldUSCC: {30, 50, 80, 62}, report.FieldIssued: {200, 170, 250, 182}}}
	face := image.NewNRGBA(image.Rect(0, 0, 1188, 840))
	draw.Draw(face, face.Rect, image.White, image.Point{}, draw.Src)
	for _, b := range lay.Fields {
		draw.Draw(face, image.Rect(int(4*b[0]), int(4*b[1]), int(4*b[2]), int(4*b[3])), image.NewUniform(color.NRGBA{0, 0, 255, 255}), image.Point{}, draw.Src)
	}
	base := Camera{Width: 800, Height: 600, Fill: 0.8, Roll: 7, Tilt: 20, Pan: -14, Scene: Scene{Surface: SurfaceStone}, Quality: 90}
	tests := map[string]func(*Camera){
		"plain":          func(*Camera) {},
		"turned 90":      func(c *Camera) { c.TurnCW = 90 },
		"turned 180":     func(c *Camera) { c.TurnCW = 180 },
		"turned 270":     func(c *Camera) { c.TurnCW = 270 },
		"exif":           func(c *Camera) { c.Orientation = 6 },
		"low resolution": func(c *Camera) { c.Defects = []Defect{{Kind: LowResolution, Strength: 4}}; c.TurnCW = 90 },
		"upscaled":       func(c *Camera) { c.Defects = []Defect{{Kind: Upscaled, Strength: 4}} },
		"small again": func(c *Camera) {
			c.Defects = []Defect{{Kind: Upscaled, Strength: 5}, {Kind: LowResolution, Strength: 5}}
		},
		"cut off": func(c *Camera) { c.Defects = []Defect{{Kind: CutOff, Strength: 0.05}} },
		"scan":    func(c *Camera) { c.Scene.Surface, c.Tilt, c.Pan, c.Roll, c.Fill = SurfaceScan, 0, 0, 0, 1 },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			c := base
			change(&c)
			img, shot := Shoot(Sheet{Face: face, Layout: lay}, c, newRand(1, 1))
			if len(shot.Quad) != 4 || len(shot.Fields) != len(lay.Fields) {
				t.Fatalf("shot: %+v", shot)
			}
			for field, p := range shot.Fields {
				for _, share := range [][2]float64{{0.5, 0.5}, {0.15, 0.2}, {0.85, 0.8}} {
					u, v := share[0], share[1]
					at := func(k int) int {
						return int((p[0][k]*(1-u)+p[1][k]*u)*(1-v) + (p[3][k]*(1-u)+p[2][k]*u)*v)
					}
					got := img.NRGBAAt(at(0), at(1))
					if got.B < 150 || got.R > 110 {
						t.Errorf("%s: %v at %d,%d, want blue", field, got, at(0), at(1))
					}
				}
			}
		})
	}
}

func TestShootIsDeterministic(t *testing.T) {
	fonts := testFonts(t)
	l := Random(newRand(1, 1), report.Edition2019Landscape, Company)
	for _, kind := range DefectKinds {
		take := func(level int) []byte {
			c := Camera{Width: 640, Height: 480, Fill: 0.9, Scene: Scene{Surface: SurfaceWood}, Quality: 80,
				Defects: []Defect{RandomDefect(newRand(6, 6), kind, level)}}
			p := Picture{Subject: SubjectLicense, License: &l, Second: &l, Camera: c}
			data, err := fonts.take(&p, newRand(5, 5))
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
		strong := take(Levels)
		if !bytes.Equal(strong, take(Levels)) {
			t.Errorf("%s: one seed gave two pictures", kind)
		}
		if bytes.Equal(take(1), strong) {
			t.Errorf("%s: strength makes no difference", kind)
		}
	}
}

// The blur that was asked for is the blur that is there: the spread of a line
// of light after defocus and motion.
func TestBlurHasItsSize(t *testing.T) {
	spread := func(f *frame, alongX bool) float64 {
		var sum, square, total float64
		for i := range f.w {
			x, y := i, f.h/2
			if !alongX {
				x, y = f.w/2, i
			}
			v, d := float64(f.pix[3*(y*f.w+x)]), float64(i-f.w/2)
			sum, square, total = sum+v*d, square+v*d*d, total+v
		}
		return math.Sqrt(square/total - sum/total*sum/total)
	}
	line := func(alongX bool) *frame {
		f := newFrame(101, 101)
		for i := range 101 {
			x, y := 50, i
			if !alongX {
				x, y = i, 50
			}
			f.pix[3*(y*f.w+x)] = 1
		}
		return f
	}
	f := line(true)
	f.blur(4)
	if got := spread(f, true); math.Abs(got-4) > 0.1 {
		t.Errorf("blur of 4 px spreads %.2f", got)
	}
	// A path of length L spreads by L/√12.
	if got, want := spread(line(true).motion(24, 0), true), 24/math.Sqrt(12); math.Abs(got-want) > 0.4 {
		t.Errorf("motion of 24 px spreads %.2f, want %.2f", got, want)
	}
	if got := spread(line(false).motion(24, 0), false); got > 0.1 {
		t.Errorf("motion along x spreads %.2f along y", got)
	}
}

func TestHomography(t *testing.T) {
	from := [4]point{{0, 0}, {297, 0}, {297, 210}, {0, 210}}
	to := [4]point{{12, 30}, {900, 5}, {870, 700}, {40, 650}}
	h := fit(from, to)
	back := h.inverse()
	for i := range from {
		if got := h.apply(from[i]); math.Hypot(got.x-to[i].x, got.y-to[i].y) > 1e-6 {
			t.Errorf("%v goes to %v, want %v", from[i], got, to[i])
		}
		if got := back.apply(to[i]); math.Hypot(got.x-from[i].x, got.y-from[i].y) > 1e-6 {
			t.Errorf("%v comes from %v, want %v", to[i], got, from[i])
		}
	}
}

func TestEncodeStoresOrientation(t *testing.T) {
	img := imaging.New(64, 32, color.NRGBA{255, 255, 255, 255})
	draw.Draw(img, image.Rect(0, 0, 16, 16), image.Black, image.Point{}, draw.Src)
	for _, orientation := range []int{0, 1, 3, 6, 8} {
		data, err := encode(img, Camera{Quality: 95, Orientation: orientation})
		if err != nil {
			t.Fatal(err)
		}
		got, err := imaging.Decode(bytes.NewReader(data), imaging.AutoOrientation(true))
		if err != nil {
			t.Fatal(err)
		}
		if d := difference(imaging.Clone(got), img); d > 2 {
			t.Errorf("orientation %d: shown picture differs by %.1f levels", orientation, d)
		}
		if !bytes.Contains(data, []byte("test picture")) {
			t.Errorf("orientation %d: no comment says that this is a test picture", orientation)
		}
	}
}

func TestOutcome(t *testing.T) {
	const em = 20
	hits := func(name report.FieldName, share float64) map[report.FieldName]float64 {
		return map[report.FieldName]float64{name: share}
	}
	tests := []struct {
		name    string
		em      float64
		wrong   bool
		defects []Defect
		want    string
	}{
		{"clean", em, false, nil, readable},
		{"wrong check", em, true, nil, codeInvalid},
		{"weak blur", em, false, []Defect{{Kind: Defocus, Strength: 0.05}}, readable},
		{"some blur", em, false, []Defect{{Kind: Defocus, Strength: 0.1}}, readableHard},
		{"blur", em, false, []Defect{{Kind: Defocus, Strength: 0.2}}, unreadable},
		{"blur and wrong check", em, true, []Defect{{Kind: Defocus, Strength: 0.2}}, unreadable},
		{"glare on code", em, false, []Defect{{Kind: Glare, Strength: 0.08, Hits: hits(report.FieldUSCC, 0.6)}}, codeUnreadable},
		{"glare elsewhere", em, false, []Defect{{Kind: Glare, Strength: 0.08, Hits: hits(report.FieldScope, 1)}}, readable},
		{"glare on name", em, false, []Defect{{Kind: Glare, Strength: 0.05, Hits: hits(report.FieldCompanyName, 0.2)}}, readableHard},
		{"glare beside code", em, false, []Defect{{Kind: Glare, Strength: 0.08, Hits: hits(report.FieldUSCC, 0.01)}}, readableHard},
		{"masked", em, false, []Defect{{Kind: Masked, Strength: 0.3, Hits: hits(report.FieldUSCC, 0.3)}}, codeMaskedOnly},
		{"specimen", em, false, []Defect{{Kind: Specimen, Strength: 0.3}}, specimenOnly},
		{"small", 5, false, nil, unreadable},
		{"small before enlarging", em, false, []Defect{{Kind: Upscaled, Strength: 9}}, readableHard},
		{"dark", em, false, []Defect{{Kind: Exposure, Strength: -2.5}}, readableHard},
	}
	for _, tt := range tests {
		p := Picture{Subject: SubjectLicense, WrongCheck: tt.wrong, Camera: Camera{Defects: tt.defects}, Shot: Shot{EmPx: tt.em}}
		if got := p.outcome(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := (Picture{Subject: SubjectPermit}).outcome(); got != notALicense {
		t.Errorf("permit: got %s, want %s", got, notALicense)
	}
}

func TestWrite(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	if err := Write(t.Context(), a, Options{Seed: 7, Count: 2}); err != nil {
		t.Fatal(err)
	}
	if err := Write(t.Context(), b, Options{Seed: 7, Count: 1}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(readFile(t, filepath.Join(a, "00000.jpg")), readFile(t, filepath.Join(b, "00000.jpg"))) {
		t.Error("a picture depends on how many are made")
	}
	if rows := bytes.Count(readFile(t, filepath.Join(a, "truth.tsv")), []byte("\n")); rows != 3 {
		t.Errorf("truth.tsv has %d lines, want 3", rows)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(t.TempDir(), "none")
	if err := Write(canceled, dir, Options{Count: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a canceled run left a folder")
	}
}

func TestMissingFontNamesThePackage(t *testing.T) {
	_, err := LoadFonts(t.TempDir(), filepath.Join(t.TempDir(), "not there"))
	var missing *MissingFontError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "fonts-noto-cjk") {
		t.Errorf("got %v, want a MissingFontError naming fonts-noto-cjk", err)
	}
}
