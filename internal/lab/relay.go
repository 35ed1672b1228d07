package lab

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// lane is one direction of the wire.
type lane struct {
	wire *Wire
	from Side
	in   *tun // the sender's device
	out  *tun // the receiver's

	mu     sync.Mutex // held from a packet's arrival until it is written or put away; guards what follows
	flows  flows
	stats  Stats
	number uint64    // of the last packet seen
	top    uint64    // the highest number delivered
	aside  []*parcel // those to be overtaken, oldest first
	ready  []ready   // decided: to be written before mu is released
}

// ready is a packet that has been reported as delivered and is about to be.
type ready struct {
	frame  []byte
	packet Packet
}

// Stats counts the packets that one side sent.
type Stats struct {
	Seen       uint64 // TCP segments and ICMP "unreachable"
	Bytes      uint64 // in them, IP headers included
	Delivered  uint64 // written into the other host, without copies
	Duplicated uint64 // copies written into the other host
	Dropped    uint64 // by rule, chance or hand, or refused by the other host
	Ignored    uint64 // other protocols, such as MLD: they do not cross the wire and are not reported
}

// Stats returns the counts of what a side, Client or Server, has sent so far.
func (w *Wire) Stats(from Side) Stats {
	l := w.lane(from)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats
}

// run relays until the wire is closed. The thread is its own: handing over between two goroutines on the same thread for
// each few packets costs a quarter of the throughput.
func (l *lane) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	buf := make([]byte, maxPacket)
	for {
		n, err := l.in.read(buf)
		switch err {
		case nil:
			l.arrive(buf[:n])
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

// wait returns when there is something to read, and false when the wire is closed.
func (l *lane) wait() bool {
	fds := []unix.PollFd{{Fd: int32(l.in.fd), Events: unix.POLLIN}, {Fd: int32(l.wire.stop), Events: unix.POLLIN}}
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
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	if l.wire.failed == nil {
		l.wire.failed = err
	}
}

// arrive takes one packet from the sender to wherever it goes. frame is the relay's buffer.
func (l *lane) arrive(frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := parcel{frame: frame}
	if len(frame) < l.in.head || !p.decode(frame[l.in.head:]) {
		l.stats.Ignored++
		return
	}
	l.number++
	l.stats.Seen++
	l.stats.Bytes += uint64(len(p.Raw))
	p.From, p.Number = l.from, l.number
	if p.ICMP == nil {
		p.Again, p.Byte = l.flows.place(&p.Segment)
	}
	if l.wire.plain {
		l.top = l.number
		l.write(frame, &p.Packet)
		return
	}
	p.Seen = time.Now()
	l.wire.mu.Lock()
	l.wire.decide(&p)
	l.wire.mu.Unlock()
	l.flush()
}

// flush writes what was decided to be delivered. It happens after Wire.mu is released, so that both lanes can do
// it at once, and before the lane's is, so that the order of the reports is the order of the packets.
func (l *lane) flush() {
	for i := range l.ready {
		l.write(l.ready[i].frame, &l.ready[i].packet)
	}
	clear(l.ready)
	l.ready = l.ready[:0]
}

func (l *lane) write(frame []byte, p *Packet) {
	err := l.out.write(frame)
	switch {
	case err != nil:
		l.stats.Dropped++
		l.refused(*p)
	case p.CopyOf != 0:
		l.stats.Duplicated++
	default:
		l.stats.Delivered++
	}
}

// refused takes back what was reported.
func (l *lane) refused(p Packet) {
	if l.wire.report != nil {
		l.wire.mu.Lock()
		defer l.wire.mu.Unlock()
		p.Fate, p.By, p.At = Dropped, ByKernel, time.Now()
		l.wire.report(p)
	}
}

// overtaken counts the delivery of packet number for those set aside before it, and returns those that have been
// overtaken often enough.
func (l *lane) overtaken(number uint64) []*parcel {
	var due []*parcel
	for _, p := range l.aside {
		if p.Number < number {
			if p.overtake--; p.overtake == 0 {
				due = append(due, p)
			}
		}
	}
	return due
}

func (l *lane) forget(p *parcel) {
	if i := slices.Index(l.aside, p); i >= 0 {
		l.aside = slices.Delete(l.aside, i, i+1)
	}
}
