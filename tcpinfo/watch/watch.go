// Package watch follows TCP sockets through their lives, also when their descriptors are closed, and reports what is
// news: another state, timer, retransmission, shutdown bit or queue.
//
// Package tcpinfo has the facts: what the kernel says of a socket when it is asked. This package decides whom to ask,
// when, what to make of two answers that differ, and what of it is worth a report.
//
// A [Watcher] asks over one [tcpinfo.Conn]. [Watcher.Follow], [Watcher.FollowAddrs] and [Watcher.FollowChildren] say
// which sockets it follows; [Watcher.Sample] looks at them now and [Watcher.Run] again and again; [Socket.Wait] waits
// for a state, [Watcher.WaitFor] for anything else. Each piece of news is a [Change].
package watch

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"socklife/tcpinfo"
)

// Source says who told a sample's state, by the name of the interface.
type Source string

// The sources of a [Sample].
const (
	TCPInfo  Source = "tcp_info"  // getsockopt(TCP_INFO) on an open descriptor
	SockDiag Source = "sock_diag" // NETLINK_SOCK_DIAG
)

// Sample is what was seen of a socket at one moment.
type Sample struct {
	Time   time.Time // just after the kernel answered
	Source Source    // who told the state or, in a [Change] that is not of the state, what is new
	State  tcpinfo.State
	Gone   bool // no longer in the kernel's tables, and no descriptor is open that would tell more; State is Closed

	Info *tcpinfo.Info   // nil of a half-open entry, TIME-WAIT and an orphan's FIN-WAIT-2: the kernel has none
	Diag *tcpinfo.Socket // timer, queues, shutdown; nil of CLOSED, and of LISTEN with a descriptor

	// Of a listener.
	AcceptQueue uint32 // connections that wait for accept
	AcceptLimit uint32 // the backlog; one more fits
	SynQueue    int    // half-open entries; -1 unknown, and of a socket that does not listen
}

// Kind says what is new, a set of bits.
type Kind uint8

// What can be news of a socket. How much is waiting to be sent, when a timer expires, and how long ago something
// happened change all the time and are not.
const (
	StateChanged    Kind = 1 << iota // From and To differ, or it is the first sight
	TimerChanged                     // another timer; see [Watcher] for which timers count
	RetransChanged                   // retransmissions or probes without an answer, counted up or back to 0
	ShutdownChanged                  // RcvShutdown, SendShutdown
	RecvQChanged                     // how much was received and not read; alone only in Sample, not when Run polls
	QueueChanged                     // a listener's accept queue, its limit, or its SYN queue
)

// String lists the bits: "state,timer".
func (k Kind) String() string {
	var set []string
	for bit, name := range []string{"state", "timer", "retrans", "shutdown", "recv_q", "queue"} {
		if k>>bit&1 != 0 {
			set = append(set, name)
		}
	}
	return strings.Join(set, ",")
}

// Change is one piece of news of one socket.
type Change struct {
	Socket *Socket
	From   tcpinfo.State
	First  bool // first sight of the socket: From and Before mean nothing
	To     tcpinfo.State

	Before, Now Sample
	What        Kind
}

// String is for logs: "ESTABLISHED>CLOSE-WAIT(tcp_info)[state,shutdown]"; nothing comes before the first sight's ">".
func (c Change) String() string {
	from, gone := c.From.String(), ""
	if c.First {
		from = ""
	}
	if c.Now.Gone {
		gone = " gone"
	}
	return fmt.Sprintf("%s>%v%s(%s)[%v]", from, c.To, gone, c.Now.Source, c.What)
}

// Watcher follows sockets through their lives, also when their descriptors are closed, and reports what changes.
//
// As long as a descriptor is open, its state is what getsockopt(TCP_INFO) says, and the details (timer, queues,
// shutdown bits) are what sock_diag says of the same cookie a moment later. If the state moved in between, both states
// are reported, each with its source. TCP_INFO says CLOSED of a socket in TIME-WAIT; there sock_diag knows better and
// is asked. Once the descriptor is closed, sock_diag alone is asked, by the cookie, until the kernel has no such socket
// any more. States that a socket passes between two samples are not seen and not reported.
//
// A timer counts as news when it is persist, keepalive or timewait, or when it is the retransmission timer ("on") and
// something was sent in vain already or the state is one that waits for an answer: SYN-SENT, SYN-RECEIVED, FIN-WAIT-1,
// CLOSING, LAST-ACK. Otherwise "on" runs for the moment that each ACK takes, and says nothing.
//
// A Watcher never waits for the network. Its methods may be called from several goroutines.
type Watcher struct {
	diag   asker
	report func(Change)

	// sampling is held by whoever asks the kernel and reports, so samples are taken one at a time, and reported in
	// their order. It guards what follows.
	sampling  sync.Mutex
	sockets   []*Socket // in the order they were first seen
	byCookie  map[uint64]*Socket
	news      bool // something was reported since the last wake
	around    Around
	still     func() bool // of the sample that is being taken
	disturbed bool        // it is of no use

	// mu guards what accessors read: the fields of each Socket that say so, changed and err. It is never held while the
	// kernel is asked, nor by whoever reports.
	mu      sync.Mutex
	changed chan struct{} // closed when there is news
	err     error
}

