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

// names remembers which key stands in which file while a list goes on from page
// to page: a file is named by its key, so that what was read once stays true,
// and each page only reads the names in the folder.
type names struct {
	mu    sync.Mutex
	known map[string]string // key by file name
}

// keys are all keys in the folder, in order.
func (f *folder) keys() ([]string, error) {
	dir, err := os.Open(f.objects)
	if err != nil {
		return nil, err
	}
	files, err := dir.Readdirnames(-1)
	if err := errors.Join(err, dir.Close()); err != nil {
		return nil, err
	}
	f.names.mu.Lock()
	defer f.names.mu.Unlock()
	known, keys := make(map[string]string, len(files)), make([]string, 0, len(files))
	for _, file := range files {
		key, ok := f.names.known[file]
		if !ok {
			meta, err := readFile(filepath.Join(f.objects, file))
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDamaged) {
				continue // deleted meanwhile, or nothing that could be served
			}
			if err != nil {
				return nil, err
			}
			key = meta.Key
		}
		known[file] = key
		keys = append(keys, key)
	}
	f.names.known = known
	slices.Sort(keys)
	return keys, nil
}

// forget gives the memory back when a list has ended.
func (f *folder) forget() {
	f.names.mu.Lock()
	defer f.names.mu.Unlock()
	f.names.known = nil
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
	keys, err := f.keys()
	if err != nil {
		return nil, err
	}
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
	f.forget()
	return list, nil
}
