package lab

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/segment"
)

// lane is one direction of the wire.
type lane struct {
	wire *Wire
	from Side
	in   *tun // the sender's device
	out  *tun // the receiver's

	turn     sync.Mutex    // held by whoever reads from the device, until what was read has arrived; taken before mu
	emptied  atomic.Uint64 // how often there was nothing to read
	finished atomic.Bool   // a FIN has come from there

	mu     sync.Mutex // held from a packet's arrival until it is written or put away; guards what follows
	flows  flows
	number uint64       // of the last packet seen
	top    uint64       // the highest number delivered
	aside  []*inTransit // those to be overtaken, oldest first
	ready  []inTransit  // reported as delivered: to be written before mu is released
}

// Settle returns when the wire has done with each packet of a side what it has reported: it tells before it delivers.
func (w *Wire) Settle(from Side) {
	l := w.lane(from)
	l.mu.Lock()
	defer l.mu.Unlock()
}

// run relays until the wire is closed. The thread is its own: handing over between two goroutines on the same thread
// for each few packets costs a quarter of the throughput.
func (l *lane) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	buf := make([]byte, maxPacket)
	for {
		switch err := l.next(buf); err {
		case nil:
		case unix.EINTR:
		case unix.EAGAIN:
			if !l.wait() {
				return
			}
		default:
			l.fail(fmt.Errorf("lab: read from the %s's interface: %w", l.from, err))
			return
		}
	}
}

// next relays one packet.
func (l *lane) next(buf []byte) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	n, err := l.in.read(buf)
	if err == nil {
		l.arrive(buf[:n])
	} else {
		l.emptied.Add(1)
	}
	return err
}

// wait returns when there is something to read, and false when the wire is closed.
func (l *lane) wait() bool {
	fds := []unix.PollFd{{Fd: int32(l.in.fd), Events: unix.POLLIN}, {Fd: int32(l.wire.stop[0])}}
	for {
		_, err := unix.Poll(fds, -1)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			l.fail(fmt.Errorf("lab: poll: %w", err))
			return false
		}
		return fds[1].Revents == 0
	}
}

func (l *lane) fail(err error) {
	select {
	case l.wire.failed <- err:
	default: // the other lane was first
	}
}

// arrive takes one packet from the sender to wherever it goes. raw is in the relay's buffer.
func (l *lane) arrive(raw []byte) {
	var p inTransit
	if !p.decode(raw) {
		return // other protocols, such as MLD, do not cross the wire
	}
	l.place(&p)
	if p.Again && l.finished.Load() {
		p.crossed = l.crossed(&p)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wire.mu.Lock()
	p.Seen = time.Now() // not before: what the other lane reports meanwhile would be later and stand above it
	l.wire.decide(&p)
	l.wire.mu.Unlock()
	l.flush()
}

// place numbers a packet.
func (l *lane) place(p *inTransit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.number++
	p.From, p.Number = l.from, l.number
	if p.ICMP == nil {
		p.flow = l.flows.find(&p.Segment)
		p.Again, p.Byte = p.flow.place(&p.Segment)
		if p.Segment.Flags.Has(segment.FIN) {
			l.finished.Store(true)
		}
	}
}

// flush writes what was decided to be delivered. It happens after Wire.mu is released, so that both lanes can do
// it at once, and before the lane's is, so that the order of the reports is the order of the packets.
func (l *lane) flush() {
	for i := range l.ready {
		if p := &l.ready[i]; l.out.write(p.Raw) != nil {
			l.refused(p.Packet)
		} else {
			l.written(p)
		}
	}
	clear(l.ready)
	l.ready = l.ready[:0]
}

// refused takes back what was reported.
func (l *lane) refused(p Packet) {
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	p.Fate, p.By, p.At = Dropped, ByKernel, time.Now()
	l.wire.report(p)
}

// overtaken counts the delivery of packet number for those set aside before it, and returns those that have been
// overtaken often enough.
func (l *lane) overtaken(number uint64) []*inTransit {
	var due []*inTransit
	for _, p := range l.aside {
		if p.Number < number {
			if p.overtake--; p.overtake == 0 {
				due = append(due, p)
			}
		}
	}
	return due
}
