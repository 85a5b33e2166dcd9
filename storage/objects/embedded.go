package objects

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rclone/gofakes3"
)

// MaxObjectBytes is the largest object the embedded server takes: several times
// what any policy lets a picture have.
const MaxObjectBytes = 32 << 20

// maxBodyBytes leaves room for the signatures a client puts between the 64 KiB
// chunks of a body, under 100 bytes each.
const maxBodyBytes = MaxObjectBytes + MaxObjectBytes/512 + 4096

// ErrInUse: another process serves this folder.
var ErrInUse = errors.New("objects: the folder is in use by another process")

// Embedded is an S3 server in this process over a folder of this machine. It
// listens on the loopback interface alone and checks signatures. An answered
// write is on disk: it survives the death of the process and of the machine.
type Embedded struct {
	server   *http.Server
	served   chan struct{} // closed when the server has ended
	serveErr error         // why, once served is closed
	lock     *os.File
	config   Config
}

// The names in an embedded server's folder.
const (
	credentialsFile = "credentials.json" // mode 0600, made at first start
	lockFile        = "lock"
	objectsFolder   = "objects"
	incomingFolder  = "incoming" // unfinished writes, emptied at start
)

// Embed starts a server over dir, which is made when it is missing and belongs
// to one process at a time.
func Embed(dir string) (*Embedded, error) {
	if err := os.MkdirAll(filepath.Join(dir, objectsFolder), 0o700); err != nil {
		return nil, fmt.Errorf("objects: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("objects: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("%w: %s", ErrInUse, dir)
	}
	e, err := serve(dir)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("objects: %w", err)
	}
	e.lock = lock
	return e, nil
}

func serve(dir string) (*Embedded, error) {
	incoming := filepath.Join(dir, incomingFolder)
	if err := os.RemoveAll(incoming); err != nil {
		return nil, err
	}
	if err := os.Mkdir(incoming, 0o700); err != nil {
		return nil, err
	}
	if err := syncFolder(dir); err != nil {
		return nil, err
	}
	access, secret, err := loadCredentials(filepath.Join(dir, credentialsFile))
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s3 := gofakes3.New(&folder{objects: filepath.Join(dir, objectsFolder), incoming: incoming},
		gofakes3.WithV4Auth(map[string]string{access: secret}))
	e := &Embedded{
		server: &http.Server{
			Handler:           http.MaxBytesHandler(withoutMultipart(s3.Server()), maxBodyBytes),
			ReadHeaderTimeout: 10 * time.Second,
		},
		served: make(chan struct{}),
		config: Config{Endpoint: listener.Addr().String(), AccessKey: access, SecretKey: secret, Bucket: bucketName},
	}
	go func() {
		e.serveErr = e.server.Serve(listener)
		close(e.served)
	}()
	return e, nil
}

// Config is how to Open this server.
func (e *Embedded) Config() Config { return e.config }

// Close stops taking requests, waits for those under way until ctx ends, and
// gives the folder free.
func (e *Embedded) Close(ctx context.Context) error {
	err := e.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, e.server.Close())
	}
	<-e.served
	if !errors.Is(e.serveErr, http.ErrServerClosed) {
		err = errors.Join(err, e.serveErr)
	}
	return errors.Join(err, e.lock.Close())
}

// withoutMultipart refuses uploads in parts, which the S3 library would gather
// in memory without a limit. Store never sends them.
func withoutMultipart(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); q.Has("uploads") || q.Has("uploadId") || r.Method == http.MethodPost {
			w.WriteHeader(http.StatusNotImplemented)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loadCredentials reads the server's key pair, made at random at first.
func loadCredentials(path string) (access, secret string, err error) {
	var pair struct {
		AccessKey string `json:"access_key"`
		SecretKey string `json:"secret_key"`
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		pair.AccessKey, pair.SecretKey = rand.Text(), rand.Text()
		if text, err = json.Marshal(pair); err != nil {
			return "", "", err
		}
		err = writeFile(path, text)
	case err == nil:
		err = json.Unmarshal(text, &pair)
		if err == nil && (pair.AccessKey == "" || pair.SecretKey == "") {
			err = errors.New("access_key or secret_key is missing")
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	return pair.AccessKey, pair.SecretKey, err
}

// writeFile puts a small file of mode 0600 in place, whole or not at all.
func writeFile(path string, text []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(text)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the names in a folder outlive a power cut.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
