// Package signin proves who somebody is: by password (argon2id), or through an
// OpenID Connect provider. It knows hashes, lockout and the authorization code
// flow. It must not know users, sessions, cookies, pages or a database, and never
// puts a password, a token or what a token says of a person into an error.
package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// current is what new hashes cost: the OWASP Password Storage Cheat Sheet's
// least for argon2id, 19 MiB in two passes.
var current = params{memory: 19 << 10, time: 2, threads: 1}

const (
	saltBytes = 16 // RFC 9106, 3.1
	keyBytes  = 32
	// hashing is how many hashes are computed at a time: each holds 19 MiB and
	// one core, so a flood of sign-ins waits instead of taking the machine.
	hashing = 2
)

// Hasher hashes passwords and checks them. It is safe for concurrent use.
type Hasher struct{ slots chan struct{} }

// NewHasher makes a Hasher. One serves the whole process.
func NewHasher() *Hasher { return &Hasher{slots: make(chan struct{}, hashing)} }

// Hash gives a new password's hash as a PHC string. It returns a *PasswordError
// where the password may not be that of the login, and the context's error when
// it ended before the hash's turn.
func (h *Hasher) Hash(ctx context.Context, password, login string) (string, error) {
	password = norm.NFKC.String(password)
	if err := check(password, login); err != nil {
		return "", err
	}
	n := phc{params: current, salt: newSalt()}
	var err error
	n.key, err = h.key(ctx, password, n.params, n.salt, keyBytes)
	if err != nil {
		return "", err
	}
	return n.String(), nil
}

// Verify says whether a password is the one of a hash, and if so whether the
// hash is outdated: to be made anew with Hash. An empty hash (no such user,
// no password set) costs the same time and is false. Errors: ErrHash, and the
// context's when it ended before the hash's turn.
func (h *Hasher) Verify(ctx context.Context, password, hash string) (ok, outdated bool, err error) {
	stored := phc{params: current, salt: newSalt(), key: make([]byte, keyBytes)}
	if hash != "" {
		if stored, err = parsePHC(hash); err != nil {
			return false, false, err
		}
	}
	key, err := h.key(ctx, norm.NFKC.String(password), stored.params, stored.salt, uint32(len(stored.key)))
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(key, stored.key) == 1 && hash != ""
	outdated = stored.params != current || len(stored.salt) != saltBytes || len(stored.key) != keyBytes
	return ok, ok && outdated, nil
}

// key computes a hash when it is its turn.
func (h *Hasher) key(ctx context.Context, password string, p params, salt []byte, size uint32) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, p.time, p.memory, p.threads, size), nil
}

func newSalt() []byte {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails
	return salt
}

// The bounds of a password, in characters. NIST SP 800-63B-4, 3.1.1.2: at least
// 15 where it is the only factor or 8 beside another one, at least 64 allowed.
// Heyan takes 12, because a lockout stands before the guessing.
const (
	minPassword = 12
	maxPassword = 128
	// minUnlikeLogin is what a password must have beside the login: NIST's 8.
	minUnlikeLogin = 8
	// minDistinct is how many different characters there must be: 111111222222
	// is among the common ones, whatever its digits.
	minDistinct = 5
)

// Rule names what a password broke.
type Rule string

// The rules of passwords.
const (
	RuleShort      Rule = "short"      // fewer than 12 characters
	RuleLong       Rule = "long"       // more than 128
	RuleCharacters Rule = "characters" // control characters, or not UTF-8
	RuleLogin      Rule = "login"      // little more than the login
	RuleCommon     Rule = "common"     // among the first that are tried
)

// PasswordError says why a password may not be set. ZH and EN are for the person
// who chose it.
type PasswordError struct {
	Rule   Rule
	ZH, EN string
}

func (e *PasswordError) Error() string { return "signin: password refused: " + string(e.Rule) }

// check is given the normal form of a password.
func check(password, login string) error {
	length, lower, login := utf8.RuneCountInString(password), strings.ToLower(password), strings.ToLower(login)
	switch {
	case !utf8.ValidString(password), strings.ContainsFunc(password, unicode.IsControl):
		return &PasswordError{RuleCharacters, "密码含有无法使用的字符。", "The password holds characters that cannot be used."}
	case length < minPassword:
		return &PasswordError{RuleShort, "密码至少需要 12 个字符。", "A password needs at least 12 characters."}
	case length > maxPassword:
		return &PasswordError{RuleLong, "密码最多 128 个字符。", "A password has at most 128 characters."}
	case login != "" && strings.Contains(lower, login) && utf8.RuneCountInString(strings.ReplaceAll(lower, login, "")) < minUnlikeLogin:
		return &PasswordError{RuleLogin, "密码与登录名过于相似。", "The password is too much like the login."}
	case distinct(lower) < minDistinct, slices.Contains(common, lower):
		return &PasswordError{RuleCommon, "这个密码过于常见，容易被猜中，请换一个。", "This password is among the most common ones; choose another."}
	}
	return nil
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// common are passwords of 12 characters and more that are tried first: out of
// the Chinese and the worldwide lists of SecLists (Passwords/Common-Credentials),
// and rows and columns of the keyboard.
var common = []string{
	"112233445566", "123456123456", "123456654321", "1233211234567", "123456789012", "1234567890123", "123456789123",
	"123456789abc", "abc123456789", "abcd12345678", "abcdefghijkl", "1234567890ab", "12345678910a", "987654321098",
	"147258369147", "147258369123", "7708801314520", "7215217758991", "52013145201314", "woaini5201314", "woaini1314520",
	"woaiwojia123", "woaizhongguo", "beijing20080808", "qwerty123456", "qwertyuiop12", "qwertyuiop123", "qwertyuiop[]",
	"qwertyuiopasdfghjkl", "asdfghjkl123", "asdfghjkl;'\\", "zxcvbnm12345", "zxcvbnm123456", "1q2w3e4r5t6y", "q1w2e3r4t5y6",
	"1qaz2wsx3edc", "1qazxsw23edc", "zaq12wsxcde3", "qazwsxedcrfv", "qazwsxedc123", "!qaz2wsx#edc", "1qaz@wsx3edc",
	"password1234", "password12345", "password@123", "password123456", "passwordpassword", "p@ssw0rd1234", "p@ssword1234",
	"administrator", "admin1234567", "admin12345678", "admin@123456", "admin123456789", "adminadminadmin", "welcome12345",
	"changeme1234", "changemechangeme", "iloveyou1234", "iloveyou1314", "letmein12345", "correcthorsebatterystaple",
}

const (
	firstLocked = 5 // failures: people mistype
	firstLock   = 30 * time.Second
	longestLock = 15 * time.Minute // leaves a guesser about 100 tries a day
)

// LockedFor says for how long a user is locked after so many failed sign-ins in
// a row: not at all below 5, then 30 s, doubling up to 15 min.
func LockedFor(failures int) time.Duration {
	if failures < firstLocked {
		return 0
	}
	lock := firstLock
	for ; failures > firstLocked && lock < longestLock; failures-- {
		lock *= 2
	}
	return min(lock, longestLock)
}
