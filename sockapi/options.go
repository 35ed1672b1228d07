package sockapi

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Linger is the value of SO_LINGER (socket(7)). On with a time, Close waits
// that long for sent data and the FIN to be acknowledged; on with 0, it sends
// RST instead of FIN and discards what was not sent.
type Linger struct {
	OnOff   bool
	Seconds int
}

// PortRange is the value of IP_LOCAL_PORT_RANGE: the local ports to choose from,
// both ends included. A 0 stands for the end of net.ipv4.ip_local_port_range.
type PortRange struct{ Lo, Hi uint16 }

// Options of socket(7).
var (
	SO_REUSEADDR  = boolOption(unix.SOL_SOCKET, unix.SO_REUSEADDR, "SOL_SOCKET", "SO_REUSEADDR")
	SO_REUSEPORT  = boolOption(unix.SOL_SOCKET, unix.SO_REUSEPORT, "SOL_SOCKET", "SO_REUSEPORT")
	SO_KEEPALIVE  = boolOption(unix.SOL_SOCKET, unix.SO_KEEPALIVE, "SOL_SOCKET", "SO_KEEPALIVE")
	SO_OOBINLINE  = boolOption(unix.SOL_SOCKET, unix.SO_OOBINLINE, "SOL_SOCKET", "SO_OOBINLINE")
	SO_ACCEPTCONN = boolOption(unix.SOL_SOCKET, unix.SO_ACCEPTCONN, "SOL_SOCKET", "SO_ACCEPTCONN").ReadOnly
	// SO_RCVBUF and SO_SNDBUF are in bytes. The kernel doubles what it is given, to
	// have room for its bookkeeping, and reports the double.
	SO_RCVBUF = intOption(unix.SOL_SOCKET, unix.SO_RCVBUF, "SOL_SOCKET", "SO_RCVBUF")
	SO_SNDBUF = intOption(unix.SOL_SOCKET, unix.SO_SNDBUF, "SOL_SOCKET", "SO_SNDBUF")
	// SO_RCVTIMEO bounds accept4, read and recv; SO_SNDTIMEO bounds connect, write and
	// send. 0 is no bound. The kernel rounds up to its clock tick. strace 6.1 calls
	// them SO_RCVTIMEO_OLD and SO_SNDTIMEO_OLD and shows the value as bytes.
	SO_RCVTIMEO = timevalOption(unix.SO_RCVTIMEO, "SO_RCVTIMEO")
	SO_SNDTIMEO = timevalOption(unix.SO_SNDTIMEO, "SO_SNDTIMEO")
	SO_LINGER   = newOption(option[Linger]{
		level: unix.SOL_SOCKET, name: unix.SO_LINGER, levelName: "SOL_SOCKET", symbol: "SO_LINGER",
		room: unix.SizeofLinger, decode: decodeLinger, encode: encodeLinger, show: showLinger,
	})
	// SO_ERROR is the pending error, 0 if there is none. Reading it clears it.
	SO_ERROR = newOption(errnoValue(unix.SOL_SOCKET, unix.SO_ERROR, "SOL_SOCKET", "SO_ERROR")).ReadOnly
	// SO_COOKIE is the number that the socket has in sock_diag and keeps for its life
	// (Linux 4.12). strace 6.1 shows it as bytes.
	SO_COOKIE = newOption(option[uint64]{
		level: unix.SOL_SOCKET, name: unix.SO_COOKIE, levelName: "SOL_SOCKET", symbol: "SO_COOKIE",
		room: 8, decode: decodeUint64, show: func(b []byte) string { return fmt.Sprintf("[%d]", decodeUint64(b)) },
	}).ReadOnly
	// SO_ATTACH_FILTER has every segment that arrives for the socket go through a
	// classic BPF program first: what it returns 0 for is dropped.
	SO_ATTACH_FILTER = newOption(option[[]unix.SockFilter]{
		level: unix.SOL_SOCKET, name: unix.SO_ATTACH_FILTER, levelName: "SOL_SOCKET", symbol: "SO_ATTACH_FILTER",
		set: setFilter, showSet: formatFilter,
	}).WriteOnly
	// SO_DETACH_FILTER removes it. The value is ignored.
	SO_DETACH_FILTER = intOption(unix.SOL_SOCKET, unix.SO_DETACH_FILTER, "SOL_SOCKET", "SO_DETACH_FILTER").WriteOnly
)

