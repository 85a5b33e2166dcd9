package signin

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// ErrHash: what is stored is not an argon2id hash, or one out of bounds.
var ErrHash = errors.New("signin: not a hash of argon2id within bounds")

// params are the costs of argon2: memory in KiB, passes, lanes.
type params struct {
	memory, time uint32
	threads      uint8
}

// What is taken of a stored string: somebody who can write one must not be able
// to take the machine with it. 128 MiB in 8 passes is 0.7 s on two cores
// (BenchmarkCostliestStored).
const (
	maxMemory     = 128 << 10 // KiB
	maxTime       = 8
	maxThreads    = 4
	memoryPerLane = 8 // KiB, the least of RFC 9106
	minSalt       = 8 // bytes
	maxSalt       = 64
	minKey        = 16
	maxKey        = 64
	maxPHC        = 256 // of the whole string
)

// phc is a hash as the PHC string format writes it:
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<key>
//
// https://github.com/P-H-C/phc-string-format
type phc struct {
	params
	salt, key []byte
}

// base64PHC is the format's base64, without padding.
var base64PHC = base64.RawStdEncoding.Strict()

func (h phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads,
		base64PHC.EncodeToString(h.salt), base64PHC.EncodeToString(h.key))
}

// parsePHC reads what String writes and nothing else; the error is ErrHash.
func parsePHC(s string) (phc, error) {
	if len(s) > maxPHC {
		return phc{}, ErrHash
	}
	fields := strings.Split(s, "$")
	if len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" || fields[2] != "v="+strconv.Itoa(argon2.Version) {
		return phc{}, ErrHash
	}
	costs := strings.Split(fields[3], ",")
	if len(costs) != 3 {
		return phc{}, ErrHash
	}
	memory, okM := cost(costs[0], "m=", maxMemory)
	time, okT := cost(costs[1], "t=", maxTime)
	threads, okP := cost(costs[2], "p=", maxThreads)
	salt, errSalt := base64PHC.DecodeString(fields[4])
	key, errKey := base64PHC.DecodeString(fields[5])
	switch {
	case !okM, !okT, !okP, memory < memoryPerLane*threads:
	case errSalt != nil, len(salt) < minSalt, len(salt) > maxSalt:
	case errKey != nil, len(key) < minKey, len(key) > maxKey:
	default:
		// Leading zeros, and line breaks in base64, are read but not written.
		if h := (phc{params{memory, time, uint8(threads)}, salt, key}); h.String() == s {
			return h, nil
		}
	}
	return phc{}, ErrHash
}

// cost reads "m=19456": from 1 to most.
func cost(s, name string, most uint64) (uint32, bool) {
	digits, ok := strings.CutPrefix(s, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), ok && err == nil && n >= 1 && n <= most
}
