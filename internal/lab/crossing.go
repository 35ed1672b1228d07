package lab

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"socklife/internal/segment"
)

// A host sends again what is not acknowledged in time, and on a busy machine the wire itself may be what is late: then
// both copies of a FIN lie at the wire, or the second copy and the acknowledgement cross on it. What comes of that is
// the wire's doing and no lesson: a FIN that comes twice is acknowledged twice, the second ACK finds no socket, and the
// RST that answers it ends TIME-WAIT (RFC 1337). So a segment is lost that its sender would not have sent had
// the wire been in time: it lay at the wire when the FIN was delivered for the first time, or when the acknowledgement
// was. (One that is sent after that is another matter: whoever got the acknowledgement had no room for it, or did not
// look at it.)

// meeting is a segment that was delivered, as far as those are concerned that lay at the wire then.
type meeting struct {
	end  uint32 // what comes after it; of an acknowledgement, its number
	lane uint64 // how often the lane had been read empty by then, and one more; 0: nothing lay there
}

// meet is what a delivery meets at a lane.
func (l *lane) meet(end uint32, more func() bool) meeting {
	if emptied := l.emptied.Load(); more() {
		return meeting{end, emptied + 1}
	}
	return meeting{end, 0}
}

// crossed tells whether a retransmission lay at the wire at such a meeting. What the receiver has answered so far may
// be waiting at the other lane's device: that comes first. It is called with the turn of p's lane, and no other lock.
func (l *lane) crossed(p *inTransit) bool {
	other := l.wire.lane(p.From.opposite())
	if l.wire.catchingUp.TryLock() { // else the other lane is about to do the same, or has had us do it
		other.readAll()
		l.wire.catchingUp.Unlock()
	}
	return l.lay(p, l.met(p.Segment.Src, p.Segment.Dst).fin) || l.lay(p, other.met(p.Segment.Dst, p.Segment.Src).ack)
}

// lay tells whether it lay there at that meeting, and nothing of it is new. (Between the same addresses there may have
// been a connection before, with other numbers.)
func (l *lane) lay(p *inTransit, m meeting) bool {
	s, f := &p.Segment, p.flow
	return m.lane == l.emptied.Load()+1 && segment.After(m.end, f.isn) && !segment.After(m.end, f.next) &&
		!segment.After(s.Seq+s.SeqLen(), m.end)
}

// met are the last meetings of the segments from one address to another.
func (l *lane) met(from, to netip.AddrPort) meetings {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.flows[[2]netip.AddrPort{from, to}]; f != nil {
		return f.meetings
	}
	return meetings{}
}

// meetings are those of a flow: of its FIN, and of what it acknowledges.
type meetings struct{ fin, ack meeting }

// written notes what a segment met that has just been written into the other host. Of acknowledgements it is not worth
// the time before that host has sent a FIN.
func (l *lane) written(p *inTransit) {
	s, f := &p.Segment, p.flow
	if f == nil {
		return
	}
	if s.Flags.Has(segment.FIN) {
		f.fin = l.meet(s.Seq+s.SeqLen(), l.readable)
	}
	if other := l.wire.lane(l.from.opposite()); s.Flags.Has(segment.ACK) && other.finished.Load() && (f.ack == meeting{} || segment.After(s.Ack, f.ack.end)) {
		f.ack = other.meet(s.Ack, other.hasMore)
	}
}

func (s Side) opposite() Side {
	if s == Client {
		return Server
	}
	return Client
}

// readAll relays all that there is to read now, in place of the lane's own thread.
func (l *lane) readAll() {
	buf := make([]byte, maxPacket)
	for l.next(buf) == nil {
	}
}

// hasMore tells whether there is something that was sent and has not arrived.
func (l *lane) hasMore() bool {
	if !l.turn.TryLock() {
		return true // somebody has it in his hand
	}
	defer l.turn.Unlock()
	return l.readable()
}

// readable tells whether something lies at the device.
func (l *lane) readable() bool {
	fds := []unix.PollFd{{Fd: int32(l.in.fd), Events: unix.POLLIN}}
	n, _ := unix.Poll(fds, 0)
	return n > 0
}
