// Package backup puts the data folder of the one-machine mode into one archive,
// while the service runs, and brings it back. It knows which files make up that
// folder and in which order they may be copied. It must not know what they hold.
package backup

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/heyan/heyan/storage/records"
)

// The files of a data folder that are kept.
const (
	RecordsFile = "records.db"
	KeyFile     = "vault.key"
	objectsPath = "objects/objects"
	secretsFile = "objects/credentials.json"
)

// sumsFile is the last entry of an archive: the SHA-256 of every other one, as
// sha256sum prints them. An archive without it was cut.
const sumsFile = "SHA256SUMS"

var (
	// ErrNotEmpty: a restore never writes over data.
	ErrNotEmpty = errors.New("backup: the folder to restore into is not empty")
	// ErrDamaged: the archive is cut, changed, or not one of these.
	ErrDamaged = errors.New("backup: the archive is damaged")
	// ErrNoData: there is no data folder of the one-machine mode.
	ErrNoData = errors.New("backup: there is no data folder here")
)

// Summary says what an archive holds.
type Summary struct {
	Objects int
	Bytes   int64 // of all files
	Key     bool  // the vault's key file is in it
}

// Write writes the data folder at dir as a tar archive; now is the time of its
// entries. The records are copied first, at one moment: every picture that they
// name was stored before them. Pictures never change; one whose time ran out
// meanwhile is left out. Without the key file nothing sealed can be read again:
// withKey says whether the archive holds it, or it is kept elsewhere.
func Write(ctx context.Context, to io.Writer, dir string, withKey bool, now time.Time) (Summary, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Summary{}, err
	}
	if _, err := os.Stat(filepath.Join(dir, RecordsFile)); err != nil {
		return Summary{}, fmt.Errorf("%w: %s", ErrNoData, dir)
	}
	work, err := os.MkdirTemp(dir, ".backup-")
	if err != nil {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	defer os.RemoveAll(work)
	snapshot := filepath.Join(work, RecordsFile)
	if err := records.Snapshot(ctx, filepath.Join(dir, RecordsFile), snapshot); err != nil {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	w := &writer{tar: tar.NewWriter(to), now: now}
	if err := w.add(ctx, RecordsFile, snapshot); err != nil {
		return Summary{}, err
	}
	if withKey {
		if err := w.add(ctx, KeyFile, filepath.Join(dir, KeyFile)); err != nil {
			return Summary{}, err
		}
		w.summary.Key = true
	}
	if err := w.add(ctx, secretsFile, filepath.Join(dir, secretsFile)); err != nil {
		return Summary{}, err
	}
	entries, err := os.ReadDir(filepath.Join(dir, objectsPath))
	if err != nil {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	for _, e := range entries {
		name := path.Join(objectsPath, e.Name())
		if !known.MatchString(name) {
			continue
		}
		switch err := w.add(ctx, name, filepath.Join(dir, name)); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return Summary{}, err
		default:
			w.summary.Objects++
		}
	}
	return w.summary, w.close()
}

// known are the names of entries.
var known = regexp.MustCompile(`^(records\.db|vault\.key|objects/credentials\.json|objects/objects/[0-9a-f]{64})$`)

type writer struct {
	tar     *tar.Writer
	sums    strings.Builder
	now     time.Time
	summary Summary
}

func (w *writer) add(ctx context.Context, name, file string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	sum := sha256.New()
	if err := w.entry(name, info.Size(), io.TeeReader(f, sum)); err != nil {
		return err
	}
	fmt.Fprintf(&w.sums, "%x  %s\n", sum.Sum(nil), name)
	w.summary.Bytes += info.Size()
	return nil
}

func (w *writer) entry(name string, size int64, from io.Reader) error {
	err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: w.now, Format: tar.FormatPAX})
	if err == nil {
		_, err = io.CopyN(w.tar, from, size)
	}
	if err != nil {
		return fmt.Errorf("backup: %s: %w", name, err)
	}
	return nil
}

func (w *writer) close() error {
	if err := w.entry(sumsFile, int64(w.sums.Len()), strings.NewReader(w.sums.String())); err != nil {
		return err
	}
	if err := w.tar.Close(); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// Restore brings an archive back into dir, which must be missing or empty. It is
// there whole, checked and synced, or not at all.
func Restore(ctx context.Context, from io.Reader, dir string) (Summary, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Summary{}, err
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return Summary{}, fmt.Errorf("%w: %s", ErrNotEmpty, dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), ".restore-")
	if err != nil {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	defer os.RemoveAll(work)
	summary, err := unpack(ctx, tar.NewReader(from), work)
	if err != nil {
		return Summary{}, err
	}
	if err := errors.Join(syncFolder(filepath.Join(work, objectsPath)), syncFolder(filepath.Join(work, "objects")), syncFolder(work)); err != nil {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	// An empty folder gives way to the one that was unpacked.
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	if err := os.Rename(work, dir); err != nil {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	return summary, syncFolder(filepath.Dir(dir))
}

func unpack(ctx context.Context, archive *tar.Reader, dir string) (Summary, error) {
	if err := os.MkdirAll(filepath.Join(dir, objectsPath), 0o700); err != nil {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	var summary Summary
	sums := map[string]string{}
	for {
		if err := ctx.Err(); err != nil {
			return Summary{}, err
		}
		header, err := archive.Next()
		if err != nil { // the end, too: the sums come last
			return Summary{}, fmt.Errorf("%w: no %s at its end", ErrDamaged, sumsFile)
		}
		if header.Name == sumsFile {
			return summary, compare(archive, sums)
		}
		if _, twice := sums[header.Name]; twice || header.Typeflag != tar.TypeReg || !known.MatchString(header.Name) {
			return Summary{}, fmt.Errorf("%w: it has an entry that does not belong there", ErrDamaged)
		}
		sum, err := store(filepath.Join(dir, filepath.FromSlash(header.Name)), archive)
		if err != nil {
			return Summary{}, err
		}
		sums[header.Name] = hex.EncodeToString(sum.Sum(nil))
		summary.Bytes += header.Size
		summary.Key = summary.Key || header.Name == KeyFile
		if strings.HasPrefix(header.Name, objectsPath) {
			summary.Objects++
		}
	}
}

// store writes one file and syncs it.
func store(name string, from io.Reader) (hash.Hash, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, sum), from)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: it ends early", ErrDamaged)
	}
	return sum, errors.Join(err, f.Sync(), f.Close())
}

// compare holds what was unpacked against the archive's sums.
func compare(list io.Reader, sums map[string]string) error {
	lines := bufio.NewScanner(list)
	listed := 0
	for ; lines.Scan(); listed++ {
		sum, name, _ := strings.Cut(lines.Text(), "  ")
		if sums[name] == "" || sums[name] != sum {
			return fmt.Errorf("%w: entry %d is not what was written", ErrDamaged, listed+1)
		}
	}
	if err := lines.Err(); err != nil || listed != len(sums) || sums[RecordsFile] == "" {
		return fmt.Errorf("%w: it is not complete", ErrDamaged)
	}
	return nil
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
