package batch

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"
	"syscall"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/unicode/norm"

	"github.com/heyan/heyan/pipeline/report"
)

// Pictures are those next to a file of lines. Both kinds may be read by many
// goroutines at once.
type Pictures interface {
	// Read is the content of the picture that a line names; *PictureError, or the
	// file system's error when another try may help.
	Read(name string) ([]byte, error)
	Close() error
}

// PictureError says why a picture cannot be taken. It does not repeat the name.
type PictureError struct {
	Rule    Rule
	Message report.Text
}

func (e *PictureError) Error() string { return fmt.Sprintf("picture: %s: %s", e.Rule, e.Message.EN) }

func pictureError(r Rule, args ...any) *PictureError { return &PictureError{r, r.message(args...)} }

type folder struct {
	root *os.Root
	max  int64
}

// Folder are the pictures below a folder, none larger than maxPicture bytes. No
// path and no link leads out of it.
func Folder(dir string, maxPicture int64) (Pictures, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &folder{root, maxPicture}, nil
}

func (f *folder) Close() error { return f.root.Close() }

func (f *folder) Read(name string) ([]byte, error) {
	name, inside := local(name)
	if !inside {
		return nil, pictureError(RuleOutside)
	}
	info, err := f.root.Stat(name) // first: opening a pipe waits for its other end
	if err != nil {
		return nil, pathError(err)
	}
	if !info.Mode().IsRegular() {
		return nil, pictureError(RuleNotAFile)
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, pathError(err)
	}
	defer file.Close()
	return readPicture(file, f.max)
}

// pathError is what an error of a path below an os.Root says of the picture. One
// that is not the system's says that a link leads out.
func pathError(err error) error {
	var system syscall.Errno
	switch {
	case !errors.As(err, &system):
		return pictureError(RuleOutside)
	case errors.Is(err, fs.ErrNotExist), system == syscall.ENOTDIR, system == syscall.ENAMETOOLONG:
		return pictureError(RuleNotFound)
	case errors.Is(err, fs.ErrPermission), system == syscall.ELOOP:
		return pictureError(RuleUnreadable)
	}
	return err
}

// local is a path as a line may write it, of Windows too, below a folder.
func local(name string) (string, bool) {
	name = path.Clean(strings.ReplaceAll(name, `\`, "/"))
	return name, fs.ValidPath(name) && name != "."
}

// readPicture counts what it reads: a header may say anything.
func readPicture(r io.Reader, limit int64) ([]byte, error) {
	picture, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, err
	case len(picture) == 0:
		return nil, pictureError(RuleEmpty)
	case int64(len(picture)) > limit:
		return nil, pictureError(RuleTooLarge, limit)
	}
	return picture, nil
}

type archive struct {
	entries map[string]*zip.File // nil: several have this name
	max     int64
}

// ZIP are the pictures in an archive, none larger than maxPicture bytes; what
// their entries say of their size is not believed, and nothing is written to any
// disk. Names that are not UTF-8 are taken for GBK, as Windows in China writes
// them. *FileError for what is no ZIP or has more than 200,000 entries. Closing
// it leaves r open.
func ZIP(r io.ReaderAt, size, maxPicture int64) (Pictures, error) {
	z, err := openArchive(r, size)
	if err != nil {
		return nil, err
	}
	a := &archive{map[string]*zip.File{}, maxPicture}
	for _, f := range z.File {
		for _, name := range entryNames(f) {
			if _, taken := a.entries[name]; taken {
				f = nil
			}
			a.entries[name] = f
		}
	}
	return a, nil
}

// entryNames are what a line may call an entry: one whose encoding is not marked
// may be both UTF-8 and GBK.
func entryNames(f *zip.File) []string {
	var names []string
	add := func(name string) {
		if name, inside := local(name); inside && !strings.HasSuffix(f.Name, "/") {
			names = append(names, norm.NFC.String(name))
		}
	}
	if utf8.ValidString(f.Name) {
		add(f.Name)
	}
	if f.NonUTF8 {
		if name, err := simplifiedchinese.GB18030.NewDecoder().String(f.Name); err == nil && !strings.ContainsRune(name, utf8.RuneError) {
			add(name)
		}
	}
	return names
}

func (a *archive) Close() error { return nil }

func (a *archive) Read(name string) ([]byte, error) {
	name, inside := local(name)
	if !inside {
		return nil, pictureError(RuleOutside)
	}
	f, found := a.entries[norm.NFC.String(name)]
	switch {
	case !found:
		return nil, pictureError(RuleNotFound)
	case f == nil:
		return nil, pictureError(RuleAmbiguous)
	case f.Flags&1 != 0:
		return nil, pictureError(RuleEncrypted)
	case !f.Mode().IsRegular():
		return nil, pictureError(RuleNotAFile)
	}
	in, err := f.Open()
	if err != nil {
		return nil, damagedPicture(err)
	}
	defer in.Close()
	picture, err := readPicture(in, a.max)
	return picture, damagedPicture(err)
}

// damagedPicture is what an error of an entry says of it.
func damagedPicture(err error) error {
	var known *PictureError
	var read *readError
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.As(err, &read):
		return read.error
	}
	return pictureError(RuleDamaged)
}

// WriteZIP writes those of the pictures that are named, each once, as a ZIP from
// which lines find them by the same names. What cannot be taken is left out: its
// lines say so where the ZIP is read. Nothing is compressed, pictures are already.
func WriteZIP(w io.Writer, from Pictures, names iter.Seq2[string, error]) error {
	out := zip.NewWriter(w)
	written := map[string]bool{}
	for name, err := range names {
		if err != nil {
			return err
		}
		name, inside := local(name)
		if !inside || written[name] {
			continue
		}
		written[name] = true
		picture, err := from.Read(name)
		if errors.As(err, new(*PictureError)) {
			continue
		}
		var entry io.Writer
		if err == nil {
			entry, err = out.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		}
		if err == nil {
			_, err = entry.Write(picture)
		}
		if err != nil {
			return err
		}
	}
	return out.Close()
}
