package license

import (
	"slices"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/report"
)

const (
	// minPlace and maxPlace are the lengths of a division's name that tells
	// something, in characters: 白云区 to 双江拉祜族佤族布朗族傣族自治县.
	minPlace, maxPlace = 3, 15
	// doubtfulPlace is the confidence below which a character of a division's name
	// may be another, and minPlaceAlternative that from which it may be this one.
	doubtfulPlace, minPlaceAlternative = 0.98, 0.02
)

// placed is the fragment with the divisions in it spelled as the lists do, where
// the reader wavered and one of its alternatives makes a division of what is
// none: 自云区 is 白云区. The character keeps the alternative's confidence: the
// lists say what is meant, not what is printed.
func (f fragment) placed() fragment {
	if f.characters == nil {
		return f
	}
	for i, c := range f.characters {
		if c.Confidence >= doubtfulPlace || inPlace(f.text, i) {
			continue
		}
		var fitting []ocr.Alternative
		for _, a := range c.Alternatives {
			if r := []rune(a.Text); len(r) == 1 && a.Confidence >= minPlaceAlternative && inPlace(replaced(f.text, i, r[0]), i) {
				fitting = append(fitting, a)
			}
		}
		if len(fitting) != 1 {
			continue
		}
		r := []rune(fitting[0].Text)[0]
		f.raw, f.text = replaced(f.raw, i, r), replaced(f.text, i, r)
		f.characters = slices.Clone(f.characters)
		f.characters[i] = ocr.Character{Text: fitting[0].Text, Confidence: fitting[0].Confidence, Center: c.Center,
			Alternatives: append([]ocr.Alternative{{Text: c.Text, Confidence: c.Confidence}},
				slices.DeleteFunc(slices.Clone(c.Alternatives), func(a ocr.Alternative) bool { return a.Text == fitting[0].Text })...)}
	}
	return f
}

// named says whose values begin with a division's name.
func named(field report.FieldName) bool {
	return field == report.FieldCompanyName || field == report.FieldAddress
}

// inPlace says whether a character is part of a division's name.
func inPlace(text []rune, at int) bool {
	names := codes.PlaceNames()
	for from := max(0, at-maxPlace+1); from <= at; from++ {
		for to := max(at+1, from+minPlace); to <= min(len(text), from+maxPlace); to++ {
			if names[string(text[from:to])] {
				return true
			}
		}
	}
	return false
}

func replaced(text []rune, at int, r rune) []rune {
	out := slices.Clone(text)
	out[at] = r
	return out
}
