package timeline

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// told is what the arguments of a call say, without what is not there.
func told(a Arguments) string {
	var words []string
	say := func(what string, v any) {
		if s := fmt.Sprint(v); s != "" && s != "0" && s != "false" && s != "invalid AddrPort" {
			words = append(words, what+" "+s)
		}
	}
	data, whole := a.Data()
	say("address", a.Address())
	say("how", a.How())
	say("ends sending", a.EndsSending())
	say("ends reading", a.EndsReading())
	say("data", data)
	say("cut", !whole)
	say("len", a.Len())
	say("flags", a.Flags())
	say("beside", a.BesideStream())
	say("option", a.Option())
	if v := a.OptionValue(); v != "" {
		say("value", fmt.Sprintf("%T %v", v, v))
	}
	say("error", a.SocketError())
	return strings.Join(words, ", ")
}

// Each call says what it was made with: what sockapi writes is read again.
func TestArguments(t *testing.T) {
	t.Parallel()
	option := func(name, opt string, length, back int, buf []byte, v any) sockapi.Call {
		return sockapi.Call{Name: name, FD: 3, Option: sockapi.OptionID{LevelName: "SOL_SOCKET", Name: opt},
			Len: length, LenBack: back, Buf: buf, Value: v, Returned: time.Now()}
	}
	at := netip.MustParseAddrPort
	back, long := time.Now(), []byte(strings.Repeat("a", 33))
	linger := append(slices.Repeat([]byte{1}, 4), 0, 0, 0, 0)
	for _, c := range []struct {
		call sockapi.Call
		want string
	}{
		{sockapi.Call{Name: "socket", FD: 3, Domain: unix.AF_INET, Type: unix.SOCK_STREAM}, ""},
		{sockapi.Call{Name: "bind", FD: 3, Addr: at("0.0.0.0:0")}, "address 0.0.0.0:0"},
		{sockapi.Call{Name: "connect", FD: 3, Addr: at("127.0.0.1:7007")}, "address 127.0.0.1:7007"},
		{sockapi.Call{Name: "connect", FD: 3, Addr: at("[::1]:65535")}, "address [::1]:65535"},
		{sockapi.Call{Name: "connect", FD: 3, Addr: at("[::ffff:127.0.0.1]:80")}, "address [::ffff:127.0.0.1]:80"},
		{sockapi.Call{Name: "connect", FD: 3, Addr: at("[fe80::1%lo]:7")}, "address [fe80::1%lo]:7"},
		{sockapi.Call{Name: "connect", FD: 3, Addr: at("[fe80::1%77]:7")}, "address [fe80::1%77]:7"},
		{sockapi.Call{Name: "connect", FD: 3}, ""}, // AF_UNSPEC
		{sockapi.Call{Name: "accept4", FD: 3, Addr: at("127.0.0.1:7"), Flags: unix.SOCK_CLOEXEC, Returned: back}, "address 127.0.0.1:7"},
		{sockapi.Call{Name: "accept4", FD: 3, Flags: unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK, Errno: unix.EAGAIN, Returned: back}, "flags SOCK_CLOEXEC|SOCK_NONBLOCK"},
		{sockapi.Call{Name: "getsockname", FD: 3, Addr: at("127.0.0.1:7"), Returned: back}, "address 127.0.0.1:7"},
		{sockapi.Call{Name: "getpeername", FD: 3, Errno: unix.ENOTCONN, Returned: back}, ""},
		{sockapi.Call{Name: "listen", FD: 3, Backlog: 5}, ""},
		{sockapi.Call{Name: "shutdown", FD: 3, How: unix.SHUT_RD}, "how SHUT_RD, ends reading true"},
		{sockapi.Call{Name: "shutdown", FD: 3, How: unix.SHUT_WR}, "how SHUT_WR, ends sending true"},
		{sockapi.Call{Name: "shutdown", FD: 3, How: unix.SHUT_RDWR}, "how SHUT_RDWR, ends sending true, ends reading true"},
		{sockapi.Call{Name: "close", FD: 3}, "ends sending true"},
		{sockapi.Call{Name: "write", FD: 3, Buf: []byte("a\n"), Len: 2}, `data "a\n", len 2`},
		{sockapi.Call{Name: "write", FD: 3, Buf: long, Len: 33}, `data "` + string(long[:32]) + `"..., cut true, len 33`},
		{sockapi.Call{Name: "read", FD: 3, Len: 99, Returned: back}, `data "", len 99`},
		{sockapi.Call{Name: "read", FD: 3, Len: 99, Errno: unix.EAGAIN, Returned: back, Ptr: 0xc000}, "data 0xc000, len 99"},
		{sockapi.Call{Name: "sendto", FD: 3, Buf: []byte("!"), Len: 1, Flags: unix.MSG_OOB}, `data "!", len 1, flags MSG_OOB, beside true`},
		{sockapi.Call{Name: "recvfrom", FD: 3, Buf: []byte("!"), Len: 9, Ret: 1, Returned: back}, `data "!", len 9`},
		{sockapi.Call{Name: "recvfrom", FD: 3, Buf: []byte("!"), Len: 9, Ret: 1, Flags: unix.MSG_PEEK | unix.MSG_DONTWAIT, Returned: back},
			`data "!", len 9, flags MSG_PEEK|MSG_DONTWAIT, beside true`},
		{option("setsockopt", "SO_LINGER", 8, 0, linger, sockapi.Linger{}), "option SO_LINGER, value timeline.Linger {16843009 0}"},
		{option("setsockopt", "SO_SNDTIMEO", 16, 0, nil, time.Second), `option SO_SNDTIMEO, value string ""`}, // cut
		{option("setsockopt", "SO_ATTACH_FILTER", 16, 0, nil, make([]unix.SockFilter, 2)), "option SO_ATTACH_FILTER, value timeline.Instructions 2"},
		{option("getsockopt", "TCP_SAVED_SYN", 512, 60, long[:32], long[:32]), "option TCP_SAVED_SYN, value timeline.Bytes 60"},
		{option("getsockopt", "TCP_CONGESTION", 16, 5, []byte("cubic"), []byte("cubic")), `option TCP_CONGESTION, value string "cubic"`},
		{option("setsockopt", "SO_RCVBUF", 4, 0, slices.Repeat([]byte{1}, 4), 0), "option SO_RCVBUF, value string [16843009]"},
		{option("getsockopt", "SO_ERROR", 4, 4, binary.NativeEndian.AppendUint32(nil, uint32(unix.EPIPE)), unix.EPIPE), "option SO_ERROR, value string [EPIPE], error EPIPE"},
	} {
		a := Arguments{c.call.Name, c.call.Args()}
		if got := told(a); got != c.want {
			t.Errorf("%s%q\nsays %s\nwant %s", a.call, a.list, got, c.want)
		}
		if known := len(names[a.call]) > 0; known != a.Whole() {
			t.Errorf("%s%q: whole %v", a.call, a.list, a.Whole())
		}
	}
}

