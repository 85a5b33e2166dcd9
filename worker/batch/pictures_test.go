package batch

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const maxPicture = 1000 // bytes

// pictureRule is what reading a picture says; "" when it is its own name.
func pictureRule(t *testing.T, p Pictures, name string) Rule {
	t.Helper()
	picture, err := p.Read(name)
	var known *PictureError
	if errors.As(err, &known) {
		if strings.Contains(known.Error(), "%!") || known.Message.ZH == "" || strings.HasSuffix(name, ".jpg") && strings.Contains(known.Error(), name) {
			t.Errorf("message of %q: %v", name, err)
		}
		return known.Rule
	}
	if err != nil || string(picture) != "picture" {
		t.Errorf("%q: got %q, %v", name, picture, err)
	}
	return ""
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pictures")
	write := func(name, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.jpg", "picture")
	write("甲/乙.jpg", "picture")
	write("empty.jpg", "")
	write("large.jpg", strings.Repeat("x", maxPicture+1))
	write("../outside.jpg", "secret")
	for link, to := range map[string]string{"inside": "甲/乙.jpg", "outside": "../outside.jpg", "absolute": "/etc/hostname", "circle": "circle", "up": ".."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Folder(dir, maxPicture)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for name, want := range map[string]Rule{
		"a.jpg": "", "./a.jpg": "", "甲/乙.jpg": "", `甲\乙.jpg`: "", "甲/../a.jpg": "", "inside": "",
		"empty.jpg": RuleEmpty, "large.jpg": RuleTooLarge, "none.jpg": RuleNotFound, "a.jpg/b": RuleNotFound, strings.Repeat("x", 500): RuleNotFound,
		"甲": RuleNotAFile, "pipe": RuleNotAFile, "circle": RuleUnreadable,
		"../outside.jpg": RuleOutside, "甲/../../outside.jpg": RuleOutside, `..\outside.jpg`: RuleOutside, "/etc/hostname": RuleOutside, "": RuleOutside, ".": RuleOutside,
		"outside": RuleOutside, "absolute": RuleOutside, "up/outside.jpg": RuleOutside,
	} {
		if got := pictureRule(t, p, name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	if _, err := Folder(filepath.Join(dir, "none"), maxPicture); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// entry is one of a ZIP.
type entry struct {
	zip.FileHeader
	content string
}

func named(name, content string) entry {
	return entry{zip.FileHeader{Name: name, Method: zip.Deflate}, content}
}

func zipOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	for _, e := range entries {
		w, err := z.CreateHeader(&e.FileHeader)
		if err == nil {
			_, err = io.WriteString(w, e.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// liar is an entry whose header says less than is in it.
func liar(t *testing.T, name, content string, says uint64) []byte {
	t.Helper()
	var packed, file bytes.Buffer
	f, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.WriteString(f, content); err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(&file)
	w, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, CompressedSize64: uint64(packed.Len()), UncompressedSize64: says})
	if err == nil {
		_, err = w.Write(packed.Bytes())
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func openZIP(t *testing.T, file []byte) Pictures {
	t.Helper()
	p, err := ZIP(bytes.NewReader(file), int64(len(file)), maxPicture)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestZIP(t *testing.T) {
	link := named("link", "/etc/hostname")
	link.SetMode(os.ModeSymlink)
	encrypted := named("encrypted.jpg", "picture")
	encrypted.Flags = 1
	unknown := named("unknown.jpg", "")
	gbk := named(gb18030(t, "照片/丙.jpg"), "picture")
	gbk.NonUTF8 = true
	unmarked := named("未标记.jpg", "picture")
	unmarked.NonUTF8 = true
	p := openZIP(t, zipOf(t, named("a.jpg", "picture"), named("甲/乙.jpg", "picture"), named("folder/", ""), named(`windows\b.jpg`, "picture"), gbk, unmarked,
		named("e\u0301.jpg", "picture"), named("../up.jpg", "secret"), named("/absolute.jpg", "secret"), named("x/../../up.jpg", "secret"),
		named("twice.jpg", "1"), named("x/../twice.jpg", "2"), named("thrice.jpg", "1"), named("thrice.jpg", "2"), named("thrice.jpg", "3"),
		named("bomb.jpg", strings.Repeat("\x00", 10<<20)), unknown, link, encrypted))
	defer p.Close()
	for name, want := range map[string]Rule{
		"a.jpg": "", "甲/乙.jpg": "", `甲\乙.jpg`: "", "windows/b.jpg": "", "照片/丙.jpg": "", "未标记.jpg": "", "\u00e9.jpg": "", "e\u0301.jpg": "",
		"none.jpg": RuleNotFound, "folder": RuleNotFound, "up.jpg": RuleNotFound, "absolute.jpg": RuleNotFound,
		"../up.jpg": RuleOutside, "/absolute.jpg": RuleOutside, "": RuleOutside,
		"twice.jpg": RuleAmbiguous, "thrice.jpg": RuleAmbiguous, "bomb.jpg": RuleTooLarge, "unknown.jpg": RuleEmpty, "link": RuleNotAFile, "encrypted.jpg": RuleEncrypted,
	} {
		if got := pictureRule(t, p, name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestBrokenZIP(t *testing.T) {
	good := zipOf(t, named("a.jpg", "picture"))
	flipped := bytes.Clone(good)
	flipped[bytes.Index(flipped, []byte("a.jpg"))+8] ^= 0xFF
	for name, file := range map[string][]byte{
		"less than it says": liar(t, "a.jpg", "picture", 5000), "more than it says": liar(t, "a.jpg", strings.Repeat("x", 5000), 7), "a flipped bit": flipped,
	} {
		if got := pictureRule(t, openZIP(t, file), "a.jpg"); got != RuleDamaged && got != RuleTooLarge {
			t.Errorf("%s: got %q", name, got)
		}
	}
	for name, file := range map[string][]byte{"no ZIP": []byte("picture"), "empty": nil, "cut off": good[:len(good)-10]} {
		_, err := ZIP(bytes.NewReader(file), int64(len(file)), maxPicture)
		var known *FileError
		if !errors.As(err, &known) || known.Rule != RuleDamaged {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A directory that is long, and one that is longer than its end says.
func TestTooManyEntries(t *testing.T) {
	const header, end = 46, 22 // bytes, APPNOTE 4.3.12 and 4.3.16
	one := zipOf(t, named("a", ""))
	at := len(one) - end - header - len("a")
	directory, last := one[at:len(one)-end], one[len(one)-end:]
	for count, says := range map[int]int{maxEntries + 1: maxEntries + 1, 12 * 65536: 65536} {
		file := append(bytes.Clone(one[:at]), bytes.Repeat(directory, count)...)
		tail := bytes.Clone(last)
		binary.LittleEndian.PutUint16(tail[8:], uint16(says))
		binary.LittleEndian.PutUint16(tail[10:], uint16(says))
		binary.LittleEndian.PutUint32(tail[12:], uint32(count*len(directory)))
		file = append(file, tail...)
		_, err := ZIP(bytes.NewReader(file), int64(len(file)), maxPicture)
		var known *FileError
		if !errors.As(err, &known) || known.Rule != RuleTooManyEntries {
			t.Errorf("%d entries: got %v", count, err)
		}
	}
}

func TestZIPReadError(t *testing.T) {
	file := zipOf(t, named("a.jpg", "picture"))
	disk := brokenDisk{bytes.NewReader(file), 0}
	if _, err := ZIP(brokenDisk{disk.Reader, int64(len(file))}, int64(len(file)), maxPicture); !errors.Is(err, errDisk) {
		t.Errorf("the directory: got %v", err)
	}
	p, err := ZIP(&disk, int64(len(file)), maxPicture)
	if err != nil {
		t.Fatal(err)
	}
	disk.from = int64(len(file))
	if _, err := p.Read("a.jpg"); !errors.Is(err, errDisk) {
		t.Errorf("a picture: got %v", err)
	}
}

// A folder's pictures go into a ZIP under the names by which lines find them, and
// nothing else does.
func TestWriteZIP(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"a.jpg": "A", "deep/部.jpg": "B", "other.jpg": "not named", "large.jpg": strings.Repeat("x", 101)} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	from, err := Folder(dir, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	named := func(yield func(string, error) bool) {
		for _, name := range []string{"a.jpg", `deep\部.jpg`, "./a.jpg", "large.jpg", "none.jpg", "../a.jpg", "deep"} {
			if !yield(name, nil) {
				return
			}
		}
	}
	var b bytes.Buffer
	if err := WriteZIP(&b, from, named); err != nil {
		t.Fatal(err)
	}
	z, err := ZIP(bytes.NewReader(b.Bytes()), int64(b.Len()), 100)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(z.(*archive).entries); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
	for name, want := range map[string]string{"a.jpg": "A", `deep\部.jpg`: "B"} {
		if got, err := z.Read(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	broken := errors.New("the file of lines broke off")
	if err := WriteZIP(io.Discard, from, func(yield func(string, error) bool) { yield("", broken) }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
