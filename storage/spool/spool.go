// Package spool keeps files that are too large for memory, and may hold personal
// data, as objects: parts of one size, each sealed. A file is written as a stream
// and read at any place. It knows objects and the vault. It must not know what a
// file holds or what it is for.
package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/vault"
)

const (
	// partBytes is the size of each part but the last. A writer holds three
	// copies of one, a reader keptParts.
	partBytes = 4 << 20
	// sealBytes is more than sealing adds.
	sealBytes = 64
	// keptParts are those that a reader keeps: a ZIP is read in the order of its
	// entries, a spreadsheet at two places at a time.
	keptParts = 3
)

// ErrTooLarge: the file has more bytes than it may have.
var ErrTooLarge = errors.New("the file is too large")

// File is one that is stored.
type File struct {
	Key  string `json:"key"`  // of the objects: a prefix, without the last slash
	Size int64  `json:"size"` // bytes
}

func part(key string, i int64) string { return fmt.Sprintf("%s/%06d", key, i) }

func place(key string, i int64) vault.Place {
	return vault.Place{Table: "spool", ID: part(key, i), Field: "bytes"}
}

// Write stores what r has, at most limit bytes, under a key that nobody else
// writes. After an error the File says what there is to Remove. ErrTooLarge; an
// error of r comes back as it is.
func Write(ctx context.Context, store *objects.Store, sealer *vault.Sealer, key string, r io.Reader, limit int64) (File, error) {
	f := File{Key: key}
	buffer := make([]byte, partBytes)
	for i := int64(0); ; i++ {
		n, err := fill(buffer, r)
		switch {
		case err != nil && err != io.EOF:
			return f, err
		case f.Size+int64(n) > limit:
			return f, ErrTooLarge
		case n == 0:
			return f, nil
		}
		sealed := sealer.Seal(place(key, i), buffer[:n])
		if err := store.Put(ctx, part(key, i), bytes.NewReader(sealed), int64(len(sealed)), "application/octet-stream"); err != nil {
			return f, err
		}
		if f.Size += int64(n); err == io.EOF {
			return f, nil
		}
	}
}

// fill is io.ReadFull, but for the io.ErrUnexpectedEOF of a body that was cut
// off, which it would take for the end of the file.
func fill(buffer []byte, r io.Reader) (n int, err error) {
	for n < len(buffer) && err == nil {
		var more int
		more, err = r.Read(buffer[n:])
		n += more
	}
	return n, err
}

// Open is the file for reading, as long as ctx lasts; it may be read by several
// goroutines at once. What comes of the store is an *objects.Error.
func Open(ctx context.Context, store *objects.Store, sealer *vault.Sealer, f File) *io.SectionReader {
	return io.NewSectionReader(&parts{ctx: ctx, store: store, sealer: sealer, file: f}, 0, f.Size)
}

// Remove deletes the file; what is gone already is none to it.
func Remove(ctx context.Context, store *objects.Store, f File) error {
	for i := range (f.Size + partBytes - 1) / partBytes {
		if err := store.Delete(ctx, part(f.Key, i)); err != nil && !errors.Is(err, objects.ErrNotFound) {
			return err
		}
	}
	return nil
}

// parts reads a file at any place.
type parts struct {
	ctx    context.Context
	store  *objects.Store
	sealer *vault.Sealer
	file   File

	mu   sync.Mutex
	kept []kept // the one used last is the last
}

type kept struct {
	number int64
	bytes  []byte
}

// ReadAt never reads beyond the file: the section bounds it.
func (p *parts) ReadAt(b []byte, at int64) (n int, err error) {
	for n < len(b) {
		text, err := p.part((at + int64(n)) / partBytes)
		if err != nil {
			return n, err
		}
		from := (at + int64(n)) % partBytes
		if from >= int64(len(text)) {
			return n, io.EOF
		}
		n += copy(b[n:], text[from:])
	}
	return n, nil
}

func (p *parts) part(number int64) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, k := range p.kept {
		if k.number == number {
			p.kept = append(append(p.kept[:i], p.kept[i+1:]...), k)
			return k.bytes, nil
		}
	}
	object, _, err := p.store.Get(p.ctx, part(p.file.Key, number), partBytes+sealBytes)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	sealed, err := io.ReadAll(object)
	if err != nil {
		return nil, err
	}
	text, err := p.sealer.Open(place(p.file.Key, number), sealed)
	if err != nil {
		return nil, err
	}
	if len(p.kept) == keptParts {
		p.kept = append(p.kept[:0], p.kept[1:]...)
	}
	p.kept = append(p.kept, kept{number, text})
	return text, nil
}
