package observe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"socklife/internal/timeline"
	"socklife/internal/trace"
	"socklife/tcpinfo"
)

// transitions are the kernel's own, beside what is sampled. The tracepoint misses nothing that happens to a socket, and
// sock_diag sees what is no socket any more (TIME-WAIT) or not yet (SYN-RECEIVED): each change of state is told once,
// by the tracepoint if it had it.
type transitions struct {
	log    *timeline.Log
	owners *Owners
	lookup Lookup
	trace  *trace.Trace
	stop   func() error

	numbers map[uint64]int // of the kernel's sockets
}

// Lookup asks sock_diag, on that side's host, for the socket that has these ends.
type Lookup func(side timeline.Side, local, remote netip.AddrPort) (tcpinfo.Socket, error)

// Find looks up a socket with these ends, as the tracepoint tells them. The kernel looks among those that are bound to
// no interface, or to the one that is asked for, which the tracepoint does not tell: where it finds none a dump may.
func Find(diag *tcpinfo.Conn, local, remote netip.AddrPort) (tcpinfo.Socket, error) {
	s, err := diag.Lookup(local, remote, 0)
	if !errors.Is(err, tcpinfo.ErrNotFound) || remote.Port() == 0 {
		return s, err
	}
	list, dumped := diag.Dump(tcpinfo.Filter{LocalPort: local.Port(), RemotePort: remote.Port(), With: tcpinfo.WithNothing})
	if dumped != nil {
		return s, err
	}
	for _, s := range list {
		if tcpinfo.Canonical(s.Local) == tcpinfo.Canonical(local) && tcpinfo.Canonical(s.Remote) == tcpinfo.Canonical(remote) {
			return s, nil
		}
	}
	return s, err
}

// openTransitions begins to listen to the kernel.
func openTransitions(log *timeline.Log, owners *Owners, lookup Lookup) (*transitions, error) {
	tr, err := trace.Open()
	if err != nil {
		return nil, err
	}
	t := &transitions{log: log, owners: owners, lookup: lookup, trace: tr, numbers: map[uint64]int{}}
	t.stop = inBackground(log, "transitions", func(ctx context.Context, until func(time.Time)) error {
		return tr.Run(ctx, t.event, until)
	})
	log.SetFilter((&dedupe{}).keep)
	return t, nil
}

// close ends the trace; what the kernel told until now is in the log then.
func (t *transitions) close() error {
	if t == nil {
		return nil
	}
	err := t.stop()
	if closeErr := t.trace.Close(); err == nil {
		err = closeErr
	}
	return err
}

// event puts a transition into the timeline. The kernel selects by port alone, on every host of the machine: what is
// not of this run is left out. CLOSED is not told where sock_diag has something left of the socket: that is TIME-WAIT,
// or an orphan's FIN-WAIT-2, and it will tell.
func (t *transitions) event(e trace.Event) {
	if e.Lost > 0 {
		t.log.Add(timeline.Wire, e.Time, &timeline.Note{Text: fmt.Sprintf("at least %d transitions are missing here: the kernel's trace buffer was full", e.Lost)})
	}
	side, ours := t.owners.Of(e.Local, e.Remote)
	if t.owners.mine != nil && e.To == tcpinfo.SynSent && e.Local.Port() == 0 { // it has no port yet that a lookup could find
		ours = ours && t.log.Sockets.Connects(side, addr(e.Remote))
	}
	if !ours || e.ClosedIsNotTheEnd() && t.remains(side, e) {
		return
	}
	t.log.Add(side, e.Time, &timeline.State{
		Local: addr(e.Local), Remote: addr(e.Remote),
		From: e.From, To: e.To, Source: "tracepoint", Socket: t.number(side, e),
	})
}

func (t *transitions) remains(side timeline.Side, e trace.Event) bool {
	s, err := t.lookup(side, e.Local, e.Remote)
	return err == nil && (s.State == tcpinfo.TimeWait || s.State == tcpinfo.FinWait2)
}

// number is the number of the socket that made a transition. What it is at its first it stays, whatever its addresses.
func (t *transitions) number(side timeline.Side, e trace.Event) int {
	begins := e.From == tcpinfo.Closed || e.From == tcpinfo.Listen && e.To == tcpinfo.SynReceived
	n := t.numbers[e.Socket()]
	if n == 0 || begins {
		n = t.log.Sockets.Transition(e.Time, side, timeline.Ends{Local: addr(e.Local), Remote: addr(e.Remote)}, e.From, e.To, func() uint64 {
			s, err := t.lookup(side, e.Local, e.Remote)
			if err != nil {
				return 0
			}
			return s.Cookie
		})
	}
	if t.numbers[e.Socket()] = n; e.To == tcpinfo.Closed {
		delete(t.numbers, e.Socket())
	}
	return n
}
