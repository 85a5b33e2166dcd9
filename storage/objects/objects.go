// Package objects stores pictures as objects of an S3 server, the embedded one
// or any other, always through the same client. It knows keys, bytes and their
// content type. It must not know what a picture shows or whose it is: keys are
// opaque ids such as "pictures/<uuid>", never names of people or files.
package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Config says where the objects are.
type Config struct {
	Endpoint  string // host:port
	AccessKey string
	SecretKey string
	Region    string // empty: us-east-1
	Bucket    string // made when it is missing
	Secure    bool   // TLS
	// PublicURL is the server as callers reach it, "https://s3.example.org";
	// it is part of what presigned addresses sign. Empty: Endpoint.
	PublicURL string
}

// Info describes an object.
type Info struct {
	Size        int64 // bytes
	ContentType string
	ETag        string
	Modified    time.Time
}

// Store is one bucket of an S3 server. Each call is one request: whether and
// when to repeat it is the caller's to say, see Error.Retryable. It is safe for
// concurrent use.
type Store struct {
	client *minio.Core
	public *minio.Client // signs for the address callers reach
	bucket string
}

// Open reaches the server and makes the bucket when it is missing.
// ErrUnavailable: the server does not answer (yet).
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	client, err := newClient(c, c.Endpoint, c.Secure)
	if err != nil {
		return nil, fmt.Errorf("objects: endpoint: %w", err)
	}
	public := client
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || (u.Scheme != "http" && u.Scheme != "https") {
			return nil, fmt.Errorf("objects: public URL %q is not http(s)://host[:port]", c.PublicURL)
		}
		if public, err = newClient(c, u.Host, u.Scheme == "https"); err != nil {
			return nil, fmt.Errorf("objects: public URL: %w", err)
		}
	}
	s := &Store{client: &minio.Core{Client: client}, public: public, bucket: c.Bucket}
	exists, err := client.BucketExists(ctx, c.Bucket)
	if err != nil {
		return nil, fail("open", "", remote(err))
	}
	if exists {
		return s, nil
	}
	err = client.MakeBucket(ctx, c.Bucket, minio.MakeBucketOptions{Region: c.Region})
	if code := minio.ToErrorResponse(err).Code; code == "BucketAlreadyOwnedByYou" || code == "BucketAlreadyExists" {
		err = nil // another process was faster
	}
	if err != nil {
		return nil, fail("open", "", remote(err))
	}
	return s, nil
}

func newClient(c Config, endpoint string, secure bool) (*minio.Client, error) {
	return minio.New(endpoint, &minio.Options{
		Creds:        credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""),
		Secure:       secure,
		Region:       c.Region,
		BucketLookup: minio.BucketLookupPath,
		// A repeated Create would find its own object and call it another's.
		MaxRetries: 1,
	})
}

// Put stores exactly size bytes of r under key, whole or not at all, and
// replaces what was there. When it returns nil the object is on disk.
func (s *Store) Put(ctx context.Context, key string, r io.Reader, size int64, contentType string) error {
	return s.put(ctx, "put", key, r, size, minio.PutObjectOptions{ContentType: contentType})
}

// Create is Put for a key that must be new: ErrExists when it is not.
func (s *Store) Create(ctx context.Context, key string, r io.Reader, size int64, contentType string) error {
	options := minio.PutObjectOptions{ContentType: contentType}
	options.SetMatchETagExcept("*")
	return s.put(ctx, "create", key, r, size, options)
}

func (s *Store) put(ctx context.Context, op, key string, r io.Reader, size int64, options minio.PutObjectOptions) error {
	if err := checkKey(key); err != nil {
		return fail(op, "", err)
	}
	body, err := readExactly(r, size)
	if err != nil {
		return fail(op, key, err)
	}
	options.DisableMultipart = true // one request is whole or nothing
	options.SendContentMd5 = true   // the server refuses bytes that changed on the way
	_, err = s.client.Client.PutObject(ctx, s.bucket, key, bytes.NewReader(body), size, options)
	return fail(op, key, remote(err))
}

// readExactly keeps a caller's broken reader apart from a broken connection.
func readExactly(r io.Reader, size int64) ([]byte, error) {
	if size < 0 {
		return nil, errors.New("size is negative")
	}
	var body bytes.Buffer
	n, err := io.Copy(&body, io.LimitReader(r, size+1))
	if err == nil && n != size {
		err = fmt.Errorf("size is %d bytes, but the reader has %d or more", size, n)
	}
	return body.Bytes(), err
}

// Get opens an object of at most maxBytes; a larger one is ErrTooLarge before
// any byte is read. A read that breaks off is ErrUnavailable, never a short
// object. The caller closes the reader.
func (s *Store) Get(ctx context.Context, key string, maxBytes int64) (io.ReadCloser, Info, error) {
	if err := checkKey(key); err != nil {
		return nil, Info{}, fail("get", "", err)
	}
	body, stat, _, err := s.client.GetObject(ctx, s.bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, Info{}, fail("get", key, remote(err))
	}
	if stat.Size < 0 {
		body.Close()
		return nil, Info{}, fail("get", key, fmt.Errorf("%w: the server does not say how long the object is", ErrUnavailable))
	}
	if stat.Size > maxBytes {
		body.Close()
		return nil, Info{}, fail("get", key, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, stat.Size, maxBytes))
	}
	return &reader{key, body}, newInfo(stat), nil
}

