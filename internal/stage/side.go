package stage

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/observe"
	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// Side is one end of the lesson: what its application does.
type Side struct {
	Name timeline.Side
	Addr netip.AddrPort // the server's address: where to listen, or where to connect to

	run           *run
	host          *host // where this side's sockets are
	peerHost      *host // where the other side's are; the same but on the wire
	ready         func(netip.AddrPort)
	trace         *observe.Tracer
	hold          atomic.Int64           // how long to stay where the lesson is, in ns; its client may ask for more
	listening     atomic.Pointer[Conn]   // the socket at which its clients come
	asking, asked atomic.Bool            // the client's request is being read, has been read
	reading       atomic.Pointer[Conn]   // what this side waits for data on
	expected      atomic.Pointer[string] // the state that was last seen as expected
	requested     atomic.Bool            // this client's request was made
	held, told    atomic.Bool            // this side has held; it has said that the other one does
	serves        bool                   // this server serves run after run: what it listens on stays
	last          bool                   // but not after this one
	listener      *keptListener          // what it listens on since an earlier run
	queueFirst    bool                   // looks at its clients before it accepts them
	handed        *sockapi.Socket        // a connection that the run before accepted, and that was not its client's
	aborted       bool                   // that socket was woken, and is of no use any more
	place         *place                 // this client's in the line, if there is one
	again         bool                   // this client is to play once more
	done          chan struct{}
}

func (r *run) side(name timeline.Side, addr netip.AddrPort) *Side {
	s := &Side{Name: name, Addr: addr, run: r, done: make(chan struct{})}
	s.hold.Store(int64(r.cfg.Hold))
	s.host, s.peerHost = r.clientHost, r.serverHost
	if name == timeline.Server {
		s.host, s.peerHost = r.serverHost, r.clientHost
	}
	r.sides[name] = s
	if addr.Port() != 0 {
		r.labels.serves(addr, 0)
	}
	s.trace = observe.NewTracer(r.log, name, s.hooks())
	return s
}

