package eval

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/synth"
)

// cluttered are the surfaces that are hard to tell a sheet from.
var cluttered = []synth.Surface{synth.SurfaceCheck, synth.SurfaceWhite, synth.SurfacePapers}

// clutter says that edges that are none of the sheet's are near it.
func (s Sample) clutter() bool {
	scene := s.Camera.Scene
	return scene.Objects || scene.Beneath || slices.Contains(cluttered, scene.Surface)
}

// missedIoU marks a sheet that was found badly.
const missedIoU = 0.95

// pageRows measure where the sheet was found and how it was turned, where a reader
// could make something of it. The nearer of sheet and printed frame counts, since
// either may be found; no quad stands for the whole picture.
func pageRows(samples []Sample) []Row {
	type found struct {
		license string
		iou     float64
		clutter bool
	}
	var all []found
	var misses []string
	var upright tally
	for _, s := range samples {
		if s.License == nil || s.has(synth.SecondLicense) || s.Expected == ExpectUnreadable {
			continue
		}
		w, h := float64(s.Shot.Width), float64(s.Shot.Height)
		quad := s.Report.Document.Quad
		if quad == nil {
			quad = report.Polygon{{0, 0}, {w, 0}, {w, h}, {0, h}}
		}
		f := found{s.LicenseID, max(overlap(quad, s.Shot.Quad, w, h), overlap(quad, s.Shot.Frame, w, h)), s.clutter()}
		if all = append(all, f); f.iou < missedIoU {
			misses = append(misses, fmt.Sprintf("%s\t%.3f\t%s", s.Name, f.iou, s.defects()))
		}
		hit := s.Report.Document.RotationDegrees == s.UprightCW
		upright.count(hit, hit, s.Report, fmt.Sprintf("by %d, truly %d; %s", s.Report.Document.RotationDegrees, s.UprightCW, s.defects()))
	}
	mean := func(fs []found) float64 {
		sum := 0.0
		for _, f := range fs {
			sum += f.iou
		}
		return sum / float64(len(fs))
	}
	row := func(key, name, goal string, of []found) Row {
		row := Row{Key: key, Name: name, Value: mean(of), Of: fmt.Sprint(len(of), " pages"), Goal: goal}
		row.Low, row.High = Bootstrap(Grouped(of, func(f found) string { return f.license }), mean, rand.New(rand.NewPCG(1, 2)))
		return row
	}
	overall := row("quad_iou", "quad IoU with the sheet or its frame, the nearer", "≥ 98.7 %", all)
	overall.Misses = misses
	return []Row{
		overall,
		row("quad_iou_clutter", "the same on clutter", "≥ 97.5 %", slices.DeleteFunc(slices.Clone(all), func(f found) bool { return !f.clutter })),
		upright.row("upright", "turned upright", "≥ 99.8 %"),
	}
}

// detection is a detector's precision and recall.
type detection struct{ precision, recall tally }

func (d *detection) count(is, called bool, s Sample) {
	if called {
		d.precision.count(is, is, s.Report, s.defects())
	}
	if is {
		d.recall.count(called, called, s.Report, s.defects())
	}
}

// visible is the strength from which a defect is there, plain to see.
func (s Sample) visible(strength float64, kinds ...synth.DefectKind) bool {
	return slices.ContainsFunc(s.Camera.Defects, func(d synth.Defect) bool { return slices.Contains(kinds, d.Kind) && d.Strength >= strength })
}

// A photocopy keeps next to no color; a display is seen where its lines are half
// resolved. What is weaker counts neither for nor against.
const (
	copyLoss    = 0.96
	screenShown = 0.45
)

func copyRows(samples []Sample) []Row {
	var gray detection
	for _, s := range samples {
		is := s.visible(copyLoss, synth.GrayCopy, synth.StampedCopy)
		if s.License != nil && (is || !s.has(synth.GrayCopy, synth.StampedCopy)) {
			gray.count(is, s.Report.Document.Color == report.ColorGrayscale, s)
		}
	}
	return []Row{
		gray.precision.row("gray_precision", "grayscale copy, precision", "≥ 99 %"),
		gray.recall.row("gray_recall", "grayscale copy, recall", "≥ 95 %"),
	}
}

func screenRows(samples []Sample) []Row {
	var screen detection
	for _, s := range samples {
		is := s.visible(screenShown, synth.ScreenGrid)
		if s.License != nil && (is || !s.has(synth.ScreenGrid)) {
			screen.count(is, gives(s.Report, codeScreen), s)
		}
	}
	return []Row{
		screen.precision.row("screen_precision", "screen photo, precision", "≥ 97 %"),
		screen.recall.row("screen_recall", "screen photo, recall", "≥ 92 %"),
	}
}
