package segment

import "time"

const (
	fastRetransmissionWithin = 20 * time.Millisecond // of the last duplicate acknowledgment
	outOfOrderWithin         = 3 * time.Millisecond  // where the round trip time is not known
)

// look is one segment at the moment it is judged: what was seen before it, in its direction and in the other.
type look struct {
	at       time.Time
	s        *Segment
	fwd, rev *half
	rtt      time.Duration // of the handshake, 0 where not seen

	data     int
	plain    bool // no SYN, FIN or RST
	expected bool // starts at the expected number
	sameAck  bool // acknowledges what the segment before it in this direction did
}

func newLook(at time.Time, s *Segment, fwd, rev *half, rtt time.Duration) look {
	return look{
		at: at, s: s, fwd: fwd, rev: rev, rtt: rtt,
		data:     s.Len(),
		plain:    s.Flags&(SYN|FIN|RST) == 0,
		expected: fwd.nextKnown && s.Seq == fwd.next,
		sameAck:  fwd.ackKnown && s.Flags&ACK != 0 && s.Ack == fwd.ack,
	}
}

// analysis is everything that is unusual about the segment.
func (l *look) analysis() Analysis {
	a := l.position()
	a |= l.window(a)
	a |= l.answer(a)
	if l.s.Flags&ACK != 0 && l.rev.nextKnown && After(l.s.Ack, l.rev.contiguous) {
		a |= AckLostSegment
	}
	return a | l.resent(a)
}

// position judges where the segment starts: where nothing was expected, or as a probe does.
func (l *look) position() (a Analysis) {
	if !l.fwd.nextKnown {
		return 0
	}
	closed := l.rev.windowKnown && l.rev.window == 0
	switch {
	case l.data == 1 && l.expected && closed && l.plain:
		a = ZeroWindowProbe
	case l.data <= 1 && l.s.Seq == l.fwd.next-1 && l.plain && (l.data == 0 || l.rev.ackKnown && !After(l.fwd.next, l.rev.ack)):
		a = KeepAlive
		if closed && l.data == 0 {
			a |= ZeroWindowProbe
		}
	case After(l.s.Seq, l.fwd.next) && l.s.Flags&RST == 0:
		a = LostSegment
	}
	return a
}

// window judges the window that the segment announces, and what it leaves of the other side's.
func (l *look) window(a Analysis) (b Analysis) {
	if !l.plain || a == ZeroWindowProbe {
		return 0
	}
	if l.s.Window == 0 {
		b |= ZeroWindow
	}
	if l.data > 0 && l.rev.ackKnown && l.rev.scaled &&
		l.s.Seq+uint32(l.data) == l.rev.ack+uint32(l.rev.octets) {
		b |= WindowFull
	}
	if l.data == 0 && l.s.Window != 0 && l.fwd.windowKnown && l.s.Window != l.fwd.window &&
		l.expected && l.sameAck && !l.s.Options.Has(OptSACK) {
		b |= WindowUpdate
	}
	return b
}

// answer judges a segment that carries nothing new by what it may answer.
func (l *look) answer(a Analysis) Analysis {
	if l.data > 0 || !l.plain || !l.expected || a&ZeroWindowProbe != 0 {
		return 0
	}
	sameWindow := l.fwd.windowKnown && l.s.Window == l.fwd.window
	tookProbe := l.s.Flags&ACK != 0 && l.fwd.ackKnown && l.s.Ack == l.fwd.ack+1
	switch {
	case l.sameAck && sameWindow && l.s.Window != 0 && l.rev.last&KeepAlive != 0:
		return KeepAliveAck
	case (l.sameAck || tookProbe) && sameWindow && l.s.Window == 0 && l.rev.last&ZeroWindowProbe != 0:
		return ZeroWindowProbeAck
	case l.sameAck && l.s.Window != 0 && (sameWindow || l.s.Options.Has(OptSACK)):
		return DuplicateAck
	}
	return 0
}

// resent judges a segment that does not move on from what was seen before.
func (l *look) resent(a Analysis) Analysis {
	if l.data == 0 && l.s.Flags&(SYN|FIN) == 0 || a&KeepAlive != 0 {
		return 0
	}
	if l.data > 0 && l.rev.ackKnown && !After(l.s.Seq+uint32(l.data), l.rev.ack) {
		return Retransmission | SpuriousRetransmission
	}
	fromProbe := l.data > 1 && l.s.Seq == l.fwd.next-1 // new data, from the octet of a probe on
	if !l.fwd.nextKnown || !Before(l.s.Seq, l.fwd.next) || fromProbe {
		return 0
	}
	overtaken := outOfOrderWithin
	if l.rtt > 0 {
		overtaken = l.rtt
	}
	switch {
	case l.rev.duplicates >= 2 && l.rev.ack == l.s.Seq && l.at.Sub(l.rev.ackAt) < fastRetransmissionWithin:
		return Retransmission | FastRetransmission
	case l.at.Sub(l.fwd.nextAt) < overtaken && l.fwd.next != l.s.Seq+l.s.SeqLen():
		return OutOfOrder
	}
	return Retransmission
}
