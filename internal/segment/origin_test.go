package segment

import (
	"net/netip"
	"testing"
	"time"
)

// With one origin the numbers of a second connection between the same ports count from the first one's SYNs, so that
// old and new are never alike; without it each connection begins at 0.
func TestOneOrigin(t *testing.T) {
	t.Parallel()
	a, b := netip.MustParseAddrPort("198.51.100.1:40007"), netip.MustParseAddrPort("198.51.100.2:7007")
	from := func(src, dst netip.AddrPort, seq, ack uint32, flags Flags, data string) Segment {
		return Segment{Src: src, Dst: dst, Seq: seq, Ack: ack, Flags: flags, Payload: []byte(data)}
	}
	list := []struct {
		s              Segment
		seq, ack       int32 // from one origin
		ownSeq, ownAck uint32
	}{
		{s: from(a, b, 1000, 0, SYN, ""), seq: 0, ownSeq: 0},
		{s: from(b, a, 70000, 1001, SYN|ACK, ""), seq: 0, ack: 1, ownAck: 1},
		{s: from(a, b, 1001, 70001, ACK|PSH, "old\n"), seq: 1, ack: 1, ownSeq: 1, ownAck: 1},
		{s: from(a, b, 1005, 70001, RST|ACK, ""), seq: 5, ack: 1, ownSeq: 5, ownAck: 1},
		{s: from(a, b, 249750, 0, SYN, ""), seq: 248750, ownSeq: 0},
		{s: from(b, a, 135539, 249751, SYN|ACK, ""), seq: 65539, ack: 248751, ownAck: 1},
		{s: from(a, b, 249751, 135540, ACK|PSH, "new\n"), seq: 248751, ack: 65540, ownSeq: 1, ownAck: 1},
		{s: from(a, b, 0xfffe7d48, 0, SYN, ""), seq: -100_000, ownSeq: 0},
	}
	one, each := Flows{OneOrigin: true}, Flows{}
	for i, c := range list {
		at := time.Unix(0, int64(i)*int64(time.Millisecond))
		asked := one.Of(c.s.Src, c.s.Dst).Relative(c.s)
		seen, own := one.Add(at, c.s), each.Add(at, c.s)
		if int32(seen.Seq) != c.seq || int32(seen.Ack) != c.ack || seen.Seq+seen.SeqBase != c.s.Seq || !seen.OneOrigin {
			t.Errorf("%d: seq %d ack %d, base %d; want %d %d", i, int32(seen.Seq), int32(seen.Ack), seen.SeqBase, c.seq, c.ack)
		}
		if i > 0 && (asked.Seq != seen.Seq || asked.Ack != seen.Ack) {
			t.Errorf("%d: asked before it was added: seq %d ack %d; then %d %d", i, asked.Seq, asked.Ack, seen.Seq, seen.Ack)
		}
		if own.Seq != c.ownSeq || own.Ack != c.ownAck || own.OneOrigin {
			t.Errorf("%d: without: seq %d ack %d; want %d %d", i, own.Seq, own.Ack, c.ownSeq, c.ownAck)
		}
	}
}
