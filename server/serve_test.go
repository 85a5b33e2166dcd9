package server

import (
	"net"
	"testing"
)

func TestConsoleURL(t *testing.T) {
	listening := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	for _, tt := range []struct {
		configured string
		listening  net.Addr
		want       string // empty: refused
		trusted    bool
	}{
		{"", listening, "http://127.0.0.1:8080", true},
		{"", &net.TCPAddr{IP: net.IPv6loopback, Port: 8080}, "http://[::1]:8080", true},
		{"", &net.TCPAddr{IP: net.IPv6unspecified, Port: 8080}, "http://localhost:8080", true},
		{"", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 8080}, "http://192.0.2.1:8080", false},
		{"https://heyan.example", listening, "https://heyan.example", true},
		{"https://heyan.example:8443/", listening, "https://heyan.example:8443", true},
		{"http://heyan.example", listening, "http://heyan.example", false},
		{"heyan.example", listening, "", false},
		{"ftp://heyan.example", listening, "", false},
		{"https://heyan.example/console/", listening, "", false},
		{"https://somebody@heyan.example", listening, "", false},
		{"https://heyan.example?x", listening, "", false},
	} {
		got, err := consoleURL(tt.configured, tt.listening)
		if got != tt.want || (err != nil) != (tt.want == "") || trusted(got) != tt.trusted {
			t.Errorf("%q on %v: got %q, %v, trusted %t, want %+v", tt.configured, tt.listening, got, err, trusted(got), tt)
		}
	}
}
