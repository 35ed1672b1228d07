package sockapi

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The notation of strace(1), for arguments. Its version 6.1 is what the tests compare with. Where it has no name or no
// notation for a value, ours is said at the option (options.go).

// Args are the arguments in strace's notation, with what the kernel wrote back once the call has returned.
func (c *Call) Args() []string {
	fd, length := strconv.Itoa(c.FD), strconv.Itoa(c.Len)
	switch c.Name {
	case "socket":
		return []string{named(familyNames, c.Domain, "AF_???"), sockTypeName(c.Type), protocolName(c.Domain, c.Protocol)}
	case "bind", "connect":
		return []string{fd, c.sockaddr(), length}
	case "accept4":
		return append(c.addrBack(fd), c.FlagNames())
	case "getsockname", "getpeername":
		return c.addrBack(fd)
	case "listen":
		return []string{fd, strconv.Itoa(c.Backlog)}
	case "shutdown":
		return []string{fd, named(shutdownNames, c.How, "SHUT_???")}
	case "read", "write":
		return []string{fd, c.data(), length}
	case "recvfrom":
		return []string{fd, c.data(), length, c.FlagNames(), "NULL", "NULL"}
	case "sendto":
		return []string{fd, c.data(), length, c.FlagNames(), "NULL", "0"}
	case "setsockopt":
		return []string{fd, c.Option.LevelName, c.Option.Name, c.OptionValue(), length}
	case "getsockopt":
		return []string{fd, c.Option.LevelName, c.Option.Name, c.OptionValue(), c.lengthBack()}
	case "ioctl":
		return []string{fd, named(requestNames, int(c.Request), "_IOC_???"), c.ioctlValue()}
	case "ppoll":
		return []string{fmt.Sprintf("[{fd=%d, events=%s}]", c.FD, c.FlagNames()), "1", c.timeLimit(), "NULL", "0"}
	}
	return []string{fd}
}

// wrote says whether the kernel has written back what the call is to give.
func (c *Call) wrote() bool { return !c.Returned.IsZero() && c.Errno == 0 }

// pointer shows what was not written: its address.
func (c *Call) pointer() string {
	if c.Ptr == 0 {
		return "NULL"
	}
	return fmt.Sprintf("%#x", c.Ptr)
}

// quotedBytes is how much of a buffer is shown: strace's -s 32.
const quotedBytes = 32

// Data shows what was read, or is to be written: "hello\n", and "..." after the quotes if there is more of it than
// strace shows; whole is false then. It is empty for a read that has not returned, or failed.
func (c *Call) Data() (quoted string, whole bool) {
	n := c.Len
	if c.reads() {
		if !c.wrote() {
			return "", true
		}
		n = min(c.Ret, c.Len)
	}
	return quote(c.Buf, n), n <= quotedBytes
}

func (c *Call) data() string {
	if quoted, _ := c.Data(); quoted != "" {
		return quoted
	}
	return c.pointer()
}

// quote shows n bytes that begin with those in p, which are all of them or as many as are shown.
func quote(p []byte, n int) string {
	shown := p[:max(0, min(n, len(p), quotedBytes))]
	var b strings.Builder
	b.WriteByte('"')
	for i, c := range shown {
		next := byte(0)
		if i+1 < len(shown) {
			next = shown[i+1]
		}
		quoteByte(&b, c, next)
	}
	b.WriteByte('"')
	if n > quotedBytes {
		b.WriteString("...")
	}
	return b.String()
}

// quoteByte writes one byte as C would. An octal escape is as short as it can be without swallowing the byte after it.
func quoteByte(b *strings.Builder, c, next byte) {
	switch i := strings.IndexByte(`"\`+"\t\n\v\f\r", c); {
	case i >= 0:
		b.WriteByte('\\')
		b.WriteByte(`"\tnvfr`[i])
	case c >= ' ' && c < 0x7f:
		b.WriteByte(c)
	case next >= '0' && next <= '7':
		fmt.Fprintf(b, "\\%03o", c)
	default:
		fmt.Fprintf(b, "\\%o", c)
	}
}

