package objects

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rclone/gofakes3"
)

// bucketName is the one bucket of an embedded server; it always exists.
const bucketName = "heyan"

// folder keeps each object in one file named by the SHA-256 of its key, so that
// no key can name a path. A file is the object's bytes, its metadata as JSON,
// and a trailer of the JSON's length and a magic number: one rename puts all of
// it in place, and head -c gives the bytes back without this program.
type folder struct {
	objects, incoming string
	// commit orders the check of a write's conditions with its rename.
	commit sync.Mutex
	names  names
}

var _ gofakes3.Backend = (*folder)(nil)

// metadata is what a file says of its object.
type metadata struct {
	Key     string            `json:"key"`
	Size    int64             `json:"size"` // bytes
	MD5     []byte            `json:"md5"`
	Created time.Time         `json:"created"`
	Headers map[string]string `json:"headers"`
}

// The end of a file: 4 bytes big-endian length of the JSON, then magic.
const (
	magic        = "heyan1\r\n"
	trailerBytes = 4 + len(magic)
	// maxMetadata bounds the JSON: S3 lets headers have 2 KiB and a key 1 KiB,
	// each byte of which JSON may write as six.
	maxMetadata = 32 << 10
)

var errDamaged = errors.New("objects: damaged file")

func (f *folder) path(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(f.objects, hex.EncodeToString(sum[:]))
}

// open returns an object's file and metadata. The caller closes the file.
func (f *folder) open(bucket, key string) (*os.File, metadata, error) {
	if bucket != bucketName {
		return nil, metadata{}, gofakes3.BucketNotFound(bucket)
	}
	file, err := os.Open(f.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, metadata{}, gofakes3.KeyNotFound(key)
	}
	if err != nil {
		return nil, metadata{}, err
	}
	meta, err := readMetadata(file)
	if err != nil {
		file.Close()
		return nil, metadata{}, err
	}
	return file, meta, nil
}

func readMetadata(file *os.File) (metadata, error) {
	info, err := file.Stat()
	if err != nil {
		return metadata{}, err
	}
	trailer := make([]byte, trailerBytes)
	at := info.Size() - int64(trailerBytes)
	if at < 0 {
		return metadata{}, errDamaged
	}
	if _, err := file.ReadAt(trailer, at); err != nil {
		return metadata{}, err
	}
	length := int64(binary.BigEndian.Uint32(trailer))
	if string(trailer[4:]) != magic || length > maxMetadata || length > at {
		return metadata{}, errDamaged
	}
	text := make([]byte, length)
	if _, err := file.ReadAt(text, at-length); err != nil {
		return metadata{}, err
	}
	var meta metadata
	if err := json.Unmarshal(text, &meta); err != nil || meta.Size != at-length {
		return metadata{}, errDamaged
	}
	return meta, nil
}

func (m metadata) object() *gofakes3.Object {
	headers := map[string]string{"Last-Modified": m.Created.UTC().Format(http.TimeFormat)}
	for name, value := range m.Headers {
		headers[name] = value
	}
	return &gofakes3.Object{Name: m.Key, Metadata: headers, Size: m.Size, Hash: m.MD5, Contents: http.NoBody}
}

func (f *folder) HeadObject(_ context.Context, bucket, key string) (*gofakes3.Object, error) {
	file, meta, err := f.open(bucket, key)
	if err != nil {
		return nil, err
	}
	return meta.object(), file.Close()
}

func (f *folder) GetObject(_ context.Context, bucket, key string, want *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	file, meta, err := f.open(bucket, key)
	if err != nil {
		return nil, err
	}
	object := meta.object()
	object.Range, err = want.Range(meta.Size)
	if err != nil {
		file.Close()
		return nil, err
	}
	from, n := int64(0), meta.Size
	if object.Range != nil {
		from, n = object.Range.Start, object.Range.Length
	}
	object.Contents = struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(file, from, n), file}
	return object, nil
}

