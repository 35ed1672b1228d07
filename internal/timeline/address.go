package timeline

import (
	"net/netip"
	"regexp"
	"strconv"
)

// The two structs that have an address, as strace writes them.
var (
	sockaddr4 = regexp.MustCompile(`^\{sa_family=AF_INET, sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]*)"\)\}$`)
	sockaddr6 = regexp.MustCompile(`^\{sa_family=AF_INET6, sin6_port=htons\((\d+)\), sin6_flowinfo=htonl\(\d+\), ` +
		`inet_pton\(AF_INET6, "([^"]*)", &sin6_addr\), sin6_scope_id=(?:if_nametoindex\("([^"]*)"\)|(\d+))\}$`)
)

// AddressIn is the address among a call's arguments, which they have second; invalid if there is none.
func AddressIn(args []string) netip.AddrPort {
	if len(args) < 2 {
		return netip.AddrPort{}
	}
	if m := sockaddr4.FindStringSubmatch(args[1]); m != nil {
		return address(m[2], m[1], "")
	}
	if m := sockaddr6.FindStringSubmatch(args[1]); m != nil {
		zone := m[3]
		if zone == "" && m[4] != "0" {
			zone = m[4]
		}
		return address(m[2], m[1], zone)
	}
	return netip.AddrPort{}
}

func address(host, port, zone string) netip.AddrPort {
	ip, err := netip.ParseAddr(host)
	n, tooLarge := strconv.ParseUint(port, 10, 16)
	if err != nil || tooLarge != nil || ip.Zone() != "" {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip.WithZone(zone), uint16(n))
}