// asker is what a Watcher wants of a [tcpinfo.Conn].
type asker interface {
	Lookup(local, remote netip.AddrPort, cookie uint64) (tcpinfo.Socket, error)
	Dump(f tcpinfo.Filter) ([]tcpinfo.Socket, error)
}

// New makes a Watcher that asks d, which must see the network namespace of the sockets to follow and stay open.
//
// report, if not nil, is called for each change, in order and never concurrently, from Follow, FollowAddrs,
// FollowChildren, Sample and Run, which do not return before it does. It may use the methods of [Socket] and of the
// samples, but must not call those five, nor wait for a goroutine that does.
func New(d *tcpinfo.Conn, report func(Change)) *Watcher {
	if report == nil {
		report = func(Change) {}
	}
	return &Watcher{diag: d, report: report, byCookie: map[uint64]*Socket{}, changed: make(chan struct{}),
		around: func() (func() bool, func()) { return undisturbed, func() {} }, still: undisturbed}
}

func undisturbed() bool { return true }

// Around is called before the kernel is asked about a socket; done when what came of it was reported. Where still is
// false after the answer, something has happened meanwhile that the answer may or may not know of yet: the kernel is
// asked again.
type Around func() (still func() bool, done func())

// SetAround has a be called around each sample. It must be set before the first socket is followed.
func (w *Watcher) SetAround(a Around) { w.around = a }

// Socket is one socket that is followed, known by its cookie.
type Socket struct {
	w      *Watcher
	cookie uint64 // changed with both locks held, so either will do to read it

	// Guarded by w.mu.
	tag           any
	local, remote netip.AddrPort
	last          Sample
	waiters       []*waiter

	// Guarded by w.sampling.
	fds       []tcpinfo.Controller
	refused   error   // TCP_INFO's last, of a descriptor that is open
	known     known   // what was reported
	polled    pollKey // what TCP_INFO said at the last full sample
	connected bool    // remote is that of a connection which may be in the kernel's tables
	children  bool    // of a listener: they are to be followed
	childTag  any
	dumped    time.Time // when a dump told last what came in through it
	strangers bool      // and then there was some whose client is not followed
}

// seen says whether the first sight was reported.
func (sk *Socket) seen() bool { return sk.known.state != 0 }

// Tag is what Follow, FollowAddrs or FollowChildren was given.
func (sk *Socket) Tag() any { sk.w.mu.Lock(); defer sk.w.mu.Unlock(); return sk.tag }

// Last is the last full sample: taken by Sample, or when polling found something new. It is not older than the last
// change.
func (sk *Socket) Last() Sample { sk.w.mu.Lock(); defer sk.w.mu.Unlock(); return sk.last }

// Cookie is the kernel's number for the socket: SO_COOKIE, the same to the end of TIME-WAIT, and never used again. A
// half-open entry mostly hands its own to the connection that it becomes; where it does not, Cookie is the entry's
// first and then the connection's.
func (sk *Socket) Cookie() uint64 { sk.w.mu.Lock(); defer sk.w.mu.Unlock(); return sk.cookie }

// Local is the address and port the socket is bound to; the port is 0 before it is bound.
func (sk *Socket) Local() netip.AddrPort { sk.w.mu.Lock(); defer sk.w.mu.Unlock(); return sk.local }

// Remote is the peer's address and port; invalid as long as there is none.
func (sk *Socket) Remote() netip.AddrPort { sk.w.mu.Lock(); defer sk.w.mu.Unlock(); return sk.remote }

// setAddrs keeps the addresses. A port of 0 means that there is no peer.
func (sk *Socket) setAddrs(local, remote netip.AddrPort) {
	sk.connected = remote.Port() != 0
	if !sk.connected {
		remote = netip.AddrPort{}
	}
	sk.w.mu.Lock()
	defer sk.w.mu.Unlock()
	sk.local, sk.remote = local, remote
}

// Err is the first error, other than that a socket was not found, that sock_diag gave, or TCP_INFO of an open
// descriptor; nil if there was none. That a dump was inconsistent, which the next one may not be, gives way to
// whatever else went wrong. Samples are then without details, and sockets whose descriptor is closed stay in
// the state that was seen last.
func (w *Watcher) Err() error { w.mu.Lock(); defer w.mu.Unlock(); return w.err }

func (w *Watcher) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil || errors.Is(w.err, tcpinfo.ErrInconsistent) {
		w.err = err
	}
}

// add begins to follow a cookie. Whoever calls it samples next.
func (w *Watcher) add(cookie uint64, tag any) *Socket {
	sk := &Socket{w: w, cookie: cookie, tag: tag, last: Sample{SynQueue: -1}}
	w.byCookie[cookie] = sk
	w.sockets = append(w.sockets, sk)
	return sk
}

// forget drops those that are gone.
func (w *Watcher) forget() {
	w.sockets = slices.DeleteFunc(w.sockets, func(sk *Socket) bool {
		if sk.known.gone {
			delete(w.byCookie, sk.cookie)
		}
		return sk.known.gone
	})
}
