package codes

import "slices"

// digitLike maps letters to the digits that they are misread for, for positions
// where only a digit can stand; illegal maps the letters that no USCC has. V is
// in neither: it may be U or Y.
var (
	digitLike = folding("O0 D0 Q0 I1 L1 Z2 S5 G6 B8")
	illegal   = folding("O0 I1 Z2 S5")
)

func folding(pairs string) (f [256]byte) {
	for i := range f {
		f[i] = byte(i)
	}
	for i := 0; i < len(pairs); i += 3 {
		f[pairs[i]] = pairs[i+1]
	}
	return f
}

// foldAt folds c as position i of a USCC asks, from 0.
func foldAt(i int, c byte) byte {
	if 1 <= i && i < 8 || i == 16 {
		return digitLike[c]
	}
	return illegal[c]
}

// FoldUSCC normalizes s and replaces letters that cannot stand where they are
// by the digit they look like: O, I, Z and S anywhere, B, D, G, L and Q where
// only a digit can stand (positions 2-8 and 17). Each has one target, so nothing
// is chosen; V, which may be U or Y, is left to [RepairUSCC]. It is idempotent.
func FoldUSCC(s string) string {
	b := []byte(Normalize(s))
	for i, c := range b {
		if len(b) == lengthUSCC {
			b[i] = foldAt(i, c)
		} else {
			b[i] = illegal[c]
		}
	}
	return string(b)
}

// confusable lists for each character those it is misread for, in alphabet31.
var confusable = confusions("0ODQ", "1ILJT", "2Z7", "5S", "8B3", "6G", "UV", "UY", "VY", "CG", "EF",
	"PR", "HNM", "A4", "9G", "KX", "MW", "7T", "PF")

func confusions(sets ...string) (c [256][]rune) {
	for _, set := range sets {
		for _, a := range set {
			for _, b := range set {
				if a != b && base31[byte(b)] >= 0 {
					c[a] = append(c[a], b)
				}
			}
		}
	}
	return c
}

// RepairUSCC returns the valid codes that s may be a misreading of: the folded
// code alone if folding made it valid, else all codes one visual confusion away
// from the folded code that break no rule. It returns none for a valid code.
//
// These are candidates for a person, or for a second source to confirm. Never
// accept one by itself, not even the only one: where two characters were
// misread, 1.7 % of trials gave one candidate, and a wrong one.
func RepairUSCC(s string) []string {
	n, folded := Normalize(s), FoldUSCC(s)
	if IsUSCC(folded) {
		if folded == n {
			return nil
		}
		return []string{folded}
	}
	if len(folded) != lengthUSCC {
		return nil
	}
	var alternatives [lengthUSCC][]rune
	for i := range alternatives {
		// What was read counts too: a G that was folded to 6 may be a 9.
		alternatives[i] = slices.Concat(confusable[folded[i]], confusable[n[i]])
	}
	return RepairWith(folded, alternatives[:])
}

// RepairWith returns all codes that break no rule and differ from s in one
// character, which a reader offered at that position: alternatives[i] are those
// for position i, best first, folded as by [FoldUSCC]. The order is by position,
// then as offered. What RepairUSCC says about candidates holds here too.
func RepairWith(s string, alternatives [][]rune) []string {
	folded := FoldUSCC(s)
	if len(folded) != lengthUSCC {
		return nil
	}
	var candidates []string
	code := []byte(folded)
	for i := range min(lengthUSCC, len(alternatives)) {
		for _, r := range alternatives[i] {
			alternative := Normalize(string(r))
			if len(alternative) != 1 {
				continue
			}
			code[i] = foldAt(i, alternative[0])
			if c := string(code); c != folded && IsUSCC(c) && !slices.Contains(candidates, c) {
				candidates = append(candidates, c)
			}
		}
		code[i] = folded[i]
	}
	return candidates
}
