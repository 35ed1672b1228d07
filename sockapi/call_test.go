package sockapi

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var address = regexp.MustCompile(`0x[0-9a-f]+`)

// Before the kernel has written something, its place is an address.
func TestEnterShowsInputs(t *testing.T) {
	var rec recorder
	c, s := newPair(t, &rec)
	_, _ = c.Write([]byte("hi\n"))
	_, _ = s.Read(make([]byte, 10))
	_, _ = SO_RCVBUF.SetGet(c, 1000)
	cfd, sfd := c.FD(), s.FD()
	must(t, c.Close())
	want := []string{
		fmt.Sprintf(`write(%d, "hi\n", 3)`, cfd),
		fmt.Sprintf(`read(%d, PTR, 10)`, sfd),
		fmt.Sprintf(`setsockopt(%d, SOL_SOCKET, SO_RCVBUF, [1000], 4)`, cfd),
		fmt.Sprintf(`getsockopt(%d, SOL_SOCKET, SO_RCVBUF, PTR, [4])`, cfd),
		fmt.Sprintf(`close(%d)`, cfd),
	}
	got := rec.entered[len(rec.entered)-len(want):]
	for i := range got {
		if got := address.ReplaceAllString(got[i], "PTR"); got != want[i] {
			t.Errorf("entered %s; want %s", got, want[i])
		}
	}
	if len(rec.entered) != len(rec.calls) {
		t.Errorf("%d entered, %d returned", len(rec.entered), len(rec.calls))
	}
}

func TestCallFields(t *testing.T) {
	var rec recorder
	l, at := newListener(t, loopback4, 1, &rec)
	c := newSocket(t, unix.AF_INET, 0, &rec)
	must(t, c.Connect(at))
	s, peer, err := l.Accept4(0)
	must(t, err)
	defer closeQuietly(s)
	_, _ = c.Getpeername()
	_, _ = SO_LINGER.SetGet(c, Linger{true, 7})
	_, _ = c.Send([]byte("!"), unix.MSG_OOB)
	_ = c.Shutdown(unix.SHUT_WR)
	for _, want := range []Call{
		{Name: "socket", FD: c.FD(), Domain: unix.AF_INET, Type: unix.SOCK_STREAM | unix.SOCK_CLOEXEC, Ret: c.FD()},
		{Name: "bind", FD: l.FD(), Addr: netip.AddrPortFrom(loopback4, 0), Len: 16},
		{Name: "listen", FD: l.FD(), Backlog: 1},
		{Name: "getsockname", FD: l.FD(), Addr: at, Len: 16, LenBack: 16},
		{Name: "connect", FD: c.FD(), Addr: at, Len: 16},
		{Name: "accept4", FD: l.FD(), Addr: peer, Flags: unix.SOCK_CLOEXEC, Len: 16, LenBack: 16, Ret: s.FD()},
		{Name: "getpeername", FD: c.FD(), Addr: at, Len: 16, LenBack: 16},
		{Name: "setsockopt", FD: c.FD(), Option: SO_LINGER.ReadOnly.o.OptionID, Value: Linger{true, 7}, Len: 8},
		{Name: "getsockopt", FD: c.FD(), Option: SO_LINGER.ReadOnly.o.OptionID, Value: Linger{true, 7}, Len: 8, LenBack: 8},
		{Name: "sendto", FD: c.FD(), Flags: unix.MSG_OOB, Buf: []byte("!"), Len: 1, Ret: 1},
		{Name: "shutdown", FD: c.FD(), How: unix.SHUT_WR},
	} {
		calls := rec.named(want.Name)
		got := calls[len(calls)-1]
		if got.Entered.IsZero() || got.Took() <= 0 || len(got.Args()) == 0 {
			t.Errorf("%+v", got)
		}
		got.Entered, got.Returned, got.Ptr, got.Interrupted = time.Time{}, time.Time{}, 0, 0
		if want.Option.Name != "" {
			want.Buf = got.Buf // 1 and 7, as this machine has them
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v; want %+v", got, want)
		}
	}
}

