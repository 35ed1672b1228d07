package observe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// Narration writes the calls and the states of one process' sockets into a log, for as long as it runs. It is the
// tracer of those sockets.
type Narration struct {
	*Tracer
	log     *timeline.Log
	side    timeline.Side
	diag    *tcpinfo.Conn
	watch   *watch.Watcher
	outside *Outside
	traced  bool // the kernel's transitions are told too
	stop    func()

	mu       sync.Mutex
	followed int
	told     bool
}

// Followed is how many sockets a narration follows at once: nobody can read more, and each costs a look after
// each call.
const Followed = 64

// Narrate starts a narration of that side's sockets.
func Narrate(side timeline.Side, cfg Config) (*Narration, error) {
	diag, err := tcpinfo.Dial()
	if err != nil {
		return nil, err
	}
	n := &Narration{log: cfg.Log, side: side, diag: diag, traced: cfg.Trace}
	cfg.Client = side == timeline.Client
	n.outside, err = Open(cfg, func(_ timeline.Side, local, remote netip.AddrPort) (tcpinfo.Socket, error) {
		return Find(diag, local, remote)
	})
	if err != nil {
		diag.Close()
		return nil, err
	}
	n.Tracer = NewTracer(n.log, side, Hooks{After: n.Look})
	n.watch = watch.New(diag, n.observed)
	n.watch.SetAround(Around(n.log))
	ctx, cancel := context.WithCancel(context.Background())
	var polling sync.WaitGroup
	polling.Go(func() { n.watch.Run(ctx, 5*time.Millisecond) })
	n.stop = func() { cancel(); polling.Wait() }
	return n, nil
}

// Close ends the narration with a last look. If sock_diag has failed it says so: what was not told is not what did not
// happen.
func (n *Narration) Close() error {
	n.stop()
	n.watch.Sample()
	if err := n.watch.Err(); err != nil && !errors.Is(err, tcpinfo.ErrInconsistent) {
		n.Note(fmt.Sprintf("states may be missing above, since looking for them failed: %v", err))
	}
	return errors.Join(n.outside.Close(), n.diag.Close())
}

// Announce tells of an address before anything happens on it, and whose it is: the tracepoint and the interfaces show
// what has it at either end.
func (n *Narration) Announce(addr netip.AddrPort, side timeline.Side) error {
	return n.outside.Announce(addr, side)
}

// Note adds a sentence.
func (n *Narration) Note(text string) { n.log.Add(n.side, time.Time{}, &timeline.Note{Text: text}) }

// Follow has the states of a socket told too. Beyond [Followed] sockets it says that it does not.
func (n *Narration) Follow(s *sockapi.Socket) {
	if n.room() {
		n.follow(s)
	}
}

// FollowBoth has the states of a connected socket told, and those of its other end where that is on this host.
func (n *Narration) FollowBoth(s *sockapi.Socket) {
	if n.room() {
		n.Connected(s)
	}
}

// Connected has the other end of a followed socket told too, now that it has one.
func (n *Narration) Connected(s *sockapi.Socket) {
	w := n.follow(s)
	if w == nil {
		return
	}
	if peer, err := n.watch.FollowAddrs(w.Remote(), w.Local(), n.side.Other()); err == nil { // it is on this host
		n.FollowedPeer(w, peer)
	}
}

// follow is nil for a socket that is closed already: there is nothing to follow.
func (n *Narration) follow(s *sockapi.Socket) *watch.Socket {
	w, err := n.watch.Follow(s, n.side)
	if err != nil {
		return nil
	}
	n.Followed(s, w)
	n.watch.Sample()
	return w
}

// Look samples what is followed, now that a call has returned.
func (n *Narration) Look() { n.watch.Sample() }

func (n *Narration) room() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.followed < Followed {
		n.followed++
		return true
	}
	if !n.told {
		n.told = true
		what := "the states of further ones are not told, their calls are"
		if n.traced {
			what = "the states of further ones are told by the kernel's transitions alone"
		}
		go n.Note("many connections are open: " + what)
	}
	return false
}

func (n *Narration) observed(c watch.Change) {
	if c.Now.Gone && c.Socket.Tag() == any(n.side) {
		n.mu.Lock()
		n.followed--
		n.mu.Unlock()
	}
	Change(n.log, c, timeline.Label{}, n.Ended(c))
}
