package timeline

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Arguments are those of a call, in strace's notation. Which of them stands where, and how it is written, is known here
// and nowhere else. A record may be cut, or made up: what is missing, or of another shape, is said not to be there.
type Arguments struct {
	call string
	list []string
}

// Arguments are those of a call that has returned.
func (b *Call) Arguments() Arguments { return Arguments{b.Call, b.Args} }

// Arguments are those that were passed in.
func (b *Enter) Arguments() Arguments { return Arguments{b.Call, b.Args} }

// names are the arguments' in the man pages, of calls that are asked for more than their descriptor, which is first.
var names = map[string][]string{
	"bind":        {"fd", "addr", "addrlen"},
	"connect":     {"fd", "addr", "addrlen"},
	"accept4":     {"fd", "addr", "addrlen", "flags"},
	"getsockname": {"fd", "addr", "addrlen"},
	"getpeername": {"fd", "addr", "addrlen"},
	"shutdown":    {"fd", "how"},
	"read":        {"fd", "buf", "len"},
	"write":       {"fd", "buf", "len"},
	"recvfrom":    {"fd", "buf", "len", "flags", "src_addr", "addrlen"},
	"sendto":      {"fd", "buf", "len", "flags", "dest_addr", "addrlen"},
	"getsockopt":  {"fd", "level", "optname", "optval", "optlen"},
	"setsockopt":  {"fd", "level", "optname", "optval", "optlen"},
}

// passedIn are how many stand before the first that the kernel writes back.
var passedIn = map[string]int{"read": 1, "recvfrom": 1, "accept4": 1, "getsockname": 1, "getpeername": 1, "ioctl": 2, "getsockopt": 3}

// get is one of the arguments as it is written; "" if it is not there.
func (a Arguments) get(name string) string {
	if i := slices.Index(names[a.call], name); i >= 0 && i < len(a.list) {
		return a.list[i]
	}
	return ""
}

// passedIn are the arguments that say nothing of what came back.
func (a Arguments) passedIn() []string {
	n, some := passedIn[a.call]
	if !some || n > len(a.list) {
		n = len(a.list)
	}
	return slices.Clone(a.list[:n])
}

// Written are all of them, to be shown as they are.
func (a Arguments) Written() []string { return a.list }

// brief is how many of a call's arguments do not go without saying.
var brief = map[string]int{"socket": 2, "bind": 2, "connect": 2, "accept4": 2, "setsockopt": 4}

// Brief are they as people write them: an address in place of its struct, and of data the beginning.
func (a Arguments) Brief() []string {
	list := slices.Clone(a.list)
	if n, some := brief[a.call]; some {
		list = list[:min(n, len(list))]
	}
	for i := range list {
		switch at := a.Address(); {
		case i >= len(names[a.call]):
		case names[a.call][i] == "addr" && at.IsValid():
			list[i] = at.String()
		case names[a.call][i] == "buf":
			list[i] = beginning(list[i])
		}
	}
	return list
}

// characters are those of a string as strace writes it: \n is one.
var characters = regexp.MustCompile(`(?s)\\.|[^\\]`)

// beginning is a string, cut after 16 characters if it has more than 20.
func beginning(arg string) string {
	text, is := strings.CutPrefix(strings.TrimSuffix(arg, "..."), `"`)
	text, ends := strings.CutSuffix(text, `"`)
	if parts := characters.FindAllString(text, 21); is && ends && len(parts) > 20 {
		return `"` + strings.Join(parts[:16], "") + `"...`
	}
	return arg
}

// Whole says whether there are as many as the call has: an entry does not have those that come back.
func (a Arguments) Whole() bool { return len(a.list) == len(names[a.call]) }

