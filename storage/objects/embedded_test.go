package objects_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/heyan/heyan/storage/objects"
)

// crashDir names the folder a child of the crash test writes to until killed.
const crashDir = "HEYAN_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dir, os.Getenv(crashRound)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const crashRound = "HEYAN_TEST_CRASH_ROUND"

// writeUntilKilled puts objects of all sizes and prints the key and hash of
// each one the server acknowledged.
func writeUntilKilled(dir, round string) error {
	e, err := objects.Embed(dir)
	if err != nil {
		return err
	}
	s, err := objects.Open(context.Background(), e.Config())
	if err != nil {
		return err
	}
	failed := make(chan error)
	for worker := range 4 {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("pictures/%s-%d-%d", round, worker, i)
				body := bytes.Repeat([]byte(key), 1+i%7*4000)
				if err := s.Create(context.Background(), key, bytes.NewReader(body), int64(len(body)), "image/jpeg"); err != nil {
					failed <- err
					return
				}
				// One write a line: a line that is there is whole.
				fmt.Fprintf(os.Stdout, "%s %x\n", key, sha256.Sum256(body))
			}
		}()
	}
	return <-failed
}

func TestCrash(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[string]string{}
	for round := range 3 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), crashDir+"="+dir, fmt.Sprintf("%s=%d", crashRound, round))
		child.Stderr = os.Stderr
		output, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(output)
		for n := 1; lines.Scan(); n++ {
			key, sum, _ := strings.Cut(lines.Text(), " ")
			if len(sum) == hex.EncodedLen(sha256.Size) {
				acknowledged[key] = sum
			}
			if n == 40+round*13 {
				child.Process.Kill()
			}
		}
		if err := child.Wait(); child.ProcessState.Exited() {
			t.Fatalf("the child ended by itself: %v", err)
		}
	}
	if len(acknowledged) < 120 {
		t.Fatalf("only %d objects were acknowledged", len(acknowledged))
	}
	s := open(t, embed(t, dir).Config())
	for key, want := range acknowledged {
		if got := fmt.Sprintf("%x", sha256.Sum256(get(t, s, key))); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
	left, err := os.ReadDir(filepath.Join(dir, "incoming"))
	if err != nil || len(left) != 0 {
		t.Errorf("%d unfinished writes left, %v", len(left), err)
	}
}

