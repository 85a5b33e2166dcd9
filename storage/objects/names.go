package objects

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/rclone/gofakes3"
)

// names remembers the keys of the files while a list goes on from page to page:
// a file is named by its key, so that what was read once stays true, and each
// page only reads the names in the folder.
type names struct {
	mu   sync.Mutex
	read map[string]bool // names of the files whose keys are known
	keys []string        // in order; some may have been deleted since
}

// update reads the keys of the files that are new. It needs the lock.
func (n *names) update(folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	files, err := dir.Readdirnames(-1)
	if err := errors.Join(err, dir.Close()); err != nil {
		return err
	}
	if n.read == nil {
		n.read = make(map[string]bool, len(files))
	}
	known := len(n.keys)
	for _, file := range files {
		if n.read[file] {
			continue
		}
		meta, err := readFile(filepath.Join(folder, file))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDamaged) {
			continue // deleted meanwhile, or nothing that could be served
		}
		if err != nil {
			return err
		}
		n.read[file] = true
		n.keys = append(n.keys, meta.Key)
	}
	if len(n.keys) > known {
		slices.Sort(n.keys)
	}
	return nil
}

func readFile(path string) (metadata, error) {
	file, err := os.Open(path)
	if err != nil {
		return metadata{}, err
	}
	defer file.Close()
	return readMetadata(file)
}

// ListBucket answers Store.List, which asks for no delimiter.
func (f *folder) ListBucket(_ context.Context, bucket string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	if bucket != bucketName {
		return nil, gofakes3.BucketNotFound(bucket)
	}
	if prefix.Delimiter != "" {
		return nil, gofakes3.ErrNotImplemented
	}
	f.names.mu.Lock()
	defer f.names.mu.Unlock()
	if err := f.names.update(f.objects); err != nil {
		return nil, err
	}
	keys := f.names.keys
	at, found := slices.BinarySearch(keys, max(prefix.Prefix, page.Marker))
	if found && page.Marker >= prefix.Prefix && page.HasMarker {
		at++ // the marker itself was on the page before
	}
	list := gofakes3.NewObjectList()
	for _, key := range keys[at:] {
		if !strings.HasPrefix(key, prefix.Prefix) {
			break
		}
		if page.MaxKeys > 0 && int64(len(list.Contents)) == page.MaxKeys {
			list.IsTruncated, list.NextMarker = true, list.Contents[len(list.Contents)-1].Key
			return list, nil
		}
		meta, err := readFile(f.path(key))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list.Add(&gofakes3.Content{Key: key, Size: meta.Size, ETag: `"` + hex.EncodeToString(meta.MD5) + `"`,
			LastModified: gofakes3.NewContentTime(meta.Created)})
	}
	f.names.read, f.names.keys = nil, nil // the list has ended: give the memory back
	return list, nil
}
