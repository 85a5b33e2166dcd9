package webhook

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
)

// Guard says where events may be sent. The zero Guard allows https to public
// addresses.
type Guard struct {
	Allow     []netip.Prefix // addresses that are allowed although they are not public
	AllowHTTP bool           // without TLS
}

// ErrURL: events are not sent to this address. What is wrong follows it.
var ErrURL = errors.New("not an address to send events to")

// ErrAddress: the name stands for an address that is not public.
var ErrAddress = errors.New("the address is not public")

// CheckURL says whether an endpoint may have this address: when it is stored,
// and again before it is called. What its name stands for is only known then.
func (g Guard) CheckURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Hostname() == "":
		return fmt.Errorf("%w: it is not https://host/path", ErrURL)
	case u.Scheme != "https" && (u.Scheme != "http" || !g.AllowHTTP):
		return fmt.Errorf("%w: its scheme is not https", ErrURL)
	case u.User != nil:
		return fmt.Errorf("%w: it holds a password", ErrURL)
	case u.Fragment != "":
		return fmt.Errorf("%w: it has a fragment", ErrURL)
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		return g.checkAddress(ip)
	}
	return nil
}

// control is called with the address that a connection is about to be made to:
// whatever the name stood for before does not count.
func (g Guard) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrAddress
	}
	return g.checkAddress(at.Addr())
}

func (g Guard) checkAddress(ip netip.Addr) error {
	within := func(p netip.Prefix) bool { return p.Contains(ip) }
	ip = carried(ip.WithZone(""))
	switch {
	case slices.ContainsFunc(g.Allow, within):
		return nil
	case ip.Is6() && !unicast.Contains(ip), slices.ContainsFunc(special, within):
		return ErrAddress
	}
	return nil
}

// The ranges in which an IPv6 address leads to an IPv4 address.
var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: its last 4 bytes
	sixToFour = netip.MustParsePrefix("2002::/16")    // RFC 3056: the 4 bytes that follow
)

// carried is the IPv4 address that an IPv6 address leads to, or the address
// itself.
func carried(ip netip.Addr) netip.Addr {
	ip = ip.Unmap()
	b := ip.As16()
	switch {
	case nat64.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:]))
	case sixToFour.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return ip
}

// unicast is all that IANA has allocated of IPv6 for global use.
var unicast = netip.MustParsePrefix("2000::/3")

// special are the ranges that are not global: IANA's special-purpose registries
// (RFC 6890) and multicast.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("10.0.0.0/8"),      // private
	netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT
	netip.MustParsePrefix("127.0.0.0/8"),     // loopback
	netip.MustParsePrefix("169.254.0.0/16"),  // link-local, metadata of clouds
	netip.MustParsePrefix("172.16.0.0/12"),   // private
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("192.168.0.0/16"),  // private
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("224.0.0.0/4"),     // multicast
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, broadcast
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("3fff::/20"),       // documentation
}
