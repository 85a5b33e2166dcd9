package codes

import "testing"

func TestMaskContacts(t *testing.T) {
	for _, tt := range []struct{ name, got, want string }{
		{"mobile", MaskPhone("13800138000"), "138****8000"},
		{"seven digits", MaskPhone("1234567"), "*****67"},
		{"with its country", MaskPhone("+8613800138000"), "+86*******8000"},
		{"short", MaskPhone("12345"), "*****"},
		{"no phone", MaskPhone(""), ""},
		{"address", MaskEmail("seed.person@example.com"), "s***@example.com"},
		{"letter", MaskEmail("测@example.com"), "测***@example.com"},
		{"two signs", MaskEmail("a@b@example.com"), "a***@example.com"},
		{"no mailbox", MaskEmail("@example.com"), "***"},
		{"no address", MaskEmail("seed"), "***"},
		{"nothing", MaskEmail(""), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}
