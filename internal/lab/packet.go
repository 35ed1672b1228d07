package lab

import (
	"bytes"
	"time"

	"socklife/internal/segment"
)

// Side says which host sent a packet; it has nothing to do with who called connect(2).
type Side uint8

const (
	Any    Side = iota // in rules only
	Client             // 198.51.100.1, 2001:db8::1
	Server             // 198.51.100.2, 2001:db8::2
)

// String is the word in rules: any, client, server.
func (s Side) String() string { return [...]string{"any", "client", "server"}[s] }

// Fate is what the wire has just done with a packet.
type Fate uint8

const (
	Delivered  Fate = iota // written into the other host
	Duplicated             // a copy, written into the other host as well
	Dropped                // lost: final
	Held                   // waits for a decision: Wire.Release and its neighbours
	Delayed                // waits for its time, then comes again as delivered
	Reordered              // waits until later packets have overtaken it, then comes again as delivered
)

// String is the word for it in events.
func (f Fate) String() string {
	return [...]string{"delivered", "duplicated", "dropped", "held", "delayed", "reordered"}[f]
}

// Who decided on a packet, in Packet.By; otherwise it is the text of a rule.
const (
	ByLink     = "link"     // the settings of Link
	ByStep     = "step"     // Wire.HoldAll
	ByHand     = "hand"     // Wire.Release and its neighbours
	ByInjected = "injected" // it did not come from a host: Wire.Inject
	ByLate     = "late"     // the wire was: a retransmission that would not have been sent had the wire been in time
	ByKernel   = "kernel"   // the receiving host refused it: its interface is down, or there is no memory
)

// Packet is one packet on the wire at the moment when something became of it.
type Packet struct {
	ID     uint64    // 1, 2, … in the order the wire first had them in hand, copies too
	Number uint64    // 1, 2, … of those the sender sent; a copy has its original's, an injected packet 0
	CopyOf uint64    // the ID of the original, if this is a copy
	From   Side      // who sent it
	Seen   time.Time // when the wire took it from the sender
	At     time.Time // of this fate
	Fate   Fate
	By     string // who decided: one of By…, the rule as Rule.String has it, or empty where nobody interfered

	// Raw is the packet from its IP header on. In a call of Config.Report it is valid only until that returns; nowhere
	// may it be changed.
	Raw     []byte
	Segment segment.Segment // of Raw, if it is a segment
	ICMP    *segment.ICMP   // of Raw, if it is ICMP's "unreachable": the only other thing that crosses the wire

	Again bool  // it carries sequence numbers that its sender has sent before: a retransmission
	Byte  int64 // which byte of the sender's stream its data starts with, from 1; 0 without data
	Late  bool  // one that was sent after it has been delivered before it
}

// Clone returns a packet that shares no memory with p.
func (p Packet) Clone() Packet {
	p.Raw = bytes.Clone(p.Raw)
	if p.ICMP == nil {
		p.Segment, _ = segment.Decode(p.Raw) // it was decoded before
	} else {
		message := *p.ICMP
		p.ICMP = &message
	}
	return p
}

// decode fills in what the bytes say, and tells whether this is something that crosses the wire.
func (p *Packet) decode(raw []byte) bool {
	p.Raw = raw
	var err error
	if p.Segment, err = segment.Decode(raw); err == nil {
		return true
	}
	p.ICMP = segment.DecodeICMP(raw)
	return p.ICMP != nil
}
