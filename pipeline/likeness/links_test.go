package likeness

import (
	"flag"
	"fmt"
	"image"
	"math/rand/v2"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/synth"
)

var licenses = flag.Int("licenses", 48, "licenses that BenchmarkLinks draws, of each kind")

// links are how often pairs were told to be what.
type links map[string]map[Verdict]int

func (l links) count(kind string, v Verdict) {
	if l[kind] == nil {
		l[kind] = map[Verdict]int{}
	}
	l[kind][v]++
}

// measureLinks draws n photos by hand and n scans of different licenses of one
// template, sends each again, edits the code or the name of each second, and
// compares all.
func measureLinks(t testing.TB, n, width int, least, most float64) links {
	t.Helper()
	s, rng, found := newStudio(t, width), rand.New(rand.NewPCG(5, 5)), links{}
	for kind, take := range map[string]func(testing.TB, synth.License, uint64) shot{"photo": s.photo, "scan": s.scan} {
		var prints []report.Print
		for i := range n {
			seed := uint64(100 + i)
			own, other := license(seed, report.Edition2019Landscape), license(seed+1, report.Edition2019Landscape)
			picture := take(t, own, seed)
			print := picture.print(rng)
			found.count(kind+" sent again", Compare(print, picture.sent(t, rng, least, most).print(rng)))
			if i%2 == 0 {
				edited := own
				if i%4 == 0 {
					edited.Name = other.Name
				} else {
					edited.USCC = other.USCC
				}
				found.count(kind+" edited", Compare(print, take(t, edited, seed).sent(t, rng, 1, 1.2).print(rng)))
				found.count(kind+" taken again", Compare(print, s.photo(t, own, seed+5000).print(rng)))
			}
			for _, earlier := range prints {
				found.count(kind+" of another license", Compare(print, earlier))
			}
			prints = append(prints, print)
		}
	}
	return found
}

// TestLinks holds the floor on a small set.
func TestLinks(t *testing.T) {
	const n = 4
	found := measureLinks(t, n, 1400, 0.9, 1.5)
	for kind, least := range map[string]int{"photo": n, "scan": n - 1} {
		if again := found[kind+" sent again"]; again[SameShot] < least {
			t.Errorf("%s sent again: got %v, want %d %s", kind, again, least, SameShot)
		}
		if edited := found[kind+" edited"]; edited[EditedCopy] != n/2 {
			t.Errorf("%s edited: got %v, want %d %s", kind, edited, n/2, EditedCopy)
		}
		if others := found[kind+" of another license"]; others[Unlike] != n*(n-1)/2 {
			t.Errorf("%s of another license: got %v, want none alike", kind, others)
		}
	}
}

// BenchmarkLinks prints what each kind of pair was told to be:
//
//	go test ./pipeline/likeness -run '^$' -bench Links -benchtime 1x -timeout 0 -licenses 48
func BenchmarkLinks(b *testing.B) {
	for b.Loop() {
		found := measureLinks(b, *licenses, 1600, 0.7, 1.5)
		for _, kind := range []string{"photo", "scan"} {
			for _, pair := range []string{" sent again", " edited", " taken again", " of another license"} {
				total := 0
				for _, n := range found[kind+pair] {
					total += n
				}
				fmt.Printf("%-28s %5d pairs", kind+pair, total)
				for _, v := range []Verdict{SameShot, EditedCopy, Unlike} {
					name := string(v)
					if v == Unlike {
						name = "none"
					}
					fmt.Printf("  %s %.2f %%", name, 100*float64(found[kind+pair][v])/float64(max(total, 1)))
				}
				fmt.Println()
			}
		}
	}
}

// BenchmarkOf takes the print of a photo of 12 megapixels.
func BenchmarkOf(b *testing.B) {
	photo := image.NewNRGBA(image.Rect(0, 0, 4000, 3000))
	rng := rand.New(rand.NewPCG(6, 6))
	for i := range photo.Pix {
		photo.Pix[i] = uint8(rng.Uint32())
	}
	strips := map[report.FieldName]*image.Gray{}
	for _, field := range []report.FieldName{report.FieldUSCC, report.FieldCompanyName, report.FieldEstablished} {
		strips[field] = image.NewGray(image.Rect(0, 0, 600, 40))
	}
	for b.Loop() {
		Of(photo, 1, strips)
	}
}

// BenchmarkCompare compares two prints that agree nowhere, which takes longest.
func BenchmarkCompare(b *testing.B) {
	s, rng := newStudio(b, 1100), rand.New(rand.NewPCG(4, 4))
	first, second := s.photo(b, license(1, report.Edition2019Landscape), 1).print(rng), s.photo(b, license(2, report.Edition2019Landscape), 2).print(rng)
	first.Strips, second.Strips = nil, nil
	for b.Loop() {
		Compare(first, second)
	}
}
