package sockapi

import (
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// blocking is a call that waits. Each is tested in the ways below: it succeeds when what it waits for happens, it is
// made again after EINTR, it ends at its deadline, Abort wakes it, and it fails after Close.
type blocking struct {
	name   string
	nr     int // the system call's number
	limit  Option[time.Duration]
	late   unix.Errno // what the kernel calls the end of its time
	before func(t *testing.T, tr Tracer) scene
}

// scene is a blocking call about to be made.
type scene struct {
	s       *Socket
	call    func() error
	unblock func() // makes what the call waits for happen
}

var blockingCalls = []blocking{
	{"accept4", unix.SYS_ACCEPT4, SO_RCVTIMEO, unix.EAGAIN, sceneAccept},
	{"connect", unix.SYS_CONNECT, SO_SNDTIMEO, unix.EINPROGRESS, sceneConnect},
	{"read", unix.SYS_READ, SO_RCVTIMEO, unix.EAGAIN, func(t *testing.T, tr Tracer) scene {
		return sceneRead(t, tr, func(s *Socket, p []byte) (int, error) { return s.Read(p) })
	}},
	{"recvfrom", unix.SYS_RECVFROM, SO_RCVTIMEO, unix.EAGAIN, func(t *testing.T, tr Tracer) scene {
		return sceneRead(t, tr, func(s *Socket, p []byte) (int, error) { return s.Recv(p, 0) })
	}},
	{"write", unix.SYS_WRITE, SO_SNDTIMEO, unix.EAGAIN, func(t *testing.T, tr Tracer) scene {
		return sceneWrite(t, tr, func(s *Socket, p []byte) (int, error) { return s.Write(p) })
	}},
	{"sendto", unix.SYS_SENDTO, SO_SNDTIMEO, unix.EAGAIN, func(t *testing.T, tr Tracer) scene {
		return sceneWrite(t, tr, func(s *Socket, p []byte) (int, error) { return s.Send(p, 0) })
	}},
}

func sceneAccept(t *testing.T, tr Tracer) scene {
	l, at := newListener(t, loopback4, 1, tr)
	return scene{l, func() error {
		s, _, err := l.Accept4(0)
		if err == nil {
			closeQuietly(s)
		}
		return err
	}, func() {
		must(t, newSocket(t, unix.AF_INET, 0, nil).Connect(at))
	}}
}

// sceneConnect connects to a listener whose accept queue is full: its SYNs are dropped. With a place free, the next one
// is answered, a second later.
func sceneConnect(t *testing.T, tr Tracer) scene {
	l, at := fullListener(t)
	c := newSocket(t, unix.AF_INET, 0, tr)
	return scene{c, func() error { return c.Connect(at) }, func() {
		s, _, err := l.Accept4(0)
		must(t, err)
		closeQuietly(s)
	}}
}

// fullListener is a listener whose accept queue has no place left.
func fullListener(t *testing.T) (*Socket, netip.AddrPort) {
	l, at := newListener(t, loopback4, 0, nil)
	must(t, newSocket(t, unix.AF_INET, 0, nil).Connect(at))
	return l, at
}

func sceneRead(t *testing.T, tr Tracer, read func(*Socket, []byte) (int, error)) scene {
	c, s := newPair(t, tr)
	return scene{c, func() error {
		buf := make([]byte, 10)
		n, err := read(c, buf)
		if err == nil && string(buf[:n]) != "late" {
			return errors.New("read " + string(buf[:n]))
		}
		return err
	}, func() {
		if _, err := s.Write([]byte("late")); err != nil {
			t.Error(err)
		}
	}}
}

func sceneWrite(t *testing.T, tr Tracer, write func(*Socket, []byte) (int, error)) scene {
	c, s := newFullPair(t, tr)
	return scene{c, func() error {
		n, err := write(c, []byte("x"))
		if err == nil && n != 1 {
			return errors.New("short write")
		}
		return err
	}, func() { go drain(s) }}
}

func TestBlockingSucceeds(t *testing.T) {
	needSyscallFile(t)
	for _, b := range blockingCalls {
		t.Run(b.name, func(t *testing.T) {
			sc := b.before(t, nil)
			tid, done := onThread(sc.call)
			waitFor(t, b.name+" to block", func() bool { return blockedIn(tid, b.nr) })
			sc.unblock()
			if err := result(t, done); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBlockingDeadline(t *testing.T) {
	for _, b := range blockingCalls {
		t.Run(b.name, func(t *testing.T) {
			sc := b.before(t, nil)
			limit, err := b.limit.SetGet(sc.s, 30*time.Millisecond)
			must(t, err)
			start := time.Now()
			err = sc.call()
			took := time.Since(start)
			var e *Error
			if !errors.As(err, &e) || e.Call != b.name || e.Errno != b.late || !e.Timeout() {
				t.Fatalf("%v; want %v, a timeout", err, b.late)
			}
			// The kernel's clock may be a tick ahead of ours.
			if took < limit-10*time.Millisecond {
				t.Errorf("gave up after %v of %v", took, limit)
			}
		})
	}
}

func TestBlockingAborted(t *testing.T) {
	needSyscallFile(t)
	for _, b := range blockingCalls {
		t.Run(b.name, func(t *testing.T) {
			sc := b.before(t, nil)
			tid, done := onThread(sc.call)
			waitFor(t, b.name+" to block", func() bool { return blockedIn(tid, b.nr) })
			sc.s.Abort()
			if err := result(t, done); !errors.Is(err, os.ErrClosed) {
				t.Errorf("woken by Abort: %v; want os.ErrClosed", err)
			}
			if err := sc.call(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("after Abort: %v; want os.ErrClosed", err)
			}
			if err := sc.s.Control(func(uintptr) {}); err != nil {
				t.Errorf("the descriptor is not open any more: %v", err)
			}
			must(t, sc.s.Close())
		})
	}
}

// Close waits for the call, new calls fail, and Abort still gets through.
func TestBlockingClosed(t *testing.T) {
	needSyscallFile(t)
	for _, b := range blockingCalls {
		t.Run(b.name, func(t *testing.T) {
			sc := b.before(t, nil)
			number := sc.s.FD()
			tid, done := onThread(sc.call)
			waitFor(t, b.name+" to block", func() bool { return blockedIn(tid, b.nr) })
			closed := make(chan error, 1)
			go func() { closed <- sc.s.Close() }()
			waitFor(t, "Close to begin", func() bool { return sc.s.FD() == -1 })
			if err := sc.call(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("while Close waits: %v; want os.ErrClosed", err)
			}
			if _, err := unix.FcntlInt(uintptr(number), unix.F_GETFD, 0); err != nil {
				t.Errorf("the descriptor is closed under a call: %v", err)
			}
			select {
			case err := <-closed:
				t.Fatalf("Close returned %v before the call", err)
			default:
			}
			sc.s.Abort()
			if err := result(t, done); !errors.Is(err, os.ErrClosed) {
				t.Errorf("%v; want os.ErrClosed", err)
			}
			if err := result(t, closed); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// An Abort that comes while a tracer holds a connect back finds nothing to shut down; the connect must not block for
// minutes all the same.
func TestAbortBeforeConnect(t *testing.T) {
	_, at := fullListener(t)
	gate := &gate{entered: make(chan struct{}), open: make(chan struct{})}
	c, err := NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, gate)
	must(t, err)
	_, done := onThread(func() error { return c.Connect(at) })
	<-gate.entered
	c.Abort()
	close(gate.open)
	if err := result(t, done); !errors.Is(err, os.ErrClosed) {
		t.Errorf("%v; want os.ErrClosed", err)
	}
	must(t, c.Close())
}

// gate is a Tracer that holds connect back.
type gate struct{ entered, open chan struct{} }

func (g *gate) Enter(c *Call) func() {
	if c.Name == "connect" {
		close(g.entered)
		<-g.open
	}
	return nil
}

// SO_LINGER makes close(2) wait, and by then the socket is gone for all others.
func TestLingeringClose(t *testing.T) {
	needSyscallFile(t)
	c, s := newFullPair(t, nil)
	must(t, SO_LINGER.Set(c, Linger{OnOff: true, Seconds: 60}))
	tid, done := onThread(c.Close)
	waitFor(t, "close to block", func() bool { return blockedIn(tid, unix.SYS_CLOSE) })
	if err := c.Control(func(uintptr) {}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Control during close: %v; want os.ErrClosed", err)
	}
	c.Abort() // no effect, and no harm
	drain2 := make(chan error, 1)
	go func() { drain(s); drain2 <- nil }()
	if err := result(t, done); err != nil {
		t.Errorf("close: %v", err)
	}
	must(t, result(t, drain2))
}
