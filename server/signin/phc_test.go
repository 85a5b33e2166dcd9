package signin

import (
	"errors"
	"strings"
	"testing"
)

const (
	salt16 = "AAECAwQFBgcICQoLDA0ODw"
	key32  = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	whole  = "$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + key32
)

func TestParsePHC(t *testing.T) {
	for _, tt := range []struct {
		name, from, to string // what is changed in whole
		ok             bool
	}{
		{"whole", "", "", true},
		{"least memory", "m=19456", "m=8", true},
		{"too little memory", "m=19456", "m=7", false},
		{"too little memory for its lanes", "m=19456,t=2,p=1", "m=31,t=2,p=4", false},
		{"most memory", "m=19456", "m=131072", true},
		{"too much memory", "m=19456", "m=131073", false},
		{"memory beyond 32 bits", "m=19456", "m=4294967304", false},
		{"no passes", "t=2", "t=0", false},
		{"too many passes", "t=2", "t=9", false},
		{"no lanes", "p=1", "p=0", false},
		{"too many lanes", "p=1", "p=5", false},
		{"lanes beyond 8 bits", "p=1", "p=257", false},
		{"leading zero", "t=2", "t=02", false},
		{"sign", "t=2", "t=+2", false},
		{"no number", "t=2", "t=", false},
		{"other order", "m=19456,t=2", "t=2,m=19456", false},
		{"one more cost", "p=1", "p=1,d=1", false},
		{"other version", "v=19", "v=16", false},
		{"no version", "v=19$", "", false},
		{"other algorithm", "argon2id", "argon2i", false},
		{"something before", "$argon2id", "x$argon2id", false},
		{"something behind", key32, key32 + "$", false},
		{"short salt", salt16, "AAECAwQFBg", false},
		{"long salt", salt16, strings.Repeat("AAEC", 22), false},
		{"short key", key32, "AAECAwQFBgcICQoLDA0O", false},
		{"long key", key32, strings.Repeat("AAEC", 22), false},
		{"padding", salt16, salt16 + "==", false},
		{"line break in base64", salt16, salt16 + "\n", false},
		{"bits left over", salt16, salt16[:21] + "x", false},
		{"overlong", key32, strings.Repeat("AAEC", 100), false},
	} {
		s := strings.Replace(whole, tt.from, tt.to, 1)
		h, err := parsePHC(s)
		if tt.ok && (err != nil || h.String() != s) || !tt.ok && !errors.Is(err, ErrHash) {
			t.Errorf("%s: got %+v, %v, want ok %v", tt.name, h, err, tt.ok)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add(whole)
	f.Add("")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parsePHC(s)
		if err != nil {
			if !errors.Is(err, ErrHash) {
				t.Errorf("got %v, want ErrHash", err)
			}
			return
		}
		if h.String() != s {
			t.Errorf("%q was read, and is written %q", s, h.String())
		}
		if h.memory > maxMemory || h.time < 1 || h.time > maxTime || h.threads < 1 || h.threads > maxThreads ||
			h.memory < memoryPerLane*uint32(h.threads) || len(h.salt) < minSalt || len(h.key) < minKey || len(s) > maxPHC {
			t.Errorf("out of bounds: %+v", h)
		}
	})
}