// Family is AF_INET or AF_INET6, as the server's address is.
func (s *Side) Family() int {
	if s.Addr.Addr().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// OnWire tells whether each side has a host of its own, with a wire between them that can hold segments.
func (s *Side) OnWire() bool { return s.run.wire != nil }

// ReadyAt says that the server's side is where the client should connect to, though nobody listens there.
func (s *Side) ReadyAt(addr netip.AddrPort) {
	if s.ready != nil {
		s.ready(addr)
		s.ready = nil
	}
}

// HoldTime is how long the user wants to look at the state that the lesson is about.
func (s *Side) HoldTime() time.Duration { return time.Duration(s.hold.Load()) }

// BindAddr is what --bind asks for; invalid: nothing.
func (s *Side) BindAddr() netip.AddrPort { return s.run.cfg.Bind }

// HostAddr and PeerHostAddr are the addresses of this side's host and of the other side's, on the wire.
func (s *Side) HostAddr() netip.Addr     { return s.host.address(s.Family()) }
func (s *Side) PeerHostAddr() netip.Addr { return s.peerHost.address(s.Family()) }

// Full tells whether to wait for what takes a minute.
func (s *Side) Full() bool { return s.run.cfg.Full }

// Socket makes a TCP socket, whose calls block.
func (s *Side) Socket() *Conn { return s.socket(0) }

// SocketNonblock makes a TCP socket whose calls do not block: connect returns EINPROGRESS and goes on by itself.
func (s *Side) SocketNonblock() *Conn { return s.socket(unix.SOCK_NONBLOCK) }

func (s *Side) socket(flags int) *Conn {
	s.alive()
	sock, err := sockapi.NewSocket(s.Family(), unix.SOCK_STREAM|flags, 0, s.trace)
	if err != nil {
		s.limited(err)
		s.run.fail(err)
	}
	return s.adopt(sock)
}

// adopt makes a Conn of a socket and has it watched.
func (s *Side) adopt(sock *sockapi.Socket) *Conn {
	c := &Conn{side: s, sock: sock}
	s.run.keep(c)
	w, err := s.host.watch.Follow(sock, s.Name)
	if err != nil {
		s.run.fail(&ObserverError{"TCP_INFO", err})
	}
	c.watch = w
	s.run.labels.adopt(c)
	s.trace.Followed(sock, w)
	return c
}

// Listen is a server's opening: socket, bind, listen. SO_REUSEADDR is what lets it start again while connections of its
// last life are in TIME-WAIT; the scenario reuseaddr shows what happens without. A server that serves one run after the
// other gets the listener it has. Options are set before bind.
func (s *Side) Listen(options ...func(l *Conn)) *Conn { return s.ListenBacklog(128, options...) }

// ListenBacklog is Listen with an accept queue of another length.
func (s *Side) ListenBacklog(backlog int, options ...func(l *Conn)) *Conn {
	if s.listener != nil {
		return s.listenAgain()
	}
	l := s.Socket()
	Set(l, sockapi.SO_REUSEADDR, true)
	for _, o := range options {
		o(l)
	}
	l.Bind(s.Addr)
	l.Listen(backlog)
	s.Ready(l)
	s.KeepListener(l)
	return l
}

// Ready says that the server can be reached at the listener's address.
func (s *Side) Ready(l *Conn) {
	s.Addr = l.watch.Local()
	s.listening.Store(l)
	if err := s.run.blind(); err != nil && s.Addr.Port() == 0 {
		s.run.fail(err) // nobody could connect to where it seems to be
	}
	l.FollowChildren()
	s.ReadyAt(s.Addr)
	s.run.line.listens(s.run)
}

// Dial is a client's opening: socket, connect.
func (s *Side) Dial() *Conn {
	c := s.Socket()
	c.Connect(s.Addr)
	return c
}

// Took is how long this side's last call was in the kernel.
func (s *Side) Took() time.Duration { return s.trace.Took() }

// Note explains, in one sentence.
func (s *Side) Note(format string, args ...any) {
	s.run.log.Add(s.Name, time.Time{}, &timeline.Note{Text: fmt.Sprintf(format, args...)})
}

// Fail ends the run: the lesson cannot go on.
func (s *Side) Fail(err error) { s.run.fail(err) }

// alive ends this side if the run is over: interrupted, or failed on the other side.
func (s *Side) alive() { s.run.stopIfOver() }

func (r *run) stopIfOver() {
	if r.ctx.Err() != nil {
		r.fail(r.ctx.Err())
	}
}

// Check records whether what was expected is what was got. When the run is over there is nothing to record: what this
// program did to end it is not what the kernel said.
func (s *Side) Check(expect string, ok bool, got string, args ...any) {
	s.alive()
	s.run.check(s.Name, time.Time{}, expect, fmt.Sprintf(got, args...), ok)
}

// CheckErrno records whether a call failed the way it should have. want 0 means that it should have succeeded.
func (s *Side) CheckErrno(expect string, err error, want unix.Errno) {
	s.Check(expect, matches(err, want), "%s", ErrnoName(err))
}

func matches(err error, want unix.Errno) bool {
	if want == 0 {
		return err == nil
	}
	return errors.Is(err, want)
}

// ErrnoName is what a call gave, as strace would name it.
func ErrnoName(err error) string {
	var errno unix.Errno
	switch {
	case err == nil:
		return "success"
	case errors.As(err, &errno):
		return sockapi.ErrnoName(errno)
	}
	return err.Error()
}

// Await waits until what is expected has come, and records it. It is evaluated again whenever the kernel has shown a
// change; got is what there was when it was last looked at.
func (s *Side) Await(expect string, test func() (got string, ok bool)) {
	s.run.await(s.Name, s.host, expect, test, s.watchPeer(expect))
}

func (r *run) await(whose timeline.Side, h *host, expect string, test func() (got string, ok bool), each func(time.Duration)) {
	r.stopIfOver()
	var got string
	ok := r.until(h, each, func() (ok bool) {
		got, ok = test()
		return ok
	})
	if !ok {
		r.unmet()
	}
	r.check(whose, time.Time{}, expect, got, ok)
	if !ok {
		r.goOnOrFail(timeout{expect, r.patience()})
	}
}

// Wait waits until it is so, and records nothing.
func (s *Side) Wait(what string, ok func() bool) {
	s.alive()
	if !s.until(what, ok) {
		s.run.unmet()
		s.run.fail(timeout{what, s.run.patience()})
	}
}

func (s *Side) until(what string, ok func() bool) bool {
	return s.run.until(s.host, s.watchPeer(what), ok)
}

// until waits for ok, for as long as this run waits for anything and can see at all, and tells whether it came.
func (r *run) until(h *host, each func(time.Duration), ok func() bool) (came bool) {
	ctx, cancel := r.bounded(each)
	defer cancel()
	h.watch.WaitFor(ctx, func() bool {
		came = ok()
		return came || r.blind() != nil
	})
	return came
}

// Counters are the kernel's counts of the whole network namespace.
func (s *Side) Counters() tcpinfo.Counters {
	c, err := tcpinfo.ReadCounters()
	if err != nil {
		s.run.fail(err)
	}
	return c
}

// Counted reports how much the named counters rose since before.
func (s *Side) Counted(before tcpinfo.Counters, names ...string) map[string]int64 {
	now, rose := s.Counters(), map[string]int64{}
	for _, name := range names {
		rose[name] = int64(now[name] - before[name])
		s.run.log.Add(s.Name, time.Time{}, &timeline.Counter{Name: name, Delta: rose[name]})
	}
	return rose
}

// Unhurried waits for what comes when a timer of the kernel says so. After a long hold that may be far off, and no
// deadline of this program's counts meanwhile.
func (s *Side) Unhurried(wait func()) {
	resume := s.run.clock.hold()
	defer resume()
	wait()
}
