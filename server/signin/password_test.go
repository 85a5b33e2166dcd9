package signin

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

const good = "七个鹦鹉 sing at noon"

func TestHashAndVerify(t *testing.T) {
	h, ctx := NewHasher(), t.Context()
	hash, err := h.Hash(ctx, good, "liming")
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.Hash(ctx, good, "liming")
	if err != nil || again == hash || strings.Contains(hash, good) {
		t.Fatalf("got %q and %q, %v, want two hashes with salts of their own", hash, again, err)
	}
	if want := "$argon2id$v=19$m=19456,t=2,p=1$"; !strings.HasPrefix(hash, want) {
		t.Errorf("got %q, want %q…", hash, want)
	}
	// Of the reference implementation's own tests (phc-winner-argon2, src/test.c).
	const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for _, tt := range []struct {
		name, password, hash string
		ok, outdated         bool
	}{
		{"the password", good, hash, true, false},
		{"another", good + "!", hash, false, false},
		{"none", "", hash, false, false},
		{"no hash", good, "", false, false},
		{"no hash and no password", "", "", false, false},
		{"typed in full width", "七个鹦鹉　ｓｉｎｇ at noon", hash, true, false},
		{"older costs", "password", reference, true, true},
		{"older costs, another", "Password", reference, false, false},
	} {
		ok, outdated, err := h.Verify(ctx, tt.password, tt.hash)
		if ok != tt.ok || outdated != tt.outdated || err != nil {
			t.Errorf("%s: got %v, %v, %v, want %v, %v", tt.name, ok, outdated, err, tt.ok, tt.outdated)
		}
	}
	if ok, _, err := h.Verify(ctx, good, "$2y$10$"); ok || !errors.Is(err, ErrHash) {
		t.Errorf("got %v, %v, want ErrHash", ok, err)
	}
}

func TestHashRefuses(t *testing.T) {
	h := NewHasher()
	for _, tt := range []struct {
		password, login string
		want            Rule // empty: taken
	}{
		{"", "liming", RuleShort},
		{"11 letters!", "liming", RuleShort},
		{"12 letters!!", "liming", ""},
		{"十二个汉字组成的一个密码", "liming", ""},
		{strings.Repeat("ab1c2", 25) + "xyz", "liming", ""},
		{strings.Repeat("ab1c2", 25) + "wxyz", "liming", RuleLong},
		{"twelve\x00letters", "liming", RuleCharacters},
		{"twelve\nletters", "liming", RuleCharacters},
		{"twelve letters\xff", "liming", RuleCharacters},
		{"li.ming.lawyer", "li.ming.lawyer", RuleLogin},
		{"Li.Ming123456", "li.ming", RuleLogin},
		{"li.mingli.ming", "li.ming", RuleLogin},
		{"li.ming sings at noon", "li.ming", ""},
		{"a password without a login", "", ""},
		{"woaini1314520", "liming", RuleCommon},
		{"Password@123", "liming", RuleCommon},
		{"ＱＷＥＲＴＹ１２３４５６", "liming", RuleCommon},
		{"121212121212", "liming", RuleCommon},
		{"aaaabbbbccccdddd", "liming", RuleCommon},
	} {
		_, err := h.Hash(t.Context(), tt.password, tt.login)
		var refused *PasswordError
		if tt.want == "" {
			if err != nil {
				t.Errorf("%q: got %v", tt.password, err)
			}
			continue
		}
		if !errors.As(err, &refused) || refused.Rule != tt.want || refused.ZH == "" || refused.EN == "" {
			t.Errorf("%q: got %v, want rule %q", tt.password, err, tt.want)
		} else if tt.password != "" && strings.Contains(err.Error()+refused.EN+refused.ZH, tt.password) {
			t.Errorf("%q: the error shows it: %v", tt.password, err)
		}
	}
}

func TestCommonPasswordsArePossibleOnes(t *testing.T) {
	for _, password := range common {
		if len(password) < minPassword || password != strings.ToLower(password) {
			t.Errorf("%q is caught by another rule, or never", password)
		}
	}
}

func TestHashWaitsItsTurn(t *testing.T) {
	h := NewHasher()
	for range hashing {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := h.Hash(ctx, good, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Hash: got %v, want the context's error", err)
	}
	if _, _, err := h.Verify(ctx, good, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Verify: got %v, want the context's error", err)
	}
	<-h.slots
	if _, err := h.Hash(t.Context(), good, ""); err != nil {
		t.Errorf("with a free slot: got %v", err)
	}
	if len(h.slots) != hashing-1 {
		t.Errorf("got %d slots taken, want the one given back", len(h.slots))
	}
	if _, err := h.Hash(ctx, good, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a free slot and an ended context: got %v", err)
	}
}

func TestLockedFor(t *testing.T) {
	for failures, want := range map[int]time.Duration{
		-1: 0, 0: 0, 4: 0, 5: 30 * time.Second, 6: time.Minute, 7: 2 * time.Minute, 8: 4 * time.Minute,
		9: 8 * time.Minute, 10: 15 * time.Minute, 11: 15 * time.Minute, 1 << 30: 15 * time.Minute,
	} {
		if got := LockedFor(failures); got != want {
			t.Errorf("%d: got %v, want %v", failures, got, want)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	h := NewHasher()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Hash(b.Context(), good, "liming"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCostliestStored(b *testing.B) {
	h := NewHasher()
	stored := phc{params{maxMemory, maxTime, maxThreads}, make([]byte, saltBytes), make([]byte, keyBytes)}.String()
	for b.Loop() {
		if ok, _, err := h.Verify(b.Context(), good, stored); ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
