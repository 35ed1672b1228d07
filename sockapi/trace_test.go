package sockapi

import (
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
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
	_, _ = SO_RCVBUF.Set(c, 1000)
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
	for _, want := range []Call{
		{Name: "socket", FD: c.FD(), Ret: c.FD()},
		{Name: "bind", FD: l.FD(), Addr: netip.AddrPortFrom(loopback4, 0)},
		{Name: "getsockname", FD: l.FD(), Addr: at},
		{Name: "connect", FD: c.FD(), Addr: at},
		{Name: "accept4", FD: l.FD(), Addr: peer, Ret: s.FD()},
		{Name: "getpeername", FD: c.FD(), Addr: at},
	} {
		calls := rec.named(want.Name)
		got := calls[len(calls)-1]
		if got.Start.IsZero() || got.Took <= 0 || len(got.Args) == 0 {
			t.Errorf("%+v", got)
		}
		got.Start, got.Took, got.Args, got.Interrupted = time.Time{}, 0, nil, 0
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v; want %+v", got, want)
		}
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

func (w *waiter) Enter(*Call) { w.released = <-time.After(time.Millisecond) }

func (w *waiter) Exit(c *Call) { w.start = c.Start }

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

func (l *looker) Enter(c *Call) { l.look("enter", c) }
func (l *looker) Exit(c *Call)  { l.look("exit", c) }

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

func TestWaits(t *testing.T) {
	for name, want := range map[string]bool{
		"accept4": true, "read": true, "recvfrom": true, "ppoll": true,
		"connect": false, "write": false, "sendto": false, "close": false, "shutdown": false, "getsockopt": false,
	} {
		if got := (&Call{Name: name}).Waits(); got != want {
			t.Errorf("%s: %v", name, got)
		}
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

func (quitter) Enter(c *Call) {
	if c.Name == "listen" {
		panic(c)
	}
}

func (quitter) Exit(*Call) {}

type closeQuitter struct{ quiet bool }

func (q *closeQuitter) Enter(c *Call) {
	if c.Name == "close" && !q.quiet {
		panic(c)
	}
}

func (*closeQuitter) Exit(*Call) {}