func (f *folder) PutObject(ctx context.Context, bucket, key string, headers map[string]string, input io.Reader, size int64) (gofakes3.PutObjectResult, error) {
	if bucket != bucketName {
		return gofakes3.PutObjectResult{}, gofakes3.BucketNotFound(bucket)
	}
	temp, err := os.CreateTemp(f.incoming, "put-") // mode 0600
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	defer os.Remove(temp.Name())
	err = write(temp, key, headers, input, size)
	if err == nil {
		err = temp.Sync()
	}
	// Close's own error cannot undo what Sync has confirmed.
	temp.Close()
	if err == nil {
		err = f.place(ctx, temp.Name(), key)
	}
	if err == nil {
		err = syncFolder(f.objects)
	}
	return gofakes3.PutObjectResult{}, err
}

// write puts an object's file together.
func write(file *os.File, key string, headers map[string]string, input io.Reader, size int64) error {
	sum := md5.New()
	n, err := io.Copy(io.MultiWriter(file, sum), io.LimitReader(input, MaxObjectBytes+1))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || n > MaxObjectBytes {
		return gofakes3.ErrEntityTooLarge
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || (err == nil && size >= 0 && n != size) {
		return gofakes3.ErrIncompleteBody
	}
	if err != nil {
		return err
	}
	text, err := json.Marshal(metadata{Key: key, Size: n, MD5: sum.Sum(nil), Created: time.Now(), Headers: headers})
	if err != nil {
		return err
	}
	if len(text) > maxMetadata {
		return gofakes3.ErrMetadataTooLarge
	}
	text = binary.BigEndian.AppendUint32(text, uint32(len(text)))
	_, err = file.Write(append(text, magic...))
	return err
}

// place gives a finished file its name, if the request's conditions let it.
func (f *folder) place(ctx context.Context, temp, key string) error {
	f.commit.Lock()
	defer f.commit.Unlock()
	if gofakes3.HasWriteConditions(ctx) {
		file, meta, err := f.open(bucketName, key)
		if err == nil {
			file.Close()
		} else if !gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey) {
			return err
		}
		if err := gofakes3.CheckWriteConditions(ctx, err == nil, hex.EncodeToString(meta.MD5)); err != nil {
			return err
		}
	}
	return os.Rename(temp, f.path(key))
}

func (f *folder) DeleteObject(_ context.Context, bucket, key string) (gofakes3.ObjectDeleteResult, error) {
	if bucket != bucketName {
		return gofakes3.ObjectDeleteResult{}, gofakes3.BucketNotFound(bucket)
	}
	err := os.Remove(f.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return gofakes3.ObjectDeleteResult{}, nil
	}
	if err == nil {
		err = syncFolder(f.objects)
	}
	return gofakes3.ObjectDeleteResult{}, err
}

func (f *folder) BucketExists(_ context.Context, name string) (bool, error) {
	return name == bucketName, nil
}

func (f *folder) ListBuckets(context.Context) ([]gofakes3.BucketInfo, error) {
	return []gofakes3.BucketInfo{{Name: bucketName}}, nil
}

func (f *folder) CreateBucket(_ context.Context, name string) error {
	if name == bucketName {
		return gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name)
	}
	return gofakes3.ErrorMessage(gofakes3.ErrNotImplemented, fmt.Sprintf("the only bucket is %q", bucketName))
}

// CopyObject writes the object anew, under its own key.
func (f *folder) CopyObject(ctx context.Context, fromBucket, from, toBucket, to string, headers map[string]string) (gofakes3.CopyObjectResult, error) {
	object, err := f.GetObject(ctx, fromBucket, from, nil)
	if err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	defer object.Contents.Close()
	if _, err := f.PutObject(ctx, toBucket, to, headers, object.Contents, object.Size); err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	return gofakes3.CopyObjectResult{
		ETag: `"` + hex.EncodeToString(object.Hash) + `"`, LastModified: gofakes3.NewContentTime(time.Now()),
	}, nil
}

// What Store never asks for is answered 501.

func (f *folder) DeleteBucket(context.Context, string) error { return gofakes3.ErrNotImplemented }

func (f *folder) DeleteMulti(context.Context, string, ...string) (gofakes3.MultiDeleteResult, error) {
	return gofakes3.MultiDeleteResult{}, gofakes3.ErrNotImplemented
}
