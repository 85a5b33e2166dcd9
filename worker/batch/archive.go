package batch

import (
	"archive/zip"
	"errors"
	"io"
)

const (
	// maxEntries is the most files of a ZIP of pictures.
	maxEntries = 200_000
	// maxDirectoryBytes is the longest directory of a ZIP: 160 bytes for each of
	// maxEntries. It bounds memory where the count in the file's end is a lie.
	maxDirectoryBytes = 32 << 20
)

// openArchive reads the directory of a ZIP; *FileError.
func openArchive(r io.ReaderAt, size int64) (*zip.Reader, error) {
	d := &archiveFile{r: r, left: maxDirectoryBytes, opening: true}
	archive, err := zip.NewReader(d, size)
	d.opening = false
	switch {
	case err == nil && len(archive.File) > maxEntries:
		return nil, fileError(RuleTooManyEntries, maxEntries)
	case err != nil:
		return nil, damaged(err)
	}
	return archive, nil
}

// archiveFile bounds what is read of a file to know its directory, and marks the
// errors that are the file system's and not the file's.
type archiveFile struct {
	r       io.ReaderAt
	left    int // bytes, while opening
	opening bool
}

func (f *archiveFile) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 { // the directory was moved
		return 0, zip.ErrFormat
	}
	if f.opening {
		if f.left -= len(p); f.left < 0 {
			return 0, fileError(RuleTooManyEntries, maxEntries)
		}
	}
	n, err := f.r.ReadAt(p, at)
	if err != nil && err != io.EOF {
		err = &readError{err}
	}
	return n, err
}

// readError is one of the file system.
type readError struct{ error }

func (e *readError) Unwrap() error { return e.error }

// damaged is what an error says of a file that holds others: a *FileError, or the
// file system's error.
func damaged(err error) error {
	var file *FileError
	var read *readError
	switch {
	case errors.As(err, &file):
		return file
	case errors.As(err, &read):
		return read.error
	}
	return fileError(RuleDamaged)
}

// readerAtSeeker is a file in which one may jump.
type readerAtSeeker interface {
	io.ReaderAt
	io.Seeker
}