// A record may be cut, or made by anybody: what is of no shape that a call has is not there.
func TestArgumentsThatNobodyMade(t *testing.T) {
	t.Parallel()
	const sockaddr = `{sa_family=AF_INET, sin_port=htons(%s), sin_addr=inet_addr("%s")}`
	for _, c := range []struct{ call, args, want string }{
		{"", "", ""},
		{"connect", "", ""},
		{"connect", "3", ""},
		{"connect", "3|0x7ffe|[16]", ""},
		{"connect", "3|" + fmt.Sprintf(sockaddr, "70000", "127.0.0.1"), ""},
		{"connect", "3|" + fmt.Sprintf(sockaddr, "7", "nowhere"), ""},
		{"connect", "3|" + fmt.Sprintf(sockaddr, "7", "::1%lo"), ""},
		{"connect", "3|" + fmt.Sprintf(sockaddr, "7", "::1") + "\n", ""},
		{"write", "3|" + fmt.Sprintf(sockaddr, "7", "127.0.0.1"), "data " + fmt.Sprintf(sockaddr, "7", "127.0.0.1")},
		{"close", "SHUT_RD", "ends sending true"},
		{"close", "", "ends sending true"},
		{"shutdown", "3", ""},
		{"shutdown", "3|", ""},
		{"shutdown", "3|0x7 /* SHUT_??? */", "how 0x7 /* SHUT_??? */"},
		{"write", "3|SHUT_WR|SHUT_WR|SHUT_WR", "data SHUT_WR"},
		{"read", `3|"a"`, `data "a"`},
		{"read", `3|"..."...|-1`, `data "..."..., cut true`},
		{"read", `3||many`, ""},
		{"write", `3|"a"|99999999999999999999`, `data "a"`},
		{"write", `3|"a"|1|MSG_PEEK`, `data "a", len 1`},
		{"recvfrom", `3|"a"|1|NO_MSG_PEEK`, `data "a", len 1, flags NO_MSG_PEEK`},
		{"getsockopt", "3|SOL_SOCKET|SO_ERROR", "option SO_ERROR"},
		{"setsockopt", "3|SOL_SOCKET|SO_ERROR|[EPIPE]|4", "option SO_ERROR, value string [EPIPE]"},
		{"getsockopt", "3|SOL_SOCKET|SO_ERROR|[[|[4]", "option SO_ERROR, value string [["},
		{"setsockopt", "3|SOL_SOCKET|SO_LINGER|{l_onoff=1, l_linger=99999999999}|8", "option SO_LINGER, value string {l_onoff=1, l_linger=99999999999}"},
		{"setsockopt", "3|SOL_SOCKET|SO_LINGER|{l_onoff=1, l_linger=2|8", "option SO_LINGER, value string {l_onoff=1, l_linger=2"},
		{"setsockopt", "3|SOL_SOCKET|SO_LINGER|{l_onoff=1, l_linger=2}}|8", "option SO_LINGER, value string {l_onoff=1, l_linger=2}}"},
		{"setsockopt", "3|SOL_SOCKET|SO_ATTACH_FILTER|{len=0, filter=NULL}|16", "option SO_ATTACH_FILTER, value timeline.Instructions 0"},
		{"setsockopt", "3|SOL_SOCKET|SO_LINGER|{l_onoff=-1, l_linger=-2}|8", "option SO_LINGER, value timeline.Linger {-1 -2}"},
		{"setsockopt", "3|SOL_SOCKET|SO_RCVTIMEO|{tv_sec=1, tv_usec=50000}|16", "option SO_RCVTIMEO, value time.Duration 1.05s"},
		{"setsockopt", "3|SOL_SOCKET|SO_OTHER|{tv_sec=1, tv_usec=50000}|16", "option SO_OTHER, value string {tv_sec=1, tv_usec=50000}"},
		{"getsockopt", `3|SOL_TCP|X|"a"...|[33]`, "option X, value timeline.Bytes 33"},
		{"getsockopt", `3|SOL_TCP|X|"a"...|[32 => 33]`, "option X, value timeline.Bytes 33"},
		{"getsockopt", `3|SOL_TCP|X|"a"...|[33 => 9999999999]`, `option X, value string "a"...`},
		{"getsockopt", `3|SOL_TCP|X|"a"|[20]`, `option X, value string "a"`},
		{"getsockopt", `3|SOL_TCP|X|"a"|[20 => 30]`, "option X, value timeline.Bytes 30"},
		{"getsockopt", `3|SOL_TCP|X|"a"...|33`, `option X, value string "a"...`},
		{"sendmsg", "3|a|b|c|d|e|f|g", ""},
	} {
		a := Arguments{call: c.call}
		if c.args != "" {
			a.list = strings.Split(c.args, "|")
		}
		if got := told(a); got != c.want {
			t.Errorf("%s%q\nsays %s\nwant %s", a.call, a.list, got, c.want)
		}
		for _, e := range []*Enter{Alone(&Call{Call: a.call, Args: a.list}), {Call: a.call, Args: a.list[:len(a.list)/2]}} {
			told(e.Arguments()) // an entry has fewer: it does not panic
		}
		if lasting := a.Lasting(); len(lasting) > len(a.list) {
			t.Errorf("%s%q: %q", a.call, a.list, lasting)
		}
	}
}

