// Package vault seals personal data before it is stored. It knows keys,
// ciphers, tenants and the place a value belongs to. It must not know what a
// value means, and never puts a plaintext or a key into an error or a log.
//
// A master key from the key file wraps one data key for each tenant; subkeys of
// the data key seal values (AES-256-GCM) and index them (HMAC-SHA-256). Sealed
// values are bound to their place: one that was moved to another row does not
// open. Without its data key nothing that a tenant sealed opens again.
package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The errors of this package. None is mended by a retry; an error of DataKeys
// is passed on as it is.
var (
	// ErrKeyFile: the key file cannot be read or is not one.
	ErrKeyFile = errors.New("vault: unusable key file")
	// ErrPermissions: others than its owner may read the key file.
	ErrPermissions = errors.New("vault: key file is open to others")
	// ErrKeyMissing: data was sealed here before, but the key file is gone.
	ErrKeyMissing = errors.New("vault: key file is missing")
	// ErrWrongKey: the key file does not hold the key the data was sealed with.
	ErrWrongKey = errors.New("vault: wrong key")
	// ErrTampered: the sealed value was changed, cut or moved to another place.
	ErrTampered = errors.New("vault: sealed value does not open")
)

// DataKeys stores wrapped data keys where every process that shares the sealed
// data finds them; storage/records does.
type DataKeys interface {
	// DataKey returns the wrapped data key of a tenant, nil when it has none.
	DataKey(ctx context.Context, tenant string) ([]byte, error)
	// AddDataKey stores wrapped unless the tenant has a key, and returns the
	// one stored. Of several callers at once one wins.
	AddDataKey(ctx context.Context, tenant string, wrapped []byte) ([]byte, error)
	// DataKeyTenants are the tenants that have a key.
	DataKeyTenants(ctx context.Context) ([]string, error)
	// ReplaceDataKey puts wrapped in the place of old, unless that is no longer
	// there.
	ReplaceDataKey(ctx context.Context, tenant string, old, wrapped []byte) (replaced bool, err error)
	// DeleteDataKey destroys the key of a tenant.
	DeleteDataKey(ctx context.Context, tenant string) error
}

// Place is where a sealed value stands; it is authenticated with the value.
type Place struct{ Table, ID, Field string }

// Submission is the place of a verification's sealed submission.
func Submission(id string) Place { return Place{"verifications", id, "submission"} }

// Sealer seals and opens the values of one tenant. It is safe for concurrent
// use. Do not keep it: Vault.For is cheap, and sees that a key is gone.
type Sealer struct {
	values cipher.AEAD
	index  []byte
}

// keyBytes is the size of every key: AES-256.
const keyBytes = 32

// sealedV1 is the first byte of a sealed value: nonce and ciphertext follow.
const sealedV1 = 1

func newSealer(dataKey []byte) (*Sealer, error) {
	values, err := hkdf.Key(sha256.New, dataKey, nil, "heyan vault values v1", keyBytes)
	if err != nil {
		return nil, err
	}
	index, err := hkdf.Key(sha256.New, dataKey, nil, "heyan vault index v1", keyBytes)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(values)
	if err != nil {
		return nil, err
	}
	return &Sealer{values: aead, index: index}, nil
}

// newAEAD draws a random nonce for each message: good for 2^32 messages a key.
func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Seal encrypts a value for its place: 1 version byte, 12 bytes of nonce, the
// ciphertext, 16 bytes of tag. Sealing twice gives different bytes.
func (v *Sealer) Seal(p Place, plaintext []byte) []byte {
	return v.values.Seal([]byte{sealedV1}, nil, plaintext, p.bytes())
}

// Open returns the value that was sealed for this place, or ErrTampered.
func (v *Sealer) Open(p Place, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealedV1 {
		return nil, ErrTampered
	}
	plaintext, err := v.values.Open(nil, nil, sealed[1:], p.bytes())
	if err != nil {
		return nil, ErrTampered
	}
	return plaintext, nil
}

// Index returns a blind index of a value: 32 bytes, equal for equal values of
// the same field and telling nothing else. Normalize the value first.
func (v *Sealer) Index(field, value string) []byte {
	mac := hmac.New(sha256.New, v.index)
	mac.Write(appendString(nil, field))
	mac.Write([]byte(value))
	return mac.Sum(nil)
}

// Format prints no key, whatever the verb.
func (*Sealer) Format(f fmt.State, _ rune) { io.WriteString(f, "vault") }

// bytes is unambiguous: each part stands behind its length.
func (p Place) bytes() []byte {
	return appendString(appendString(appendString(nil, p.Table), p.ID), p.Field)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