// Options of tcp(7). Durations are rounded away from 0 to the kernel's unit.
var (
	TCP_NODELAY = boolOption(unix.IPPROTO_TCP, unix.TCP_NODELAY, "SOL_TCP", "TCP_NODELAY")
	// TCP_QUICKACK is not permanent: the kernel changes it as it sees fit.
	TCP_QUICKACK = boolOption(unix.IPPROTO_TCP, unix.TCP_QUICKACK, "SOL_TCP", "TCP_QUICKACK")
	// TCP_MAXSEG is in bytes.
	TCP_MAXSEG = intOption(unix.IPPROTO_TCP, unix.TCP_MAXSEG, "SOL_TCP", "TCP_MAXSEG")
	// TCP_KEEPIDLE and TCP_KEEPINTVL are in seconds, TCP_KEEPCNT counts probes.
	TCP_KEEPIDLE  = unitOption(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, "SOL_TCP", "TCP_KEEPIDLE", time.Second)
	TCP_KEEPINTVL = unitOption(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, "SOL_TCP", "TCP_KEEPINTVL", time.Second)
	TCP_KEEPCNT   = intOption(unix.IPPROTO_TCP, unix.TCP_KEEPCNT, "SOL_TCP", "TCP_KEEPCNT")
	// TCP_SYNCNT is how often a SYN is sent again.
	TCP_SYNCNT = intOption(unix.IPPROTO_TCP, unix.TCP_SYNCNT, "SOL_TCP", "TCP_SYNCNT")
	// TCP_DEFER_ACCEPT is how long a listener waits for data before it accepts
	// a connection, in seconds; the kernel rounds to the time of a whole number of
	// SYN-ACK retransmissions.
	TCP_DEFER_ACCEPT = unitOption(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, "SOL_TCP", "TCP_DEFER_ACCEPT", time.Second)
	// TCP_LINGER2 is how long an orphan stays in FIN-WAIT-2, in seconds; negative:
	// not at all.
	TCP_LINGER2 = unitOption(unix.IPPROTO_TCP, unix.TCP_LINGER2, "SOL_TCP", "TCP_LINGER2", time.Second)
	// TCP_USER_TIMEOUT is how long sent data may stay unacknowledged, in
	// milliseconds (RFC 5482).
	TCP_USER_TIMEOUT = unitOption(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, "SOL_TCP", "TCP_USER_TIMEOUT", time.Millisecond)
	// TCP_SAVE_SYN on a listener keeps the SYN of each connection (Linux 4.2).
	TCP_SAVE_SYN = boolOption(unix.IPPROTO_TCP, unix.TCP_SAVE_SYN, "SOL_TCP", "TCP_SAVE_SYN")
	// TCP_SAVED_SYN is the SYN that made the connection, from the IP header
	// to the end of the TCP options; empty if it was not kept. It can be read once.
	TCP_SAVED_SYN = newOption(option[[]byte]{
		level: unix.IPPROTO_TCP, name: unix.TCP_SAVED_SYN, levelName: "SOL_TCP", symbol: "TCP_SAVED_SYN",
		room: 512, decode: func(b []byte) []byte { return b }, show: quote,
	}).ReadOnly
)

// Options of ip(7) and ipv6(7).
var (
	// IP_LOCAL_PORT_RANGE is where the kernel looks for a local port (Linux 6.3).
	IP_LOCAL_PORT_RANGE = newOption(option[PortRange]{
		level: unix.IPPROTO_IP, name: unix.IP_LOCAL_PORT_RANGE, levelName: "SOL_IP", symbol: "IP_LOCAL_PORT_RANGE",
		room: 4, decode: decodePortRange, encode: encodePortRange, show: showPortRange,
	})
	// IPV6_V6ONLY keeps IPv4 (as ::ffff:192.0.2.1) away from an AF_INET6 socket. It
	// must be set before bind.
	IPV6_V6ONLY = boolOption(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, "SOL_IPV6", "IPV6_V6ONLY")
)

func decodeLinger(b []byte) Linger {
	return Linger{decodeInt(b) != 0, int(decodeInt(b[min(4, len(b)):]))}
}

func encodeLinger(l Linger) []byte {
	onoff := uint32(0)
	if l.OnOff {
		onoff = 1
	}
	return binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, onoff), uint32(clampInt(l.Seconds)))
}

func showLinger(b []byte) string {
	return fmt.Sprintf("{l_onoff=%d, l_linger=%d}", decodeInt(b), decodeInt(b[min(4, len(b)):]))
}

func decodeUint64(b []byte) uint64 {
	var full [8]byte
	copy(full[:], b)
	return binary.NativeEndian.Uint64(full[:])
}

func decodePortRange(b []byte) PortRange {
	n := uint32(decodeInt(b))
	return PortRange{uint16(n), uint16(n >> 16)}
}

func encodePortRange(r PortRange) []byte {
	return binary.NativeEndian.AppendUint32(nil, uint32(r.Hi)<<16|uint32(r.Lo))
}

// showPortRange shows the number with the range that it means; a bound that is 0
// is left out. (strace 6.1 does not know the option; this is how later ones do.)
func showPortRange(b []byte) string {
	r := decodePortRange(b)
	if r.Lo == 0 && r.Hi == 0 {
		return "[0]"
	}
	bound := func(port uint16) string {
		if port == 0 {
			return ""
		}
		return strconv.Itoa(int(port))
	}
	comment := ""
	if r.Lo <= r.Hi || r.Hi == 0 {
		comment = fmt.Sprintf(" /* %s..%s */", bound(r.Lo), bound(r.Hi))
	}
	return fmt.Sprintf("[%#x%s]", uint32(decodeInt(b)), comment)
}
