// Package lab makes two hosts and the wire between them inside one process.
//
// Each host is a network namespace of its own: its own TCP, routes, counters, sysctls and port numbers. A TUN
// device (Linux: Documentation/networking/tuntap.rst) is its only interface besides lo, and the program reads
// what one host sends and writes it into the other: both ends are the real kernel's TCP, and the program holds
// the wire. Every packet can be reported, held, delayed, dropped, duplicated or reordered, by hand (Wire.Held
// and its neighbours) or by rules (ParseRule), and lost by chance or delayed by the line (Link).
//
// Nothing outside the two namespaces is touched, and they have no name in the file system: they end with the
// descriptors and threads of this process, whichever way it ends.
package lab

import (
	"errors"
	"net/netip"
)

// The addresses of the two hosts: TEST-NET-2 of RFC 5737 and the documentation prefix of RFC 3849, neither of
// which is anyone's.
var (
	clientIPv4 = netip.MustParsePrefix("198.51.100.1/24")
	serverIPv4 = netip.MustParsePrefix("198.51.100.2/24")
	clientIPv6 = netip.MustParsePrefix("2001:db8::1/64")
	serverIPv6 = netip.MustParsePrefix("2001:db8::2/64")
)

// Config says what kind of lab to make. The zero Config is a plain Ethernet-like wire that delivers everything at
// once and reports nothing.
type Config struct {
	// Link is what the wire does to every packet.
	Link Link

	// Rules are in force from the first packet; Wire.Add and Active.Remove change them later.
	Rules []Rule

	// HoldAll starts the wire in step mode; Wire.HoldAll changes it later.
	HoldAll bool

	// Report is told what becomes of each packet, in order, one at a time, before the packet is written into
	// the other host: what a delivery causes is reported after it. The wire stands still while Report runs, so it
	// must be quick, must not call the Wire's methods, and must copy Raw if it keeps it (Packet.Clone).
	Report func(Packet)
}

// Lab is two hosts and the wire between them.
type Lab struct {
	Client, Server *Host
	Wire           *Wire
}

// New makes both hosts, connects them and starts the wire. It needs CAP_SYS_ADMIN and CAP_NET_ADMIN, which root
// has and an ordinary user gets from Enter, and /dev/net/tun. What is missing comes back as *unsupported.Error.
func New(c Config) (*Lab, error) {
	if err := c.Link.check(); err != nil {
		return nil, err
	}
	client, err := newHost("client", clientIPv4, clientIPv6)
	if err != nil {
		return nil, err
	}
	server, err := newHost("server", serverIPv4, serverIPv6)
	if err != nil {
		return nil, errors.Join(err, client.close())
	}
	wire, err := newWire(c, client.tun, server.tun)
	if err != nil {
		return nil, errors.Join(err, client.close(), server.close())
	}
	return &Lab{Client: client, Server: server, Wire: wire}, nil
}

// Close stops the wire and ends both hosts. What is held or under way on the wire is lost. Functions started with
// Host.Go must have returned or be about to; Close waits two seconds for them and then says in its error which host
// still has some: the namespace lives as long as they do. Closing again does nothing.
func (l *Lab) Close() error {
	l.Wire.close()
	return errors.Join(l.Client.close(), l.Server.close())
}
