package vault

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A key file has one master key a line, the current one first; older ones stay
// as long as something is wrapped with them.
//
//	heyan-key-1:<32 bytes in base64>
const keyPrefix = "heyan-key-1:"

// maxKeyFile bounds a key file in bytes: some thousand keys.
const maxKeyFile = 64 << 10

// A wrapped key is a version byte, the first 8 bytes of the master key's
// SHA-256 and the sealed data key.
const (
	wrappedV1 = 1
	keyIDSize = 8
)

// wrapPlace keeps a wrapped key with its tenant.
func wrapPlace(tenant string) []byte { return Place{"data_keys", tenant, "wrapped"}.bytes() }

func wrap(master []byte, tenant string, dataKey []byte) ([]byte, error) {
	aead, err := newAEAD(master)
	if err != nil {
		return nil, err
	}
	head := append([]byte{wrappedV1}, keyID(master)...)
	return aead.Seal(head, nil, dataKey, wrapPlace(tenant)), nil
}

func unwrap(masters [][]byte, tenant string, wrapped []byte) ([]byte, error) {
	if len(wrapped) < 1+keyIDSize || wrapped[0] != wrappedV1 {
		return nil, fmt.Errorf("%w: the wrapped data key is damaged", ErrTampered)
	}
	id, sealed := wrapped[1:1+keyIDSize], wrapped[1+keyIDSize:]
	for _, master := range masters {
		if !bytes.Equal(keyID(master), id) {
			continue
		}
		aead, err := newAEAD(master)
		if err != nil {
			return nil, err
		}
		dataKey, err := aead.Open(nil, nil, sealed, wrapPlace(tenant))
		if err != nil {
			return nil, fmt.Errorf("%w: the wrapped data key is damaged", ErrTampered)
		}
		return dataKey, nil
	}
	return nil, fmt.Errorf("%w: the data key was wrapped with key %x, which is not in the key file", ErrWrongKey, id)
}

// wrappedWith says whether a data key was wrapped with this master.
func wrappedWith(master, wrapped []byte) bool {
	return len(wrapped) > 1+keyIDSize && bytes.Equal(wrapped[1:1+keyIDSize], keyID(master))
}

// keyID names a master key without telling it.
func keyID(master []byte) []byte {
	sum := sha256.Sum256(master)
	return sum[:keyIDSize]
}

func readKeyFile(path string) ([][]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s: restore it from its backup; without it nothing sealed can be read", ErrKeyMissing, path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrKeyFile, path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s has mode %04o; chmod 600 it", ErrPermissions, path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	return parseKeys(path, string(text))
}

func parseKeys(path, text string) ([][]byte, error) {
	var masters [][]byte
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		encoded, ok := strings.CutPrefix(strings.TrimSpace(line), keyPrefix)
		if !ok {
			return nil, fmt.Errorf("%w: %s:%d does not start with %s", ErrKeyFile, path, i+1, keyPrefix)
		}
		master, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(master) != keyBytes {
			return nil, fmt.Errorf("%w: %s:%d is not %d bytes in base64", ErrKeyFile, path, i+1, keyBytes)
		}
		masters = append(masters, master)
	}
	return masters, nil
}

// createKeyFile makes a key file whole or not at all; when another process was
// faster its file is the one that counts.
func createKeyFile(path string, random io.Reader) ([][]byte, error) {
	line, err := newKeyLine(random)
	if err != nil {
		return nil, err
	}
	if err := writeKeys(path, line, os.Link); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	return readKeyFile(path)
}

// AddMaster puts a new master key before those of a key file: from then on it is
// the current one. Where several machines have the file, give it to all of them
// before Rotate; keep the older lines until Rotate has succeeded.
func AddMaster(path string) error {
	masters, err := readKeyFile(path)
	if err != nil {
		return err
	}
	text, err := newKeyLine(rand.Reader)
	if err != nil {
		return err
	}
	for _, master := range masters {
		text += keyLine(master)
	}
	if err := writeKeys(path, text, os.Rename); err != nil {
		return fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	return nil
}

func newKeyLine(random io.Reader) (string, error) {
	master := make([]byte, keyBytes)
	_, err := io.ReadFull(random, master)
	return keyLine(master), err
}

func keyLine(master []byte) string {
	return keyPrefix + base64.StdEncoding.EncodeToString(master) + "\n"
}

// writeKeys writes a file of mode 0600, gives it its name by place, and syncs it
// and its folder.
func writeKeys(path, text string, place func(from, to string) error) error {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, ".key-")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(text)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := place(temp.Name(), path); err != nil {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
