package sockapi

import (
	"time"

	"golang.org/x/sys/unix"
)

// Linger is the value of SO_LINGER (socket(7)). On with a time, Close waits that long for sent data and the FIN to be
// acknowledged; on with 0, it sends RST instead of FIN and discards what was not sent.
type Linger struct {
	OnOff   bool
	Seconds int
}

// PortRange is the value of IP_LOCAL_PORT_RANGE: the local ports to choose from, both ends included. A 0 stands for the
// end of net.ipv4.ip_local_port_range.
type PortRange struct{ Lo, Hi uint16 }

// level is the protocol that an option belongs to.
type level struct {
	number int
	name   string
}

func (l level) option(number int, name string) OptionID {
	return OptionID{l.number, number, l.name, name}
}

var (
	solSocket = level{unix.SOL_SOCKET, "SOL_SOCKET"}
	solIP     = level{unix.SOL_IP, "SOL_IP"}
	solTCP    = level{unix.SOL_TCP, "SOL_TCP"}
	solIPv6   = level{unix.SOL_IPV6, "SOL_IPV6"}
)

// Options of socket(7).
var (
	SO_REUSEADDR  = boolOption(solSocket, unix.SO_REUSEADDR, "SO_REUSEADDR")
	SO_REUSEPORT  = boolOption(solSocket, unix.SO_REUSEPORT, "SO_REUSEPORT")
	SO_KEEPALIVE  = boolOption(solSocket, unix.SO_KEEPALIVE, "SO_KEEPALIVE")
	SO_OOBINLINE  = boolOption(solSocket, unix.SO_OOBINLINE, "SO_OOBINLINE")
	SO_ACCEPTCONN = boolOption(solSocket, unix.SO_ACCEPTCONN, "SO_ACCEPTCONN").ReadOnly
	// SO_RCVBUF and SO_SNDBUF are in bytes. The kernel doubles what it is given, to have room for its bookkeeping, and
	// reports the double.
	SO_RCVBUF = intOption(solSocket, unix.SO_RCVBUF, "SO_RCVBUF")
	SO_SNDBUF = intOption(solSocket, unix.SO_SNDBUF, "SO_SNDBUF")
	// SO_RCVTIMEO bounds accept4, read and recv; SO_SNDTIMEO bounds connect, write and send. 0 is no bound. The kernel
	// rounds up to its clock tick. strace 6.1 calls them SO_RCVTIMEO_OLD and SO_SNDTIMEO_OLD and shows the value as
	// bytes.
	SO_RCVTIMEO = timevalOption(solSocket, unix.SO_RCVTIMEO, "SO_RCVTIMEO")
	SO_SNDTIMEO = timevalOption(solSocket, unix.SO_SNDTIMEO, "SO_SNDTIMEO")
	SO_LINGER   = lingerOption(solSocket, unix.SO_LINGER, "SO_LINGER")
	// SO_ERROR is the pending error, 0 if there is none. Reading it clears it.
	SO_ERROR = errnoOption(solSocket, unix.SO_ERROR, "SO_ERROR").ReadOnly
	// SO_COOKIE is the number that the socket has in sock_diag and keeps for its life (Linux 4.12). strace 6.1 shows it
	// as bytes.
	SO_COOKIE = uint64Option(solSocket, unix.SO_COOKIE, "SO_COOKIE").ReadOnly
	// SO_ATTACH_FILTER has every segment that arrives for the socket go through a classic BPF program first: what it
	// returns 0 for is dropped.
	SO_ATTACH_FILTER = filterOption(solSocket, unix.SO_ATTACH_FILTER, "SO_ATTACH_FILTER").WriteOnly
	// SO_DETACH_FILTER removes it. The value is ignored.
	SO_DETACH_FILTER = intOption(solSocket, unix.SO_DETACH_FILTER, "SO_DETACH_FILTER").WriteOnly
)

// Options of tcp(7). Durations are rounded away from 0 to the kernel's unit.
var (
	TCP_NODELAY = boolOption(solTCP, unix.TCP_NODELAY, "TCP_NODELAY")
	// TCP_QUICKACK is not permanent: the kernel changes it as it sees fit.
	TCP_QUICKACK = boolOption(solTCP, unix.TCP_QUICKACK, "TCP_QUICKACK")
	// TCP_MAXSEG is in bytes.
	TCP_MAXSEG = intOption(solTCP, unix.TCP_MAXSEG, "TCP_MAXSEG")
	// TCP_KEEPIDLE and TCP_KEEPINTVL are in seconds, TCP_KEEPCNT counts probes.
	TCP_KEEPIDLE  = unitOption(solTCP, unix.TCP_KEEPIDLE, "TCP_KEEPIDLE", time.Second)
	TCP_KEEPINTVL = unitOption(solTCP, unix.TCP_KEEPINTVL, "TCP_KEEPINTVL", time.Second)
	TCP_KEEPCNT   = intOption(solTCP, unix.TCP_KEEPCNT, "TCP_KEEPCNT")
	// TCP_SYNCNT is how often a SYN is sent again.
	TCP_SYNCNT = intOption(solTCP, unix.TCP_SYNCNT, "TCP_SYNCNT")
	// TCP_DEFER_ACCEPT is how long a listener waits for data before it accepts a connection, in seconds; the kernel
	// rounds to the time of a whole number of SYN-ACK retransmissions.
	TCP_DEFER_ACCEPT = unitOption(solTCP, unix.TCP_DEFER_ACCEPT, "TCP_DEFER_ACCEPT", time.Second)
	// TCP_LINGER2 is how long an orphan stays in FIN-WAIT-2, in seconds; negative: not at all.
	TCP_LINGER2 = unitOption(solTCP, unix.TCP_LINGER2, "TCP_LINGER2", time.Second)
	// TCP_USER_TIMEOUT is how long sent data may stay unacknowledged, in milliseconds (RFC 5482).
	TCP_USER_TIMEOUT = unitOption(solTCP, unix.TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT", time.Millisecond)
	// TCP_SAVE_SYN on a listener keeps the SYN of each connection (Linux 4.2).
	TCP_SAVE_SYN = boolOption(solTCP, unix.TCP_SAVE_SYN, "TCP_SAVE_SYN")
	// TCP_SAVED_SYN is the SYN that made the connection, from the IP header to the end of the TCP options; empty if it
	// was not kept. It can be read once.
	TCP_SAVED_SYN = bytesOption(solTCP, unix.TCP_SAVED_SYN, "TCP_SAVED_SYN", 512).ReadOnly
)

// Options of ip(7) and ipv6(7).
var (
	// IP_LOCAL_PORT_RANGE is where the kernel looks for a local port (Linux 6.3).
	IP_LOCAL_PORT_RANGE = portRangeOption(solIP, unix.IP_LOCAL_PORT_RANGE, "IP_LOCAL_PORT_RANGE")
	// IPV6_V6ONLY keeps IPv4 (as ::ffff:192.0.2.1) away from an AF_INET6 socket. It must be set before bind.
	IPV6_V6ONLY = boolOption(solIPv6, unix.IPV6_V6ONLY, "IPV6_V6ONLY")
)
