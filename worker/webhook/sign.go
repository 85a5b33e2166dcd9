package webhook

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
)

const (
	secretPrefix = "whsec_"
	secretBytes  = 32 // the specification asks for 24 to 64
)

// NewSecret draws a signing secret: whsec_ and 256 random bits in base64.
func NewSecret() string {
	bits := make([]byte, secretBytes)
	rand.Read(bits) // never fails, see crypto/rand
	return secretPrefix + base64.StdEncoding.EncodeToString(bits)
}

// SealSecrets is how an endpoint's secrets are stored. With several each event
// is signed with all of them, so that a receiver may change from one to another
// at any moment: put a new one first, take the old one out later.
func SealSecrets(sealer *vault.Sealer, endpoint string, secrets []string) ([]byte, error) {
	if len(secrets) == 0 {
		return nil, errors.New("webhook: an endpoint has a secret")
	}
	for _, s := range secrets {
		key, ok := strings.CutPrefix(s, secretPrefix)
		if bits, err := base64.StdEncoding.DecodeString(key); !ok || err != nil || len(bits) < 24 || len(bits) > 64 {
			return nil, errors.New("webhook: a secret is not whsec_ and 24 to 64 bytes in base64")
		}
	}
	return sealer.Seal(secretsPlace(endpoint), []byte(strings.Join(secrets, " "))), nil
}

// OpenSecrets is the reverse of SealSecrets.
func OpenSecrets(sealer *vault.Sealer, endpoint string, sealed []byte) ([]string, error) {
	text, err := sealer.Open(secretsPlace(endpoint), sealed)
	if err != nil {
		return nil, fmt.Errorf("webhook: secrets: %w", err)
	}
	return strings.Fields(string(text)), nil
}

func secretsPlace(endpoint string) vault.Place {
	return vault.Place{Table: "endpoints", ID: endpoint, Field: "secrets"}
}

// body is an event as it is sent.
func body(e records.Event) ([]byte, error) {
	return json.Marshal(struct {
		Type      string          `json:"type"`
		Timestamp time.Time       `json:"timestamp"` // of the event
		Data      json.RawMessage `json:"data"`
	}{e.Type, e.At, e.Payload})
}

// sign sets the headers by which a receiver knows sender, event and time. The
// id is that of the event: a second delivery of it bears the same.
func sign(h http.Header, secrets []string, id string, at time.Time, body []byte) error {
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		key, err := standardwebhooks.NewWebhook(secret)
		if err == nil {
			signatures[i], err = key.Sign(id, at, body)
		}
		if err != nil {
			return errors.New("webhook: a secret does not sign") // the library's own words may quote it
		}
	}
	h.Set(standardwebhooks.HeaderWebhookID, id)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return nil
}
