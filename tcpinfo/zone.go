package tcpinfo

import (
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// zoneOf is the index of the interface that a link-local address names ("fe80::1%eth0", "fe80::1%2"); 0 if it names
// none. Without it the kernel does not find sockets on link-local addresses.
func (c *Conn) zoneOf(addrs ...netip.AddrPort) uint32 {
	for _, a := range addrs {
		zone := a.Addr().Zone()
		if zone == "" {
			continue
		}
		if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
			return uint32(n)
		}
		if s, ok := c.t.(*kernelSocket); ok {
			return interfaceIndex(s.fd, zone)
		}
	}
	return 0
}

// interfaceIndex asks the namespace of the socket fd (SIOCGIFINDEX, netdevice(7)). 0 if there is no such interface.
func interfaceIndex(fd int, name string) uint32 {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return 0
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); err != nil {
		return 0
	}
	return ifr.Uint32()
}
