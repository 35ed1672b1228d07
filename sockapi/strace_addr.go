package sockapi

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// formatSockaddr shows a sockaddr as strace does. name turns an interface index
// into its name, "" if it has none.
func formatSockaddr(b []byte, name func(index uint32) string) string {
	if len(b) < 2 {
		return quote(b)
	}
	family := binary.NativeEndian.Uint16(b)
	switch {
	case family == unix.AF_INET && len(b) >= unix.SizeofSockaddrInet4:
		return fmt.Sprintf(`{sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr("%s")}`,
			binary.BigEndian.Uint16(b[2:]), netip.AddrFrom4([4]byte(b[4:8])))
	case family == unix.AF_INET6 && len(b) >= unix.SizeofSockaddrInet6:
		ip := netip.AddrFrom16([16]byte(b[8:24]))
		return fmt.Sprintf(`{sa_family=AF_INET6, sin6_port=htons(%d), sin6_flowinfo=htonl(%d), inet_pton(AF_INET6, "%s", &sin6_addr), sin6_scope_id=%s}`,
			binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:]), ip,
			formatScope(ip, binary.NativeEndian.Uint32(b[24:]), name))
	}
	return fmt.Sprintf("{sa_family=%s, sa_data=%s}", familyName(int(family)), quote(b[2:]))
}

// formatScope shows sin6_scope_id, which is an interface only for link-local
// addresses.
func formatScope(ip netip.Addr, index uint32, name func(uint32) string) string {
	if ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() {
		if n := name(index); n != "" {
			return fmt.Sprintf("if_nametoindex(%q)", n)
		}
	}
	return strconv.FormatUint(uint64(index), 10)
}

// ifName asks the socket for an interface's name: "" if there is none.
func ifName(fd int, index uint32) string {
	ifr, err := unix.NewIfreq("")
	if err != nil {
		return ""
	}
	ifr.SetUint32(index)
	if unix.IoctlIfreq(fd, unix.SIOCGIFNAME, ifr) != nil {
		return ""
	}
	return ifr.Name()
}

// showSockaddr shows an address that is passed in.
func showSockaddr(fd int, a *sockaddr) string {
	return formatSockaddr(a.bytes(), func(i uint32) string { return ifName(fd, i) })
}

// readSockaddr is the address that the kernel wrote.
func readSockaddr(fd int, a *sockaddr) netip.AddrPort {
	return decodeSockaddr(a.bytes(), func(i uint32) string { return zoneName(fd, i) })
}

// showSockaddrBack shows the first three arguments of accept4, getsockname and
// getpeername, and notes the address in the Call once the kernel has written it.
func showSockaddrBack(c *Call, fd int, a *sockaddr, addr netip.AddrPort, done bool) []string {
	if !done {
		return []string{strconv.Itoa(fd), pointer(unsafe.Pointer(&a.b)), fmt.Sprintf("[%d]", a.room)}
	}
	c.Addr = addr
	return []string{strconv.Itoa(fd), showSockaddr(fd, a), lengthBack(a.room, a.size)}
}

// lengthBack shows a length that is passed in and written back: [16], [28 => 16].
func lengthBack(in, out uint32) string {
	if in == out {
		return fmt.Sprintf("[%d]", in)
	}
	return fmt.Sprintf("[%d => %d]", in, out)
}
