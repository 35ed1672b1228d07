package trace

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

func tracepoint618(t testing.TB) tracepoint {
	t.Helper()
	l, err := parseTracepoint(testdata(t, "format-6.18"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// values of a record.
type values struct {
	id, sock, from, to, sport, dport, family, protocol uint64
	saddr, daddr                                       string
}

func (v values) encode(l tracepoint) []byte {
	b := make([]byte, l.length())
	for name, n := range map[string]uint64{
		"common_type": v.id, "skaddr": v.sock, "oldstate": v.from, "newstate": v.to,
		"sport": v.sport, "dport": v.dport, "family": v.family, "protocol": v.protocol,
	} {
		f := l.layout[name]
		switch to := b[f.offset:f.end()]; f.size {
		case 1:
			to[0] = byte(n)
		case 2:
			native.PutUint16(to, uint16(n))
		case 4:
			native.PutUint32(to, uint32(n))
		case 8:
			native.PutUint64(to, n)
		}
	}
	for addr, to := range map[string][2]field{
		v.saddr: {l.layout["saddr"], l.layout["saddr_v6"]}, v.daddr: {l.layout["daddr"], l.layout["daddr_v6"]},
	} {
		if a, err := netip.ParseAddr(addr); err == nil {
			a4, a16 := [4]byte{}, a.As16()
			if a.Unmap().Is4() {
				a4 = a.Unmap().As4()
			}
			copy(b[to[0].offset:to[0].end()], a4[:])
			copy(b[to[1].offset:to[1].end()], a16[:])
		}
	}
	return b
}

func TestDecodeRecord(t *testing.T) {
	l := tracepoint618(t)
	some := values{id: l.id, sock: 0xffff888012345678, from: 1, to: 4, sport: 40000, dport: 7007,
		family: unix.AF_INET, protocol: unix.IPPROTO_TCP, saddr: "192.0.2.1", daddr: "192.0.2.2"}
	six := some
	six.family, six.saddr, six.daddr = unix.AF_INET6, "2001:db8::1", "::ffff:192.0.2.2"
	for _, c := range []struct {
		v    values
		want string
	}{
		{some, "192.0.2.1:40000 > 192.0.2.2:7007: ESTABLISHED to FIN-WAIT-1"},
		{six, "[2001:db8::1]:40000 > [::ffff:192.0.2.2]:7007: ESTABLISHED to FIN-WAIT-1"},
	} {
		r, ok, err := l.decode(12345, c.v.encode(l))
		if err != nil || !ok || r.String() != c.want {
			t.Errorf("got %v, %v, %v; want %v", r.Event, ok, err, c.want)
		}
		if r.stamp != 12345 || r.sock != c.v.sock {
			t.Errorf("got %+v", r)
		}
	}
}

func TestOtherRecordsAreLeftAlone(t *testing.T) {
	l := tracepoint618(t)
	for name, v := range map[string]values{
		"another tracepoint": {id: l.id + 1, from: 1, to: 4, protocol: unix.IPPROTO_TCP},
		"SCTP":               {id: l.id, from: 1, to: 4, protocol: unix.IPPROTO_SCTP},
		"MPTCP":              {id: l.id, from: 1, to: 4, protocol: unix.IPPROTO_MPTCP},
		"no transition":      {id: l.id, from: 5, to: 5, protocol: unix.IPPROTO_TCP},
	} {
		if r, ok, err := l.decode(0, v.encode(l)); ok || err != nil {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if _, ok, err := l.decode(0, values{id: l.id + 1}.encode(l)[:8]); ok || err != nil {
		t.Errorf("a shorter one of another tracepoint: %v", err)
	}
}

func TestShortRecords(t *testing.T) {
	l := tracepoint618(t)
	b := values{id: l.id, protocol: unix.IPPROTO_TCP}.encode(l)
	for n := range b {
		if _, ok, err := l.decode(0, b[:n]); ok || !errors.Is(err, errRecord) {
			t.Fatalf("%d bytes of %d: %v, %v", n, len(b), ok, err)
		}
	}
}

func TestUnknownStates(t *testing.T) {
	l := tracepoint618(t)
	r, ok, err := l.decode(0, values{id: l.id, from: 1, to: 99, protocol: unix.IPPROTO_TCP}.encode(l))
	if !ok || err != nil || r.To.String() != "UNKNOWN(99)" {
		t.Errorf("got %v, %v, %v", r.To, ok, err)
	}
}

// Linux 4.16 to 5.5 had the protocol in one byte, and everything after it one byte earlier.
func TestOlderLayout(t *testing.T) {
	old := testdata(t, "format-6.18")
	old = strings.Replace(old, "__u16 protocol;\toffset:30;\tsize:2", "__u8 protocol;\toffset:30;\tsize:1", 1)
	for now, then := range map[string]string{"offset:32;\tsize:4": "offset:31;\tsize:4", "offset:36;": "offset:35;", "offset:40;": "offset:39;", "offset:56;": "offset:55;"} {
		if !strings.Contains(old, now) {
			t.Fatalf("no %q", now)
		}
		old = strings.Replace(old, now, then, 1)
	}
	l, err := parseTracepoint(old)
	if err != nil {
		t.Fatal(err)
	}
	v := values{id: l.id, from: 2, to: 1, sport: 1, dport: 2, family: unix.AF_INET, protocol: unix.IPPROTO_TCP, saddr: "192.0.2.1", daddr: "192.0.2.2"}
	r, ok, err := l.decode(0, v.encode(l))
	if want := "192.0.2.1:1 > 192.0.2.2:2: SYN-SENT to ESTABLISHED"; !ok || err != nil || r.String() != want {
		t.Errorf("got %v, %v, %v; want %v", r, ok, err, want)
	}
}

func TestBadLayouts(t *testing.T) {
	good := testdata(t, "format-6.18")
	for _, change := range [][2]string{
		{"ID: 2287", "ID: many"},
		{"skaddr", "skaddress"},
		{"oldstate;\toffset:16;\tsize:4", "oldstate;\toffset:16;\tsize:3"},
		{"saddr[4];\toffset:32;\tsize:4", "saddr[4];\toffset:32;\tsize:5"},
		{"offset:40;\tsize:16", "offset:x;\tsize:16"},
		{"offset:40;\tsize:16", "size:16"},
		{"offset:40;\tsize:16", "offset:40;\tsize:99999999999999999999"},
		{"field:__u16 sport;", "field:;"},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("no %q", change[0])
		}
		if l, err := parseTracepoint(bad); err == nil {
			t.Errorf("%q: %+v", change[1], l)
		}
	}
}

func TestClosedIsNotTheEnd(t *testing.T) {
	for _, from := range tcpinfo.States() {
		want := from == tcpinfo.FinWait2 || from == tcpinfo.Closing
		if got := (Event{From: from, To: tcpinfo.Closed}).ClosedIsNotTheEnd(); got != want {
			t.Errorf("%v to CLOSED: %v", from, got)
		}
		if (Event{From: from, To: tcpinfo.Listen}).ClosedIsNotTheEnd() {
			t.Errorf("%v to LISTEN", from)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	l := tracepoint618(f)
	f.Add(values{id: l.id, from: 1, to: 4, family: unix.AF_INET, protocol: unix.IPPROTO_TCP, saddr: "192.0.2.1", daddr: "192.0.2.2"}.encode(l))
	f.Add(values{id: l.id, from: 1, to: 4, family: unix.AF_INET6, protocol: unix.IPPROTO_TCP, saddr: "2001:db8::1"}.encode(l)[:50])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok, err := l.decode(1, b)
		if ok && err != nil {
			t.Errorf("%v, and %v", r, err)
		}
		_ = r.String()
	})
}

// Any text gives a layout within which decode stays, or an error.
func FuzzParseTracepoint(f *testing.F) {
	f.Add(testdata(f, "format-6.18"))
	f.Add("ID: 1\nfield:int x[4];\toffset:3;\tsize:4;\n")
	record := make([]byte, 1<<17)
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parseTracepoint(text)
		if err != nil {
			return
		}
		native.PutUint16(record[:2], uint16(l.id))
		l.decode(1, record)
		l.decode(1, record[:l.length()])
		parsePageLayout(text)
	})
}
