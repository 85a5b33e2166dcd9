package webhook

import (
	"errors"
	"net/netip"
	"testing"
)

func TestGuardCheckURL(t *testing.T) {
	local := Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}, AllowHTTP: true}
	for _, tt := range []struct {
		url   string
		guard Guard
		want  error
	}{
		{"https://hooks.example.com/heyan?k=v", Guard{}, nil},
		{"https://hooks.example.com:8443/", Guard{}, nil},
		{"http://hooks.example.com/", Guard{}, ErrURL},
		{"http://hooks.example.com/", local, nil},
		{"ftp://hooks.example.com/", local, ErrURL},
		{"https:///path", Guard{}, ErrURL},
		{"https://:443/path", Guard{}, ErrURL},
		{"hooks.example.com", Guard{}, ErrURL},
		{"https://user:word@hooks.example.com/", Guard{}, ErrURL},
		{"https://hooks.example.com/#part", Guard{}, ErrURL},
		{"https://hooks.example.com/\x7f", Guard{}, ErrURL},
		{"https://8.8.8.8/", Guard{}, nil},
		{"https://[2606:4700::1111]/", Guard{}, nil},
		{"https://127.0.0.1/", Guard{}, ErrAddress},
		{"https://127.0.0.1/", local, nil},
		{"https://[::ffff:127.0.0.1]/", local, nil},
		{"https://10.0.0.1/", local, ErrAddress},
		{"https://[fd00::1]/", local, nil},
		{"https://[::1]/", local, ErrAddress},
		{"https://[fe80::1%25eth0]/", Guard{}, ErrAddress},
	} {
		if err := tt.guard.CheckURL(tt.url); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s: got %v, want %v", tt.url, err, tt.want)
		}
	}
}

func TestGuardAddresses(t *testing.T) {
	for _, tt := range []struct {
		address string
		public  bool
	}{
		{"1.1.1.1", true}, {"9.255.255.255", true}, {"11.0.0.0", true}, {"100.63.255.255", true}, {"100.128.0.0", true},
		{"172.15.0.1", true}, {"172.32.0.1", true}, {"223.255.255.255", true}, {"198.17.0.1", true},
		{"0.0.0.0", false}, {"0.1.2.3", false}, {"10.1.2.3", false}, {"100.64.0.1", false}, {"100.127.255.255", false},
		{"127.0.0.1", false}, {"127.255.255.255", false}, {"169.254.169.254", false}, {"172.16.0.1", false},
		{"172.31.255.255", false}, {"192.0.0.1", false}, {"192.0.2.1", false}, {"192.88.99.1", false}, {"192.168.1.1", false},
		{"198.18.0.1", false}, {"198.19.255.255", false}, {"198.51.100.1", false}, {"203.0.113.1", false},
		{"224.0.0.1", false}, {"239.255.255.255", false}, {"240.0.0.1", false}, {"255.255.255.255", false},
		{"2606:4700::1111", true}, {"2a00:1450::1", true},
		{"::", false}, {"::1", false}, {"::8.8.8.8", false}, {"fc00::1", false}, {"fd12::1", false}, {"fe80::1", false},
		{"fe80::1%eth0", false}, {"fec0::1", false}, {"ff02::1", false}, {"2001::1", false}, {"2001:db8::1", false},
		{"3fff::1", false}, {"4000::1", false}, {"100::1", false}, {"64:ff9b:1::1", false},
		{"::ffff:8.8.8.8", true}, {"::ffff:10.0.0.1", false}, {"::ffff:169.254.169.254", false},
		{"64:ff9b::8.8.8.8", true}, {"64:ff9b::127.0.0.1", false}, {"64:ff9b::10.0.0.1", false},
		{"2002:808:808::1", true}, {"2002:7f00:1::1", false}, {"2002:a9fe:a9fe::1", false}, {"2002:c0a8:101::", false},
	} {
		err := Guard{}.checkAddress(netip.MustParseAddr(tt.address))
		if (err == nil) != tt.public || err != nil && !errors.Is(err, ErrAddress) {
			t.Errorf("%s: got %v, want public %v", tt.address, err, tt.public)
		}
	}
	if err := (Guard{}).control("tcp", "no address", nil); !errors.Is(err, ErrAddress) {
		t.Errorf("what is no address: %v", err)
	}
}