// An entry has what is passed in, and nothing of what comes back.
func TestTheEntrysArguments(t *testing.T) {
	t.Parallel()
	to, buf := netip.MustParseAddrPort("127.0.0.1:7"), []byte("a")
	id := sockapi.OptionID{LevelName: "SOL_SOCKET", Name: "SO_ERROR"}
	for _, c := range []struct {
		call        sockapi.Call
		live, alone string
	}{
		{sockapi.Call{Name: "read", FD: 3, Buf: buf, Len: 1, Ret: 1}, "3", "3"},
		{sockapi.Call{Name: "recvfrom", FD: 3, Buf: buf, Len: 1}, "3", "3"},
		{sockapi.Call{Name: "recvfrom", FD: 3, Buf: buf, Len: 1, Flags: unix.MSG_PEEK}, "3 MSG_PEEK", "3"},
		{sockapi.Call{Name: "sendto", FD: 3, Buf: buf, Len: 1, Flags: unix.MSG_OOB}, `3 "a" 1 MSG_OOB NULL 0`, `3 "a" 1 MSG_OOB NULL 0`},
		{sockapi.Call{Name: "accept4", FD: 3, Addr: to, Flags: unix.SOCK_CLOEXEC}, "3", "3"},
		{sockapi.Call{Name: "accept4", FD: 3, Addr: to, Flags: unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK}, "3 SOCK_CLOEXEC|SOCK_NONBLOCK", "3"},
		{sockapi.Call{Name: "getsockname", FD: 3, Addr: to}, "3", "3"},
		{sockapi.Call{Name: "getpeername", FD: 3, Addr: to}, "3", "3"},
		{sockapi.Call{Name: "getsockopt", FD: 3, Option: id}, "3 SOL_SOCKET SO_ERROR", "3 SOL_SOCKET SO_ERROR"},
		{sockapi.Call{Name: "ioctl", FD: 3, Request: unix.SIOCINQ}, "3 FIONREAD", "3 FIONREAD"},
		{sockapi.Call{Name: "shutdown", FD: 3, How: unix.SHUT_WR}, "3 SHUT_WR", "3 SHUT_WR"},
		{sockapi.Call{Name: "close", FD: 3}, "3", "3"},
	} {
		if got := strings.Join(EntryOf(&c.call, 1).Arguments().Written(), " "); got != c.live {
			t.Errorf("%s: %s, want %s", c.call.Name, got, c.live)
		}
		one := &Call{Call: c.call.Name, Args: c.call.Args()}
		if got := strings.Join(Alone(one).Arguments().Written(), " "); got != c.alone {
			t.Errorf("%s in one event: %s, want %s", c.call.Name, got, c.alone)
		}
	}
}