// Address is what was bound, connected to or accepted from, or is the name of a socket; invalid if there is none.
func (a Arguments) Address() netip.AddrPort {
	const v6 = `{sa_family=AF_INET6, sin6_port=htons(%d), sin6_flowinfo=htonl(%d), inet_pton(AF_INET6, %q, &sin6_addr), sin6_scope_id=`
	var (
		port            uint16
		flow, index     uint32
		host, zone, arg = "", "", a.get("addr")
	)
	switch {
	case scan(arg, `{sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr(%q)}`, &port, &host):
	case scan(arg, v6+"if_nametoindex(%q)}", &port, &flow, &host, &zone):
	case scan(arg, v6+"0}", &port, &flow, &host):
	case scan(arg, v6+"%d}", &port, &flow, &host, &index):
		zone = strconv.FormatUint(uint64(index), 10)
	default:
		return netip.AddrPort{}
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Zone() != "" {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip.WithZone(zone), port)
}

// scan reads what is written in a form, and in no other.
func scan(arg, form string, into ...any) bool {
	const end = "\x00"
	_, err := fmt.Sscanf(arg+end, form+end, into...)
	return err == nil && !strings.Contains(arg, "\n")
}

// How is shutdown's: "SHUT_WR".
func (a Arguments) How() string { return a.get("how") }

// EndsSending says whether the call ends what its socket sends: close, or shutdown of that direction.
func (a Arguments) EndsSending() bool {
	return a.call == "close" || a.How() == "SHUT_WR" || a.How() == "SHUT_RDWR"
}

// EndsReading says whether it is shutdown of the other direction, or of both.
func (a Arguments) EndsReading() bool { return a.How() == "SHUT_RD" || a.How() == "SHUT_RDWR" }

// Data is what a read or a write shows of its bytes; not whole if there are more of them.
func (a Arguments) Data() (shown string, whole bool) {
	shown = a.get("buf")
	return shown, !strings.HasSuffix(shown, `"...`)
}

// Len is how many bytes a read or a write asks for; 0 if that is not there.
func (a Arguments) Len() int {
	n, err := strconv.Atoi(a.get("len"))
	if err != nil {
		return 0
	}
	return max(0, n)
}

// Flags are those of accept4, recvfrom and sendto; "" if there are none. SOCK_CLOEXEC, which every socket here has, is
// none by itself.
func (a Arguments) Flags() string {
	if flags := a.get("flags"); flags != "0" && flags != "SOCK_CLOEXEC" {
		return flags
	}
	return ""
}

// BesideStream says whether what a recvfrom gives stays in the stream, or was not of it.
func (a Arguments) BesideStream() bool {
	flags := strings.Split(a.get("flags"), "|")
	return slices.Contains(flags, "MSG_PEEK") || slices.Contains(flags, "MSG_OOB")
}

// Option is the name of the one that getsockopt and setsockopt are about.
func (a Arguments) Option() string { return a.get("optname") }

// SocketError is what getsockopt(SO_ERROR) gave: "ECONNRESET"; "" of other calls.
func (a Arguments) SocketError() string {
	if a.call != "getsockopt" || a.Option() != "SO_ERROR" {
		return ""
	}
	return strings.Trim(a.get("optval"), "[]")
}

// Linger is the value of SO_LINGER, Instructions is how many a filter has, Bytes how many there are of a value that is
// not shown whole.
type (
	Linger       struct{ OnOff, Seconds int32 }
	Instructions int
	Bytes        int
)

// straceShows is how many bytes of a string are written.
const straceShows = 32

// OptionValue is a [Linger], the [time.Duration] of SO_RCVTIMEO and SO_SNDTIMEO, [Instructions] or [Bytes]; else a
// string, as it is written.
func (a Arguments) OptionValue() any {
	var n, m int32
	var pointer uint64
	value, option, length := a.get("optval"), a.Option(), a.get("optlen")
	switch {
	case scan(value, "{len=%d, filter=0x%x}", &n, &pointer), scan(value, "{len=%d, filter=NULL}", &n):
		return Instructions(n)
	case scan(value, "{l_onoff=%d, l_linger=%d}", &n, &m):
		return Linger{n, m}
	case (option == "SO_RCVTIMEO" || option == "SO_SNDTIMEO") && scan(value, "{tv_sec=%d, tv_usec=%d}", &n, &m):
		return time.Duration(n)*time.Second + time.Duration(m)*time.Microsecond
	case strings.HasPrefix(value, `"`) && (scan(length, "[%d]", &m) && m > straceShows || scan(length, "[%d => %d]", &n, &m) && m > min(n, straceShows)):
		return Bytes(m)
	}
	return value
}

var (
	pointers = regexp.MustCompile(`0x[0-9a-f]{6,}( /\* \d+\.\.\d+ \*/)?`)
	varies   = regexp.MustCompile(`^\{sa_family|^\[\d+( => \d+)?\]$`)
)

// Lasting are those that are the same in every run: without the descriptor, addresses, numbers that the kernel may have
// written, and bytes that it has saved; for a pointer stands an N.
func (a Arguments) Lasting() (list []string) {
	for i, arg := range a.list {
		saved := a.call == "getsockopt" && strings.HasPrefix(arg, `"`)
		if (i > 0 || a.call == "socket") && !saved && !varies.MatchString(arg) {
			list = append(list, pointers.ReplaceAllString(arg, "N"))
		}
	}
	return list
}
