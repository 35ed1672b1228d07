package tcpinfo

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listsBound tells whether sock_diag has sockets that are bound and no more.
func listsBound(c *Conn) bool { return !c.kernel.before(release{6, 8}) }

func dial(t testing.TB) *Conn {
	t.Helper()
	c, err := Dial()
	if errors.Is(err, ErrNotSupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Every state, of either family: found exactly, and in a dump, with what the state should come with; and as ss(8) and
// /proc/net/tcp show it.
func TestEveryState(t *testing.T) {
	for _, e := range mixEnds {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			c := dial(t)
			m := newMix(t, e)
			m.settle(c)
			t.Run("lookup", func(t *testing.T) { testMixLookup(t, c, m) })
			t.Run("dump", func(t *testing.T) { testMixDump(t, c, m) })
			t.Run("sockets", func(t *testing.T) { testMixSockets(t, c, m) })
			t.Run("ss", func(t *testing.T) { testMixSS(t, c, m) })
			t.Run("proc", func(t *testing.T) { testMixProc(t, c, m) })
		})
	}
}

func testMixLookup(t *testing.T, c *Conn, m *mix) {
	seen := map[State]bool{}
	for _, want := range m.list {
		s, err := c.Lookup(want.local, want.remote, 0)
		if err != nil {
			t.Errorf("%v: %v", want, err)
			continue
		}
		seen[s.State] = true
		checkSpecimen(t, m, want, s)
		again, err := c.Lookup(want.local, want.remote, s.Cookie)
		if err != nil || again.Cookie != s.Cookie {
			t.Errorf("%v by its cookie %d: %v", want, s.Cookie, err)
		}
		if _, err := c.Lookup(want.local, want.remote, s.Cookie+1<<40); !errors.Is(err, ErrNotFound) || !errors.Is(err, unix.ENOENT) {
			t.Errorf("%v by a wrong cookie: %v", want, err)
		}
	}
	for _, s := range States() {
		if !seen[s] && (s != Closed || listsBound(c)) {
			t.Errorf("no specimen in %v", s)
		}
	}
}

func testMixDump(t *testing.T, c *Conn, m *mix) {
	list := m.dump(c)
	for _, want := range m.list {
		n := 0
		for _, s := range list {
			if s.Local == want.local && s.Remote == want.remote {
				n++
				checkSpecimen(t, m, want, s)
			}
		}
		if n != 1 {
			t.Errorf("%v: %d times in the dump", want, n)
		}
	}
}

// checkSpecimen compares with what was arranged, and with what the descriptor says.
func checkSpecimen(t *testing.T, m *mix, want specimen, s Socket) {
	t.Helper()
	if s.State != want.state || s.Local != want.local || s.Remote != want.remote {
		t.Errorf("%v: %v, %v > %v", want, s.State, s.Local, s.Remote)
	}
	if family := m.family(want); s.Family != family {
		t.Errorf("%v: family %d, want %d", want, s.Family, family)
	}
	if want.check != nil {
		want.check(t, s)
	}
	if len(s.Unknown) > 0 && running().before(release{6, 19}) {
		t.Errorf("%v: attributes that are not known: %v", want, s.Unknown)
	}
	if s.State == TimeWait && (s.Timer.Expires <= 0 || s.Timer.Expires > time.Minute) {
		t.Errorf("%v: ends in %v", want, s.Timer.Expires)
	}
	if want.fd != nil {
		checkDescriptor(t, want, s)
	}
}

// family is the socket's: both ends of a connection can differ.
func (m *mix) family(s specimen) uint8 {
	if m.mappedOnServer && s.local.Addr().Is4() {
		return m.clientFamily
	}
	return m.serverFamily
}

// checkDescriptor compares with getsockopt on the same socket.
func checkDescriptor(t *testing.T, want specimen, s Socket) {
	t.Helper()
	if cookie := want.fd.cookie(); s.Cookie != cookie {
		t.Errorf("%v: cookie %d, SO_COOKIE is %d", want, s.Cookie, cookie)
	}
	var st unix.Stat_t
	if err := unix.Fstat(want.fd.fd, &st); err != nil || uint64(s.Inode) != st.Ino || s.UID != st.Uid {
		t.Errorf("%v: inode %d of user %d, fstat says %d of %d (%v)", want, s.Inode, s.UID, st.Ino, st.Uid, err)
	}
	rcvbuf, err := unix.GetsockoptInt(want.fd.fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	if err != nil || s.Mem == nil || int(s.Mem.Rcvbuf) != rcvbuf {
		t.Errorf("%v: memory %+v, SO_RCVBUF is %d (%v)", want, s.Mem, rcvbuf, err)
	}
	if s.State == Closed {
		return // bound only: TCP_INFO and congestion control are not reported
	}
	cong, err := unix.GetsockoptString(want.fd.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	if err != nil || s.Cong != cong {
		t.Errorf("%v: congestion control %q, TCP_CONGESTION is %q (%v)", want, s.Cong, cong, err)
	}
	info, err := Get(want.fd)
	if err != nil || s.Info == nil {
		t.Fatalf("%v: no TCP_INFO (%v)", want, err)
	}
	sameInfo(t, want, info, *s.Info)
	tos, err := unix.GetsockoptInt(want.fd.fd, unix.IPPROTO_IP, unix.IP_TOS)
	if err == nil && (s.TOS == nil || int(*s.TOS) != tos) {
		t.Errorf("%v: TOS %v, IP_TOS is %d", want, s.TOS, tos)
	}
}

// sameInfo compares what stands still: sock_diag and getsockopt tell the same story.
func sameInfo(t *testing.T, want specimen, a, b Info) {
	t.Helper()
	if a.Len != b.Len {
		t.Errorf("%v: getsockopt gives %d bytes of tcp_info, sock_diag %d", want, a.Len, b.Len)
	}
	for _, name := range []string{"state", "options", "snd_wscale", "rcv_wscale", "snd_mss", "advmss", "pmtu", "bytes_received",
		"reordering", "rcv_space", "max_pacing_rate"} {
		x, hasX := a.Value(name)
		y, hasY := b.Value(name)
		if x != y || hasX != hasY {
			t.Errorf("%v: %s is %d by getsockopt and %d by sock_diag", want, name, x, y)
		}
	}
}