// sockaddr shows the address as the struct that the kernel has it in.
func (c *Call) sockaddr() string {
	ip, port := c.Addr.Addr(), c.Addr.Port()
	switch {
	case ip.Is4():
		return fmt.Sprintf(`{sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr("%s")}`, port, ip)
	case ip.Is6():
		scope := c.scope
		if zone := ip.Zone(); scope == "" {
			index, err := strconv.ParseUint(zone, 10, 32)
			if err == nil {
				zone = ""
			}
			scope = scopeID(ip, uint32(index), zone)
		}
		return fmt.Sprintf(`{sa_family=AF_INET6, sin6_port=htons(%d), sin6_flowinfo=htonl(0), `+
			`inet_pton(AF_INET6, "%s", &sin6_addr), sin6_scope_id=%s}`, port, ip.WithZone(""), scope)
	}
	return `{sa_family=AF_UNSPEC, sa_data="\0\0\0\0\0\0\0\0\0\0\0\0\0\0"}`
}

// scopeID shows sin6_scope_id, which is an interface only for link-local addresses.
func scopeID(ip netip.Addr, index uint32, name string) string {
	if name != "" && (ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast()) {
		return fmt.Sprintf("if_nametoindex(%q)", name)
	}
	return strconv.FormatUint(uint64(index), 10)
}

// addrBack shows the descriptor, and an address and its length that are written back.
func (c *Call) addrBack(fd string) []string {
	if !c.wrote() {
		return []string{fd, c.pointer(), c.lengthBack()}
	}
	return []string{fd, c.sockaddr(), c.lengthBack()}
}

// lengthBack shows a length that is passed in and written back: [16], [28 => 16].
func (c *Call) lengthBack() string {
	if !c.wrote() || c.Len == c.LenBack {
		return fmt.Sprintf("[%d]", c.Len)
	}
	return fmt.Sprintf("[%d => %d]", c.Len, c.LenBack)
}

func (c *Call) ioctlValue() string {
	if !c.wrote() {
		return c.pointer()
	}
	return fmt.Sprintf("[%d]", c.Value)
}

func (c *Call) timeLimit() string {
	left, _ := c.Value.(time.Duration)
	if left < 0 {
		return "NULL"
	}
	return fmt.Sprintf("{tv_sec=%d, tv_nsec=%d}", left/time.Second, left%time.Second)
}

// FlagNames shows the flags of accept4, recvfrom and sendto, MSG_PEEK|MSG_DONTWAIT, and the events of ppoll; 0 if there
// are none.
func (c *Call) FlagNames() string {
	if c.Name == "accept4" {
		return flags(sockFlags, c.Flags, "SOCK_???")
	}
	if c.Name == "ppoll" {
		return flags(pollEvents, c.Flags, "POLL???")
	}
	return flags(msgFlagNames, c.Flags, "MSG_???")
}

var pollEvents = []flagName{{unix.POLLIN, "POLLIN"}, {unix.POLLPRI, "POLLPRI"}, {unix.POLLOUT, "POLLOUT"}}

// ErrnoName is an errno's name, as in errno(3) and strace: "ECONNREFUSED". It is "" for 0, and a number for one that
// has no name. (Of two names for one number, unix.ErrnoName has the other one: ENOTSUP for EOPNOTSUPP.)
func ErrnoName(e unix.Errno) string {
	switch name := unix.ErrnoName(e); {
	case e == 0:
		return ""
	case e == unix.EOPNOTSUPP:
		return "EOPNOTSUPP"
	case name != "":
		return name
	}
	return strconv.Itoa(int(e))
}

// named shows a number by its name, or as strace shows one that has none: 0x4d /* AF_??? */.
func named(names map[int]string, n int, unknown string) string {
	if name, ok := names[n]; ok {
		return name
	}
	return fmt.Sprintf("%#x /* %s */", uint32(n), unknown)
}