// What a tracer keeps of a call neither changes with the caller's buffer nor holds all of it.
func TestClone(t *testing.T) {
	var rec recorder
	c, s := newPair(t, &rec)
	_, err := c.Write(bytes.Repeat([]byte("a"), 1000))
	must(t, err)
	buf := make([]byte, 4096)
	n, err := s.Read(buf)
	must(t, err)
	clear(buf)
	read := rec.named("read")[0]
	if n != 1000 || read.Len != 4096 || read.Ret != n || len(read.Buf) != quotedBytes || cap(read.Buf) > 2*quotedBytes {
		t.Fatalf("%d bytes of %d in %d asked for, with %d kept in %d", read.Ret, n, read.Len, len(read.Buf), cap(read.Buf))
	}
	want := fmt.Sprintf(`[%d "%s"... 4096]`, s.FD(), strings.Repeat("a", quotedBytes))
	if got := fmt.Sprint(read.Args()); got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

// Who looks after a socket asks it without anybody seeing, and after Abort too; the descriptor is one.
func TestUntraced(t *testing.T) {
	var rec recorder
	c, _ := newPair(t, &rec)
	before := len(rec.names())
	quiet := c.Untraced()
	c.Abort()
	must(t, SO_LINGER.Set(quiet, Linger{OnOff: true}))
	must(t, last(quiet.InQ()))
	if quiet.FD() != c.FD() || len(rec.names()) != before {
		t.Errorf("descriptor %d of %d; seen: %v", quiet.FD(), c.FD(), rec.names()[before:])
	}
	must(t, c.Close())
	if err := last(quiet.InQ()); !errors.Is(err, os.ErrClosed) || quiet.FD() != -1 {
		t.Errorf("after close: %v, descriptor %d", err, quiet.FD())
	}
}

func TestFailedCallFields(t *testing.T) {
	var rec recorder
	_, err := NewSocket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_UDP, &rec)
	if c := rec.calls[0]; err == nil || c.FD != -1 || c.Ret != -1 || c.Errno != unix.EPROTONOSUPPORT {
		t.Errorf("%+v, %v", c, err)
	}
}

// Waiting in Enter is not time in the kernel.
func TestEnterMayWait(t *testing.T) {
	w := &waiter{}
	s := newSocket(t, unix.AF_INET, 0, w)
	if w.start.Before(w.released) || s.FD() < 0 {
		t.Errorf("the kernel was entered at %v, before %v", w.start, w.released)
	}
}

// waiter waits in Enter until the clock has moved on visibly.
type waiter struct{ released, start time.Time }

func (w *waiter) Enter(c *Call) func() {
	w.released = <-time.After(time.Millisecond)
	return func() { w.start = c.Entered }
}

// A tracer looks at the socket before and after each call, and before close.
func TestTracerMayLook(t *testing.T) {
	look := &looker{}
	s := newSocket(t, unix.AF_INET, 0, look)
	look.s = s
	must(t, s.Bind(netip.AddrPortFrom(loopback4, 0)))
	must(t, s.Close())
	want := []string{"enter bind <nil>", "exit bind <nil>", "enter close <nil>", "exit close control 127.0.0.1:0: use of closed socket"}
	if !reflect.DeepEqual(look.saw, want) {
		t.Errorf("%q; want %q", look.saw, want)
	}
}

type looker struct {
	s   *Socket
	saw []string
}

func (l *looker) look(when string, c *Call) {
	if l.s != nil {
		l.saw = append(l.saw, fmt.Sprint(when, " ", c.Name, " ", l.s.Control(func(uintptr) {})))
	}
}

func (l *looker) Enter(c *Call) func() {
	l.look("enter", c)
	return func() { l.look("exit", c) }
}

// Children are traced by whoever traces the parent.
func TestTracerIsInherited(t *testing.T) {
	var rec recorder
	_, s := newPair(t, &rec)
	d, err := s.Dup()
	must(t, err)
	fd := d.FD()
	must(t, d.Close())
	calls := rec.named("close")
	if c := calls[len(calls)-1]; c.FD != fd {
		t.Errorf("the duplicate's close was not traced: %+v", c)
	}
}

// A tracer that gives up must not keep the socket from being closed.
func TestTracerMayPanic(t *testing.T) {
	s := newSocket(t, unix.AF_INET, 0, quitter{})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the tracer did not panic")
			}
		}()
		_ = s.Listen(1)
	}()
	_, done := onThread(s.Close)
	must(t, result(t, done))
}

// A close that the tracer does not let happen has not happened: the socket can be closed later.
func TestPanicBeforeClose(t *testing.T) {
	q := &closeQuitter{}
	s := newSocket(t, unix.AF_INET, 0, q)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the tracer did not panic")
			}
		}()
		_ = s.Close()
	}()
	q.quiet = true
	must(t, s.Listen(1))
	must(t, s.Close())
}

type quitter struct{}

func (quitter) Enter(c *Call) func() {
	if c.Name == "listen" {
		panic(c)
	}
	return nil
}

type closeQuitter struct{ quiet bool }

func (q *closeQuitter) Enter(c *Call) func() {
	if c.Name == "close" && !q.quiet {
		panic(c)
	}
	return nil
}
