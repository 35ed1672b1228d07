package sockapi

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// sockaddr is room for what the kernel reads or writes as an address: sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)).
type sockaddr [unix.SizeofSockaddrInet6]byte

// sockaddrSize is how large the domain's addresses are.
func sockaddrSize(domain int) int {
	if domain == unix.AF_INET6 {
		return unix.SizeofSockaddrInet6
	}
	return unix.SizeofSockaddrInet4
}

// encode writes an address in the kernel's form, which has size bytes. Ports are big-endian on the wire and in the
// structs; family and scope are in the host's order.
func (a *sockaddr) encode(ap netip.AddrPort, index func(zone string) (uint32, unix.Errno)) (size int, errno unix.Errno) {
	ip, family := ap.Addr(), unix.AF_UNSPEC
	binary.BigEndian.PutUint16(a[2:], ap.Port())
	switch {
	case ip.Is4():
		family = unix.AF_INET
		v4 := ip.As4()
		copy(a[4:], v4[:])
	case ip.Is6():
		family = unix.AF_INET6
		v6 := ip.As16()
		copy(a[8:], v6[:])
		if zone := ip.Zone(); zone != "" {
			var i uint32
			i, errno = index(zone)
			binary.NativeEndian.PutUint32(a[24:], i)
		}
	}
	binary.NativeEndian.PutUint16(a[0:], uint16(family))
	return sockaddrSize(family), errno
}

// decodeSockaddr is the inverse of encode: invalid for other families and for addresses that are cut short.
func decodeSockaddr(b []byte, name func(index uint32) string) netip.AddrPort {
	if len(b) < 2 {
		return netip.AddrPort{}
	}
	switch family := binary.NativeEndian.Uint16(b); {
	case family == unix.AF_INET && len(b) >= unix.SizeofSockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), binary.BigEndian.Uint16(b[2:]))
	case family == unix.AF_INET6 && len(b) >= unix.SizeofSockaddrInet6:
		ip := netip.AddrFrom16([16]byte(b[8:24]))
		if i := binary.NativeEndian.Uint32(b[24:]); i != 0 {
			ip = ip.WithZone(name(i))
		}
		return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[2:]))
	}
	return netip.AddrPort{}
}

// zoneIndex finds the interface of a zone, which is its name or its number. The socket itself is asked, so that it is
// an interface of its namespace. Of a closed socket it is 0: the call that follows fails for that reason.
func (s *Socket) zoneIndex(zone string) (uint32, unix.Errno) {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n), 0
	}
	if !s.enter() {
		return 0, 0
	}
	defer s.calls.RUnlock()
	ifr, err := unix.NewIfreq(zone)
	if err != nil {
		return 0, errnoOf(err)
	}
	if err := unix.IoctlIfreq(s.fd, unix.SIOCGIFINDEX, ifr); err != nil {
		return 0, errnoOf(err)
	}
	return ifr.Uint32(), 0
}

// zoneName is the inverse: the name, or the number if no interface has it.
func zoneName(fd int, index uint32) string {
	if name := ifName(fd, index); name != "" {
		return name
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