// flagName is one bit and its name.
type flagName struct {
	bit  int
	name string
}

// flags shows or'ed flags by their names, in the table's order, and what is left over as a number.
func flags(table []flagName, n int, unknown string) string {
	if n == 0 {
		return "0"
	}
	var parts []string
	for _, f := range table {
		if n&f.bit != 0 {
			parts = append(parts, f.name)
			n &^= f.bit
		}
	}
	if n != 0 && len(parts) == 0 {
		return fmt.Sprintf("%#x /* %s */", uint32(n), unknown)
	}
	if n != 0 {
		parts = append(parts, fmt.Sprintf("%#x", uint32(n)))
	}
	return strings.Join(parts, "|")
}

// The names are those of what the internet's sockets take.
var familyNames = map[int]string{unix.AF_UNSPEC: "AF_UNSPEC", unix.AF_INET: "AF_INET", unix.AF_INET6: "AF_INET6"}

var sockTypeNames = map[int]string{
	unix.SOCK_STREAM: "SOCK_STREAM", unix.SOCK_DGRAM: "SOCK_DGRAM", unix.SOCK_RAW: "SOCK_RAW",
}

// sockTypeMask is the part of socket's type that is no flag (linux/net.h, SOCK_TYPE_MASK).
const sockTypeMask = 0xf

var sockFlags = []flagName{{unix.SOCK_CLOEXEC, "SOCK_CLOEXEC"}, {unix.SOCK_NONBLOCK, "SOCK_NONBLOCK"}}

func sockTypeName(typ int) string {
	name, ok := sockTypeNames[typ&sockTypeMask]
	switch rest := typ &^ sockTypeMask; {
	case !ok:
		return flags(sockFlags, typ, "SOCK_???")
	case rest != 0:
		return name + "|" + flags(sockFlags, rest, "SOCK_???")
	}
	return name
}

var protocolNames = map[int]string{
	unix.IPPROTO_IP: "IPPROTO_IP", unix.IPPROTO_ICMP: "IPPROTO_ICMP", unix.IPPROTO_TCP: "IPPROTO_TCP",
	unix.IPPROTO_UDP: "IPPROTO_UDP", unix.IPPROTO_MPTCP: "IPPROTO_MPTCP",
}

// protocolName shows socket's third argument, whose meaning is the domain's.
func protocolName(domain, proto int) string {
	if domain == unix.AF_INET || domain == unix.AF_INET6 {
		return named(protocolNames, proto, "IPPROTO_???")
	}
	return strconv.Itoa(proto)
}

var shutdownNames = map[int]string{unix.SHUT_RD: "SHUT_RD", unix.SHUT_WR: "SHUT_WR", unix.SHUT_RDWR: "SHUT_RDWR"}

var requestNames = map[int]string{unix.SIOCATMARK: "SIOCATMARK", unix.SIOCINQ: "FIONREAD", unix.SIOCOUTQ: "TIOCOUTQ"}

// msgFlagNames are the flags of recv(2) and send(2).
var msgFlagNames = []flagName{
	{unix.MSG_OOB, "MSG_OOB"}, {unix.MSG_PEEK, "MSG_PEEK"}, {unix.MSG_DONTROUTE, "MSG_DONTROUTE"},
	{unix.MSG_TRUNC, "MSG_TRUNC"}, {unix.MSG_DONTWAIT, "MSG_DONTWAIT"}, {unix.MSG_EOR, "MSG_EOR"},
	{unix.MSG_WAITALL, "MSG_WAITALL"}, {unix.MSG_CONFIRM, "MSG_CONFIRM"}, {unix.MSG_ERRQUEUE, "MSG_ERRQUEUE"},
	{unix.MSG_NOSIGNAL, "MSG_NOSIGNAL"}, {unix.MSG_MORE, "MSG_MORE"}, {unix.MSG_ZEROCOPY, "MSG_ZEROCOPY"},
	{unix.MSG_FASTOPEN, "MSG_FASTOPEN"},
}
