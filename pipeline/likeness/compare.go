package likeness

import (
	"math"
	"slices"

	"github.com/heyan/heyan/pipeline/report"
)

// Verdict is what two pictures are to each other.
type Verdict string

// The verdicts.
const (
	SameShot    Verdict = "same_shot"    // one photo sent twice, perhaps compressed, resized, cropped, brightened
	SameLicense Verdict = "same_license" // another shot of the same sheet
	EditedCopy  Verdict = "edited_copy"  // one photo or scan, but the code or the name differs
	Unlike      Verdict = ""
)

// Limits of agreement, measured on 365 synthetic captures and 215 real pictures,
// with one or two copies of each (cropped by 0-3 % a side, 0.3-1.5 times the size,
// JPEG 30-95, brightness and contrast within 20 %); BenchmarkLinks measures what
// they give.
const (
	// frameLimit: of copies 99.5 % are above, of other shots of the same sheet 15 %.
	// It tells no license from another: scans of one template reach 0.99.
	frameLimit = 0.5
	// shotLimit is for photos without print to compare: of 3600 pairs of different
	// real pictures none is above, of their copies 99.5 %.
	shotLimit = 0.78
	// alikeLimit: of lines with one text that can be read 97 % are above; of code
	// lines that differ 1 %, of names 5 %, of dates, which share most characters,
	// a tenth.
	// differLimit: of code and name lines with other text 90 % are below.
	alikeLimit, differLimit = 0.5, 0.3
	// togetherLimit is for the mean of the lines of one shot, whatever their size.
	togetherLimit = 0.5
	// surelyLimit is for the mean of the lines that an edit left, or of those of two
	// shots, beside each being alike: without it 4 % of pairs of scans are edits.
	surelyLimit = 0.6
	// plainPx is the height of a line from which its characters can be told in its
	// strip: below it, lines with one text differ too.
	plainPx = 12
)

// Compare tells what two pictures are to each other. It says edited_copy where the
// date and one of code and name are the same and the other is not: scans of two
// licenses of one template, and a scan whose code and name were both changed, look
// alike to it. An edit of a single character is mostly same_shot: there the codes
// that were read differ. That two licenses are one is surer from their codes, too.
func Compare(a, b report.Print) Verdict {
	strips := Strips(a, b)
	least, most, mean := 1.0, -1.0, 0.0
	plain := true
	for field, agreement := range strips {
		mean += agreement / float64(len(strips))
		plain = plain && min(a.Strips[field].HeightPx, b.Strips[field].HeightPx) >= plainPx
		if field != report.FieldEstablished {
			least, most = min(least, agreement), max(most, agreement)
		}
	}
	if most < least { // neither code nor name
		if Frame(a, b) >= shotLimit {
			return SameShot
		}
		return Unlike
	}
	date := strips[report.FieldEstablished]
	edited := plain && least < differLimit && min(most, date) >= alikeLimit && (most+date)/2 >= surelyLimit
	licensed := len(strips) > 1 && least >= alikeLimit && mean >= surelyLimit
	if !edited && !licensed && mean < togetherLimit {
		return Unlike
	}
	framed := Frame(a, b) >= frameLimit
	switch {
	case framed && edited:
		return EditedCopy
	case framed && mean >= togetherLimit:
		return SameShot
	case licensed:
		return SameLicense
	}
	return Unlike
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

// Frame is how far two photos agree wherever they show anything, -1..1: the
// correlation that all but a fifth of their blocks reach, after one is moved and
// stretched onto the other. 0 for prints of another form.
func Frame(a, b report.Print) float64 {
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

// Strips is how far the lines that both prints have agree, -1..1: the correlation
// of the part that agrees least, after one is moved and stretched onto the other.
func Strips(a, b report.Print) map[report.FieldName]float64 {
	out := map[report.FieldName]float64{}
	for field, one := range a.Strips {
		left, okLeft := unpacked(one.Cells, stripWidth, stripHeight)
		right, okRight := unpacked(b.Strips[field].Cells, stripWidth, stripHeight)
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
