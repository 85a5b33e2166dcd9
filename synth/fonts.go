package synth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/image/font/sfnt"
)

// Fonts are the typefaces of a license: bold sans for title and labels, Song
// for values. Not safe for concurrent use.
type Fonts struct {
	sansBold, sans, serif, serifBold *typeface
}

// MissingFontError says which font file was not found and which Debian package
// carries it.
type MissingFontError struct {
	File, Package string
	Folders       []string
}

func (e *MissingFontError) Error() string {
	return fmt.Sprintf("font %s not found in %v: install the Debian package %s or name the folder that holds it", e.File, e.Folders, e.Package)
}

// fontPackage is the Debian package with all the files below.
const fontPackage = "fonts-noto-cjk"

// fontFolders are where systems keep fonts.
func fontFolders() []string {
	folders := []string{"/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts"}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, filepath.Join(home, ".local/share/fonts"), filepath.Join(home, "Library/Fonts"))
	}
	return folders
}

// LoadFonts finds the font files by name anywhere under the folders, or under
// the system's font folders when none is given. The error is a
// *MissingFontError when a file is not there.
func LoadFonts(folders ...string) (*Fonts, error) {
	if len(folders) == 0 {
		folders = fontFolders()
	}
	f := &Fonts{}
	for file, font := range map[string]struct {
		to   **typeface
		name string
	}{
		"NotoSansCJK-Bold.ttc":     {&f.sansBold, "Noto Sans CJK SC Bold"},
		"NotoSansCJK-Regular.ttc":  {&f.sans, "Noto Sans CJK SC"},
		"NotoSerifCJK-Regular.ttc": {&f.serif, "Noto Serif CJK SC"},
		"NotoSerifCJK-Bold.ttc":    {&f.serifBold, "Noto Serif CJK SC Bold"},
	} {
		path, err := findFont(file, folders)
		if err != nil {
			return nil, err
		}
		if *font.to, err = loadTypeface(path, font.name); err != nil {
			return nil, fmt.Errorf("font %s: %w", path, err)
		}
	}
	return f, nil
}

func findFont(file string, folders []string) (string, error) {
	found := ""
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
				return nil
			case err != nil:
				return err
			case d.Name() == file:
				found = path
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			return "", err
		}
		if found != "" {
			return found, nil
		}
	}
	return "", &MissingFontError{File: file, Package: fontPackage, Folders: folders}
}

// typeface is one font with the outlines it was asked for. Outlines are in em,
// y down, origin on the baseline.
type typeface struct {
	font   *sfnt.Font
	buf    sfnt.Buffer
	glyphs map[rune]glyph
}

type glyph struct {
	advance  float64
	segments []segment
}

type segment struct {
	op sfnt.SegmentOp
	p  [3]point
}

// loadTypeface picks the font with the full name out of a collection.
func loadTypeface(path, name string) (*typeface, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	collection, err := sfnt.ParseCollection(data)
	if err != nil {
		return nil, err
	}
	t := &typeface{glyphs: map[rune]glyph{}}
	for i := range collection.NumFonts() {
		font, err := collection.Font(i)
		if err != nil {
			return nil, err
		}
		full, err := font.Name(&t.buf, sfnt.NameIDFull)
		if err != nil {
			return nil, err
		}
		if full == name {
			t.font = font
			return t, nil
		}
	}
	return nil, fmt.Errorf("no font named %q in the collection", name)
}

// glyph gives a character's outline. A character the font lacks gives its
// empty box, as a printer would.
func (t *typeface) glyph(r rune) glyph {
	if g, ok := t.glyphs[r]; ok {
		return g
	}
	g := t.load(r)
	t.glyphs[r] = g
	return g
}

func (t *typeface) load(r rune) glyph {
	index, err := t.font.GlyphIndex(&t.buf, r)
	if err != nil {
		return glyph{advance: 1}
	}
	em := t.font.UnitsPerEm()
	ppem := fixedUnits(em)
	advance, err := t.font.GlyphAdvance(&t.buf, index, ppem, 0)
	if err != nil {
		return glyph{advance: 1}
	}
	loaded, err := t.font.LoadGlyph(&t.buf, index, ppem, nil)
	if err != nil {
		return glyph{advance: 1}
	}
	scale := 1 / (64 * float64(em))
	g := glyph{advance: float64(advance) * scale}
	for _, s := range loaded {
		out := segment{op: s.Op}
		for i, a := range s.Args {
			out.p[i] = point{float64(a.X) * scale, float64(a.Y) * scale}
		}
		g.segments = append(g.segments, out)
	}
	return g
}