// Stat describes an object without its bytes.
func (s *Store) Stat(ctx context.Context, key string) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, fail("stat", "", err)
	}
	stat, err := s.client.Client.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{})
	return newInfo(stat), fail("stat", key, remote(err))
}

// Object is an object in a list.
type Object struct {
	Key string
	Info
}

// MaxList is the largest number of objects that a List returns.
const MaxList = 1000

// List returns up to limit objects whose keys start with prefix, in the order of
// keys, from the first one behind after. It is for finding what nobody refers
// to: the embedded server reads its whole folder for it.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]Object, error) {
	if limit < 1 || limit > MaxList {
		return nil, fail("list", "", fmt.Errorf("limit %d is not in 1..%d", limit, MaxList))
	}
	ctx, cancel := context.WithCancel(ctx) // ends the iteration's own requests
	defer cancel()
	var list []Object
	for o := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{
		Prefix: prefix, StartAfter: after, MaxKeys: limit, Recursive: true,
	}) {
		if o.Err != nil {
			return nil, fail("list", "", remote(o.Err))
		}
		if list = append(list, Object{o.Key, newInfo(o)}); len(list) == limit {
			break
		}
	}
	return list, fail("list", "", remote(ctx.Err()))
}

// Copy makes an object of the one at from, as the server holds it, under the key
// to. ErrChanged: the one at from is not the one of this ETag, see Stat. When it
// returns nil the object is on disk.
func (s *Store) Copy(ctx context.Context, from, etag, to string) error {
	if err := errors.Join(checkKey(from), checkKey(to)); err != nil {
		return fail("copy", "", err)
	}
	_, err := s.client.Client.CopyObject(ctx, minio.CopyDestOptions{Bucket: s.bucket, Object: to},
		minio.CopySrcOptions{Bucket: s.bucket, Object: from, MatchETag: etag})
	if err = remote(err); errors.Is(err, ErrExists) {
		err = fault{ErrChanged, err}
	}
	return fail("copy", from, err)
}

// Delete removes an object. One that is not there is no error.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return fail("delete", "", err)
	}
	err := remote(s.client.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{}))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return fail("delete", key, err)
}

// PresignPut returns an address, and the headers to send with it, by which a
// caller without credentials may create this object once within expires: of
// exactly this size and type. Nothing is sent to the server.
func (s *Store) PresignPut(ctx context.Context, key string, size int64, contentType string, expires time.Duration) (*url.URL, http.Header, error) {
	if err := checkKey(key); err != nil {
		return nil, nil, fail("presign", "", err)
	}
	header := http.Header{
		"Content-Length": {strconv.FormatInt(size, 10)},
		"Content-Type":   {contentType},
		"If-None-Match":  {"*"},
	}
	u, err := s.public.PresignHeader(ctx, http.MethodPut, s.bucket, key, expires, nil, header)
	return u, header, fail("presign", key, err)
}

// PresignGet returns an address by which a caller without credentials may read
// this object within expires. Nothing is sent to the server.
func (s *Store) PresignGet(ctx context.Context, key string, expires time.Duration) (*url.URL, error) {
	if err := checkKey(key); err != nil {
		return nil, fail("presign", "", err)
	}
	u, err := s.public.PresignedGetObject(ctx, s.bucket, key, expires, nil)
	return u, fail("presign", key, err)
}

// Ping says whether the server answers for the bucket.
func (s *Store) Ping(ctx context.Context) error {
	exists, err := s.client.BucketExists(ctx, s.bucket)
	if err == nil && !exists {
		return fail("ping", "", fmt.Errorf("%w: the bucket is missing", ErrUnavailable))
	}
	return fail("ping", "", remote(err))
}

func newInfo(o minio.ObjectInfo) Info {
	return Info{Size: o.Size, ContentType: o.ContentType, ETag: o.ETag, Modified: o.LastModified}
}

// maxKey is the longest key in bytes: a prefix and an id.
const maxKey = 128

// checkKey accepts what is the same name on every server: lower-case letters,
// digits and "-" in parts between single slashes.
func checkKey(key string) error {
	if len(key) > maxKey {
		return fmt.Errorf("%w: longer than %d bytes", ErrInvalidKey, maxKey)
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return fmt.Errorf("%w: not lower-case letters, digits and '-' between single slashes", ErrInvalidKey)
		}
	}
	return nil
}

// reader tells a broken connection from the end of the object.
type reader struct {
	key  string
	body io.ReadCloser
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	if err != nil && err != io.EOF {
		err = fail("read", r.key, remote(err))
	}
	return n, err
}

func (r *reader) Close() error { return r.body.Close() }
