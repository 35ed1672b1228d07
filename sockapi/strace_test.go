package sockapi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Most of the notation is compared with strace itself (strace_live_test.go); here is what must hold where strace is not
// installed.

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"":                                `""`,
		"hello\n":                         `"hello\n"`,
		"\"\\'":                           `"\"\\'"`,
		"\t\n\v\f\r":                      `"\t\n\v\f\r"`,
		"\x00\x01\x7f\xff":                `"\0\1\177\377"`,
		"\x001":                           `"\0001"`,
		"\x008":                           `"\08"`,
		strings.Repeat("a", 32):           `"` + strings.Repeat("a", 32) + `"`,
		strings.Repeat("a", 33):           `"` + strings.Repeat("a", 32) + `"...`,
		strings.Repeat("a", 31) + "\x007": `"` + strings.Repeat("a", 31) + `\0"...`,
	} {
		if got := quoted([]byte(in)); got != want {
			t.Errorf("%q: %s; want %s", in, got, want)
		}
	}
}

func TestFlagNotation(t *testing.T) {
	for got, want := range map[string]string{
		sockTypeName(unix.SOCK_STREAM):                                "SOCK_STREAM",
		sockTypeName(unix.SOCK_STREAM | unix.SOCK_CLOEXEC):            "SOCK_STREAM|SOCK_CLOEXEC",
		(&Call{Name: "accept4"}).FlagNames():                          "0",
		(&Call{}).FlagNames():                                         "0",
		(&Call{Flags: unix.MSG_PEEK | unix.MSG_DONTWAIT}).FlagNames(): "MSG_PEEK|MSG_DONTWAIT",
		(&Call{Flags: unix.MSG_PEEK | 0x2000000}).FlagNames():         "MSG_PEEK|0x2000000",
		(&Call{Flags: 0x2000000}).FlagNames():                         "0x2000000 /* MSG_??? */",
		named(shutdownNames, unix.SHUT_WR, "SHUT_???"):                "SHUT_WR",
		named(shutdownNames, -1, "SHUT_???"):                          "0xffffffff /* SHUT_??? */",
		named(familyNames, unix.AF_INET6, "AF_???"):                   "AF_INET6",
		protocolName(unix.AF_INET, 0):                                 "IPPROTO_IP",
		protocolName(unix.AF_UNIX, 0):                                 "0",
	} {
		if got != want {
			t.Errorf("%s; want %s", got, want)
		}
	}
}

func TestErrnoName(t *testing.T) {
	for e, want := range map[unix.Errno]string{
		0: "", unix.ECONNREFUSED: "ECONNREFUSED", unix.EAGAIN: "EAGAIN", unix.EOPNOTSUPP: "EOPNOTSUPP", 9999: "9999",
	} {
		if got := ErrnoName(e); got != want {
			t.Errorf("%d: %q; want %q", int(e), got, want)
		}
	}
}

func TestPortRangeNotation(t *testing.T) {
	for r, want := range map[PortRange]string{
		{40000, 40002}: "[0x9c429c40 /* 40000..40002 */]",
		{0, 40002}:     "[0x9c420000 /* ..40002 */]",
		{40000, 0}:     "[0x9c40 /* 40000.. */]",
		{9, 8}:         "[0x80009]",
		{}:             "[0]",
	} {
		if got := showPortRange(r.number()); got != want {
			t.Errorf("%v: %s; want %s", r, got, want)
		}
	}
}

func TestFilterNotation(t *testing.T) {
	c := Call{Name: "setsockopt", FD: 3, Option: SO_ATTACH_FILTER.o.OptionID, Len: unix.SizeofSockFprog, Value: dropAll}
	want := fmt.Sprintf("3, SOL_SOCKET, SO_ATTACH_FILTER, {len=1, filter=%p}, %d", dropAll, unix.SizeofSockFprog)
	if got := strings.Join(c.Args(), ", "); got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

func TestSockaddrNotation(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1:7007":     `{sa_family=AF_INET, sin_port=htons(7007), sin_addr=inet_addr("127.0.0.1")}`,
		"[::1]:7007":         `{sa_family=AF_INET6, sin6_port=htons(7007), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}`,
		"[::ffff:1.2.3.4]:1": `{sa_family=AF_INET6, sin6_port=htons(1), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::ffff:1.2.3.4", &sin6_addr), sin6_scope_id=0}`,
		"[fe80::1%eth0]:1":   `{sa_family=AF_INET6, sin6_port=htons(1), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "fe80::1", &sin6_addr), sin6_scope_id=if_nametoindex("eth0")}`,
		"[fe80::1%3]:1":      `{sa_family=AF_INET6, sin6_port=htons(1), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "fe80::1", &sin6_addr), sin6_scope_id=3}`,
		"[2001:db8::1%2]:1":  `{sa_family=AF_INET6, sin6_port=htons(1), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=2}`,
		"invalid":            `{sa_family=AF_UNSPEC, sa_data="\0\0\0\0\0\0\0\0\0\0\0\0\0\0"}`,
	} {
		addr, _ := netip.ParseAddrPort(in)
		if got := (&Call{Addr: addr}).sockaddr(); got != want {
			t.Errorf("%s: %s; want %s", in, got, want)
		}
	}
	ip := netip.MustParseAddr("fe80::1%2")
	if got := scopeID(ip, 2, "eth0"); got != `if_nametoindex("eth0")` {
		t.Errorf("an interface by its number: %s", got)
	}
}