func TestEmbeddedRestart(t *testing.T) {
	dir := t.TempDir()
	first := embed(t, dir)
	put(t, open(t, first.Config()), "pictures/1", []byte("kept"))
	if _, err := objects.Embed(dir); !errors.Is(err, objects.ErrInUse) {
		t.Errorf("a second server over the folder: got %v, want %v", err, objects.ErrInUse)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := first.Close(ctx); err != nil {
		t.Fatal(err)
	}
	second := embed(t, dir)
	if first.Config().SecretKey != second.Config().SecretKey {
		t.Error("the credentials changed")
	}
	if got := get(t, open(t, second.Config()), "pictures/1"); string(got) != "kept" {
		t.Errorf("got %q", got)
	}
}

func TestEmbeddedFilesAreOurs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	put(t, open(t, embed(t, dir).Config()), "pictures/1", []byte("x"))
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEmbeddedBadCredentialsFile(t *testing.T) {
	for _, text := range []string{"", "{", "{}", `{"access_key":"a"}`} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "credentials.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := objects.Embed(dir); err == nil || !strings.Contains(err.Error(), "credentials.json") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// rawClient speaks to the embedded server without the checks of Store.
func rawClient(t *testing.T, config objects.Config) *minio.Core {
	t.Helper()
	client, err := minio.NewCore(config.Endpoint, &minio.Options{
		Creds:        credentials.NewStaticV4(config.AccessKey, config.SecretKey, ""),
		Region:       "us-east-1",
		BucketLookup: minio.BucketLookupPath,
		MaxRetries:   1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Whatever a key is, it names one file in the objects folder.
func TestEmbeddedHostileKeys(t *testing.T) {
	dir := t.TempDir()
	config := embed(t, dir).Config()
	client := rawClient(t, config)
	stored := 0
	for _, key := range append(invalidKeys[1:], "../../../../etc/cron.d/x", "..\\..\\x", strings.Repeat("../", 300)+"x",
		strings.Repeat("k", 1024), "con", "a:b", "-rf", "~", "$HOME", "\u202e", "../credentials.json", "../lock") {
		body := "body of " + key
		if _, err := client.PutObject(t.Context(), config.Bucket, key, strings.NewReader(body), int64(len(body)), "", "", minio.PutObjectOptions{}); err != nil {
			continue // the client or the server refused it
		}
		r, _, _, err := client.GetObject(t.Context(), config.Bucket, key, minio.GetObjectOptions{})
		if err != nil {
			t.Errorf("%.40q: %v", key, err)
			continue
		}
		stored++
		if got, err := io.ReadAll(r); err != nil || string(got) != body {
			t.Errorf("%.40q: got %.40q, %v", key, got, err)
		}
		r.Close()
	}
	files, err := os.ReadDir(filepath.Join(dir, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	if stored < 10 || len(files) != stored {
		t.Errorf("%d keys stored in %d files", stored, len(files))
	}
	for _, bucket := range []string{"other", "objects", "incoming"} {
		if _, err := client.PutObject(t.Context(), bucket, "a", strings.NewReader("x"), 1, "", "", minio.PutObjectOptions{}); minio.ToErrorResponse(err).StatusCode != 404 {
			t.Errorf("bucket %s: %v", bucket, err)
		}
	}
}

func TestEmbeddedRefuses(t *testing.T) {
	dir := t.TempDir()
	config := embed(t, dir).Config()
	s, client := open(t, config), rawClient(t, config)

	err := s.Put(t.Context(), "pictures/1", io.LimitReader(zeros{}, objects.MaxObjectBytes+1), objects.MaxObjectBytes+1, "image/png")
	if !errors.Is(err, objects.ErrTooLarge) {
		t.Errorf("a body over the limit: got %v, want %v", err, objects.ErrTooLarge)
	}
	_, err = client.PutObject(t.Context(), config.Bucket, "a", strings.NewReader("abc"), 3, "AAAAAAAAAAAAAAAAAAAAAA==", "", minio.PutObjectOptions{})
	if minio.ToErrorResponse(err).Code != "BadDigest" {
		t.Errorf("a wrong digest: got %v", err)
	}
	if _, err := client.NewMultipartUpload(t.Context(), config.Bucket, "a", minio.PutObjectOptions{}); minio.ToErrorResponse(err).StatusCode != 501 {
		t.Errorf("an upload in parts: got %v", err)
	}
	for _, name := range []string{"objects", "incoming"} {
		if left, err := os.ReadDir(filepath.Join(dir, name)); err != nil || len(left) != 0 {
			t.Errorf("%s holds %d files, %v", name, len(left), err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestEmbeddedRange(t *testing.T) {
	config := embed(t, t.TempDir()).Config()
	s, client := open(t, config), rawClient(t, config)
	put(t, s, "pictures/1", []byte("0123456789"))
	var options minio.GetObjectOptions
	if err := options.SetRange(2, 5); err != nil {
		t.Fatal(err)
	}
	r, _, _, err := client.GetObject(t.Context(), config.Bucket, "pictures/1", options)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "2345" {
		t.Errorf("got %q, %v", got, err)
	}
}

// A file that was cut or changed is an error, never an object.
func TestEmbeddedDamagedFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, embed(t, dir).Config())
	put(t, s, "pictures/1", sample(1000))
	files, err := filepath.Glob(filepath.Join(dir, "objects", "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(whole, sample(1000)) {
		t.Error("the file does not start with the object's bytes")
	}
	huge := bytes.Clone(whole)
	copy(huge[len(huge)-12:], "\xff\xff\xff\xff")
	for name, text := range map[string][]byte{
		"empty": nil, "short": whole[:5], "cut": whole[:len(whole)-1], "grown": append(bytes.Clone(whole), 0),
		"body cut": whole[1:], "length": huge,
	} {
		if err := os.WriteFile(files[0], text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Get(t.Context(), "pictures/1", maxBytes); !errors.Is(err, objects.ErrUnavailable) {
			t.Errorf("%s: got %v, want %v", name, err, objects.ErrUnavailable)
		}
	}
	put(t, s, "pictures/1", []byte("mended"))
	if got := get(t, s, "pictures/1"); string(got) != "mended" {
		t.Errorf("got %q", got)
	}
}
