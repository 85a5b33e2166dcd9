package codes

import "strings"

// MaskPhone hides the middle of a phone number: 11 characters and more keep 3
// and 4 (138****8000), of at least 7 the last 2 stay, shorter ones keep nothing.
func MaskPhone(phone string) string {
	p := []rune(phone)
	head, tail := 0, 0
	switch {
	case len(p) >= 11:
		head, tail = 3, 4
	case len(p) >= 7:
		tail = 2
	}
	for i := head; i < len(p)-tail; i++ {
		p[i] = '*'
	}
	return string(p)
}

// MaskEmail hides all of a mailbox but its first letter (s***@example.com), and
// everything of what is no address.
func MaskEmail(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at <= 0 {
		return strings.Repeat("*", min(len(email), 3))
	}
	first := []rune(email[:at])[:1]
	return string(first) + "***" + email[at:]
}
