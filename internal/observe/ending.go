package observe

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// endings know what a side's calls did about the end of each connection. Of one that is CLOSED at the second look
// nobody can tell from outside whether it was aborted, or closed in good order in between; who made the calls may.
type endings struct {
	mu      sync.Mutex
	byFD    map[int]descriptor
	sockets map[*watch.Socket]*ending
	others  map[*watch.Socket]*ending // of these the calls are of the connection's other end
}

// descriptor leads to a socket.
type descriptor struct {
	sock *sockapi.Socket
	of   *watch.Socket
	*ending
}

// ending is that of one socket.
type ending struct {
	open   int    // descriptors that lead to it
	shared bool   // another process has one, too
	sent   bool   // close(), or shutdown() for sending, has been called
	abort  string // why that close() sends RST, if it does
	end    bool   // read() has given 0
	told   string // the call that told of an abort, and what it said
}

// Followed tells that a socket is followed.
func (t *Tracer) Followed(s *sockapi.Socket, w *watch.Socket) {
	e := &t.endings
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byFD == nil {
		e.byFD, e.sockets, e.others = map[int]descriptor{}, map[*watch.Socket]*ending{}, map[*watch.Socket]*ending{}
	}
	if e.sockets[w] == nil {
		e.sockets[w] = &ending{}
	}
	if e.byFD[s.FD()].ending != e.sockets[w] {
		e.sockets[w].open++
	}
	e.byFD[s.FD()] = descriptor{s.Untraced(), w, e.sockets[w]}
}

// FollowedPeer tells which socket is the other end of one that is followed.
func (t *Tracer) FollowedPeer(w, peer *watch.Socket) {
	e := &t.endings
	e.mu.Lock()
	defer e.mu.Unlock()
	if own := e.sockets[w]; own != nil && peer != nil && w != peer {
		e.others[peer] = own
	}
}

// Shared tells that another process has a descriptor too: what that one does is not seen.
func (t *Tracer) Shared(s *sockapi.Socket) {
	e := &t.endings
	e.mu.Lock()
	defer e.mu.Unlock()
	if own := e.byFD[s.FD()]; own.ending != nil {
		own.shared = true
	}
}

// Ended is what is known of the end of a connection that has become CLOSED; the zero value is nothing.
func (t *Tracer) Ended(c watch.Change) timeline.Ended {
	e := &t.endings
	e.mu.Lock()
	defer e.mu.Unlock()
	own, other := e.sockets[c.Socket], e.others[c.Socket]
	if c.Now.Gone {
		delete(e.sockets, c.Socket)
		delete(e.others, c.Socket)
	}
	switch {
	case !Closes(c):
	case own != nil:
		return own.ended()
	case other != nil && other.abort != "":
		return timeline.Ended{How: timeline.EndedByOther}
	}
	return timeline.Ended{}
}

// Closes tells whether a connection that was seen before is CLOSED now.
func Closes(c watch.Change) bool {
	return c.To == tcpinfo.Closed && !c.First && c.From != tcpinfo.Listen && c.What&watch.StateChanged != 0
}

func (e *ending) ended() timeline.Ended {
	switch {
	case e.abort != "":
		return timeline.Ended{How: timeline.EndedAbort, Why: e.abort}
	case e.told != "":
		return timeline.Ended{How: timeline.EndedTold, Why: e.told}
	case e.shared:
		return timeline.Ended{}
	case !e.sent:
		return timeline.Ended{How: timeline.EndedByNone}
	case e.end:
		return timeline.Ended{How: timeline.EndedSecond}
	}
	return timeline.Ended{How: timeline.EndedSent}
}

// enter looks at a call before it is made; what it returns looks at its result.
func (e *endings) enter(c *sockapi.Call) (exit func()) {
	e.mu.Lock()
	own := e.byFD[c.FD]
	e.mu.Unlock()
	if own.ending == nil {
		return func() {}
	}
	abort := ""
	if state := own.of.Last().State; c.Name == "close" && state != tcpinfo.Closed && state != tcpinfo.TimeWait {
		abort = WillAbort(own.sock)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case c.Name == "close":
		delete(e.byFD, c.FD)
		if own.open--; own.open == 0 {
			own.sent, own.abort = true, abort
		}
	case c.Name == "shutdown" && c.How != unix.SHUT_RD:
		own.sent = true
	}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		switch {
		case c.Errno == unix.ECONNRESET:
			own.told = c.Name + "() gave ECONNRESET"
		case c.Name == "read" && c.Errno == 0 && c.Ret == 0 && c.Len > 0:
			own.end = true
		}
	}
}

// WillAbort says why close() will send RST and not FIN, if it will, as far as that can be asked of the kernel before.
func WillAbort(s *sockapi.Socket) (why string) {
	s = s.Untraced()
	if linger, err := sockapi.SO_LINGER.Get(s); err == nil && linger == (sockapi.Linger{OnOff: true}) {
		return "SO_LINGER is on, with 0 s"
	}
	switch n, err := s.InQ(); {
	case err != nil || n == 0:
		return ""
	case n == 1:
		return "1 byte was not read"
	default:
		return fmt.Sprintf("%d bytes were not read", n)
	}
}
