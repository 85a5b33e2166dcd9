package license

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"strings"
	"sync"
)

// NameKind is the kind of an index key of a name.
type NameKind string

// The kinds of key and the classes of likeness they find.
const (
	NameKindSame  NameKind = "same"  // same
	NameKindFold  NameKind = "fold"  // width, variant, lookalike
	NameKindCore  NameKind = "core"  // division, form; variant and lookalike with either
	NameKindSound NameKind = "sound" // pinyin
)

// NameKey is an index key of a name: two names of a likeness share at least one
// of the same kind, and NameLikeness decides on those that do.
type NameKey struct {
	Kind NameKind
	Key  string // at most maxKeyBytes long
}

const (
	maxKeyBytes = 64
	// maxSounds bounds the readings of a trade name that are looked for. Of the
	// 1,000,000 names of BenchmarkNameSearch 0.04 % have more than 8.
	maxSounds = 16
)

// NameKeys are the index keys of a name: one of each of the first three kinds, and
// one of the last for each reading, at most maxSounds. A name without a letter or
// digit has none. Among a million names a name shares its keys with one other at
// the mean, 15 at p99 and 50 at the worst (BenchmarkNameSearch).
func NameKeys(name string) []NameKey {
	p := splitName(name)
	if p.plain == "" {
		return nil
	}
	keys := []NameKey{
		{NameKindSame, bounded(p.registered)},
		{NameKindFold, bounded(skeleton(p.folded))},
		{NameKindCore, bounded(skeleton(string(p.core)))},
	}
	for _, sound := range p.sounds() {
		keys = append(keys, NameKey{NameKindSound, bounded(sound)})
	}
	return keys
}

// bounded keeps a short key as it is and stands a digest in for a long one.
func bounded(key string) string {
	if len(key) <= maxKeyBytes {
		return key
	}
	digest := sha256.Sum256([]byte(key))
	return "#" + hex.EncodeToString(digest[:16])
}

// skeleton writes every character as one of those that it, or a look-alike of it,
// is confusable with (as in UTS 39): 己, 已 and 巳 alike. The skeletons of names
// that look alike are equal; not every two names of one skeleton look alike.
func skeleton(folded string) string {
	first := lookAlikes()
	return strings.Map(func(r rune) rune {
		if like, ok := first[r]; ok {
			return like
		}
		return r
	}, oneScript(folded))
}

// lookAlikes joins the groups of confusable characters that share a character;
// the longest chain has 12.
var lookAlikes = sync.OnceValue(func() map[rune]rune {
	first := make(map[rune]rune)
	for group := range strings.FieldsSeq(confusables) {
		for _, r := range group {
			if first[r] == 0 {
				first[r] = r
			}
		}
		into := first[[]rune(group)[0]]
		for _, r := range group {
			if from := first[r]; from != into {
				for other, like := range first {
					if like == from {
						first[other] = into
					}
				}
			}
		}
	}
	return first
})

//go:embed data/readings.tsv
var readingsTSV string

// readings are the syllables a character is read as, without tones.
var readings = sync.OnceValue(func() map[rune][]string {
	m := make(map[rune][]string)
	for line := range strings.Lines(readingsTSV) {
		if syllable, characters, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			for _, r := range characters {
				m[r] = append(m[r], syllable)
			}
		}
	}
	for digit, numeral := range []rune("零一二三四五六七八九") {
		m['0'+rune(digit)] = m[numeral]
	}
	return m
})

// sounds are the readings of the trade name, each with the industry. Past
// maxSounds a character counts with its first reading alone.
func (p nameParts) sounds() []string {
	table := readings()
	sounds := []string{""}
	for i, r := range p.core[:p.trade] {
		syllables := table[p.rawCore[i]] // 乾 is a character of its own and a variant of 干
		if syllables == nil {
			syllables = table[r]
		}
		if syllables == nil {
			syllables = []string{string(r)}
		}
		if len(sounds)*len(syllables) > maxSounds {
			syllables = syllables[:1]
		}
		longer := make([]string, 0, len(sounds)*len(syllables))
		for _, sound := range sounds {
			for _, syllable := range syllables {
				longer = append(longer, sound+syllable+" ")
			}
		}
		sounds = longer
	}
	for i := range sounds {
		sounds[i] += string(p.core[p.trade:])
	}
	return sounds
}
