package signin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
)

// Identity is who a provider says somebody is. Issuer and Subject together name
// the person for good; Login and Name are proposals, and no email.
type Identity struct {
	Issuer  string
	Subject string
	Name    string   // what colleagues see; the login where the provider gives none
	Login   string   // [a-z0-9._-], 2 to 64 bytes; not necessarily free
	Groups  []string // those that have a role, sorted
	Role    string   // the highest of them
}

const (
	maxSubject = 255 // bytes, OpenID Connect Core 2
	minLogin   = 2   // bytes
	maxLogin   = 64
	maxName    = 64 // characters
)

// idToken is what is used of an ID token's claims.
type idToken struct {
	Subject  string `json:"sub"`
	Azp      string `json:"azp"` // for whom it was made
	Nonce    string `json:"-"`
	Name     string `json:"name"`
	Username string `json:"preferred_username"`
	all      map[string]json.RawMessage
}

// readClaims reads the payload of a token whose signature is good.
func readClaims(payload []byte) (idToken, error) {
	var t idToken
	if json.Unmarshal(payload, &t) != nil || json.Unmarshal(payload, &t.all) != nil {
		return idToken{}, refusedToken("its claims are not what OpenID Connect defines")
	}
	return t, nil
}

func (o *OIDC) identity(t idToken) (Identity, error) {
	if t.Subject == "" || len(t.Subject) > maxSubject {
		return Identity{}, refusedToken("its subject is missing or too long")
	}
	who := Identity{Issuer: o.cfg.Issuer, Subject: t.Subject, Login: login(t.Username, o.cfg.Issuer, t.Subject)}
	who.Name = name(t.Name, who.Login)
	rank := -1
	for _, group := range t.groups(o.cfg.GroupsClaim) {
		if role, has := o.cfg.Roles[group]; has {
			who.Groups = append(who.Groups, group)
			rank = max(rank, slices.Index(roles, role))
		}
	}
	if rank < 0 {
		return Identity{}, &RefusedError{Reason: ReasonRole}
	}
	who.Role = roles[rank]
	slices.Sort(who.Groups)
	who.Groups = slices.Compact(who.Groups)
	return who, nil
}

// groups are a claim's values: a list of texts, or one text.
func (t idToken) groups(claim string) []string {
	var list []string
	if json.Unmarshal(t.all[claim], &list) == nil {
		return list
	}
	var one string
	if json.Unmarshal(t.all[claim], &one) == nil {
		return []string{one}
	}
	return nil
}

// login reduces a preferred_username. Of an email it is what stands before the
// "@"; where nothing is left, the login is made of issuer and subject.
func login(username, issuer, subject string) string {
	local, _, _ := strings.Cut(strings.ToLower(username), "@")
	reduced := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return -1
	}, local)
	if len(reduced) < minLogin {
		sum := sha256.Sum256([]byte(issuer + "\x00" + subject))
		return "u-" + hex.EncodeToString(sum[:6])
	}
	return reduced[:min(len(reduced), maxLogin)]
}

// name is the display name on one line; an email is none.
func name(claimed, login string) string {
	printable := strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(claimed, ""))
	runes := []rune(strings.TrimSpace(printable))
	if len(runes) == 0 || slices.Contains(runes, '@') {
		return login
	}
	return strings.TrimSpace(string(runes[:min(len(runes), maxName)]))
}
