package signin

import (
	"cmp"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestIdentity(t *testing.T) {
	const made = "made of issuer and subject" // the fake's issuer has another port each time
	for _, tt := range []struct {
		name                string
		claims              map[string]any
		claim               string // of the groups
		login, called, role string
		groups              []string
	}{
		{name: "highest role", claims: map[string]any{"groups": []string{"reviewers", "owners", "others", "heads", "owners"}},
			role: "admin", groups: []string{"heads", "owners", "reviewers"}},
		{name: "one group as a text", claims: map[string]any{"groups": "heads"}, role: "lead", groups: []string{"heads"}},
		{name: "another claim", claim: "https://example.com/roles", claims: map[string]any{"groups": "owners", "https://example.com/roles": []string{"heads"}},
			role: "lead", groups: []string{"heads"}},
		{name: "several audiences, made for us", claims: map[string]any{"aud": []string{"another", client}, "azp": client}},
		{name: "login is an email", claims: map[string]any{"preferred_username": "Li.Ming@example.com"}},
		{name: "login with other letters", claims: map[string]any{"preferred_username": `CORP\Li_Ming-2 李明`}, login: "corpli_ming-2"},
		{name: "long login", claims: map[string]any{"preferred_username": strings.Repeat("a", 65)}, login: strings.Repeat("a", 64)},
		{name: "name is an email", claims: map[string]any{"name": "li.ming@example.com"}, called: "li.ming"},
		{name: "no name", claims: map[string]any{"name": nil}, called: "li.ming"},
		{name: "hostile name", claims: map[string]any{"name": "  李\u202e明\n\x00 Li\t"}, called: "李明 Li"},
		{name: "long name", claims: map[string]any{"name": strings.Repeat("李", 65)}, called: strings.Repeat("李", 64)},
		{name: "an email alone", claims: map[string]any{"preferred_username": nil, "name": nil, "email": "li.ming@example.com"}, login: made, called: made},
		{name: "login without a latin letter", claims: map[string]any{"preferred_username": "李明"}, login: made},
	} {
		f := newFake(t)
		cfg := f.config()
		cfg.GroupsClaim = tt.claim
		o := newOIDC(t, cfg)
		f.claims = tt.claims
		query, state := f.begin(t, o)
		got, err := o.Finish(t.Context(), query, state)
		want := Identity{Issuer: f.URL, Subject: "0042", Name: cmp.Or(tt.called, "李明"), Login: cmp.Or(tt.login, "li.ming"),
			Role: cmp.Or(tt.role, "reviewer"), Groups: tt.groups}
		if want.Groups == nil {
			want.Groups = []string{"reviewers"}
		}
		if want.Login == made {
			want.Login = login("", f.URL, "0042")
		}
		if want.Name == made {
			want.Name = want.Login
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, want)
		}
	}
	one, two := login("", "https://a.example.com", "1"), login("", "https://a.example.com", "2")
	if one == two || !regexp.MustCompile(`^u-[0-9a-f]{12}$`).MatchString(one) {
		t.Errorf("got %q and %q", one, two)
	}
}