// Two runs of a lesson have these in common, and no more.
func TestLastingArguments(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]Arguments{
		"AF_INET SOCK_STREAM IPPROTO_IP": {"socket", []string{"AF_INET", "SOCK_STREAM", "IPPROTO_IP"}},
		"16":                             {"connect", []string{"3", `{sa_family=AF_INET, sin_port=htons(7), sin_addr=inet_addr("::")}`, "16"}},
		"N SOCK_CLOEXEC":                 {"accept4", []string{"3", "0x7ffc12345678", "[28 => 16]", "SOCK_CLOEXEC"}},
		`"a" 1`:                          {"write", []string{"3", `"a"`, "1"}},
		"SOL_TCP TCP_SAVED_SYN":          {"getsockopt", []string{"3", "SOL_TCP", "TCP_SAVED_SYN", `"a"...`, "[60]"}},
		"":                               {"close", []string{"3"}},
	} {
		if got := strings.Join(a.Lasting(), " "); got != want {
			t.Errorf("%s%q: %s, want %s", a.call, a.list, got, want)
		}
	}
}

// As people write them: an address, the beginning of data, and no lengths that go without saying. What nobody made
// stays as it is.
func TestBriefArguments(t *testing.T) {
	v4, v6 := `{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}`, `{sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}`
	for _, c := range []struct {
		call string
		args []string
		want string
	}{
		{"socket", []string{"AF_INET", "SOCK_STREAM|SOCK_CLOEXEC", "IPPROTO_IP"}, "AF_INET, SOCK_STREAM|SOCK_CLOEXEC"},
		{"bind", []string{"3", v4, "16"}, "3, 127.0.0.1:80"},
		{"connect", []string{"3", v6, "28"}, "3, [::1]:80"},
		{"accept4", []string{"3", v4, "[16]", "SOCK_CLOEXEC"}, "3, 127.0.0.1:80"},
		{"accept4", []string{"3"}, "3"},
		{"getpeername", []string{"3", v4, "[16]"}, "3, 127.0.0.1:80, [16]"},
		{"write", []string{"3", `"twenty characters, n"`, "20"}, `3, "twenty characters, n", 20`},
		{"write", []string{"3", `"twenty characters,\r\n!"`, "21"}, `3, "twenty character"..., 21`},
		{"write", []string{"3", `"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"...`, "9000"}, `3, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"..., 9000`},
		{"write", []string{"3", `"abc"...`, "9000"}, `3, "abc"..., 9000`},
		{"setsockopt", []string{"3", "SOL_SOCKET", "SO_REUSEADDR", "[1]", "4"}, "3, SOL_SOCKET, SO_REUSEADDR, [1]"},
		{"connect", []string{"3", "x", "y", "z", "more"}, "3, x"},
		{"read", []string{"3", `"`, "1", "2", "3"}, `3, ", 1, 2, 3`},
		{"dance", []string{"3", v4}, "3, " + v4},
	} {
		if got := strings.Join((&Call{Call: c.call, Args: c.args}).Arguments().Brief(), ", "); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.call, c.args, got, c.want)
		}
	}
}