// FuzzQuote: what is quoted can be read back, as C would read it.
func FuzzQuote(f *testing.F) {
	f.Add([]byte("hello\n"))
	f.Add([]byte("\x001\x0012\xff9\x7f\"\\"))
	f.Add(bytes.Repeat([]byte{0}, 40))
	f.Fuzz(func(t *testing.T, p []byte) {
		q, cut := strings.CutSuffix(quoted(p), "...")
		if cut != (len(p) > quotedBytes) {
			t.Fatalf("%q: %s", p, q)
		}
		if got := unquoteC(t, q); got != string(p[:min(len(p), quotedBytes)]) {
			t.Fatalf("%q is quoted as %s, which reads %q", p, q, got)
		}
	})
}

// unquoteC reads a C string literal.
func unquoteC(t *testing.T, q string) string {
	if len(q) < 2 || q[0] != '"' || q[len(q)-1] != '"' {
		t.Fatalf("not quoted: %s", q)
	}
	var out []byte
	for q = q[1 : len(q)-1]; q != ""; {
		c := q[0]
		q = q[1:]
		if c == '"' || c < ' ' || c > '~' {
			t.Fatalf("%q is not escaped", c)
		}
		if c != '\\' {
			out = append(out, c)
			continue
		}
		if i := strings.IndexByte(`tnvfr"\`, q[0]); i >= 0 {
			out = append(out, "\t\n\v\f\r\"\\"[i])
			q = q[1:]
			continue
		}
		digits := 0
		for digits < min(3, len(q)) && q[digits] >= '0' && q[digits] <= '7' {
			digits++
		}
		n, err := strconv.ParseUint(q[:digits], 8, 8)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, byte(n))
		q = q[digits:]
	}
	return string(out)
}

// FuzzSockaddr: an address that is read from whatever the kernel writes is written the same.
func FuzzSockaddr(f *testing.F) {
	for _, s := range []string{"127.0.0.1:7007", "[::1]:7007", "[fe80::1%2]:1"} {
		var a sockaddr
		size, _ := a.encode(netip.MustParseAddrPort(s), func(string) (uint32, unix.Errno) { return 2, 0 })
		f.Add(a[:size])
	}
	f.Add([]byte{})
	f.Add(binary.NativeEndian.AppendUint16(nil, unix.AF_INET6))
	f.Fuzz(func(t *testing.T, b []byte) {
		name := func(i uint32) string { return strconv.FormatUint(uint64(i), 10) }
		addr := decodeSockaddr(b, name)
		if !addr.IsValid() {
			return
		}
		var a sockaddr
		size, errno := a.encode(addr, func(zone string) (uint32, unix.Errno) {
			n, err := strconv.ParseUint(zone, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			return uint32(n), 0
		})
		if back := decodeSockaddr(a[:size], name); errno != 0 || back != addr {
			t.Fatalf("%v is written as % x, which reads %v", addr, a[:size], back)
		}
	})
}

// FuzzOptionValues: values of any length are read and shown.
func FuzzOptionValues(f *testing.F) {
	for n := range 17 {
		f.Add(bytes.Repeat([]byte{0xff}, n), int32(n))
	}
	f.Fuzz(func(t *testing.T, b []byte, number int32) {
		for _, v := range []any{nil, true, 1, time.Second, Linger{}, PortRange{}, unix.Errno(0), uint64(0), []byte{}, []unix.SockFilter{}} {
			set := Call{Name: "setsockopt", Buf: b, Len: len(b), Value: v}
			got := Call{Name: "getsockopt", Buf: b, Len: len(b) + 1, LenBack: int(number), Value: v, Returned: time.Now()}
			for _, c := range []Call{set, got, *got.Clone()} {
				if c.OptionValue() == "" {
					t.Fatalf("% x is shown as nothing", b)
				}
			}
		}
		SO_LINGER.ReadOnly.o.decode(b)
		IP_LOCAL_PORT_RANGE.ReadOnly.o.decode(b)
		SO_RCVTIMEO.ReadOnly.o.decode(b)
		SO_COOKIE.o.decode(b)
	})
}
