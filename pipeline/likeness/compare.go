package likeness

import (
	"maps"
	"math"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
)

// Verdict is what two pictures are to each other.
type Verdict string

// The verdicts.
const (
	SameShot   Verdict = "same_shot"   // one photo sent twice, perhaps compressed, resized, cropped, brightened
	EditedCopy Verdict = "edited_copy" // one photo or scan, but the code or the name differs
	Unlike     Verdict = ""
)

// Limits of agreement, set on the pictures of BenchmarkLinks so that of the pairs of
// different licenses of one template, which are much alike, none is linked.
const (
	// frameLimit keeps out other shots of the same sheet: one in ten of a sheet
	// photographed twice by hand is above.
	frameLimit = 0.7
	// differLimit: a line below it shows another text. Above it are the lines of
	// pictures sent again, and some that differ and share most characters.
	differLimit = 0.4
	// sameLimit is for the mean of all lines of one shot: no scans of two licenses
	// reach it.
	sameLimit = 0.6
	// leftLimit is for the mean of the two lines that an edit left as they were.
	leftLimit = 0.7
)

// Compare tells what two pictures are to each other. It knows an edit by the date
// and one of code and name being the same where the other is not: an edit of both is
// nothing to it, and one of a single character mostly same_shot. Without two lines
// to compare it says nothing.
func Compare(a, b report.Print) Verdict {
	lines := sameLines(a, b)
	agreement := slices.Sorted(maps.Values(lines))
	if len(agreement) < 2 {
		return Unlike
	}
	mean := func(of []float64) float64 {
		sum := 0.0
		for _, v := range of {
			sum += v
		}
		return sum / float64(len(of))
	}
	date, least := lines[report.FieldEstablished], agreement[0]
	verdict := Unlike
	switch {
	case least >= differLimit && mean(agreement) >= sameLimit:
		verdict = SameShot
	case len(agreement) == 3 && least < differLimit && min(date, agreement[1]) >= differLimit && mean(agreement[1:]) >= leftLimit:
		verdict = EditedCopy
	}
	if verdict == Unlike || frame(a, b) < frameLimit {
		return Unlike
	}
	return verdict
}

const (
	// frameBlocks is into how many blocks a side a shot is cut.
	frameBlocks = 8
	// frameShare is the share of blocks that may agree less than a frame does: an
	// edit, a finger, a reflection.
	frameShare = 0.2
	// blank is the variance, of packed levels, below which a block has no structure.
	blank = 1.0
	// settled is the correlation from which another start would find nothing better.
	settled = 0.8
)

// starts are the motions from which copies are sought: a crop moves and stretches
// a picture by up to 1.7 cells and 6 %.
var starts = []motion{{}, {0, -.03, 0, -.03}, {0, .03, 0, .03}, {1, 0, 1, 0}, {-1, 0, 1, 0}, {1, 0, -1, 0}, {-1, 0, -1, 0}, {0, -.03, 0, .03}, {0, .03, 0, -.03}}

// frame is how far two photos agree wherever they show anything, -1..1: the
// correlation that all but a fifth of their blocks reach, after one is moved and
// stretched onto the other. 0 for prints of another form.
func frame(a, b report.Print) float64 {
	left, okLeft := unpacked(a.Shot, shotSide, shotSide)
	right, okRight := unpacked(b.Shot, shotSide, shotSide)
	if !okLeft || !okRight {
		return 0
	}
	from, onto := pyramid(left, 2.5, 1.2, 0.7), pyramid(right, 2.5, 1.2, 0.7)
	best, blocks := -1.0, []correlation(nil)
	for _, start := range starts {
		whole, found := correlate(left, right, align(from, onto, start), frameBlocks, frameBlocks)
		if whole > best {
			best, blocks = whole, found
		}
		if best > settled {
			break
		}
	}
	var agreement []float64
	for _, block := range blocks {
		if va, vb, _ := block.variances(); min(va, vb) > blank {
			agreement = append(agreement, block.coefficient())
		}
	}
	if len(agreement) < frameBlocks {
		return 0
	}
	slices.Sort(agreement)
	return agreement[int(frameShare*float64(len(agreement)))]
}

const (
	// stripParts is into how many parts a line is cut: one character of an 18-digit
	// code is half of one.
	stripParts = 8
	// A line found twice differs by little: shifts in cells, stretches in shares.
	maxShiftX, maxShiftY, maxStretchX, maxStretchY = 5, 2.5, 0.12, 0.4
	// stripSettled is as settled.
	stripSettled = 0.9
)

var stripStarts = []motion{{}, {0, .03, 0, 0}, {0, -.03, 0, 0}, {2, 0, 0, 0}, {-2, 0, 0, 0}}

// sameLines is how far the lines that both prints have agree, -1..1: the correlation
// of the part that agrees least, after one is moved and stretched onto the other.
func sameLines(a, b report.Print) map[report.FieldName]float64 {
	out := map[report.FieldName]float64{}
	for field, one := range a.Strips {
		left, okLeft := unpacked(one, stripWidth, stripHeight)
		right, okRight := unpacked(b.Strips[field], stripWidth, stripHeight)
		if okLeft && okRight {
			out[field] = sameLine(left, right)
		}
	}
	return out
}

func sameLine(left, right grid) float64 {
	from, onto := pyramid(left, 1.5, 0.7), pyramid(right, 1.5, 0.7)
	best, least := -1.0, -1.0
	for _, start := range stripStarts {
		m := align(from, onto, start)
		if math.Abs(m.shiftX) > maxShiftX || math.Abs(m.shiftY) > maxShiftY || math.Abs(m.stretchX) > maxStretchX || math.Abs(m.stretchY) > maxStretchY {
			continue
		}
		if whole, parts := correlate(left, right, m, stripParts, 1); whole > best {
			best, least = whole, 1
			for _, part := range parts {
				least = min(least, part.coefficient())
			}
		}
		if best > stripSettled {
			break
		}
	}
	return least
}
