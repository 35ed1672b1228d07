package observe

import (
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"

	"socklife/internal/lab"
	"socklife/internal/segment"
	"socklife/internal/timeline"
)

// From one origin an old number is negative, in the line; in JSON it is modulo 2^32, and has the origin beside it. SACK
// blocks count from where the acknowledgement does.
func TestSegmentsFromOneOrigin(t *testing.T) {
	t.Parallel()
	l := NewSegmentLog(timeline.New(), false, nil)
	l.OneOrigin()
	l.Report(onWire(t, 1, lab.Client, lab.Delivered, segment.Segment{Seq: 200_000, Flags: segment.SYN}))
	p := onWire(t, 2, lab.Client, lab.Delivered, segment.Segment{Seq: 100_000, Flags: segment.SYN})
	old := segmentEvent(l.flows.Add(p.At, p.Segment), timeline.Client, false)
	if !strings.HasPrefix(old.Numbers(), "SYN seq=-100000 ") {
		t.Errorf("%q", old.Numbers())
	}
	b, err := json.Marshal(old)
	if err != nil || !strings.Contains(string(b), `"seg_seq":4294867296,`) || !strings.Contains(string(b), `"seq_base":200000,`) {
		t.Errorf("%s, %v", b, err)
	}
}

// A SACK block of what came before the second connection's SYN has the numbers that this had then.
func TestSACKFromOneOrigin(t *testing.T) {
	t.Parallel()
	flow := segment.Flow{OneOrigin: true}
	for i, s := range []segment.Segment{
		{Seq: 200_000, Flags: segment.SYN},
		{Seq: 500_000, Ack: 200_001, Flags: segment.SYN | segment.ACK},
		{Seq: 400_000, Flags: segment.SYN},
		{Seq: 600_000, Ack: 400_001, Flags: segment.SYN | segment.ACK},
	} {
		p := onWire(t, uint64(1+i), []lab.Side{lab.Client, lab.Server}[i%2], lab.Delivered, s)
		flow.Add(p.At, p.Segment)
	}
	p := onWire(t, 9, lab.Server, lab.Delivered, segment.Segment{Seq: 600_001, Ack: 400_001, Flags: segment.ACK})
	raw := append(p.Raw, 1, 1, byte(segment.OptSACK), 10)
	raw = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(raw, 200_001), 200_005)
	binary.BigEndian.PutUint16(raw[2:], uint16(len(raw)))
	raw[32] = 8 << 4
	s, err := segment.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	e := segmentEvent(flow.Add(p.At, s), timeline.Server, false)
	if want := "ACK seq=100001 ack=200001 win=100 <sack {1:5}>"; !strings.HasPrefix(e.Line(), want) {
		t.Errorf("%q, want %q", e.Line(), want)
	}
}
